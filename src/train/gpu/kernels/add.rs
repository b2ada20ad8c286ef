//! Sums of tensors, each with a pointwise function.

use bytemuck::Zeroable;

use super::activation::number;
use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::{ACTIVATION, EXPONENTIAL, Shader};
use crate::model::Activation;

static SHADER: Shader = Shader::elementwise(
    "add",
    include_str!("../../../../shaders/add.wgsl"),
    &[EXPONENTIAL, ACTIVATION],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "add", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) c: [u32; 4],
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

/// `c = function(a + b)`.
pub(crate) fn job([a, b, c]: [Tensor; 3], function: Activation) -> ElementsJob<Record> {
    let record = Record {
        shape: c.shape(),
        a: a.place(),
        b: b.place(),
        c: c.place(),
        function: number(function),
        ..Record::zeroed()
    };
    ElementsJob::new(record).on([a, b, c])
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{FUNCTIONS, TwinTest, of_function, shape};
    use super::*;
    use crate::cpu::add::{accumulate, add_forward};
    use crate::cpu::lanes::Level;

    #[test]
    fn add_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(5), TwinTest::new(&KERNEL));
        for number in 0..48 {
            let (groups, shape) = (random.count(1, 3), shape(&mut random));
            let (first, firsts) = test.tensor(&mut random, groups, shape);
            let (second, seconds) = test.tensor(&mut random, groups, shape);
            // Gradients meet in one of the two.
            let is_met = number % 8 == 7;
            let function = FUNCTIONS[if is_met { 0 } else { number % 6 }];
            let sum = if is_met { second } else { test.room(&mut random, groups, shape) };
            test.add(job([first, second, sum], function));
            let mut expected = seconds.clone();
            if is_met {
                accumulate(Level::best(), &firsts, &mut expected);
            } else {
                let both = [&firsts[..], &seconds[..]].into_iter();
                add_forward(Level::best(), function, both, &mut expected);
            }
            test.expect(sum, &expected, of_function(function));
        }
        test.check(&gpu, 0..1);
    }
}
