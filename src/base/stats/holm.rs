//! Holm's step-down adjustment of several p-values (1979).

#![expect(clippy::cast_precision_loss, reason = "counts of tests are far below 2^53")]

/// The adjusted p-values, in the order given: the i-th smallest of m is multiplied by m - i + 1,
/// made no smaller than the ones before it, and cut at 1. NaN is refused by assertion.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "a p-value is in [0, 1]");
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (passed, &index) in order.iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - passed) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn adjusted_p_values_are_statsmodels() {
        for case in golden::cases("holm") {
            let found = holm(&golden::numbers(&case["p_values"]));
            for (found, expected) in found.iter().zip(golden::numbers(&case["adjusted"])) {
                golden::assert_close(*found, expected, 1e-14);
            }
        }
    }

    #[test]
    fn worked_example() {
        // By hand: sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> 0.06 from the one before.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }
}
