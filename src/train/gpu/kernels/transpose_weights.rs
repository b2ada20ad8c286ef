//! Puts a layer's weights into the order in which its backward pass reads them.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::Shader;

static SHADER: Shader = Shader::elementwise(
    "transpose_weights",
    include_str!("../../../../shaders/transpose_weights.wgsl"),
    &[],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "transpose_weights", shader: &SHADER, memories: &[Memory::Weights] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) rows: u32,
        pub(crate) columns: u32,
        pub(crate) filters: u32,
        pub(crate) channels: u32,
        pub(crate) out: u32,
        pub(crate) weights: u32,
        pub(crate) row: u32,
        pub(crate) fours: u32,
        pub(crate) kernel: u32,
        pub(crate) stride: u32,
        pub(crate) y: u32,
        pub(crate) x: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::fours(self.rows * self.columns * self.filters * self.fours)
    }
}

#[cfg(test)]
mod tests {
    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::transpose_weights::Transposed;

    #[test]
    fn transpose_weights_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(26), TwinTest::new(&KERNEL));
        for number in 0..40 {
            let [filters, channels] = [random.count(1, 9), random.count(1, 9)];
            let kernel = if number % 4 == 0 { 1 } else { random.count(1, 5) };
            let stride = random.count(1, 3);
            let remainder = [(); 2].map(|()| random.count(0, stride.min(kernel) - 1));
            let row = filters.next_multiple_of(4);
            let weights: Vec<f32> =
                (0..kernel * kernel * channels * filters).map(|_| random.number()).collect();
            let mut padded = Vec::new();
            for weights in weights.chunks_exact(filters as usize) {
                padded.extend(weights);
                padded.resize(padded.len().next_multiple_of(4), f32::NAN);
            }
            let start = test.numbers(Memory::Weights, &padded);
            let [size, step, many, deep] = [kernel, stride, filters, channels].map(|x| x as usize);
            let order = Transposed {
                kernel: size,
                stride: step,
                remainder: remainder.map(|x| x as usize),
                channels: deep,
                filters: many,
            };
            let [rows, columns] = [order.taps(0), order.taps(1)];
            let fours = channels.div_ceil(4);
            let mut expected = vec![f32::NAN; rows * columns * many * fours as usize * 4];
            let out = test.numbers(Memory::Weights, &expected);
            for (at, x) in expected.iter_mut().enumerate() {
                let (place, channel) = (at / (fours as usize * 4), at % (fours as usize * 4));
                let (tap, filter) = (place / many, place % many);
                if channel < deep {
                    *x = weights[order.at([tap / columns, tap % columns], filter, channel)];
                }
            }
            test.expect_numbers(Memory::Weights, out, &expected, |_, _| 0.0);
            let [rows, columns] = [rows, columns].map(|x| u32::try_from(x).unwrap());
            let [y, x] = remainder;
            let record = Record {
                rows,
                columns,
                filters,
                channels,
                out,
                weights: start,
                row,
                fours,
                kernel,
                stride,
                y,
                x,
            };
            test.add(ElementsJob::new(record));
        }
        test.check(&gpu, 0..1);
    }
}
