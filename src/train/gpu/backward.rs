//! The backward half of a step: from the gradient of the loss to new weights.
//!
//! Gradients flow layer by layer; those of the weights, which nobody waits for, are worked out at
//! the end, of all layers at once.

use bytemuck::Zeroable;

use super::frames::phases;
use super::kernels::channel_sums::Term;
use super::kernels::correlation::{CORRELATION, CorrelationJob};
use super::kernels::elements::ElementsJob;
use super::kernels::product::{DENSE_GRADIENT, PRODUCT, ProductJob};
use super::kernels::reduce_partials::Purpose;
use super::kernels::tensor::{Tensor, count};
use super::kernels::{
    Memory, Stage, activation_backward, add, avgpool_backward, batchnorm_backward, channel_sums,
    concat, maxpool_backward, optimizer_step, reduce_partials, transpose, transpose_weights,
};
use super::layout::Matrix;
use super::normalisation::Sums;
use super::program::{Pass, Plan, rows_of};
use crate::graph::LANES;
use crate::graph::conv_shape::ConvShape;
use crate::graph::conv_shape::conv_shape;
use crate::graph::optimizer::OptimizerStep;
use crate::model::{Activation, Operation, Source};

/// The backward half of one network's step, on its way.
pub(super) struct Backward<'a> {
    plan: &'a Plan<'a>,
    stages: &'a mut Vec<Stage>,
    /// What waits for the end.
    correlations: Vec<CorrelationJob>,
    inputs: Vec<ElementsJob<transpose::Record>>,
    by_units: Vec<ElementsJob<transpose::Record>>,
    dense_gradients: Vec<ProductJob>,
    sums: Vec<ElementsJob<channel_sums::Record>>,
    reductions: Vec<ElementsJob<reduce_partials::Record>>,
    transposed: Vec<ElementsJob<transpose_weights::Record>>,
    updates: Vec<ElementsJob<optimizer_step::Record>>,
}

impl<'a> Backward<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, stages: &'a mut Vec<Stage>) -> Self {
        Self {
            plan,
            stages,
            correlations: Vec::new(),
            inputs: Vec::new(),
            by_units: Vec::new(),
            dense_gradients: Vec::new(),
            sums: Vec::new(),
            reductions: Vec::new(),
            transposed: Vec::new(),
            updates: Vec::new(),
        }
    }

    /// Adds its stages, and puts the weights into the backward pass's order before all others.
    pub(super) fn add(mut self) {
        for at in (0..self.plan.network.layers.len()).rev() {
            self.layer(at);
        }
        for at in 0..self.plan.network.layers.len() {
            self.updates(at);
        }
        let late = [
            Stage::many(&CORRELATION, self.correlations),
            Stage::many(&transpose::INPUTS, self.inputs),
            Stage::many(&transpose::GRADIENTS, self.by_units),
            Stage::many(&DENSE_GRADIENT, self.dense_gradients),
            Stage::many(&channel_sums::KERNEL, self.sums),
            Stage::many(&reduce_partials::KERNEL, self.reductions),
            Stage::many(&optimizer_step::KERNEL, self.updates),
        ];
        self.stages.extend(late.into_iter().filter(|stage| !stage.jobs.is_empty()));
        if !self.transposed.is_empty() {
            let first = Stage::many(&transpose_weights::KERNEL, self.transposed);
            self.stages.insert(0, first);
        }
    }

    fn layer(&mut self, at: usize) {
        let plan = self.plan;
        let (layer, wires) = (&plan.network.layers[at], &plan.wiring.layers[at]);
        if wires.buffer.is_none() || wires.partner.is_some_and(|partner| partner < at) {
            return;
        }
        let pool = wires.partner;
        let held = pool.unwrap_or(at);
        let gradient = plan.layout.gradients[held].expect("it is needed");
        let function = layer.activation();
        if function != Activation::Linear {
            let output = plan.layout.outputs[held];
            let job = activation_backward::job([output, gradient], function);
            self.stages.push(Stage::one(&activation_backward::KERNEL, job));
        }
        self.biases(at, gradient);
        let d_output = match pool {
            Some(pool) => self.unpooled(at, pool, gradient),
            None => gradient,
        };
        let mut first_channel = 0;
        for part in &wires.parts {
            let input = plan.output(part.source);
            let into = part.target.map(|target| self.target(part.source, target.accumulates));
            self.part(at, [input, d_output.channels(first_channel, d_output.channels)], into);
            if let (Some(into), Some(true)) = (into, part.target.map(|t| t.accumulates)) {
                let sum = self.gradient_of(part.source);
                let job = add::job([sum, into, sum], Activation::Linear);
                self.stages.push(Stage::one(&add::KERNEL, job));
            }
            if layer.operation == Operation::Concat {
                first_channel += count(part.shape.channels);
            }
        }
    }

    /// Where the gradient of a source is summed.
    fn gradient_of(&self, source: Source) -> Tensor {
        let Source::Layer(at) = source else { unreachable!("images need no gradient") };
        self.plan.layout.gradients[at].expect("it is needed")
    }

    /// Where a gradient of a source goes: to its place, or to that of what joins it.
    fn target(&self, source: Source, accumulates: bool) -> Tensor {
        let own = self.gradient_of(source);
        if !accumulates {
            return own;
        }
        let row = own.columns * own.channels;
        let steps = [own.rows * row, row, own.channels];
        Tensor { start: self.plan.layout.spare, steps, ..own }
    }

    /// The gradient of the output of a convolution from that of its pooling's.
    fn unpooled(&mut self, at: usize, pool: usize, gradient: Tensor) -> Tensor {
        let plan = self.plan;
        let Operation::MaxPool { window } = plan.network.layers[pool].operation else {
            unreachable!("a convolution's partner is a max-pooling")
        };
        let (argmax, to) = (plan.layout.argmax[pool], plan.layout.outputs[at]);
        let argmax = argmax.expect("a max-pooling has winners");
        let job = maxpool_backward::job([gradient, argmax, to], window);
        self.stages.push(Stage::one(&maxpool_backward::KERNEL, job));
        to
    }

    /// The gradients of one thing that a layer reads, and of its weights. `d_output` begins at that
    /// thing's first channel of a concatenation.
    fn part(&mut self, at: usize, [input, d_output]: [Tensor; 2], into: Option<Tensor>) {
        let plan = self.plan;
        let layer = &plan.network.layers[at];
        match layer.operation {
            Operation::Conv { .. } => {
                let shape = conv_shape(layer).expect("a convolution");
                self.correlations.extend(plan.correlations(at, shape, input, d_output));
                if let Some(into) = into {
                    self.conv_backward_input(at, shape, d_output, into);
                }
            }
            Operation::Dense { .. } => {
                self.dense_backward_weight(at, input, d_output);
                if let Some(into) = into {
                    self.dense_backward_input(at, d_output, into);
                }
            }
            Operation::BatchNorm { .. } => self.batchnorm(at, [input, d_output], into),
            _ => {
                let Some(into) = into else { return };
                self.pass_through(at, d_output, into);
            }
        }
    }

    /// Of layers without weights.
    fn pass_through(&mut self, at: usize, d_output: Tensor, into: Tensor) {
        let plan = self.plan;
        let stage = match plan.network.layers[at].operation {
            Operation::MaxPool { window } => {
                let argmax = plan.layout.argmax[at].expect("a max-pooling has winners");
                let job = maxpool_backward::job([d_output, argmax, into], window);
                Stage::one(&maxpool_backward::KERNEL, job)
            }
            Operation::AvgPool { window } => {
                let job = avgpool_backward::job([d_output, into], window);
                Stage::one(&avgpool_backward::KERNEL, job)
            }
            Operation::Dropout { rate } if rate > 0.0 => plan.dropout(at, rate, [d_output, into]),
            _ => {
                let from = d_output.channels(0, into.channels);
                Stage::one(&concat::KERNEL, concat::copy(from, into))
            }
        };
        self.stages.push(stage);
    }

    fn conv_backward_input(&mut self, at: usize, shape: ConvShape, d: Tensor, into: Tensor) {
        let own = self.plan.parameters(at);
        let weights = own.weights.expect("a convolution has weights");
        let [filters, channels, stride] = [shape.filters, shape.channels, shape.stride].map(count);
        let before = count(shape.kernel.div_ceil(shape.stride) - 1);
        let frame = d.start - before * (d.steps[1] + d.steps[2]);
        let mut transposed = own.transposed;
        let mut jobs = Vec::new();
        for phase in phases(shape) {
            let [rows, columns] = phase.taps.map(count);
            let [first, begin, places] =
                [phase.first, phase.begin, phase.count].map(|p| p.map(count));
            jobs.push(ProductJob {
                x: frame + begin[0] * d.steps[1] + begin[1] * d.steps[2],
                out: into.start + first[0] * into.steps[1] + first[1] * into.steps[2],
                weights: transposed,
                bias: None,
                taps: rows,
                run: columns * filters,
                tap_step: d.steps[1],
                filters: channels,
                places: [d.groups, places[0], places[1]],
                x_steps: d.steps,
                out_steps: [into.steps[0], stride * into.steps[1], stride * into.steps[2]],
                out_filter: 1,
                rectify: false,
            });
            let [y, x] = phase.remainder.map(count);
            let kernel = [count(shape.kernel), stride, y, x];
            let shape_of = [rows, columns, filters, channels];
            self.transposed.push(transpose_weights(weights, 0, shape_of, transposed, kernel));
            transposed += phase.fours(shape);
        }
        if shape.kernel < shape.stride && into.start == self.plan.layout.spare {
            // Between the windows nothing is written, and the room may hold something else.
            self.stages.push(Stage::one(&concat::KERNEL, concat::zero(into)));
        }
        self.stages.push(Stage::many(&PRODUCT, jobs));
    }

    fn dense_backward_input(&mut self, at: usize, d: Tensor, into: Tensor) {
        let own = self.plan.parameters(at);
        let weights = own.weights.expect("a dense layer has weights");
        let layer = &self.plan.network.layers[at];
        let units = count(layer.output.channels);
        let (rows, run, row_step) = rows_of(into);
        let jobs = (0..rows).map(|row| {
            let transposed = own.transposed + row * units * run.div_ceil(4);
            let shape = [1, 1, units, run];
            let kernel = [1, 1, 0, 0];
            self.transposed.push(transpose_weights(weights, row * run, shape, transposed, kernel));
            ProductJob {
                x: d.start,
                out: into.start + row * row_step,
                weights: transposed,
                bias: None,
                taps: 1,
                run: units,
                tap_step: units,
                filters: run,
                places: [d.groups, 1, 1],
                x_steps: [d.steps[0], 0, 0],
                out_steps: [into.steps[0], 0, 0],
                out_filter: 1,
                rectify: false,
            }
        });
        let stage = Stage::many(&PRODUCT, jobs);
        self.stages.push(stage);
    }

    /// A product in which units lie side by side and images follow each other.
    fn dense_backward_weight(&mut self, at: usize, input: Tensor, d: Tensor) {
        let own = self.plan.parameters(at);
        let weights = own.weights.expect("a dense layer has weights");
        let images = d.groups * count(LANES);
        let inputs = input.len().div_ceil(4);
        let job = transpose::job(input, [own.inputs, inputs, 4, inputs]);
        let end = u64::from(own.inputs + images * inputs) * 16;
        self.inputs.push(job.reaching(Memory::Columns, end));
        let vectors = weights.gradient_row / 4;
        let job = transpose::job(d, [own.by_units, 4, images * 4, vectors * 4]);
        let end = u64::from(own.by_units + images * vectors * 4) * 16;
        self.by_units.push(job.reaching(Memory::Gradients, end));
        self.dense_gradients.push(ProductJob {
            x: own.by_units / 4,
            out: weights.gradient / 4,
            weights: own.inputs,
            bias: None,
            taps: 1,
            run: images,
            tap_step: images,
            filters: input.len(),
            places: [1, 1, vectors],
            x_steps: [0, 0, images],
            out_steps: [0, 0, 1],
            out_filter: vectors,
            rectify: false,
        });
    }

    /// Sums of a convolution's or dense layer's gradient, which may wait.
    fn biases(&mut self, at: usize, gradient: Tensor) {
        let plan = self.plan;
        let own = plan.parameters(at);
        let Some(biases) = own.biases else { return };
        if matches!(plan.network.layers[at].operation, Operation::BatchNorm { .. }) {
            return;
        }
        let sums = Sums { term: Term::Plain, mean: 0, partials: own.partials[0] };
        self.sums.push(plan.channel_sums(gradient, None, sums, false));
        let out = biases.gradient * 4;
        let job = plan.reduce(gradient, own.partials[0], Purpose::Gradient, out);
        self.reductions.push(job);
    }

    fn batchnorm(&mut self, at: usize, [input, d]: [Tensor; 2], into: Option<Tensor>) {
        let plan = self.plan;
        let (norm, partials) = (plan.norm(at), plan.parameters(at).partials);
        let shift = Sums { term: Term::Plain, mean: 0, partials: partials[0] };
        let scale = Sums { term: Term::Along, mean: norm.mean, partials: partials[1] };
        let sums = [
            plan.channel_sums(d, None, shift, true),
            plan.channel_sums(d, Some(input), scale, true),
        ];
        self.stages.push(Stage::many(&channel_sums::KERNEL, sums));
        let mut scale = plan.reduce(d, partials[1], Purpose::Scale, norm.d_scale);
        scale.record.statistic = norm.spread;
        let reductions = [
            plan.reduce(d, partials[0], Purpose::Gradient, norm.d_shift),
            scale.reaching(Memory::Weights, norm.weights_end),
        ];
        self.stages.push(Stage::many(&reduce_partials::KERNEL, reductions));
        let Some(into) = into else { return };
        let record = batchnorm_backward::Record {
            shape: into.shape(),
            a: input.place(),
            b: d.place(),
            c: into.place(),
            scale: norm.scale,
            mean: norm.mean,
            spread: norm.spread,
            d_scale: norm.d_scale,
            d_shift: norm.d_shift,
            first_step: plan.layout.steps[0],
            ..Zeroable::zeroed()
        };
        let job = ElementsJob::new(record).on([input, d, into]);
        let job = job.reaching(Memory::Weights, norm.weights_end);
        let job = plan.stepping(job.reaching(Memory::Gradients, norm.gradients_end), Pass::Train);
        self.stages.push(Stage::one(&batchnorm_backward::KERNEL, job));
    }

    fn updates(&mut self, at: usize) {
        let plan = self.plan;
        let own = plan.parameters(at);
        #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
        let l2 = plan.recipe.l2 as f32;
        for matrix in own.weights.iter().chain(&own.biases) {
            let l2 = if matrix.is_decaying { l2 } else { 0.0 };
            self.updates.push(self.update(*matrix, l2));
        }
    }

    fn update(&self, matrix: Matrix, l2: f32) -> ElementsJob<optimizer_step::Record> {
        let plan = self.plan;
        let (rule, factors) = OptimizerStep::new(plan.recipe, 1, 1).rule();
        let fours = matrix.rows * matrix.row();
        let record = optimizer_step::Record {
            weights: matrix.at,
            row: matrix.row(),
            fours,
            columns: matrix.columns,
            gradient: matrix.gradient,
            gradient_row: matrix.gradient_row,
            blocks: matrix.blocks,
            block: matrix.block,
            moment_1: matrix.moments[0],
            moment_2: matrix.moments[1],
            first_step: plan.layout.steps[0],
            results: plan.layout.results[0],
            rule,
            l2,
            factors,
            ..Zeroable::zeroed()
        };
        let moments = matrix.moments[1].max(matrix.moments[0]);
        let gradients = matrix.gradient + matrix.blocks * matrix.block;
        let job = ElementsJob::new(record)
            .reaching(Memory::Weights, u64::from(matrix.at + fours) * 16)
            .reaching(Memory::Moments, u64::from(moments + fours) * 16)
            .reaching(Memory::Gradients, u64::from(gradients) * 16)
            .reaching(Memory::Results, u64::from(plan.layout.results[0] + 1) * 4);
        plan.stepping(job, Pass::Train)
    }
}

/// Weights from input `first` on in the order of the backward pass: `shape` are rows and columns of
/// the kernel, filters and channels; `kernel` its size, stride and remainders.
fn transpose_weights(
    weights: Matrix,
    first: u32,
    [rows, columns, filters, channels]: [u32; 4],
    transposed: u32,
    [kernel, stride, y, x]: [u32; 4],
) -> ElementsJob<transpose_weights::Record> {
    let (row, fours) = (weights.row() * 4, channels.div_ceil(4));
    let record = transpose_weights::Record {
        rows,
        columns,
        filters,
        channels,
        out: transposed * 4,
        weights: weights.at * 4 + first * row,
        row,
        fours,
        kernel,
        stride,
        y,
        x,
    };
    let written = transposed + rows * columns * filters * fours;
    let end = written.max(weights.at + weights.rows * weights.row());
    ElementsJob::new(record).reaching(Memory::Weights, u64::from(end) * 16)
}
