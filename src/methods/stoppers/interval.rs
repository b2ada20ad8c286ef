//! DEEP-BO's interval rule: ETR-1 at every epoch.
//!
//! DEEP-BO (SNU-DRL, `trainers/emul/interval_etr.py`): stop at the first epoch whose accuracy lies
//! strictly between `low` and `high`. As published a trial that has learned nothing, but not quite
//! nothing, is stopped (0 < accuracy < 0.2), and one at exactly 0 goes on. Values are the table's,
//! whichever way the metric is good. The source was read, not run.
//!
//! The rule needs no history. NaN is chance; where the table knows no chance level it lies in no
//! interval and goes on. What was not measured goes on. At either end, and within the slack of it,
//! the trial goes on. A check is two comparisons.

use base::error::{Result, fault};
use base::space::Direction;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Stopper, StopperFactory, Verdict, View,
    falls_below, parameters,
};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The lower end, in the metric's unit (DEEP-BO: `acc_min`).
        low: f64 = 0.0,
        /// The upper end, in the metric's unit (DEEP-BO: `acc_max`).
        high: f64 = 0.2,
        /// First epochs in which nothing is stopped (DEEP-BO: `min_epoch`).
        warmup: u16 in 0..=65534 = 0,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "interval",
    summary: "Stops at the first epoch whose value lies within an interval.",
    citation: "the Interval rule of DEEP-BO: Cho et al., Basic enhancement strategies when using \
               Bayesian optimization for hyperparameter tuning of deep neural networks, IEEE \
               Access 8, 2020",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "the published rule, written out in Python",
        what: super::EVERY_STOP,
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let parameters = Parameters::read(arguments)?;
    if parameters.low >= parameters.high {
        let (rule, remedy) = ("is not below `high`: nothing lies between", "move one of them");
        return Err(fault("--stopper", "interval:low", parameters.low, rule, remedy));
    }
    let rule = Interval { parameters, is_loss: context.metric.goal == Direction::Minimize };
    Ok(Box::new(move |_| Some(Box::new(rule))))
}

#[derive(Clone, Copy)]
struct Interval {
    parameters: Parameters,
    /// Scores are the negated metric then.
    is_loss: bool,
}

impl Stopper for Interval {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        let Parameters { low, high, .. } = self.parameters;
        let seen = view.seen(trial, epoch).map(|score| if self.is_loss { -score } else { score });
        let is_within = |value: f64| falls_below(-value, -low) && falls_below(value, high);
        if seen.is_some_and(is_within) { Verdict::Stop { predicted: None } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let Parameters { low, high, .. } = self.parameters;
        let sign = if self.is_loss { -1.0 } else { 1.0 };
        // Without a chance level NaN lies in no interval.
        let Some(seen) = view.seen(trial, epoch).filter(|score| !score.is_nan()) else {
            return Vec::new();
        };
        let what = "value at the epoch";
        // A trial is stopped where it is on the inner side of both ends.
        let end = |end: f64, is_low: bool| {
            let bar_is = if is_low { "the lower end" } else { "the upper end" };
            let reason = Reason::score(what, Some(seen), Some(sign * end), bar_is);
            if is_low == self.is_loss { reason } else { reason.above() }
        };
        vec![end(low, true), end(high, false)]
    }

    fn looks(&self) -> Looks {
        Looks::From { first: Epoch(self.parameters.warmup + 1), step: 1 }
    }
}
