//! A moment's look at whether an adapter computes what the CPU does, and how fast.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::time::Duration;

use base::error::Result;

use super::device::{Dispatch, Gpu};
use super::product::{ProductJob, ProductKernel, Tile, in_fours};
use crate::cpu::lanes::{LANES, Lanes, Level};
use crate::cpu::product::Product;

/// Inputs, units and groups of images of the dense layer that is tried: prime or nearly so, so that
/// tiles are cut off.
const INPUTS: usize = 515;
const UNITS: usize = 509;
const GROUPS: usize = 33;
/// What a timed submission lasts at least, once its work has been repeated often enough.
const TIMED_MIN: Duration = Duration::from_millis(100);

/// What the self-test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfTest {
    /// Results compared with the CPU's.
    pub compared: usize,
    /// How many of them differ in a bit.
    pub different: usize,
    /// The largest difference, as a multiple of what rounding may do to a sum of so many terms.
    pub error: f64,
    /// Whether `fma` rounds once, as on the CPU. Where it does, the bits are those of the CPU.
    pub is_fused: bool,
    /// Billions of floating-point operations a second, in 32 bits.
    pub gflops: f64,
}

impl SelfTest {
    /// Whether the adapter computes what it should.
    pub fn is_passed(&self) -> bool {
        self.error <= 1.0
    }
}

/// Runs one dense layer on the adapter and on the CPU. Errors: the adapter fails.
pub fn self_test(gpu: &Gpu, tile: Tile) -> Result<SelfTest> {
    let value = |seed: usize| move |at: usize| (at * seed % 4_093) as f32 / 2_046.0 - 1.0;
    let x: Vec<Lanes> = (0..GROUPS * INPUTS)
        .map(|at| Lanes(std::array::from_fn(|lane| value(1_031)(LANES * at + lane))))
        .collect();
    let weights: Vec<f32> = (0..INPUTS * UNITS).map(value(677)).collect();
    let mut all = x.clone();
    all.resize(x.len() + GROUPS * UNITS, Lanes([f32::NAN; LANES]));
    let values = gpu.upload("values", &all)?;
    let packed = gpu.upload("weights", &in_fours(&weights, UNITS))?;
    let kernel = ProductKernel::new(gpu, tile)?;
    let buffers = [&values, &packed];
    let jobs = kernel.plan(gpu, &[job()], buffers)?;
    let dispatch = || kernel.dispatch(&jobs, buffers);
    gpu.run(&[dispatch()])?;
    let start = (x.len() * size_of::<Lanes>()) as u64;
    let found: Vec<Lanes> = gpu.download(&values, start..values.bytes())?;
    let expected = on_the_cpu(&x, &weights);
    // Each side rounds once or twice a term, 6e-8 of a sum below INPUTS.
    let tolerance = INPUTS as f64 * INPUTS as f64 * 1.2e-7;
    let pairs = found.iter().zip(&expected).flat_map(|(f, e)| f.0.into_iter().zip(e.0));
    let (is_fused, gflops) = (is_fused(gpu, tile)?, rate(gpu, jobs.flops, dispatch)?);
    let mut result = SelfTest { compared: 0, different: 0, error: 0.0, is_fused, gflops };
    for (found, expected) in pairs {
        result.compared += 1;
        result.different += usize::from(found.to_bits() != expected.to_bits());
        let error = f64::from((found - expected).abs()) / tolerance;
        // What was never written is NaN.
        result.error = result.error.max(if error.is_nan() { f64::INFINITY } else { error });
    }
    Ok(result)
}

/// Whether `fma` rounds once: `(1 + e) (1 + e) - (1 + 2 e)` is `e^2` then, and else 0. Errors: the
/// adapter fails.
pub fn is_fused(gpu: &Gpu, tile: Tile) -> Result<bool> {
    let e = 1.0_f32 / 4_096.0;
    let mut numbers = vec![1.0 + e; LANES];
    numbers.resize(2 * LANES, f32::NAN);
    let values = gpu.upload("values", &numbers)?;
    let weights = gpu.upload("weights", &in_fours(&[1.0 + e, -1.0 - 2.0 * e], 1))?;
    let kernel = ProductKernel::new(gpu, tile)?;
    let one = [1, 1, 1];
    let product = ProductJob { out: 1, bias: Some(1), run: 1, filters: 1, places: one, ..job() };
    let jobs = kernel.plan(gpu, &[product], [&values, &weights])?;
    gpu.run(&[kernel.dispatch(&jobs, [&values, &weights])])?;
    let found: Vec<f32> = gpu.download(&values, values.bytes() / 2..values.bytes())?;
    Ok(found.iter().all(|sum| *sum == e * e))
}

fn job() -> ProductJob {
    let count = |count: usize| u32::try_from(count).expect("small");
    ProductJob {
        x: 0,
        out: count(GROUPS * INPUTS),
        weights: 0,
        bias: None,
        taps: 1,
        run: count(INPUTS),
        tap_step: 0,
        filters: count(UNITS),
        places: [count(GROUPS), 1, 1],
        x_steps: [count(INPUTS), 0, 0],
        out_steps: [count(UNITS), 0, 0],
        out_filter: 1,
        rectify: false,
    }
}

fn on_the_cpu(x: &[Lanes], weights: &[f32]) -> Vec<Lanes> {
    let mut out = vec![Lanes::ZERO; GROUPS * UNITS];
    let product = Product {
        x,
        from: &(0..GROUPS).map(|group| group * INPUTS).collect::<Vec<_>>(),
        taps: &[0],
        run: INPUTS,
        spans: &[],
        bias: &[],
        rectify: false,
        out: &mut out,
        to: &(0..GROUPS).map(|group| group * UNITS).collect::<Vec<_>>(),
        step: 1,
    };
    let weight = |_: usize, input: usize, unit: usize| weights[input * UNITS + unit];
    product.compute(Level::best(), UNITS, weight, &mut Vec::new());
    out
}

/// Billions of operations a second of a dispatch of `flops` operations, repeated in one submission
/// until that lasts a tenth of a second; the best of three. Errors: the adapter fails.
pub fn rate<'a>(gpu: &Gpu, flops: f64, dispatch: impl Fn() -> Dispatch<'a>) -> Result<f64> {
    let mut repeats = 1;
    loop {
        let dispatches: Vec<Dispatch<'_>> = (0..repeats).map(|_| dispatch()).collect();
        let mut best = gpu.time(&dispatches)?.best();
        if best >= TIMED_MIN || repeats >= 1 << 12 {
            for _ in 0..2 {
                best = best.min(gpu.time(&dispatches)?.best());
            }
            return Ok(flops * f64::from(repeats) / best.as_secs_f64() / 1e9);
        }
        repeats *= 2;
    }
}
