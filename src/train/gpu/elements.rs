//! Kernels that work on values one by one, and those that move numbers about: the host's side of
//! every shader with `shared/elements.wgsl` in it. What a job's numbers mean stands in its shader.

use bytemuck::{Pod, Zeroable};

use super::kernels::{Kernel, Memory};
use super::tasks::{Tiles, reach};
use crate::model::Shape;

/// Where the values of a tensor lie: the first one, and from one group, row and column to the next;
/// channels lie side by side. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tensor {
    pub(super) start: u32,
    pub(super) steps: [u32; 3],
    pub(super) groups: u32,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) channels: u32,
}

impl Tensor {
    /// Values of an image.
    pub(super) fn len(self) -> u32 {
        self.rows * self.columns * self.channels
    }

    /// `count` channels from channel `first` on.
    pub(super) fn channels(self, first: u32, count: u32) -> Self {
        Self { start: self.start + first, channels: count, ..self }
    }

    /// One image's values without a gap from row to row.
    pub(super) fn is_whole(self) -> bool {
        self.rows == 1 || self.steps[1] == self.columns * self.channels
    }

    pub(super) fn shape(self) -> [u32; 4] {
        [self.groups, self.rows, self.columns, self.channels]
    }

    pub(super) fn place(self) -> [u32; 4] {
        [self.start, self.steps[0], self.steps[1], self.steps[2]]
    }

    /// One past its last value.
    pub(super) fn end(self) -> u64 {
        let [group, row, column] = self.steps;
        let along =
            [(self.groups, group), (self.rows, row), (self.columns, column), (self.channels, 1)];
        reach(self.start, &along)
    }

    pub(super) fn of(start: u32, groups: u32, shape: Shape) -> Self {
        let [rows, columns, channels] = [shape.height, shape.width, shape.channels].map(count);
        let steps = [rows * columns * channels, columns * channels, channels];
        Self { start, steps, groups, rows, columns, channels }
    }
}

/// A count that device memory bounds.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).expect("what fits in device memory is counted in 32 bits")
}

/// A job as it lies in the device's memory: `Job` of `shared/elements.wgsl`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Record {
    pub(super) shape: [u32; 4],
    pub(super) a: [u32; 4],
    pub(super) b: [u32; 4],
    pub(super) c: [u32; 4],
    pub(super) numbers: [[u32; 4]; 4],
}

/// A job with how far it reaches, in bytes of each memory from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ElementsJob {
    pub(super) record: Record,
    pub(super) reaches: Vec<(Memory, u64)>,
}

impl ElementsJob {
    /// `shape`: that of what is written.
    pub(super) fn new(shape: [u32; 4]) -> Self {
        let record = Record { shape, ..Record::default() };
        Self { record, reaches: Vec::new() }
    }

    pub(super) fn a(mut self, tensor: Tensor) -> Self {
        self.record.a = tensor.place();
        self.reaching(Memory::Values, tensor.end() * 64)
    }

    pub(super) fn b(mut self, tensor: Tensor) -> Self {
        self.record.b = tensor.place();
        self.reaching(Memory::Values, tensor.end() * 64)
    }

    pub(super) fn c(mut self, tensor: Tensor) -> Self {
        self.record.c = tensor.place();
        self.reaching(Memory::Values, tensor.end() * 64)
    }

    pub(super) fn numbers(mut self, at: usize, numbers: [u32; 4]) -> Self {
        self.record.numbers[at] = numbers;
        self
    }

    /// Says that some memory is used up to this byte.
    pub(super) fn reaching(mut self, memory: Memory, bytes: u64) -> Self {
        self.reaches.push((memory, bytes));
        self
    }

    /// How `kernel` cuts it.
    pub(super) fn tiles(&self, kernel: Kernel, elements: u32) -> Tiles {
        let Record { shape: [groups, rows, columns, channels], numbers, .. } = self.record;
        let count = match kernel {
            Kernel::ChannelSums => blocks(groups * rows * columns) * channels,
            Kernel::ReducePartials => channels.div_ceil(4),
            Kernel::SoftmaxCrossEntropy => groups,
            Kernel::Transpose | Kernel::TransposeInputs => groups * numbers[0][3],
            Kernel::TransposeWeights => {
                (groups * rows * columns * numbers[0][3]).div_ceil(4 * elements)
            }
            Kernel::OptimizerStep => numbers[0][2].div_ceil(4 * elements),
            _ => groups * (rows * columns * channels).div_ceil(elements),
        };
        let steps = match kernel {
            Kernel::Add => u64::from(elements) * u64::from(1 + numbers[0][1]),
            _ => elements.into(),
        };
        Tiles { count, steps, flops: 0.0 }
    }
}

/// Rows that `channel_sums` adds before they join the others.
const BLOCK_ROWS: u32 = 256;

/// Blocks of so many rows.
pub(super) fn blocks(rows: u32) -> u32 {
    rows.div_ceil(BLOCK_ROWS)
}
