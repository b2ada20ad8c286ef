//! ASHA: asynchronous successive halving.
//!
//! Li, Jamieson, Rostamizadeh, Gonina, Ben-Tzur, Hardt, Recht, Talwalkar, "A system for massively
//! parallel hyperparameter tuning" (Machine Learning and Systems 2, 2020). Rungs lie at `min eta^k`
//! below `max`. A trial is compared at a rung with all that have come to it so far, by the score
//! *at* the rung; nobody waits for a rung to fill.
//!
//! * `type=promotion` (the paper's): a trial pauses at its rung. A free worker resumes the best one
//!   that may go on, from the highest rung that has one; else it starts a new trial.
//! * `type=stopping` (Syne Tune's, Optuna's): a trial that may not go on when it comes ends there.
//!
//! Who may go on: `cutoff=floor` the best `floor(n / eta)` of the `n` that came, first come first
//! of equals (the paper). `cutoff=quantile`: what reaches the interpolated quantile at the ratio of
//! this rung to the next (Syne Tune's `HyperbandScheduler`, to 0.14). `cutoff=rank`: what at most
//! `n / eta` surpass (its `AsynchronousSuccessiveHalving`, 0.16). `cutoff=optuna`: the best
//! `max(1, floor(n / eta))` and their equals. While a rung is too short for a cutoff (`n < eta`, or
//! one trial under `quantile`), stopping lets everybody go on and promotion nobody.
//!
//! With `type=stopping,cutoff=optuna` the decisions are those of Optuna's
//! `SuccessiveHalvingPruner(min_resource=min, reduction_factor=eta)`; it stands here and not among
//! the stoppers because it says how far trials run. In Optuna's manner NaN at a rung ends a trial,
//! and one that was not measured at a rung is compared by its next score that was. Everywhere else
//! NaN counts as chance, and a trial that was not measured at a rung passes it over.
//!
//! A trial that its own last epoch completes at a rung is not compared there. What an earlier phase
//! ran counts in the rungs that it came to; what it left paused goes on first. A rung operation
//! takes `O(log n)`, a decision `O(log n)` a rung.

use std::sync::Arc;

use base::error::Result;

use crate::interface::{
    Arguments, Comparison, Context, Entry, SchedulerFactory, Trait, parameters,
};
use crate::rungs::asynchronous::{Asynchronous, BracketOf, Kind};
use crate::rungs::{Cutoff, Span};

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (paper: eta).
        eta: u16 in 2..=65535 = 3,
        /// The epoch of the lowest rung (paper: r).
        min: u16 in 1..=65535 = 1,
        /// Where trials end (paper: R); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
        /// Whether a trial pauses at a rung until it may go on, or ends if it may not.
        r#type: Type { Promotion = "promotion", Stopping = "stopping" } = "promotion",
        /// Who may go on: the paper's, Syne Tune's of 0.14 and of 0.16, Optuna's.
        cutoff: CutoffWord {
            Floor = "floor", Quantile = "quantile", Rank = "rank", Optuna = "optuna",
        } = "floor",
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "asha",
    summary: "Asynchronous successive halving: at each rung the best share of those that came by \
              then goes on.",
    citation: "Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Syne Tune 0.14 and 0.16, Optuna 4.9.0",
        what: super::EVERY_SEGMENT,
        result: "all equal, a cutoff each",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max, r#type, cutoff } = Parameters::read(arguments)?;
    let span = Span::read("asha", [eta, min, max], context)?;
    let kind = match r#type {
        Type::Promotion => Kind::Promotion,
        Type::Stopping => Kind::Stopping,
    };
    let cutoff = match cutoff {
        CutoffWord::Floor => Cutoff::Floor,
        CutoffWord::Quantile => Cutoff::Quantile,
        CutoffWord::Rank => Cutoff::Rank,
        CutoffWord::Optuna => Cutoff::Optuna,
    };
    let one_bracket: BracketOf = Arc::new(|_| 0);
    Ok(Box::new(move |_| {
        Box::new(Asynchronous::new(span, (kind, cutoff), 1, Arc::clone(&one_bracket)))
    }))
}
