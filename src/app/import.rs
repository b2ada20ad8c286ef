//! `table import`: tables out of what other programs recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base::error::{Result, fault, suggest};
use base::fields::Fields;
use base::space::{Direction, Metric, raw};
use base::units::plural;
use serde_json::{Map, Value as Json};
use store::import::{self, FORMATS, Mapping, Seconds};
use store::inputs;

pub use store::import::{Format, Imported, Quirk};

use crate::Events;
use crate::table::check;

/// No honest mapping is longer.
const MAPPING_BYTES_MAX: u64 = 16 << 20;
/// The widest table, in epochs.
const EPOCHS_MAX: i64 = 65_535;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    pub format: Format,
    pub source: PathBuf,
    /// The directory of the new table; it must be new or empty.
    pub out: PathBuf,
    pub mapping: Mapping,
}

impl Settings {
    /// Checks what was said: `given` are fields of a mapping by their names, which come before
    /// those of the file `mapping`.
    ///
    /// # Errors
    /// A format, field or value that is not known; no metric or no direction of it.
    pub fn read(
        format: &str,
        source: &Path,
        out: &Path,
        mapping: Option<&Path>,
        given: Map<String, Json>,
    ) -> Result<Self> {
        let known = FORMATS.iter().find(|(word, _)| *word == format);
        let (_, format) = known.ok_or_else(|| {
            let rule = "no such format is read";
            let remedy = suggest(format, FORMATS.iter().map(|(word, _)| *word));
            fault("import", "format", format, rule, remedy)
        })?;
        let mut all = match mapping {
            Some(path) => read_mapping(path)?,
            None => Map::new(),
        };
        let place = mapping.map_or("import".to_string(), |path| path.display().to_string());
        all.extend(given);
        let stem = source.file_name().map(|name| name.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_default();
        let name = stem.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("imported");
        if let Some((metric, goal)) = format.metric() {
            all.entry("metric").or_insert(metric.into());
            all.entry("goal").or_insert(goal.into());
        }
        for (field, value) in import::said(*format, source) {
            all.entry(field).or_insert(value.into());
        }
        if *format == Format::Optuna {
            all.entry("metric").or_insert("value".into());
        }
        let mut mapping = fields(Fields::new(&place, "", all), name)?;
        if let Some(task) = mapping.task.as_ref().filter(|_| !format.has_tasks()) {
            let rule = format!("a source of {} holds one task", format.word());
            return Err(fault(&place, "task", task, rule, "leave it out"));
        }
        if format.has_budgets() {
            (mapping.ranks_epochs, mapping.gaps_are_free) = (true, true);
        }
        let (source, out) = (source.to_path_buf(), out.to_path_buf());
        Ok(Self { format: *format, source, out, mapping })
    }
}

fn read_mapping(path: &Path) -> Result<Map<String, Json>> {
    let shown = path.display().to_string();
    let text = inputs::read_text(path, MAPPING_BYTES_MAX).map_err(|e| {
        let rule = "must be a TOML file, in UTF-8";
        fault("import", "--mapping", format!("{shown} ({e})"), rule, "give the path of a mapping")
    })?;
    Ok(Fields::from_toml(&shown, &text)?.left().clone())
}

/// The fields of a mapping.
fn fields(mut fields: Fields, name: &str) -> Result<Mapping> {
    let column = fields.required_text("metric", "the column to improve")?;
    let goal = match fields.required_text("goal", "maximize or minimize")?.as_str() {
        "maximize" => Direction::Maximize,
        "minimize" => Direction::Minimize,
        other => {
            let remedy = suggest(other, ["maximize", "minimize"]);
            return Err(fields.fault("goal", other, "must be maximize or minimize", remedy));
        }
    };
    let metric = Metric {
        name: fields.text("metric_name")?.unwrap_or_else(|| Mapping::metric_name(&column)),
        goal,
        chance: fields.number("chance")?,
    };
    let mut mapping = Mapping::of(&column, metric)?;
    mapping.name = fields.text("name")?.unwrap_or_else(|| name.to_string());
    mapping.id = fields.text("id")?;
    mapping.epoch = fields.text("epoch")?;
    mapping.repeat = fields.text("repeat")?;
    mapping.task = fields.text("task")?;
    let (column, each) = (fields.text("seconds")?, fields.number("seconds_each")?);
    mapping.seconds = match (column, each) {
        (Some(column), Some(_)) => {
            let rule = "seconds stand in a column, or every epoch costs the same";
            return Err(fields.fault("seconds", column, rule, "leave one of both out"));
        }
        (_, Some(each)) if !(0.0..=1e9).contains(&each) => {
            let rule = "must be seconds from 0 to 1e9";
            return Err(fields.fault("seconds_each", each, rule, "give what an epoch costs"));
        }
        (_, Some(each)) => Seconds::Each(each),
        (Some(column), None) => Seconds::Column(column),
        (None, None) => mapping.seconds,
    };
    let truth = |fields: &mut Fields, name| {
        let said: Result<bool> = fields.boolean(name).map(|said| said.unwrap_or(false));
        said
    };
    mapping.is_cumulative = truth(&mut fields, "cumulative_seconds")?;
    mapping.clips_seconds = truth(&mut fields, "clip_seconds")?;
    mapping.is_percent = truth(&mut fields, "percent")?;
    mapping.ranks_epochs = truth(&mut fields, "rank_epochs")?;
    mapping.short_is_complete = truth(&mut fields, "short_complete")?;
    mapping.drop = fields.texts("drop")?.unwrap_or_default();
    let epochs = fields.integer_in("epochs", 1, EPOCHS_MAX)?;
    mapping.epochs = epochs.and_then(|epochs| u16::try_from(epochs).ok());
    if mapping.is_cumulative && matches!(mapping.seconds, Seconds::Each(_)) {
        let rule = "an epoch's own seconds do not run on";
        return Err(fields.fault("cumulative_seconds", true, rule, "leave one of both out"));
    }
    if fields.has("parameter") {
        let parameters = fields.tables("parameter")?.into_iter().map(|p| raw::read(p, true));
        mapping.parameters = Some(parameters.collect::<Result<Vec<_>>>()?);
    }
    fields.finish()?;
    Ok(mapping)
}

/// What an import came to.
#[derive(Debug)]
pub struct Outcome {
    pub imported: Imported,
    /// Signs that numbers of the table are not what a replay takes them for.
    pub doubts: Vec<String>,
    /// Configurations of each status that occurs.
    pub statuses: BTreeMap<&'static str, usize>,
}

/// Imports, and checks what came of it.
///
/// # Errors
/// Those of [`store::import::import`].
pub fn run(settings: &Settings, events: &dyn Events) -> Result<Outcome> {
    let Settings { format, source, out, mapping } = settings;
    let imported = import::import(*format, source, mapping, out)?;
    let rows = plural(usize::try_from(imported.rows_kept).unwrap_or(usize::MAX), "row");
    events.detail(&format!("{rows} kept; checking {}", out.display()));
    let checked = check(out, None)?;
    // It was new or empty before: what stands there is this table alone.
    checked.sound().inspect_err(|_| drop(fs::remove_dir_all(out)))?;
    let doubts = checked.report.doubts.iter().map(ToString::to_string).collect();
    let statuses = crate::table::info(out, None)?.statuses;
    Ok(Outcome { imported, doubts, statuses })
}
