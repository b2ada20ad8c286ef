//! Sums over the channels of a batch, and batch normalisation.

use bytemuck::Zeroable;

use super::kernels::activation::number;
use super::kernels::channel_sums::{self, Term, blocks};
use super::kernels::elements::ElementsJob;
use super::kernels::reduce_partials::{self, Purpose};
use super::kernels::tensor::Tensor;
use super::kernels::{Memory, Stage, batchnorm_forward};
use super::program::{Pass, Plan};
use crate::model::Activation;

impl Plan<'_> {
    pub(super) fn normalise(
        &self,
        at: usize,
        [input, output]: [Tensor; 2],
        pass: Pass,
        epsilon: f32,
        activation: Activation,
    ) -> ElementsJob<batchnorm_forward::Record> {
        let norm = self.norm(at);
        let is_running = pass != Pass::Train;
        let [mean, spread] = if is_running {
            [norm.running_mean, norm.running_variance]
        } else {
            [norm.mean, norm.spread]
        };
        let record = batchnorm_forward::Record {
            shape: output.shape(),
            a: input.place(),
            c: output.place(),
            scale: norm.scale,
            shift: norm.shift,
            mean,
            spread,
            function: number(activation),
            is_variance: is_running.into(),
            epsilon,
            reserved_0: 0,
        };
        let job = ElementsJob::new(record).on([input, output]);
        job.reaching(Memory::Weights, norm.weights_end)
    }

    /// Where the numbers of a batch normalisation lie, counted in f32.
    pub(super) fn norm(&self, at: usize) -> Norm {
        let own = self.parameters(at);
        let values = own.biases.expect("a normalisation has scales and shifts");
        let row = values.row() * 4;
        let [scale, statistics] = [values.at * 4, own.statistics * 4];
        let ends = [scale + 2 * row, statistics + 4 * row];
        Norm {
            scale,
            shift: scale + row,
            mean: statistics,
            spread: statistics + row,
            running_mean: statistics + 2 * row,
            running_variance: statistics + 3 * row,
            d_scale: values.gradient * 4,
            d_shift: values.gradient * 4 + row,
            weights_end: u64::from(ends[0].max(ends[1])) * 4,
            gradients_end: u64::from(values.gradient * 4 + 2 * row) * 4,
        }
    }

    pub(super) fn batch_statistics(
        &self,
        at: usize,
        input: Tensor,
        [decay, epsilon]: [f32; 2],
        stages: &mut Vec<Stage>,
    ) {
        let norm = self.norm(at);
        let both = [
            (Term::Plain, Purpose::Mean, norm.mean, norm.running_mean),
            (Term::Squares, Purpose::Spread, norm.spread, norm.running_variance),
        ];
        for (term, purpose, statistic, running) in both {
            let sums = Sums { term, mean: norm.mean, partials: self.parameters(at).partials[0] };
            let job = self.channel_sums(input, None, sums, true);
            stages.push(Stage::one(&channel_sums::KERNEL, job));
            let mut job = self.reduce(input, sums.partials, purpose, 0);
            let record = &mut job.record;
            (record.statistic, record.running) = (statistic, running);
            (record.decay, record.epsilon) = (decay, epsilon);
            let job = job.reaching(Memory::Weights, norm.weights_end);
            stages.push(Stage::one(&reduce_partials::KERNEL, job));
        }
    }

    /// Sums over the rows of each channel of `a`.
    pub(super) fn channel_sums(
        &self,
        a: Tensor,
        b: Option<Tensor>,
        sums: Sums,
        leaves_out_blanks: bool,
    ) -> ElementsJob<channel_sums::Record> {
        let Sums { term, mean, partials } = sums;
        let record = channel_sums::Record {
            shape: a.shape(),
            a: a.place(),
            b: b.map_or([0; 4], Tensor::place),
            term: term as u32,
            mean,
            partials,
            first_step: self.layout.steps[0],
            leaves_out_blanks: leaves_out_blanks.into(),
            ..Zeroable::zeroed()
        };
        let job = ElementsJob::new(record).on([a].into_iter().chain(b));
        let job = job.reaching(Memory::Gradients, partials_end(a, partials));
        let means = if term == Term::Plain { 0 } else { u64::from(mean + a.channels) * 4 };
        self.stepping(job, Pass::Train).reaching(Memory::Weights, means)
    }

    /// Finishes the sums over `a`; `out`: where they go in the gradients, in f32.
    pub(super) fn reduce(
        &self,
        a: Tensor,
        partials: u32,
        purpose: Purpose,
        out: u32,
    ) -> ElementsJob<reduce_partials::Record> {
        let positions = a.rows * a.columns;
        let record = reduce_partials::Record {
            positions,
            channels: a.channels,
            purpose: purpose as u32,
            partials,
            blocks: blocks(a.groups * positions),
            out,
            first_step: self.layout.steps[0],
            ..Zeroable::zeroed()
        };
        let end = partials_end(a, partials).max(u64::from(out + a.channels) * 4);
        self.stepping(ElementsJob::new(record), Pass::Train).reaching(Memory::Gradients, end)
    }
}

fn partials_end(a: Tensor, partials: u32) -> u64 {
    let blocks = blocks(a.groups * a.rows * a.columns);
    u64::from(partials + blocks * a.channels * 4) * 16
}

/// What `channel_sums` adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) term: Term,
    /// Where the means lie, in f32.
    pub(super) mean: u32,
    /// Where the blocks' sums go, in fours.
    pub(super) partials: u32,
}

/// Places of a batch normalisation's numbers; ends in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm {
    pub(super) scale: u32,
    pub(super) shift: u32,
    pub(super) mean: u32,
    pub(super) spread: u32,
    pub(super) running_mean: u32,
    pub(super) running_variance: u32,
    pub(super) d_scale: u32,
    pub(super) d_shift: u32,
    pub(super) weights_end: u64,
    pub(super) gradients_end: u64,
}
