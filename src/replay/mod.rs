//! The replay engine: clock, event loop, runs and studies.
//!
//! A *run* is one replayed experiment. Time is integer nanoseconds; at one instant first every
//! epoch ends, by trial id, then free workers ask for work, by index. Nothing here reads a real
//! clock, and every random number derives from (seed, repeat, label).

mod engine;
mod goal;
mod load;
mod outcome;
mod pool;
pub mod run_row;
pub mod settings;
mod snap;
pub mod study;
mod warm_start;

pub use engine::{Experiment, Methods, Phase, Workspace, replay};
pub use goal::{Goal, Target};
pub use load::{CurveRepeat, TableOptions};
pub use outcome::{Facts, GoalFacts, Outcome, Segment, Selected};
pub use pool::{Pool, RecordedCurve, RecordedRow};
pub use settings::{OnNan, Overhead, Report, Settings, ValueMode, WarmStart};
