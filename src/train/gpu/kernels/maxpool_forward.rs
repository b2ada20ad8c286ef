//! Max-pooling, forward.

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::pooling::Windows;
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;
use crate::model::Window;

static SHADER: Shader = Shader::elementwise(
    "maxpool_forward",
    include_str!("../../../../shaders/maxpool_forward.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "maxpool_forward", shader: &SHADER, memories: &[Memory::Values] };

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

/// `won` are the places that win in each window.
pub(crate) fn job([input, output, won]: [Tensor; 3], windows: Window) -> ElementsJob<Record> {
    let Windows { window, before, size, stride } = Windows::over(input, windows);
    let record = Record {
        shape: output.shape(),
        a: input.place(),
        b: output.place(),
        c: won.place(),
        window,
        before,
        size,
        stride,
        reserved_0: 0,
    };
    ElementsJob::new(record).on([input, output, won])
}

#[cfg(test)]
mod tests {
    use super::super::pooling::cases::{Case, ties};
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;

    #[test]
    fn maxpool_forward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(11), TwinTest::new(&KERNEL));
        for _ in 0..80 {
            let case = Case::random(&mut random);
            let (input, mut inputs) = test.tensor(&mut random, case.groups, case.from);
            ties(&mut random, &mut inputs);
            test.fill(input, &inputs);
            let [output, places] = [(); 2].map(|()| test.room(&mut random, case.groups, case.to));
            test.add(job([input, output, places], case.window()));
            let [best, won] = case.winners(&inputs);
            test.expect(output, &best, |_, _, _| 0.0);
            test.expect(places, &won, |_, _, _| 0.0);
        }
        test.check(&gpu, 0..1);
    }
}
