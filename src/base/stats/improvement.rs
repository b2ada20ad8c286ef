//! The probability of improvement: how often a run of one method is sooner than one of another
//! (Agarwal et al., 2021; Mann and Whitney, 1947).

#![expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]

/// The share of all combinations of a run of the method and one of the baseline in which the method
/// is sooner, equal times counting half: `P(M < B) + P(M = B) / 2`.
///
/// Infinity is the largest time and equal to itself. `None` where a sample is empty. NaN is refused
/// by assertion. rliable's `probability_of_improvement` is the mean of this over tables.
pub fn probability_of_improvement(method: &[f64], baseline: &[f64]) -> Option<f64> {
    if method.is_empty() || baseline.is_empty() {
        return None;
    }
    let ones = |values: &[f64]| vec![1; values.len()];
    Some(Combinations::new(method, baseline).improvement(&ones(method), &ones(baseline)))
}

/// Runs of two methods sorted once for the probabilities of many resamples.
#[derive(Debug, Clone)]
pub struct Combinations {
    /// The indices of the runs of the method and of the baseline at each distinct time, ascending.
    times: Vec<[Vec<u32>; 2]>,
}

impl Combinations {
    /// Prepares the times of both; see [`probability_of_improvement`].
    pub fn new(method: &[f64], baseline: &[f64]) -> Self {
        let of = |values: &[f64], side: usize| -> Vec<(f64, u32, usize)> {
            values.iter().copied().zip(0..).map(|(value, run)| (value, run, side)).collect()
        };
        let mut all = [of(method, 0), of(baseline, 1)].concat();
        assert!(all.iter().all(|(value, ..)| !value.is_nan()), "NaN has no order");
        all.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("no NaN").then(a.1.cmp(&b.1)));
        let runs = |same: &[(f64, u32, usize)], side: usize| -> Vec<u32> {
            same.iter().filter(|(.., s)| *s == side).map(|(_, run, _)| *run).collect()
        };
        let times = all.chunk_by(|a, b| a.0 == b.0).map(|same| [runs(same, 0), runs(same, 1)]);
        Self { times: times.collect() }
    }

    /// The probability over runs taken as often as the counts have them, in the order in which they
    /// were given. Nothing taken of one of the two: refused by assertion.
    pub fn improvement(&self, method: &[u32], baseline: &[u32]) -> f64 {
        let sum = |counts: &[u32]| counts.iter().map(|c| u64::from(*c)).sum::<u64>();
        let (all_method, all_baseline) = (sum(method), sum(baseline));
        assert!(all_method > 0 && all_baseline > 0, "a probability over no combination");
        let mut later = all_baseline;
        let mut half_points = 0;
        for [method_runs, baseline_runs] in &self.times {
            let taken = |runs: &[u32], counts: &[u32]| {
                runs.iter().map(|run| u64::from(counts[*run as usize])).sum::<u64>()
            };
            let equal = taken(baseline_runs, baseline);
            later -= equal;
            half_points += taken(method_runs, method) * (2 * later + equal);
        }
        half_points as f64 / (2 * all_method * all_baseline) as f64
    }
}

/// The same over pairs of runs that share their luck: the share of pairs in which the first, the
/// method's, is sooner, an equal time counting half. `None` for no pair; NaN is refused by
/// assertion.
pub fn paired_improvement(pairs: &[(f64, f64)]) -> Option<f64> {
    assert!(pairs.iter().all(|(m, b)| !m.is_nan() && !b.is_nan()), "NaN has no order");
    let half_points: u32 =
        pairs.iter().map(|(m, b)| 2 * u32::from(m < b) + u32::from(m == b)).sum();
    (!pairs.is_empty()).then(|| f64::from(half_points) / (2.0 * pairs.len() as f64))
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::mann_whitney::mann_whitney;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn it_is_the_share_of_mann_whitneys_combinations() {
        let mut rng = Stream::new(1, 0, "test");
        let mut sample = |n: usize| -> Vec<f64> {
            let time = |rng: &mut Stream| match rng.random_range(0..9_u32) {
                8 => INF,
                k => f64::from(k),
            };
            (0..n).map(|_| time(&mut rng)).collect()
        };
        for (n, m) in [(1, 1), (5, 9), (40, 30)] {
            let (method, baseline) = (sample(n), sample(m));
            let found = probability_of_improvement(&method, &baseline).unwrap();
            let wins = mann_whitney(&baseline, &method).unwrap().statistic;
            assert_eq!(found, wins / (n * m) as f64);
        }
    }

    #[test]
    fn exponential_times_are_sooner_by_the_ratio_of_their_rates() {
        // P(M < B) = r / (r + 1) where the method's rate is r times the baseline's; evenly spaced
        // quantiles stand for the two laws.
        let n = 1_500_u32;
        let times = |rate: f64| -> Vec<f64> {
            (0..n).map(|i| -libm::log1p(-(f64::from(i) + 0.5) / f64::from(n)) / rate).collect()
        };
        let found = probability_of_improvement(&times(3.0), &times(1.0)).unwrap();
        assert!((found - 0.75).abs() < 1e-3, "{found}");
    }

    #[test]
    fn counts_repeat_runs_and_equal_times_count_half() {
        let found = Combinations::new(&[1.0, INF], &[2.0, INF, 1.0]);
        // Of (1, 1, INF) against (INF, INF, 1): 1 beats INF twice and ties once, each time; INF
        // ties twice: 2 x 2.5 + 1 of 9.
        assert_eq!(found.improvement(&[2, 1], &[0, 2, 1]), 6.0 / 9.0);
        assert_eq!(paired_improvement(&[(1.0, 2.0), (INF, INF), (3.0, 1.0)]), Some(0.5));
        assert_eq!(paired_improvement(&[]), None);
        assert_eq!(probability_of_improvement(&[], &[1.0]), None);
        assert_eq!(probability_of_improvement(&[1.0], &[]), None);
    }
}
