//! The rungs of one bracket of an asynchronous method.

use base::units::{Epoch, TrialId};

use super::rung::Rung;
use super::{Cutoff, Span};
use crate::interface::Reason;

/// Rungs that rise to the epoch where trials end.
#[derive(Debug)]
pub(crate) struct Ladder {
    levels: Vec<Epoch>,
    rungs: Vec<Rung>,
    max: Epoch,
}

impl Ladder {
    /// The rungs of a span but the lowest `skipped`.
    pub(crate) fn new(span: Span, skipped: u32, cutoff: Cutoff) -> Self {
        let levels = span.rising(skipped);
        let next = levels.iter().skip(1).chain([&span.max]);
        let rungs = levels.iter().zip(next);
        let rungs = rungs.map(|(this, next)| Rung::new(cutoff, span.eta, (this.0, next.0)));
        Self { rungs: rungs.collect(), levels, max: span.max }
    }

    /// How many rungs there are.
    pub(crate) fn rungs(&self) -> usize {
        self.levels.len()
    }

    /// Where the rung lies; past the last one, where trials end.
    pub(crate) fn level(&self, rung: usize) -> Epoch {
        self.levels.get(rung).copied().unwrap_or(self.max)
    }

    /// Takes in a trial that has come to a rung. Whether it may go on; `None`: too few have come
    /// for a decision.
    pub(crate) fn enter(&mut self, rung: usize, score: f64, trial: TrialId) -> Option<bool> {
        let place = self.rungs[rung].enter(score, trial);
        self.rungs[rung].passes(place)
    }

    /// Takes in a trial that pauses at a rung.
    pub(crate) fn wait(&mut self, rung: usize, score: f64, trial: TrialId) {
        let place = self.rungs[rung].enter(score, trial);
        self.rungs[rung].wait(place, trial);
    }

    /// How a score compares at a rung by now, for those who ask why.
    pub(crate) fn reason(&self, rung: usize, score: f64) -> Reason {
        self.rungs[rung].reason(score)
    }

    /// The best trial that may go on, from the highest rung below `below` that has one: the trial,
    /// its rung, and its score there.
    pub(crate) fn promote(&mut self, below: usize) -> Option<(TrialId, usize, f64)> {
        let rungs = (0..below).zip(&mut self.rungs).rev();
        rungs.into_iter().find_map(|(rung, r)| r.promote().map(|(t, score)| (t, rung, score)))
    }
}
