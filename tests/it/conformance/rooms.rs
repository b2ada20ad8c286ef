//! Ways to write every method of the registries, and a space without any choice.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use curvebook::base::space::{Domain, Parameter, Space, Value};
use curvebook::base::units::Epoch;
use curvebook::methods::interface::{Entry, Kind, ParameterSpec, RunContext, Trait};
use curvebook::replay::{Pool, RecordedCurve};

use crate::replay_common::accuracy;

pub(super) const RUN: RunContext = RunContext { seed: 3, repeat: 0, threads: 1 };

/// The rows of a table in an order of our own, for every repeat. Beside it lies a file of beliefs
/// that believes nothing, which is a belief about any table.
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
    std::fs::write(beliefs_beside(&path), "").unwrap();
    path
}

fn beliefs_beside(order: &Path) -> PathBuf {
    order.with_file_name("beliefs.toml")
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
        Kind::File if spec.summary.contains("TOML") => beliefs_beside(order).display().to_string(),
        Kind::File if spec.summary.contains("table") => "self".to_string(),
        Kind::File => order.display().to_string(),
        Kind::Method(registry) => format!("({})", registry.names()[0]),
    };
    Some(format!("{}={value}", spec.name))
}

/// Methods whose models take their time, and what makes them small here.
const SMALL: [(&str, &[&str]); 5] = [
    ("dpl", &["networks=2", "units=4", "epochs=4", "refine=2"]),
    ("dyhpo", &["units=3", "epochs=4", "refine=2"]),
    ("freeze-thaw", &["fresh=3"]),
    // The smallest table has one row.
    ("warm-start", &["trials=1", "top=1", "sampler=sobol"]),
    ("bnn-curve", &["networks=2", "steps=4", "least=3"]),
];

/// What is written of a method in any case.
fn always<Factory>(entry: &Entry<Factory>, order: &Path) -> Vec<String> {
    let small = SMALL.iter().filter(|(name, _)| *name == entry.name).flat_map(|(_, parts)| *parts);
    let required = entry.parameters.iter().filter_map(|spec| required(spec, order));
    small.map(|part| (*part).to_string()).chain(required).collect()
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
        let must = always(entry, order);
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
