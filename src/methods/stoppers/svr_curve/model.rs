//! The regression of one epoch: standardised, with settings found by a random search.

use rand::Rng;

use crate::kit::draws::{permutation, uniform_open};
use crate::kit::linear_algebra::Matrix;
use crate::surrogates::svr::{Settings, Svr, fit, radial, squared_distance};

/// Folds of the search.
const FOLDS: usize = 3;

/// Moves of a fit in the search: one that needs more is passed over.
const MOVES_MAX: usize = 20_000;

/// The range of `C` and of `gamma`, drawn on the logarithm.
const RANGE: (f64, f64) = (1e-5, 10.0);

/// Mean and standard deviation of some numbers, the latter over their count.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a number of trials")]
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let square = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    (mean, square.sqrt())
}

/// A fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    /// Mean of each feature, and what to multiply it by; 0 where it is the same for all.
    scales: Vec<(f64, f64)>,
    rows: Vec<Vec<f64>>,
    svr: Svr,
    gamma: f64,
    /// Mean and deviation of the targets.
    target: (f64, f64),
    deviation: f64,
}

impl Model {
    /// Fits targets from features by the best of `search` settings. `None` where the targets are
    /// all alike, or no setting has a fit.
    pub(super) fn fit(
        features: &[Vec<f64>],
        targets: &[f64],
        search: usize,
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let target = moments(targets.iter().copied());
        // Rounding alone is no difference.
        if target.1 <= 1e-12 * target.0.abs().max(f64::MIN_POSITIVE) || target.1.is_nan() {
            return None;
        }
        let width = features[0].len();
        let scales: Vec<(f64, f64)> = (0..width)
            .map(|at| {
                let (mean, deviation) = moments(features.iter().map(|row| row[at]));
                let is_alike = deviation <= 1e-12 * mean.abs().max(f64::MIN_POSITIVE);
                (mean, if is_alike { 0.0 } else { 1.0 / deviation })
            })
            .collect();
        let rows: Vec<Vec<f64>> = features.iter().map(|row| scaled(&scales, row)).collect();
        let targets: Vec<f64> = targets.iter().map(|y| (y - target.0) / target.1).collect();
        let problem = Problem::new(&rows, &targets);
        let (settings, gamma) = problem.search(search, rng)?;
        let kernel = problem.kernel(gamma);
        let svr = fit(&kernel, &targets, &settings)?;
        let deviation = problem.left_out(&kernel, &settings)? * target.1;
        Some(Self { scales, rows, svr, gamma, target, deviation })
    }

    /// The target that features lead to expect.
    pub(super) fn predict(&self, features: &[f64]) -> f64 {
        let row = scaled(&self.scales, features);
        let kernel =
            self.rows.iter().map(|known| radial(squared_distance(known, &row), self.gamma));
        self.target.0 + self.target.1 * self.svr.predict(kernel)
    }

    /// The root of the mean square of leave-one-out errors.
    pub(super) fn deviation(&self) -> f64 {
        self.deviation
    }
}

fn scaled(scales: &[(f64, f64)], row: &[f64]) -> Vec<f64> {
    row.iter().zip(scales).map(|(x, (mean, factor))| (x - mean) * factor).collect()
}

struct Problem<'a> {
    /// Squared distances.
    distances: Matrix,
    targets: &'a [f64],
}

impl<'a> Problem<'a> {
    fn new(rows: &[Vec<f64>], targets: &'a [f64]) -> Self {
        let distance = |a: usize, b: usize| squared_distance(&rows[a], &rows[b]);
        Self { distances: Matrix::from_fn(rows.len(), rows.len(), distance), targets }
    }

    fn kernel(&self, gamma: f64) -> Matrix {
        let mut kernel = self.distances.clone();
        for column in 0..kernel.ncols() {
            kernel[(column, column)] = 1.0;
            for row in column + 1..kernel.nrows() {
                let value = radial(kernel[(row, column)], gamma);
                kernel[(row, column)] = value;
                kernel[(column, row)] = value;
            }
        }
        kernel
    }

    /// The settings with the least squared error over shuffled folds, the first of equals.
    fn search(&self, count: usize, rng: &mut impl Rng) -> Option<(Settings, f64)> {
        let order = permutation(rng, self.targets.len());
        let (low, high) = (libm::log(RANGE.0), libm::log(RANGE.1));
        let mut best: Option<(f64, Settings, f64)> = None;
        for _ in 0..count {
            let mut on_logarithm = || libm::exp(low + (high - low) * uniform_open(rng));
            let (penalty, gamma) = (on_logarithm(), on_logarithm());
            let settings =
                Settings { moves_max: MOVES_MAX, ..Settings::new(penalty, uniform_open(rng)) };
            let kernel = self.kernel(gamma);
            let folds = (0..FOLDS).map(|fold| {
                let is_out = |at: usize| at % FOLDS == fold;
                let (out, kept): (Vec<usize>, Vec<usize>) =
                    (0..order.len()).partition(|at| is_out(*at));
                let rows = |places: &[usize]| -> Vec<usize> {
                    places.iter().map(|at| order[*at]).collect()
                };
                self.squared_error(&kernel, &settings, &rows(&kept), &rows(&out))
            });
            let error = folds.sum::<Option<f64>>();
            if let Some(error) = error
                && best.is_none_or(|(least, ..)| error < least)
            {
                best = Some((error, settings, gamma));
            }
        }
        best.map(|(_, settings, gamma)| (settings, gamma))
    }

    /// The sum of squared errors at some points of the fit to others. `None` where that has none.
    fn squared_error(
        &self,
        kernel: &Matrix,
        settings: &Settings,
        kept: &[usize],
        out: &[usize],
    ) -> Option<f64> {
        let part = Matrix::from_fn(kept.len(), kept.len(), |a, b| kernel[(kept[a], kept[b])]);
        let targets: Vec<f64> = kept.iter().map(|at| self.targets[*at]).collect();
        let svr = fit(&part, &targets, settings).filter(|svr| svr.has_converged)?;
        let errors = out.iter().map(|at| {
            let error = svr.predict(kept.iter().map(|known| kernel[(*known, *at)]));
            let error = error - self.targets[*at];
            error * error
        });
        Some(errors.sum())
    }

    /// The root of the mean squared error where each point in turn is left out.
    fn left_out(&self, kernel: &Matrix, settings: &Settings) -> Option<f64> {
        let count = self.targets.len();
        let errors = (0..count).map(|out| {
            let kept: Vec<usize> = (0..count).filter(|at| *at != out).collect();
            self.squared_error(kernel, settings, &kept, &[out])
        });
        #[expect(clippy::cast_precision_loss, reason = "a number of trials")]
        let mean = errors.sum::<Option<f64>>()? / count as f64;
        Some(mean.sqrt())
    }
}
