//! One run of a grid, with what was decided in it and why.

use base::error::Result;
use methods::interface::Readers;

use crate::{Decisions, Grid, GridRun, Pool, Wants, Workspace};

/// A run, traced, and what rules and rungs decided in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    pub run: GridRun,
    pub decisions: Decisions,
}

impl Grid {
    /// Replays the last repeat of a grid of one experiment and asks its methods for their reasons.
    /// The run is the same as unwatched.
    ///
    /// # Errors
    ///
    /// See [`Grid::run`].
    ///
    /// # Panics
    ///
    /// If the grid has several experiments: methods or numbers of workers, or, where a method is
    /// told the goal, goals.
    pub fn watch(&self, pool: &Pool, readers: Readers<'_>, wants: Wants<'_>) -> Result<Watched> {
        self.check()?;
        assert_eq!(self.runs()?, self.repeats, "one experiment is watched");
        let targets = self.targets(pool)?;
        let context = pool.context(self.repeats, readers);
        let built = self.build(&context)?;
        let cells = self.cells(pool, &built);
        let [cell] = &cells[..] else { unreachable!("one experiment is one cell") };
        let last = (self.repeats - 1, self.repeats, self.repeats - 1);
        let mut workspace = Workspace::default();
        let (run, decisions) = cell.watch(pool, &targets, last, &mut workspace, true, Some(wants));
        Ok(Watched { run, decisions })
    }
}
