//! The standard normal distribution.

/// The probability that a standard normal variable exceeds `z`, accurate far into the tail.
pub fn survival(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The probability that a standard normal variable is further from 0 than `z` is.
pub fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The `z` below which a standard normal variable is with probability `p`, infinite for 0 and 1.
/// Other `p` outside [0, 1] are refused by assertion.
pub fn quantile(p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is in [0, 1], not {p}");
    if p == 0.5 {
        return 0.0;
    }
    let tails = 2.0 * p.min(1.0 - p);
    let z = if tails == 0.0 { f64::INFINITY } else { two_sided_quantile(tails) };
    if p < 0.5 { -z } else { z }
}

/// The `z >= 0` that a standard normal variable is further from 0 than with probability `tails`, in
/// (0, 1): 1.96 for 0.05. By halving until two neighbouring numbers are left. Other `tails` are
/// refused by assertion.
pub fn two_sided_quantile(tails: f64) -> f64 {
    assert!(tails > 0.0 && tails < 1.0, "the tails' probability is in (0, 1), not {tails}");
    // Beyond 40 the tails are below the smallest number.
    let (mut low, mut high) = (0.0, 40.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if two_sided(middle) > tails {
            low = middle;
        } else {
            high = middle;
        }
    }
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

    #[test]
    fn certainty_is_infinitely_far() {
        assert_eq!([0.0, 0.5, 1.0].map(quantile), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    }

    #[test]
    fn quantiles_undo_the_tails() {
        for case in golden::cases("normal_quantile") {
            let found = two_sided_quantile(golden::number(&case["tails"]));
            golden::assert_close(found, golden::number(&case["z"]), 1e-12);
            let below = golden::number(&case["tails"]) / 2.0;
            golden::assert_close(quantile(below), -golden::number(&case["z"]), 1e-12);
            if below > 1e-9 {
                golden::assert_close(quantile(1.0 - below), golden::number(&case["z"]), 1e-6);
            }
        }
    }
}
