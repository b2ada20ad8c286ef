//! Sums over channels and batch normalisation against their twins: `channel_sums`,
//! `reduce_partials`, `batchnorm_forward` and `batchnorm_backward`.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use super::elements::{ElementsJob, Tensor, blocks};
use super::kernels::{Kernel, Memory};
use super::lot::{Lot, shape};
use super::twin::{self, Random};
use crate::cpu::batchnorm_backward::batchnorm_backward;
use crate::cpu::batchnorm_forward::{BatchNorm, Statistics};
use crate::cpu::channel_sums::channel_sums;
use crate::cpu::lanes::{LANES, Lanes, Level};
use crate::cpu::reduce_partials::{finish, join};
use crate::model::Activation;

const BLOCK_ROWS: usize = 256;

/// Images of a batch, of which the last group may have one alone or lack some.
fn images(random: &mut Random, groups: u32) -> u32 {
    groups * 16 - [0, 15, 3][random.count(0, 2) as usize]
}

/// What `channel_sums` adds up.
fn term(number: u32, x: f32, y: f32, mean: f32) -> f32 {
    match number {
        0 => x,
        1 => (x - mean) * (x - mean),
        _ => x * (y - mean),
    }
}

/// Sums a channel: (blocks, channels), with the sums of the magnitudes.
fn partials(
    number: u32,
    [a, b]: [&[Lanes]; 2],
    means: &[f32],
    counted: impl Fn(usize, usize) -> bool,
) -> [Vec<Lanes>; 2] {
    let channels = means.len();
    let rows = a.len() / channels;
    let [mut sums, mut sizes] =
        [(); 2].map(|()| vec![Lanes::ZERO; rows.div_ceil(BLOCK_ROWS) * channels]);
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        let (row, channel) = (at / channels, at % channels);
        let block = row / BLOCK_ROWS * channels + channel;
        for lane in (0..LANES).filter(|lane| counted(row, *lane)) {
            let value = term(number, a.0[lane], b.0[lane], means[channel]);
            sums[block].0[lane] += value;
            sizes[block].0[lane] += value.abs();
        }
    }
    [sums, sizes]
}

#[test]
fn channel_sums_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(31), Lot::new(Kernel::ChannelSums));
    let mut whole = Vec::new();
    for at in 0..36 {
        let (number, groups) = (at % 3, random.count(1, 3));
        // Some have several blocks, which begin and end within a group.
        let mut shape = shape(&mut random);
        if at % 6 > 3 {
            shape = [random.count(11, 19), random.count(11, 19), random.count(1, 5)];
        }
        let (images, is_masked) = (images(&mut random, groups), number > 0 || at % 2 == 1);
        let (a, xs) = lot.tensor(&mut random, groups, shape);
        let (b, ys) = lot.tensor(&mut random, groups, shape);
        let means: Vec<f32> = (0..shape[2]).map(|_| random.number()).collect();
        let mean = lot.numbers(Memory::Weights, &means);
        let step = lot.step(!0, images, !0, [0.0; 2]);
        let count = blocks(groups * shape[0] * shape[1]) * shape[2];
        let out = lot.numbers(Memory::Gradients, &vec![f32::NAN; 16 * count as usize]);
        let job = ElementsJob::new(a.shape()).a(a).b(b).numbers(0, [number, mean, out / 4, step]);
        lot.add(job.numbers(1, [u32::from(is_masked), !0, !0, !0]));
        let positions = (shape[0] * shape[1]) as usize;
        let counted = |row: usize, lane: usize| {
            !is_masked || row / positions * LANES + lane < images as usize
        };
        let [sums, sizes] = partials(number, [&xs, &ys], &means, counted);
        let [sums, sizes]: [&[f32]; 2] = [&sums, &sizes].map(|lanes| bytemuck::cast_slice(lanes));
        // A term may be rounded once or up to three times.
        let rounding = BLOCK_ROWS as f32 * 6e-8;
        let tolerance = |at: usize, _| if number == 0 { 0.0 } else { rounding * sizes[at] };
        lot.expect_numbers(Memory::Gradients, out, sums, tolerance);
        let real = if is_masked { images } else { groups * 16 };
        whole.push((number, real, means, [xs, ys], out));
    }
    let found = lot.check(&gpu, 0..1).remove(&Memory::Gradients).unwrap();
    for (number, images, means, [xs, ys], out) in whole {
        let blocks = xs.len().div_ceil(means.len() * BLOCK_ROWS).max(1);
        let rows = xs.len() / means.len();
        let words = &found[out as usize..][..rows.div_ceil(BLOCK_ROWS) * means.len() * LANES];
        let partials: Vec<Lanes> = bytemuck::pod_collect_to_vec(words);
        let mut total = vec![Lanes::ZERO; means.len()];
        partials.chunks_exact(means.len()).for_each(|block| join(block, &mut total));
        let [mut sums, mut twin, mut sizes] = [(); 3].map(|()| vec![0.0; means.len()]);
        finish(&total, &mut sums);
        let both = [&xs[..], &ys[..]];
        let add = |sums: &mut [f32], of: &dyn Fn(f32, f32, f32) -> f32| {
            channel_sums(Level::best(), images as usize, &means, both, sums, of);
        };
        add(&mut twin, &|x, y, mean| term(number, x, y, mean));
        add(&mut sizes, &|x, y, mean| term(number, x, y, mean).abs());
        for ((sum, twin), size) in sums.iter().zip(&twin).zip(&sizes) {
            // The twin begins a block with the group that lacks images.
            let is_exact = number == 0 && images % 16 == 0;
            let tolerance = if is_exact { 0.0 } else { (BLOCK_ROWS + blocks) as f32 * 6e-8 * size };
            assert!((sum - twin).abs() <= tolerance, "{number}: {sum}, not {twin} +- {tolerance}");
        }
    }
}

#[test]
fn reduce_partials_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(32), Lot::new(Kernel::ReducePartials));
    for at in 0..40 {
        let [purpose, blocks, channels, positions] =
            [at % 4, random.count(1, 5), random.count(1, 21), random.count(1, 300)];
        let mut sums: Vec<Lanes> = (0..blocks * channels).map(|_| random.lanes()).collect();
        if purpose == 3 {
            // Sums of squares.
            for lanes in &mut sums {
                lanes.0 = lanes.0.map(f32::abs);
            }
        }
        let partials = lot.numbers(Memory::Gradients, bytemuck::cast_slice(&sums));
        // Behind the last channel stands nothing of ours.
        let nothing = vec![f32::NAN; channels as usize + 3];
        let out = lot.numbers(Memory::Gradients, &nothing[..(channels + 3) as usize / 4 * 4]);
        let images = if at == 3 { 1 } else { random.count(1, 40) };
        let positions = if at == 3 { 1 } else { positions };
        let step = lot.step(!0, images, !0, [0.0; 2]);
        let spreads: Vec<f32> = (0..channels).map(|_| random.number()).collect();
        let running: Vec<f32> = (0..channels).map(|_| random.number()).collect();
        let place = lot.numbers(Memory::Weights, &spreads);
        lot.numbers(Memory::Weights, &nothing[..2]);
        let kept = lot.numbers(Memory::Weights, &running);
        let (decay, epsilon) = (0.9_f32, 1e-5_f32);
        let job = ElementsJob::new([!0, !0, positions, channels]);
        let job = job.numbers(0, [purpose, partials / 4, blocks, out]);
        let job = job.numbers(1, [step, place, kept, !0]);
        lot.add(job.numbers(2, [decay.to_bits(), epsilon.to_bits(), !0, !0]));
        let mut total = vec![Lanes::ZERO; channels as usize];
        sums.chunks_exact(channels as usize).for_each(|block| join(block, &mut total));
        let mut finished = vec![0.0; channels as usize];
        finish(&total, &mut finished);
        let rows = (images * positions) as f32;
        let blended = |at: usize, batch: f32| decay * running[at] + (1.0 - decay) * batch;
        let variance = |sum: f32| sum / (rows - 1.0).max(1.0);
        let relative = |_: usize, reference: f32| 1e-6 * reference.abs();
        let of = |of: &dyn Fn(usize, f32) -> f32| -> Vec<f32> {
            finished.iter().enumerate().map(|(at, sum)| of(at, *sum)).collect()
        };
        // What runs adds two numbers that may have unlike signs.
        let batches = of(&|_, sum| if purpose == 2 { sum / rows } else { variance(sum) });
        let blend =
            |at: usize, _: f32| 4e-7 * (decay * running[at].abs() + 0.1 * batches[at].abs());
        match purpose {
            0 => lot.expect_numbers(Memory::Gradients, out, &finished, |_, _| 0.0),
            1 => {
                let scaled = of(&|at, sum| sum * spreads[at]);
                lot.expect_numbers(Memory::Gradients, out, &scaled, |_, _| 0.0);
            }
            2 => {
                lot.expect_numbers(Memory::Weights, place, &of(&|_, sum| sum / rows), relative);
                let running = of(&|at, sum| blended(at, sum / rows));
                lot.expect_numbers(Memory::Weights, kept, &running, blend);
            }
            _ => {
                let spreads = of(&|_, sum| 1.0 / (sum / rows + epsilon).sqrt());
                lot.expect_numbers(Memory::Weights, place, &spreads, relative);
                let running = of(&|at, sum| blended(at, variance(sum)));
                lot.expect_numbers(Memory::Weights, kept, &running, blend);
            }
        }
    }
    lot.check(&gpu, 0..1);
}

/// A normalisation with what its twin makes of a batch.
struct Norm {
    images: u32,
    shape: [u32; 3],
    groups: u32,
    values: Vec<f32>,
    input: (Tensor, Vec<Lanes>),
    batch: Statistics,
    running: Statistics,
    output: Vec<Lanes>,
}

const FUNCTIONS: [Activation; 6] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Tanh,
    Activation::Sigmoid,
];

impl Norm {
    fn new(random: &mut Random, lot: &mut Lot, norm: BatchNorm) -> Self {
        let (groups, shape) = (random.count(1, 3), shape(random));
        let (tensor, numbers) = lot.tensor(random, groups, shape);
        let channels = shape[2] as usize;
        let values: Vec<f32> = (0..2 * channels).map(|_| random.number()).collect();
        let [mut batch, mut running] = [(); 2].map(|()| Statistics::new(channels));
        let (images, mut output) = (images(random, groups), numbers.clone());
        let both = (&mut batch, &mut running);
        let count = images as usize;
        norm.forward_training(Level::best(), count, &values, &numbers, &mut output, both.0, both.1);
        let input = (tensor, numbers);
        Self { images, shape, groups, values, input, batch, running, output }
    }

    /// Where scales, shifts, means and spreads begin.
    fn upload(&self, lot: &mut Lot, statistics: &Statistics) -> [u32; 4] {
        let (scales, shifts) = self.values.split_at(self.shape[2] as usize);
        [scales, shifts, &statistics.mean, &statistics.spread]
            .map(|numbers| lot.numbers(Memory::Weights, numbers))
    }
}

#[test]
fn batchnorm_forward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(33), Lot::new(Kernel::BatchnormForward));
    for at in 0..36 {
        let activation = FUNCTIONS[at as usize % 6];
        let norm = BatchNorm { decay: 0.75, epsilon: 1e-3, activation };
        let own = Norm::new(&mut random, &mut lot, norm);
        let (input, inputs) = &own.input;
        let output = lot.room(&mut random, own.groups, own.shape);
        let is_running = at % 4 > 1;
        let statistics = if is_running { &own.running } else { &own.batch };
        let mut expected = own.output.clone();
        if is_running {
            norm.forward_inference(Level::best(), &own.values, inputs, &mut expected, statistics);
        }
        let places = own.upload(&mut lot, statistics);
        let job = ElementsJob::new(output.shape()).a(*input).c(output).numbers(0, places);
        let epsilon = norm.epsilon.to_bits();
        lot.add(job.numbers(1, [at % 6, u32::from(is_running), epsilon, !0]));
        let channels = own.shape[2] as usize;
        let tolerance = |at: usize, lane: usize, reference: f32| {
            let (channel, mut spread) = (at % channels, statistics.spread[at % channels]);
            if is_running {
                spread = 1.0 / (spread + norm.epsilon).sqrt();
            }
            let x = inputs[at].0[lane] - statistics.mean[channel];
            let size = (x * own.values[channel] * spread).abs();
            1e-6 * (size + own.values[channels + channel].abs()) + 7e-7 * reference.abs()
        };
        lot.expect(output, &expected, tolerance);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn batchnorm_backward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(34), Lot::new(Kernel::BatchnormBackward));
    for _ in 0..30 {
        let norm = BatchNorm { decay: 0.75, epsilon: 1e-3, activation: Activation::Linear };
        let own = Norm::new(&mut random, &mut lot, norm);
        let (input, inputs) = &own.input;
        let (gradient, gradients) = lot.tensor(&mut random, own.groups, own.shape);
        let result = lot.room(&mut random, own.groups, own.shape);
        let channels = own.shape[2] as usize;
        let (mut sums, mut expected) = (vec![0.0; 2 * channels], gradients.clone());
        let (level, both) = (Level::best(), [&inputs[..], &gradients[..]]);
        let images = own.images as usize;
        batchnorm_backward(level, images, &own.values, &own.batch, both, &mut sums, &mut expected);
        let places = own.upload(&mut lot, &own.batch);
        let start = lot.numbers(Memory::Gradients, &sums);
        lot.step(!0, !0, !0, [0.0; 2]);
        let step = lot.step(!0, own.images, !0, [0.0; 2]);
        let job = ElementsJob::new(result.shape()).a(*input).b(gradient).c(result);
        let job = job.numbers(0, places);
        lot.add(job.numbers(1, [start, start + own.shape[2], step - 1, !0]));
        let rows = (own.images * own.shape[0] * own.shape[1]) as f32;
        let tolerance = |at: usize, lane: usize, _: f32| {
            let channel = at % channels;
            let spread = own.batch.spread[channel];
            let normal = (inputs[at].0[lane] - own.batch.mean[channel]) * spread;
            let terms = gradients[at].0[lane].abs()
                + (sums[channels + channel] / rows).abs()
                + (normal * sums[channel] / rows).abs();
            1e-6 * (own.values[channel] * spread).abs() * terms
        };
        lot.expect(result, &expected, tolerance);
    }
    lot.check(&gpu, 1..2);
}
