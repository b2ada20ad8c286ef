//! Spaces, and the networks that their configurations make.

use base::error::{Result, fault};
use base::space::{raw, sobol};
use train::model::presets;

pub use base::space::{Domain, Numbers, Parameter, Value};
pub use train::model::{Definition, Network, PlannedLayer, Recipe, Scope, Shape, Source};

/// The spaces that ship with the program.
///
/// # Errors
/// None that a test would not have found.
pub fn list() -> Result<Vec<Definition>> {
    presets::names().map(Definition::preset).collect()
}

/// A preset by its name, or a TOML file by its path.
///
/// # Errors
/// Faults of the name and of the file.
pub fn find(name_or_path: &str) -> Result<Definition> {
    Definition::find(name_or_path)
}

/// A parameter as a table's JSON has it.
pub fn parameter_json(parameter: &Parameter) -> serde_json::Value {
    raw::write(parameter)
}

/// A configuration of a space with the network that it makes.
#[derive(Debug)]
pub struct Configuration {
    /// The Sobol point.
    pub index: u32,
    /// In the space's order.
    pub values: Vec<Value>,
    pub network: Network,
    pub recipe: Recipe,
    pub flops_per_epoch: f64,
}

/// One Sobol configuration of a space.
///
/// # Errors
/// Faults of an index past the end of the sequence, and of a network that cannot be built.
pub fn configuration(
    definition: &Definition,
    index: u32,
    sobol_seed: u32,
) -> Result<Configuration> {
    if index >= sobol::POINTS_MAX {
        let rule = format!("the Sobol sequence has {} points, from 0", sobol::POINTS_MAX);
        return Err(fault("--config", "config", index, rule, "give a smaller index"));
    }
    sobol::check(&definition.space, index + 1)?;
    let values = sobol::configuration(&definition.space, index, sobol_seed);
    let network = Network::build(definition, &values)?;
    let recipe = Recipe::resolve(definition, &values)?;
    let flops_per_epoch = network.flops_per_epoch(definition.training.train_size);
    Ok(Configuration { index, values, network, recipe, flops_per_epoch })
}
