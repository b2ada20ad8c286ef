//! One file a sampler, one line a sampler in [`REGISTRY`].

mod bins;
mod cma_es;
mod coordinate;
mod de;
mod evolution;
mod ga;
mod gp;
mod grid;
mod harmony;
#[cfg(test)]
pub(crate) mod harness;
mod incumbent;
mod nelder_mead;
mod ofat;
mod pso;
mod q_learning;
mod random;
mod recorded;
mod reinforce;
mod rf_ei;
mod sobol;

use crate::interface::{Entry, SamplerFactory};

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
];
