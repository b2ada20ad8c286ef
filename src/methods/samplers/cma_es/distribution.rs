//! The search distribution and its update, without trials or tables.

#![expect(clippy::cast_precision_loss, reason = "dimensions and members are few")]

use crate::kit::linear_algebra::{Matrix, Vector, symmetric_eigen};

/// The step size never exceeds this, as in `cmaes`.
const SIGMA_MAX: f64 = 1e32;
/// Stands for a squared length or an eigenvalue that rounding made nothing of, as in `cmaes`.
const EPSILON: f64 = 1e-8;
/// Below this, the widest axis of the distribution is no step any more.
const STEP_MIN: f64 = 1e-12;

/// Learning rates and weights: Hansen, "The CMA evolution strategy: a tutorial", 2016, equations 49
/// to 58.
#[derive(Debug, Clone)]
struct Rates {
    /// Members of a generation, lambda.
    members: usize,
    /// Parents, mu.
    parents: usize,
    /// w, by rank; negative ones behind the parents.
    weights: Vec<f64>,
    mu_effective: f64,
    c_sigma: f64,
    d_sigma: f64,
    c_c: f64,
    c_1: f64,
    c_mu: f64,
    /// The mean length of a standard normal vector.
    chi: f64,
}

/// How many members a generation has: `4 + floor(3 ln D)` (equation 48).
pub(super) fn members_of(dimensions: usize) -> usize {
    let exact = 3.0 * libm::log(dimensions as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0")]
    let floor = exact as usize;
    4 + floor
}

impl Rates {
    fn new(dimensions: usize, members: usize) -> Self {
        let n = dimensions as f64;
        let parents = members / 2;
        let middle = libm::log((members + 1) as f64 / 2.0);
        let raw: Vec<f64> = (1..=members).map(|rank| middle - libm::log(rank as f64)).collect();
        let effective = |part: &[f64]| {
            let sum: f64 = part.iter().sum();
            sum * sum / part.iter().map(|w| w * w).sum::<f64>()
        };
        let mu_effective = effective(&raw[..parents]);
        let mu_effective_minus = effective(&raw[parents..]);
        let c_1 = 2.0 / ((n + 1.3) * (n + 1.3) + mu_effective);
        let of_rank = 2.0 * (mu_effective - 2.0 + 1.0 / mu_effective);
        let c_mu = (1.0 - c_1 - 1e-8).min(of_rank / ((n + 2.0) * (n + 2.0) + mu_effective));
        // How much the worse half may be held against the directions that it took.
        let least = (1.0 + c_1 / c_mu)
            .min(1.0 + 2.0 * mu_effective_minus / (mu_effective + 2.0))
            .min((1.0 - c_1 - c_mu) / (n * c_mu));
        let positive: f64 = raw.iter().filter(|w| **w > 0.0).sum();
        let negative: f64 = raw.iter().filter(|w| **w < 0.0).map(|w| w.abs()).sum();
        let scaled = |w: &f64| if *w >= 0.0 { w / positive } else { least / negative * w };
        let weights = raw.iter().map(scaled).collect();
        let c_sigma = (mu_effective + 2.0) / (n + mu_effective + 5.0);
        let excess = ((mu_effective - 1.0) / (n + 1.0)).sqrt() - 1.0;
        Self {
            members,
            parents,
            weights,
            mu_effective,
            c_sigma,
            d_sigma: 1.0 + 2.0 * excess.max(0.0) + c_sigma,
            c_c: (4.0 + mu_effective / n) / (n + 4.0 + 2.0 * mu_effective / n),
            c_1,
            c_mu,
            chi: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

/// A normal distribution of points, `N(mean, sigma^2 C)`, and the paths that adapt it.
#[derive(Debug, Clone)]
pub(super) struct Distribution {
    rates: Rates,
    pub(super) mean: Vector,
    pub(super) sigma: f64,
    pub(super) covariance: Matrix,
    path_sigma: Vector,
    path_c: Vector,
    /// Columns along the axes of `C`, and the lengths of those.
    axes: Matrix,
    lengths: Vector,
    pub(super) generation: i32,
}

impl Distribution {
    /// A round one.
    pub(super) fn new(mean: Vec<f64>, sigma: f64, members: usize) -> Self {
        let dimensions = mean.len();
        Self {
            rates: Rates::new(dimensions, members),
            mean: Vector::from_vec(mean),
            sigma,
            covariance: Matrix::identity(dimensions, dimensions),
            path_sigma: Vector::zeros(dimensions),
            path_c: Vector::zeros(dimensions),
            axes: Matrix::identity(dimensions, dimensions),
            lengths: Vector::from_element(dimensions, 1.0),
            generation: 0,
        }
    }

    /// Members of a generation.
    pub(super) fn members(&self) -> usize {
        self.rates.members
    }

    /// The point of some standard normal numbers, one a dimension.
    pub(super) fn point(&self, normals: &[f64]) -> Vec<f64> {
        let scaled = self.lengths.component_mul(&Vector::from_column_slice(normals));
        let point = &self.mean + (&self.axes * scaled) * self.sigma;
        point.iter().copied().collect()
    }

    /// Moves and reshapes the distribution by a whole generation of points, the best first.
    /// Whether there still is one: rounding may have left nothing of it.
    pub(super) fn update(&mut self, ranked: &[Vec<f64>]) -> bool {
        assert_eq!(ranked.len(), self.rates.members, "a whole generation");
        self.generation += 1;
        let Rates {
            parents, ref weights, mu_effective, c_sigma, d_sigma, c_c, c_1, c_mu, chi, ..
        } = self.rates;
        let step = |x: &Vec<f64>| (Vector::from_column_slice(x) - &self.mean) / self.sigma;
        let steps: Vec<Vector> = ranked.iter().map(step).collect();
        let n = self.mean.len() as f64;
        let inverse_lengths = self.lengths.map(|length| 1.0 / length);
        let whitened =
            |y: &Vector| &self.axes * (self.axes.tr_mul(y)).component_mul(&inverse_lengths);

        let mut mean_step = Vector::zeros(self.mean.len());
        for (y, weight) in steps.iter().zip(weights).take(parents) {
            mean_step += y * *weight;
        }
        let push = (c_sigma * (2.0 - c_sigma) * mu_effective).sqrt();
        self.path_sigma = &self.path_sigma * (1.0 - c_sigma) + whitened(&mean_step) * push;
        let length = self.path_sigma.norm();
        // Whether the path has grown too fast to tell a direction.
        let age = libm::pow(1.0 - c_sigma, f64::from(2 * (self.generation + 1)));
        let is_calm = length / (1.0 - age).sqrt() < (1.4 + 2.0 / (n + 1.0)) * chi;
        let calm = f64::from(u8::from(is_calm));
        let push = calm * (c_c * (2.0 - c_c) * mu_effective).sqrt();
        self.path_c = &self.path_c * (1.0 - c_c) + &mean_step * push;

        let kept =
            1.0 + c_1 * (1.0 - calm) * c_c * (2.0 - c_c) - c_1 - c_mu * weights.iter().sum::<f64>();
        let mut covariance =
            &self.covariance * kept + (&self.path_c * self.path_c.transpose()) * c_1;
        for (y, weight) in steps.iter().zip(weights) {
            let scale =
                if *weight >= 0.0 { 1.0 } else { n / (whitened(y).norm_squared() + EPSILON) };
            covariance += (y * y.transpose()) * (c_mu * weight * scale);
        }
        self.mean += mean_step * self.sigma;
        let growth = libm::exp(c_sigma / d_sigma * (length / chi - 1.0));
        self.sigma = (self.sigma * growth).min(SIGMA_MAX);
        self.decompose(&covariance)
    }

    /// Takes the covariance apart into axes and lengths.
    fn decompose(&mut self, covariance: &Matrix) -> bool {
        let even = (covariance + covariance.transpose()) * 0.5;
        let Some(eigen) = symmetric_eigen(even) else { return false };
        self.lengths = eigen.values.map(|value| if value < 0.0 { EPSILON } else { value }.sqrt());
        self.axes = eigen.vectors;
        let squares = self.lengths.component_mul(&self.lengths);
        self.covariance = &self.axes * Matrix::from_diagonal(&squares) * self.axes.transpose();
        let step = self.sigma * self.lengths.max();
        let shortest = self.lengths.min();
        step.is_finite()
            && step > STEP_MIN
            && shortest > 0.0
            && self.mean.iter().all(|x| x.is_finite())
    }
}
