//! What a network's step is made of: stages of jobs, one after the other.

use super::backward::Backward;
use super::correlation::CorrelationJob;
use super::elements::{ElementsJob, Tensor, count};
use super::kernels::{Job, Kernel, Memory, Stage};
use super::layout::{Layout, Matrix, Parameters, losses_at};
use super::product::ProductJob;
use crate::cpu::geometry::ConvShape;
use crate::cpu::layer_pass::conv_shape;
use crate::dense_chunks::{Chunk, dense_chunks};
use crate::model::{Activation, Network, Operation, PlannedLayer, Recipe, Source, Window};
use crate::streams::Streams;
use crate::wiring::Wiring;

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

/// `NO_ORDER` of the shaders: images come as they lie.
const NO_ORDER: u32 = u32::MAX;

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
        let mut stages = vec![one(Kernel::GatherBatch, self.gather_batch(pass))];
        for at in 0..self.network.layers.len() {
            self.layer(at, pass, &mut stages);
        }
        stages.push(one(Kernel::SoftmaxCrossEntropy, self.softmax(pass)));
        stages
    }

    fn layer(&self, at: usize, pass: Pass, stages: &mut Vec<Stage>) {
        let layer = &self.network.layers[at];
        let (input, output) = (self.output(layer.sources[0]), self.layout.outputs[at]);
        match layer.operation {
            Operation::Conv { activation, .. } => {
                let shape = conv_shape(layer).expect("a convolution");
                let job = self.conv_forward(at, shape, input, activation);
                stages.push(Stage { kernel: Kernel::Product, jobs: vec![Job::Product(job)] });
                activate(activation, output, stages);
            }
            Operation::Dense { activation } => self.dense_forward(at, input, activation, stages),
            Operation::MaxPool { window } => {
                let argmax = self.layout.argmax[at].expect("a max-pooling has winners");
                let job = ElementsJob::new(output.shape()).a(input).b(output).c(argmax);
                stages.push(one(Kernel::MaxpoolForward, windows(job, window, input)));
            }
            Operation::AvgPool { window } => {
                let job = ElementsJob::new(output.shape()).a(input).b(output);
                stages.push(one(Kernel::AvgpoolForward, windows(job, window, input)));
            }
            Operation::Dropout { rate } if rate > 0.0 && pass == Pass::Train => {
                stages.push(one(Kernel::Dropout, self.dropout(at, rate, input, output)));
            }
            Operation::Dropout { .. } => stages.push(one(Kernel::Concat, copy(input, output))),
            Operation::BatchNorm { decay, epsilon, activation } => {
                let factors = [decay, epsilon].map(bits);
                if pass == Pass::Train {
                    self.batch_statistics(at, input, factors, stages);
                }
                let job = self.normalise(at, [input, output], pass, factors[1], activation);
                stages.push(one(Kernel::BatchnormForward, job));
            }
            Operation::Add { activation } => {
                let mut sum = input;
                for (nth, source) in layer.sources.iter().enumerate().skip(1) {
                    let is_last = nth + 1 == layer.sources.len();
                    let function = if is_last { activation } else { Activation::Linear };
                    let job = ElementsJob::new(output.shape()).a(sum).b(self.output(*source));
                    let job = job.c(output).numbers(0, [number(function), 0, 0, 0]);
                    stages.push(one(Kernel::Add, job));
                    sum = output;
                }
            }
            Operation::Concat => {
                let mut first = 0;
                let jobs = layer.sources.iter().map(|source| {
                    let source = self.output(*source);
                    let into = output.channels(first, source.channels);
                    first += source.channels;
                    Job::Elements(copy(source, into))
                });
                stages.push(Stage { kernel: Kernel::Concat, jobs: jobs.collect() });
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
    pub(super) fn stepping(&self, job: ElementsJob, pass: Pass) -> ElementsJob {
        let next = self.layout.steps.get(pass.at() + 1);
        let end = next.copied().unwrap_or(self.layout.end.steps);
        job.reaching(Memory::Steps, u64::from(end) * 32)
    }

    fn gather_batch(&self, pass: Pass) -> ElementsJob {
        let (order, data) = (self.order(pass), self.data);
        let numbers = [self.layout.steps[pass.at()], order, data.first[pass.at()], data.in_first];
        let job = ElementsJob::new(self.layout.images.shape()).c(self.layout.images);
        let job = job.numbers(0, numbers).numbers(1, [0; 4]);
        let job = job.reaching(Memory::Dataset, data.dataset_bytes);
        self.stepping(job, pass).reaching(Memory::Orders, u64::from(self.layout.end.orders) * 4)
    }

    fn order(&self, pass: Pass) -> u32 {
        if pass == Pass::Train { self.layout.orders } else { NO_ORDER }
    }

    fn softmax(&self, pass: Pass) -> ElementsJob {
        let last = self.network.layers.len() - 1;
        let logits = self.layout.outputs[last];
        let [steps, results] = [self.layout.steps, self.layout.results].map(|of| of[pass.at()]);
        let first = [steps, self.order(pass), self.data.first[pass.at()], self.data.labels];
        let wants_gradient = u32::from(pass == Pass::Train);
        let mut job = ElementsJob::new(logits.shape()).a(logits);
        if let Some(gradient) = self.layout.gradients[last].filter(|_| pass == Pass::Train) {
            job = job.b(gradient);
        }
        let losses = losses_at(self.network.classes);
        let job = job.numbers(0, first).numbers(1, [results, losses, wants_gradient, 0]);
        let job = job
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
            Job::Product(ProductJob {
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
            })
        };
        let jobs = (0..).zip(chunks).map(product).collect();
        stages.push(Stage { kernel: Kernel::Product, jobs });
        if further == 0 {
            activate(activation, output, stages);
            return;
        }
        let job = ElementsJob::new(output.shape()).a(output).b(partial(0)).c(output);
        let job = job.numbers(0, [number(activation), further - 1, step, 0]);
        let end = partial(further - 1).end();
        stages.push(one(Kernel::Add, job.reaching(Memory::Values, end * 64)));
    }

    /// The gradient of a convolution's weights, block by block of groups: `d_output` is the
    /// gradient before the activation.
    pub(super) fn correlations(
        &self,
        at: usize,
        shape: ConvShape,
        input: Tensor,
        d_output: Tensor,
    ) -> impl Iterator<Item = Job> {
        let weights = self.weights(at);
        let [group, row, column] = input.steps;
        let [kernel, stride] = [shape.kernel, shape.stride].map(count);
        let at_once = count(shape.groups_at_once());
        (0..weights.blocks).map(move |block| {
            let first = block * at_once;
            Job::Correlation(CorrelationJob {
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
            })
        })
    }

    pub(super) fn dropout(&self, at: usize, rate: f64, from: Tensor, to: Tensor) -> ElementsJob {
        // Kept are words from rate x 2^32 on, and so those above one less; a rate is above 0.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates lie between 0 and 1; activations are f32"
        )]
        let (threshold, factor) =
            ((rate * 4_294_967_296.0).ceil() as u64 - 1, (1.0 / (1.0 - rate)) as f32);
        let threshold = u32::try_from(threshold).expect("a rate is below 1");
        let [first, second] = self.streams.dropout(at).0;
        let job = ElementsJob::new(to.shape()).a(from).c(to);
        let job = job.numbers(0, [first, second, threshold, factor.to_bits()]);
        let job = job.numbers(1, [self.layout.steps[0], 0, 0, 0]);
        self.stepping(job, Pass::Train)
    }
}

pub(super) fn one(kernel: Kernel, job: ElementsJob) -> Stage {
    Stage { kernel, jobs: vec![Job::Elements(job)] }
}

pub(super) fn copy(from: Tensor, to: Tensor) -> ElementsJob {
    ElementsJob::new(to.shape()).a(from).c(to)
}

/// A function that no product applies by itself.
fn activate(activation: Activation, output: Tensor, stages: &mut Vec<Stage>) {
    if !matches!(activation, Activation::Linear | Activation::Relu) {
        let job = ElementsJob::new(output.shape()).a(output);
        let job = job.numbers(0, [number(activation), 0, 0, 0]);
        stages.push(one(Kernel::Activation, job));
    }
}

/// A pooling's windows; `other`: the input forward, the output backward.
pub(super) fn windows(job: ElementsJob, window: Window, other: Tensor) -> ElementsJob {
    let [height, width, stride] = [window.height, window.width, window.stride].map(count);
    let [above, left] = window.before.map(count);
    let job = job.numbers(0, [height, width, stride, 0]);
    job.numbers(1, [above, left, other.rows, other.columns])
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

/// The number of a function in `shaders/shared/activation.wgsl`.
pub(super) fn number(activation: Activation) -> u32 {
    match activation {
        Activation::Linear => 0,
        Activation::Relu => 1,
        Activation::LeakyRelu => 2,
        Activation::Elu => 3,
        Activation::Tanh => 4,
        Activation::Sigmoid => 5,
    }
}

/// The bits of a factor.
fn bits(factor: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
    let factor = factor as f32;
    factor.to_bits()
}

/// The function that a layer ends with.
pub(super) fn activation_of(layer: &PlannedLayer) -> Activation {
    match layer.operation {
        Operation::Conv { activation, .. }
        | Operation::Dense { activation }
        | Operation::BatchNorm { activation, .. }
        | Operation::Add { activation } => activation,
        _ => Activation::Linear,
    }
}
