//! The CPU backend: one configuration a thread, f32, matrix products by `matrixmultiply`.
//!
//! One file a kernel, named as its shader is. Activations are (image, row, column, channel) and
//! weights (inputs, outputs), so that every product runs over whole rows; [`Net`] translates from
//! and to the order of contract 1 (channel, row, column), which is also that of the random numbers.

mod activation;
mod activation_backward;
mod columns;
mod confusion;
mod conv_backward_input;
mod conv_backward_weight;
mod conv_forward;
mod dense_backward_input;
mod dense_backward_weight;
mod dense_forward;
mod dropout;
mod gather_batch;
mod gemm;
#[cfg(test)]
mod gradient_tests;
mod maxpool_backward;
mod maxpool_forward;
mod net;
mod optimizer_step;
mod softmax_cross_entropy;
mod training;

pub use net::Net;

use super::{Backend, Curve, Job, Watch};
use crate::error::{Result, fault};
use crate::model::{Network, Operation, not_built};

/// The CPU backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn check(&self, source: &str, network: &Network) -> Result<()> {
        let small = "use a stride of 1 with padding `same`, or pooling";
        for layer in &network.layers {
            match layer.operation {
                Operation::Conv { stride, .. } if stride != 1 => {
                    let field = format!("{}.stride", layer.name);
                    return Err(not_built(source, &field, &format!("stride {stride}"), small));
                }
                Operation::Conv { .. }
                    if (layer.input.height, layer.input.width)
                        != (layer.output.height, layer.output.width) =>
                {
                    let field = format!("{}.padding", layer.name);
                    return Err(not_built(source, &field, "valid", small));
                }
                Operation::MaxPool { size } if size > maxpool_forward::SIZE_MAX => {
                    let rule = format!("must be at most {}", maxpool_forward::SIZE_MAX);
                    let field = format!("{}.size", layer.name);
                    return Err(fault(source, field, size, rule, "pool twice with smaller sizes"));
                }
                Operation::BatchNorm { .. } => {
                    let remedy = "choose a space without batch normalisation";
                    return Err(not_built(source, &layer.name, "batchnorm", remedy));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn train(&self, job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve> {
        training::train(job, watch)
    }
}
