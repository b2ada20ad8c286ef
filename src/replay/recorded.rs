//! One recorded curve for those who look back at a run: no method sees it.

use std::ops::Range;

use base::units::{ConfigId, Epoch, SimTime};
use methods::interface::{EpochScore, Trait, resolve};

use crate::{Pool, ValueMode};

/// A whole recorded curve of a table's row.
#[derive(Debug, Clone)]
pub struct Recorded<'a> {
    pool: &'a Pool,
    span: Range<usize>,
}

impl Pool {
    /// The curve that training `repeat` of a row recorded; `None` where the table has no such row
    /// or the row no such training.
    pub fn recorded(&self, row: ConfigId, repeat: u16) -> Option<Recorded<'_>> {
        self.span(row, repeat).map(|span| Recorded { pool: self, span })
    }

    /// The same by the table's id of the row, as files name it.
    pub fn recorded_of(&self, id: ConfigId, repeat: u16) -> Option<Recorded<'_>> {
        self.recorded(self.ids().row_of(id)?, repeat)
    }
}

impl Recorded<'_> {
    /// How many epochs were recorded; 0 for a row that failed at once.
    pub fn epochs(&self) -> Epoch {
        Epoch(u16::try_from(self.span.len()).expect("a curve is no longer than its table"))
    }

    /// What the first `epochs` epochs cost by the column that the table was loaded with; nothing
    /// for 0. More epochs than there are: refused by assertion.
    pub fn cost(&self, epochs: Epoch) -> SimTime {
        assert!(epochs <= self.epochs(), "a curve costs what it recorded");
        self.pool.cost(self.span.start, epochs)
    }

    /// What was recorded at the end of an epoch; `None` past the last one.
    pub fn at(&self, epoch: Epoch) -> Option<EpochScore> {
        let within = (1..=self.epochs().0).contains(&epoch.0);
        within.then(|| self.pool.scores()[self.span.start + epoch.index()])
    }

    /// The score of a trial that has run the first `epochs` epochs; NaN where it has none, and by
    /// its final value where training had diverged. More epochs than there are: refused by
    /// assertion.
    pub fn score(&self, mode: ValueMode, epochs: Epoch) -> f64 {
        assert!(epochs <= self.epochs(), "a curve has the values that it recorded");
        let start = self.span.start;
        self.pool.value(mode, start..start + usize::from(epochs.0))
    }
}

/// Whether the sampler of this canonical text visits rows in an order that depends on nothing that
/// it is told; `None` for no sampler of ours.
pub fn has_fixed_order(sampler: &str) -> Option<bool> {
    let method = resolve("--sampler", sampler, methods::samplers::REGISTRY).ok()?;
    let learns = [Trait::LearnsValues, Trait::LearnsRanks];
    let is_free = |wanted: Trait| {
        !method.has(wanted) && !method.arguments.methods().any(|part| part.has(wanted))
    };
    Some(learns.into_iter().all(is_free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_that_fit_nothing_keep_their_order() {
        for fixed in ["random", "sobol", "grid"] {
            assert_eq!(has_fixed_order(fixed), Some(true), "{fixed}");
        }
        for learner in ["rf-ei:trees=50", "tpe", "ofat", "smac"] {
            assert_eq!(has_fixed_order(learner), Some(false), "{learner}");
        }
        assert_eq!(has_fixed_order("somebody-elses"), None);
    }
}
