//! A test of every pair of samples, with the p-values adjusted for how many there are.

use super::Test;
use super::holm::holm;
use super::kaplan_meier::Observation;
use super::log_rank::log_rank;

/// One pair of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairTest {
    /// The indices of the two samples, the first the smaller.
    pub first: usize,
    pub second: usize,
    pub test: Test,
    /// Adjusted by Holm's method over all pairs.
    pub p_holm: f64,
}

/// The test of every pair of `samples`, in the order (0, 1), (0, 2), ..., (1, 2), ...; none for
/// fewer than two. Any two-sample test will do.
pub fn pairwise<S>(samples: &[S], mut test: impl FnMut(&S, &S) -> Test) -> Vec<PairTest> {
    let mut found = Vec::new();
    for second in 0..samples.len() {
        for first in 0..second {
            let test = test(&samples[first], &samples[second]);
            found.push(PairTest { first, second, test, p_holm: test.p_value });
        }
    }
    found.sort_by_key(|pair| (pair.first, pair.second));
    let p_values: Vec<f64> = found.iter().map(|pair| pair.test.p_value).collect();
    for (pair, adjusted) in found.iter_mut().zip(holm(&p_values)) {
        pair.p_holm = adjusted;
    }
    found
}

/// The [`log_rank`] test of every pair of samples of times to a goal, adjusted by Holm's method.
pub fn pairwise_log_rank(samples: &[Vec<Observation>]) -> Vec<PairTest> {
    pairwise(samples, |first, second| log_rank(first, second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn pairs_are_lifelines_and_adjusted_as_statsmodels_does() {
        let cases = golden::cases("pairwise_log_rank");
        assert!(cases.len() >= 2);
        for case in cases {
            let samples: Vec<Vec<Observation>> = case["samples"]
                .as_array()
                .unwrap()
                .iter()
                .map(|sample| {
                    let reached = sample["reached"].as_array().unwrap().iter();
                    let times = golden::numbers(&sample["times"]).into_iter();
                    let pairs = times.zip(reached);
                    pairs.map(|(time, r)| Observation { time, reached: r == true }).collect()
                })
                .collect();
            let found = pairwise_log_rank(&samples);
            let (raw, adjusted) =
                (golden::numbers(&case["p_values"]), golden::numbers(&case["adjusted"]));
            assert_eq!(found.len(), samples.len() * (samples.len() - 1) / 2);
            assert_eq!(found.len(), raw.len());
            for (pair, (raw, adjusted)) in found.iter().zip(raw.iter().zip(&adjusted)) {
                golden::assert_close(pair.test.p_value, *raw, 1e-9);
                golden::assert_close(pair.p_holm, *adjusted, 1e-9);
            }
        }
    }

    #[test]
    fn every_pair_stands_once_in_its_order() {
        let test = |a: &f64, b: &f64| Test { statistic: b - a, p_value: 0.02 * (b - a) };
        let found = pairwise(&[1.0, 2.0, 4.0], test);
        let pairs: Vec<(usize, usize)> = found.iter().map(|p| (p.first, p.second)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
        // 0.02 x 3, then 0.04 x 2, then 0.06 made no smaller than it.
        let adjusted: Vec<f64> = found.iter().map(|p| p.p_holm).collect();
        assert_eq!(adjusted, [0.06, 0.08, 0.08]);
        assert!(pairwise(&[1.0], test).is_empty() && pairwise(&[], test).is_empty());
    }
}
