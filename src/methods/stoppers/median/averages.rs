//! Running averages of trials, in order at every epoch.

use base::units::{Epoch, TrialId};

use super::{Variant, worst_if_nan};
use crate::interface::{EpochScore, View};
use crate::kit::ranked::{Ranked, list_at};

/// What has been read of one trial.
#[derive(Debug, Clone, Copy)]
struct Read {
    epochs: u16,
    /// The last measured epoch; 0 before the first.
    last: u16,
    /// Of what is averaged: how many, their sum, and the last of them.
    count: u32,
    sum: f64,
    last_score: f64,
    /// The largest so far, where a NaN that came first stays (Python's `max`).
    best: Option<f64>,
}

impl Read {
    const NOTHING: Self =
        Self { epochs: 0, last: 0, count: 0, sum: 0.0, last_score: f64::NAN, best: None };

    /// NaN of nothing, and of what has a NaN in it.
    fn average(&self) -> f64 {
        self.sum / f64::from(self.count)
    }

    fn best_with(&self, score: f64) -> f64 {
        self.best.map_or(score, |best| if score > best { score } else { best })
    }
}

/// The running averages of the trials that were read.
pub(super) struct Averages {
    variant: Variant,
    warmup: u16,
    /// By epoch, by number of reports for NNI.
    lists: Vec<Ranked>,
    read: Vec<Read>,
}

impl Averages {
    pub(super) fn new(variant: Variant, warmup: u16) -> Self {
        Self { variant, warmup, lists: Vec::new(), read: Vec::new() }
    }

    /// Reads a trial up to an epoch, from where it was left.
    pub(super) fn read(&mut self, view: &View<'_>, trial: TrialId, up_to: Epoch) {
        if self.read.len() < view.trials().len() {
            self.read.resize(view.trials().len(), Read::NOTHING);
        }
        let mut read = self.read[trial.index()];
        let curve = &view.curve(trial)[..usize::from(up_to.0)];
        while usize::from(read.epochs) < curve.len() {
            read.epochs += 1;
            let score = curve[usize::from(read.epochs) - 1];
            self.next(view, &mut read, score);
        }
        self.read[trial.index()] = read;
    }

    /// Takes in one more epoch of a trial.
    fn next(&mut self, view: &View<'_>, read: &mut Read, score: EpochScore) {
        if let Some(seen) = view.sanitised(score) {
            let raw = score.number().unwrap_or(f64::NAN);
            let value = match self.variant {
                Variant::Ray => raw,
                Variant::SyneTune => worst_if_nan(raw),
                _ => worst_if_nan(seen),
            };
            if self.variant == Variant::Ray {
                self.fill_gap(read);
            }
            read.best = Some(read.best_with(value));
            read.last = read.epochs;
            if self.variant == Variant::Ray && read.epochs <= self.warmup {
                return;
            }
            (read.count, read.sum, read.last_score) = (read.count + 1, read.sum + value, value);
        } else if self.averages_reports() {
            return;
        }
        let place = match self.variant {
            Variant::Nni => read.count as usize,
            _ => usize::from(read.epochs),
        };
        self.insert(place, read.average());
    }

    /// Whether an epoch without a report has no average.
    fn averages_reports(&self) -> bool {
        matches!(self.variant, Variant::Nni | Variant::SyneTune | Variant::Ray)
    }

    /// For Ray a trial that reports at an epoch has an average at all epochs since its last report.
    fn fill_gap(&mut self, read: &Read) {
        for epoch in read.last + 1..read.epochs {
            self.insert(usize::from(epoch), read.average());
        }
    }

    /// Places are counted from 1. An average of nothing, or with a NaN, is none.
    fn insert(&mut self, place: usize, average: f64) {
        if !average.is_nan() {
            list_at(&mut self.lists, place - 1).insert(average);
        }
    }

    /// The last report of a trial comes a second time.
    pub(super) fn repeat_last(&mut self, trial: TrialId) {
        let read = self.read[trial.index()];
        if read.last <= self.warmup || read.average().is_nan() {
            return;
        }
        let list = list_at(&mut self.lists, usize::from(read.last) - 1);
        list.remove(read.average());
        list.insert((read.sum + read.last_score) / f64::from(read.count + 1));
    }

    /// The averages at a place, from 1.
    pub(super) fn at(&self, place: usize) -> Option<&Ranked> {
        self.lists.get(place - 1)
    }

    /// The trials whose averages stand at a place, but one.
    pub(super) fn trials_at(
        &self,
        view: &View<'_>,
        place: usize,
        but: Option<TrialId>,
    ) -> Vec<TrialId> {
        let read = (0..).map(TrialId).zip(&self.read);
        let stands = |(trial, read): &(TrialId, &Read)| {
            but != Some(*trial) && self.stands_at(view.curve(*trial), read, place)
        };
        read.filter(stands).map(|(trial, _)| trial).collect()
    }

    /// Whether a trial of which so much was read has an average at a place.
    fn stands_at(&self, curve: &[EpochScore], read: &Read, place: usize) -> bool {
        let has_run = usize::from(read.epochs) >= place;
        match self.variant {
            Variant::Nni => read.count as usize >= place,
            Variant::SyneTune => has_run && curve[place - 1].is_measured(),
            Variant::Ray => {
                let averaged = curve.iter().take(place).skip(usize::from(self.warmup));
                let mut measured = averaged.filter(|score| score.is_measured()).peekable();
                usize::from(read.last) >= place
                    && measured.peek().is_some()
                    && measured.all(|score| score.number().is_some())
            }
            _ => has_run && curve[..place].iter().any(|score| score.is_measured()),
        }
    }

    /// A trial's average so far.
    pub(super) fn of(&self, trial: TrialId) -> f64 {
        self.read[trial.index()].average()
    }

    /// A trial's best so far with one more epoch; `None` where that is NaN.
    pub(super) fn best_with(&self, trial: TrialId, score: EpochScore) -> Option<f64> {
        let best = self.read[trial.index()].best_with(score.number().unwrap_or(f64::NAN));
        (!best.is_nan()).then_some(best)
    }
}
