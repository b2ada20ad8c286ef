//! Turns images that lie side by side into numbers that do: for gradients of dense layers.

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;

static SHADER: Shader = Shader::elementwise(
    "transpose",
    include_str!("../../../../shaders/transpose.wgsl"),
    &[],
    Record::LAYOUT,
);

/// Of dense layers' inputs.
pub(crate) static INPUTS: Kernel = Kernel {
    name: "transpose of inputs",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Columns],
};

/// Of the gradients of their outputs.
pub(crate) static GRADIENTS: Kernel = Kernel {
    name: "transpose of gradients",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Gradients],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) out: u32,
        pub(crate) image_step: u32,
        pub(crate) sixteen_step: u32,
        pub(crate) fours: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::Tasks(self.shape[0] * self.fours)
    }
}

/// Numbers of `a`, four by four, from `out` on; see the shader.
pub(crate) fn job(
    a: Tensor,
    [out, image_step, sixteen_step, fours]: [u32; 4],
) -> ElementsJob<Record> {
    let (shape, place) = (a.shape(), a.place());
    ElementsJob::new(Record { shape, a: place, out, image_step, sixteen_step, fours }).on([a])
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{TwinTest, shape};
    use super::*;
    use crate::cpu::transpose::transpose;

    #[test]
    fn transpose_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        for (kernel, out, is_by_sixteens) in
            [(&GRADIENTS, Memory::Gradients, true), (&INPUTS, Memory::Columns, false)]
        {
            let (mut random, mut test) = (Random::new(25), TwinTest::new(kernel));
            for _ in 0..30 {
                let (groups, shape) = (random.count(1, 3), shape(&mut random));
                let (input, inputs) = test.tensor(&mut random, groups, shape);
                let values = shape.iter().product::<u32>();
                let (images, mut expected) = (groups * 16, Vec::new());
                transpose(values as usize, &inputs, &mut expected);
                let expected: &[f32] = bytemuck::cast_slice(&expected);
                // Sixteen units of all images, or images one after the other.
                let fours =
                    if is_by_sixteens { values.div_ceil(16) * 4 } else { values.div_ceil(4) };
                let row = if is_by_sixteens { 4 } else { fours + random.count(0, 2) };
                let sixteen = if is_by_sixteens { images * 4 + random.count(0, 2) } else { 4 };
                let len = if is_by_sixteens { fours / 4 * sixteen } else { images * row };
                let start = test.numbers(out, &vec![f32::NAN; len as usize * 4]) / 4;
                for (image, four) in (0..images).flat_map(|i| (0..fours).map(move |four| (i, four)))
                {
                    let at = (four / 4 * images + image) * 16 + four % 4 * 4;
                    let to = (start + image * row + four / 4 * sixteen + four % 4) * 4;
                    let four = &expected[at as usize..at as usize + 4];
                    test.expect_numbers(out, to, four, |_, _| 0.0);
                }
                test.add(job(input, [start, row, sixteen, fours]));
            }
            test.check(&gpu, 0..1);
        }
    }
}
