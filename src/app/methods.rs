//! The samplers, schedulers, stoppers and endings that there are.

use methods::interface::{Entry, describe};
use methods::{endings, samplers, schedulers, stoppers};

pub use methods::interface::{Comparison, ParameterSpec};

/// The methods of one kind.
#[derive(Debug, Clone)]
pub struct Listed {
    /// `samplers`.
    pub kind: &'static str,
    /// The setting that takes one: `sampler`.
    pub option: &'static str,
    pub methods: Vec<MethodInfo>,
    /// The same for programs, enough to build a form from.
    pub json: serde_json::Value,
}

/// What is known of a method before it is used.
#[derive(Debug, Clone)]
pub struct MethodInfo {
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Paper, or where the definition stands.
    pub citation: &'static str,
    /// What it was held against.
    pub compared: &'static [Comparison],
    /// What others have to know of it, a sentence each.
    pub traits: Vec<&'static str>,
    pub parameters: &'static [ParameterSpec],
}

/// All methods, kind by kind.
pub fn list() -> [Listed; 4] {
    [
        of_kind("samplers", "sampler", samplers::REGISTRY),
        of_kind("schedulers", "scheduler", schedulers::REGISTRY),
        of_kind("stoppers", "stopper", stoppers::REGISTRY),
        of_kind("endings", "end", endings::REGISTRY),
    ]
}

fn of_kind<Factory>(
    kind: &'static str,
    option: &'static str,
    registry: &[Entry<Factory>],
) -> Listed {
    let methods = registry.iter().map(|entry| MethodInfo {
        name: entry.name,
        summary: entry.summary,
        citation: entry.citation,
        compared: entry.compared,
        traits: entry.traits.iter().map(|it| it.sentence()).collect(),
        parameters: entry.parameters,
    });
    Listed { kind, option, methods: methods.collect(), json: describe(registry) }
}
