//! The sum of products under every convolution and dense layer:
//!
//! `out[to[p] + f step] = bias[f] + sum over t, j of x[from[p] + taps[t] + j] weights(t, j, f)`
//!
//! for places p and filters f, t over runs of neighbours in `x`, j over each run. A tile of
//! places x filters stays in registers while t and j go by, in this order: the order of the sum is
//! that of the formula, whatever the tiles are, and every term is fused into it with one rounding.
//! So results depend neither on the instruction set nor on the company.

use std::ops::Range;

use super::lanes::{Kernel, Lanes, Level, Vector};

/// What to compute; see the module. `weights(t, j)` gives the filters' weights from one on.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    pub(crate) x: &'a [Lanes],
    /// Where each place begins in `x` ...
    pub(crate) from: &'a [usize],
    /// ... its runs in turn, relative to that ...
    pub(crate) taps: &'a [usize],
    /// ... and how long each is.
    pub(crate) run: usize,
    /// Which of its runs each place needs, the others being 0; empty for all.
    pub(crate) spans: &'a [Range<usize>],
    /// (filters), or empty for 0.
    pub(crate) bias: &'a [f32],
    /// Whether sums below 0 become 0.
    pub(crate) rectify: bool,
    pub(crate) out: &'a mut [Lanes],
    /// Where each place's sums go.
    pub(crate) to: &'a [usize],
    pub(crate) step: usize,
}

/// Filters whose weights are laid out at once.
const FILTERS_AT_ONCE: usize = 64;

impl Product<'_> {
    /// Computes it for `filters` filters. `packed` is memory to lay weights out in.
    pub(crate) fn compute(
        mut self,
        level: Level,
        filters: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
        packed: &mut Vec<f32>,
    ) {
        for first in (0..filters).step_by(FILTERS_AT_ONCE) {
            let count = FILTERS_AT_ONCE.min(filters - first);
            let inner = self.taps.len() * self.run;
            packed.resize(inner * count, 0.0);
            let (mut at, mut rest) = (first, &mut packed[..]);
            for width in widths(count) {
                let (block, after) = rest.split_at_mut(inner * width);
                match width {
                    1 => self.pack::<1>(at, &weight, block),
                    2 => self.pack::<2>(at, &weight, block),
                    3 => self.pack::<3>(at, &weight, block),
                    4 => self.pack::<4>(at, &weight, block),
                    _ => self.pack::<5>(at, &weight, block),
                }
                (at, rest) = (at + width, after);
            }
            level.run(Part { product: &mut self, first, count, packed });
        }
    }

    /// Lays out the weights of `F` filters from `first` on: (taps, run, filters).
    fn pack<const F: usize>(
        &self,
        first: usize,
        weight: &impl Fn(usize, usize, usize) -> f32,
        into: &mut [f32],
    ) {
        let (rows, _) = into.as_chunks_mut::<F>();
        for (tap, rows) in rows.chunks_exact_mut(self.run).enumerate() {
            for (j, row) in rows.iter_mut().enumerate() {
                *row = std::array::from_fn(|f| weight(tap, j, first + f));
            }
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

/// Values of the runs that are worked on at once: those of a tile's places and the weights of all
/// filters at once stay in a near cache meanwhile.
const RUNS: usize = 2048;

/// Values of the runs of places that all filters at once use before others take their room in the
/// cache ...
const VALUES: usize = 1 << 15;

/// ... and places at least: a multiple of what most tiles have.
const PLACES: usize = 12;

impl Kernel for Part<'_, '_> {
    #[inline(always)]
    fn run<S: Vector>(self, simd: S) {
        let Self { product, first, count, packed } = self;
        let (taps, places) = (product.taps.len(), product.from.len());
        let at_once = (RUNS / product.run).max(1);
        let places_at_once = (VALUES / (taps * product.run) / PLACES).max(1) * PLACES;
        for tap in (0..taps).step_by(at_once) {
            let taps = tap..taps.min(tap + at_once);
            for place in (0..places).step_by(places_at_once) {
                let places = place..places.min(place + places_at_once);
                product.block(simd, &taps, &places, first, count, packed);
            }
        }
    }
}

/// Filters of one width of tiles, and some of the runs.
struct Stretch<'a> {
    first: usize,
    taps: Range<usize>,
    weights: &'a [f32],
}

impl Product<'_> {
    /// Some of the runs for some of the places and `count` filters.
    #[inline(always)]
    fn block<S: Vector>(
        &mut self,
        simd: S,
        taps: &Range<usize>,
        places: &Range<usize>,
        mut first: usize,
        count: usize,
        mut packed: &[f32],
    ) {
        for width in widths(count) {
            let (all, rest) = packed.split_at(self.taps.len() * self.run * width);
            let weights = &all[taps.start * self.run * width..taps.end * self.run * width];
            let stretch = Stretch { first, taps: taps.clone(), weights };
            // As many sums as registers hold, beside what they are made of.
            match (width, S::PARTS) {
                (1, 1) => self.filters::<S, 1, 12>(simd, &stretch, places),
                (2, 1) => self.filters::<S, 2, 6>(simd, &stretch, places),
                (3, 1) => self.filters::<S, 3, 6>(simd, &stretch, places),
                (4, 1) => self.filters::<S, 4, 6>(simd, &stretch, places),
                (5, 1) => self.filters::<S, 5, 4>(simd, &stretch, places),
                (1, _) => self.filters::<S, 1, 6>(simd, &stretch, places),
                (2, _) => self.filters::<S, 2, 4>(simd, &stretch, places),
                (3, _) => self.filters::<S, 3, 3>(simd, &stretch, places),
                (4, _) => self.filters::<S, 4, 3>(simd, &stretch, places),
                _ => self.filters::<S, 5, 2>(simd, &stretch, places),
            }
            packed = rest;
            first += width;
        }
    }

    /// `F` filters, `P` places a tile.
    #[inline(always)]
    fn filters<S: Vector, const F: usize, const P: usize>(
        &mut self,
        simd: S,
        stretch: &Stretch<'_>,
        places: &Range<usize>,
    ) {
        // Where sums are not taken up again, the last tile may begin among places that are done.
        let is_whole = stretch.taps.len() == self.taps.len();
        let mut place = places.start;
        while place < places.end {
            place += match places.end - place {
                left if left >= P => self.tile::<S, F, P>(simd, stretch, place),
                left if is_whole && left > P / 2 && places.end >= P => {
                    self.tile::<S, F, P>(simd, stretch, places.end - P);
                    left
                }
                4.. if P > 4 => self.tile::<S, F, 4>(simd, stretch, place),
                2.. if P > 2 => self.tile::<S, F, 2>(simd, stretch, place),
                _ => self.tile::<S, F, 1>(simd, stretch, place),
            };
        }
    }

    /// Those of the runs that some of the places need.
    #[inline(always)]
    fn needed(&self, taps: &Range<usize>, places: Range<usize>) -> Range<usize> {
        if self.spans.is_empty() {
            return taps.clone();
        }
        let spans = &self.spans[places];
        let (mut start, mut end) = (taps.end, taps.start);
        for span in spans {
            (start, end) = (start.min(span.start), end.max(span.end));
        }
        let start = start.clamp(taps.start, taps.end);
        start..end.clamp(start, taps.end)
    }

    /// A tile from beginning to end, or what some of the runs add to it; returns `P`.
    #[inline(always)]
    fn tile<S: Vector, const F: usize, const P: usize>(
        &mut self,
        simd: S,
        stretch: &Stretch<'_>,
        place: usize,
    ) -> usize {
        let is_whole = stretch.taps.len() == self.taps.len();
        let taps = self.needed(&stretch.taps, place..place + P);
        if is_whole {
            self.sums::<S, F, P, true>(simd, stretch, taps, place);
        } else {
            self.sums::<S, F, P, false>(simd, stretch, taps, place);
        }
        P
    }

    #[expect(
        clippy::needless_range_loop,
        reason = "what iterators and `map` make of so many sums would go through memory"
    )]
    #[inline(always)]
    fn sums<S: Vector, const F: usize, const P: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        stretch: &Stretch<'_>,
        taps: Range<usize>,
        place: usize,
    ) {
        let from: &[usize; P] = self.from[place..place + P].try_into().expect("P places");
        let to: &[usize; P] = self.to[place..place + P].try_into().expect("P places");
        let (first, run, step) = (stretch.first, self.run, self.step);
        let begins = WHOLE || stretch.taps.start == 0;
        let rectify = self.rectify && (WHOLE || stretch.taps.end == self.taps.len());
        let weights = &stretch.weights[(taps.start - stretch.taps.start) * run * F..];
        let (x, taps) = (self.x, &self.taps[taps]);
        for part in 0..S::PARTS {
            let mut sums = [[simd.splat(0.0); P]; F];
            if begins && !self.bias.is_empty() {
                for f in 0..F {
                    sums[f] = [simd.splat(self.bias[first + f]); P];
                }
            } else if !begins {
                for f in 0..F {
                    for p in 0..P {
                        sums[f][p] = simd.load(&self.out[to[p] + (first + f) * step], part);
                    }
                }
            }
            for (&tap, weights) in taps.iter().zip(weights.chunks_exact(run * F)) {
                let runs: [&[Lanes]; P] = std::array::from_fn(|p| &x[from[p] + tap..][..run]);
                let weights = &weights.as_chunks::<F>().0[..run];
                for j in 0..run {
                    let x: [S::Values; P] = std::array::from_fn(|p| simd.load(&runs[p][j], part));
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
                    let sum = if rectify { simd.rectified(sum) } else { sum };
                    simd.store(sum, &mut self.out[to[p] + (first + f) * step], part);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn runs_that_no_place_of_a_tile_needs_are_not_read() {
        // Every run is one value; those outside the spans are NaN.
        let mut x = vec![Lanes([f32::NAN; 16]); 40];
        let spans: Vec<Range<usize>> = (0..20).map(|p| p / 8..p / 8 + 1).collect();
        let from: Vec<usize> = (0..20).map(|p| p / 8 * 10).collect();
        for (from, span) in from.iter().zip(&spans) {
            x[from + span.start] = Lanes([2.0; 16]);
        }
        let to: Vec<usize> = (0..8).collect();
        for level in Level::all() {
            for (tile, from) in from.chunks(8).enumerate() {
                let mut out = vec![Lanes::ZERO; 8];
                let spans = &spans[8 * tile..8 * tile + from.len()];
                let to = &to[..from.len()];
                let (taps, x) = (&[0, 1, 2, 3][..], &x[..]);
                let (bias, rectify, step) = (&[0.5][..], false, 1);
                let out_of = &mut out;
                let product =
                    Product { x, from, taps, run: 1, spans, bias, rectify, out: out_of, to, step };
                product.compute(level, 1, |t, _, _| (t + 1) as f32, &mut Vec::new());
                let expected = Lanes([0.5 + 2.0 * (tile + 1) as f32; 16]);
                assert!(out[..from.len()].iter().all(|sum| *sum == expected), "{level:?} {tile}");
            }
        }
    }

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
            (0..1_300).map(|i| Lanes(std::array::from_fn(|lane| value(16 * i + lane)))).collect();
        for filters in (1..=11).chain([64, 67]) {
            let bias: Vec<f32> = (0..filters).map(|f| value(f + 5)).collect();
            for places in [1, 2, 3, 5, 7, 12, 13, 29] {
                let from: Vec<usize> = (0..places).map(|p| 3 * p).collect();
                for (taps, run) in [(vec![0, 50, 90], 3), (vec![7], 1), (vec![0, 20, 5], 1_100)] {
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
                                spans: &[],
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
