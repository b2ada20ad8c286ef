//! Methods against their baseline: ratios of medians, and tests of who is sooner.

use base::stats::bootstrap::{Plan, percentiles};
use base::stats::holm::holm;
use base::stats::log_rank::log_rank;
use base::stats::mann_whitney::mann_whitney;
use base::stats::sign_test::sign_test;
use base::stats::wilcoxon::wilcoxon;
use base::stats::{Interval, Test};

use super::groups::Group;
use super::horizon::{Horizon, horizon, observations};
use super::large;
use super::pairs::{Outcome, Paired};
use super::repeats::{RepeatsNeeded, repeats};
use super::resample::Drawn;

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

/// Who reaches the goal sooner, the method or the baseline, and whether that may be chance.
///
/// Infinity is the largest time. A run that was cut is later than every time up to its cut; pairs
/// whose order is unknown (both cut, or one cut before the other's time or before the other had
/// tried every row) are left out of the tests, and counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Runs that share repeat and seed, compared one with one; `None` where the runs do not pair.
    pub pairs: Option<Pairs>,
    /// The probability that a run of the method is sooner than one of the baseline, a tie counting
    /// half ("probability of improvement", Agarwal et al. 2021): over the pairs, or over all
    /// combinations where runs do not pair. Between the bounds that unknown orders leave. `None`
    /// where runs neither pair nor were cut at one common time.
    pub sooner: Option<Interval>,
    /// Its bootstrap interval, over pairs alone.
    pub sooner_interval: Option<Interval>,
    /// Pairs: the exact sign test. The statistic is the number of wins.
    pub sign: Option<Tested>,
    /// Pairs: the signed-rank test; a difference from a run that never reached the goal, or was
    /// cut, is the largest. The statistic is the smaller sum of ranks.
    pub wilcoxon: Option<Tested>,
    /// Runs that do not pair, under a common horizon: the U test, a cut run being latest. The
    /// statistic is the number of combinations in which the method is sooner, ties counting half.
    pub mann_whitney: Option<Tested>,
    /// Under a common horizon: the log-rank test of the two curves, blind to pairs.
    pub log_rank: Option<Tested>,
    /// How many repeats it takes to show the difference. `None` where a time is 0, infinite or cut.
    pub repeats_needed: Option<RepeatsNeeded>,
}

/// How pairs of runs came out for the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairs {
    pub wins: usize,
    /// Equal times; both never reaching the goal is one.
    pub ties: usize,
    pub losses: usize,
    /// The order is unknown, for a run was cut.
    pub unknown: usize,
}

/// A test, and its p-value among those of the other methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Adjusted by Holm's method over all methods of the goal that have this test.
    pub p_holm: f64,
}

/// The speed-up of a group over the baseline, both with their resamples.
pub(super) fn speedup(
    baseline: Drawn<'_>,
    method: Drawn<'_>,
    paired: bool,
    plan: Plan,
    seed: u64,
) -> Speedup {
    let percentiles = |base: &[Interval], own: &[Interval]| {
        let drawn = base.iter().zip(own);
        let ratios = drawn.map(|(base, own)| ratio(*base, *own));
        (ratios.len() > 0).then(|| percentiles(ratios, plan.confidence))
    };
    let is_large = [baseline.0, method.0].iter().any(|group| group.len() > large::RUNS_MAX);
    let interval = if is_large {
        let (base, own) = large::medians(baseline, method, paired, plan, seed);
        percentiles(&base, &own)
    } else {
        percentiles(&baseline.1.medians_s, &method.1.medians_s)
    };
    let ratio = ratio(baseline.0.times.median(), method.0.times.median());
    Speedup { ratio, interval, paired }
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

/// Compares a group with the baseline, pair by pair where runs are paired; p-values are adjusted by
/// [`adjust`] afterwards, and [`Comparison::sooner_interval`] is still to come.
pub(super) fn compare(
    baseline: &Group,
    group: &Group,
    paired: Option<&Paired>,
    horizon: Option<Horizon>,
    confidence: f64,
) -> Comparison {
    let repeats_needed = repeats(baseline, group, paired, confidence);
    let logs = horizon.map(|h| log_rank(&observations(baseline, h), &observations(group, h)));
    let log_rank = logs.map(unadjusted);
    if let Some(paired) = paired {
        return Comparison { log_rank, repeats_needed, ..compare_pairs(paired) };
    }
    let (sooner, test) = compare_apart(baseline, group).unzip();
    Comparison {
        pairs: None,
        sooner,
        sooner_interval: None,
        sign: None,
        wilcoxon: None,
        mann_whitney: test.map(unadjusted),
        log_rank,
        repeats_needed,
    }
}

fn unadjusted(test: Test) -> Tested {
    Tested { statistic: test.statistic, p_value: test.p_value, p_holm: test.p_value }
}

#[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
fn compare_pairs(paired: &Paired) -> Comparison {
    let count = |wanted| paired.outcomes().filter(|o| *o == wanted).count();
    let pairs = Pairs {
        wins: count(Outcome::Win),
        ties: count(Outcome::Tie),
        losses: count(Outcome::Loss),
        unknown: count(Outcome::Unknown),
    };
    // What was cut takes the largest time: where the order is known, it is the later one.
    let known = paired.times().zip(paired.outcomes()).filter(|(_, o)| *o != Outcome::Unknown);
    let known: Vec<(f64, f64)> = known.map(|((b, m), _)| (b.high, m.high)).collect();
    let n = (pairs.wins + pairs.ties + pairs.losses + pairs.unknown) as f64;
    let points = pairs.wins as f64 + pairs.ties as f64 / 2.0;
    Comparison {
        pairs: Some(pairs),
        sooner: Some(Interval { low: points / n, high: (points + pairs.unknown as f64) / n }),
        sooner_interval: None,
        sign: Some(unadjusted(sign_test(&known))),
        wilcoxon: Some(unadjusted(wilcoxon(&known))),
        mann_whitney: None,
        log_rank: None,
        repeats_needed: None,
    }
}

/// Runs that do not pair: only where everything that was cut was cut at one time, at or after every
/// time reached, is the order of all combinations known but for what comes after it.
#[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
fn compare_apart(baseline: &Group, group: &Group) -> Option<(Interval, Test)> {
    let both = [baseline, group];
    let is_cut = both.iter().any(|g| !g.times.is_exact());
    if is_cut {
        let budget = horizon(&both).ok()?.seconds;
        let latest = both.iter().flat_map(|g| g.times.high()).copied();
        if latest.filter(|t| t.is_finite()).any(|t| t > budget) {
            return None;
        }
    }
    let test = mann_whitney(baseline.times.high(), group.times.high())?;
    let combinations = baseline.len() as f64 * group.len() as f64;
    let cut = |g: &Group| g.times.high().iter().filter(|t| t.is_infinite()).count() as f64;
    // Two that were cut tie in the ranks at half a point; who of them is sooner is unknown.
    let unknown = if is_cut { cut(baseline) * cut(group) } else { 0.0 };
    let sooner = Interval {
        low: (test.statistic - unknown / 2.0) / combinations,
        high: (test.statistic + unknown / 2.0) / combinations,
    };
    Some((sooner, test))
}

/// Adjusts the p-values of each test over the methods of a goal.
pub(super) fn adjust(comparisons: &mut [Option<Comparison>]) {
    let tests: [fn(&mut Comparison) -> Option<&mut Tested>; 4] = [
        |c| c.sign.as_mut(),
        |c| c.wilcoxon.as_mut(),
        |c| c.mann_whitney.as_mut(),
        |c| c.log_rank.as_mut(),
    ];
    for test in tests {
        let mut family: Vec<&mut Tested> =
            comparisons.iter_mut().flatten().filter_map(test).collect();
        let p_values: Vec<f64> = family.iter().map(|t| t.p_value.min(1.0)).collect();
        for (tested, adjusted) in family.iter_mut().zip(holm(&p_values)) {
            tested.p_holm = adjusted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn a_ratio_of_infinities_is_honest() {
        let of = |a: (f64, f64), b: (f64, f64)| {
            let bounds = |(low, high)| Interval { low, high };
            let found = ratio(bounds(a), bounds(b));
            (found.low, found.high)
        };
        assert_eq!(of((6.0, 6.0), (3.0, 3.0)), (2.0, 2.0));
        assert_eq!(of((INF, INF), (3.0, 3.0)), (INF, INF));
        assert_eq!(of((6.0, 6.0), (INF, INF)), (0.0, 0.0));
        assert_eq!(of((INF, INF), (INF, INF)), (0.0, INF));
        assert_eq!(of((0.0, 0.0), (0.0, 0.0)), (0.0, INF));
        // The baseline was cut at 6: at least twice as fast. The method was: at most.
        assert_eq!(of((6.0, INF), (3.0, 3.0)), (2.0, INF));
        assert_eq!(of((6.0, 6.0), (3.0, INF)), (0.0, 2.0));
        assert_eq!(of((6.0, INF), (3.0, INF)), (0.0, INF));
    }
}
