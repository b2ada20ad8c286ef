//! A table of cells beside the labels of methods.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::latex::escaped;

/// A label never gets narrower than this.
const LABEL_WIDTH_MIN: usize = 9;
/// Columns give way to short labels up to this width; longer ones wrap.
const LABEL_WIDTH_KEPT: usize = 30;

/// Cells in columns, each with its heading; rows stand beside the labels that they are drawn with.
#[derive(Debug, Default)]
pub(super) struct Grid {
    columns: Vec<(String, Vec<String>)>,
}

impl Grid {
    /// Appends a column, one cell a row.
    pub(super) fn push(&mut self, heading: impl Into<String>, cells: Vec<String>) {
        self.columns.push((heading.into(), cells));
    }

    /// Appends a column, if anything stands in it.
    pub(super) fn push_if_any(&mut self, heading: &str, cells: Vec<String>) {
        if cells.iter().any(|cell| !cell.is_empty()) {
            self.push(heading, cells);
        }
    }

    /// Cuts columns from the right until labels have room, but for the first `kept`: JSON has
    /// everything.
    pub(super) fn cut(&mut self, labels: &[String], width: usize, kept: usize) {
        while !self.has_room(labels, width) && self.columns.len() > kept {
            self.columns.pop();
        }
    }

    /// Drops these columns, one after the other, until labels have room.
    pub(super) fn drop_in_turn(&mut self, labels: &[String], width: usize, headings: &[&str]) {
        for dropped in headings {
            if self.has_room(labels, width) {
                return;
            }
            self.columns.retain(|(heading, _)| heading != dropped);
        }
    }

    fn has_room(&self, labels: &[String], width: usize) -> bool {
        self.width() + longest(labels).clamp(LABEL_WIDTH_MIN, LABEL_WIDTH_KEPT) <= width
    }

    /// Keeps these rows, in their order.
    pub(super) fn keep_rows(&mut self, rows: &[usize]) {
        for (_, cells) in &mut self.columns {
            *cells = rows.iter().map(|row| cells[*row].clone()).collect();
        }
    }

    /// Its headings, each with its cells.
    pub(super) fn columns(&self) -> &[(String, Vec<String>)] {
        &self.columns
    }

    /// As a table of Markdown.
    pub(super) fn markdown(&self, heading: &str, labels: &[String]) -> String {
        let escaped = |text: &str| text.replace('|', "\\|");
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(escaped).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let headings = self.columns.iter().map(|(heading, _)| heading.as_str());
        let mut out = line(&mut [heading].into_iter().chain(headings));
        out.push_str("|---|");
        out.push_str(&"--:|".repeat(self.columns.len()));
        out.push('\n');
        for (row, label) in labels.iter().enumerate() {
            let cells = self.columns.iter().map(|(_, cells)| cells[row].as_str());
            out.push_str(&line(&mut [label.as_str()].into_iter().chain(cells)));
        }
        out
    }

    /// As a table of LaTeX's package `booktabs`.
    pub(super) fn latex(&self, heading: &str, labels: &[String]) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(escaped).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let headings = self.columns.iter().map(|(heading, _)| heading.as_str());
        let mut out = format!("\\begin{{tabular}}{{l{}}}\n", "r".repeat(self.columns.len()));
        out.push_str("\\toprule\n");
        out.push_str(&line(&mut [heading].into_iter().chain(headings)));
        out.push_str("\\midrule\n");
        for (row, label) in labels.iter().enumerate() {
            let cells = self.columns.iter().map(|(_, cells)| cells[row].as_str());
            out.push_str(&line(&mut [label.as_str()].into_iter().chain(cells)));
        }
        out.push_str("\\bottomrule\n\\end{tabular}\n");
        out
    }

    /// What all columns but the label's text take: two blanks and a border each.
    fn width(&self) -> usize {
        let column = |(heading, cells): &(String, Vec<String>)| {
            cells.iter().chain([heading]).map(|cell| cell.chars().count()).max().unwrap_or(0) + 3
        };
        4 + self.columns.iter().map(column).sum::<usize>()
    }

    /// The table, line by line, without blanks at the ends of lines.
    pub(super) fn draw(&self, heading: &str, labels: &[String], width: usize) -> String {
        self.drawn(heading, labels, width, CellAlignment::Right)
    }

    /// The same, cells beginning at the left.
    pub(super) fn draw_left(&self, heading: &str, labels: &[String], width: usize) -> String {
        self.drawn(heading, labels, width, CellAlignment::Left)
    }

    fn drawn(
        &self,
        heading: &str,
        labels: &[String],
        width: usize,
        alignment: CellAlignment,
    ) -> String {
        let room = width.saturating_sub(self.width()).max(LABEL_WIDTH_MIN);
        let mut table = Table::new();
        table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // Wide enough for figures never to wrap, even where they leave a label its least room only.
        table.set_width(u16::try_from(self.width() + room).unwrap_or(u16::MAX));
        let headings = self.columns.iter().map(|(heading, _)| heading.as_str());
        table.set_header([heading].into_iter().chain(headings));
        for (row, label) in labels.iter().enumerate() {
            let cells = self.columns.iter().map(|(_, cells)| cells[row].as_str());
            table.add_row([label.as_str()].into_iter().chain(cells));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(alignment);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let mut out = String::new();
        for line in table.to_string().lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn longest(labels: &[String]) -> usize {
    labels.iter().map(|label| label.chars().count()).max().unwrap_or(0)
}
