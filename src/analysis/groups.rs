//! Rows sorted into methods and goals.

use std::collections::HashMap;

use super::record::Record;
use super::{Method, Runs};
use crate::error::{Error, Result, fault};

/// The rows of one method and goal.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// An index into [`Grouped::methods`].
    pub method: usize,
    /// Sorted by (repeat, seed), each there once.
    pub runs: Vec<&'a Record<'a>>,
}

/// The groups of one table and goal, in the order of the methods.
#[derive(Debug)]
pub(super) struct GoalGroups<'a> {
    pub groups: Vec<Group<'a>>,
}

#[derive(Debug)]
pub(super) struct Grouped<'a> {
    /// In the order of first appearance.
    pub methods: Vec<Method>,
    /// In the order of first appearance.
    pub goals: Vec<GoalGroups<'a>>,
}

/// Sorts rows into groups; the same run twice is a fault.
pub(super) fn group<'a>(records: &'a [Record<'a>], runs: &Runs) -> Result<Grouped<'a>> {
    let mut methods = Vec::new();
    let mut method_of = HashMap::new();
    let mut goal_of = HashMap::new();
    let mut goals: Vec<HashMap<usize, Vec<&Record<'_>>>> = Vec::new();
    for r in records {
        let parts = [r.table, r.sampler, r.scheduler, r.stopper, r.report, r.value];
        let method = *method_of.entry((parts, r.workers)).or_insert_with(|| {
            methods.push(method(r));
            methods.len() - 1
        });
        let goal = *goal_of.entry((r.table, r.goal)).or_insert_with(|| {
            goals.push(HashMap::new());
            goals.len() - 1
        });
        goals[goal].entry(method).or_default().push(r);
    }
    let mut sorted = Vec::with_capacity(goals.len());
    for by_method in goals {
        let mut groups: Vec<Group<'_>> =
            by_method.into_iter().map(|(method, runs)| Group { method, runs }).collect();
        // A hash map has no order of its own: the methods' first appearance gives it one.
        groups.sort_by_key(|g| g.method);
        for group in &mut groups {
            group.runs.sort_by_key(|r| (r.repeat, r.seed));
            let same = |pair: &&[&Record<'_>]| key(pair[0]) == key(pair[1]);
            if let Some(pair) = group.runs.windows(2).find(same) {
                return Err(twice(pair[0], pair[1], &methods[group.method], runs));
            }
        }
        sorted.push(GoalGroups { groups });
    }
    Ok(Grouped { methods, goals: sorted })
}

/// What pairs the runs of two methods.
pub(super) fn key(record: &Record<'_>) -> (u64, u64) {
    (record.repeat, record.seed)
}

fn method(r: &Record<'_>) -> Method {
    Method {
        table: r.table.to_string(),
        sampler: r.sampler.to_string(),
        scheduler: r.scheduler.to_string(),
        stopper: r.stopper.to_string(),
        report: r.report.to_string(),
        value: r.value.to_string(),
        workers: r.workers,
    }
}

fn twice(first: &Record<'_>, second: &Record<'_>, method: &Method, runs: &Runs) -> Error {
    let field = "columns repeat, seed";
    let value = format!(
        "repeat {}, seed {}, goal {} of `{method}`",
        second.repeat, second.seed, second.goal
    );
    let (here, there) = (runs.source_name(second.source), runs.source_name(first.source));
    let remedy = if first.source == second.source {
        "leave one of the two rows out".to_string()
    } else {
        format!(
            "it stands in {there} too: give one of the two files, or replay with another --seed"
        )
    };
    fault(here, field, value, "the same run may not count twice", remedy)
}
