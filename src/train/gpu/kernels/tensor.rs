//! Where numbers of images lie.

use super::tasks::reach;
use crate::model::Shape;

/// Where the values of a tensor lie: the first one, and from one group, row and column to the next;
/// channels lie side by side. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tensor {
    pub(crate) start: u32,
    pub(crate) steps: [u32; 3],
    pub(crate) groups: u32,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) channels: u32,
}

impl Tensor {
    /// Values of an image.
    pub(crate) fn len(self) -> u32 {
        self.rows * self.columns * self.channels
    }

    /// `count` channels from channel `first` on.
    pub(crate) fn channels(self, first: u32, count: u32) -> Self {
        Self { start: self.start + first, channels: count, ..self }
    }

    /// One image's values without a gap from row to row.
    pub(crate) fn is_whole(self) -> bool {
        self.rows == 1 || self.steps[1] == self.columns * self.channels
    }

    pub(crate) fn shape(self) -> [u32; 4] {
        [self.groups, self.rows, self.columns, self.channels]
    }

    pub(crate) fn place(self) -> [u32; 4] {
        [self.start, self.steps[0], self.steps[1], self.steps[2]]
    }

    /// One past its last value.
    pub(crate) fn end(self) -> u64 {
        let [group, row, column] = self.steps;
        let along =
            [(self.groups, group), (self.rows, row), (self.columns, column), (self.channels, 1)];
        reach(self.start, &along)
    }

    pub(crate) fn of(start: u32, groups: u32, shape: Shape) -> Self {
        let [rows, columns, channels] = [shape.height, shape.width, shape.channels].map(count);
        let steps = [rows * columns * channels, columns * channels, channels];
        Self { start, steps, groups, rows, columns, channels }
    }
}

/// A count that device memory bounds.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).expect("what fits in device memory is counted in 32 bits")
}
