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

use base::error::{Error, fault};
use base::space::Value;

/// Refuses a setting that points to a parameter whose condition does not hold, so that resolving
/// it cannot fail.
fn active<T: Copy>(
    definition: &Definition,
    field: &str,
    setting: Setting<T>,
    configuration: &[Value],
) -> Result<Setting<T>, Error> {
    match setting {
        Setting::Parameter(index) if configuration[index] == Value::Inactive => Err(fault(
            &definition.source,
            field,
            format!("${}", definition.space.parameters[index].name),
            "is inactive under this configuration, where its value is needed",
            "drop the parameter's condition, or write a literal",
        )),
        _ => Ok(setting),
    }
}
