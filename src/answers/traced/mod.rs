//! Runs with their traces: whose segments stand in `trace.parquet`.
//!
//! A trace names its runs by number alone. [`TracedRuns`] knows from `runs.parquet` of which method
//! each run is and how it ended, and [`TracedRuns::each_run`] reads a trace run by run, holding the
//! segments of one run at a time, and refuses a trace that is not of these runs.

mod pools;
mod segments;

use std::collections::BTreeMap;
use std::path::Path;

use base::error::{Error, Result, fault};
use base::stats::Interval;
use replay::EndReason;
use store::runs::{self, Record, RunRow};
use store::trace;

pub(crate) use pools::{Pools, check_values, mode};
pub(crate) use segments::by_trial;
pub use segments::{Segment, SegmentReader};

use crate::analysis::Method;

/// A run as its rows of `runs.parquet` tell it, one a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct TracedRun {
    pub run: u32,
    /// An index into the methods that the runs were read for.
    pub method: usize,
    pub repeat: u32,
    pub seed: u64,
    /// In the order of their rows.
    pub goals: Vec<TracedGoal>,
    /// Trials started by the run's end, at its last goal.
    pub trials: u32,
    /// When the run ended.
    pub end_s: f64,
    /// The best value at its end, in the metric's own direction; `None` where it has none or the
    /// file does not say.
    pub selected_value: Option<f64>,
}

/// A goal of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TracedGoal {
    /// An index into [`TracedRuns::goals`].
    pub goal: usize,
    /// The threshold, in the metric's own direction.
    pub value: f64,
    /// Rows of the table that meet it.
    pub rows: u32,
    /// The time to the goal: infinite where it is never reached, above the run's end where the run
    /// was cut.
    pub time_s: Interval,
    pub end_reason: EndReason,
}

/// All runs of one `runs.parquet`, by their numbers.
#[derive(Debug, Clone)]
pub struct TracedRuns {
    file: String,
    methods: Vec<Method>,
    goals: Vec<String>,
    runs: BTreeMap<u32, TracedRun>,
    /// By the name of each table the hash that its runs say, where they say one.
    hashes: BTreeMap<String, String>,
}

/// A `runs.parquet` and the trace that was written beside it.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    pub runs: &'a TracedRuns,
    pub trace: &'a Path,
}

impl TracedRuns {
    /// Reads a `runs.parquet` whose runs are of `methods`:
    /// [`Analysis::methods`](crate::analysis::Analysis::methods) of an analysis that it went into.
    ///
    /// # Errors
    /// Faults of the file, of a run of another method, and of rows that share a number and are not
    /// of one run.
    pub fn from_file(path: &Path, methods: &[Method]) -> Result<Self> {
        let mut all = Self::new(&path.display().to_string(), methods);
        runs::read(path, |record| all.push(record))?;
        Ok(all)
    }

    /// The same of rows that have just been made; `file` names them in faults.
    ///
    /// # Errors
    /// As [`Self::from_file`].
    pub fn from_rows(file: &str, rows: &[RunRow], methods: &[Method]) -> Result<Self> {
        let mut all = Self::new(file, methods);
        rows.iter().try_for_each(|row| all.push(&Record::from(row)))?;
        Ok(all)
    }

    fn new(file: &str, methods: &[Method]) -> Self {
        Self {
            file: file.to_string(),
            methods: methods.to_vec(),
            goals: Vec::new(),
            runs: BTreeMap::new(),
            hashes: BTreeMap::new(),
        }
    }

    /// The methods that the runs are of.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The goals as they were asked for, in the order of first appearance.
    pub fn goals(&self) -> &[String] {
        &self.goals
    }

    /// The run with a number.
    pub fn run(&self, run: u32) -> Option<&TracedRun> {
        self.runs.get(&run)
    }

    /// All runs, by their numbers.
    pub fn runs(&self) -> impl Iterator<Item = &TracedRun> {
        self.runs.values()
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The hash that the runs of a table say, where they do.
    pub(crate) fn table_hash(&self, table: &str) -> Option<&str> {
        self.hashes.get(table).map(String::as_str)
    }

    fn push(&mut self, record: &Record<'_>) -> Result<()> {
        let method = self.method_of(record)?;
        let goal = self.goals.iter().position(|goal| goal == record.goal).unwrap_or_else(|| {
            self.goals.push(record.goal.to_string());
            self.goals.len() - 1
        });
        if !record.table_hash.is_empty() && !self.hashes.contains_key(record.table) {
            self.hashes.insert(record.table.to_string(), record.table_hash.to_string());
        }
        let end_reason = end_reason(record.end_reason).ok_or_else(|| {
            let rule = "must be goal, exhausted, budget, max_trials or ending";
            self.wrong("end_reason", record.run, record.end_reason, rule)
        })?;
        let goal = TracedGoal {
            goal,
            value: record.goal_value,
            rows: record.goal_rows,
            time_s: match record.time_to_goal_s {
                Some(time) => Interval::exact(time),
                None if end_reason.censors() => Interval { low: record.end_s, high: f64::INFINITY },
                None => Interval::exact(f64::INFINITY),
            },
            end_reason,
        };
        let (repeat, seed) = (record.repeat, record.seed);
        if let Some(run) = self.runs.get(&record.run) {
            if (run.method, run.repeat, run.seed) != (method, repeat, seed) {
                let value = format!("repeat {repeat}, seed {seed} of `{}`", self.methods[method]);
                let rule = "another run has this number: a number stands for one run of a file";
                return Err(self.wrong("run", record.run, &value, rule));
            }
            if run.goals.iter().any(|known| known.goal == goal.goal) {
                let rule = "the same run and goal stand there twice";
                return Err(self.wrong("run, goal", record.run, record.goal, rule));
            }
        }
        let run = self.runs.entry(record.run).or_insert_with(|| TracedRun {
            run: record.run,
            method,
            repeat,
            seed,
            goals: Vec::new(),
            trials: 0,
            end_s: f64::NEG_INFINITY,
            selected_value: None,
        });
        run.goals.push(goal);
        // Of its goals, the one that was met last saw the whole run.
        if record.end_s > run.end_s || (record.end_s == run.end_s && record.trials > run.trials) {
            (run.end_s, run.trials) = (record.end_s, record.trials);
            run.selected_value = record.selected_value;
        }
        Ok(())
    }

    fn method_of(&self, record: &Record<'_>) -> Result<usize> {
        let is_same = |method: &&Method| {
            (method.table == record.table && method.sampler == record.sampler)
                && (method.scheduler == record.scheduler && method.stopper == record.stopper)
                && (method.report == record.report && method.value == record.value)
                && (method.workers == record.workers && method.settings == record.settings)
        };
        let newest = self.runs.last_key_value().map(|(_, run)| run.method);
        if let Some(newest) = newest.filter(|newest| is_same(&&self.methods[*newest])) {
            return Ok(newest);
        }
        self.methods.iter().position(|method| is_same(&method)).ok_or_else(|| {
            let value = format!(
                "{} + {} + {} on {}",
                record.sampler, record.scheduler, record.stopper, record.table
            );
            let rule = "no method of the analysis is this one";
            self.wrong("sampler, scheduler, stopper", record.run, &value, rule)
        })
    }

    fn wrong(&self, columns: &str, run: u32, value: &str, rule: &str) -> Error {
        let field = format!("columns {columns}, run {run}");
        let remedy = "give the runs.parquet that the analysis was made of, as replay wrote it";
        fault(&self.file, field, value, rule, remedy)
    }

    /// Reads a trace and hands on every run with its segments, in the order of their starts.
    ///
    /// # Errors
    /// Faults of the file; of a run that is not among these, or whose segments are not those of
    /// its trials; of a run with trials of which nothing stands there; and what `sink` refuses.
    pub fn each_run(
        &self,
        path: &Path,
        sink: impl FnMut(&TracedRun, &[Segment]) -> Result<()>,
    ) -> Result<()> {
        if !path.exists() {
            let rule = "a replay writes its segments only where it is asked to";
            let remedy = "replay again with --trace FILE; a study always writes trace.parquet";
            return Err(fault(path.display(), "file", "missing", rule, remedy));
        }
        let mut reader = SegmentReader::new(self, &path.display().to_string(), sink);
        trace::read(path, |record| reader.push(record))?;
        reader.finish()
    }
}

fn end_reason(word: &str) -> Option<EndReason> {
    let all = [
        EndReason::Goal,
        EndReason::Exhausted,
        EndReason::Budget,
        EndReason::MaxTrials,
        EndReason::Ending,
    ];
    all.into_iter().find(|reason| reason.word() == word)
}
