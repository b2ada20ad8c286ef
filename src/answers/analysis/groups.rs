//! The rows of one goal, method by method.

use polars::prelude::{
    BooleanChunked, ChunkAgg, ChunkCompareEq, ChunkFilter, Column, DataFrame, DataType,
    Float64Chunked, UInt32Chunked,
};

use super::bounded::Bounded;
use super::frames::{self, column, counts, numbers};
use super::horizon::{BUDGET, ENDING, MAX_TRIALS};
use super::runs::{GoalName, Runs};

/// The rows of one method and goal.
#[derive(Debug)]
pub(super) struct Group {
    /// An index into [`Runs::methods`].
    pub method: usize,
    /// Sorted by (repeat, seed), each there once. No copy: these rows of [`Runs::facts`].
    pub runs: DataFrame,
    pub times: Bounded,
}

impl Group {
    fn new(method: usize, runs: DataFrame) -> Self {
        let [time, end] = ["time_to_goal_s", "end_s"].map(|name| numbers(&runs, name));
        let times = Bounded::new(time, end, &cut(&runs));
        Self { method, runs, times }
    }

    /// How many runs.
    pub(super) fn len(&self) -> usize {
        self.runs.height()
    }

    pub(super) fn numbers(&self, name: &str) -> &Float64Chunked {
        numbers(&self.runs, name)
    }

    /// Numbers of which none is missing.
    pub(super) fn slice(&self, name: &str) -> &[f64] {
        frames::slice(self.numbers(name))
    }

    /// A column of counts as numbers.
    fn as_numbers(&self, name: &str) -> Column {
        column(&self.runs, name).cast(&DataType::Float64).expect("counts become numbers")
    }

    /// The sum of counts.
    pub(super) fn total(&self, name: &str) -> u64 {
        let counts = column(&self.runs, name).cast(&DataType::UInt64).expect("counts grow");
        counts.u64().expect("what it was made").sum().unwrap_or(0)
    }

    /// Whether a run does not say.
    pub(super) fn lacks(&self, name: &str) -> bool {
        column(&self.runs, name).null_count() > 0
    }

    /// Which runs ended with a code of [`END_REASONS`](super::record::END_REASONS).
    pub(super) fn is_end(&self, code: u32) -> BooleanChunked {
        is_end(&self.runs, code)
    }

    /// How many runs did.
    pub(super) fn ended(&self, code: u32) -> usize {
        self.is_end(code).num_trues()
    }

    /// Runs that were cut before they could tell.
    pub(super) fn cut(&self) -> BooleanChunked {
        cut(&self.runs)
    }

    /// The first and the last time at which a budget cut a run; `None` where it cut none.
    pub(super) fn cut_by_budget(&self) -> Option<(f64, f64)> {
        let ends = self.numbers("end_s").filter(&self.is_end(BUDGET)).expect("a mask of all runs");
        ends.min_max()
    }

    /// Something that had happened at `value` if at all, and not by `watched` in runs cut.
    pub(super) fn bounded(&self, value: &str, watched: &str) -> Bounded {
        let [value, watched] = [value, watched].map(|name| self.as_numbers(name));
        let of = |column: &Column| column.f64().expect("what it was made").clone();
        Bounded::new(&of(&value), &of(&watched), &self.cut())
    }
}

fn is_end(runs: &DataFrame, code: u32) -> BooleanChunked {
    let ends: &UInt32Chunked = counts(runs, "end_reason");
    ends.equal(code)
}

fn cut(runs: &DataFrame) -> BooleanChunked {
    is_end(runs, BUDGET) | is_end(runs, MAX_TRIALS) | is_end(runs, ENDING)
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
    pub groups: Vec<Group>,
}

/// The groups of the goal with this number.
pub(super) fn of_goal(runs: &Runs, goal: usize) -> GoalGroups<'_> {
    let all = runs.groups.iter().filter(|g| g.goal == goal);
    let rows_of = |rows: &std::ops::Range<usize>| {
        let from = i64::try_from(rows.start).expect("fewer rows than 2^32");
        runs.facts.slice(from, rows.len())
    };
    let number = u32::try_from(goal).expect("fewer goals than rows");
    let of_goal = counts(&runs.keys, "goal_number").equal(number);
    let thresholds = runs
        .keys
        .filter(&of_goal)
        .and_then(|keys| frames::distinct(&keys, &["goal_value", "goal_rows"]))
        .expect("columns of the keys");
    GoalGroups {
        name: &runs.goals[goal],
        goal_value: numbers(&thresholds, "goal_value").get(0).expect("a goal has a threshold"),
        goal_rows: counts(&thresholds, "goal_rows").get(0).expect("a goal has a threshold"),
        is_mixed: thresholds.height() > 1,
        groups: all.map(|g| Group::new(g.method, rows_of(&g.rows))).collect(),
    }
}
