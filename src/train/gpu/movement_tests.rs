//! Shaders that move numbers about, against their twins, bit by bit: `concat`, `gather_batch`,
//! `transpose` and `transpose_weights`.

use super::elements::ElementsJob;
use super::kernels::{Kernel, Memory};
use super::lot::{Lot, shape};
use super::twin::{self, Random};
use crate::cpu::concat::{concat_backward, concat_forward};
use crate::cpu::gather_batch::gather_batch;
use crate::cpu::lanes::{LANES, Lanes};
use crate::cpu::transpose::transpose;
use crate::cpu::transpose_weights::Transposed;
use crate::data::Part;

fn exact(_: usize, _: usize, _: f32) -> f32 {
    0.0
}

#[test]
fn concat_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(21), Lot::new(Kernel::Concat));
    for number in 0..40 {
        let (groups, [rows, columns, channels]) = (random.count(1, 3), shape(&mut random));
        let [before, behind] = [random.count(0, 5), random.count(0, 5)];
        let (whole, own) = (before + channels + behind, channels as usize);
        let (first, all) = (before as usize, whole as usize);
        if number % 2 == 0 {
            let (source, sources) = lot.tensor(&mut random, groups, [rows, columns, channels]);
            let joined = lot.room(&mut random, groups, [rows, columns, whole]);
            let part = joined.channels(before, channels);
            lot.add(ElementsJob::new(part.shape()).a(source).c(part));
            let mut expected = vec![twin::POISON; (groups * rows * columns * whole) as usize];
            concat_forward(&sources, own, first, all, &mut expected);
            lot.expect(joined, &expected, exact);
        } else {
            let (joined, gradients) = lot.tensor(&mut random, groups, [rows, columns, whole]);
            let source = lot.room(&mut random, groups, [rows, columns, channels]);
            let part = joined.channels(before, channels);
            lot.add(ElementsJob::new(part.shape()).a(part).c(source));
            let mut expected = vec![twin::POISON; (groups * rows * columns * channels) as usize];
            concat_backward(&gradients, all, first, own, &mut expected);
            lot.expect(source, &expected, exact);
        }
    }
    lot.check(&gpu, 0..1);
}

/// Images of a data set, and where they lie in the device's memory.
struct Images {
    shape: [u32; 3],
    bytes: Vec<u8>,
    labels: Vec<u8>,
    standardised: Vec<[f32; 256]>,
    /// Images in the first of the two memories, and where the standardised values begin.
    split: u32,
    dataset: u32,
}

impl Images {
    fn new(random: &mut Random, lot: &mut Lot, shape: [u32; 3], count: u32, split: u32) -> Self {
        let len = shape.iter().product::<u32>();
        let mut byte = || u8::try_from(random.count(0, 255)).unwrap();
        let bytes: Vec<u8> = (0..len * count).map(|_| byte()).collect();
        let labels = (0..count).map(|_| byte()).collect();
        let standardised: Vec<[f32; 256]> =
            (0..shape[2]).map(|_| std::array::from_fn(|_| random.number())).collect();
        let (first, second) = bytes.split_at((len * split) as usize);
        for (memory, bytes) in [(Memory::Images0, first), (Memory::Images1, second)] {
            let mut bytes = bytes.to_vec();
            bytes.resize(bytes.len().next_multiple_of(4), 0xff);
            let words: Vec<u32> = bytes
                .chunks_exact(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
                .collect();
            lot.words(memory, &words);
        }
        let dataset = lot.words(Memory::Dataset, &[!0; 3]) + 3;
        for values in &standardised {
            lot.numbers(Memory::Dataset, values);
        }
        Self { shape, bytes, labels, standardised, split, dataset }
    }

    /// A job that gathers, in the second step of its pass, `images` images from `first` on of the
    /// part that begins at image `part`, in an order or not.
    fn add(&self, random: &mut Random, lot: &mut Lot, part: u32, images: u32, is_ordered: bool) {
        let count = u32::try_from(self.labels.len()).unwrap() - part;
        let first = random.count(0, count - images);
        let groups = images.div_ceil(16) + random.count(0, 1);
        let batch = lot.room(random, groups, self.shape);
        let steps = lot.step(!0, !0, !0, [0.0; 2]);
        lot.step(first, images, !0, [0.0; 2]);
        let order: Vec<u32> = (0..count).map(|_| random.count(0, count - 1)).collect();
        let start = if is_ordered { lot.words(Memory::Orders, &order) } else { !0 };
        let job = ElementsJob::new(batch.shape()).c(batch);
        let job = job.numbers(0, [steps, start, part, self.split]);
        lot.add(job.numbers(1, [self.dataset, !0, !0, !0]));
        let len = self.shape.iter().product::<u32>() as usize;
        let own = Part {
            images: &self.bytes[part as usize * len..],
            labels: &self.labels[part as usize..],
        };
        // Groups that have no image are blank too.
        let mut expected = vec![Lanes::ZERO; groups as usize * len];
        let mut labels = vec![0; groups as usize * LANES];
        let chosen = (first..first + images)
            .map(|nth| if is_ordered { order[nth as usize] as usize } else { nth as usize });
        gather_batch(&own, &self.standardised, chosen, &mut expected, &mut labels);
        lot.expect(batch, &expected, exact);
    }
}

#[test]
fn gather_batch_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    // Bytes of an image are no whole words; all images, none or some lie in the first memory.
    for (seed, split, channels) in [(22, 0, 1), (23, 50, 3), (24, 17, 2)] {
        let (mut random, mut lot) = (Random::new(seed), Lot::new(Kernel::GatherBatch));
        let shape = [random.count(1, 5), random.count(1, 5), channels];
        let images = Images::new(&mut random, &mut lot, shape, 50, split);
        for number in 0..20 {
            let (part, count) = (random.count(0, 10), random.count(1, 40));
            let count = if number % 4 == 0 { [1, 16, 17][number / 4 % 3] } else { count };
            images.add(&mut random, &mut lot, part, count, number % 3 > 0);
        }
        lot.check(&gpu, 1..2);
    }
}

#[test]
fn transpose_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    for (kernel, out, is_by_sixteens) in [
        (Kernel::Transpose, Memory::Gradients, true),
        (Kernel::TransposeInputs, Memory::Columns, false),
    ] {
        let (mut random, mut lot) = (Random::new(25), Lot::new(kernel));
        for _ in 0..30 {
            let (groups, shape) = (random.count(1, 3), shape(&mut random));
            let (input, inputs) = lot.tensor(&mut random, groups, shape);
            let values = shape.iter().product::<u32>();
            let (images, mut expected) = (groups * 16, Vec::new());
            transpose(values as usize, &inputs, &mut expected);
            let expected: &[f32] = bytemuck::cast_slice(&expected);
            // Sixteen units of all images, or images one after the other.
            let fours = if is_by_sixteens { values.div_ceil(16) * 4 } else { values.div_ceil(4) };
            let row = if is_by_sixteens { 4 } else { fours + random.count(0, 2) };
            let sixteen = if is_by_sixteens { images * 4 + random.count(0, 2) } else { 4 };
            let len = if is_by_sixteens { fours / 4 * sixteen } else { images * row };
            let start = lot.numbers(out, &vec![f32::NAN; len as usize * 4]) / 4;
            for (image, four) in (0..images).flat_map(|i| (0..fours).map(move |four| (i, four))) {
                let at = (four / 4 * images + image) * 16 + four % 4 * 4;
                let to = (start + image * row + four / 4 * sixteen + four % 4) * 4;
                let four = &expected[at as usize..at as usize + 4];
                lot.expect_numbers(out, to, four, |_, _| 0.0);
            }
            let job = ElementsJob::new(input.shape()).a(input);
            lot.add(job.numbers(0, [start, row, sixteen, fours]));
        }
        lot.check(&gpu, 0..1);
    }
}

#[test]
fn transpose_weights_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(26), Lot::new(Kernel::TransposeWeights));
    for number in 0..40 {
        let [filters, channels] = [random.count(1, 9), random.count(1, 9)];
        let kernel = if number % 4 == 0 { 1 } else { random.count(1, 5) };
        let stride = random.count(1, 3);
        let remainder = [(); 2].map(|()| random.count(0, stride.min(kernel) - 1));
        let row = filters.next_multiple_of(4);
        let weights: Vec<f32> =
            (0..kernel * kernel * channels * filters).map(|_| random.number()).collect();
        let mut padded = Vec::new();
        for weights in weights.chunks_exact(filters as usize) {
            padded.extend(weights);
            padded.resize(padded.len().next_multiple_of(4), f32::NAN);
        }
        let start = lot.numbers(Memory::Weights, &padded);
        let [size, step, many, deep] = [kernel, stride, filters, channels].map(|x| x as usize);
        let order = Transposed {
            kernel: size,
            stride: step,
            remainder: remainder.map(|x| x as usize),
            channels: deep,
            filters: many,
        };
        let [rows, columns] = [order.taps(0), order.taps(1)];
        let fours = channels.div_ceil(4);
        let mut expected = vec![f32::NAN; rows * columns * many * fours as usize * 4];
        let out = lot.numbers(Memory::Weights, &expected);
        for (at, x) in expected.iter_mut().enumerate() {
            let (place, channel) = (at / (fours as usize * 4), at % (fours as usize * 4));
            let (tap, filter) = (place / many, place % many);
            if channel < deep {
                *x = weights[order.at([tap / columns, tap % columns], filter, channel)];
            }
        }
        lot.expect_numbers(Memory::Weights, out, &expected, |_, _| 0.0);
        let [rows, columns] = [rows, columns].map(|x| u32::try_from(x).unwrap());
        let job = ElementsJob::new([rows, columns, filters, channels]);
        let job = job.numbers(0, [out, start, row, fours]);
        lot.add(job.numbers(1, [kernel, stride, remainder[0], remainder[1]]));
    }
    lot.check(&gpu, 0..1);
}
