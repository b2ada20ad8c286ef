//! The one door to `matrixmultiply`: C = A B + beta C in f32.
//!
//! The order of its sums depends on the shapes and on the kernel that the crate picks by the CPU's
//! features. So results are the same bits at any thread count and in any company, and may differ
//! in the last bits between machines with other vector units.

/// A matrix in a slice, any strides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major, without gaps.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns, "{} < {rows} x {columns}", data.len());
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `c = a b + beta c`; `c` is row-major without gaps. With `beta` 0 what `c` held plays no part.
pub(super) fn multiply(a: Matrix<'_>, b: Matrix<'_>, beta: f32, c: &mut [f32]) {
    let (rows, inner, columns) = (a.rows, a.columns, b.columns);
    assert_eq!(inner, b.rows, "inner sizes differ");
    assert!(c.len() >= rows * columns, "{} < {rows} x {columns}", c.len());
    if rows == 0 || columns == 0 {
        return;
    }
    for m in [&a, &b] {
        let last =
            m.rows.saturating_sub(1) * m.row_stride + m.columns.saturating_sub(1) * m.column_stride;
        assert!(inner == 0 || last < m.data.len(), "a matrix reaches beyond its slice");
    }
    let stride = |s: usize| isize::try_from(s).expect("slices are shorter than isize::MAX");
    #[expect(unsafe_code, reason = "matrixmultiply takes pointers; every reach is asserted above")]
    // SAFETY: the asserts above show that every element of a, b and c that the shapes and strides
    // address lies inside its slice; c is borrowed mutably, so it overlaps neither a nor b; the
    // element type has no invalid values.
    unsafe {
        matrixmultiply::sgemm(
            rows,
            inner,
            columns,
            1.0,
            a.data.as_ptr(),
            stride(a.row_stride),
            stride(a.column_stride),
            b.data.as_ptr(),
            stride(b.row_stride),
            stride(b.column_stride),
            beta,
            c.as_mut_ptr(),
            stride(columns),
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_in_every_orientation() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 1.0, 1.0, 3.0];
        let mut c = [f32::NAN; 4];
        multiply(Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2), 0.0, &mut c);
        assert_eq!(c, [8.0, 11.0, 20.0, 23.0]);
        multiply(Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).transposed(), 1.0, &mut c);
        assert_eq!(c, [8.0 + 7.0, 11.0 + 12.0, 20.0 + 16.0, 23.0 + 27.0]);
        let mut d = [0.0; 9];
        multiply(Matrix::new(&a, 2, 3).transposed(), Matrix::new(&b, 2, 3), 0.0, &mut d);
        assert_eq!(d, [5.0, 4.0, 14.0, 7.0, 5.0, 19.0, 9.0, 6.0, 24.0]);
    }

    #[test]
    #[should_panic(expected = "inner sizes differ")]
    fn shapes_that_do_not_fit_are_a_broken_invariant() {
        let (a, mut c) = ([0.0; 6], [0.0; 4]);
        multiply(Matrix::new(&a, 2, 3), Matrix::new(&a, 2, 3), 0.0, &mut c);
    }
}
