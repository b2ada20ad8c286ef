//! Finishes the sums of `channel_sums`, and does with them what they are for.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader};

static SHADER: Shader = Shader::elementwise(
    "reduce_partials",
    include_str!("../../../../shaders/reduce_partials.wgsl"),
    &[STEPS],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "reduce_partials",
    shader: &SHADER,
    memories: &[Memory::Steps, Memory::Tick, Memory::Weights, Memory::Gradients],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) positions: u32,
        pub(crate) channels: u32,
        pub(crate) purpose: u32,
        pub(crate) partials: u32,
        pub(crate) blocks: u32,
        pub(crate) out: u32,
        pub(crate) first_step: u32,
        pub(crate) statistic: u32,
        pub(crate) running: u32,
        pub(crate) decay: f32,
        pub(crate) epsilon: f32,
        pub(crate) reserved_0: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::Tasks(self.channels.div_ceil(4))
    }
}

/// What is done with a sum, as the shader numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Gradient,
    Scale,
    Mean,
    Spread,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]

    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::lanes::Lanes;
    use crate::cpu::reduce_partials::{finish, join};

    #[test]
    fn reduce_partials_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(32), TwinTest::new(&KERNEL));
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
            let partials = test.numbers(Memory::Gradients, bytemuck::cast_slice(&sums));
            // Behind the last channel stands nothing of ours.
            let nothing = vec![f32::NAN; channels as usize + 3];
            let out = test.numbers(Memory::Gradients, &nothing[..(channels + 3) as usize / 4 * 4]);
            let images = if at == 3 { 1 } else { random.count(1, 40) };
            let positions = if at == 3 { 1 } else { positions };
            let step = test.step(!0, images, !0, [0.0; 2]);
            let spreads: Vec<f32> = (0..channels).map(|_| random.number()).collect();
            let running: Vec<f32> = (0..channels).map(|_| random.number()).collect();
            let place = test.numbers(Memory::Weights, &spreads);
            test.numbers(Memory::Weights, &nothing[..2]);
            let kept = test.numbers(Memory::Weights, &running);
            let (decay, epsilon) = (0.9_f32, 1e-5_f32);
            test.add(ElementsJob::new(Record {
                positions,
                channels,
                purpose,
                partials: partials / 4,
                blocks,
                out,
                first_step: step,
                statistic: place,
                running: kept,
                decay,
                epsilon,
                reserved_0: !0,
            }));
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
                0 => test.expect_numbers(Memory::Gradients, out, &finished, |_, _| 0.0),
                1 => {
                    let scaled = of(&|at, sum| sum * spreads[at]);
                    test.expect_numbers(Memory::Gradients, out, &scaled, |_, _| 0.0);
                }
                2 => {
                    test.expect_numbers(
                        Memory::Weights,
                        place,
                        &of(&|_, sum| sum / rows),
                        relative,
                    );
                    let running = of(&|at, sum| blended(at, sum / rows));
                    test.expect_numbers(Memory::Weights, kept, &running, blend);
                }
                _ => {
                    let spreads = of(&|_, sum| 1.0 / (sum / rows + epsilon).sqrt());
                    test.expect_numbers(Memory::Weights, place, &spreads, relative);
                    let running = of(&|at, sum| blended(at, variance(sum)));
                    test.expect_numbers(Memory::Weights, kept, &running, blend);
                }
            }
        }
        test.check(&gpu, 0..1);
    }
}
