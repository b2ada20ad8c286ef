//! One combination of methods, built for a table.

use std::sync::Arc;

use base::error::{Result, fault};
use base::units::Epoch;
use methods::interface::{
    Context, EndingFactory, Method, RunContext, SamplerFactory, SchedulerFactory, StopperFactory,
    Trait,
};

use super::grid::{Combination, GridRun};
use crate::warm_start::PauseAt;
use crate::{
    Decisions, Experiment, Methods, Phase, Pool, Report, Settings, Target, Wants, WarmStart,
    Workspace, replay, replay_watched,
};

/// A method with what builds it for each run.
pub(super) type Built<'a, Factory> = (&'a Method<Factory>, Factory);

/// The first phase, built.
pub(super) struct BuiltWarmStart {
    sampler: SamplerFactory,
    pub(super) stopper: StopperFactory,
    trials: u32,
    epochs: Option<Epoch>,
}

impl BuiltWarmStart {
    pub(super) fn new(warm_start: &WarmStart, context: &Context<'_>) -> Result<Self> {
        if warm_start.trials == 0 {
            let remedy = "give at least one, or leave the warm start out";
            let rule = "a warm start begins with a trial";
            return Err(fault("--warm-start-trials", "trials", 0, rule, remedy));
        }
        if let Some(epochs) = warm_start.epochs.filter(|e| e.0 == 0 || *e > context.epochs) {
            let rule = format!("table `{}` has epochs 1 to {}", context.table, context.epochs);
            let remedy = "choose one of them, or leave it out for whole curves";
            return Err(fault("--warm-start-epochs", "epochs", epochs, rule, remedy));
        }
        Ok(Self {
            sampler: warm_start.sampler.build(context)?,
            stopper: warm_start.stopper.build(context)?,
            trials: warm_start.trials,
            epochs: warm_start.epochs,
        })
    }

    fn phase(&self, context: &RunContext) -> Phase {
        let methods = Methods {
            sampler: (self.sampler)(context),
            scheduler: Box::new(PauseAt(self.epochs)),
            stopper: (self.stopper)(context),
        };
        Phase { methods, trials_max: Some(self.trials), ending: None }
    }
}

/// One combination of methods and workers, whose every repeat is a run for all goals at once, or,
/// where a method is told the goal, one run a goal.
pub(super) struct Cell<'a> {
    pub sampler: &'a Built<'a, SamplerFactory>,
    pub scheduler: &'a Built<'a, SchedulerFactory>,
    pub stopper: &'a Built<'a, StopperFactory>,
    pub warm_start: Option<&'a BuiltWarmStart>,
    pub ending: Option<&'a EndingFactory>,
    pub settings: Settings,
    /// As its runs name it.
    pub combination: Arc<Combination>,
    pub is_goal_aware: bool,
    /// The cell's first run.
    pub first_run: u32,
    /// Threads that a decision may use.
    pub threads: usize,
}

/// Refuses what a sampler would be told that it cannot use, and what nobody could tell it.
pub(super) fn check_report(
    report: Report,
    sampler: &Method<SamplerFactory>,
    stopper: &Method<StopperFactory>,
) -> Result<()> {
    let word = report.word();
    let can_stop = !stopper.has(Trait::NeverStops);
    if report == Report::Predicted && can_stop && !stopper.has(Trait::Predicts) {
        let rule = format!("`{}` predicts no final value", stopper.canonical);
        let remedy = "use another --report, or a stopper that predicts (`curvebook methods`)";
        return Err(fault("--report", "report", word, rule, remedy));
    }
    if report == Report::Ranked && sampler.has(Trait::LearnsValues) {
        let rule = format!(
            "`{}` fits the values that it is told: a rank behind the completed is none",
            sampler.canonical
        );
        let remedy = "use --report best, last or worst with it";
        return Err(fault("--report", "report", word, rule, remedy));
    }
    Ok(())
}

impl Cell<'_> {
    /// Runs of the cell.
    pub(super) fn runs(&self, repeats: u32, goals: usize) -> u64 {
        let goals = if self.is_goal_aware { goals as u64 } else { 1 };
        u64::from(repeats) * goals
    }

    /// Replays the run `index` of the cell: goals outside, repeats inside.
    pub(super) fn run(
        &self,
        pool: &Pool,
        targets: &[Target],
        (index, repeats, run): (u32, u32, u32),
        workspace: &mut Workspace,
        trace: bool,
    ) -> GridRun {
        self.watch(pool, targets, (index, repeats, run), workspace, trace, None).0
    }

    /// The same, and what was decided, if anybody wants to know.
    pub(super) fn watch(
        &self,
        pool: &Pool,
        targets: &[Target],
        (index, repeats, run): (u32, u32, u32),
        workspace: &mut Workspace,
        trace: bool,
        wants: Option<Wants<'_>>,
    ) -> (GridRun, Decisions) {
        let repeat = index % repeats;
        let targets = if self.is_goal_aware {
            std::slice::from_ref(&targets[(index / repeats) as usize])
        } else {
            targets
        };
        let context = RunContext { seed: self.settings.seed, repeat, threads: self.threads };
        let methods = Methods {
            sampler: (self.sampler.1)(&context),
            scheduler: (self.scheduler.1)(&context),
            stopper: (self.stopper.1)(&context),
        };
        let ending = self.ending.and_then(|ending| ending(&context));
        let last = Phase { methods, trials_max: None, ending };
        let mut phases: Vec<Phase> =
            self.warm_start.map(|w| w.phase(&context)).into_iter().collect();
        phases.push(last);
        let experiment = Experiment {
            pool,
            settings: &self.settings,
            targets,
            tells_goal: self.is_goal_aware,
            repeat,
            trace,
        };
        let (outcome, decisions) = match wants {
            Some(wants) => replay_watched(&experiment, &mut phases, workspace, wants),
            None => (replay(&experiment, &mut phases, workspace), Decisions::default()),
        };
        let goals = targets.iter().cloned().zip(outcome.goals).collect();
        let combination = Arc::clone(&self.combination);
        (GridRun { run, repeat, combination, goals, segments: outcome.segments }, decisions)
    }
}
