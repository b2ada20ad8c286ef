//! The free row of a table with the best acquisition under one or several processes, found without
//! the variance of most rows.
//!
//! The mean at a row takes `n` kernel values, its variance `n^2 / 2` multiplications more. The
//! variance given the first few observations alone is an upper bound of it, and so cheap that every
//! row has one; expected improvement and confidence bounds increase with the deviation, so that it
//! bounds them too. Rows are then taken by falling bounds, several at a time, until no bound
//! reaches the best score found: the row is the one that scoring all of them would find. A
//! probability of improvement falls with the deviation where the mean is better than the best, so
//! such rows are always scored.

use base::space::Domain;
use base::units::ConfigId;
use rayon::prelude::*;

use super::{Distance, GaussianProcess, Inputs, Shape};
use crate::interface::Context;
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::rows::Rows;
use crate::surrogates::expected_improvement::{expected_improvement, log_expected_improvement};

/// Rows whose bounds are computed together.
const BLOCK: usize = 256;

/// Observations that a bound of the variance takes into account.
const BOUNDING: usize = 32;

/// Rows whose variances are computed together: one vector register of eight numbers, or several.
const LANES: usize = 8;

/// Room for the rounding of a bound beside the score itself.
const SLACK: f64 = 1e-9;

/// What makes a row worth trying, for minimisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    /// Expected improvement on the best target.
    ExpectedImprovement,
    /// Probability of improvement on the best target.
    ProbabilityOfImprovement,
    /// The lowest `mean - beta * deviation`.
    LowerBound { beta: f64 },
}

/// One set of targets that the observations of a belief may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// `K^-1 y`, of targets with their mean taken off.
    pub weights: Vec<f64>,
    /// What is to be improved on, the same mean taken off.
    pub best: f64,
}

/// A process, with its own targets or with several that it may have: fantasies of trials whose
/// end is not known. A score is the average over all outcomes of all beliefs.
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    pub process: GaussianProcess,
    /// At least one.
    pub outcomes: Vec<Outcome>,
    /// Added to every variance, positive: so that no deviation is 0.
    pub variance_floor: f64,
}

impl Belief {
    /// Of a process's own targets.
    pub fn of(process: GaussianProcess, best: f64, variance_floor: f64) -> Self {
        let weights = process.posterior().weights().to_vec();
        Self { process, outcomes: vec![Outcome { weights, best }], variance_floor }
    }
}

/// What a search reads of a belief again and again.
struct Prepared<'a> {
    belief: &'a Belief,
    shape: Shape,
    scale: f64,
    /// One a column.
    weights: &'a [f64],
    points: Vec<Vec<f64>>,
    /// The factor's rows, one after another, each up to its diagonal.
    factor: Vec<f64>,
}

impl<'a> Prepared<'a> {
    fn new(belief: &'a Belief) -> Self {
        let process = &belief.process;
        let (factor, size) = (process.posterior().cholesky().factor(), process.inputs().count());
        let rows = (0..size).flat_map(|i| (0..=i).map(move |j| factor[(i, j)]));
        Self {
            belief,
            shape: process.shape(),
            scale: process.hyperparameters().scale,
            weights: &process.hyperparameters().weights,
            points: (0..size).map(|at| process.inputs().point(at)).collect(),
            factor: rows.collect(),
        }
    }

    /// The factor's row `i` without its diagonal, and that.
    fn row(&self, i: usize) -> (&[f64], f64) {
        let first = i * (i + 1) / 2;
        (&self.factor[first..first + i], self.factor[first + i])
    }

    /// The covariances of some rows with observation `i`.
    fn cross(&self, rows: &Inputs, first: usize, i: usize, out: &mut [f64]) {
        rows.squared_distances(first, self.weights, &self.points[i], out);
        self.shape.correlate(out);
        for entry in out {
            *entry *= self.scale;
        }
    }
}

/// A search among the rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct PoolSearch<'a> {
    rows: &'a Inputs,
    beliefs: &'a [Belief],
    criterion: Criterion,
}

impl<'a> PoolSearch<'a> {
    /// Among the rows of a table, by at least one belief.
    ///
    /// # Panics
    /// Where a belief has no outcome, or other columns than the rows.
    pub fn new(rows: &'a Inputs, beliefs: &'a [Belief], criterion: Criterion) -> Self {
        assert!(!beliefs.is_empty(), "a belief");
        for belief in beliefs {
            assert!(!belief.outcomes.is_empty(), "an outcome");
            assert_eq!(belief.process.inputs().width(), rows.width(), "the same columns");
        }
        Self { rows, beliefs, criterion }
    }

    /// The free row with the best score; of equals, the one of the least position. `None` where
    /// none is free. Up to `threads` threads work on it and do not show in what is found.
    pub fn best(&self, table: &impl Rows, threads: usize) -> Option<u32> {
        let prepared: Vec<Prepared<'_>> = self.beliefs.iter().map(Prepared::new).collect();
        let free: Vec<u32> = (0..table.count()).filter(|row| table.is_free(*row)).collect();
        let mut bounds = vec![0.0; self.rows.count()];
        let bound = |(at, bounds): (usize, &mut [f64])| {
            self.bound(&prepared, at * BLOCK, bounds);
        };
        if threads > 1 {
            bounds.par_chunks_mut(BLOCK).enumerate().for_each(bound);
        } else {
            bounds.chunks_mut(BLOCK).enumerate().for_each(bound);
        }
        let mut order: Vec<(f64, u32)> = free.iter().map(|r| (bounds[*r as usize], *r)).collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));

        let mut best: Option<(f64, u32)> = None;
        let group = if threads > 1 { LANES * threads } else { LANES };
        for group in order.chunks(group) {
            if best.is_some_and(|(most, _)| group[0].0 < most) {
                break;
            }
            let rows: Vec<u32> = group.iter().map(|(_, row)| *row).collect();
            let mut scores = vec![0.0; rows.len()];
            let score = |(rows, scores): (&[u32], &mut [f64])| self.score(&prepared, rows, scores);
            if threads > 1 {
                rows.par_chunks(LANES).zip(scores.par_chunks_mut(LANES)).for_each(score);
            } else {
                score((&rows, &mut scores));
            }
            for (row, score) in rows.into_iter().zip(scores) {
                let wins = best.is_none_or(|(most, winner)| {
                    let is_first = || table.position(row) < table.position(winner);
                    score > most || (score == most && is_first())
                });
                if wins {
                    best = Some((score, row));
                }
            }
        }
        best.map(|(_, row)| row)
    }

    /// The scores of some rows, in their order.
    pub fn scores(&self, rows: &[u32]) -> Vec<f64> {
        let prepared: Vec<Prepared<'_>> = self.beliefs.iter().map(Prepared::new).collect();
        let mut scores = vec![0.0; rows.len()];
        for (rows, scores) in rows.chunks(LANES).zip(scores.chunks_mut(LANES)) {
            self.score(&prepared, rows, scores);
        }
        scores
    }

    /// Whether there is one outcome alone: its score may then be any increasing function of the
    /// criterion.
    fn is_single(&self) -> bool {
        self.beliefs.len() == 1 && self.beliefs[0].outcomes.len() == 1
    }

    /// The criterion, larger is better. Of a single outcome the logarithm of the expected
    /// improvement and the quantile of the probability, which never underflow.
    fn value(&self, best: f64, mean: f64, deviation: f64) -> f64 {
        match self.criterion {
            Criterion::ExpectedImprovement if self.is_single() => {
                log_expected_improvement(best, mean, deviation)
            }
            Criterion::ExpectedImprovement => expected_improvement(best, mean, deviation),
            Criterion::ProbabilityOfImprovement if self.is_single() => (best - mean) / deviation,
            Criterion::ProbabilityOfImprovement => {
                base::stats::normal::survival((mean - best) / deviation)
            }
            Criterion::LowerBound { beta } => beta * deviation - mean,
        }
    }

    /// At least [`Self::value`] of every smaller deviation.
    fn bound_of(&self, best: f64, mean: f64, deviation: f64) -> f64 {
        if self.criterion == Criterion::ProbabilityOfImprovement && mean < best {
            return f64::INFINITY;
        }
        let value = self.value(best, mean, deviation);
        value + SLACK * (value.abs() + if self.is_single() { 1.0 } else { 0.0 })
    }

    /// Upper bounds of the scores of the rows from `first` on.
    fn bound(&self, prepared: &[Prepared<'_>], first: usize, bounds: &mut [f64]) {
        bounds.fill(0.0);
        let count = bounds.len();
        let mut cross = vec![0.0; count];
        for prepared in prepared {
            let outcomes = &prepared.belief.outcomes;
            let mut means = vec![0.0; count * outcomes.len()];
            let mut variances = vec![prepared.scale + prepared.belief.variance_floor; count];
            let mut solved: Vec<Vec<f64>> = Vec::new();
            for i in 0..prepared.points.len() {
                prepared.cross(self.rows, first, i, &mut cross);
                for (outcome, means) in outcomes.iter().zip(means.chunks_exact_mut(count)) {
                    let weight = outcome.weights[i];
                    means.iter_mut().zip(&cross).for_each(|(mean, k)| *mean += weight * k);
                }
                if i < BOUNDING {
                    let (row, pivot) = prepared.row(i);
                    let mut left = cross.clone();
                    for (factor, solved) in row.iter().zip(&solved) {
                        left.iter_mut().zip(solved).for_each(|(left, z)| *left -= factor * z);
                    }
                    for (left, variance) in left.iter_mut().zip(&mut variances) {
                        *left /= pivot;
                        *variance -= *left * *left;
                    }
                    solved.push(left);
                }
            }
            for (outcome, means) in outcomes.iter().zip(means.chunks_exact(count)) {
                for ((bound, mean), variance) in bounds.iter_mut().zip(means).zip(&variances) {
                    let deviation = variance.max(prepared.belief.variance_floor).sqrt();
                    *bound += self.bound_of(outcome.best, *mean, deviation);
                }
            }
        }
    }

    /// The scores of up to [`LANES`] rows.
    fn score(&self, prepared: &[Prepared<'_>], rows: &[u32], scores: &mut [f64]) {
        scores.fill(0.0);
        // Lanes that are left over repeat the first row.
        let mut places = [rows[0]; LANES];
        places[..rows.len()].copy_from_slice(rows);
        let selected = self.rows.select(&places);
        for prepared in prepared {
            let outcomes = &prepared.belief.outcomes;
            let mut means = vec![[0.0; LANES]; outcomes.len()];
            let mut variances = [prepared.scale + prepared.belief.variance_floor; LANES];
            let mut solved: Vec<[f64; LANES]> = Vec::with_capacity(prepared.points.len());
            for i in 0..prepared.points.len() {
                let mut left = [0.0; LANES];
                prepared.cross(&selected, 0, i, &mut left);
                for (outcome, means) in outcomes.iter().zip(&mut means) {
                    let weight = outcome.weights[i];
                    means.iter_mut().zip(&left).for_each(|(mean, k)| *mean += weight * k);
                }
                let (row, pivot) = prepared.row(i);
                for (factor, solved) in row.iter().zip(&solved) {
                    for lane in 0..LANES {
                        left[lane] -= factor * solved[lane];
                    }
                }
                for lane in 0..LANES {
                    left[lane] /= pivot;
                    variances[lane] -= left[lane] * left[lane];
                }
                solved.push(left);
            }
            for (outcome, means) in outcomes.iter().zip(&means) {
                for (lane, score) in scores.iter_mut().enumerate() {
                    let deviation = variances[lane].max(prepared.belief.variance_floor).sqrt();
                    *score += self.value(outcome.best, means[lane], deviation);
                }
            }
        }
    }
}

/// The distances of a table's columns, where those of some are between choices.
pub fn distances(is_choice: impl IntoIterator<Item = bool>) -> Vec<Distance> {
    let kind = |is_choice| if is_choice { Distance::Hamming } else { Distance::Difference };
    is_choice.into_iter().map(kind).collect()
}

/// The rows of a table as points of a kernel; two choices of an index differ by 1 where
/// `is_hamming` says so, else by how far apart they stand.
pub fn table_rows(context: &Context<'_>, categorical: Categorical, is_hamming: bool) -> Inputs {
    let encoded = Encoded::new(context.space, context.points, context.rows, categorical);
    let parameters = &context.space.parameters;
    let is_choice = encoded.encoder().columns().iter().map(|column| {
        let domain = &parameters[column.parameter].domain;
        is_hamming && matches!(domain, Domain::Categorical { .. })
    });
    let mut rows = Inputs::new(&distances(is_choice));
    for row in 0..context.rows {
        rows.push(encoded.row(ConfigId(row)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use base::rng::Stream;
    use rand::RngExt;

    use super::super::Hyperparameters;
    use super::*;

    struct Table {
        is_free: Vec<bool>,
        positions: Vec<u32>,
    }

    impl Rows for Table {
        fn count(&self) -> u32 {
            u32::try_from(self.is_free.len()).unwrap()
        }

        fn is_free(&self, row: u32) -> bool {
            self.is_free[row as usize]
        }

        fn position(&self, row: u32) -> u32 {
            self.positions[row as usize]
        }
    }

    /// A process that has seen the first rows, with more than one outcome where asked.
    fn belief(rows: &Inputs, seen: u32, outcomes: usize, rng: &mut Stream) -> Belief {
        let places: Vec<u32> = (0..seen).collect();
        let hyper = Hyperparameters {
            weights: (0..3).map(|_| 0.3 + 6.0 * rng.random::<f64>()).collect(),
            scale: 0.5 + rng.random::<f64>(),
            noise: 1e-3,
        };
        let targets: Vec<f64> = places.iter().map(|_| rng.random::<f64>() - 0.5).collect();
        let inputs = rows.select(&places);
        let process = GaussianProcess::new(Shape::Matern52, hyper, inputs, &targets).unwrap();
        let mut belief = Belief::of(process, -0.45, 1e-12);
        for _ in 1..outcomes {
            let mut outcome = belief.outcomes[0].clone();
            for w in &mut outcome.weights {
                *w *= 1.0 + 0.1 * rng.random::<f64>();
            }
            outcome.best = -0.45 - 0.05 * rng.random::<f64>();
            belief.outcomes.push(outcome);
        }
        belief
    }

    #[test]
    fn bounds_spare_rows_and_never_change_the_one_that_is_found() {
        let criteria = [
            Criterion::ExpectedImprovement,
            Criterion::ProbabilityOfImprovement,
            Criterion::LowerBound { beta: 2.0 },
            Criterion::LowerBound { beta: 0.0 },
        ];
        for (case, (seen, beliefs, outcomes)) in
            (0..).zip([(3, 1, 1), (50, 1, 1), (50, 1, 3), (40, 2, 1), (60, 2, 2)])
        {
            let mut rng = Stream::new(6, case, "test");
            let mut rows = Inputs::new(&[Distance::Difference; 3]);
            // Coarse coordinates: some rows are one point, and tie.
            let mut draw = || (rng.random::<f64>() * 6.0).floor() / 6.0;
            (0..700).for_each(|_| rows.push(&[draw(), draw(), draw()]));
            let beliefs: Vec<Belief> =
                (0..beliefs).map(|_| belief(&rows, seen, outcomes, &mut rng)).collect();
            let mut positions: Vec<u32> = (0..700).collect();
            (1..700).rev().for_each(|at| positions.swap(at, rng.random_range(0..=at)));
            let is_free = (0..700).map(|row| row >= seen && row % 5 != 0).collect();
            let mut table = Table { is_free, positions };
            for criterion in criteria {
                let search = PoolSearch::new(&rows, &beliefs, criterion);
                let mut free: Vec<u32> = (0..700).filter(|row| table.is_free(*row)).collect();
                free.sort_by_key(|row| table.position(*row));
                let scores = search.scores(&free);
                let first = crate::kit::rows::first_argmax(scores.iter().copied()).unwrap();
                for threads in [1, 3] {
                    let found = search.best(&table, threads);
                    assert_eq!(found, Some(free[first]), "case {case} {criterion:?}");
                }
            }
            table.is_free.fill(false);
            let search = PoolSearch::new(&rows, &beliefs, criteria[0]);
            assert_eq!(search.best(&table, 1), None);
        }
    }

    #[test]
    fn scores_are_those_of_the_posterior() {
        let mut rng = Stream::new(7, 0, "test");
        let mut rows = Inputs::new(&distances([false, true, false]));
        for at in 0..60 {
            rows.push(&[rng.random(), f64::from(at % 3), rng.random()]);
        }
        let beliefs = [belief(&rows, 20, 1, &mut rng), belief(&rows, 30, 1, &mut rng)];
        let places: Vec<u32> = (0..60).collect();
        for (count, criterion) in [
            (1, Criterion::ExpectedImprovement),
            (2, Criterion::ExpectedImprovement),
            (1, Criterion::ProbabilityOfImprovement),
            (2, Criterion::ProbabilityOfImprovement),
            (2, Criterion::LowerBound { beta: 1.5 }),
        ] {
            let search = PoolSearch::new(&rows, &beliefs[..count], criterion);
            for (row, score) in places.iter().zip(search.scores(&places)) {
                let expected: f64 = beliefs[..count]
                    .iter()
                    .map(|belief| {
                        let at = belief.process.predict(&rows.point(*row as usize));
                        let deviation = (at.variance + 1e-12).sqrt();
                        search.value(-0.45, at.mean, deviation)
                    })
                    .sum();
                let allowed = 1e-8 * expected.abs().max(1.0);
                assert!((score - expected).abs() < allowed, "{row}: {score}, not {expected}");
            }
        }
    }
}
