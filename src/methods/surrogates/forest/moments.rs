//! Sums of the trees' predictions for each row, as exact integers: what one tree changes can be
//! taken out and put in without a trace of the order.

#![expect(clippy::cast_precision_loss, reason = "exact integers enter f64 rounded once")]

/// Sum and sum of squares over the trees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moments {
    sum: i64,
    /// Low and high half of an i128, which would fill a row's moments up to 32 bytes.
    squares: [u64; 2],
}

impl Moments {
    /// One tree's prediction changes.
    #[inline]
    pub(super) fn replace(&mut self, old: i64, new: i64) {
        self.sum += new - old;
        // new^2 - old^2; the factors are below 2^46 each.
        self.set_squares(self.squares() + i128::from(new - old) * i128::from(new + old));
    }

    /// The sums over two sets of trees.
    #[inline]
    pub(super) fn plus(mut self, other: Self) -> Self {
        self.sum += other.sum;
        self.set_squares(self.squares() + other.squares());
        self
    }

    #[inline]
    fn squares(self) -> i128 {
        (u128::from(self.squares[0]) | u128::from(self.squares[1]) << 64).cast_signed()
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn set_squares(&mut self, squares: i128) {
        let squares = squares.cast_unsigned();
        self.squares = [squares as u64, (squares >> 64) as u64];
    }

    /// Mean over `trees`, in units of the grid.
    #[inline]
    pub(super) fn mean(self, trees: i64) -> f64 {
        self.sum as f64 / trees as f64
    }

    /// Deviation over `trees`, ddof = 1, in units of the grid.
    #[inline]
    pub(super) fn deviation(self, trees: i64) -> f64 {
        // B sum(p^2) - sum(p)^2 is exact and not negative.
        let sum = i128::from(self.sum);
        let scaled = i128::from(trees) * self.squares() - sum * sum;
        let pairs = (trees * (trees - 1)) as f64;
        (scaled as f64 / pairs).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_gives_the_moments_of_what_is_left() {
        let large = 1 << 44;
        let mut moments = Moments::default();
        for (old, new) in [(0, 3), (0, -large), (0, 5), (-large, large), (3, 1), (large, 9)] {
            moments.replace(old, new);
        }
        // 1, 5, 9: mean 5, variance 16.
        assert_eq!((moments.mean(3), moments.deviation(3)), (5.0, 4.0));
    }
}
