//! The tables of answers, for people.

use std::fmt::Write as _;

use super::grid::WIDTH_MAX;
use super::grids::Grids;
use super::human;
use super::labels::{Labels, labels};
use crate::analysis::{Analysis, Answer, GoalAnswers, Method};

/// Three tables a goal, then how to read them, then what to beware of. Plain text without colour,
/// ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    // One spelling of the labels throughout, so that tables can be compared line by line.
    let full_names = analysis.goals.iter().all(|goal| {
        let named = named(analysis, goal);
        let Grids { times, comparisons, means } = Grids::of(goal, &named.shortened());
        let mut all = [Some(&times), comparisons.as_ref(), Some(&means)].into_iter().flatten();
        all.all(|grid| grid.has_room(&named.names))
    });
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
    let short = named.shortened();
    let labels = if full_names { named.names.clone() } else { short.clone() };
    for (short, full) in labels.iter().zip(&named.names).filter(|(short, full)| short != full) {
        paragraph(out, "  ", &format!("{short} = {full}"));
    }
    let Grids { times, comparisons, means } = Grids::of(goal, &short);
    out.push_str(&times.draw(&named.heading, &labels));
    let with_labels = |of: fn(&Answer) -> bool| -> Vec<String> {
        let rows = goal.answers.iter().zip(&labels).filter(|(a, _)| of(a));
        rows.map(|(_, label)| label.clone()).collect()
    };
    if let Some(grid) = comparisons {
        let baseline = with_labels(|a| a.is_baseline).pop().unwrap_or_default();
        paragraph(out, "", &format!("Against {baseline}{}:", how_compared(goal)));
        let rows = with_labels(|a| a.comparison.is_some());
        out.push_str(&grid.draw(&named.heading, &rows));
    }
    paragraph(out, "", &means_heading(goal));
    out.push_str(&means.draw(&named.heading, &labels));
    out.push('\n');
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

fn whom(named: &Labels) -> &'static str {
    if named.names.len() == 1 { "with" } else { "all with" }
}

fn legend(out: &mut String, analysis: &Analysis) {
    let answers = || analysis.goals.iter().flat_map(|g| &g.answers);
    let mut lines = time_lines(analysis);
    let compared = |g: &GoalAnswers| g.answers.iter().filter_map(|a| a.comparison).count();
    if answers().any(|a| a.comparison.is_some_and(|c| c.pairs.is_some())) {
        let what = "won, lost: pairs in which the method, or the baseline, was sooner; P(sooner): \
                    the share won, a tie half";
        lines.push(what.to_string());
        let what = "sign p, Wilcoxon p: two-sided tests over the pairs, never being the largest \
                    time";
        lines.push(what.to_string());
    }
    if answers().any(|a| a.comparison.is_some_and(|c| c.mann_whitney.is_some())) {
        lines.push("U p: the two-sided Mann-Whitney test of all runs".to_string());
    }
    if analysis.goals.iter().any(|g| compared(g) > 1) {
        lines.push("Holm: the p-value before it, adjusted over the methods of the goal".into());
    }
    let what =
        "ERT: expected running time, the total time of all runs / runs that reached the goal";
    lines.push(what.to_string());
    if analysis.goals.iter().any(|g| g.horizon.is_some_and(|h| h.is_budget)) {
        lines.push("mean to t: the restricted mean, of min(time to the goal, t)".to_string());
    }
    if answers().any(|a| a.selected_value.is_some()) {
        let test = if answers().any(|a| a.selected_test.is_some()) {
            "; its test: the metric on test images there, with quartiles"
        } else {
            ""
        };
        lines.push(format!("selected: median over runs of the best trial's value{test}"));
    }
    if answers().any(|a| a.overhead_share > 0.0) {
        lines.push("overhead: the share of the time that the optimiser itself took".to_string());
    }
    for line in lines {
        paragraph(out, "  ", &line);
    }
}

/// How to read the first table.
fn time_lines(analysis: &Analysis) -> Vec<String> {
    let confidence = human::number(100.0 * analysis.confidence);
    let confidence = confidence.trim_end_matches('0').trim_end_matches('.');
    let mut lines = vec![
        "25 %, median, 75 %: quartiles of the time to the goal over all runs, simulated clock"
            .to_string(),
        format!(
            "speed-up: median time of the baseline / that of the method; intervals: \
             {confidence} % bootstrap intervals ({} resamples)",
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
    lines
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
