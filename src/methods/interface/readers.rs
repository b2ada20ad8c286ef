//! What methods learn from files: they open none themselves.

use std::path::Path;
use std::sync::Arc;

use base::error::{Result, fault};
use base::space::{Metric, Space};
use base::units::{ConfigId, Epoch, SimTime};

use super::{Points, RecordedOrders};

/// Read what a method's parameters name.
#[derive(Clone, Copy)]
pub struct Readers<'a> {
    /// A recorded order.
    pub orders: &'a (dyn Fn(&Path) -> Result<RecordedOrders> + Sync),
    /// A short text.
    pub text: &'a (dyn Fn(&Path) -> Result<String> + Sync),
    /// Another table of the same space.
    pub paired: &'a (dyn Fn(&Path) -> Result<Paired> + Sync),
}

// Not derived: closures show nothing.
impl std::fmt::Debug for Readers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers<'static> {
    /// Refuse every file.
    pub const NONE: Self = Self { orders: &refuse, text: &refuse, paired: &refuse };
}

fn refuse<T>(path: &Path) -> Result<T> {
    let rule = "no files can be read here";
    Err(fault("--sampler", "file", path.display(), rule, "give a reader of files"))
}

/// A table of whose rows a method may know everything before the run, as what it learned earlier
/// and elsewhere.
#[derive(Debug, Clone)]
pub struct Paired {
    /// Its name, for messages.
    pub table: String,
    pub space: Space,
    pub metric: Metric,
    pub points: Arc<Points>,
    pub rows: u32,
    pub epochs: Epoch,
    /// Row after row, epoch after epoch up to `epochs`: the best score by then, NaN where none was
    /// measured yet. A curve that ends early stays at its end.
    pub best: Vec<f64>,
    /// Of the same epochs: what the row has cost by then.
    pub cost: Vec<SimTime>,
}

impl Paired {
    /// A row's best score by an epoch, and what it cost.
    ///
    /// # Panics
    /// Where the table lacks the row or the epoch.
    pub fn by(&self, row: ConfigId, epoch: Epoch) -> (f64, SimTime) {
        assert!((1..=self.epochs.0).contains(&epoch.0), "epochs count from 1");
        let at = row.index() * usize::from(self.epochs.0) + epoch.index();
        (self.best[at], self.cost[at])
    }
}
