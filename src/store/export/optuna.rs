//! A journal in JSON lines that Optuna's `JournalStorage` loads.
//!
//! A trial is a configuration with one training of it. Truncated ones are pruned, diverged and
//! failed ones failed. Optuna has one moment for the beginning of a trial and one for its end: they
//! stand one behind the other from the year 2000 on. What it has no place for (seconds of each
//! step, conditions, how a failed trial ended) are user attributes, which the importer knows.

use std::io::Write;
use std::path::Path;

use base::error::{Result, fault};
use base::measured::{NOT_MEASURED, is_measured};
use base::space::{Direction, Domain, Numbers, Parameter, Value, raw};
use base::units::ConfigId;
use serde_json::{Map, Value as Json, json};

use super::source::Source;
use super::{Exported, place};
use crate::table::Status;

/// The user attributes of a study and of a trial.
pub(crate) const SPACE_ATTR: &str = "curvebook:parameters";
pub(crate) const SECONDS_ATTR: &str = "curvebook:seconds";
pub(crate) const STATUS_ATTR: &str = "curvebook:status";
/// Who wrote it, for the journal.
const WORKER: &str = "curvebook";
/// Points in time stay before the year 9000; the seconds themselves are an attribute.
const SECONDS_MAX: f64 = 200e9;

pub(super) fn write(source: &Source, repeat: Option<u16>, out: &Path) -> Result<Exported> {
    let mut trials = Vec::new();
    for id in source.ids() {
        let found = match repeat {
            Some(wanted) => source.table.repeats(id).find(|repeat| *repeat == wanted),
            None => source.table.repeats(id).next(),
        };
        let found = found.ok_or_else(|| {
            let field = format!("configuration {}", id.0);
            let value = repeat.map_or("none".into(), |repeat| repeat.to_string());
            let rule = "a configuration must have the repeat that is exported";
            fault("--repeat", field, value, rule, "give another repeat, or leave it out")
        })?;
        trials.push((id, found));
    }
    let mut rows = 0;
    place::whole(out, |into| {
        let line = |into: &mut dyn Write, line: &str| -> Result<()> {
            writeln!(into, "{line}").map_err(|e| base::error::io(out, "writing", e))
        };
        let direction = match source.table.manifest.metric.goal {
            Direction::Minimize => 1,
            Direction::Maximize => 2,
        };
        let name = &source.table.manifest.name;
        let study = json!({ "op_code": 0, "worker_id": WORKER, "study_name": name,
            "directions": [direction] });
        line(into, &study.to_string())?;
        let space: Vec<Json> = source.parameters().iter().map(raw::write).collect();
        for (key, value) in [(SPACE_ATTR, json!(space)), ("metric", json!(source.metric()))] {
            let attribute = json!({ "op_code": 2, "worker_id": WORKER, "study_id": 0,
                "user_attr": { key: value } });
            line(into, &attribute.to_string())?;
        }
        let mut clock = 0.0;
        for (id, repeat) in &trials {
            let (text, steps) = trial(source, *id, *repeat, &mut clock);
            line(into, &text)?;
            rows += steps;
        }
        Ok(())
    })?;
    let mut notes = Vec::new();
    let left = usize::from(source.table.manifest.repeats) - 1;
    if left > 0 {
        let count = base::units::plural(left, "further repeat");
        notes.push(format!("{count} left out: a trial is one training, --repeat says which"));
    }
    if !source.further.is_empty() {
        let count = base::units::plural(source.further.len(), "further column");
        notes.push(format!("{count} of the curves are left out: csv has room for them"));
    }
    let configs = source.table.manifest.configs;
    Ok(Exported { configs, rows, notes })
}

/// A trial's line, and its steps. `clock` goes on by what it took.
fn trial(source: &Source, id: ConfigId, repeat: u16, clock: &mut f64) -> (String, u64) {
    let curve = source.curve(id, repeat);
    let status = source.table.status[source.at(id)];
    let last = curve.iter().rfind(|value| value.is_finite()).copied();
    let state = match (status, last) {
        (Status::Truncated, _) => 2,
        (Status::Ok, Some(_)) => 1,
        _ => 3,
    };
    let seconds = source.seconds(id, repeat);
    let took = source.setup(id).max(0.0) + seconds.iter().filter(|s| is_measured(**s)).sum::<f64>();
    let took = took.min(SECONDS_MAX);
    if *clock + took > SECONDS_MAX {
        *clock = 0.0;
    }
    let began = moment(*clock);
    *clock += took;
    let ended = moment(*clock);
    let (mut params, mut distributions) = (Map::new(), Map::new());
    for (value, parameter) in source.values(id).iter().zip(source.parameters()) {
        if let Some((internal, distribution)) = internal_of(*value, parameter) {
            params.insert(parameter.name.clone(), internal);
            distributions.insert(parameter.name.clone(), json!(distribution.to_string()));
        }
    }
    // JSON has no NaN; what Python writes for it is put in by hand.
    let steps: Vec<String> = (1_u32..)
        .zip(curve)
        .filter(|(_, value)| is_measured(**value))
        .map(|(epoch, value)| format!("\"{epoch}\":{}", python(*value)))
        .collect();
    let nothing: Vec<String> = seconds.iter().map(|value| python(*value)).collect();
    let value = if state == 3 { Json::Null } else { json!(last) };
    let described = json!({
        "op_code": 4, "worker_id": WORKER, "study_id": 0, "state": state,
        "datetime_start": began, "datetime_complete": ended, "value": value, "values": null,
        "params": params, "distributions": distributions, "system_attrs": {},
    });
    let text = described.to_string();
    let text = format!(
        "{},\"user_attrs\":{{\"{STATUS_ATTR}\":\"{}\",\"{SECONDS_ATTR}\":[{}]}},\
         \"intermediate_values\":{{{}}}}}",
        text.strip_suffix('}').expect("an object"),
        status.word(),
        nothing.join(","),
        steps.join(","),
    );
    (text, steps.len() as u64)
}

/// A number as Python's JSON has it.
fn python(value: f64) -> String {
    if value.to_bits() == NOT_MEASURED.to_bits() {
        "null".into()
    } else if value.is_finite() {
        json!(value).to_string()
    } else {
        "NaN".into()
    }
}

/// How Optuna keeps a value, and of what distribution it is; none where it plays no part.
fn internal_of(value: Value, parameter: &Parameter) -> Option<(Json, Json)> {
    let range = |name: &str, low: Json, high: Json, log: bool, step: Json| {
        json!({ "name": name,
            "attributes": { "step": step, "low": low, "high": high, "log": log } })
    };
    let choice = |at: usize, choices: Json| {
        let distribution = json!({ "name": "CategoricalDistribution",
            "attributes": { "choices": choices } });
        (json!(at), distribution)
    };
    Some(match (value, &parameter.domain) {
        (Value::Int(int), Domain::Int { low, high, log }) => {
            (json!(int), range("IntDistribution", json!(low), json!(high), *log, json!(1)))
        }
        (Value::Float(float), Domain::Float { low, high, log }) => {
            let distribution =
                range("FloatDistribution", json!(low), json!(high), *log, Json::Null);
            (json!(float), distribution)
        }
        (Value::Choice(at), Domain::Categorical { choices }) => choice(at, json!(choices)),
        (Value::Int(int), Domain::Ordinal { values: values @ Numbers::Int(all) }) => {
            choice(values.position_of_int(int)?, json!(all))
        }
        (Value::Float(float), Domain::Ordinal { values: values @ Numbers::Float(all) }) => {
            choice(values.position_of_float(float)?, json!(all))
        }
        _ => return None,
    })
}

/// A point in time, so many seconds after the year 2000 began.
fn moment(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "below 2^63 by far")]
    let micros = libm::round(seconds * 1e6) as i64;
    let (day, within) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    // The inverse of counting days from the first of March of the year 0, as 2000-01-01 is 730,425.
    let days = day + 730_425;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + later;
    let (second, micro) = (within / 1_000_000, within % 1_000_000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_points_in_time() {
        let at = moment;
        assert_eq!(at(0.0), "2000-01-01T00:00:00.000000");
        assert_eq!(at(59.25 * 86_400.0), "2000-02-29T06:00:00.000000");
        assert_eq!(at(60.0 * 86_400.0 - 0.5), "2000-02-29T23:59:59.500000");
        assert_eq!(at(366.0 * 86_400.0), "2001-01-01T00:00:00.000000");
        assert_eq!(at(1.5e9), "2047-07-14T02:40:00.000000");
        assert!(at(SECONDS_MAX).starts_with("83"));
    }
}
