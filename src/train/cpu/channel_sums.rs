//! Sums over the images and positions of each channel: gradients of biases, and the statistics of
//! batch normalisations.

use super::lanes::{LANES, Lanes, Level};
use super::reduce_partials::{finish, join};

/// Rows that are summed before they join the total: keeps the error of long sums small.
const BLOCK_ROWS: usize = 256;

/// `sums[channel] += sum over images and positions of term(a, b, mean[channel])`. Rows, one a group
/// and position, join block by block in their order; the sixteen images of a group at the end.
pub(crate) fn channel_sums(
    level: Level,
    images: usize,
    mean: &[f32],
    [a, b]: [&[Lanes]; 2],
    sums: &mut [f32],
    term: impl Fn(f32, f32, f32) -> f32,
) {
    let channels = sums.len();
    let (mut block, mut total) = (vec![Lanes::ZERO; channels], vec![Lanes::ZERO; channels]);
    // The last group may be filled up with blanks, which do not count.
    let rest = images % LANES;
    let group = a.len() / images.div_ceil(LANES);
    let full = images / LANES * group;
    let size = BLOCK_ROWS * channels;
    for (first, real) in [(0..full, LANES), (full..a.len(), rest)] {
        let blocks = a[first.clone()].chunks(size).zip(b[first].chunks(size));
        for (a, b) in blocks {
            block.fill(Lanes::ZERO);
            level.wide(
                #[inline(always)]
                || add_rows(mean, a, b, real, &mut block, &term),
            );
            join(&block, &mut total);
        }
    }
    finish(&total, sums);
}

#[inline(always)]
fn add_rows(
    mean: &[f32],
    a: &[Lanes],
    b: &[Lanes],
    real: usize,
    sums: &mut [Lanes],
    term: &impl Fn(f32, f32, f32) -> f32,
) {
    let channels = sums.len();
    let factor: [f32; LANES] = std::array::from_fn(|lane| if lane < real { 1.0 } else { 0.0 });
    for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
        for channel in 0..channels {
            let (a, b, sum) = (&a[channel].0, &b[channel].0, &mut sums[channel].0);
            for lane in 0..LANES {
                let value = term(a[lane], b[lane], mean[channel]);
                sum[lane] += if factor[lane] > 0.0 { value } else { 0.0 };
            }
        }
    }
}

/// Adds `d_output`: (groups x positions, channels), 0 for blank images, up into `d_bias`:
/// (channels), or empty for none.
pub(crate) fn bias_gradient(level: Level, d_output: &[Lanes], d_bias: &mut [f32]) {
    if d_bias.is_empty() {
        return;
    }
    let rows = d_output.len() / d_bias.len();
    let means = vec![0.0; d_bias.len()];
    channel_sums(level, rows * LANES, &means, [d_output, d_output], d_bias, |d, _, _| d);
}
