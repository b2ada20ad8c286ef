//! The event loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::goal::Target;
use super::outcome::{Facts, GoalFacts, Outcome, Segment};
use super::pool::Pool;
use super::row_order::RowOrder;
use super::run_row::EndReason;
use super::settings::{OnNan, Settings};
use super::snap;
use crate::method::{
    Ask, Fate, Fresh, Proposal, Sampler, Scheduler, State, Stopper, Trial, Verdict, View, Work,
    meets,
};
use crate::stats::quantile::median;
use crate::units::{Epoch, SimTime, TrialId};

/// The methods of one run.
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

/// Memory that one run leaves to the next.
#[derive(Debug)]
pub struct Workspace {
    order: RowOrder,
    trials: Vec<Trial>,
    ended: Vec<TrialId>,
    running: Vec<Option<Running>>,
    /// One pending epoch end a running trial.
    events: BinaryHeap<Reverse<(SimTime, TrialId)>>,
    free_workers: BinaryHeap<Reverse<u32>>,
    due: Vec<TrialId>,
}

/// What only a running trial has.
#[derive(Debug, Clone, Copy)]
struct Running {
    worker: u32,
    /// Its place in the list of segments, which stand in the order of their starts.
    segment: usize,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            order: RowOrder::empty(),
            trials: Vec::new(),
            ended: Vec::new(),
            running: Vec::new(),
            events: BinaryHeap::new(),
            free_workers: BinaryHeap::new(),
            due: Vec::new(),
        }
    }
}

/// How far one goal has come.
struct Progress {
    score: f64,
    epoch_reached_at: Option<SimTime>,
    reached_at: Option<SimTime>,
    facts: Option<Facts>,
}

/// Replays one run: repeat `repeat` of an experiment, until every target is met or nothing more may
/// run. `trace` keeps the segments.
///
/// # Panics
///
/// If a method breaks its contract: proposes a row that is taken, resumes a trial that is not
/// paused, or lets a trial go on to an epoch that it has already run.
pub fn replay(
    pool: &Pool,
    settings: &Settings,
    targets: &[Target],
    repeat: u32,
    methods: &mut Methods,
    workspace: &mut Workspace,
    trace: bool,
) -> Outcome {
    assert!(settings.workers > 0 && !targets.is_empty(), "checked when the settings were built");
    workspace.order.begin(pool.rows(), settings.seed, repeat);
    workspace.trials.clear();
    workspace.ended.clear();
    workspace.running.clear();
    workspace.events.clear();
    workspace.free_workers.clear();
    // Free workers are taken by index and a row runs on one worker at a time: those past the
    // number of rows never get work, and get no memory either.
    workspace.free_workers.extend((0..settings.workers.min(pool.rows())).map(Reverse));
    let progress = targets.iter().map(|target| Progress {
        score: target.score,
        epoch_reached_at: None,
        reached_at: None,
        facts: None,
    });
    let mut run = Run {
        pool,
        settings,
        w: workspace,
        goals: progress.collect(),
        now: SimTime::ZERO,
        epochs_total: 0,
        stopped_total: 0,
        epoch_record: f64::NEG_INFINITY,
        segments: trace.then(Vec::new),
        segments_count: 0,
    };
    let end_reason = run.run(methods);
    run.finish(end_reason)
}

struct Run<'a> {
    pool: &'a Pool,
    settings: &'a Settings,
    w: &'a mut Workspace,
    goals: Vec<Progress>,
    now: SimTime,
    epochs_total: u64,
    stopped_total: u32,
    /// The best single epoch so far: goals need a look only when it is beaten.
    epoch_record: f64,
    segments: Option<Vec<Segment>>,
    segments_count: usize,
}

impl Run<'_> {
    fn run(&mut self, methods: &mut Methods) -> EndReason {
        loop {
            if self.goals.iter().all(|goal| goal.reached_at.is_some()) {
                return EndReason::Goal;
            }
            self.ask_for_work(methods);
            let Some(&Reverse((instant, _))) = self.w.events.peek() else {
                return self.why_nothing_runs(methods);
            };
            if let Some(budget) = self.settings.budget.filter(|budget| instant > *budget) {
                self.now = budget;
                return EndReason::Budget;
            }
            self.now = instant;
            self.end_epochs(methods);
            for at in 0..self.goals.len() {
                // Counted once the whole instant is over.
                if self.goals[at].reached_at.is_some() && self.goals[at].facts.is_none() {
                    self.goals[at].facts = Some(self.facts());
                }
            }
        }
    }

    fn view(&mut self) -> View<'_> {
        View {
            now: self.now,
            workers: self.settings.workers,
            epochs: self.pool.epochs(),
            chance: self.pool.chance(),
            gain_offset: self.pool.gain_offset(),
            first_free: self.w.order.first_free(),
            trials: &self.w.trials,
            ended: &self.w.ended,
            curves: self.pool.curves(),
        }
    }

    fn may_start(&self) -> bool {
        let started = self.w.trials.len();
        self.w.order.has_free() && self.settings.trials_max.is_none_or(|m| started < m as usize)
    }

    /// Free workers ask, by index, until one has to wait.
    fn ask_for_work(&mut self, methods: &mut Methods) {
        while let Some(&Reverse(worker)) = self.w.free_workers.peek() {
            let may_start = self.may_start();
            let view = self.view();
            let fresh = if may_start { methods.sampler.ready(&view) } else { Fresh::Exhausted };
            match methods.scheduler.next(&view, fresh) {
                Work::New { until, bracket, own } => {
                    assert!(may_start, "a scheduler started a trial where none may start");
                    assert!(
                        fresh == Fresh::Ready || own.is_some(),
                        "a scheduler asked a sampler that is not ready"
                    );
                    self.start(methods, worker, until, bracket, own);
                }
                Work::Resume { trial, until } => self.resume(worker, trial, until),
                Work::Drop(trial) => {
                    self.expect_paused(trial);
                    self.end(methods, trial, State::Stopped);
                }
                Work::Wait => break,
            }
        }
    }

    fn start(
        &mut self,
        methods: &mut Methods,
        worker: u32,
        until: Epoch,
        bracket: u32,
        own: Option<Proposal>,
    ) {
        let id = TrialId(u32::try_from(self.w.trials.len()).expect("rows are 32 bits"));
        let proposal = own.unwrap_or_else(|| {
            methods.sampler.propose(&self.view(), &Ask { trial: id, until, bracket })
        });
        let (config, snap_distance) = match proposal {
            Proposal::Row(row) => (row, None),
            Proposal::Point(point) => {
                let found = snap::nearest(self.pool, &mut self.w.order, &point);
                let (row, distance) = found.expect("`may_start` found a free row");
                (row, Some(distance))
            }
        };
        self.w.order.take(config);
        self.w.trials.push(Trial {
            config,
            curve_repeat: 0,
            bracket,
            state: State::Paused,
            executed: Epoch(0),
            until,
            value: f64::NAN,
            reported: f64::NAN,
            snap_distance,
            curve: self.pool.curve(config),
        });
        self.w.running.push(None);
        self.resume(worker, id, until);
    }

    fn resume(&mut self, worker: u32, id: TrialId, until: Epoch) {
        self.expect_paused(id);
        let free = self.w.free_workers.pop();
        assert_eq!(free, Some(Reverse(worker)), "work was given to a worker that did not ask");
        let trial = &mut self.w.trials[id.index()];
        assert!(
            until > trial.executed && until <= self.pool.epochs(),
            "a trial that has run {} of {} epochs cannot run until {until}",
            trial.executed,
            self.pool.epochs()
        );
        trial.until = until;
        trial.state = State::Running;
        self.w.running[id.index()] = Some(Running { worker, segment: self.segments_count });
        self.segments_count += 1;
        if let Some(segments) = &mut self.segments {
            segments.push(Segment {
                trial: id,
                config: trial.config,
                curve_repeat: trial.curve_repeat,
                worker,
                start: self.now,
                end: self.now,
                epoch_first: Epoch(trial.executed.0 + 1),
                epochs: trial.executed,
                end_state: State::Running,
                value: f64::NAN,
                reported: f64::NAN,
                snap_distance: trial.snap_distance,
            });
        }
        if trial.curve.is_empty() {
            // A row without a single epoch fails the moment it starts, at no cost.
            self.w.events.push(Reverse((self.now, id)));
        } else {
            self.schedule(id);
        }
    }

    fn expect_paused(&self, id: TrialId) {
        let state = self.w.trials[id.index()].state;
        assert_eq!(state, State::Paused, "trial {id} is not paused");
    }

    fn schedule(&mut self, id: TrialId) {
        let trial = &self.w.trials[id.index()];
        let cost = self.pool.cost(trial.curve.start + usize::from(trial.executed.0));
        self.w.events.push(Reverse((self.now + cost, id)));
    }

    /// Ends every epoch due now, by trial id. Epochs of no cost that begin now end in the next
    /// pass, after the workers have been asked.
    fn end_epochs(&mut self, methods: &mut Methods) {
        let mut due = std::mem::take(&mut self.w.due);
        while let Some(&Reverse((instant, id))) = self.w.events.peek() {
            if instant != self.now {
                break;
            }
            self.w.events.pop();
            due.push(id);
        }
        for id in due.drain(..) {
            self.end_epoch(methods, id);
        }
        self.w.due = due;
    }

    fn end_epoch(&mut self, methods: &mut Methods, id: TrialId) {
        let epochs = self.pool.epochs();
        let trial = &mut self.w.trials[id.index()];
        if trial.curve.is_empty() {
            return self.end(methods, id, State::Failed);
        }
        let score = self.pool.score(trial.curve.start + usize::from(trial.executed.0));
        trial.executed.0 += 1;
        trial.value = self.settings.value.update(trial.value, score);
        let (executed, until) = (trial.executed, trial.until);
        let recorded = trial.curve.len();
        self.epochs_total += 1;
        if score.is_finite() && score > self.epoch_record {
            self.epoch_record = score;
            for goal in &mut self.goals {
                if goal.epoch_reached_at.is_none() && meets(score, goal.score) {
                    goal.epoch_reached_at = Some(self.now);
                }
            }
        }
        if executed == epochs {
            return self.end(methods, id, State::Completed);
        }
        let fails_on_nan = self.settings.on_nan == OnNan::Stop && !score.is_finite();
        if fails_on_nan || usize::from(executed.0) == recorded {
            return self.end(methods, id, State::Failed);
        }
        if let Some(stopper) = &mut methods.stopper {
            let view = self.view();
            if let Verdict::Stop { .. } = stopper.at_epoch(&view, id, executed) {
                return self.end(methods, id, State::Stopped);
            }
        }
        if executed == until {
            match methods.scheduler.at_until(&self.view(), id) {
                Fate::Go { until } => {
                    assert!(until > executed, "a trial cannot go on into its past");
                    self.w.trials[id.index()].until = until.min(epochs);
                }
                Fate::Pause => return self.end(methods, id, State::Paused),
                Fate::Stop => return self.end(methods, id, State::Stopped),
            }
        }
        self.schedule(id);
    }

    /// Ends a segment: with `State::Paused` the trial may be resumed, else it is over.
    fn end(&mut self, methods: &mut Methods, id: TrialId, state: State) {
        let trial = &mut self.w.trials[id.index()];
        let was_running = trial.state == State::Running;
        trial.state = state;
        trial.reported = trial.value;
        let value = trial.value;
        if was_running {
            self.close_segment(id);
        }
        if state == State::Stopped {
            self.stopped_total += 1;
        }
        for goal in &mut self.goals {
            if goal.reached_at.is_none() && meets(value, goal.score) {
                goal.reached_at = Some(self.now);
            }
        }
        if state != State::Paused {
            self.w.ended.push(id);
            methods.scheduler.ended(&self.view(), id);
        }
        methods.sampler.tell(&self.view(), id);
    }

    fn close_segment(&mut self, id: TrialId) {
        let running = self.w.running[id.index()].take().expect("it was running");
        self.w.free_workers.push(Reverse(running.worker));
        let trial = &self.w.trials[id.index()];
        if let Some(segments) = &mut self.segments {
            let segment = &mut segments[running.segment];
            segment.end = self.now;
            segment.epochs = trial.executed;
            segment.end_state = trial.state;
            segment.value = trial.value;
            segment.reported = if trial.state == State::Cut { f64::NAN } else { trial.reported };
        }
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

    fn facts(&self) -> Facts {
        let distances = self.w.trials.iter().filter_map(|trial| trial.snap_distance);
        let distances: Vec<f64> = distances.collect();
        Facts {
            end: self.now,
            trials: u32::try_from(self.w.trials.len()).expect("rows are 32 bits"),
            epochs: self.epochs_total,
            stopped_trials: self.stopped_total,
            snap_distance_median: if distances.is_empty() { f64::NAN } else { median(&distances) },
        }
    }

    fn finish(mut self, end_reason: EndReason) -> Outcome {
        let at_end = self.facts();
        let goals = self.goals.iter().map(|goal| GoalFacts {
            reached_at: goal.reached_at,
            epoch_reached_at: goal.epoch_reached_at,
            facts: goal.facts.unwrap_or(at_end),
            end_reason: if goal.reached_at.is_some() { EndReason::Goal } else { end_reason },
        });
        let goals = goals.collect();
        for index in 0..self.w.trials.len() {
            if self.w.trials[index].state == State::Running {
                self.w.trials[index].state = State::Cut;
                self.close_segment(TrialId(u32::try_from(index).expect("rows are 32 bits")));
            }
        }
        Outcome { goals, segments: self.segments.unwrap_or_default() }
    }
}
