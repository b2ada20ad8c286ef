//! Pairs of runs with the same repeat and seed, and who of the two was sooner.

use base::stats::Interval;
use polars::prelude::{Column, DataFrame, IntoColumn, PolarsResult};

use super::frames::{join_both, numbers, slice};
use super::groups::Group;

/// What makes two runs of one goal a pair.
const PAIRED_BY: [&str; 2] = ["repeat", "seed"];

/// The times of a baseline's runs and of a method's, pair by pair.
pub(super) struct Paired(DataFrame);

/// Half points of the method in each pair with the baseline: 2 for a win, 1 for a tie; low and high
/// differ where the order is unknown.
#[derive(Debug)]
pub(super) struct Scores {
    pub low: Vec<u8>,
    /// `None` where no order is unknown.
    pub high: Option<Vec<u8>>,
}

/// How one pair came out for the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Win,
    Tie,
    Loss,
    Unknown,
}

impl Paired {
    /// Joins the runs of two groups of a goal; `None` unless every run of both has its pair.
    pub(super) fn new(baseline: &Group, method: &Group) -> Option<Self> {
        if baseline.len() != method.len() {
            return None;
        }
        let joined = joined(baseline, method).expect("both groups have these columns");
        (joined.height() == baseline.len()).then_some(Self(joined))
    }

    /// The baseline's time and the method's, by repeat and seed.
    pub(super) fn times(&self) -> impl Iterator<Item = (Interval, Interval)> + '_ {
        let column = |name| slice(numbers(&self.0, name)).iter().copied();
        let bounds = |(low, high)| Interval { low, high };
        let baseline = column("baseline_low").zip(column("baseline_high")).map(bounds);
        baseline.zip(column("low").zip(column("high")).map(bounds))
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = Outcome> + '_ {
        self.times().map(|(baseline, method)| outcome(baseline, method))
    }

    pub(super) fn scores(&self) -> Scores {
        let score = |outcome| match outcome {
            Outcome::Win => (2, 2),
            Outcome::Tie => (1, 1),
            Outcome::Loss => (0, 0),
            Outcome::Unknown => (0, 2),
        };
        let (low, high): (Vec<u8>, Vec<u8>) = self.outcomes().map(score).unzip();
        let high = (low != high).then_some(high);
        Scores { low, high }
    }
}

fn joined(baseline: &Group, method: &Group) -> PolarsResult<DataFrame> {
    let times = |group: &Group, names: [&'static str; 2]| {
        let named = group.times.columns().into_iter().zip(names);
        let columns: Vec<Column> =
            named.map(|(bound, name)| bound.with_name(name.into()).into_column()).collect();
        group.runs.select(PAIRED_BY)?.hstack(&columns)
    };
    let baseline = times(baseline, ["baseline_low", "baseline_high"])?;
    join_both(&baseline, &times(method, ["low", "high"])?, &PAIRED_BY)
}

fn outcome(baseline: Interval, method: Interval) -> Outcome {
    // A run that was cut is later than its cut: only a time up to it is surely sooner.
    let surely_sooner = |a: Interval, b: Interval| match (a.value(), b.value()) {
        (Some(a), Some(b)) => a < b,
        (Some(a), None) => a <= b.low,
        _ => false,
    };
    if surely_sooner(method, baseline) {
        Outcome::Win
    } else if surely_sooner(baseline, method) {
        Outcome::Loss
    } else if baseline.value().is_some() && baseline.value() == method.value() {
        Outcome::Tie
    } else {
        Outcome::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn a_pair_is_ordered_only_where_it_must_be() {
        let never = Interval::exact(INF);
        let cut = |low| Interval { low, high: INF };
        let cases = [
            (Interval::exact(3.0), Interval::exact(2.0), Outcome::Win),
            (Interval::exact(3.0), Interval::exact(3.0), Outcome::Tie),
            (never, Interval::exact(3.0), Outcome::Win),
            (never, never, Outcome::Tie),
            // Cut at 3, a run is later than 3.
            (cut(3.0), Interval::exact(3.0), Outcome::Win),
            (cut(3.0), Interval::exact(3.1), Outcome::Unknown),
            // It may still reach the goal, or never.
            (cut(3.0), never, Outcome::Unknown),
            (cut(3.0), cut(9.0), Outcome::Unknown),
        ];
        for (baseline, method, expected) in cases {
            assert_eq!(outcome(baseline, method), expected, "{baseline:?} {method:?}");
            let turned = match expected {
                Outcome::Win => Outcome::Loss,
                other => other,
            };
            assert_eq!(outcome(method, baseline), turned, "{method:?} {baseline:?}");
        }
    }
}
