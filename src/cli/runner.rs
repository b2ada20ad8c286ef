//! Runs grids for `replay` and `study`: probes them, shows how far they are, keeps what is
//! finished.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::progress;
use crate::analysis::{AnalyzeSettings, Runs, analyze};
use crate::error::{Error, Result, fault};
use crate::replay::Pool;
use crate::replay::run_row::RunRow;
use crate::replay::study::{BLOCK_RUNS, Grid, Output, Parts, RunOptions};

/// A part of a study that takes this long is worth keeping; no kill loses much more.
const PART_SECONDS: Duration = Duration::from_secs(5);

/// A grid on its tables, ready to run.
pub(super) struct Runner<'a> {
    pub grid: &'a Grid,
    pub pools: &'a [Pool],
    pub threads: usize,
    pub stop: &'a AtomicBool,
}

impl Runner<'_> {
    /// Refuses before the work what the answers would refuse after it (a baseline that no method
    /// or several fit, the same method twice), and says which goals no row can reach.
    pub(super) fn probe(&self, baseline: Option<&str>) -> Result<()> {
        let grid = self.grid.probe();
        let mut rows: Vec<RunRow> = Vec::new();
        for pool in self.pools {
            self.warn_of_goals(pool)?;
            let first_run = u32::try_from(rows.len()).expect("a few rows a method");
            let options = RunOptions { first_run, ..RunOptions::all(1, false) };
            grid.run(pool, &options, |block| {
                rows.extend(block.into_iter().flat_map(|run| run.rows));
                Ok(())
            })?;
        }
        let baseline = baseline.map(str::to_string);
        let settings = AnalyzeSettings { baseline, ..AnalyzeSettings::default() };
        analyze(&Runs::from_rows(&rows)?, &settings).map(|_| ())
    }

    fn warn_of_goals(&self, pool: &Pool) -> Result<()> {
        for target in self.grid.targets(pool)? {
            let best = pool.best_score();
            if !crate::method::meets(best, target.score) {
                eprintln!(
                    "warning: goal {} on {}: no epoch of the table reaches {}, the best has {}: \
                     every run will end without it; ask for rank:1 or an easier goal",
                    target.text,
                    pool.name(),
                    target.value,
                    pool.value_of(best),
                );
            }
        }
        Ok(())
    }

    /// Runs on all tables, and how many there are on each.
    pub(super) fn runs(&self) -> Result<(u32, u32)> {
        let per_table = self.grid.runs()?;
        let tables = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        let all = per_table.checked_mul(tables).ok_or_else(|| {
            let rule = "a study has at most 4,294,967,295 runs";
            fault("study", "runs", "too many", rule, "make the grid smaller")
        })?;
        Ok((all, per_table))
    }

    fn bar(&self) -> Result<ProgressBar> {
        let template = "{bar:30} {pos}/{len} runs, {per_sec}, left {eta}";
        Ok(progress::bar(u64::from(self.runs()?.0), template))
    }

    /// Runs everything into the files that were asked for and hands the rows on. What Ctrl-C
    /// leaves unfinished is missing from the files and from the rows.
    pub(super) fn run(
        &self,
        mut output: Output,
        mut keep: impl FnMut(Vec<RunRow>) -> Result<()>,
    ) -> Result<Ended> {
        let bar = self.bar()?;
        let (all, per_table) = self.runs()?;
        let mut done = 0;
        for (at, pool) in (0..).zip(self.pools) {
            let options = RunOptions {
                first_run: at * per_table,
                stop: self.stop,
                progress: &|| bar.inc(1),
                ..RunOptions::all(self.threads, output.wants_trace())
            };
            self.grid.run(pool, &options, |block| {
                output.write(pool, &block)?;
                done += u32::try_from(block.len()).expect("a block is small");
                keep(block.into_iter().flat_map(|run| run.rows).collect())
            })?;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
        }
        bar.finish_and_clear();
        output.finish()?;
        Ok(Ended { done, all })
    }

    /// Runs what is missing of a study, part by part. Whether it is whole now.
    pub(super) fn run_parts(&self, parts: &mut Parts) -> Result<Ended> {
        let bar = self.bar()?;
        bar.inc(u64::from(parts.done()));
        let (all, per_table) = self.runs()?;
        let mut runs = BLOCK_RUNS;
        while parts.done() < all && !self.stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let from = parts.done();
            let table = from / per_table;
            let to = from.saturating_add(runs).min((table + 1) * per_table);
            let mut output = parts.begin(to)?;
            let pool = &self.pools[table as usize];
            let options = RunOptions {
                from: from - table * per_table,
                to: to - table * per_table,
                first_run: table * per_table,
                stop: self.stop,
                progress: &|| bar.inc(1),
                ..RunOptions::all(self.threads, true)
            };
            let mut done = 0;
            self.grid.run(pool, &options, |block| {
                done += u32::try_from(block.len()).expect("a block is small");
                output.write(pool, &block)
            })?;
            if done == to - from {
                parts.finish(output, to)?;
            }
            if began.elapsed() < PART_SECONDS {
                runs = runs.saturating_mul(2);
            }
        }
        bar.finish_and_clear();
        Ok(Ended { done: parts.done(), all })
    }
}

/// How much of the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub done: u32,
    pub all: u32,
}

impl Ended {
    /// An error where something is missing, which says what was kept.
    pub(super) fn whole(self, kept_in: &str) -> Result<()> {
        if self.done == self.all {
            return Ok(());
        }
        let kept = format!("{} of {} runs are done; {kept_in}", self.done, self.all);
        Err(Error::Interrupted { kept })
    }
}

/// Where a file of runs goes, as a remedy names it.
pub(super) fn kept_in(file: Option<&Path>) -> String {
    match file {
        Some(file) => format!("they are in {}", file.display()),
        None => "give --out to keep them in a file".to_string(),
    }
}
