//! What deciding costs. The one place of the replay that may read the real clock, and only where
//! `--overhead measured` asks for it.

use std::time::Instant;

use base::units::SimTime;

use super::Run;
use crate::settings::Overhead;

/// When the optimiser began to think; `None` where nobody measures.
#[derive(Clone, Copy)]
pub(super) struct OptimiserClock(Option<Instant>);

impl Run<'_> {
    pub(super) fn optimiser_clock(&self) -> OptimiserClock {
        let measures = self.settings.overhead == Overhead::Measured;
        OptimiserClock(measures.then(Instant::now))
    }

    /// What the decision that began at `clock` is charged.
    pub(super) fn overhead(&self, clock: OptimiserClock) -> SimTime {
        match self.settings.overhead {
            Overhead::None => SimTime::ZERO,
            Overhead::Fixed(cost) => cost,
            Overhead::Measured => {
                let elapsed = clock.0.map_or(0, |began| began.elapsed().as_nanos());
                SimTime(u64::try_from(elapsed).unwrap_or(u64::MAX))
            }
        }
    }
}
