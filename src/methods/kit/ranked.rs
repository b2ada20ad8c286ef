//! Scores in order, for rules that compare a trial with many others.

use crate::interface::falls_below;

/// Scores that ascend. What is worst of all is minus infinity; NaN is refused by assertion.
#[derive(Debug, Clone, Default)]
pub struct Ranked {
    scores: Vec<f64>,
}

impl Ranked {
    /// Takes a score in: a binary search, and a move of what lies above it.
    pub fn insert(&mut self, score: f64) {
        assert!(!score.is_nan(), "NaN has no rank");
        let at = self.scores.partition_point(|other| *other < score);
        self.scores.insert(at, score);
    }

    /// Takes out a score that was taken in.
    pub fn remove(&mut self, score: f64) {
        let at = self.scores.partition_point(|other| *other < score);
        let removed = self.scores.remove(at);
        assert_eq!(removed, score, "only what was taken in can be taken out");
    }

    /// How many scores there are.
    pub fn count(&self) -> usize {
        self.scores.len()
    }

    /// How many scores a given one falls below, with the slack of thresholds.
    pub fn above(&self, score: f64) -> usize {
        let beaten = self.scores.partition_point(|other| !falls_below(score, *other));
        self.scores.len() - beaten
    }

    /// The middle score, or the mean of the middle two; `None` of nothing.
    pub fn median(&self) -> Option<f64> {
        let lower = *self.lower_median()?;
        Some(f64::midpoint(lower, self.scores[self.scores.len() / 2]))
    }

    /// The middle score, or the lower of the middle two; `None` of nothing.
    pub fn lower_median(&self) -> Option<&f64> {
        self.scores.get(self.scores.len().checked_sub(1)? / 2)
    }

    /// The score with `better` others above it.
    pub fn nth_best(&self, better: usize) -> f64 {
        self.scores[self.scores.len() - 1 - better]
    }

    /// The `share`-quantile of all finite scores, as numpy's `percentile` interpolates it; `None`
    /// of nothing.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let count = self.scores.len();
        interpolated(count, share, |at| self.scores[at])
    }

    /// The same as if one more score had been taken in.
    pub fn quantile_with(&self, one_more: f64, share: f64) -> Option<f64> {
        let at_most = self.scores.partition_point(|other| *other < one_more);
        interpolated(self.scores.len() + 1, share, |at| {
            if at == at_most { one_more } else { self.scores[at - usize::from(at > at_most)] }
        })
    }
}

/// Linear interpolation at `share * (count - 1)` of ascending scores.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list, far below 2^53 and never negative"
)]
fn interpolated(count: usize, share: f64, score: impl Fn(usize) -> f64) -> Option<f64> {
    let last = count.checked_sub(1)?;
    let place = share * last as f64;
    let below = (place.floor() as usize).min(last);
    let weight = place - below as f64;
    let (low, high) = (score(below), score((below + 1).min(last)));
    // Each half from its nearer end, as numpy does.
    Some(if weight < 0.5 {
        low + (high - low) * weight
    } else {
        high - (high - low) * (1.0 - weight)
    })
}

/// The list of a place; places before it that had none get empty ones.
pub fn list_at(lists: &mut Vec<Ranked>, at: usize) -> &mut Ranked {
    if lists.len() <= at {
        lists.resize_with(at + 1, Ranked::default);
    }
    &mut lists[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(scores: &[f64]) -> Ranked {
        let mut ranked = Ranked::default();
        for score in scores {
            ranked.insert(*score);
        }
        ranked
    }

    #[test]
    fn the_middle_of_an_even_number_is_a_mean_or_the_lower_one() {
        assert_eq!((ranked(&[]).median(), ranked(&[]).lower_median()), (None, None));
        assert_eq!(ranked(&[3.0]).median(), Some(3.0));
        let four = ranked(&[4.0, 1.0, 2.0, 3.0]);
        assert_eq!((four.median(), four.lower_median()), (Some(2.5), Some(&2.0)));
        let low = f64::NEG_INFINITY;
        assert_eq!(ranked(&[low, 0.5, low]).median(), Some(low));
        assert_eq!(ranked(&[low, 0.5]).median(), Some(low));
    }

    #[test]
    fn quantiles_interpolate_with_and_without_one_more() {
        let some = [0.1, 0.4, 0.2, 0.9, 0.9];
        for share in [0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1.0] {
            for one_more in [0.0, 0.1, 0.3, 0.9, 1.5] {
                let mut all = some.to_vec();
                all.push(one_more);
                let with = ranked(&some).quantile_with(one_more, share).unwrap();
                assert_eq!(Some(with), ranked(&all).quantile(share));
            }
        }
        // numpy.percentile([.1, .2, .4, .9, .9], [10, 75]).
        assert!((ranked(&some).quantile(0.1).unwrap() - 0.14).abs() < 1e-15);
        assert_eq!(ranked(&some).quantile(0.75), Some(0.9));
        assert_eq!(ranked(&[]).quantile(0.5), None);
        assert_eq!(ranked(&[]).quantile_with(0.3, 0.9), Some(0.3));
    }

    #[test]
    fn what_lies_above_lies_above_by_more_than_the_slack() {
        let some = ranked(&[0.3, 0.5, 0.5, 0.5 + 1e-9, 0.7]);
        assert_eq!([0.2, 0.3, 0.5, 0.6, 0.7].map(|score| some.above(score)), [5, 4, 1, 1, 0]);
        assert_eq!(some.above(f64::NEG_INFINITY), 5);
        assert_eq!((some.nth_best(0), some.nth_best(4), some.count()), (0.7, 0.3, 5));
        let mut fewer = some.clone();
        fewer.remove(0.5);
        assert_eq!((fewer.count(), fewer.above(0.4)), (4, 3));
    }
}
