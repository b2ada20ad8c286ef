//! Numbers that censored runs leave known within bounds only.

use base::stats::Interval;
use polars::prelude::{
    BooleanChunked, ChunkFillNullValue, ChunkQuantile, ChunkSet, Float64Chunked, QuantileMethod,
    arity,
};

use super::frames::slice;

/// One number a run: all their low bounds, and all their high ones where some differ.
#[derive(Debug, Clone)]
pub(super) struct Bounded {
    low: Float64Chunked,
    high: Option<Float64Chunked>,
}

impl Bounded {
    /// Something that happened at `value`, null where it has not by `watched`: then it is infinite
    /// where the run exhausted everything, and above `watched` where the run was `cut`.
    pub(super) fn new(
        value: &Float64Chunked,
        watched: &Float64Chunked,
        cut: &BooleanChunked,
    ) -> Self {
        let high = value.fill_null_with_values(f64::INFINITY).expect("a number is a number");
        if !cut.any() {
            return Self { low: high, high: None };
        }
        let watched = watched.set(&!cut, Some(f64::INFINITY)).expect("a mask of all runs");
        Self { low: or_else(value, &watched), high: Some(high) }
    }

    pub(super) fn low(&self) -> &[f64] {
        slice(&self.low)
    }

    pub(super) fn high(&self) -> &[f64] {
        self.high.as_ref().map_or_else(|| self.low(), slice)
    }

    /// The bounds as columns.
    pub(super) fn columns(&self) -> [Float64Chunked; 2] {
        [self.low.clone(), self.high.as_ref().unwrap_or(&self.low).clone()]
    }

    /// Whether every number is known exactly.
    pub(super) fn is_exact(&self) -> bool {
        self.high.is_none()
    }

    /// The quantiles at `p`, each within its bounds.
    pub(super) fn quantiles<const N: usize>(&self, p: [f64; N]) -> [Interval; N] {
        let low = quantiles(&self.low, p).expect("a group has a run");
        let high = self.high.as_ref().map(|h| quantiles(h, p).expect("a group has a run"));
        let high = high.unwrap_or(low);
        std::array::from_fn(|at| Interval { low: low[at], high: high[at] })
    }

    pub(super) fn median(&self) -> Interval {
        self.quantiles([0.5])[0]
    }
}

/// Each number, or where it is missing the other.
pub(super) fn or_else(numbers: &Float64Chunked, others: &Float64Chunked) -> Float64Chunked {
    arity::binary_elementwise(numbers, others, |number: Option<f64>, other| number.or(other))
}

/// The quantiles at `p` of numbers without gaps; `None` where there are no numbers.
///
/// polars' linear quantile is that of [`base::stats::quantile`] wherever `p (n - 1)` is exact, as it
/// is for quarters: the same interpolation, bit by bit, infinite as soon as a neighbour with weight
/// is.
pub(super) fn quantiles<const N: usize>(numbers: &Float64Chunked, p: [f64; N]) -> Option<[f64; N]> {
    debug_assert!(p.iter().all(|p| (p * 4.0).fract() == 0.0), "only quarters are surely exact");
    let found = if let [p] = p[..] {
        // Selected, not sorted.
        numbers.quantile(p, QuantileMethod::Linear).map(|found| vec![found])
    } else {
        numbers.quantiles(&p, QuantileMethod::Linear)
    };
    let found: Option<Vec<f64>> = found.expect("shares in [0, 1]").into_iter().collect();
    found?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use base::rng::Stream;
    use base::stats::quantile;
    use polars::prelude::NewChunkedArray;
    use rand::RngExt;

    use super::*;

    #[test]
    fn quarters_by_polars_are_ours_bit_by_bit() {
        let mut rng = Stream::new(7, 0, "quantiles");
        for n in 1..200_usize {
            let number = |rng: &mut Stream| match rng.random_range(0..8_u32) {
                0 => f64::INFINITY,
                1 => 2.5,
                _ => 1e3 * rng.random::<f64>() - 100.0,
            };
            let values: Vec<f64> = (0..n).map(|_| number(&mut rng)).collect();
            let column = Float64Chunked::from_slice("x".into(), &values);
            let p = [0.0, 0.25, 0.5, 0.75, 1.0];
            let found = quantiles(&column, p).unwrap();
            for (p, found) in p.into_iter().zip(found) {
                let ours = quantile::quantile(&values, p);
                assert_eq!(found.to_bits(), ours.to_bits(), "{p} of {values:?}");
                let alone = quantiles(&column, [p]).unwrap()[0];
                assert_eq!(alone.to_bits(), ours.to_bits(), "{p} of {values:?}");
            }
        }
        assert_eq!(quantiles(&Float64Chunked::from_slice("x".into(), &[]), [0.5]), None);
    }

    #[test]
    fn what_was_cut_is_known_from_below() {
        let time =
            Float64Chunked::from_slice_options("t".into(), &[Some(1.0), None, None, Some(4.0)]);
        let watched = Float64Chunked::from_slice("w".into(), &[9.0, 8.0, 7.0, 6.0]);
        let cut = BooleanChunked::from_slice("c".into(), &[false, true, false, true]);
        let bounded = Bounded::new(&time, &watched, &cut);
        assert_eq!(bounded.low(), [1.0, 8.0, f64::INFINITY, 4.0]);
        assert_eq!(bounded.high(), [1.0, f64::INFINITY, f64::INFINITY, 4.0]);
        let exact =
            Bounded::new(&time, &watched, &BooleanChunked::from_slice("c".into(), &[false; 4]));
        assert!(exact.is_exact() && exact.low() == bounded.high());
    }
}
