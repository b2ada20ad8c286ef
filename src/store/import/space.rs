//! Hyperparameters out of what configurations have: types, ranges, and when each plays a part.

use std::collections::{BTreeMap, BTreeSet};

use base::error::{Error, Result, fault};
use base::space::{Condition, Domain, Literal, Parameter, Space, Value};

use super::cell::Held;
use super::curves::Curves;
use super::gathered::{Column, Gathered};
use super::mapping::Mapping;

/// A float whose greatest value is so many times its least is searched by its logarithm.
const LOG_SPAN: f64 = 100.0;
/// A parameter of more values than these decides over no other.
const DECIDING_VALUES_MAX: usize = 64;
/// So many texts, all different, are names and no choices.
const NAMES_MIN: usize = 8;
/// Columns of `configs.parquet` that mean the same in every table.
pub(super) const KNOWN: [&str; 5] =
    ["last_epoch", "setup_seconds", "params", "flops_per_epoch", "fused_share_seconds"];

/// A space and the points of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) space: Space,
    /// By id, in the space's order.
    pub(super) values: Vec<Vec<Value>>,
    /// Columns of configurations that are no hyperparameters, by id.
    pub(super) kept: Vec<Column>,
}

/// A column as a hyperparameter: its values by id.
struct Candidate {
    name: String,
    domain: Domain,
    values: Vec<Option<Value>>,
}

/// Finds the space, or takes the one that was given.
pub(super) fn find(gathered: &mut Gathered, curves: &Curves, mapping: &Mapping) -> Result<Found> {
    let columns = std::mem::take(&mut gathered.columns).into_iter().map(|column| {
        let cells = curves.configs.iter().map(|&at| column.cells[at as usize].clone());
        Column { cells: cells.collect(), name: column.name }
    });
    let (known, columns): (Vec<Column>, Vec<Column>) = columns
        .partition(|column| KNOWN.contains(&column.name.as_str()) || column.name == "status");
    let mut found = match &mapping.parameters {
        Some(parameters) => given(gathered, parameters, columns, curves.configs.len()),
        None => inferred(gathered, columns, curves.configs.len()),
    }?;
    found.kept.extend(known);
    Ok(found)
}

/// The space that was given: every value lies in it.
fn given(
    gathered: &Gathered,
    parameters: &[Parameter],
    columns: Vec<Column>,
    configs: usize,
) -> Result<Found> {
    let source = &gathered.source;
    let space = Space::new("mapping", "parameter", "given".into(), parameters.to_vec())?;
    let mut values = vec![Vec::with_capacity(parameters.len()); configs];
    for parameter in &space.parameters {
        let Some(column) = columns.iter().find(|column| column.name == parameter.name) else {
            let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
            let option = "name a column that is the same in all rows of a configuration";
            return Err(super::mapping::no_column(source, &parameter.name, option, &names));
        };
        for (id, (cell, before)) in column.cells.iter().zip(&mut values).enumerate() {
            let is_active = space.is_active(parameter, before);
            let value = if cell.is_missing() { None } else { value_of(parameter, cell) };
            let value = match (is_active, value) {
                (true, Some(value)) => value,
                (false, None) if cell.is_missing() => Value::Inactive,
                (false, _) if gathered.fills_inactive => Value::Inactive,
                _ => return Err(outside(gathered, parameter, cell, id, is_active)),
            };
            before.push(value);
        }
    }
    let is_other = |column: &Column| space.position(&column.name).is_none();
    let kept = columns.into_iter().filter(is_other).collect();
    Ok(Found { space, values, kept })
}

fn outside(
    gathered: &Gathered,
    parameter: &Parameter,
    cell: &Held,
    id: usize,
    is_active: bool,
) -> Error {
    let name = &parameter.name;
    let value = if cell.is_missing() { "missing".into() } else { cell.text() };
    let rule = if is_active {
        format!("`{name}` is {}", parameter.range_text())
    } else {
        format!("the condition of `{name}` does not hold there: it has no value")
    };
    let field = format!("configuration {id}, column {name}");
    fault(&gathered.source, field, value, rule, "mend the cell, or the parameter in the mapping")
}

/// A cell as a value of a parameter.
fn value_of(parameter: &Parameter, cell: &Held) -> Option<Value> {
    let text = Literal::Text(cell.text());
    match &parameter.domain {
        Domain::Categorical { .. } => parameter.value_of(&text),
        domain if domain.value_kind() == base::space::ValueKind::Int => {
            let int = match cell {
                // A number among the choices of a tool that keeps all choices as texts.
                Held::Text(text) => whole(&Held::Raw(text.clone())),
                cell => whole(cell),
            };
            int.map(Value::Int).filter(|value| parameter.contains(*value))
        }
        _ => cell.number().map(Value::Float).filter(|value| parameter.contains(*value)),
    }
}

/// A whole number that floats keep, however it is written.
fn whole(cell: &Held) -> Option<i64> {
    let number = match cell {
        Held::Int(int) => return Some(*int).filter(|int| int.abs() <= 1 << 52),
        Held::Raw(text) => match text.parse::<i64>() {
            Ok(int) => return Some(int).filter(|int| int.abs() <= 1 << 52),
            Err(_) => text.parse::<f64>().ok()?,
        },
        Held::Float(float) => *float,
        Held::Text(_) | Held::Missing => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 2^52")]
    let int = number as i64;
    (number.fract() == 0.0 && number.abs() <= 4_503_599_627_370_496.0).then_some(int)
}

/// The space that the values show.
fn inferred(gathered: &mut Gathered, columns: Vec<Column>, configs: usize) -> Result<Found> {
    let mut kept = Vec::new();
    let mut whole_ones: Vec<Candidate> = Vec::new();
    let mut partial: Vec<Candidate> = Vec::new();
    let mut by_name: BTreeMap<String, Column> = BTreeMap::new();
    for column in columns {
        match candidate(gathered, &column)? {
            None => kept.push(column),
            Some(candidate) => {
                let is_whole = candidate.values.iter().all(Option::is_some);
                if is_whole { &mut whole_ones } else { &mut partial }.push(candidate);
                by_name.insert(column.name.clone(), column);
            }
        }
    }
    let mut parameters = Vec::new();
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in whole_ones {
        parameters.push(parameter(&candidate, None));
        chosen.push(candidate);
    }
    // What plays a part for some stands behind what decides over it, in as many rounds as it takes.
    loop {
        let before = partial.len();
        for candidate in std::mem::take(&mut partial) {
            let found = chosen.iter().filter_map(|decider| condition(decider, &candidate, configs));
            match found.min_by_key(|(values, _)| *values) {
                Some((_, condition)) => {
                    parameters.push(parameter(&candidate, Some(condition)));
                    chosen.push(candidate);
                }
                None => partial.push(candidate),
            }
        }
        if partial.is_empty() || partial.len() == before {
            break;
        }
    }
    for candidate in partial {
        let name = candidate.name;
        let what = format!(
            "column {name} is missing for some configurations, and no other decides for which: \
             it is kept in configs.parquet and is no hyperparameter"
        );
        gathered.quirks.say(what);
        kept.extend(by_name.remove(&name));
    }
    if parameters.is_empty() {
        gathered
            .quirks
            .say("no hyperparameter was found: `configuration` numbers the configurations".into());
        let numbers = (0_i64..).take(configs);
        let values: Vec<_> = numbers.clone().map(|number| Some(Value::Int(number))).collect();
        let high = numbers.last().unwrap_or(0);
        let domain = Domain::Int { low: 0, high, log: false };
        let only = Candidate { name: "configuration".into(), domain, values };
        parameters.push(parameter(&only, None));
        chosen.push(only);
    }
    let space = Space::new(&gathered.source, "column", "imported".into(), parameters)?;
    let value = |of: &Candidate, id: usize| of.values[id].unwrap_or(Value::Inactive);
    let values = (0..configs).map(|id| chosen.iter().map(|of| value(of, id)).collect());
    Ok(Found { values: values.collect(), space, kept })
}

fn parameter(candidate: &Candidate, condition: Option<Condition>) -> Parameter {
    Parameter { name: candidate.name.clone(), domain: candidate.domain.clone(), condition }
}

/// A column as a hyperparameter; `None` where it says nothing, or names the configurations.
fn candidate(gathered: &mut Gathered, column: &Column) -> Result<Option<Candidate>> {
    let Column { name, cells } = column;
    let present: Vec<&Held> = cells.iter().filter(|cell| !cell.is_missing()).collect();
    let texts: BTreeSet<String> = present.iter().map(|cell| cell.text()).collect();
    if texts.len() < 2 && present.len() == cells.len() || present.is_empty() {
        let said = texts.first().map_or("empty".into(), |text| format!("always {text}"));
        let what = format!("column {name} is {said}: it is no hyperparameter");
        gathered.quirks.say(what);
        return Ok(None);
    }
    let ints: Option<Vec<i64>> = present.iter().map(|cell| whole(cell)).collect();
    let is_text = |cell: &&Held| matches!(cell, Held::Text(_));
    let numbers: Option<Vec<f64>> = if present.iter().any(is_text) {
        None
    } else {
        present.iter().map(|cell| cell.number()).collect()
    };
    let domain = match (ints, numbers) {
        (Some(ints), _) => {
            let (low, high) = (ints.iter().min(), ints.iter().max());
            Domain::Int { low: *low.unwrap_or(&0), high: *high.unwrap_or(&0), log: false }
        }
        (None, Some(numbers)) => {
            if let Some(odd) = numbers.iter().find(|number| !number.is_finite()) {
                let rule = "a hyperparameter is a finite number";
                let field = format!("column {name}");
                return Err(fault(&gathered.source, field, odd, rule, "mend it, or --drop it"));
            }
            let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Domain::Float { low, high, log: low > 0.0 && high / low >= LOG_SPAN }
        }
        (None, None) if texts.len() == present.len() && texts.len() >= NAMES_MIN => {
            let what = format!("column {name} names the configurations: it is no hyperparameter");
            gathered.quirks.say(what);
            return Ok(None);
        }
        (None, None) => Domain::Categorical { choices: texts.into_iter().collect() },
    };
    let mut of = Parameter { name: name.clone(), domain, condition: None };
    let values_in = |of: &Parameter| -> Vec<Option<Value>> {
        let value = |cell: &Held| if cell.is_missing() { None } else { value_of(of, cell) };
        cells.iter().map(value).collect()
    };
    // A range that the source says itself, as long as every value lies in it.
    if let Some(domain) = gathered.domains.get(name) {
        let said = Parameter { domain: domain.clone(), ..of.clone() };
        if values_in(&said).iter().flatten().count() == present.len() {
            of = said;
        }
    }
    let values = values_in(&of);
    Ok(Some(Candidate { name: of.name, domain: of.domain, values }))
}

/// The values of a parameter for which another is there, if they say so exactly; beside it, how
/// many values that parameter has. One that is nearly always different would decide by chance.
fn condition(decider: &Candidate, of: &Candidate, configs: usize) -> Option<(usize, Condition)> {
    let mut there: Vec<(Value, bool)> = Vec::new();
    for (value, other) in decider.values.iter().zip(&of.values) {
        let Some(value) = value else {
            // Where the one that decides has no value, nothing of it holds.
            if other.is_some() {
                return None;
            }
            continue;
        };
        match there.iter().find(|(known, _)| known == value) {
            Some((_, is_there)) if *is_there != other.is_some() => return None,
            Some(_) => {}
            None if there.len() == DECIDING_VALUES_MAX => return None,
            None => there.push((*value, other.is_some())),
        }
    }
    let literal = |value: &Value| match (value, &decider.domain) {
        (Value::Choice(at), Domain::Categorical { choices }) => {
            Some(Literal::Text(choices[*at].clone()))
        }
        (Value::Int(int), _) => Some(Literal::Int(*int)),
        _ => None,
    };
    let mut held: Vec<Value> =
        there.iter().filter(|(_, is_there)| *is_there).map(|(value, _)| *value).collect();
    held.sort_unstable_by_key(|value| match value {
        Value::Int(int) => *int,
        Value::Choice(at) => i64::try_from(*at).unwrap_or(i64::MAX),
        _ => 0,
    });
    let values: Option<Vec<Literal>> = held.iter().map(literal).collect();
    let values = values.filter(|values| !values.is_empty())?;
    let is_telling = 2 * there.len() <= configs;
    is_telling.then(|| (there.len(), Condition::In { name: decider.name.clone(), values }))
}
