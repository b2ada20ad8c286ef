//! What rules and rungs decided in a run, and why.

use base::units::{ConfigId, Epoch, SimTime, TrialId};
use methods::interface::Reason;

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// A rule.
    Stopper,
    /// A rung of the scheduler.
    Scheduler,
}

/// What was decided about a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It runs on.
    GoOn,
    /// It leaves its worker, and may be resumed.
    Pause,
    /// It goes on after a pause.
    Resume,
    /// It ends.
    Stop,
    /// The run ends while it is paused.
    StayPaused,
}

impl Decided {
    /// The word in `curvebook why --format json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::GoOn => "go_on",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::StayPaused => "stay_paused",
        }
    }
}

/// What was decided in a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decisions {
    /// Those that were wanted, in their order.
    pub wanted: Vec<Decision>,
    /// How many there were beside them.
    pub others: usize,
    /// By trial: its score by the value mode over its whole curve, run or not; NaN where that has
    /// none.
    pub wholes: Vec<f64>,
}

/// Which decisions are wanted: all of a long run take memory.
pub type Wants<'a> = &'a dyn Fn(&Decision) -> bool;

/// One decision. Scores as methods see them.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub at: SimTime,
    pub trial: TrialId,
    pub config: ConfigId,
    /// The last epoch that the trial has run.
    pub epoch: Epoch,
    pub by: Decider,
    pub decided: Decided,
    /// Whether a warm start's methods decided.
    pub in_warm_start: bool,
    /// The score at the epoch; NaN where training had diverged, `None` where it was not measured.
    pub score: Option<f64>,
    /// The trial's score by the value mode over the executed epochs; NaN where it has none.
    pub value: f64,
    /// The same over its whole curve, which nobody has run where it is stopped.
    pub whole: f64,
    /// What the rest of a stopped trial would still have cost.
    pub saved: SimTime,
    /// What was compared; empty where the method gives no reasons.
    pub reasons: Vec<Reason>,
}
