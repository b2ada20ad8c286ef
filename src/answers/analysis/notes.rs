//! What a reader should know before believing the numbers.

use super::groups::GoalGroups;
use super::{GoalAnswers, Method};

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

/// One note a kind at most, however many methods it concerns.
pub(super) fn notes(
    groups: &GoalGroups<'_>,
    goal: &GoalAnswers,
    no_horizon: Option<&str>,
    baseline: &Method,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let name = format!("goal {} on {}", goal.goal, goal.table);
    if goal.goal_rows < GOAL_ROWS_MIN {
        let what = format!("{name}: met by {} of the table's rows", rows(goal.goal_rows));
        notes.push(note(what, "ask for a wider goal, or train a larger table"));
    }
    if groups.is_mixed {
        let what = format!("{name}: it stands for different thresholds in different runs");
        notes.push(note(what, "compare runs of one table and one --value only"));
    }
    times(&name, goal, no_horizon, &mut notes);
    shares(&name, goal, &mut notes);
    comparisons(&name, goal, baseline, &mut notes);
    notes
}

/// What is not known of the times.
fn times(name: &str, goal: &GoalAnswers, no_horizon: Option<&str>, notes: &mut Vec<Note>) {
    if goal.answers.iter().all(|a| a.reached == 0) {
        let what = format!("{name}: no run of any method reached it");
        let remedy = "ask for an easier goal, or raise the budget where runs were cut";
        notes.push(note(what, remedy));
        return;
    }
    let cut = goal.answers.iter().filter(|a| a.time_to_goal_s.median.value().is_none()).count();
    if cut > 0 {
        let all = goal.answers.len();
        let what = format!("{name}: {cut} of {all} medians are bounds, for runs were cut");
        notes.push(note(what, "raise --budget-seconds or --max-trials to know more"));
    }
    if let Some(reason) = no_horizon {
        let what = format!("{name}: no restricted means, for {reason}");
        notes.push(note(what, "give all runs one --budget-seconds that ends them first"));
    }
}

/// What the table is too small for.
fn shares(name: &str, goal: &GoalAnswers, notes: &mut Vec<Note>) {
    let method_count = goal.answers.len();
    let shares = || goal.answers.iter().map(|a| a.table_share_median);
    let greedy = shares().filter(|share| *share > TABLE_SHARE_MAX).count();
    if greedy > 0 {
        let what = format!(
            "{name}: {greedy} of {method_count} methods used more than 10 % of the table \
             (median share up to {:.0} %)",
            100.0 * shares().fold(0.0, f64::max)
        );
        notes.push(note(what, "train a larger table, or ask for an easier goal"));
    }
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
    // Under a common budget these are pairs of which neither run was in time: they favour nobody.
    let pairs = || goal.answers.iter().filter_map(|a| a.comparison?.pairs);
    let unknown = pairs().map(|p| p.unknown).max().unwrap_or(0);
    if unknown > 0 && goal.horizon.is_none() {
        let what = format!(
            "{name}: the tests leave out up to {unknown} of {fewest} pairs, whose order is \
             unknown, for runs were cut at different times; that may favour whom it cut sooner"
        );
        notes.push(note(what, "give all runs one --budget-seconds, and believe P(sooner) first"));
    }
    if goal.answers.iter().filter_map(|a| a.speedup).any(|s| !s.paired) {
        let what = format!("{name}: some runs do not pair with the baseline's by repeat and seed");
        notes.push(note(
            what,
            "give all methods the same --repeats and --seed for tighter intervals",
        ));
    }
}
