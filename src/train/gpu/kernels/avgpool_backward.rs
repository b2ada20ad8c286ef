//! Average pooling, gradient of the input.

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::pooling::Windows;
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;
use crate::model::Window;

static SHADER: Shader = Shader::elementwise(
    "avgpool_backward",
    include_str!("../../../../shaders/avgpool_backward.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "avgpool_backward", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
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

/// `gradient`: the output's.
pub(crate) fn job([gradient, into]: [Tensor; 2], windows: Window) -> ElementsJob<Record> {
    let Windows { window, before, size, stride } = Windows::over(gradient, windows);
    let record = Record {
        shape: into.shape(),
        a: gradient.place(),
        c: into.place(),
        window,
        before,
        size,
        stride,
        reserved_0: 0,
    };
    ElementsJob::new(record).on([gradient, into])
}

#[cfg(test)]
mod tests {
    use super::super::pooling::cases::Case;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::avgpool_backward::avgpool_backward;
    use crate::cpu::lanes::{Lanes, Level};

    #[test]
    fn avgpool_backward_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(14), TwinTest::new(&KERNEL));
        for _ in 0..80 {
            let case = Case::random(&mut random);
            let (gradient, gradients) = test.tensor(&mut random, case.groups, case.to);
            let result = test.room(&mut random, case.groups, case.from);
            test.add(job([gradient, result], case.window()));
            let [mut expected, mut sizes] = [(); 2].map(|()| case.blank(case.from));
            let [from, to] = case.shapes();
            let backward = |gradients: &[Lanes], into: &mut [Lanes]| {
                avgpool_backward(Level::best(), from, to, case.window(), gradients, into);
            };
            backward(&gradients, &mut expected);
            let positive: Vec<Lanes> = gradients.iter().map(|x| Lanes(x.0.map(f32::abs))).collect();
            backward(&positive, &mut sizes);
            test.expect(result, &expected, |at, lane, _| 3e-7 * sizes[at].0[lane]);
        }
        test.check(&gpu, 0..1);
    }
}
