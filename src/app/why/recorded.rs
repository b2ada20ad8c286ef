//! What the files say of a run, and how to replay it from that.

use std::path::Path;

use base::error::{Error, Result, fault};
use base::units::SimTime;
use replay::Pool;
use store::trace::{TraceRecord, TraceRow};
use store::{runs, trace};

use super::Settings;
use crate::settings::{Door, Experiments, Given, REPLAY, Setting, recorded};

/// What `runs.parquet` says of a run, which is the same in each of its rows.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub run: u32,
    /// The table's name.
    pub table: String,
    /// Which table it was; empty where an older file does not say.
    pub table_hash: String,
    /// Canonical, as the two others.
    pub sampler: String,
    pub scheduler: String,
    pub stopper: String,
    pub report: String,
    pub value: String,
    pub workers: u32,
    pub repeat: u32,
    pub seed: u64,
    /// What is not the default and has no column.
    pub settings: String,
    /// One a row.
    goals: Vec<String>,
    end_reasons: Vec<String>,
}

/// An instant at which trials are cut, and how many may start.
pub(super) type Limits = (Option<SimTime>, Option<u32>);

impl Recorded {
    /// Finds a run in a file of runs.
    pub(super) fn find(path: &Path, asked: &Settings) -> Result<Self> {
        if asked.runs.is_none() && !path.exists() {
            let rule = "a trace says which trials ran, and runs.parquet by which methods";
            let remedy = "give --runs FILE, or replay again with --out and --trace";
            return Err(fault(path.display(), "file", "missing", rule, remedy));
        }
        let mut found: Option<Self> = None;
        let mut known = Known::default();
        runs::read(path, |row| {
            known.take(row.run);
            if row.run != asked.run {
                return Ok(());
            }
            let found = found.get_or_insert_with(|| Self {
                run: row.run,
                table: row.table.to_string(),
                table_hash: row.table_hash.to_string(),
                sampler: row.sampler.to_string(),
                scheduler: row.scheduler.to_string(),
                stopper: row.stopper.to_string(),
                report: row.report.to_string(),
                value: row.value.to_string(),
                workers: row.workers,
                repeat: row.repeat,
                seed: row.seed,
                settings: row.settings.to_string(),
                ..Self::default()
            });
            found.goals.push(row.goal.to_string());
            found.end_reasons.push(row.end_reason.to_string());
            Ok(())
        })?;
        found.ok_or_else(|| known.refusal(path, asked.run))
    }

    /// The grid of this one experiment, up to its repeat.
    pub(super) fn experiments(&self, path: &Path, table: &Path) -> Result<Experiments> {
        let mut given = Given::new(Door::File(path.display().to_string()), REPLAY);
        let mut set = |name: &str, texts: Vec<String>| {
            let setting = REPLAY.iter().find(|setting| setting.name == name);
            let setting = setting.expect("these are settings of a replay");
            given.take_option(setting, texts.into_iter().map(Into::into).collect());
        };
        set("tables", vec![table.display().to_string()]);
        set("samplers", vec![self.sampler.clone()]);
        set("schedulers", vec![self.scheduler.clone()]);
        set("stoppers", vec![self.stopper.clone()]);
        set("goals", self.goals.clone());
        set("repeats", vec![(u64::from(self.repeat) + 1).to_string()]);
        set("workers", vec![self.workers.to_string()]);
        set("value", vec![self.value.clone()]);
        set("report", vec![self.report.clone()]);
        set("seed", vec![self.seed.to_string()]);
        for (setting, text) in self.further(path)? {
            if setting.name == "overhead" && text.as_deref() == Some("measured") {
                let rule = "what choosing took on a real clock cannot be replayed";
                let remedy = "replay with --overhead none or fixed:SECONDS to ask why";
                let field = format!("settings of run {}", self.run);
                return Err(fault(path.display(), field, "overhead=measured", rule, remedy));
            }
            // As `replay` writes it where trials of the warm start run to their ends.
            if setting.name == "warm_start.epochs" && text.as_deref() == Some("all") {
                continue;
            }
            set(setting.name, text.into_iter().collect());
        }
        Experiments::read(&given)
    }

    /// The settings that have no column.
    fn further(&self, path: &Path) -> Result<Vec<(&'static Setting, Option<String>)>> {
        recorded(REPLAY, &self.settings).map_err(|part| {
            let field = format!("settings of run {}", self.run);
            let rule = "no such setting is known here";
            let remedy = "ask the version of the program that wrote the file";
            fault(path.display(), field, part, rule, remedy)
        })
    }

    /// Refuses another table than the one that was replayed.
    pub(super) fn check_table(&self, dir: &Path, pool: &Pool) -> Result<()> {
        if self.table_hash.is_empty() || self.table_hash == pool.table_hash() {
            return Ok(());
        }
        let rule = format!(
            "run {} was replayed on table `{}` as its hash was {}",
            self.run, self.table, self.table_hash
        );
        let remedy = "give that table, or replay again on this one";
        Err(fault(dir.display(), "table_hash", pool.table_hash(), rule, remedy))
    }

    /// Budgets and limits are not recorded: those that the ends tell, and then those that may have
    /// held workers back unseen.
    pub(super) fn limits(&self, traced: &Traced) -> Vec<Limits> {
        let ended = |by: &str| self.end_reasons.iter().any(|reason| reason == by);
        // Whatever ran then was cut at that instant.
        let budget = ended("budget").then(|| SimTime(traced.end_ns()));
        let started = Some(traced.trials());
        if ended("max_trials") {
            return vec![(budget, started)];
        }
        vec![(budget, None), (budget, started)]
    }
}

/// The runs that a file has.
#[derive(Debug, Default)]
struct Known(Option<(u32, u32)>);

impl Known {
    fn take(&mut self, run: u32) {
        let (first, last) = self.0.unwrap_or((run, run));
        self.0 = Some((first.min(run), last.max(run)));
    }

    fn refusal(&self, path: &Path, run: u32) -> Error {
        let rule = match self.0 {
            Some((first, last)) => format!("{} has runs {first} to {last}", path.display()),
            None => format!("{} has no runs", path.display()),
        };
        fault("--run", "run", run, rule, "choose one of them")
    }
}

/// A segment, as far as it must be the same.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    numbers: [u64; 9],
    end_state: String,
    /// By their bits.
    values: [Option<u64>; 2],
}

impl Key {
    fn of(row: &TraceRecord<'_>) -> Self {
        let bits = |value: Option<f64>| value.map(f64::to_bits);
        Self {
            numbers: [
                row.trial.into(),
                row.config_id.into(),
                row.curve_repeat.into(),
                row.worker.into(),
                row.start_ns,
                row.end_ns,
                row.epoch_first.into(),
                row.epochs.into(),
                row.overhead_ns,
            ],
            end_state: row.end_state.to_string(),
            values: [bits(row.value), bits(row.reported)],
        }
    }
}

/// The segments of a run, as a trace has them.
#[derive(Debug)]
pub(super) struct Traced(Vec<Key>);

impl Traced {
    pub(super) fn find(path: &Path, run: u32) -> Result<Self> {
        let mut segments: Vec<(u32, Key)> = Vec::new();
        let mut known = Known::default();
        trace::read(path, |row| {
            known.take(row.run);
            if row.run == run {
                segments.push((row.segment, Key::of(row)));
            }
            Ok(())
        })?;
        if segments.is_empty() {
            return Err(known.refusal(path, run));
        }
        // Whoever wrote the file anew may have sorted it.
        segments.sort_by_key(|(segment, _)| *segment);
        Ok(Self(segments.into_iter().map(|(_, key)| key).collect()))
    }

    /// How many trials started.
    pub(super) fn trials(&self) -> u32 {
        let last = self.0.iter().map(|key| key.numbers[0]).max().unwrap_or(0);
        u32::try_from(last + 1).unwrap_or(u32::MAX)
    }

    fn end_ns(&self) -> u64 {
        self.0.iter().map(|key| key.numbers[5]).max().unwrap_or(0)
    }

    /// The first segment that is not the recorded one.
    pub(super) fn difference(&self, anew: impl Iterator<Item = TraceRow>) -> Option<usize> {
        let anew: Vec<Key> = anew.map(|row| Key::of(&TraceRecord::from(&row))).collect();
        let same = self.0.iter().zip(&anew).take_while(|(one, other)| one == other).count();
        (same < self.0.len().max(anew.len())).then_some(same)
    }

    /// What is said of a run that comes out otherwise.
    pub(super) fn refusal(asked: &Settings, segment: usize) -> Error {
        let field = format!("run {}, segment {segment}", asked.run);
        let rule = "the run comes out otherwise when it is replayed, so nothing is known of it";
        let remedy = "give the runs.parquet and the table of this trace, to the version of the \
                      program that wrote it, or replay again with --out and --trace";
        fault(asked.trace.display(), field, "another one", rule, remedy)
    }
}
