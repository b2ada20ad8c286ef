//! A kernel density over numbers and choices, as BOHB takes it from statsmodels (`KDEMultivariate`
//! with `bw="normal_reference"`): the mean over the data of products of one kernel a variable.
//!
//! **Numbers** have normal kernels of the width `h`. They are not cut off at 0 and 1. **Choices**
//! have the kernels of Aitchison & Aitken: `1 - h` at the choice of the datum, and `h / (c - 1)` at
//! any other, where `c` counts the choices that occur *in the data*. Of data with a single choice
//! the density at any other is infinite, and where `h` exceeds 1 it may be negative: it is so in
//! statsmodels, and BOHB knows it.
//!
//! **Widths** are `1.06 s n^(-1 / (4 + d))`, `s` the deviation (ddof = 0) of `n` data in one of `d`
//! variables, that of choices the deviation of their indices; at least a floor.
//!
//! A coordinate of NaN is refused by assertion.

/// What a variable of the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    Number,
    /// Its values are indices below `count`.
    Choice {
        count: usize,
    },
}

/// A density over some variables.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelDensity {
    variables: Vec<Variable>,
    /// Datum after datum.
    data: Vec<f64>,
    widths: Vec<f64>,
    /// How many choices occur in the data.
    levels: Vec<f64>,
    /// One over the number of data and the widths of numbers.
    scale: f64,
}

impl KernelDensity {
    /// Fits the widths to data, datum after datum; none of them is less than `floor`.
    ///
    /// # Panics
    /// Without data, or where one of them is NaN.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn fit(variables: &[Variable], data: Vec<f64>, floor: f64) -> Self {
        let dimensions = variables.len();
        let count = data.len() / dimensions;
        assert!(count > 0 && data.iter().all(|x| !x.is_nan()), "data are numbers");
        let shrinking = libm::pow(count as f64, -1.0 / (4 + dimensions) as f64);
        let column = |at: usize| data[at..].iter().step_by(dimensions).copied();
        let width = |at: usize| {
            let mean = column(at).sum::<f64>() / count as f64;
            let variance = column(at).map(|x| (x - mean) * (x - mean)).sum::<f64>() / count as f64;
            f64::max(1.06 * libm::sqrt(variance) * shrinking, floor)
        };
        let widths: Vec<f64> = (0..dimensions).map(width).collect();
        let levels = variables.iter().enumerate().map(|(at, variable)| match variable {
            Variable::Number => 0.0,
            Variable::Choice { count } => {
                (0..*count).filter(|c| column(at).any(|x| x == *c as f64)).count() as f64
            }
        });
        let levels = levels.collect();
        let numbers = variables.iter().zip(&widths).filter(|(v, _)| **v == Variable::Number);
        let root_tau = libm::sqrt(2.0 * std::f64::consts::PI);
        let product: f64 = numbers.map(|(_, width)| width * root_tau).product();
        let scale = 1.0 / (count as f64 * product);
        Self { variables: variables.to_vec(), data, widths, levels, scale }
    }

    /// How many data there are.
    pub fn count(&self) -> usize {
        self.data.len() / self.variables.len()
    }

    /// One of the data.
    pub fn datum(&self, at: usize) -> &[f64] {
        &self.data[at * self.variables.len()..][..self.variables.len()]
    }

    /// The widths, a variable each.
    pub fn widths(&self) -> &[f64] {
        &self.widths
    }

    /// The density at a point: infinite, negative or NaN as the kernels of choices have it.
    pub fn density(&self, point: &[f64]) -> f64 {
        let sum: f64 = (0..self.count()).map(|at| self.kernel(self.datum(at), point)).sum();
        sum * self.scale
    }

    fn kernel(&self, datum: &[f64], point: &[f64]) -> f64 {
        let (mut exponent, mut factor) = (0.0, 1.0);
        for (at, (x, u)) in datum.iter().zip(point).enumerate() {
            let width = self.widths[at];
            match self.variables[at] {
                Variable::Number => exponent -= 0.5 * ((x - u) / width) * ((x - u) / width),
                Variable::Choice { .. } if x == u => factor *= 1.0 - width,
                Variable::Choice { .. } => factor *= width / (self.levels[at] - 1.0),
            }
        }
        factor * libm::exp(exponent)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/kde-statsmodels.json");

    fn numbers(json: &Json) -> Vec<f64> {
        let number = |x: &Json| x.as_f64().unwrap_or(f64::INFINITY);
        json.as_array().unwrap().iter().map(number).collect()
    }

    #[test]
    fn widths_and_densities_are_statsmodels() {
        let cases: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
        let (mut compared, mut infinite) = (0, 0);
        for case in &cases {
            let variables = case["choices"].as_array().unwrap().iter().map(|count| {
                match usize::try_from(count.as_u64().unwrap()).unwrap() {
                    0 => Variable::Number,
                    count => Variable::Choice { count },
                }
            });
            let variables: Vec<Variable> = variables.collect();
            let density = KernelDensity::fit(&variables, numbers(&case["data"]), 1e-3);
            let close = |found: f64, expected: f64| {
                let is_close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                assert!(is_close || found == expected, "{found}, not {expected}");
            };
            let widths = numbers(&case["widths"]);
            density.widths().iter().zip(&widths).for_each(|(found, w)| close(*found, *w));
            let points = numbers(&case["points"]);
            let expected = numbers(&case["density"]);
            for (point, expected) in points.chunks(variables.len()).zip(expected) {
                close(density.density(point), expected);
                infinite += u32::from(expected == f64::INFINITY);
                compared += 1;
            }
        }
        assert!(compared >= 200 && infinite > 0, "{compared} {infinite}");
    }
}
