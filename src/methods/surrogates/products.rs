//! Products of small matrices of f32, and what else the networks' layers loop over, as wide as the
//! machine allows.
//!
//! An entry of a product is one sum over the inner dimension, in its order, from the bias or 0 on,
//! each term fused into it (rounded once). Vectors lie across columns, so that no instruction set
//! changes a bit; on machines that cannot fuse a product with a sum it is emulated, and slow.

#![expect(
    clippy::inline_always,
    reason = "what is to be compiled for an instruction set must stand in its function"
)]

use pulp::{Arch, Simd, WithSimd};

/// The left factor of a product.
#[derive(Debug, Clone, Copy)]
pub enum Left<'a> {
    /// (rows, depth), row after row.
    Plain(&'a [f32]),
    /// Transposed: (depth, rows).
    Transposed(&'a [f32]),
}

/// `out = bias + left right`, with `right`: (depth, columns), `bias`: (columns), or empty for
/// none, `out`: (rows, columns), overwritten.
#[derive(Debug)]
pub struct Product<'a> {
    pub left: Left<'a>,
    pub right: &'a [f32],
    pub bias: &'a [f32],
    /// The inner dimension.
    pub depth: usize,
    pub columns: usize,
    pub out: &'a mut [f32],
}

/// Rows of a block: with two vectors of columns, eight sums that do not wait for each other.
const BLOCK: usize = 4;

impl Product<'_> {
    /// Computes it under the widest instruction set that there is.
    ///
    /// # Panics
    /// Where the sizes do not fit.
    pub fn compute(self) {
        let Self { depth, columns, .. } = self;
        assert!(columns > 0 && self.right.len() == depth * columns, "the right factor fits");
        assert!(self.bias.is_empty() || self.bias.len() == columns, "a bias a column");
        assert_eq!(self.out.len() % columns, 0, "whole rows");
        let rows = self.out.len() / columns;
        let (Left::Plain(left) | Left::Transposed(left)) = self.left;
        assert_eq!(left.len(), rows * depth, "the left factor fits");
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.out.len() / self.columns;
        let mut product = self;
        let mut row = 0;
        while row < rows {
            match rows - row {
                1 => block::<S, 1>(simd, &mut product, row, rows),
                2 => block::<S, 2>(simd, &mut product, row, rows),
                3 => block::<S, 3>(simd, &mut product, row, rows),
                _ => block::<S, BLOCK>(simd, &mut product, row, rows),
            }
            row += BLOCK;
        }
    }
}

/// `R` rows from `row` on.
#[inline(always)]
fn block<S: Simd, const R: usize>(simd: S, product: &mut Product<'_>, row: usize, rows: usize) {
    let Product { left, right, bias, depth, columns, ref mut out } = *product;
    match left {
        Left::Plain(left) => {
            let lines: [&[f32]; R] = std::array::from_fn(|at| &left[(row + at) * depth..][..depth]);
            panels::<S, R>(
                simd,
                #[inline(always)]
                |at, inner| lines[at][inner],
                [right, bias],
                [depth, columns, row],
                out,
            );
        }
        Left::Transposed(left) => {
            panels::<S, R>(
                simd,
                #[inline(always)]
                |at, inner| left[inner * rows + row + at],
                [right, bias],
                [depth, columns, row],
                out,
            );
        }
    }
}

/// Two vectors from `start` on.
#[inline(always)]
fn pair<S: Simd>(values: &[f32], start: usize) -> [S::f32s; 2] {
    let (vectors, _) = S::as_simd_f32s(&values[start..][..2 * S::F32_LANES]);
    [vectors[0], vectors[1]]
}

/// All columns of `R` rows.
#[inline(always)]
fn panels<S: Simd, const R: usize>(
    simd: S,
    entry: impl Fn(usize, usize) -> f32,
    [right, bias]: [&[f32]; 2],
    [depth, columns, row]: [usize; 3],
    out: &mut [f32],
) {
    let lanes = S::F32_LANES;
    let mut column = 0;
    while columns - column >= 2 * lanes {
        let zero = simd.splat_f32s(0.0);
        let start = if bias.is_empty() { [zero; 2] } else { pair::<S>(bias, column) };
        let mut sums = [start; R];
        for inner in 0..depth {
            let terms = pair::<S>(right, inner * columns + column);
            for (at, sums) in sums.iter_mut().enumerate() {
                let factor = simd.splat_f32s(entry(at, inner));
                sums[0] = simd.mul_add_f32s(factor, terms[0], sums[0]);
                sums[1] = simd.mul_add_f32s(factor, terms[1], sums[1]);
            }
        }
        for (at, sums) in sums.iter().enumerate() {
            let into = &mut out[(row + at) * columns + column..][..2 * lanes];
            S::as_mut_simd_f32s(into).0.copy_from_slice(sums);
        }
        column += 2 * lanes;
    }
    while column < columns {
        let width = lanes.min(columns - column);
        let start = if bias.is_empty() {
            simd.splat_f32s(0.0)
        } else {
            simd.partial_load_f32s(&bias[column..][..width])
        };
        let mut sums = [start; R];
        for inner in 0..depth {
            let terms = simd.partial_load_f32s(&right[inner * columns + column..][..width]);
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = simd.mul_add_f32s(simd.splat_f32s(entry(at, inner)), terms, *sum);
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            let into = &mut out[(row + at) * columns + column..][..width];
            simd.partial_store_f32s(into, *sum);
        }
        column += lanes;
    }
}

/// Lets the compiler use the widest instruction set for the loops of `work`, none of which may sum
/// across entries: what it computes entry by entry is the same under all of them.
#[inline]
pub fn wide<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// Side of the squares in which a matrix is turned, so that both sides stay in the cache.
const SIDE: usize = 16;

/// A (rows, columns) matrix the other way round.
pub fn transpose(matrix: &[f32], columns: usize, into: &mut [f32]) {
    assert!(matrix.len() == into.len() && matrix.len().is_multiple_of(columns), "as many entries");
    let rows = matrix.len() / columns;
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            for at in column..columns.min(column + SIDE) {
                for from in row..rows.min(row + SIDE) {
                    into[at * rows + from] = matrix[from * columns + at];
                }
            }
        }
    }
}

/// The sums of the columns of a (rows, columns) matrix, by ascending row.
pub fn column_sums(matrix: &[f32], into: &mut [f32]) {
    let columns = into.len();
    assert_eq!(matrix.len() % columns, 0, "whole rows");
    wide(
        #[inline(always)]
        || {
            into.fill(0.0);
            for row in matrix.chunks_exact(columns) {
                into.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry);
            }
        },
    );
}

/// Slope of `LeakyReLU` below 0 (torch's default).
const LEAK: f32 = 0.01;

/// `LeakyReLU` of each value, in place.
pub fn leaky_rectify(values: &mut [f32]) {
    wide(
        #[inline(always)]
        || values.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { LEAK * *x }),
    );
}

/// Turns gradients with respect to what `LeakyReLU` gave into those of what it took, which have
/// the same sign.
pub fn leaky_rectify_backward(outputs: &[f32], gradients: &mut [f32]) {
    assert_eq!(outputs.len(), gradients.len(), "one gradient an output");
    wide(
        #[inline(always)]
        || {
            let both = outputs.iter().zip(gradients);
            both.for_each(|(x, gradient)| *gradient *= if *x > 0.0 { 1.0 } else { LEAK });
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(at: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let at = (at * at % 10_007) as f32;
        libm::sinf(at)
    }

    #[test]
    fn products_are_fused_sums_in_order_whatever_the_width() {
        for (rows, depth, columns) in [(1, 3, 1), (5, 7, 3), (9, 1, 40), (65, 128, 128), (4, 0, 33)]
        {
            let plain: Vec<f32> = (0..rows * depth).map(value).collect();
            let mut transposed = vec![0.0; rows * depth];
            if depth > 0 {
                transpose(&plain, depth, &mut transposed);
            }
            let right: Vec<f32> = (0..depth * columns).map(|at| value(at + 7)).collect();
            let bias: Vec<f32> = (0..columns).map(|at| value(at + 3)).collect();
            for bias in [&[][..], &bias] {
                let entry = |row: usize, column: usize| {
                    let start = bias.get(column).copied().unwrap_or(0.0);
                    let term = |inner: usize| {
                        (plain[row * depth + inner], right[inner * columns + column])
                    };
                    (0..depth).map(term).fold(start, |sum, (a, b)| a.mul_add(b, sum))
                };
                let entries = (0..rows * columns).map(|at| entry(at / columns, at % columns));
                let expected: Vec<f32> = entries.collect();
                for left in [Left::Plain(&plain), Left::Transposed(&transposed)] {
                    let mut out = vec![f32::NAN; rows * columns];
                    let out_of = &mut out;
                    Product { left, right: &right, bias, depth, columns, out: out_of }.compute();
                    assert_eq!(out, expected, "{rows} {depth} {columns}");
                }
            }
        }
    }

    #[test]
    fn leaks_go_both_ways() {
        let mut values = [-2.0, 0.0, 3.0];
        leaky_rectify(&mut values);
        assert_eq!(values, [-0.02, 0.0, 3.0]);
        let mut gradients = [1.0; 3];
        leaky_rectify_backward(&values, &mut gradients);
        assert_eq!(gradients, [0.01, 0.01, 1.0]);
        let mut sums = [0.0; 2];
        column_sums(&[1.0, 2.0, 10.0, 20.0], &mut sums);
        assert_eq!(sums, [11.0, 22.0]);
    }
}
