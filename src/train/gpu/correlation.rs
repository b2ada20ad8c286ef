//! Weight gradients of convolutions: the host's side of `shaders/correlation.wgsl`, the twin of
//! [`Correlation`](crate::cpu).
//!
//! Both sum in one order and round each term once: the bits are the same wherever `fma` is fused,
//! and elsewhere each differs from the exact sum by at most twice as many roundings, 6e-8 of the
//! sum of the magnitudes each.

use base::error::Result;
use bytemuck::{Pod, Zeroable};

use super::adapter::Description;
use super::device::{Buffer, Dispatch, Gpu, Pipeline};
use super::product::LANES;
use super::shaders;
use super::tasks::{Jobs, Tiles, reach};

/// Results that a thread holds in registers, for 4 images each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Offsets, in fours.
    pub offsets_4: u32,
    pub filters: u32,
    /// Threads of a workgroup.
    pub threads: u32,
}

impl Tile {
    /// What suits most adapters of a kind; see [`super::product::Tile::usual`].
    pub fn usual(adapter: &Description) -> Self {
        let [offsets_4, filters] = if adapter.is_software() { [4, 8] } else { [2, 4] };
        Self { offsets_4, filters, threads: 32 }
    }
}

/// What to compute; see the shader's formula. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrelationJob {
    /// The first value of the input ...
    pub x: u32,
    /// ... and of the output's gradient, whose filters lie side by side.
    pub d_output: u32,
    /// The first sum, and how far those of the next offset are.
    pub sums: u32,
    pub stride: u32,
    pub taps: u32,
    pub run: u32,
    /// Values from one run to the next.
    pub tap_step: u32,
    pub filters: u32,
    /// Places: groups, rows, columns ...
    pub places: [u32; 3],
    /// ... and the values from each to the next in the input ...
    pub x_steps: [u32; 3],
    /// ... and in the gradient.
    pub d_steps: [u32; 3],
}

/// As it lies in the device's memory: `Job` of the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Record {
    x: u32,
    d_output: u32,
    sums: u32,
    stride: u32,
    offsets: u32,
    run: u32,
    tap_step: u32,
    filters: u32,
    places: [u32; 3],
    filter_tiles: u32,
    x_steps: [u32; 3],
    reserved_0: u32,
    d_steps: [u32; 3],
    reserved_1: u32,
}

impl CorrelationJob {
    pub(super) fn offsets(&self) -> u32 {
        self.taps * self.run
    }

    fn place_count(&self) -> u32 {
        self.places.iter().product()
    }

    /// Asserts what the shader relies on: nothing lies outside the buffers.
    pub(super) fn check(&self, values: u64, sums: u64) {
        let counts = [self.taps, self.run, self.filters];
        assert!(counts.iter().chain(&self.places).all(|count| *count > 0), "{self:?}");
        assert!(self.filters <= self.stride, "{self:?}: rows of sums overlap");
        let along = |steps: [u32; 3]| [0, 1, 2].map(|axis| (self.places[axis], steps[axis]));
        let [groups, rows, columns] = along(self.x_steps);
        let taps = [(self.taps, self.tap_step), (self.run, 1)];
        let x = reach(self.x, &[groups, rows, columns, taps[0], taps[1]]);
        let [groups, rows, columns] = along(self.d_steps);
        let d_output = reach(self.d_output, &[groups, rows, columns, (self.filters, 1)]);
        assert!(x.max(d_output) <= values, "{self:?} reaches beyond {values} values");
        let end = reach(self.sums, &[(self.offsets(), self.stride), (self.filters, 1)]);
        assert!(end <= sums, "{self:?} reaches beyond {sums} sums");
    }

    fn filter_tiles(&self, tile: Tile) -> u32 {
        self.filters.div_ceil(tile.filters)
    }

    fn record(&self, tile: Tile) -> Record {
        Record {
            x: self.x,
            d_output: self.d_output,
            sums: self.sums,
            stride: self.stride,
            offsets: self.offsets(),
            run: self.run,
            tap_step: self.tap_step,
            filters: self.filters,
            places: self.places,
            filter_tiles: self.filter_tiles(tile),
            x_steps: self.x_steps,
            reserved_0: 0,
            d_steps: self.d_steps,
            reserved_1: 0,
        }
    }

    /// A multiplication and an addition each.
    pub(super) fn flops(&self) -> f64 {
        let products = f64::from(self.offsets()) * f64::from(self.filters);
        2.0 * products * f64::from(self.place_count()) * f64::from(LANES)
    }

    fn tiles(&self, tile: Tile) -> Tiles {
        Tiles {
            count: self.offsets().div_ceil(4 * tile.offsets_4) * self.filter_tiles(tile),
            steps: self.place_count().into(),
            flops: self.flops(),
        }
    }
}

/// The shader, compiled with one size of tiles.
#[derive(Debug)]
pub struct CorrelationKernel {
    pipeline: Pipeline,
    tile: Tile,
}

impl CorrelationKernel {
    pub fn new(gpu: &Gpu, tile: Tile) -> Result<Self> {
        let constants =
            [("OFFSETS_4", tile.offsets_4), ("FILTERS", tile.filters), ("THREADS", tile.threads)];
        let pipeline = gpu.pipeline(&shaders::CORRELATION, &constants)?;
        Ok(Self { pipeline, tile })
    }

    /// Lists the tiles of `jobs`, which work on these buffers: values, and sums.
    pub fn plan(
        &self,
        gpu: &Gpu,
        jobs: &[CorrelationJob],
        [values, sums]: [&Buffer; 2],
    ) -> Result<Jobs> {
        let bytes = u64::from(LANES) * 4;
        // The shader counts in quarters of values.
        let values = (values.bytes() / bytes).min(u64::from(u32::MAX / 4));
        for job in jobs {
            job.check(values, sums.bytes() / 4);
        }
        let records: Vec<Record> = jobs.iter().map(|job| job.record(self.tile)).collect();
        let tiles: Vec<Tiles> = jobs.iter().map(|job| job.tiles(self.tile)).collect();
        Jobs::upload(gpu, &records, &tiles, self.tile.threads)
    }

    /// Computes what was planned for these buffers.
    pub fn dispatch<'a>(&'a self, jobs: &'a Jobs, [values, sums]: [&'a Buffer; 2]) -> Dispatch<'a> {
        Dispatch {
            pipeline: &self.pipeline,
            buffers: vec![&jobs.tasks, &jobs.records, values, sums],
            workgroups: jobs.workgroups,
        }
    }
}
