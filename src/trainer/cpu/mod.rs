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

mod activation;
mod activation_backward;
mod add;
mod avgpool_backward;
mod avgpool_forward;
mod batchnorm_backward;
mod batchnorm_forward;
mod channel_sums;
mod concat;
mod confusion;
mod conv_backward_input;
mod conv_backward_weight;
mod conv_forward;
mod conv_maxpool;
pub(super) mod correlation;
mod dense_backward_input;
mod dense_backward_weight;
mod dense_forward;
mod dropout;
mod exponential;
mod gather_batch;
pub(super) mod geometry;
#[cfg(test)]
mod gradient_tests;
pub(super) mod lanes;
pub(super) mod layer_pass;
mod maxpool_backward;
mod maxpool_forward;
mod net;
pub(super) mod optimizer_step;
pub(super) mod product;
#[cfg(test)]
mod sameness_tests;
mod softmax_cross_entropy;
mod training;
mod window;

pub use net::Net;

use super::{Backend, Curve, Job, Watch};
use crate::error::Result;
use crate::model::Network;

/// The CPU backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn check(&self, _: &str, _: &Network) -> Result<()> {
        Ok(())
    }

    fn train(&self, job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve> {
        training::train(job, watch)
    }
}

/// Trains one configuration.
#[cfg(test)]
pub(super) fn train_for_test(job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve> {
    training::train(job, watch)
}
