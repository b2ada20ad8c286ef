//! Where the rows of a source with columns go.

use base::error::Result;

use super::cell::Cell;

/// Takes the columns of a source, then its rows.
pub(super) trait Rows {
    /// The names of the columns, in the order of a row's cells.
    fn columns(&mut self, names: &[String]) -> Result<()>;

    /// A row, and where it stands in the source.
    fn row(&mut self, line: u32, cells: &[Cell<'_>]) -> Result<()>;
}
