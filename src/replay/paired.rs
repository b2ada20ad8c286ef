//! A table as methods of a run on another one may know it.

use std::sync::Arc;

use base::rng::Key;
use base::units::{ConfigId, Epoch, SimTime};
use methods::interface::Paired;

use crate::{Pool, ValueMode};

impl Pool {
    /// Every row's best score by each epoch and what it cost by then, what is charged before the
    /// first epoch included. Of several recorded curves of a row, one.
    pub fn paired(&self) -> Paired {
        let cells = self.rows() as usize * usize::from(self.epochs().0);
        let (mut best, mut cost) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
        let draw = Key::new(0, 0, "paired");
        for row in (0..self.rows()).map(ConfigId) {
            let curve = self.curve(row, draw).curve;
            for epoch in (1..=self.epochs().0).map(Epoch) {
                let executed = epoch.0.min(u16::try_from(curve.len()).expect("16 bits"));
                let end = curve.start + usize::from(executed);
                best.push(self.value(ValueMode::Best, curve.start..end));
                let epochs: SimTime = self.cost(curve.start, Epoch(executed));
                cost.push(epochs.saturating_add(self.setup(row)));
            }
        }
        Paired {
            table: self.name().to_string(),
            space: self.space().clone(),
            metric: self.metric().clone(),
            points: Arc::clone(self.points()),
            rows: self.rows(),
            epochs: self.epochs(),
            best,
            cost,
        }
    }
}
