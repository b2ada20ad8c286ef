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

use crate::interface::{Reason, View};

pub(crate) use cutoff::Cutoff;
pub(crate) use ladder::Ladder;
pub(crate) use levels::Span;
pub(crate) use plan::{Arithmetic, Plan};

/// What rungs compare, as their reasons call it.
pub(crate) const AT_RUNG: &str = "value at the rung";

/// The reason of a rung that compares a trial with nobody.
pub(crate) fn not_compared(seen: Option<f64>, bar_is: impl Into<String>) -> Reason {
    Reason::score(AT_RUNG, seen, None, bar_is)
}

/// The reason of a rung at which a trial was not measured.
pub(crate) fn passed_over() -> Reason {
    not_compared(None, "not measured at the rung, compared with nobody")
}

/// The reason of a trial that an earlier phase left paused and that has not been compared since.
pub(crate) fn left_by_earlier_phase() -> Reason {
    not_compared(None, "left by the warm start, not compared yet")
}

/// The score of a trial at a rung as rungs compare it: chance where training had diverged, behind
/// everything where no chance level is known. `None` where the epoch was not measured: such a trial
/// is compared with nobody.
pub(crate) fn score_at(view: &View<'_>, trial: TrialId, rung: Epoch) -> Option<f64> {
    let seen = view.seen(trial, rung)?;
    Some(if seen.is_nan() { f64::NEG_INFINITY } else { seen })
}
