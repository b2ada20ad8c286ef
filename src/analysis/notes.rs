//! What a reader should know before believing the numbers.

use super::groups::Grouped;
use super::{Answer, GoalAnswers, Method};

/// Below this many rows a goal measures luck in meeting a few configurations.
const GOAL_ROWS_MIN: u64 = 5;
/// Above this share a run feels that the table is finite: the best are soon drawn.
const TABLE_SHARE_MAX: f64 = 0.1;
/// Below this many runs a percentile interval is too narrow to keep its promise.
const RUNS_MIN: usize = 10;

/// One thing to know, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub what: String,
    pub remedy: String,
}

fn note(what: String, remedy: &str) -> Note {
    Note { what, remedy: remedy.to_string() }
}

/// One note a kind and goal at most, however many methods it concerns.
pub(super) fn notes(grouped: &Grouped<'_>, goals: &[GoalAnswers], baseline: &Method) -> Vec<Note> {
    let mut notes = Vec::new();
    for (groups, goal) in grouped.goals.iter().zip(goals) {
        let name = format!("goal {} on {}", goal.goal, goal.table);
        let count = |of: &dyn Fn(&Answer) -> bool| goal.answers.iter().filter(|a| of(a)).count();
        if goal.goal_rows < GOAL_ROWS_MIN {
            let what = format!("{name}: met by {} of the table's rows", rows(goal.goal_rows));
            notes.push(note(what, "ask for a wider goal, or train a larger table"));
        }
        let all = || groups.groups.iter().flat_map(|g| &g.runs);
        if all().any(|r| r.goal_value != goal.goal_value || r.goal_rows != goal.goal_rows) {
            let what = format!("{name}: it stands for different thresholds in different runs");
            notes.push(note(what, "compare runs of one table and one --value only"));
        }
        let method_count = goal.answers.len();
        if count(&|a| a.reached > 0) == 0 {
            let what = format!("{name}: no run of any method reached it");
            let remedy = "ask for an easier goal, or raise the budget where runs were cut";
            notes.push(note(what, remedy));
        } else {
            let cut = count(&|a| a.time_to_goal_s.median.value().is_none());
            if cut > 0 {
                let what = format!(
                    "{name}: {cut} of {method_count} medians are bounds, for runs were cut"
                );
                notes.push(note(what, "raise --budget-seconds or --max-trials to know more"));
            }
        }
        let greedy = count(&|a| a.table_share_median > TABLE_SHARE_MAX);
        if greedy > 0 {
            let largest = goal.answers.iter().map(|a| a.table_share_median).fold(0.0, f64::max);
            let what = format!(
                "{name}: {greedy} of {method_count} methods used more than 10 % of the table \
                 (median share up to {:.0} %)",
                100.0 * largest
            );
            notes.push(note(what, "train a larger table, or ask for an easier goal"));
        }
        comparisons(&name, goal, baseline, &mut notes);
    }
    notes
}

fn rows(count: u64) -> String {
    if count == 0 { "none".to_string() } else { format!("only {count}") }
}

fn comparisons(name: &str, goal: &GoalAnswers, baseline: &Method, notes: &mut Vec<Note>) {
    if !goal.answers.iter().any(|a| a.is_baseline) {
        let what = format!("{name}: the baseline `{baseline}` has no runs here, so no speed-ups");
        notes.push(note(what, "replay the baseline there too, or choose another --baseline"));
    }
    let fewest = goal.answers.iter().map(|a| a.runs).min().unwrap_or(0);
    if fewest < 2 {
        let what = format!("{name}: a method has one run only, which has no interval");
        notes.push(note(what, "replay with --repeats 50"));
    } else if fewest < RUNS_MIN {
        let what = format!("{name}: with {fewest} runs a bootstrap interval is too narrow");
        notes.push(note(what, "replay with --repeats 50"));
    }
    if goal.answers.iter().filter_map(|a| a.speedup).any(|s| !s.paired) {
        let what = format!("{name}: some runs do not pair with the baseline's by repeat and seed");
        notes.push(note(
            what,
            "give all methods the same --repeats and --seed for tighter intervals",
        ));
    }
}
