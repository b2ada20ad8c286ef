//! How to read the tables.

use base::stats::Interval;
use base::units::plural;

use super::sentence::confidence;
use super::{Shown, human};
use crate::analysis::{Analysis, Answer, GoalAnswers, Labels};

/// Labels whose full texts a screen shows.
const SCREEN_LABELS: usize = 6;

/// The lines that explain what is drawn, each once.
pub(super) fn legend(
    drawn: &str,
    analysis: &Analysis,
    labels: &Labels,
    shown: Shown,
) -> Vec<String> {
    let spelled = &labels.spelled;
    let fit = if shown.full { spelled.len() } else { spelled.len().min(SCREEN_LABELS) };
    let mut lines = spelled[..fit].to_vec();
    if fit < spelled.len() {
        let left_out = plural(spelled.len() - fit, "label");
        lines.push(format!("... and {left_out}: --full spells all"));
    }
    lines.extend(time_lines(drawn, analysis));
    if shown.full {
        lines.extend(other_lines(analysis));
    } else {
        let what = "--full: tests pair by pair, means, what was selected with its test metric";
        lines.push(what.to_string());
    }
    lines
}

/// How to read the tables after the first.
fn other_lines(analysis: &Analysis) -> Vec<String> {
    let answers = || analysis.goals.iter().flat_map(|g| &g.answers);
    let mut lines = Vec::new();
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
    lines
}

/// How to read the first table.
fn time_lines(drawn: &str, analysis: &Analysis) -> Vec<String> {
    // Columns give way to the width: only what is there needs words.
    let has = |heading: &str| drawn.split(['┆', '│']).any(|cell| cell.trim() == heading);
    let mut lines = vec![
        "25 %, median, 75 %: quartiles of the time to the goal over all runs, on the simulated \
         clock; it counts at the end of the trial that met the goal"
            .to_string(),
        format!(
            "speed-up: median time of the baseline / that of the method; intervals: {} bootstrap \
             intervals ({} resamples)",
            confidence(analysis),
            analysis.bootstrap_resamples
        ),
    ];
    if has("trials") {
        let epochs = if has("epochs") { ", epochs" } else { "" };
        lines.push(format!("trials{epochs}: medians to the goal"));
    }
    if has("killed") {
        let what = "killed: trials that a rule ended and that would have met the goal, of all \
                    started that would; ended: trials that it ended, of all; saved: what these \
                    would still have cost; over all runs";
        lines.push(what.to_string());
    }
    let answers = || analysis.goals.iter().flat_map(|g| &g.answers);
    let quartiles = || answers().map(|a| a.time_to_goal_s).flat_map(|q| [q.q25, q.median, q.q75]);
    if quartiles().any(|q| q.low.is_infinite()) {
        lines.push("never: so many runs tried every row without reaching the goal".to_string());
    }
    if quartiles().any(|q| q.value().is_none()) {
        let line = "> a, a..b: runs were cut before the goal, so only these bounds are known";
        lines.push(line.to_string());
    }
    let is_open = |q: Interval| q.value().is_none();
    let unknown = |a: &Answer| {
        a.speedup.is_some_and(|s| human::ratio(s.ratio) == "?") && is_open(a.time_to_goal_s.median)
    };
    if answers().any(unknown) {
        lines.push("?: too little is known of the medians for a ratio".to_string());
    }
    lines
}
