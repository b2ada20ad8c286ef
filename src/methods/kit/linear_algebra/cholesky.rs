//! The Cholesky factor of a symmetric positive definite matrix: `L L^T = A`, `L` lower triangular.

use super::{Matrix, Vector};

/// The most that is added to a diagonal, relative to nothing: kernels here have a scale of about 1.
pub const JITTER_MAX: f64 = 1e-2;

/// The first that is added, where a matrix has no factor as it stands.
const JITTER_MIN: f64 = 1e-8;

/// Columns that are brought up to date together: 32 columns of 1,000 entries fit the second cache.
const PANEL: usize = 32;

/// A factor, with what it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    /// Lower triangular; zeros above.
    factor: Matrix,
}

impl Cholesky {
    /// Factorises a symmetric matrix, of which the lower triangle is read. `None` where it is not
    /// positive definite as far as rounding tells, or not finite.
    ///
    /// # Panics
    /// Where the matrix is not square.
    pub fn new(mut matrix: Matrix) -> Option<Self> {
        assert!(matrix.is_square(), "a symmetric matrix is square");
        let size = matrix.nrows();
        if !factorise(matrix.as_mut_slice(), size) {
            return None;
        }
        for column in 1..size {
            matrix.as_mut_slice()[column * size..][..column].fill(0.0);
        }
        Some(Self { factor: matrix })
    }

    /// Factorises a matrix that rounding may have left short of positive definite: as it stands, or
    /// else with 1e-8 added to the diagonal, or ten times that, up to [`JITTER_MAX`]. Says what was
    /// added. `None` where even that is not enough, or an entry is not finite.
    pub fn with_jitter(matrix: &Matrix) -> Option<(Self, f64)> {
        let mut jitter = 0.0;
        loop {
            let mut raised = matrix.clone();
            (0..raised.nrows()).for_each(|at| raised[(at, at)] += jitter);
            if let Some(found) = Self::new(raised) {
                return Some((found, jitter));
            }
            jitter = if jitter == 0.0 { JITTER_MIN } else { jitter * 10.0 };
            // The last one is 1e-2 but for the rounding of the steps to it.
            if jitter > JITTER_MAX * 1.5 {
                return None;
            }
        }
    }

    /// Rows of the matrix.
    pub fn size(&self) -> usize {
        self.factor.nrows()
    }

    /// The factor `L`.
    pub fn factor(&self) -> &Matrix {
        &self.factor
    }

    /// The solution of `A x = right`.
    pub fn solve(&self, right: &Vector) -> Vector {
        let mut solution = self.solve_lower(right);
        let is_solved = self.factor.tr_solve_lower_triangular_mut(&mut solution);
        assert!(is_solved, "a factor's diagonal is positive");
        solution
    }

    /// The solution of `L x = right`: its squared length is what `right` explains of a variance.
    pub fn solve_lower(&self, right: &Vector) -> Vector {
        let mut solution = right.clone();
        self.solve_lower_mut(solution.as_mut_slice());
        solution
    }

    /// As [`Self::solve_lower`], for each column of `right` in place.
    pub fn solve_lower_all(&self, right: &mut Matrix) {
        let size = self.size();
        assert_eq!(right.nrows(), size, "as many rows as the factor has");
        right.as_mut_slice().chunks_exact_mut(size.max(1)).for_each(|c| self.solve_lower_mut(c));
    }

    fn solve_lower_mut(&self, right: &mut [f64]) {
        let size = self.size();
        assert_eq!(right.len(), size, "as many entries as the factor has rows");
        for (at, column) in self.factor.as_slice().chunks_exact(size.max(1)).enumerate() {
            let (solved, rest) = right[at..].split_first_mut().expect("as long as the factor");
            *solved /= column[at];
            subtract(rest, &column[at + 1..], *solved);
        }
    }

    /// The logarithm of the determinant of `A`.
    pub fn log_determinant(&self) -> f64 {
        2.0 * self.factor.diagonal().iter().map(|entry| libm::log(*entry)).sum::<f64>()
    }

    /// Lets the matrix grow by a row and column, in time `n^2`: `cross` are its entries beside the
    /// rows that are there, `corner` is the one on the diagonal. The factor is to the bit the one
    /// that [`Self::new`] finds of the larger matrix. `false`, and nothing changed, where that is
    /// not positive definite.
    pub fn append(&mut self, cross: &Vector, corner: f64) -> bool {
        let size = self.size();
        let row = self.solve_lower(cross);
        let square = row.iter().fold(corner, |left, entry| left - entry * entry);
        let Some(last) = root(square).filter(|_| row.iter().all(|entry| entry.is_finite())) else {
            return false;
        };
        let old = std::mem::replace(&mut self.factor, Matrix::zeros(0, 0));
        self.factor = old.resize(size + 1, size + 1, 0.0);
        row.iter().enumerate().for_each(|(at, entry)| self.factor[(size, at)] = *entry);
        self.factor[(size, size)] = last;
        true
    }
}

/// The root of what is left on a diagonal; `None` where that is no positive number.
fn root(square: f64) -> Option<f64> {
    (square > 0.0 && square.is_finite()).then(|| square.sqrt())
}

/// `left -= factor * right`, entry by entry.
#[inline]
fn subtract(left: &mut [f64], right: &[f64], factor: f64) {
    left.iter_mut().zip(right).for_each(|(left, right)| *left -= factor * right);
}

/// As [`subtract`] four times, in this order.
#[inline]
fn subtract_four(left: &mut [f64], rights: [&[f64]; 4], factors: [f64; 4]) {
    let [a, b, c, d] = rights.map(|right| &right[..left.len()]);
    for (at, left) in left.iter_mut().enumerate() {
        let after_two = *left - factors[0] * a[at] - factors[1] * b[at];
        *left = after_two - factors[2] * c[at] - factors[3] * d[at];
    }
}

/// Turns the lower triangle of a matrix, column after column, into its factor; whether it has one.
/// From each entry the products are subtracted one by one, by ascending column, whatever the
/// panels: that order is what fixes the bits.
fn factorise(entries: &mut [f64], size: usize) -> bool {
    for panel in (0..size).step_by(PANEL) {
        let columns = panel..size.min(panel + PANEL);
        let (done, open) = entries.split_at_mut(panel * size);
        // `panel` is a multiple of four.
        for four in done.chunks_exact(4 * size) {
            let sources: [&[f64]; 4] = std::array::from_fn(|at| &four[at * size..][..size]);
            for column in columns.clone() {
                let left = &mut open[(column - panel) * size..][column..size];
                let factors = sources.map(|source| source[column]);
                subtract_four(left, sources.map(|source| &source[column..]), factors);
            }
        }
        for column in columns {
            let (before, from_here) = open.split_at_mut((column - panel) * size);
            let left = &mut from_here[column..size];
            for source in before.chunks_exact(size) {
                subtract(left, &source[column..], source[column]);
            }
            let Some(diagonal) = root(left[0]) else { return false };
            left[0] = diagonal;
            left[1..].iter_mut().for_each(|entry| *entry /= diagonal);
        }
    }
    entries.iter().all(|entry| entry.is_finite())
}
