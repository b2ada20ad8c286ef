//! Networks: what a space file says of them, and the layers under one configuration, with shapes,
//! parameters and FLOPs.

pub mod definition;
mod describe;
mod network;
mod plan_layer;
mod planner;
mod rate_schedule;
mod recipe;

pub use definition::{
    Activation, BatchNormSettings, Definition, INPUT, Layer, LayerKind, Optimizer, Padding, Pool,
    Regularizer, Schedule, Scope, Setting, Training, Word, presets,
};
pub use network::{Network, Operation, PlannedLayer, Shape, Source, Window};
pub use rate_schedule::RateSchedule;
pub use recipe::{Recipe, UpdateRule};
