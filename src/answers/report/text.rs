//! The answers, for people.

use std::fmt::Write as _;

use base::units::plural;

use super::boxes::boxes;
use super::grid::Grid;
use super::grids::Grids;
use super::legend::legend;
use super::sentence::sentence;
use super::summary::summary;
use super::{Shown, WIDTH, human};
use crate::analysis::{Analysis, Answer, GoalAnswers, Labels};

/// Lines of tables that fit on a screen beside the sentences and the legend.
const SCREEN_LINES: usize = 32;
/// Methods of a goal that a screen shows.
const SCREEN_METHODS: usize = 20;
/// Sentences, and notes, that a screen shows.
const SCREEN_SENTENCES: usize = 12;
const SCREEN_NOTES: usize = 6;

/// Everything, at the usual width; see [`render_as`].
pub fn render(analysis: &Analysis) -> String {
    render_as(analysis, Shown { width: WIDTH, full: true, plot: false })
}

/// The answer in a sentence a goal, the tables of the goals, one over all tables where there are
/// several, how to read them, and what to beware of: as much as fits on a screen, or all of it.
/// Plain text without colour, ends in a newline. Labels are the same at any width.
pub fn render_as(analysis: &Analysis, shown: Shown) -> String {
    let mut out = String::new();
    let labels = Labels::of(&analysis.methods);
    let cut = |all: usize, fit: usize| if shown.full { all } else { all.min(fit) };
    let width = shown.width;
    let said = cut(analysis.goals.len(), SCREEN_SENTENCES);
    for goal in &analysis.goals[..said] {
        paragraph(&mut out, width, "", &sentence(analysis, goal, &labels));
    }
    left_out(&mut out, analysis.goals.len() - said, "goal");
    out.push('\n');
    if !labels.shared.is_empty() {
        let whom = if labels.names.len() == 1 { "with" } else { "all with" };
        paragraph(&mut out, width, "", &format!("{whom}: {}", labels.shared.join(", ")));
    }
    let mut lines = 0;
    let mut tables_left_out = 0;
    for goal in &analysis.goals {
        let table = section(goal, &labels, shown);
        lines += table.lines().count();
        if shown.full || lines <= SCREEN_LINES || lines == table.lines().count() {
            out.push_str(&table);
        } else {
            tables_left_out += 1;
        }
    }
    left_out(&mut out, tables_left_out, "table");
    if let Some(mut summary) = summary(analysis, &labels) {
        paragraph(&mut out, width, "", &summary.heading);
        summary.grid.cut(&summary.labels, width, 1);
        out.push_str(&summary.grid.draw(&labels.heading, &summary.labels, width));
    }
    let explained = legend(&out, analysis, &labels, shown);
    for line in explained {
        paragraph(&mut out, width, "  ", &line);
    }
    if !analysis.notes.is_empty() {
        out.push_str("\nNotes\n");
        let shown_notes = cut(analysis.notes.len(), SCREEN_NOTES);
        for note in &analysis.notes[..shown_notes] {
            paragraph(&mut out, width, "- ", &format!("{}; {}.", note.what, note.remedy));
        }
        left_out(&mut out, analysis.notes.len() - shown_notes, "note");
    }
    out
}

fn left_out(out: &mut String, count: usize, what: &str) {
    if count > 0 {
        let _ = writeln!(out, "... and {}: --full shows all", plural(count, what));
    }
}

/// Six significant digits: enough to tell counts of images apart.
pub(super) fn threshold_text(value: f64) -> String {
    format!("{value:.5e}").parse().map_or_else(|_| value.to_string(), human::plain)
}

/// What a goal is on its table.
pub(super) fn heading(goal: &GoalAnswers) -> String {
    let threshold = threshold_text(goal.goal_value);
    let verb = if goal.goal_rows == 1 { "row meets" } else { "rows meet" };
    format!("Goal {} on {}: {threshold}, which {} {verb}", goal.goal, goal.table, goal.goal_rows)
}

/// The methods of a goal that are shown: all of them, or the soonest and the baseline.
fn rows(goal: &GoalAnswers, shown: Shown) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..goal.answers.len()).collect();
    if shown.full || rows.len() <= SCREEN_METHODS {
        return rows;
    }
    let median = |at: &usize| goal.answers[*at].time_to_goal_s.median.low;
    rows.sort_by(|a, b| median(a).total_cmp(&median(b)));
    let soonest = rows[..SCREEN_METHODS].to_vec();
    rows.retain(|at| soonest.contains(at) || goal.answers[*at].is_baseline);
    rows
}

/// The tables of a goal; one alone where not all is shown.
fn section(goal: &GoalAnswers, labels: &Labels, shown: Shown) -> String {
    let mut out = String::new();
    let width = shown.width;
    let names: Vec<String> = goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
    paragraph(&mut out, width, "", &heading(goal));
    let Grids { mut times, comparisons, means } = Grids::of(goal, &names, width);
    let rows = rows(goal, shown);
    times.keep_rows(&rows);
    let of_rows: Vec<String> = rows.iter().map(|row| names[*row].clone()).collect();
    out.push_str(&times.draw(&labels.heading, &of_rows, width));
    if shown.plot {
        out.push_str(&plot(goal, &names, &rows, labels, width));
    }
    if rows.len() < names.len() {
        let _ = writeln!(out, "the soonest of {}: --full shows all", names.len());
    }
    if !shown.full {
        return out;
    }
    let with_names = |of: fn(&Answer) -> bool| -> Vec<String> {
        let rows = goal.answers.iter().zip(&names).filter(|(a, _)| of(a));
        rows.map(|(_, name)| name.clone()).collect()
    };
    if let Some(grid) = comparisons {
        let baseline = with_names(|a| a.is_baseline).pop().unwrap_or_default();
        paragraph(&mut out, width, "", &format!("Against {baseline}{}:", how_compared(goal)));
        let rows = with_names(|a| a.comparison.is_some());
        out.push_str(&grid.draw(&labels.heading, &rows, width));
    }
    paragraph(&mut out, width, "", &means_heading(goal));
    out.push_str(&means.draw(&labels.heading, &names, width));
    out.push('\n');
    out
}

/// A table of small box plots, nothing where there is no room.
fn plot(
    goal: &GoalAnswers,
    names: &[String],
    rows: &[usize],
    labels: &Labels,
    width: usize,
) -> String {
    let longest = rows.iter().map(|row| names[*row].chars().count()).max().unwrap_or(0);
    // Borders and blanks take seven characters.
    let Some((heading, cells)) = boxes(goal, width.saturating_sub(longest + 7)) else {
        return String::new();
    };
    let mut grid = Grid::default();
    grid.push(heading, cells);
    grid.keep_rows(rows);
    let of_rows: Vec<String> = rows.iter().map(|row| names[*row].clone()).collect();
    grid.draw_left(&labels.heading, &of_rows, width)
}

fn how_compared(goal: &GoalAnswers) -> &'static str {
    let paired = || goal.answers.iter().filter_map(|a| a.comparison).map(|c| c.pairs.is_some());
    match (paired().any(|p| p), paired().any(|p| !p)) {
        (true, false) => ", pair by pair of runs with the same repeat and seed",
        (true, true) => ", pair by pair where repeats and seeds are the same",
        _ => ", all runs with all, for they do not pair",
    }
}

fn means_heading(goal: &GoalAnswers) -> String {
    let is_selected = goal.answers.iter().any(|a| a.selected_value.is_some());
    let selected = if is_selected { ", and what was selected" } else { "" };
    match goal.horizon {
        Some(h) if h.is_budget => {
            format!("Means{selected}; all runs share a budget of {}:", human::time(h.seconds))
        }
        Some(h) => {
            let longest = human::time(h.seconds);
            format!("Means{selected}; every run reached the goal, the last after {longest}:")
        }
        None => format!("Means{selected}:"),
    }
}

/// Writes `text` after `mark`, wrapped at the width, later lines below the first.
pub(super) fn paragraph(out: &mut String, width: usize, mark: &str, text: &str) {
    let indent = " ".repeat(mark.len());
    let mut line = mark.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        let space = usize::from(!empty);
        if !empty && line.chars().count() + space + word.chars().count() > width {
            let _ = writeln!(out, "{line}");
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{line}");
}
