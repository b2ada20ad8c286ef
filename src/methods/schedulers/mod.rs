//! One file a scheduler, one line a scheduler in [`REGISTRY`].

mod asha;
mod dehb;
mod fifo;
mod hyperband;
mod i_epoch;
mod optuna_hyperband;
mod pasha;
mod successive_halving;

use crate::interface::{Entry, SchedulerFactory};

/// Every scheduler.
pub static REGISTRY: &[Entry<SchedulerFactory>] = &[
    fifo::ENTRY,
    successive_halving::ENTRY,
    hyperband::ENTRY,
    asha::ENTRY,
    pasha::ENTRY,
    optuna_hyperband::ENTRY,
    i_epoch::ENTRY,
    dehb::ENTRY,
];
