//! One file a sampler, one line a sampler in [`REGISTRY`].

mod bohb_kde;
mod grid;
mod prior;
mod random;
mod recorded;
mod rf_ei;
mod sobol;
mod tpe;

use crate::interface::{Entry, SamplerFactory};

/// Every sampler.
pub static REGISTRY: &[Entry<SamplerFactory>] = &[
    random::ENTRY,
    grid::ENTRY,
    recorded::ENTRY,
    rf_ei::ENTRY,
    sobol::ENTRY,
    tpe::ENTRY,
    tpe::pool::ENTRY,
    bohb_kde::ENTRY,
    prior::ENTRY,
];
