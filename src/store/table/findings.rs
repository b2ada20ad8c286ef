//! Where the rules of a table are broken: loading stops at the first finding, checking goes on.

use base::error::{Error, Fault, Result};

/// Takes what is wrong with a table. Loading and checking run the same code over the same rules
/// and differ in nothing but this.
#[derive(Debug)]
pub(super) struct Findings {
    faults: Vec<Fault>,
    limit: usize,
}

impl Findings {
    /// Stops at the first finding.
    pub(super) const fn first() -> Self {
        Self { faults: Vec::new(), limit: 1 }
    }

    /// Goes on until there are `limit` findings: past that, they all say the same.
    pub(super) const fn up_to(limit: usize) -> Self {
        Self { faults: Vec::new(), limit }
    }

    /// Records what the user did wrong; an error as soon as the limit is reached, and for
    /// everything that is not about the table.
    pub(super) fn add(&mut self, error: Error) -> Result<()> {
        let Error::Input(fault) = error else { return Err(error) };
        if self.faults.len() + 1 >= self.limit {
            return Err(Error::Input(fault));
        }
        self.faults.push(*fault);
        Ok(())
    }

    /// The value of a step, or `None` where it failed with a finding that does not end the work.
    pub(super) fn keep<T>(&mut self, step: Result<T>) -> Result<Option<T>> {
        match step {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.add(error).map(|()| None),
        }
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Everything found.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }
}
