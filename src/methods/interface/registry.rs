//! The type of registry entries, and the way from `name:parameter=value` to a method.

use std::sync::Arc;

use base::error::{Result, fault, suggest};
use base::rng::Stream;
use base::space::{Metric, Space};
use base::units::{ConfigId, Epoch};
use serde_json::{Value as Json, json};

use super::arguments::{Arguments, Place};
use super::kind::ParameterSpec;
use super::{Ending, Library, Points, Readers, Sampler, Scheduler, Stopper};

/// What a method needs or does, as far as others have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// It is told the goal, so it runs once a goal.
    GoalAware,
    /// It needs a table that knows the value of guessing.
    NeedsChance,
    /// A sampler that fits the values that it is told.
    LearnsValues,
    /// A sampler that needs no more than the order of what it is told, and ranks stopped trials
    /// behind completed ones by itself.
    LearnsRanks,
    /// A stopper whose verdict carries the final score that it expects.
    Predicts,
    /// A stopper that ends no trial, or an ending that ends no run.
    NeverStops,
    /// A scheduler that pauses trials and resumes some of them.
    Pauses,
}

impl Trait {
    /// The word in `curvebook methods --format json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::GoalAware => "goal_aware",
            Self::NeedsChance => "needs_chance",
            Self::LearnsValues => "learns_values",
            Self::LearnsRanks => "learns_ranks",
            Self::Predicts => "predicts",
            Self::NeverStops => "never_stops",
            Self::Pauses => "pauses",
        }
    }
}

impl Trait {
    /// What it means, as `curvebook methods` prints it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::GoalAware => "is told the goal, and so runs once a goal",
            Self::NeedsChance => "needs a table that knows the value of guessing",
            Self::LearnsValues => "fits the values that it is told: not with --report ranked",
            Self::LearnsRanks => "needs the order alone of what it is told",
            Self::Predicts => "predicts final values, which --report predicted tells",
            Self::NeverStops => "ends nothing",
            Self::Pauses => "pauses trials and resumes some of them",
        }
    }

    /// Whether a method has it because a method among its parameters has: what a part needs or
    /// does, the whole needs or may do. What a method leaves out (it never stops, it needs no more
    /// than ranks) says nothing of a method that wraps it: only its own entry can say so.
    pub const fn is_inherited(self) -> bool {
        match self {
            Self::GoalAware
            | Self::NeedsChance
            | Self::LearnsValues
            | Self::Predicts
            | Self::Pauses => true,
            Self::LearnsRanks | Self::NeverStops => false,
        }
    }
}

/// What a method is built for: known once a table has been loaded.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The table's name, for messages.
    pub table: &'a str,
    /// The table's hyperparameters.
    pub space: &'a Space,
    /// The metric; its chance level is what ETR rules need.
    pub metric: &'a Metric,
    /// Rows of the table.
    pub rows: u32,
    /// Where the rows lie in the unit cube.
    pub points: &'a Arc<Points>,
    /// Epochs of a full curve.
    pub epochs: Epoch,
    /// Repeats of the experiment.
    pub repeats: u32,
    /// Read the files that parameters name.
    pub readers: Readers<'a>,
    /// Extrapolated beginnings of the table's curves, which all runs on it share.
    pub extrapolations: &'a Library,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("table", &self.table).finish_non_exhaustive()
    }
}

/// For each repeat the rows to visit, in order.
pub type RecordedOrders = Vec<Vec<ConfigId>>;

/// What a method is told when a run begins.
#[derive(Debug, Clone, Copy)]
pub struct RunContext {
    /// The run's master seed.
    pub seed: u64,
    /// The repeat.
    pub repeat: u32,
    /// Threads that one decision may use: more than 1 only where there are fewer runs than
    /// threads. What a method decides must not depend on it.
    pub threads: usize,
}

impl RunContext {
    /// The method's own random stream. It depends on (seed, repeat, label) alone, which pairs the
    /// repeats of compared methods.
    pub fn stream(&self, label: &str) -> Stream {
        Stream::new(self.seed, u64::from(self.repeat), label)
    }
}

/// Makes a fresh sampler for a run.
pub type SamplerFactory = Box<dyn Fn(&RunContext) -> Box<dyn Sampler> + Send + Sync>;
/// Makes a fresh scheduler for a run.
pub type SchedulerFactory = Box<dyn Fn(&RunContext) -> Box<dyn Scheduler> + Send + Sync>;
/// Makes a fresh stopper for a run; `None` is a rule that never fires, which the engine need not
/// ask at every epoch.
pub type StopperFactory = Box<dyn Fn(&RunContext) -> Option<Box<dyn Stopper>> + Send + Sync>;

/// What a method was held against, and what came of it: an implementation that is not ours, or a
/// law that can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The reference, with its version: `Optuna 4.9.0`.
    pub with: &'static str,
    /// What was compared, and where it is repeated.
    pub what: &'static str,
    /// What came of it, with its figure.
    pub result: &'static str,
}

impl Comparison {
    /// For programs.
    fn describe(&self) -> Json {
        json!({"with": self.with, "what": self.what, "result": self.result})
    }
}

/// Makes a fresh ending for a run; `None` never ends one.
pub type EndingFactory = Box<dyn Fn(&RunContext) -> Option<Box<dyn Ending>> + Send + Sync>;

/// A method as the command line, the documentation and the conformance tests know it.
pub struct Entry<Factory> {
    /// As written before the colon.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Paper, or where the definition stands.
    pub citation: &'static str,
    /// In canonical order.
    pub parameters: &'static [ParameterSpec],
    /// What it was held against, for the table of the reference.
    pub compared: &'static [Comparison],
    /// What others have to know of it.
    pub traits: &'static [Trait],
    /// Builds the factory, or refuses what the table or space lacks.
    pub build: fn(&Arguments, &Context<'_>) -> Result<Factory>,
}

// Not derived: a factory is neither `Clone` nor `Debug`, and none stands in an entry.
impl<Factory> Clone for Entry<Factory> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Factory> Copy for Entry<Factory> {}

impl<Factory> std::fmt::Debug for Entry<Factory> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}

/// A registry entry with checked arguments.
pub struct Method<Factory: 'static> {
    /// The entry.
    pub entry: &'static Entry<Factory>,
    /// Every parameter with its value.
    pub arguments: Arguments,
    /// `name:a=1,b=2` with every parameter: what `runs.parquet` holds.
    pub canonical: String,
}

// Not derived: a factory need not be `Clone`, `Debug` or `PartialEq`, the entry is borrowed.
impl<Factory> Clone for Method<Factory> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry,
            arguments: self.arguments.clone(),
            canonical: self.canonical.clone(),
        }
    }
}

impl<Factory> std::fmt::Debug for Method<Factory> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Method").field(&self.canonical).finish()
    }
}

/// The same method with the same parameters, which a canonical text says of one registry's.
impl<Factory> PartialEq for Method<Factory> {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl<Factory> Method<Factory> {
    /// Whether it has a trait: its entry has it, or a method among its parameters does and the
    /// trait [is inherited](Trait::is_inherited).
    pub fn has(&self, wanted: Trait) -> bool {
        self.entry.traits.contains(&wanted)
            || (wanted.is_inherited() && self.arguments.methods().any(|part| part.has(wanted)))
    }

    /// Builds the factory for one table.
    ///
    /// # Errors
    ///
    /// What the table or its space lacks, as the method's own `build` says it.
    pub fn build(&self, context: &Context<'_>) -> Result<Factory> {
        (self.entry.build)(&self.arguments, context)
    }
}

/// Finds `text` (`name` or `name:parameter=value,...`) in a registry. `option` names it in errors.
///
/// # Errors
///
/// An input error where there is no such method, or its parameters break a rule of theirs.
pub fn resolve<Factory>(
    option: &str,
    text: &str,
    registry: &'static [Entry<Factory>],
) -> Result<Method<Factory>> {
    resolve_at(&Place::top(option), "method", text, registry)
}

/// Finds a method that may stand within another. `noun` is what the registry's methods are called.
pub(super) fn resolve_at<Factory>(
    place: &Place<'_>,
    noun: &str,
    text: &str,
    registry: &'static [Entry<Factory>],
) -> Result<Method<Factory>> {
    let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
    let entry = registry.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let field = if place.within.is_empty() { "name" } else { place.within.as_str() };
        let rule = format!("no such {noun}; see `curvebook methods`");
        let remedy = suggest(name, registry.iter().map(|entry| entry.name));
        fault(place.option, field, name, rule, remedy)
    })?;
    let arguments = Arguments::parse(place, name, parameters, entry.parameters)?;
    let canonical = arguments.canonical(name);
    Ok(Method { entry, arguments, canonical })
}

/// A registry as JSON, enough to build a form from.
pub fn describe<Factory>(registry: &[Entry<Factory>]) -> Json {
    let entries = registry.iter().map(|entry| {
        json!({
            "name": entry.name,
            "summary": entry.summary,
            "citation": entry.citation,
            "compared": entry.compared.iter().map(Comparison::describe).collect::<Vec<_>>(),
            "traits": entry.traits.iter().map(|t| t.word()).collect::<Vec<_>>(),
            "parameters": entry.parameters.iter().map(ParameterSpec::describe).collect::<Vec<_>>(),
        })
    });
    entries.collect()
}
