//! What the rung schedulers share: where rungs lie, how many trials a bracket has at each, who
//! among those that came to a rung may go on, and the two ways of running trials from rung to rung.

pub(crate) mod asynchronous;
mod cutoff;
mod ladder;
mod levels;
mod plan;
mod rung;
pub(crate) mod synchronous;

use base::units::{Epoch, TrialId};

use crate::interface::View;

pub(crate) use cutoff::Cutoff;
pub(crate) use ladder::Ladder;
pub(crate) use levels::Span;
pub(crate) use plan::{Arithmetic, Plan};

/// The score of a trial at a rung as rungs compare it: chance where training had diverged, behind
/// everything where no chance level is known. `None` where the epoch was not measured: such a trial
/// is compared with nobody.
pub(crate) fn score_at(view: &View<'_>, trial: TrialId, rung: Epoch) -> Option<f64> {
    let seen = view.seen(trial, rung)?;
    Some(if seen.is_nan() { f64::NEG_INFINITY } else { seen })
}
