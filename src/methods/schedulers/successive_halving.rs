//! Successive halving: brackets of trials that are cut down at each rung.
//!
//! Karnin, Koren, Somekh (ICML 2013) and Jamieson, Talwalkar, "Non-stochastic best arm
//! identification and hyperparameter optimization" (AISTATS 2016). A bracket of `n` trials runs to
//! `max eta^-s` epochs, the best `max(floor(n eta^-1), 1)` of them to `eta` times as many, and so
//! on, until `max(floor(n eta^-s), 1)` run to `max`; `s` is the largest for which `min eta^s <=
//! max`. Then the next bracket begins. It is the bracket `s` of `hyperband`, again and again, and
//! says there what happens at a rung.

use std::sync::Arc;

use base::error::{Result, fault};

use crate::interface::{
    Arguments, Comparison, Context, Entry, SchedulerFactory, Trait, parameters,
};
use crate::rungs::synchronous::Synchronous;
use crate::rungs::{Plan, Span};

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (paper: eta).
        eta: u16 in 2..=65535 = 3,
        /// The first rung lies there or later.
        min: u16 in 1..=65535 = 1,
        /// Where trials end (paper: R); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
        /// Trials of a bracket (paper: n); 0: the fewest of which one runs to max.
        trials: u32 in 0..=1_000_000_000 = 0,
        /// What a free worker does while the last trials of a rung run: wait, or begin the next
        /// bracket.
        free: Free { Wait = "wait", Begin = "begin" } = "wait",
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "successive-halving",
    summary: "Brackets of trials of which the best share goes on, rung by rung.",
    citation: "Jamieson & Talwalkar, Non-stochastic best arm identification and hyperparameter \
               optimization, AISTATS 2016",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Syne Tune 0.14",
        what: super::EVERY_SEGMENT,
        result: "all equal",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max, trials, free } = Parameters::read(arguments)?;
    let span = Span::read("successive-halving", [eta, min, max], context)?;
    let fewest = u32::try_from(span.power(span.halvings())).expect("no more than epochs");
    if trials > 0 && trials < fewest {
        let halvings = span.halvings();
        let rule =
            format!("{halvings} cuts by eta = {eta} leave nobody of fewer than {fewest} trials");
        let remedy = "give at least as many, or raise min or eta";
        return Err(fault("--scheduler", "successive-halving:trials", trials, rule, remedy));
    }
    let plan = Plan::halving(span, if trials == 0 { fewest } else { trials });
    let plans: Arc<[Arc<Plan>]> = Arc::new([Arc::new(plan)]);
    Ok(Box::new(move |_| Box::new(Synchronous::new(Arc::clone(&plans), free == Free::Begin))))
}
