//! One file a scheduler, one line a scheduler in [`REGISTRY`].

mod asha;
mod dpl;
mod dyhpo;
mod fifo;
mod freeze_thaw;
mod hyperband;
mod i_epoch;
mod optuna_hyperband;
mod pasha;
mod pop;
mod successive_halving;

use crate::interface::{Entry, SchedulerFactory};

/// What most of them were held against their peers by.
const EVERY_SEGMENT: &str = "every segment of recorded histories with ties, NaN and gaps \
                             (tests/it/scheduler_peers.rs)";

/// Every scheduler.
pub static REGISTRY: &[Entry<SchedulerFactory>] = &[
    fifo::ENTRY,
    successive_halving::ENTRY,
    hyperband::ENTRY,
    asha::ENTRY,
    pasha::ENTRY,
    optuna_hyperband::ENTRY,
    i_epoch::ENTRY,
    dpl::ENTRY,
    pop::ENTRY,
    dyhpo::ENTRY,
    freeze_thaw::ENTRY,
];
