//! What one group of runs says of its method, and how that compares with the baseline.

#![expect(clippy::cast_precision_loss, reason = "counts of runs, trials and epochs are below 2^53")]

use super::compare::Speedup;
use super::groups::Group;
use super::record::Record;
use crate::stats::Interval;
use crate::stats::quantile::{median, quantile_sorted, sorted};

/// Three quantiles, each within the bounds that censored runs leave. `low` counts a censored run
/// as ending the moment it was cut, `high` as never reaching: exact where the two agree, both
/// infinite where the quantile is surely never reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartiles {
    pub q25: Interval,
    pub median: Interval,
    pub q75: Interval,
}

/// What the runs of one method and goal came to. Times are seconds on the simulated clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// An index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    pub is_baseline: bool,
    pub runs: usize,
    pub reached: usize,
    /// Runs that a budget or a limit of trials ended before they could tell.
    pub censored: usize,
    /// To the end of the segment that met the goal.
    pub time_to_goal_s: Quartiles,
    /// The median time to the epoch end that met the goal.
    pub time_to_goal_epoch_s_median: Interval,
    /// `None` for the baseline and where its table lacks the baseline.
    pub speedup: Option<Speedup>,
    pub trials_to_goal_median: Interval,
    pub epochs_to_goal_median: Interval,
    /// The total time of all runs / runs that reached the goal; infinite where none did.
    pub expected_running_time_s: f64,
    /// The median share of the table's rows that a run started.
    pub table_share_median: f64,
    /// Trials stopped early / trials started, over all runs; 0 where none was started.
    pub stopped_share: f64,
}

/// Answers for one group.
pub(super) fn answer(group: &Group<'_>, is_baseline: bool, speedup: Option<Speedup>) -> Answer {
    let runs = &group.runs;
    let count = |of: &dyn Fn(&Record<'_>) -> bool| runs.iter().filter(|r| of(r)).count();
    let sum = |of: &dyn Fn(&Record<'_>) -> f64| runs.iter().map(|r| of(r)).sum::<f64>();
    let reached = count(&|r| r.reached);
    let trials = sum(&|r| r.trials as f64);
    let times = Bounded::times(runs);
    let bounds = |of: &dyn Fn(&Record<'_>) -> Interval| Bounded::new(runs, of).quantile(0.5);
    let shares: Vec<f64> = runs.iter().map(|r| r.table_share).collect();
    Answer {
        method: group.method,
        is_baseline,
        runs: runs.len(),
        reached,
        censored: count(&|r| !r.reached && r.end.censors()),
        time_to_goal_s: Quartiles {
            q25: times.quantile(0.25),
            median: times.quantile(0.5),
            q75: times.quantile(0.75),
        },
        time_to_goal_epoch_s_median: bounds(&|r| r.bounds(r.time_to_goal_epoch_s, r.end_s)),
        speedup,
        trials_to_goal_median: bounds(&|r| {
            r.bounds(r.trials_to_goal.map(|t| t as f64), r.trials as f64)
        }),
        epochs_to_goal_median: bounds(&|r| {
            r.bounds(r.epochs_to_goal.map(|e| e as f64), r.epochs as f64)
        }),
        expected_running_time_s: if reached == 0 {
            f64::INFINITY
        } else {
            sum(&|r| r.time_to_goal_s.unwrap_or(r.end_s)) / reached as f64
        },
        table_share_median: median(&shares),
        stopped_share: if trials > 0.0 { sum(&|r| r.stopped_trials as f64) / trials } else { 0.0 },
    }
}

/// Numbers known within bounds: all their low bounds and all their high ones.
pub(super) struct Bounded {
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

impl Bounded {
    fn new(runs: &[&Record<'_>], of: impl Fn(&Record<'_>) -> Interval) -> Self {
        let (low, high) = runs.iter().map(|r| of(r)).map(|i| (i.low, i.high)).unzip();
        Self { low, high }
    }

    pub(super) fn times(runs: &[&Record<'_>]) -> Self {
        Self::new(runs, |r| r.bounds(r.time_to_goal_s, r.end_s))
    }

    pub(super) fn quantile(&self, p: f64) -> Interval {
        let of = |values: &[f64]| quantile_sorted(&sorted(values), p);
        Interval { low: of(&self.low), high: of(&self.high) }
    }
}
