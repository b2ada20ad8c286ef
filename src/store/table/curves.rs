//! Reading `curves.parquet`: what every training of every configuration recorded.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::{Array, Float64Array, Int64Array, RecordBatch};
use base::error::{Error, Result, fault, number_text};
use base::measured::{NOT_MEASURED, is_diverged};
use base::units::SimTime;

use super::configs::Configs;
use super::findings::Findings;
use super::manifest::Manifest;
use super::parquet_file::{Kind, ParquetFile};
use super::record::Status;
use super::{CURVE_KEYS, CURVES_FILE, MANIFEST_FILE};

/// All curves, end to end.
#[derive(Debug, Default)]
pub(super) struct Curves {
    /// First curve of each configuration, and one more: `spans[starts[i]..starts[i + 1]]`.
    pub(super) starts: Vec<usize>,
    /// In the order of (configuration, repeat).
    pub(super) spans: Vec<Span>,
    /// The metric, in its own direction; NaN where diverged, [`NOT_MEASURED`] where null.
    pub(super) values: Vec<f64>,
    /// What each epoch costs by itself.
    pub(super) cost_ns: Vec<u64>,
    /// Whether the costs came with their unit.
    pub(super) cost_has_unit: bool,
    /// Further columns, by name, such as the metric on test images.
    pub(super) further: Vec<Further>,
    /// Whether rows were left out because they stand out of order: curves may lack them.
    lacks_unsorted: bool,
}

/// A column beside the metric and the cost.
#[derive(Debug)]
pub(super) struct Further {
    pub(super) name: String,
    /// NaN where diverged, [`NOT_MEASURED`] where null.
    pub(super) values: Vec<f64>,
}

/// One training: rows `start..end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) repeat: u16,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The three columns that say which epoch a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    config: i64,
    repeat: i64,
    epoch: i64,
}

struct Reading<'a> {
    manifest: &'a Manifest,
    file: &'a ParquetFile,
    cost_column: &'a str,
    findings: &'a mut Findings,
    curves: Curves,
    last: Option<Key>,
    total_ns: u64,
}

/// A quarter of what 64 bits hold.
const TOTAL_NS_MAX: u64 = 1 << 62;

/// Whether a column is the one on test images that belongs to a metric: `test_loss` to `val_loss`.
pub(super) fn is_test_of(metric: &str, column: &str) -> bool {
    let of_metric = metric.strip_prefix("val_");
    of_metric.is_some() && of_metric == column.strip_prefix("test_")
}

/// Reads the whole file, row by row in its order: (`config_id`, `repeat`, `epoch`) ascend without
/// a gap. Only the columns that a replay needs are decoded, and those of `wanted`.
pub(super) fn read(
    dir: &Path,
    manifest: &Manifest,
    cost_column: &str,
    wanted: &[String],
    findings: &mut Findings,
) -> Result<Curves> {
    let file = ParquetFile::open(&dir.join(CURVES_FILE))?;
    let most =
        u64::from(manifest.configs) * u64::from(manifest.repeats) * u64::from(manifest.epochs);
    if file.rows()? > most {
        let rule = format!("{MANIFEST_FILE} promises at most {most} (configs x repeats x epochs)");
        let remedy = format!("correct the counts in {MANIFEST_FILE}, or remove the rows beyond");
        return Err(fault(file.shown(), "rows", file.rows()?, rule, remedy));
    }
    let metric = manifest.metric.name.as_str();
    let mut columns = CURVE_KEYS.to_vec();
    for id in &columns {
        file.require(id, Kind::Ids)?;
    }
    let schema = file.schema();
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let test = names().find(|column| is_test_of(metric, column));
    let mut further: Vec<&str> = test.into_iter().collect();
    for column in wanted.iter().map(String::as_str) {
        if !further.contains(&column) {
            further.push(column);
        }
    }
    for &number in [metric, cost_column].iter().chain(&further) {
        file.require(number, Kind::Numbers)?;
        if !columns.contains(&number) {
            columns.push(number);
        }
    }
    let further =
        further.into_iter().map(|name| Further { name: name.into(), values: Vec::new() }).collect();
    let mut reading = Reading {
        manifest,
        file: &file,
        cost_column,
        findings,
        curves: Curves {
            further,
            cost_has_unit: file.is_duration(cost_column),
            ..Curves::default()
        },
        last: None,
        total_ns: 0,
    };
    file.scan(&columns, |first_row, batch| reading.batch(first_row, batch))?;
    let mut curves = reading.curves;
    curves.starts.resize(manifest.configs as usize + 1, curves.spans.len());
    Ok(curves)
}

impl Reading<'_> {
    fn batch(&mut self, first_row: u64, batch: &RecordBatch) -> Result<()> {
        let [configs, repeats, epochs] = CURVE_KEYS.map(|c| self.file.ints(batch, c));
        let (configs, repeats, epochs) = (configs?, repeats?, epochs?);
        let metric = self.file.floats(batch, &self.manifest.metric.name)?;
        let costs = self.file.floats(batch, self.cost_column)?;
        let further = self.curves.further.iter().map(|c| self.file.floats(batch, &c.name));
        let further = further.collect::<Result<Vec<_>>>()?;
        for at in 0..batch.num_rows() {
            let row = first_row + at as u64;
            let Some(key) = self.key(row, at, &configs, &repeats, &epochs)? else { continue };
            let kept = self.follow(row, key)?;
            self.last = Some(key);
            if !kept {
                continue;
            }
            let seconds = costs.is_valid(at).then(|| costs.value(at));
            let cost_ns = self.cost(row, key, seconds)?;
            self.curves.cost_ns.push(cost_ns);
            self.curves.values.push(measured(&metric, at));
            for (column, found) in self.curves.further.iter_mut().zip(&further) {
                column.values.push(measured(found, at));
            }
            self.curves.spans.last_mut().expect("a row follows its curve").end += 1;
        }
        Ok(())
    }

    /// The row's key, if its three columns are within the bounds of the manifest.
    fn key(
        &mut self,
        row: u64,
        at: usize,
        configs: &Int64Array,
        repeats: &Int64Array,
        epochs: &Int64Array,
    ) -> Result<Option<Key>> {
        let ids = self.manifest.ids();
        let bounds = [
            ("config_id", configs, i64::from(ids.start), i64::from(ids.end) - 1),
            ("repeat", repeats, 0, i64::from(self.manifest.repeats) - 1),
            ("epoch", epochs, 1, i64::from(self.manifest.epochs)),
        ];
        for (name, column, low, high) in bounds {
            let found = column.is_valid(at).then(|| column.value(at));
            if found.is_none_or(|v| !(low..=high).contains(&v)) {
                let found = found.map_or("null".into(), |v| v.to_string());
                let field = format!("column {name}, row {row}");
                let rule = format!("must be {low} to {high}, as {MANIFEST_FILE} says");
                let remedy = "correct the row, or the counts there";
                self.findings.add(fault(self.file.shown(), field, found, rule, remedy))?;
                return Ok(None);
            }
        }
        let (config, repeat, epoch) = (configs.value(at), repeats.value(at), epochs.value(at));
        Ok(Some(Key { config, repeat, epoch }))
    }

    /// Whether the row goes on where the one before it ended, or begins a curve; opens that curve.
    fn follow(&mut self, row: u64, key: Key) -> Result<bool> {
        let same = |last: Key| (last.config, last.repeat) == (key.config, key.repeat);
        if let Some(last) = self.last
            && same(last)
        {
            if key.epoch == last.epoch + 1 {
                return Ok(true);
            }
            return self.refuse_epoch(row, key, last).map(|()| false);
        }
        if let Some(last) = self.last
            && key < last
        {
            let rule = "rows are sorted by (config_id, repeat, epoch)";
            let remedy = "sort the rows and write the table again";
            let found = format!("{key} after {last}");
            self.curves.lacks_unsorted = true;
            self.add("columns config_id, repeat, epoch", row, &found, rule, remedy)?;
            return Ok(false);
        }
        if key.epoch != 1 {
            let rule = "a curve begins with epoch 1";
            let found = format!("{} ({key})", key.epoch);
            let remedy = "sort the rows by (config_id, repeat, epoch), or write the missing epochs";
            self.add("column epoch", row, &found, rule, remedy)?;
        }
        self.open(key);
        Ok(true)
    }

    fn refuse_epoch(&mut self, row: u64, key: Key, last: Key) -> Result<()> {
        let (rule, remedy) = match key.epoch.cmp(&last.epoch) {
            Ordering::Equal => ("an epoch stands in one row", "remove one of the rows"),
            Ordering::Less => (
                "rows are sorted by (config_id, repeat, epoch), each once",
                "sort the rows and write the table again",
            ),
            Ordering::Greater => {
                ("epochs of a curve follow each other without a gap", "write the missing epochs")
            }
        };
        self.curves.lacks_unsorted |= key.epoch < last.epoch;
        let found = format!("{} after {} ({key})", key.epoch, last.epoch);
        self.add("column epoch", row, &found, rule, remedy)
    }

    fn open(&mut self, key: Key) {
        let checked = "within the manifest's counts: checked before";
        let index = usize::try_from(key.config).expect(checked);
        let index = index - self.manifest.ids().start as usize;
        let (start, first) = (self.curves.values.len(), self.curves.spans.len());
        if self.curves.starts.len() <= index {
            // Configurations without rows have empty ranges.
            self.curves.starts.resize(index + 1, first);
        }
        let repeat = u16::try_from(key.repeat).expect(checked);
        self.curves.spans.push(Span { repeat, start, end: start });
    }

    fn cost(&mut self, row: u64, key: Key, seconds: Option<f64>) -> Result<u64> {
        if let Some(time) = seconds.and_then(SimTime::from_seconds) {
            // Whoever replays a table adds these up in 64 bits.
            self.total_ns = self.total_ns.saturating_add(time.0);
            if self.total_ns <= TOTAL_NS_MAX {
                return Ok(time.0);
            }
            self.total_ns = 0;
            let rule = "all epochs of a table cost at most 146 years together";
            let remedy = "check the unit of the column: it must be seconds";
            let field = format!("column {}", self.cost_column);
            self.add(&field, row, &format!("{time} ({key})"), rule, remedy)?;
            return Ok(0);
        }
        let found = seconds.map_or("null".into(), number_text);
        let rule = format!("must be a number of seconds from 0 to {}", SimTime::SECONDS_MAX);
        let remedy = "write what the epoch cost, also where the training diverged";
        let field = format!("column {}", self.cost_column);
        self.add(&field, row, &format!("{found} ({key})"), &rule, remedy)?;
        Ok(0)
    }

    fn add(&mut self, what: &str, row: u64, found: &str, rule: &str, remedy: &str) -> Result<()> {
        let field = format!("{what}, row {row}");
        self.findings.add(fault(self.file.shown(), field, found, rule, remedy))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config, repeat, epoch } = self;
        write!(f, "config_id {config}, repeat {repeat}, epoch {epoch}")
    }
}

/// What a cell says: null is [`NOT_MEASURED`]; the infinities that an overflowing loss leaves are
/// NaN, too.
fn measured(column: &Float64Array, at: usize) -> f64 {
    let value = column.is_valid(at).then(|| column.value(at));
    value.map_or(NOT_MEASURED, |value| if value.is_finite() { value } else { f64::NAN })
}

/// Compares each configuration's status with its curves, and derives those that are not given: a
/// configuration whose longest curve ends before it is complete was truncated, a NaN in its first
/// curve means that it diverged. A null means nothing of the kind.
pub(super) fn settle_status(
    dir: &Path,
    manifest: &Manifest,
    configs: &Configs,
    curves: &Curves,
    findings: &mut Findings,
) -> Result<Vec<Status>> {
    let mut settled = Vec::with_capacity(configs.status.len());
    for (index, given) in configs.status.iter().enumerate() {
        let id = manifest.ids().start as usize + index;
        let of_config = &curves.spans[curves.starts[index]..curves.starts[index + 1]];
        let length = of_config.iter().map(|c| c.end - c.start).max().unwrap_or(0);
        let epochs = usize::from(configs.last_epoch[index].unwrap_or(manifest.epochs));
        // Where rows stand out of order, and that is said, lengths are nobody's.
        let is_known = !curves.lacks_unsorted;
        if is_known && length > epochs {
            findings.add(long_curve(dir, id, length, epochs))?;
        }
        if is_known && length == 0 && *given != Some(Status::Failed) {
            let status = given.map_or("no status", Status::word);
            findings.add(no_curve(dir, id, status))?;
        } else if is_known && length < epochs && given.is_some_and(|s| !s.may_end_early()) {
            let status = given.map_or("", Status::word);
            findings.add(short_curve(dir, id, length, epochs, status))?;
        }
        let values = of_config.first().map_or(&[][..], |c| &curves.values[c.start..c.end]);
        settled.push(given.unwrap_or_else(|| {
            if length < epochs {
                Status::Truncated
            } else if values.iter().any(|v| is_diverged(*v)) {
                Status::Diverged
            } else {
                Status::Ok
            }
        }));
    }
    Ok(settled)
}

fn no_curve(dir: &Path, id: usize, status: &str) -> Error {
    let file = dir.join(CURVES_FILE);
    let rule = format!("a configuration with {status} has a curve");
    let remedy = "write its curve, or status failed in configs.parquet";
    fault(file.display(), format!("config_id {id}"), "no rows", rule, remedy)
}

fn short_curve(dir: &Path, id: usize, length: usize, epochs: usize, status: &str) -> Error {
    let file = dir.join(CURVES_FILE);
    let rule = format!("a curve of status {status} has all {epochs} epochs");
    let remedy = "restore its rows, or write in configs.parquet its last_epoch where it is \
                  complete by then, else status truncated or failed";
    let found = format!("{length} epochs");
    fault(file.display(), format!("config_id {id}"), found, rule, remedy)
}

fn long_curve(dir: &Path, id: usize, length: usize, epochs: usize) -> Error {
    let file = dir.join(CURVES_FILE);
    let rule = format!("last_epoch in configs.parquet says that it is complete at {epochs}");
    let remedy = "correct last_epoch, or remove the rows beyond";
    let found = format!("{length} epochs");
    fault(file.display(), format!("config_id {id}"), found, rule, remedy)
}
