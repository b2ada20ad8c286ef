//! Sums of tensors, and a pointwise function of them.

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
        pub(crate) further: u32,
        pub(crate) further_step: u32,
        pub(crate) reserved_0: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }

    fn steps(&self, elements: u32) -> u64 {
        u64::from(elements) * u64::from(1 + self.further)
    }
}

/// `c = function(a + b)`.
pub(crate) fn job(tensors: [Tensor; 3], function: Activation) -> ElementsJob<Record> {
    many(tensors, [0, 0], function)
}

/// `c = function(a + b + ...)`, with `further` terms like `b`, each so many values behind the last.
pub(crate) fn many(
    [a, b, c]: [Tensor; 3],
    [further, further_step]: [u32; 2],
    function: Activation,
) -> ElementsJob<Record> {
    let record = Record {
        shape: c.shape(),
        a: a.place(),
        b: b.place(),
        c: c.place(),
        function: number(function),
        further,
        further_step,
        reserved_0: 0,
    };
    let last = Tensor { start: b.start + further * further_step, ..b };
    ElementsJob::new(record).on([a, b, last, c])
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{FUNCTIONS, TwinTest, of_function, shape};
    use super::*;
    use crate::cpu::add::{accumulate, add_forward};
    use crate::cpu::lanes::{Lanes, Level};

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

    #[test]
    fn add_gives_what_its_twin_gives_of_many_terms() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(7), TwinTest::new(&KERNEL));
        for number in 0..48 {
            let (groups, shape) = (random.count(1, 3), shape(&mut random));
            let (terms, function) = (random.count(2, 29), FUNCTIONS[number % 6]);
            let (first, firsts) = test.tensor(&mut random, groups, shape);
            // The further terms are some rows each of one tensor.
            let [rows, columns, channels] = shape;
            let (all, numbers) =
                test.tensor(&mut random, groups, [terms * rows, columns, channels]);
            let step = rows * all.steps[1];
            let sum = if number % 2 == 0 { first } else { test.room(&mut random, groups, shape) };
            test.add(many([first, Tensor { rows, ..all }, sum], [terms - 1, step], function));
            let len = (rows * columns * channels) as usize;
            let term = |nth: usize| {
                let images = numbers.chunks_exact(len * terms as usize);
                images.flat_map(|image| image[nth * len..][..len].to_vec()).collect()
            };
            let further: Vec<Vec<Lanes>> = (0..terms as usize).map(term).collect();
            let every = std::iter::once(&firsts).chain(&further).map(|numbers| &numbers[..]);
            let mut expected = firsts.clone();
            add_forward(Level::best(), function, every, &mut expected);
            test.expect(sum, &expected, of_function(function));
        }
        test.check(&gpu, 0..1);
    }
}
