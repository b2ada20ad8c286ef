//! The table that a run was replayed on.

use base::error::{Result, fault};
use replay::{Pool, ValueMode};

use super::{Segment, TracedRun, TracedRuns};

/// Tables by the names of their runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pools<'a>(pub &'a [&'a Pool]);

impl<'a> Pools<'a> {
    /// The table of a method, if it is there.
    ///
    /// # Errors
    /// A fault where a table has the name and is another.
    pub(crate) fn of(self, runs: &TracedRuns, method: usize) -> Result<Option<&'a Pool>> {
        let table = &runs.methods()[method].table;
        let Some(pool) = self.0.iter().find(|pool| pool.name() == table) else { return Ok(None) };
        match runs.table_hash(table) {
            Some(hash) if !pool.table_hash().is_empty() && pool.table_hash() != hash => {
                let rule = format!("runs of {} are of another table of this name", runs.file());
                let remedy = "give the table as it was replayed, or replay again";
                Err(fault(table, "table_hash", pool.table_hash(), rule, remedy))
            }
            _ => Ok(Some(pool)),
        }
    }
}

/// How a method values a trial.
pub(crate) fn mode(runs: &TracedRuns, method: usize) -> ValueMode {
    let is_final = runs.methods()[method].value == ValueMode::Final.word();
    if is_final { ValueMode::Final } else { ValueMode::Best }
}

/// Refuses segments whose values are not those of the table's curves.
pub(crate) fn check_values(
    pool: &Pool,
    runs: &TracedRuns,
    trace: &str,
    run: &TracedRun,
    segments: &[Segment],
) -> Result<()> {
    let mode = mode(runs, run.method);
    let differs = |segment: &&Segment| {
        let Some(curve) = pool.recorded_of(segment.config, segment.curve_repeat) else {
            return true;
        };
        if segment.epochs > curve.epochs() {
            return true;
        }
        let score = curve.score(mode, segment.epochs);
        match segment.value {
            Some(value) => pool.score_of(value) != score,
            None => !score.is_nan(),
        }
    };
    let Some(segment) = segments.iter().find(differs) else { return Ok(()) };
    let field = format!("column value, run {}, trial {}", run.run, segment.trial);
    let value = segment.value.map_or("null".to_string(), |value| value.to_string());
    let rule = format!(
        "table {} has another value for configuration {} after {} epochs",
        pool.name(),
        segment.config,
        segment.epochs
    );
    let remedy =
        "give the table that was replayed, with the settings of its replay (--rows, --metric, ...)";
    Err(fault(trace, field, value, rule, remedy))
}
