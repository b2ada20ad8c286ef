//! The one-sided signed-rank test that zeros are split in, as scipy 1.17.1 decides it.
//!
//! `scipy.stats.wilcoxon(d, zero_method="zsplit", alternative="less")` with its automatic choice of
//! a method: without ties and zeros the exact distribution, up to 50 differences; with them all
//! changes of signs, up to 13; else the normal approximation, its variance corrected for ties. The
//! first two are one sum over signs here: the probability that the ranks with a positive sign add
//! up to no more than they do.

use base::stats::normal;
use base::stats::ranks::midranks;

/// Up to so many differences without ties have their exact distribution.
const EXACT_MAX: usize = 50;
/// Up to so many differences with ties or zeros.
const SIGNS_MAX: usize = 13;

/// The exact distributions that do not depend on the data.
pub(super) struct RankTest {
    /// By number of differences: in how many of the 2^n ways the positive ranks add up to at most
    /// so much.
    at_most: Vec<Vec<f64>>,
}

impl RankTest {
    /// For up to so many differences.
    pub(super) fn up_to(differences_max: usize) -> Self {
        let mut ways = vec![1.0];
        let mut at_most = vec![ways.clone()];
        for rank in 1..=differences_max.min(EXACT_MAX) {
            ways = with_rank(&ways, rank);
            at_most.push(cumulated(&ways));
        }
        Self { at_most }
    }

    /// The p-value of "the differences are below zero".
    pub(super) fn p_less(&self, differences: &[f64]) -> f64 {
        let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
        let midranks = midranks(&sizes);
        let ranked = || differences.iter().zip(&midranks.ranks);
        let is_zero = |(d, _): &(&f64, &f64)| **d == 0.0;
        let of_zeros: f64 = ranked().filter(is_zero).map(|(_, rank)| rank).sum();
        let positive: f64 = ranked().filter(|(d, _)| **d > 0.0).map(|(_, rank)| rank).sum();
        let count = differences.len();
        let is_plain = midranks.tie_term == 0.0 && !ranked().any(|pair| is_zero(&pair));
        if is_plain && count <= EXACT_MAX {
            return self.at_most[count][whole(positive)] / two_to(count);
        }
        if count <= SIGNS_MAX {
            let ranks: Vec<f64> =
                ranked().filter(|pair| !is_zero(pair)).map(|(_, rank)| *rank).collect();
            // Midranks are halves; what zeros add is the same whatever the signs.
            let ways =
                ranks.iter().fold(vec![1.0], |ways, rank| with_rank(&ways, whole(2.0 * rank)));
            return cumulated(&ways)[whole(2.0 * positive)] / two_to(ranks.len());
        }
        approximation(count, positive + of_zeros / 2.0, midranks.tie_term)
    }
}

/// By the normal distribution, with ties in its variance and without a correction for continuity.
#[expect(clippy::cast_precision_loss, reason = "a number of epochs")]
fn approximation(count: usize, positive: f64, tie_term: f64) -> f64 {
    let n = count as f64;
    let mean = n * (n + 1.0) * 0.25;
    let deviation = ((n * (n + 1.0) * (2.0 * n + 1.0) - tie_term / 2.0) / 24.0).sqrt();
    normal::survival(-(positive - mean) / deviation)
}

/// The numbers of ways to every sum with one more rank, which is in it or not.
fn with_rank(ways: &[f64], rank: usize) -> Vec<f64> {
    let mut with = vec![0.0; ways.len() + rank];
    for (sum, ways) in ways.iter().enumerate() {
        with[sum] += ways;
        with[sum + rank] += ways;
    }
    with
}

fn cumulated(ways: &[f64]) -> Vec<f64> {
    let running = |sum: &mut f64, ways: &f64| {
        *sum += ways;
        Some(*sum)
    };
    ways.iter().scan(0.0, running).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of ranks of at most 50 differences"
)]
fn whole(sum: f64) -> usize {
    sum as usize
}

fn two_to(power: usize) -> f64 {
    (0..power).fold(1.0, |product, _| 2.0 * product)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    #[test]
    fn p_values_are_scipys() {
        let golden = include_str!("../../../../tests/golden/stoppers/wilcoxon.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let test = RankTest::up_to(100);
        let mut ways = [0; 3];
        for case in golden["cases"].as_array().unwrap() {
            let differences = numbers(&case["d"]);
            let wanted = case["p"].as_f64().unwrap();
            let found = test.p_less(&differences);
            assert!((found - wanted).abs() <= 1e-13 + 1e-12 * wanted, "{found} {wanted} {case}");
            let count = differences.len();
            ways[usize::from(count > SIGNS_MAX) + usize::from(count > EXACT_MAX)] += 1;
        }
        assert!(ways.iter().all(|count| *count >= 20), "{ways:?}");
    }

    #[test]
    fn by_hand() {
        let test = RankTest::up_to(10);
        // All below zero: one of the 2^n ways.
        assert_eq!(test.p_less(&[-1.0, -2.0]), 0.25);
        assert_eq!(test.p_less(&[-1.0, -2.0, -3.0, -4.0]), 0.0625);
        // One of rank 1 above: sums 0 and 1 of the 16.
        assert_eq!(test.p_less(&[1.0, -2.0, -3.0, -4.0]), 0.125);
        // Ties share the ranks 1.5, 1.5, 3: sums 0 and 1.5 (twice) of the 8 are at most 1.5.
        assert_eq!(test.p_less(&[0.5, -0.5, -1.0]), 0.375);
        // A zero has rank 1 and no sign; of the four ways with ranks 2 and 3 one has no positive.
        assert_eq!(test.p_less(&[0.0, -1.0, -2.0]), 0.25);
        assert_eq!(test.p_less(&[0.0, 0.0]), 1.0);
    }
}
