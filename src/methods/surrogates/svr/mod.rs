//! Support vector regression with a share of support vectors: ν-SVR.
//!
//! Schölkopf, Smola, Williamson & Bartlett, "New support vector algorithms", Neural Computation 12,
//! 2000, in the scaling of libsvm (Chang & Lin, "LIBSVM: a library for support vector machines",
//! 2011, section 2.5): of `f(x) = sum_i (a_i - a*_i) k(x_i, x) + b` the weights minimise
//! `1/2 (a - a*)^T K (a - a*) - y^T (a - a*)` with `0 <= a, a* <= C` and
//! `sum a = sum a* = C nu n / 2`. At most about a share `nu` of the points
//! lies outside of the tube.
//!
//! Solved by sequential minimal optimisation: within `a` and `a*` apart, since each has a sum of
//! its own, the two weights whose move promises most (the worst violation first, its partner by the
//! second order) until no pair violates optimality by more than a tolerance. The path is ours; the
//! minimum is one, up to the tolerance, and is scikit-learn's (`tests/golden/learned`).

use crate::kit::linear_algebra::Matrix;

/// What is weighed against what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The largest weight of a point, above 0 (scikit-learn: `C`).
    pub penalty: f64,
    /// The share of support vectors, in (0, 1] (scikit-learn: `nu`).
    pub share: f64,
    /// The violation of optimality to stop at, in the unit of the targets (scikit-learn: `tol`).
    pub tolerance: f64,
    /// Moves in all.
    pub moves_max: usize,
}

impl Settings {
    /// With scikit-learn's tolerance, and as many moves as libsvm allows at least.
    pub fn new(penalty: f64, share: f64) -> Self {
        Self { penalty, share, tolerance: 1e-3, moves_max: 10_000_000 }
    }
}

/// A fitted function.
#[derive(Debug, Clone, PartialEq)]
pub struct Svr {
    /// By point: `a - a*`; 0 of what lies within the tube.
    pub weights: Vec<f64>,
    pub bias: f64,
    /// Half the width of the tube.
    pub tube: f64,
    /// Whether the tolerance was met.
    pub has_converged: bool,
}

impl Svr {
    /// The function where the kernel with each point has these values.
    pub fn predict(&self, kernel: impl IntoIterator<Item = f64>) -> f64 {
        let terms = self.weights.iter().zip(kernel);
        self.bias + terms.map(|(weight, kernel)| weight * kernel).sum::<f64>()
    }
}

/// The kernel `exp(-gamma |x - y|^2)` of points whose squared distance is given.
pub fn radial(squared_distance: f64, gamma: f64) -> f64 {
    libm::exp(-gamma * squared_distance)
}

/// The squared distance of two points.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Fits targets by the points' kernel matrix, symmetric and finite. `None` where there is no point,
/// or a number is not finite.
///
/// # Panics
/// Where the matrix has not one row and column a target, or a setting is out of its range.
pub fn fit(kernel: &Matrix, targets: &[f64], settings: &Settings) -> Option<Svr> {
    let count = targets.len();
    assert_eq!(kernel.shape(), (count, count), "a kernel value for each pair of points");
    let Settings { penalty, share, .. } = *settings;
    assert!(penalty > 0.0 && share > 0.0 && share <= 1.0, "{settings:?}");
    if count == 0 || targets.iter().chain(kernel).any(|entry| !entry.is_finite()) {
        return None;
    }
    let mut solver = Solver::new(kernel, targets, settings);
    let mut moves = 0;
    while moves < settings.moves_max && solver.advance() {
        moves += 1;
    }
    Some(solver.finish(moves < settings.moves_max))
}

/// One side of the tube: what pulls the function up, or down.
#[derive(Clone, Copy)]
struct Side {
    at: usize,
    /// 1 of what pulls up, whose weight counts positive.
    sign: f64,
}

const SIDES: [Side; 2] = [Side { at: 0, sign: 1.0 }, Side { at: 1, sign: -1.0 }];

struct Solver<'a> {
    kernel: &'a Matrix,
    penalty: f64,
    tolerance: f64,
    /// By side and point.
    weights: [Vec<f64>; 2],
    /// By point: the function without its bias less the target; times a side's sign, the
    /// derivative by the point's weight there.
    errors: Vec<f64>,
}

impl<'a> Solver<'a> {
    fn new(kernel: &'a Matrix, targets: &[f64], settings: &Settings) -> Self {
        let Settings { penalty, share, tolerance, .. } = *settings;
        #[expect(clippy::cast_precision_loss, reason = "a number of points")]
        let mut left = penalty * share * targets.len() as f64 / 2.0;
        let weights: Vec<f64> = targets
            .iter()
            .map(|_| {
                let weight = left.min(penalty);
                left -= weight;
                weight
            })
            .collect();
        // The same on both sides: the function is 0 everywhere.
        let errors = targets.iter().map(|target| -target).collect();
        Self { kernel, penalty, tolerance, weights: [weights.clone(), weights], errors }
    }

    /// The slope of the side's point whose weight can grow and whose slope is least, and the
    /// largest slope among those whose weight can fall.
    fn worst(&self, side: Side) -> Option<(usize, f64, f64)> {
        let (mut least, mut largest) = (None, f64::NEG_INFINITY);
        for (at, (weight, error)) in self.weights[side.at].iter().zip(&self.errors).enumerate() {
            let slope = side.sign * error;
            if *weight < self.penalty && least.is_none_or(|(_, known)| slope < known) {
                least = Some((at, slope));
            }
            if *weight > 0.0 {
                largest = largest.max(slope);
            }
        }
        least.map(|(at, slope)| (at, slope, largest))
    }

    /// Moves weight from one point to another; `false` where that would gain nothing.
    fn advance(&mut self) -> bool {
        let mut found: Option<(Side, usize, f64, f64)> = None;
        for side in SIDES {
            if let Some((at, slope, largest)) = self.worst(side)
                && largest - slope > found.map_or(self.tolerance, |(_, _, s, l)| l - s)
            {
                found = Some((side, at, slope, largest));
            }
        }
        let Some((side, up, slope, _)) = found else { return false };
        let (mut best, mut down) = (f64::NEG_INFINITY, up);
        for (at, (weight, error)) in self.weights[side.at].iter().zip(&self.errors).enumerate() {
            let difference = side.sign * error - slope;
            if *weight > 0.0 && difference > 0.0 {
                let gain = difference * difference / self.curvature(up, at);
                if gain > best {
                    (best, down) = (gain, at);
                }
            }
        }
        let difference = side.sign * self.errors[down] - slope;
        let weights = &self.weights[side.at];
        let room = (self.penalty - weights[up]).min(weights[down]);
        let step = difference / self.curvature(up, down);
        let is_whole = step >= room;
        let step = step.min(room);
        let weights = &mut self.weights[side.at];
        // What reaches a bound lies on it, whatever the rounding.
        let fills = is_whole && self.penalty - weights[up] <= weights[down];
        let empties = is_whole && weights[down] <= self.penalty - weights[up];
        weights[up] = if fills { self.penalty } else { weights[up] + step };
        weights[down] = if empties { 0.0 } else { weights[down] - step };
        let (rising, falling) = (self.kernel.column(up), self.kernel.column(down));
        let columns = rising.iter().zip(falling.iter());
        for (error, (rising, falling)) in self.errors.iter_mut().zip(columns) {
            *error += side.sign * step * (rising - falling);
        }
        true
    }

    /// Of the objective along a move from one point to another; libsvm's floor where points
    /// coincide.
    fn curvature(&self, up: usize, down: usize) -> f64 {
        let of = |a: usize, b: usize| self.kernel[(a, b)];
        (of(up, up) + of(down, down) - 2.0 * of(up, down)).max(1e-12)
    }

    /// The slope that all free weights of a side share: their mean, or the middle of what those at
    /// the bounds leave.
    fn level(&self, side: Side) -> f64 {
        let (mut sum, mut free) = (0.0, 0.0);
        let (mut above, mut below) = (f64::INFINITY, f64::NEG_INFINITY);
        for (weight, error) in self.weights[side.at].iter().zip(&self.errors) {
            let slope = side.sign * error;
            if *weight <= 0.0 {
                above = above.min(slope);
            } else if *weight >= self.penalty {
                below = below.max(slope);
            } else {
                (sum, free) = (sum + slope, free + 1.0);
            }
        }
        match (free > 0.0, above.is_finite(), below.is_finite()) {
            (true, _, _) => sum / free,
            (false, true, true) => f64::midpoint(above, below),
            (false, true, false) => above,
            _ => below,
        }
    }

    fn finish(self, has_converged: bool) -> Svr {
        let [up, down] = SIDES.map(|side| self.level(side));
        let [rising, falling] = &self.weights;
        Svr {
            weights: rising.iter().zip(falling).map(|(rising, falling)| rising - falling).collect(),
            bias: (down - up) / 2.0,
            tube: -(up + down) / 2.0,
            has_converged,
        }
    }
}

#[cfg(test)]
mod tests;
