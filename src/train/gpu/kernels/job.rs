//! What a job of a kernel is: its record, what it touches, and how it is cut into tiles.

use std::fmt::Debug;

use super::record::Record;
use super::tasks::Tiles;
use super::{Kernel, Variant};

/// Constants of a shader, with other values.
pub(crate) type Constants = Vec<(&'static str, u32)>;

/// How much a task does at once. It changes no bit of any result.
pub trait Tile: Copy {
    /// What the shader is compiled with.
    fn constants(self) -> Vec<(&'static str, u32)>;

    /// Threads of a workgroup.
    fn threads(self) -> u32;
}

/// What one layer of one network asks of a kernel.
pub trait KernelJob: Debug + 'static {
    /// As it lies in the device's memory: `Job` of the shader.
    type Record: Record;
    type Tile: Tile;

    /// Asserts what the shader relies on: nothing lies outside the memories. `bytes`: theirs, in
    /// the order in which they are bound.
    fn check(&self, kernel: &Kernel, bytes: &[u64]);

    /// The tile that suits it, of at most those of a variant.
    fn tile(&self, variant: &Variant) -> Self::Tile;

    fn record(&self, tile: Self::Tile) -> Self::Record;

    fn tiles(&self, tile: Self::Tile) -> Tiles;

    /// Floating-point operations of sums of products, else values.
    fn work(&self) -> f64;
}

/// A job of any kernel.
pub(crate) trait AnyJob: Debug {
    fn check(&self, kernel: &Kernel, bytes: &[u64]);

    /// What the shader is compiled with for it, and the threads of a workgroup.
    fn constants(&self, variant: &Variant) -> (Constants, u32);

    /// Appends its record, and says how it is cut.
    fn list(&self, variant: &Variant, records: &mut Vec<u8>) -> Tiles;

    fn work(&self) -> f64;
}

impl<J: KernelJob> AnyJob for J {
    fn check(&self, kernel: &Kernel, bytes: &[u64]) {
        assert_eq!(J::Record::LAYOUT, kernel.shader.job, "{}: {self:?}", kernel.name);
        KernelJob::check(self, kernel, bytes);
    }

    fn constants(&self, variant: &Variant) -> (Constants, u32) {
        let tile = self.tile(variant);
        (tile.constants(), tile.threads())
    }

    fn list(&self, variant: &Variant, records: &mut Vec<u8>) -> Tiles {
        let tile = self.tile(variant);
        records.extend(bytemuck::bytes_of(&self.record(tile)));
        self.tiles(tile)
    }

    fn work(&self) -> f64 {
        KernelJob::work(self)
    }
}
