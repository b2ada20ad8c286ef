//! The three tables of a goal: times, comparisons, means.

use base::stats::Interval;

use super::grid::Grid;
use super::human;
use crate::analysis::{Answer, Comparison, GoalAnswers, Spread, Tested};

/// One of the tests of a comparison, where it has it.
type TestOf = fn(&Comparison) -> Option<Tested>;

/// Columns of the first table in the order in which they give way to the width.
const DROPPED: [&str; 9] =
    ["epochs", "trials", "saved", "75 %", "25 %", "ended", "interval", "reached", "killed"];

/// The tables of a goal, with as many columns as the width leaves room for.
#[derive(Debug)]
pub(super) struct Grids {
    pub times: Grid,
    /// Its rows are the methods with a comparison; none where there are none.
    pub comparisons: Option<Grid>,
    pub means: Grid,
}

impl Grids {
    /// `labels` of its methods, in their order.
    pub(super) fn of(goal: &GoalAnswers, labels: &[String], width: usize) -> Self {
        let mut all =
            Self { times: times(goal), comparisons: comparisons(goal), means: means(goal) };
        all.times.drop_in_turn(labels, width, &DROPPED);
        all.comparisons.iter_mut().for_each(|grid| grid.cut(labels, width, 1));
        all.means.cut(labels, width, 1);
        all
    }
}

impl Grids {
    /// Interquartile means, and how many repeats a comparison takes; `None` where nothing is known
    /// of either.
    pub(super) fn further(goal: &GoalAnswers) -> Option<Grid> {
        let mut grid = Grid::default();
        let mean = |a: &Answer| a.interquartile_mean_s;
        let time = |a: &Answer| mean(a).map_or(String::new(), |m| human::time(m.value));
        grid.push_if_any("IQM", column(goal, time));
        let interval = |a: &Answer| {
            let known = mean(a).and_then(|m| m.interval).filter(|i| i.high.is_finite());
            known.map_or(String::new(), |i| human::range_of(i, human::time))
        };
        grid.push_if_any("interval", column(goal, interval));
        let repeats = |a: &Answer| a.comparison.and_then(|c| c.repeats_needed);
        let observed = |a: &Answer| repeats(a).and_then(|r| r.observed);
        let text = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
        grid.push_if_any("repeats for what was seen", column(goal, |a| text(observed(a))));
        let fifth = |a: &Answer| text(repeats(a).map(|r| r.fifth_faster));
        grid.push_if_any("for a fifth faster", column(goal, fifth));
        (!grid.columns().is_empty()).then_some(grid)
    }
}

/// A speed-up, where there is one; what the two medians are where they have no ratio.
pub(super) fn speedup(answer: &Answer, baseline: Option<&Answer>) -> String {
    let Some(speedup) = answer.speedup else {
        return if answer.is_baseline { "baseline" } else { "-" }.to_string();
    };
    let median = |a: &Answer| a.time_to_goal_s.median.value();
    match (median(answer), baseline.and_then(median)) {
        (Some(own), Some(base)) if own.is_infinite() && base.is_infinite() => "both never".into(),
        (Some(0.0), Some(0.0)) => "both at once".into(),
        _ => human::ratio(speedup.ratio),
    }
}

/// The interval of a speed-up, where it says something.
fn speedup_interval(answer: &Answer) -> String {
    let Some(speedup) = answer.speedup else { return String::new() };
    let says = |i: &Interval| i.high > 0.0 && i.low.is_finite() && i.low.max(1.0 / i.high) > 0.0;
    speedup.interval.filter(says).map_or("-".to_string(), human::range)
}

fn column(goal: &GoalAnswers, cell: impl Fn(&Answer) -> String) -> Vec<String> {
    goal.answers.iter().map(cell).collect()
}

/// How soon each method reaches the goal.
fn times(goal: &GoalAnswers) -> Grid {
    let time = |bounds| human::bounded(bounds, human::time);
    let count = |bounds| {
        human::bounded(bounds, |n| if n.is_infinite() { "-".to_string() } else { human::count(n) })
    };
    let mut grid = Grid::default();
    grid.push("reached", column(goal, |a| format!("{}/{}", a.reached, a.runs)));
    grid.push("25 %", column(goal, |a| time(a.time_to_goal_s.q25)));
    grid.push("median", column(goal, |a| time(a.time_to_goal_s.median)));
    grid.push("75 %", column(goal, |a| time(a.time_to_goal_s.q75)));
    let baseline = goal.answers.iter().find(|a| a.is_baseline);
    grid.push("speed-up", column(goal, |a| speedup(a, baseline)));
    grid.push_if_any("interval", column(goal, speedup_interval));
    let killed = |(killed, met): (u64, u64)| format!("{killed}/{met}");
    grid.push_if_any("killed", column(goal, |a| a.ended.killed().map_or(String::new(), killed)));
    let of_ended =
        |a: &Answer, text: String| if a.ended.stopped > 0 { text } else { String::new() };
    let ended = |a: &Answer| of_ended(a, format!("{}/{}", a.ended.stopped, a.ended.trials));
    grid.push_if_any("ended", column(goal, ended));
    let saved = |a: &Answer| of_ended(a, a.ended.saved_s.map_or(String::new(), human::time));
    grid.push_if_any("saved", column(goal, saved));
    grid.push("trials", column(goal, |a| count(a.trials_to_goal_median)));
    grid.push("epochs", column(goal, |a| count(a.epochs_to_goal_median)));
    grid
}

/// Who is sooner than the baseline, and whether that may be chance.
fn comparisons(goal: &GoalAnswers) -> Option<Grid> {
    let rows: Vec<&Comparison> =
        goal.answers.iter().filter_map(|a| a.comparison.as_ref()).collect();
    if rows.is_empty() {
        return None;
    }
    let cells = |cell: &dyn Fn(&Comparison) -> String| rows.iter().map(|c| cell(c)).collect();
    let count = |of: fn(&crate::analysis::Pairs) -> usize| {
        cells(&|c| c.pairs.as_ref().map_or(String::new(), |p| of(p).to_string()))
    };
    let mut grid = Grid::default();
    let any = |of: fn(&crate::analysis::Pairs) -> usize| {
        rows.iter().filter_map(|c| c.pairs.as_ref()).any(|p| of(p) > 0)
    };
    grid.push_if_any("won", count(|p| p.wins));
    grid.push_if_any("lost", count(|p| p.losses));
    if any(|p| p.ties) {
        grid.push("tied", count(|p| p.ties));
    }
    if any(|p| p.unknown) {
        grid.push("unknown", count(|p| p.unknown));
    }
    let share = |s: f64| format!("{s:.2}");
    grid.push(
        "P(sooner)",
        cells(&|c| c.sooner.map_or("-".to_string(), |s| human::bounded(s, share))),
    );
    let range = |i: Interval| format!("[{:.2}, {:.2}]", i.low, i.high);
    grid.push_if_any("interval", cells(&|c| c.sooner_interval.map_or(String::new(), range)));
    let tests: [(&str, TestOf); 3] =
        [("sign p", |c| c.sign), ("Wilcoxon p", |c| c.wilcoxon), ("U p", |c| c.mann_whitney)];
    for (heading, test) in tests {
        let p = |of: fn(Tested) -> f64| {
            cells(&|c| test(c).map_or(String::new(), |t| human::p_value(of(t))))
        };
        grid.push_if_any(heading, p(|t| t.p_value));
        // Of a single test, Holm's p-value is its own.
        if rows.iter().filter(|c| test(c).is_some()).count() > 1 {
            grid.push("Holm", p(|t| t.p_holm));
        }
    }
    Some(grid)
}

/// Expected running times, restricted means where there is a budget, and what was selected.
fn means(goal: &GoalAnswers) -> Grid {
    // Without a success an expected time is infinite, which is not yet to say never.
    let expected = |s: f64| if s.is_infinite() { "infinite".to_string() } else { human::time(s) };
    let time_range = |interval: Option<Interval>| {
        let known = interval.filter(|i| i.low.is_finite());
        known.map_or("-".to_string(), |i| human::range_of(i, expected))
    };
    let mut grid = Grid::default();
    grid.push("ERT", column(goal, |a| expected(a.expected_running_time_s.value)));
    grid.push("interval", column(goal, |a| time_range(a.expected_running_time_s.interval)));
    if let Some(horizon) = goal.horizon.filter(|h| h.is_budget) {
        let heading = format!("mean to {}", human::time(horizon.seconds));
        let mean = |a: &Answer| a.restricted_mean_s.map(|m| human::time(m.value));
        grid.push(heading, column(goal, |a| mean(a).unwrap_or_default()));
        let interval = |a: &Answer| a.restricted_mean_s.and_then(|m| m.interval);
        grid.push("interval", column(goal, |a| time_range(interval(a))));
    }
    let median = |s: Option<Spread>| s.map_or(String::new(), |s| human::value(s.median));
    let quartiles = |s: Option<Spread>| {
        let range = |s: Spread| format!("{}..{}", human::value(s.q25), human::value(s.q75));
        s.map_or(String::new(), range)
    };
    grid.push_if_any("selected", column(goal, |a| median(a.selected_value)));
    grid.push_if_any("its test", column(goal, |a| median(a.selected_test)));
    grid.push_if_any("25..75 %", column(goal, |a| quartiles(a.selected_test)));
    if goal.answers.iter().any(|a| a.overhead_share > 0.0) {
        let percent = |a: &Answer| format!("{} %", human::number(100.0 * a.overhead_share));
        grid.push("overhead", column(goal, percent));
    }
    grid
}
