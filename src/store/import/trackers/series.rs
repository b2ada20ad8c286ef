//! Runs with their series, and what they come to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use base::error::{Error, Result, fault};
use base::measured::{NOT_MEASURED, is_measured};

use crate::table::Status;

use super::super::cell::Held;
use super::super::gathered::{Column, Gathered, Quirks, Row};
use super::super::mapping::{Mapping, Seconds, no_column};

/// The column that `--seconds` names unless it is given.
const SECONDS: &str = "seconds";

/// What a series says at one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) step: f64,
    /// When it was recorded, in seconds; [`NOT_MEASURED`] where that is not known.
    pub(super) time: f64,
    pub(super) value: f64,
}

/// A run of a tracking program.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) config: BTreeMap<String, Held>,
    pub(super) status: Option<Status>,
    /// When it began, on the clock of its points.
    pub(super) started: Option<f64>,
    pub(super) series: BTreeMap<String, Vec<Point>>,
}

impl Run {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    pub(super) fn push(&mut self, name: &str, point: Point) {
        match self.series.get_mut(name) {
            Some(points) => points.push(point),
            None => drop(self.series.insert(name.into(), vec![point])),
        }
    }
}

/// What a run says of a name at the steps of its metric.
type Said = HashMap<u64, f64>;

/// All runs as rows: the metric's points, with what else was said at their steps.
pub(super) fn gather(
    source: &Path,
    mut runs: Vec<Run>,
    mapping: &Mapping,
    mut quirks: Quirks,
) -> Result<Gathered> {
    let file = source.display().to_string();
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.series.keys()).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    check_names(&file, &runs, &names, mapping)?;
    for run in &mut runs {
        settle(run, &mapping.metric_column, &mut quirks);
    }
    let mut gathered = Gathered { source: file, place: "point", ..Gathered::default() };
    gathered.quirks = quirks;
    let own_seconds = seconds_series(mapping, &names);
    gathered.runs_on = own_seconds.is_none() && mapping.records_seconds();
    let places = places(&mut gathered, &mut runs, mapping)?;
    columns(&mut gathered, &runs, &places);
    let mut taken = vec![mapping.metric_column.as_str()];
    taken.extend(own_seconds);
    taken.extend(mapping.epoch.as_deref());
    taken.extend(mapping.drop.iter().map(String::as_str));
    let further: Vec<&String> =
        names.iter().filter(|name| !taken.contains(&name.as_str())).collect();
    gathered.further = further.iter().map(|name| ((*name).clone(), Vec::new())).collect();
    for (run, (config, repeat)) in runs.iter().zip(places) {
        rows(&mut gathered, run, (config, repeat), own_seconds, mapping);
    }
    let said = |values: &[f64]| values.iter().any(|value| is_measured(*value));
    let silent: Vec<String> = gathered.further.iter().filter(|(_, v)| !said(v)).map(name).collect();
    gathered.further.retain(|(_, values)| said(values));
    if let Some(first) = silent.first() {
        let count = base::units::plural(silent.len(), "series");
        let what = format!(
            "{count} with no value at the steps of the metric are left out (first {first})"
        );
        gathered.quirks.say(what);
    }
    gathered.ranks_epochs = mapping.epoch.is_none() && !is_counted(&gathered.rows.epoch);
    Ok(gathered)
}

fn name((name, _): &(String, Vec<f64>)) -> String {
    name.clone()
}

/// The series of an epoch's seconds, where it is not the clock of the points.
fn seconds_series<'a>(mapping: &'a Mapping, names: &[String]) -> Option<&'a str> {
    match &mapping.seconds {
        Seconds::Column(column) => Some(column.as_str()).filter(|name| is_in(names, name)),
        Seconds::Each(_) => None,
    }
}

fn is_in(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

/// Every series that the mapping names is there.
fn check_names(file: &str, runs: &[Run], names: &[String], mapping: &Mapping) -> Result<()> {
    let missing = |name: &str, option: &str| -> Error { no_column(file, name, option, names) };
    if runs.is_empty() {
        let (rule, remedy) = ("there is a run", "give another source");
        return Err(fault(file, "runs", runs.len(), rule, remedy));
    }
    if !is_in(names, &mapping.metric_column) {
        let settings = runs.iter().flat_map(|run| run.config.keys());
        let known: BTreeSet<&String> = names.iter().chain(settings).collect();
        let known: Vec<String> = known.into_iter().cloned().collect();
        return Err(no_column(file, &mapping.metric_column, "give --metric", &known));
    }
    if let Seconds::Column(column) = &mapping.seconds
        && column != SECONDS
        && !is_in(names, column)
    {
        return Err(missing(column, "give --seconds, or leave it out for the clock of the points"));
    }
    if let Some(epoch) = mapping.epoch.as_ref().filter(|epoch| !is_in(names, epoch)) {
        return Err(missing(epoch, "give --epoch, or leave it out for the steps"));
    }
    let is_known = |name: &&String| {
        is_in(names, name) || runs.iter().any(|run| run.config.contains_key(*name))
    };
    if let Some(drop) = mapping.drop.iter().find(|name| !is_known(name)) {
        return Err(missing(drop, "give --drop, or leave it out"));
    }
    Ok(())
}

/// The metric's points by their steps, each step once: what was recorded last holds.
fn settle(run: &mut Run, metric: &str, quirks: &mut Quirks) {
    let id = run.id.clone();
    let Some(points) = run.series.get_mut(metric) else { return };
    points.sort_by(|a, b| a.step.total_cmp(&b.step));
    let before = points.len();
    // Of equal steps, the last one: a stable sort has kept the order of their recording.
    points.reverse();
    points.dedup_by(|earlier, later| earlier.step == later.step);
    points.reverse();
    for _ in points.len()..before {
        quirks.count("a step that was recorded again replaces what it said", || format!("`{id}`"));
    }
}

/// Which configuration and repeat a run is. With `--repeat`, runs that differ in it alone are one.
fn places(gathered: &mut Gathered, runs: &mut [Run], mapping: &Mapping) -> Result<Vec<(u32, u16)>> {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut repeats: BTreeMap<i64, u16> = BTreeMap::new();
    let mut places = Vec::with_capacity(runs.len());
    for run in runs {
        let next = u32::try_from(gathered.ids.len()).expect("fewer runs than files");
        let said = repeat(&gathered.source, run, mapping)?;
        let key = match said {
            Some(_) => format!("{:?}", run.config),
            None => run.id.clone(),
        };
        let config = *known.entry(key).or_insert(next);
        if config == next {
            gathered.ids.push(run.id.clone());
            gathered.status.push(run.status);
        }
        let said = said.unwrap_or(0);
        let count = u16::try_from(repeats.len()).ok().filter(|&n| n < u16::MAX);
        let number = repeats.get(&said).copied().or(count).ok_or_else(|| {
            let rule = "a table has fewer than 65,535 repeats";
            fault(&gathered.source, "repeats", said, rule, "name another setting with --repeat")
        })?;
        if repeats.insert(said, number).is_none() {
            gathered.repeats.push(said);
        }
        places.push((config, number));
    }
    Ok(places)
}

/// The setting that tells repeats apart, taken out of the run's.
fn repeat(file: &str, run: &mut Run, mapping: &Mapping) -> Result<Option<i64>> {
    let Some(name) = &mapping.repeat else { return Ok(None) };
    let held = run.config.remove(name);
    let number = held.as_ref().and_then(Held::number).filter(|n| n.fract() == 0.0);
    let number = number.filter(|n| n.abs() < 9e15).ok_or_else(|| {
        let value = held.map_or("missing".into(), |held| held.text());
        let field = format!("run {}, setting {name}", run.id);
        let remedy = "name a setting of every run with --repeat, or leave it out";
        fault(file, field, value, "a repeat is a whole number", remedy)
    })?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    Ok(Some(number as i64))
}

/// The settings of the configurations.
fn columns(gathered: &mut Gathered, runs: &[Run], places: &[(u32, u16)]) {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.config.keys()).collect();
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let mut cells = vec![Held::Missing; gathered.ids.len()];
        for (run, (config, _)) in runs.iter().zip(places) {
            if let Some(held) = run.config.get(name) {
                cells[*config as usize] = held.clone();
            }
        }
        columns.push(Column { name: name.clone(), cells });
    }
    gathered.columns = columns;
}

/// The rows of a run.
fn rows(
    gathered: &mut Gathered,
    run: &Run,
    (config, repeat): (u32, u16),
    own_seconds: Option<&str>,
    mapping: &Mapping,
) {
    let Some(points) = run.series.get(&mapping.metric_column) else { return };
    let said = |name: &str| -> Said {
        let points = run.series.get(name).into_iter().flatten();
        points.map(|point| (point.step.to_bits(), point.value)).collect()
    };
    let seconds = own_seconds.map(said);
    let epochs = mapping.epoch.as_deref().map(said);
    let others: Vec<Said> = gathered.further.iter().map(|(name, _)| said(name)).collect();
    // A log that was written later than what it says happened does not know the beginning.
    let earliest = points.first().map_or(NOT_MEASURED, |point| point.time);
    let started = run.started.filter(|started| !is_measured(earliest) || *started <= earliest);
    let started = started.or_else(|| {
        let at = format!("`{}`", run.id);
        let what = "the first epoch of a run whose beginning is not known costs the mean of others";
        let first = first_moment(points)?;
        if gathered.runs_on {
            gathered.quirks.count(what, || at);
        }
        Some(first)
    });
    for (line, point) in (1_u32..).zip(points) {
        gathered.rows_read += 1;
        let at = |said: &Said| said.get(&point.step.to_bits()).copied().unwrap_or(NOT_MEASURED);
        let epoch = epochs.as_ref().map_or(point.step, at);
        if !is_measured(epoch) {
            gathered.rows_dropped += 1;
            let place = format!("`{}`, step {}", run.id, point.step);
            gathered.quirks.count("points without an epoch are left out", || place);
            continue;
        }
        let clock = match started {
            Some(started) if is_measured(point.time) => point.time - started,
            _ => NOT_MEASURED,
        };
        let seconds = seconds.as_ref().map_or(clock, at);
        let value = point.value;
        gathered.rows.push(Row { config, repeat, epoch, value, seconds, line });
        for ((_, values), said) in gathered.further.iter_mut().zip(&others) {
            values.push(at(said));
        }
    }
}

/// When a run would have begun whose first point took as long as the others did on average.
fn first_moment(points: &[Point]) -> Option<f64> {
    let mut known = points.iter().filter(|point| is_measured(point.time));
    let first = known.next()?;
    let last = known.next_back().unwrap_or(first);
    #[expect(clippy::cast_precision_loss, reason = "the points of a curve")]
    let steps = (points.len() - 1).max(1) as f64;
    Some(first.time - (last.time - first.time) / steps)
}

/// Whether steps are epochs as they are: all numbers from 0 or 1 to the last.
fn is_counted(steps: &[f64]) -> bool {
    let mut sorted = steps.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let first = sorted.first().copied().unwrap_or(0.0);
    (first == 0.0 || first == 1.0) && sorted.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_epochs_are_known() {
        assert!(is_counted(&[1.0, 0.0, 2.0, 1.0]) && is_counted(&[1.0, 2.0]));
        assert!(!is_counted(&[0.0, 2.0]) && !is_counted(&[100.0, 200.0]) && !is_counted(&[0.5]));
    }

    #[test]
    fn a_beginning_that_is_not_known_is_a_mean_step_before_the_first_point() {
        let point = |time| Point { step: 0.0, time, value: 0.0 };
        assert_eq!(first_moment(&[point(10.0), point(14.0), point(16.0)]), Some(7.0));
        assert_eq!(first_moment(&[point(10.0)]), Some(10.0));
        assert_eq!(first_moment(&[point(NOT_MEASURED)]), None);
    }
}
