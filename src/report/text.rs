//! The table of answers, for people.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

use super::human;
use super::labels::{Labels, labels};
use crate::analysis::{Analysis, Answer, GoalAnswers, Method};

/// The widest a table of answers gets before long labels wrap.
const WIDTH_MAX: u16 = 118;
/// A label never gets narrower than this.
const LABEL_WIDTH_MIN: u16 = 16;

/// One table a goal, then how to read them, then what to beware of. Plain text without colour,
/// ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    for goal in &analysis.goals {
        section(&mut out, analysis, goal);
    }
    legend(&mut out, analysis);
    if !analysis.notes.is_empty() {
        out.push_str("\nNotes\n");
        for note in &analysis.notes {
            paragraph(&mut out, "- ", &format!("{}; {}.", note.what, note.remedy));
        }
    }
    out
}

fn section(out: &mut String, analysis: &Analysis, goal: &GoalAnswers) {
    let methods: Vec<&Method> = goal.answers.iter().map(|a| &analysis.methods[a.method]).collect();
    let names = labels(&methods);
    let threshold = goal.goal_value;
    let rows = if goal.goal_rows == 1 { "row meets" } else { "rows meet" };
    let heading = format!(
        "Goal {} on {}: {threshold}, which {} {rows}",
        goal.goal, goal.table, goal.goal_rows
    );
    paragraph(out, "", &heading);
    let shared: Vec<&str> =
        names.shared.iter().map(String::as_str).filter(|s| !s.starts_with("table ")).collect();
    if !shared.is_empty() {
        paragraph(out, "", &format!("{}: {}", whom(&names), shared.join(", ")));
    }
    let table = table(&names, goal);
    for line in table.to_string().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
}

fn whom(names: &Labels) -> &'static str {
    if names.labels.len() == 1 { "with" } else { "all with" }
}

fn table(names: &Labels, goal: &GoalAnswers) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH_MAX);
    let heading = names.heading.as_str();
    table.set_header([
        heading, "reached", "25 %", "median", "75 %", "speed-up", "interval", "trials", "epochs",
        "stopped",
    ]);
    for (label, answer) in names.labels.iter().zip(&goal.answers) {
        table.add_row(cells(label, answer));
    }
    let others: u16 = table.column_max_content_widths().iter().skip(1).map(|w| w + 3).sum();
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    // Figures never wrap; labels take what they leave.
    let left = WIDTH_MAX.saturating_sub(others + 4).max(LABEL_WIDTH_MIN);
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(left + 2)));
    }
    table
}

fn cells(label: &str, answer: &Answer) -> [String; 10] {
    let time = |bounds| human::bounded(bounds, human::time);
    let count = |bounds| {
        human::bounded(bounds, |n| if n.is_infinite() { "-".to_string() } else { human::count(n) })
    };
    let (speedup, interval) = match answer.speedup {
        None if answer.is_baseline => ("baseline".to_string(), String::new()),
        None => ("-".to_string(), String::new()),
        Some(s) => (human::ratio(s.ratio), s.interval.map_or("-".to_string(), human::range)),
    };
    [
        label.to_string(),
        format!("{}/{}", answer.reached, answer.runs),
        time(answer.time_to_goal_s.q25),
        time(answer.time_to_goal_s.median),
        time(answer.time_to_goal_s.q75),
        speedup,
        interval,
        count(answer.trials_to_goal_median),
        count(answer.epochs_to_goal_median),
        format!("{:.0} %", 100.0 * answer.stopped_share),
    ]
}

fn legend(out: &mut String, analysis: &Analysis) {
    let confidence = human::number(100.0 * analysis.confidence);
    let confidence = confidence.trim_end_matches('0').trim_end_matches('.');
    let mut lines = vec![
        "25 %, median, 75 %: quartiles of the time to the goal over all runs, on the simulated clock"
            .to_string(),
        format!(
            "speed-up: median time of the baseline / median time of the method, with its \
             {confidence} % bootstrap interval ({} resamples)",
            analysis.bootstrap_resamples
        ),
        "trials, epochs: medians to the goal; stopped: trials that the rule ended early".to_string(),
    ];
    let answers = || analysis.goals.iter().flat_map(|g| &g.answers);
    let quartiles = || answers().map(|a| a.time_to_goal_s).flat_map(|q| [q.q25, q.median, q.q75]);
    if quartiles().any(|q| q.low.is_infinite()) {
        lines.push("never: that many runs tried every row without reaching the goal".to_string());
    }
    if quartiles().any(|q| q.value().is_none()) {
        lines.push("> t: runs were cut before the goal, so only this much is known".to_string());
    }
    if answers().filter_map(|a| a.speedup).any(|s| human::ratio(s.ratio) == "?") {
        lines.push("?: neither median is known, so neither is their ratio".to_string());
    }
    for line in lines {
        paragraph(out, "  ", &line);
    }
}

/// Writes `text` after `mark`, wrapped at the width of the tables, later lines below the first.
fn paragraph(out: &mut String, mark: &str, text: &str) {
    let indent = " ".repeat(mark.len());
    let mut line = mark.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        let space = usize::from(!empty);
        if !empty && line.chars().count() + space + word.chars().count() > usize::from(WIDTH_MAX) {
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
