//! Single runs, for those who look at distributions and not at numbers about them.

use super::Runs;
use super::frames::{counts, large_counts};
use super::groups::{self, Group};

/// How one run did on one goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    pub repeat: u32,
    pub seed: u64,
    /// `None` where the goal was not met...
    pub time_to_goal_s: Option<f64>,
    /// ...by this time, when the run ended.
    pub end_s: f64,
    /// Whether it was cut before it could tell; else a run without a time tried everything.
    pub is_cut: bool,
}

impl Outcome {
    /// The time to the goal: infinite for a run that can never be there, and at least this for one
    /// that was cut.
    pub fn at_least_s(&self) -> f64 {
        let otherwise = if self.is_cut { self.end_s } else { f64::INFINITY };
        self.time_to_goal_s.unwrap_or(otherwise)
    }
}

/// The runs of one method for one goal, sorted by (repeat, seed).
#[derive(Debug, Clone, PartialEq)]
pub struct MethodOutcomes {
    /// An index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    pub outcomes: Vec<Outcome>,
}

impl Runs {
    /// The runs of every goal, in the order of [`Analysis::goals`](super::Analysis::goals), method
    /// by method as its answers are.
    pub fn outcomes(&self) -> Vec<Vec<MethodOutcomes>> {
        let of = |group: &Group| MethodOutcomes { method: group.method, outcomes: of(group) };
        let goal = |number| groups::of_goal(self, number).groups.iter().map(of).collect();
        (0..self.goals.len()).map(goal).collect()
    }
}

fn of(group: &Group) -> Vec<Outcome> {
    let (repeats, seeds) = (counts(&group.runs, "repeat"), large_counts(&group.runs, "seed"));
    let (times, ends) = (group.numbers("time_to_goal_s"), group.numbers("end_s"));
    let cut = group.cut();
    let outcome = |at| Outcome {
        repeat: repeats.get(at).expect("every run has a repeat"),
        seed: seeds.get(at).expect("every run has a seed"),
        time_to_goal_s: times.get(at),
        end_s: ends.get(at).expect("every run ends"),
        is_cut: cut.get(at).expect("every run has a reason"),
    };
    (0..group.len()).map(outcome).collect()
}
