//! The arithmetic that the rung methods share: where rungs lie, how many trials a bracket has at
//! each, and who among those that came to a rung may go on.

mod cutoff;
mod ladder;
mod levels;
mod plan;
mod rung;

use base::units::{Epoch, TrialId};

use crate::interface::View;

pub(super) use cutoff::Cutoff;
pub(super) use ladder::Ladder;
pub(super) use levels::Span;
pub(super) use plan::{Arithmetic, Plan};

/// The score of a trial at a rung as rungs compare it: chance where training had diverged, behind
/// everything where no chance level is known. `None` where the epoch was not measured: such a trial
/// is compared with nobody.
pub(super) fn score_at(view: &View<'_>, trial: TrialId, rung: Epoch) -> Option<f64> {
    let seen = view.seen(trial, rung)?;
    Some(if seen.is_nan() { f64::NEG_INFINITY } else { seen })
}
