//! Hyperband: brackets of successive halving, from the most eager to the most patient, and again.
//!
//! Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization" (JMLR 18,
//! 2018). The bracket `s` (`s_max` to 0) starts `n` trials,
//! runs them to `max eta^-s` epochs, lets the best share go on `eta` times as far, and so on to
//! `max`. How `n` and the epochs are rounded is the `arithmetic`; implementations disagree:
//!
//! | `max=81` | s = 4 | 3 | 2 | 1 | 0 |
//! |---|---|---|---|---|---|
//! | `formula`: the paper's, SMAC3 | 81 27 9 3 1 | 34 11 3 1 | 15 5 1 | 8 2 | 5 |
//! | `floor`: `HpBandSter`, DEHB | 81 27 9 3 1 | 27 9 3 1 | 9 3 1 | 6 2 | 5 |
//! | `kerastuner`: also Syne Tune's | 81 27 9 3 1 | 34 12 4 2 | 15 5 2 | 8 3 | 5 |
//!
//! A rung is over when nobody runs towards it any more. Its best go on, by the score *at* the rung;
//! of equals those that left the rung before first, and at the first rung those that began first.
//! All others are ended then. NaN counts as chance. A trial that was not measured at a rung passes
//! it over, compared with nobody and taking nobody's place. One that completes or fails, or that a
//! stopper ends, before it is compared leaves the bracket. Where the rows run out the bracket goes
//! on with those it has, in the same ratios, at least one of them.
//!
//! While the last trials of a rung run, free workers wait (`free=wait`, the definition), or begin
//! the next bracket (`free=begin`: `HpBandSter`, Syne Tune; the oldest bracket has precedence).
//! What waits is recorded as idle. Trials that an earlier phase left paused begin before new ones.
//! A trial costs `O(log n)` at a rung of `n`.

use std::sync::Arc;

use base::error::Result;

use crate::interface::{
    Arguments, Comparison, Context, Entry, SchedulerFactory, Trait, parameters,
};
use crate::rungs::synchronous::Synchronous;
use crate::rungs::{Arithmetic, Plan, Span};

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (paper: eta).
        eta: u16 in 2..=65535 = 3,
        /// The first rung of the most eager bracket lies there or later.
        min: u16 in 1..=65535 = 1,
        /// Where trials end (paper: R); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
        /// How numbers of trials and epochs are rounded: by the paper's formula, to whole multiples
        /// of the last rung, or as Keras Tuner does.
        arithmetic: Rounding { Formula = "formula", Floor = "floor", KerasTuner = "kerastuner" }
            = "formula",
        /// What a free worker does while the last trials of a rung run: wait, or begin the next
        /// bracket.
        free: Free { Wait = "wait", Begin = "begin" } = "wait",
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "hyperband",
    summary: "Brackets of successive halving, from many trials of few epochs to few of many.",
    citation: "Li et al., Hyperband: a novel bandit-based approach to hyperparameter \
               optimization, JMLR 18, 2018",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "Syne Tune 0.14 (`kerastuner` rounding with `free=begin`)",
            what: super::EVERY_SEGMENT,
            result: "all equal",
        },
        Comparison {
            with: "the tables of Li et al. 2018",
            what: "brackets of R = 27, 81 and 243 in each arithmetic (src/methods/rungs/plan.rs)",
            result: "all equal",
        },
    ],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max, arithmetic, free } = Parameters::read(arguments)?;
    let span = Span::read("hyperband", [eta, min, max], context)?;
    let arithmetic = match arithmetic {
        Rounding::Formula => Arithmetic::Formula,
        Rounding::Floor => Arithmetic::Floor,
        Rounding::KerasTuner => Arithmetic::KerasTuner,
    };
    let numbers = (0..=span.halvings()).rev();
    let plans = numbers.map(|s| Arc::new(Plan::hyperband(span, arithmetic, s)));
    let plans: Arc<[Arc<Plan>]> = plans.collect();
    Ok(Box::new(move |_| Box::new(Synchronous::new(Arc::clone(&plans), free == Free::Begin))))
}
