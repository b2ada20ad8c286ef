//! The freeze-thaw model of learning curves (Swersky, Snoek, Adams, "Freeze-thaw Bayesian
//! optimization", 2014, section 3).
//!
//! A curve is `y_i(t) = f(x_i) + g_i(t) + noise`: an asymptote `f`, a Gaussian process over
//! configurations (Matérn 5/2 with a lengthscale a column, a constant mean); and a decay towards it
//! of the curve's own, `cov(g(t), g(u)) = d (b / (t + u + b))^a`: the covariance of a mixture of
//! exponential decays whose rates are gamma distributed.
//!
//! Given the asymptotes, curves are independent, so that a curve says of its asymptote what one
//! value would with a noise of its own (their equations 11 to 20): with `K` the covariance of
//! its epochs, `precision = 1' K^-1 1` and `value = 1' K^-1 y / precision`. The work is that of a
//! Gaussian process of as many points as there are *curves*.

mod fit;

pub use self::fit::fit;
use crate::kit::linear_algebra::{Cholesky, Matrix, Vector};

/// `ln(2 pi) / 2`.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// What the model is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperparameters {
    /// A lengthscale a column, positive.
    pub lengthscales: Vec<f64>,
    /// Variance of asymptotes.
    pub scale: f64,
    /// Mean of asymptotes.
    pub mean: f64,
    /// Variance of the decay at its start (`d`).
    pub decay: f64,
    /// The exponent (`a`).
    pub alpha: f64,
    /// In epochs (`b`).
    pub beta: f64,
    /// Variance of the noise, positive.
    pub noise: f64,
}

/// What was seen of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The configuration.
    pub point: Vec<f64>,
    /// Epochs from 1 with their values, at least one, ascending.
    pub values: Vec<(u16, f64)>,
}

/// What is believed of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    pub mean: f64,
    /// Not negative.
    pub variance: f64,
}

/// What a curve says of its asymptote.
#[derive(Debug, Clone, Copy)]
struct Said {
    value: f64,
    precision: f64,
    /// The rest of its likelihood, in which the asymptote does not stand.
    log_rest: f64,
}

impl Hyperparameters {
    /// The covariance of a decay at two epochs.
    fn decay(&self, t: u16, u: u16) -> f64 {
        let epochs = f64::from(t) + f64::from(u);
        self.decay * libm::pow(self.beta / (epochs + self.beta), self.alpha)
    }

    /// The covariance of the asymptotes of two configurations.
    fn asymptotes(&self, x: &[f64], y: &[f64]) -> f64 {
        let columns = x.iter().zip(y).zip(&self.lengthscales);
        let squared = columns.map(|((x, y), length)| ((x - y) / length) * ((x - y) / length));
        let r = (5.0 * squared.sum::<f64>()).sqrt();
        self.scale * (1.0 + r + r * r * (1.0 / 3.0)) * libm::exp(-r)
    }

    /// `None` where the covariance has no factor.
    fn said(&self, curve: &Curve) -> Option<Said> {
        let count = curve.values.len();
        let epoch = |at: usize| curve.values[at].0;
        let noise = |i: usize, j: usize| if i == j { self.noise } else { 0.0 };
        let covariance =
            Matrix::from_fn(count, count, |i, j| self.decay(epoch(i), epoch(j)) + noise(i, j));
        let (factor, _) = Cholesky::with_jitter(&covariance)?;
        let half = |right: Vector| factor.solve_lower(&right);
        let ones = half(Vector::from_element(count, 1.0));
        let values = half(Vector::from_iterator(count, curve.values.iter().map(|(_, y)| *y)));
        let dot = |a: &Vector, b: &Vector| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (precision, weighted) = (dot(&ones, &ones), dot(&ones, &values));
        #[expect(clippy::cast_precision_loss, reason = "epochs are 16 bits")]
        let others = (count - 1) as f64;
        let misfit = dot(&values, &values) - weighted * weighted / precision;
        let log_rest = -0.5 * (misfit + factor.log_determinant() + libm::log(precision))
            - others * HALF_LN_TAU;
        Some(Said { value: weighted / precision, precision, log_rest })
    }
}

/// The model once it has seen some curves.
#[derive(Debug, Clone)]
pub struct FreezeThaw {
    hyper: Hyperparameters,
    points: Vec<Vec<f64>>,
    factor: Cholesky,
    weights: Vector,
    log_likelihood: f64,
}

impl FreezeThaw {
    /// Conditions on some curves. `None` where a covariance has no factor, even with jitter, or
    /// something is not finite.
    pub fn new(hyper: Hyperparameters, curves: &[Curve]) -> Option<Self> {
        let said: Vec<Said> =
            curves.iter().map(|curve| hyper.said(curve)).collect::<Option<_>>()?;
        let count = curves.len();
        let points: Vec<Vec<f64>> = curves.iter().map(|curve| curve.point.clone()).collect();
        let own = |i: usize, j: usize| if i == j { 1.0 / said[i].precision } else { 0.0 };
        let covariance = Matrix::from_fn(count, count, |i, j| {
            // The upper triangle is not read.
            if i < j { 0.0 } else { hyper.asymptotes(&points[i], &points[j]) + own(i, j) }
        });
        let (factor, _) = Cholesky::with_jitter(&covariance)?;
        let residuals = said.iter().map(|said| said.value - hyper.mean);
        let residuals = Vector::from_iterator(count, residuals);
        let weights = factor.solve(&residuals);
        let misfit: f64 = residuals.iter().zip(&weights).map(|(r, w)| r * w).sum();
        #[expect(clippy::cast_precision_loss, reason = "curves are few")]
        let constant = count as f64 * HALF_LN_TAU;
        let of_curves: f64 = said.iter().map(|said| said.log_rest).sum();
        let log_likelihood = of_curves - 0.5 * (misfit + factor.log_determinant()) - constant;
        let is_finite = log_likelihood.is_finite();
        is_finite.then_some(Self { hyper, points, factor, weights, log_likelihood })
    }

    /// The logarithm of the marginal likelihood of everything that was seen.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// The asymptote of a configuration, seen or not.
    pub fn asymptote(&self, point: &[f64]) -> Belief {
        let cross = self.points.iter().map(|seen| self.hyper.asymptotes(seen, point));
        let cross = Vector::from_iterator(self.points.len(), cross);
        let mean: f64 = cross.iter().zip(&self.weights).map(|(k, w)| k * w).sum();
        let explained: f64 = self.factor.solve_lower(&cross).iter().map(|x| x * x).sum();
        let variance = (self.hyper.scale - explained).max(0.0);
        Belief { mean: self.hyper.mean + mean, variance }
    }
}

#[cfg(test)]
mod tests;
