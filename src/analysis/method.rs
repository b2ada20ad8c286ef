//! What was run, but for goal and seed.

use std::fmt;

/// One way of doing HPO on one table: everything that sets a run apart but goal, repeat and seed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Method {
    pub table: String,
    pub sampler: String,
    pub scheduler: String,
    pub stopper: String,
    /// What a stopped trial tells the sampler.
    pub report: String,
    /// Whether a trial's value is its best or its final epoch.
    pub value: String,
    pub workers: u64,
}

impl Method {
    /// Its parts by name, in the order of the canonical string.
    pub fn parts(&self) -> [(&'static str, String); 7] {
        [
            ("sampler", self.sampler.clone()),
            ("scheduler", self.scheduler.clone()),
            ("stopper", self.stopper.clone()),
            ("report", self.report.clone()),
            ("value", self.value.clone()),
            ("workers", self.workers.to_string()),
            ("table", self.table.clone()),
        ]
    }

    /// Whether the two differ in the table at most.
    pub fn same_but_table(&self, other: &Self) -> bool {
        let tail = |m: &Self| m.parts().into_iter().take(6).collect::<Vec<_>>();
        tail(self) == tail(other)
    }
}

/// The canonical string: `sampler=random scheduler=fifo stopper=none report=best value=best
/// workers=1 table=digits-lenet`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.parts().iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{name}={value}")?;
        }
        Ok(())
    }
}
