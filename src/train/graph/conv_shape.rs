//! Sizes of a convolution, and the frames about images that carry their padding with them.

use std::ops::Range;

use crate::model::{Operation, PlannedLayer};

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvShape {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) filters: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Padding above and to the left; below and to the right stands what the output still needs.
    pub(crate) before: [usize; 2],
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
}

impl ConvShape {
    /// Output positions an image.
    pub(crate) fn positions(self) -> usize {
        self.out_height * self.out_width
    }

    /// Values of one input image.
    pub(crate) fn image(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Groups that the kernels take at once.
    pub(crate) fn groups_at_once(self) -> usize {
        groups_at_once(self.positions(), self.image())
    }

    /// What the windows cover of the input. With a stride they may end before the image does.
    pub(crate) fn covered(self) -> Canvas {
        Canvas {
            image: [self.height, self.width],
            channels: self.channels,
            before: self.before,
            size: [
                (self.out_height - 1) * self.stride + self.kernel,
                (self.out_width - 1) * self.stride + self.kernel,
            ],
        }
    }
}

/// A frame about images: with room for padding, or cutting off what no window sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    /// Height and width of the images.
    pub(crate) image: [usize; 2],
    pub(crate) channels: usize,
    /// Rows above and columns to the left of the image.
    pub(crate) before: [usize; 2],
    /// Height and width of the frame.
    pub(crate) size: [usize; 2],
}

impl Canvas {
    /// Values of one framed image.
    pub(crate) fn len(self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Values of a row.
    pub(crate) fn row(self) -> usize {
        self.size[1] * self.channels
    }

    /// Which of `count` rows from row `first` of the frame on lie in the image.
    pub(crate) fn inside(self, first: usize, count: usize) -> Range<usize> {
        let (start, end) = (self.before[0], self.before[0] + self.image[0]);
        let start = start.saturating_sub(first).min(count);
        start..end.saturating_sub(first).clamp(start, count)
    }
}

/// The sizes of a convolution.
pub(crate) fn conv_shape(layer: &PlannedLayer) -> Option<ConvShape> {
    let Operation::Conv { kernel, stride, before, .. } = layer.operation else { return None };
    Some(ConvShape {
        channels: layer.input.channels,
        height: layer.input.height,
        width: layer.input.width,
        filters: layer.output.channels,
        kernel,
        stride,
        before,
        out_height: layer.output.height,
        out_width: layer.output.width,
    })
}

/// Places that a kernel works on at once: enough that what is done once for all of them costs
/// little ...
const PLACES: usize = 784;
/// ... unless their values fill a near cache: 1 MiB.
const VALUES: usize = 1 << 14;

/// Groups to take at once of images with so many places and values each. It decides where weight
/// gradients are rounded, and so depends on the shape alone.
fn groups_at_once(places: usize, values: usize) -> usize {
    (PLACES / places).min(VALUES / values).max(1)
}
