//! Copies of tensors, and zeros in their place.

use bytemuck::Zeroable;

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;

static SHADER: Shader = Shader::elementwise(
    "concat",
    include_str!("../../../../shaders/concat.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "concat", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) is_zero: u32,
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

/// `to = from`.
pub(crate) fn copy(from: Tensor, to: Tensor) -> ElementsJob<Record> {
    let record = Record { shape: to.shape(), a: from.place(), c: to.place(), ..Record::zeroed() };
    ElementsJob::new(record).on([from, to])
}

/// `to = 0`.
pub(crate) fn zero(to: Tensor) -> ElementsJob<Record> {
    let mut job = copy(to, to);
    job.record.is_zero = 1;
    job
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{TwinTest, exact, shape};
    use super::*;
    use crate::cpu::concat::{concat_backward, concat_forward};

    #[test]
    fn concat_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(21), TwinTest::new(&KERNEL));
        for number in 0..40 {
            let (groups, [rows, columns, channels]) = (random.count(1, 3), shape(&mut random));
            let [before, behind] = [random.count(0, 5), random.count(0, 5)];
            let (whole, own) = (before + channels + behind, channels as usize);
            let (first, all) = (before as usize, whole as usize);
            if number % 2 == 0 {
                let (source, sources) = test.tensor(&mut random, groups, [rows, columns, channels]);
                let joined = test.room(&mut random, groups, [rows, columns, whole]);
                let part = joined.channels(before, channels);
                test.add(copy(source, part));
                let mut expected = vec![twin::POISON; (groups * rows * columns * whole) as usize];
                concat_forward(&sources, own, first, all, &mut expected);
                test.expect(joined, &expected, exact);
            } else {
                let (joined, gradients) = test.tensor(&mut random, groups, [rows, columns, whole]);
                let source = test.room(&mut random, groups, [rows, columns, channels]);
                let part = joined.channels(before, channels);
                test.add(copy(part, source));
                let mut expected =
                    vec![twin::POISON; (groups * rows * columns * channels) as usize];
                concat_backward(&gradients, all, first, own, &mut expected);
                test.expect(source, &expected, exact);
            }
        }
        test.check(&gpu, 0..1);
    }
}
