//! How many of those that came to a rung may go on from it.

/// Which of the `n` trials that have come to a rung so far may go on. `eta` is the factor between
/// rungs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cutoff {
    /// The best `floor(n / eta)`, those that came first of equals (Li et al. 2020). None are the
    /// best of fewer than `eta`: nothing is decided.
    Floor,
    /// What reaches the quantile of the scores that leaves the share of this rung's epochs in the
    /// next one's above it, interpolated between two scores (Syne Tune 0.14). It takes two.
    Quantile,
    /// What at most `n / eta` of them surpass (Syne Tune 0.16).
    Rank,
    /// What reaches the best but `max(1, floor(n / eta)) - 1` (Optuna).
    Optuna,
}

/// The bar that a rung of `n` sets: who is the last to pass it, and how far the bar lies below that
/// one's score, towards the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    /// How many of the best stand on it or above; 0: there is none.
    pub best: usize,
    /// From the last of these towards the next one, below 1.
    pub share_below: f64,
}

impl Cutoff {
    /// Whether equals of the last that passes do so too.
    pub(super) const fn lets_equals_pass(self) -> bool {
        !matches!(self, Self::Floor)
    }

    /// The bar of a rung that `n` have come to. `ratio`: epochs of this rung and of the next.
    /// `best` rises with `n` by at most one.
    pub(super) fn bar(self, n: usize, eta: usize, (this, next): (usize, usize)) -> Bar {
        let whole = |best| Bar { best, share_below: 0.0 };
        match self {
            Self::Floor => whole(n / eta),
            Self::Rank => whole((n / eta + 1).min(n)),
            Self::Optuna => whole((n / eta).max(1).min(n)),
            Self::Quantile if n < 2 => whole(0),
            Self::Quantile => {
                let product = (n - 1) * this;
                #[expect(clippy::cast_precision_loss, reason = "epochs are 16 bits")]
                let share_below = (product % next) as f64 / next as f64;
                Bar { best: product / next + 1, share_below }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_by_hand() {
        let best = |cutoff: Cutoff| -> Vec<usize> {
            (1..=9).map(|n| cutoff.bar(n, 3, (3, 9)).best).collect()
        };
        assert_eq!(best(Cutoff::Floor), [0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(best(Cutoff::Rank), [1, 1, 2, 2, 2, 3, 3, 3, 4]);
        assert_eq!(best(Cutoff::Optuna), [1, 1, 1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(best(Cutoff::Quantile), [0, 1, 1, 2, 2, 2, 3, 3, 3]);
        // Of four, the quantile at 2/3 is the second; of five, two thirds on from the second best.
        assert_eq!(Cutoff::Quantile.bar(4, 3, (3, 9)).share_below, 0.0);
        let share = Cutoff::Quantile.bar(5, 3, (3, 9)).share_below;
        assert!((share - 1.0 / 3.0).abs() < 1e-15, "{share}");
    }

    #[test]
    fn bars_rise_by_at_most_one() {
        for cutoff in [Cutoff::Floor, Cutoff::Quantile, Cutoff::Rank, Cutoff::Optuna] {
            for (eta, ratio) in [(2, (1, 2)), (3, (27, 30)), (5, (7, 8)), (3, (1, 3))] {
                let best = |n| cutoff.bar(n, eta, ratio).best;
                assert!((1..200).all(|n| best(n + 1) - best(n) <= 1 && best(n) <= n));
            }
        }
    }
}
