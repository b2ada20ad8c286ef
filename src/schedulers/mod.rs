//! One file a scheduler, one line a scheduler in [`REGISTRY`].

mod fifo;

use crate::method::{Entry, SchedulerFactory};

/// Every scheduler.
pub static REGISTRY: &[Entry<SchedulerFactory>] = &[fifo::ENTRY];
