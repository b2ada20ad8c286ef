//! Quantiles of extended reals.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a slice are far below 2^53 and never negative"
)]

/// Positions nearer to a whole number than this are that number: `p (n - 1)` in floating point may
/// miss it by a few units in the last place, and a weight of 1e-16 must not pull in an infinity.
const POSITION_SLACK: f64 = 1e-9;

/// The position of the `p`-quantile among `n` sorted values: the index below it and the weight of
/// the value above, `p (n - 1) = index + weight`.
pub fn position(n: usize, p: f64) -> (usize, f64) {
    assert!(n > 0, "a quantile of nothing");
    assert!((0.0..=1.0).contains(&p), "a quantile's share is in [0, 1], not {p}");
    let at = p * (n - 1) as f64;
    let nearest = at.round();
    if (at - nearest).abs() < POSITION_SLACK {
        return (nearest as usize, 0.0);
    }
    (at.floor() as usize, at - at.floor())
}

/// Linear interpolation that keeps infinities: infinite where a neighbour that has weight is.
pub fn interpolate(low: f64, high: f64, weight: f64) -> f64 {
    // Also where both are infinite, whose difference would be NaN.
    if weight == 0.0 || low == high {
        return low;
    }
    if high.is_infinite() { high } else { low + weight * (high - low) }
}

/// The `p`-quantile of ascending values, type 7 of Hyndman and Fan ("Sample quantiles in
/// statistical packages", 1996), as numpy's default: linear interpolation at `p (n - 1)`.
/// `+infinity` is the largest value; the quantile is infinite as soon as a neighbour with positive
/// weight is. NaN and `-infinity` are refused by assertion.
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    assert!(sorted.is_sorted(), "values must ascend, without NaN");
    let (index, weight) = position(sorted.len(), p);
    let high = sorted[(index + 1).min(sorted.len() - 1)];
    assert!(sorted[index] > f64::NEG_INFINITY, "no time is -infinity");
    interpolate(sorted[index], high, weight)
}

/// A copy in ascending order, infinity last. NaN is refused by assertion.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    assert!(values.iter().all(|v| !v.is_nan()), "NaN has no rank");
    let mut copy = values.to_vec();
    copy.sort_by(f64::total_cmp);
    copy
}

/// The `p`-quantile of values in any order; see [`quantile_sorted`].
pub fn quantile(values: &[f64], p: f64) -> f64 {
    quantile_sorted(&sorted(values), p)
}

/// The median of values in any order; see [`quantile_sorted`].
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn finite_quantiles_are_numpys() {
        for case in golden::cases("quantile") {
            let values = golden::numbers(&case["values"]);
            let found = quantile(&values, golden::number(&case["p"]));
            golden::assert_close(found, golden::number(&case["quantile"]), 1e-14);
        }
    }

    #[test]
    fn infinity_counts_only_where_it_has_weight() {
        assert_eq!(median(&[1.0, INF, 2.0]), 2.0);
        assert_eq!(median(&[1.0, INF]), INF);
        assert_eq!(median(&[INF, INF]), INF);
        assert_eq!(median(&[1.0, 2.0, INF, INF]), INF);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, INF], 0.75), 4.0);
        assert_eq!(quantile(&[INF], 0.0), INF);
    }

    #[test]
    fn a_whole_position_spoiled_by_rounding_takes_no_neighbour() {
        // In floating point 0.29 x 100 falls short of 29, and 0.07 x 100 overshoots 7.
        for k in [29, 7] {
            let mut values: Vec<f64> = (0..=k).map(f64::from).collect();
            values.resize(101, INF);
            assert_eq!(quantile(&values, f64::from(k) / 100.0), f64::from(k));
        }
    }

    #[test]
    #[should_panic(expected = "NaN has no rank")]
    fn nan_is_refused() {
        median(&[1.0, f64::NAN]);
    }
}
