//! How many repeats it takes until a difference shows.
//!
//! Times are compared by their ratio, so by differences of logarithms, taken to be normal. A
//! two-sided test at level `alpha` sees a ratio `x` with probability `power` once
//! `n = ((z_(1 - alpha/2) + z_power) s / ln x)^2` pairs are there, with `s` the standard deviation
//! of the log-ratios of pairs. For two groups that do not pair, `s` is that of the log times, and
//! each group needs twice as many. To both comes what a t test pays for estimating `s`:
//! `z^2 / 2` pairs, or `z^2 / 4` a group (Guenther, "Sample size formulas for normal theory t
//! tests", 1981).

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of runs are far below 2^53 and never negative"
)]

use super::normal;

/// How well a rank test (Wilcoxon, Mann-Whitney) does on normal differences beside a t test: it
/// needs `pi / 3` times the repeats (Pitman's efficiency; Hodges and Lehmann, 1956).
const RANK_EFFICIENCY: f64 = 3.0 / std::f64::consts::PI;

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Runs that share their luck, compared pair by pair.
    Paired,
    /// Two groups of equally many runs.
    Unpaired,
}

/// Repeats that a comparison needs, pairs or runs of each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// By a t test of the logarithms.
    pub t_test: u64,
    /// By a signed-rank or a U test, which is what answers report.
    pub rank_test: u64,
}

/// The standard deviation `s` of the log-ratios of paired times, with `n - 1` below.
///
/// `None` for fewer than two pairs, and where a time is 0 or infinite: then a ratio is not a
/// number that a normal law could have. NaN and negative times are refused by assertion.
pub fn log_ratio_spread(pairs: &[(f64, f64)]) -> Option<f64> {
    assert!(pairs.iter().all(|(a, b)| *a >= 0.0 && *b >= 0.0), "times are at least 0");
    spread(&pairs.iter().map(|(a, b)| libm::log(a / b)).collect::<Vec<f64>>())
}

/// The standard deviation of the log times of both groups, pooled, for [`Design::Unpaired`].
///
/// `None` where a group has fewer than two runs, and where a time is 0 or infinite. NaN and
/// negative times are refused by assertion.
pub fn log_spread(first: &[f64], second: &[f64]) -> Option<f64> {
    assert!(first.iter().chain(second).all(|t| *t >= 0.0), "times are at least 0");
    let log = |times: &[f64]| times.iter().map(|t| libm::log(*t)).collect::<Vec<f64>>();
    let (a, b) = (spread(&log(first))?, spread(&log(second))?);
    let (n, m) = (first.len() as f64 - 1.0, second.len() as f64 - 1.0);
    Some(((n * a * a + m * b * b) / (n + m)).sqrt())
}

fn spread(logs: &[f64]) -> Option<f64> {
    if logs.len() < 2 || !logs.iter().all(|l| l.is_finite()) {
        return None;
    }
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let squares: f64 = logs.iter().map(|l| (l - mean) * (l - mean)).sum();
    Some((squares / (n - 1.0)).sqrt())
}

/// How many repeats in all until a ratio of `ratio` (2 for twice as fast; 0.5 says the same) shows
/// with probability `power` in a test that calls equal methods different with probability
/// `1 - confidence`. What is there already is to be taken off.
///
/// At least 2; for a spread of 0, exactly that. Within one of what the noncentral t gives from
/// some ten repeats on. `None` for a ratio of 1, which no number of repeats can show. Ratios that
/// are not positive and finite, a spread that is negative, NaN or infinite, and a confidence or
/// power outside (0, 1) are refused by assertion.
pub fn repeats_needed(
    spread: f64,
    ratio: f64,
    design: Design,
    confidence: f64,
    power: f64,
) -> Option<Repeats> {
    assert!(ratio > 0.0 && ratio.is_finite(), "a ratio is positive, not {ratio}");
    assert!(spread >= 0.0 && spread.is_finite(), "a spread is at least 0, not {spread}");
    assert!(power > 0.0 && power < 1.0, "a power is in (0, 1), not {power}");
    let difference = libm::log(ratio).abs();
    if difference == 0.0 {
        return None;
    }
    let z = normal::two_sided_quantile(1.0 - confidence);
    let reach = (z + normal::quantile(power)).max(0.0) * spread / difference;
    let n = match design {
        Design::Paired => reach * reach + z * z / 2.0,
        Design::Unpaired => 2.0 * reach * reach + z * z / 4.0,
    };
    if spread == 0.0 {
        return Some(Repeats { t_test: 2, rank_test: 2 });
    }
    let whole = |n: f64| (n.ceil() as u64).max(2);
    Some(Repeats { t_test: whole(n), rank_test: whole(n / RANK_EFFICIENCY) })
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::golden;
    use crate::stats::wilcoxon::wilcoxon;

    #[test]
    fn repeats_are_statsmodels_within_one() {
        let cases = golden::cases("power");
        assert!(cases.len() >= 9);
        for case in cases {
            let number = |name: &str| golden::number(&case[name]);
            for (name, design, power) in [
                ("paired", Design::Paired, 0.8),
                ("unpaired", Design::Unpaired, 0.8),
                ("paired_more", Design::Paired, 0.95),
                ("unpaired_more", Design::Unpaired, 0.95),
            ] {
                for ratio in [number("ratio"), 1.0 / number("ratio")] {
                    let found = repeats_needed(number("spread"), ratio, design, 0.95, power);
                    let exact = number(name).ceil();
                    let found = found.unwrap().t_test as f64;
                    assert!((found - exact).abs() <= 1.0, "{name} {found} {case}");
                }
            }
        }
    }

    #[test]
    fn the_signed_rank_test_sees_the_ratio_as_often_as_it_says() {
        // Log-ratios with a standard deviation of 0.6 around ln 1.3, by Box and Muller.
        let needed = repeats_needed(0.6, 1.3, Design::Paired, 0.95, 0.8).unwrap();
        assert_eq!(needed, Repeats { t_test: 43, rank_test: 45 });
        let mut rng = Stream::new(5, 0, "test");
        let mut normal = || {
            let (u, v): (f64, f64) = (rng.random(), rng.random());
            let radius = (-2.0 * libm::log1p(-u)).sqrt();
            radius * libm::cos(2.0 * std::f64::consts::PI * v)
        };
        let mut seen = 0;
        for _ in 0..1_000 {
            let pairs: Vec<(f64, f64)> =
                (0..needed.rank_test).map(|_| (libm::log(1.3) + 0.6 * normal(), 0.0)).collect();
            seen += u32::from(wilcoxon(&pairs).p_value < 0.05);
        }
        // 800 +- 13.
        assert!((750..=850).contains(&seen), "{seen}");
    }

    #[test]
    fn spreads_are_of_logarithms() {
        let e = std::f64::consts::E;
        // Log-ratios of 1, -1 and 0.
        let found = log_ratio_spread(&[(e, 1.0), (1.0, e), (5.0, 5.0)]).unwrap();
        golden::assert_close(found, 1.0, 1e-14);
        // Squares of 2 over two degrees of freedom, and of 1/2 over one.
        let found = log_spread(&[e, 1.0, 1.0 / e], &[7.0, 7.0 * e]).unwrap();
        golden::assert_close(found, (2.5 / 3.0_f64).sqrt(), 1e-14);
        assert_eq!(log_ratio_spread(&[(1.0, 2.0)]), None);
        assert_eq!(log_ratio_spread(&[(1.0, 2.0), (f64::INFINITY, 3.0)]), None);
        assert_eq!(log_ratio_spread(&[(1.0, 2.0), (f64::INFINITY, f64::INFINITY)]), None);
        assert_eq!(log_spread(&[1.0, 0.0], &[1.0, 2.0]), None);
        assert_eq!(repeats_needed(0.5, 1.0, Design::Paired, 0.95, 0.8), None);
        let certain = Repeats { t_test: 2, rank_test: 2 };
        assert_eq!(repeats_needed(0.0, 1.5, Design::Unpaired, 0.95, 0.8), Some(certain));
    }
}
