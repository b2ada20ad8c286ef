//! Points of the unit cube as the numbers that a model takes.
//!
//! A point has one coordinate a parameter ([`Points`]). A model may want other
//! columns of it: [`Categorical::OneHot`] gives each choice of a categorical parameter a column
//! of 0 and 1 (distances between choices are then all alike; forests, Gaussian processes, radial
//! basis functions), [`Categorical::Index`] leaves it the one coordinate that it has (TPE, kernel
//! densities, evolution, and Spearmint of 2012). Ints and floats keep their coordinate either way.
//!
//! An **inactive** parameter stands at 0.5 in a table's points, and its choice is the one there:
//! a model is not told that it is inactive. A method that must know asks [`activity`].
//!
//! **Columns of a single value** in the whole table carry nothing and are dropped; where no other
//! is left, the first of them stays, so that there is always a column. A proposed point is encoded
//! in the columns of the table's rows, also where its own value would have told them apart.
//!
//! [`Encoded`] holds a table's rows so encoded. It is made once when the method is built and shared
//! by all runs. This is not a scaler: means and deviations depend on what was observed, and are a
//! model's own business.

mod ranks;

use base::space::{Domain, Space, Value};
use base::units::ConfigId;

pub(crate) use self::ranks::Codes;
pub use self::ranks::Ranks;
use crate::interface::Points;

/// What a categorical parameter becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Categorical {
    /// A column of 0 and 1 for each choice.
    OneHot,
    /// One column: the middle of the choice's bin.
    Index,
}

/// One number of an encoded point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Whose it is.
    pub parameter: usize,
    /// 1 where the parameter has this choice, else 0; the coordinate itself, if `None`.
    pub choice: Option<usize>,
}

/// The map from a point to its encoding.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    space: Space,
    columns: Vec<Column>,
}

impl Encoder {
    /// The encoder of every point of a space: nothing is dropped.
    pub fn new(space: &Space, categorical: Categorical) -> Self {
        let mut columns = Vec::new();
        for (at, parameter) in space.parameters.iter().enumerate() {
            match &parameter.domain {
                Domain::Categorical { choices } if categorical == Categorical::OneHot => {
                    let choices = 0..choices.len();
                    columns.extend(choices.map(|c| Column { parameter: at, choice: Some(c) }));
                }
                _ => columns.push(Column { parameter: at, choice: None }),
            }
        }
        Self { space: space.clone(), columns }
    }

    /// What the numbers are, in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Numbers of an encoded point.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Encodes a point of the unit cube. A coordinate outside 0..1 counts as the nearer end.
    ///
    /// # Panics
    /// Where the point has another number of coordinates than the space has parameters, or one of
    /// them is NaN.
    pub fn encode(&self, point: &[f64]) -> Vec<f64> {
        assert_eq!(point.len(), self.space.parameters.len(), "one coordinate a parameter");
        assert!(point.iter().all(|u| !u.is_nan()), "a point is made of numbers: {point:?}");
        self.columns.iter().map(|column| self.value(*column, point[column.parameter])).collect()
    }

    /// One number of a point whose coordinate is `u`.
    fn value(&self, column: Column, u: f64) -> f64 {
        let u = u.clamp(0.0, 1.0);
        let Some(choice) = column.choice else { return u };
        let value = self.space.parameters[column.parameter].from_unit(u);
        f64::from(u8::from(value == Value::Choice(choice)))
    }
}

/// A table's rows in the columns that tell any of them apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    encoder: Encoder,
    /// Row after row.
    values: Vec<f64>,
}

impl Encoded {
    /// Encodes the first `rows` points of a table, at least one.
    pub fn new(space: &Space, points: &Points, rows: u32, categorical: Categorical) -> Self {
        assert!(rows > 0, "a table has rows");
        let mut encoder = Encoder::new(space, categorical);
        let first = points.row(ConfigId(0));
        let varies = |column: &Column| {
            let expected = encoder.value(*column, first[column.parameter]);
            let value = |row| encoder.value(*column, points.row(ConfigId(row))[column.parameter]);
            (1..rows).any(|row| value(row) != expected)
        };
        let mut kept: Vec<Column> = encoder.columns.iter().copied().filter(varies).collect();
        if kept.is_empty() {
            kept.push(encoder.columns[0]);
        }
        encoder.columns = kept;
        let values = (0..rows).flat_map(|row| encoder.encode(points.row(ConfigId(row)))).collect();
        Self { encoder, values }
    }

    /// The map that brings other points into the same columns.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width()
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.encoder.width()
    }

    /// One row.
    #[inline]
    pub fn row(&self, row: ConfigId) -> &[f64] {
        &self.values[row.index() * self.width()..][..self.width()]
    }

    /// The numbers of one column, by row.
    pub fn column(&self, at: usize) -> Vec<f64> {
        self.values[at..].iter().step_by(self.width()).copied().collect()
    }

    /// The rows as a tree sees them.
    pub fn ranks(&self) -> Ranks {
        let columns: Vec<Vec<f64>> = (0..self.width()).map(|at| self.column(at)).collect();
        Ranks::new(&columns)
    }
}

/// Which parameters play a part in the configuration at a point: one whose condition does not hold
/// there does not.
pub fn activity(space: &Space, point: &[f64]) -> Vec<bool> {
    space.from_unit(point).iter().map(|value| *value != Value::Inactive).collect()
}

/// Whether a parameter has but one value: there is nothing to choose, or to learn from.
pub fn has_one_value(domain: &Domain) -> bool {
    match domain {
        Domain::Int { low, high, .. } => low == high,
        Domain::Float { low, high, .. } => low == high,
        Domain::Categorical { choices } => choices.len() == 1,
        Domain::Ordinal { values } => values.len() == 1,
    }
}

/// The point that a table would give the configuration at `point`: ints and choices in the middle
/// of their bin, inactive parameters at 0.5. Methods that move points of their own about compare
/// those.
pub fn settled(space: &Space, point: &[f64]) -> Vec<f64> {
    space.to_unit(&space.from_unit(point))
}

#[cfg(test)]
mod tests {
    use base::space::{Condition, Literal, Parameter};

    use super::*;

    fn parameter(name: &str, domain: Domain) -> Parameter {
        Parameter { name: name.into(), domain, condition: None }
    }

    /// An int, a choice, a float that only "sgd" has, and a fixed one.
    fn space() -> Space {
        let choices = ["adam", "sgd", "lamb"].map(String::from).to_vec();
        let condition =
            Condition::In { name: "optimizer".into(), values: vec![Literal::Text("sgd".into())] };
        let momentum = Parameter {
            condition: Some(condition),
            ..parameter("momentum", Domain::Float { low: 0.0, high: 1.0, log: false })
        };
        let parameters = vec![
            parameter("units", Domain::Int { low: 1, high: 4, log: false }),
            parameter("optimizer", Domain::Categorical { choices }),
            momentum,
            parameter("fixed", Domain::Int { low: 3, high: 3, log: false }),
        ];
        Space::new("test", "parameter", "encoded".into(), parameters).unwrap()
    }

    fn points(configurations: &[[Value; 4]]) -> Points {
        let rows = configurations.iter().flat_map(|values| space().to_unit(values));
        Points { width: 4, coordinates: rows.collect() }
    }

    const ROWS: [[Value; 4]; 3] = [
        [Value::Int(1), Value::Choice(0), Value::Inactive, Value::Int(3)],
        [Value::Int(4), Value::Choice(1), Value::Float(0.5), Value::Int(3)],
        [Value::Int(2), Value::Choice(1), Value::Float(1.0), Value::Int(3)],
    ];

    #[test]
    fn rows_are_encoded_and_columns_of_one_value_dropped() {
        // No row has the third choice, and none another value of the last parameter.
        let encoded = Encoded::new(&space(), &points(&ROWS), 3, Categorical::OneHot);
        let rows: Vec<&[f64]> = (0..3).map(|row| encoded.row(ConfigId(row))).collect();
        assert_eq!(rows[0], [0.125, 1.0, 0.0, 0.5], "inactive is 0.5");
        assert_eq!(rows[1], [0.875, 0.0, 1.0, 0.5]);
        assert_eq!(rows[2], [0.375, 0.0, 1.0, 1.0]);
        let choices: Vec<_> = encoded.encoder().columns().iter().map(|c| c.choice).collect();
        assert_eq!(choices, [None, Some(0), Some(1), None]);

        let encoded = Encoded::new(&space(), &points(&ROWS), 3, Categorical::Index);
        assert_eq!((encoded.rows(), encoded.width()), (3, 3));
        assert_eq!(encoded.column(1), [1.0 / 6.0, 0.5, 0.5]);
        assert_eq!(encoded.ranks().count(), 3);
        // Two rows that differ in one parameter alone leave one column.
        let encoded = Encoded::new(&space(), &points(&ROWS[..2]), 2, Categorical::Index);
        assert_eq!(encoded.width(), 2, "inactive and 0.5 are one value");
    }

    #[test]
    fn a_column_is_left_of_a_table_of_one_row() {
        for categorical in [Categorical::OneHot, Categorical::Index] {
            let encoded = Encoded::new(&space(), &points(&ROWS), 1, categorical);
            assert_eq!((encoded.rows(), encoded.row(ConfigId(0))), (1, &[0.125][..]));
            assert_eq!(encoded.encoder().columns()[0], Column { parameter: 0, choice: None });
        }
    }

    #[test]
    fn points_that_no_row_has_are_encoded_in_the_rows_columns() {
        let encoded = Encoded::new(&space(), &points(&ROWS), 3, Categorical::OneHot);
        // The third choice, which no row has, is neither of the others.
        assert_eq!(encoded.encoder().encode(&[0.3, 0.9, 0.2, 0.5]), [0.3, 0.0, 0.0, 0.2]);
        // Outside the cube is its border, infinities too.
        let far = [-3.0, 7.0, f64::INFINITY, -0.5];
        assert_eq!(encoded.encoder().encode(&far), [0.0, 0.0, 0.0, 1.0]);
        let all = Encoder::new(&space(), Categorical::OneHot);
        assert_eq!(all.encode(&far), [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(all.encode(&[0.5, 1.0 / 3.0, 0.5, 0.5])[1..4], [0.0, 1.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "a point is made of numbers")]
    fn nan_is_no_coordinate() {
        Encoder::new(&space(), Categorical::Index).encode(&[0.5, f64::NAN, 0.5, 0.5]);
    }

    #[test]
    #[should_panic(expected = "one coordinate a parameter")]
    fn a_point_has_a_coordinate_for_each_parameter() {
        Encoder::new(&space(), Categorical::Index).encode(&[0.5, 0.5]);
    }

    #[test]
    fn one_value_is_one_value() {
        let found: Vec<bool> =
            space().parameters.iter().map(|p| has_one_value(&p.domain)).collect();
        assert_eq!(found, [false, false, false, true]);
        assert!(has_one_value(&Domain::Float { low: 0.5, high: 0.5, log: false }));
        assert!(has_one_value(&Domain::Categorical { choices: vec!["a".to_string()] }));
    }

    #[test]
    fn conditions_decide_what_is_active_and_points_settle() {
        assert_eq!(activity(&space(), &[0.3, 0.1, 0.9, 0.2]), [true, true, false, true]);
        assert_eq!(activity(&space(), &[0.3, 0.5, 0.9, 0.2]), [true, true, true, true]);
        assert_eq!(settled(&space(), &[0.3, 0.1, 0.9, 0.2]), [0.375, 1.0 / 6.0, 0.5, 0.5]);
        let point = settled(&space(), &[0.3, 0.5, 0.9, 0.2]);
        assert_eq!(point, [0.375, 0.5, 0.9, 0.5]);
        assert_eq!(settled(&space(), &point), point);
    }
}
