//! Weight gradients of convolutions: the host's side of `shaders/correlation.wgsl`, the twin of
//! [`Correlation`](crate::cpu).
//!
//! Both sum in one order and round each term once: the bits are the same wherever `fma` is fused,
//! and elsewhere each differs from the exact sum by at most twice as many roundings, 6e-8 of the
//! sum of the magnitudes each.

use super::job::KernelJob;
use super::product::LANES;
use super::record::{Record as _, device_record};
use super::tasks::{Tiles, reach, values_in};
use super::{Kernel, Memory, Variant, even_width};
use crate::gpu::Description;
use crate::gpu::shaders::Shader;

static SHADER: Shader = Shader {
    name: "correlation",
    text: include_str!("../../../../shaders/correlation.wgsl"),
    shared: &[],
    constants: &[("THREADS", 64), ("OFFSETS_4", 2), ("FILTERS", 4)],
    job: CorrelationRecord::LAYOUT,
};

/// The gradients of convolutions' weights.
pub static CORRELATION: Kernel =
    Kernel { name: "correlation", shader: &SHADER, memories: &[Memory::Values, Memory::Gradients] };

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

device_record! {
    /// As it lies in the device's memory: `Job` of the shader.
    pub struct CorrelationRecord {
        x: u32,
        d_output: u32,
        sums: u32,
        stride: u32,
        offsets: u32,
        run: u32,
        tap_step: u32,
        filters: u32,
        groups: u32,
        rows: u32,
        columns: u32,
        filter_tiles: u32,
        x_group: u32,
        x_row: u32,
        x_column: u32,
        reserved_0: u32,
        d_group: u32,
        d_row: u32,
        d_column: u32,
        reserved_1: u32,
    }
}

impl CorrelationJob {
    pub(super) fn offsets(&self) -> u32 {
        self.taps * self.run
    }

    fn place_count(&self) -> u32 {
        self.places.iter().product()
    }

    /// Asserts what the shader relies on: nothing lies outside the buffers.
    pub(super) fn check_within(&self, values: u64, sums: u64) {
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
}

impl super::job::Tile for Tile {
    fn constants(self) -> Vec<(&'static str, u32)> {
        vec![("OFFSETS_4", self.offsets_4), ("FILTERS", self.filters), ("THREADS", self.threads)]
    }

    fn threads(self) -> u32 {
        self.threads
    }
}

impl KernelJob for CorrelationJob {
    type Record = CorrelationRecord;
    type Tile = Tile;

    fn check(&self, _: &Kernel, bytes: &[u64]) {
        self.check_within(values_in(bytes[0]), bytes[1] / 4);
    }

    fn tile(&self, variant: &Variant) -> Tile {
        let most = variant.correlation;
        Tile {
            offsets_4: even_width(self.offsets().div_ceil(4), most.offsets_4),
            filters: even_width(self.filters, most.filters),
            ..most
        }
    }

    fn record(&self, tile: Tile) -> CorrelationRecord {
        let [groups, rows, columns] = self.places;
        let [x_group, x_row, x_column] = self.x_steps;
        let [d_group, d_row, d_column] = self.d_steps;
        CorrelationRecord {
            x: self.x,
            d_output: self.d_output,
            sums: self.sums,
            stride: self.stride,
            offsets: self.offsets(),
            run: self.run,
            tap_step: self.tap_step,
            filters: self.filters,
            groups,
            rows,
            columns,
            filter_tiles: self.filter_tiles(tile),
            x_group,
            x_row,
            x_column,
            reserved_0: 0,
            d_group,
            d_row,
            d_column,
            reserved_1: 0,
        }
    }

    fn tiles(&self, tile: Tile) -> Tiles {
        Tiles {
            count: self.offsets().div_ceil(4 * tile.offsets_4) * self.filter_tiles(tile),
            steps: self.place_count().into(),
            flops: self.work(),
        }
    }

    /// A multiplication and an addition each.
    fn work(&self) -> f64 {
        let products = f64::from(self.offsets()) * f64::from(self.filters);
        2.0 * products * f64::from(self.place_count()) * f64::from(LANES)
    }
}
