//! One pass of bootstrap resamples over the methods of a goal.
//!
//! The groups whose runs pair with the reference's meet the same resamples of repeats, drawn once:
//! so a ratio of two medians keeps what the two share of their luck. Every other group is drawn by
//! itself, from a stream that the reference does not use, so that the two are independent. Large
//! groups are not drawn whole: see [`large`](super::large).

use base::rng::Stream;
use base::stats::Interval;
use base::stats::bootstrap::{Plan, Resampled, draw, percentiles, weighted_sum};
use base::stats::interquartile_mean::{self as stats, Pool};
use polars::prelude::Float64Chunked;
use rayon::prelude::*;

use super::bounded::or_else;
use super::frames::slice;
use super::groups::Group;
use super::horizon::{GOAL, Horizon};
use super::large;
use super::pairs::Scores;

/// Counts in a block: 2 MiB of them. Two blocks are held, one being drawn.
const COUNTS_AHEAD: usize = 1 << 19;

/// What the resamples of one group gave, one number a resample; empty for fewer than two runs.
#[derive(Debug, Default)]
struct Resamples {
    medians_s: Vec<Interval>,
    expected_s: Vec<f64>,
    /// Empty without a horizon.
    restricted_s: Vec<f64>,
    /// The share of pairs in which the method is sooner; empty where there are no pairs.
    improvement: Vec<Interval>,
    /// Empty where the mean itself is not known.
    interquartile_means_s: Vec<Interval>,
}

/// What the bootstrap says of one group: `None` for fewer than two runs and what does not apply.
#[derive(Debug, Default)]
pub(super) struct Bootstrap {
    /// One a resample; empty for a large group, see [`large::medians`].
    pub medians_s: Vec<Interval>,
    pub median_s: Option<Interval>,
    pub expected_s: Option<Interval>,
    pub restricted_s: Option<Interval>,
    pub improvement: Option<Interval>,
    pub interquartile_mean_s: Option<Interval>,
}

/// A group and what the bootstrap says of it.
pub(super) type Drawn<'a> = (&'a Group, &'a Bootstrap);

impl Resamples {
    fn intervals(self, plan: Plan) -> Bootstrap {
        Bootstrap {
            median_s: bounded_interval(&self.medians_s, plan),
            expected_s: interval(&self.expected_s, plan),
            restricted_s: interval(&self.restricted_s, plan),
            improvement: bounded_interval(&self.improvement, plan),
            interquartile_mean_s: bounded_interval(&self.interquartile_means_s, plan),
            medians_s: self.medians_s,
        }
    }
}

/// Resamples every group, in their order. `is_paired` and `scores` are in that order too: groups
/// that pair with each other have the same resamples, of pairs.
pub(super) fn resample(
    groups: &[Group],
    is_paired: &[bool],
    scores: &[Option<Scores>],
    horizon: Option<Horizon>,
    plan: Plan,
    seed: u64,
) -> Vec<Bootstrap> {
    let mut samples: Vec<Sample<'_>> = groups
        .iter()
        .zip(scores)
        .map(|(group, scores)| Sample::new(group, scores.as_ref(), horizon))
        .collect();
    let small = samples.iter_mut().zip(is_paired).filter(|(sample, _)| !sample.is_large());
    let (paired, own): (Vec<_>, Vec<_>) = small.partition(|(_, is_paired)| **is_paired);
    let mut paired: Vec<_> = paired.into_iter().map(|(sample, _)| sample).collect();
    let n = paired.first().map_or(0, |sample| sample.group.len());
    pass(&mut paired, n, plan, Stream::new(seed, 0, "analysis bootstrap"));
    own.into_par_iter().for_each(|(sample, _)| {
        let n = sample.group.len();
        let stream = Stream::new(seed, 0, "analysis bootstrap unpaired");
        pass(&mut [sample], n, plan, stream);
    });
    let of = |sample: Sample<'_>| {
        if sample.is_large() {
            large::bootstrap(&sample, plan, seed)
        } else {
            sample.found.intervals(plan)
        }
    };
    samples.into_par_iter().map(of).collect()
}

/// The intervals of a group of any size, drawn whole.
pub(super) fn draw_whole(sample: &Sample<'_>, plan: Plan, seed: u64) -> Bootstrap {
    let mut own = Sample::new(sample.group, sample.scores, sample.horizon);
    let stream = Stream::new(seed, 0, "analysis bootstrap");
    pass(&mut [&mut own], sample.group.len(), plan, stream);
    own.found.intervals(plan)
}

/// Draws resamples of `n` runs and shows each to all samples. The stream is drawn from in one
/// order, a block at a time, while the samples look at the block before.
fn pass(samples: &mut [&mut Sample<'_>], n: usize, plan: Plan, mut rng: Stream) {
    let mut left = if n < 2 { 0 } else { plan.resamples };
    samples.par_iter_mut().for_each(|sample| sample.prepare());
    let mut draw_block = || {
        let block = left.min((COUNTS_AHEAD / n.max(1)).max(1));
        left -= block;
        let mut counts = vec![0; block * n];
        counts.chunks_exact_mut(n.max(1)).for_each(|resample| draw(&mut rng, resample));
        counts
    };
    let mut counts = draw_block();
    while !counts.is_empty() {
        let show = || {
            samples.par_iter_mut().for_each(|sample| {
                counts.chunks_exact(n).for_each(|resample| sample.take(resample));
            });
        };
        let (next, ()) = rayon::join(&mut draw_block, show);
        counts = next;
    }
}

/// A group prepared for its resamples.
pub(super) struct Sample<'a> {
    pub group: &'a Group,
    /// `None` where the group is large: the four that only resamples need.
    low: Option<Resampled>,
    /// Where some times are known within bounds only.
    high: Option<Resampled>,
    /// What each run took, to its goal or to its end.
    charged_s: Float64Chunked,
    /// `None` where all did.
    pub reached: Option<Vec<u8>>,
    /// Times up to the budget, where there is a common one.
    pub restricted_s: Option<Vec<f64>>,
    pub has_horizon: bool,
    horizon: Option<Horizon>,
    pub scores: Option<&'a Scores>,
    /// Where it is known; see [`interquartile_mean`].
    pub interquartile_mean_s: Option<f64>,
    /// The low and the high bounds for it, where it is known and some differ.
    middle: Option<(Pool, Option<Pool>)>,
    found: Resamples,
}

impl<'a> Sample<'a> {
    pub(super) fn new(
        group: &'a Group,
        scores: Option<&'a Scores>,
        horizon: Option<Horizon>,
    ) -> Self {
        let times = &group.times;
        let budget = horizon.filter(|h| h.is_budget).map(|h| h.seconds);
        Self {
            group,
            low: None,
            high: None,
            charged_s: charged_s(group),
            reached: (group.ended(GOAL) < group.len())
                .then(|| group.is_end(GOAL).iter().map(|is| u8::from(is == Some(true))).collect()),
            restricted_s: budget.map(|b| times.high().iter().map(|t| t.min(b)).collect()),
            has_horizon: horizon.is_some(),
            horizon,
            scores,
            interquartile_mean_s: interquartile_mean(group),
            middle: None,
            found: Resamples::default(),
        }
    }

    /// Sorts what resamples walk over.
    fn prepare(&mut self) {
        let times = &self.group.times;
        self.low = Some(Resampled::new(times.low()));
        self.high = (!times.is_exact()).then(|| Resampled::new(times.high()));
        self.middle = self.interquartile_mean_s.is_some().then(|| {
            (Pool::new(times.low()), (!times.is_exact()).then(|| Pool::new(times.high())))
        });
    }

    fn is_large(&self) -> bool {
        self.group.len() > large::RUNS_MAX
    }

    pub(super) fn charged(&self) -> &[f64] {
        slice(&self.charged_s)
    }

    fn take(&mut self, counts: &[u32]) {
        let runs = counts.len();
        let low = self.low.as_ref().expect("prepared before it is shown a resample");
        let low = low.quantile(counts, runs, 0.5);
        let high = self.high.as_ref().map_or(low, |high| high.quantile(counts, runs, 0.5));
        self.found.medians_s.push(Interval { low, high });
        #[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
        let n = runs as f64;
        let reached = self.reached.as_ref().map_or(n, |reached| sum(counts, reached));
        let expected = weighted_sum(counts, slice(&self.charged_s)) / reached;
        // Nothing reached in this resample: infinite, also where it took no time.
        let expected = if expected.is_nan() { f64::INFINITY } else { expected };
        self.found.expected_s.push(expected);
        if self.has_horizon {
            // Where every run reached the goal, the restricted mean is the mean.
            let restricted = self.restricted_s.as_ref();
            let mean = restricted.map_or(expected, |times| weighted_sum(counts, times) / n);
            self.found.restricted_s.push(mean);
        }
        if let Some((low, high)) = &self.middle {
            let of = |pool: &Pool| pool.interquartile_mean(counts).expect("a resample has runs");
            let low = of(low);
            let bounds = Interval { low, high: high.as_ref().map_or(low, of) };
            self.found.interquartile_means_s.push(bounds);
        }
        if let Some(scores) = self.scores {
            let low = sum(counts, &scores.low) / (2.0 * n);
            let high = scores.high.as_ref().map_or(low, |high| sum(counts, high) / (2.0 * n));
            self.found.improvement.push(Interval { low, high });
        }
    }
}

/// The mean of the middle half of the times; `None` where one of them is infinite, or cut runs
/// leave it open.
pub(super) fn interquartile_mean(group: &Group) -> Option<f64> {
    let of = |times: &[f64]| stats::interquartile_mean(times).expect("a group has a run");
    let low = of(group.times.low());
    let is_known = low.is_finite() && (group.times.is_exact() || of(group.times.high()) == low);
    is_known.then_some(low)
}

/// What each run took, to its goal or to its end.
pub(super) fn charged_s(group: &Group) -> Float64Chunked {
    or_else(group.numbers("time_to_goal_s"), group.numbers("end_s"))
}

#[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
fn sum(counts: &[u32], values: &[u8]) -> f64 {
    counts.iter().zip(values).map(|(c, v)| u64::from(*c) * u64::from(*v)).sum::<u64>() as f64
}

/// The interval of numbers known exactly, `None` where there are none.
fn interval(drawn: &[f64], plan: Plan) -> Option<Interval> {
    let drawn_some = !drawn.is_empty();
    drawn_some.then(|| percentiles(drawn.iter().copied().map(Interval::exact), plan.confidence))
}

/// The interval of numbers known within bounds.
fn bounded_interval(drawn: &[Interval], plan: Plan) -> Option<Interval> {
    let drawn_some = !drawn.is_empty();
    drawn_some.then(|| percentiles(drawn.iter().copied(), plan.confidence))
}
