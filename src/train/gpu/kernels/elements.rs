//! Jobs of the kernels that work on values one by one, and of those that move numbers about: all
//! whose shader has `shared/elements.wgsl` in it.

use super::job::{KernelJob, Tile};
use super::memory::Memory;
use super::record::Record;
use super::tasks::Tiles;
use super::tensor::Tensor;
use super::{Kernel, Variant};

/// The record of such a job.
pub(crate) trait ElementsRecord: Record {
    /// How it is cut.
    fn cut(&self) -> Cut;

    /// Steps of a task's loop, of so many values each.
    fn steps(&self, elements: u32) -> u64 {
        elements.into()
    }
}

/// How a job falls into tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The values of each group, ELEMENTS a task.
    Values { groups: u32, each: u32 },
    /// Always so many tasks.
    Tasks(u32),
}

impl Cut {
    /// By the groups, rows, columns and channels of what is written.
    pub(crate) fn by_shape([groups, rows, columns, channels]: [u32; 4]) -> Self {
        Self::Values { groups, each: rows * columns * channels }
    }

    /// A list of vec4s, of which each of a task's four threads takes every fourth.
    pub(crate) fn fours(count: u32) -> Self {
        Self::Values { groups: 1, each: count.div_ceil(4) }
    }
}

/// A job with how far it reaches, in bytes of each memory from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ElementsJob<R> {
    pub(crate) record: R,
    reaches: Vec<(Memory, u64)>,
}

impl<R: ElementsRecord> ElementsJob<R> {
    pub(crate) fn new(record: R) -> Self {
        Self { record, reaches: Vec::new() }
    }

    /// Says that tensors are read or written.
    pub(crate) fn on(mut self, tensors: impl IntoIterator<Item = Tensor>) -> Self {
        let reach = |tensor: Tensor| (Memory::Values, tensor.end() * 64);
        self.reaches.extend(tensors.into_iter().map(reach));
        self
    }

    /// Says that some memory is used up to this byte.
    pub(crate) fn reaching(mut self, memory: Memory, bytes: u64) -> Self {
        self.reaches.push((memory, bytes));
        self
    }
}

/// Values a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elements(pub(crate) u32);

impl Tile for Elements {
    fn constants(self) -> Vec<(&'static str, u32)> {
        vec![("ELEMENTS", self.0), ("THREADS", self.threads())]
    }

    fn threads(self) -> u32 {
        64
    }
}

impl<R: ElementsRecord + std::fmt::Debug + 'static> KernelJob for ElementsJob<R> {
    type Record = R;
    type Tile = Elements;

    fn check(&self, kernel: &Kernel, bytes: &[u64]) {
        for (memory, reach) in &self.reaches {
            let at = kernel.memories.iter().position(|known| known == memory);
            let at = at.unwrap_or_else(|| panic!("{} knows no {memory:?}", kernel.name));
            assert!(*reach <= bytes[at], "{}: {self:?} reaches beyond {memory:?}", kernel.name);
        }
    }

    fn tile(&self, variant: &Variant) -> Elements {
        Elements(variant.elements)
    }

    fn record(&self, _: Elements) -> R {
        self.record
    }

    fn tiles(&self, Elements(elements): Elements) -> Tiles {
        let count = match self.record.cut() {
            Cut::Values { groups, each } => groups * each.div_ceil(elements),
            Cut::Tasks(count) => count,
        };
        Tiles { count, steps: self.record.steps(elements), flops: 0.0 }
    }

    fn work(&self) -> f64 {
        match self.record.cut() {
            Cut::Values { groups, each } => f64::from(groups) * f64::from(each),
            Cut::Tasks(count) => count.into(),
        }
    }
}
