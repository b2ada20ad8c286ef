//! The rows of one goal, method by method.

use super::bounded::Bounded;
use super::runs::{Columns, GoalName, Runs};

/// The rows of one method and goal.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// An index into [`Runs::methods`].
    pub method: usize,
    /// Sorted by (repeat, seed), each there once.
    pub runs: Columns<'a>,
    pub times: Bounded,
}

impl Group<'_> {
    /// Whether the runs of the two pair by repeat and seed, all of them.
    pub(super) fn pairs_with(&self, other: &Self) -> bool {
        (self.runs.repeat, self.runs.seed) == (other.runs.repeat, other.runs.seed)
    }

    /// How many runs end with a code of [`END_REASONS`](super::record::END_REASONS).
    pub(super) fn ended(&self, code: u32) -> usize {
        self.runs.end_reason.iter().filter(|end| **end == code).count()
    }
}

/// Goals of one table, with where their groups stand.
#[derive(Debug)]
pub(super) struct GoalGroups<'a> {
    pub name: &'a GoalName,
    pub goal_value: f64,
    pub goal_rows: u32,
    /// Whether the goal stands for different thresholds in different runs.
    pub is_mixed: bool,
    /// In the order of the methods.
    pub groups: Vec<Group<'a>>,
}

/// The groups of the goal with this number.
pub(super) fn of_goal<'a>(runs: &'a Runs, columns: &Columns<'a>, goal: usize) -> GoalGroups<'a> {
    let all = runs.groups.iter().filter(|g| g.goal == goal);
    let groups: Vec<Group<'a>> = all
        .map(|g| {
            let of_group = columns.slice(g.rows.clone());
            Group { method: g.method, times: Bounded::times(&of_group), runs: of_group }
        })
        .collect();
    let first = runs.thresholds.iter().find(|t| t.goal == goal).expect("a goal has a threshold");
    GoalGroups {
        name: &runs.goals[goal],
        goal_value: first.value,
        goal_rows: first.rows,
        is_mixed: runs.thresholds.iter().filter(|t| t.goal == goal).count() > 1,
        groups,
    }
}
