//! Runs grids for `replay` and `study`: probes them, says how far they are, keeps what is
//! finished.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use answers::analysis::Runs;
use base::error::{Error, Result, fault};
use base::units::plural;
use replay::{BLOCK_RUNS, Grid, Pool, RunOptions};
use store::runs::RunRow;
use store::{Output, Parts};

use crate::forecast::Forecast;
use crate::settings::Experiments;
use crate::{Events, runs};

/// A part of a study that takes this long is worth keeping; no kill loses much more. The first part
/// has a run a thread, so that the slowest study gets on between kills.
const PART_SECONDS: Duration = Duration::from_secs(2);

/// A grid on its tables, ready to run.
pub struct Runner<'a> {
    pub grid: &'a Grid,
    pub pools: &'a [Pool],
    pub threads: usize,
    pub stop: &'a AtomicBool,
    /// Who wants to know how far it is.
    pub events: &'a dyn Events,
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("grid", self.grid).finish_non_exhaustive()
    }
}

impl Runner<'_> {
    /// Refuses before the work what the answers would refuse after it (a baseline that no method
    /// or several fit, the same method twice), and says which goals no row can reach. Hands back
    /// the files of orders that were read.
    pub fn probe(&self, experiments: &Experiments) -> Result<Vec<PathBuf>> {
        self.try_all(experiments).map_err(|error| experiments.respell(error))
    }

    fn try_all(&self, experiments: &Experiments) -> Result<Vec<PathBuf>> {
        experiments.check_names(self.pools)?;
        let orders = Mutex::new(Vec::new());
        let note = |path: &Path| {
            orders.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_path_buf());
        };
        let grid = self.grid.probe();
        let mut rows: Vec<RunRow> = Vec::new();
        for pool in self.pools {
            self.warn_of_goals(pool)?;
            let first_run = u32::try_from(rows.len()).expect("a few rows a method");
            let options = RunOptions { first_run, ..RunOptions::all(1, false) };
            runs::run_noting(&grid, pool, &options, &note, |block| {
                rows.extend(block.into_iter().flat_map(|run| run.rows));
                Ok(())
            })?;
        }
        experiments.answer(&Runs::from_rows(&rows)?)?;
        for pool in self.pools {
            let (name, rows, hash) = (pool.name(), pool.rows(), pool.table_hash());
            self.events.detail(&format!("table {name}: {}, hash {hash}", plural(rows, "row")));
        }
        self.events.detail(&format!(
            "{} on {} by {}",
            plural(self.runs()?.0, "run"),
            plural(self.pools.len(), "table"),
            plural(self.threads, "thread")
        ));
        Ok(orders.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn_of_goals(&self, pool: &Pool) -> Result<()> {
        for target in self.grid.targets(pool)? {
            let best = pool.best_score();
            if !methods::interface::meets(best, target.score) {
                self.events.warn(&format!(
                    "goal {} on {}: no epoch of the table reaches {}, the best has {}: \
                     every run will end without it; ask for rank:1 or an easier goal",
                    target.text,
                    pool.name(),
                    target.value,
                    pool.value_of(best),
                ));
            }
        }
        Ok(())
    }

    /// Runs on all tables, and how many there are on each.
    pub fn runs(&self) -> Result<(u32, u32)> {
        let per_table = self.grid.runs()?;
        let tables = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        let all = per_table.checked_mul(tables).ok_or_else(|| {
            let rule = "a study has at most 4,294,967,295 runs";
            fault("study", "runs", "too many", rule, "make the grid smaller")
        })?;
        Ok((all, per_table))
    }

    /// Runs everything into the files that were asked for and hands the rows on. What Ctrl-C
    /// leaves unfinished is missing from the files and from the rows. Where the files cannot be
    /// written (a full disk) the runs go on if there are `answers` to be had, and that is told in
    /// [`Ran::unkept`].
    pub fn run(
        &self,
        output: Output,
        answers: bool,
        mut keep: impl FnMut(Vec<RunRow>) -> Result<()>,
    ) -> Result<Ran> {
        let (all, per_table) = self.runs()?;
        self.events.runs_planned(all, 0);
        let forecast = Forecast::begin(all, self.threads);
        let wants_trace = output.wants_trace();
        let (mut done, mut output, mut unkept) = (0, Some(output), None);
        for (at, pool) in (0..).zip(self.pools) {
            let options = RunOptions {
                first_run: at * per_table,
                stop: self.stop,
                progress: &|| self.run_done(&forecast),
                ..RunOptions::all(self.threads, wants_trace)
            };
            runs::run(self.grid, pool, &options, |block| {
                done += u32::try_from(block.len()).expect("a block is small");
                if let Some(mut open) = output.take() {
                    match runs::write(&mut open, pool, &block) {
                        Ok(()) => output = Some(open),
                        Err(e) if answers => unkept = Some(e),
                        Err(e) => return Err(e),
                    }
                }
                keep(block.into_iter().flat_map(|run| run.rows).collect())
            })?;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
        }
        self.events.runs_ended();
        match output.map_or(Ok(()), Output::finish) {
            Err(e) if answers => unkept = Some(e),
            finished => finished?,
        }
        Ok(Ran { ended: Ended { done, all }, unkept })
    }

    fn run_done(&self, forecast: &Forecast) {
        self.events.run_done();
        if let Some(sentence) = forecast.run_done() {
            self.events.note(&sentence);
        }
    }

    /// Runs what is missing of a study, part by part, and copies what older results have of it.
    /// `kept` is in the order of the runs. Whether it is whole now.
    pub fn run_parts(&self, parts: &mut Parts, kept: &[KeptRuns]) -> Result<Ended> {
        let (all, per_table) = self.runs()?;
        let (done, mut to_copy) = (parts.done(), 0);
        for KeptRuns { runs, .. } in kept {
            to_copy += runs.end.max(done) - runs.start.max(done);
        }
        self.events.runs_planned(all, done + to_copy);
        let forecast = Forecast::begin(all - done - to_copy, self.threads);
        let mut at_once = u32::try_from(self.threads).unwrap_or(BLOCK_RUNS).clamp(1, BLOCK_RUNS);
        while parts.done() < all && !self.stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let from = parts.done();
            let next = kept.partition_point(|kept| kept.runs.end <= from);
            let next = kept.get(next);
            if let Some(KeptRuns { runs, before }) = next.filter(|kept| kept.runs.contains(&from)) {
                parts.keep((before.start + (from - runs.start), before.end))?;
                continue;
            }
            let table = from / per_table;
            let to = from.saturating_add(at_once).min((table + 1) * per_table);
            let to = next.map_or(to, |kept| to.min(kept.runs.start));
            let mut output = parts.begin(to)?;
            let pool = &self.pools[table as usize];
            let options = RunOptions {
                from: from - table * per_table,
                to: to - table * per_table,
                first_run: table * per_table,
                stop: self.stop,
                progress: &|| self.run_done(&forecast),
                ..RunOptions::all(self.threads, true)
            };
            let mut done = 0;
            runs::run(self.grid, pool, &options, |block| {
                done += u32::try_from(block.len()).expect("a block is small");
                runs::write(&mut output, pool, &block)
            })?;
            // Of a part that was stopped, what is finished is kept.
            if done > 0 {
                parts.finish(output, from + done)?;
            }
            if began.elapsed() < PART_SECONDS {
                at_once = at_once.saturating_mul(2);
            }
        }
        self.events.runs_ended();
        Ok(Ended { done: parts.done(), all })
    }
}

/// Runs of a study that older results have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRuns {
    /// Their numbers in the study.
    pub runs: Range<u32>,
    /// Their numbers in the results.
    pub before: Range<u32>,
}

/// What became of the runs.
#[derive(Debug)]
pub struct Ran {
    pub ended: Ended,
    /// Why the files that were asked for are missing.
    pub unkept: Option<Error>,
}

/// How much of the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub done: u32,
    pub all: u32,
}

impl Ended {
    /// An error where something is missing, which says what was kept.
    pub fn whole(self, kept_in: &str) -> Result<()> {
        if self.done == self.all {
            return Ok(());
        }
        let kept = format!("{} of {} are done; {kept_in}", self.done, plural(self.all, "run"));
        Err(Error::Interrupted { kept })
    }
}

/// Where a file of runs goes, as a remedy names it.
pub fn kept_in(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("they are in {}", file.display()),
        None => "give --out to keep them in a file".to_string(),
    }
}
