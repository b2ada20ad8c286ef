//! The sum under the weight gradients of convolutions:
//!
//! `sums[k, f] = sum over places p and images of x[from[p] + offsets[k]] d_output[p, f]`
//!
//! Each image of a group sums for itself, place by place; the sixteen sums are added at the end. A
//! tile of offsets x filters stays in registers while the places go by. Neither tiles nor
//! instruction sets change the order.

use std::ops::Range;

use super::lanes::{Kernel, Lanes, Level, Vector};

/// An input of every output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Its distance from where the output's place begins.
    pub(crate) at: usize,
    /// The places of a group for which it is not known to be 0.
    pub(crate) places: Range<usize>,
}

/// What to compute; see the module.
#[derive(Debug)]
pub(crate) struct Correlation<'a> {
    pub(crate) x: &'a [Lanes],
    pub(crate) from: &'a [usize],
    pub(crate) offsets: &'a [Offset],
    /// Places of one group.
    pub(crate) positions: usize,
    /// (places, filters).
    pub(crate) d_output: &'a [Lanes],
    pub(crate) filters: usize,
    /// Added to: those of an offset side by side, those of the next `stride` further on.
    pub(crate) sums: &'a mut [f32],
    pub(crate) stride: usize,
}

impl Correlation<'_> {
    /// Adds to the sums.
    pub(crate) fn compute(self, level: Level) {
        assert_eq!(self.d_output.len(), self.from.len() * self.filters);
        level.run(self);
    }
}

/// Values that the offsets at once reach over all places: they stay in a near cache meanwhile.
const VALUES: usize = 6144;

impl Kernel for Correlation<'_> {
    #[inline(always)]
    fn run<S: Vector>(mut self, simd: S) {
        // A multiple of what most tiles have.
        let at_once = (VALUES / self.from.len() / 24 * 24).max(24);
        for offset in (0..self.offsets.len()).step_by(at_once) {
            let offsets = offset..self.offsets.len().min(offset + at_once);
            let mut filter = 0;
            while filter < self.filters {
                let left = self.filters - filter;
                // As many sums as registers hold, beside what they are made of.
                filter += match (left, S::PARTS) {
                    (1, 1) => self.filters::<S, 1, 8>(simd, filter, &offsets),
                    (2, 1) => self.filters::<S, 2, 8>(simd, filter, &offsets),
                    (3 | 6, 1) => self.filters::<S, 3, 8>(simd, filter, &offsets),
                    (5, 1) => self.filters::<S, 5, 4>(simd, filter, &offsets),
                    (_, 1) => self.filters::<S, 4, 6>(simd, filter, &offsets),
                    (1, _) => self.filters::<S, 1, 8>(simd, filter, &offsets),
                    (2, _) => self.filters::<S, 2, 4>(simd, filter, &offsets),
                    (3 | 6, _) => self.filters::<S, 3, 3>(simd, filter, &offsets),
                    (5, _) => self.filters::<S, 5, 2>(simd, filter, &offsets),
                    _ => self.filters::<S, 4, 2>(simd, filter, &offsets),
                };
            }
        }
    }
}

impl Correlation<'_> {
    /// `F` filters, `K` offsets a tile, and fewer for the last ones. Returns `F`.
    #[inline(always)]
    fn filters<S: Vector, const F: usize, const K: usize>(
        &mut self,
        simd: S,
        filter: usize,
        offsets: &Range<usize>,
    ) -> usize {
        let mut offset = offsets.start;
        while offset < offsets.end {
            offset += match offsets.end - offset {
                left if left >= K => self.tile::<S, F, K>(simd, filter, offset),
                5 if K > 5 => self.tile::<S, F, 5>(simd, filter, offset),
                4.. if K > 4 => self.tile::<S, F, 4>(simd, filter, offset),
                3 if K > 3 => self.tile::<S, F, 3>(simd, filter, offset),
                2.. if K > 2 => self.tile::<S, F, 2>(simd, filter, offset),
                _ => self.tile::<S, F, 1>(simd, filter, offset),
            };
        }
        F
    }

    #[inline(always)]
    fn tile<S: Vector, const F: usize, const K: usize>(
        &mut self,
        simd: S,
        filter: usize,
        offset: usize,
    ) -> usize {
        let tile: &[Offset; K] = self.offsets[offset..offset + K].try_into().expect("K of them");
        let offsets: [usize; K] = std::array::from_fn(|k| tile[k].at);
        let start = tile.iter().map(|offset| offset.places.start).min().expect("K of them");
        let end = tile.iter().map(|offset| offset.places.end).max().expect("K of them");
        let mut totals = [[Lanes::ZERO; F]; K];
        for part in 0..S::PARTS {
            let mut sums = [[simd.splat(0.0); F]; K];
            for group in (0..self.from.len()).step_by(self.positions) {
                let places = group + start..group + end;
                let d_output =
                    &self.d_output[places.start * self.filters..places.end * self.filters];
                let d_output = d_output.chunks_exact(self.filters);
                for (&from, d_output) in self.from[places].iter().zip(d_output) {
                    let d_output: &[Lanes; F] =
                        d_output[filter..filter + F].try_into().expect("F filters");
                    let d: [S::Values; F] = std::array::from_fn(|f| simd.load(&d_output[f], part));
                    for k in 0..K {
                        let x = simd.load(&self.x[from + offsets[k]], part);
                        for f in 0..F {
                            sums[k][f] = simd.multiply_add(x, d[f], sums[k][f]);
                        }
                    }
                }
            }
            for (totals, sums) in totals.iter_mut().zip(sums) {
                for (total, sum) in totals.iter_mut().zip(sums) {
                    simd.store(sum, total, part);
                }
            }
        }
        for (k, totals) in totals.iter().enumerate() {
            for (f, total) in totals.iter().enumerate() {
                self.sums[(offset + k) * self.stride + filter + f] += total.sum();
            }
        }
        K
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn every_tile_under_every_instruction_set_sums_in_the_order_of_the_places() {
        let lanes = |i: usize, seed: usize| {
            let value = |lane: usize| libm::sinf((((16 * i + lane) * seed) % 9_973) as f32);
            Lanes(std::array::from_fn(value))
        };
        let x: Vec<Lanes> = (0..100).map(|i| lanes(i, 17)).collect();
        for (filters, places, count) in
            (1..=11).flat_map(|f| [(f, 1, 3), (f, 9, 1), (f, 30, 2), (f, 7, f + 9), (f, 5, 24)])
        {
            let d_output: Vec<Lanes> = (0..places * filters).map(|i| lanes(i, 71)).collect();
            let from: Vec<usize> = (0..places).map(|p| 2 * p).collect();
            let positions = if places % 5 == 0 { 5 } else { places };
            let offset = |k: usize| Offset { at: k * k % 37, places: 0..positions };
            let offsets: Vec<Offset> = (0..count).map(offset).collect();
            let mut expected = vec![0.5_f32; count * filters];
            for (k, offset) in offsets.iter().enumerate() {
                for f in 0..filters {
                    let mut sums = Lanes::ZERO;
                    for p in 0..places {
                        let (x, d) = (x[2 * p + offset.at], d_output[p * filters + f]);
                        for lane in 0..16 {
                            sums.0[lane] = x.0[lane].mul_add(d.0[lane], sums.0[lane]);
                        }
                    }
                    expected[k * filters + f] += sums.sum();
                }
            }
            for level in Level::all() {
                let mut sums = vec![0.5; count * filters];
                let correlation = Correlation {
                    x: &x,
                    from: &from,
                    offsets: &offsets,
                    positions,
                    d_output: &d_output,
                    filters,
                    sums: &mut sums,
                    stride: filters,
                };
                correlation.compute(level);
                assert_eq!(sums, expected, "{level:?} {filters} {places} {count}");
            }
        }
    }

    #[test]
    fn places_that_no_offset_of_a_tile_needs_are_not_read() {
        // Two groups of four places; the first offset needs the middle ones, the second the first.
        let mut x = vec![Lanes([f32::NAN; 16]); 16];
        for at in [1, 2, 5, 6, 8, 12] {
            x[at] = Lanes([at as f32; 16]);
        }
        let from: Vec<usize> = (0..8).collect();
        for (offset, expected) in
            [(Offset { at: 0, places: 1..3 }, 14.0), (Offset { at: 8, places: 0..1 }, 20.0)]
        {
            for level in Level::all() {
                let (d_output, mut sums) = (vec![Lanes([1.0; 16]); 8], [0.0]);
                let (x, from, offsets) = (&x[..], &from[..], std::slice::from_ref(&offset));
                let (d_output, sums_of) = (&d_output[..], &mut sums[..]);
                let (positions, filters, stride) = (4, 1, 1);
                let correlation = Correlation {
                    x,
                    from,
                    offsets,
                    positions,
                    d_output,
                    filters,
                    sums: sums_of,
                    stride,
                };
                correlation.compute(level);
                assert_eq!(sums, [16.0 * expected], "{level:?}");
            }
        }
    }
}
