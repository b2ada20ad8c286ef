//! Dense linear algebra for models of some hundreds of observations.
//!
//! **The crate.** Matrices, eigenvectors, singular values and triangular solves are
//! [`nalgebra`]'s, without its default features. Runs have the same bytes on every machine, so the
//! order of every sum must be the same on every instruction set. `nalgebra` is compiled Rust in a
//! fixed order, as long as its `std` feature stays off, which would multiply matrices by
//! `matrixmultiply`, whose kernels are chosen by the processor; its `libm-force` feature takes
//! roots and logarithms from `libm`. A test reads the lock file for that. `faer` is three to seven
//! times as fast, but chooses the width of its vectors by the processor's features and its blocks
//! by the size of the caches, and so has other bits elsewhere. Measured (two busy cores, release
//! build, one thread; Cholesky factor at n = 200 and n = 1,000, solve at n = 1,000):
//!
//! | | cold build alone | crates | n = 200 | n = 1,000 | solve |
//! |---|---|---|---|---|---|
//! | `nalgebra` 0.35.0 (`alloc`, `libm`) | 21 s of processor | 9 | 0.39 ms | 168 ms | 0.8 ms |
//! | `faer` 0.24.4 (`std`, `linalg`) | 184 s of processor | 47 | 0.12 ms | 23 ms | 0.4 ms |
//!
//! [`Cholesky`] does what `nalgebra`'s does to each number in the same order, but takes columns in
//! panels that stay in the cache, and can grow by a row. What the panels save has not been
//! measured.
//!
//! Transcendental functions are `libm`'s. Everything runs on one thread: runs already share the
//! threads. This is not for thousands of observations, and nothing here is sparse.

mod cholesky;

use nalgebra::linalg::{LU, SVD, SymmetricEigen};

pub use self::cholesky::{Cholesky, JITTER_MAX};

/// A matrix, column after column.
pub type Matrix = nalgebra::DMatrix<f64>;
/// A column.
pub type Vector = nalgebra::DVector<f64>;

/// Steps of an iteration that a finite matrix never needs: without a limit, NaN would not end.
fn steps_max(size: usize) -> usize {
    1_000 + 100 * size
}

/// A symmetric matrix taken apart: `vectors * diagonal(values) * vectors^T`.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Ascending.
    pub values: Vector,
    /// A column for each value, of length 1. Its largest entry by magnitude, the first of equals,
    /// is positive.
    pub vectors: Matrix,
}

/// The eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read.
/// `None` where an entry is not finite.
pub fn symmetric_eigen(matrix: Matrix) -> Option<Eigen> {
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return None;
    }
    let size = matrix.nrows();
    let found = SymmetricEigen::try_new(matrix, f64::EPSILON, steps_max(size))?;
    let mut order: Vec<usize> = (0..size).collect();
    let value = |at: usize| found.eigenvalues[at];
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let values = Vector::from_iterator(size, order.iter().map(|at| value(*at)));
    let mut vectors = found.eigenvectors.select_columns(&order);
    for mut vector in vectors.column_iter_mut() {
        let largest = vector.iter().fold(
            0.0,
            |most: f64, entry| {
                if entry.abs() > most.abs() { *entry } else { most }
            },
        );
        if largest < 0.0 {
            vector.neg_mut();
        }
    }
    Some(Eigen { values, vectors })
}

/// The solution of `matrix * x = right` for a square matrix that need not be symmetric or
/// positive, by Gaussian elimination with the largest pivot of each column. `None` where a pivot is
/// 0 or the solution is not finite.
pub fn solve(matrix: Matrix, right: &Vector) -> Option<Vector> {
    let solution = LU::new(matrix).solve(right)?;
    solution.iter().all(|x| x.is_finite()).then_some(solution)
}

/// The `x` with the least squared error of `matrix * x = right`, and of those the shortest:
/// singular values of at most `epsilon * max(rows, columns)` times the largest count as 0 (numpy's
/// `lstsq`). `None` where an entry is not finite.
pub fn least_squares(matrix: Matrix, right: &Vector) -> Option<Vector> {
    if matrix.iter().chain(right).any(|entry| !entry.is_finite()) {
        return None;
    }
    let (rows, columns) = matrix.shape();
    let largest = rows.max(columns);
    let parts = SVD::try_new(matrix, true, true, f64::EPSILON, steps_max(largest))?;
    let scale = f64::from(u32::try_from(largest).expect("matrices are small"));
    let floor = parts.singular_values.max() * f64::EPSILON * scale;
    parts.solve(right, floor).ok()
}

#[cfg(test)]
mod tests;
