//! The CPU backend: one configuration a thread, f32, matrix products by `matrixmultiply`.
//!
//! One file a kernel, named as its shader is. Activations are (image, row, column, channel) and
//! weights (inputs, outputs), so that every product runs over whole rows; [`Net`] translates from
//! and to the order of contract 1 (channel, row, column), which is also that of the random numbers.

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
mod correlation;
mod dense_backward_input;
mod dense_backward_weight;
mod dense_forward;
mod dropout;
mod exponential;
mod gather_batch;
mod geometry;
#[cfg(test)]
mod gradient_tests;
mod lanes;
mod layer_pass;
mod maxpool_backward;
mod maxpool_forward;
mod net;
mod optimizer_step;
mod product;
mod softmax_cross_entropy;
mod training;
mod window;
mod wiring;

pub use net::Net;

use super::{Backend, Curve, Job, Watch};
use crate::error::{Result, fault};
use crate::model::{Network, Operation};

/// The CPU backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn check(&self, source: &str, network: &Network) -> Result<()> {
        for layer in &network.layers {
            let Operation::MaxPool { window } = layer.operation else { continue };
            let size = window.height.max(window.width);
            if size > maxpool_forward::SIZE_MAX {
                let rule = format!("must be at most {}", maxpool_forward::SIZE_MAX);
                let field = format!("{}.size", layer.name);
                return Err(fault(source, field, size, rule, "pool twice with smaller sizes"));
            }
        }
        Ok(())
    }

    fn train(&self, job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve> {
        training::train(job, watch)
    }
}
