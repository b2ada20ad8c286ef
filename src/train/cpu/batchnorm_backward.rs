//! Batch normalisation, backward. With n rows, `normal = (input - mean) x spread` and the batch's
//! mean and spread = 1 / sqrt(variance + epsilon):
//!
//! `d_shift = sum d_output`, `d_scale = sum d_output x normal`,
//! `d_input = scale x spread x (d_output - d_shift / n - normal x d_scale / n)`.
//!
//! Tolerance: `scale x spread x (2e-6 x largest |d_output| x (1 + |normal|))`: the two means err by
//! some roundings of the largest gradient, and the difference may cancel to 0, so that no part of
//! it can be relative.

use super::batchnorm_forward::{Statistics, rows};
use super::channel_sums::channel_sums;
use super::lanes::{LANES, Lanes, Level};

/// Overwrites `d_values` (scales, then shifts) and, unless it is empty, `d_input`: (groups, height,
/// width, channels), 0 for blank images. `d_output` is the gradient before the activation.
pub(crate) fn batchnorm_backward(
    level: Level,
    images: usize,
    values: &[f32],
    batch: &Statistics,
    [input, d_output]: [&[Lanes]; 2],
    d_values: &mut [f32],
    d_input: &mut [Lanes],
) {
    let channels = batch.mean.len();
    d_values.fill(0.0);
    let (d_scale, d_shift) = d_values.split_at_mut(channels);
    channel_sums(level, images, &batch.mean, [d_output, input], d_shift, |d, _, _| d);
    let along = |d: f32, x: f32, mean: f32| d * (x - mean);
    channel_sums(level, images, &batch.mean, [d_output, input], d_scale, along);
    d_scale.iter_mut().zip(&batch.spread).for_each(|(sum, spread)| *sum *= spread);
    if d_input.is_empty() {
        return;
    }
    let rows = rows(images, input.len() / channels);
    let means: Vec<f32> = d_shift.iter().map(|sum| sum / rows).collect();
    // Of the gradient on (input - mean).
    let slopes: Vec<f32> =
        d_scale.iter().zip(&batch.spread).map(|(sum, spread)| sum / rows * spread).collect();
    let factors: Vec<f32> =
        values[..channels].iter().zip(&batch.spread).map(|(a, b)| a * b).collect();
    level.wide(
        #[inline(always)]
        || {
            let rows = d_input.chunks_exact_mut(channels).zip(d_output.chunks_exact(channels));
            for ((d_input, d_output), input) in rows.zip(input.chunks_exact(channels)) {
                for channel in 0..channels {
                    let (mean, slope) = (batch.mean[channel], slopes[channel]);
                    let (shift, factor) = (means[channel], factors[channel]);
                    for lane in 0..LANES {
                        let normal = (input[channel].0[lane] - mean) * slope;
                        let d = d_output[channel].0[lane] - shift - normal;
                        d_input[channel].0[lane] = factor * d;
                    }
                }
            }
        },
    );
    // Blank images have no part in the means that every image's gradient is measured from.
    let full = d_input.len() / images.div_ceil(LANES) * (images / LANES);
    for blank in &mut d_input[full..] {
        blank.0[images % LANES..].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "statistics are f32; small counts"
    )]
    use super::super::lanes::{groups, one_by_one, side_by_side};
    use super::*;

    #[test]
    fn gradients_by_the_definition() {
        let (rows, scale) = (700_usize, 1.5_f32);
        let input: Vec<f32> = (0..rows).map(|i| libm::sinf((i * i % 977) as f32)).collect();
        let d_output: Vec<f32> = (0..rows).map(|i| libm::cosf(0.3 * i as f32)).collect();
        let n = rows as f64;
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (xs, ds) = (wide(&input), wide(&d_output));
        let mean = xs.iter().sum::<f64>() / n;
        let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let spread = 1.0 / (variance + 1e-5).sqrt();
        let batch = Statistics { mean: vec![mean as f32], spread: vec![spread as f32] };
        let blank = vec![Lanes::ZERO; groups(rows)];
        let (mut d_values, mut found) =
            ([f32::NAN; 2], vec![Lanes([f32::NAN; LANES]); blank.len()]);
        let (mut inputs, mut d_outputs) = (blank.clone(), blank);
        side_by_side(&input, 1, &mut inputs);
        side_by_side(&d_output, 1, &mut d_outputs);
        let (values, both) = ([scale, 0.0], [&inputs[..], &d_outputs[..]]);
        let level = Level::best();
        batchnorm_backward(level, rows, &values, &batch, both, &mut d_values, &mut found);
        assert_eq!(found[43].0[12..], [0.0; 4], "blank images");
        let d_input = one_by_one(&found, 1, rows);
        let normal: Vec<f64> = xs.iter().map(|x| (x - mean) * spread).collect();
        let d_shift: f64 = ds.iter().sum();
        let d_scale: f64 = ds.iter().zip(&normal).map(|(d, x)| d * x).sum();
        // Sums of 700 terms of magnitude 1, some 1e-7 each in blocks.
        assert!((f64::from(d_values[0]) - d_scale).abs() < 2e-4, "{d_values:?}, {d_scale}");
        assert!((f64::from(d_values[1]) - d_shift).abs() < 2e-4, "{d_values:?}, {d_shift}");
        for (row, &found) in d_input.iter().enumerate() {
            let factor = f64::from(scale) * spread;
            let expected = factor * (ds[row] - d_shift / n - normal[row] * d_scale / n);
            let tolerance = factor * 2e-6 * (1.0 + normal[row].abs());
            assert!((f64::from(found) - expected).abs() <= tolerance, "{found}, {expected}");
        }
    }
}
