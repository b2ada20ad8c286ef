//! ETR-1: a configuration that has not left chance by epoch tau is taken to be untrainable.
//!
//! Choi, Cho, Rhee, "On the difficulty of DNN hyperparameter optimization using learning curve
//! prediction" (2018): stop at epoch `tau` iff `y[tau] < r + epsilon`, `r` the accuracy of
//! guessing. For a metric to minimise: iff `y[tau] > chance - epsilon`. The rule looks at `tau`
//! alone (earlier and later epochs do not matter), needs no history, and sees NaN as chance. At
//! equality, and within the slack of it, the trial goes on, and so it does where `tau` was not
//! measured: nobody saw it near chance. A curve that ends by `tau` never meets the rule.

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Stopper, StopperFactory, Trait, Verdict,
    View, falls_below, parameters,
};

parameters! {
    struct Parameters {
        /// The epoch at which the rule looks, from 1 (paper: tau; 1 and 9 are named).
        tau: u16 in 1..=65535 = 1,
        /// What counts as having left chance, in the metric's unit (paper: epsilon).
        epsilon: f64 = 0.05,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "etr1",
    summary: "Stops at epoch tau what is still within epsilon of chance.",
    citation: "ETR-1 of Choi, Cho, Rhee, On the difficulty of DNN hyperparameter optimization \
               using learning curve prediction, 2018",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "the paper's definition",
        what: "stopping epochs worked out by hand, in both directions (tests/it/stoppers.rs)",
        result: "all equal",
    }],
    traits: &[Trait::NeedsChance],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    super::require_chance("etr1", context)?;
    let Parameters { tau, epsilon } = Parameters::read(arguments)?;
    let rule = Etr1 { tau: Epoch(tau), epsilon };
    Ok(Box::new(move |_| Some(Box::new(rule))))
}

#[derive(Clone, Copy)]
struct Etr1 {
    tau: Epoch,
    epsilon: f64,
}

impl Stopper for Etr1 {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        assert_eq!(epoch, self.tau, "the engine asks when a rule looks");
        let chance = view.chance.expect("`build` refuses tables without a chance level");
        let seen = view.seen(trial, epoch);
        if seen.is_some_and(|score| falls_below(score, chance + self.epsilon)) {
            Verdict::Stop { predicted: None }
        } else {
            Verdict::Go
        }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let bar = view.chance.map(|chance| chance + self.epsilon);
        let bar_is = "chance, and epsilon beyond it";
        vec![Reason::score("value at the epoch", view.seen(trial, epoch), bar, bar_is)]
    }

    fn looks(&self) -> Looks {
        Looks::only(self.tau)
    }
}
