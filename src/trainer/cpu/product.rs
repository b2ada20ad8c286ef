//! The sum of products under every convolution and dense layer:
//!
//! `out[to[p] + f step] = bias[f] + sum over t, j of x[from[p] + taps[t] + j] weights(t, j, f)`
//!
//! for places p and filters f, t over runs of neighbours in `x`, j over each run. A tile of
//! places x filters stays in registers while t and j go by, in this order: the order of the sum is
//! that of the formula, whatever the tiles are, and every term is fused into it with one rounding.
//! So results depend neither on the instruction set nor on the company.

use super::lanes::{Kernel, Lanes, Level, Vector};

/// What to compute; see the module. `weights(t, j)` gives the filters' weights from one on.
#[derive(Debug)]
pub(super) struct Product<'a> {
    pub(super) x: &'a [Lanes],
    /// Where each place begins in `x` ...
    pub(super) from: &'a [usize],
    /// ... its runs in turn, relative to that ...
    pub(super) taps: &'a [usize],
    /// ... and how long each is.
    pub(super) run: usize,
    /// (filters), or empty for 0.
    pub(super) bias: &'a [f32],
    /// Whether sums below 0 become 0.
    pub(super) rectify: bool,
    pub(super) out: &'a mut [Lanes],
    /// Where each place's sums go.
    pub(super) to: &'a [usize],
    pub(super) step: usize,
}

/// Filters whose weights are laid out at once.
const FILTERS_AT_ONCE: usize = 64;

impl Product<'_> {
    /// Computes it for `filters` filters. `packed` is memory to lay weights out in.
    pub(super) fn compute(
        mut self,
        level: Level,
        filters: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
        packed: &mut Vec<f32>,
    ) {
        for first in (0..filters).step_by(FILTERS_AT_ONCE) {
            let count = FILTERS_AT_ONCE.min(filters - first);
            packed.clear();
            let mut at = first;
            for width in widths(count) {
                for tap in 0..self.taps.len() {
                    for j in 0..self.run {
                        packed.extend((at..at + width).map(|filter| weight(tap, j, filter)));
                    }
                }
                at += width;
            }
            level.run(Part { product: &mut self, first, count, packed });
        }
    }
}

/// Splits filters into the widths of tiles: fours, with a five or threes for what is left over.
fn widths(filters: usize) -> impl Iterator<Item = usize> {
    let (fours, rest): (usize, &[usize]) = match (filters / 4, filters % 4) {
        (0, 1) => (0, &[1]),
        (0, 2) => (0, &[2]),
        (fours, 0) => (fours, &[]),
        (fours, 1) => (fours - 1, &[5]),
        (fours, 2) => (fours - 1, &[3, 3]),
        (fours, _) => (fours, &[3]),
    };
    std::iter::repeat_n(4, fours).chain(rest.iter().copied())
}

/// Some filters of a product.
struct Part<'a, 'b> {
    product: &'a mut Product<'b>,
    first: usize,
    count: usize,
    packed: &'a [f32],
}

impl Kernel for Part<'_, '_> {
    #[inline(always)]
    fn run<S: Vector>(self, simd: S) {
        let Self { product, mut first, count, mut packed } = self;
        let inner = product.taps.len() * product.run;
        for width in widths(count) {
            let (weights, rest) = packed.split_at(inner * width);
            // As many sums as registers hold, beside what they are made of.
            match (width, S::PARTS) {
                (1, 1) => product.filters::<S, 1, 12>(simd, first, weights),
                (2, 1) => product.filters::<S, 2, 12>(simd, first, weights),
                (3, 1) => product.filters::<S, 3, 8>(simd, first, weights),
                (4, 1) => product.filters::<S, 4, 6>(simd, first, weights),
                (5, 1) => product.filters::<S, 5, 4>(simd, first, weights),
                (1, _) => product.filters::<S, 1, 8>(simd, first, weights),
                (2, _) => product.filters::<S, 2, 6>(simd, first, weights),
                (3, _) => product.filters::<S, 3, 4>(simd, first, weights),
                (4, _) => product.filters::<S, 4, 3>(simd, first, weights),
                _ => product.filters::<S, 5, 2>(simd, first, weights),
            }
            packed = rest;
            first += width;
        }
    }
}

impl Product<'_> {
    /// All places of `F` filters, `P` places a tile; the last tile begins earlier where places
    /// would be missing.
    #[inline(always)]
    fn filters<S: Vector, const F: usize, const P: usize>(
        &mut self,
        simd: S,
        first: usize,
        weights: &[f32],
    ) {
        let places = self.from.len();
        if places >= P {
            for place in (0..places).step_by(P) {
                self.tile::<S, F, P>(simd, first, weights, place.min(places - P));
            }
            return;
        }
        let mut place = 0;
        while place < places {
            match places - place {
                4.. if P > 4 => {
                    self.tile::<S, F, 4>(simd, first, weights, place);
                    place += 4;
                }
                2.. if P > 2 => {
                    self.tile::<S, F, 2>(simd, first, weights, place);
                    place += 2;
                }
                _ => {
                    self.tile::<S, F, 1>(simd, first, weights, place);
                    place += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn tile<S: Vector, const F: usize, const P: usize>(
        &mut self,
        simd: S,
        first: usize,
        weights: &[f32],
        place: usize,
    ) {
        let from: &[usize; P] = self.from[place..place + P].try_into().expect("P places");
        let to: &[usize; P] = self.to[place..place + P].try_into().expect("P places");
        let run = self.run;
        let start: [f32; F] =
            std::array::from_fn(|f| if self.bias.is_empty() { 0.0 } else { self.bias[first + f] });
        for part in 0..S::PARTS {
            let mut sums: [[S::Values; P]; F] = start.map(|bias| [simd.splat(bias); P]);
            for (&tap, weights) in self.taps.iter().zip(weights.chunks_exact(run * F)) {
                let places: [&[Lanes]; P] =
                    std::array::from_fn(|p| &self.x[from[p] + tap..][..run]);
                let weights = &weights.as_chunks::<F>().0[..run];
                for j in 0..run {
                    let x: [S::Values; P] = std::array::from_fn(|p| simd.load(&places[p][j], part));
                    for f in 0..F {
                        let weight = simd.splat(weights[j][f]);
                        for p in 0..P {
                            sums[f][p] = simd.multiply_add(weight, x[p], sums[f][p]);
                        }
                    }
                }
            }
            for p in 0..P {
                for f in 0..F {
                    let sum = sums[f][p];
                    let sum = if self.rectify { simd.rectified(sum) } else { sum };
                    simd.store(sum, &mut self.out[to[p] + (first + f) * self.step], part);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    fn value(at: usize) -> f32 {
        libm::sinf((at * at % 10_007) as f32)
    }

    /// The formula, term by term.
    fn reference(product: &Product<'_>, filters: usize, weights: &[f32]) -> Vec<Lanes> {
        let mut out = product.out.to_vec();
        for (&from, &to) in product.from.iter().zip(product.to) {
            for f in 0..filters {
                let mut sums = [product.bias.get(f).copied().unwrap_or(0.0); 16];
                for (t, tap) in product.taps.iter().enumerate() {
                    for j in 0..product.run {
                        let weight = weights[(t * product.run + j) * filters + f];
                        for (sum, x) in sums.iter_mut().zip(product.x[from + tap + j].0) {
                            *sum = weight.mul_add(x, *sum);
                        }
                    }
                }
                let rectify = |x: f32| if product.rectify && x < 0.0 { 0.0 } else { x };
                out[to + f * product.step] = Lanes(sums.map(rectify));
            }
        }
        out
    }

    #[test]
    fn every_tile_under_every_instruction_set_sums_in_the_order_of_the_formula() {
        let x: Vec<Lanes> =
            (0..200).map(|i| Lanes(std::array::from_fn(|lane| value(16 * i + lane)))).collect();
        for filters in (1..=11).chain([64, 67]) {
            let bias: Vec<f32> = (0..filters).map(|f| value(f + 5)).collect();
            for places in [1, 2, 3, 5, 7, 12, 13, 29] {
                let from: Vec<usize> = (0..places).map(|p| 3 * p).collect();
                for (taps, run) in [(vec![0, 50, 90], 3), (vec![7], 1), (vec![0], 20)] {
                    let weights: Vec<f32> =
                        (0..taps.len() * run * filters).map(|i| value(3 * i + 1)).collect();
                    for (rectify, step) in [(false, 1), (true, places)] {
                        let to: Vec<usize> =
                            (0..places).map(|p| if step == 1 { p * filters } else { p }).collect();
                        let run_at = |level: Level| {
                            let mut out = vec![Lanes([f32::NAN; 16]); places * filters];
                            let product = Product {
                                x: &x,
                                from: &from,
                                taps: &taps,
                                run,
                                bias: if rectify { &bias } else { &[] },
                                rectify,
                                out: &mut out,
                                to: &to,
                                step,
                            };
                            let expected = reference(&product, filters, &weights);
                            let weight = |t, j, f| weights[(t * run + j) * filters + f];
                            product.compute(level, filters, weight, &mut vec![f32::NAN; 9]);
                            assert_eq!(out, expected, "{level:?} {filters} {places} {run}");
                        };
                        Level::all().into_iter().for_each(run_at);
                    }
                }
            }
        }
    }
}
