//! Comma-separated values with a header.

use std::path::Path;

use base::error::{Result, fault};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use super::cell::Cell;
use super::collector::Collector;
use super::gathered::Gathered;
use super::mapping::Mapping;
use super::rows::Rows;
use super::source;

/// Reads a file row by row.
pub(super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut collector = Collector::new(path.display().to_string(), "line", mapping);
    rows(path, &mut collector)?;
    collector.finish()
}

/// Hands on the columns of a file, then its rows.
pub(super) fn rows(path: &Path, to: &mut impl Rows) -> Result<()> {
    let file = path.display().to_string();
    let text = source::open(path)?;
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(text);
    let wrong = |error: csv::Error| match error.kind() {
        ErrorKind::Io(e) => source::unreadable(path, e),
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            let rule = format!("every line has the {expected_len} cells of the header");
            let remedy = "mend the line, or restore the end of the file";
            fault(&file, format!("line {line}"), format!("{len} cells"), rule, remedy)
        }
        _ => fault(&file, "contents", &error, "must be CSV in UTF-8", "write the file again"),
    };
    let headers = reader.headers().map_err(wrong)?.clone();
    let names = headers.iter().map(|name| name.trim_start_matches('\u{feff}').to_string());
    to.columns(&names.collect::<Vec<_>>())?;
    let mut record = StringRecord::new();
    // A row's cells borrow from its record: between rows the list is empty, and its memory kept.
    let mut kept: Vec<Cell<'_>> = Vec::with_capacity(headers.len());
    while reader.read_record(&mut record).map_err(wrong)? {
        let line = record.position().map_or(0, csv::Position::line);
        let mut cells: Vec<Cell<'_>> = emptied(kept);
        cells.extend(record.iter().map(Cell::raw));
        to.row(u32::try_from(line).unwrap_or(u32::MAX), &cells)?;
        kept = emptied(cells);
    }
    Ok(())
}

/// The memory of a list, for cells of another row: nothing of the old ones is left.
fn emptied<'b>(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'b>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Missing).collect()
}
