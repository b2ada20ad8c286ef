//! One training of one configuration while it is on the device.

use bytemuck::Zeroable;

use super::kernels::Stage;
use super::kernels::steps::StepRecord;
use super::kernels::tensor::count;
use super::layout::{Extents, Layout, Matrix, PassSizes, losses_at};
use super::program::{DataPlace, Pass, Plan};
use crate::Job;
use crate::graph::Streams;
use crate::graph::optimizer::{OptimizerStep, initial_moment2};
use crate::graph::wiring::Wiring;
#[cfg(test)]
use crate::model::Network;
use crate::model::{Operation, PlannedLayer};

/// A training that has a place on the device.
#[derive(Debug)]
pub(super) struct Resident<'a> {
    pub(super) job: Job<'a>,
    pub(super) streams: Streams,
    pub(super) layout: Layout,
    /// A step of each pass.
    pub(super) stages: [Vec<Stage>; 3],
    /// Epochs that are done.
    pub(super) epochs: u16,
}

/// What a pass over some images came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PassResult {
    /// Whether every loss, and after training every weight, is finite.
    pub(super) is_finite: bool,
    /// Sum over the images.
    pub(super) loss_sum: f64,
    /// Rows the true class.
    pub(super) confusion: Vec<u32>,
}

/// Images of each pass of a job.
pub(super) fn pass_sizes(job: &Job<'_>) -> PassSizes {
    let split = job.split;
    PassSizes {
        train: split.train.len(),
        validation: split.validation.len(),
        test: split.test.len(),
    }
}

/// What a training takes of each memory.
pub(super) fn sizes(job: &Job<'_>) -> Extents {
    let wiring = Wiring::new(job.network);
    let begin = Extents::default();
    Layout::new(job.network, &wiring, job.recipe, pass_sizes(job), begin).sizes()
}

impl<'a> Resident<'a> {
    /// A training whose part of each memory begins at `begin`.
    pub(super) fn new(job: Job<'a>, begin: Extents, data: DataPlace) -> Self {
        let wiring = Wiring::new(job.network);
        let layout = Layout::new(job.network, &wiring, job.recipe, pass_sizes(&job), begin);
        let streams = Streams::new(job.seed, job.config, job.repeat);
        let (network, recipe) = (job.network, job.recipe);
        let plan =
            Plan { network, wiring: &wiring, recipe, layout: &layout, streams: &streams, data };
        let stages = Pass::ALL.map(|pass| plan.stages(pass));
        Self { job, streams, layout, stages, epochs: 0 }
    }

    /// Steps of a pass.
    pub(super) fn steps(&self, pass: Pass) -> u32 {
        count(self.images(pass).div_ceil(self.job.recipe.batch_size))
    }

    pub(super) fn images(&self, pass: Pass) -> usize {
        pass_sizes(&self.job).all()[pass.at()]
    }

    /// The records of all steps of a pass in `epoch` (from 1).
    pub(super) fn step_records(&self, pass: Pass, epoch: u16) -> Vec<StepRecord> {
        let (batch, images) = (self.job.recipe.batch_size, self.images(pass));
        let before = u32::from(epoch - 1) * self.steps(Pass::Train);
        let record = |(step, first): (u32, usize)| {
            let number = before + step;
            // Steps are counted from 1 there.
            let [rate, root2] = OptimizerStep::new(self.job.recipe, epoch, number + 1).changing();
            StepRecord {
                first: count(first),
                images: count(batch.min(images - first)),
                number,
                rate,
                root2,
                ..Zeroable::zeroed()
            }
        };
        (0..).zip((0..images).step_by(batch)).map(record).collect()
    }

    /// The order of the training images in `epoch`.
    pub(super) fn order(&self, epoch: u16) -> Vec<u32> {
        let mut order = vec![0; self.images(Pass::Train)];
        self.streams.order(epoch, &mut order);
        order
    }

    /// Its part of the weights' memory before the first step: He-normal weights, biases 0, scales
    /// and running variances 1.
    pub(super) fn initial_weights(&self) -> Vec<f32> {
        let (begin, end) = (self.layout.begin.weights, self.layout.end.weights);
        let mut values = vec![0.0; (end - begin) as usize * 4];
        for (at, layer) in self.job.network.layers.iter().enumerate() {
            let own = &self.layout.parameters[at];
            if let Some(weights) = own.weights {
                let mut drawn = vec![0.0; layer.weights];
                self.streams.he_normal(at, layer.fan_in, &mut drawn);
                let place = (weights.at - begin) as usize * 4;
                place_weights(layer, weights, &drawn, &mut values[place..]);
            }
            if let (Operation::BatchNorm { .. }, Some(biases)) = (layer.operation, own.biases) {
                let row = biases.row() as usize * 4;
                let scales = (biases.at - begin) as usize * 4;
                let statistics = (own.statistics - begin) as usize * 4;
                // The spread of the batch is written before it is read.
                for start in [scales, statistics + 3 * row] {
                    values[start..start + layer.output.channels].fill(1.0);
                }
            }
        }
        values
    }

    /// Its part of the moments' memory before the first step.
    pub(super) fn initial_moments(&self) -> Vec<f32> {
        let (begin, end) = (self.layout.begin.moments, self.layout.end.moments);
        let mut values = vec![0.0; (end - begin) as usize * 4];
        let second = initial_moment2(self.job.recipe);
        for own in &self.layout.parameters {
            for matrix in own.weights.iter().chain(&own.biases) {
                let start = (matrix.moments[1] - begin) as usize * 4;
                let count = (matrix.rows * matrix.row()) as usize * 4;
                values[start..start + count].fill(second);
            }
        }
        values
    }

    /// What a pass's part of the results says; `words`: the whole of that memory.
    pub(super) fn result(&self, pass: Pass, words: &[u32]) -> PassResult {
        let classes = self.job.network.classes;
        let start = self.layout.results[pass.at()] as usize;
        let losses = start + losses_at(classes) as usize;
        let count = (self.steps(pass) * self.layout.groups * 4) as usize;
        let loss = |word: &u32| f64::from(f32::from_bits(*word));
        let loss_sum: f64 = words[losses..losses + count].iter().map(loss).sum();
        PassResult {
            is_finite: words[start] == 0 && loss_sum.is_finite(),
            loss_sum,
            confusion: words[start + 1..losses].to_vec(),
        }
    }
}

/// Writes a layer's weights, given in contract 1's order, as (inputs, outputs) with rows in whole
/// fours.
fn place_weights(layer: &PlannedLayer, matrix: Matrix, canonical: &[f32], into: &mut [f32]) {
    let row = matrix.row() as usize * 4;
    let (outputs, channels) = (layer.output.channels, layer.input.channels);
    let places = layer.fan_in / channels;
    for input in 0..layer.fan_in {
        let (place, channel) = (input / channels, input % channels);
        for output in 0..outputs {
            into[input * row + output] = canonical[(output * channels + channel) * places + place];
        }
    }
}

/// A network's weights and biases in contract 1's order, layer by layer, from its part of the
/// weights' memory.
#[cfg(test)]
pub(super) fn parameters(
    network: &Network,
    layout: &Layout,
    values: &[f32],
) -> Vec<(Vec<f32>, Vec<f32>)> {
    let begin = layout.begin.weights;
    let mut found = Vec::new();
    for (layer, own) in network.layers.iter().zip(&layout.parameters) {
        if layer.params() == 0 {
            continue;
        }
        let mut weights = vec![0.0; layer.weights];
        if let Some(matrix) = own.weights {
            let (row, start) = (matrix.row() as usize * 4, (matrix.at - begin) as usize * 4);
            let (outputs, channels) = (layer.output.channels, layer.input.channels);
            let places = layer.fan_in / channels;
            for (at, weight) in weights.iter_mut().enumerate() {
                let (output, rest) = (at / layer.fan_in, at % layer.fan_in);
                let (channel, place) = (rest / places, rest % places);
                *weight = values[start + (place * channels + channel) * row + output];
            }
            assert_eq!(outputs * layer.fan_in, layer.weights);
        }
        let biases = own.biases.map_or_else(Vec::new, |matrix| {
            let (row, start) = (matrix.row() as usize * 4, (matrix.at - begin) as usize * 4);
            let rows = (0..matrix.rows as usize).map(|at| start + at * row);
            rows.flat_map(|at| values[at..at + matrix.columns as usize].to_vec()).collect()
        });
        found.push((weights, biases));
    }
    found
}
