//! Columns as a table for people.

use std::fmt::Write as _;

use super::ColumnSpec;

/// A Markdown table of columns: name, type, whether it may be missing, what it holds.
pub fn markdown(columns: &[ColumnSpec]) -> String {
    let mut text = String::from("| column | type | missing | what it holds |\n|---|---|---|---|\n");
    for column in columns {
        let missing = match (column.nullable, column.later) {
            (false, false) => "never",
            (true, false) => "null",
            (false, true) => "older files lack it",
            (true, true) => "null; older files lack it",
        };
        let (name, kind) = (&column.name, column.kind.word());
        // A bar would end the cell.
        let doc = column.doc.replace('|', "\\|");
        writeln!(text, "| `{name}` | {kind} | {missing} | {doc} |").expect("a String takes all");
    }
    text
}
