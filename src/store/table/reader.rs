//! A table in memory, ready to be replayed.

use std::path::Path;

use base::error::{Result, fault};
use base::space::Value;
use base::units::ConfigId;

use super::configs::{self, Configs};
use super::curves::{self, Curves, Further};
use super::doubts::{self, Doubt};
use super::findings::Findings;
use super::manifest::Manifest;
use super::record::Status;
use super::{MANIFEST_FILE, SECONDS_COLUMN, files, growth};

/// A loaded table: whatever it says has been checked.
#[derive(Debug)]
pub struct Table {
    pub manifest: Manifest,
    /// One vector a row, in the order of ids, each in the space's order.
    pub configs: Vec<Vec<Value>>,
    /// As given; where it is not, derived from the curves (the longest too short: truncated; NaN
    /// in the first: diverged).
    pub status: Vec<Status>,
    setup_ns: Vec<u64>,
    last_epochs: Vec<Option<u16>>,
    curves: Curves,
    cost_column: String,
}

/// What to read of a table.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The column of `curves.parquet` charged for an epoch; `seconds` if `None`.
    pub cost_column: Option<String>,
    /// Further columns of `curves.parquet` to keep, see [`Table::column`].
    pub columns: Vec<String>,
    /// Whether a shard will do. It does not replay.
    pub allow_shard: bool,
}

/// One training, epoch by epoch: epoch `e` stands at `e - 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveView<'a> {
    /// The metric in its own direction. NaN where training had diverged or the value was infinite,
    /// [`base::measured::NOT_MEASURED`] (a NaN, too) where the file has null.
    pub values: &'a [f64],
    /// What each epoch costs by itself, rounded half to even to nanoseconds.
    pub cost_ns: &'a [u64],
}

impl Table {
    /// Loads a table and checks everything that a replay relies on. Memory is taken for the rows
    /// that are there, never for those that a number in a file promises.
    pub fn load(dir: &Path, options: &LoadOptions) -> Result<Self> {
        Self::load_with(dir, options, &mut Findings::first())
    }

    pub(super) fn load_with(
        dir: &Path,
        options: &LoadOptions,
        findings: &mut Findings,
    ) -> Result<Self> {
        let dir = &growth::home(dir);
        let manifest = Manifest::read(dir)?;
        if let Some(first) = manifest.first_config
            && !options.allow_shard
        {
            let file = dir.join(MANIFEST_FILE);
            let rule = "this is a shard of a table: only a merged table replays";
            let remedy = "merge all of its shards with `curvebook table merge`";
            return Err(fault(file.display(), "first_config", first, rule, remedy));
        }
        check_seals(dir, &manifest)?;
        let cost_column = options.cost_column.as_deref().unwrap_or(SECONDS_COLUMN);
        let configs = configs::read(dir, &manifest, findings)?;
        let curves = curves::read(dir, &manifest, cost_column, &options.columns, findings)?;
        let status = curves::settle_status(dir, &manifest, &configs, &curves, findings)?;
        let Configs { values, setup_ns, last_epoch: last_epochs, .. } = configs;
        let cost_column = cost_column.to_string();
        let table =
            Self { manifest, configs: values, status, setup_ns, last_epochs, curves, cost_column };
        table.check_chance(dir, findings)?;
        Ok(table)
    }

    /// Signs that its numbers are not what a replay takes them for: costs that look cumulative or
    /// like milliseconds, a metric that looks like percent, NaN that looks like padding. `maker` is
    /// the field of `provenance` by which tables are known whose NaN means divergence for sure.
    pub fn doubts(&self, maker: Option<&str>) -> Vec<Doubt> {
        doubts::doubts(self, &self.cost_column, self.curves.cost_has_unit, maker)
    }

    /// An accuracy's level of chance is one, too, whatever its scale: 10 is one beside percentages.
    fn check_chance(&self, dir: &Path, findings: &mut Findings) -> Result<()> {
        let metric = &self.manifest.metric;
        let Some(chance) = metric.chance else { return Ok(()) };
        let is_percent = || self.curves.values.iter().any(|value| *value > 1.0);
        let is_odd = chance < 0.0 || (chance > 1.0 && !(chance <= 100.0 && is_percent()));
        if metric.name.ends_with("_accuracy") && is_odd {
            let file = dir.join(MANIFEST_FILE);
            let rule = "the accuracy of guessing lies between 0 and 1 (100 for percentages)";
            let remedy = "write 1 / number of classes, or remove the field";
            findings.add(fault(file.display(), "metric.chance", chance, rule, remedy))?;
        }
        Ok(())
    }

    /// How many configurations there are.
    pub fn rows(&self) -> usize {
        self.configs.len()
    }

    /// Epochs of a complete curve.
    pub fn epochs(&self) -> u16 {
        self.manifest.epochs
    }

    /// What one training recorded; `None` for an id or repeat that the table does not hold.
    pub fn curve(&self, config: ConfigId, repeat: u16) -> Option<CurveView<'_>> {
        let rows = self.span(config, repeat)?;
        let (values, cost_ns) = (&self.curves.values[rows.clone()], &self.curves.cost_ns[rows]);
        Some(CurveView { values, cost_ns })
    }

    /// The metric on test images, epoch by epoch, if the table has its column (`test_accuracy`
    /// beside `val_accuracy`); NaN where training had diverged or it was not
    /// measured. For analysis: no method sees it.
    pub fn test_values(&self, config: ConfigId, repeat: u16) -> Option<&[f64]> {
        let metric = &self.manifest.metric.name;
        let is_test = |column: &&Further| curves::is_test_of(metric, &column.name);
        let test = self.curves.further.iter().find(is_test)?;
        Some(&test.values[self.span(config, repeat)?])
    }

    /// A column that [`LoadOptions::columns`] named, epoch by epoch; NaN where training had
    /// diverged, where the number was infinite and where nothing was measured. `None`, too, for a
    /// column that was not asked for. Whole numbers are exact to 2^53.
    pub fn column(&self, name: &str, config: ConfigId, repeat: u16) -> Option<&[f64]> {
        let column = self.curves.further.iter().find(|column| column.name == name)?;
        Some(&column.values[self.span(config, repeat)?])
    }

    /// What a configuration cost before its first epoch; 0 where it was not recorded.
    pub fn setup_ns(&self, config: ConfigId) -> u64 {
        self.index(config).map_or(0, |index| self.setup_ns[index])
    }

    /// Where a configuration is complete, if it has a last epoch of its own.
    pub fn last_epoch(&self, config: ConfigId) -> Option<u16> {
        self.last_epochs[self.index(config)?]
    }

    /// The curve of the first repeat that a configuration has; nearly always repeat 0.
    pub fn first_curve(&self, config: ConfigId) -> Option<CurveView<'_>> {
        self.curve(config, self.repeats(config).next()?)
    }

    /// Epochs recorded, over all curves.
    pub fn recorded_epochs(&self) -> usize {
        self.curves.values.len()
    }

    /// Which repeats of a configuration there are, in ascending order.
    pub fn repeats(&self, config: ConfigId) -> impl Iterator<Item = u16> + '_ {
        let range =
            self.index(config).map_or(0..0, |i| self.curves.starts[i]..self.curves.starts[i + 1]);
        self.curves.spans[range].iter().map(|curve| curve.repeat)
    }

    fn index(&self, config: ConfigId) -> Option<usize> {
        let ids = self.manifest.ids();
        ids.contains(&config.0).then(|| (config.0 - ids.start) as usize)
    }

    fn span(&self, config: ConfigId, repeat: u16) -> Option<std::ops::Range<usize>> {
        let index = self.index(config)?;
        let of_config =
            &self.curves.spans[self.curves.starts[index]..self.curves.starts[index + 1]];
        // Repeats are nearly always all there; then a curve stands at its own number.
        let guess = of_config.get(usize::from(repeat)).filter(|c| c.repeat == repeat);
        let curve = guess.or_else(|| of_config.iter().find(|c| c.repeat == repeat))?;
        Some(curve.start..curve.end)
    }
}

/// Compares the Parquet files with the lengths and hashes in `table.json`, where it has them.
pub(super) fn check_seals(dir: &Path, manifest: &Manifest) -> Result<()> {
    for (name, sealed) in &manifest.files {
        let path = dir.join(name);
        // A missing file is reported by whoever opens it.
        let Ok(found) = files::seal(&path) else { continue };
        if found == *sealed {
            continue;
        }
        let (value, wanted) = if found.bytes == sealed.bytes {
            (found.sha256, format!("sha256 {}", sealed.sha256))
        } else {
            (format!("{} bytes", found.bytes), format!("{} bytes", sealed.bytes))
        };
        let rule = format!("{MANIFEST_FILE} says {wanted}: the file has changed since");
        let remedy = format!(
            "restore it; if you changed it on purpose, remove `files` from {MANIFEST_FILE}"
        );
        return Err(fault(path.display(), "contents", value, rule, remedy));
    }
    Ok(())
}
