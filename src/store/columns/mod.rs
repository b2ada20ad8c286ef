//! Columns as data: a row is declared once, and what writes, reads, checks and describes its file
//! derives from that.

mod cell;
mod cells;
mod declare;
mod describe;
mod read;
mod spec;

pub use cell::{Cell, ReadCell};
pub use cells::{Cells, Named};
pub use describe::markdown;
pub use read::{Arrays, Source, frame, read};
pub(crate) use read::{VERSION, VERSION_KEY};
pub use spec::{Absence, ColumnSpec, Kind, Role};

/// A row whose columns are declared, see [`columns!`](crate::columns!).
pub trait Row {
    /// What is known of each column, in the order of the file.
    fn columns() -> &'static [ColumnSpec];

    /// The cells of some rows, column by column, in the order of [`Self::columns`].
    fn cells(rows: &[&Self]) -> Vec<Cells>;
}

/// A row that is read back, too, borrowed from the arrays that hold it.
pub trait ReadRow: Row {
    /// The row, borrowed.
    type Record<'a>;
    /// The columns of some rows.
    type Reader<'a>;

    /// Finds every column.
    fn reader(arrays: &Arrays) -> Self::Reader<'_>;

    /// One of the rows.
    fn at<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Record<'a>;
}
