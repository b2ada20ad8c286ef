//! ETR-2: a configuration far below the best one at the epoch where that one was nearly done.
//!
//! Choi, Cho, Rhee 2018, the formula reconstructed (the published text lost it): let `x^c` be the
//! best completed trial so far and `tau = max { t : y_c[t] <= q * y_c[T] }`. Stop `x` at epoch
//! `tau` iff `y_x[tau] < p * y_c[tau]` (`gap=ratio`) or `y_x[tau] < y_c[tau] - delta`
//! (`gap=absolute`). On a metric to minimise `y` is the gain `g = chance - metric`.
//!
//! * `x^c` is the best by the run's value mode among *completed* trials, for a stopped one has no
//!   `y[T]`; ties keep the older. Before the first completion nothing is stopped.
//! * "Maximum epoch" is literal: where a curve dips, the last such epoch counts.
//! * No such epoch (`x^c` starts above `q * y_c[T]`): `empty=first` looks at epoch 1, `empty=off`
//!   stops nothing. The paper does not say; report both.
//! * `reference=final` reads `y_c[T]` as it stands, `reference=max` the best epoch of `x^c`.
//! * `T` is the last epoch of `x^c` itself, where it has one of its own.
//! * Epochs that were not measured are passed over: `x^c` is what was measured of it (`y_c[T]`
//!   its last number, `tau` and "epoch 1" among its measured epochs), and what was not measured
//!   at `tau` goes on.
//! * NaN counts as chance, also within `x^c`. A best whose gain is not positive (at the reference,
//!   or at `tau` under a ratio) never fires: a share of nothing bounds nothing.
//! * Equality, and the slack around it, lets the trial go on.

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Reason, State, Stopper, StopperFactory, Trait, Verdict,
    View, falls_below, parameters, slack,
};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// Under gap=ratio: the share of the best's gain at tau to reach (paper: p).
        p: f64 in 0.0.. = 0.9,
        /// The share of the best's final gain that defines tau (paper: q).
        q: f64 in 0.0..=1.0 = 0.75,
        /// Whether the allowed gap is a share (p) or a difference (delta).
        gap: Gap { Ratio = "ratio", Absolute = "absolute" } = "ratio",
        /// Under gap=absolute: the allowed difference at tau, in the metric's unit.
        delta: f64 in 0.0.. = 0.05,
        /// Where no epoch defines tau: look at epoch 1, or stop nothing.
        empty: Empty { First = "first", Off = "off" } = "first",
        /// What stands for the best's final gain: its last epoch, or its best one.
        reference: Reference { Final = "final", Max = "max" } = "final",
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "etr2",
    summary: "Stops what lies far below the best completed trial at that trial's epoch tau.",
    citation: "ETR-2 of Choi, Cho, Rhee, On the difficulty of DNN hyperparameter optimization \
               using learning curve prediction, 2018 (formula reconstructed)",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "the paper's definition, as read here",
        what: "stopping epochs worked out by hand, in both directions (tests/it/stoppers.rs)",
        result: "all equal",
    }],
    traits: &[Trait::NeedsChance],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    super::require_chance("etr2", context)?;
    let parameters = Parameters::read(arguments)?;
    Ok(Box::new(move |_| {
        Some(Box::new(Etr2 { parameters, best: None, ended_seen: 0, check: None }))
    }))
}

/// Where to look and what to ask for there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Check {
    tau: Epoch,
    /// The least gain that goes on.
    bar: f64,
}

struct Etr2 {
    parameters: Parameters,
    /// x^c.
    best: Option<TrialId>,
    /// How many of the ended trials have been considered.
    ended_seen: usize,
    /// Derived from x^c; `None` stops nothing.
    check: Option<Check>,
}

impl Stopper for Etr2 {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        if self.ended_seen < view.ended().len() {
            self.consider(view);
        }
        match self.check {
            Some(check) if check.tau == epoch => {
                let gain = view.seen(trial, epoch).map(|score| score + view.gain_offset);
                if gain.is_some_and(|gain| falls_below(gain, check.bar)) {
                    Verdict::Stop { predicted: None }
                } else {
                    Verdict::Go
                }
            }
            _ => Verdict::Go,
        }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let Some(check) = self.check.filter(|check| check.tau == epoch) else {
            return Vec::new();
        };
        let bar_is = match self.parameters.gap {
            Gap::Ratio => "p x the best completed trial's gain here",
            Gap::Absolute => "delta short of the best completed trial",
        };
        let (seen, bar) = (view.seen(trial, epoch), check.bar - view.gain_offset);
        vec![Reason::score("value at the epoch", seen, Some(bar), bar_is).made_by(self.best)]
    }
}

impl Etr2 {
    /// Takes newly completed trials into account.
    fn consider(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            if trial.state != State::Completed || trial.value.is_nan() {
                continue;
            }
            if self.best.is_none_or(|best| trial.value > view.trial(best).value) {
                self.best = Some(ended);
                let measured = view.measured(ended);
                let gains = measured.map(|(epoch, score)| (epoch, score + view.gain_offset));
                self.check = self.parameters.check(&gains.collect::<Vec<_>>());
            }
        }
        self.ended_seen = view.ended().len();
    }
}

impl Parameters {
    /// What the best asks for, from its measured epochs and their gains.
    fn check(&self, gains: &[(Epoch, f64)]) -> Option<Check> {
        let reference = match self.reference {
            Reference::Final => gains.last()?.1,
            Reference::Max => gains.iter().map(|(_, g)| *g).fold(f64::NEG_INFINITY, f64::max),
        };
        if reference <= 0.0 {
            return None;
        }
        let limit = self.q * reference;
        let last_below = gains.iter().rposition(|&(_, g)| g <= limit + slack(limit));
        let index = last_below.or((self.empty == Empty::First).then_some(0))?;
        let (tau, gain) = *gains.get(index)?;
        let bar = match self.gap {
            Gap::Ratio if gain <= 0.0 => return None,
            Gap::Ratio => self.p * gain,
            Gap::Absolute => gain - self.delta,
        };
        Some(Check { tau, bar })
    }
}
