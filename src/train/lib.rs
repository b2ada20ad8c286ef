//! Training: a plan for many configurations, and the backends that train them.
//!
//! ```text
//! data, model -> plan -> graph -> cpu | gpu
//! ```
//!
//! [`train`] trains what [`TrainSettings`] say on a [`Device`], and [`estimate`] says what that
//! would cost. The README of this room shows the way through it.

mod backend;
pub mod cpu;
pub mod data;
mod epochs;
mod estimate;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod graph;
mod memory;
pub mod metrics;
pub mod model;
mod plan;
mod progress;
pub mod provenance;
pub mod record;
mod run;
#[cfg(feature = "gpu")]
pub mod self_test;
mod settings;

pub use backend::{Curve, Device, Job, Watch};
pub use estimate::{BackendCost, Estimate, SampleCost, estimate};
pub use progress::{Progress, Sink, Summary};
pub use run::train;
pub use settings::TrainSettings;
