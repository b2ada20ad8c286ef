//! The replay engine: clock, event loop, runs and grids of runs.
//!
//! A *run* is one replayed experiment. Time is integer nanoseconds; at one instant first every
//! epoch ends, by trial id, then free workers ask for work, by index. Nothing here opens a
//! file or reads a real clock (but for `--overhead measured`, which asks for it), and every random
//! number derives from (seed, repeat, label).

mod advisor;
mod cell;
mod decision;
mod engine;
mod goal;
mod grid;
mod outcome;
mod paired;
mod pool;
mod recorded;
mod row_ids;
mod series;
pub mod settings;
mod snap;
mod trio;
mod warm_start;
mod watch;

pub use advisor::{Advice, Advisor, Answer};
pub use decision::{Decided, Decider, Decision, Decisions, Wants};
pub use engine::{
    EpochEnd, Experiment, Methods, Phase, Stepper, Workspace, replay, replay_watched,
};
pub use goal::{Goal, Target};
pub use grid::{BLOCK_RUNS, Combination, Grid, GridRun, RunOptions};
pub use methods::interface::{State, meets, slack};
pub use outcome::{EndReason, Facts, GoalFacts, Outcome, Segment, Selected};
pub use pool::{Pool, RecordedCurve, RecordedRow};
pub use recorded::{Recorded, has_fixed_order};
pub use row_ids::RowIds;
pub use series::Series;
pub use settings::{OnNan, Overhead, Report, Settings, ValueMode, WarmStart};
pub use trio::Trio;
pub use watch::Watched;

/// The one comparison of a score with a rule's bar, for those who ask what a rule would do.
pub use methods::interface::falls_below;
