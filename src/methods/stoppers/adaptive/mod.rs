//! A rule that sets itself: it learns from finished trials where a trial of promise stands at each
//! epoch, and whether stopping pays at all. It has no parameters. Our own; Choi, Cho & Rhee (2018)
//! end by asking for one.
//!
//! **The band.** Of the completed trials the best `m` by value are the contenders. At each epoch
//! the bar is the least score that any of them had there, less a margin `lambda`: a trial below the
//! bar at any epoch is stopped. The margin is what it takes for the contenders themselves to pass
//! when each is judged by the bars of the others: the largest amount by which one of them was
//! below all others at some epoch. It never shrinks during a run, so that those who survived
//! narrower bands do not narrow them further.
//!
//! **What it assumes, and what follows.** A trial that is worth running to its end is exchangeable
//! with the contenders: among the best `m + 1` by value, being the one that has not run yet says
//! nothing about how slowly it starts. Then it is the one of them that falls deepest below the
//! others with a probability of at most `kappa = 1 / (m + 1)`, and only then is it stopped
//! (conformal prediction, Vovk et al. 2005; the deficit of a contender is taken against the `m - 1`
//! others and that of the new one against all `m`, which errs on the side of going on). Where
//! trials come in random order and stopping saves the share `s` of their cost, the expected time to
//! a trial worth running is that without a rule times at most `(1 - s) / (1 - kappa)`, which is at
//! most 1 where `s >= kappa`. Both hold for a band that is given; that `m` is chosen by the same
//! trials from which `s` is estimated is not covered, nor is a table on which the best start last.
//!
//! **Whether it pays.** `s` is estimated on the trials that ended last (64 at most): the share of
//! their cost that the band would have saved, a trial that was cut short counting as one of its own
//! epochs' cost throughout. Of `m = 2, 3, 4, 5, 6, 8, 10, 13, ... 64` the one with the least
//! `(1 - s) / (1 - kappa)` is taken; where none is below 1 nothing is stopped. One trial in twenty,
//! drawn by itself, is never stopped: should it beat a contender though the band was against it, it
//! becomes one, and the band widens to hold it. So a table that breaks the assumption is found out,
//! though not before such a trial has come.
//!
//! * Null is passed over: bars are those of the contenders that were measured there (two at least,
//!   else there is none), and a trial is not judged where it was not measured.
//! * NaN is chance where the table knows chance, else worse than everything: below every bar, and
//!   no bar where a contender had it.
//! * Trials whose value is NaN are no contenders; ties go to the one that ended first. Trials that a
//!   scheduler ended are none either.
//! * A contender that is complete before an epoch sets no bar there.
//!
//! A check takes constant time; after each trial that has ended some 14 bands are tried, each in
//! `O(64 epochs)`.

mod band;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use base::error::Result;
use base::units::{Epoch, TrialId};
use rand::RngExt;

use crate::interface::{
    Arguments, Comparison, Context, Entry, State, Stopper, StopperFactory, Verdict, View,
    falls_below,
};
use crate::kit::streams::Streams;
use band::{Band, Contender, Run, choose};

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "adaptive",
    summary: "Stops what falls out of the band of the best so far, where that pays; no parameters.",
    citation: "curvebook (the rule that Choi, Cho & Rhee 2018 ask for)",
    parameters: &[],
    compared: &[Comparison {
        with: "its text, written out in Python",
        what: super::EVERY_STOP,
        result: "all equal",
    }],
    traits: &[],
    build,
};

/// The share of trials that are never stopped.
const EXEMPT: f64 = 0.05;
/// The most contenders, and how many of the trials that ended last tell what is to be saved.
const MEMORY: usize = 64;

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(_: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    Ok(Box::new(|run| {
        Some(Box::new(Adaptive {
            streams: Streams::new(run, "adaptive"),
            exempt: Vec::new(),
            contenders: Vec::new(),
            latest: VecDeque::new(),
            ended_seen: 0,
            margin: 0.0,
            band: None,
        }))
    }))
}

struct Adaptive {
    streams: Streams,
    /// By trial, where it was asked about: whether it is never stopped.
    exempt: Vec<Option<bool>>,
    /// The best completed trials by value, the best one first.
    contenders: Vec<Contender>,
    /// The trials that ended last.
    latest: VecDeque<Run>,
    /// How many of the ended trials were taken in.
    ended_seen: usize,
    /// The largest margin of any band so far.
    margin: f64,
    /// `None` stops nothing.
    band: Option<Band>,
}

impl Stopper for Adaptive {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        if self.ended_seen < view.ended().len() {
            self.catch_up(view);
        }
        let Some(bar) = self.band.as_ref().and_then(|band| band.bar(epoch)) else {
            return Verdict::Go;
        };
        let Some(score) = view.seen(trial, epoch) else {
            return Verdict::Go;
        };
        let is_below = score.is_nan() || falls_below(score, bar);
        if is_below && !self.is_exempt(trial) {
            Verdict::Stop { predicted: None }
        } else {
            Verdict::Go
        }
    }
}

impl Adaptive {
    fn is_exempt(&mut self, trial: TrialId) -> bool {
        if self.exempt.len() <= trial.index() {
            self.exempt.resize(trial.index() + 1, None);
        }
        let streams = self.streams;
        *self.exempt[trial.index()]
            .get_or_insert_with(|| streams.decision("exempt", trial.0).random::<f64>() < EXEMPT)
    }

    /// Takes in the trials that have ended since, one after another: a margin that a band had in
    /// between counts, whenever the rule is asked next.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            let seen = view.curve(ended).iter().map(|score| view.sanitised(*score));
            let scores: Vec<_> = seen.map(|score| score.map(worst_if_nan)).collect();
            if trial.state == State::Completed && !trial.value.is_nan() {
                let before = |other: &Contender| other.value >= trial.value;
                let at = self.contenders.partition_point(before);
                let contender = Contender { value: trial.value, scores: scores.clone() };
                self.contenders.insert(at, contender);
                self.contenders.truncate(MEMORY);
            }
            if trial.executed > Epoch(0) {
                self.latest.push_back(run(view, ended, scores));
                if self.latest.len() > MEMORY {
                    self.latest.pop_front();
                }
            }
            self.band = choose(&self.contenders, &self.latest, view.epochs, self.margin);
            if let Some(band) = &self.band {
                self.margin = self.margin.max(band.margin);
            }
        }
        self.ended_seen = view.ended().len();
    }
}

/// What a trial that has ended says about costs.
#[expect(clippy::cast_precision_loss, reason = "a sum of nanoseconds need not be exact here")]
fn run(view: &View<'_>, id: TrialId, scores: Vec<Option<f64>>) -> Run {
    let trial = view.trial(id);
    let epoch_cost = view.cost(id).0 as f64 / f64::from(trial.executed.0);
    Run { scores, epoch_cost, epochs: trial.last_epoch }
}

/// What is not a number is worse than every number.
fn worst_if_nan(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}
