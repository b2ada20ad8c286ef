//! Batch normalisation, forward, from statistics that are there.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{ACTIVATION, EXPONENTIAL, Shader};

static SHADER: Shader = Shader::elementwise(
    "batchnorm_forward",
    include_str!("../../../../shaders/batchnorm_forward.wgsl"),
    &[EXPONENTIAL, ACTIVATION],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "batchnorm_forward",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Weights],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) scale: u32,
        pub(crate) shift: u32,
        pub(crate) mean: u32,
        pub(crate) spread: u32,
        pub(crate) function: u32,
        pub(crate) is_variance: u32,
        pub(crate) epsilon: f32,
        pub(crate) reserved_0: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::activation::number;
    use super::super::elements::ElementsJob;
    use super::super::tensor::Tensor;
    use super::super::twin::{self, Random};
    use super::super::twin_test::{FUNCTIONS, TwinTest, images, shape};
    use super::*;
    use crate::cpu::batchnorm_forward::{BatchNorm, Statistics};
    use crate::cpu::lanes::{Lanes, Level};

    /// A normalisation with what its twin makes of a batch.
    pub(in super::super) struct Norm {
        pub(in super::super) images: u32,
        pub(in super::super) shape: [u32; 3],
        pub(in super::super) groups: u32,
        pub(in super::super) values: Vec<f32>,
        pub(in super::super) input: (Tensor, Vec<Lanes>),
        pub(in super::super) batch: Statistics,
        pub(in super::super) running: Statistics,
        pub(in super::super) output: Vec<Lanes>,
    }

    impl Norm {
        pub(in super::super) fn new(
            random: &mut Random,
            test: &mut TwinTest,
            norm: BatchNorm,
        ) -> Self {
            let (groups, shape) = (random.count(1, 3), shape(random));
            let (tensor, numbers) = test.tensor(random, groups, shape);
            let channels = shape[2] as usize;
            let values: Vec<f32> = (0..2 * channels).map(|_| random.number()).collect();
            let [mut batch, mut running] = [(); 2].map(|()| Statistics::new(channels));
            let (images, mut output) = (images(random, groups), numbers.clone());
            let both = (&mut batch, &mut running);
            let count = images as usize;
            norm.forward_training(
                Level::best(),
                count,
                &values,
                &numbers,
                &mut output,
                both.0,
                both.1,
            );
            let input = (tensor, numbers);
            Self { images, shape, groups, values, input, batch, running, output }
        }

        /// Where scales, shifts, means and spreads begin.
        pub(in super::super) fn upload(
            &self,
            test: &mut TwinTest,
            statistics: &Statistics,
        ) -> [u32; 4] {
            let (scales, shifts) = self.values.split_at(self.shape[2] as usize);
            [scales, shifts, &statistics.mean, &statistics.spread]
                .map(|numbers| test.numbers(Memory::Weights, numbers))
        }
    }

    #[test]
    fn batchnorm_forward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(33), TwinTest::new(&KERNEL));
        for at in 0..36 {
            let activation = FUNCTIONS[at % 6];
            let norm = BatchNorm { decay: 0.75, epsilon: 1e-3, activation };
            let own = Norm::new(&mut random, &mut test, norm);
            let (input, inputs) = &own.input;
            let output = test.room(&mut random, own.groups, own.shape);
            let is_running = at % 4 > 1;
            let statistics = if is_running { &own.running } else { &own.batch };
            let mut expected = own.output.clone();
            if is_running {
                norm.forward_inference(
                    Level::best(),
                    &own.values,
                    inputs,
                    &mut expected,
                    statistics,
                );
            }
            let [scale, shift, mean, spread] = own.upload(&mut test, statistics);
            let record = Record {
                shape: output.shape(),
                a: input.place(),
                c: output.place(),
                scale,
                shift,
                mean,
                spread,
                function: number(activation),
                is_variance: is_running.into(),
                epsilon: norm.epsilon,
                reserved_0: !0,
            };
            test.add(ElementsJob::new(record).on([*input, output]));
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
            test.expect(output, &expected, tolerance);
        }
        test.check(&gpu, 0..1);
    }
}
