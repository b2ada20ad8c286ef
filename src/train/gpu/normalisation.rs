//! Sums over the channels of a batch, and batch normalisation.

use super::elements::{ElementsJob, Tensor, blocks};
use super::kernels::{Kernel, Memory, Stage};
use super::program::{Pass, Plan, number, one};
use crate::model::Activation;

impl Plan<'_> {
    pub(super) fn normalise(
        &self,
        at: usize,
        [input, output]: [Tensor; 2],
        pass: Pass,
        epsilon: u32,
        activation: Activation,
    ) -> ElementsJob {
        let norm = self.norm(at);
        let is_running = pass != Pass::Train;
        let [mean, spread] = if is_running {
            [norm.running_mean, norm.running_variance]
        } else {
            [norm.mean, norm.spread]
        };
        let job = ElementsJob::new(output.shape()).a(input).c(output);
        let job = job.numbers(0, [norm.scale, norm.shift, mean, spread]);
        let job = job.numbers(1, [number(activation), u32::from(is_running), epsilon, 0]);
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
        [decay, epsilon]: [u32; 2],
        stages: &mut Vec<Stage>,
    ) {
        let norm = self.norm(at);
        let both = [
            (Term::Plain, Purpose::Mean, norm.mean, norm.running_mean),
            (Term::Squares, Purpose::Spread, norm.spread, norm.running_variance),
        ];
        for (term, purpose, statistic, running) in both {
            let sums = Sums { term, mean: norm.mean, partials: self.parameters(at).partials[0] };
            stages.push(one(Kernel::ChannelSums, self.channel_sums(input, None, sums, true)));
            let partials = self.parameters(at).partials[0];
            let job = self.reduce(input, partials, purpose, 0);
            let job = job.numbers(1, [self.layout.steps[0], statistic, running, 0]);
            let job = job.numbers(2, [decay, epsilon, 0, 0]);
            let job = job.reaching(Memory::Weights, norm.weights_end);
            stages.push(one(Kernel::ReducePartials, job));
        }
    }

    /// Sums over the rows of each channel of `a`.
    pub(super) fn channel_sums(
        &self,
        a: Tensor,
        b: Option<Tensor>,
        sums: Sums,
        leaves_out_blanks: bool,
    ) -> ElementsJob {
        let Sums { term, mean, partials } = sums;
        let mut job = ElementsJob::new(a.shape()).a(a);
        if let Some(b) = b {
            job = job.b(b);
        }
        let numbers = [term as u32, mean, partials, self.layout.steps[0]];
        let job = job.numbers(0, numbers).numbers(1, [u32::from(leaves_out_blanks), 0, 0, 0]);
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
    ) -> ElementsJob {
        let positions = a.rows * a.columns;
        let job = ElementsJob::new([1, 1, positions, a.channels]);
        let blocks = blocks(a.groups * positions);
        let job = job.numbers(0, [purpose as u32, partials, blocks, out]);
        let job = job.numbers(1, [self.layout.steps[0], 0, 0, 0]);
        let end = partials_end(a, partials).max(u64::from(out + a.channels) * 4);
        self.stepping(job, Pass::Train).reaching(Memory::Gradients, end)
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

/// Terms of `channel_sums`, as its shader numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    Plain,
    Squares,
    Along,
}

/// What `reduce_partials` does with a sum, as its shader numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Gradient,
    Scale,
    Mean,
    Spread,
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
