//! One rung of an asynchronous method: the scores that have come to it, and who waits there.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use base::units::TrialId;

use super::AT_RUNG;
use super::cutoff::{Bar, Cutoff};
use crate::interface::{Reason, falls_below};

/// The order in a rung: the larger score, and of equals the one that came first.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// Never NaN; there is one zero.
    score: f64,
    arrival: u32,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| other.arrival.cmp(&self.arrival))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// A rung. Every operation takes `O(log n)` steps: the bar lies where two heaps meet.
#[derive(Debug)]
pub(super) struct Rung {
    cutoff: Cutoff,
    eta: usize,
    ratio: (usize, usize),
    bar: Bar,
    /// The best `bar.best`, the worst of them on top.
    above: BinaryHeap<Reverse<Key>>,
    /// The others, the best of them on top.
    below: BinaryHeap<Key>,
    /// Trials that wait here, the best of them on top.
    waiting: BinaryHeap<(Key, TrialId)>,
    /// Who came, in the order of arrival.
    came: Vec<TrialId>,
}

/// What a trial that has come to a rung is worth there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(Key);

impl Rung {
    /// `ratio`: epochs of this rung and of the next.
    pub(super) fn new(cutoff: Cutoff, eta: u16, (this, next): (u16, u16)) -> Self {
        Self {
            cutoff,
            eta: usize::from(eta),
            ratio: (usize::from(this), usize::from(next)),
            bar: Bar { best: 0, share_below: 0.0 },
            above: BinaryHeap::new(),
            below: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            came: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.above.len() + self.below.len()
    }

    /// Takes the score of a trial in, which stays for good.
    pub(super) fn enter(&mut self, score: f64, trial: TrialId) -> Place {
        assert!(!score.is_nan(), "a rung compares numbers");
        self.came.push(trial);
        let arrival = u32::try_from(self.len()).expect("rows are 32 bits");
        let key = Key { score: score + 0.0, arrival };
        if self.above.peek().is_some_and(|Reverse(worst)| key > *worst) {
            self.above.push(Reverse(key));
        } else {
            self.below.push(key);
        }
        self.bar = self.cutoff.bar(self.len(), self.eta, self.ratio);
        if self.above.len() > self.bar.best {
            let Reverse(worst) = self.above.pop().expect("it is longer than a length");
            self.below.push(worst);
        }
        if self.above.len() < self.bar.best {
            let best = self.below.pop().expect("no more stand on the bar than came");
            self.above.push(Reverse(best));
        }
        assert_eq!(self.above.len(), self.bar.best, "a bar moves by one");
        Place(key)
    }

    /// Whether it may go on by now. `None`: too few have come for a decision.
    pub(super) fn passes(&self, Place(key): Place) -> Option<bool> {
        let Reverse(last) = self.above.peek()?;
        if !self.cutoff.lets_equals_pass() {
            return Some(key >= *last);
        }
        if self.bar.share_below == 0.0 {
            return Some(key.score >= last.score);
        }
        let (bar, _) = self.between(last.score);
        Some(!falls_below(key.score, bar))
    }

    /// The bar between the last that passes and the next, and the next.
    fn between(&self, last: f64) -> (f64, Key) {
        let next = *self.below.peek().expect("the bar lies between two");
        // Below a number there is nothing but a number: an infinity that has weight prevails.
        let bar = if next.score == f64::NEG_INFINITY {
            f64::NEG_INFINITY
        } else {
            last + (next.score - last) * self.bar.share_below
        };
        (bar, next)
    }

    /// How a score compares here by now, for those who ask why.
    pub(super) fn reason(&self, score: f64) -> Reason {
        let came = self.came.len();
        let Some(Reverse(last)) = self.above.peek() else {
            let bar_is = format!("too few for a cutoff: {came} so far");
            return Reason::score(AT_RUNG, Some(score), None, bar_is);
        };
        let trial = |key: &Key| self.came[key.arrival as usize];
        let best = self.bar.best;
        if self.bar.share_below == 0.0 {
            let bar_is = format!("number {best} of {came} so far");
            let reason = Reason::score(AT_RUNG, Some(score), Some(last.score), bar_is);
            return reason.made_by([trial(last)]);
        }
        let (bar, next) = self.between(last.score);
        let bar_is = format!("between numbers {best} and {} of {came} so far", best + 1);
        let reason = Reason::score(AT_RUNG, Some(score), Some(bar), bar_is);
        reason.made_by([trial(last), trial(&next)])
    }

    /// The trial waits here for its turn.
    pub(super) fn wait(&mut self, Place(key): Place, trial: TrialId) {
        self.waiting.push((key, trial));
    }

    /// Takes out the best trial that waits here, if it may go on, with its score.
    pub(super) fn promote(&mut self) -> Option<(TrialId, f64)> {
        let (key, trial) = *self.waiting.peek()?;
        if self.passes(Place(key)) != Some(true) {
            return None;
        }
        self.waiting.pop();
        Some((trial, key.score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who passes right after coming, one after another.
    fn verdicts(cutoff: Cutoff, scores: &[f64]) -> Vec<Option<bool>> {
        let mut rung = Rung::new(cutoff, 3, (3, 9));
        let verdict = |score: &f64| {
            let place = rung.enter(*score, TrialId(0));
            rung.passes(place)
        };
        scores.iter().map(verdict).collect()
    }

    #[test]
    fn who_passes_by_hand() {
        let (yes, no) = (Some(true), Some(false));
        let scores = [0.5, 0.6, 0.7, 0.8, 0.74];
        // The quantiles at 2/3 are 0.5 + 2/3 * 0.1, 0.6 + 1/3 * 0.1, 0.7, and of five 0.7267.
        assert_eq!(verdicts(Cutoff::Quantile, &scores), [None, yes, yes, yes, yes]);
        // With 0.69 it is 0.6967.
        assert_eq!(verdicts(Cutoff::Quantile, &[0.5, 0.6, 0.7, 0.8, 0.69])[4], no);
        assert_eq!(verdicts(Cutoff::Floor, &scores), [None, None, yes, yes, no]);
        assert_eq!(verdicts(Cutoff::Optuna, &scores), [yes, yes, yes, yes, no]);
        // One of five surpasses 0.74, and 5 / 3 may.
        assert_eq!(verdicts(Cutoff::Rank, &scores), [yes, yes, yes, yes, yes]);
        assert_eq!(verdicts(Cutoff::Rank, &[0.5, 0.4])[1], no);
    }

    #[test]
    fn equals_pass_together_but_under_the_papers_rule() {
        let (yes, no) = (Some(true), Some(false));
        let alike = [0.5; 4];
        assert_eq!(verdicts(Cutoff::Floor, &alike), [None, None, no, no]);
        assert_eq!(verdicts(Cutoff::Quantile, &alike), [None, yes, yes, yes]);
        assert_eq!(verdicts(Cutoff::Rank, &alike), [yes; 4]);
        assert_eq!(verdicts(Cutoff::Optuna, &[0.0, -0.0, 0.0]), [yes; 3]);
    }

    #[test]
    fn what_diverged_without_a_chance_level_stands_behind_everything() {
        let worst = f64::NEG_INFINITY;
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(verdicts(Cutoff::Quantile, &[worst, worst, 0.5, worst]), [None, yes, yes, yes]);
        assert_eq!(verdicts(Cutoff::Quantile, &[0.1, 0.2, 0.3, worst])[3], no);
        assert_eq!(verdicts(Cutoff::Rank, &[0.1, worst])[1], no);
    }

    #[test]
    fn the_best_that_waits_goes_first_and_once() {
        let mut rung = Rung::new(Cutoff::Floor, 2, (1, 2));
        for (trial, score) in [0.3, 0.9, 0.9, 0.1].into_iter().enumerate() {
            let trial = TrialId(u32::try_from(trial).unwrap());
            let place = rung.enter(score, trial);
            rung.wait(place, trial);
        }
        assert_eq!(rung.promote(), Some((TrialId(1), 0.9)));
        assert_eq!(rung.promote(), Some((TrialId(2), 0.9)));
        assert_eq!(rung.promote(), None);
        for score in [0.0, 0.0] {
            rung.enter(score, TrialId(9));
        }
        assert_eq!(rung.promote(), Some((TrialId(0), 0.3)));
    }

    #[test]
    fn a_reason_names_the_trials_that_set_the_bar() {
        let reason = |cutoff| {
            let mut rung = Rung::new(cutoff, 3, (3, 9));
            for (trial, score) in (0..).zip([0.5, 0.6, 0.7, 0.8, 0.74]) {
                rung.enter(score, TrialId(trial));
            }
            rung.reason(0.74)
        };
        let floor = reason(Cutoff::Floor);
        assert_eq!((floor.bar, floor.trials), (Some(0.8), vec![TrialId(3)]));
        assert_eq!(floor.bar_is, "number 1 of 5 so far");
        let quantile = reason(Cutoff::Quantile);
        assert_eq!(quantile.trials, [TrialId(2), TrialId(4)]);
        assert!((quantile.bar.unwrap() - 0.726_666_667).abs() < 1e-9 && !quantile.fails());
        let few = Rung::new(Cutoff::Floor, 3, (3, 9)).reason(0.9);
        assert_eq!((few.bar, few.fails()), (None, false));
    }

    /// Against the definitions, by sorting.
    #[test]
    fn heaps_say_what_sorting_says() {
        let mut state = 1_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 28)
        };
        for cutoff in [Cutoff::Floor, Cutoff::Quantile, Cutoff::Rank, Cutoff::Optuna] {
            for (eta, ratio) in [(2, (1, 2)), (3, (27, 30)), (4, (3, 12))] {
                let mut rung = Rung::new(cutoff, eta, ratio);
                let mut places: Vec<Place> = Vec::new();
                for n in 1..=60_usize {
                    places.push(rung.enter(draw(), TrialId(0)));
                    let mut sorted: Vec<Key> = places.iter().map(|place| place.0).collect();
                    sorted.sort_by(|a, b| b.cmp(a));
                    let bar = cutoff.bar(n, usize::from(eta), (ratio.0.into(), ratio.1.into()));
                    for (at, place) in sorted.iter().enumerate() {
                        let wanted = bar.best.checked_sub(1).map(|last| {
                            if cutoff == Cutoff::Floor {
                                at <= last
                            } else {
                                let next = sorted.get(last + 1).map_or(0.0, |key| key.score);
                                let score = sorted[last].score;
                                place.score >= score - (score - next) * bar.share_below - 1e-9
                            }
                        });
                        assert_eq!(rung.passes(Place(*place)), wanted, "{cutoff:?} {n} {at}");
                    }
                }
            }
        }
    }
}
