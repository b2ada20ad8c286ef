//! Ways to write every method of the registries, and a space without any choice.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use curvebook::base::space::{Domain, Parameter, Space, Value};
use curvebook::base::units::Epoch;
use curvebook::methods::interface::{
    Entry, Kind, Method, ParameterSpec, RunContext, SamplerFactory, SchedulerFactory,
    StopperFactory, Trait, resolve,
};
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{Pool, RecordedCurve};

use crate::replay_common::accuracy;

pub(super) const RUN: RunContext = RunContext { seed: 3, repeat: 0, threads: 1 };

/// The rows of a table in an order of our own, for every repeat.
pub(super) fn write_order(dir: &Path, rows: u32, repeats: u32) -> PathBuf {
    let mut text = "repeat,config_id\n".to_string();
    for repeat in 0..repeats {
        // A rotation of the rows backwards.
        for position in 0..rows {
            let row = (2 * rows - 1 - position - repeat % rows) % rows;
            writeln!(text, "{repeat},{row}").unwrap();
        }
    }
    let path = dir.join(format!("order-{rows}.csv"));
    std::fs::write(&path, text).unwrap();
    path
}

/// What must be written of a parameter that has no default.
fn required(spec: &ParameterSpec, order: &Path) -> Option<String> {
    if spec.default.is_some() {
        return None;
    }
    let value = match spec.kind {
        Kind::Int { low, .. } => low.to_string(),
        Kind::Float { low, .. } => low.to_string(),
        Kind::Word(words) => words[0].to_string(),
        Kind::File => order.display().to_string(),
    };
    Some(format!("{}={value}", spec.name))
}

/// Every entry as it stands, and once with each other word that a parameter of it takes.
pub(super) fn every_entry<Factory>(
    registry: &[Entry<Factory>],
    order: &Path,
    has_chance: bool,
) -> Vec<String> {
    let serves = |e: &&Entry<Factory>| has_chance || !e.traits.contains(&Trait::NeedsChance);
    let mut texts = Vec::new();
    for entry in registry.iter().filter(serves) {
        let must: Vec<String> =
            entry.parameters.iter().filter_map(|spec| required(spec, order)).collect();
        let written = |other: Option<String>| {
            let parts: Vec<String> = must.iter().cloned().chain(other).collect();
            let colon = if parts.is_empty() { "" } else { ":" };
            format!("{}{colon}{}", entry.name, parts.join(","))
        };
        texts.push(written(None));
        for spec in entry.parameters.iter().filter(|spec| spec.default.is_some()) {
            let Kind::Word(words) = spec.kind else { continue };
            let others = words.iter().filter(|word| Some(**word) != spec.default);
            texts.extend(others.map(|word| written(Some(format!("{}={word}", spec.name)))));
        }
    }
    texts
}

/// Every method of the three registries, as it is written.
pub(super) struct Texts {
    samplers: Vec<String>,
    schedulers: Vec<String>,
    stoppers: Vec<String>,
}

impl Texts {
    pub(super) fn all(order: &Path, has_chance: bool) -> Self {
        Self {
            samplers: every_entry(samplers::REGISTRY, order, has_chance),
            schedulers: every_entry(schedulers::REGISTRY, order, has_chance),
            stoppers: every_entry(stoppers::REGISTRY, order, has_chance),
        }
    }

    pub(super) fn samplers(&self) -> Vec<Method<SamplerFactory>> {
        let resolved = |text: &String| resolve("--sampler", text, samplers::REGISTRY).unwrap();
        self.samplers.iter().map(resolved).collect()
    }

    pub(super) fn schedulers(&self) -> Vec<Method<SchedulerFactory>> {
        let resolved = |text: &String| resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
        self.schedulers.iter().map(resolved).collect()
    }

    pub(super) fn stoppers(&self) -> Vec<Method<StopperFactory>> {
        let resolved = |text: &String| resolve("--stopper", text, stoppers::REGISTRY).unwrap();
        self.stoppers.iter().map(resolved).collect()
    }

    /// Every combination of sampler, scheduler and stopper in which each method stands at least
    /// once: the whole product where it is small, else each list by turns.
    pub(super) fn each(&self) -> Vec<[String; 3]> {
        let lists = [&self.samplers, &self.schedulers, &self.stoppers];
        let product: usize = lists.iter().map(|list| list.len()).product();
        if product <= 100 {
            let mut all = Vec::with_capacity(product);
            for sampler in &self.samplers {
                for scheduler in &self.schedulers {
                    for stopper in &self.stoppers {
                        all.push([sampler, scheduler, stopper].map(Clone::clone));
                    }
                }
            }
            return all;
        }
        let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
        (0..longest).map(|at| lists.map(|list| list[at % list.len()].clone())).collect()
    }
}

/// Five rows of a space in which nothing can be chosen.
pub(super) fn one_value_pool() -> Pool {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let parameters = vec![
        parameter("depth", Domain::Int { low: 3, high: 3, log: false }),
        parameter("momentum", Domain::Float { low: 0.9, high: 0.9, log: false }),
        parameter("activation", Domain::Categorical { choices: vec!["relu".into()] }),
    ];
    let space = Space::new("test", "parameter", "point".into(), parameters).unwrap();
    let configs = vec![vec![Value::Int(3), Value::Float(0.9), Value::Choice(0)]; 5];
    let values: Vec<[f64; 3]> =
        (0..5).map(|row| [0.1, 0.2, 0.3].map(|y| y + f64::from(row) * 0.1)).collect();
    let curves = values.iter().map(|values| RecordedCurve {
        values,
        cost_ns: &[1, 2, 3],
        ..RecordedCurve::default()
    });
    let metric = accuracy(Some(0.1));
    Pool::new("point", &metric, &space, Epoch(3), &configs, curves).unwrap()
}
