//! The end of `channel_sums`: blocks of rows join one after the other, image by image, and the
//! sixteen images of a group last.

use super::lanes::Lanes;

/// Adds a block's sums to those of the blocks before it.
#[inline]
pub(crate) fn join(block: &[Lanes], total: &mut [Lanes]) {
    total.iter_mut().zip(block).for_each(|(total, block)| total.add(block));
}

/// Adds the images of each channel to its sum.
#[inline]
pub(crate) fn finish(total: &[Lanes], sums: &mut [f32]) {
    sums.iter_mut().zip(total).for_each(|(sum, total)| *sum += total.sum());
}

#[cfg(test)]
mod tests {
    use super::super::lanes::LANES;
    use super::*;

    #[test]
    fn images_join_those_farthest_away_first() {
        // 2^24 + 1 is no f32: the ones must meet each other before they meet the large number.
        let mut block = Lanes::ZERO;
        (block.0[0], block.0[3], block.0[11]) = (16_777_216.0, 1.0, 1.0);
        let (mut total, mut sums) = ([Lanes::ZERO, Lanes([1.0; LANES])], [0.5, 0.5]);
        join(&[block, Lanes([2.0; LANES])], &mut total);
        finish(&total, &mut sums);
        assert_eq!(sums, [16_777_218.0, 48.5]);
    }
}
