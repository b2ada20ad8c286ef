//! Optuna: the journal of its `JournalStorage` in JSON lines, or a trial a line.
//!
//! A journal holds operations: a study begins, a trial begins, gets a parameter, reports a value,
//! ends. A trial a line is what a study exports: `number`, `state`, `params`,
//! `intermediate_values` as pairs or an object, `datetime_start` and `datetime_complete`. Steps
//! carry no times: a trial's run time is shared out evenly over its steps. Pruned trials are
//! truncated, failed ones failed; a complete trial with fewer steps is complete by its last.

use std::collections::BTreeMap;
use std::path::Path;

use base::error::{Error, Result, fault};
use base::fields::Fields;
use base::measured::NOT_MEASURED;
use base::space::{Direction, Domain, Parameter, raw};
use serde_json::{Map, Value as Json};

use super::cell::{Cell, Held};
use super::gathered::{Column, Gathered, Row, Rows};
use super::jsonl;
use super::mapping::Mapping;
use crate::export::{SECONDS_ATTR, SPACE_ATTR, STATUS_ATTR};
use crate::table::Status;

/// A trial as it is put together.
#[derive(Debug, Default)]
struct Trial {
    line: u32,
    params: BTreeMap<String, Held>,
    state: State,
    steps: Vec<(f64, f64)>,
    value: Option<f64>,
    started: Option<(i64, f64)>,
    ended: Option<(i64, f64)>,
    /// Where curvebook wrote the trial: how it ended, and the seconds of every epoch.
    status: Option<Status>,
    seconds: Option<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Running,
    Complete,
    Pruned,
    Failed,
}

/// What is read of a study.
struct Reading<'a> {
    file: String,
    mapping: &'a Mapping,
    trials: BTreeMap<u64, Trial>,
    domains: BTreeMap<String, Domain>,
    parameters: Option<Vec<Parameter>>,
    studies: u32,
    journal_trials: u64,
}

/// Reads a journal, or trials.
pub(super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut reading = Reading {
        file: path.display().to_string(),
        mapping,
        trials: BTreeMap::new(),
        domains: BTreeMap::new(),
        parameters: None,
        studies: 0,
        journal_trials: 0,
    };
    let mut rows = 0;
    jsonl::lines(path, |line, map| {
        rows += 1;
        if map.contains_key("op_code") {
            reading.operation(line, &map)
        } else if map.contains_key("number") {
            reading.trial(line, &map)
        } else {
            let rule = "a line is an operation of a journal, or a trial with its number";
            let remedy = "give the file of a JournalStorage, or trials exported as JSON lines";
            let field = format!("line {line}");
            Err(fault(&reading.file, field, "neither", rule, remedy))
        }
    })?;
    let mut gathered = reading.gathered();
    gathered.rows_read = rows;
    Ok(gathered)
}

impl Trial {
    /// Every epoch with its own seconds; one without a step was not measured.
    fn push_all(&self, rows: &mut Rows, config: u32, seconds: &[f64]) {
        let said: BTreeMap<u64, f64> =
            self.steps.iter().map(|(step, value)| (step.to_bits(), *value)).collect();
        for (epoch, &seconds) in (1_u16..).zip(seconds) {
            let epoch = f64::from(epoch);
            let value = said.get(&epoch.to_bits()).copied().unwrap_or(NOT_MEASURED);
            rows.push(Row { config, repeat: 0, epoch, value, seconds, line: self.line });
        }
    }
}

impl Reading<'_> {
    fn wrong(&self, line: u32, field: &str, value: &dyn std::fmt::Display, rule: &str) -> Error {
        let remedy = "restore the line, or export the study again";
        fault(&self.file, format!("line {line}, {field}"), value, rule, remedy)
    }

    fn number(&self, line: u32, field: &str, value: Option<&Json>) -> Result<f64> {
        let found = value.unwrap_or(&Json::Null);
        let number = if found.is_null() { None } else { jsonl::cell(found).number() };
        number.ok_or_else(|| self.wrong(line, field, found, "must be a number"))
    }

    fn id(&self, line: u32, map: &Map<String, Json>, field: &str) -> Result<u64> {
        let found = map.get(field).unwrap_or(&Json::Null);
        found.as_u64().ok_or_else(|| self.wrong(line, field, found, "must be a number from 0"))
    }

    fn operation(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        match self.id(line, map, "op_code")? {
            0 => self.study(line, map),
            2 => self.attribute(line, map),
            4 => {
                let trial = self.template(line, map)?;
                self.trials.insert(self.journal_trials, trial);
                self.journal_trials += 1;
                Ok(())
            }
            5 => self.param(line, map),
            6 => {
                let state = self.id(line, map, "state")?;
                let state = match state {
                    1 => State::Complete,
                    2 => State::Pruned,
                    3 => State::Failed,
                    _ => State::Running,
                };
                let started = time(map, "datetime_start");
                let value = map.get("values").and_then(|values| values.get(0));
                let value = value.and_then(|value| jsonl::cell(value).number());
                let trial = self.known(line, map)?;
                trial.state = state;
                trial.value = value.or(trial.value);
                trial.started = started.or(trial.started);
                trial.ended = time(map, "datetime_complete").or(trial.ended);
                Ok(())
            }
            7 => {
                let step = self.number(line, "step", map.get("step"))?;
                let value = map.get("intermediate_value");
                let value = value.map_or(Some(f64::NAN), |value| match jsonl::cell(value) {
                    Cell::Missing => Some(f64::NAN),
                    cell => cell.number(),
                });
                let wrong = "must be a number";
                let value = value.ok_or_else(|| self.wrong(line, "value", &"text", wrong))?;
                let trial = self.known(line, map)?;
                // A step that is reported again replaces what was said.
                trial.steps.retain(|(known, _)| *known != step);
                trial.steps.push((step, value));
                Ok(())
            }
            // Attributes, and studies that are taken away.
            _ => Ok(()),
        }
    }

    fn study(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        self.studies += 1;
        if self.studies > 1 {
            let rule = "a journal of one study is read";
            return Err(self.wrong(line, "study_name", &"another study", rule));
        }
        let directions = map.get("directions").and_then(Json::as_array);
        let said = directions.and_then(|list| list.first()).and_then(Json::as_u64);
        let wanted = match self.mapping.metric.goal {
            Direction::Minimize => 1,
            Direction::Maximize => 2,
        };
        if said.is_some_and(|said| said != wanted && said != 0) {
            let said = if wanted == 1 { "maximize" } else { "minimize" };
            let rule = format!("the study says {said}");
            let remedy = format!("give --goal {said}");
            return Err(fault(&self.file, format!("line {line}, goal"), "other", rule, remedy));
        }
        Ok(())
    }

    /// What curvebook itself keeps in a journal: the hyperparameters with their conditions.
    fn attribute(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        let said = map.get("user_attr").and_then(|attributes| attributes.get(SPACE_ATTR));
        let Some(said) = said.and_then(Json::as_array) else { return Ok(()) };
        let parameter = |at: &Json| {
            let fields = at.as_object().cloned().unwrap_or_default();
            raw::read(Fields::new(&format!("{}, line {line}", self.file), "", fields), false)
        };
        self.parameters = Some(said.iter().map(parameter).collect::<Result<Vec<_>>>()?);
        Ok(())
    }

    fn known(&mut self, line: u32, map: &Map<String, Json>) -> Result<&mut Trial> {
        let id = self.id(line, map, "trial_id")?;
        if !self.trials.contains_key(&id) {
            return Err(self.wrong(line, "trial_id", &id, "the trial must have begun before"));
        }
        Ok(self.trials.entry(id).or_default())
    }

    fn param(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        let name = map.get("param_name").and_then(Json::as_str).unwrap_or_default().to_string();
        let value = self.number(line, "param_value_internal", map.get("param_value_internal"))?;
        let text = map.get("distribution").and_then(Json::as_str).unwrap_or_default();
        let described: Json = serde_json::from_str(text)
            .map_err(|e| self.wrong(line, "distribution", &e, "must be JSON in a text"))?;
        let held = self.held(line, &name, value, &described)?;
        self.known(line, map)?.params.insert(name, held);
        Ok(())
    }

    /// A value of a distribution, and the widest range that was seen of it.
    fn held(&mut self, line: u32, name: &str, value: f64, described: &Json) -> Result<Held> {
        let about = described.get("attributes").unwrap_or(&Json::Null);
        let kind = described.get("name").and_then(Json::as_str).unwrap_or_default();
        if kind.starts_with("Categorical") {
            let choices = about.get("choices").and_then(Json::as_array);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let choice = choices.and_then(|list| list.get(value.max(0.0) as usize));
            let choice = choice.ok_or_else(|| {
                self.wrong(line, "param_value_internal", &value, "must be one of the choices")
            })?;
            return Ok(Held::Text(jsonl::cell(choice).text().into()));
        }
        let (low, high) = (about.get("low"), about.get("high"));
        let is_log = about.get("log").and_then(Json::as_bool).unwrap_or(false);
        if kind.starts_with("Int") {
            if let (Some(low), Some(high)) =
                (low.and_then(Json::as_i64), high.and_then(Json::as_i64))
            {
                let log = is_log && low > 0;
                self.widen(name, Domain::Int { low, high, log });
            }
            #[expect(clippy::cast_possible_truncation, reason = "an int of the study")]
            return Ok(Held::Int(value as i64));
        }
        if let (Some(low), Some(high)) = (low.and_then(Json::as_f64), high.and_then(Json::as_f64)) {
            self.widen(name, Domain::Float { low, high, log: is_log && low > 0.0 });
        }
        Ok(Held::Float(value))
    }

    fn widen(&mut self, name: &str, domain: Domain) {
        let wider = match (self.domains.get(name), domain) {
            (Some(Domain::Int { low: a, high: b, log }), Domain::Int { low, high, .. }) => {
                Domain::Int { low: low.min(*a), high: high.max(*b), log: *log }
            }
            (Some(Domain::Float { low: a, high: b, log }), Domain::Float { low, high, .. }) => {
                Domain::Float { low: low.min(*a), high: high.max(*b), log: *log }
            }
            (_, domain) => domain,
        };
        self.domains.insert(name.into(), wider);
    }

    /// A trial that a journal begins, maybe with all that is known of it.
    fn template(&mut self, line: u32, map: &Map<String, Json>) -> Result<Trial> {
        let mut trial = self.described(line, map)?;
        let distributions = map.get("distributions").and_then(Json::as_object);
        for (name, text) in distributions.into_iter().flatten() {
            let described = text.as_str().and_then(|text| serde_json::from_str(text).ok());
            let described: Json = described.unwrap_or(Json::Null);
            let value = map.get("params").and_then(|params| params.get(name));
            let value = self.number(line, name, value)?;
            let held = self.held(line, name, value, &described)?;
            trial.params.insert(name.clone(), held);
        }
        Ok(trial)
    }

    fn trial(&mut self, line: u32, map: &Map<String, Json>) -> Result<()> {
        let number = self.id(line, map, "number")?;
        let trial = self.described(line, map)?;
        if self.trials.insert(number, trial).is_some() {
            return Err(self.wrong(line, "number", &number, "a trial stands once"));
        }
        Ok(())
    }

    /// The fields of a trial that journals and exports have in common.
    fn described(&self, line: u32, map: &Map<String, Json>) -> Result<Trial> {
        let state = match map.get("state") {
            Some(Json::String(word)) => match word.as_str() {
                "COMPLETE" => State::Complete,
                "PRUNED" => State::Pruned,
                "FAIL" => State::Failed,
                _ => State::Running,
            },
            Some(Json::Number(code)) => match code.as_u64() {
                Some(1) => State::Complete,
                Some(2) => State::Pruned,
                Some(3) => State::Failed,
                _ => State::Running,
            },
            _ => State::Running,
        };
        let mut trial = Trial { line, state, ..Trial::default() };
        trial.started = time(map, "datetime_start");
        trial.ended = time(map, "datetime_complete");
        let attributes = map.get("user_attrs").unwrap_or(&Json::Null);
        trial.status = attributes[STATUS_ATTR].as_str().and_then(Status::from_word);
        trial.seconds = attributes[SECONDS_ATTR].as_array().and_then(|all| jsonl::numbers(all));
        let value = map.get("value").or_else(|| map.get("values").and_then(|v| v.get(0)));
        trial.value = value.filter(|v| !v.is_null()).and_then(|v| jsonl::cell(v).number());
        for (name, value) in map.get("params").and_then(Json::as_object).into_iter().flatten() {
            trial.params.insert(name.clone(), jsonl::cell(value).held());
        }
        let step = |step: &Json, value: &Json| {
            let step = self.number(line, "intermediate_values", Some(step))?;
            let value = match jsonl::cell(value) {
                Cell::Missing => f64::NAN,
                cell => cell.number().unwrap_or(f64::NAN),
            };
            Ok((step, value))
        };
        trial.steps = match map.get("intermediate_values") {
            Some(Json::Array(pairs)) => {
                pairs.iter().map(|pair| step(&pair[0], &pair[1])).collect::<Result<Vec<_>>>()?
            }
            Some(Json::Object(steps)) => steps
                .iter()
                .map(|(at, value)| step(&Json::String(at.clone()), value))
                .collect::<Result<Vec<_>>>()?,
            _ => Vec::new(),
        };
        Ok(trial)
    }

    fn gathered(self) -> Gathered {
        let Self { file, mapping, trials, domains, parameters, .. } = self;
        let mut names: Vec<&String> = trials.values().flat_map(|t| t.params.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let columns = names.into_iter().map(|name| {
            let cell = |trial: &Trial| trial.params.get(name).cloned().unwrap_or(Held::Missing);
            Column { name: name.clone(), cells: trials.values().map(cell).collect() }
        });
        let mut gathered = Gathered {
            source: file,
            place: "line",
            columns: columns.collect(),
            domains,
            parameters,
            repeats: vec![0],
            ..Gathered::default()
        };
        let has_curves = trials.values().any(|trial| !trial.steps.is_empty());
        let mut is_shared = false;
        for (config, (number, trial)) in (0_u32..).zip(&trials) {
            gathered.ids.push(number.to_string());
            if let Some(seconds) = &trial.seconds {
                gathered.status.push(trial.status);
                trial.push_all(&mut gathered.rows, config, seconds);
                continue;
            }
            gathered.status.push(match trial.state {
                State::Complete => Some(Status::Ok),
                State::Pruned => Some(Status::Truncated),
                State::Failed => Some(Status::Failed),
                State::Running => None,
            });
            let mut steps = trial.steps.clone();
            if let (false, Some(value)) = (has_curves, trial.value) {
                steps.push((1.0, value));
            }
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let took = |from: (i64, f64), to: (i64, f64)| (to.0 - from.0) as f64 + (to.1 - from.1);
            let took = trial.started.zip(trial.ended).map(|(from, to)| took(from, to));
            is_shared |= steps.len() > 1 && took.is_some();
            #[expect(clippy::cast_precision_loss, reason = "a few steps")]
            let seconds = took.map_or(NOT_MEASURED, |took| took / steps.len() as f64);
            for (epoch, value) in steps {
                let line = trial.line;
                gathered.rows.push(Row { config, repeat: 0, epoch, value, seconds, line });
            }
        }
        if is_shared && mapping.records_seconds() {
            let what = "a trial's run time is shared out evenly over its steps";
            gathered.quirks.say(what.into());
        }
        gathered
    }
}

/// A point in time as the seconds of whole minutes and those of the last one, in no time zone:
/// `2021-01-18 18:18:32.205894`, or with a `T`.
fn time(map: &Map<String, Json>, field: &str) -> Option<(i64, f64)> {
    let text = map.get(field)?.as_str()?;
    let (date, clock) = text.split_once([' ', 'T'])?;
    let part = |text: Option<&str>| text?.parse::<i64>().ok().filter(|n| (0..=9999).contains(n));
    let mut date = date.split('-');
    let (year, month, day) = (part(date.next())?, part(date.next())?, part(date.next())?);
    let mut clock = clock.split(':');
    let (hour, minute) = (part(clock.next())?, part(clock.next())?);
    let second: f64 = clock.next()?.trim_end_matches('Z').parse().ok()?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !second.is_finite() {
        return None;
    }
    // Days since the first of March of the year 0: a leap day ends a year that begins in March.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1;
    Some((((days * 24 + hour) * 60 + minute) * 60, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_become_seconds() {
        let at = |text: &str| {
            let map = serde_json::json!({ "t": text });
            time(map.as_object().unwrap(), "t")
        };
        let took = |from, to| {
            let (from, to) = (at(from).unwrap(), at(to).unwrap());
            f64::from(u32::try_from(to.0 - from.0).unwrap()) + (to.1 - from.1)
        };
        assert_eq!(took("2021-01-18 18:18:32.5", "2021-01-18T18:18:42"), 9.5);
        assert_eq!(took("2024-02-28 23:59:59", "2024-03-01 00:00:01"), 86_402.0);
        assert_eq!(took("2023-12-31 00:00:00", "2024-12-31 00:00:00"), 366.0 * 86_400.0);
        assert_eq!(at("yesterday"), None);
        assert_eq!(at("2021-13-18 18:18:32"), None);
    }
}
