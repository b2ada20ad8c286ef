//! The table of answers, for people.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::human;
use super::labels::{Labels, labels};
use crate::analysis::{Analysis, Answer, GoalAnswers, Method};

/// The widest a table of answers gets before long labels wrap.
const WIDTH_MAX: usize = 118;
/// A label never gets narrower than this.
const LABEL_WIDTH_MIN: usize = 9;
/// Columns give way to short labels up to this width; longer ones wrap.
const LABEL_WIDTH_KEPT: usize = 30;
/// Columns that no lack of room takes away: up to the speed-up's interval.
const COLUMNS_MIN: usize = 6;

/// One table a goal, then how to read them, then what to beware of. Plain text without colour,
/// ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    // One spelling of the labels throughout, so that tables can be compared line by line.
    let full_names = analysis.goals.iter().all(|goal| full_names_fit(analysis, goal));
    for goal in &analysis.goals {
        section(&mut out, analysis, goal, full_names);
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

fn named(analysis: &Analysis, goal: &GoalAnswers) -> Labels {
    let methods: Vec<&Method> = goal.answers.iter().map(|a| &analysis.methods[a.method]).collect();
    labels(&methods)
}

fn longest(labels: &[String]) -> usize {
    labels.iter().map(|label| label.chars().count()).max().unwrap_or(0)
}

/// The columns of a goal's table, as many as short labels leave room for.
fn rows_for(goal: &GoalAnswers, named: &Labels) -> Vec<Vec<String>> {
    rows(goal, longest(&named.shortened()).clamp(LABEL_WIDTH_MIN, LABEL_WIDTH_KEPT))
}

fn full_names_fit(analysis: &Analysis, goal: &GoalAnswers) -> bool {
    let named = named(analysis, goal);
    longest(&named.names) <= WIDTH_MAX.saturating_sub(width(&rows_for(goal, &named)))
}

/// Six significant digits: enough to tell counts of images apart.
fn threshold_text(value: f64) -> String {
    format!("{value:.5e}").parse().map_or_else(|_| value.to_string(), |v: f64| v.to_string())
}

fn section(out: &mut String, analysis: &Analysis, goal: &GoalAnswers, full_names: bool) {
    let named = named(analysis, goal);
    let threshold = threshold_text(goal.goal_value);
    let verb = if goal.goal_rows == 1 { "row meets" } else { "rows meet" };
    let heading = format!(
        "Goal {} on {}: {threshold}, which {} {verb}",
        goal.goal, goal.table, goal.goal_rows
    );
    paragraph(out, "", &heading);
    let shared: Vec<&str> =
        named.shared.iter().map(String::as_str).filter(|s| !s.starts_with("table ")).collect();
    if !shared.is_empty() {
        paragraph(out, "", &format!("{}: {}", whom(&named), shared.join(", ")));
    }
    let rows = rows_for(goal, &named);
    let labels = if full_names { named.names.clone() } else { named.shortened() };
    for (short, full) in labels.iter().zip(&named.names).filter(|(short, full)| short != full) {
        paragraph(out, "  ", &format!("{short} = {full}"));
    }
    for line in table(&named.heading, &labels, rows).to_string().lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
}

fn whom(named: &Labels) -> &'static str {
    if named.names.len() == 1 { "with" } else { "all with" }
}

/// The columns beside the label, from the left.
const COLUMNS: [&str; 9] =
    ["reached", "25 %", "median", "75 %", "speed-up", "interval", "trials", "epochs", "stopped"];

/// The rows of a goal under [`COLUMNS`], all cut alike from the right until labels have room: JSON
/// has everything.
fn rows(goal: &GoalAnswers, label_width: usize) -> Vec<Vec<String>> {
    let mut rows = vec![COLUMNS.map(str::to_string).to_vec()];
    rows.extend(goal.answers.iter().map(|answer| cells(answer).to_vec()));
    while width(&rows) + label_width > WIDTH_MAX && rows[0].len() > COLUMNS_MIN {
        for row in &mut rows {
            row.pop();
        }
    }
    rows
}

/// What all columns but the label's text take: two blanks and a border each.
fn width(rows: &[Vec<String>]) -> usize {
    let longest = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    4 + (0..rows[0].len()).map(|column| longest(column) + 3).sum::<usize>()
}

fn table(heading: &str, labels: &[String], mut rows: Vec<Vec<String>>) -> Table {
    let room = WIDTH_MAX.saturating_sub(width(&rows)).max(LABEL_WIDTH_MIN);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    // Wide enough for figures never to wrap, even where they leave a label its least room only.
    let all = width(&rows) + room;
    table.set_width(u16::try_from(all).unwrap_or(u16::MAX));
    let mut header = rows.remove(0);
    header.insert(0, heading.to_string());
    table.set_header(header);
    for (label, mut row) in labels.iter().zip(rows) {
        row.insert(0, label.clone());
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

fn cells(answer: &Answer) -> [String; 9] {
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
        "25 %, median, 75 %: quartiles of the time to the goal over all runs, simulated clock"
            .to_string(),
        format!(
            "speed-up: median time of the baseline / median time of the method, with its \
             {confidence} % bootstrap interval ({} resamples)",
            analysis.bootstrap_resamples
        ),
        "trials, epochs: medians to the goal; stopped: trials that a rule ended early".to_string(),
    ];
    let answers = || analysis.goals.iter().flat_map(|g| &g.answers);
    let quartiles = || answers().map(|a| a.time_to_goal_s).flat_map(|q| [q.q25, q.median, q.q75]);
    if quartiles().any(|q| q.low.is_infinite()) {
        lines.push("never: that many runs tried every row without reaching the goal".to_string());
    }
    if quartiles().any(|q| q.value().is_none()) {
        let line = "> a, a..b: runs were cut before the goal, so only these bounds are known";
        lines.push(line.to_string());
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
        if !empty && line.chars().count() + space + word.chars().count() > WIDTH_MAX {
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
