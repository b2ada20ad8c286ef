//! The horizon up to which all runs of a goal were watched, and what needs it.
//!
//! A Kaplan-Meier curve treats a run that was cut as one that goes on like the others. That is true
//! of a budget of simulated seconds that all runs share. It is not true of a limit of trials, which
//! cuts sooner whoever runs shorter trials, nor of an ending, which cuts who comes along badly, and
//! nobody goes on who has tried every row. So medians
//! and restricted means of such curves exist under one common budget, or where every run reached
//! the goal, and nowhere else.

use base::stats::Interval;
use base::stats::kaplan_meier::{KaplanMeier, Observation};
use base::units::plural;

use super::groups::Group;

/// How long the runs of all methods of a goal were watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Horizon {
    /// The common budget; where every run reached the goal, the longest time that one took.
    pub seconds: f64,
    /// Whether it is a budget that cut some runs; else all reached the goal by it.
    pub is_budget: bool,
}

/// Codes in the column of end reasons; see [`END_REASONS`](super::record::END_REASONS).
pub(super) const GOAL: u32 = 0;
pub(super) const EXHAUSTED: u32 = 1;
pub(super) const BUDGET: u32 = 2;
pub(super) const MAX_TRIALS: u32 = 3;
pub(super) const ENDING: u32 = 4;

/// What stands against a common horizon, and what would give one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoHorizon {
    pub reason: String,
    pub remedy: &'static str,
}

/// The time at which budgets cut runs of some groups; `None` where none was cut, where several
/// budgets did, a limit of trials, or an ending.
pub(super) fn common_budget(groups: &[&Group]) -> Option<f64> {
    let cut = groups.iter().filter_map(|g| g.cut_by_budget());
    let ends = cut.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
    let otherwise = |g: &&Group| g.ended(MAX_TRIALS) > 0 || g.ended(ENDING) > 0;
    let counted_out = groups.iter().any(otherwise);
    ends.filter(|(first, last)| first == last && !counted_out).map(|(first, _)| first)
}

/// The common horizon of some groups, or what stands against it.
pub(super) fn horizon(groups: &[&Group]) -> Result<Horizon, NoHorizon> {
    let no = |reason: String, remedy| Err(NoHorizon { reason, remedy });
    let ended = |code| groups.iter().map(|g| g.ended(code)).sum::<usize>();
    let runs = |n: usize| plural(n, "run");
    let exhausted = ended(EXHAUSTED);
    if exhausted > 0 {
        let remedy = match common_budget(groups) {
            Some(_) => "a shorter --budget-seconds, which ends every run first, gives them",
            None => "give all runs one --budget-seconds that ends them first",
        };
        return no(format!("{} tried every row and can never reach it", runs(exhausted)), remedy);
    }
    let limits = [
        (MAX_TRIALS, "cut by --max-trials, at no common time"),
        (ENDING, "ended by --end, which goes by how the search came along"),
    ];
    for (code, what) in limits {
        let cut = ended(code);
        if cut > 0 {
            let verb = if cut == 1 { "was" } else { "were" };
            let remedy = "limit all runs by one --budget-seconds instead";
            return no(format!("{} {verb} {what}", runs(cut)), remedy);
        }
    }
    // The first and the last time at which a budget cut runs of a group, where it did.
    let cut: Vec<(f64, f64)> = groups.iter().filter_map(|g| g.cut_by_budget()).collect();
    let first = cut.iter().map(|(first, _)| *first).reduce(f64::min);
    let last = cut.iter().map(|(_, last)| *last).reduce(f64::max);
    let (Some(first), Some(last)) = (first, last) else {
        let longest = groups.iter().flat_map(|g| g.times.low()).copied().fold(0.0, f64::max);
        return Ok(Horizon { seconds: longest, is_budget: false });
    };
    if first != last {
        let reason = format!("runs were cut by different budgets, from {first} to {last} seconds");
        return no(reason, "give all runs one --budget-seconds");
    }
    Ok(Horizon { seconds: first, is_budget: true })
}

/// What a horizon lets a group say.
pub(super) struct Survival {
    pub median_s: Interval,
    pub restricted_mean_s: f64,
}

/// The runs of a group as they were watched up to the horizon. A run of a longer budget that
/// reached its goal later counts as cut there.
pub(super) fn observations(group: &Group, horizon: Horizon) -> Vec<Observation> {
    let times = group.times.high().iter();
    times
        .map(|&time| Observation {
            time: time.min(horizon.seconds),
            reached: time <= horizon.seconds,
        })
        .collect()
}

/// The Kaplan-Meier median and the restricted mean of a group.
pub(super) fn survival(group: &Group, horizon: Horizon) -> Survival {
    let curve = KaplanMeier::new(&observations(group, horizon));
    let median = curve.median();
    let median_s = if median.is_finite() {
        Interval::exact(median)
    } else {
        Interval { low: horizon.seconds, high: f64::INFINITY }
    };
    let mean = curve.restricted_mean(horizon.seconds);
    Survival { median_s, restricted_mean_s: mean.expect("all were watched up to the horizon") }
}
