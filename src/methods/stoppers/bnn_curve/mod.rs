//! Predicts a trial's last score by neural networks over configurations with a layer of curves, and
//! stops it where that will hardly exceed the best.
//!
//! Klein, Falkner, Springenberg & Hutter, "Learning curve prediction with Bayesian neural
//! networks", ICLR 2017. Kept of the paper: networks of tanh units from a configuration to the
//! parameters and weights of five basis functions of time and the value at the end (`basis.rs`),
//! which learn from whole and partial curves of other configurations; that the trial's own
//! beginning counts; a Gaussian likelihood. Not kept: the posterior of all weights by stochastic
//! gradient Hamiltonian Monte Carlo, three layers of 64 units, noise by configuration, and its uses
//! within Hyperband. In their place: `networks` networks of two layers of 32 units, each the
//! maximum of the posterior on a bootstrap sample, found by Adam (`ensemble.rs`); and in each of
//! them the coefficients of the functions are updated by the trial's own epochs in closed form,
//! with a covariance and noise that curves left out of the samples make likely
//! (`coefficients.rs`). All networks count alike. Scores are scaled to .1 to .9 of those seen. On
//! recorded curves the middle halves of what is predicted are somewhat too wide, the tails are not.
//!
//! The rule is Domhan's: stop iff the probability of an observed last score above the best of all
//! that has completed is below `threshold`; the mean over the networks is reported. Networks are
//! made where `least` trials have completed, and anew where those that have ended have grown by a
//! quarter; they learn from completed and stopped ones.
//!
//! What was not measured is left out, and nothing is decided there; NaN is chance, and left out
//! where the table knows none. Where everything seen is alike, or the networks leave the numbers,
//! the trial goes on.
//!
//! # Cost
//!
//! A step of one network is a pass forward and back through 16 curves of 10 epochs, however many
//! have ended: a third of a millisecond, measured in a lightly optimised build on a busy machine.
//! So the networks take `networks * steps` of these each time that they are made. A check is a pass
//! forward and a matrix of six columns for each network.

mod basis;
mod coefficients;
mod ensemble;

use std::sync::Arc;

use base::error::Result;
use base::stats::normal::survival;
use base::units::{ConfigId, Epoch, TrialId};

use self::ensemble::{Curve, Ensemble};
use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Side, State, Stopper, StopperFactory,
    Trait, Verdict, View, parameters,
};
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::prefix::{final_score, first_with_final, interval_or_tenth};
use crate::kit::streams::Streams;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The probability of exceeding the best below which a trial is stopped.
        threshold: f64 in 0.0..=1.0 = 0.05,
        /// Completed trials to begin with.
        least: usize in 3..=100_000 = 10,
        /// Networks of the ensemble.
        networks: usize in 1..=1000 = 10,
        /// Steps that each network is trained for.
        steps: u32 in 1..=1_000_000 = 1000,
        /// Epochs from one check to the next; 0 is a tenth of the table's.
        interval: u16 in 0..=65535 = 0,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "bnn-curve",
    summary: "Predicts the last score by networks with a layer of curves that the trial's own \
              beginning updates; stops what will hardly beat the best.",
    citation: "in part after Klein et al., Learning curve prediction with Bayesian neural \
               networks, ICLR 2017: its layer of curves, on a bootstrap ensemble with a Bayesian \
               last layer instead of its sampled network",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::Predicts],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "pybnn 0.0.5 on PyTorch 2.15.0",
        what: "the layer of curves with its gradient, at five times for fixed numbers \
               (stoppers/bnn_curve/ensemble/tests.rs)",
        result: "equal within 1e-5, the offset that pybnn adds to the time",
    },
    Comparison {
        with: "LCNet of pybnn 0.0.5, 6,000 steps of SGHMC",
        what: "last scores of 20 recorded curves from the first 6 and 15 of 30 epochs, learned \
               from 60 others (stoppers/bnn_curve/ensemble/tests.rs)",
        result: "explains .877 to .900 and .987 to .989 of the variance by three seeds, LCNet .879 \
                 and .966 by one",
    },
    Comparison {
        with: "recorded last scores",
        what: "predictions for 40 curves from the first 6, 9 and 15 of 30 epochs, learned from 60 \
               others, by three seeds (stoppers/bnn_curve/ensemble/tests.rs)",
        result: "explains .858 to .869, .907 to .916 and .957 to .961 of the variance; of the 40 \
                 25 to 32 lie in the middle 50 % of what was predicted, 34 to 39 in the 90 %",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let settings = Parameters::read(arguments)?;
    let encoded = Encoded::new(context.space, context.points, context.rows, Categorical::OneHot);
    let encoded = Arc::new(encoded);
    let step = interval_or_tenth(settings.interval, context.epochs);
    let epochs = f64::from(context.epochs.0);
    Ok(Box::new(move |run| {
        Some(Box::new(BnnCurve {
            settings,
            step,
            epochs,
            encoded: Arc::clone(&encoded),
            streams: Streams::new(run, "bnn-curve"),
            known: Vec::new(),
            completed: 0,
            best: f64::NAN,
            range: (f64::INFINITY, f64::NEG_INFINITY),
            ended_seen: 0,
            learned: None,
        }))
    }))
}

/// A trial that has ended: its row, and the epochs that were measured.
type Ended = (ConfigId, Vec<(u16, f64)>);

/// What was learned last.
struct Learned {
    /// Trials that were learned from.
    trials: usize,
    /// The least and the largest of their scores.
    range: (f64, f64),
    /// `None` where there is no ensemble of these trials.
    ensemble: Option<Ensemble>,
}

struct BnnCurve {
    settings: Parameters,
    step: u16,
    /// Epochs of the table.
    epochs: f64,
    encoded: Arc<Encoded>,
    streams: Streams,
    known: Vec<Ended>,
    completed: usize,
    /// The best last score; NaN while nothing has completed.
    best: f64,
    /// The least and the largest score seen.
    range: (f64, f64),
    ended_seen: usize,
    learned: Option<Learned>,
}

impl Stopper for BnnCurve {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        let is_known = !measured(view, trial).is_empty() && view.seen(trial, epoch).is_some();
        if self.completed < self.settings.least || !is_known {
            return Verdict::Go;
        }
        self.learn();
        let Some((is_better, predicted)) = self.judge(view, trial) else { return Verdict::Go };
        if is_better < self.settings.threshold {
            Verdict::Stop { predicted: Some(predicted) }
        } else {
            Verdict::Go
        }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let what = "probability to exceed the best";
        let not_compared = |why| vec![Reason::number(what, Side::Below, None, None, why)];
        if self.completed < self.settings.least {
            return not_compared("too few completed trials to learn from");
        }
        if view.seen(trial, epoch).is_none() {
            return not_compared("not measured at the epoch");
        }
        if measured(view, trial).is_empty() {
            return not_compared("no epoch of the trial has a number");
        }
        // Learned when it was asked.
        let Some((is_better, _)) = self.judge(view, trial) else {
            return not_compared("all that has ended is alike, or nothing could be learned of it");
        };
        let threshold = Some(self.settings.threshold);
        let reason = Reason::number(what, Side::Below, Some(is_better), threshold, "the threshold");
        vec![reason.made_by(first_with_final(view, self.best))]
    }

    fn looks(&self) -> Looks {
        Looks::From { first: Epoch(self.step), step: self.step }
    }
}

/// The numbers of a trial, by epoch.
fn measured(view: &View<'_>, trial: TrialId) -> Vec<(u16, f64)> {
    let measured = view.measured(trial).filter(|(_, score)| score.is_finite());
    measured.map(|(epoch, score)| (epoch.0, score)).collect()
}

/// A score as the networks see it: .1 to .9 in the range.
fn scaled(score: f64, (low, high): (f64, f64)) -> f64 {
    0.1 + 0.8 * (score - low) / (high - low)
}

impl BnnCurve {
    /// Takes in the trials that have ended since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            if !matches!(trial.state, State::Completed | State::Stopped) {
                continue;
            }
            let points = measured(view, ended);
            if let Some(last) = final_score(view, ended) {
                self.best = self.best.max(last);
                self.completed += 1;
            }
            if !points.is_empty() {
                for (_, score) in &points {
                    self.range = (self.range.0.min(*score), self.range.1.max(*score));
                }
                self.known.push((trial.config, points));
            }
        }
        self.ended_seen = view.ended().len();
    }

    /// A row, about 0 with a variance of 1 where it is uniform, and what was measured of it.
    fn curve(&self, row: ConfigId, points: &[(u16, f64)], range: (f64, f64)) -> Curve {
        let inputs = self.encoded.row(row).iter().map(|u| (u - 0.5) * 12.0_f64.sqrt()).collect();
        let point =
            |(epoch, score): &(u16, f64)| (f64::from(*epoch) / self.epochs, scaled(*score, range));
        Curve { inputs, points: points.iter().map(point).collect() }
    }

    /// Makes the networks anew where enough has ended since.
    fn learn(&mut self) {
        let count = self.known.len();
        if self.learned.as_ref().is_some_and(|learned| 4 * count < 5 * learned.trials) {
            return;
        }
        let range = self.range;
        let has_spread = range.1 - range.0 > 1e-9 * range.0.abs().max(range.1.abs());
        let ensemble = has_spread.then(|| {
            let known = self.known.iter();
            let curves: Vec<Curve> =
                known.map(|(row, points)| self.curve(*row, points, range)).collect();
            let count = u32::try_from(count).expect("trials are counted by 32 bits");
            let mut rng = self.streams.decision("ensemble", count);
            let Parameters { networks, steps, .. } = self.settings;
            Ensemble::fit(&curves, networks, steps, &mut rng)
        });
        self.learned = Some(Learned { trials: count, range, ensemble: ensemble.flatten() });
    }

    /// The probability of an observed last score above the best, and the last score's mean. `None`
    /// where there is no ensemble, or it leaves the numbers.
    fn judge(&self, view: &View<'_>, trial: TrialId) -> Option<(f64, f64)> {
        let Learned { range, ensemble, .. } = self.learned.as_ref()?;
        let of = view.trial(trial);
        let own = self.curve(of.config, &measured(view, trial), *range);
        let predicted =
            ensemble.as_ref()?.predict(&own, f64::from(of.last_epoch.0) / self.epochs)?;
        let bar = scaled(self.best, *range);
        #[expect(clippy::cast_precision_loss, reason = "a number of networks")]
        let count = predicted.len() as f64;
        let exceed =
            predicted.iter().map(|(mean, variance)| survival((bar - mean) / variance.sqrt()));
        let is_better = exceed.sum::<f64>() / count;
        let mean = predicted.iter().map(|(mean, _)| mean).sum::<f64>() / count;
        Some((is_better, range.0 + (mean - 0.1) / 0.8 * (range.1 - range.0)))
    }
}

#[cfg(test)]
mod tests;
