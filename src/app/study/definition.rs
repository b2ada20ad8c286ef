//! A study as it is written in TOML.

use std::path::{Path, PathBuf};

use ::methods::interface::{Entry, Method, resolve};
use ::methods::{samplers, schedulers, stoppers};
use base::error::{Result, fault, io, suggest};
use base::fields::Fields;
use base::units::{Epoch, SimTime};
use replay::settings::overhead_seconds;
use replay::{Goal, Grid, OnNan, Overhead, Report, Settings, ValueMode, WarmStart};

use crate::pools::{CurveRepeat, TableOptions};

/// Studies that ship with the binary.
const PRESETS: [(&str, &str); 1] =
    [("early-termination", include_str!("presets/early-termination.toml"))];

/// A checked study file.
#[derive(Debug)]
pub struct StudyDefinition {
    /// The study's name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Table directories; relative ones start at the study's file (at the working directory for a
    /// study that ships with the binary).
    pub tables: Vec<PathBuf>,
    /// What of each is replayed.
    pub table_options: TableOptions,
    /// What to run on each.
    pub grid: Grid,
    /// What `analyze` compares with.
    pub baseline: Option<String>,
    /// The file's text, to be kept beside the results.
    pub text: String,
}

impl StudyDefinition {
    /// Names of the studies that ship with the binary.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }

    /// A study of the binary by its name, or a TOML file by its path.
    pub fn find(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        if let Some((_, text)) = PRESETS.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&format!("study {name_or_path}"), text, Path::new(""));
        }
        let is_path =
            path.components().count() > 1 || path.extension().is_some_and(|e| e == "toml");
        if !is_path {
            let remedy = suggest(name_or_path, Self::presets());
            return Err(fault("study", "name", name_or_path, "no study has this name", remedy));
        }
        let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                fault("study", "file", name_or_path, "no such file", "check the path")
            }
            _ => io(path, "reading the study", e),
        })?;
        Self::parse(name_or_path, &text, path.parent().unwrap_or(Path::new("")))
    }

    fn parse(source: &str, text: &str, base: &Path) -> Result<Self> {
        let mut fields = Fields::from_toml(source, text)?;
        let name = fields.required_text("name", "the study's name")?;
        let summary = fields.text("summary")?.unwrap_or_default();
        let tables = required_texts(&mut fields, "tables", "table directories")?;
        let grid = Grid {
            samplers: methods(&mut fields, "samplers", &["random"], samplers::REGISTRY)?,
            schedulers: methods(&mut fields, "schedulers", &["fifo"], schedulers::REGISTRY)?,
            stoppers: methods(&mut fields, "stoppers", &["none"], stoppers::REGISTRY)?,
            goals: required_texts(&mut fields, "goals", "goals such as top:0.005")?
                .iter()
                .map(|goal| Goal::parse(goal))
                .collect::<Result<_>>()?,
            repeats: count(&mut fields, "repeats")?.unwrap_or(50),
            workers: vec![count(&mut fields, "workers")?.unwrap_or(1)],
            settings: settings(&mut fields)?,
        };
        let table_options = table_options(&mut fields)?;
        let baseline = fields.text("baseline")?;
        fields.finish()?;
        grid.check()?;
        Ok(Self {
            name,
            summary,
            tables: tables.iter().map(|table| base.join(table)).collect(),
            table_options,
            grid,
            baseline,
            text: text.to_string(),
        })
    }
}

fn settings(fields: &mut Fields) -> Result<Settings> {
    let value = match fields.text("value")?.as_deref() {
        None | Some("best") => ValueMode::Best,
        Some("final") => ValueMode::Final,
        Some(other) => return Err(no_such_word(fields, "value", other, ["best", "final"])),
    };
    let on_nan = match fields.text("on_nan")?.as_deref() {
        None | Some("continue") => OnNan::Continue,
        Some("stop") => OnNan::Stop,
        Some(other) => return Err(no_such_word(fields, "on_nan", other, ["continue", "stop"])),
    };
    let budget = fields.number("budget_seconds")?;
    let budget = budget.map(|seconds| {
        SimTime::from_seconds(seconds).ok_or_else(|| {
            let rule = "must be 0 to 3.2e9 seconds";
            fields.fault("budget_seconds", seconds, rule, "choose a number in that range")
        })
    });
    let budget = budget.transpose()?;
    let (report, overhead) = (fields.text("report")?, fields.text("overhead")?);
    let trial_overhead = fields.number("trial_overhead")?;
    let place = |name: &str| format!("{}: {name}", fields.file());
    let report = report.map(|text| Report::parse(&place("report"), &text)).transpose()?;
    let overhead = overhead.map(|text| Overhead::parse(&place("overhead"), &text)).transpose()?;
    let trial_overhead =
        trial_overhead.map(|s| overhead_seconds(&place("trial_overhead"), s)).transpose()?;
    Ok(Settings {
        workers: 1,
        value,
        report: report.unwrap_or(Report::Best),
        on_nan,
        budget,
        trials_max: count(fields, "max_trials")?,
        restart: fields.boolean("restart")?.unwrap_or(false),
        trial_overhead: trial_overhead.unwrap_or(SimTime::ZERO),
        charge_setup: fields.boolean("charge_setup")?.unwrap_or(false),
        overhead: overhead.unwrap_or(Overhead::None),
        warm_start: warm_start(fields)?,
        seed: fields.integer_in("seed", 0, i64::MAX)?.unwrap_or(0).unsigned_abs(),
    })
}

fn warm_start(fields: &mut Fields) -> Result<Option<WarmStart>> {
    let Some(mut fields) = fields.table("warm_start")? else { return Ok(None) };
    let trials = count(&mut fields, "trials")?;
    let trials = trials.ok_or_else(|| fields.missing("trials", "how many trials it starts"))?;
    let (sampler, stopper) = (fields.text("sampler")?, fields.text("stopper")?);
    let epochs = fields.integer_in("epochs", 1, i64::from(u16::MAX))?;
    let place = |name: &str| format!("{}: {}", fields.file(), fields.path_of(name));
    let sampler = sampler.as_deref().unwrap_or("random");
    let stopper = stopper.as_deref().unwrap_or("none");
    let warm_start = WarmStart {
        trials,
        sampler: resolve(&place("sampler"), sampler, samplers::REGISTRY)?,
        stopper: resolve(&place("stopper"), stopper, stoppers::REGISTRY)?,
        epochs: epochs.map(|e| Epoch(u16::try_from(e).expect("range checked"))),
    };
    fields.finish()?;
    Ok(Some(warm_start))
}

fn table_options(fields: &mut Fields) -> Result<TableOptions> {
    let cost = fields.text("cost")?;
    // `curve_repeat = 2` and `curve_repeat = "draw"` are both natural to write.
    let repeat = match fields.peek("curve_repeat") {
        Some(value) if value.is_string() => fields.text("curve_repeat")?,
        Some(_) => {
            let found = fields.integer_in("curve_repeat", 0, i64::from(u16::MAX))?;
            found.map(|repeat| repeat.to_string())
        }
        None => None,
    };
    let place = format!("{}: curve_repeat", fields.file());
    let curve_repeat = repeat.map(|text| CurveRepeat::parse(&place, &text)).transpose()?;
    Ok(TableOptions { cost, curve_repeat: curve_repeat.unwrap_or_default() })
}

fn no_such_word(fields: &Fields, name: &str, found: &str, known: [&str; 2]) -> base::error::Error {
    fields.fault(name, found, "no such word is known here", suggest(found, known))
}

fn count(fields: &mut Fields, name: &'static str) -> Result<Option<u32>> {
    let found = fields.integer_in(name, 1, i64::from(u32::MAX))?;
    Ok(found.map(|n| u32::try_from(n).expect("range checked")))
}

fn required_texts(fields: &mut Fields, name: &'static str, what: &str) -> Result<Vec<String>> {
    let list = fields.texts(name)?.filter(|list| !list.is_empty());
    list.ok_or_else(|| fields.missing(name, &format!("a list of {what}")))
}

fn methods<Factory>(
    fields: &mut Fields,
    name: &'static str,
    default: &[&str],
    registry: &'static [Entry<Factory>],
) -> Result<Vec<Method<Factory>>> {
    let list = fields.texts(name)?;
    let list = list.unwrap_or_else(|| default.iter().map(ToString::to_string).collect());
    let place = format!("{}: {}", fields.file(), fields.path_of(name));
    list.iter().map(|text| resolve(&place, text, registry)).collect()
}
