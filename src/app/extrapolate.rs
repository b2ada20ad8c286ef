//! Extrapolated learning curves, made for a whole table and kept beside it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Error, Result, fault, internal};
use base::units::{ConfigId, Epoch, plural};
use methods::interface::{
    CurveAt, EpochScore, Extrapolation, Knot, Library, Looks, Method, Readers, RunContext,
    StopperFactory, resolve,
};
use methods::stoppers;
use methods::surrogates::curves::{Model, Scale};
use rayon::prelude::*;
use replay::{Pool, RowIds};
use store::extrapolations::{ExtrapolationFile, ExtrapolationRow, Predicted};

use crate::Events;
use crate::pools::{CurveRepeat, TableOptions};
use crate::settings::threads_or_all;

/// Extrapolations a thread between two writes: a kill loses some seconds.
const AT_ONCE: usize = 16;

/// Checked settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's directory.
    pub table: PathBuf,
    /// Which of each row's recorded trainings; all of them under [`CurveRepeat::Draw`].
    pub curve_repeat: CurveRepeat,
    /// The rule that will look.
    pub stopper: Method<StopperFactory>,
    /// Extrapolations at once.
    pub threads: usize,
}

impl Settings {
    /// Checks what was given; `None` is the default: the first repeat, the rule `curve`, a thread
    /// a processor.
    ///
    /// # Errors
    /// A rule that there is not, no number of a repeat, no number of threads.
    pub fn read(
        table: &Path,
        stopper: Option<&str>,
        curve_repeat: Option<&str>,
        threads: Option<usize>,
    ) -> Result<Self> {
        let repeat = curve_repeat.map(|text| CurveRepeat::parse("--curve-repeat", text));
        Ok(Self {
            table: table.to_path_buf(),
            curve_repeat: repeat.transpose()?.unwrap_or_default(),
            stopper: resolve("--stopper", stopper.unwrap_or("curve"), stoppers::REGISTRY)?,
            threads: threads_or_all(threads)?,
        })
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Extrapolations that the rule can ask for.
    pub all: u32,
    /// Those that were there before.
    pub before: u32,
    /// Those that are there now.
    pub done: u32,
    /// The files that hold them, one a model.
    pub files: Vec<PathBuf>,
}

impl Outcome {
    /// Whether all are there.
    ///
    /// # Errors
    /// [`Interrupted`](Error::Interrupted), with what was kept.
    pub fn whole(&self) -> Result<()> {
        if self.done == self.all {
            return Ok(());
        }
        let all = plural(self.all, "extrapolation");
        let kept = format!("{} of {all} are kept; the same call goes on from there", self.done);
        Err(Error::Interrupted { kept })
    }
}

/// Extrapolates every beginning of every curve that a rule will look at, and keeps them beside the
/// table, where replays find them. What is there already is not made again; once `stop` is true
/// nothing further is begun.
///
/// # Errors
/// Faults of the table, of a rule that extrapolates nothing or cannot serve the table, of what
/// stands where they are kept; a directory that cannot be written.
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Outcome> {
    let options = TableOptions { curve_repeat: settings.curve_repeat, ..TableOptions::default() };
    let mut pool = options.load_and_warn(&settings.table, events)?;
    // One that notes which models the rule asks for.
    pool.set_extrapolations(Library::default());
    let looks = looks(&pool, &settings.stopper)?;
    let models = pool.extrapolations().models();
    if models.is_empty() {
        let rule = "extrapolates no curves";
        let remedy = "name `curve` or `curve-fast`, or a rule that wraps one";
        return Err(fault("--stopper", "stopper", &settings.stopper.canonical, rule, remedy));
    }
    let wanted = places(&pool, &looks);
    let mut outcome = Outcome { all: 0, before: 0, done: 0, files: Vec::new() };
    let mut open = Vec::new();
    for text in models {
        let model = Model::of_text(&text).ok_or_else(|| internal("naming a model", &text))?;
        let file = ExtrapolationFile::of(&settings.table, pool.table_hash(), &text);
        let (writer, rows) = file.append()?;
        let mut there: Vec<CurveAt> = rows.iter().map(place).collect();
        there.sort_unstable();
        let left: Vec<&Place<'_>> =
            wanted.iter().filter(|one| there.binary_search(&one.at).is_err()).collect();
        outcome.all += count(wanted.len())?;
        outcome.before += count(wanted.len() - left.len())?;
        outcome.files.push(file.path().to_path_buf());
        open.push((model, writer, left));
    }
    outcome.done = outcome.before;
    events.work_begins();
    events.runs_planned(outcome.all, outcome.before);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build();
    let threads = threads.map_err(|e| internal("starting threads", e))?;
    let (scale, chance) = (Scale::new(pool.metric().goal), pool.chance());
    for (model, mut writer, left) in open {
        for block in left.chunks(AT_ONCE * settings.threads) {
            let one = |place: &&Place<'_>| {
                if stop.load(Ordering::Relaxed) {
                    return None;
                }
                let prefix = scale.beginning(place.seen, chance, place.horizon);
                let found = prefix.and_then(|prefix| model.extrapolate(&prefix));
                events.run_done();
                Some(row(place.at, found.as_ref()))
            };
            let made: Vec<Option<ExtrapolationRow>> =
                threads.install(|| block.par_iter().map(one).collect());
            let made: Vec<ExtrapolationRow> = made.into_iter().flatten().collect();
            writer.push(&made)?;
            outcome.done += count(made.len())?;
        }
    }
    events.runs_ended();
    Ok(outcome)
}

fn count(places: usize) -> Result<u32> {
    u32::try_from(places).map_err(|_| {
        let rule = "at most 4,294,967,295 beginnings are extrapolated";
        fault("--stopper", "beginnings", places, rule, "let the rule look less often")
    })
}

/// After which epochs the rule looks.
fn looks(pool: &Pool, stopper: &Method<StopperFactory>) -> Result<Looks> {
    let factory = stopper.build(&pool.context(1, Readers::NONE))?;
    let rule = factory(&RunContext { seed: 0, repeat: 0, threads: 1 });
    Ok(rule.map_or(Looks::Never, |rule| rule.looks()))
}

/// A beginning of a curve.
struct Place<'a> {
    at: CurveAt,
    seen: &'a [EpochScore],
    horizon: Epoch,
}

/// What a rule may be asked of: no curve's last epoch, where it is complete.
fn places<'a>(pool: &'a Pool, looks: &Looks) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    for (config, curve_repeat, scores, horizon) in pool.curves() {
        let mut next = looks.next_after(Epoch(0));
        while let Some(epoch) = next.filter(|epoch| *epoch < horizon) {
            let Some(seen) = scores.get(..usize::from(epoch.0)) else { break };
            let at = CurveAt { config, curve_repeat, epoch };
            places.push(Place { at, seen, horizon });
            next = looks.next_after(epoch);
        }
    }
    places
}

fn place(row: &ExtrapolationRow) -> CurveAt {
    CurveAt {
        config: ConfigId(row.config_id),
        curve_repeat: row.curve_repeat,
        epoch: Epoch(row.epoch),
    }
}

fn row(at: CurveAt, found: Option<&Extrapolation>) -> ExtrapolationRow {
    let predicted = |found: &Extrapolation| Predicted {
        mean: found.mean(),
        deviation: found.deviation(),
        knots: found.knots().iter().map(|knot| (knot.value, knot.above)).collect(),
    };
    ExtrapolationRow {
        config_id: at.config.0,
        curve_repeat: at.curve_repeat,
        epoch: at.epoch.0,
        found: found.map(predicted),
    }
}

/// The library of a pool's rows of the table in a directory, which reads what was kept there once a
/// rule asks.
pub(crate) fn kept(dir: &Path, table_hash: &str, ids: &RowIds) -> Library {
    let (dir, hash, ids) = (dir.to_path_buf(), table_hash.to_string(), ids.clone());
    Library::new(move |model, shelf| {
        let file = ExtrapolationFile::of(&dir, &hash, model);
        for row in file.read()? {
            let mut at = place(&row);
            let Some(of_pool) = ids.row_of(at.config) else { continue };
            at.config = of_pool;
            let found = row.found.map(|Predicted { mean, deviation, knots }| {
                let knot = |(value, above)| Knot { value, above };
                let knots = knots.into_iter().map(knot).collect();
                let found = Extrapolation::from_knots(mean, deviation, knots);
                found.ok_or_else(|| file.damaged(&"what is no distribution"))
            });
            shelf.put(at, found.transpose()?);
        }
        Ok(())
    })
}
