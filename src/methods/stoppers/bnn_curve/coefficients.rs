//! The last layer: what the beginning of a curve says of its coefficients.
//!
//! A network gives a curve's functions and says what their coefficients will be. How far these are
//! off is normal, with one covariance for all, and so is the noise, with a variance for each
//! quarter of the time. Both are found from curves that the networks have not seen, by expectation
//! and maximisation; then the coefficients of a new curve, given its beginning, are a Bayesian
//! linear regression in closed form.

use super::basis::COEFFICIENTS;
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};

/// Rounds of expectation and maximisation.
const ROUNDS: usize = 50;

/// Where the search begins: the variance of a coefficient and of the noise.
const START: (f64, f64) = (0.01, 1e-3);

/// Added to each variance of the covariance, so that no coefficient is held to be known.
const RIDGE: f64 = 1e-6;

/// The least variance of the noise: a ten-thousandth where curves span .8.
const NOISE_MIN: f64 = 1e-8;

const QUARTERS: usize = 4;

/// In which quarter of the table's epochs a time of (0, 1] lies.
fn quarter(time: f64) -> usize {
    (0..QUARTERS - 1).find(|at| time <= [0.25, 0.5, 0.75][*at]).unwrap_or(QUARTERS - 1)
}

/// An observed epoch of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observed {
    pub(super) time: f64,
    /// What multiplies each coefficient at that time.
    pub(super) row: [f64; COEFFICIENTS],
    /// The score less what the network says.
    pub(super) error: f64,
}

/// What is off by how much.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// Of what the coefficients are off by.
    covariance: Matrix,
    /// The variance of the noise, by quarters.
    noise: [f64; QUARTERS],
}

/// The coefficients of a curve less what the network says, given its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Posterior {
    mean: Vector,
    covariance: Matrix,
}

impl Posterior {
    /// Mean and variance of the curve at a time, less what the network says.
    fn at(&self, row: &[f64; COEFFICIENTS]) -> (f64, f64) {
        let row = Vector::from_column_slice(row);
        (row.dot(&self.mean), row.dot(&(&self.covariance * &row)))
    }
}

impl Layer {
    /// That under which curves that the networks have not seen are likely. `None` where there are
    /// none, or what was observed of them leaves the numbers.
    pub(super) fn find(unseen: &[Vec<Observed>]) -> Option<Self> {
        let covariance = Matrix::from_diagonal_element(COEFFICIENTS, COEFFICIENTS, START.0);
        let mut layer = Self { covariance, noise: [START.1; QUARTERS] };
        if unseen.is_empty() {
            return None;
        }
        for _ in 0..ROUNDS {
            layer = layer.likelier(unseen)?;
        }
        Some(layer)
    }

    /// A round of expectation and maximisation.
    fn likelier(&self, unseen: &[Vec<Observed>]) -> Option<Self> {
        let precision = inverse(&self.covariance)?;
        let mut second = Matrix::zeros(COEFFICIENTS, COEFFICIENTS);
        let (mut squares, mut counts) = ([0.0; QUARTERS], [0.0; QUARTERS]);
        for curve in unseen {
            let posterior = self.given_with(curve, &precision)?;
            second += &posterior.covariance + &posterior.mean * posterior.mean.transpose();
            for observed in curve {
                let (mean, variance) = posterior.at(&observed.row);
                let error = observed.error - mean;
                squares[quarter(observed.time)] += error * error + variance;
                counts[quarter(observed.time)] += 1.0;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of curves")]
        let mut covariance = second / unseen.len() as f64;
        for at in 0..COEFFICIENTS {
            covariance[(at, at)] += RIDGE;
        }
        let common = squares.iter().sum::<f64>() / counts.iter().sum::<f64>();
        let noise = std::array::from_fn(|at| {
            // A quarter in which nothing was measured has what all have together.
            let mean = if counts[at] > 0.0 { squares[at] / counts[at] } else { common };
            mean.max(NOISE_MIN)
        });
        Some(Self { covariance, noise })
    }

    /// The coefficients given the beginning of a curve. `None` where it leaves the numbers.
    pub(super) fn given(&self, beginning: &[Observed]) -> Option<Posterior> {
        self.given_with(beginning, &inverse(&self.covariance)?)
    }

    fn given_with(&self, beginning: &[Observed], precision: &Matrix) -> Option<Posterior> {
        let mut precision = precision.clone();
        let mut right = Vector::zeros(COEFFICIENTS);
        for Observed { time, row, error } in beginning {
            let weight = 1.0 / self.noise[quarter(*time)];
            for a in 0..COEFFICIENTS {
                right[a] += weight * row[a] * error;
                for b in 0..COEFFICIENTS {
                    precision[(a, b)] += weight * row[a] * row[b];
                }
            }
        }
        let covariance = inverse(&precision)?;
        let mean = &covariance * right;
        Some(Posterior { mean, covariance })
    }

    /// Mean and variance of an observed score at a time, less what the network says.
    pub(super) fn score(
        &self,
        posterior: &Posterior,
        time: f64,
        row: &[f64; COEFFICIENTS],
    ) -> (f64, f64) {
        let (mean, variance) = posterior.at(row);
        (mean, variance + self.noise[quarter(time)])
    }
}

/// The inverse of a symmetric matrix. `None` where it is not positive definite.
fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let (factor, _) = Cholesky::with_jitter(matrix)?;
    let mut inverse = Matrix::identity(matrix.nrows(), matrix.nrows());
    factor.solve_lower_all(&mut inverse);
    Some(inverse.transpose() * inverse)
}

#[cfg(test)]
mod tests;
