//! Stops a trial when another rule would have stopped it for the `patience`-th time.

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Looks, Stopper, StopperFactory, Verdict, View, parameters,
};

parameters! {
    struct Parameters {
        /// The rule to ask.
        rule: Method<StopperFactory> in super::STOPPERS,
        /// How often it must want to stop a trial.
        patience: u16 in 1..=100 = 2,
    }
}

pub(crate) const ENTRY: Entry<StopperFactory> = Entry {
    name: "patient",
    summary: "Stops what another rule has wanted to stop several times.",
    citation: "a toy",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { rule, patience } = Parameters::read(arguments)?;
    let rule = rule.build(context)?;
    Ok(Box::new(move |run| {
        let rule = rule(run)?;
        Some(Box::new(Patient { rule, patience, wanted: Vec::new() }))
    }))
}

struct Patient {
    rule: Box<dyn Stopper>,
    patience: u16,
    /// By trial, how often the rule has wanted to stop it.
    wanted: Vec<u16>,
}

impl Stopper for Patient {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        let verdict = self.rule.at_epoch(view, trial, epoch);
        if verdict == Verdict::Go {
            return verdict;
        }
        self.wanted.resize(view.trials().len().max(self.wanted.len()), 0);
        let wanted = &mut self.wanted[trial.index()];
        *wanted += 1;
        if *wanted < self.patience { Verdict::Go } else { verdict }
    }

    fn looks(&self) -> Looks {
        self.rule.looks()
    }

    fn looks_at_running(&self) -> bool {
        self.rule.looks_at_running()
    }
}
