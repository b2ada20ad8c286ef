//! The Gaussian process over features.

use super::Prediction;
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};
use crate::surrogates::products::{Left, Product, transpose};

/// Lengthscale, scale, noise (all three before `softplus`) and mean.
pub(super) const HYPERPARAMETERS: usize = 4;

/// The least noise.
const NOISE_MIN: f64 = 1e-4;

/// Points that are predicted together.
const ASKED: usize = 256;

/// Its hyperparameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    /// Each with its slope by what Adam moves.
    lengthscale: (f64, f64),
    scale: (f64, f64),
    noise: (f64, f64),
    mean: f64,
}

/// `ln(1 + e^x)` and its slope.
fn softplus(x: f32) -> (f64, f64) {
    let x = f64::from(x);
    let slope = 1.0 / (1.0 + libm::exp(-x));
    (if x > 30.0 { x } else { libm::log1p(libm::exp(x)) }, slope)
}

#[expect(clippy::cast_possible_truncation, reason = "the network's precision")]
fn single(x: f64) -> f32 {
    x as f32
}

/// The squared distances of features: (a, b) of a number each, by the first's points.
fn squared_distances(width: usize, a: &[f32], b: &[f32]) -> Vec<f64> {
    let columns = b.len() / width;
    let mut turned = vec![0.0; b.len()];
    transpose(b, width, &mut turned);
    let mut products = vec![0.0; a.len() / width * columns];
    Product {
        left: Left::Plain(a),
        right: &turned,
        bias: &[],
        depth: width,
        columns,
        out: &mut products,
    }
    .compute();
    let square = |of: &[f32]| of.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
    let squares: Vec<f64> = b.chunks_exact(width).map(square).collect();
    let rows = products.chunks_exact(columns).zip(a.chunks_exact(width));
    let of_row = |(row, point): (&[f32], &[f32])| -> Vec<f64> {
        let own = square(point);
        let both = row.iter().zip(&squares);
        both.map(|(p, other)| (own + other - 2.0 * f64::from(*p)).max(0.0)).collect()
    };
    rows.flat_map(of_row).collect()
}

/// A posterior: the factor of the covariance, and what residuals weigh.
struct Posterior {
    factor: Cholesky,
    weights: Vector,
}

impl Process {
    pub(super) fn read(hyper: &[f32]) -> Self {
        let (noise, slope) = softplus(hyper[2]);
        Self {
            lengthscale: softplus(hyper[0]),
            scale: softplus(hyper[1]),
            noise: (noise + NOISE_MIN, slope),
            mean: f64::from(hyper[3]),
        }
    }

    fn covariance(&self, squared_distance: f64) -> f64 {
        let (lengthscale, _) = self.lengthscale;
        self.scale.0 * libm::exp(-0.5 * squared_distance / (lengthscale * lengthscale))
    }

    /// From the covariances without noise, row after row.
    fn posterior(&self, covariances: &[f64], values: &[f64]) -> Option<Posterior> {
        let count = values.len();
        let mut matrix = Matrix::from_column_slice(count, count, covariances);
        (0..count).for_each(|at| matrix[(at, at)] = self.scale.0 + self.noise.0);
        let (factor, _) = Cholesky::with_jitter(&matrix)?;
        let residuals = Vector::from_iterator(count, values.iter().map(|y| y - self.mean));
        let weights = factor.solve(&residuals);
        Some(Posterior { factor, weights })
    }

    /// The gradients of the negative logarithm of the marginal likelihood, a share of it a point,
    /// by the features and by the hyperparameters. `None` where the covariance has no factor.
    pub(super) fn gradients(
        &self,
        features: &[f32],
        values: &[f64],
    ) -> Option<(Vec<f32>, [f32; HYPERPARAMETERS])> {
        let count = values.len();
        let width = features.len() / count;
        let distances = squared_distances(width, features, features);
        let covariances: Vec<f64> = distances.iter().map(|d| self.covariance(*d)).collect();
        let Posterior { factor, weights } = self.posterior(&covariances, values)?;
        let inverse = inverse(&factor);
        #[expect(clippy::cast_precision_loss, reason = "points are few")]
        let share = 1.0 / count as f64;
        let squared_length = self.lengthscale.0 * self.lengthscale.0;
        let [mut by_scale, mut by_noise, mut by_length] = [0.0; 3];
        // By the squared distance of each pair.
        let mut by_distance = vec![0.0; count * count];
        for row in 0..count {
            let line = row * count..(row + 1) * count;
            let pairs = inverse[line.clone()].iter().zip(&weights);
            let known = covariances[line.clone()].iter().zip(&distances[line.clone()]);
            let mut sum = 0.0;
            for (at, ((inverse, weight), (covariance, distance))) in pairs.zip(known).enumerate() {
                let slope = 0.5 * share * (f64::from(*inverse) - weights[row] * weight);
                if at == row {
                    by_noise += slope;
                    by_scale += slope;
                    continue;
                }
                by_scale += slope * covariance / self.scale.0;
                by_length += slope * covariance * distance;
                let by = -0.5 * slope * covariance / squared_length;
                by_distance[line.start + at] = single(-by);
                sum += by;
            }
            // So that the product below gives the sums of differences.
            by_distance[line.start + row] = single(sum);
        }
        let mut by_features = vec![0.0; features.len()];
        Product {
            left: Left::Plain(&by_distance),
            right: features,
            bias: &[],
            depth: count,
            columns: width,
            out: &mut by_features,
        }
        .compute();
        for by in &mut by_features {
            *by *= 4.0;
        }
        let by_hyper = [
            by_length / (squared_length * self.lengthscale.0) * self.lengthscale.1,
            by_scale * self.scale.1,
            by_noise * self.noise.1,
            -share * weights.sum(),
        ];
        Some((by_features, by_hyper.map(single)))
    }

    /// What [`Self::gradients`] are the gradients of.
    #[cfg(test)]
    pub(super) fn loss(&self, features: &[f32], values: &[f64]) -> f64 {
        let count = values.len();
        let distances = squared_distances(features.len() / count, features, features);
        let covariances: Vec<f64> = distances.iter().map(|d| self.covariance(*d)).collect();
        let Posterior { factor, weights } = self.posterior(&covariances, values).unwrap();
        let residuals = values.iter().map(|y| y - self.mean);
        let fit: f64 = residuals.zip(&weights).map(|(r, w)| r * w).sum();
        0.5 * (fit + factor.log_determinant()) / f64::from(u32::try_from(count).unwrap())
    }

    /// See [`super::DeepKernel::predict`].
    pub(super) fn predict(
        &self,
        width: usize,
        seen: &[f32],
        values: &[f64],
        asked: &[f32],
    ) -> Vec<Prediction> {
        let distances = squared_distances(width, seen, seen);
        let covariances: Vec<f64> = distances.iter().map(|d| self.covariance(*d)).collect();
        let Some(Posterior { factor, weights }) = self.posterior(&covariances, values) else {
            let none = Prediction { mean: f64::NAN, deviation: f64::NAN };
            return vec![none; asked.len() / width];
        };
        // Of the factor's inverse, row after row: what it explains is summed over its columns.
        let half = half_inverse(&factor);
        let mut found = Vec::with_capacity(asked.len() / width);
        for some in asked.chunks(ASKED * width) {
            let count = some.len() / width;
            let cross = squared_distances(width, seen, some);
            let cross: Vec<f64> = cross.iter().map(|d| self.covariance(*d)).collect();
            let single: Vec<f32> = cross.iter().map(|k| single(*k)).collect();
            let mut explained = vec![0.0; cross.len()];
            Product {
                left: Left::Plain(&half),
                right: &single,
                bias: &[],
                depth: values.len(),
                columns: count,
                out: &mut explained,
            }
            .compute();
            for at in 0..count {
                let column = |of: usize| of * count + at;
                let (mut mean, mut variance) = (self.mean, self.scale.0);
                for point in 0..values.len() {
                    mean += weights[point] * cross[column(point)];
                    let part = f64::from(explained[column(point)]);
                    variance -= part * part;
                }
                let deviation = (variance.max(0.0) + self.noise.0).sqrt();
                found.push(Prediction { mean, deviation });
            }
        }
        found
    }
}

/// The inverse of a factor `L`, row after row.
fn half_inverse(factor: &Cholesky) -> Vec<f32> {
    let size = factor.size();
    let mut inverse = Matrix::identity(size, size);
    factor.solve_lower_all(&mut inverse);
    // Row after row it is the transpose's columns.
    inverse.transpose().iter().map(|x| single(*x)).collect()
}

/// The inverse of `L L^T`: `L^-T L^-1`.
fn inverse(factor: &Cholesky) -> Vec<f32> {
    let size = factor.size();
    let half = half_inverse(factor);
    let mut inverse = vec![0.0; size * size];
    Product {
        left: Left::Transposed(&half),
        right: &half,
        bias: &[],
        depth: size,
        columns: size,
        out: &mut inverse,
    }
    .compute();
    inverse
}
