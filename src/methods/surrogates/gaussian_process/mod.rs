//! Gaussian processes with stationary kernels and a lengthscale a column (Rasmussen & Williams,
//! "Gaussian processes for machine learning", 2006).
//!
//! A value is `mean + f(x) + noise` with `cov(f(a), f(b)) = scale * shape(r)`, `r^2 = sum_d
//! weight_d (a_d - b_d)^2`, and independent noise of variance `noise`. `weight_d` is one over the
//! squared lengthscale: at 0 a column is left out. Targets come with their mean taken off; what to
//! take off, and what to divide by, is the caller's business.
//!
//! | part | for |
//! |---|---|
//! | [`GaussianProcess`] | the posterior at given hyperparameters, point by point |
//! | [`likelihood`] | the marginal likelihood with its gradient, its maximum under a prior |
//! | [`slice`](mod@slice) | draws from any density, for hyperparameters that are not maximised |
//! | [`pool`] | the row of a table with the best acquisition |
//! | [`Posterior`] | the same algebra for a covariance matrix of the caller's own |
//!
//! Observations are a few hundred: the time is `n^3 / 6` multiplications for a posterior and
//! `n^3 / 2` for a likelihood with its gradient. Every sum has one order on every machine. Inputs
//! are finite by assertion; a covariance that has no factor even with [jitter](Posterior::new) is
//! `None`.

mod inputs;
mod kernel;
pub mod likelihood;
pub mod pool;
mod posterior;
pub mod slice;

pub use self::inputs::{Distance, Inputs};
pub use self::kernel::Shape;
pub use self::posterior::{Normal, Posterior};
use crate::kit::linear_algebra::{Matrix, Vector};

/// What a kernel and its noise are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperparameters {
    /// One over the squared lengthscale, a column each; not negative.
    pub weights: Vec<f64>,
    /// Variance of the function, positive.
    pub scale: f64,
    /// Variance of the noise, not negative.
    pub noise: f64,
}

impl Hyperparameters {
    /// Lengthscales, scale and noise of 1.
    pub fn unit(width: usize) -> Self {
        Self { weights: vec![1.0; width], scale: 1.0, noise: 1.0 }
    }

    /// The logarithms, in which all of them are free: weights, scale, noise.
    pub fn logs(&self) -> Vec<f64> {
        let all = self.weights.iter().chain([&self.scale, &self.noise]);
        all.map(|x| libm::log(*x)).collect()
    }

    /// Undoes [`Self::logs`].
    ///
    /// # Panics
    /// Of fewer than 3 logarithms.
    pub fn from_logs(logs: &[f64]) -> Self {
        let mut weights: Vec<f64> = logs.iter().map(|x| libm::exp(*x)).collect();
        let noise = weights.pop().expect("a noise");
        let scale = weights.pop().expect("a scale");
        assert!(!weights.is_empty(), "a weight");
        Self { weights, scale, noise }
    }

    fn are_finite(&self) -> bool {
        let all = self.weights.iter().chain([&self.scale, &self.noise]);
        // A weighted distance must stay finite too.
        all.into_iter().all(|x| *x >= 0.0 && *x < 1e150)
    }
}

/// The scalar product of two slices of one length, in four sums that are added at the end: the
/// same order everywhere, and no addition waits for the one before it.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (quads_a, rest_a) = a.as_chunks::<4>();
    let (quads_b, rest_b) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in quads_a.iter().zip(quads_b) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The covariance matrix of noisy values at some points: its lower triangle, the rest 0.
pub fn covariance(shape: Shape, hyper: &Hyperparameters, inputs: &Inputs) -> Matrix {
    let size = inputs.count();
    let mut matrix = Matrix::zeros(size, size);
    for (j, column) in matrix.as_mut_slice().chunks_exact_mut(size.max(1)).enumerate() {
        column[j] = hyper.scale + hyper.noise;
        let below = &mut column[j + 1..];
        inputs.squared_distances(j + 1, &hyper.weights, &inputs.point(j), below);
        shape.correlate(below);
        for entry in below {
            *entry *= hyper.scale;
        }
    }
    matrix
}

/// A process that has seen something.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianProcess {
    shape: Shape,
    hyper: Hyperparameters,
    inputs: Inputs,
    posterior: Posterior,
}

impl GaussianProcess {
    /// Conditions on targets at some points, a target a point, their mean taken off. `None` where
    /// a hyperparameter is negative or not finite, or there is [no posterior](Posterior::new).
    ///
    /// # Panics
    /// Where there are other numbers of targets or weights than of points and columns.
    pub fn new(
        shape: Shape,
        hyper: Hyperparameters,
        inputs: Inputs,
        targets: &[f64],
    ) -> Option<Self> {
        assert_eq!(targets.len(), inputs.count(), "a target a point");
        assert_eq!(hyper.weights.len(), inputs.width(), "a weight a column");
        if !hyper.are_finite() {
            return None;
        }
        let targets = Vector::from_column_slice(targets);
        let posterior = Posterior::new(&covariance(shape, &hyper, &inputs), &targets)?;
        Some(Self { shape, hyper, inputs, posterior })
    }

    /// The kernel's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyper
    }

    /// The points that were seen.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    pub fn posterior(&self) -> &Posterior {
        &self.posterior
    }

    /// The covariances of the function at a point with those seen.
    pub fn cross(&self, point: &[f64]) -> Vector {
        let mut cross = Vector::zeros(self.inputs.count());
        let weights = &self.hyper.weights;
        self.inputs.squared_distances(0, weights, point, cross.as_mut_slice());
        self.shape.correlate(cross.as_mut_slice());
        cross *= self.hyper.scale;
        cross
    }

    /// The function at a point, without noise and without the mean that was taken off.
    pub fn predict(&self, point: &[f64]) -> Normal {
        self.posterior.predict(&self.cross(point), self.hyper.scale)
    }

    /// The covariances of the function at some places that may be among one another's neighbours:
    /// the joint posterior's mean and its covariance matrix, of which the lower triangle is
    /// written. For draws of several unknown values together.
    pub fn predict_jointly(&self, points: &Inputs) -> (Vector, Matrix) {
        let count = points.count();
        let mut halves = Matrix::zeros(self.inputs.count(), count);
        let mut mean = Vector::zeros(count);
        for at in 0..count {
            let cross = self.cross(&points.point(at));
            mean[at] = dot(cross.as_slice(), self.posterior.weights());
            halves.set_column(at, &cross);
        }
        self.posterior.cholesky().solve_lower_all(&mut halves);
        let prior = Hyperparameters { noise: 0.0, ..self.hyper.clone() };
        let mut covariance = covariance(self.shape, &prior, points);
        for j in 0..count {
            for i in j..count {
                let (a, b) = (halves.column(i), halves.column(j));
                covariance[(i, j)] -= dot(a.as_slice(), b.as_slice());
            }
        }
        (mean, covariance)
    }
}

#[cfg(test)]
mod tests;
