//! The images of a batch, standardised.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader};

static SHADER: Shader = Shader::elementwise(
    "gather_batch",
    include_str!("../../../../shaders/gather_batch.wgsl"),
    &[STEPS],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "gather_batch",
    shader: &SHADER,
    memories: &[
        Memory::Values,
        Memory::Steps,
        Memory::Tick,
        Memory::Orders,
        Memory::Dataset,
        Memory::Images0,
        Memory::Images1,
    ],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) first_step: u32,
        pub(crate) order: u32,
        pub(crate) first_image: u32,
        pub(crate) in_first: u32,
        pub(crate) standardised: u32,
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

#[cfg(test)]
mod tests {
    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::{TwinTest, exact};
    use super::*;
    use crate::cpu::gather_batch::gather_batch;
    use crate::cpu::lanes::{LANES, Lanes};
    use crate::data::Part;

    /// Images of a data set, and where they lie in the device's memory.
    struct Images {
        shape: [u32; 3],
        bytes: Vec<u8>,
        labels: Vec<u8>,
        standardised: Vec<[f32; 256]>,
        /// Images in the first of the two memories, and where the standardised values begin.
        split: u32,
        dataset: u32,
    }

    impl Images {
        fn new(
            random: &mut Random,
            test: &mut TwinTest,
            shape: [u32; 3],
            count: u32,
            split: u32,
        ) -> Self {
            let len = shape.iter().product::<u32>();
            let mut byte = || u8::try_from(random.count(0, 255)).unwrap();
            let bytes: Vec<u8> = (0..len * count).map(|_| byte()).collect();
            let labels = (0..count).map(|_| byte()).collect();
            let standardised: Vec<[f32; 256]> =
                (0..shape[2]).map(|_| std::array::from_fn(|_| random.number())).collect();
            let (first, second) = bytes.split_at((len * split) as usize);
            for (memory, bytes) in [(Memory::Images0, first), (Memory::Images1, second)] {
                let mut bytes = bytes.to_vec();
                bytes.resize(bytes.len().next_multiple_of(4), 0xff);
                let words: Vec<u32> = bytes
                    .chunks_exact(4)
                    .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
                    .collect();
                test.words(memory, &words);
            }
            let dataset = test.words(Memory::Dataset, &[!0; 3]) + 3;
            for values in &standardised {
                test.numbers(Memory::Dataset, values);
            }
            Self { shape, bytes, labels, standardised, split, dataset }
        }

        /// A job that gathers, in the second step of its pass, `images` images from `first` on of
        /// the part that begins at image `part`, in an order or not.
        fn add(
            &self,
            random: &mut Random,
            test: &mut TwinTest,
            part: u32,
            images: u32,
            is_ordered: bool,
        ) {
            let count = u32::try_from(self.labels.len()).unwrap() - part;
            let first = random.count(0, count - images);
            let groups = images.div_ceil(16) + random.count(0, 1);
            let batch = test.room(random, groups, self.shape);
            let steps = test.step(!0, !0, !0, [0.0; 2]);
            test.step(first, images, !0, [0.0; 2]);
            let order: Vec<u32> = (0..count).map(|_| random.count(0, count - 1)).collect();
            let start = if is_ordered { test.words(Memory::Orders, &order) } else { !0 };
            let record = Record {
                shape: batch.shape(),
                c: batch.place(),
                first_step: steps,
                order: start,
                first_image: part,
                in_first: self.split,
                standardised: self.dataset,
                reserved_0: !0,
                reserved_1: !0,
                reserved_2: !0,
            };
            test.add(ElementsJob::new(record).on([batch]));
            let len = self.shape.iter().product::<u32>() as usize;
            let own = Part {
                images: &self.bytes[part as usize * len..],
                labels: &self.labels[part as usize..],
            };
            // Groups that have no image are blank too.
            let mut expected = vec![Lanes::ZERO; groups as usize * len];
            let mut labels = vec![0; groups as usize * LANES];
            let chosen = (first..first + images)
                .map(|nth| if is_ordered { order[nth as usize] as usize } else { nth as usize });
            gather_batch(&own, &self.standardised, chosen, &mut expected, &mut labels);
            test.expect(batch, &expected, exact);
        }
    }

    #[test]
    fn gather_batch_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        // Bytes of an image are no whole words; all images, none or some lie in the first memory.
        for (seed, split, channels) in [(22, 0, 1), (23, 50, 3), (24, 17, 2)] {
            let (mut random, mut test) = (Random::new(seed), TwinTest::new(&KERNEL));
            let shape = [random.count(1, 5), random.count(1, 5), channels];
            let images = Images::new(&mut random, &mut test, shape, 50, split);
            for number in 0..20 {
                let (part, count) = (random.count(0, 10), random.count(1, 40));
                let count = if number % 4 == 0 { [1, 16, 17][number / 4 % 3] } else { count };
                images.add(&mut random, &mut test, part, count, number % 3 > 0);
            }
            test.check(&gpu, 1..2);
        }
    }
}
