//! Audits: what rules would have done to trials that somebody has run.
//!
//! The trials of a table are replayed in the order of their ids, one after another, under every
//! rule: which of them it would have ended, what that would have saved, and which of the best it
//! would have lost. A rule that is chosen by such figures flatters itself, so the choice is judged
//! where it was not made: again and again the trials are split in two random halves, each in its
//! old order; the rule that does best on one half is the one whose figures on the other count.

mod candidates;
mod choice;
mod played;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Error, Result, fault, io};
use base::rng::Stream;
use base::units::{ConfigId, plural};
use methods::interface::{Readers, RecordedOrders, resolve};
use rand::seq::SliceRandom;
use replay::{Goal, Grid, GridRun, Pool, RunOptions, Settings as ReplaySettings};
use store::table::{ConfigCells, Status, Table};

pub use base::space::Direction;
pub use candidates::Skipped;
pub use choice::{Choice, Elsewhere, Halves};
pub use played::{Ended, Played};

use crate::pools::TableOptions;
use crate::settings::threads_or_all;
use crate::{Events, Silent, import};
use candidates::Candidates;
use played::Trials;

/// The share of trials that count as winners where nobody says.
pub const WINNERS: f64 = 0.05;
/// How often the trials are split in two where nobody says.
pub const HALVES: u32 = 100;
/// So many splits say all that splits can say.
const HALVES_MAX: u32 = 10_000;
/// With fewer trials a half holds next to nothing.
const TRIALS_MIN: usize = 4;

/// Where trials are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the directory of a table.
    Table(PathBuf),
    /// In what another program recorded. A table is made of it for the audit alone: the directory
    /// that these settings name is not used.
    Recorded(Box<import::Settings>),
}

/// What to audit.
#[derive(Debug, Clone)]
pub struct Settings {
    pub source: Source,
    /// What of it.
    pub options: TableOptions,
    /// The rules to try; the usual ones, in several settings, where this is empty and `schedulers`
    /// is, too.
    pub stoppers: Vec<String>,
    /// Schedulers to try.
    pub schedulers: Vec<String>,
    /// The share of trials that count as winners, in (0, 1].
    pub winners: f64,
    /// How often the trials are split in two; 0 leaves out how sure a choice is.
    pub halves: u32,
    pub seed: u64,
    pub threads: usize,
}

impl Settings {
    /// The usual audit.
    pub fn of(source: Source) -> Self {
        Self {
            source,
            options: TableOptions::default(),
            stoppers: Vec::new(),
            schedulers: Vec::new(),
            winners: WINNERS,
            halves: HALVES,
            seed: 0,
            threads: 1,
        }
    }

    /// Takes a number of threads; one a core where nobody says.
    ///
    /// # Errors
    /// A number of threads that there cannot be.
    pub fn with_threads(self, threads: Option<usize>) -> Result<Self> {
        Ok(Self { threads: threads_or_all(threads)?, ..self })
    }

    fn check(&self) -> Result<()> {
        if !(self.winners > 0.0 && self.winners <= 1.0) {
            let rule = "a share is above 0 and at most 1";
            let remedy = "give 0.05 for the best twentieth";
            return Err(fault("audit", "--winners", self.winners, rule, remedy));
        }
        if self.halves > HALVES_MAX {
            let rule = format!("must lie in 0..{HALVES_MAX}");
            return Err(fault("audit", "--halves", self.halves, rule, "give 100"));
        }
        Ok(())
    }
}

/// What an audit found.
#[derive(Debug, Clone)]
pub struct Audit {
    pub table: String,
    pub metric: String,
    pub direction: Direction,
    /// Trials with a curve.
    pub trials: usize,
    /// Trials without one: they cost nothing that a rule could save.
    pub without_curve: usize,
    /// Trials that broke off before their last epoch, by whatever ended them then.
    pub truncated: usize,
    /// What costs are counted in.
    pub unit: Unit,
    /// What all trials cost.
    pub cost: f64,
    /// The best value, in the metric's own direction, and whose it is.
    pub best: f64,
    pub best_trial: TrialName,
    /// The value that makes a winner.
    pub threshold: f64,
    pub winners: Vec<TrialName>,
    /// What each rule would have done, in the order in which they were asked for.
    pub rules: Vec<Rule>,
    /// Rules that this table has no use for.
    pub skipped: Vec<Skipped>,
    /// The rule of [`Self::rules`] to take; `None` where none saves anything and is safe.
    pub choice: Option<usize>,
    /// What such a choice comes to elsewhere; `None` without halves.
    pub elsewhere: Option<Elsewhere>,
}

/// What a cost is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    /// No seconds were recorded.
    Epochs,
}

/// A trial by its table's id, and by the name that its own program had for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialName {
    pub config: u32,
    pub name: Option<String>,
}

/// What one rule would have done.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As it was asked for: the rule, or the scheduler.
    pub asked: String,
    /// Canonical.
    pub scheduler: String,
    pub stopper: String,
    /// To all trials, in their order.
    pub whole: Played,
    /// To random halves; `None` without them.
    pub halves: Option<Halves>,
    /// The trials that it would have ended, in their order.
    pub ended: Vec<(TrialName, Ended)>,
}

/// Audits the trials of a table.
///
/// # Errors
/// A table that cannot be read or has fewer than four trials with a value; a rule that is not known
/// or of no use here, where it was asked for; settings out of their ranges; an interrupt.
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Audit> {
    settings.check()?;
    match &settings.source {
        Source::Table(dir) => of_table(dir, &dir.display().to_string(), settings, events, stop),
        Source::Recorded(recorded) => {
            let kept = tempfile::tempdir().map_err(|e| io(&std::env::temp_dir(), "making", e))?;
            let out = kept.path().join("table");
            let imported = import::run(
                &import::Settings { out: out.clone(), ..(**recorded).clone() },
                events,
            )?;
            imported.doubts.iter().for_each(|doubt| events.warn(doubt));
            imported.imported.quirks.iter().for_each(|quirk| events.detail(&quirk.to_string()));
            of_table(&out, &recorded.source.display().to_string(), settings, events, stop)
        }
    }
}

fn of_table(
    dir: &Path,
    shown: &str,
    settings: &Settings,
    events: &dyn Events,
    stop: &AtomicBool,
) -> Result<Audit> {
    let (table, pool) = settings.options.load_with_table(dir, &Silent)?;
    let trials = Trials::new(&pool, settings.winners);
    if trials.with_value < TRIALS_MIN {
        let value = format!("{} with a value", plural(trials.with_value, "trial"));
        let rule = format!("an audit needs at least {TRIALS_MIN}");
        let remedy = "collect more, or import all that there are";
        return Err(fault(shown, "trials", value, rule, remedy));
    }
    let candidates = Candidates::find(settings, &pool)?;
    let orders = orders(pool.rows(), settings.halves, settings.seed);
    let played = play(settings, &candidates, &pool, &trials, &orders, (events, stop))?;
    let names = Names::read(dir, &table, &pool);
    let choice = choice::choose(&played);
    let rules = candidates.trios.iter().zip(&candidates.asked).zip(played);
    let rules = rules.map(|((trio, asked), played)| Rule {
        asked: asked.clone(),
        scheduler: trio.scheduler.canonical.clone(),
        stopper: trio.stopper.canonical.clone(),
        halves: choice::halves(&played.parts),
        ended: played.ended.into_iter().map(|end| (names.of(end.row), end)).collect(),
        whole: played.whole,
    });
    Ok(Audit {
        table: pool.name().to_string(),
        metric: pool.metric().name.clone(),
        direction: pool.metric().goal,
        trials: trials.with_curve,
        without_curve: pool.rows() as usize - trials.with_curve,
        truncated: truncated(&table, &pool),
        unit: trials.unit,
        cost: trials.cost(trials.all()),
        best: pool.value_of(trials.best),
        best_trial: names.of(trials.best_row),
        threshold: pool.value_of(trials.threshold),
        winners: trials.winners().map(|row| names.of(row)).collect(),
        rules: rules.collect(),
        skipped: candidates.skipped,
        choice: choice.whole,
        elsewhere: choice.elsewhere,
    })
}

/// The trials in their order, then the two halves of every split.
fn orders(rows: u32, halves: u32, seed: u64) -> Vec<Vec<ConfigId>> {
    let all: Vec<ConfigId> = (0..rows).map(ConfigId).collect();
    let mut orders = vec![all.clone()];
    for split in 0..halves {
        let mut mixed = all.clone();
        mixed.shuffle(&mut Stream::new(seed, u64::from(split), "audit halves"));
        let (first, second) = mixed.split_at_mut(all.len().div_ceil(2));
        for half in [first, second] {
            half.sort_unstable();
            orders.push(half.to_vec());
        }
    }
    orders
}

/// What every candidate does to every order.
fn play(
    settings: &Settings,
    candidates: &Candidates,
    pool: &Pool,
    trials: &Trials<'_>,
    orders: &RecordedOrders,
    (events, stop): (&dyn Events, &AtomicBool),
) -> Result<Vec<played::Outcome>> {
    let repeats = u32::try_from(orders.len()).expect("twice as many as splits, and one");
    let grid = Grid {
        samplers: Vec::new(),
        schedulers: Vec::new(),
        stoppers: Vec::new(),
        further: candidates.trios.clone(),
        // A run ends where nothing is left: no value is as good.
        goals: vec![Goal::parse(&pool.value_of(f64::MAX).to_string())?],
        repeats,
        workers: vec![1],
        settings: ReplaySettings { seed: settings.seed, ..ReplaySettings::default() },
    };
    let read_orders = |_: &Path| Ok(orders.clone());
    events.runs_planned(grid.runs()?, 0);
    let options = RunOptions {
        stop,
        progress: &|| events.run_done(),
        readers: Readers { orders: &read_orders, ..Readers::NONE },
        ..RunOptions::all(settings.threads, true)
    };
    let mut played: Vec<played::Outcome> = Vec::new();
    grid.run(pool, &options, |block| {
        for run in block {
            let order = &orders[run.repeat as usize];
            keeps(order, &run)?;
            if run.repeat == 0 {
                let (whole, ended) = trials.play(order, &run.segments);
                played.push(played::Outcome { whole, ended, parts: Vec::new() });
            } else {
                let outcome = played.last_mut().expect("a rule begins with its whole order");
                outcome.parts.push(trials.play(order, &run.segments).0);
            }
        }
        Ok(())
    })?;
    events.runs_ended();
    if stop.load(Ordering::Relaxed) {
        let kept = "nothing was written; the same command begins anew".to_string();
        return Err(Error::Interrupted { kept });
    }
    Ok(played)
}

/// Refuses a scheduler that chose trials by itself.
fn keeps(order: &[ConfigId], run: &GridRun) -> Result<()> {
    let mut next = order.iter();
    let mut begun = 0;
    for segment in &run.segments {
        if segment.trial.0 == begun {
            begun += 1;
            if next.next() != Some(&segment.config) {
                let scheduler = &run.combination.scheduler;
                let rule = "chooses trials by itself, and those that have run have their order";
                return Err(fault("--scheduler", "method", scheduler, rule, "leave it out"));
            }
        }
    }
    Ok(())
}

/// Trials among those replayed that broke off.
fn truncated(table: &Table, pool: &Pool) -> usize {
    let ids: Vec<u32> = table.manifest.ids().collect();
    let is_truncated = |row: u32| {
        let id = pool.ids().id_of(ConfigId(row)).0;
        let at = ids.binary_search(&id).ok();
        at.is_some_and(|at| table.status[at] == Status::Truncated)
    };
    (0..pool.rows()).filter(|row| is_truncated(*row)).count()
}

/// The names that trials had where they come from.
struct Names<'a> {
    pool: &'a Pool,
    names: BTreeMap<u32, String>,
}

impl<'a> Names<'a> {
    fn read(dir: &Path, table: &Table, pool: &'a Pool) -> Self {
        // What an import keeps; other tables have no such column.
        let cells = ConfigCells::read(dir, table, "source_id");
        let ids = table.manifest.ids();
        let names: BTreeMap<u32, String> = match cells {
            Ok(ConfigCells::Words(words)) => {
                ids.zip(words).filter_map(|(id, word)| Some((id, word?))).collect()
            }
            _ => BTreeMap::new(),
        };
        Self { pool, names }
    }

    fn of(&self, row: ConfigId) -> TrialName {
        let config = self.pool.ids().id_of(row).0;
        TrialName { config, name: self.names.get(&config).cloned() }
    }
}

/// The sampler that visits a given order.
fn in_order() -> Result<methods::interface::Method<methods::interface::SamplerFactory>> {
    resolve("audit", "recorded:file=trials", methods::samplers::REGISTRY)
}
