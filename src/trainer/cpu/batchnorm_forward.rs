//! Batch normalisation (Ioffe and Szegedy, ICML 2015), forward, as `PyTorch` 2 computes it:
//! `output = act(scale (input - mean) / sqrt(variance + epsilon) + shift)` a channel.
//!
//! `input` and `output`: (rows, channels), rows = images x height x width. In training, mean and
//! variance are the batch's, the variance with the divisor `rows`; what feeds the running variance
//! has the divisor `rows - 1` (with one row: 0). Validation takes the running ones.
//!
//! Tolerance: `1e-6 x (1 + deviations) + 2e-6 |reference|`, deviations = |mean| / deviation of the
//! channel: sums in blocks of 256 err by some 1e-7, and subtracting a mean of many deviations
//! loses that many times the input's own rounding.

#![expect(clippy::cast_precision_loss, reason = "batches stay far below 2^24 rows")]

use super::activation::bias_and_activation;
use crate::space::Activation;

/// What a batch normalisation is under one configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchNorm {
    pub(super) decay: f32,
    pub(super) epsilon: f32,
    pub(super) activation: Activation,
}

/// Two numbers a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Statistics {
    pub(super) mean: Vec<f32>,
    /// The variance of the running statistics; of the batch's, 1 / sqrt(variance + epsilon).
    pub(super) spread: Vec<f32>,
}

impl Statistics {
    /// Before the first step: mean 0, spread 1.
    pub(super) fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], spread: vec![1.0; channels] }
    }
}

impl BatchNorm {
    /// Training: takes the batch's statistics into `batch` and moves `running` towards them.
    /// `values`: scales, then shifts.
    pub(super) fn forward_training(
        self,
        values: &[f32],
        input: &[f32],
        output: &mut [f32],
        batch: &mut Statistics,
        running: &mut Statistics,
    ) {
        let channels = batch.mean.len();
        let rows = (input.len() / channels) as f32;
        let zeros = vec![0.0; channels];
        channel_sums(&zeros, input, input, &mut batch.mean, |x, _, _| x);
        batch.mean.iter_mut().for_each(|mean| *mean /= rows);
        channel_sums(&batch.mean, input, input, &mut batch.spread, |x, _, mean| {
            (x - mean) * (x - mean)
        });
        let blend = |running: &mut f32, batch: f32| {
            *running = self.decay * *running + (1.0 - self.decay) * batch;
        };
        for (running, &mean) in running.mean.iter_mut().zip(&batch.mean) {
            blend(running, mean);
        }
        for (running, &squares) in running.spread.iter_mut().zip(&batch.spread) {
            blend(running, squares / (rows - 1.0).max(1.0));
        }
        for spread in &mut batch.spread {
            *spread = 1.0 / (*spread / rows + self.epsilon).sqrt();
        }
        self.normalise(values, input, output, batch);
    }

    /// Validation: `running` as it is.
    pub(super) fn forward_inference(
        self,
        values: &[f32],
        input: &[f32],
        output: &mut [f32],
        running: &Statistics,
    ) {
        let spread = running.spread.iter().map(|variance| 1.0 / (variance + self.epsilon).sqrt());
        let statistics = Statistics { mean: running.mean.clone(), spread: spread.collect() };
        self.normalise(values, input, output, &statistics);
    }

    fn normalise(self, values: &[f32], input: &[f32], output: &mut [f32], by: &Statistics) {
        let (scales, shifts) = values.split_at(by.mean.len());
        let factors: Vec<f32> = scales.iter().zip(&by.spread).map(|(a, b)| a * b).collect();
        let rows = output.chunks_exact_mut(factors.len()).zip(input.chunks_exact(factors.len()));
        for (output, input) in rows {
            let channels = output.iter_mut().zip(input).zip(&by.mean).zip(&factors);
            for (((output, x), mean), factor) in channels {
                *output = (x - mean) * factor;
            }
        }
        bias_and_activation(self.activation, shifts, output);
    }
}

/// Rows that are summed before they join the total: keeps the error of long sums small.
const BLOCK_ROWS: usize = 256;

/// `sums[channel] = sum over rows of term(a, b, mean[channel])`, block by block in their order.
pub(super) fn channel_sums(
    mean: &[f32],
    a: &[f32],
    b: &[f32],
    sums: &mut [f32],
    term: impl Fn(f32, f32, f32) -> f32,
) {
    let channels = sums.len();
    sums.fill(0.0);
    let mut block_sum = vec![0.0_f32; channels];
    let block = BLOCK_ROWS * channels;
    for (a, b) in a.chunks(block).zip(b.chunks(block)) {
        block_sum.fill(0.0);
        for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
            for (((sum, &a), &b), &mean) in block_sum.iter_mut().zip(a).zip(b).zip(mean) {
                *sum += term(a, b, mean);
            }
        }
        sums.iter_mut().zip(&block_sum).for_each(|(sum, block)| *sum += block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORM: BatchNorm =
        BatchNorm { decay: 0.75, epsilon: 1e-5, activation: Activation::Linear };

    /// Rows of two channels, the second far from 0.
    fn input(rows: usize) -> Vec<f32> {
        let value = |i: usize| libm::sinf(0.7 * (i * i % 1_000) as f32);
        (0..2 * rows).map(|i| value(i) + if i % 2 == 0 { 0.0 } else { 30.0 }).collect()
    }

    #[test]
    fn training_and_validation_by_the_definition() {
        let rows = 1_000;
        let input = input(rows);
        let values = [1.5, -0.5, 0.25, 2.0];
        let (mut batch, mut running) = (Statistics::new(2), Statistics::new(2));
        let mut output = vec![f32::NAN; input.len()];
        NORM.forward_training(&values, &input, &mut output, &mut batch, &mut running);
        let mut later = vec![f32::NAN; input.len()];
        NORM.forward_inference(&values, &input, &mut later, &running);
        for channel in 0..2 {
            let xs: Vec<f64> = input.iter().skip(channel).step_by(2).map(|&x| x.into()).collect();
            let mean = xs.iter().sum::<f64>() / rows as f64;
            let squares: f64 = xs.iter().map(|x| (x - mean).powi(2)).sum();
            let (run_mean, run_variance) = (0.25 * mean, 0.75 + 0.25 * squares / 999.0);
            let close = |what: &str, found: f32, expected: f64, mean: f64, variance: f64| {
                let tolerance = 1e-6 * (1.0 + mean.abs() / variance.sqrt()) + 2e-6 * expected.abs();
                let error = (f64::from(found) - expected).abs();
                assert!(error <= tolerance, "{what}: {found}, expected {expected}");
            };
            let (scale, shift) = (f64::from(values[channel]), f64::from(values[channel + 2]));
            for (row, x) in xs.iter().enumerate() {
                let found = [output[2 * row + channel], later[2 * row + channel]];
                let variance = squares / rows as f64;
                let expected = (x - mean) / (variance + 1e-5).sqrt() * scale + shift;
                close("training", found[0], expected, mean, variance);
                let expected = (x - run_mean) / (run_variance + 1e-5).sqrt() * scale + shift;
                close("validation", found[1], expected, mean, run_variance);
            }
            close("running mean", running.mean[channel], run_mean, 0.0, 1.0);
            close("running variance", running.spread[channel], run_variance, 0.0, 1.0);
        }
    }

    #[test]
    fn one_row_has_no_variance_and_nan_shows() {
        let (mut batch, mut running) = (Statistics::new(1), Statistics::new(1));
        let mut output = [f32::NAN];
        NORM.forward_training(&[2.0, 0.5], &[7.0], &mut output, &mut batch, &mut running);
        assert_eq!(output, [0.5]);
        assert_eq!((running.mean[0], running.spread[0]), (1.75, 0.75));
        let mut output = [0.0; 2];
        let input = [1.0, f32::NAN];
        NORM.forward_training(&[2.0, 0.5], &input, &mut output, &mut batch, &mut running);
        assert!(output.iter().all(|x| x.is_nan()));
    }
}
