//! Sizes of a convolution, and where its windows lie in images that carry their padding with them.

use std::ops::Range;

use super::correlation::Offset;
use super::lanes::Lanes;

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

    /// Puts each group of `groups` into its frame, with 0 around it; gives them as they are where
    /// the frame fits.
    pub(crate) fn frame<'a>(self, groups: &'a [Lanes], into: &'a mut Vec<Lanes>) -> &'a [Lanes] {
        if self.size == self.image && self.before == [0, 0] {
            return groups;
        }
        let [height, width] = self.image;
        let image_row = width * self.channels;
        let count = groups.len() / (height * image_row);
        into.clear();
        into.resize(count * self.len(), Lanes::ZERO);
        let rows = height.min(self.size[0] - self.before[0]);
        let seen = width.min(self.size[1] - self.before[1]) * self.channels;
        let left = self.before[1] * self.channels;
        let framed = into.chunks_exact_mut(self.len());
        for (framed, image) in framed.zip(groups.chunks_exact(height * image_row)) {
            let targets = framed.chunks_exact_mut(self.row()).skip(self.before[0]);
            for (target, source) in targets.zip(image.chunks_exact(image_row)).take(rows) {
                target[left..left + seen].copy_from_slice(&source[..seen]);
            }
        }
        into
    }
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

/// Buffers that all layers of a network share.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Images in their frames.
    pub(super) framed: Vec<Lanes>,
    /// Weights in the order in which a product reads them.
    pub(super) packed: Vec<f32>,
    /// What a pooling reads, where nobody else does.
    pub(super) unpooled: Vec<Lanes>,
    /// Results on their way.
    pub(super) sums: Vec<Lanes>,
    /// Places to read from and to write to.
    pub(super) from: Vec<usize>,
    pub(super) to: Vec<usize>,
    pub(super) taps: Vec<usize>,
    /// Which of its runs each place needs.
    pub(super) spans: Vec<Range<usize>>,
    pub(super) offsets: Vec<Offset>,
}

impl Scratch {
    /// The places of layers that read and write whole rows, one a group.
    pub(super) fn rows(&mut self, groups: usize, inputs: usize, outputs: usize) {
        self.from.clear();
        self.from.extend((0..groups).map(|group| group * inputs));
        self.to.clear();
        self.to.extend((0..groups).map(|group| group * outputs));
    }
}
