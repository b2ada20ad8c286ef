//! When rules of Optuna's kind check, and the best that a trial has shown by then.

use base::units::{Epoch, TrialId};

use crate::interface::{EpochScore, Looks, View};

/// The first epochs, in which nothing is stopped, and the length of the intervals after them, each
/// of which has one check: at its first epoch that was measured.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    pub warmup: u16,
    pub interval: u16,
}

impl Pacing {
    /// Every epoch after the first ones: which is the first of its interval that was measured is
    /// not known before.
    pub fn looks(self) -> Looks {
        Looks::From { first: Epoch(self.warmup + 1), step: 1 }
    }

    /// Whether a trial is checked at an epoch.
    pub fn is_due(self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> bool {
        let curve = view.curve(trial);
        if epoch.0 <= self.warmup || !curve[epoch.index()].is_measured() {
            return false;
        }
        let into = (epoch.0 - 1 - self.warmup) % self.interval;
        let begin = epoch.index() - usize::from(into);
        !curve[begin..epoch.index()].iter().any(|score| score.is_measured())
    }
}

/// For each trial its best score so far, by some reading of its epochs; each epoch is read once.
#[derive(Debug, Default)]
pub struct Bests {
    /// By trial: how many epochs were read, and the best of them.
    read: Vec<(u16, f64)>,
}

impl Bests {
    /// The best up to an epoch; minus infinity where there is none.
    pub fn up_to(
        &mut self,
        view: &View<'_>,
        trial: TrialId,
        epoch: Epoch,
        score: impl Fn(EpochScore) -> Option<f64>,
    ) -> f64 {
        if self.read.len() <= trial.index() {
            self.read.resize(view.trials().len(), (0, f64::NEG_INFINITY));
        }
        let (read, best) = &mut self.read[trial.index()];
        for epoch in &view.curve(trial)[usize::from(*read).min(epoch.index())..=epoch.index()] {
            *best = score(*epoch).map_or(*best, |score| best.max(score));
        }
        *read = (*read).max(epoch.0);
        *best
    }
}
