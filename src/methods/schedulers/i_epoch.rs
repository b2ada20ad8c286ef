//! i-Epoch: everybody trains for a few epochs, and the best few go on to the end.
//!
//! Egele, Mohr, Viering, Balaprakash, "The unreasonable effectiveness of early discarding after one
//! epoch in neural network hyperparameter optimization" (Neurocomputing, 2024): of `trials` (200)
//! configurations all run `epochs` (i) epochs, the `top` (3) by the value at epoch i run to the
//! end, the rest is dropped. That is their whole procedure. Here it is one round, and rounds
//! follow each other for as long as the run does; the last may be smaller. Going on pays new epochs
//! alone; the authors' default, training the best from scratch, is the engine's `--restart`.
//!
//! * The value is the one *at* epoch i, whatever the run's value mode; where that was not measured,
//!   the last one before it. Ties keep the trial that started first. NaN is chance, and worst where
//!   the table knows none, as is a trial in which nothing was measured.
//! * A trial that ended by epoch i (complete there, crashed or stopped) takes no place among the
//!   best.
//! * A round is judged when all of it has come to epoch i, or the sampler proposes nothing more
//!   before: only then may workers be idle. While the best go on, free workers begin the next.
//! * Trials that an earlier phase of the run has paused belong to the first round, and run to
//!   epoch i first where they are short of it.
//!
//! Each call is O(1) but the one that judges a round, which sorts it.

use std::collections::VecDeque;

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Reason, Scheduler,
    SchedulerFactory, State, Trait, View, Work, parameters,
};
use crate::rungs::left_by_earlier_phase;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// How far everybody trains (paper: i).
        epochs: u16 in 1..=65535 = 1,
        /// How many trials are compared (paper: 200).
        trials: u32 in 1.. = 200,
        /// How many of them go on (paper: 3).
        top: u32 in 1.. = 3,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "i-epoch",
    summary: "Every trial runs some epochs, the best few of a round run to the end.",
    citation: "Egele, Mohr, Viering, Balaprakash, The unreasonable effectiveness of early \
               discarding after one epoch in neural network hyperparameter optimization, \
               Neurocomputing, 2024",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "the paper's definition",
        what: "runs worked out by hand (tests/it/i_epoch.rs)",
        result: "all equal",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<SchedulerFactory> {
    let parameters = Parameters::read(arguments)?;
    Ok(Box::new(move |_| Box::new(IEpoch { parameters, ..IEpoch::default() })))
}

impl Default for Parameters {
    fn default() -> Self {
        Self { epochs: 1, trials: 200, top: 3 }
    }
}

#[derive(Debug, Default)]
struct IEpoch {
    parameters: Parameters,
    /// How many trials of the round have started.
    started: u32,
    /// By trial: whether it is on its way to epoch i.
    is_on_its_way: Vec<bool>,
    on_their_way: usize,
    /// Those of the round that wait at epoch i.
    arrived: Vec<TrialId>,
    /// Paused short of epoch i by an earlier phase.
    short: VecDeque<TrialId>,
    /// The best of a round that was judged, best first, and the rest.
    best: VecDeque<TrialId>,
    rest: VecDeque<TrialId>,
    /// Of that round, for those who ask why: the last that goes on, how many do, and how many
    /// there were.
    cut: Option<(TrialId, usize, usize)>,
}

impl Scheduler for IEpoch {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let until = Epoch(self.parameters.epochs).min(view.epochs);
        loop {
            if let Some(trial) = self.rest.pop_front() {
                return Work::Drop(trial);
            }
            if let Some(trial) = self.best.pop_front() {
                return Work::Resume { trial, until: view.epochs };
            }
            if let Some(trial) = self.short.pop_front() {
                self.set_on_its_way(trial, true);
                return Work::Resume { trial, until };
            }
            let may_start = fresh == Fresh::Ready && self.started < self.parameters.trials;
            if may_start {
                return Work::New { until, bracket: 0, own: None };
            }
            // What runs may be what the sampler waits for.
            let may_come = fresh == Fresh::Wait && view.running().next().is_some();
            if self.on_their_way > 0 || self.started == 0 || may_come {
                return Work::Wait;
            }
            self.judge(view);
        }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        if !self.set_on_its_way(trial, false) {
            return Fate::Go { until: view.epochs };
        }
        self.arrived.push(trial);
        Fate::Pause
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        if origin != Origin::EarlierPhase {
            self.started += 1;
            self.set_on_its_way(trial, true);
            return;
        }
        let State::Paused = view.trial(trial).state else { return };
        self.started += 1;
        if view.trial(trial).executed.0 < self.parameters.epochs {
            self.short.push_back(trial);
        } else {
            self.arrived.push(trial);
        }
    }

    fn ended(&mut self, _: &View<'_>, trial: TrialId) {
        self.set_on_its_way(trial, false);
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        if view.trial(trial).executed.0 < self.parameters.epochs {
            return vec![left_by_earlier_phase()];
        }
        let what = "value at epoch i";
        let seen = Some(self.score(view, trial));
        if self.arrived.contains(&trial) {
            let Parameters { trials, .. } = self.parameters;
            let bar_is = format!("the round is not over: {} of {trials}", self.arrived.len());
            return vec![Reason::score(what, seen, None, bar_is)];
        }
        let Some((last, best, came)) = self.cut else { return Vec::new() };
        let bar_is = format!("number {best} of the {came} of the round");
        let bar = Some(self.score(view, last));
        vec![Reason::score(what, seen, bar, bar_is).made_by([last])]
    }
}

impl IEpoch {
    /// Whether the trial was on its way before.
    fn set_on_its_way(&mut self, trial: TrialId, is: bool) -> bool {
        if self.is_on_its_way.len() <= trial.index() {
            self.is_on_its_way.resize(trial.index() + 1, false);
        }
        let was = std::mem::replace(&mut self.is_on_its_way[trial.index()], is);
        self.on_their_way = self.on_their_way + usize::from(is) - usize::from(was);
        was
    }

    /// Ends the round: who goes on, and who is dropped.
    fn judge(&mut self, view: &View<'_>) {
        self.started = 0;
        let mut round = std::mem::take(&mut self.arrived);
        round.sort_unstable();
        let score = |trial: &TrialId| self.score(view, *trial);
        round.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let best = round.len().min(self.parameters.top as usize);
        self.cut = round[..best].last().map(|last| (*last, best, round.len()));
        self.rest = round.split_off(best).into();
        self.best = round.into();
    }

    /// The last score up to epoch i.
    fn score(&self, view: &View<'_>, trial: TrialId) -> f64 {
        let measured = view.measured(trial);
        let mut by_then = measured.filter(|(epoch, _)| epoch.0 <= self.parameters.epochs);
        let last = by_then.next_back().map(|(_, score)| score);
        // Plus zero, so that -0 and 0 tie.
        last.filter(|score| !score.is_nan()).map_or(f64::NEG_INFINITY, |score| score + 0.0)
    }
}
