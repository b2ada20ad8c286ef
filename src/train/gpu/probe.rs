//! What an adapter's arithmetic is like: whether `fma` rounds once, and how fast it is.

use std::time::Duration;

use base::error::Result;

use super::device::{Dispatch, Gpu};
use super::kernels::Compiled;
use super::kernels::product::{PRODUCT, ProductJob, Tile, in_fours};
use crate::graph::LANES;

/// What a timed submission lasts at least, once its work has been repeated often enough.
const TIMED_MIN: Duration = Duration::from_millis(100);

/// Whether `fma` rounds once: `(1 + e) (1 + e) - (1 + 2 e)` is `e^2` then, and else 0.
///
/// # Errors
///
/// The adapter fails.
pub fn is_fused(gpu: &Gpu, tile: Tile) -> Result<bool> {
    let e = 1.0_f32 / 4_096.0;
    let mut numbers = vec![1.0 + e; LANES];
    numbers.resize(2 * LANES, f32::NAN);
    let values = gpu.upload("values", &numbers)?;
    let weights = gpu.upload("weights", &in_fours(&[1.0 + e, -1.0 - 2.0 * e], 1))?;
    let kernel = Compiled::new(gpu, &PRODUCT, tile)?;
    let product = ProductJob {
        x: 0,
        out: 1,
        weights: 0,
        bias: Some(1),
        taps: 1,
        run: 1,
        tap_step: 0,
        filters: 1,
        places: [1; 3],
        x_steps: [0; 3],
        out_steps: [0; 3],
        out_filter: 1,
        rectify: false,
    };
    let jobs = kernel.plan(gpu, &[product], &[&values, &weights])?;
    gpu.run(&[kernel.dispatch(&jobs, &[&values, &weights])])?;
    let found: Vec<f32> = gpu.download(&values, values.bytes() / 2..values.bytes())?;
    Ok(found.iter().all(|sum| *sum == e * e))
}

/// Billions of operations a second of a dispatch of `flops` operations, repeated in one submission
/// until that lasts a tenth of a second; the best of three.
///
/// # Errors
///
/// The adapter fails.
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
