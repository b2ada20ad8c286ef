//! Rows of runs into columns of numbers, as they come.
//!
//! Text is interned at once: a row becomes 116 bytes of numbers ([`super::runs::ROW_BYTES`]), and
//! the strings of a method stand once, however many rows name them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault, internal};
use polars::prelude::{Column, DataFrame};
use rayon::prelude::*;
use store::runs::{self, Record, RunRow};

use super::Method;
use super::record::{Wrong, checked_end};
use super::runs::{GoalName, GroupRows, Runs, Threshold};

/// Rows of the first block of a column that grows, as a power of 2.
const FIRST_BLOCK_LOG2: u32 = 16;

/// A column that grows without ever copying what it has: each further block is as long as all
/// before it together. Few long blocks, so that the allocator hands them back whole.
#[derive(Debug)]
struct Grown<T>(Vec<Vec<T>>);

impl<T: Copy> Grown<T> {
    fn push(&mut self, value: T) {
        let blocks = self.0.len();
        match self.0.last_mut() {
            // The first one grows by doubling: most studies are small.
            None => self.0.push(vec![value]),
            Some(block) if block.len() < block_rows(blocks - 1) => block.push(value),
            Some(_) => {
                let mut block = Vec::with_capacity(block_rows(blocks));
                block.push(value);
                self.0.push(block);
            }
        }
    }

    fn at(&self, row: u32) -> T {
        let first = 1 << FIRST_BLOCK_LOG2;
        if row < first {
            return self.0[0][row as usize];
        }
        let block = row.ilog2() - FIRST_BLOCK_LOG2;
        self.0[block as usize + 1][(row - (first << block)) as usize]
    }

    fn ordered(self, order: &[u32]) -> Vec<T> {
        order.iter().map(|&row| self.at(row)).collect()
    }
}

fn block_rows(block: usize) -> usize {
    1 << (FIRST_BLOCK_LOG2 as usize + block.saturating_sub(1))
}

/// Gives every text a number, in the order of first appearance.
#[derive(Debug, Default)]
struct Words {
    known: HashMap<Box<str>, u32>,
    list: Vec<Box<str>>,
}

impl Words {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.known.get(text) {
            return number;
        }
        let number = u32::try_from(self.list.len()).expect("fewer texts than rows");
        self.known.insert(text.into(), number);
        self.list.push(text.into());
        number
    }
}

/// A tuple of numbers to its place in a list, in the order of first appearance.
fn place<K: Eq + std::hash::Hash>(of: &mut HashMap<K, u32>, key: K, make: impl FnOnce()) -> u32 {
    let next = u32::try_from(of.len()).expect("fewer methods and goals than rows");
    *of.entry(key).or_insert_with(|| {
        make();
        next
    })
}

/// Runs in the making: rows are appended block by block and need not be kept.
#[derive(Debug)]
pub struct RunsBuilder {
    words: Words,
    /// The texts of the row before, with their numbers: rows that follow each other mostly share
    /// them.
    before: [u32; 8],
    method_of: HashMap<([u32; 7], u32), u32>,
    goal_of: HashMap<[u32; 2], u32>,
    threshold_of: HashMap<(u32, u64, u32), u32>,
    methods: Vec<Method>,
    goals: Vec<GoalName>,
    thresholds: Vec<Threshold>,
    /// (method, threshold, repeat, end, trials, stopped, trials to goal).
    counts: [Grown<u32>; 7],
    seed: Grown<u64>,
    numbers: [Grown<f64>; 10],
    rows: u32,
    /// Where rows came from, and the first row of each.
    sources: Vec<(String, u32)>,
}

/// The columns of [`RunsBuilder::counts`].
pub(super) const COUNTS: [&str; 7] =
    ["method", "threshold", "repeat", "end_reason", "trials", "stopped_trials", "trials_to_goal"];

/// The columns of [`RunsBuilder::numbers`]. NaN where there is none.
pub(super) const NUMBERS: [&str; 10] = [
    "time_to_goal_s",
    "time_to_goal_epoch_s",
    "end_s",
    "epochs",
    "epochs_to_goal",
    "table_share",
    "snap_distance_median",
    "overhead_s",
    "selected_value",
    "selected_test",
];

/// In `trials_to_goal` where the goal was not reached.
pub(super) const NO_COUNT: u32 = u32::MAX;

impl Default for RunsBuilder {
    fn default() -> Self {
        Self {
            words: Words::default(),
            before: [0; 8],
            method_of: HashMap::new(),
            goal_of: HashMap::new(),
            threshold_of: HashMap::new(),
            methods: Vec::new(),
            goals: Vec::new(),
            thresholds: Vec::new(),
            counts: std::array::from_fn(|_| Grown(Vec::new())),
            seed: Grown(Vec::new()),
            numbers: std::array::from_fn(|_| Grown(Vec::new())),
            rows: 0,
            sources: vec![("these runs".to_string(), 0)],
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
        let end = checked_end(record).map_err(|wrong| self.wrong_row(wrong))?;
        let (method, threshold) = (self.method(record), self.threshold(record));
        #[expect(clippy::cast_precision_loss, reason = "counts of epochs are below 2^53")]
        let float = |epochs: u64| epochs as f64;
        let counts = [
            method,
            threshold,
            record.repeat,
            end,
            record.trials,
            record.stopped_trials,
            record.trials_to_goal.unwrap_or(NO_COUNT),
        ];
        let maybe = |number: Option<f64>| number.unwrap_or(f64::NAN);
        let numbers = [
            maybe(record.time_to_goal_s),
            maybe(record.time_to_goal_epoch_s),
            record.end_s,
            float(record.epochs),
            maybe(record.epochs_to_goal.map(float)),
            record.table_share,
            maybe(record.snap_distance_median),
            record.overhead_s,
            maybe(record.selected_value),
            maybe(record.selected_test),
        ];
        self.rows = self.rows.checked_add(1).ok_or_else(|| {
            let rule = "at most 4,294,967,295 rows are analysed at once";
            fault(&self.sources[0].0, "rows", "more", rule, "analyse fewer files at once")
        })?;
        self.counts.iter_mut().zip(counts).for_each(|(column, value)| column.push(value));
        self.numbers.iter_mut().zip(numbers).for_each(|(column, value)| column.push(value));
        self.seed.push(record.seed);
        Ok(())
    }

    fn word(&mut self, slot: usize, text: &str) -> u32 {
        let same = self.words.list.get(self.before[slot] as usize).is_some_and(|w| **w == *text);
        if !same {
            self.before[slot] = self.words.number(text);
        }
        self.before[slot]
    }

    fn method(&mut self, r: &Record<'_>) -> u32 {
        let texts = [r.table, r.sampler, r.scheduler, r.stopper, r.report, r.value, r.settings];
        let mut words = [0; 7];
        for (slot, (word, text)) in words.iter_mut().zip(texts).enumerate() {
            *word = self.word(slot, text);
        }
        let methods = &mut self.methods;
        place(&mut self.method_of, (words, r.workers), || {
            methods.push(Method {
                table: r.table.to_string(),
                sampler: r.sampler.to_string(),
                scheduler: r.scheduler.to_string(),
                stopper: r.stopper.to_string(),
                report: r.report.to_string(),
                value: r.value.to_string(),
                workers: r.workers,
                settings: r.settings.to_string(),
            });
        })
    }

    fn threshold(&mut self, r: &Record<'_>) -> u32 {
        let words = [self.word(0, r.table), self.word(7, r.goal)];
        let goals = &mut self.goals;
        let goal = place(&mut self.goal_of, words, || {
            goals.push(GoalName { table: r.table.to_string(), goal: r.goal.to_string() });
        });
        let (value, rows) = (r.goal_value, r.goal_rows);
        let thresholds = &mut self.thresholds;
        place(&mut self.threshold_of, (goal, value.to_bits(), rows), || {
            thresholds.push(Threshold { goal: goal as usize, value, rows });
        })
    }

    /// Sorts the rows into groups of one goal and method, each by (repeat, seed). No rows, and a
    /// run that stands there twice, are faults.
    pub fn finish(self) -> Result<Runs> {
        if self.rows == 0 {
            return Err(self.no_rows());
        }
        let order = self.order();
        let groups = self.groups(&order)?;
        let columns = COUNTS.into_iter().zip(self.counts);
        // One after another: each frees what it came from before the next is made.
        let mut frame: Vec<Column> =
            columns.map(|(name, c)| Column::new(name.into(), c.ordered(&order))).collect();
        frame.push(Column::new("seed".into(), self.seed.ordered(&order)));
        let columns = NUMBERS.into_iter().zip(self.numbers);
        frame.extend(columns.map(|(name, c)| Column::new(name.into(), c.ordered(&order))));
        let frame = DataFrame::new(order.len(), frame).map_err(|e| internal("holding runs", e))?;
        let (methods, goals, thresholds) = (self.methods, self.goals, self.thresholds);
        Ok(Runs { frame, methods, goals, thresholds, groups })
    }

    /// What a row sorts by: its goal, method, repeat and seed.
    fn key(&self, row: u32) -> (u32, u32, u32, u64) {
        let [method, threshold, repeat, ..] = &self.counts;
        let goal = self.thresholds[threshold.at(row) as usize].goal;
        let goal = u32::try_from(goal).expect("fewer goals than rows");
        (goal, method.at(row), repeat.at(row), self.seed.at(row))
    }

    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.rows).collect();
        order.par_sort_unstable_by_key(|&row| (self.key(row), row));
        order
    }

    fn groups(&self, order: &[u32]) -> Result<Vec<GroupRows>> {
        let mut groups: Vec<GroupRows> = Vec::new();
        let mut before = None;
        for (at, &row) in order.iter().enumerate() {
            let key = self.key(row);
            if before == Some(key) {
                return Err(self.twice(order[at - 1], row));
            }
            before = Some(key);
            let (goal, method) = (key.0 as usize, key.1 as usize);
            match groups.last_mut() {
                Some(group) if (group.goal, group.method) == (goal, method) => {
                    group.rows.end = at + 1;
                }
                _ => groups.push(GroupRows { goal, method, rows: at..at + 1 }),
            }
        }
        Ok(groups)
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

    fn twice(&self, first: u32, second: u32) -> Error {
        let (goal, method, repeat, seed) = self.key(second);
        let (goal, method) = (&self.goals[goal as usize].goal, &self.methods[method as usize]);
        let value = format!("repeat {repeat}, seed {seed}, goal {goal} of `{method}`");
        let (here, there) = (self.source(second), self.source(first));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_gives_back_every_row_across_its_blocks() {
        let rows = 5 << FIRST_BLOCK_LOG2;
        let mut column = Grown(Vec::new());
        (0..rows).for_each(|row| column.push(row));
        assert_eq!(column.0.iter().map(Vec::len).sum::<usize>(), rows as usize);
        assert!((0..rows).all(|row| column.at(row) == row));
        assert_eq!(column.0.len(), 4, "of 1, 1, 2 and up to 4 times the first");
        assert_eq!(column.ordered(&[70_000, 3]), [70_000, 3]);
    }
}
