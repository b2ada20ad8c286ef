//! The memories of the device that kernels work on.

use std::collections::BTreeMap;

use super::Kernel;
use crate::gpu::device::Buffer;

/// A memory of the device that all networks of a cohort share; its size is a
/// [`super::super::arena`] matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Memory {
    /// Activations and their gradients: 64 bytes a value.
    Values,
    /// Weights, their transposes for the backward pass, statistics: f32.
    Weights,
    /// The optimizer's.
    Moments,
    /// Gradients of weights, in blocks, and what leads to them: f32.
    Gradients,
    /// Inputs of dense layers, image by image: f32.
    Columns,
    /// What each step is about.
    Steps,
    /// How many steps are done.
    Tick,
    /// The order of the training images.
    Orders,
    /// Standardised values of bytes, labels.
    Dataset,
    /// The images, in two parts.
    Images0,
    Images1,
    /// Losses, confusion matrices, whether a network diverged.
    Results,
}

/// The memories that are there.
#[derive(Debug, Default)]
pub(crate) struct Memories(pub(crate) BTreeMap<Memory, Buffer>);

impl Memories {
    pub(crate) fn get(&self, memory: Memory) -> &Buffer {
        self.0.get(&memory).expect("every memory that a kernel needs is made")
    }

    pub(super) fn of(&self, kernel: &Kernel) -> Vec<&Buffer> {
        kernel.memories.iter().map(|memory| self.get(*memory)).collect()
    }
}
