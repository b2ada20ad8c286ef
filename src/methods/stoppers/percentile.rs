//! Optuna's percentile rule: below a percentile of the completed trials at the same step.
//!
//! Optuna 4.9.0, `PercentilePruner` (and `MedianPruner`, its 50th percentile): once `startup`
//! trials have completed, a trial is stopped at an epoch iff its *best* score so far is strictly
//! below the percentile of the *raw* scores that completed trials had at that very epoch. The best
//! `percentile` % go on: with 25, what lies below the 75th percentile of the scores is stopped.
//! Step `e - 1` of Optuna is epoch `e`.
//!
//! * Compared are trials that completed and have a value; stopped, failed and running ones are not.
//!   One that completed early does not count after its last epoch.
//! * NaN is no score: it is left out of a trial's best and of the percentile (but counts among the
//!   `least`). A trial that has shown nothing but NaN is stopped. Chance plays no part.
//! * Where an epoch was not measured there is no check, and the trial is not compared with there.
//!   An interval's check is at its first measured epoch.
//! * The percentile interpolates linearly, as numpy's; at equality, and within the slack of it, the
//!   trial goes on.
//!
//! A check is a look into a sorted list, one an epoch; a trial that completes costs an insertion
//! in each.

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, EpochScore, Looks, Reason, State, Stopper,
    StopperFactory, Verdict, View, falls_below, parameters,
};
use crate::kit::pacing::{Bests, Pacing};
use crate::kit::ranked::{Ranked, list_at};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The share of trials that goes on, in percent (Optuna: percentile, without a default).
        percentile: f64 in 0.0..=100.0 = 25.0,
        /// Completed trials before anything is stopped (Optuna: `n_startup_trials`).
        startup: u32 in 0.. = 5,
        /// Trials that were measured at the epoch, to compare with (Optuna: `n_min_trials`).
        least: u32 in 1.. = 1,
        /// First epochs in which nothing is stopped (Optuna: `n_warmup_steps`).
        warmup: u16 in 0..=65534 = 0,
        /// Epochs from one check to the next (Optuna: `interval_steps`).
        interval: u16 in 1..=65535 = 1,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "percentile",
    summary: "Stops what lies below a percentile of the completed trials at the same epoch.",
    citation: "PercentilePruner of Optuna 4.9.0 (Akiba et al., KDD 2019)",
    parameters: Parameters::SPECS,
    compared: &[Comparison { with: "Optuna 4.9.0", what: super::EVERY_STOP, result: "all equal" }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { percentile, startup, least, warmup, interval } = Parameters::read(arguments)?;
    let pacing = Pacing { warmup, interval };
    let share = (100.0 - percentile) / 100.0;
    Ok(Box::new(move |_| Some(Box::new(Percentile::new(share, startup, least, pacing)))))
}

/// The rule of one run.
pub(super) struct Percentile {
    /// The quantile of the scores to reach.
    share: f64,
    startup: u32,
    least: u32,
    pacing: Pacing,
    /// By epoch: the scores of completed trials.
    scores: Vec<Ranked>,
    /// By epoch: how many completed trials were measured, NaN or not.
    measured: Vec<u32>,
    completed: u32,
    ended_seen: usize,
    bests: Bests,
    /// What was compared at last, for those who ask why: the best and the bar, if there was one.
    compared: Option<(f64, Option<f64>)>,
}

impl Percentile {
    pub(super) fn new(share: f64, startup: u32, least: u32, pacing: Pacing) -> Self {
        Self {
            share,
            startup,
            least,
            pacing,
            scores: Vec::new(),
            measured: Vec::new(),
            completed: 0,
            ended_seen: 0,
            bests: Bests::default(),
            compared: None,
        }
    }

    /// Takes in the trials that have completed since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            if trial.state != State::Completed || trial.value.is_nan() {
                continue;
            }
            self.completed += 1;
            let curve = view.curve(ended);
            if self.measured.len() < curve.len() {
                self.measured.resize(curve.len(), 0);
            }
            for (at, score) in curve.iter().enumerate().filter(|(_, score)| score.is_measured()) {
                self.measured[at] += 1;
                if let Some(score) = score.number() {
                    list_at(&mut self.scores, at).insert(score);
                }
            }
        }
        self.ended_seen = view.ended().len();
    }
}

impl Stopper for Percentile {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        self.compared = None;
        if self.completed == 0
            || self.completed < self.startup
            || !self.pacing.is_due(view, trial, epoch)
        {
            return Verdict::Go;
        }
        let best = self.bests.up_to(view, trial, epoch, EpochScore::number);
        if best == f64::NEG_INFINITY {
            self.compared = Some((f64::NAN, Some(f64::NEG_INFINITY)));
            return Verdict::Stop { predicted: None };
        }
        let measured = self.measured.get(epoch.index()).copied().unwrap_or(0);
        let scores = self.scores.get(epoch.index()).filter(|_| measured >= self.least);
        let bar = scores.and_then(|scores| scores.quantile(self.share));
        self.compared = Some((best, bar));
        if bar.is_some_and(|bar| falls_below(best, bar)) {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let what = "best so far";
        let Some((best, bar)) = self.compared else {
            if !self.pacing.is_due(view, trial, epoch) {
                return Vec::new();
            }
            let scores = view.curve(trial)[..=epoch.index()].iter();
            let seen = scores.filter_map(|score| score.number()).reduce(f64::max);
            let wanted = self.startup.max(1);
            let bar_is = format!("{} of {wanted} trials have completed", self.completed);
            return vec![Reason::score(what, seen, None, bar_is)];
        };
        if bar == Some(f64::NEG_INFINITY) && best.is_nan() {
            return vec![Reason::score(what, Some(best), bar, "any number")];
        }
        if bar.is_none() {
            let bar_is = "too few completed trials were measured here";
            return vec![Reason::score(what, Some(best), bar, bar_is)];
        }
        let bar_is = if self.share == 0.5 {
            "median of completed trials here".to_string()
        } else {
            format!("percentile {} of completed trials here", round(100.0 * self.share))
        };
        let counts = |id: &TrialId| {
            let trial = view.trial(*id);
            let there = view.curve(*id).get(epoch.index());
            trial.state == State::Completed
                && !trial.value.is_nan()
                && there.is_some_and(|score| score.number().is_some())
        };
        let made_by = view.ended().iter().copied().filter(counts);
        vec![Reason::score(what, Some(best), bar, bar_is).made_by(made_by)]
    }

    fn looks(&self) -> Looks {
        self.pacing.looks()
    }
}

/// A percentage without the digits that come of binary shares.
fn round(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}
