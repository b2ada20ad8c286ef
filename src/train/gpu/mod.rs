//! The GPU backend: wgpu compute shaders, each the twin of a kernel of [`super::cpu`].
//!
//! The layout is that of the CPU: sixteen images side by side, (group, row, column, channel, image)
//! in f32. A thread has four of the sixteen images and a tile of results in registers, and sums in
//! the order of its twin, so that both give the same bits wherever `fma` rounds once. Work is a
//! flat list of tiles of jobs of unlike shapes: one dispatch serves every network in the same
//! phase.

pub mod adapter;
mod arena;
mod backend;
mod backward;
mod cohort;
mod curve_in_training;
pub mod device;
#[cfg(test)]
mod device_tests;
mod dispatch_order;
mod estimate;
mod frames;
mod images;
mod incomplete_configs;
pub mod kernels;
mod layout;
#[cfg(test)]
mod lost_device_tests;
pub mod measure;
#[cfg(test)]
mod network_tests;
mod normalisation;
pub mod probe;
mod program;
mod queue;
mod resident;
pub mod shaders;
mod trusted;
mod variants;

pub use adapter::{Adapter, Description, Kind, Wanted};
pub use device::{Buffer, Gpu};
pub use kernels::{Compiled, Variant, correlation, product, tasks};
pub use variants::Chosen;
