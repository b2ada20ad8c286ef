//! Gradients through pointwise functions, from the functions' outputs.

use bytemuck::Zeroable;

use super::activation::number;
use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::{ACTIVATION, EXPONENTIAL, Shader};
use crate::model::Activation;

static SHADER: Shader = Shader::elementwise(
    "activation_backward",
    include_str!("../../../../shaders/activation_backward.wgsl"),
    &[EXPONENTIAL, ACTIVATION],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "activation_backward", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) function: u32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
        pub(crate) reserved_2: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }
}

/// `b = b x derivative(a)`: of outputs `a` and their gradients `b`.
pub(crate) fn job([a, b]: [Tensor; 2], function: Activation) -> ElementsJob<Record> {
    let record = Record {
        shape: a.shape(),
        a: a.place(),
        b: b.place(),
        function: number(function),
        ..Record::zeroed()
    };
    ElementsJob::new(record).on([a, b])
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{FUNCTIONS, TwinTest, shape};
    use super::*;
    use crate::cpu::activation_backward::activation_backward;
    use crate::cpu::lanes::{LANES, Level};

    #[test]
    fn activation_backward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(4), TwinTest::new(&KERNEL));
        for number in 0..48 {
            let (groups, function) = (random.count(1, 3), FUNCTIONS[number % 6]);
            let shape = shape(&mut random);
            let (output, mut outputs) = test.tensor(&mut random, groups, shape);
            // Left of a rectifier's bend, on it and right of it; where functions end.
            for (at, lanes) in outputs.iter_mut().enumerate() {
                [lanes.0[at % LANES], lanes.0[(at + 5) % LANES]] = [0.0, 1.0 - 6e-8];
            }
            test.fill(output, &outputs);
            let (gradient, mut gradients) = test.tensor(&mut random, groups, shape);
            test.add(job([output, gradient], function));
            let before = gradients.clone();
            activation_backward(Level::best(), function, &outputs, &mut gradients);
            let is_exact =
                matches!(function, Activation::Linear | Activation::Relu | Activation::LeakyRelu);
            let tolerance = |at: usize, lane: usize, _: f32| {
                if is_exact { 0.0 } else { 1.2e-7 * before[at].0[lane].abs() }
            };
            test.expect(gradient, &gradients, tolerance);
        }
        test.check(&gpu, 0..1);
    }
}
