//! The interquartile mean: the mean of the middle half of the values (Agarwal et al., 2021).

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

/// The mean of what is left when the `floor(n / 4)` smallest and as many of the largest of `n`
/// values are taken away (scipy's `trim_mean(values, 0.25)`, rliable's `aggregate_iqm`).
///
/// `+infinity` is the largest value: a mean is infinite as soon as one of those left is. `None` for
/// no values. NaN and `-infinity` are refused by assertion.
pub fn interquartile_mean(values: &[f64]) -> Option<f64> {
    Pool::new(values).interquartile_mean(&vec![1; values.len()])
}

/// Values sorted once for the interquartile means of many resamples.
#[derive(Debug, Clone)]
pub struct Pool {
    sorted: Vec<f64>,
    /// The index of each value before it was sorted.
    order: Vec<u32>,
}

impl Pool {
    /// Prepares `values`, those of all tables one after another; see [`interquartile_mean`].
    pub fn new(values: &[f64]) -> Self {
        assert!(values.iter().all(|v| *v > f64::NEG_INFINITY), "no time is NaN or -infinity");
        let mut order: Vec<u32> = (0..).take(values.len()).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let sorted = order.iter().map(|&at| values[at as usize]).collect();
        Self { sorted, order }
    }

    /// The interquartile mean of the values as often as `counts` has them, in the order they were
    /// given in. `None` where they were not drawn at all.
    pub fn interquartile_mean(&self, counts: &[u32]) -> Option<f64> {
        assert_eq!(counts.len(), self.sorted.len(), "one count a value");
        let n: usize = counts.iter().map(|c| *c as usize).sum();
        let (first, end) = (n / 4, n - n / 4);
        let (mut passed, mut sum) = (0, 0.0);
        for (value, &at) in self.sorted.iter().zip(&self.order) {
            let until = passed + counts[at as usize] as usize;
            let taken = until.min(end).saturating_sub(passed.max(first));
            if taken > 0 {
                sum += taken as f64 * value;
            }
            passed = until;
        }
        (n > 0).then(|| sum / (end - first) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn the_middle_half_is_averaged() {
        assert_eq!(interquartile_mean(&[9.0, 1.0, 5.0, 3.0]), Some(4.0));
        // Of five, one goes on each side; of three, none.
        assert_eq!(interquartile_mean(&[0.0, 2.0, 4.0, 9.0, 1e9]), Some(5.0));
        assert_eq!(interquartile_mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(interquartile_mean(&[]), None);
    }

    #[test]
    fn never_counts_where_it_is_in_the_middle() {
        assert_eq!(interquartile_mean(&[INF, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(interquartile_mean(&[INF, 1.0, INF, 4.0]), Some(INF));
    }

    #[test]
    fn evenly_spaced_times_have_the_mean_of_their_law() {
        // Quantiles of exponential times: between the quartiles the mean of -ln(1 - u) is
        // 2 (F(3/4) - F(1/4)) with F(u) = (1 - u) ln(1 - u) + u.
        let n = 100_000_u32;
        let values: Vec<f64> =
            (0..n).map(|i| -libm::log1p(-(f64::from(i) + 0.5) / f64::from(n))).collect();
        let integral = |u: f64| (1.0 - u) * libm::log1p(-u) + u;
        let expected = 2.0 * (integral(0.75) - integral(0.25));
        assert!((interquartile_mean(&values).unwrap() - expected).abs() < 1e-9);
    }
}
