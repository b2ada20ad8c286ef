//! Images in their frames, and the buffers that layers share.

use std::ops::Range;

use super::correlation::Offset;
use super::lanes::Lanes;
use crate::graph::conv_shape::Canvas;

impl Canvas {
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
