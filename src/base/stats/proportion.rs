//! A share of successes, and how sure it is.

#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]

use super::{Interval, normal};

/// Wilson's score interval (1927) of a proportion: with `z` the normal quantile of `confidence` and
/// `p = successes / n`, `(p + z^2/2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2/n)`.
///
/// Never outside [0, 1], and no point even where all or none succeed. `None` for `n = 0`;
/// `successes > n` and a confidence outside (0, 1) are refused by assertion.
pub fn wilson(successes: usize, n: usize, confidence: f64) -> Option<Interval> {
    assert!(successes <= n, "{successes} of {n} succeeded");
    if n == 0 {
        return None;
    }
    let z = normal::two_sided_quantile(1.0 - confidence);
    let (n_runs, p) = (n as f64, successes as f64 / n as f64);
    let square = z * z / n_runs;
    let middle = p + square / 2.0;
    let half = z * (p * (1.0 - p) / n_runs + square / (4.0 * n_runs)).sqrt();
    // Where all or none succeed, one end is exact and only rounding could move it.
    let low = if successes == 0 { 0.0 } else { (middle - half) / (1.0 + square) };
    let high = if successes == n { 1.0 } else { (middle + half) / (1.0 + square) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn intervals_are_scipys() {
        for case in golden::cases("wilson") {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
            let count = |name: &str| golden::number(&case[name]) as usize;
            let confidence = golden::number(&case["confidence"]);
            let found = wilson(count("successes"), count("n"), confidence).expect("some runs");
            golden::assert_close(found.low, golden::number(&case["low"]), 1e-11);
            golden::assert_close(found.high, golden::number(&case["high"]), 1e-11);
        }
        assert_eq!(wilson(0, 0, 0.95), None);
    }
}
