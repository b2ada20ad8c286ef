//! `curvebook space`.

use std::path::PathBuf;

use app::space::{
    self, Configuration, Definition, Domain, Network, Numbers, Parameter, PlannedLayer, Recipe,
    Scope, Shape, Source, Value,
};
use clap::Subcommand;
use serde_json::json;

use super::documents::{Layer, ListedSpace, ShownConfiguration, ShownSpace, Training};
use super::{Format, output};

/// List, show and begin spaces.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the spaces that ship with the program.
    #[command(after_help = "Examples:
  curvebook space list
  curvebook space list --format json")]
    List,
    /// Show a space, or one of its Sobol configurations with the network that it makes.
    #[command(after_help = "Examples:
  curvebook space show mnist-lenet
  curvebook space show my-space.toml --config 17
  curvebook space show tables/digits-lenet --toml")]
    Show {
        /// A preset's name, a TOML file, or a table that holds its space.
        space: String,
        /// Print it as a space file.
        #[arg(long, conflicts_with = "config")]
        toml: bool,
        /// Index of a Sobol point.
        #[arg(long)]
        config: Option<u32>,
        /// Seed of the Sobol sequence.
        #[arg(long, default_value_t = 0)]
        sobol_seed: u32,
    },
    /// Write a space to begin with, with a word on every kind of line.
    #[command(after_help = "Examples:
  curvebook space init my-space.toml
  curvebook space init my-space.toml --from mnist-lenet-lite")]
    Init {
        /// The new file.
        file: PathBuf,
        /// The preset, file or table to copy.
        #[arg(long)]
        from: Option<String>,
    },
}

pub(super) fn run(command: &Command, format: Format) -> anyhow::Result<()> {
    match command {
        Command::List => list(format),
        Command::Init { file, from } => {
            space::init(file, from.as_deref())?;
            eprintln!(
                "{}: check it with `curvebook space show`, train it with `curvebook train --space`",
                file.display()
            );
            Ok(())
        }
        Command::Show { space, toml: true, .. } => output::print(space::toml(space)?.trim_end()),
        Command::Show { space, config: None, .. } => show(&space::find(space)?, format),
        Command::Show { space, config: Some(index), sobol_seed, .. } => {
            show_config(&space::find(space)?, *index, *sobol_seed, format)
        }
    }
}

fn list(format: Format) -> anyhow::Result<()> {
    let definitions = space::list()?;
    match format {
        Format::Json => {
            let spaces = definitions.iter().map(|d| ListedSpace {
                name: &d.space.name,
                summary: &d.summary,
                dataset: &d.dataset,
            });
            output::print_json(&spaces.collect::<Vec<_>>())
        }
        Format::Text => {
            let rows = definitions
                .iter()
                .map(|d| [d.space.name.clone(), d.dataset.clone(), d.summary.clone()]);
            output::print(&output::table(["space", "data set", "what"], rows))
        }
    }
}

fn show(definition: &Definition, format: Format) -> anyhow::Result<()> {
    let parameters = &definition.space.parameters;
    match format {
        Format::Json => output::print_json(&ShownSpace {
            name: &definition.space.name,
            summary: &definition.summary,
            dataset: &definition.dataset,
            parameters: parameters.iter().map(space::parameter_json).collect(),
        }),
        Format::Text => {
            let rows = parameters.iter().map(|p| [p.name.clone(), kind(p), p.range_text()]);
            let table = output::table(["parameter", "type", "range"], rows);
            let split = &definition.training;
            output::print(&format!(
                "{}: {}\n{table}\ndata set {}, {}/{}/{} images (training/validation/test), \
                 {} epochs",
                definition.space.name,
                definition.summary,
                definition.dataset,
                split.train_size,
                split.val_size,
                split.test_size,
                split.epochs
            ))
        }
    }
}

fn kind(parameter: &Parameter) -> String {
    match parameter.domain {
        Domain::Int { log: false, .. } => "int",
        Domain::Int { log: true, .. } => "int, log",
        Domain::Float { log: false, .. } => "float",
        Domain::Float { log: true, .. } => "float, log",
        Domain::Categorical { .. } => "categorical",
        Domain::Ordinal { values: Numbers::Int(_) } => "int, listed",
        Domain::Ordinal { values: Numbers::Float(_) } => "float, listed",
    }
    .to_string()
}

fn show_config(
    definition: &Definition,
    index: u32,
    seed: u32,
    format: Format,
) -> anyhow::Result<()> {
    let Configuration { values, network, recipe, flops_per_epoch: flops, .. } =
        space::configuration(definition, index, seed)?;
    let pairs = || definition.space.parameters.iter().zip(&values);
    match format {
        Format::Json => output::print_json(&ShownConfiguration {
            config: index,
            values: pairs().map(|(p, v)| (p.name.clone(), value_json(p, *v))).collect(),
            layers: network.layers.iter().map(layer).collect(),
            training: training(definition, &recipe),
            params: network.params(),
            flops_per_image: network.flops_per_image(),
            flops_per_epoch: flops,
        }),
        Format::Text => {
            let texts = pairs().map(|(p, v)| [p.name.clone(), value_text(p, *v)]);
            let table = output::table(["parameter", "value"], texts);
            output::print(&format!(
                "configuration {index} of {}\n{table}\n{}\n\
                 {} trainable parameters, {:.3} MFLOP to train an image, {:.3} GFLOP an epoch",
                definition.space.name,
                layer_table(&network),
                network.params(),
                network.flops_per_image() / 1e6,
                flops / 1e9
            ))
        }
    }
}

fn layer(layer: &PlannedLayer) -> Layer<'_> {
    let shape = |s: Shape| [s.channels, s.height, s.width];
    let read = |source: &Source| match source {
        Source::Images => -1,
        Source::Layer(at) => i64::try_from(*at).expect("a network has few layers"),
    };
    Layer {
        place: &layer.name,
        kind: layer.operation.kind(),
        what: layer.operation.summary(),
        reads: layer.sources.iter().map(read).collect(),
        input: shape(layer.input),
        output: shape(layer.output),
        params: layer.params(),
        flops_per_image: layer.flops,
    }
}

/// How the configuration is trained; of the optimizer its name alone.
fn training(definition: &Definition, recipe: &Recipe) -> Training<'static> {
    let training = &definition.training;
    Training {
        optimizer: recipe.optimizer.name(),
        learning_rate: recipe.learning_rate,
        l2: recipe.l2,
        l2_scope: match recipe.l2_scope {
            Scope::Dense => "dense",
            Scope::All => "all",
        },
        batch_size: recipe.batch_size,
        epochs: training.epochs,
        train_size: training.train_size,
        val_size: training.val_size,
        test_size: training.test_size,
    }
}

/// The layers for people; shapes are channels x height x width.
fn layer_table(network: &Network) -> String {
    let header = ["layer", "what", "reads", "place", "output", "params", "MFLOP an image"];
    let rows = network.layers.iter().enumerate().map(|(at, layer)| {
        [
            at.to_string(),
            layer.operation.summary(),
            layer.reads(),
            layer.name.clone(),
            layer.output.to_string(),
            layer.params().to_string(),
            format!("{:.3}", layer.flops / 1e6),
        ]
    });
    output::table(header, rows)
}

/// A number or a choice; null where the parameter's condition does not hold.
pub(super) fn value_json(parameter: &Parameter, value: Value) -> serde_json::Value {
    match (value, &parameter.domain) {
        (Value::Int(v), _) => json!(v),
        (Value::Float(v), _) => json!(v),
        (Value::Choice(at), Domain::Categorical { choices }) => json!(choices[at]),
        _ => serde_json::Value::Null,
    }
}

pub(super) fn value_text(parameter: &Parameter, value: Value) -> String {
    match (value, &parameter.domain) {
        (Value::Int(v), _) => v.to_string(),
        (Value::Float(v), _) => v.to_string(),
        (Value::Choice(at), Domain::Categorical { choices }) => choices[at].clone(),
        _ => "(inactive)".to_string(),
    }
}
