//! Networks: the layers of a space under one configuration, with shapes, parameters and FLOPs.

mod describe;
mod network;
mod plan_layer;
mod planner;
mod recipe;

pub use network::{Network, Operation, PlannedLayer, Shape, Source, Window};
pub use recipe::Recipe;

use crate::error::{Error, fault};
use crate::space::{Definition, Setting, Value};

/// The refusal of something that a space may say and no backend can train yet.
pub(crate) fn not_built(file: &str, field: &str, what: &str, instead: &str) -> Error {
    fault(file, field, what, "is not built yet: the space loads but cannot be trained", instead)
}

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
