//! The GPU backend: wgpu compute shaders, each the twin of a kernel of [`super::cpu`].
//!
//! The layout is that of the CPU: sixteen images side by side, (group, row, column, channel, image)
//! in f32. A thread has four of the sixteen images and a tile of results in registers, and sums in
//! the order of its twin, so that both give the same bits wherever `fma` rounds once. Work is a
//! flat list of tiles of jobs of unlike shapes: one dispatch serves every network in the same
//! phase.

pub mod adapter;
mod arena;
mod backward;
mod cohort;
pub mod correlation;
#[cfg(test)]
mod correlation_tests;
pub mod device;
#[cfg(test)]
mod device_tests;
mod elements;
mod estimate;
mod frames;
mod growing;
mod images;
mod kernels;
mod layout;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod lot;
pub mod measure;
mod merged;
#[cfg(test)]
mod movement_tests;
#[cfg(test)]
mod network_tests;
mod normalisation;
#[cfg(test)]
mod normalisation_tests;
#[cfg(test)]
mod optimizer_tests;
#[cfg(test)]
mod pointwise_tests;
#[cfg(test)]
mod pooling_tests;
mod population;
#[cfg(test)]
mod population_tests;
pub mod product;
#[cfg(test)]
mod product_tests;
mod program;
mod queue;
mod resident;
pub mod self_test;
pub mod shaders;
mod shelf;
pub mod tasks;
mod trusted;
#[cfg(test)]
mod twin;
mod variants;

pub use adapter::{Adapter, Description, Kind, Wanted};
pub use device::{Buffer, Gpu};
pub(crate) use estimate::{Sample, estimate};
pub use kernels::Variant;
pub(crate) use population::Run;
pub use variants::Chosen;
