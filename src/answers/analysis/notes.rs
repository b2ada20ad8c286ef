//! What a reader should know before believing the numbers.

use base::units::plural;

use super::groups::GoalGroups;
use super::horizon::NoHorizon;
use super::{Answer, GoalAnswers, Method, Runs};

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
    no_horizon: Option<&NoHorizon>,
    runs: &Runs,
    baseline: &Method,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let name = format!("goal {} on {}", goal.goal, goal.table);
    if goal.goal_rows < GOAL_ROWS_MIN {
        let what = format!("{name}: met by {} of the table's rows", few(goal.goal_rows));
        notes.push(note(what, "ask for a wider goal, or train a larger table"));
    }
    if groups.is_mixed {
        let what = format!("{name}: it stands for different thresholds in different runs");
        notes.push(note(what, "compare runs of one table and one --value only"));
    }
    times(&name, goal, no_horizon, &mut notes);
    shares(&name, goal, &mut notes);
    rules(&name, goal, runs, &mut notes);
    comparisons(&name, goal, baseline, &mut notes);
    notes
}

/// What is not known of the times.
fn times(name: &str, goal: &GoalAnswers, no_horizon: Option<&NoHorizon>, notes: &mut Vec<Note>) {
    if goal.answers.iter().all(|a| a.reached == 0) {
        let what = format!("{name}: no run of any method reached it");
        let remedy = "ask for an easier goal, or raise the budget where runs were cut";
        notes.push(note(what, remedy));
        return;
    }
    let cut = goal.answers.iter().filter(|a| a.time_to_goal_s.median.value().is_none()).count();
    if cut > 0 {
        let all = goal.answers.len();
        let (verb, medians) = if cut == 1 { ("is", "a bound") } else { ("are", "bounds") };
        let is_half = |a: &&Answer| 2 * a.censored > a.runs;
        let half = goal.answers.iter().filter(is_half).count();
        let most = match half {
            0 => String::new(),
            half => format!(", more than half of those of {}", methods(half)),
        };
        let what =
            format!("{name}: {cut} of {all} medians {verb} {medians}, for runs were cut{most}");
        notes.push(note(
            what,
            "raise --budget-seconds or --max-trials, or leave out --end, to know more",
        ));
    }
    if let Some(NoHorizon { reason, remedy }) = no_horizon {
        notes.push(note(format!("{name}: no restricted means, for {reason}"), remedy));
    }
}

/// What the table is too small for.
fn shares(name: &str, goal: &GoalAnswers, notes: &mut Vec<Note>) {
    let method_count = goal.answers.len();
    let shares = || goal.answers.iter().map(|a| a.table_share_median);
    let greedy = shares().filter(|share| *share > TABLE_SHARE_MAX).count();
    if greedy > 0 {
        let what = format!(
            "{name}: {greedy} of {} used more than 10 % of the table (median share up to {:.0} %)",
            methods(method_count),
            100.0 * shares().fold(0.0, f64::max)
        );
        notes.push(note(what, "train a larger table, or ask for an easier goal"));
    }
}

/// Rules that did nothing, or let nothing run to its end.
fn rules(name: &str, goal: &GoalAnswers, runs: &Runs, notes: &mut Vec<Note>) {
    let named = |is_named: &dyn Fn(&Answer) -> bool| {
        let mut rules: Vec<String> = Vec::new();
        for answer in goal.answers.iter().filter(|a| a.ended.trials > 0 && is_named(a)) {
            let rule = format!("`{}`", runs.methods[answer.method].stopper);
            if rule != "`none`" && !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        rules
    };
    let idle = named(&|a| a.ended.stopped == 0);
    if !idle.is_empty() {
        let what = format!("{name}: {} ended no trial", idle.join(", "));
        let remedy = "it changes nothing here; `curvebook methods` says when it looks and what it \
                      asks for";
        notes.push(note(what, remedy));
    }
    let all = named(&|a| a.ended.stopped == a.ended.trials);
    if !all.is_empty() {
        let what = format!("{name}: {} ended every trial", all.join(", "));
        notes.push(note(what, "nothing ran to its end; a milder setting lets good trials go on"));
    }
}

fn methods(count: usize) -> String {
    plural(count, "method")
}

fn few(count: u64) -> String {
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
    unknown_pairs(name, goal, fewest, notes);
    if goal.answers.iter().filter_map(|a| a.speedup).any(|s| !s.paired) {
        let what = format!("{name}: some runs do not pair with the baseline's by repeat and seed");
        notes.push(note(
            what,
            "give all methods the same --repeats and --seed for tighter intervals",
        ));
    }
}

/// Pairs whose order is not known. Under a common budget that all runs keep to, these are pairs of
/// which neither run was in time: they favour nobody, and need no note.
fn unknown_pairs(name: &str, goal: &GoalAnswers, runs: usize, notes: &mut Vec<Note>) {
    let pairs = goal.answers.iter().filter_map(|a| a.comparison?.pairs);
    let unknown = pairs.map(|p| p.unknown).max().unwrap_or(0);
    if unknown == 0 || goal.horizon.is_some() {
        return;
    }
    let left_out = format!("{name}: the tests leave out up to {unknown} of {runs} pairs");
    notes.push(match goal.common_budget_s {
        Some(budget) => note(
            format!(
                "{left_out}: the budget of {budget} s cut one run, and the other was cut too or \
                 had tried every row, so nobody knows which would have been sooner"
            ),
            "believe P(sooner), whose bounds hold them, or raise --budget-seconds",
        ),
        None => note(
            format!(
                "{left_out}, whose order is unknown, for runs were cut at different times; that \
                 may favour whom it cut sooner"
            ),
            "give all runs one --budget-seconds, and believe P(sooner) first",
        ),
    });
}
