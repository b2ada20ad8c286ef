//! Batch normalisation, gradient of the input.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader};

static SHADER: Shader = Shader::elementwise(
    "batchnorm_backward",
    include_str!("../../../../shaders/batchnorm_backward.wgsl"),
    &[STEPS],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "batchnorm_backward",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Steps, Memory::Tick, Memory::Weights, Memory::Gradients],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) scale: u32,
        pub(crate) mean: u32,
        pub(crate) spread: u32,
        pub(crate) d_scale: u32,
        pub(crate) d_shift: u32,
        pub(crate) first_step: u32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]

    use super::super::batchnorm_forward::tests::Norm;
    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::batchnorm_backward::batchnorm_backward;
    use crate::cpu::batchnorm_forward::BatchNorm;
    use crate::cpu::lanes::Level;
    use crate::model::Activation;

    #[test]
    fn batchnorm_backward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(34), TwinTest::new(&KERNEL));
        for _ in 0..30 {
            let norm = BatchNorm { decay: 0.75, epsilon: 1e-3, activation: Activation::Linear };
            let own = Norm::new(&mut random, &mut test, norm);
            let (input, inputs) = &own.input;
            let (gradient, gradients) = test.tensor(&mut random, own.groups, own.shape);
            let result = test.room(&mut random, own.groups, own.shape);
            let channels = own.shape[2] as usize;
            let (mut sums, mut expected) = (vec![0.0; 2 * channels], gradients.clone());
            let (level, both) = (Level::best(), [&inputs[..], &gradients[..]]);
            let images = own.images as usize;
            batchnorm_backward(
                level,
                images,
                &own.values,
                &own.batch,
                both,
                &mut sums,
                &mut expected,
            );
            let [scale, _, mean, spread] = own.upload(&mut test, &own.batch);
            let start = test.numbers(Memory::Gradients, &sums);
            test.step(!0, !0, !0, [0.0; 2]);
            let step = test.step(!0, own.images, !0, [0.0; 2]);
            let record = Record {
                shape: result.shape(),
                a: input.place(),
                b: gradient.place(),
                c: result.place(),
                scale,
                mean,
                spread,
                d_scale: start,
                d_shift: start + own.shape[2],
                first_step: step - 1,
                reserved_0: !0,
                reserved_1: !0,
            };
            test.add(ElementsJob::new(record).on([*input, gradient, result]));
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
            test.expect(result, &expected, tolerance);
        }
        test.check(&gpu, 1..2);
    }
}
