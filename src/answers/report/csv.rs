//! The answers as CSV: a row a goal and method, for spreadsheets and data frames.
//!
//! Numbers are written so that they are read back as they are; a number within bounds has a column
//! for either end. `inf` is never, an empty cell is unknown or does not apply.

use base::stats::Interval;

use crate::analysis::{Analysis, Answer, GoalAnswers, Spread};

/// The columns, in their order.
const COLUMNS: [&str; 42] = [
    "table",
    "goal",
    "goal_value",
    "goal_rows",
    "sampler",
    "scheduler",
    "stopper",
    "report",
    "value",
    "workers",
    "settings",
    "is_baseline",
    "runs",
    "reached",
    "censored",
    "time_to_goal_s_q25_low",
    "time_to_goal_s_q25_high",
    "time_to_goal_s_median_low",
    "time_to_goal_s_median_high",
    "time_to_goal_s_q75_low",
    "time_to_goal_s_q75_high",
    "speedup_low",
    "speedup_high",
    "speedup_interval_low",
    "speedup_interval_high",
    "sooner_low",
    "sooner_high",
    "sign_p_holm",
    "wilcoxon_p_holm",
    "trials_to_goal_median_low",
    "trials_to_goal_median_high",
    "epochs_to_goal_median_low",
    "epochs_to_goal_median_high",
    "expected_running_time_s",
    "selected_value_median",
    "selected_test_median",
    "table_share_median",
    "trials",
    "stopped_trials",
    "saved_s",
    "goal_rows_met",
    "goal_rows_stopped",
];

/// A header and a row a goal and method.
pub fn render(analysis: &Analysis) -> String {
    let mut out = line(&COLUMNS.map(str::to_string));
    for goal in &analysis.goals {
        for answer in &goal.answers {
            out.push_str(&line(&row(analysis, goal, answer)));
        }
    }
    out
}

fn row(analysis: &Analysis, goal: &GoalAnswers, answer: &Answer) -> Vec<String> {
    let method = &analysis.methods[answer.method];
    let parts = method.parts();
    let mut cells = vec![
        goal.table.clone(),
        goal.goal.clone(),
        goal.goal_value.to_string(),
        goal.goal_rows.to_string(),
    ];
    cells.extend(parts[..7].iter().map(|(_, value)| value.clone()));
    cells.push(answer.is_baseline.to_string());
    cells.extend([answer.runs, answer.reached, answer.censored].map(|n| n.to_string()));
    let times = answer.time_to_goal_s;
    let mut bounds = |interval: Option<Interval>| {
        cells.push(number(interval.map(|i| i.low)));
        cells.push(number(interval.map(|i| i.high)));
    };
    [times.q25, times.median, times.q75].map(Some).into_iter().for_each(&mut bounds);
    bounds(answer.speedup.map(|s| s.ratio));
    bounds(answer.speedup.and_then(|s| s.interval));
    bounds(answer.comparison.and_then(|c| c.sooner));
    let holm = |t: Option<crate::analysis::Tested>| number(t.map(|t| t.p_holm));
    cells.push(holm(answer.comparison.and_then(|c| c.sign)));
    cells.push(holm(answer.comparison.and_then(|c| c.wilcoxon)));
    for counts in [answer.trials_to_goal_median, answer.epochs_to_goal_median] {
        cells.extend([counts.low, counts.high].map(|n| number(Some(n))));
    }
    let median = |s: Option<Spread>| number(s.map(|s| s.median));
    let count = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
    cells.push(number(Some(answer.expected_running_time_s.value)));
    cells.push(median(answer.selected_value));
    cells.push(median(answer.selected_test));
    cells.push(number(Some(answer.table_share_median)));
    cells.extend([answer.ended.trials, answer.ended.stopped].map(|n| n.to_string()));
    cells.push(number(answer.ended.saved_s));
    cells.push(count(answer.ended.goal_rows_met));
    cells.push(count(answer.ended.goal_rows_stopped));
    assert_eq!(cells.len(), COLUMNS.len(), "a cell a column");
    cells
}

/// The shortest text that is read back as the same number.
fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |v| format!("{v:?}"))
}

/// Cells as RFC 4180 has them, but for the end of the line.
pub(super) fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    let cells: Vec<String> = cells.iter().map(quoted).collect();
    format!("{}\n", cells.join(","))
}
