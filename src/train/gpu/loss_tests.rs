//! `softmax_cross_entropy.wgsl` against its twin.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use super::elements::{ElementsJob, Tensor};
use super::kernels::{Kernel, Memory};
use super::lot::Lot;
use super::twin::{self, Random};
use crate::cpu::lanes::{LANES, Lanes};
use crate::cpu::softmax_cross_entropy::softmax_cross_entropy;

const STEPS: u32 = 2;

/// A network's logits of a batch, and where its results go.
struct Case {
    classes: u32,
    groups: u32,
    logits: (Tensor, Vec<Lanes>),
    /// Of each step.
    images: [u32; 2],
    labels: [Vec<u8>; 2],
    is_graded: bool,
    results: u32,
    gradient: Tensor,
}

impl Case {
    /// Makes a job. Labels are found through an order, or one after the other.
    fn new(
        random: &mut Random,
        lot: &mut Lot,
        images: [u32; 2],
        change: impl FnOnce(&mut Random, usize, &mut [Lanes]),
    ) -> Self {
        let classes = random.count(1, 12);
        let groups = images[0].max(images[1]).div_ceil(16) + random.count(0, 1);
        let (logits, mut numbers) = lot.tensor(random, groups, [1, 1, classes]);
        change(random, classes as usize, &mut numbers);
        lot.fill(logits, &numbers);
        let gradient = lot.room(random, groups, [1, 1, classes]);
        let (part, count) = (random.count(0, 9), 60);
        let all: Vec<u32> = (0..part + count).map(|_| random.count(0, classes - 1)).collect();
        let dataset = lot.words(Memory::Dataset, &all);
        let order: Vec<u32> = (0..count).map(|_| random.count(0, count - 1)).collect();
        let is_ordered = random.count(0, 1) == 1;
        let orders = if is_ordered { lot.words(Memory::Orders, &order) } else { !0 };
        let first_step = lot.word(Memory::Steps) / 8;
        let labels = images.map(|images| {
            let first = random.count(0, count - images);
            lot.step(first, images, !0, [0.0; 2]);
            let chosen = (first..first + images).map(|nth| {
                let image = if is_ordered { order[nth as usize] } else { nth };
                u8::try_from(all[(part + image) as usize]).unwrap()
            });
            chosen.collect()
        });
        let losses = 1 + classes * classes + random.count(0, 2);
        let mut words = vec![0; losses as usize];
        words.resize((losses + STEPS * groups * 4 + 1) as usize, !0);
        let results = lot.words(Memory::Results, &words);
        let is_graded = random.count(0, 3) > 0;
        let job = ElementsJob::new(logits.shape()).a(logits).b(gradient);
        let job = job.numbers(0, [first_step, orders, part, dataset]);
        lot.add(job.numbers(1, [results, losses, u32::from(is_graded), !0]));
        let logits = (logits, numbers);
        let case = Self { classes, groups, logits, images, labels, is_graded, results, gradient };
        case.expect_losses(lot, results + losses);
        case
    }

    /// Logits of one image, alone in a group.
    fn alone(&self, image: usize) -> Vec<Lanes> {
        let classes = self.classes as usize;
        let row = &self.logits.1[image / LANES * classes..][..classes];
        row.iter().map(|lanes| Lanes([lanes.0[image % LANES]; LANES])).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "as the device keeps them")]
    fn expect_losses(&self, lot: &mut Lot, start: u32) {
        for (step, labels) in (0..).zip(&self.labels) {
            for four in 0..self.groups * 4 {
                let (mut loss, mut tolerance) = (0.0, 0.0);
                for image in four as usize * 4..(four as usize * 4 + 4).min(labels.len()) {
                    let logits = self.alone(image);
                    let label = &labels[image..=image];
                    loss += softmax_cross_entropy(&logits, label, None, |_, _| ()).loss_sum;
                    let largest = logits.iter().map(|x| x.0[0]).fold(f32::MIN, f32::max);
                    let of_label = logits[usize::from(label[0])].0[0];
                    tolerance += 1e-6 * (1.0 + largest - of_label);
                    // Nobody reads the losses of a network that has diverged.
                    if logits.iter().any(|x| !x.0[0].is_finite()) {
                        tolerance = f32::INFINITY;
                    }
                }
                let place = start + step * self.groups * 4 + four;
                lot.expect_numbers(Memory::Results, place, &[loss as f32], |_, _| tolerance);
            }
        }
    }

    /// Counts of both steps, and the gradient of the last.
    fn expect(&self, lot: &mut Lot, is_finite: bool) {
        let classes = self.classes as usize;
        let mut counts = vec![0_u32; 1 + classes * classes];
        counts[0] = u32::from(!is_finite);
        let mut expected = Vec::new();
        for (labels, images) in self.labels.iter().zip(self.images) {
            let groups = images.div_ceil(16) as usize;
            expected = vec![Lanes::ZERO; self.groups as usize * classes];
            let logits = &self.logits.1[..groups * classes];
            let gradient = Some(&mut expected[..groups * classes]);
            softmax_cross_entropy(logits, labels, gradient, |label, best| {
                counts[1 + label * classes + best] += 1;
            });
        }
        lot.expect_words(Memory::Results, self.results, &counts);
        if self.is_graded {
            let labels = &self.labels[1];
            // Exactly 0 where no image is.
            let of = |at: usize, lane: usize, reference: f32| match labels
                .get(at / classes * LANES + lane)
            {
                None => 0.0,
                Some(_) if !is_finite => f32::INFINITY,
                Some(label) if usize::from(*label) == at % classes => 1e-6 / self.images[1] as f32,
                Some(_) => 1.5e-6 * reference.abs(),
            };
            lot.expect(self.gradient, &expected, of);
        }
    }
}

/// Full batches, some with blank images, and one image alone in the last group.
fn images(random: &mut Random) -> [u32; 2] {
    [(); 2].map(|()| {
        let images = random.count(1, 40);
        [images, 16, 17, 33][random.count(0, 3) as usize]
    })
}

/// No finite number where no image is, in either step.
fn blank(images: [u32; 2], logits: &mut [Lanes], classes: usize) {
    let most = images[0].max(images[1]) as usize;
    for (at, lanes) in logits.iter_mut().enumerate() {
        for (lane, x) in lanes.0.iter_mut().enumerate() {
            if at / classes * LANES + lane >= most {
                *x = [f32::NAN, f32::INFINITY][lane % 2];
            }
        }
    }
}

#[test]
fn loss_and_gradient_are_what_the_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(51), Lot::new(Kernel::SoftmaxCrossEntropy));
    for number in 0..60 {
        let images = images(&mut random);
        let case = Case::new(&mut random, &mut lot, images, |_, classes, logits| {
            let scale = [1.0, 3.0, 100.0, 1e4, 1e-3, 1e30][number % 6];
            for lanes in logits.iter_mut() {
                lanes.0 = lanes.0.map(|x| match number % 5 {
                    // Ties.
                    0 => (x * 2.0).round(),
                    _ => x * scale,
                });
            }
            blank(images, logits, classes);
        });
        case.expect(&mut lot, true);
    }
    lot.check(&gpu, 0..STEPS);
}

#[test]
fn a_logit_that_is_no_finite_number_marks_its_network_and_no_other() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(52), Lot::new(Kernel::SoftmaxCrossEntropy));
    for number in 0..24 {
        let (images, bad) = (images(&mut random), number % 2 == 0);
        let case = Case::new(&mut random, &mut lot, images, |random, classes, logits| {
            blank(images, logits, classes);
            if bad {
                let image = random.count(0, images[0].min(images[1]) - 1) as usize;
                let class = random.count(0, u32::try_from(classes).unwrap() - 1) as usize;
                let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][number / 2 % 3];
                logits[image / LANES * classes + class].0[image % LANES] = x;
            }
        });
        case.expect(&mut lot, !bad);
    }
    lot.check(&gpu, 0..STEPS);
}

/// `ln_1p` of `shared/exponential.wgsl` against libm in f64: the loss of two classes is
/// `ln(1 + exp(-d))` where the label's logit is the larger one by d.
#[test]
#[expect(clippy::cast_possible_truncation, reason = "results are f32")]
fn small_losses_are_as_precise_as_large_ones() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(53), Lot::new(Kernel::SoftmaxCrossEntropy));
    let label = lot.words(Memory::Dataset, &[1]);
    let step = lot.step(0, 1, !0, [0.0; 2]);
    for number in 0..400 {
        let difference = number as f32 * 0.2;
        let logits = lot.room(&mut random, 1, [1, 1, 2]);
        lot.fill(logits, &[0.0, difference].map(|x| Lanes([x; LANES])));
        let results = lot.words(Memory::Results, &[0; 5]);
        let losses = lot.words(Memory::Results, &[!0; 4]);
        let job = ElementsJob::new(logits.shape()).a(logits);
        let job = job.numbers(0, [step, !0, 0, label]);
        lot.add(job.numbers(1, [results, losses - results, 0, !0]));
        // The label is class 1, and so is the prediction, but for the tie.
        let best = u32::from(difference > 0.0);
        lot.expect_words(Memory::Results, results, &[0, 0, 0, 1 - best, best]);
        let loss = libm::log1p(libm::exp(-f64::from(difference))) as f32;
        let expected = [loss, 0.0, 0.0, 0.0];
        lot.expect_numbers(Memory::Results, losses, &expected, |_, x| 9e-7 * x);
    }
    lot.check(&gpu, 0..1);
}
