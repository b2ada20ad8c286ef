//! Convolutions and dense layers: the host's side of `shaders/product.wgsl`, the twin of
//! [`Product`](crate::cpu).
//!
//! Both sum in one order and round each term once: the bits are the same wherever `fma` is fused,
//! and elsewhere each differs from the exact sum by at most twice as many roundings, 6e-8 of the
//! sum of the magnitudes each.

use super::job::KernelJob;
use super::record::{Record as _, device_record};
use super::tasks::{Tiles, reach, values_in};
use super::{Kernel, Memory, Variant, even_width};
use crate::gpu::Description;
use crate::gpu::shaders::Shader;

/// Images side by side; see [`crate::graph`].
pub const LANES: u32 = 16;
const _: () = assert!(LANES as usize == crate::graph::LANES);

static SHADER: Shader = Shader {
    name: "product",
    text: include_str!("../../../../shaders/product.wgsl"),
    shared: &[],
    constants: &[("THREADS", 64), ("PLACES", 4), ("FILTERS_4", 2)],
    job: ProductRecord::LAYOUT,
};

/// Convolutions and dense layers, forward, and the gradients of their inputs.
pub static PRODUCT: Kernel =
    Kernel { name: "product", shader: &SHADER, memories: &[Memory::Values, Memory::Weights] };

/// A product that gives the gradient of a dense layer's weights.
pub static DENSE_GRADIENT: Kernel = Kernel {
    name: "gradient of dense weights",
    shader: &SHADER,
    memories: &[Memory::Gradients, Memory::Columns],
};

/// Results that a thread holds in registers, for 4 images each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub places: u32,
    /// Filters, in fours.
    pub filters_4: u32,
    /// Threads of a workgroup.
    pub threads: u32,
}

impl Tile {
    /// What suits most adapters of a kind: a software adapter spends its time on reading, and
    /// reads least with large tiles; a GPU must hold them in registers.
    pub fn usual(adapter: &Description) -> Self {
        let [places, filters_4] = if adapter.is_software() { [8, 4] } else { [4, 2] };
        Self { places, filters_4, threads: 64 }
    }
}

/// What to compute; see the shader's formula. A "value" are the 16 images of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductJob {
    /// The first value read ...
    pub x: u32,
    /// ... and the first one written. What is written is read by no job of the same dispatch.
    pub out: u32,
    /// Where (taps, run, ceil(filters / 4)) vec4 of weights begin ...
    pub weights: u32,
    /// ... and the biases, likewise; none for 0.
    pub bias: Option<u32>,
    pub taps: u32,
    pub run: u32,
    /// Values from one run to the next.
    pub tap_step: u32,
    pub filters: u32,
    /// Places: groups, rows, columns ...
    pub places: [u32; 3],
    /// ... and the values from each to the next, to read ...
    pub x_steps: [u32; 3],
    /// ... and to write.
    pub out_steps: [u32; 3],
    /// Values from one filter to the next.
    pub out_filter: u32,
    /// Whether sums below 0 become 0.
    pub rectify: bool,
}

device_record! {
    /// As it lies in the device's memory: `Job` of the shader.
    pub struct ProductRecord {
        x: u32,
        out: u32,
        weights: u32,
        bias: u32,
        taps: u32,
        run: u32,
        tap_step: u32,
        filters: u32,
        columns: u32,
        positions: u32,
        places: u32,
        rectify: u32,
        x_group: u32,
        x_row: u32,
        x_column: u32,
        place_tiles: u32,
        out_group: u32,
        out_row: u32,
        out_column: u32,
        out_filter: u32,
    }
}

/// `NO_BIAS` of the shader.
const NO_BIAS: u32 = u32::MAX;

impl ProductJob {
    /// Asserts what the shader relies on: nothing lies outside the buffers, and nothing that is
    /// written is read.
    pub(super) fn check_within(&self, values: u64, weights: u64) {
        let along = |steps: [u32; 3]| [0, 1, 2].map(|axis| (self.places[axis], steps[axis]));
        let counts = [self.taps, self.run, self.filters];
        assert!(counts.iter().chain(&self.places).all(|count| *count > 0), "{self:?}");
        let [groups, rows, columns] = along(self.x_steps);
        let taps = [(self.taps, self.tap_step), (self.run, 1)];
        let read = reach(self.x, &[groups, rows, columns, taps[0], taps[1]]);
        let [groups, rows, columns] = along(self.out_steps);
        let written = reach(self.out, &[groups, rows, columns, (self.filters, self.out_filter)]);
        assert!(read.max(written) <= values, "{self:?} reaches beyond {values} values");
        let (x, out) = (u64::from(self.x), u64::from(self.out));
        assert!(written <= x || read <= out, "{self:?} reads what it writes");
        let row = u64::from(self.filters.div_ceil(4));
        let inner = u64::from(self.taps) * u64::from(self.run);
        let end = u64::from(self.weights) + inner * row;
        let bias_end = self.bias.map_or(0, |bias| u64::from(bias) + row);
        assert!(end.max(bias_end) <= weights, "{self:?} reaches beyond {weights} weights");
    }

    fn place_count(&self) -> u32 {
        self.places.iter().product()
    }
}

impl super::job::Tile for Tile {
    fn constants(self) -> Vec<(&'static str, u32)> {
        vec![("PLACES", self.places), ("FILTERS_4", self.filters_4), ("THREADS", self.threads)]
    }

    fn threads(self) -> u32 {
        self.threads
    }
}

impl KernelJob for ProductJob {
    type Record = ProductRecord;
    type Tile = Tile;

    fn check(&self, _: &Kernel, bytes: &[u64]) {
        self.check_within(values_in(bytes[0]), bytes[1] / 16);
    }

    fn tile(&self, variant: &Variant) -> Tile {
        let most = variant.product;
        Tile { filters_4: even_width(self.filters.div_ceil(4), most.filters_4), ..most }
    }

    fn record(&self, tile: Tile) -> ProductRecord {
        let [_, rows, columns] = self.places;
        let [x_group, x_row, x_column] = self.x_steps;
        let [out_group, out_row, out_column] = self.out_steps;
        ProductRecord {
            x: self.x,
            out: self.out,
            weights: self.weights,
            bias: self.bias.unwrap_or(NO_BIAS),
            taps: self.taps,
            run: self.run,
            tap_step: self.tap_step,
            filters: self.filters,
            columns,
            positions: rows * columns,
            places: self.place_count(),
            rectify: self.rectify.into(),
            x_group,
            x_row,
            x_column,
            place_tiles: self.place_count().div_ceil(tile.places),
            out_group,
            out_row,
            out_column,
            out_filter: self.out_filter,
        }
    }

    fn tiles(&self, tile: Tile) -> Tiles {
        let steps = u64::from(self.taps) * u64::from(self.run);
        let filter_tiles = self.filters.div_ceil(4 * tile.filters_4);
        let count = self.place_count().div_ceil(tile.places) * filter_tiles;
        Tiles { count, steps, flops: self.work() }
    }

    /// A multiplication and an addition each.
    fn work(&self) -> f64 {
        let results = f64::from(self.filters) * f64::from(self.place_count()) * f64::from(LANES);
        2.0 * f64::from(self.taps) * f64::from(self.run) * results
    }
}

/// Weights (inner, filters) in the shader's order: rows of whole fours, filled up with 0.
pub fn in_fours(weights: &[f32], filters: usize) -> Vec<f32> {
    let row = |row: &[f32]| {
        let mut row = row.to_vec();
        row.resize(filters.next_multiple_of(4), 0.0);
        row
    };
    weights.chunks(filters).flat_map(row).collect()
}
