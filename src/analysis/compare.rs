//! Methods against their baseline: ratios of medians with bootstrap intervals.

use rayon::prelude::*;

use super::answer::Bounded;
use super::groups::{Group, key};
use crate::rng::Stream;
use crate::stats::Interval;
use crate::stats::bootstrap::{Plan, Resampled, draw, percentiles, two_samples};

/// Indices drawn ahead: 16 MiB of them.
const INDICES_AHEAD: usize = 1 << 22;

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

/// The speed-up of every group; `None` for the baseline itself.
///
/// All paired groups meet the same resamples of repeats: they are drawn once, and the baseline's
/// medians taken once, whatever the number of methods.
pub(super) fn compare(
    groups: &[Group<'_>],
    baseline: &Group<'_>,
    plan: Plan,
    seed: u64,
) -> Vec<Option<Speedup>> {
    let keys = |g: &Group<'_>| g.runs.iter().map(|r| key(r)).collect::<Vec<_>>();
    let base_keys = keys(baseline);
    let paired: Vec<&Group<'_>> = groups.iter().filter(|g| keys(g) == base_keys).collect();
    let own = paired.iter().position(|g| g.method == baseline.method).expect("pairs with itself");
    let medians = paired_medians(&paired, plan, seed);
    let base = Bounded::times(&baseline.runs);
    let speedup = |group: &Group<'_>| {
        if group.method == baseline.method {
            return None;
        }
        let times = Bounded::times(&group.runs);
        let place = paired.iter().position(|g| g.method == group.method);
        let interval = match place {
            Some(_) if base_keys.len() < 2 => None,
            Some(place) => {
                let pairs = medians[own].iter().zip(&medians[place]);
                Some(percentiles(pairs.map(|(b, m)| ratio(*b, *m)), plan.confidence))
            }
            None => unpaired_interval(&base, &times, plan, seed),
        };
        let ratio = ratio(base.quantile(0.5), times.quantile(0.5));
        Some(Speedup { ratio, interval, paired: place.is_some() })
    };
    groups.par_iter().map(speedup).collect()
}

fn stream(seed: u64) -> Stream {
    Stream::new(seed, 0, "analysis bootstrap")
}

/// The medians of each group in every resample of the repeats that the groups share.
fn paired_medians(groups: &[&Group<'_>], plan: Plan, seed: u64) -> Vec<Vec<Interval>> {
    let n = groups[0].runs.len();
    let mut rng = stream(seed);
    let mut samples: Vec<(ResampledMedian, Vec<Interval>)> = groups
        .iter()
        .map(|g| (ResampledMedian::new(&Bounded::times(&g.runs)), Vec::new()))
        .collect();
    let mut left = plan.resamples;
    // Nobody to compare with, or a single repeat: nothing to resample.
    if groups.len() < 2 || n < 2 {
        left = 0;
    }
    while left > 0 {
        let block = left.min((INDICES_AHEAD / n).max(1));
        let mut indices = vec![0; block * n];
        draw(&mut rng, n, &mut indices);
        samples.par_iter_mut().for_each(|(sample, medians)| {
            medians.extend(indices.chunks_exact(n).map(|resample| sample.of(resample)));
        });
        left -= block;
    }
    samples.into_iter().map(|(_, medians)| medians).collect()
}

fn unpaired_interval(base: &Bounded, own: &Bounded, plan: Plan, seed: u64) -> Option<Interval> {
    let (mut base_median, mut own_median) = (ResampledMedian::new(base), ResampledMedian::new(own));
    two_samples((base.low.len(), own.low.len()), plan, &mut stream(seed), |i, j| {
        ratio(base_median.of(i), own_median.of(j))
    })
}

/// The median of bounded times, prepared for resampling; the high bounds only where some differ
/// from the low ones.
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
