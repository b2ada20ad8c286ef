//! The grid, and its runs spread over threads.

use rayon::prelude::*;

use super::order_file::read_orders;
use crate::error::{Result, fault, internal};
use crate::method::{
    Context, Method, RunContext, SamplerFactory, SchedulerFactory, StopperFactory,
};
use crate::replay::run_row::RunRow;
use crate::replay::{
    Goal, GoalFacts, Methods, Outcome, Pool, Segment, Settings, Target, Workspace, replay,
};

/// Runs that are computed before any of them is handed on: bounds the memory of a study.
const BLOCK_RUNS: u32 = 1024;

/// A grid of experiments on one table.
#[derive(Debug)]
pub struct Grid {
    pub samplers: Vec<Method<SamplerFactory>>,
    pub schedulers: Vec<Method<SchedulerFactory>>,
    pub stoppers: Vec<Method<StopperFactory>>,
    pub goals: Vec<Goal>,
    /// Repeats of every combination.
    pub repeats: u32,
    /// One experiment each.
    pub workers: Vec<u32>,
    /// Everything else; its `workers` is ignored.
    pub settings: Settings,
}

/// One run with what it writes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    pub run: u32,
    pub repeat: u32,
    /// One a goal.
    pub rows: Vec<RunRow>,
    /// Empty unless a trace was asked for.
    pub segments: Vec<Segment>,
}

/// Some runs, in order.
pub type Block = Vec<RunRecord>;

/// One combination of methods, built for the table.
struct Cell<'a> {
    sampler: &'a (&'a Method<SamplerFactory>, SamplerFactory),
    scheduler: &'a (&'a Method<SchedulerFactory>, SchedulerFactory),
    stopper: &'a (&'a Method<StopperFactory>, StopperFactory),
    settings: Settings,
}

impl Grid {
    /// Refuses an empty axis, no repeats and no workers. Axes are named as command-line options.
    pub fn check(&self) -> Result<()> {
        let axes = [
            ("--sampler", self.samplers.len()),
            ("--scheduler", self.schedulers.len()),
            ("--stopper", self.stoppers.len()),
            ("--goal", self.goals.len()),
            ("--workers", self.workers.len()),
            ("--repeats", self.repeats as usize),
        ];
        for (option, count) in axes {
            if count == 0 {
                let remedy = "give at least one";
                return Err(fault(option, "count", 0, "an empty grid has no runs", remedy));
            }
        }
        if self.workers.contains(&0) {
            return Err(fault("--workers", "workers", 0, "must be 1 or more", "give 1 or more"));
        }
        Ok(())
    }

    /// The same grid with one repeat of one trial: every method shows itself, at next to no cost.
    #[must_use]
    pub fn probe(&self) -> Self {
        Self {
            samplers: self.samplers.clone(),
            schedulers: self.schedulers.clone(),
            stoppers: self.stoppers.clone(),
            goals: self.goals.clone(),
            repeats: 1,
            workers: self.workers.clone(),
            settings: Settings { trials_max: Some(1), ..self.settings.clone() },
        }
    }

    /// Runs of the grid on one table.
    pub fn runs(&self) -> Result<u32> {
        let cells =
            self.samplers.len() * self.schedulers.len() * self.stoppers.len() * self.workers.len();
        let runs = cells as u64 * u64::from(self.repeats);
        u32::try_from(runs).map_err(|_| {
            let rule = "a study has at most 4,294,967,295 runs";
            fault("--repeats", "repeats", self.repeats, rule, "make the grid smaller")
        })
    }

    /// The goals as thresholds on a table.
    pub fn targets(&self, pool: &Pool) -> Result<Vec<Target>> {
        self.goals.iter().map(|goal| goal.on(pool, self.settings.value)).collect()
    }

    /// Runs the grid on one table with `threads` threads and hands the runs on in order, a block at
    /// a time. `first_run` is the number of the first run: studies of several tables go on
    /// counting.
    pub fn run(
        &self,
        pool: &Pool,
        first_run: u32,
        threads: usize,
        trace: bool,
        mut sink: impl FnMut(Block) -> Result<()>,
    ) -> Result<()> {
        self.check()?;
        let targets = self.targets(pool)?;
        let context = Context {
            table: pool.name(),
            space: pool.space(),
            metric: pool.metric(),
            rows: pool.rows(),
            epochs: pool.epochs(),
            repeats: self.repeats,
            read_orders: &read_orders,
        };
        let samplers = build_all(&self.samplers, &context)?;
        let schedulers = build_all(&self.schedulers, &context)?;
        let stoppers = build_all(&self.stoppers, &context)?;
        let mut cells = Vec::new();
        for &workers in &self.workers {
            for sampler in &samplers {
                for scheduler in &schedulers {
                    for stopper in &stoppers {
                        let settings = Settings { workers, ..self.settings.clone() };
                        cells.push(Cell { sampler, scheduler, stopper, settings });
                    }
                }
            }
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| internal("starting threads", e))?;
        let runs = self.runs()?;
        for start in (0..runs).step_by(BLOCK_RUNS as usize) {
            let end = runs.min(start.saturating_add(BLOCK_RUNS));
            let one = |workspace: &mut Workspace, index: u32| {
                let cell = &cells[(index / self.repeats) as usize];
                let repeat = index % self.repeats;
                let outcome = cell.run(pool, &targets, repeat, workspace, trace);
                cell.record(pool, &targets, first_run + index, repeat, outcome)
            };
            let block = threads.install(|| {
                (start..end).into_par_iter().map_init(Workspace::default, one).collect()
            });
            sink(block)?;
        }
        Ok(())
    }
}

fn build_all<'a, Factory>(
    methods: &'a [Method<Factory>],
    context: &Context<'_>,
) -> Result<Vec<(&'a Method<Factory>, Factory)>> {
    methods.iter().map(|method| Ok((method, method.build(context)?))).collect()
}

impl Cell<'_> {
    fn run(
        &self,
        pool: &Pool,
        targets: &[Target],
        repeat: u32,
        workspace: &mut Workspace,
        trace: bool,
    ) -> Outcome {
        let context = RunContext { seed: self.settings.seed, repeat };
        let mut methods = Methods {
            sampler: (self.sampler.1)(&context),
            scheduler: (self.scheduler.1)(&context),
            stopper: (self.stopper.1)(&context),
        };
        replay(pool, &self.settings, targets, repeat, &mut methods, workspace, trace)
    }

    fn record(
        &self,
        pool: &Pool,
        targets: &[Target],
        run: u32,
        repeat: u32,
        outcome: Outcome,
    ) -> RunRecord {
        let rows = targets.iter().zip(&outcome.goals);
        let rows = rows.map(|(target, facts)| self.row(pool, target, facts, run, repeat));
        RunRecord { run, repeat, rows: rows.collect(), segments: outcome.segments }
    }

    fn row(&self, pool: &Pool, target: &Target, goal: &GoalFacts, run: u32, repeat: u32) -> RunRow {
        let facts = &goal.facts;
        RunRow {
            run,
            table: pool.name().to_string(),
            sampler: self.sampler.0.canonical.clone(),
            scheduler: self.scheduler.0.canonical.clone(),
            stopper: self.stopper.0.canonical.clone(),
            report: "best".to_string(),
            value: self.settings.value.word().to_string(),
            workers: self.settings.workers,
            goal: target.text.clone(),
            goal_value: target.value,
            goal_rows: target.rows,
            repeat,
            seed: self.settings.seed,
            reached: goal.reached_at.is_some(),
            time_to_goal_s: goal.reached_at.map(crate::units::SimTime::seconds),
            time_to_goal_epoch_s: goal.epoch_reached_at.map(crate::units::SimTime::seconds),
            trials_to_goal: goal.reached_at.map(|_| facts.trials),
            epochs_to_goal: goal.reached_at.map(|_| facts.epochs),
            end_s: facts.end.seconds(),
            trials: facts.trials,
            epochs: facts.epochs,
            stopped_trials: facts.stopped_trials,
            end_reason: goal.end_reason,
            table_share: f64::from(facts.trials) / f64::from(pool.rows()),
            snap_distance_median: Some(facts.snap_distance_median).filter(|d| !d.is_nan()),
            settings: String::new(),
            overhead_s: 0.0,
            selected_config: None,
            selected_epoch: None,
            selected_value: None,
            selected_test: None,
        }
    }
}
