//! What a run came to.

use base::units::{ConfigId, Epoch, SimTime, TrialId};
use methods::interface::State;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The goal was met.
    Goal,
    /// Nothing was left to run: the goal is never reached, its time is infinite.
    Exhausted,
    /// The budget of simulated seconds ran out: censored.
    Budget,
    /// No further trial was allowed: censored.
    MaxTrials,
    /// The run's ending found that it was over: censored.
    Ending,
}

impl EndReason {
    /// The word in `runs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Goal => "goal",
            Self::Exhausted => "exhausted",
            Self::Budget => "budget",
            Self::MaxTrials => "max_trials",
            Self::Ending => "ending",
        }
    }

    /// Whether the run ended before it could tell: only then the time to the goal is censored.
    pub const fn censors(self) -> bool {
        matches!(self, Self::Budget | Self::MaxTrials | Self::Ending)
    }
}

/// A whole run: facts for each goal, and its segments if they were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// In the order of the goals: what a run with that goal alone would give.
    pub goals: Vec<GoalFacts>,
    /// In the order of their starts.
    pub segments: Vec<Segment>,
}

/// A run as one goal sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoalFacts {
    /// The earliest end of a segment whose value meets the goal.
    pub reached_at: Option<SimTime>,
    /// The earliest end of an epoch that meets the goal.
    pub epoch_reached_at: Option<SimTime>,
    /// Counts at the run's end: the instant at which the goal was met, whole, or where the run
    /// ended without it.
    pub facts: Facts,
    pub end_reason: EndReason,
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    pub end: SimTime,
    /// Trials started.
    pub trials: u32,
    /// Epochs ended.
    pub epochs: u64,
    /// Trials that a stopper or the scheduler ended.
    pub stopped_trials: u32,
    /// What these would still have cost to the end of their curves.
    pub saved: SimTime,
    /// Trials started whose whole curve, run to its end, meets the goal by the value mode.
    pub goal_rows_met: u32,
    /// Of these, the trials that were ended early before their executed value met it.
    pub goal_rows_stopped: u32,
    /// Median distance from the proposed points to their rows; NaN where no point was proposed.
    pub snap_distance_median: f64,
    /// What the optimiser was charged.
    pub overhead: SimTime,
    /// How long workers had no trial, all together: they waited for others, or nothing was left.
    pub idle: SimTime,
    /// The best trial by value, the earliest started of equals; `None` where none has a value.
    pub selected: Option<Selected>,
}

/// What an experimenter would take home of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    pub config: ConfigId,
    /// The epoch of its value.
    pub epoch: Epoch,
    /// Its score.
    pub value: f64,
    /// The metric on test images at that epoch, in its own direction, where it was measured.
    pub test_value: Option<f64>,
}

/// One stretch of a trial on a worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    pub trial: TrialId,
    pub config: ConfigId,
    pub curve_repeat: u16,
    pub worker: u32,
    pub start: SimTime,
    pub end: SimTime,
    /// The first epoch that it ran, or would have run.
    pub epoch_first: Epoch,
    /// Epochs of the trial so far, earlier segments included.
    pub epochs: Epoch,
    pub end_state: State,
    /// Score by the value mode over the executed epochs; NaN where it has none.
    pub value: f64,
    /// Score that the sampler was told; NaN where it was told none.
    pub reported: f64,
    pub snap_distance: Option<f64>,
    /// Charged before the first epoch: the optimiser, starting or resuming, setting up, epochs run
    /// again.
    pub overhead: SimTime,
}
