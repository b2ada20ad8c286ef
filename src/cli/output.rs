//! Printing to stdout.

use std::io::{self, IsTerminal, Write};

use app::report::printable;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

/// Prints a text, and a newline unless it ends in one. A reader that has gone away (`| head`) is
/// not an error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let text = printable(text);
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(out, "{text}{newline}").and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A name that a file holds, on one line.
pub(super) fn one_line(name: &str) -> String {
    name.replace('\n', "\\n").replace('\t', "\\t")
}

/// Whether people read what is printed.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The columns of characters that there are: `COLUMNS` where it says so, else those of the
/// terminal, else the usual width of a report.
pub(super) fn width() -> usize {
    const NARROWEST: usize = 40;
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let of_terminal = || {
        let is_terminal = io::stdout().is_terminal();
        // The table library knows the terminal's width, where there is one.
        is_terminal.then(|| Table::new().width()).flatten().map(usize::from)
    };
    let width = said.filter(|width| *width > 0).or_else(of_terminal);
    width.unwrap_or(app::report::WIDTH).max(NARROWEST)
}

/// Prints a value as JSON.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// A table with a header, for people.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_written_out() {
        assert_eq!(printable("a\tb\nä€"), "a\tb\nä€");
        let hostile = printable("a\u{1b}[31mred\r\u{7f}\u{9b}2J\u{202e}");
        assert_eq!(hostile, "a\\u001b[31mred\\u000d\\u007f\\u009b2J\\u202e");
    }
}
