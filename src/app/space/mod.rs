//! Spaces, and the networks that their configurations make.

use std::io::{ErrorKind, Write};
use std::path::Path;

use base::error::{Result, fault, io};
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

/// A space as TOML: a preset's own text, or that of a file; what a table holds is written anew.
///
/// # Errors
/// Faults of the name, of the file, and of the space in it.
pub fn toml(name_or_path: &str) -> Result<String> {
    let definition = find(name_or_path)?;
    let path = Path::new(name_or_path);
    match presets::text(name_or_path) {
        _ if path.is_dir() => Ok(definition.to_toml()),
        Some(text) => Ok(text.to_string()),
        None => std::fs::read_to_string(path).map_err(|e| io(path, "reading the space", e)),
    }
}

/// A space to begin with, with a word on every kind of line.
pub(crate) const TEMPLATE: &str = include_str!("template.toml");

/// Writes a space to begin with: the template, or a copy of a space that there is.
///
/// # Errors
/// Faults of `from`, and of a file that is there already: nothing is overwritten.
pub fn init(file: &Path, from: Option<&str>) -> Result<()> {
    let text = from.map_or_else(|| Ok(TEMPLATE.to_string()), toml)?;
    let made = std::fs::File::options().write(true).create_new(true).open(file);
    let mut made = made.map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => {
            let rule = "is there already, and nothing is overwritten";
            fault("space init", "file", file.display(), rule, "name another file")
        }
        _ => io(file, "creating", e),
    })?;
    made.write_all(text.as_bytes()).map_err(|e| io(file, "writing", e))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_space_and_so_is_what_is_written_of_it() {
        let template = Definition::parse("template.toml", TEMPLATE).unwrap();
        let again = Definition::parse("template.toml", &template.to_toml()).unwrap();
        assert_eq!(Definition { hash: template.hash.clone(), ..again }, template);
        for index in 0..32 {
            configuration(&template, index, 0).unwrap();
        }
    }

    #[test]
    fn every_preset_survives_being_written() {
        for preset in list().unwrap() {
            let again = Definition::parse(&preset.source, &preset.to_toml()).unwrap();
            assert_eq!(Definition { hash: preset.hash.clone(), ..again }, preset);
        }
    }
}
