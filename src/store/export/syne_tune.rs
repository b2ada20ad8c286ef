//! A blackbox folder as Syne Tune 0.16 reads it (`blackbox_tabular.deserialize`).
//!
//! Every configuration stands once, every fidelity is an epoch, every seed a repeat. `elapsed_time`
//! runs on from the start of a training, set-up time included; beyond a curve's end it stands still
//! and the metric is NaN. Numbers keep 64 bits. What Syne Tune has no place for (conditions,
//! statuses, how long each curve is) stands in its metadata under a key of ours, which the importer
//! knows.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use base::error::{Result, fault, io};
use base::measured::{NOT_MEASURED, is_measured};
use base::space::{Direction, Domain, Numbers, Value, raw};
use base::units::ConfigId;
use serde_json::{Map, Value as Json, json};

use super::source::{Source, json_of};
use super::wide::{Columns, parquet};
use super::{Exported, npy, place};
use crate::table::SECONDS_COLUMN;

/// The key of the metadata for what is not Syne Tune's.
pub(crate) const OWN_KEY: &str = "curvebook";
/// The objective that runs on, and the fidelity.
const ELAPSED: &str = "elapsed_time";
const FIDELITY: &str = "epoch";
/// The base of a logarithm is nothing to a distribution, and must be said.
const BASE: f64 = std::f64::consts::E;

pub(super) fn write(source: &Source, out: &Path) -> Result<Exported> {
    let mut notes = Vec::new();
    let ids = unique(source, &mut notes);
    let mut objectives = vec![source.metric(), ELAPSED, SECONDS_COLUMN];
    let taken = |name: &&String| !objectives.contains(&name.as_str());
    let further: Vec<&String> = source.further.iter().filter(taken).collect();
    if source.metric() == ELAPSED {
        let rule = "an objective of this name is the time since the beginning of a training";
        let remedy = "call the metric otherwise";
        return Err(fault("syne-tune", "metric", ELAPSED, rule, remedy));
    }
    objectives.extend(further.iter().map(|name| name.as_str()));
    let (metadata, broken) = metadata(source, &ids, &objectives);
    if broken > 0 {
        let count = base::units::plural(broken, "curve");
        notes
            .push(format!("{count} missing or shorter than the table's epochs: NaN from there on"));
    }
    let mut columns = Columns::default();
    columns.parameters(source, &ids, |domain| Some(filled(domain)));
    let hyperparameters = columns.batch()?;
    let epochs = i64::from(source.table.epochs());
    let shape = [
        1,
        ids.len(),
        usize::from(source.table.manifest.repeats),
        usize::from(source.table.epochs()),
        objectives.len(),
    ];
    let mut folder = place::Folder::create(out)?;
    let failed = |e| io(out, "writing", e);
    folder.file("configspace.json", |into| {
        let domains = source.parameters().iter().map(|p| (p.name.clone(), domain(&p.domain)));
        let text = Json::Object(domains.collect()).to_string();
        into.write_all(text.as_bytes()).map_err(failed)
    })?;
    folder.file("fidelityspace.json", |into| {
        let range = Domain::Int { low: 1, high: epochs, log: false };
        let text = json!({ FIDELITY: domain(&range) }).to_string();
        into.write_all(text.as_bytes()).map_err(failed)
    })?;
    folder.file("hyperparameters.parquet", |into| parquet(&hyperparameters, into))?;
    folder.file("fidelities_values.npy", |into| {
        npy::header(into, "<i8", &[shape[3]]).map_err(failed)?;
        (1..=epochs).try_for_each(|e| into.write_all(&e.to_le_bytes())).map_err(failed)
    })?;
    folder.file("objectives_evaluations.npy", |into| {
        npy::header(into, "<f8", &shape).map_err(failed)?;
        evaluations(source, &ids, &further, into).map_err(failed)
    })?;
    // Last of all: without it the folder does not load.
    folder.file("metadata.json", |into| {
        into.write_all(metadata.to_string().as_bytes()).map_err(failed)
    })?;
    folder.finish();
    let rows = (shape[1] * shape[2] * shape[3]) as u64;
    Ok(Exported { configs: u32::try_from(ids.len()).expect("counted in 32 bits"), rows, notes })
}

/// Configurations as Syne Tune can tell them apart.
fn unique(source: &Source, notes: &mut Vec<String>) -> Vec<ConfigId> {
    let mut known: HashMap<String, ConfigId> = HashMap::new();
    let (mut ids, mut first, mut left) = (Vec::new(), None, 0);
    for id in source.ids() {
        let of = |(value, parameter): (&Value, &base::space::Parameter)| match value {
            Value::Inactive => json_of(filled(&parameter.domain), parameter),
            value => json_of(*value, parameter),
        };
        let key: Vec<Json> = source.values(id).iter().zip(source.parameters()).map(of).collect();
        if known.insert(Json::Array(key).to_string(), id).is_none() {
            ids.push(id);
        } else {
            first = first.or(Some(id.0));
            left += 1;
        }
    }
    if let Some(first) = first {
        notes.push(format!(
            "{} that repeat an earlier one are left out (first {first}): Syne Tune knows each \
             once",
            base::units::plural(left, "configuration")
        ));
    }
    ids
}

/// What stands for a parameter that plays no part: Syne Tune has no conditions.
fn filled(domain: &Domain) -> Value {
    match domain {
        Domain::Int { low, .. } => Value::Int(*low),
        Domain::Float { low, .. } => Value::Float(*low),
        Domain::Categorical { .. } => Value::Choice(0),
        Domain::Ordinal { values: Numbers::Int(values) } => Value::Int(values[0]),
        Domain::Ordinal { values: Numbers::Float(values) } => Value::Float(values[0]),
    }
}

/// A domain in the notation of `config_space.to_dict`.
fn domain(of: &Domain) -> Json {
    let range = |class: &str, low: Json, high: Json, log: bool| {
        let (sampler, kwargs) =
            if log { ("LogUniform", json!({ "base": BASE })) } else { ("Uniform", json!({})) };
        json!({ "domain_cls": class, "domain_kwargs": { "lower": low, "upper": high },
            "sampler_cls": sampler, "sampler_kwargs": kwargs })
    };
    match of {
        Domain::Int { low, high, log } => range("Integer", json!(low), json!(high), *log),
        Domain::Float { low, high, log } => range("Float", json!(low), json!(high), *log),
        Domain::Categorical { choices } => json!({ "domain_cls": "Categorical",
            "domain_kwargs": { "categories": choices },
            "sampler_cls": "Uniform", "sampler_kwargs": {} }),
        Domain::Ordinal { values } => {
            let categories = match values {
                Numbers::Int(values) => json!(values),
                Numbers::Float(values) => json!(values),
            };
            json!({ "domain_cls": "Ordinal", "domain_kwargs": { "categories": categories },
                "sampler_cls": "Uniform", "sampler_kwargs": {} })
        }
    }
}

/// The metadata; beside it, how many curves are not there to their end.
fn metadata(source: &Source, ids: &[ConfigId], objectives: &[&str]) -> (Json, usize) {
    let manifest = &source.table.manifest;
    let (mut lengths, mut broken) = (Vec::with_capacity(ids.len()), 0);
    for id in ids {
        let of = |repeat| source.curve(*id, repeat).len();
        let each: Vec<usize> = (0..manifest.repeats).map(of).collect();
        broken += each.iter().filter(|&&length| length < usize::from(manifest.epochs)).count();
        lengths.push(each);
    }
    let status: Vec<&str> =
        ids.iter().map(|id| source.table.status[source.at(*id)].word()).collect();
    let last: Vec<Option<u16>> = ids.iter().map(|id| source.table.last_epoch(*id)).collect();
    let mut own = Map::new();
    let parameters: Vec<Json> = source.parameters().iter().map(raw::write).collect();
    own.insert("parameters".into(), json!(parameters));
    own.insert("status".into(), json!(status));
    if broken > 0 {
        own.insert("lengths".into(), json!(lengths));
    }
    if last.iter().any(Option::is_some) {
        own.insert("last_epoch".into(), json!(last));
    }
    if source.setup_seconds.is_some() {
        let setup: Vec<Option<f64>> =
            ids.iter().map(|id| Some(source.setup(*id)).filter(|s| s.is_finite())).collect();
        own.insert("setup_seconds".into(), json!(setup));
    }
    let goal = match manifest.metric.goal {
        Direction::Maximize => "maximize",
        Direction::Minimize => "minimize",
    };
    own.insert("goal".into(), json!(goal));
    let metadata = json!({
        "objectives_names": objectives, "task_names": [manifest.name],
        "metric_elapsed_time": ELAPSED, "default_metric": source.metric(),
        "resource_attr": FIDELITY, OWN_KEY: own,
    });
    (metadata, broken)
}

/// Every number: task, configuration, seed, fidelity, objective.
fn evaluations(
    source: &Source,
    ids: &[ConfigId],
    further: &[&String],
    into: &mut impl Write,
) -> std::io::Result<()> {
    let at = |values: &[f64], epoch: usize| values.get(epoch).copied().unwrap_or(NOT_MEASURED);
    for id in ids {
        for repeat in 0..source.table.manifest.repeats {
            let (curve, seconds) = (source.curve(*id, repeat), source.seconds(*id, repeat));
            let others: Vec<&[f64]> =
                further.iter().map(|name| source.further(name, *id, repeat)).collect();
            let setup = source.setup(*id);
            let mut elapsed = if setup.is_finite() { setup } else { 0.0 };
            for epoch in 0..usize::from(source.table.epochs()) {
                let own = at(seconds, epoch);
                elapsed += if is_measured(own) { own } else { 0.0 };
                for value in [at(curve, epoch), elapsed, own] {
                    into.write_all(&value.to_le_bytes())?;
                }
                for values in &others {
                    into.write_all(&at(values, epoch).to_le_bytes())?;
                }
            }
        }
    }
    Ok(())
}
