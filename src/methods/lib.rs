//! Samplers, schedulers and stoppers, and all that they may see.

#[cfg(test)]
mod harness;
pub mod interface;
pub mod kit;
mod rungs;
pub mod samplers;
pub mod schedulers;
pub mod stoppers;
pub mod surrogates;
