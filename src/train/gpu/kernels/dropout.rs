//! Dropout, forward and backward: both scale what a mask keeps.

use base::rng::Key;
use bytemuck::Zeroable;

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader, THREEFRY};

static SHADER: Shader = Shader::elementwise(
    "dropout",
    include_str!("../../../../shaders/dropout.wgsl"),
    &[STEPS, THREEFRY],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "dropout",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Steps, Memory::Tick],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) c: [u32; 4],
        pub(crate) key: [u32; 2],
        pub(crate) threshold: u32,
        pub(crate) factor: f32,
        pub(crate) first_step: u32,
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

/// `to = from` where the mask of `key` keeps it, scaled, and else 0; `first_step`: of the pass.
pub(crate) fn job(
    [from, to]: [Tensor; 2],
    key: Key,
    rate: f64,
    first_step: u32,
) -> ElementsJob<Record> {
    // Kept are words from rate x 2^32 on, and so those above one less; a rate is above 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates lie between 0 and 1; activations are f32"
    )]
    let (threshold, factor) =
        ((rate * 4_294_967_296.0).ceil() as u64 - 1, (1.0 / (1.0 - rate)) as f32);
    let record = Record {
        shape: to.shape(),
        a: from.place(),
        c: to.place(),
        key: key.0,
        threshold: u32::try_from(threshold).expect("a rate is below 1"),
        factor,
        first_step,
        ..Record::zeroed()
    };
    ElementsJob::new(record).on([from, to])
}

#[cfg(test)]
mod tests {
    use base::rng::threefry2x32;

    use super::super::twin::{self, Random};
    use super::super::twin_test::{TwinTest, shape};
    use super::*;
    use crate::cpu::dropout::{draw_mask, dropout};
    use crate::cpu::lanes::{LANES, Level};
    use crate::model::Shape;

    #[test]
    fn dropout_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(6), TwinTest::new(&KERNEL));
        for number in 0..24 {
            let (groups, shape) = (random.count(1, 3), shape(&mut random));
            let key = Key::new(number as u64, 7, "dropout.1");
            let (input, mut inputs) = test.tensor(&mut random, groups, shape);
            // A network that diverges shows it, here too.
            inputs[0].0[number % LANES] = f32::INFINITY;
            test.fill(input, &inputs);
            let output = test.room(&mut random, groups, shape);
            // The third step of the pass.
            let first = test.step(0, 16, 0, [0.0; 2]);
            test.step(0, 16, 1, [0.0; 2]);
            let count = random.count(0, 1_000_000);
            test.step(0, 16, count, [0.0; 2]);
            // At the fourth rate the first value's word is the last that is dropped.
            let last = (f64::from(threefry2x32(key.0, [0, count])[0]) + 1.0) / 4_294_967_296.0;
            let rate = [0.5, 1e-9, 1.0 - 1e-12, last][number % 4];
            test.add(job([input, output], key, rate, first));
            let [height, width, channels] = shape.map(|x| x as usize);
            let image = Shape { channels, height, width };
            let [mut mask, mut expected] = [(); 2].map(|()| inputs.clone());
            draw_mask(Level::best(), key, count, rate, image, &mut mask);
            dropout(Level::best(), &inputs, &mask, &mut expected);
            test.expect(output, &expected, |_, _, _| 0.0);
        }
        assert!(test.word(Memory::Steps) == 24 * 3 * 8);
        test.check(&gpu, 2..3);
    }
}
