//! Optuna's threshold rule: out of a band of allowed values.
//!
//! Optuna 4.9.0, `ThresholdPruner`: a trial is stopped at an epoch iff its value there lies
//! strictly below `lower`, strictly above `upper`, or is NaN. Values are the table's, whichever
//! way the metric is good. By itself, with neither bound, the rule stops what diverges (Optuna asks
//! for one of them).
//!
//! NaN is NaN here and never chance. Where an epoch was not measured there is no check; an
//! interval's check is at its first measured epoch. At equality, and within the slack of it, the
//! trial goes on. A check is two comparisons.

use base::error::{Result, fault};
use base::space::Direction;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Stopper, StopperFactory, Verdict, View,
    falls_below, parameters,
};
use crate::kit::pacing::Pacing;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The least value that goes on, in the metric's unit; the default means none.
        lower: f64 = -1e9,
        /// The largest value that goes on, in the metric's unit; the default means none.
        upper: f64 = 1e9,
        /// First epochs in which nothing is stopped (Optuna: `n_warmup_steps`).
        warmup: u16 in 0..=65534 = 0,
        /// Epochs from one check to the next (Optuna: `interval_steps`).
        interval: u16 in 1..=65535 = 1,
    }
}

/// What stands for no bound.
const NO_BOUND: f64 = 1e9;

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "threshold",
    summary: "Stops what has diverged, or leaves a band of allowed values.",
    citation: "ThresholdPruner of Optuna 4.9.0 (Akiba et al., KDD 2019)",
    parameters: Parameters::SPECS,
    compared: &[Comparison { with: "Optuna 4.9.0", what: super::EVERY_STOP, result: "all equal" }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { lower, upper, warmup, interval } = Parameters::read(arguments)?;
    if lower > upper {
        let (rule, remedy) = ("is above `upper`: everything would be stopped", "swap the two");
        return Err(fault("--stopper", "threshold:lower", lower, rule, remedy));
    }
    let is_loss = context.metric.goal == Direction::Minimize;
    let rule = Threshold {
        lower: (lower != -NO_BOUND).then_some(lower),
        upper: (upper != NO_BOUND).then_some(upper),
        is_loss,
        pacing: Pacing { warmup, interval },
    };
    Ok(Box::new(move |_| Some(Box::new(rule))))
}

#[derive(Clone, Copy)]
struct Threshold {
    lower: Option<f64>,
    upper: Option<f64>,
    /// Scores are the negated metric then.
    is_loss: bool,
    pacing: Pacing,
}

impl Stopper for Threshold {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        if !self.pacing.is_due(view, trial, epoch) {
            return Verdict::Go;
        }
        let Some(score) = view.curve(trial)[epoch.index()].number() else {
            return Verdict::Stop { predicted: None };
        };
        let value = if self.is_loss { -score } else { score };
        let is_out = self.lower.is_some_and(|lower| falls_below(value, lower))
            || self.upper.is_some_and(|upper| falls_below(-value, -upper));
        if is_out { Verdict::Stop { predicted: None } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        if !self.pacing.is_due(view, trial, epoch) {
            return Vec::new();
        }
        let what = "value at the epoch";
        let sign = if self.is_loss { -1.0 } else { 1.0 };
        let score = view.curve(trial)[epoch.index()].number();
        let bound = |bound: Option<f64>, is_lower: bool| {
            let bar_is = if is_lower { "the lower bound" } else { "the upper bound" };
            let reason = Reason::score(what, score, Some(sign * bound?), bar_is);
            Some(if is_lower == self.is_loss { reason.above() } else { reason })
        };
        let bounds = [bound(self.lower, true), bound(self.upper, false)];
        let mut bounds = bounds.into_iter().flatten();
        // The bound that it leaves, or else the first that it keeps to: it cannot leave both.
        let left = bounds.clone().find(Reason::fails);
        let kept = left.or_else(|| bounds.next());
        let seen = Some(score.unwrap_or(f64::NAN));
        let any = Reason::score(what, seen, Some(f64::NEG_INFINITY), "any number");
        vec![kept.filter(|_| score.is_some()).unwrap_or(any)]
    }

    fn looks(&self) -> Looks {
        self.pacing.looks()
    }
}
