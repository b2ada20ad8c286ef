//! Extrapolates a trial's own curve and stops it where it will hardly end above the best so far.
//!
//! The `LCModelStopper` of deephyper (`stopper/_lcmodel_stopper.py` and
//! `stopper/lce/_bayesian_regression.py`, read at commits 8154133 and 169892b) with its curve of
//! four parameters; the "rho-LCE" of Egele, Mohr, Viering & Balaprakash, "The unreasonable
//! effectiveness of early discarding after one epoch in neural network hyperparameter
//! optimization", Neurocomputing 597, 2024. After each epoch, in this order:
//!
//! 1. *Patience*: stop iff the last gain of the objective lies `patience` times its epochs back.
//! 2. Before `points` observations, *outliers*: stop iff more than `peers` trials, itself among
//!    them, have been at this epoch, and its objective is strictly below the first quartile less
//!    `iqr` times the distance between the quartiles (numpy's) of theirs.
//! 3. From there on, the *curve*: stop iff the probability that it comes to no more at the trial's
//!    last epoch than the best objective of all that has ended exceeds `rho`. While nothing has
//!    ended, its own best takes that place.
//!
//! Deephyper samples by NUTS about a least-squares fit whose residual drops the prediction, and so
//! is the random start. Here the fit is one: the best of ten that has no pole at a positive epoch,
//! of its two sets of parameters the one with `d >= 0`, about which the prior has hardly any poles
//! either. `posterior.rs` integrates two of the five unknowns and draws the other three. The
//! objective is the last score or the best so far, here, among peers and of what has ended; what
//! failed or was cut has none. Not here are other curves, an extrapolation in steps that grow (its
//! `reduction_factor`, 1 by default), and deephyper's stop after one epoch where a quarter of the
//! epochs is less than one: a patience is at least one epoch.
//!
//! NaN is chance. Where the table knows none, NaN is left out of the curve, is no gain, and among
//! the peers is below everything. What was not measured is left out, and nothing is decided there.
//! Where nothing can be fitted, or the epoch shows no number, the trial goes on.
//!
//! # Cost
//!
//! A posterior takes some 21,600 densities of one exponential an observation. It is a function of
//! the observations alone and shared by all runs of a table. With its fit it took 24 ms of a busy
//! core, on average over recorded beginnings of 4 to 20 epochs (48 posteriors and 24 fits in 1.15 s
//! of processor time).

mod posterior;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::error::Result;
use base::units::{Epoch, TrialId};

use self::posterior::{Observed, Posterior};
use crate::interface::{
    Arguments, Comparison, Context, Entry, Reason, Side, State, Stopper, StopperFactory, Verdict,
    View, falls_below, parameters,
};
use crate::kit::ranked::Ranked;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The probability to exceed of ending no better than the best (`prob_promotion`).
        rho: f64 in 0.0..=1.0 = 0.9,
        /// Observations that a fit needs (deephyper: `min_obs_to_fit_lc_model`).
        points: u16 in 4..=65535 = 4,
        /// Epochs at which nothing but patience stops, less one (deephyper: `min_steps`).
        least: u16 in 1..=65535 = 1,
        /// Trials at an epoch, to be exceeded before outliers are looked for.
        peers: u32 in 1.. = 10,
        /// Distances between the quartiles that an outlier lies below the first of them.
        iqr: f64 in 0.0.. = 1.5,
        /// Share of its epochs without a gain after which a trial is stopped; 1 is never.
        patience: f64 in 0.0..=1.0 = 0.25,
        /// What is extrapolated and compared: the last score, or the best so far.
        objective: Objective { Last = "last", Max = "max" } = "last",
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "rho-lce",
    summary: "Extrapolates each curve by a posterior of four parameters; stops the hopeless.",
    citation: "LCModelStopper of deephyper with mmf4; Egele et al., The unreasonable effectiveness \
               of early discarding after one epoch in neural network hyperparameter \
               optimization, Neurocomputing 597, 2024",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "NUTS of numpyro 0.22.0 on deephyper's model",
        what: "the probability of staying below eleven quantiles of the last score, from 22 \
               beginnings of recorded curves where its chain and emcee's agree within .05 \
               (stoppers/rho_lce/tests.rs); deephyper's own fit is the random start, and ours not",
        result: "largest difference below .02 in the median curve, below .08 in the worst",
    },
    Comparison {
        with: "emcee 3.1.6 on the same model",
        what: "the same, from all 24",
        result: "largest difference below .02 in the median curve, below .08 in the worst",
    },
];

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let settings = Parameters::read(arguments)?;
    let posteriors = Arc::new(Posteriors::default());
    Ok(Box::new(move |_| {
        Some(Box::new(RhoLce {
            settings,
            posteriors: Arc::clone(&posteriors),
            best_ended: f64::NAN,
            ended_seen: 0,
            peers: Vec::new(),
        }))
    }))
}

/// Posteriors kept for all runs of a table; beyond so many they are found anew each time.
const KEPT_MAX: usize = 16_384;

/// Observations, by epoch and the bits of the score; then the epoch to predict.
type Key = (Vec<(u16, u64)>, u16);

/// What has been extrapolated, by what was observed. Finding one again gives the same.
#[derive(Default)]
struct Posteriors(Mutex<BTreeMap<Key, Option<Arc<Posterior>>>>);

impl Posteriors {
    /// The posterior of the score at an epoch; `None` where there is no fit.
    fn of(&self, points: &[(u16, f64)], at: u16) -> Option<Arc<Posterior>> {
        let key: Key = (points.iter().map(|(epoch, y)| (*epoch, y.to_bits())).collect(), at);
        // What panicked while it held the lock has left nothing half done.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let observed = Observed::new(points);
        let fit = observed.fit();
        let found = fit.and_then(|fit| observed.posterior(fit, at)).map(Arc::new);
        let mut kept = lock();
        if kept.len() < KEPT_MAX {
            kept.insert(key, found.clone());
        }
        found
    }
}

/// Who has been at an epoch.
#[derive(Default)]
struct Peers {
    /// Trials that had not come so far when last looked at.
    pending: Vec<TrialId>,
    /// Trials that have been looked at.
    seen: usize,
    objectives: Ranked,
}

struct RhoLce {
    settings: Parameters,
    posteriors: Arc<Posteriors>,
    /// The best objective of what has ended; NaN while there is none.
    best_ended: f64,
    ended_seen: usize,
    /// By epoch, from the first on.
    peers: Vec<Peers>,
}

/// The objective after each epoch up to one that was measured; NaN where it is no number.
fn objectives(
    view: &View<'_>,
    trial: TrialId,
    up_to: Epoch,
    objective: Objective,
) -> Vec<(u16, f64)> {
    let mut best = f64::NAN;
    let measured = view.measured(trial).take_while(|(epoch, _)| *epoch <= up_to);
    measured
        .map(|(epoch, score)| {
            best = best.max(score);
            (epoch.0, if objective == Objective::Last { score } else { best })
        })
        .collect()
}

impl Stopper for RhoLce {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        if view.seen(trial, epoch).is_none() {
            return Verdict::Go;
        }
        let Parameters { points, least, objective, .. } = self.settings;
        let curve = objectives(view, trial, epoch, objective);
        let is_early = curve.len() < usize::from(points);
        let [stalled, patience] = self.patience(view, trial, &curve);
        let is_over = stalled >= patience
            || epoch.0 >= least
                && if is_early {
                    self.is_outlier(view, epoch, &curve)
                } else {
                    self.is_hopeless(view, trial, &curve)
                };
        if is_over { Verdict::Stop { predicted: None } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let not_compared = |why| vec![Reason::number(OUTLOOK, Side::Above, None, None, why)];
        if view.seen(trial, epoch).is_none() {
            return not_compared("not measured at the epoch");
        }
        let Parameters { points, least, objective, .. } = self.settings;
        let curve = objectives(view, trial, epoch, objective);
        let [stalled, patience] =
            self.patience(view, trial, &curve).map(|epochs| Some(f64::from(epochs)));
        let what = "epochs since the last gain";
        let patience = Reason::number(what, Side::Reached, stalled, patience, "the patience");
        if patience.fails() || epoch.0 < least {
            return vec![patience];
        }
        let outlook = if curve.len() < usize::from(points) {
            self.outlier_reason(view, epoch, &curve)
        } else {
            self.hopeless_reason(view, trial, &curve)
        };
        if outlook.fails() { vec![outlook] } else { vec![patience, outlook] }
    }

    fn looks_at_running(&self) -> bool {
        true
    }
}

/// What is compared with rho, as reasons call it.
const OUTLOOK: &str = "probability to end no better than the best";

impl RhoLce {
    /// Takes in the objectives of trials that have ended since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            if matches!(trial.state, State::Completed | State::Stopped) {
                let curve = objectives(view, ended, trial.executed, self.settings.objective);
                if let Some((_, last)) = curve.last() {
                    self.best_ended = self.best_ended.max(*last);
                }
            }
        }
        self.ended_seen = view.ended().len();
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of epochs, at most that number"
    )]
    /// How many epochs ago the last gain was, and how many are enough to stop.
    fn patience(&self, view: &View<'_>, trial: TrialId, curve: &[(u16, f64)]) -> [u16; 2] {
        let epochs = view.trial(trial).last_epoch.0;
        let patience = ((f64::from(epochs) * self.settings.patience) as u16).max(1);
        let Some(&(now, _)) = curve.last() else { return [0, patience] };
        let (mut best, mut since) = (f64::NAN, curve[0].0);
        for (epoch, objective) in curve {
            if *objective > best || best.is_nan() && !objective.is_nan() {
                (best, since) = (*objective, *epoch);
            }
        }
        [now - since, patience]
    }

    fn is_outlier(&mut self, view: &View<'_>, epoch: Epoch, curve: &[(u16, f64)]) -> bool {
        let objective = self.settings.objective;
        let Some(&(_, own)) = curve.last() else { return false };
        if self.peers.len() <= epoch.index() {
            self.peers.resize_with(epoch.index() + 1, Peers::default);
        }
        let known = &mut self.peers[epoch.index()];
        known.pending.extend(
            (known.seen..view.trials().len())
                .map(|at| TrialId(u32::try_from(at).expect("trials are 32 bits"))),
        );
        known.seen = view.trials().len();
        known.pending.retain(|&peer| {
            let trial = view.trial(peer);
            if trial.executed >= epoch {
                if let Some((at, score)) = objectives(view, peer, epoch, objective).last()
                    && *at == epoch.0
                {
                    let is_number = !score.is_nan();
                    known.objectives.insert(if is_number { *score } else { f64::NEG_INFINITY });
                }
                return false;
            }
            matches!(trial.state, State::Running | State::Paused)
        });
        self.outlier_bar(epoch).is_some_and(|bar| own.is_nan() || falls_below(own, bar))
    }

    /// Below which a trial at this epoch is an outlier, as far as its peers are known.
    fn outlier_bar(&self, epoch: Epoch) -> Option<f64> {
        let Parameters { peers, iqr, .. } = self.settings;
        let known = self.peers.get(epoch.index())?;
        if known.objectives.count() <= peers as usize {
            return None;
        }
        let quartile = |share| known.objectives.quantile(share).expect("there are peers");
        let (first, third) = (quartile(0.25), quartile(0.75));
        let bar = first - iqr * (third - first);
        // Quartiles of minus infinity leave no bar.
        bar.is_finite().then_some(bar)
    }

    fn outlier_reason(&self, view: &View<'_>, epoch: Epoch, curve: &[(u16, f64)]) -> Reason {
        let own = curve.last().map(|(_, own)| *own);
        let what = "objective at the epoch";
        let Some(bar) = self.outlier_bar(epoch) else {
            return Reason::score(what, own, None, "too few trials at the epoch, or no spread");
        };
        let bar_is = "the outer fence of the trials at the epoch";
        let was_here = |id: &TrialId| {
            let has_come = view.trial(*id).executed >= epoch;
            has_come && view.curve(*id)[epoch.index()].is_measured()
        };
        let peers = (0..).map(TrialId).take(view.trials().len()).filter(was_here);
        Reason::score(what, own, Some(bar), bar_is).made_by(peers)
    }

    fn is_hopeless(&self, view: &View<'_>, trial: TrialId, curve: &[(u16, f64)]) -> bool {
        self.outlook(view, trial, curve).is_some_and(|outlook| outlook > self.settings.rho)
    }

    /// The probability that a trial ends no better than the best. `None` where it has too few
    /// numbers, or nothing can be fitted to them.
    fn outlook(&self, view: &View<'_>, trial: TrialId, curve: &[(u16, f64)]) -> Option<f64> {
        let points: Vec<(u16, f64)> =
            curve.iter().copied().filter(|(_, objective)| objective.is_finite()).collect();
        if points.len() < usize::from(self.settings.points) {
            return None;
        }
        let own = points.iter().fold(f64::NAN, |best, (_, score)| score.max(best));
        let best = if self.best_ended.is_nan() { own } else { self.best_ended };
        let posterior = self.posteriors.of(&points, view.trial(trial).last_epoch.0);
        posterior.map(|posterior| posterior.at_most(best))
    }

    fn hopeless_reason(&self, view: &View<'_>, trial: TrialId, curve: &[(u16, f64)]) -> Reason {
        let Some(outlook) = self.outlook(view, trial, curve) else {
            let why = "too few numbers, or no curve could be fitted";
            return Reason::number(OUTLOOK, Side::Above, None, None, why);
        };
        let is_best = |id: &TrialId| {
            let ended = view.trial(*id);
            let counts = matches!(ended.state, State::Completed | State::Stopped);
            let curve = objectives(view, *id, ended.executed, self.settings.objective);
            counts && curve.last().is_some_and(|(_, last)| *last == self.best_ended)
        };
        let maker = view.ended().iter().copied().find(is_best);
        let rho = Some(self.settings.rho);
        Reason::number(OUTLOOK, Side::Above, Some(outlook), rho, "rho").made_by(maker)
    }
}

#[cfg(test)]
mod tests;
