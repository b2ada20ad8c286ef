//! The CPU backend: one configuration a thread, f32, sixteen images side by side (see `lanes`).
//!
//! One file a kernel, named as its shader is. Weights are (inputs, outputs); [`Net`] translates
//! from and to the order of contract 1 (channel, row, column), which is also that of the random
//! numbers.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instruction set in use"
)]
#![expect(clippy::too_many_arguments, reason = "a kernel takes its operands")]

pub(super) mod activation;
pub(super) mod activation_backward;
pub(super) mod add;
pub(super) mod avgpool_backward;
pub(super) mod avgpool_forward;
pub(super) mod batchnorm_backward;
pub(super) mod batchnorm_forward;
pub(super) mod channel_sums;
pub(super) mod concat;
mod confusion;
mod conv_backward_input;
mod conv_backward_weight;
mod conv_forward;
mod conv_maxpool;
pub(super) mod correlation;
mod dense_backward_input;
mod dense_backward_weight;
mod dense_forward;
pub(super) mod dropout;
mod estimate;
pub(super) mod exponential;
pub(super) mod gather_batch;
pub(super) mod geometry;
#[cfg(test)]
mod gradient_tests;
pub(super) mod lanes;
pub(super) mod layer_pass;
pub(super) mod maxpool_backward;
pub(super) mod maxpool_forward;
mod net;
pub(super) mod optimizer_step;
pub(super) mod product;
pub(super) mod reduce_partials;
#[cfg(test)]
mod sameness_tests;
pub(super) mod softmax_cross_entropy;
mod threads;
mod training;
pub(super) mod transpose;
pub(super) mod transpose_weights;
mod window;

pub use net::Net;

use base::error::Result;

use crate::backend::{Backend, Work};
use crate::estimate::Spent;
use crate::plan::Task;
use crate::{Sink, Summary};

/// The CPU backend.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu;

impl Backend for Cpu {
    fn train(&self, work: &Work<'_>, sink: &mut dyn Sink) -> Result<Summary> {
        threads::Threads { work }.run(sink)
    }

    fn estimate(&self, work: &Work<'_>, sampled: &[&Task]) -> Result<Spent> {
        Ok(estimate::estimate(work, sampled))
    }
}
