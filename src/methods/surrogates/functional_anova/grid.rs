//! Where a parameter's marginal is asked for.

use base::space::{Domain, Parameter, Value};

/// A value of a parameter and its coordinate in the unit cube.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridPoint {
    pub coordinate: f64,
    pub value: Value,
}

/// Values across a parameter's range, ascending in their coordinates.
///
/// A parameter of at most `points_max` values (words, some numbers, few ints) has every one of
/// them; ints of more have that many of them, evenly spread; floats have `points_max` that are
/// evenly spaced from end to end. Where the range is logarithmic, so is what is even.
pub fn grid(parameter: &Parameter, points_max: usize) -> Vec<GridPoint> {
    assert!(points_max >= 2, "a range has two ends");
    let count = match &parameter.domain {
        Domain::Float { low, high, .. } if low == high => 1,
        Domain::Float { .. } => return floats(parameter, points_max),
        Domain::Int { low, high, .. } => usize::try_from(high - low).expect("low <= high") + 1,
        Domain::Categorical { choices } => choices.len(),
        Domain::Ordinal { values } => values.len(),
    };
    if let Domain::Int { low, .. } = &parameter.domain
        && count <= points_max
    {
        // Bins of a logarithmic range differ in width, and equal steps would miss some of them.
        return (*low..).take(count).map(|value| point(parameter, Value::Int(value))).collect();
    }
    let bins = count.min(points_max);
    #[expect(clippy::cast_precision_loss, reason = "a grid has few points")]
    let middles = (0..bins).map(|bin| (bin as f64 + 0.5) / bins as f64);
    let mut points: Vec<GridPoint> =
        middles.map(|u| point(parameter, parameter.from_unit(u))).collect();
    points.dedup_by_key(|point| point.coordinate.to_bits());
    points
}

fn floats(parameter: &Parameter, count: usize) -> Vec<GridPoint> {
    #[expect(clippy::cast_precision_loss, reason = "a grid has few points")]
    let coordinates = (0..count).map(|at| at as f64 / (count - 1) as f64);
    coordinates
        .map(|coordinate| GridPoint { coordinate, value: parameter.from_unit(coordinate) })
        .collect()
}

fn point(parameter: &Parameter, value: Value) -> GridPoint {
    GridPoint { coordinate: parameter.to_unit(value), value }
}
