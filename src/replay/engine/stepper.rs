//! A run whose decisions are taken from outside, at the engine's own clock and charges.

use std::cmp::Reverse;
use std::sync::Arc;

use base::error::{Result, fault};
use base::rng::Key;
use base::units::{ConfigId, Epoch, SimTime, TrialId};
use methods::interface::{
    Ask, EpochScore, Fate, Fresh, Proposal, Sampler, Scheduler, State, Trial, View, Work,
};

use super::{Methods, Run, Workspace, curve_draw};
use crate::goal::Target;
use crate::outcome::{EndReason, Outcome, Segment, Selected};
use crate::pool::Pool;
use crate::settings::{Overhead, Settings};

/// What the messages call the place of a mistake.
const PLACE: &str = "Simulator";

/// An epoch of a trial has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochEnd {
    pub trial: TrialId,
    pub config: ConfigId,
    /// 0 for a row without a single epoch, which fails the moment it begins.
    pub epoch: Epoch,
    pub score: EpochScore,
    pub now: SimTime,
    /// Running, or how the trial has ended with it.
    pub state: State,
}

/// A run that somebody else decides: which configuration starts, and what becomes of a trial after
/// an epoch. What that costs, which epoch ends next, what a trial is worth and when a goal is met
/// is the engine's business, by the same code as in a replay.
///
/// At one instant every epoch end comes first, by trial id. What is decided at an instant may be
/// decided until the next [`Self::advance`] beyond it; to do as the engine does, free workers get
/// work where [`Self::is_ready`].
#[derive(Debug)]
pub struct Stepper {
    pool: Arc<Pool>,
    settings: Settings,
    draw: Key,
    w: Workspace,
    events: Vec<EpochEnd>,
    outcome: Option<(EndReason, Outcome)>,
}

impl Stepper {
    /// A run at its beginning. It ends with the last goal, if there are goals, and with the budget.
    ///
    /// # Errors
    /// A fault for `--overhead measured`: there is no optimiser here whose time could be taken.
    ///
    /// # Panics
    /// Where the settings have a warm start or an ending, which are phases of methods.
    pub fn new(
        pool: Arc<Pool>,
        settings: Settings,
        targets: &[Target],
        repeat: u32,
    ) -> Result<Self> {
        assert!(settings.warm_start.is_none() && settings.ending.is_none(), "there are no methods");
        if settings.overhead == Overhead::Measured {
            let rule = "the optimiser is yours, and its time is not measured here";
            let remedy = "say what a start costs by `overhead` of `start`, or fixed:SECONDS";
            return Err(fault("overhead", "overhead", "measured", rule, remedy));
        }
        let mut w = Workspace::default();
        w.begin(pool.rows(), &settings, repeat, targets, true);
        w.starts_allowed = settings.trials_max.map_or(usize::MAX, |m| m as usize);
        let draw = curve_draw(&settings, repeat);
        Ok(Self { pool, settings, draw, w, events: Vec::new(), outcome: None })
    }

    fn run(&mut self) -> Run<'_> {
        let Self { pool, settings, draw, w, .. } = self;
        Run { pool, settings, goal: None, draw: *draw, w, in_warm_start: false, watcher: None }
    }

    /// What is replayed.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The simulated clock.
    pub fn now(&self) -> SimTime {
        self.w.now
    }

    /// Every trial so far, by id.
    pub fn trials(&self) -> &[Trial] {
        &self.w.trials
    }

    /// One trial.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn trial(&self, trial: TrialId) -> Result<&Trial> {
        self.w.trials.get(trial.0 as usize).ok_or_else(|| {
            let rule = match self.w.trials.len() {
                0 => "no trial has started".to_string(),
                many => format!("trials 0 to {} have started", many - 1),
            };
            fault(PLACE, "trial", trial, rule, "give a number that `start` returned")
        })
    }

    /// The scores of the epochs that a trial has run.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn curve(&self, trial: TrialId) -> Result<&[EpochScore]> {
        let executed = usize::from(self.trial(trial)?.executed.0);
        Ok(&self.pool.scores()[self.w.starts[trial.index()]..][..executed])
    }

    /// What a trial has cost by now.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn cost(&mut self, trial: TrialId) -> Result<SimTime> {
        self.trial(trial)?;
        Ok(self.run().view().cost(trial))
    }

    /// How many workers have no trial.
    pub fn free_workers(&self) -> usize {
        self.w.free_workers.len()
    }

    /// Whether a worker asks for work now: one is free, every epoch end of this instant has been
    /// told, and the run is not over.
    pub fn is_ready(&mut self) -> bool {
        self.settle();
        let may_start = self.may_start() || self.w.trials.iter().any(|t| t.state == State::Paused);
        self.outcome.is_none() && self.w.due.is_empty() && self.free_workers() > 0 && may_start
    }

    fn may_start(&self) -> bool {
        self.w.order.has_free() && self.w.trials.len() < self.w.starts_allowed
    }

    /// Whether no trial has taken a row.
    pub fn is_free(&self, row: ConfigId) -> bool {
        row.0 < self.pool.rows() && self.w.order.is_free(row)
    }

    /// The first free row in the repeat's shuffled order: what random search starts next.
    pub fn first_free(&self) -> Option<ConfigId> {
        self.w.order.first_free()
    }

    /// The free row nearest to a point of the unit cube, with its distance.
    ///
    /// # Panics
    /// Where the point is not of the space.
    pub fn nearest(&mut self, point: &[f64]) -> Option<(ConfigId, f64)> {
        crate::snap::nearest(&self.pool, &self.w.order, &mut self.w.free, point)
    }

    /// The best trial by value, the earliest started of equals.
    pub fn best(&mut self) -> Option<(TrialId, Selected)> {
        let values = self.w.trials.iter().map(|trial| trial.value);
        let mut best: Option<(usize, f64)> = None;
        for (at, value) in values.enumerate() {
            // NaN compares false: a trial without a value is never the best.
            if value > best.map_or(f64::NEG_INFINITY, |(_, best)| best) {
                best = Some((at, value));
            }
        }
        let (at, value) = best?;
        let id = TrialId(u32::try_from(at).expect("rows are 32 bits"));
        let executed = self.w.trials[at].executed;
        Some((id, self.run().selected(value, id, executed)))
    }

    /// Why the run is over, once it is.
    pub fn end_reason(&mut self) -> Option<EndReason> {
        self.settle();
        self.outcome.as_ref().map(|(reason, _)| *reason)
    }

    /// When each goal was met by now, in the order of the goals.
    pub fn reached_at(&self) -> impl Iterator<Item = Option<SimTime>> + '_ {
        self.w.goals.iter().map(|goal| goal.reached_at)
    }

    /// What the run has come to, once it is over; one a goal.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref().map(|(_, outcome)| outcome)
    }

    /// The segments so far, in the order of their starts. One that has not ended is running.
    pub fn segments(&self) -> &[Segment] {
        match &self.outcome {
            Some((_, outcome)) => &outcome.segments,
            None => self.w.segments.as_deref().unwrap_or_default(),
        }
    }

    /// Every epoch end so far, in the order in which it was told.
    pub fn events(&self) -> &[EpochEnd] {
        &self.events
    }

    /// Starts a trial on the free worker of the lowest index. `spent` is charged to it before its
    /// first epoch, beside what the settings charge: what the choice took.
    ///
    /// # Errors
    /// A fault where no worker is free, the row is not, no further trial may start, or the run is
    /// over.
    pub fn start(&mut self, proposal: Proposal, spent: SimTime) -> Result<TrialId> {
        self.check_open()?;
        let worker = self.check_worker()?;
        if self.w.trials.len() >= self.w.starts_allowed {
            let rule = format!("at most {} trials start", self.w.starts_allowed);
            return Err(fault(PLACE, "max_trials", "reached", rule, "allow more of them"));
        }
        match &proposal {
            Proposal::Row(row) => self.check_row(*row)?,
            Proposal::Point(_) if !self.w.order.has_free() => {
                let rule = "every row of the table has been run";
                return Err(fault(PLACE, "config", "any", rule, "end the run here"));
            }
            Proposal::Point(_) => {}
        }
        let id = TrialId(u32::try_from(self.w.trials.len()).expect("rows are 32 bits"));
        let until = self.pool.epochs();
        let mut methods = outside(Outside { proposal: Some(proposal), spent });
        let mut run = self.run();
        let clock = run.optimiser_clock();
        run.start(&mut methods, worker, until, 0, None, clock);
        Ok(id)
    }

    /// Goes on with a paused trial on the free worker of the lowest index.
    ///
    /// # Errors
    /// A fault where no worker is free, the trial is not paused, or the run is over.
    pub fn resume(&mut self, trial: TrialId) -> Result<()> {
        self.check_open()?;
        let state = self.trial(trial)?.state;
        if state != State::Paused {
            let rule = format!("is {}, and a paused trial is resumed", state.word());
            return Err(fault(PLACE, "trial", trial, rule, "resume one that `pause` paused"));
        }
        let worker = self.check_worker()?;
        let until = self.pool.epochs();
        self.run().resume(worker, trial, until, SimTime::ZERO);
        Ok(())
    }

    /// Ends a trial for good: one that runs, at the instant at which an epoch of it has ended, or
    /// one that is paused. `predicted` is the final score that was expected of it, which
    /// `--report predicted` tells.
    ///
    /// # Errors
    /// A fault where it can not be ended now.
    pub fn stop(&mut self, trial: TrialId, predicted: Option<f64>) -> Result<()> {
        self.check_open()?;
        if self.trial(trial)?.state == State::Paused {
            self.run().end(&mut nobody(), trial, State::Stopped, None);
            return Ok(());
        }
        self.leave(trial, State::Stopped, predicted)
    }

    /// Takes a trial off its worker, at the instant at which an epoch of it has ended.
    ///
    /// # Errors
    /// A fault where it can not be paused now.
    pub fn pause(&mut self, trial: TrialId) -> Result<()> {
        self.check_open()?;
        self.leave(trial, State::Paused, None)
    }

    fn leave(&mut self, trial: TrialId, state: State, predicted: Option<f64>) -> Result<()> {
        let Trial { state: found, executed, .. } = *self.trial(trial)?;
        let Some(running) = self.w.running[trial.index()] else {
            let rule = format!("is {}, and a running trial is decided about", found.word());
            return Err(fault(PLACE, "trial", trial, rule, "ask `state` first"));
        };
        let has_new = executed > running.executed_before && !self.w.due.contains(&trial);
        if !has_new || self.run().instant_of(trial, executed) != self.w.now {
            let rule = "a decision is taken at the instant at which an epoch of the trial ended";
            let remedy = "decide when `advance` returns the trial, before the clock goes on";
            return Err(fault(PLACE, "trial", trial, rule, remedy));
        }
        self.w.events.retain(|Reverse((_, id))| *id != trial);
        self.run().end(&mut nobody(), trial, state, predicted);
        Ok(())
    }

    /// Goes on to the next epoch end. `None` where nothing runs, and where the run is over.
    pub fn advance(&mut self) -> Option<EpochEnd> {
        self.settle();
        if self.outcome.is_some() {
            return None;
        }
        if self.w.due.is_empty() {
            let &Reverse((instant, _)) = self.w.events.peek()?;
            if let Some(budget) = self.settings.budget.filter(|budget| instant > *budget) {
                self.w.now = budget;
                self.close(EndReason::Budget);
                return None;
            }
            self.w.now = instant;
            while let Some(&Reverse((at, id))) = self.w.events.peek()
                && at == instant
            {
                self.w.events.pop();
                self.w.due.push(id);
            }
            // The lowest id is the next to be taken, from the end.
            self.w.due.reverse();
        }
        let id = self.w.due.pop()?;
        let mut run = self.run();
        if let Some(state) = run.execute(id) {
            run.end(&mut nobody(), id, state, None);
        } else {
            let instant = run.next_event(id);
            run.w.events.push(Reverse((instant, id)));
        }
        let trial = &self.w.trials[id.index()];
        let score = match trial.executed {
            Epoch(0) => EpochScore::NOT_MEASURED,
            epoch => self.pool.scores()[self.w.starts[id.index()] + epoch.index()],
        };
        let Trial { config, executed: epoch, state, .. } = *trial;
        let event = EpochEnd { trial: id, config, epoch, score, now: self.w.now, state };
        self.events.push(event);
        Some(event)
    }

    /// Ends the run: what still runs is cut, whole epochs count.
    pub fn finish(&mut self) {
        self.settle();
        if self.outcome.is_some() {
            return;
        }
        let is_limited = self.w.order.has_free() && !self.may_start();
        let reason = if is_limited { EndReason::MaxTrials } else { EndReason::Exhausted };
        self.close(reason);
    }

    /// Counts for the goals that were met at an instant that is over.
    fn settle(&mut self) {
        if self.outcome.is_some() || !self.w.due.is_empty() {
            return;
        }
        let is_met = |goal: &super::workspace::Progress| goal.reached_at.is_some();
        if self.w.goals.iter().any(|goal| is_met(goal) && goal.facts.is_none()) {
            self.run().close_goals();
        }
        if !self.w.goals.is_empty() && self.w.goals_open == 0 {
            self.close(EndReason::Goal);
        }
    }

    fn close(&mut self, reason: EndReason) {
        let outcome = self.run().finish(reason);
        self.outcome = Some((reason, outcome));
    }

    fn check_open(&mut self) -> Result<()> {
        match self.end_reason() {
            None => Ok(()),
            Some(reason) => {
                let rule = "the run is over, and nothing starts or changes any more";
                Err(fault(PLACE, "end_reason", reason.word(), rule, "make another simulator"))
            }
        }
    }

    fn check_worker(&self) -> Result<u32> {
        self.w.free_workers.peek().map(|Reverse(worker)| *worker).ok_or_else(|| {
            let rule = format!("all {} workers are busy", self.settings.workers);
            let remedy = "call `advance` until a trial ends, or give more `workers`";
            fault(PLACE, "workers", self.settings.workers, rule, remedy)
        })
    }

    fn check_row(&self, row: ConfigId) -> Result<()> {
        if row.0 >= self.pool.rows() {
            let rule = format!("the table has {} rows", self.pool.rows());
            return Err(fault(PLACE, "config", row, rule, "give a row of the table"));
        }
        if !self.w.order.is_free(row) {
            let taken = |trial: &Trial| trial.config == row;
            let by = self.w.trials.iter().position(taken).unwrap_or_default();
            let rule = format!("trial {by} has this row, and a row runs once");
            let remedy = "give another one, or `nearest=True` for the nearest that is free";
            return Err(fault(PLACE, "config", self.pool.ids().id_of(row), rule, remedy));
        }
        Ok(())
    }
}

/// Stands where the engine has methods: hands on what was chosen outside, and hears nothing.
struct Outside {
    proposal: Option<Proposal>,
    spent: SimTime,
}

/// The methods of a run whose choice has been made.
fn outside(choice: Outside) -> Methods {
    Methods { sampler: Box::new(choice), scheduler: Box::new(Nobody), stopper: None }
}

/// Methods that are only told; they take no memory.
fn nobody() -> Methods {
    Methods { sampler: Box::new(Nobody), scheduler: Box::new(Nobody), stopper: None }
}

impl Sampler for Outside {
    fn ready(&mut self, _view: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _view: &View<'_>, _ask: &Ask) -> Proposal {
        self.proposal.take().expect("one trial is started with it")
    }

    fn spent(&mut self) -> SimTime {
        self.spent
    }

    fn tell(&mut self, _view: &View<'_>, _trial: TrialId) {}
}

/// Decides nothing.
struct Nobody;

impl Sampler for Nobody {
    fn ready(&mut self, _view: &View<'_>) -> Fresh {
        Fresh::Exhausted
    }

    fn propose(&mut self, _view: &View<'_>, _ask: &Ask) -> Proposal {
        unreachable!("it has nothing to propose")
    }

    fn tell(&mut self, _view: &View<'_>, _trial: TrialId) {}
}

impl Scheduler for Nobody {
    fn next(&mut self, _view: &View<'_>, _fresh: Fresh) -> Work {
        Work::Wait
    }

    fn at_until(&mut self, _view: &View<'_>, _trial: TrialId) -> Fate {
        unreachable!("trials run to their last epoch")
    }

    fn ended(&mut self, _view: &View<'_>, _trial: TrialId) {}
}
