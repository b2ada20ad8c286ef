//! Which way a value improves, with or without the table.

use std::cmp::Ordering;

use base::error::{Error, Result, fault};
use base::space::Direction;
use replay::Pool;

use crate::traced::{Pools, Segment, Study, TracedRun, by_trial};

/// For each table whether a larger value is the better one.
///
/// A table says it. Without it, the value that a run selected does, which is the best of its
/// trials: whatever lies above it is worse in a metric to minimise, and below it in one to
/// maximise. Where all values are equal it makes no difference.
pub(super) fn of_tables(
    tables: &[&str],
    studies: &[Study<'_>],
    pools: &[&Pool],
) -> Result<Vec<bool>> {
    let said = |table: &&str| {
        let pool = pools.iter().find(|pool| pool.name() == *table);
        pool.map(|pool| pool.metric().goal == Direction::Maximize)
    };
    let mut known: Vec<Option<bool>> = tables.iter().map(said).collect();
    for study in studies {
        let methods = study.runs.methods();
        let tables_of = |method: usize| tables.iter().position(|t| *t == methods[method].table);
        for method in 0..methods.len() {
            // Refuses a table of that name that is another.
            Pools(pools).of(study.runs, method)?;
        }
        if known.iter().all(Option::is_some) {
            continue;
        }
        // Read no further than needed: the error that ends it is nobody's.
        let mut has_all = false;
        let read = study.runs.each_run(study.trace, |run, segments| {
            let table = tables_of(run.method).expect("every method has a table");
            if known[table].is_none() {
                known[table] = of_run(run, segments, || no_direction(study, tables[table]))?;
            }
            has_all = known.iter().all(Option::is_some);
            if has_all { Err(no_direction(study, tables[table])) } else { Ok(()) }
        });
        if !has_all {
            read?;
        }
    }
    Ok(known.into_iter().map(|is_rising| is_rising.unwrap_or(true)).collect())
}

/// What one run says, if anything.
fn of_run(
    run: &TracedRun,
    segments: &[Segment],
    nothing: impl Fn() -> Error,
) -> Result<Option<bool>> {
    let last = by_trial(segments).into_iter().filter_map(|trial| trial.last()?.value);
    let mut values: Vec<f64> = last.collect();
    values.dedup();
    let Some(selected) = run.selected_value else {
        return if values.len() > 1 { Err(nothing()) } else { Ok(None) };
    };
    let side = |value: f64| value.partial_cmp(&selected).unwrap_or(Ordering::Equal);
    let other = values.into_iter().map(side).find(|side| side.is_ne());
    Ok(other.map(Ordering::is_lt))
}

fn no_direction(study: &Study<'_>, table: &str) -> Error {
    let rule = format!("without table {table}, it says which way a value improves");
    let remedy = format!("give table {table}, too, or replay again with this version");
    fault(study.runs.file(), "column selected_value", "missing", rule, remedy)
}
