//! Rates of the GPU's kernels: `cargo bench --bench gpu_kernels [-- WORD]`, on the adapter that
//! `curvebook train --device gpu` would take, and that the first line names. Prints billions of
//! floating-point operations a second (a multiplication and an addition are two) of each kernel on
//! each shape for each size of tiles, the best of three submissions of at least 0.1 s by the
//! device's clock; WORD picks those whose line has it in it. Results are the same bits for all
//! tiles, and the hash at the end of a line shows it. Without `--bench`, as `cargo test` runs it,
//! one small tile only shows that it works; without an adapter it says so.

use curvebook::base::error::Result;
use curvebook::train::gpu::correlation::{self, CORRELATION, CorrelationJob};
use curvebook::train::gpu::device::Dispatch;
use curvebook::train::gpu::probe::rate;
use curvebook::train::gpu::product::{self, LANES, PRODUCT, ProductJob};
use curvebook::train::gpu::tasks::Jobs;
use curvebook::train::gpu::{Adapter, Buffer, Compiled, Gpu, Wanted};
use sha2::{Digest, Sha256};

/// A convolution with `same` padding and stride 1; a dense layer is one of a single place.
struct Shape {
    name: &'static str,
    images: u32,
    size: u32,
    channels: u32,
    filters: u32,
    kernel: u32,
}

const SHAPES: [Shape; 4] = [
    Shape::new("dense 512 -> 512", [512, 1, 512, 512, 1]),
    Shape::new("conv 14x14x16 -> 32, 5x5", [128, 14, 16, 32, 5]),
    Shape::new("conv 28x28x1 -> 6, 5x5", [128, 28, 1, 6, 5]),
    Shape::new("conv 8x8x8 -> 16, 3x3", [128, 8, 8, 16, 3]),
];

/// Places, filters in fours, threads a workgroup.
const PRODUCT_TILES: [[u32; 3]; 16] = [
    [1, 1, 64],
    [2, 1, 64],
    [4, 1, 64],
    [2, 2, 64],
    [4, 2, 16],
    [4, 2, 64],
    [4, 2, 256],
    [6, 2, 64],
    [8, 2, 64],
    [4, 4, 64],
    [6, 4, 64],
    [8, 4, 16],
    [8, 4, 64],
    [12, 4, 64],
    [16, 4, 64],
    [8, 8, 64],
];

/// Offsets in fours, filters, threads a workgroup.
const CORRELATION_TILES: [[u32; 3]; 12] = [
    [1, 1, 64],
    [1, 4, 64],
    [2, 2, 64],
    [2, 4, 16],
    [2, 4, 32],
    [2, 4, 64],
    [1, 8, 32],
    [2, 8, 32],
    [4, 4, 32],
    [4, 8, 16],
    [4, 8, 32],
    [4, 16, 32],
];

impl Shape {
    const fn new(name: &'static str, sizes: [u32; 5]) -> Self {
        let [images, size, channels, filters, kernel] = sizes;
        Self { name, images, size, channels, filters, kernel }
    }

    fn framed(&self) -> u32 {
        let side = self.size + self.kernel - 1;
        side * side * self.channels
    }

    fn groups(&self) -> u32 {
        self.images / LANES
    }

    fn places(&self) -> [u32; 3] {
        [self.groups(), self.size, self.size]
    }

    fn steps(&self) -> [u32; 3] {
        [self.framed(), (self.size + self.kernel - 1) * self.channels, self.channels]
    }

    fn outputs(&self) -> u32 {
        self.size * self.size * self.filters
    }

    fn inner(&self) -> u32 {
        self.kernel * self.kernel * self.channels
    }

    /// Where the output begins.
    fn out(&self) -> u32 {
        self.groups() * self.framed()
    }

    fn product(&self) -> ProductJob {
        ProductJob {
            x: 0,
            out: self.out(),
            weights: 0,
            bias: Some(self.inner() * self.filters.div_ceil(4)),
            taps: self.kernel,
            run: self.kernel * self.channels,
            tap_step: self.steps()[1],
            filters: self.filters,
            places: self.places(),
            x_steps: self.steps(),
            out_steps: [self.outputs(), self.size * self.filters, self.filters],
            out_filter: 1,
            rectify: true,
        }
    }

    /// A job a group, as small batches of large images are cut.
    fn correlations(&self) -> Vec<CorrelationJob> {
        (0..self.groups()).map(|group| self.correlation(group)).collect()
    }

    fn correlation(&self, group: u32) -> CorrelationJob {
        CorrelationJob {
            x: group * self.framed(),
            d_output: self.out() + group * self.outputs(),
            sums: group * self.inner() * self.filters,
            stride: self.filters,
            taps: self.kernel,
            run: self.kernel * self.channels,
            tap_step: self.steps()[1],
            filters: self.filters,
            places: [1, self.size, self.size],
            x_steps: self.steps(),
            d_steps: [self.outputs(), self.size * self.filters, self.filters],
        }
    }
}

/// Numbers between -1 and 1, the same every time.
fn numbers(count: u32) -> Vec<f32> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        f32::from((state >> 16) as u16) / 32_768.0 - 1.0
    };
    (0..count).map(next).collect()
}

fn hash(gpu: &Gpu, buffer: &Buffer, first: u64) -> Result<String> {
    let bytes: Vec<u8> = gpu.download(buffer, first..buffer.bytes())?;
    let hash = Sha256::digest(&bytes);
    Ok(format!("{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2]))
}

/// What is measured, and how much of it.
struct Bench<'a> {
    gpu: &'a Gpu,
    wanted: &'a str,
    is_timed: bool,
}

impl Bench<'_> {
    fn shape(&self, shape: &Shape) -> Result<()> {
        let values = numbers((shape.out() + shape.groups() * shape.outputs()) * LANES);
        let values = self.gpu.upload("values", &values)?;
        // Weight gradients of dense layers are products.
        if shape.size > 1 {
            self.correlations(shape, &values)?;
        }
        self.products(shape, &values)
    }

    fn correlations(&self, shape: &Shape, values: &Buffer) -> Result<()> {
        let sums = u64::from(shape.inner() * shape.filters * shape.groups()) * 4;
        let (gpu, sums) = (self.gpu, self.gpu.allocate("sums", sums)?);
        let buffers = [values, &sums];
        for [offsets_4, filters, threads] in self.tiles(&CORRELATION_TILES) {
            let tile = format!("{offsets_4} x 4 offsets x {filters} filters, {threads} threads");
            let line = format!("correlation, {}: {tile}", shape.name);
            if line.contains(self.wanted) {
                let tile = correlation::Tile { offsets_4, filters, threads };
                let kernel = Compiled::new(gpu, &CORRELATION, tile)?;
                let jobs = kernel.plan(gpu, &shape.correlations(), &buffers)?;
                self.kernel(&line, &jobs, || kernel.dispatch(&jobs, &buffers))?;
                println!("{}", hash(gpu, &sums, 0)?);
            }
        }
        Ok(())
    }

    fn products(&self, shape: &Shape, values: &Buffer) -> Result<()> {
        let weights = (shape.inner() + 1) * shape.filters.next_multiple_of(4);
        let (gpu, weights) = (self.gpu, self.gpu.upload("weights", &numbers(weights))?);
        let buffers = [values, &weights];
        for [places, filters_4, threads] in self.tiles(&PRODUCT_TILES) {
            let tile = format!("{places} places x {filters_4} x 4 filters, {threads} threads");
            let line = format!("product, {}: {tile}", shape.name);
            if line.contains(self.wanted) {
                let tile = product::Tile { places, filters_4, threads };
                let kernel = Compiled::new(gpu, &PRODUCT, tile)?;
                let jobs = kernel.plan(gpu, &[shape.product()], &buffers)?;
                self.kernel(&line, &jobs, || kernel.dispatch(&jobs, &buffers))?;
                println!("{}", hash(gpu, values, u64::from(shape.out() * LANES * 4))?);
            }
        }
        Ok(())
    }

    fn tiles<'a>(&self, all: &'a [[u32; 3]]) -> impl Iterator<Item = [u32; 3]> + 'a {
        all.iter().copied().take(if self.is_timed { all.len() } else { 1 })
    }

    /// Begins a line.
    fn kernel<'a>(
        &self,
        line: &str,
        jobs: &Jobs,
        dispatch: impl Fn() -> Dispatch<'a>,
    ) -> Result<()> {
        self.gpu.run(&[dispatch()])?;
        let rate = if self.is_timed { rate(self.gpu, jobs.flops, dispatch)? } else { 0.0 };
        print!("{line:<80} {rate:9.2} GFLOP/s  ");
        Ok(())
    }
}

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_bench = words.iter().any(|word| word == "--bench");
    words.retain(|word| !word.starts_with("--"));
    let wanted = words.first().filter(|_| is_bench).map_or("", String::as_str);
    let adapter = match Adapter::choose(Wanted::Gpu) {
        Ok(Some(adapter)) => adapter,
        Err(e) if is_bench || curvebook::train::gpu::adapter::is_required() => return Err(e),
        _ => {
            println!("skipped: this machine has no adapter");
            return Ok(());
        }
    };
    println!("{}", adapter.description().line());
    let gpu = Gpu::open(&adapter)?;
    let bench = Bench { gpu: &gpu, wanted, is_timed: is_bench };
    // The last shape is the smallest.
    let first = if is_bench { 0 } else { SHAPES.len() - 1 };
    SHAPES[first..].iter().try_for_each(|shape| bench.shape(shape))
}
