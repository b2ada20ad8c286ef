//! One file a sampler, one line a sampler in [`REGISTRY`].

mod random;
mod recorded;

use crate::method::{Entry, SamplerFactory};

/// Every sampler.
pub static REGISTRY: &[Entry<SamplerFactory>] = &[random::ENTRY, recorded::ENTRY];
