//! One pass of bootstrap resamples over the methods of a goal.
//!
//! The groups whose runs pair with the reference's meet the same resamples of repeats, drawn once:
//! so a ratio of two medians keeps what the two share of their luck. Every other group is drawn by
//! itself, from a stream that the reference does not use, so that the two are independent.

use base::rng::Stream;
use base::stats::Interval;
use base::stats::bootstrap::{Plan, Resampled, draw, percentiles, weighted_sum};
use polars::prelude::Float64Chunked;
use rayon::prelude::*;

use super::bounded::or_else;
use super::frames::slice;
use super::groups::Group;
use super::horizon::{GOAL, Horizon};
use super::pairs::Scores;

/// Counts in a block: 2 MiB of them. Two blocks are held, one being drawn.
const COUNTS_AHEAD: usize = 1 << 19;

/// What the resamples of one group gave, one number a resample; empty for fewer than two runs.
#[derive(Debug, Default)]
pub(super) struct Resamples {
    pub medians_s: Vec<Interval>,
    pub expected_s: Vec<f64>,
    /// Empty without a horizon.
    pub restricted_s: Vec<f64>,
    /// The share of pairs in which the method is sooner; empty where there are no pairs.
    pub improvement: Vec<Interval>,
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
) -> Vec<Resamples> {
    let mut samples: Vec<Sample<'_>> = groups
        .iter()
        .zip(scores)
        .map(|(group, scores)| Sample::new(group, scores.as_ref(), horizon))
        .collect();
    let (paired, own): (Vec<_>, Vec<_>) =
        samples.iter_mut().zip(is_paired).partition(|(_, is_paired)| **is_paired);
    let mut paired: Vec<_> = paired.into_iter().map(|(sample, _)| sample).collect();
    let n = paired.first().map_or(0, |sample| sample.group.len());
    pass(&mut paired, n, plan, Stream::new(seed, 0, "analysis bootstrap"));
    own.into_par_iter().for_each(|(sample, _)| {
        let n = sample.group.len();
        let stream = Stream::new(seed, 0, "analysis bootstrap unpaired");
        pass(&mut [sample], n, plan, stream);
    });
    samples.into_iter().map(|s| s.found).collect()
}

/// Draws resamples of `n` runs and shows each to all samples. The stream is drawn from in one order,
/// a block at a time, while the samples look at the block before.
fn pass(samples: &mut [&mut Sample<'_>], n: usize, plan: Plan, mut rng: Stream) {
    let mut left = if n < 2 { 0 } else { plan.resamples };
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
struct Sample<'a> {
    group: &'a Group,
    low: Resampled,
    /// Where some times are known within bounds only.
    high: Option<Resampled>,
    /// What each run took, to its goal or to its end.
    charged_s: Float64Chunked,
    /// `None` where all did.
    reached: Option<Vec<u8>>,
    /// Times up to the budget, where there is a common one.
    restricted_s: Option<Vec<f64>>,
    has_horizon: bool,
    scores: Option<&'a Scores>,
    found: Resamples,
}

impl<'a> Sample<'a> {
    fn new(group: &'a Group, scores: Option<&'a Scores>, horizon: Option<Horizon>) -> Self {
        let times = &group.times;
        let budget = horizon.filter(|h| h.is_budget).map(|h| h.seconds);
        Self {
            group,
            low: Resampled::new(times.low()),
            high: (!times.is_exact()).then(|| Resampled::new(times.high())),
            charged_s: charged_s(group),
            reached: (group.ended(GOAL) < group.len())
                .then(|| group.is_end(GOAL).iter().map(|is| u8::from(is == Some(true))).collect()),
            restricted_s: budget.map(|b| times.high().iter().map(|t| t.min(b)).collect()),
            has_horizon: horizon.is_some(),
            scores,
            found: Resamples::default(),
        }
    }

    fn take(&mut self, counts: &[u32]) {
        let runs = counts.len();
        let low = self.low.quantile(counts, runs, 0.5);
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
        if let Some(scores) = self.scores {
            let low = sum(counts, &scores.low) / (2.0 * n);
            let high = scores.high.as_ref().map_or(low, |high| sum(counts, high) / (2.0 * n));
            self.found.improvement.push(Interval { low, high });
        }
    }
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
pub(super) fn interval(drawn: &[f64], plan: Plan) -> Option<Interval> {
    let drawn_some = !drawn.is_empty();
    drawn_some.then(|| percentiles(drawn.iter().copied().map(Interval::exact), plan.confidence))
}

/// The interval of numbers known within bounds.
pub(super) fn bounded_interval(drawn: &[Interval], plan: Plan) -> Option<Interval> {
    let drawn_some = !drawn.is_empty();
    drawn_some.then(|| percentiles(drawn.iter().copied(), plan.confidence))
}
