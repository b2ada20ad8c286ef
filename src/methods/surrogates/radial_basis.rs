//! Radial basis functions with a linear tail (Powell, "The theory of radial basis function
//! approximation in 1990", 1992; Regis & Shoemaker 2007): `s(x) = sum_i c_i |x - x_i|^3 + a + b x`,
//! with the coefficients of `[[0, P^T], [P, Phi + eta I]] (a b, c) = (0, y)`, where the rows of `P`
//! are `(1, x_i)`. It goes through its targets but for the ridge `eta = 1e-6`, as pySOT's
//! `RBFInterpolant` has it.

use crate::kit::linear_algebra::{Matrix, Vector, solve, symmetric_eigen};
use crate::surrogates::gaussian_process::Inputs;

/// Added to the diagonal.
const RIDGE: f64 = 1e-6;

/// Points that vary less than this along some direction lie in a plane (their mean square).
const SPREAD_MIN: f64 = 1e-12;

/// An interpolant of some targets.
#[derive(Debug, Clone, PartialEq)]
pub struct RadialBasis {
    inputs: Inputs,
    /// Of the distances, one a point.
    coefficients: Vec<f64>,
    /// The constant, and one a column.
    tail: Vec<f64>,
}

impl RadialBasis {
    /// Through a target a point. `None` where the points do not span all dimensions (fewer than
    /// one more than columns, or all in a plane), or something is not finite.
    ///
    /// # Panics
    /// Where there are other numbers of targets than of points.
    pub fn new(inputs: Inputs, targets: &[f64]) -> Option<Self> {
        let (count, tail) = (inputs.count(), inputs.width() + 1);
        assert_eq!(targets.len(), count, "a target a point");
        if count < tail || !spans_all(&inputs) {
            return None;
        }
        let size = count + tail;
        let mut matrix = Matrix::zeros(size, size);
        let mut right = Vector::zeros(size);
        let ones = vec![1.0; inputs.width()];
        let mut squared = vec![0.0; count];
        for i in 0..count {
            let point = inputs.point(i);
            inputs.squared_distances(0, &ones, &point, &mut squared);
            for (j, squared) in squared.iter().enumerate() {
                matrix[(tail + j, tail + i)] = cubed(*squared);
            }
            matrix[(tail + i, tail + i)] += RIDGE;
            for (at, x) in [1.0].iter().chain(&point).enumerate() {
                matrix[(at, tail + i)] = *x;
                matrix[(tail + i, at)] = *x;
            }
            right[tail + i] = targets[i];
        }
        let solution = solve(matrix, &right)?;
        let (tail, coefficients) = solution.as_slice().split_at(tail);
        Some(Self { inputs, coefficients: coefficients.to_vec(), tail: tail.to_vec() })
    }

    /// Its value at a point.
    pub fn predict(&self, point: &[f64]) -> f64 {
        let mut squared = vec![0.0; self.inputs.count()];
        self.inputs.squared_distances(0, &vec![1.0; point.len()], point, &mut squared);
        let basis: f64 = squared.iter().zip(&self.coefficients).map(|(r, c)| cubed(*r) * c).sum();
        let linear: f64 = self.tail[1..].iter().zip(point).map(|(b, x)| b * x).sum();
        basis + (self.tail[0] + linear)
    }
}

/// Whether no plane holds all points: by the least eigenvalue of their covariances.
fn spans_all(inputs: &Inputs) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let count = inputs.count() as f64;
    let centred = |at: usize| {
        let column = inputs.column(at);
        let mean = column.iter().sum::<f64>() / count;
        column.iter().map(|x| x - mean).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> = (0..inputs.width()).map(centred).collect();
    let covariance = |i: usize, j: usize| {
        columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum::<f64>() / count
    };
    let matrix = Matrix::from_fn(inputs.width(), inputs.width(), covariance);
    symmetric_eigen(matrix).is_some_and(|found| found.values[0] > SPREAD_MIN)
}

/// The third power of a distance, of its square.
fn cubed(squared: f64) -> f64 {
    squared * squared.sqrt()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::surrogates::gaussian_process::Distance;

    const GOLDEN: &str = include_str!("../../../tests/golden/surrogates/radial_basis.json");

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn inputs_of(points: &Value) -> Inputs {
        let points = points.as_array().unwrap();
        let mut inputs = Inputs::new(&vec![Distance::Difference; numbers(&points[0]).len()]);
        for point in points {
            inputs.push(&numbers(point));
        }
        inputs
    }

    #[test]
    fn predictions_are_pysots() {
        let golden: Value = serde_json::from_str(GOLDEN).unwrap();
        for case in golden.as_array().unwrap() {
            let targets = numbers(&case["targets"]);
            let found = RadialBasis::new(inputs_of(&case["inputs"]), &targets).unwrap();
            let (queries, scale) = (inputs_of(&case["queries"]), 1e-8);
            for (at, expected) in numbers(&case["predictions"]).into_iter().enumerate() {
                let found = found.predict(&queries.point(at));
                let allowed = scale * expected.abs().max(1.0);
                assert!((found - expected).abs() < allowed, "{found}, not {expected}");
            }
            for (at, target) in targets.iter().enumerate() {
                let found = found.predict(&found.inputs.point(at));
                assert!((found - target).abs() < 1e-3, "{found}, not {target}");
            }
        }
    }

    #[test]
    fn points_in_a_plane_have_no_interpolant() {
        let mut inputs = Inputs::new(&[Distance::Difference; 2]);
        for at in 0..6 {
            inputs.push(&[f64::from(at) / 8.0, 0.5]);
        }
        assert_eq!(RadialBasis::new(inputs.select(&[0, 1]), &[0.0, 1.0]), None);
        let targets = [0.0, 1.0, 0.5, 0.25, 0.0, 1.0];
        assert_eq!(RadialBasis::new(inputs.clone(), &targets), None);
        inputs.push(&[0.2, 0.6]);
        let targets = [0.0, 1.0, 0.5, 0.25, 0.0, 1.0, 0.5];
        assert!(RadialBasis::new(inputs.clone(), &targets).is_some());
        assert_eq!(RadialBasis::new(inputs, &[f64::INFINITY; 7]), None);
    }
}
