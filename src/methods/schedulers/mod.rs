//! One file a scheduler, one line a scheduler in [`REGISTRY`].

mod fifo;
mod i_epoch;

use crate::interface::{Entry, SchedulerFactory};

/// Every scheduler.
pub static REGISTRY: &[Entry<SchedulerFactory>] = &[fifo::ENTRY, i_epoch::ENTRY];
