//! What a method has by every moment: best value, regret, targets reached and rank against time,
//! and where the seconds of its workers went.
//!
//! What a run has found counts from the end of the segment that found it, as in `time_to_goal_s`;
//! what a cut segment had is nobody's. A run that has ended holds what it had: for how long that is
//! what it would still have, [`MethodCurves::watched_s`] says.

mod curves;
mod direction;
mod gather;
mod timeline;

pub use timeline::{Bar, Timeline, timelines};

use base::error::Result;
use base::stats::steps::Steps;
use replay::Pool;

use crate::traced::Study;

/// How many times a grid has at most.
pub const TIMES_MAX: usize = 200;
/// How many targets the share of reached ones is of.
pub const TARGETS: usize = 51;
/// The ratio of the last time to the first from which on times are spaced by their logarithms.
pub const LOG_SPAN: f64 = 50.0;

/// The curves of all methods of one table, over one grid of times.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCurves {
    pub table: String,
    /// Ascending, at most [`TIMES_MAX`]: from the first end of a segment of any run to the last.
    pub times_s: Vec<f64>,
    /// Whether they are spaced by their logarithms.
    pub is_log: bool,
    /// Whether a larger value is the better one.
    pub larger_is_better: bool,
    /// In the order of the methods.
    pub methods: Vec<MethodCurves>,
    /// Over how many pairs of repeat and seed ranks were averaged: those that every method has a
    /// run of.
    pub ranked_repeats: usize,
}

/// The curves of one method. Each is as long as the grid of its table.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodCurves {
    /// An index into [`Analysis::methods`](crate::analysis::Analysis::methods).
    pub method: usize,
    /// How many runs the curves are of. Of several runs with one repeat and seed (a method that is
    /// told its goal runs once for each) the one with the hardest goal counts.
    pub runs: usize,
    /// The best value so far, in the metric's own direction; infinite on the bad side where as many
    /// runs have nothing yet.
    pub best: Vec<Band>,
    /// (best of the table - best so far) / (best - median of the table), of whole curves, within
    /// [0, 1]; 1 where a run has nothing yet. `None` without the table, or where its best is its
    /// median.
    pub regret: Option<Vec<Band>>,
    /// The share of runs x [`TARGETS`] targets that have been reached: whole-curve values of the
    /// table at ranks from its best half to its best row, spaced by the logarithm of the rank (as
    /// COCO pools them, Hansen et al. 2016). `None` without the table.
    pub targets_reached: Option<Vec<f64>>,
    /// The mean over repeats of its rank among the methods of the table, 1 for the best value so
    /// far, equal ones sharing theirs. `None` where fewer than two methods share a repeat.
    pub mean_rank: Option<Vec<f64>>,
    /// The earliest end of a run: beyond it the curve of some run holds still.
    pub first_end_s: f64,
    /// The earliest end of a run that was cut before it met its hardest goal: beyond it nobody
    /// knows what that run would have found, and its curve only holds still. `None` where every
    /// run met its hardest goal or had nothing left to try.
    pub watched_s: Option<f64>,
    pub spent: Spent,
}

/// Quartiles over runs, by their size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub q25: f64,
    pub median: f64,
    pub q75: f64,
}

/// What the workers of all runs of a method did with their seconds; a trial's segments count
/// together, by what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    pub completed_s: f64,
    pub stopped_s: f64,
    /// In trials that were paused and never resumed.
    pub paused_s: f64,
    pub failed_s: f64,
    pub cut_s: f64,
    /// Workers without a trial, until their run's end.
    pub idle_s: f64,
}

/// The curves of every table that the studies have runs on, in the order of the methods.
///
/// All studies must have been read for the same methods. Tables of `pools` are found by name; what
/// needs a table that is not there is `None`. Without it, which way a value improves is read from
/// the runs' own selected values. The traces are read once, or twice where a table is missing, and
/// held is one run's segments beside a step for every time that a run found something better.
///
/// # Errors
/// Faults of the traces, see [`TracedRuns::each_run`](crate::traced::TracedRuns::each_run), of a
/// table that is not the one that was replayed, and of runs that do not say which way is better.
pub fn anytime(studies: &[Study<'_>], pools: &[&Pool]) -> Result<Vec<TableCurves>> {
    let Some(first) = studies.first() else { return Ok(Vec::new()) };
    let methods = first.runs.methods();
    let same = studies.iter().all(|study| study.runs.methods() == methods);
    assert!(same, "all studies are read for the methods of one analysis");
    let mut tables: Vec<&str> = Vec::new();
    for method in methods {
        if !tables.contains(&method.table.as_str()) {
            tables.push(&method.table);
        }
    }
    let is_rising = direction::of_tables(&tables, studies, pools)?;
    let gathered = gather::gather(studies, pools, |method| {
        let table = tables.iter().position(|table| *table == methods[method].table);
        is_rising[table.expect("every method has a table")]
    })?;
    let of_table = |(table, is_rising): (&&str, bool)| {
        let on_it = |run: &&RunCurve| methods[run.method].table == **table;
        let runs: Vec<&RunCurve> = gathered.iter().filter(on_it).collect();
        let pool = pools.iter().copied().find(|pool| pool.name() == *table);
        curves::of_table(table, is_rising, &runs, methods, pool)
    };
    Ok(tables.iter().zip(is_rising).filter_map(of_table).collect())
}

/// What one run had by when.
#[derive(Debug, Clone)]
struct RunCurve {
    method: usize,
    repeat: u32,
    seed: u64,
    /// Rows that meet its hardest goal.
    goal_rows: u32,
    /// The best value so far.
    best: Steps,
    /// The first and the last end of a segment; `None` without segments.
    ends_s: Option<(f64, f64)>,
    end_s: f64,
    /// Whether it was cut before it met its hardest goal.
    is_cut: bool,
    spent_ns: [u64; 5],
    idle_s: f64,
}
