//! Patience with the whole search: it is over once so many trials in a row brought nothing better.
//!
//! Optuna 4.9.0, `Terminator` with `BestValueStagnationEvaluator` and no error: over once *more*
//! than `max_stagnation_trials` trials have ended since the best one. Differences: `delta` asks for
//! more than any improvement, and by default stopped and failed trials count as those that were
//! completed do (Optuna: completed alone, `count=completed`), since a rule that ends nearly all
//! would otherwise take the search's patience with it.
//!
//! * A trial improves if its value is strictly above the best by then plus `delta`, in the metric's
//!   unit. A trial without a value (NaN) counts and does not improve.
//! * Trials that have ended at one instant count in the order of their ids.
//! * The patience runs from the first trial that has a value: before that nothing can stagnate.
//!
//! A check takes constant time a trial.

use base::error::Result;

use crate::interface::{
    Arguments, Comparison, Context, Ending, EndingFactory, Entry, State, View, parameters,
};

parameters! {
    struct Parameters {
        /// Over once more trials than these have ended since the best one.
        trials: u32 in 0.. = 30,
        /// What counts as improvement, in the metric's unit.
        delta: f64 in 0.0.. = 0.0,
        /// Which trials count: all that ended, or those that ran their last epoch.
        count: Count { All = "all", Completed = "completed" } = "all",
    }
}

pub(super) const ENTRY: Entry<EndingFactory> = Entry {
    name: "stagnation",
    summary: "Over once so many trials in a row brought no better value.",
    citation: "BestValueStagnationEvaluator of Optuna 4.9.0 (Akiba et al., KDD 2019)",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Optuna 4.9.0",
        what: "the trial after which 200 random histories end (tests/golden/endings)",
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<EndingFactory> {
    let parameters = Parameters::read(arguments)?;
    Ok(Box::new(move |_| {
        Some(Box::new(Stagnation {
            parameters: parameters.clone(),
            told: 0,
            best: f64::NEG_INFINITY,
            since: 0,
        }))
    }))
}

struct Stagnation {
    parameters: Parameters,
    /// How many of the ended trials have been counted.
    told: usize,
    best: f64,
    /// Trials since the best.
    since: u32,
}

impl Ending for Stagnation {
    fn is_over(&mut self, view: &View<'_>) -> bool {
        for id in &view.ended()[self.told..] {
            let trial = view.trial(*id);
            if self.parameters.count == Count::Completed && trial.state != State::Completed {
                continue;
            }
            if trial.value > self.best + self.parameters.delta {
                self.best = trial.value;
                self.since = 0;
            } else if self.best > f64::NEG_INFINITY {
                self.since += 1;
            }
        }
        self.told = view.ended().len();
        self.since > self.parameters.trials
    }
}
