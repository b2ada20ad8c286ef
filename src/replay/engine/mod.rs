//! The event loop.
//!
//! A running trial has one pending event: the end of the next epoch at which somebody may look.
//! Where a stopper looks at every epoch, or a method looks at how far running trials have come,
//! that is the next epoch. Where nobody does, it is the end of the segment, and the epochs between
//! are never visited: how many of them have ended by an instant follows from the cumulative cost.

mod facts;
mod overhead;
mod segment;
mod stepper;
mod watch;
mod workspace;

use std::cmp::Reverse;

use base::rng::Key;
use base::units::{SimTime, TrialId};
use methods::interface::{
    Ending, Fate, Fresh, Looks, Origin, Past, Sampler, Scheduler, State, Stopper, Verdict, View,
    Work, meets,
};

use super::decision::{Decisions, Wants};
use super::goal::Target;
use super::outcome::{EndReason, GoalFacts, Outcome};
use super::pool::Pool;
use super::settings::{OnNan, Settings};

pub use stepper::{EpochEnd, Stepper};
use watch::Watcher;
pub use workspace::Workspace;

/// The methods of one run, or of one phase of it.
pub struct Methods {
    pub sampler: Box<dyn Sampler>,
    pub scheduler: Box<dyn Scheduler>,
    /// `None` never stops anything.
    pub stopper: Option<Box<dyn Stopper>>,
}

impl std::fmt::Debug for Methods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Methods").finish_non_exhaustive()
    }
}

/// A stretch of a run under the same methods. A phase ends when none of its trials runs any more
/// and no further one starts; the methods of the next are then told of all that happened before.
pub struct Phase {
    pub methods: Methods,
    /// How many trials may start in it.
    pub trials_max: Option<u32>,
    /// Decides when the run is over; `None`: never.
    pub ending: Option<Box<dyn Ending>>,
}

impl std::fmt::Debug for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phase").field("trials_max", &self.trials_max).finish_non_exhaustive()
    }
}

/// What is replayed, but for the methods.
#[derive(Debug, Clone, Copy)]
pub struct Experiment<'a> {
    pub pool: &'a Pool,
    pub settings: &'a Settings,
    /// At least one; a run goes on until all are met.
    pub targets: &'a [Target],
    /// Whether methods are told the goal: then there must be one target alone.
    pub tells_goal: bool,
    pub repeat: u32,
    /// Whether segments are kept.
    pub trace: bool,
}

/// Replays one run, until every target is met or nothing more may run.
///
/// # Panics
///
/// If a method breaks its contract: proposes a row that is taken or a point outside of the space,
/// resumes a trial that is not paused, lets a trial go on to an epoch that it has already run, or
/// wants to be asked after epochs that do not rise from 1 (see [`Looks::check`]).
pub fn replay(
    experiment: &Experiment<'_>,
    phases: &mut [Phase],
    workspace: &mut Workspace,
) -> Outcome {
    replay_asking(experiment, phases, workspace, None).0
}

/// The same, and what rules and rungs decided, with their reasons.
///
/// # Panics
///
/// As [`replay`].
pub fn replay_watched(
    experiment: &Experiment<'_>,
    phases: &mut [Phase],
    workspace: &mut Workspace,
    wants: Wants<'_>,
) -> (Outcome, Decisions) {
    replay_asking(experiment, phases, workspace, Some(wants))
}

fn replay_asking(
    experiment: &Experiment<'_>,
    phases: &mut [Phase],
    workspace: &mut Workspace,
    wants: Option<Wants<'_>>,
) -> (Outcome, Decisions) {
    let Experiment { pool, settings, targets, repeat, .. } = *experiment;
    assert!(settings.workers > 0 && !targets.is_empty(), "checked when the settings were built");
    assert!(!experiment.tells_goal || targets.len() == 1, "a method is told one goal");
    assert!(!phases.is_empty(), "a run has a phase");
    workspace.begin(pool.rows(), settings, repeat, targets, experiment.trace);
    let mut run = Run {
        pool,
        settings,
        goal: experiment.tells_goal.then(|| targets[0].score),
        draw: curve_draw(settings, repeat),
        w: workspace,
        in_warm_start: false,
        watcher: wants.map(Watcher::new),
    };
    let end_reason = run.run(phases);
    let decisions = run.decisions();
    (run.finish(end_reason), decisions)
}

/// What draws the curves of a repeat.
fn curve_draw(settings: &Settings, repeat: u32) -> Key {
    Key::new(settings.seed, u64::from(repeat), "curve-repeat")
}

/// A run by now: what stays the same of it, and the memory that holds the rest.
struct Run<'a> {
    pool: &'a Pool,
    settings: &'a Settings,
    goal: Option<f64>,
    /// What draws the curve of a row that has several.
    draw: Key,
    w: &'a mut Workspace,
    /// Whether a phase is to follow.
    in_warm_start: bool,
    /// Who wants to know what is decided and why.
    watcher: Option<Watcher<'a>>,
}

impl Run<'_> {
    fn run(&mut self, phases: &mut [Phase]) -> EndReason {
        let last = phases.len() - 1;
        for (at, phase) in phases.iter_mut().enumerate() {
            self.enter(phase);
            self.in_warm_start = at < last;
            if let Some(end_reason) = self.run_phase(phase, at == last) {
                self.note_paused(phase.methods.scheduler.as_ref());
                return end_reason;
            }
        }
        unreachable!("the last phase ends with a reason")
    }

    /// Prepares for a phase, and tells its methods what happened in earlier ones.
    fn enter(&mut self, phase: &mut Phase) {
        let methods = &mut phase.methods;
        let of_phase = phase.trials_max.map_or(usize::MAX, |m| m as usize);
        let of_run = self.settings.trials_max.map_or(usize::MAX, |m| m as usize);
        self.w.starts_allowed = self.w.trials.len().saturating_add(of_phase).min(of_run);
        let stopper = methods.stopper.as_deref();
        self.w.looks = stopper.map_or(Looks::Never, Stopper::looks);
        self.w.looks.check();
        let somebody_looks = self.w.looks == Looks::EveryEpoch
            || stopper.is_some_and(Stopper::looks_at_running)
            || methods.sampler.looks_at_running()
            || methods.scheduler.looks_at_running();
        // Epochs of no cost end in turns within one instant, which only visiting them tells.
        let visits = self.w.looks_at_every_epoch || self.pool.has_free_epochs();
        self.w.is_lazy = !somebody_looks && !visits;
        self.w.work_may_have_changed = true;
        for id in self.ids() {
            let view = self.view();
            methods.scheduler.started(&view, id, Origin::EarlierPhase);
            methods.sampler.started(&view, id, Origin::EarlierPhase);
        }
        for at in 0..self.w.ended.len() {
            let id = self.w.ended[at];
            methods.scheduler.ended(&self.view(), id);
            methods.sampler.tell(&self.view(), id);
        }
        let paused: Vec<TrialId> = self.view().paused().collect();
        for id in paused {
            methods.sampler.tell(&self.view(), id);
        }
    }

    /// Runs until the run ends, or, but in the last phase, until nothing runs.
    fn run_phase(&mut self, phase: &mut Phase, is_last: bool) -> Option<EndReason> {
        let Phase { methods, ending, .. } = phase;
        let mut asked_of = self.w.ended.len();
        loop {
            if self.w.goals_open == 0 {
                return Some(EndReason::Goal);
            }
            if self.w.work_may_have_changed {
                self.ask_for_work(methods);
                // Whatever was dropped meanwhile, the worker that waits has been asked since.
                self.w.work_may_have_changed = false;
                if self.is_over(ending, &mut asked_of) {
                    return Some(EndReason::Ending);
                }
            }
            let Some(&Reverse((instant, _))) = self.w.events.peek() else {
                return is_last.then(|| self.why_nothing_runs(methods));
            };
            if let Some(budget) = self.settings.budget.filter(|budget| instant > *budget) {
                self.w.now = budget;
                return Some(EndReason::Budget);
            }
            self.w.now = instant;
            let open_before = self.w.goals_open;
            self.end_epochs(methods);
            if self.w.goals_open < open_before {
                self.close_goals();
            }
            if self.is_over(ending, &mut asked_of) {
                return Some(EndReason::Ending);
            }
        }
    }

    /// Asks the ending where trials have ended since it was asked last.
    fn is_over(&self, ending: &mut Option<Box<dyn Ending>>, asked_of: &mut usize) -> bool {
        let ended = self.w.ended.len();
        let Some(ending) = ending.as_mut().filter(|_| self.w.goals_open > 0 && ended > *asked_of)
        else {
            return false;
        };
        *asked_of = ended;
        ending.is_over(&self.view())
    }

    fn view(&self) -> View<'_> {
        View {
            now: self.w.now,
            workers: self.settings.workers,
            epochs: self.pool.epochs(),
            chance: self.pool.chance(),
            gain_offset: self.pool.gain_offset(),
            goal: self.goal,
            budget: self.settings.budget,
            trials_max: self.settings.trials_max,
            past: Past::new(
                &self.w.order,
                &self.w.trials,
                &self.w.ended,
                self.pool.scores(),
                &self.w.starts,
            ),
        }
    }

    fn may_start(&self) -> bool {
        self.w.order.has_free() && self.w.trials.len() < self.w.starts_allowed
    }

    /// Free workers ask, by index, until one has to wait.
    fn ask_for_work(&mut self, methods: &mut Methods) {
        while let Some(&Reverse(worker)) = self.w.free_workers.peek() {
            let may_start = self.may_start();
            let clock = self.optimiser_clock();
            let view = self.view();
            let fresh = if may_start { methods.sampler.ready(&view) } else { Fresh::Exhausted };
            let work = methods.scheduler.next(&view, fresh);
            if self.watcher.is_some() {
                self.note_work(&*methods.scheduler, &work);
            }
            match work {
                Work::New { until, bracket, own } => {
                    assert!(may_start, "a scheduler started a trial where none may start");
                    assert!(
                        fresh == Fresh::Ready || own.is_some(),
                        "a scheduler asked a sampler that is not ready"
                    );
                    self.start(methods, worker, until, bracket, own, clock);
                }
                Work::Resume { trial, until } => self.resume(worker, trial, until, SimTime::ZERO),
                Work::Drop(trial) => {
                    self.expect_paused(trial);
                    self.end(methods, trial, State::Stopped, None);
                }
                Work::Wait => break,
            }
        }
    }

    fn expect_paused(&self, id: TrialId) {
        let state = self.w.trials[id.index()].state;
        assert_eq!(state, State::Paused, "trial {id} is not paused");
    }

    /// Handles every event due now, by trial id. Epochs of no cost that begin now end in the next
    /// pass, after the workers have been asked. A trial that is due alone goes on without a detour
    /// over the queue for as long as nothing else happens before its next event.
    fn end_epochs(&mut self, methods: &mut Methods) {
        let Some(Reverse((_, first))) = self.w.events.pop() else { return };
        let is_alone = |run: &Self| {
            run.w.events.peek().is_none_or(|Reverse((instant, _))| *instant > run.w.now)
        };
        if is_alone(self) {
            while let Some(instant) = self.end_epoch(methods, first) {
                let queue = self.w.events.peek().map(|Reverse((other, _))| *other);
                let limit = self.settings.budget;
                if queue.is_some_and(|other| other <= instant) || limit.is_some_and(|b| b < instant)
                {
                    self.w.events.push(Reverse((instant, first)));
                    return;
                }
                self.w.now = instant;
            }
            return;
        }
        let mut due = std::mem::take(&mut self.w.due);
        due.push(first);
        while let Some(&Reverse((instant, id))) = self.w.events.peek() {
            if instant != self.w.now {
                break;
            }
            self.w.events.pop();
            due.push(id);
        }
        for id in due.drain(..) {
            if let Some(instant) = self.end_epoch(methods, id) {
                self.w.events.push(Reverse((instant, id)));
            }
        }
        self.w.due = due;
    }

    /// Notes that the epoch has ended whose end was a trial's event; how the trial ends with it, if
    /// it does.
    fn execute(&mut self, id: TrialId) -> Option<State> {
        let running = self.w.running[id.index()].expect("only running trials have events");
        let trial = &mut self.w.trials[id.index()];
        let executed = running.next;
        trial.executed = executed;
        let start = self.w.starts[id.index()];
        let ran = start..start + usize::from(executed.0);
        trial.value = self.pool.value(self.settings.value, ran.clone());
        let last_epoch = trial.last_epoch;
        let fails = self.settings.on_nan == OnNan::Stop && self.pool.is_diverged(ran);
        if executed == last_epoch && !fails {
            return Some(State::Completed);
        }
        (executed.0 == self.w.lengths[id.index()]).then_some(State::Failed)
    }

    /// Handles the event of a trial; when its next one is due, if it runs on.
    fn end_epoch(&mut self, methods: &mut Methods, id: TrialId) -> Option<SimTime> {
        if let Some(state) = self.execute(id) {
            self.end(methods, id, state, None);
            return None;
        }
        let trial = &self.w.trials[id.index()];
        let (executed, until, last_epoch) = (trial.executed, trial.until, trial.last_epoch);
        if self.w.looks.includes(executed) {
            let stopper = methods.stopper.as_mut().expect("only a stopper looks");
            let verdict = stopper.at_epoch(&self.view(), id, executed);
            if self.watcher.is_some() {
                let reasons = stopper.reasons(&self.view(), id, executed);
                self.note_verdict(id, verdict, reasons);
            }
            if let Verdict::Stop { predicted } = verdict {
                self.end(methods, id, State::Stopped, predicted);
                return None;
            }
        }
        if executed == until {
            let fate = methods.scheduler.at_until(&self.view(), id);
            if self.watcher.is_some() {
                let reasons = methods.scheduler.reasons(&self.view(), id);
                self.note_fate(id, fate, reasons);
            }
            let state = match fate {
                Fate::Go { until } => {
                    assert!(until > executed, "a trial cannot go on into its past");
                    self.w.trials[id.index()].until = until.min(last_epoch);
                    return Some(self.next_event(id));
                }
                Fate::Pause => State::Paused,
                Fate::Stop => State::Stopped,
            };
            self.end(methods, id, state, None);
            return None;
        }
        Some(self.next_event(id))
    }

    /// Ends a segment: with `State::Paused` the trial may be resumed, else it is over.
    fn end(&mut self, methods: &mut Methods, id: TrialId, state: State, predicted: Option<f64>) {
        let was_running = self.w.trials[id.index()].state == State::Running;
        self.w.trials[id.index()].state = state;
        if was_running {
            self.look_for_epoch(id, self.w.trials[id.index()].executed);
        }
        let value = self.w.trials[id.index()].value;
        if state != State::Paused {
            // NaN is no value: `min` passes it over.
            self.w.worst = self.w.worst.min(value);
            self.w.ended.push(id);
        }
        self.w.trials[id.index()].reported = self.reported(id, predicted);
        if was_running {
            self.close_segment(id);
        }
        if state == State::Stopped {
            self.w.stopped_total += 1;
        }
        for goal in &mut self.w.goals {
            if goal.reached_at.is_none() && meets(value, goal.score) {
                goal.reached_at = Some(self.w.now);
                self.w.goals_open -= 1;
            }
        }
        self.w.work_may_have_changed = true;
        let view = self.view();
        if state != State::Paused {
            methods.scheduler.ended(&view, id);
        }
        methods.sampler.tell(&view, id);
    }

    /// Nothing runs and nothing was started: because nothing is left, or because no further trial
    /// was allowed?
    fn why_nothing_runs(&mut self, methods: &mut Methods) -> EndReason {
        let limited = !self.may_start() && self.w.order.has_free();
        if limited && methods.sampler.ready(&self.view()) != Fresh::Exhausted {
            EndReason::MaxTrials
        } else {
            EndReason::Exhausted
        }
    }

    fn finish(&mut self, end_reason: EndReason) -> Outcome {
        self.look_at_running();
        let at_end = self.facts();
        let goals = self.w.goals.iter().map(|goal| GoalFacts {
            reached_at: goal.reached_at,
            epoch_reached_at: goal.epoch_reached_at,
            facts: goal.facts.unwrap_or_else(|| self.with_goal_rows(at_end, goal.score)),
            end_reason: if goal.reached_at.is_some() { EndReason::Goal } else { end_reason },
        });
        let goals = goals.collect();
        self.cut();
        Outcome { goals, segments: self.w.segments.take().unwrap_or_default() }
    }
}
