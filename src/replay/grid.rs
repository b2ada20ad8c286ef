//! The grid, and its runs spread over threads.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Result, fault, internal};
use base::units::{Epoch, SimTime, plural};
use methods::interface::{
    Context, EndingFactory, Method, Readers, RunContext, SamplerFactory, SchedulerFactory,
    StopperFactory,
};
use rayon::prelude::*;

use super::cell::{Built, BuiltWarmStart, Cell, check_report};
use crate::trio::{Trio, TrioRef};
use crate::{
    Goal, GoalFacts, Methods, Pool, Report, Segment, Settings, Target, ValueMode, Workspace,
};

/// Runs that are computed before any of them is handed on: bounds the memory of a study.
pub const BLOCK_RUNS: u32 = 256;

/// Experiments on one table: every sampler with every scheduler and every stopper, and further
/// combinations of such methods.
#[derive(Debug, Clone)]
pub struct Grid {
    pub samplers: Vec<Method<SamplerFactory>>,
    pub schedulers: Vec<Method<SchedulerFactory>>,
    pub stoppers: Vec<Method<StopperFactory>>,
    /// Combinations beside those, or alone where the three lists are empty.
    pub further: Vec<Trio>,
    pub goals: Vec<Goal>,
    /// Repeats of every combination.
    pub repeats: u32,
    /// One experiment each.
    pub workers: Vec<u32>,
    /// Everything else; its `workers` is ignored.
    pub settings: Settings,
}

/// What all repeats of one experiment share, as their results name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// Canonical: the name with every parameter.
    pub sampler: String,
    pub scheduler: String,
    pub stopper: String,
    pub report: Report,
    pub value: ValueMode,
    pub workers: u32,
    pub seed: u64,
    /// The settings that are not the default and have no field here, as command-line options
    /// without their dashes, in a fixed order. Empty where all are.
    pub settings: String,
}

/// One run of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridRun {
    pub run: u32,
    pub repeat: u32,
    pub combination: Arc<Combination>,
    /// What it came to, goal by goal.
    pub goals: Vec<(Target, GoalFacts)>,
    /// Empty unless a trace was asked for.
    pub segments: Vec<Segment>,
}

/// How a grid is run.
#[derive(Clone, Copy)]
pub struct RunOptions<'a> {
    /// Threads that share the runs; what comes out does not depend on it.
    pub threads: usize,
    /// Whether segments are kept.
    pub trace: bool,
    /// The runs from this one on are wanted, counted within the grid...
    pub from: u32,
    /// ...and those before this one.
    pub to: u32,
    /// The number of the grid's first run: studies of several tables go on counting.
    pub first_run: u32,
    /// Once true, no further run begins.
    pub stop: &'a AtomicBool,
    /// Called once a run that is done, by the thread that did it.
    pub progress: &'a (dyn Fn() + Sync),
    /// Read the files that methods' parameters name: nothing here opens one.
    pub readers: Readers<'a>,
}

impl std::fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Never set: for runs that nobody stops.
static GO_ON: AtomicBool = AtomicBool::new(false);

impl RunOptions<'_> {
    /// All runs of a grid without recorded orders, undisturbed.
    pub fn all(threads: usize, trace: bool) -> Self {
        Self {
            threads,
            trace,
            from: 0,
            to: u32::MAX,
            first_run: 0,
            stop: &GO_ON,
            progress: &|| {},
            readers: Readers::NONE,
        }
    }
}

impl Grid {
    /// Refuses an empty axis, an entry that stands twice (its runs would be the same), no repeats,
    /// no workers, a cost of checkpoints where none are kept, and reports that make no sense for a
    /// method. Axes are named as command-line options.
    pub fn check(&self) -> Result<()> {
        let axes = [
            ("--sampler", self.samplers.len()),
            ("--scheduler", self.schedulers.len()),
            ("--stopper", self.stoppers.len()),
            ("--goal", self.goals.len()),
            ("--workers", self.workers.len()),
            ("--repeats", self.repeats as usize),
        ];
        let is_product = self.further.is_empty() || axes[..3].iter().any(|(_, count)| *count > 0);
        for (option, count) in axes.into_iter().skip(if is_product { 0 } else { 3 }) {
            if count == 0 {
                let remedy = "give at least one";
                return Err(fault(option, "count", 0, "an empty grid has no runs", remedy));
            }
        }
        if self.workers.contains(&0) {
            return Err(fault("--workers", "workers", 0, "must be 1 or more", "give 1 or more"));
        }
        refuse_twins("--sampler", &names(&self.samplers), String::eq)?;
        refuse_twins("--scheduler", &names(&self.schedulers), String::eq)?;
        refuse_twins("--stopper", &names(&self.stoppers), String::eq)?;
        refuse_twins("--goal", &self.goals, Goal::is_same)?;
        refuse_twins("--workers", &self.workers, u32::eq)?;
        let Settings { restart, resume_cost, .. } = self.settings;
        if restart && resume_cost > SimTime::ZERO {
            let rule = "under --restart no checkpoint is kept that a resume could load";
            let remedy = "leave out one of the two; --trial-overhead charges starts too";
            return Err(fault("--resume-cost", "seconds", resume_cost.seconds(), rule, remedy));
        }
        let trios = self.trios();
        refuse_twins("--method", &trios, TrioRef::eq)?;
        for TrioRef { sampler, stopper, .. } in trios {
            check_report(self.settings.report, sampler, stopper)?;
            if let Some(warm_start) = &self.settings.warm_start {
                // The methods proper are told what its stopped trials report, and so is its own.
                check_report(self.settings.report, sampler, &warm_start.stopper)?;
                check_report(self.settings.report, &warm_start.sampler, &warm_start.stopper)?;
            }
        }
        Ok(())
    }

    /// The same grid with one repeat of one trial: every method shows itself, at next to no cost.
    #[must_use]
    pub fn probe(&self) -> Self {
        let settings = Settings { trials_max: Some(1), ..self.settings.clone() };
        Self { repeats: 1, settings, ..self.clone() }
    }

    /// Runs of the grid on one table.
    pub fn runs(&self) -> Result<u32> {
        let warm_start = self.settings.warm_start.as_ref();
        let runs = |trio: &TrioRef<'_>| {
            if trio.is_goal_aware(warm_start) { self.goals.len() as u64 } else { 1 }
        };
        let runs: u64 = self.trios().iter().map(runs).sum();
        let runs = u128::from(runs) * self.workers.len() as u128 * u128::from(self.repeats);
        u32::try_from(runs).map_err(|_| {
            let rule = "a study has at most 4,294,967,295 runs";
            fault("--repeats", "repeats", self.repeats, rule, "make the grid smaller")
        })
    }

    /// What runs together: the samplers outside, the stoppers inside, and then the further ones.
    pub(super) fn trios(&self) -> Vec<TrioRef<'_>> {
        let mut trios = Vec::new();
        for sampler in &self.samplers {
            for scheduler in &self.schedulers {
                let stoppers = self.stoppers.iter();
                trios.extend(stoppers.map(|stopper| TrioRef { sampler, scheduler, stopper }));
            }
        }
        trios.extend(self.further.iter().map(Trio::borrowed));
        trios
    }

    /// The goals as thresholds on a table.
    pub fn targets(&self, pool: &Pool) -> Result<Vec<Target>> {
        self.goals.iter().map(|goal| goal.on(pool, self.settings.value)).collect()
    }

    /// Runs the grid, or a part of it, on one table and hands the runs on in order, a block at a
    /// time. Once stopped, it hands on the runs before the first that is missing, and returns.
    pub fn run(
        &self,
        pool: &Pool,
        options: &RunOptions<'_>,
        mut sink: impl FnMut(Vec<GridRun>) -> Result<()>,
    ) -> Result<()> {
        self.check()?;
        let targets = self.targets(pool)?;
        let context = pool.context(self.repeats, options.readers);
        let built = self.build(&context)?;
        let runs = self.runs()?;
        let last = runs.min(options.to);
        let at_once = usize::try_from(last - options.from.min(last)).unwrap_or(usize::MAX).max(1);
        let mut cells = self.cells(pool, &built);
        // Threads that would find no run to do help with the decisions of those there are.
        for cell in &mut cells {
            cell.threads = (options.threads / at_once).max(1);
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .build()
            .map_err(|e| internal("starting threads", e))?;
        for start in (options.from..last).step_by(BLOCK_RUNS as usize) {
            let end = last.min(start.saturating_add(BLOCK_RUNS));
            let one = |workspace: &mut Workspace, index: u32| {
                if options.stop.load(Ordering::Relaxed) {
                    return None;
                }
                let after = cells.partition_point(|cell| cell.first_run <= index);
                let cell = &cells[after - 1];
                let run = (index - cell.first_run, self.repeats, options.first_run + index);
                let record = cell.run(pool, &targets, run, workspace, options.trace);
                (options.progress)();
                Some(record)
            };
            let block: Vec<Option<GridRun>> = threads.install(|| {
                (start..end).into_par_iter().map_init(Workspace::default, one).collect()
            });
            sink(block.into_iter().map_while(|run| run).collect())?;
            if options.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Builds every method for one table, and refuses rules that would never look, be it for the
    /// table or for a scheduler that ends trials before.
    pub(super) fn build<'a>(&'a self, context: &Context<'_>) -> Result<BuiltGrid<'a>> {
        let trios = self.trios();
        let samplers = build_all(trios.iter().map(|trio| trio.sampler), context)?;
        let schedulers = build_all(trios.iter().map(|trio| trio.scheduler), context)?;
        let stoppers = build_all(trios.iter().map(|trio| trio.stopper), context)?;
        for (method, factory) in &stoppers {
            self.refuse_blind("--stopper", method, factory, context, None)?;
        }
        for trio in &trios {
            let (rule, queue) = (find(&stoppers, trio.stopper), find(&schedulers, trio.scheduler));
            self.refuse_out_of_reach(rule, queue)?;
        }
        let mut warm_start = None;
        if let Some(asked) = &self.settings.warm_start {
            let built = BuiltWarmStart::new(asked, context)?;
            let (option, method) = ("--warm-start-stopper", &asked.stopper);
            self.refuse_blind(option, method, &built.stopper, context, asked.epochs)?;
            warm_start = Some(built);
        }
        let ending = self.settings.ending.as_ref();
        let ending = ending.map(|ending| ending.build(context)).transpose()?;
        Ok(BuiltGrid { trios, samplers, schedulers, stoppers, warm_start, ending })
    }

    /// Refuses a rule that looks for the first time after the last epoch that a trial of its phase
    /// runs to: the table's, or an earlier one.
    fn refuse_blind(
        &self,
        option: &str,
        method: &Method<StopperFactory>,
        factory: &StopperFactory,
        context: &Context<'_>,
        paused_at: Option<Epoch>,
    ) -> Result<()> {
        let run = RunContext { seed: self.settings.seed, repeat: 0, threads: 1 };
        let first = factory(&run).and_then(|rule| rule.looks().next_after(Epoch(0)));
        let last = paused_at.map_or(context.epochs, |epoch| epoch.min(context.epochs));
        let Some(first) = first.filter(|first| *first > last) else { return Ok(()) };
        let rule = if last < context.epochs {
            format!("looks after epoch {first}, and the trials of the warm start pause at {last}")
        } else {
            let last = plural(last.0, "epoch");
            format!("looks after epoch {first}, and `{}` has {last}", context.table)
        };
        let remedy = "let it look earlier, or leave it out";
        Err(fault(option, "stopper", &method.canonical, rule, remedy))
    }

    /// Refuses a rule that looks for the first time after the epoch at which a scheduler has ended
    /// every trial.
    fn refuse_out_of_reach(
        &self,
        (stopper, rule): &Built<'_, StopperFactory>,
        (scheduler, queue): &Built<'_, SchedulerFactory>,
    ) -> Result<()> {
        let run = RunContext { seed: self.settings.seed, repeat: 0, threads: 1 };
        let first = rule(&run).and_then(|rule| rule.looks().next_after(Epoch(0)));
        let both = first.zip(queue(&run).ends_at());
        let Some((first, last)) = both.filter(|(first, last)| first > last) else { return Ok(()) };
        let queue = &scheduler.canonical;
        let rule = format!("looks after epoch {first}, and `{queue}` ends trials at {last}");
        let remedy = "let it look earlier, raise the scheduler's max, or leave it out";
        Err(fault("--stopper", "stopper", &stopper.canonical, rule, remedy))
    }

    pub(super) fn cells<'a>(&'a self, pool: &Pool, built: &'a BuiltGrid<'a>) -> Vec<Cell<'a>> {
        let parts = [pool.options().to_string(), self.settings.text()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let settings_text = parts.join(" ");
        let (mut cells, mut first_run) = (Vec::new(), 0);
        for &workers in &self.workers {
            for trio in &built.trios {
                let told = self.settings.warm_start.as_ref();
                let settings = Settings { workers, ..self.settings.clone() };
                let combination = Combination {
                    sampler: trio.sampler.canonical.clone(),
                    scheduler: trio.scheduler.canonical.clone(),
                    stopper: trio.stopper.canonical.clone(),
                    report: settings.report,
                    value: settings.value,
                    workers,
                    seed: settings.seed,
                    settings: settings_text.clone(),
                };
                let cell = Cell {
                    sampler: find(&built.samplers, trio.sampler),
                    scheduler: find(&built.schedulers, trio.scheduler),
                    stopper: find(&built.stoppers, trio.stopper),
                    warm_start: built.warm_start.as_ref(),
                    ending: built.ending.as_ref(),
                    settings,
                    combination: Arc::new(combination),
                    is_goal_aware: trio.is_goal_aware(told),
                    first_run,
                    threads: 1,
                };
                let runs = cell.runs(self.repeats, self.goals.len());
                first_run += u32::try_from(runs).expect("`runs` counted them");
                cells.push(cell);
            }
        }
        cells
    }
}

/// The methods of a grid, built for one table.
pub(super) struct BuiltGrid<'a> {
    /// What runs together, of the methods below.
    trios: Vec<TrioRef<'a>>,
    samplers: Vec<Built<'a, SamplerFactory>>,
    schedulers: Vec<Built<'a, SchedulerFactory>>,
    stoppers: Vec<Built<'a, StopperFactory>>,
    warm_start: Option<BuiltWarmStart>,
    ending: Option<EndingFactory>,
}

impl BuiltGrid<'_> {
    /// Fresh methods for one run.
    ///
    /// # Panics
    /// Where there are several combinations.
    pub(super) fn only(&self, run: &RunContext) -> Methods {
        let [trio] = &self.trios[..] else { panic!("several combinations are no one run") };
        Methods {
            sampler: (find(&self.samplers, trio.sampler).1)(run),
            scheduler: (find(&self.schedulers, trio.scheduler).1)(run),
            stopper: (find(&self.stoppers, trio.stopper).1)(run),
        }
    }
}

fn names<Factory>(methods: &[Method<Factory>]) -> Vec<String> {
    methods.iter().map(|method| method.canonical.clone()).collect()
}

fn refuse_twins<T: Display>(
    option: &str,
    entries: &[T],
    same: impl Fn(&T, &T) -> bool,
) -> Result<()> {
    for (at, entry) in entries.iter().enumerate() {
        if entries[..at].iter().any(|before| same(before, entry)) {
            let field = option.trim_start_matches('-');
            let rule = "stands twice: both would give the same runs";
            return Err(fault(option, field, entry, rule, "remove one of the two"));
        }
    }
    Ok(())
}

/// Builds each method once, however many combinations it stands in.
fn build_all<'a, Factory>(
    methods: impl Iterator<Item = &'a Method<Factory>>,
    context: &Context<'_>,
) -> Result<Vec<Built<'a, Factory>>> {
    let mut built: Vec<Built<'a, Factory>> = Vec::new();
    for method in methods {
        if built.iter().all(|(other, _)| *other != method) {
            built.push((method, method.build(context)?));
        }
    }
    Ok(built)
}

fn find<'b, 'a, Factory>(
    built: &'b [Built<'a, Factory>],
    method: &Method<Factory>,
) -> &'b Built<'a, Factory> {
    built.iter().find(|(other, _)| *other == method).expect("every method of a trio is built")
}
