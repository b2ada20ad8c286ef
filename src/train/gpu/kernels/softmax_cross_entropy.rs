//! Loss and predictions of a batch, with the gradient of the mean loss.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{EXPONENTIAL, STEPS, Shader};

static SHADER: Shader = Shader::elementwise(
    "softmax_cross_entropy",
    include_str!("../../../../shaders/softmax_cross_entropy.wgsl"),
    &[STEPS, EXPONENTIAL],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "softmax_cross_entropy",
    shader: &SHADER,
    memories: &[
        Memory::Values,
        Memory::Steps,
        Memory::Tick,
        Memory::Orders,
        Memory::Dataset,
        Memory::Results,
    ],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) first_step: u32,
        pub(crate) order: u32,
        pub(crate) first_image: u32,
        pub(crate) labels: u32,
        pub(crate) results: u32,
        pub(crate) losses: u32,
        pub(crate) is_graded: u32,
        pub(crate) reserved_0: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::Tasks(self.shape[0])
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]

    use super::super::elements::ElementsJob;
    use super::super::steps::NO_ORDER;
    use super::super::tensor::Tensor;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::lanes::{LANES, Lanes};
    use crate::cpu::softmax_cross_entropy::softmax_cross_entropy;

    const BOTH: u32 = 2;

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
            test: &mut TwinTest,
            images: [u32; 2],
            change: impl FnOnce(&mut Random, usize, &mut [Lanes]),
        ) -> Self {
            let classes = random.count(1, 12);
            let groups = images[0].max(images[1]).div_ceil(16) + random.count(0, 1);
            let (logits, mut numbers) = test.tensor(random, groups, [1, 1, classes]);
            change(random, classes as usize, &mut numbers);
            test.fill(logits, &numbers);
            let gradient = test.room(random, groups, [1, 1, classes]);
            let (part, count) = (random.count(0, 9), 60);
            let all: Vec<u32> = (0..part + count).map(|_| random.count(0, classes - 1)).collect();
            let dataset = test.words(Memory::Dataset, &all);
            let order: Vec<u32> = (0..count).map(|_| random.count(0, count - 1)).collect();
            let is_ordered = random.count(0, 1) == 1;
            let orders = if is_ordered { test.words(Memory::Orders, &order) } else { !0 };
            let first_step = test.word(Memory::Steps) / 8;
            let labels = images.map(|images| {
                let first = random.count(0, count - images);
                test.step(first, images, !0, [0.0; 2]);
                let chosen = (first..first + images).map(|nth| {
                    let image = if is_ordered { order[nth as usize] } else { nth };
                    u8::try_from(all[(part + image) as usize]).unwrap()
                });
                chosen.collect()
            });
            let losses = 1 + classes * classes + random.count(0, 2);
            let mut words = vec![0; losses as usize];
            words.resize((losses + BOTH * groups * 4 + 1) as usize, !0);
            let results = test.words(Memory::Results, &words);
            let is_graded = random.count(0, 3) > 0;
            let record = Record {
                shape: logits.shape(),
                a: logits.place(),
                b: gradient.place(),
                first_step,
                order: orders,
                first_image: part,
                labels: dataset,
                results,
                losses,
                is_graded: is_graded.into(),
                reserved_0: !0,
            };
            test.add(ElementsJob::new(record).on([logits, gradient]));
            let logits = (logits, numbers);
            let case =
                Self { classes, groups, logits, images, labels, is_graded, results, gradient };
            case.expect_losses(test, results + losses);
            case
        }

        /// Logits of one image, alone in a group.
        fn alone(&self, image: usize) -> Vec<Lanes> {
            let classes = self.classes as usize;
            let row = &self.logits.1[image / LANES * classes..][..classes];
            row.iter().map(|lanes| Lanes([lanes.0[image % LANES]; LANES])).collect()
        }

        #[expect(clippy::cast_possible_truncation, reason = "as the device keeps them")]
        fn expect_losses(&self, test: &mut TwinTest, start: u32) {
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
                    test.expect_numbers(Memory::Results, place, &[loss as f32], |_, _| tolerance);
                }
            }
        }

        /// Counts of both steps, and the gradient of the last.
        fn expect(&self, test: &mut TwinTest, is_finite: bool) {
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
            test.expect_words(Memory::Results, self.results, &counts);
            if self.is_graded {
                let labels = &self.labels[1];
                // Exactly 0 where no image is.
                let of = |at: usize, lane: usize, reference: f32| match labels
                    .get(at / classes * LANES + lane)
                {
                    None => 0.0,
                    Some(_) if !is_finite => f32::INFINITY,
                    Some(label) if usize::from(*label) == at % classes => {
                        1e-6 / self.images[1] as f32
                    }
                    Some(_) => 1.5e-6 * reference.abs(),
                };
                test.expect(self.gradient, &expected, of);
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
        let (mut random, mut test) = (Random::new(51), TwinTest::new(&KERNEL));
        for number in 0..60 {
            let images = images(&mut random);
            let case = Case::new(&mut random, &mut test, images, |_, classes, logits| {
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
            case.expect(&mut test, true);
        }
        test.check(&gpu, 0..BOTH);
    }

    #[test]
    fn a_logit_that_is_no_finite_number_marks_its_network_and_no_other() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(52), TwinTest::new(&KERNEL));
        for number in 0..24 {
            let (images, bad) = (images(&mut random), number % 2 == 0);
            let case = Case::new(&mut random, &mut test, images, |random, classes, logits| {
                blank(images, logits, classes);
                if bad {
                    let image = random.count(0, images[0].min(images[1]) - 1) as usize;
                    let class = random.count(0, u32::try_from(classes).unwrap() - 1) as usize;
                    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][number / 2 % 3];
                    logits[image / LANES * classes + class].0[image % LANES] = x;
                }
            });
            case.expect(&mut test, !bad);
        }
        test.check(&gpu, 0..BOTH);
    }

    /// `ln_1p` of `shared/exponential.wgsl` against libm in f64: the loss of two classes is
    /// `ln(1 + exp(-d))` where the label's logit is the larger one by d.
    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "results are f32")]
    fn small_losses_are_as_precise_as_large_ones() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(53), TwinTest::new(&KERNEL));
        let label = test.words(Memory::Dataset, &[1]);
        let step = test.step(0, 1, !0, [0.0; 2]);
        for number in 0..400 {
            let difference = number as f32 * 0.2;
            let logits = test.room(&mut random, 1, [1, 1, 2]);
            test.fill(logits, &[0.0, difference].map(|x| Lanes([x; LANES])));
            let results = test.words(Memory::Results, &[0; 5]);
            let losses = test.words(Memory::Results, &[!0; 4]);
            let record = Record {
                shape: logits.shape(),
                a: logits.place(),
                b: [0; 4],
                first_step: step,
                order: NO_ORDER,
                first_image: 0,
                labels: label,
                results,
                losses: losses - results,
                is_graded: 0,
                reserved_0: !0,
            };
            test.add(ElementsJob::new(record).on([logits]));
            // The label is class 1, and so is the prediction, but for the tie.
            let best = u32::from(difference > 0.0);
            test.expect_words(Memory::Results, results, &[0, 0, 0, 1 - best, best]);
            let loss = libm::log1p(libm::exp(-f64::from(difference))) as f32;
            let expected = [loss, 0.0, 0.0, 0.0];
            test.expect_numbers(Memory::Results, losses, &expected, |_, x| 9e-7 * x);
        }
        test.check(&gpu, 0..1);
    }
}
