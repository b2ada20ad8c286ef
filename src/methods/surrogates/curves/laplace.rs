//! The families one by one, each by a Laplace approximation: no chain, and no paper.

use super::combination::is_sane_fit;
use super::extrapolation::{Extrapolation, Part};
use super::fit::{Fit, recency_weights};
use super::posterior::fits;
use super::prefix::Prefix;
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};

/// The noise is estimated as though one further epoch had been seen with this residual, so that a
/// family that goes through every point is not taken to be exact.
const RESIDUAL: f64 = 0.01;

/// Extrapolates by the families' least-squares fits, which are those of
/// [`posterior`](super::posterior()). The parameters of a family are normal around its fit, with the
/// curvature of the weighted likelihood there plus that of a normal prior of deviation 1; its value
/// at the horizon is linear in them. Families are mixed in proportion to what the approximation says
/// of their evidence. `None` where no family can be fitted and is sane at the horizon.
pub fn laplace(prefix: &Prefix) -> Option<Extrapolation> {
    let fits = fits(prefix);
    let sane = fits.iter().filter(|fit| is_sane_fit(fit, prefix.horizon()));
    let found: Vec<Approximation> =
        sane.filter_map(|fit| Approximation::new(prefix, fit)).collect();
    let largest = found.iter().map(|one| one.log_evidence).fold(f64::NEG_INFINITY, f64::max);
    let weight = |one: &Approximation| libm::exp(one.log_evidence - largest);
    let total: f64 = found.iter().map(weight).sum();
    let mean = found.iter().map(|one| weight(one) * one.mean).sum::<f64>() / total;
    let square = |one: &Approximation| {
        let apart = one.mean - mean;
        weight(one) * (one.variance + apart * apart)
    };
    let variance = found.iter().map(square).sum::<f64>() / total;
    let part = |one: &Approximation| Part {
        mean: one.mean,
        deviation: (one.variance + one.noise).sqrt(),
        weight: weight(one),
    };
    let parts: Vec<Part> = found.iter().map(part).collect();
    Extrapolation::of_parts(&parts, mean, variance.sqrt())
}

/// What one family says of the value at the horizon.
struct Approximation {
    mean: f64,
    /// Of the curve, and of the noise of one epoch around it.
    variance: f64,
    noise: f64,
    log_evidence: f64,
}

impl Approximation {
    /// `None` where anything of it is not finite.
    #[expect(clippy::cast_precision_loss, reason = "epochs of a curve, parameters of a family")]
    fn new(prefix: &Prefix, fit: &Fit) -> Option<Self> {
        let (x, family, parameters) = (prefix.x(), fit.family, &fit.parameters);
        let (count, size) = (x.len() as f64, parameters.len());
        let squares = count * fit.deviation * fit.deviation;
        let freedom = (count - size as f64).max(0.0);
        let noise = (squares + RESIDUAL * RESIDUAL) / (freedom + 1.0);
        let weights = recency_weights(x.len());
        let scale = count / weights.iter().sum::<f64>() / noise;
        let mut precision = Matrix::identity(size, size);
        let mut slopes = Vector::zeros(size);
        for (x, weight) in x.iter().zip(&weights) {
            family.gradient(parameters, *x, slopes.as_mut_slice());
            for row in 0..size {
                for column in 0..size {
                    precision[(row, column)] += scale * weight * slopes[row] * slopes[column];
                }
            }
        }
        let factor = Cholesky::new(precision)?;
        let mean = fit.value(prefix.horizon());
        family.gradient(parameters, prefix.horizon(), slopes.as_mut_slice());
        let variance = factor.solve_lower(&slopes).norm_squared();
        let log_evidence =
            -0.5 * (count * libm::log(noise) + squares / noise) - 0.5 * factor.log_determinant();
        let is_finite = mean.is_finite() && variance.is_finite() && log_evidence.is_finite();
        is_finite.then_some(Self { mean, variance, noise, log_evidence })
    }
}
