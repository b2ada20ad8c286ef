//! Rows of runs into frames, as they come.
//!
//! Many rows share their method and goal: a row holds the number of its key, and the texts of a key
//! stand once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault, internal};
use polars::prelude::DataFrame;
use store::runs::{self, Record, RunRow};

use super::columns::{Block, FACTS};
use super::keys::Keys;
use super::record::{Wrong, check};
use super::runs::Runs;
use super::sorted::{Sorted, Twice};

/// Rows of the first block of facts.
const FACT_ROWS: usize = 1 << 16;

/// Runs in the making: rows are appended block by block and need not be kept.
pub struct RunsBuilder {
    keys: Keys,
    /// The facts of the newest rows. Each further block is as long as all before it together: few
    /// long blocks, so that the allocator hands them back whole.
    fact_block: Block,
    /// The rows before [`Self::fact_block`].
    facts: DataFrame,
    rows: u32,
    /// Where rows came from, and the first row of each.
    sources: Vec<(String, u32)>,
    /// By its name, the hash of each table and the first row that says it.
    tables: BTreeMap<String, (String, u32)>,
}

impl std::fmt::Debug for RunsBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunsBuilder").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for RunsBuilder {
    fn default() -> Self {
        Self {
            keys: Keys::new(),
            // The first block grows by doubling: most studies are small.
            fact_block: Block::new(&FACTS, FACT_ROWS, 0),
            facts: DataFrame::empty(),
            rows: 0,
            sources: vec![("these runs".to_string(), 0)],
            tables: BTreeMap::new(),
        }
    }
}

impl RunsBuilder {
    /// Appends rows. A row that contradicts itself is a fault; what stood before it stays.
    pub fn push(&mut self, rows: &[RunRow]) -> Result<()> {
        rows.iter().try_for_each(|row| self.push_record(&Record::from(row)))
    }

    /// Appends the rows of a file of the layout of `runs.parquet`; see [`Runs::from_files`].
    pub(super) fn push_file(&mut self, path: &Path) -> Result<()> {
        self.sources.push((path.display().to_string(), self.rows));
        let rows_before = self.rows;
        runs::read(path, |record| self.push_record(record))?;
        if self.rows == rows_before {
            return Err(self.no_rows());
        }
        Ok(())
    }

    pub(super) fn push_record(&mut self, record: &Record<'_>) -> Result<()> {
        check(record).map_err(|wrong| self.wrong_row(wrong))?;
        self.check_table(record)?;
        self.rows = self.rows.checked_add(1).ok_or_else(|| {
            let rule = "at most 4,294,967,295 rows are analysed at once";
            fault(&self.sources[0].0, "rows", "more", rule, "analyse fewer files at once")
        })?;
        self.keys.push(record);
        self.fact_block.push(record);
        if self.fact_block.is_full() {
            let so_far = self.facts.height() + self.fact_block.rows();
            let next = Block::new(&FACTS, so_far, so_far);
            let block = std::mem::replace(&mut self.fact_block, next);
            self.facts.vstack_mut_owned(block.finish()).map_err(holding)?;
        }
        Ok(())
    }

    /// Refuses runs of a table that has the name of another. Where the hash of a table is not
    /// known, as in older files, nothing can be said.
    fn check_table(&mut self, record: &Record<'_>) -> Result<()> {
        let (table, hash) = (record.table, record.table_hash);
        if hash.is_empty() {
            return Ok(());
        }
        let Some((known, first)) = self.tables.get(table) else {
            self.tables.insert(table.to_string(), (hash.to_string(), self.rows));
            return Ok(());
        };
        if known == hash {
            return Ok(());
        }
        let (here, there) = (self.source(self.rows), self.source(*first));
        let rule = format!(
            "two tables have this name, {} and {}, and runs of different tables are never pooled",
            short(known),
            short(hash)
        );
        let files = if here == there {
            "analyse their runs apart".to_string()
        } else {
            format!("analyse {} and {} apart", there.0, here.0)
        };
        let remedy = format!(
            "{files}, or give one of the two another `name` in its table.json and \
                              replay it again"
        );
        Err(fault(&here.0, "column table", table, rule, remedy))
    }

    /// Sorts the rows into groups of one goal and method, each by (repeat, seed). No rows, and a
    /// run that stands there twice, are faults.
    pub fn finish(mut self) -> Result<Runs> {
        if self.rows == 0 {
            return Err(self.no_rows());
        }
        let block = std::mem::replace(&mut self.fact_block, Block::new(&[], 0, 0));
        let mut facts = std::mem::take(&mut self.facts);
        facts.vstack_mut_owned(block.finish()).map_err(holding)?;
        let (keys, key_of_row) = std::mem::replace(&mut self.keys, Keys::new()).finish();
        match Sorted::new(&keys, key_of_row, facts).map_err(holding)? {
            Sorted::Once(runs) => Ok(runs),
            Sorted::Twice(twice) => Err(self.twice(&twice)),
        }
    }

    fn source(&self, row: u32) -> &(String, u32) {
        let at = self.sources.partition_point(|(_, first)| *first <= row);
        &self.sources[at - 1]
    }

    fn no_rows(&self) -> Error {
        let (source, _) = self.sources.last().expect("there is one from the start");
        let rule = "at least one run is needed";
        fault(source, "rows", 0, rule, "run `curvebook replay` with --out again")
    }

    /// The row that would be the next is wrong.
    fn wrong_row(&self, (column, value, rule): Wrong) -> Error {
        let (source, first) = self.source(self.rows);
        let field = format!("column {column}, row {}", self.rows - first);
        let remedy = "make the file again with `curvebook replay --out`, or leave that row out";
        fault(source, field, value, rule, remedy)
    }

    fn twice(&self, twice: &Twice) -> Error {
        let Twice { rows: (first, second), goal, method, repeat, seed } = twice;
        let value = format!("repeat {repeat}, seed {seed}, goal {goal} of `{method}`");
        let (here, there) = (self.source(*second), self.source(*first));
        let remedy = if here == there {
            "leave one of the two rows out".to_string()
        } else {
            let there = &there.0;
            format!(
                "it stands in {there} too: give one of the two files, or replay with another --seed"
            )
        };
        let rule = "the same run may not count twice";
        fault(&here.0, "columns repeat, seed", value, rule, remedy)
    }
}

/// The beginning of a hash, which is enough to tell two apart.
fn short(hash: &str) -> String {
    format!("{}...", hash.chars().take(8).collect::<String>())
}

fn holding(e: polars::error::PolarsError) -> Error {
    internal("holding runs", e)
}

/// The runs of some files; see [`Runs::from_files`].
pub(super) fn from_files(paths: &[PathBuf]) -> Result<Runs> {
    if paths.is_empty() {
        let rule = "at least one file of runs is needed";
        let remedy = "name the file that replay wrote";
        return Err(fault("command line", "RUNS.parquet", "missing", rule, remedy));
    }
    let mut builder = RunsBuilder::default();
    paths.iter().try_for_each(|path| builder.push_file(path))?;
    builder.finish()
}
