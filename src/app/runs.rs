//! From what the engine says of runs to the rows that are kept of them.

use std::collections::BTreeSet;
use std::path::Path;

use base::error::{Result, fault};
use base::units::SimTime;
use methods::interface::{Paired, Readers};
use replay::{Combination, GoalFacts, Grid, GridRun, Pool, RowIds, RunOptions, Segment, Target};
use store::Output;
use store::orders::{RecordedOrders, read_orders};
use store::runs::RunRow;
use store::trace::TraceRow;

use crate::pools::TableOptions;

/// One run with what is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    pub run: u32,
    pub repeat: u32,
    /// One a goal.
    pub rows: Vec<RunRow>,
    /// Empty unless a trace was asked for.
    pub segments: Vec<Segment>,
}

impl RunRecord {
    pub(crate) fn new(pool: &Pool, run: GridRun) -> Self {
        let row = |(target, facts): &(Target, GoalFacts)| row(pool, &run, target, facts);
        let rows = run.goals.iter().map(row).collect();
        Self { run: run.run, repeat: run.repeat, rows, segments: run.segments }
    }

    /// Its segments as rows of a trace.
    pub fn trace<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = TraceRow> + 'a {
        trace_rows(pool, self.run, self.repeat, &self.segments)
    }
}

/// The segments of a run as rows of a trace.
pub(crate) fn trace_rows<'a>(
    pool: &'a Pool,
    run: u32,
    repeat: u32,
    segments: &'a [Segment],
) -> impl Iterator<Item = TraceRow> + 'a {
    let value = |score: f64| Some(pool.value_of(score)).filter(|value| !value.is_nan());
    (0..).zip(segments).map(move |(number, segment)| TraceRow {
        run,
        repeat,
        segment: number,
        trial: segment.trial.0,
        config_id: pool.ids().id_of(segment.config).0,
        curve_repeat: segment.curve_repeat,
        worker: segment.worker,
        start_ns: segment.start.0,
        end_ns: segment.end.0,
        epoch_first: segment.epoch_first.0,
        epochs: segment.epochs.0,
        end_state: segment.end_state.word(),
        value: value(segment.value),
        reported: value(segment.reported),
        snap_distance: segment.snap_distance,
        overhead_ns: segment.overhead.0,
    })
}

/// Runs a grid, or a part of it, on one table, recorded orders included, and hands on what is kept
/// of its runs; see [`Grid::run`].
pub fn run(
    grid: &Grid,
    pool: &Pool,
    options: &RunOptions<'_>,
    sink: impl FnMut(Vec<RunRecord>) -> Result<()>,
) -> Result<()> {
    run_noting(grid, pool, options, &|_| {}, sink)
}

/// The same, and notes every file of an order that is read.
pub(crate) fn run_noting(
    grid: &Grid,
    pool: &Pool,
    options: &RunOptions<'_>,
    note: &(dyn Fn(&Path) + Sync),
    mut sink: impl FnMut(Vec<RunRecord>) -> Result<()>,
) -> Result<()> {
    let read = |path: &Path| {
        note(path);
        read_order(path, pool)
    };
    let read_text = |path: &Path| {
        note(path);
        read_short_text(path)
    };
    let paired = |path: &Path| {
        if !is_self(path) {
            note(&path.join("table.json"));
        }
        read_paired(path, pool)
    };
    let readers = Readers { orders: &read, text: &read_text, paired: &paired };
    let options = RunOptions { readers, ..*options };
    grid.run(pool, &options, |block| {
        sink(block.into_iter().map(|run| RunRecord::new(pool, run)).collect())
    })
}

/// The longest text that a method's parameter may name, in bytes: some thousand parameters.
const TEXT_MAX: u64 = 1 << 20;

/// Reads a recorded order of the rows of a pool, which files name by the table's ids.
///
/// # Errors
/// Faults of the file, of a configuration that is no row of the pool, and of one that stands twice
/// in a repeat.
pub(crate) fn read_order(path: &Path, pool: &Pool) -> Result<RecordedOrders> {
    let mut orders = read_orders(path)?;
    if *pool.ids() == RowIds::default() {
        return Ok(orders);
    }
    for (repeat, order) in orders.iter_mut().enumerate() {
        let mut seen = BTreeSet::new();
        for config in order {
            let refuse = |rule: &str, remedy: &str| {
                let place = format!("config_id, repeat {repeat}");
                fault(path.display(), place, *config, rule, remedy)
            };
            let Some(row) = pool.ids().row_of(*config) else {
                let rule = "--rows and --where leave it out of what is replayed";
                return Err(refuse(rule, "record an order of the rows that are replayed"));
            };
            if !seen.insert(row) {
                return Err(refuse("a row runs once in a repeat", "remove the second one"));
            }
            *config = row;
        }
    }
    Ok(orders)
}

/// Reads another table that a method's parameter names, as the one replayed was loaded.
pub(crate) fn read_paired(path: &Path, pool: &Pool) -> Result<Paired> {
    if is_self(path) {
        return Ok(pool.paired());
    }
    Ok(TableOptions::load_beside(pool, path)?.paired())
}

/// Whether a path stands for the table that is replayed.
fn is_self(path: &Path) -> bool {
    path == Path::new("self")
}

/// Reads a text that a method's parameter names.
pub(crate) fn read_short_text(path: &Path) -> Result<String> {
    store::inputs::read_text(path, TEXT_MAX).map_err(|e| {
        let rule = format!("the file must be readable ({e})");
        fault("--sampler", "file", path.display(), rule, "check the path")
    })
}

/// Writes some runs on one table into the files that were asked for.
pub fn write(output: &mut Output, pool: &Pool, block: &[RunRecord]) -> Result<()> {
    let segments: Vec<TraceRow> = block.iter().flat_map(|run| run.trace(pool)).collect();
    let rows: Vec<&RunRow> = block.iter().flat_map(|run| &run.rows).collect();
    output.write(&rows, &segments)
}

/// The place where every column of `runs.parquet` is computed.
fn row(pool: &Pool, run: &GridRun, target: &Target, goal: &GoalFacts) -> RunRow {
    let Combination { sampler, scheduler, stopper, report, value, workers, seed, settings } =
        &*run.combination;
    let facts = &goal.facts;
    let selected = facts.selected;
    RunRow {
        run: run.run,
        table: pool.name().to_string(),
        table_hash: pool.table_hash().to_string(),
        sampler: sampler.clone(),
        scheduler: scheduler.clone(),
        stopper: stopper.clone(),
        report: report.word().to_string(),
        value: value.word().to_string(),
        workers: *workers,
        goal: target.text.clone(),
        goal_value: target.value,
        goal_rows: target.rows,
        repeat: run.repeat,
        seed: *seed,
        reached: goal.reached_at.is_some(),
        time_to_goal_s: goal.reached_at.map(SimTime::seconds),
        time_to_goal_epoch_s: goal.epoch_reached_at.map(SimTime::seconds),
        trials_to_goal: goal.reached_at.map(|_| facts.trials),
        epochs_to_goal: goal.reached_at.map(|_| facts.epochs),
        end_s: facts.end.seconds(),
        trials: facts.trials,
        epochs: facts.epochs,
        stopped_trials: facts.stopped_trials,
        end_reason: goal.end_reason.word().to_string(),
        table_share: f64::from(facts.trials) / f64::from(pool.rows()),
        snap_distance_median: Some(facts.snap_distance_median).filter(|d| !d.is_nan()),
        settings: settings.clone(),
        overhead_s: facts.overhead.seconds(),
        selected_config: selected.map(|s| pool.ids().id_of(s.config).0),
        selected_epoch: selected.map(|s| s.epoch.0),
        selected_value: selected.map(|s| pool.value_of(s.value)),
        selected_test: selected.and_then(|s| s.test_value),
        saved_s: Some(facts.saved.seconds()),
        goal_rows_met: Some(facts.goal_rows_met),
        goal_rows_stopped: Some(facts.goal_rows_stopped),
        idle_s: Some(facts.idle.seconds()),
    }
}
