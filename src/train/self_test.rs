//! A moment's look at whether an adapter computes what the CPU does, and how fast.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use base::error::Result;

use crate::cpu::lanes::{LANES, Lanes, Level};
use crate::cpu::product::Product;
use crate::gpu::Gpu;
use crate::gpu::kernels::Compiled;
use crate::gpu::kernels::product::{PRODUCT, ProductJob, Tile, in_fours};
use crate::gpu::probe::{is_fused, rate};

/// Inputs, units and groups of images of the dense layer that is tried: prime or nearly so, so that
/// tiles are cut off.
const INPUTS: usize = 515;
const UNITS: usize = 509;
const GROUPS: usize = 33;

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

/// Runs one dense layer on the adapter and on the CPU.
///
/// # Errors
///
/// The adapter fails.
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
    let kernel = Compiled::new(gpu, &PRODUCT, tile)?;
    let buffers = [&values, &packed];
    let jobs = kernel.plan(gpu, &[job()], &buffers)?;
    let dispatch = || kernel.dispatch(&jobs, &buffers);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::kernels::twin;

    #[test]
    fn the_self_test_passes() {
        let Some(gpu) = twin::gpu() else { return };
        let result = self_test(&gpu, Tile { places: 4, filters_4: 2, threads: 64 }).unwrap();
        assert!(result.is_passed() && result.gflops > 0.0, "{result:?}");
        assert_eq!(result.compared, 509 * 33 * 16);
    }
}
