//! The replay engine: clock, event loop, runs and studies.
//!
//! A *run* is one replayed experiment. Time is integer nanoseconds; at one instant first every
//! epoch ends, by trial id, then free workers ask for work, by index. Nothing here reads a real
//! clock, and every random number derives from (seed, repeat, label).

mod engine;
mod goal;
mod outcome;
mod pool;
mod row_order;
pub mod run_row;
mod settings;
mod snap;
pub mod study;

pub use engine::{Methods, Workspace, replay};
pub use goal::{Goal, Target};
pub use outcome::{Facts, GoalFacts, Outcome, Segment};
pub use pool::{Pool, RecordedCurve};
pub use settings::{OnNan, Settings, ValueMode};
