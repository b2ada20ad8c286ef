//! What one group of runs says of its method, and how that compares with the baseline.

use base::stats::Interval;
use base::stats::bootstrap::Plan;
use base::stats::proportion::wilson;
use polars::prelude::Float64Chunked;

use super::bounded::quantiles;
use super::compare::{Comparison, Speedup};
use super::frames::slice;
use super::groups::Group;
use super::horizon::{GOAL, Horizon, survival};
use super::resample::{Bootstrap, charged_s, interquartile_mean};

/// Three quantiles, each within the bounds that censored runs leave. `low` counts a censored run
/// as ending the moment it was cut, `high` as never reaching: exact where the two agree, both
/// infinite where the quantile is surely never reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartiles {
    pub q25: Interval,
    pub median: Interval,
    pub q75: Interval,
}

/// A number and its bootstrap interval, which fewer than two runs lack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub interval: Option<Interval>,
}

/// Three quantiles of numbers that are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub q25: f64,
    pub median: f64,
    pub q75: f64,
}

/// What ending trials early did, over all runs. What older files do not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ended {
    /// Trials started...
    pub trials: u64,
    /// ...and those of them that were ended early.
    pub stopped: u64,
    /// What these would still have cost to the end of their curves.
    pub saved_s: Option<f64>,
    /// Trials started whose whole curve meets the goal...
    pub goal_rows_met: Option<u64>,
    /// ...and those of them that were ended before their value met it.
    pub goal_rows_stopped: Option<u64>,
}

impl Ended {
    /// Goal rows that were killed and met, where that is known and a trial was ended at all.
    pub fn killed(&self) -> Option<(u64, u64)> {
        self.goal_rows_stopped.zip(self.goal_rows_met).filter(|_| self.stopped > 0)
    }
}

/// What the runs of one method and goal came to. Times are seconds on the simulated clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// An index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    pub is_baseline: bool,
    pub runs: usize,
    pub reached: usize,
    /// Runs that a budget, a limit of trials or an ending cut before they could tell.
    pub censored: usize,
    /// Wilson's interval of the share of runs that reach the goal before they end.
    pub reached_share_interval: Interval,
    /// To the end of the segment that met the goal.
    pub time_to_goal_s: Quartiles,
    /// The bootstrap interval of the median of `time_to_goal_s`; `None` for fewer than two runs.
    pub time_to_goal_s_median_interval: Option<Interval>,
    /// The mean of the middle half of `time_to_goal_s` (Agarwal et al., 2021), with its bootstrap
    /// interval. `None` where a run that never reached the goal is in that half, or runs that were
    /// cut leave it open.
    pub interquartile_mean_s: Option<Estimate>,
    /// The median time to the epoch end that met the goal.
    pub time_to_goal_epoch_s_median: Interval,
    /// `None` for the baseline and where its table lacks the baseline, as for `comparison`.
    pub speedup: Option<Speedup>,
    pub comparison: Option<Comparison>,
    pub trials_to_goal_median: Interval,
    pub epochs_to_goal_median: Interval,
    /// The total time of all runs / runs that reached the goal (COCO, Hansen et al. 2016): what
    /// independent restarts would take on average. Infinite where none reached it.
    pub expected_running_time_s: Estimate,
    /// The Kaplan-Meier median, the first time by which half of the runs reached the goal. Like the
    /// restricted mean, `None` without a [`Horizon`].
    pub kaplan_meier_median_s: Option<Interval>,
    /// The mean of min(time to the goal, horizon), the area under the Kaplan-Meier curve.
    pub restricted_mean_s: Option<Estimate>,
    /// The value of the configuration that each run would take home; `None` where no run says.
    pub selected_value: Option<Spread>,
    /// The metric on test images of that configuration at that epoch; `None` where the table has
    /// none.
    pub selected_test: Option<Spread>,
    /// The median share of the table's rows that a run started.
    pub table_share_median: f64,
    /// Trials stopped early / trials started, over all runs; 0 where none was started.
    pub stopped_share: f64,
    pub ended: Ended,
    /// Seconds charged for the optimiser itself / all seconds, over all runs.
    pub overhead_share: f64,
    /// The median over runs of their median distance from a proposed point to its row, in the unit
    /// cube; `None` where no point was proposed.
    pub snap_distance_median: Option<f64>,
}

/// Answers for one group.
#[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
pub(super) fn answer(
    group: &Group,
    is_baseline: bool,
    drawn: &Bootstrap,
    horizon: Option<Horizon>,
    plan: Plan,
) -> Answer {
    let reached = group.ended(GOAL);
    let [q25, q50, q75] = group.times.quantiles([0.25, 0.5, 0.75]);
    let of = |value: &str, watched: &str| group.bounded(value, watched).median();
    let survival = horizon.map(|horizon| survival(group, horizon));
    let share = wilson(reached, group.len(), plan.confidence);
    // Sums of numbers are ours: one after another, whatever polars would do at once.
    let sum = |numbers: &[f64]| numbers.iter().sum::<f64>();
    let charged = sum(slice(&charged_s(group)));
    let total = |name: &str| group.total(name) as f64;
    Answer {
        method: group.method,
        is_baseline,
        runs: group.len(),
        reached,
        censored: group.cut().num_trues(),
        reached_share_interval: share.expect("a group has a run"),
        time_to_goal_s: Quartiles { q25, median: q50, q75 },
        time_to_goal_s_median_interval: drawn.median_s,
        interquartile_mean_s: interquartile_mean(group)
            .map(|value| Estimate { value, interval: drawn.interquartile_mean_s }),
        time_to_goal_epoch_s_median: of("time_to_goal_epoch_s", "end_s"),
        speedup: None,
        comparison: None,
        trials_to_goal_median: of("trials_to_goal", "trials"),
        epochs_to_goal_median: of("epochs_to_goal", "epochs"),
        expected_running_time_s: Estimate {
            value: if reached == 0 { f64::INFINITY } else { charged / reached as f64 },
            interval: drawn.expected_s,
        },
        kaplan_meier_median_s: survival.as_ref().map(|s| s.median_s),
        restricted_mean_s: survival
            .map(|s| Estimate { value: s.restricted_mean_s, interval: drawn.restricted_s }),
        selected_value: spread(group.numbers("selected_value")),
        selected_test: spread(group.numbers("selected_test")),
        table_share_median: median(group.numbers("table_share")).expect("every run has a share"),
        stopped_share: ratio(total("stopped_trials"), total("trials")),
        ended: ended(group),
        overhead_share: ratio(sum(group.slice("overhead_s")), sum(group.slice("end_s"))),
        snap_distance_median: median(group.numbers("snap_distance_median")),
    }
}

fn ended(group: &Group) -> Ended {
    let known = |name: &str| (!group.lacks(name)).then(|| group.total(name));
    let saved_s = (!group.lacks("saved_s")).then(|| group.slice("saved_s").iter().sum());
    Ended {
        trials: group.total("trials"),
        stopped: group.total("stopped_trials"),
        saved_s,
        goal_rows_met: known("goal_rows_met"),
        goal_rows_stopped: known("goal_rows_stopped"),
    }
}

/// 0 where the whole is.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The median of the numbers that are there; `None` where none is.
fn median(numbers: &Float64Chunked) -> Option<f64> {
    quantiles(&numbers.drop_nulls(), [0.5]).map(|[median]| median)
}

/// Of the numbers that are there; `None` where none is.
fn spread(numbers: &Float64Chunked) -> Option<Spread> {
    let quartiles = quantiles(&numbers.drop_nulls(), [0.25, 0.5, 0.75]);
    quartiles.map(|[q25, median, q75]| Spread { q25, median, q75 })
}
