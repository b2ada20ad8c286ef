//! What one group of runs says of its method, and how that compares with the baseline.

#![expect(clippy::cast_precision_loss, reason = "counts of runs, trials and epochs are below 2^53")]

use super::groups::{Group, key};
use super::record::Record;
use crate::rng::Stream;
use crate::stats::Interval;
use crate::stats::bootstrap::{Plan, Resampled, one_sample, two_samples};
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

/// How much faster than the baseline: the baseline's median time to the goal over the method's, so
/// that 2 means half the time.
///
/// Infinite where only the method's median is finite, 0 where only the baseline's is, between 0
/// and infinity (nothing is known) where neither is or both are 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speedup {
    pub ratio: Interval,
    /// The percentile bootstrap; `None` where a group has fewer than two runs. A resample whose
    /// ratio is unknown counts as 0 at the low end and as infinite at the high end.
    pub interval: Option<Interval>,
    /// Whether the two groups have the same (repeat, seed) pairs: then pairs are resampled, which
    /// keeps what the two share of their luck.
    pub paired: bool,
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

/// Answers for `group`, compared with `baseline` where there is one.
pub(super) fn answer(
    group: &Group<'_>,
    baseline: Option<&Group<'_>>,
    plan: Plan,
    seed: u64,
) -> Answer {
    let runs = &group.runs;
    let count = |of: &dyn Fn(&Record<'_>) -> bool| runs.iter().filter(|r| of(r)).count();
    let sum = |of: &dyn Fn(&Record<'_>) -> f64| runs.iter().map(|r| of(r)).sum::<f64>();
    let reached = count(&|r| r.reached);
    let trials = sum(&|r| r.trials as f64);
    let times = Bounded::times(runs);
    let bounds = |of: &dyn Fn(&Record<'_>) -> Interval| Bounded::new(runs, of).quantile(0.5);
    let compared = baseline.filter(|b| b.method != group.method);
    let shares: Vec<f64> = runs.iter().map(|r| r.table_share).collect();
    Answer {
        method: group.method,
        is_baseline: baseline.is_some_and(|b| b.method == group.method),
        runs: runs.len(),
        reached,
        censored: count(&|r| !r.reached && r.end.censors()),
        time_to_goal_s: Quartiles {
            q25: times.quantile(0.25),
            median: times.quantile(0.5),
            q75: times.quantile(0.75),
        },
        time_to_goal_epoch_s_median: bounds(&|r| r.bounds(r.time_to_goal_epoch_s, r.end_s)),
        speedup: compared.map(|b| speedup(b, group, plan, seed)),
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
struct Bounded {
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Bounded {
    fn new(runs: &[&Record<'_>], of: impl Fn(&Record<'_>) -> Interval) -> Self {
        let (low, high) = runs.iter().map(|r| of(r)).map(|i| (i.low, i.high)).unzip();
        Self { low, high }
    }

    fn times(runs: &[&Record<'_>]) -> Self {
        Self::new(runs, |r| r.bounds(r.time_to_goal_s, r.end_s))
    }

    fn quantile(&self, p: f64) -> Interval {
        let of = |values: &[f64]| quantile_sorted(&sorted(values), p);
        Interval { low: of(&self.low), high: of(&self.high) }
    }
}

/// The same, prepared for resampling; the high bounds only where some differ from the low ones.
struct ResampledMedian {
    low: Resampled,
    high: Option<Resampled>,
}

impl ResampledMedian {
    fn new(values: &Bounded) -> Self {
        let high = (values.low != values.high).then(|| Resampled::new(&values.high));
        Self { low: Resampled::new(&values.low), high }
    }

    fn of(&mut self, indices: &[u32]) -> Interval {
        let low = self.low.quantile(indices, 0.5);
        let high = self.high.as_mut().map_or(low, |high| high.quantile(indices, 0.5));
        Interval { low, high }
    }
}

fn speedup(baseline: &Group<'_>, group: &Group<'_>, plan: Plan, seed: u64) -> Speedup {
    let (base, own) = (Bounded::times(&baseline.runs), Bounded::times(&group.runs));
    let (mut base_median, mut own_median) =
        (ResampledMedian::new(&base), ResampledMedian::new(&own));
    let keys = |g: &Group<'_>| g.runs.iter().map(|r| key(r)).collect::<Vec<_>>();
    let paired = keys(baseline) == keys(group);
    let mut rng = Stream::new(seed, 0, "analysis bootstrap");
    let (n, m) = (baseline.runs.len(), group.runs.len());
    let interval = if paired {
        one_sample(n, plan, &mut rng, |i| ratio(base_median.of(i), own_median.of(i)))
    } else {
        two_samples((n, m), plan, &mut rng, |i, j| ratio(base_median.of(i), own_median.of(j)))
    };
    Speedup { ratio: ratio(base.quantile(0.5), own.quantile(0.5)), interval, paired }
}

/// The bounds of baseline / method; see [`Speedup`] for what infinity and 0 come to.
fn ratio(baseline: Interval, method: Interval) -> Interval {
    let low = baseline.low / method.high;
    let high = baseline.high / method.low;
    // infinity / infinity and 0 / 0: nothing is known.
    Interval {
        low: if low.is_nan() { 0.0 } else { low },
        high: if high.is_nan() { f64::INFINITY } else { high },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_infinities_is_honest() {
        let inf = f64::INFINITY;
        let of = |a: (f64, f64), b: (f64, f64)| {
            let bounds = |(low, high)| Interval { low, high };
            let found = ratio(bounds(a), bounds(b));
            (found.low, found.high)
        };
        assert_eq!(of((6.0, 6.0), (3.0, 3.0)), (2.0, 2.0));
        assert_eq!(of((inf, inf), (3.0, 3.0)), (inf, inf));
        assert_eq!(of((6.0, 6.0), (inf, inf)), (0.0, 0.0));
        assert_eq!(of((inf, inf), (inf, inf)), (0.0, inf));
        assert_eq!(of((0.0, 0.0), (0.0, 0.0)), (0.0, inf));
        // The baseline was cut at 6: at least twice as fast. The method was: at most.
        assert_eq!(of((6.0, inf), (3.0, 3.0)), (2.0, inf));
        assert_eq!(of((6.0, 6.0), (3.0, inf)), (0.0, 2.0));
        assert_eq!(of((6.0, inf), (3.0, inf)), (0.0, inf));
    }
}
