//! The standard normal distribution.

/// The probability that a standard normal variable exceeds `z`, accurate far into the tail.
pub fn survival(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The probability that a standard normal variable is further from 0 than `z` is.
pub fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn tails_are_scipys() {
        for case in golden::cases("normal") {
            let z = golden::number(&case["z"]);
            golden::assert_close(survival(z), golden::number(&case["survival"]), 1e-13);
            let both = 2.0 * survival(z.abs());
            golden::assert_close(two_sided(z), both, 1e-15);
        }
    }
}
