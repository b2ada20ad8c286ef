//! Looking at tables, checking them, putting shards together.

use std::path::{Path, PathBuf};

use base::error::{Result, fault};
use base::units::plural;
use store::table::{self, CheckReport, Merged};
use train::record::known_columns;

pub use base::space::{Direction, Metric};
pub use store::table::{CheckedExtent, CostCorrelation, Doubt, Info, Quantiles};

use crate::Events;

/// Sums a table up: its values, what it cost, how it was made. `cost` names the column that an
/// epoch costs, `seconds` if `None`.
///
/// # Errors
/// Faults of what is no table.
pub fn info(dir: &Path, cost: Option<&str>) -> Result<Info> {
    table::info(dir, &known_columns(), cost)
}

/// What a check came to.
#[derive(Debug)]
pub struct Checked {
    /// The table's directory.
    pub table: PathBuf,
    pub report: CheckReport,
    /// What was found, in words.
    pub findings: Vec<String>,
}

impl Checked {
    /// Whether nothing was found.
    ///
    /// # Errors
    /// A fault that counts the findings.
    pub fn sound(&self) -> Result<()> {
        if self.report.is_sound() {
            return Ok(());
        }
        let count = plural(self.findings.len(), "finding");
        let rule = "a table holds to the table contract";
        let remedy = "mend what is listed, or make the table again";
        Err(fault(self.table.display(), "table", count, rule, remedy))
    }
}

/// Verifies everything that a table must hold to. `cost` names the column that an epoch costs,
/// `seconds` if `None`.
///
/// # Errors
/// Something wrong with the machine; what is wrong with the table is in the outcome.
pub fn check(dir: &Path, cost: Option<&str>) -> Result<Checked> {
    let report = table::check(dir, &known_columns(), cost)?;
    let findings = report.findings.iter().map(ToString::to_string).collect();
    Ok(Checked { table: dir.to_path_buf(), report, findings })
}

/// Puts all shards of a table together, in any order, into a new directory.
///
/// # Errors
/// Faults of shards that are not all of one table, and of a directory that is not empty.
pub fn merge(shards: &[PathBuf], out: &Path, events: &dyn Events) -> Result<Merged> {
    let merged = table::merge_known(shards, out, &known_columns())?;
    if !merged.differing.is_empty() {
        let what = merged.differing.join(", ");
        events.note(&format!(
            "the shards differ in {what}; provenance.shards in table.json lists them"
        ));
    }
    Ok(merged)
}
