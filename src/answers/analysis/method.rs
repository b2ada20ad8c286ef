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
    pub workers: u32,
    /// The settings without a column of their own that are not the default: `cost=flops restart`.
    /// Empty where all are.
    pub settings: String,
}

impl Method {
    /// Its parts by name, in the order of the canonical string; the table comes last.
    pub fn parts(&self) -> [(&'static str, String); 8] {
        [
            ("sampler", self.sampler.clone()),
            ("scheduler", self.scheduler.clone()),
            ("stopper", self.stopper.clone()),
            ("report", self.report.clone()),
            ("value", self.value.clone()),
            ("workers", self.workers.to_string()),
            ("settings", self.settings.clone()),
            ("table", self.table.clone()),
        ]
    }

    /// Whether the two differ in the table at most.
    pub fn same_but_table(&self, other: &Self) -> bool {
        let but_table = |m: &Self| Self { table: String::new(), ..m.clone() };
        but_table(self) == but_table(other)
    }
}

/// The canonical string: `sampler=random scheduler=fifo stopper=none report=best value=best
/// workers=1 table=digits-lenet`, with `settings="cost=flops restart"` before the table where some
/// setting is not the default.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (name, value) in self.parts() {
            match (name, value.is_empty()) {
                ("settings", true) => continue,
                ("settings", false) => write!(f, "{space}{name}=\"{value}\"")?,
                _ => write!(f, "{space}{name}={value}")?,
            }
            space = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
impl Method {
    /// Random search on `digits` with a rule, all else as usual.
    pub(super) fn example(stopper: &str) -> Self {
        Self {
            table: "digits".into(),
            sampler: "random".into(),
            scheduler: "fifo".into(),
            stopper: stopper.into(),
            report: "best".into(),
            value: "best".into(),
            workers: 1,
            settings: String::new(),
        }
    }
}
