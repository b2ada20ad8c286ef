//! What both backends know of a network, and neither owns: what its layers read and where gradients
//! flow, sizes of convolutions, chunks of dense layers, random numbers, the optimizer's factors.

pub(crate) mod conv_shape;
pub(crate) mod dense_chunks;
pub(crate) mod optimizer;
mod streams;
pub(crate) mod wiring;

pub use streams::Streams;

/// Images of a group: they lie side by side, on both backends.
pub(crate) const LANES: usize = 16;
