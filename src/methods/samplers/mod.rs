//! One file a sampler, one line a sampler in [`REGISTRY`].

mod bohb_kde;
mod cma_es;
mod coordinate;
mod cqr;
mod de;
mod evolution;
mod ga;
mod gp;
mod grid;
mod harmony;
mod hord;
mod nelder_mead;
mod ofat;
mod prior;
mod pso;
mod q_learning;
mod random;
mod recorded;
mod reinforce;
mod rf_ei;
mod smac;
mod sobol;
mod tpe;
mod warm_start;

use crate::interface::{Entry, SamplerFactory};

pub use prior::CONFIDENCE_MAX;

/// Every sampler.
pub static REGISTRY: &[Entry<SamplerFactory>] = &[
    random::ENTRY,
    grid::ENTRY,
    recorded::ENTRY,
    rf_ei::ENTRY,
    sobol::ENTRY,
    ofat::ENTRY,
    coordinate::ENTRY,
    nelder_mead::ENTRY,
    de::ENTRY,
    evolution::ENTRY,
    ga::ENTRY,
    pso::ENTRY,
    harmony::ENTRY,
    cma_es::ENTRY,
    q_learning::ENTRY,
    reinforce::ENTRY,
    gp::ENTRY,
    smac::ENTRY,
    hord::ENTRY,
    tpe::ENTRY,
    tpe::pool::ENTRY,
    bohb_kde::ENTRY,
    prior::ENTRY,
    cqr::ENTRY,
    warm_start::ENTRY,
];
