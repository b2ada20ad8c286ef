//! SMAC3's log-scaled encoder: losses as logarithms that spread.

use base::stats::quantile::quantile;

/// The share of losses whose distance from the lowest is what is put below it.
const SHARE: f64 = 0.05;

/// What is put below it besides, so that no logarithm is of 0.
const BELOW: f64 = 1e-10;

/// `ln((y - floor) / (max - floor))` of each loss `y`, with `floor = min - (p5 - min) - 1e-10` and
/// their 5th percentile `p5` (by linear interpolation): 0 for the highest, and lowest for the
/// lowest. All 0 where they are equal. Losses are finite, at least one; where 1e-10 is lost beside
/// their size, the lowest is the logarithm of the smallest number.
pub(super) fn scaled(losses: &[f64]) -> Vec<f64> {
    // A quarter of the largest numbers leaves room for their differences.
    let largest = losses.iter().fold(0.0, |most: f64, loss| most.max(loss.abs()));
    let unit = if largest > f64::MAX / 8.0 { 0.125 } else { 1.0 };
    let losses: Vec<f64> = losses.iter().map(|loss| loss * unit).collect();
    let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low == high {
        return vec![0.0; losses.len()];
    }
    let floor = low - (quantile(&losses, SHARE) - low) - BELOW;
    let logarithm = |loss: &f64| {
        let share = (loss - floor) / (high - floor);
        libm::log(share.max(f64::MIN_POSITIVE))
    };
    losses.iter().map(logarithm).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_the_design() {
        let found = scaled(&[0.1, 0.12, 0.2, 0.5, 0.9]);
        let expected = [-5.303_305, -3.511_546, -2.045_209, -0.688_184, 0.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
        }
    }

    #[test]
    fn odd_losses_have_finite_logarithms() {
        assert_eq!(scaled(&[0.3]), [0.0]);
        assert_eq!(scaled(&[-2.0; 3]), [0.0; 3]);
        for losses in [[-f64::MAX, f64::MAX, 0.0], [1e300, 1e300, -1e300], [0.0, 1e-300, -1e-300]] {
            let found = scaled(&losses);
            assert!(found.iter().all(|z| z.is_finite() && *z <= 0.0), "{losses:?}: {found:?}");
        }
        let found = scaled(&[1e20, 1e20, 2e20]);
        assert!(found[0] < -700.0 && found[2] == 0.0, "{found:?}");
    }
}
