//! The least-squares fit of one family.

use super::family::Family;
use crate::kit::lbfgs;
use crate::kit::levenberg_marquardt::{self, LeastSquares};

/// A family fitted to a beginning of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub family: Family,
    pub parameters: Vec<f64>,
    /// The root of the weighted mean of the squared residuals, in the curve's unit.
    pub deviation: f64,
}

impl Fit {
    /// The fitted curve at `x`; see [`Family::value`].
    pub fn value(&self, x: f64) -> f64 {
        self.family.value(&self.parameters, x)
    }
}

/// What the observations count, the first of `count` 1 and each later one `10^(1/count)` times the
/// one before it: `10^(i/count)`.
pub fn recency_weights(count: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "epochs of a curve")]
    let share = |at: usize| at as f64 / count as f64;
    (0..count).map(|at| libm::exp10(share(at))).collect()
}

/// Fits a family to the observations `y` at `x`, weighted by [`recency_weights`], from its
/// defaults: by Levenberg-Marquardt, or by L-BFGS where that does not converge. `None` where
/// neither does, which includes observations that are not finite. It finds a local minimum; where
/// the observations do not determine the parameters, one point of the valley.
///
/// # Panics
/// Where there are not as many `x` as `y`.
pub fn fit(family: Family, x: &[f64], y: &[f64]) -> Option<Fit> {
    assert_eq!(x.len(), y.len(), "an observation for each epoch");
    let weights = recency_weights(x.len());
    let roots: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
    let problem = Problem { family, x, y, roots: &roots };
    let parameters = problem.by_levenberg_marquardt().or_else(|| problem.by_lbfgs())?;
    let mut residuals = vec![0.0; x.len()];
    problem.residuals(&parameters, &mut residuals);
    let sum: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let deviation = (sum / weights.iter().sum::<f64>()).sqrt();
    deviation.is_finite().then_some(Fit { family, parameters, deviation })
}

struct Problem<'a> {
    family: Family,
    x: &'a [f64],
    y: &'a [f64],
    /// The roots of the weights.
    roots: &'a [f64],
}

impl Problem<'_> {
    fn by_levenberg_marquardt(&self) -> Option<Vec<f64>> {
        let settings = levenberg_marquardt::Settings::default();
        let start = self.family.defaults();
        let found = levenberg_marquardt::minimise(self, self.x.len(), start, &settings);
        found.has_converged().then_some(found.point)
    }

    fn by_lbfgs(&self) -> Option<Vec<f64>> {
        let start = self.family.defaults();
        let everywhere = vec![(f64::NEG_INFINITY, f64::INFINITY); start.len()];
        let settings = lbfgs::Settings::default();
        let found = lbfgs::minimise(|p, g| self.sum(p, g), start, &everywhere, &settings);
        matches!(found.end, lbfgs::End::Flat | lbfgs::End::Still).then_some(found.point)
    }

    /// The weighted sum of squares, with its gradient.
    fn sum(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut sum = 0.0;
        let mut slopes = vec![0.0; point.len()];
        for ((x, y), root) in self.x.iter().zip(self.y).zip(self.roots) {
            let residual = root * (self.family.value(point, *x) - y);
            sum += residual * residual;
            self.family.gradient(point, *x, &mut slopes);
            for (total, slope) in gradient.iter_mut().zip(&slopes) {
                *total += 2.0 * residual * root * slope;
            }
        }
        sum
    }
}

impl LeastSquares for Problem<'_> {
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) {
        let observations = self.x.iter().zip(self.y).zip(self.roots);
        for (residual, ((x, y), root)) in residuals.iter_mut().zip(observations) {
            *residual = root * (self.family.value(point, *x) - y);
        }
    }

    fn jacobian(&self, point: &[f64], columns: &mut [f64]) {
        let count = self.x.len();
        let mut slopes = vec![0.0; point.len()];
        for (at, (x, root)) in self.x.iter().zip(self.roots).enumerate() {
            self.family.gradient(point, *x, &mut slopes);
            for (coordinate, slope) in slopes.iter().enumerate() {
                columns[coordinate * count + at] = root * slope;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    #[test]
    fn the_second_method_finds_what_the_first_finds() {
        let y = [0.2, 0.41, 0.5, 0.52, 0.57, 0.58];
        let roots = recency_weights(6).into_iter().map(f64::sqrt).collect::<Vec<f64>>();
        let problem = Problem { family: Family::Ilog2, x: &X, y: &y, roots: &roots };
        let first = problem.by_levenberg_marquardt().unwrap();
        let second = problem.by_lbfgs().unwrap();
        let apart = first.iter().zip(&second).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f64::max) < 1e-4, "{first:?} and {second:?}");
    }

    #[test]
    fn what_is_not_finite_has_no_fit() {
        for family in Family::ALL {
            assert_eq!(fit(family, &X, &[0.2, 0.4, f64::NAN, 0.5, 0.5, 0.6]), None);
        }
    }
}
