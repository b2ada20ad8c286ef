//! Simultaneous confidence bands of a distribution function, without any assumption of its form.
//!
//! Of `n` independent values with a continuous distribution `F`, `F(x_(i))` is the `i`-th smallest
//! of `n` uniform numbers, whatever `F` is. So an interval for each of these order statistics, all
//! of which hold at once with the wanted probability, is a band of `F`. That probability is found
//! exactly here: the count of uniform numbers up to `t` is a Poisson process given its end, which
//! is followed from one bound to the next (Moscovich and Nadler, "Fast calculation of boundary
//! crossing probabilities for Poisson processes", 2017). Where values are equal the band is wider
//! than it need be.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::Interval;
use super::incomplete_beta::{quantile, tails};

/// How a band spreads over the distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// The inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990): a
    /// distance of `sqrt(ln(2 / (1 - confidence)) / 2 n)` everywhere. Somewhat too wide.
    Dkw,
    /// The distance that the Kolmogorov-Smirnov statistic stays below with exactly that
    /// probability.
    KolmogorovSmirnov,
    /// The beta quantiles of each order statistic at equal tails, whose common level makes the band
    /// exact (Aldor-Noiman et al., "The power to see", 2013): narrow at both ends, where tuning
    /// curves live.
    EqualTailed,
    /// The shortest interval of each order statistic instead (Lourie, Cho and He, "Show your work
    /// with confidence", 2024), opda's default.
    HighestDensity,
}

/// Bounds of a distribution function between the sorted values.
#[derive(Debug, Clone, PartialEq)]
pub struct DistributionBand {
    /// Where `j` values are at most `x`, `F(x)` is in `[low[j], high[j]]`; `n + 1` of each.
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

/// The band of `n` values that holds everywhere at once with probability `confidence`.
///
/// Following the process costs about `n^1.5` steps for each level that is tried; the shortest
/// intervals are searched for twice over and cost most. No values: between 0 and 1. A confidence
/// outside (0, 1) is refused by assertion.
pub fn band(n: usize, confidence: f64, kind: Band) -> DistributionBand {
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is in (0, 1), not {confidence}");
    if n == 0 {
        return DistributionBand { low: vec![0.0], high: vec![1.0] };
    }
    let orders = match kind {
        Band::Dkw => within(n, dkw_distance(n, confidence)),
        Band::KolmogorovSmirnov => within(n, kolmogorov_distance(n, confidence)),
        Band::EqualTailed => at_common_level(n, confidence, equal_tailed),
        Band::HighestDensity => at_common_level(n, confidence, highest_density),
    };
    // The j-th value bounds the function from below from there on, the next one from above until
    // then.
    let low = std::iter::once(0.0).chain(orders.iter().map(|o| o.low)).collect();
    let high = orders.iter().map(|o| o.high).chain([1.0]).collect();
    DistributionBand { low, high }
}

/// The distance from the empirical distribution of `n` values that holds everywhere with at least
/// the probability `confidence`; see [`Band::Dkw`].
pub fn dkw_distance(n: usize, confidence: f64) -> f64 {
    (libm::log(2.0 / (1.0 - confidence)) / (2.0 * n as f64)).sqrt()
}

/// The distance that holds with exactly that probability; see [`Band::KolmogorovSmirnov`].
pub fn kolmogorov_distance(n: usize, confidence: f64) -> f64 {
    let holds = |distance: f64| probability(&within(n, distance));
    solve(holds, 0.5 / n as f64, dkw_distance(n, confidence).min(1.0), confidence)
}

/// The intervals of the order statistics that keep the function within a distance.
fn within(n: usize, distance: f64) -> Vec<Interval> {
    let size = n as f64;
    let ends = |i: usize| Interval {
        low: (i as f64 / size - distance).max(0.0),
        high: ((i - 1) as f64 / size + distance).min(1.0),
    };
    (1..=n).map(ends).collect()
}

/// The intervals at the one level at which all hold with probability `confidence`.
fn at_common_level(
    n: usize,
    confidence: f64,
    interval: impl Fn(usize, usize, f64) -> Interval,
) -> Vec<Interval> {
    let orders = |tail: f64| -> Vec<Interval> {
        // The i-th smallest mirrors the i-th largest.
        let half: Vec<Interval> = (1..=n.div_ceil(2)).map(|i| interval(n, i, 1.0 - tail)).collect();
        let mirror = |i: usize| {
            let other = half[n - i];
            Interval { low: 1.0 - other.high, high: 1.0 - other.low }
        };
        (1..=n).map(|i| if i <= half.len() { half[i - 1] } else { mirror(i) }).collect()
    };
    // By the sum of their tails at worst (Bonferroni), by one of them at best; on a scale on which
    // the probability is nearly straight.
    let alpha = 1.0 - confidence;
    let (least, most) = (libm::log(alpha / n as f64), libm::log(alpha));
    let holds = |at: f64| probability(&orders(libm::exp(-at)));
    orders(libm::exp(-solve(holds, -most, -least, confidence)))
}

/// The interval of the `i`-th of `n` uniform numbers, with probability `level`, equal tails.
fn equal_tailed(n: usize, i: usize, level: f64) -> Interval {
    let (a, b) = (i as f64, (n + 1 - i) as f64);
    let tail = (1.0 - level) / 2.0;
    Interval { low: quantile(a, b, tail), high: 1.0 - quantile(b, a, tail) }
}

/// The shortest such interval: its ends have one density, or one of them is the density's own end.
fn highest_density(n: usize, i: usize, level: f64) -> Interval {
    let (a, b) = (i as f64, (n + 1 - i) as f64);
    if n == 1 {
        // Every interval of the uniform law is as short; in the middle, like the equal tails.
        return equal_tailed(n, i, level);
    }
    if i == 1 {
        return Interval { low: 0.0, high: 1.0 - quantile(b, a, 1.0 - level) };
    }
    if i == n {
        return Interval { low: quantile(a, b, 1.0 - level), high: 1.0 };
    }
    let mode = (a - 1.0) / (a + b - 2.0);
    let log_density = |x: f64| (a - 1.0) * libm::log(x) + (b - 1.0) * libm::log1p(-x);
    // The point above the mode that is as dense as `low` below it.
    let partner = |low: f64| {
        let density = log_density(low);
        halve(mode, 1.0, |x| log_density(x) > density)
    };
    let covers = |low: f64| tails(a, b, partner(low)).0 - tails(a, b, low).0;
    let low = halve(0.0, mode, |x| covers(x) > level);
    Interval { low, high: partner(low) }
}

/// The last number of `low..high` for which `is_before` holds, to 2^-50 of the range.
fn halve(mut low: f64, mut high: f64, is_before: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if is_before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Where an increasing function takes a value between those at `low` and `high`: the false
/// position, with the weight of an end that stays halved (the Illinois way).
fn solve(function: impl Fn(f64) -> f64, mut low: f64, mut high: f64, value: f64) -> f64 {
    let (mut at_low, mut at_high) = (function(low) - value, function(high) - value);
    if at_low >= 0.0 {
        return low;
    }
    if at_high <= 0.0 {
        return high;
    }
    let mut stayed = 0;
    for _ in 0..100 {
        let next = (low * at_high - high * at_low) / (at_high - at_low);
        let at_next = function(next) - value;
        if at_next.abs() < 1e-13 || high - low < 1e-14 * high.abs() {
            return next;
        }
        if at_next < 0.0 {
            (low, at_low) = (next, at_next);
            if stayed == 1 {
                at_high /= 2.0;
            }
            stayed = 1;
        } else {
            (high, at_high) = (next, at_next);
            if stayed == -1 {
                at_low /= 2.0;
            }
            stayed = -1;
        }
    }
    f64::midpoint(low, high)
}

/// The probability that each of `n` sorted uniform numbers is in its own interval. Ends must
/// ascend.
fn probability(orders: &[Interval]) -> f64 {
    let n = orders.len();
    let size = n as f64;
    // At a time, the count is at least that of the high ends up to it, and at most that of the low
    // ends before it.
    let mut times: Vec<f64> = orders.iter().flat_map(|o| [o.low, o.high]).collect();
    times.push(1.0);
    times.sort_by(f64::total_cmp);
    times.dedup();
    // Of each count from `first` on: the probability that the process is there, and was within.
    let (mut first, mut at) = (0, vec![1.0]);
    let mut before = 0.0;
    for time in times {
        let least = orders.partition_point(|o| o.high <= time);
        let most = orders.partition_point(|o| o.low < time).min(n);
        if most < least {
            return 0.0;
        }
        let steps = poisson((time - before) * size, most - first);
        let mut next = vec![0.0; most + 1 - least.max(first)];
        let next_first = least.max(first);
        for (from, mass) in (first..).zip(&at) {
            for (more, share) in steps.iter().enumerate() {
                if let Some(to) = (from + more).checked_sub(next_first)
                    && let Some(cell) = next.get_mut(to)
                {
                    *cell += mass * share;
                }
            }
        }
        (first, at, before) = (next_first, next, time);
    }
    let end = at.get(n - first).copied().unwrap_or(0.0);
    // Given that the process ends at n: n^n exp(-n) / n!.
    let log_end = size * libm::log(size) - size - libm::lgamma(size + 1.0);
    (end / libm::exp(log_end)).min(1.0)
}

/// Probabilities of a Poisson count of 0, 1, ..., `most`, up to where they no longer matter.
fn poisson(mean: f64, most: usize) -> Vec<f64> {
    let mut term = libm::exp(-mean);
    let mut found = vec![term];
    for k in 1..=most {
        term *= mean / k as f64;
        if term < 1e-20 && k as f64 > mean {
            break;
        }
        found.push(term);
    }
    found
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::golden;

    #[test]
    fn kolmogorovs_distances_are_scipys() {
        let cases = golden::cases("kolmogorov_exact");
        assert!(cases.len() >= 12);
        for case in cases {
            let n = (1..1_000_usize).find(|n| *n as f64 == golden::number(&case["n"])).unwrap();
            let confidence = golden::number(&case["confidence"]);
            let found = kolmogorov_distance(n, confidence);
            // From 140 values on scipy takes an approximation.
            let relative = if n <= 140 { 1e-9 } else { 1e-6 };
            golden::assert_close(found, golden::number(&case["distance"]), relative);
            assert!(found < dkw_distance(n, confidence));
        }
    }

    #[test]
    fn one_value_is_worked_out_by_hand() {
        // U is within 0.1..0.7 with probability 0.6; of two, (0..0.5, 0.5..1) with 1/2.
        let of = |ends: &[(f64, f64)]| {
            let orders: Vec<Interval> =
                ends.iter().map(|&(low, high)| Interval { low, high }).collect();
            probability(&orders)
        };
        golden::assert_close(of(&[(0.1, 0.7)]), 0.6, 1e-14);
        golden::assert_close(of(&[(0.0, 0.5), (0.5, 1.0)]), 0.5, 1e-14);
        golden::assert_close(of(&[(0.0, 1.0); 5]), 1.0, 1e-13);
        // Both up to 0.6, and the larger one above 0.2.
        golden::assert_close(of(&[(0.0, 0.6), (0.2, 0.6)]), 0.36 - 0.04, 1e-14);
        for kind in [Band::EqualTailed, Band::HighestDensity] {
            let found = band(1, 0.8, kind);
            golden::assert_close(found.low[1], 0.1, 1e-9);
            golden::assert_close(found.high[0], 0.9, 1e-9);
        }
        let nothing = DistributionBand { low: vec![0.0], high: vec![1.0] };
        assert_eq!(band(0, 0.9, Band::Dkw), nothing);
    }

    #[test]
    fn bands_cover_uniform_numbers_as_often_as_they_say() {
        let n = 30;
        for kind in [Band::KolmogorovSmirnov, Band::EqualTailed, Band::HighestDensity] {
            let found = band(n, 0.8, kind);
            assert!(found.low.is_sorted() && found.high.is_sorted());
            let mut rng = Stream::new(3, 0, "test");
            let mut covered = 0;
            for _ in 0..4_000 {
                let mut values: Vec<f64> = (0..n).map(|_| rng.random()).collect();
                values.sort_by(f64::total_cmp);
                covered += u32::from(
                    (0..n).all(|i| found.low[i + 1] <= values[i] && values[i] <= found.high[i]),
                );
            }
            // 3,200 +- 25.
            assert!((3_110..=3_290).contains(&covered), "{kind:?} {covered}");
        }
    }

    #[test]
    fn levels_are_those_of_simulation_elsewhere() {
        // opda simulates its levels with 100,000 draws: 1 - confidence within 4 %.
        let mut seen = 0;
        for case in golden::cases("tuning_band").iter().filter(|c| c["minimize"] == false) {
            let (kind, slack) = match case["method"].as_str().unwrap() {
                "dkw" => (Band::Dkw, 1e-12),
                "ks" => (Band::KolmogorovSmirnov, 1e-9),
                "ld_equal_tailed" => (Band::EqualTailed, 2e-3),
                _ => (Band::HighestDensity, 2e-3),
            };
            let mut values = golden::numbers(&case["values"]);
            values.sort_by(f64::total_cmp);
            let found = band(values.len(), golden::number(&case["confidence"]), kind);
            let (low, high) =
                (golden::numbers(&case["cdf_low"]), golden::numbers(&case["cdf_high"]));
            for (i, value) in values.iter().enumerate() {
                let j = values.partition_point(|v| v <= value);
                assert!((found.low[j] - low[i]).abs() < slack, "{kind:?} {i}");
                assert!((found.high[j] - high[i]).abs() < slack, "{kind:?} {i}");
                seen += 1;
            }
        }
        assert!(seen >= 4 * 53);
    }
}
