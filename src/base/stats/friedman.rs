//! Do methods differ over many tables? Friedman's test (1937), and which of them do: Nemenyi's
//! critical difference (1963), as Demsar proposes them ("Statistical comparisons of classifiers
//! over multiple data sets", JMLR 2006).

#![expect(clippy::cast_precision_loss, reason = "counts of tables are far below 2^53")]

use super::chi_squared::{f_survival, survival};
use super::ranks::midranks;
use super::studentized_range;

/// Fewer blocks than these are no evidence over tables: chi-squared is too far from the law then.
pub const BLOCKS_MIN: usize = 6;

/// Ranks of methods over blocks, and whether they may be chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    pub blocks: usize,
    /// The mean of each method's rank over blocks, 1 for the smallest value, equal ones sharing
    /// theirs.
    pub mean_ranks: Vec<f64>,
    /// Friedman's statistic, corrected for ties, and its p-value from `k - 1` degrees of freedom.
    pub chi_squared: f64,
    pub p_value: f64,
    /// `(n - 1) chi^2 / (n (k - 1) - chi^2)` (Iman and Davenport, 1980), less conservative, and its
    /// p-value from the F distribution with `k - 1` and `(k - 1) (n - 1)` degrees. Infinite, with
    /// p = 0, where every block has the same order.
    pub f: f64,
    pub f_p_value: f64,
}

/// Friedman's test of `blocks`: a row a table, one value a method, for times the smaller the
/// better; infinity is the largest value and equal to itself. One block a table: runs within it are
/// not independent evidence, so that a block's value is a median or a mean over runs.
///
/// `None` for fewer than six blocks, for fewer than three methods (a sign test is for two), and
/// where all values of every block are equal. Rows of different lengths and NaN are refused by
/// assertion.
pub fn friedman(blocks: &[Vec<f64>]) -> Option<Friedman> {
    let methods = blocks.first().map_or(0, Vec::len);
    assert!(blocks.iter().all(|b| b.len() == methods), "every block has every method");
    if blocks.len() < BLOCKS_MIN || methods < 3 {
        return None;
    }
    let (n, k) = (blocks.len() as f64, methods as f64);
    let mut sums = vec![0.0; methods];
    let mut tie_terms = 0.0;
    for block in blocks {
        let ranked = midranks(block);
        sums.iter_mut().zip(&ranked.ranks).for_each(|(sum, rank)| *sum += rank);
        tie_terms += ranked.tie_term;
    }
    let untied = 1.0 - tie_terms / (n * k * (k * k - 1.0));
    if untied <= 0.0 {
        return None;
    }
    let mean_ranks: Vec<f64> = sums.iter().map(|sum| sum / n).collect();
    let middle = f64::midpoint(k, 1.0);
    let spread: f64 = mean_ranks.iter().map(|r| (r - middle) * (r - middle)).sum();
    let largest = n * (k - 1.0);
    let chi_squared = (12.0 * n / (k * (k + 1.0)) * spread / untied).min(largest);
    let left = largest - chi_squared;
    // Where all blocks agree, only rounding is left of it.
    let f = if left <= 1e-12 * largest { f64::INFINITY } else { (n - 1.0) * chi_squared / left };
    let degrees = u32::try_from(methods - 1).expect("methods are few");
    Some(Friedman {
        blocks: blocks.len(),
        mean_ranks,
        chi_squared,
        p_value: survival(degrees, chi_squared),
        f,
        f_p_value: f_survival(k - 1.0, (k - 1.0) * (n - 1.0), f),
    })
}

impl Friedman {
    /// Two methods differ at level `alpha`, over all pairs of them, where their mean ranks are
    /// further apart than this: `q_alpha sqrt(k (k + 1) / (6 n))`, with `q_alpha` the quantile of
    /// the studentised range at infinitely many degrees of freedom over `sqrt(2)`. An `alpha`
    /// outside (0, 1) is refused by assertion.
    pub fn critical_difference(&self, alpha: f64) -> f64 {
        studentized_range::quantile(self.methods(), alpha) * self.standard_error()
    }

    /// The p-value, adjusted for all pairs, of two methods by their indices.
    pub fn nemenyi_p_value(&self, first: usize, second: usize) -> f64 {
        let apart = (self.mean_ranks[first] - self.mean_ranks[second]).abs();
        studentized_range::survival(self.methods(), apart / self.standard_error())
    }

    /// Of a mean rank: `sqrt(k (k + 1) / (12 n))`.
    fn standard_error(&self) -> f64 {
        let k = self.mean_ranks.len() as f64;
        (k * (k + 1.0) / (12.0 * self.blocks as f64)).sqrt()
    }

    fn methods(&self) -> u32 {
        u32::try_from(self.mean_ranks.len()).expect("methods are few")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn statistics_are_scipys_and_nemenyis_are_those_of_posthocs() {
        let cases = golden::cases("friedman");
        assert!(cases.len() >= 4);
        for case in cases {
            let rows = |name: &str| -> Vec<Vec<f64>> {
                case[name].as_array().unwrap().iter().map(golden::numbers).collect()
            };
            let found = friedman(&rows("times")).expect("enough blocks");
            let number = |name: &str| golden::number(&case[name]);
            for (rank, expected) in
                found.mean_ranks.iter().zip(golden::numbers(&case["mean_ranks"]))
            {
                golden::assert_close(*rank, expected, 1e-13);
            }
            golden::assert_close(found.chi_squared, number("chi_squared"), 1e-11);
            golden::assert_close(found.p_value, number("p_value"), 1e-10);
            golden::assert_close(found.f, number("f"), 1e-10);
            golden::assert_close(found.f_p_value, number("f_p_value"), 1e-10);
            for (first, row) in rows("nemenyi").iter().enumerate() {
                for (second, expected) in row.iter().enumerate() {
                    let p_value = found.nemenyi_p_value(first, second);
                    assert!((p_value - expected).abs() < 1e-8, "{first} {second} {case}");
                }
            }
        }
    }

    #[test]
    fn critical_differences_are_those_of_demsars_table() {
        // Demsar (2006), Table 5(a): q_0.05 of 1.960, 2.343, 2.728, 3.164 for 2, 3, 5, 10 methods.
        for (methods, expected) in [(3_i32, 2.343), (5, 2.728), (10, 3.164)] {
            let block: Vec<f64> = (0..methods).map(f64::from).collect();
            let found = friedman(&vec![block; 10]).unwrap();
            let k = f64::from(methods);
            let q = found.critical_difference(0.05) / (k * (k + 1.0) / 60.0).sqrt();
            assert!((q - expected).abs() < 1e-3, "{methods} {q}");
        }
    }

    #[test]
    fn agreement_is_certain_and_six_blocks_are_needed() {
        let block = vec![3.0, 1.0, f64::INFINITY];
        let found = friedman(&vec![block.clone(); 6]).unwrap();
        assert_eq!((found.chi_squared, found.f, found.f_p_value), (12.0, f64::INFINITY, 0.0));
        assert_eq!(found.mean_ranks, [2.0, 1.0, 3.0]);
        golden::assert_close(found.p_value, libm::exp(-6.0), 1e-13);
        assert_eq!(friedman(&vec![block; 5]), None);
        assert_eq!(friedman(&vec![vec![1.0, 2.0]; 9]), None);
        assert_eq!(friedman(&vec![vec![2.0; 3]; 9]), None);
        assert_eq!(friedman(&[]), None);
    }
}
