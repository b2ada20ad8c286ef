//! Batch normalisation (Ioffe and Szegedy, ICML 2015), forward, as `PyTorch` 2 computes it:
//! `output = act(scale (input - mean) / sqrt(variance + epsilon) + shift)` a channel.
//!
//! `input` and `output`: (groups, height, width, channels); rows = images x height x width, blank
//! images left out. In training, mean and variance are the batch's, the variance with the divisor
//! `rows`; what feeds the running variance has the divisor `rows - 1` (with one row: 0). Validation
//! takes the running ones.
//!
//! Tolerance: `1e-6 x (1 + deviations) + 2e-6 |reference|`, deviations = |mean| / deviation of the
//! channel: sums in blocks of 256 err by some 1e-7, and subtracting a mean of many deviations
//! loses that many times the input's own rounding.

#![expect(clippy::cast_precision_loss, reason = "batches stay far below 2^24 rows")]

use super::activation::activation;
use super::channel_sums::channel_sums;
use super::lanes::{LANES, Lanes, Level, groups};
use crate::model::Activation;

/// What a batch normalisation is under one configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchNorm {
    pub(crate) decay: f32,
    pub(crate) epsilon: f32,
    pub(crate) activation: Activation,
}

/// Two numbers a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    /// The variance of the running statistics; of the batch's, 1 / sqrt(variance + epsilon).
    pub(crate) spread: Vec<f32>,
}

impl Statistics {
    /// Before the first step: mean 0, spread 1.
    pub(crate) fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], spread: vec![1.0; channels] }
    }
}

impl BatchNorm {
    /// Training: takes the statistics of the batch's `images` into `batch` and moves `running`
    /// towards them. `values`: scales, then shifts.
    pub(crate) fn forward_training(
        self,
        level: Level,
        images: usize,
        values: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        batch: &mut Statistics,
        running: &mut Statistics,
    ) {
        let channels = batch.mean.len();
        let rows = rows(images, input.len() / channels);
        let zeros = vec![0.0; channels];
        batch.mean.fill(0.0);
        batch.spread.fill(0.0);
        channel_sums(level, images, &zeros, [input, input], &mut batch.mean, |x, _, _| x);
        batch.mean.iter_mut().for_each(|mean| *mean /= rows);
        let square = |x: f32, _: f32, mean: f32| (x - mean) * (x - mean);
        channel_sums(level, images, &batch.mean, [input, input], &mut batch.spread, square);
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
        self.normalise(level, values, input, output, batch);
    }

    /// Validation: `running` as it is.
    pub(crate) fn forward_inference(
        self,
        level: Level,
        values: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        running: &Statistics,
    ) {
        let spread = running.spread.iter().map(|variance| 1.0 / (variance + self.epsilon).sqrt());
        let statistics = Statistics { mean: running.mean.clone(), spread: spread.collect() };
        self.normalise(level, values, input, output, &statistics);
    }

    fn normalise(
        self,
        level: Level,
        values: &[f32],
        input: &[Lanes],
        output: &mut [Lanes],
        by: &Statistics,
    ) {
        let (scales, shifts) = values.split_at(by.mean.len());
        let factors: Vec<f32> = scales.iter().zip(&by.spread).map(|(a, b)| a * b).collect();
        let channels = factors.len();
        level.wide(
            #[inline(always)]
            || {
                let rows = output.chunks_exact_mut(channels).zip(input.chunks_exact(channels));
                for (output, input) in rows {
                    for channel in 0..channels {
                        let (mean, factor) = (by.mean[channel], factors[channel]);
                        let (output, input) = (&mut output[channel].0, &input[channel].0);
                        for lane in 0..LANES {
                            output[lane] = (input[lane] - mean) * factor + shifts[channel];
                        }
                    }
                }
            },
        );
        activation(level, self.activation, output);
    }
}

/// Images x positions, of which a group holds `group_rows` / groups.
pub(crate) fn rows(images: usize, group_rows: usize) -> f32 {
    (group_rows / groups(images) * images) as f32
}

#[cfg(test)]
mod tests {
    use super::super::lanes::{one_by_one, side_by_side};
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
        // The last group has eight blank images, which must not count.
        let mut lanes = vec![Lanes::ZERO; 2 * groups(rows)];
        side_by_side(&input, 2, &mut lanes);
        for blank in lanes.iter_mut().rev().take(2) {
            blank.0[8..].fill(1e6);
        }
        let (level, mut output) = (Level::best(), vec![Lanes([f32::NAN; LANES]); lanes.len()]);
        let both = (&mut batch, &mut running);
        NORM.forward_training(level, rows, &values, &lanes, &mut output, both.0, both.1);
        let output = one_by_one(&output, 2, rows);
        let mut later = vec![Lanes([f32::NAN; LANES]); lanes.len()];
        NORM.forward_inference(level, &values, &lanes, &mut later, &running);
        let later = one_by_one(&later, 2, rows);
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
        let mut normalise = |images: &[f32]| {
            let (mut input, mut output) = ([Lanes::ZERO], [Lanes::ZERO]);
            side_by_side(images, 1, &mut input);
            let (level, values, count) = (Level::best(), [2.0, 0.5], images.len());
            let both = (&mut batch, &mut running);
            NORM.forward_training(level, count, &values, &input, &mut output, both.0, both.1);
            (one_by_one(&output, 1, count), running.mean[0], running.spread[0])
        };
        assert_eq!(normalise(&[7.0]), (vec![0.5], 1.75, 0.75));
        assert!(normalise(&[1.0, f32::NAN]).0.iter().all(|x| x.is_nan()));
    }
}
