//! Samplers, schedulers, stoppers and endings, and all that they may see.

pub mod endings;
pub mod interface;
pub mod kit;
mod rungs;
pub mod samplers;
pub mod schedulers;
pub mod stoppers;
pub mod surrogates;
