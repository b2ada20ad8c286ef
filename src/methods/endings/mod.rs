//! One file an ending, one line an ending in [`REGISTRY`].

mod never;
mod plateau;
mod regret;
mod stagnation;

use crate::interface::{EndingFactory, Entry};

/// Every ending.
pub static REGISTRY: &[Entry<EndingFactory>] =
    &[never::ENTRY, stagnation::ENTRY, plateau::ENTRY, regret::ENTRY];
