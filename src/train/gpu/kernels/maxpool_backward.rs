//! Max-pooling, gradient of the input.

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::pooling::Windows;
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;
use crate::model::Window;

static SHADER: Shader = Shader::elementwise(
    "maxpool_backward",
    include_str!("../../../../shaders/maxpool_backward.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "maxpool_backward", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) window: [u32; 2],
        pub(crate) before: [u32; 2],
        pub(crate) size: [u32; 2],
        pub(crate) stride: u32,
        pub(crate) reserved_0: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }
}

/// `gradient`: the output's, of which `won` are the places that won.
pub(crate) fn job([gradient, won, into]: [Tensor; 3], windows: Window) -> ElementsJob<Record> {
    let Windows { window, before, size, stride } = Windows::over(gradient, windows);
    let record = Record {
        shape: into.shape(),
        a: gradient.place(),
        b: won.place(),
        c: into.place(),
        window,
        before,
        size,
        stride,
        reserved_0: 0,
    };
    ElementsJob::new(record).on([gradient, won, into])
}

#[cfg(test)]
mod tests {
    use super::super::pooling::cases::{Case, ties};
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::lanes::Level;
    use crate::cpu::maxpool_backward::maxpool_backward;
    use crate::cpu::maxpool_forward::Pooled;

    #[test]
    fn maxpool_backward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(12), TwinTest::new(&KERNEL));
        for _ in 0..80 {
            let case = Case::random(&mut random);
            let (_, mut inputs) = test.tensor(&mut random, case.groups, case.from);
            ties(&mut random, &mut inputs);
            let [_, won] = case.winners(&inputs);
            let (gradient, gradients) = test.tensor(&mut random, case.groups, case.to);
            let places = test.room(&mut random, case.groups, case.to);
            test.fill(places, &won);
            let result = test.room(&mut random, case.groups, case.from);
            test.add(job([gradient, places, result], case.window()));
            let mut expected = case.blank(case.from);
            let [from, to] = case.shapes();
            let pooled = Pooled { shape: to, first: 0, values: &gradients[..], argmax: &won[..] };
            maxpool_backward(Level::best(), from, case.window(), pooled, &mut expected);
            // Sums in the order of the twin: the same bits, overlapping or not.
            test.expect(result, &expected, |_, _, _| 0.0);
        }
        test.check(&gpu, 0..1);
    }
}
