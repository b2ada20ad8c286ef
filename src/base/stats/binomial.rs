//! Random binomial counts.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^53"
)]

use rand::{Rng, RngExt};

use super::incomplete_beta::ln_binomial;

/// How many of `n` independent trials succeed, each with probability `p` in [0, 1].
///
/// By inversion of one uniform number, the counts tried outwards from the most probable one, so
/// that a draw takes about as many steps as the standard deviation: exact but for rounding, and
/// the same on every machine.
pub fn draw(rng: &mut impl Rng, n: usize, p: f64) -> usize {
    assert!((0.0..=1.0).contains(&p), "a probability is in [0, 1], not {p}");
    if n == 0 || p == 0.0 {
        return 0;
    }
    if p == 1.0 {
        return n;
    }
    let trials = n as f64;
    let mode = ((trials + 1.0) * p).floor().min(trials);
    let at_mode = libm::exp(ln_binomial(mode, trials, p));
    let odds = p / (1.0 - p);
    let (mut low, mut high) = (mode, mode);
    let (mut at_low, mut at_high) = (at_mode, at_mode);
    let mut left = rng.random::<f64>() - at_mode;
    // Once the terms no longer move the sum, only rounding is left.
    while left >= 0.0 && at_low + at_high > 1e-18 {
        at_low *= low / ((trials - low + 1.0) * odds);
        low -= 1.0;
        left -= at_low;
        if left < 0.0 {
            return low as usize;
        }
        at_high *= (trials - high) / (high + 1.0) * odds;
        high += 1.0;
        left -= at_high;
        if left < 0.0 {
            return high as usize;
        }
    }
    mode as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn counts_have_their_probabilities() {
        // Pearson's statistic over counts that are expected 20 times and more; at a chance of
        // 0.001, chi-squared with k degrees of freedom stays below k + 3.3 sqrt(2 k) + 6.
        for (n, p) in [(1_usize, 0.3), (7, 0.5), (60, 0.02), (400_000, 0.5), (1_000, 0.999)] {
            let mut rng = Stream::new(9, 0, "test");
            let draws = 20_000;
            let mut seen = std::collections::BTreeMap::<usize, f64>::new();
            for _ in 0..draws {
                *seen.entry(draw(&mut rng, n, p)).or_default() += 1.0;
            }
            assert!(seen.keys().all(|k| *k <= n));
            let (mut statistic, mut cells) = (0.0, 0.0_f64);
            let middle = (n as f64 * p) as usize;
            for k in middle.saturating_sub(2_000)..=(middle + 2_000).min(n) {
                let mean = f64::from(draws) * libm::exp(ln_binomial(k as f64, n as f64, p));
                if mean >= 20.0 {
                    let difference = seen.get(&k).copied().unwrap_or(0.0) - mean;
                    statistic += difference * difference / mean;
                    cells += 1.0;
                }
            }
            assert!(cells >= 2.0, "{n} {p}");
            assert!(statistic < cells + 3.3 * (2.0 * cells).sqrt() + 6.0, "{n} {p} {statistic}");
        }
    }

    #[test]
    fn certain_trials_need_no_luck() {
        let mut rng = Stream::new(9, 0, "test");
        assert_eq!(draw(&mut rng, 0, 0.5), 0);
        assert_eq!(draw(&mut rng, 12, 0.0), 0);
        assert_eq!(draw(&mut rng, 12, 1.0), 12);
    }
}
