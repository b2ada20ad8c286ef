//! Rows and columns of 0 about images, which convolutions read as padding, and the parts of an
//! input that see the same part of a kernel.

use super::kernels::tensor::count;
use crate::graph::conv_shape::{ConvShape, conv_shape};
use crate::model::{Network, PlannedLayer, Source};

/// No rows or columns about the images.
pub(super) const NO_FRAME: [[usize; 2]; 2] = [[0; 2]; 2];

/// For each layer's output, and last for the images: the rows and columns before and behind that
/// convolutions read as padding.
pub(super) fn frames(network: &Network) -> Vec<[[usize; 2]; 2]> {
    let mut frames = vec![NO_FRAME; network.layers.len() + 1];
    for layer in &network.layers {
        let Some(shape) = conv_shape(layer) else { continue };
        let at = match layer.sources[0] {
            Source::Images => network.layers.len(),
            Source::Layer(at) => at,
        };
        let covered = shape.covered();
        let [before, behind] = &mut frames[at];
        for (axis, (before, behind)) in before.iter_mut().zip(behind).enumerate() {
            let beyond = covered.size[axis].saturating_sub(covered.before[axis]);
            let beyond = beyond.saturating_sub(covered.image[axis]);
            *before = covered.before[axis].max(*before);
            *behind = beyond.max(*behind);
        }
    }
    frames
}

/// Rows and columns before and behind the gradient of a convolution's output that the gradient of
/// its input reads.
pub(super) fn gradient_frame(layer: &PlannedLayer) -> [[usize; 2]; 2] {
    let Some(shape) = conv_shape(layer).filter(|_| layer.has_input_gradient) else {
        return NO_FRAME;
    };
    let before = shape.kernel.div_ceil(shape.stride) - 1;
    // The last output that any input sees, existing or not.
    let last = |size: usize, before: usize| (size - 1 + before) / shape.stride;
    let behind = [
        (last(shape.height, shape.before[0]) + 1).saturating_sub(shape.out_height),
        (last(shape.width, shape.before[1]) + 1).saturating_sub(shape.out_width),
    ];
    [[before; 2], behind]
}

/// Inputs of a convolution whose padded row and column have given remainders under the stride: all
/// see the same part of the kernel. See `conv_backward_input` on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) remainder: [usize; 2],
    /// Places of the kernel that it sees.
    pub(super) taps: [usize; 2],
    /// Its first row and column, and how many there are.
    pub(super) first: [usize; 2],
    pub(super) count: [usize; 2],
    /// Where its first row's and column's outputs begin, in the frame of their gradient.
    pub(super) begin: [usize; 2],
}

impl Phase {
    /// Fours of its weights in the order of the backward pass.
    pub(super) fn fours(&self, shape: ConvShape) -> u32 {
        count(self.taps[0] * self.taps[1] * shape.filters * shape.channels.div_ceil(4))
    }
}

/// The phases of a convolution's input that see any output.
pub(super) fn phases(shape: ConvShape) -> Vec<Phase> {
    let ConvShape { kernel, stride, before, height, width, .. } = shape;
    let size = [height, width];
    let frame = kernel.div_ceil(stride) - 1;
    let mut found = Vec::new();
    for y in 0..stride.min(kernel) {
        for x in 0..stride.min(kernel) {
            let remainder = [y, x];
            let taps = remainder.map(|remainder| (kernel - remainder).div_ceil(stride));
            let first: [usize; 2] = std::array::from_fn(|axis| {
                (remainder[axis] + stride - before[axis] % stride) % stride
            });
            let count: [usize; 2] =
                std::array::from_fn(|axis| size[axis].saturating_sub(first[axis]).div_ceil(stride));
            let begin: [usize; 2] = std::array::from_fn(|axis| {
                (first[axis] + before[axis]) / stride + frame + 1 - taps[axis]
            });
            if count.iter().all(|count| *count > 0) {
                found.push(Phase { remainder, taps, first, count, begin });
            }
        }
    }
    found
}
