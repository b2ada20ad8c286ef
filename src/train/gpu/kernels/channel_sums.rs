//! Sums over the images and positions of each channel, in blocks.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader};

static SHADER: Shader = Shader::elementwise(
    "channel_sums",
    include_str!("../../../../shaders/channel_sums.wgsl"),
    &[STEPS],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "channel_sums",
    shader: &SHADER,
    memories: &[Memory::Values, Memory::Steps, Memory::Tick, Memory::Weights, Memory::Gradients],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) b: [u32; 4],
        pub(crate) term: u32,
        pub(crate) mean: u32,
        pub(crate) partials: u32,
        pub(crate) first_step: u32,
        pub(crate) leaves_out_blanks: u32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
        pub(crate) reserved_2: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        let [groups, rows, columns, channels] = self.shape;
        Cut::Tasks(blocks(groups * rows * columns) * channels)
    }
}

/// Rows that `channel_sums` adds before they join the others.
const BLOCK_ROWS: u32 = 256;

/// Blocks of so many rows.
pub(crate) fn blocks(rows: u32) -> u32 {
    rows.div_ceil(BLOCK_ROWS)
}

/// What is added, as the shader numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    Plain,
    Squares,
    Along,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]

    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::{TwinTest, images, shape};
    use super::*;
    use crate::cpu::channel_sums::channel_sums;
    use crate::cpu::lanes::{LANES, Lanes, Level};
    use crate::cpu::reduce_partials::{finish, join};

    const ROWS: usize = BLOCK_ROWS as usize;

    /// What `channel_sums` adds up.
    fn term(number: u32, x: f32, y: f32, mean: f32) -> f32 {
        match number {
            0 => x,
            1 => (x - mean) * (x - mean),
            _ => x * (y - mean),
        }
    }

    /// Sums a channel: (blocks, channels), with the sums of the magnitudes.
    fn partials(
        number: u32,
        [a, b]: [&[Lanes]; 2],
        means: &[f32],
        counted: impl Fn(usize, usize) -> bool,
    ) -> [Vec<Lanes>; 2] {
        let channels = means.len();
        let rows = a.len() / channels;
        let [mut sums, mut sizes] =
            [(); 2].map(|()| vec![Lanes::ZERO; rows.div_ceil(ROWS) * channels]);
        for (at, (a, b)) in a.iter().zip(b).enumerate() {
            let (row, channel) = (at / channels, at % channels);
            let block = row / ROWS * channels + channel;
            for lane in (0..LANES).filter(|lane| counted(row, *lane)) {
                let value = term(number, a.0[lane], b.0[lane], means[channel]);
                sums[block].0[lane] += value;
                sizes[block].0[lane] += value.abs();
            }
        }
        [sums, sizes]
    }

    #[test]
    fn channel_sums_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(31), TwinTest::new(&KERNEL));
        let mut whole = Vec::new();
        for at in 0..36 {
            let (number, groups) = (at % 3, random.count(1, 3));
            // Some have several blocks, which begin and end within a group.
            let mut shape = shape(&mut random);
            if at % 6 > 3 {
                shape = [random.count(11, 19), random.count(11, 19), random.count(1, 5)];
            }
            let (images, is_masked) = (images(&mut random, groups), number > 0 || at % 2 == 1);
            let (a, xs) = test.tensor(&mut random, groups, shape);
            let (b, ys) = test.tensor(&mut random, groups, shape);
            let means: Vec<f32> = (0..shape[2]).map(|_| random.number()).collect();
            let mean = test.numbers(Memory::Weights, &means);
            let step = test.step(!0, images, !0, [0.0; 2]);
            let count = blocks(groups * shape[0] * shape[1]) * shape[2];
            let out = test.numbers(Memory::Gradients, &vec![f32::NAN; 16 * count as usize]);
            let record = Record {
                shape: a.shape(),
                a: a.place(),
                b: b.place(),
                term: number,
                mean,
                partials: out / 4,
                first_step: step,
                leaves_out_blanks: is_masked.into(),
                reserved_0: !0,
                reserved_1: !0,
                reserved_2: !0,
            };
            test.add(ElementsJob::new(record).on([a, b]));
            let positions = (shape[0] * shape[1]) as usize;
            let counted = |row: usize, lane: usize| {
                !is_masked || row / positions * LANES + lane < images as usize
            };
            let [sums, sizes] = partials(number, [&xs, &ys], &means, counted);
            let [sums, sizes]: [&[f32]; 2] =
                [&sums, &sizes].map(|lanes| bytemuck::cast_slice(lanes));
            // A term may be rounded once or up to three times.
            let rounding = ROWS as f32 * 6e-8;
            let tolerance = |at: usize, _| if number == 0 { 0.0 } else { rounding * sizes[at] };
            test.expect_numbers(Memory::Gradients, out, sums, tolerance);
            let real = if is_masked { images } else { groups * 16 };
            whole.push((number, real, means, [xs, ys], out));
        }
        let found = test.check(&gpu, 0..1).remove(&Memory::Gradients).unwrap();
        for (number, images, means, [xs, ys], out) in whole {
            let blocks = xs.len().div_ceil(means.len() * ROWS).max(1);
            let rows = xs.len() / means.len();
            let words = &found[out as usize..][..rows.div_ceil(ROWS) * means.len() * LANES];
            let partials: Vec<Lanes> = bytemuck::pod_collect_to_vec(words);
            let mut total = vec![Lanes::ZERO; means.len()];
            partials.chunks_exact(means.len()).for_each(|block| join(block, &mut total));
            let [mut sums, mut twin, mut sizes] = [(); 3].map(|()| vec![0.0; means.len()]);
            finish(&total, &mut sums);
            let both = [&xs[..], &ys[..]];
            let add = |sums: &mut [f32], of: &dyn Fn(f32, f32, f32) -> f32| {
                channel_sums(Level::best(), images as usize, &means, both, sums, of);
            };
            add(&mut twin, &|x, y, mean| term(number, x, y, mean));
            add(&mut sizes, &|x, y, mean| term(number, x, y, mean).abs());
            for ((sum, twin), size) in sums.iter().zip(&twin).zip(&sizes) {
                // The twin begins a block with the group that lacks images.
                let is_exact = number == 0 && images % 16 == 0;
                let tolerance = if is_exact { 0.0 } else { (ROWS + blocks) as f32 * 6e-8 * size };
                assert!(
                    (sum - twin).abs() <= tolerance,
                    "{number}: {sum}, not {twin} +- {tolerance}"
                );
            }
        }
    }
}
