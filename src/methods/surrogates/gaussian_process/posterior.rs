//! What a Gaussian process knows once it has seen something, whatever its kernel: for kernels over
//! epochs or products of kernels, which [`GaussianProcess`](super::GaussianProcess) has not, bring
//! a covariance matrix of your own.

use super::dot;
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};

/// `ln(2 pi) / 2`.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// A normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    pub mean: f64,
    /// Not negative.
    pub variance: f64,
}

/// The posterior of a process of mean 0 (Rasmussen & Williams 2006, algorithm 2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    cholesky: Cholesky,
    /// `K^-1 y`.
    weights: Vector,
    /// `y^T K^-1 y`.
    misfit: f64,
    jitter: f64,
}

impl Posterior {
    /// Conditions on `targets` whose covariance, noise on its diagonal included, is `covariance`;
    /// its lower triangle is read. Where rounding has left it short of positive definite, 1e-8 and
    /// then ten times more each time is added to its diagonal, up to 1e-2. `None` where that is not
    /// enough, or something is not finite.
    ///
    /// # Panics
    /// Where the sizes differ.
    pub fn new(covariance: &Matrix, targets: &Vector) -> Option<Self> {
        let (cholesky, jitter) = Cholesky::with_jitter(covariance)?;
        Self::of(cholesky, targets, jitter)
    }

    /// As [`Self::new`], of a factor that is there already.
    pub fn of(cholesky: Cholesky, targets: &Vector, jitter: f64) -> Option<Self> {
        let weights = cholesky.solve(targets);
        let misfit = dot(targets.as_slice(), weights.as_slice());
        misfit.is_finite().then_some(Self { cholesky, weights, misfit, jitter })
    }

    /// The factor of the covariance.
    pub fn cholesky(&self) -> &Cholesky {
        &self.cholesky
    }

    /// `K^-1 y`: the mean at a point is its covariances with what was seen, times these.
    pub fn weights(&self) -> &[f64] {
        self.weights.as_slice()
    }

    /// What had to be added to the diagonal.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The logarithm of the marginal likelihood (equation 2.30).
    pub fn log_likelihood(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let count = self.weights.len() as f64;
        -0.5 * self.misfit - 0.5 * self.cholesky.log_determinant() - count * HALF_LN_TAU
    }

    /// The value at a point with these covariances with what was seen, and this variance before
    /// anything was.
    pub fn predict(&self, cross: &Vector, variance: f64) -> Normal {
        let explained = self.cholesky.solve_lower(cross);
        let explained = dot(explained.as_slice(), explained.as_slice());
        let mean = dot(cross.as_slice(), self.weights());
        Normal { mean, variance: (variance - explained).max(0.0) }
    }

    /// The inverse of the covariance, of which the lower triangle is written and the rest void;
    /// `n^3 / 3` multiplications.
    pub fn inverse(&self) -> Matrix {
        let size = self.weights.len();
        let factor = self.cholesky.factor();
        // The inverse of the factor, row after row, 0 above its diagonal: row i needs those before
        // it. Four rows are taken at once, for the entries to be written back less often.
        let mut rows = vec![0.0; size * size];
        for i in 0..size {
            let (before, row) = rows.split_at_mut(i * size);
            for (four, at) in before.chunks(4 * size).zip((0..).step_by(4)) {
                let factors = |next| if at + next < i { -factor[(i, at + next)] } else { 0.0 };
                let sums = &mut row[..i.min(at + 4)];
                add_four(sums, four, (size, 0), [0, 1, 2, 3].map(factors));
            }
            let row = &mut row[..=i];
            row[i] = 1.0;
            let pivot = factor[(i, i)];
            for x in row {
                *x /= pivot;
            }
        }
        // K^-1 is the sum over the rows of each one's product with itself.
        let mut inverse = Matrix::zeros(size, size);
        for (j, column) in inverse.as_mut_slice().chunks_exact_mut(size.max(1)).enumerate() {
            let first = j / 4 * 4;
            for (four, at) in rows[first * size..].chunks(4 * size).zip((first..).step_by(4)) {
                let factors = |next: usize| four.get(next * size + j).copied().unwrap_or(0.0);
                let last = size.min(at + 4);
                let sums = &mut column[j..last];
                add_four(sums, four, (size, j), [0, 1, 2, 3].map(factors));
            }
        }
        inverse
    }

    /// `y y^T` in the measure of the inverse, less the inverse: the lower triangle of `Q`, with
    /// which the derivative of the log likelihood by a parameter is half the sum over all pairs of
    /// `Q` times the covariance's derivative (equation 5.9).
    pub fn sensitivity(&self) -> Matrix {
        let mut found = self.inverse();
        let weights = self.weights();
        let size = weights.len();
        for (j, column) in found.as_mut_slice().chunks_exact_mut(size.max(1)).enumerate() {
            let weight = weights[j];
            let entries = column[j..].iter_mut().zip(&weights[j..]);
            entries.for_each(|(entry, other)| *entry = weight * other - *entry);
        }
        found
    }
}

/// Adds multiples of up to four rows, each `size` long, from the entry `first` on, one after
/// another.
fn add_four(sums: &mut [f64], rows: &[f64], (size, first): (usize, usize), factors: [f64; 4]) {
    let row = |at: usize| &rows[at * size + first..][..sums.len()];
    let count = rows.len() / size;
    if count < 4 {
        let rows: Vec<&[f64]> = (0..count).map(row).collect();
        for (row, factor) in rows.into_iter().zip(factors) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
        }
        return;
    }
    let [a, b, c, d] = [0, 1, 2, 3].map(row);
    for (at, sum) in sums.iter_mut().enumerate() {
        let after_two = *sum + factors[0] * a[at] + factors[1] * b[at];
        *sum = after_two + factors[2] * c[at] + factors[3] * d[at];
    }
}
