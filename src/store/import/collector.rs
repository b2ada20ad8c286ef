//! Rows of cells, as CSV, JSON lines and Parquet have them, in long form (a row a configuration
//! and epoch), in wide form (a column an epoch) or with a list a curve.

use std::collections::{BTreeMap, HashMap};

use base::error::{Error, Result, fault};
use base::measured::{NOT_MEASURED, is_measured};

use super::cell::{Cell, Held};
use super::gathered::{Column, Gathered, Row};
use super::mapping::{Mapping, Seconds, epoch_of, no_column, pattern};
use super::rows::Rows;

/// What a column of the source is.
#[derive(Debug, Clone, Copy)]
enum Role {
    Id,
    Epoch,
    Repeat,
    Metric,
    Seconds,
    MetricAt(f64),
    SecondsAt(f64),
    Other(usize),
    Dropped,
}

/// A column that the mapping does not name: of configurations as long as it is the same in all
/// rows of each, then of curves.
#[derive(Debug)]
struct Other {
    name: String,
    first: Vec<Held>,
    varying: Option<Vec<f64>>,
    /// It varies and is no number.
    is_text: bool,
}

/// Takes rows one after the other.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    mapping: &'a Mapping,
    gathered: Gathered,
    names: Vec<String>,
    roles: Vec<Role>,
    known: HashMap<String, u32>,
    last: u32,
    repeats: BTreeMap<i64, u16>,
    others: Vec<Other>,
    has_lists: bool,
    is_wide: bool,
}

impl Rows for Collector<'_> {
    fn columns(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            self.column(name)?;
        }
        self.check_columns()
    }

    fn row(&mut self, line: u32, cells: &[Cell<'_>]) -> Result<()> {
        self.one(line, cells)
    }
}

/// A row that is being read.
#[derive(Debug, Default)]
struct Reading {
    has_id: bool,
    config: u32,
    is_new: bool,
    repeat: i64,
    epoch: f64,
    value: Option<f64>,
    seconds: f64,
    list: Option<Vec<f64>>,
    list_seconds: Option<Vec<f64>>,
    /// Epochs with their values, and with their seconds.
    wide: Vec<(f64, f64)>,
    wide_seconds: Vec<(f64, f64)>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(source: String, place: &'static str, mapping: &'a Mapping) -> Self {
        Self {
            mapping,
            gathered: Gathered { source, place, ..Gathered::default() },
            names: Vec::new(),
            roles: Vec::new(),
            known: HashMap::new(),
            last: u32::MAX,
            repeats: BTreeMap::new(),
            others: Vec::new(),
            has_lists: false,
            is_wide: mapping.is_wide(),
        }
    }

    /// A further column; cells of rows come in the order of these calls.
    pub(super) fn column(&mut self, name: &str) -> Result<()> {
        if self.names.iter().any(|known| known == name) {
            let rule = "two columns of the source have this name";
            let field = format!("column {name}");
            return Err(fault(&self.gathered.source, field, name, rule, "rename one of them"));
        }
        let role = self.role(name);
        self.names.push(name.into());
        self.roles.push(role);
        Ok(())
    }

    fn role(&mut self, name: &str) -> Role {
        let mapping = self.mapping;
        let seconds = match &mapping.seconds {
            Seconds::Column(column) => column.as_str(),
            Seconds::Each(_) => "",
        };
        let at = |column| pattern(column).and_then(|pattern| epoch_of(name, pattern));
        if mapping.drop.iter().any(|drop| drop == name) {
            Role::Dropped
        } else if name == mapping.metric_column {
            Role::Metric
        } else if let Some(epoch) = at(seconds) {
            Role::SecondsAt(epoch)
        } else if let Some(epoch) = at(&mapping.metric_column) {
            Role::MetricAt(epoch)
        } else if name == seconds {
            Role::Seconds
        } else if name == mapping.id_column() {
            Role::Id
        } else if name == mapping.epoch_column() {
            Role::Epoch
        } else if name == mapping.repeat_column() {
            Role::Repeat
        } else {
            self.others.push(Other {
                name: name.into(),
                first: vec![Held::Missing; self.gathered.ids.len()],
                varying: None,
                is_text: false,
            });
            Role::Other(self.others.len() - 1)
        }
    }

    fn has(&self, is: fn(&Role) -> bool) -> bool {
        self.roles.iter().any(is)
    }

    /// Whether every column that the mapping needs is there.
    pub(super) fn check_columns(&self) -> Result<()> {
        let (mapping, file) = (self.mapping, self.gathered.source.as_str());
        let missing = |name: &str, option| Err(no_column(file, name, option, &self.names));
        if !self.has(|role| matches!(role, Role::Metric | Role::MetricAt(_))) {
            return missing(&mapping.metric_column, "give --metric");
        }
        let is_curve_a_row = self.is_wide || self.has_lists;
        let wants_id = mapping.id.is_some() || !is_curve_a_row;
        if wants_id && !self.has(|role| matches!(role, Role::Id)) {
            return missing(mapping.id_column(), "give --id, the column of configurations");
        }
        if !is_curve_a_row && !self.has(|role| matches!(role, Role::Epoch)) {
            let option = "give --epoch, or a --metric with {epoch} for a column an epoch";
            return missing(mapping.epoch_column(), option);
        }
        if mapping.repeat.is_some() && !self.has(|role| matches!(role, Role::Repeat)) {
            return missing(mapping.repeat_column(), "give --repeat, or leave it out");
        }
        if let Seconds::Column(column) = &mapping.seconds
            && !self.has(|role| matches!(role, Role::Seconds | Role::SecondsAt(_)))
        {
            return missing(column, "give --seconds, or --seconds-each S where none were kept");
        }
        let is_absent = |drop: &&String| !self.names.contains(drop);
        if let Some(drop) = mapping.drop.iter().find(is_absent) {
            return missing(drop, "give --drop, or leave it out");
        }
        Ok(())
    }

    /// One row; `cells` has one a column.
    pub(super) fn one(&mut self, line: u32, cells: &[Cell<'_>]) -> Result<()> {
        self.gathered.rows_read += 1;
        let mut row = Reading { epoch: NOT_MEASURED, seconds: NOT_MEASURED, ..Reading::default() };
        for (at, cell) in cells.iter().enumerate() {
            self.take(&mut row, at, cell, line)?;
        }
        let is_curve_a_row = self.is_wide || row.list.is_some();
        if !row.has_id {
            if !is_curve_a_row || self.has(|role| matches!(role, Role::Id)) {
                self.skip("rows without a configuration's id are left out", line);
                return Ok(());
            }
            self.config(&mut row, (self.gathered.rows_read - 1).to_string())?;
        }
        if !is_curve_a_row && !is_measured(row.epoch) {
            self.skip("rows without an epoch are left out", line);
            return Ok(());
        }
        let repeat = self.repeat(row.repeat, line)?;
        let before = self.gathered.rows.len();
        self.push_rows(&row, repeat, line, is_curve_a_row);
        let pushed = self.gathered.rows.len() - before;
        for (role, cell) in self.roles.iter().zip(cells) {
            if let Role::Other(other) = role {
                let rows = &self.gathered.rows.config[..before];
                self.others[*other].take(cell, row.config, row.is_new, rows, pushed);
            }
        }
        Ok(())
    }

    fn skip(&mut self, what: &str, line: u32) {
        self.gathered.rows_dropped += 1;
        let at = self.gathered.at(line);
        self.gathered.quirks.count(what, || at);
    }

    fn take(&mut self, row: &mut Reading, at: usize, cell: &Cell<'_>, line: u32) -> Result<()> {
        let number = |from: &Self| {
            cell.number().ok_or_else(|| from.wrong(at, line, cell, "must be a number"))
        };
        match self.roles[at] {
            Role::Dropped | Role::Other(_) => {}
            Role::Id => match cell {
                Cell::Missing => {}
                Cell::Raw(text) => self.config_of(row, text)?,
                _ => self.config_of(row, &cell.text())?,
            },
            Role::Epoch => row.epoch = number(self)?,
            Role::Repeat => {
                let repeat = number(self)?;
                let is_whole = repeat.fract() == 0.0 && repeat.abs() < 9e15;
                if !is_whole && is_measured(repeat) {
                    return Err(self.wrong(at, line, cell, "must be a whole number"));
                }
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
                let repeat = if is_whole { repeat as i64 } else { 0 };
                row.repeat = repeat;
            }
            Role::Metric => match cell {
                Cell::Numbers(list) => {
                    self.has_lists = true;
                    row.list = Some(list.clone());
                }
                _ => row.value = Some(number(self)?),
            },
            Role::Seconds => match cell {
                Cell::Numbers(list) => row.list_seconds = Some(list.clone()),
                _ => row.seconds = number(self)?,
            },
            Role::MetricAt(epoch) => row.wide.push((epoch, number(self)?)),
            Role::SecondsAt(epoch) => row.wide_seconds.push((epoch, number(self)?)),
        }
        Ok(())
    }

    fn wrong(&self, at: usize, line: u32, cell: &Cell<'_>, rule: &str) -> Error {
        let field = format!("{}, column {}", self.gathered.at(line), self.names[at]);
        let remedy = "mend the cell, or name another column";
        fault(&self.gathered.source, field, cell.text(), rule, remedy)
    }

    /// Rows of a configuration mostly stand together.
    fn config_of(&mut self, row: &mut Reading, id: &str) -> Result<()> {
        let last = self.gathered.ids.get(self.last as usize);
        if last.is_some_and(|last| last == id) {
            (row.has_id, row.config) = (true, self.last);
            return Ok(());
        }
        if let Some(&config) = self.known.get(id) {
            self.last = config;
            (row.has_id, row.config) = (true, config);
            return Ok(());
        }
        self.config(row, id.to_string())
    }

    fn config(&mut self, row: &mut Reading, id: String) -> Result<()> {
        let config = u32::try_from(self.gathered.ids.len()).ok().filter(|&id| id < u32::MAX);
        let config = config.ok_or_else(|| {
            let rule = "a table has fewer than 2^32 configurations";
            fault(&self.gathered.source, "configurations", &id, rule, "import a part of it")
        })?;
        self.known.insert(id.clone(), config);
        self.gathered.ids.push(id);
        self.gathered.status.push(None);
        self.last = config;
        (row.has_id, row.config, row.is_new) = (true, config, true);
        Ok(())
    }

    fn repeat(&mut self, repeat: i64, line: u32) -> Result<u16> {
        if let Some(&known) = self.repeats.get(&repeat) {
            return Ok(known);
        }
        let new = u16::try_from(self.gathered.repeats.len()).ok().filter(|&n| n < u16::MAX);
        let new = new.ok_or_else(|| {
            let at = self.gathered.at(line);
            let rule = "a table has fewer than 65,535 repeats";
            fault(&self.gathered.source, at, repeat, rule, "name another column with --repeat")
        })?;
        self.repeats.insert(repeat, new);
        self.gathered.repeats.push(repeat);
        Ok(new)
    }

    fn push_rows(&mut self, row: &Reading, repeat: u16, line: u32, is_curve_a_row: bool) {
        let rows = &mut self.gathered.rows;
        let config = row.config;
        let mut push = |epoch, value, seconds| {
            rows.push(Row { config, repeat, epoch, value, seconds, line });
        };
        if !is_curve_a_row {
            push(row.epoch, row.value.unwrap_or(NOT_MEASURED), row.seconds);
            return;
        }
        for (at, &(epoch, value)) in row.wide.iter().enumerate() {
            if is_measured(value) {
                // One column of seconds beside a column an epoch: what each of them costs.
                push(epoch, value, row.seconds_at(at, epoch).unwrap_or(row.seconds));
            }
        }
        let mut epoch = 0.0;
        for (at, &value) in row.list.iter().flatten().enumerate() {
            epoch += 1.0;
            let own = row.list_seconds.as_ref().and_then(|list| list.get(at));
            push(epoch, value, own.copied().unwrap_or(row.seconds));
        }
    }

    /// Everything that was read.
    pub(super) fn finish(self) -> Result<Gathered> {
        self.check_columns()?;
        let Self { mut gathered, others, .. } = self;
        for other in others {
            let Other { name, first, varying, is_text } = other;
            if is_text {
                let what = format!("column {name} varies and is no number: it is left out");
                gathered.quirks.say(what);
            } else if let Some(values) = varying {
                gathered.further.push((name, values));
            } else {
                gathered.columns.push(Column { name, cells: first });
            }
        }
        Ok(gathered)
    }
}

impl Reading {
    /// The seconds of an epoch in wide form. Both mostly stand in the same order.
    fn seconds_at(&self, at: usize, epoch: f64) -> Option<f64> {
        let is_it = |seconds: &&(f64, f64)| seconds.0 == epoch;
        let near = self.wide_seconds.get(at).filter(is_it);
        near.or_else(|| self.wide_seconds.iter().find(is_it)).map(|(_, seconds)| *seconds)
    }
}

impl Other {
    /// `before`: the configurations of the rows so far; `pushed`: how many rows this one made.
    fn take(&mut self, cell: &Cell<'_>, config: u32, is_new: bool, before: &[u32], pushed: usize) {
        if is_new {
            self.first.push(if self.varying.is_none() { cell.held() } else { Held::Missing });
        } else if self.varying.is_none() && !self.is_text && !cell.is(&self.first[config as usize])
        {
            // Until here it was the same in all rows of each configuration.
            let values = before.iter().map(|&config| self.first[config as usize].number());
            self.varying = values.collect();
            self.is_text = self.varying.is_none();
        }
        if let Some(values) = &mut self.varying {
            if let Some(number) = cell.number() {
                values.extend(std::iter::repeat_n(number, pushed));
            } else {
                (self.varying, self.is_text) = (None, true);
            }
        }
    }
}
