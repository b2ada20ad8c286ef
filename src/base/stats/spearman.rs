//! Spearman's rank correlation (1904), with midranks for ties.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

use super::ranks::midranks;

/// Fewer pairs than these say nothing of an order.
const PAIRS_MIN: usize = 3;

/// Spearman's rho of paired values: Pearson's correlation of their midranks, in [-1, 1] (scipy's
/// `spearmanr`).
///
/// Infinities of one sign are equal to each other. `None` under 3 pairs, and where all values of
/// one side are equal: then there is no order to compare. NaN is refused by assertion.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < PAIRS_MIN {
        return None;
    }
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let mean = f64::midpoint(pairs.len() as f64, 1.0);
    let centred = |values: &[f64]| -> Vec<f64> {
        midranks(values).ranks.into_iter().map(|rank| rank - mean).collect()
    };
    let (first, second) = (centred(&first), centred(&second));
    // Ranks are whole or half numbers, so these sums are exact up to 200,000 pairs.
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let spread = sum(&first, &first) * sum(&second, &second);
    (spread > 0.0).then(|| (sum(&first, &second) / spread.sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn correlations_are_those_of_scipy() {
        let cases = golden::cases("spearman");
        assert!(cases.len() >= 8);
        for case in cases {
            let (first, second) = (golden::numbers(&case["a"]), golden::numbers(&case["b"]));
            let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
            let found = spearman(&pairs).expect("both sides have an order");
            golden::assert_close(found, golden::number(&case["rho"]), 1e-12);
        }
    }

    #[test]
    fn an_order_is_followed_whatever_the_distances() {
        let pairs = [(1.0, 10.0), (2.0, 11.0), (3.0, 1e9), (4.0, f64::INFINITY)];
        assert_eq!(spearman(&pairs), Some(1.0));
        assert_eq!(spearman(&pairs.map(|(a, b)| (a, -b))), Some(-1.0));
        // Ranks 1, 2, 3 against 1, 3, 2: 1 - 6 x 2 / (3 x 8).
        assert_eq!(spearman(&[(1.0, 0.0), (2.0, 9.0), (3.0, 5.0)]), Some(0.5));
    }

    #[test]
    fn without_an_order_there_is_no_correlation() {
        assert_eq!(spearman(&[]), None);
        assert_eq!(spearman(&[(1.0, 1.0), (2.0, 2.0)]), None);
        assert_eq!(spearman(&[(1.0, 7.0), (2.0, 7.0), (3.0, 7.0)]), None);
        assert_eq!(spearman(&[(f64::INFINITY, 1.0); 3]), None);
    }
}
