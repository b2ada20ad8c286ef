//! Where the rows of a table lie in the unit cube.

use base::units::ConfigId;

/// Coordinates of all rows, row after row, one a parameter: floats by their place in the range
/// (log floats on the logarithm), whole numbers and choices by the middle of their bin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    /// Parameters of the space.
    pub width: usize,
    /// `rows x width`, each in 0..1.
    pub coordinates: Vec<f64>,
}

impl Points {
    /// The point of one row.
    pub fn row(&self, row: ConfigId) -> &[f64] {
        &self.coordinates[row.index() * self.width..][..self.width]
    }
}
