//! The share of runs that have reached a goal by each time, with its band.

use base::stats::Interval;
use base::stats::kaplan_meier::{KaplanMeier, Observation};

use super::groups::{self, Group};
use super::horizon;
use super::runs::Runs;

/// The Kaplan-Meier curves of the methods of one goal, turned over: the share that has reached it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReachedCurves {
    pub table: String,
    pub goal: String,
    /// One a method that was asked for this goal, in the order of the methods; or why runs that
    /// were cut do not tell when the others would have reached it.
    pub curves: Result<Vec<ReachedCurve>, String>,
}

/// The curve of one method.
#[derive(Debug, Clone, PartialEq)]
pub struct ReachedCurve {
    /// An index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    /// Ascending: one a time at which a run reached the goal. Before the first the share is 0.
    pub steps: Vec<ReachedStep>,
    /// Until when the runs were watched: infinite where nobody was cut.
    pub watched_s: f64,
}

/// The share from one time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReachedStep {
    pub time_s: f64,
    pub share: f64,
    /// Pointwise, on the scale of `ln(-ln S)`; see
    /// [`KaplanMeier::band`](base::stats::kaplan_meier::KaplanMeier::band).
    pub interval: Interval,
}

/// The curves of every goal, in the order of [`Analysis::goals`](super::Analysis::goals). A run
/// that tried every row stays among those that never reach the goal. Each interval holds by itself
/// with probability `confidence`; one outside (0, 1) is refused by assertion.
pub fn reached_curves(runs: &Runs, confidence: f64) -> Vec<ReachedCurves> {
    let of = |goal: usize| {
        let goal = groups::of_goal(runs, goal);
        let all: Vec<&Group> = goal.groups.iter().collect();
        // Where nobody was cut every time is known, those of runs that tried every row too.
        let is_known = all.iter().all(|group| group.times.is_exact());
        let watched = match (is_known, horizon::horizon(&all)) {
            (true, _) => Ok(f64::INFINITY),
            (false, Ok(horizon)) => Ok(horizon.seconds),
            (false, Err(no)) => Err(no.reason),
        };
        let curve = |watched_s| all.iter().map(|g| curve(g, watched_s, confidence)).collect();
        ReachedCurves {
            table: goal.name.table.clone(),
            goal: goal.name.goal.clone(),
            curves: watched.map(curve),
        }
    };
    (0..runs.goals.len()).map(of).collect()
}

fn curve(group: &Group, watched_s: f64, confidence: f64) -> ReachedCurve {
    let observation = |&time: &f64| Observation {
        time: time.min(watched_s),
        reached: time.is_finite() && time <= watched_s,
    };
    let observations: Vec<Observation> = group.times.high().iter().map(observation).collect();
    let left = KaplanMeier::new(&observations);
    let turned = |(step, band): (&base::stats::kaplan_meier::Step, Interval)| ReachedStep {
        time_s: step.time,
        share: 1.0 - step.survival,
        interval: Interval { low: 1.0 - band.high, high: 1.0 - band.low },
    };
    let steps = left.steps.iter().zip(left.band(confidence)).map(turned).collect();
    ReachedCurve { method: group.method, steps, watched_s }
}
