//! Average pooling, forward.

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::pooling::Windows;
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;
use crate::model::Window;

static SHADER: Shader = Shader::elementwise(
    "avgpool_forward",
    include_str!("../../../../shaders/avgpool_forward.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "avgpool_forward", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
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

/// Of the input that the windows lie in.
pub(crate) fn job([input, output]: [Tensor; 2], windows: Window) -> ElementsJob<Record> {
    let Windows { window, before, size, stride } = Windows::over(input, windows);
    let record = Record {
        shape: output.shape(),
        a: input.place(),
        b: output.place(),
        window,
        before,
        size,
        stride,
        reserved_0: 0,
    };
    ElementsJob::new(record).on([input, output])
}

#[cfg(test)]
mod tests {
    use super::super::pooling::cases::Case;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::avgpool_forward::avgpool_forward;
    use crate::cpu::lanes::Level;

    #[test]
    fn avgpool_forward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(13), TwinTest::new(&KERNEL));
        for _ in 0..80 {
            let case = Case::random(&mut random);
            let (input, inputs) = test.tensor(&mut random, case.groups, case.from);
            let output = test.room(&mut random, case.groups, case.to);
            test.add(job([input, output], case.window()));
            let (mut expected, [from, to]) = (case.blank(case.to), case.shapes());
            avgpool_forward(Level::best(), from, to, case.window(), &inputs, &mut expected);
            test.expect(output, &expected, |_, _, reference| 3e-7 * reference.abs());
        }
        test.check(&gpu, 0..1);
    }
}
