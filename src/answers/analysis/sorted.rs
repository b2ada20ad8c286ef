//! Runs sorted into their groups.

use polars::prelude::{
    ChunkCompareEq, Column, DataFrame, IdxCa, IntoColumn, PolarsResult, SortMultipleOptions,
};
use polars::series::IsSorted;

use super::Method;
use super::columns::{GOAL_COLUMNS, METHOD_COLUMNS};
use super::frames::{column, counts, distinct, join_in_order};
use super::runs::{GoalName, GroupRows, Runs};

/// What sorting comes to.
pub(super) enum Sorted {
    Once(Runs),
    Twice(Twice),
}

/// A run that stands there twice.
pub(super) struct Twice {
    /// The numbers of the two rows, in the order in which they came.
    pub rows: (u32, u32),
    pub goal: String,
    pub method: Method,
    pub repeat: u32,
    pub seed: u64,
}

impl Sorted {
    /// Sorts facts by (goal, method, repeat, seed): goals and methods in the order of first
    /// appearance.
    pub(super) fn new(
        keys: &DataFrame,
        key_of_row: Column,
        facts: DataFrame,
    ) -> PolarsResult<Self> {
        let methods = distinct(keys, &METHOD_COLUMNS)?;
        let goals = distinct(keys, &GOAL_COLUMNS)?;
        let keys = with_group_numbers(keys, &methods, &goals)?;
        let group = column(&keys, "group").take(key_of_row.u32()?)?;
        let order = order(&group, &facts)?;
        let mut group = group.take(&order)?;
        group.set_sorted_flag(IsSorted::Ascending);
        let mut columns = vec![key_of_row.take(&order)?];
        drop(key_of_row);
        // One after another: each frees what it came from before the next is made.
        for column in facts.into_columns() {
            columns.push(column.take(&order)?);
        }
        let facts = DataFrame::new(order.len(), columns)?;
        let methods = methods_of(&methods);
        let goals = goals_of(&goals);
        let groups = groups(&keys, &group)?;
        if let Some(at) = first_twice(&group, &facts)? {
            let group = groups.iter().find(|g| g.rows.contains(&at)).expect("every row has one");
            let row = |at| order.get(at).expect("a row of the order");
            return Ok(Self::Twice(Twice {
                rows: (row(at), row(at + 1)),
                goal: goals[group.goal].goal.clone(),
                method: methods[group.method].clone(),
                repeat: counts(&facts, "repeat").get(at).expect("every run has one"),
                seed: column(&facts, "seed").u64()?.get(at).expect("every run has one"),
            }));
        }
        Ok(Self::Once(Runs { facts, keys, methods, goals, groups }))
    }
}

/// Keys beside the numbers of their `goal_number`, `method_number` and `group`: the groups of one
/// goal follow each other, in the order of the methods.
fn with_group_numbers(
    keys: &DataFrame,
    methods: &DataFrame,
    goals: &DataFrame,
) -> PolarsResult<DataFrame> {
    const GROUP: [&str; 2] = ["goal_number", "method_number"];
    let goals = goals.with_row_index(GROUP[0].into(), None)?;
    let methods = methods.with_row_index(GROUP[1].into(), None)?;
    let keys = join_in_order(keys, &goals, &GOAL_COLUMNS)?;
    let keys = join_in_order(&keys, &methods, &METHOD_COLUMNS)?;
    let groups = distinct(&keys, &GROUP)?.sort(GROUP, SortMultipleOptions::default())?;
    join_in_order(&keys, &groups.with_row_index("group".into(), None)?, &GROUP)
}

/// The rows by (group, repeat, seed), equal ones as they came.
fn order(group: &Column, facts: &DataFrame) -> PolarsResult<IdxCa> {
    // In one piece, a value is found without a search.
    let by = ["repeat", "seed"].map(|name| column(facts, name).rechunk());
    let options = SortMultipleOptions {
        descending: vec![false; 3],
        nulls_last: vec![false; 3],
        maintain_order: true,
        ..SortMultipleOptions::default()
    };
    group.rechunk().arg_sort_multiple(&by, &options)
}

/// The first row of sorted ones that the next one repeats.
fn first_twice(group: &Column, facts: &DataFrame) -> PolarsResult<Option<usize>> {
    let same_as_next = |column: &Column| {
        let pairs = column.len() - 1;
        column.slice(0, pairs).equal(&column.slice(1, pairs))
    };
    let same = (same_as_next(group)? & same_as_next(column(facts, "repeat"))?)
        & same_as_next(column(facts, "seed"))?;
    Ok(same.first_true_idx())
}

/// Where the groups stand among sorted rows.
fn groups(keys: &DataFrame, group: &Column) -> PolarsResult<Vec<GroupRows>> {
    let numbers = distinct(keys, &["group", "goal_number", "method_number"])?
        .sort(["group"], SortMultipleOptions::default())?;
    let of = |name| counts(&numbers, name).into_no_null_iter().map(|number| number as usize);
    let frame = DataFrame::new(group.len(), vec![group.clone().into_column()])?;
    let slices = frame.group_by_stable([group.name().as_str()])?.into_groups();
    let rows = slices.iter().map(|slice| {
        let first = slice.first() as usize;
        first..first + slice.len()
    });
    let named = of("goal_number").zip(of("method_number")).zip(rows);
    Ok(named.map(|((goal, method), rows)| GroupRows { goal, method, rows }).collect())
}

/// A text of a key.
fn text(frame: &DataFrame, name: &str, row: usize) -> String {
    let texts = column(frame, name).str().expect("a column of texts");
    texts.get(row).expect("no part of a key is missing").to_string()
}

fn goals_of(frame: &DataFrame) -> Vec<GoalName> {
    let goal = |row| GoalName { table: text(frame, "table", row), goal: text(frame, "goal", row) };
    (0..frame.height()).map(goal).collect()
}

fn methods_of(frame: &DataFrame) -> Vec<Method> {
    let method = |row| Method {
        table: text(frame, "table", row),
        sampler: text(frame, "sampler", row),
        scheduler: text(frame, "scheduler", row),
        stopper: text(frame, "stopper", row),
        report: text(frame, "report", row),
        value: text(frame, "value", row),
        workers: counts(frame, "workers").get(row).expect("no part of a key is missing"),
        settings: text(frame, "settings", row),
    };
    (0..frame.height()).map(method).collect()
}
