//! A trial as a method sees it.

use base::units::{ConfigId, Epoch, SimTime};

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// On a worker.
    Running,
    /// Off its worker, may be resumed.
    Paused,
    /// It ran its last epoch: the table's, or its own where that comes before
    /// ([`Trial::last_epoch`]).
    Completed,
    /// A stopper or the scheduler ended it.
    Stopped,
    /// Its recorded curve ends before it is complete, or it met NaN under `--on-nan stop`.
    Failed,
    /// The run ended while it was running.
    Cut,
}

impl State {
    /// The word in `trace.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cut => "cut",
        }
    }
}

/// One configuration with the epochs that it has been allowed so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The row that it runs.
    pub config: ConfigId,
    /// Which of the row's recorded curves it replays.
    pub curve_repeat: u16,
    /// The scheduler's bracket.
    pub bracket: u32,
    pub state: State,
    /// Epochs run so far.
    pub executed: Epoch,
    /// Where the scheduler is asked next; never past its last epoch.
    pub until: Epoch,
    /// Where it is complete: the table's last epoch, or the row's own where the table gives it one.
    /// That is known when it starts; where a curve breaks off is not.
    pub last_epoch: Epoch,
    /// Its score by the run's value mode over the executed epochs: the best, or the last that was
    /// measured. NaN where it has none (nothing measured, or the last one diverged), which ranks
    /// last.
    pub value: f64,
    /// What the sampler is told of it once a segment has ended; NaN where there is nothing to tell.
    pub reported: f64,
    /// The point of the unit cube that was proposed, where one was; the row is the nearest that
    /// was free.
    pub point: Option<Box<[f64]>>,
    /// Distance from the proposed point to the row, where a point was proposed.
    pub snap_distance: Option<f64>,
    /// When its latest segment began: the instant of the decision, before any overhead.
    pub segment_start: SimTime,
    /// What the segments that have ended were charged; [`super::View::cost`] adds the running one.
    pub charged: SimTime,
}
