//! Predicts a trial's last score by a Gaussian process over the beginnings of finished trials, and
//! stops it where it will hardly exceed the best. A stand-in for Vizier's performance-curve rule.
//!
//! Golovin, Solnik, Moitra, Kochanski, Karro & Sculley, "Google Vizier: a service for black-box
//! optimization", KDD 2017, section 3.3.1, describe a Gaussian process regression on curves that
//! stops a trial where the probability of exceeding the best value found so far is sufficiently
//! low. Neither the kernel nor the threshold is public. This one is ours: a Matérn 5/2 kernel with
//! one lengthscale on the scores of epochs 1 to t, to the last score of trials that completed, and
//! a threshold of .05. What it decides says nothing of what Vizier would.
//!
//! Inputs are the scores less their mean, over their deviation and the root of their number;
//! targets are standardised. Scale, lengthscale and noise are those of the largest marginal
//! likelihood from two starts, found anew for an epoch where the completed trials have grown by a
//! tenth since; other new ones are taken in under the hyperparameters that are there. The
//! probability is that of an observed last score, noise included. The best is the best last score
//! of all that has completed; the predicted mean is reported.
//!
//! Trials that were not measured at all, or with NaN where the table knows no chance level, are
//! neither learned from nor judged, and gaps are filled ([`prefix`](crate::kit::prefix)). Where the
//! completed trials have one last score alone, too few reach the epoch, or there is no fit, the
//! trial goes on.
//!
//! # Cost
//!
//! With n trials to learn from, at most `train`: some 50 times `n^3 / 2` multiplications where the
//! hyperparameters are found, `n^3 / 6` where a trial has completed since, and else `n^2`.

mod model;

use base::error::{Result, fault};
use base::stats::normal::survival;
use base::units::{Epoch, TrialId};

use self::model::{Found, Model};
use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Side, Stopper, StopperFactory, Trait,
    Verdict, View, parameters,
};
use crate::kit::prefix::{filled, final_score, first_with_final, interval_or_tenth};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The probability of exceeding the best below which a trial is stopped.
        threshold: f64 in 0.0..=1.0 = 0.05,
        /// Completed trials that reach an epoch, to predict there.
        least: usize in 3..=100_000 = 10,
        /// Completed trials to learn from, the last ones.
        train: usize in 3..=2000 = 200,
        /// Epochs from one check to the next; 0 is a tenth of the table's.
        interval: u16 in 0..=65535 = 0,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "gp-curve",
    summary: "Predicts the last score by a Gaussian process on beginnings of curves; a stand-in \
              for Vizier's unpublished rule, not that rule.",
    citation: "after the description in Golovin et al., Google Vizier, KDD 2017; kernel and \
               threshold are ours",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::Predicts],
    build,
};

const COMPARED: &[Comparison] = &[Comparison {
    with: "scikit-learn 1.9.1, GaussianProcessRegressor",
    what: "likelihood, means and deviations for 40 recorded curves from the first 6, 9 and 15 of \
           30 epochs, learned from 60 others (stoppers/gp_curve/tests.rs); Vizier's own rule \
           cannot be had",
    result: "equal within 1e-6",
}];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let settings = Parameters::read(arguments)?;
    let Parameters { least, train, .. } = settings;
    if least > train {
        let rule = format!("it cannot wait for more trials than the {train} it learns from");
        return Err(fault(
            "--stopper",
            "gp-curve:least",
            least,
            rule,
            "lower least or raise train",
        ));
    }
    let step = interval_or_tenth(settings.interval, context.epochs);
    Ok(Box::new(move |_| {
        Some(Box::new(GpCurve {
            settings,
            step,
            completed: Vec::new(),
            best: f64::NAN,
            ended_seen: 0,
            models: Vec::new(),
        }))
    }))
}

/// A completed trial: its scores, and the last one.
struct Curve {
    scores: Vec<f64>,
    last: f64,
}

/// What an epoch knows.
#[derive(Default)]
struct Known {
    /// Completed trials when the hyperparameters were found.
    found_at: usize,
    found: Option<Found>,
    /// Completed trials when the model was made.
    made_at: usize,
    model: Option<Model>,
}

struct GpCurve {
    settings: Parameters,
    step: u16,
    completed: Vec<Curve>,
    /// The best last score; NaN while nothing has completed.
    best: f64,
    ended_seen: usize,
    /// By epoch.
    models: Vec<Known>,
}

impl Stopper for GpCurve {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        if view.seen(trial, epoch).is_none() {
            return Verdict::Go;
        }
        let Some(scores) = filled(view, trial, epoch) else { return Verdict::Go };
        let (best, threshold) = (self.best, self.settings.threshold);
        let Some(model) = self.model(epoch) else { return Verdict::Go };
        let (mean, deviation) = model.predict(&scores);
        let is_better = survival((best - mean) / deviation);
        if is_better < threshold { Verdict::Stop { predicted: Some(mean) } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let what = "probability to exceed the best";
        let not_compared = |why| vec![Reason::number(what, Side::Below, None, None, why)];
        if view.seen(trial, epoch).is_none() {
            return not_compared("not measured at the epoch");
        }
        let Some(scores) = filled(view, trial, epoch) else {
            return not_compared("an epoch of the trial has no number");
        };
        // Made when it was asked.
        let Some(model) = self.models.get(epoch.index()).and_then(|known| known.model.as_ref())
        else {
            return not_compared("too few completed trials to learn from, or all alike");
        };
        let (mean, deviation) = model.predict(&scores);
        let chance = Some(survival((self.best - mean) / deviation));
        let threshold = Some(self.settings.threshold);
        let reason = Reason::number(what, Side::Below, chance, threshold, "the threshold");
        vec![reason.made_by(first_with_final(view, self.best))]
    }

    fn looks(&self) -> Looks {
        Looks::From { first: Epoch(self.step), step: self.step }
    }
}

impl GpCurve {
    /// Takes in the trials that have completed since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let Some(last) = final_score(view, ended) else { continue };
            self.best = self.best.max(last);
            if let Some(scores) = filled(view, ended, view.trial(ended).executed) {
                self.completed.push(Curve { scores, last });
            }
        }
        self.ended_seen = view.ended().len();
    }

    /// The model of an epoch, of all that has completed by now.
    fn model(&mut self, epoch: Epoch) -> Option<&Model> {
        if self.models.len() <= epoch.index() {
            self.models.resize_with(epoch.index() + 1, Known::default);
        }
        let known = &mut self.models[epoch.index()];
        let count = self.completed.len();
        if known.made_at < count {
            known.made_at = count;
            let length = usize::from(epoch.0);
            let long = self.completed.iter().filter(|curve| curve.scores.len() >= length);
            let mut beginnings: Vec<(&[f64], f64)> =
                long.map(|curve| (&curve.scores[..length], curve.last)).collect();
            beginnings.drain(..beginnings.len().saturating_sub(self.settings.train));
            known.model = None;
            if beginnings.len() >= self.settings.least {
                let has_grown = 10 * count >= 11 * known.found_at;
                if known.found.is_none() || has_grown {
                    known.found_at = count;
                    known.found = Found::of(&beginnings);
                }
                let found = known.found.as_ref();
                known.model = found.and_then(|found| Model::new(found, &beginnings));
            }
        }
        known.model.as_ref()
    }
}

#[cfg(test)]
mod tests;
