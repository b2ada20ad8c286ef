//! Rates of the GPU's kernels: `cargo bench --bench gpu_kernels [-- WORD]`, on the adapter that
//! `curvebook train --device gpu` would take, and that the first line names. Prints billions of
//! floating-point operations a second (a multiplication and an addition are two) of each kernel on
//! each shape for each size of tiles, the best of three submissions of at least 0.1 s by the
//! device's clock; WORD picks those whose line has it in it. Results are the same bits for all
//! tiles, and the hash at the end of a line shows it. Without `--bench`, as `cargo test` runs it,
//! one small tile only shows that it works; without an adapter it says so.

use curvebook::error::Result;
use curvebook::trainer::gpu::correlation::{self, CorrelationJob, CorrelationKernel};
use curvebook::trainer::gpu::product::{self, LANES, ProductJob, ProductKernel};
use curvebook::trainer::gpu::self_test::rate;
use curvebook::trainer::gpu::{Adapter, Buffer, Gpu, Wanted};
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
    Shape {
        name: "dense 512 -> 512",
        images: 512,
        size: 1,
        channels: 512,
        filters: 512,
        kernel: 1,
    },
    Shape {
        name: "conv 14x14x16 -> 32, 5x5",
        images: 128,
        size: 14,
        channels: 16,
        filters: 32,
        kernel: 5,
    },
    Shape {
        name: "conv 8x8x8 -> 16, 3x3",
        images: 128,
        size: 8,
        channels: 8,
        filters: 16,
        kernel: 3,
    },
    Shape {
        name: "conv 28x28x1 -> 6, 5x5",
        images: 128,
        size: 28,
        channels: 1,
        filters: 6,
        kernel: 5,
    },
];

/// Places, filters in fours, threads a workgroup.
const PRODUCT_TILES: [[u32; 3]; 12] = [
    [1, 1, 64],
    [2, 1, 64],
    [4, 1, 64],
    [2, 2, 64],
    [4, 2, 16],
    [4, 2, 64],
    [4, 2, 128],
    [6, 2, 64],
    [8, 1, 64],
    [8, 2, 64],
    [4, 4, 64],
    [8, 4, 64],
];

/// Offsets in fours, filters, threads a workgroup.
const CORRELATION_TILES: [[u32; 3]; 8] = [
    [1, 1, 64],
    [1, 4, 64],
    [2, 4, 16],
    [2, 4, 64],
    [2, 8, 64],
    [4, 4, 64],
    [1, 8, 64],
    [4, 8, 32],
];

impl Shape {
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

    fn correlation(&self) -> CorrelationJob {
        CorrelationJob {
            x: 0,
            d_output: self.out(),
            sums: 0,
            stride: self.filters,
            taps: self.kernel,
            run: self.kernel * self.channels,
            tap_step: self.steps()[1],
            filters: self.filters,
            places: self.places(),
            x_steps: self.steps(),
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

fn measure(gpu: &Gpu, shape: &Shape, wanted: &str, is_bench: bool) -> Result<()> {
    let values =
        gpu.upload("values", &numbers((shape.out() + shape.groups() * shape.outputs()) * LANES))?;
    let weights =
        gpu.upload("weights", &numbers((shape.inner() + 1) * shape.filters.next_multiple_of(4)))?;
    let sums = gpu.allocate("sums", u64::from(shape.inner() * shape.filters) * 4)?;
    let at_most = if is_bench { usize::MAX } else { 1 };
    for [offsets_4, filters, threads] in CORRELATION_TILES.into_iter().take(at_most) {
        let line = format!(
            "correlation {}: {offsets_4} x 4 offsets, {filters} filters, {threads} threads",
            shape.name
        );
        if !line.contains(wanted) {
            continue;
        }
        let kernel =
            CorrelationKernel::new(gpu, correlation::Tile { offsets_4, filters, threads })?;
        let jobs = kernel.plan(gpu, &[shape.correlation()], [&values, &sums])?;
        gpu.run(&[kernel.dispatch(&jobs, [&values, &sums])])?;
        let rate = if is_bench {
            rate(gpu, jobs.flops, || kernel.dispatch(&jobs, [&values, &sums]))?
        } else {
            0.0
        };
        println!("{line:<80} {rate:9.2} GFLOP/s  {}", hash(gpu, &sums, 0)?);
    }
    for [places, filters_4, threads] in PRODUCT_TILES.into_iter().take(at_most) {
        let line = format!(
            "product {}: {places} places, {filters_4} x 4 filters, {threads} threads",
            shape.name
        );
        if !line.contains(wanted) {
            continue;
        }
        let kernel = ProductKernel::new(gpu, product::Tile { places, filters_4, threads })?;
        let jobs = kernel.plan(gpu, &[shape.product()], [&values, &weights])?;
        gpu.run(&[kernel.dispatch(&jobs, [&values, &weights])])?;
        let rate = if is_bench {
            rate(gpu, jobs.flops, || kernel.dispatch(&jobs, [&values, &weights]))?
        } else {
            0.0
        };
        let out = u64::from(shape.out() * LANES * 4);
        println!("{line:<80} {rate:9.2} GFLOP/s  {}", hash(gpu, &values, out)?);
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_bench = words.iter().any(|word| word == "--bench");
    words.retain(|word| !word.starts_with("--"));
    let wanted = words.first().filter(|_| is_bench).map_or("", String::as_str);
    let adapter = match Adapter::choose(Wanted::Gpu) {
        Ok(Some(adapter)) => adapter,
        Err(e) if is_bench || curvebook::trainer::gpu::adapter::is_required() => return Err(e),
        _ => {
            println!("skipped: this machine has no adapter");
            return Ok(());
        }
    };
    println!("{}", adapter.description().line());
    let gpu = Gpu::open(&adapter)?;
    for shape in SHAPES.iter().take(if is_bench { SHAPES.len() } else { 1 }) {
        measure(&gpu, shape, wanted, is_bench)?;
    }
    Ok(())
}
