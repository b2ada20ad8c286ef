//! What a network's step is made of: stages of jobs, one after the other.

use bytemuck::Zeroable;

use super::backward::Backward;
use super::kernels::correlation::CorrelationJob;
use super::kernels::elements::{ElementsJob, ElementsRecord};
use super::kernels::product::{self, ProductJob};
use super::kernels::steps::NO_ORDER;
use super::kernels::tensor::{Tensor, count};
use super::kernels::{
    Memory, Stage, activation, add, avgpool_forward, batchnorm_forward, concat, dropout,
    gather_batch, maxpool_forward, softmax_cross_entropy,
};
use super::layout::{Layout, Matrix, Parameters, losses_at};
use crate::graph::Streams;
use crate::graph::conv_shape::{ConvShape, conv_shape};
use crate::graph::dense_chunks::{Chunk, dense_chunks};
use crate::graph::wiring::Wiring;
use crate::model::{Activation, Network, Operation, Recipe, Source};

/// Where a data set lies on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataPlace {
    /// Images in the first of the two buffers.
    pub(super) in_first: u32,
    /// Numbers of the first training, validation and test image.
    pub(super) first: [u32; 3],
    /// Where the labels begin in [`Memory::Dataset`]; the standardised values begin it.
    pub(super) labels: u32,
    /// Bytes of that memory, and of all the images.
    pub(super) dataset_bytes: u64,
}

/// What the jobs of a network are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) network: &'a Network,
    pub(super) wiring: &'a Wiring,
    pub(super) recipe: &'a Recipe,
    pub(super) layout: &'a Layout,
    pub(super) streams: &'a Streams,
    pub(super) data: DataPlace,
}

/// A pass over some images: training, validation or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Train,
    Validate,
    Test,
}

impl Pass {
    pub(super) const ALL: [Self; 3] = [Self::Train, Self::Validate, Self::Test];

    pub(super) fn at(self) -> usize {
        self as usize
    }
}

impl Plan<'_> {
    /// A step of a pass.
    pub(super) fn stages(&self, pass: Pass) -> Vec<Stage> {
        let mut stages = self.forward(pass);
        if pass == Pass::Train {
            Backward::new(self, &mut stages).add();
        }
        stages
    }

    fn forward(&self, pass: Pass) -> Vec<Stage> {
        let mut stages = vec![Stage::one(&gather_batch::KERNEL, self.gather_batch(pass))];
        for at in 0..self.network.layers.len() {
            self.layer(at, pass, &mut stages);
        }
        stages.push(Stage::one(&softmax_cross_entropy::KERNEL, self.softmax(pass)));
        stages
    }

    fn layer(&self, at: usize, pass: Pass, stages: &mut Vec<Stage>) {
        let layer = &self.network.layers[at];
        let (input, output) = (self.output(layer.sources[0]), self.layout.outputs[at]);
        match layer.operation {
            Operation::Conv { activation, .. } => {
                let shape = conv_shape(layer).expect("a convolution");
                let job = self.conv_forward(at, shape, input, activation);
                stages.push(Stage::one(&product::PRODUCT, job));
                activate(activation, output, stages);
            }
            Operation::Dense { activation } => self.dense_forward(at, input, activation, stages),
            Operation::MaxPool { window } => {
                let argmax = self.layout.argmax[at].expect("a max-pooling has winners");
                let job = maxpool_forward::job([input, output, argmax], window);
                stages.push(Stage::one(&maxpool_forward::KERNEL, job));
            }
            Operation::AvgPool { window } => {
                let job = avgpool_forward::job([input, output], window);
                stages.push(Stage::one(&avgpool_forward::KERNEL, job));
            }
            Operation::Dropout { rate } if rate > 0.0 && pass == Pass::Train => {
                stages.push(self.dropout(at, rate, [input, output]));
            }
            Operation::Dropout { .. } => {
                stages.push(Stage::one(&concat::KERNEL, concat::copy(input, output)));
            }
            Operation::BatchNorm { decay, epsilon, activation } => {
                let factors = [decay, epsilon].map(narrow);
                if pass == Pass::Train {
                    self.batch_statistics(at, input, factors, stages);
                }
                let job = self.normalise(at, [input, output], pass, factors[1], activation);
                stages.push(Stage::one(&batchnorm_forward::KERNEL, job));
            }
            Operation::Add { activation } => {
                let mut sum = input;
                for (nth, source) in layer.sources.iter().enumerate().skip(1) {
                    let is_last = nth + 1 == layer.sources.len();
                    let function = if is_last { activation } else { Activation::Linear };
                    let job = add::job([sum, self.output(*source), output], function);
                    stages.push(Stage::one(&add::KERNEL, job));
                    sum = output;
                }
            }
            Operation::Concat => {
                let mut first = 0;
                let jobs = layer.sources.iter().map(|source| {
                    let source = self.output(*source);
                    let into = output.channels(first, source.channels);
                    first += source.channels;
                    concat::copy(source, into)
                });
                stages.push(Stage::many(&concat::KERNEL, jobs));
            }
        }
    }

    /// What a layer reads.
    pub(super) fn output(&self, source: Source) -> Tensor {
        match source {
            Source::Images => self.layout.images,
            Source::Layer(at) => self.layout.outputs[at],
        }
    }

    pub(super) fn parameters(&self, at: usize) -> &Parameters {
        &self.layout.parameters[at]
    }

    fn weights(&self, at: usize) -> Matrix {
        self.parameters(at).weights.expect("convolutions and dense layers have weights")
    }

    /// A job reads the record of its step.
    pub(super) fn stepping<R: ElementsRecord>(
        &self,
        job: ElementsJob<R>,
        pass: Pass,
    ) -> ElementsJob<R> {
        let next = self.layout.steps.get(pass.at() + 1);
        let end = next.copied().unwrap_or(self.layout.end.steps);
        job.reaching(Memory::Steps, u64::from(end) * 32)
    }

    fn gather_batch(&self, pass: Pass) -> ElementsJob<gather_batch::Record> {
        let data = self.data;
        let record = gather_batch::Record {
            shape: self.layout.images.shape(),
            c: self.layout.images.place(),
            first_step: self.layout.steps[pass.at()],
            order: self.order(pass),
            first_image: data.first[pass.at()],
            in_first: data.in_first,
            // They begin the memory.
            standardised: 0,
            ..Zeroable::zeroed()
        };
        let job = ElementsJob::new(record).on([self.layout.images]);
        let job = job.reaching(Memory::Dataset, data.dataset_bytes);
        self.stepping(job, pass).reaching(Memory::Orders, u64::from(self.layout.end.orders) * 4)
    }

    fn order(&self, pass: Pass) -> u32 {
        if pass == Pass::Train { self.layout.orders } else { NO_ORDER }
    }

    fn softmax(&self, pass: Pass) -> ElementsJob<softmax_cross_entropy::Record> {
        let last = self.network.layers.len() - 1;
        let logits = self.layout.outputs[last];
        let gradient = self.layout.gradients[last].filter(|_| pass == Pass::Train);
        let record = softmax_cross_entropy::Record {
            shape: logits.shape(),
            a: logits.place(),
            b: gradient.map_or([0; 4], Tensor::place),
            first_step: self.layout.steps[pass.at()],
            order: self.order(pass),
            first_image: self.data.first[pass.at()],
            labels: self.data.labels,
            results: self.layout.results[pass.at()],
            losses: losses_at(self.network.classes),
            is_graded: gradient.is_some().into(),
            reserved_0: 0,
        };
        let job = ElementsJob::new(record)
            .on([logits].into_iter().chain(gradient))
            .reaching(Memory::Results, u64::from(self.layout.end.results) * 4)
            .reaching(Memory::Orders, u64::from(self.layout.end.orders) * 4)
            .reaching(Memory::Dataset, self.data.dataset_bytes);
        self.stepping(job, pass)
    }

    fn conv_forward(
        &self,
        at: usize,
        shape: ConvShape,
        input: Tensor,
        activation: Activation,
    ) -> ProductJob {
        let (weights, output) = (self.weights(at), self.layout.outputs[at]);
        let [group, row, column] = input.steps;
        let [kernel, stride] = [shape.kernel, shape.stride].map(count);
        ProductJob {
            x: window_start(shape, input),
            out: output.start,
            weights: weights.at,
            bias: self.parameters(at).biases.map(|biases| biases.at),
            taps: kernel,
            run: kernel * input.channels,
            tap_step: row,
            filters: output.channels,
            places: [output.groups, output.rows, output.columns],
            x_steps: [group, stride * row, stride * column],
            out_steps: output.steps,
            out_filter: 1,
            rectify: activation == Activation::Relu,
        }
    }

    /// A product for each chunk of the inputs: the first one's sums go to their place, the others'
    /// are added to them.
    fn dense_forward(
        &self,
        at: usize,
        input: Tensor,
        activation: Activation,
        stages: &mut Vec<Stage>,
    ) {
        let layer = &self.network.layers[at];
        let (weights, output) = (self.weights(at), self.layout.outputs[at]);
        let chunks = dense_chunks(layer.input);
        let further = count(chunks.len()) - 1;
        let step = output.groups * output.channels;
        let partial = |nth: u32| {
            let start = self.layout.spare + nth * step;
            Tensor::of(start, output.groups, layer.output)
        };
        let product = |(nth, chunk): (u32, Chunk)| {
            let sums = if nth == 0 { output } else { partial(nth - 1) };
            let biases = self.parameters(at).biases.filter(|_| nth == 0);
            let [row, rows, first, run] =
                [chunk.row, chunk.rows, chunk.first, chunk.run].map(count);
            let (taps, run) = if input.is_whole() { (1, rows * run) } else { (rows, run) };
            ProductJob {
                x: input.start + row * input.steps[1] + first,
                out: sums.start,
                weights: weights.at + count(chunk.inputs(layer.input).start) * weights.row(),
                bias: biases.map(|biases| biases.at),
                taps,
                run,
                tap_step: input.steps[1],
                filters: output.channels,
                places: [output.groups, 1, 1],
                x_steps: [input.steps[0], 0, 0],
                out_steps: [sums.steps[0], 0, 0],
                out_filter: 1,
                rectify: activation == Activation::Relu && further == 0,
            }
        };
        stages.push(Stage::many(&product::PRODUCT, (0..).zip(chunks).map(product)));
        if further == 0 {
            activate(activation, output, stages);
            return;
        }
        let job = add::many([output, partial(0), output], [further - 1, step], activation);
        stages.push(Stage::one(&add::KERNEL, job));
    }

    /// The gradient of a convolution's weights, block by block of groups: `d_output` is the
    /// gradient before the activation.
    pub(super) fn correlations(
        &self,
        at: usize,
        shape: ConvShape,
        input: Tensor,
        d_output: Tensor,
    ) -> impl Iterator<Item = CorrelationJob> {
        let weights = self.weights(at);
        let [group, row, column] = input.steps;
        let [kernel, stride] = [shape.kernel, shape.stride].map(count);
        let at_once = count(shape.groups_at_once());
        (0..weights.blocks).map(move |block| {
            let first = block * at_once;
            CorrelationJob {
                x: window_start(shape, input) + first * group,
                d_output: d_output.start + first * d_output.steps[0],
                sums: (weights.gradient + block * weights.block) * 4,
                stride: weights.gradient_row * 4,
                taps: kernel,
                run: kernel * input.channels,
                tap_step: row,
                filters: d_output.channels,
                places: [at_once.min(d_output.groups - first), d_output.rows, d_output.columns],
                x_steps: [group, stride * row, stride * column],
                d_steps: d_output.steps,
            }
        })
    }

    pub(super) fn dropout(&self, at: usize, rate: f64, tensors: [Tensor; 2]) -> Stage {
        let job = dropout::job(tensors, self.streams.dropout(at), rate, self.layout.steps[0]);
        Stage::one(&dropout::KERNEL, self.stepping(job, Pass::Train))
    }
}

/// A function that no product applies by itself.
fn activate(function: Activation, output: Tensor, stages: &mut Vec<Stage>) {
    if !matches!(function, Activation::Linear | Activation::Relu) {
        stages.push(Stage::one(&activation::KERNEL, activation::job(output, function)));
    }
}

/// Where a convolution's first window begins, in the frame of its input.
fn window_start(shape: ConvShape, input: Tensor) -> u32 {
    let [above, left] = shape.before.map(count);
    input.start - above * input.steps[1] - left * input.steps[2]
}

/// An image's values as runs without a gap: how many, how long, how far apart.
pub(super) fn rows_of(tensor: Tensor) -> (u32, u32, u32) {
    if tensor.is_whole() {
        return (1, tensor.len(), tensor.len());
    }
    (tensor.rows, tensor.columns * tensor.channels, tensor.steps[1])
}

/// A factor as activations are.
#[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
fn narrow(factor: f64) -> f32 {
    factor as f32
}
