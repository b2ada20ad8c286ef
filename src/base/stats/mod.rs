//! Statistics: pure functions of numbers, without files, clocks or hidden randomness.
//!
//! Times to a goal are extended reals: a run that can never reach its goal takes `+infinity`, and
//! that is a value like any other, the largest one. So quantiles, ranks and resamples are defined
//! for it, and nothing is ever averaged over the successes alone. What is known only within bounds
//! (a censored run: "longer than its budget") is an [`Interval`].
//!
//! NaN is nobody's time: every function here asserts that it gets none. Randomness is an argument.

pub mod band;
pub mod bca;
pub mod binomial;
pub mod bootstrap;
pub mod chi_squared;
mod dice;
pub mod friedman;
pub mod holm;
pub mod improvement;
pub mod incomplete_beta;
pub mod interquartile_mean;
pub mod joint_quantiles;
pub mod kaplan_meier;
mod kaplan_meier_band;
pub mod kolmogorov_smirnov;
pub mod large_mean;
pub mod log_rank;
pub mod mann_whitney;
pub mod normal;
pub mod order_bootstrap;
pub mod pairwise;
pub mod ped_anova;
pub mod performance_profile;
pub mod power;
pub mod proportion;
pub mod quantile;
pub mod ranks;
pub mod sign_test;
pub mod spearman;
pub mod steps;
pub mod steps_summary;
pub mod stratified;
pub mod studentized_range;
pub mod tuning_curve;
pub mod wilcoxon;

/// A number known to lie between two bounds, which may be equal or infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// A number known exactly.
    pub const fn exact(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// The number, where its bounds agree.
    pub fn value(self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }
}

/// What a rank test came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The test statistic, as each test defines it.
    pub statistic: f64,
    /// Two-sided, in [0, 1].
    pub p_value: f64,
}

#[cfg(test)]
pub(crate) mod golden {
    //! Values of scipy, lifelines and others; `tests/golden/make_statistics_golden.py` and
    //! `make_inference_golden.py` made them.

    use serde_json::Value;

    const GOLDEN: [&str; 2] = [
        include_str!("../../../tests/golden/statistics.json"),
        include_str!("../../../tests/golden/inference.json"),
    ];

    /// The cases of one function.
    pub(crate) fn cases(function: &str) -> Vec<Value> {
        let all = GOLDEN
            .map(|text| -> Value { serde_json::from_str(text).expect("the golden file is JSON") });
        let cases = all.iter().find_map(|file| file.get(function)).expect("cases of that name");
        cases.as_array().expect("a list of cases").clone()
    }

    /// A number; the words `inf` and `-inf` stand for infinities.
    pub(crate) fn number(value: &Value) -> f64 {
        match value.as_str() {
            Some("inf") => f64::INFINITY,
            Some("-inf") => f64::NEG_INFINITY,
            _ => value.as_f64().expect("a number"),
        }
    }

    pub(crate) fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().expect("a list").iter().map(number).collect()
    }

    /// Asserts |found - expected| <= 1e-12 + relative x |expected|, and equality of infinities.
    #[track_caller]
    pub(crate) fn assert_close(found: f64, expected: f64, relative: f64) {
        let close =
            found == expected || (found - expected).abs() <= 1e-12 + relative * expected.abs();
        assert!(close, "found {found:e}, expected {expected:e}");
    }
}
