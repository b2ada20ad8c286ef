//! One file a sampler, one line a sampler in [`REGISTRY`].

mod gp;
mod grid;
mod hord;
mod random;
mod recorded;
mod rf_ei;
mod smac;
mod sobol;

use crate::interface::{Entry, SamplerFactory};

/// Every sampler.
pub static REGISTRY: &[Entry<SamplerFactory>] = &[
    random::ENTRY,
    grid::ENTRY,
    recorded::ENTRY,
    rf_ei::ENTRY,
    sobol::ENTRY,
    gp::ENTRY,
    smac::ENTRY,
    hord::ENTRY,
];
