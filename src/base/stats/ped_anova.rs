//! PED-ANOVA: which hyperparameter decides whether a configuration is among the best.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

/// Points that a range is cut into at most.
const GRID_MAX: usize = 50;

/// How many rows are among the best at least, and fewer than which nothing is said.
const BEST_MIN: usize = 2;

/// Added to every probability, so that none is 0.
const PROBABILITY_MIN: f64 = 1e-12;

/// Least bandwidth on the grid: 90 % of a kernel then lie within the point that it stands on.
const BANDWIDTH_MIN: f64 = 0.5 / 1.64;

/// What the values of a hyperparameter are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Axis {
    /// Real numbers between two ends; from above 0 if `log`.
    Float { low: f64, high: f64, log: bool },
    /// Whole numbers between two ends, included; from 1 if `log`.
    Int { low: f64, high: f64, log: bool },
    /// Positions of so many words without an order, from 0.
    Categorical { choices: usize },
}

/// A hyperparameter's values, one a row; NaN where it plays no part in that row.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub axis: Axis,
    pub values: &'a [f64],
}

/// Which rows are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// The best share of the rows, in (0, `region`): gamma' of the paper.
    pub target: f64,
    /// The share of the rows that they are compared with, up to 1: gamma of the paper.
    pub region: f64,
    /// Whether with the rows of that region, or with every value of the range alike.
    pub is_local: bool,
}

impl Default for Shares {
    fn default() -> Self {
        Self { target: 0.1, region: 1.0, is_local: true }
    }
}

/// The importance of a hyperparameter for being among the best `target` of all rows, by Watanabe,
/// Bansal, Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary
/// subspaces" (IJCAI 2023), as Optuna 4.9 computes it:
/// `(n_target / n_region)^2` times the Pearson divergence `sum q (p / q - 1)^2`, where `p` and `q`
/// are the densities of the hyperparameter among the target rows and among those of the region.
///
/// Values are counted on a grid of at most 50 points (as many as there are ints, or about one a
/// doubling of logarithmic ones), and each density is a mixture of truncated normal kernels with
/// Scott's bandwidth and one broad prior; that of words has each word's count, and a prior.
///
/// Less `losses` are better; NaN is worse than every number, and rows that tie with the last of a
/// share belong to it. Rows in which the hyperparameter plays no part are left out before any
/// share is taken: a conditional one is judged among the rows that have it. 0 where a range has a
/// single value, and where 2 rows or fewer have one. Importances are no shares of a sum; those of
/// one table compare with each other.
///
/// Refused by assertion: columns of another length, values outside their range, shares that do
/// not hold `0 < target < region <= 1`.
pub fn ped_anova(column: Column<'_>, losses: &[f64], shares: Shares) -> f64 {
    let Shares { target, region, is_local } = shares;
    assert!(0.0 < target && target < region && region <= 1.0, "shares of rows: {shares:?}");
    assert_eq!(column.values.len(), losses.len(), "one loss a value");
    let rows = column.values.iter().zip(losses).filter(|(value, _)| !value.is_nan());
    let (values, losses): (Vec<f64>, Vec<f64>) = rows
        .map(|(value, loss)| (*value, if loss.is_nan() { f64::INFINITY } else { *loss }))
        .unzip();
    let Some(grid) = Grid::new(column.axis) else { return 0.0 };
    if values.len() <= BEST_MIN {
        return 0.0;
    }
    let mut sorted = losses.clone();
    sorted.sort_by(f64::total_cmp);
    let among = |share: f64| -> Vec<f64> {
        let cutoff = sorted[count_of(share, sorted.len()).max(BEST_MIN) - 1];
        let rows = values.iter().zip(&losses).filter(|(_, loss)| **loss <= cutoff);
        rows.map(|(value, _)| *value).collect()
    };
    let best = among(target);
    let around = if region == 1.0 { values.clone() } else { among(region) };
    let density = |values: &[f64]| -> Vec<f64> {
        let counts = grid.counts(values);
        let density = match column.axis {
            Axis::Categorical { .. } => density_of_words(&counts),
            Axis::Float { .. } | Axis::Int { .. } => density_of_numbers(&counts),
        };
        density.into_iter().map(|probability| probability + PROBABILITY_MIN).collect()
    };
    let top = density(&best);
    let local = if is_local { density(&around) } else { vec![1.0 / top.len() as f64; top.len()] };
    let parts = top.iter().zip(&local).map(|(p, q)| q * (p / q - 1.0) * (p / q - 1.0));
    let share = best.len() as f64 / around.len() as f64;
    share * share * parts.sum::<f64>()
}

/// How many of `rows` a share is, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and rows")]
fn count_of(share: f64, rows: usize) -> usize {
    ((share * rows as f64).ceil() as usize).clamp(1, rows)
}

/// The points that values are counted at.
struct Grid {
    axis: Axis,
    /// Ascending, in the logarithm where the range is logarithmic.
    points: Vec<f64>,
}

impl Grid {
    /// `None` where there is a single value.
    fn new(axis: Axis) -> Option<Self> {
        let (low, high, log, count) = match axis {
            Axis::Categorical { choices } => (0.0, choices as f64 - 1.0, false, choices),
            Axis::Float { low, high, log } => (low, high, log, GRID_MAX),
            Axis::Int { low, high, log } => (low, high, log, ints(low, high, log)),
        };
        assert!(low <= high && (!log || low > 0.0), "a range of values: {axis:?}");
        if low == high {
            return None;
        }
        let (low, high) = if log { (libm::log(low), libm::log(high)) } else { (low, high) };
        let step = (high - low) / (count - 1) as f64;
        let mut points: Vec<f64> = (0..count).map(|at| at as f64 * step + low).collect();
        points[count - 1] = high;
        Some(Self { axis, points })
    }

    /// How many values are nearest to each point; half-way ones are the lower point's.
    fn counts(&self, values: &[f64]) -> Vec<f64> {
        let is_log =
            matches!(self.axis, Axis::Float { log: true, .. } | Axis::Int { log: true, .. });
        let step = self.points[1] - self.points[0];
        let mut counts = vec![0.0; self.points.len()];
        for value in values {
            let at = if is_log { libm::log(*value) } else { *value } - step / 2.0;
            let point = self.points.partition_point(|point| *point < at);
            assert!(point < counts.len(), "{value} is of the range {:?}", self.axis);
            counts[point] += 1.0;
        }
        counts
    }
}

/// Points of a range of ints.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 50 matter")]
fn ints(low: f64, high: f64, log: bool) -> usize {
    let count = high - low + 1.0;
    let points = if log { (libm::log(count) / std::f64::consts::LN_2).ceil() + 1.0 } else { count };
    points.min(GRID_MAX as f64) as usize
}

/// Each word that was seen is a kernel that has most of its weight on that word, and a little,
/// shared by all kernels, on every one; the prior is the same on all.
fn density_of_words(counts: &[f64]) -> Vec<f64> {
    let kernels = counts.iter().filter(|count| **count > 0.0).count() as f64 + 1.0;
    let total = counts.iter().sum::<f64>() + 1.0;
    let words = counts.len() as f64;
    let apart = 1.0 / kernels;
    let row = 1.0 + words * apart;
    // Every kernel but the prior has `apart / row` on each word, and 1 / row more on its own.
    let on_each = (total - 1.0) / total * apart / row + 1.0 / total / words;
    counts.iter().map(|count| count / total / row + on_each).collect()
}

/// Normal kernels on the points that have values, weighted by their counts, all of one bandwidth,
/// and a prior as wide as the grid. Each is truncated to the grid, and a point has the mass of
/// its cell.
fn density_of_numbers(counts: &[f64]) -> Vec<f64> {
    let points = counts.len() as f64;
    let seen: Vec<(f64, f64)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0.0)
        .map(|(at, count)| (at as f64, *count))
        .collect();
    let total = counts.iter().sum::<f64>();
    let bandwidth = scott(&seen, total).max(BANDWIDTH_MIN);
    let prior = (0.5 * (points - 1.0), 1.0, points);
    let kernels = seen.iter().map(|(at, count)| (*at, *count, bandwidth));
    let mut density = vec![0.0; counts.len()];
    for (centre, count, width) in kernels.chain([prior]) {
        let at = |edge: f64| (edge - centre) / width;
        let whole = mass(at(-0.5), at(points - 0.5));
        let weight = count / (total + 1.0);
        for (point, probability) in density.iter_mut().enumerate() {
            let point = point as f64;
            *probability += weight * mass(at(point - 0.5), at(point + 0.5)) / whole;
        }
    }
    density
}

/// Scott's bandwidth (1992), `1.059 min(IQR / 1.34, s) n^(-1/5)`, of points with counts; quartiles
/// are those of Optuna, whole counts.
fn scott(seen: &[(f64, f64)], total: f64) -> f64 {
    let mean = seen.iter().map(|(at, count)| at * (count / total)).sum::<f64>();
    let squares = seen.iter().map(|(at, count)| (at - mean) * (at - mean) * count);
    let deviation = (squares.sum::<f64>() / (total - 1.0).max(1.0)).sqrt();
    let cumulative: Vec<f64> = seen
        .iter()
        .scan(0.0, |sum, (_, count)| {
            *sum += count;
            Some(*sum)
        })
        .collect();
    let lower = cumulative.partition_point(|sum| *sum < (total / 4.0).floor());
    let upper = cumulative.partition_point(|sum| *sum <= (total * 3.0 / 4.0).floor());
    let range = seen[upper.min(seen.len() - 1)].0 - seen[lower].0;
    1.059 * (range / 1.34).min(deviation) * libm::pow(total, -0.2)
}

/// Probability of a standard normal variable between two bounds, in the tail where it is accurate.
fn mass(low: f64, high: f64) -> f64 {
    let tail = |z: f64| super::normal::survival(z);
    if low > 0.0 {
        tail(low) - tail(high)
    } else if high <= 0.0 {
        tail(-high) - tail(-low)
    } else {
        1.0 - tail(-low) - tail(high)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn number(json: &Value) -> f64 {
        json.as_f64().unwrap_or(f64::NAN)
    }

    fn numbers(json: &Value) -> Vec<f64> {
        json.as_array().expect("a list").iter().map(number).collect()
    }

    fn axis(column: &Value) -> Axis {
        if let Some(choices) = column["choices"].as_u64() {
            return Axis::Categorical { choices: usize::try_from(choices).unwrap() };
        }
        let (low, high) = (number(&column["low"]), number(&column["high"]));
        let log = column["log"].as_bool().unwrap();
        if column["int"].as_bool().unwrap() {
            Axis::Int { low, high, log }
        } else {
            Axis::Float { low, high, log }
        }
    }

    #[test]
    fn importances_are_those_of_optuna() {
        let text = include_str!("../../../tests/golden/importance.json");
        let golden: Value = serde_json::from_str(text).unwrap();
        let mut held = 0;
        for case in golden["cases"].as_array().unwrap() {
            let losses = numbers(&case["losses"]);
            for column in case["columns"].as_array().unwrap() {
                let values = numbers(&column["values"]);
                let of = Column { axis: axis(column), values: &values };
                let expected = numbers(&column["importances"]);
                for (setting, expected) in
                    golden["settings"].as_array().unwrap().iter().zip(expected)
                {
                    let shares = Shares {
                        target: number(&setting["target"]),
                        region: number(&setting["region"]),
                        is_local: setting["local"].as_bool().unwrap(),
                    };
                    let found = ped_anova(of, &losses, shares);
                    assert!(
                        (found - expected).abs() <= 1e-8 * expected.max(1e-4),
                        "{} of {} rows, {shares:?}: {found:e}, expected {expected:e}",
                        column["name"],
                        losses.len()
                    );
                    held += usize::from(expected > 1e-6);
                }
            }
        }
        assert!(held >= 100, "{held}");
    }

    #[test]
    fn what_decides_is_found_and_nan_is_the_worst() {
        let decides: Vec<f64> = (0..200).map(|row| f64::from(row) / 199.0).collect();
        let idle: Vec<f64> = (0..200).map(|row| f64::from(row * 37 % 200) / 199.0).collect();
        let mut losses = decides.clone();
        let axis = Axis::Float { low: 0.0, high: 1.0, log: false };
        let importance = |values: &[f64], losses: &[f64]| {
            ped_anova(Column { axis, values }, losses, Shares::default())
        };
        let found = importance(&decides, &losses);
        assert!(found > 20.0 * importance(&idle, &losses), "{found}");
        // Where losses diverge that were bad already, nothing changes.
        losses[150..].fill(f64::NAN);
        assert_eq!(importance(&decides, &losses), found);
        losses[..5].fill(f64::NAN);
        assert_ne!(importance(&decides, &losses), found);
    }

    #[test]
    fn little_is_nothing() {
        let axis = Axis::Categorical { choices: 1 };
        let column = Column { axis, values: &[0.0; 9] };
        assert_eq!(ped_anova(column, &[1.0; 9], Shares::default()), 0.0);
        let axis = Axis::Int { low: 1.0, high: 9.0, log: true };
        let column = Column { axis, values: &[1.0, f64::NAN, 9.0, f64::NAN] };
        assert_eq!(ped_anova(column, &[1.0, 2.0, 3.0, 0.0], Shares::default()), 0.0);
        assert_eq!(ped_anova(Column { axis, values: &[] }, &[], Shares::default()), 0.0);
        // All tie, so that the best are all.
        let column = Column { axis, values: &[1.0, 5.0, 9.0, 2.0] };
        assert_eq!(ped_anova(column, &[1.0; 4], Shares::default()), 0.0);
    }

    #[test]
    #[should_panic(expected = "is of the range")]
    fn values_beyond_the_range_are_refused() {
        let axis = Axis::Int { low: 1.0, high: 9.0, log: false };
        let column = Column { axis, values: &[1.0, 5.0, 11.0, 2.0] };
        ped_anova(column, &[1.0; 4], Shares::default());
    }
}
