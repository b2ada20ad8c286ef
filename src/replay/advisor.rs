//! The methods under somebody else's loop: what trains, where and how long is not known here.

use std::sync::Arc;

use base::error::{Result, fault};
use base::units::{ConfigId, Epoch, SimTime, TrialId};
use methods::interface::{
    Ask, EpochScore, Fate, Fresh, Looks, Origin, Past, Proposal, Readers, RowOrder, RunContext,
    State, Stopper, Trial, Verdict, View, Work,
};
use methods::kit::row_tree::FreeCounts;

use crate::engine::Methods;
use crate::settings::{Settings, ValueMode};
use crate::{Grid, Pool, snap};

/// What the messages call the place of a mistake.
const PLACE: &str = "Optimizer";

/// What a worker that asks shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Train a new configuration.
    Start(TrialId),
    /// Go on with a trial that was paused.
    Resume(TrialId),
    /// Nothing before a trial that runs has ended or paused.
    Wait,
    /// Nothing any more.
    Exhausted,
}

/// What becomes of a trial after an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It trains on.
    Go,
    /// It leaves its worker, and may be resumed.
    Pause,
    /// It ends early.
    Stop,
    /// It has run its last epoch.
    Completed,
}

/// A sampler, a scheduler and a stopper that advise somebody else's loop. Whoever trains says what
/// an epoch brought and when; the clock is theirs.
///
/// Configurations are rows of a pool, whose recorded curves are not looked at: a proposed point
/// becomes the nearest free row, as in a replay. Every trial is complete at the pool's last epoch.
#[derive(Debug)]
pub struct Advisor {
    methods: Methods,
    looks: Looks,
    told: Told,
    /// By trial: what its proposal took.
    spent: Vec<SimTime>,
    is_exhausted: bool,
}

/// All that was told so far.
#[derive(Debug)]
struct Told {
    pool: Arc<Pool>,
    settings: Settings,
    goal: Option<f64>,
    now: SimTime,
    order: RowOrder,
    free: FreeCounts,
    trials: Vec<Trial>,
    /// Where the curve of each trial begins among the scores, each with room for all its epochs.
    starts: Vec<usize>,
    scores: Vec<EpochScore>,
    ended: Vec<TrialId>,
    /// The worst value of any trial that has ended.
    worst: f64,
}

impl Advisor {
    /// Nothing has started yet. `grid` is of one combination; the goal is told where a method wants
    /// it.
    ///
    /// # Errors
    /// Faults of methods that the table or space does not suit.
    ///
    /// # Panics
    /// Where the grid has several combinations, a warm start or an ending.
    pub fn new(pool: Arc<Pool>, grid: &Grid, readers: Readers<'_>, repeat: u32) -> Result<Self> {
        grid.check()?;
        let settings = grid.settings.clone();
        assert!(settings.warm_start.is_none() && settings.ending.is_none(), "the loop is not ours");
        let trios = grid.trios();
        let [trio] = &trios[..] else { panic!("one sampler, one scheduler and one stopper") };
        let is_told = trio.is_goal_aware(None);
        let goal = if is_told { Some(grid.targets(&pool)?[0].score) } else { None };
        let context = pool.context(repeat.saturating_add(1), readers);
        let run = RunContext { seed: settings.seed, repeat, threads: 1 };
        let methods = grid.build(&context)?.only(&run);
        let looks = methods.stopper.as_deref().map_or(Looks::Never, Stopper::looks);
        looks.check();
        let mut order = RowOrder::empty();
        order.begin(pool.rows(), settings.seed, repeat);
        let mut free = FreeCounts::default();
        free.begin();
        let told = Told {
            pool,
            settings,
            goal,
            now: SimTime::ZERO,
            order,
            free,
            trials: Vec::new(),
            starts: Vec::new(),
            scores: Vec::new(),
            ended: Vec::new(),
            worst: f64::NAN,
        };
        Ok(Self { methods, looks, told, spent: Vec::new(), is_exhausted: false })
    }

    /// Its rows.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.told.pool
    }

    /// Every trial so far, by id.
    pub fn trials(&self) -> &[Trial] {
        &self.told.trials
    }

    /// One trial.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn trial(&self, trial: TrialId) -> Result<&Trial> {
        self.told.trials.get(trial.0 as usize).ok_or_else(|| {
            let rule = match self.told.trials.len() {
                0 => "no trial has started".to_string(),
                many => format!("trials 0 to {} have started", many - 1),
            };
            fault(PLACE, "trial", trial, rule, "give a number that `ask` returned")
        })
    }

    /// What the proposal of a trial took because something was trained for it, which comes before
    /// its first epoch; mostly nothing.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn spent(&self, trial: TrialId) -> Result<SimTime> {
        self.trial(trial)?;
        Ok(self.spent[trial.index()])
    }

    /// The clock, as it was told last.
    pub fn now(&self) -> SimTime {
        self.told.now
    }

    /// Whether the last worker that asked was told that nothing is left.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// The first free row in the repeat's shuffled order.
    pub fn first_free(&self) -> Option<ConfigId> {
        self.told.order.first_free()
    }

    /// What a free worker shall do at an instant.
    ///
    /// # Errors
    /// A fault where the clock runs backwards.
    pub fn ask(&mut self, now: SimTime) -> Result<Advice> {
        self.told.at(now)?;
        self.is_exhausted = false;
        loop {
            let Self { methods, told, .. } = self;
            let may_start = told.may_start();
            let view = told.view();
            let fresh = if may_start { methods.sampler.ready(&view) } else { Fresh::Exhausted };
            match methods.scheduler.next(&view, fresh) {
                Work::New { until, bracket, own } => {
                    assert!(may_start, "a scheduler started a trial where none may start");
                    let trial = TrialId(u32::try_from(told.trials.len()).expect("32 bits"));
                    let origin = if own.is_some() { Origin::Scheduler } else { Origin::Sampler };
                    let ask = Ask { trial, until, bracket };
                    let proposal = own.unwrap_or_else(|| methods.sampler.propose(&view, &ask));
                    let is_own = origin == Origin::Scheduler;
                    let spent = if is_own { SimTime::ZERO } else { methods.sampler.spent() };
                    self.start(proposal, ask, origin);
                    self.spent.push(spent);
                    return Ok(Advice::Start(trial));
                }
                Work::Resume { trial, until } => {
                    told.resume(trial, until);
                    return Ok(Advice::Resume(trial));
                }
                Work::Drop(trial) => self.end(trial, State::Stopped, None),
                Work::Wait => {
                    let runs = told.trials.iter().any(|trial| trial.state == State::Running);
                    self.is_exhausted = !runs;
                    return Ok(if runs { Advice::Wait } else { Advice::Exhausted });
                }
            }
        }
    }

    /// Takes up a trial that somebody else chose, to its last epoch.
    ///
    /// # Errors
    /// A fault where no row is free, the row is not, or the clock runs backwards.
    pub fn begin(&mut self, proposal: Proposal, now: SimTime) -> Result<TrialId> {
        self.told.at(now)?;
        let is_free =
            |row: &ConfigId| row.0 < self.told.pool.rows() && self.told.order.is_free(*row);
        if let Proposal::Row(row) = &proposal
            && !is_free(row)
        {
            let rule = "is no free row: a row runs once";
            return Err(fault(PLACE, "config", row, rule, "give another one"));
        }
        if !self.told.may_start() {
            let rule = "no row is free, or as many trials have started as may";
            let remedy = "give more `candidates`, or allow more trials";
            return Err(fault(PLACE, "trials", self.told.trials.len(), rule, remedy));
        }
        let trial = TrialId(u32::try_from(self.told.trials.len()).expect("rows are 32 bits"));
        let ask = Ask { trial, until: self.told.pool.epochs(), bracket: 0 };
        self.start(proposal, ask, Origin::Scheduler);
        self.spent.push(SimTime::ZERO);
        Ok(trial)
    }

    /// Takes what the next epoch of a trial brought, in the metric's own direction: `None` where
    /// nothing was measured, NaN where training diverged. What becomes of the trial.
    ///
    /// # Errors
    /// A fault where the trial does not run, or the clock runs backwards.
    pub fn epoch(&mut self, id: TrialId, value: Option<f64>, now: SimTime) -> Result<Answer> {
        self.check_running(id)?;
        self.told.at(now)?;
        self.told.execute(id, value);
        let Self { methods, looks, told, .. } = self;
        let trial = &told.trials[id.index()];
        let (executed, until, last_epoch) = (trial.executed, trial.until, trial.last_epoch);
        if executed == last_epoch {
            self.end(id, State::Completed, None);
            return Ok(Answer::Completed);
        }
        if looks.includes(executed) {
            let stopper = methods.stopper.as_mut().expect("only a stopper looks");
            if let Verdict::Stop { predicted } = stopper.at_epoch(&told.view(), id, executed) {
                self.end(id, State::Stopped, predicted);
                return Ok(Answer::Stop);
            }
        }
        if executed < until {
            return Ok(Answer::Go);
        }
        match methods.scheduler.at_until(&told.view(), id) {
            Fate::Go { until } => {
                told.trials[id.index()].until = until.min(last_epoch);
                Ok(Answer::Go)
            }
            Fate::Pause => {
                self.end(id, State::Paused, None);
                Ok(Answer::Pause)
            }
            Fate::Stop => {
                self.end(id, State::Stopped, None);
                Ok(Answer::Stop)
            }
        }
    }

    /// Ends a trial short of its last epoch, for reasons of whoever trains it: `Completed` where it
    /// is complete as it stands, `Failed` where it broke, `Stopped` where somebody stopped it. One
    /// without a single epoch has failed, whatever is said.
    ///
    /// # Errors
    /// A fault where the trial is over, or the clock runs backwards.
    pub fn conclude(&mut self, id: TrialId, state: State, now: SimTime) -> Result<()> {
        if self.trial(id)?.state != State::Paused {
            self.check_running(id)?;
        }
        self.told.at(now)?;
        let trial = &mut self.told.trials[id.index()];
        let state = if trial.executed == Epoch(0) { State::Failed } else { state };
        if state == State::Completed {
            // What is complete has run to its last epoch: others look that far into its curve.
            trial.last_epoch = trial.executed;
        }
        self.end(id, state, None);
        Ok(())
    }

    fn check_running(&self, id: TrialId) -> Result<()> {
        let state = self.trial(id)?.state;
        if state == State::Running {
            return Ok(());
        }
        let rule = format!("is {}, and only a running trial is told about", state.word());
        Err(fault(PLACE, "trial", id, rule, "tell a trial that `ask` started or resumed"))
    }

    fn start(&mut self, proposal: Proposal, ask: Ask, origin: Origin) {
        let Self { methods, told, .. } = self;
        told.start(proposal, ask);
        let view = told.view();
        methods.scheduler.started(&view, ask.trial, origin);
        methods.sampler.started(&view, ask.trial, origin);
    }

    /// Ends a segment: paused, the trial may be resumed, else it is over.
    fn end(&mut self, id: TrialId, state: State, predicted: Option<f64>) {
        let Self { methods, told, .. } = self;
        told.end(id, state, predicted);
        let view = told.view();
        if state != State::Paused {
            methods.scheduler.ended(&view, id);
        }
        methods.sampler.tell(&view, id);
    }
}

impl Told {
    fn view(&self) -> View<'_> {
        let Self { order, trials, ended, scores, starts, pool, settings, .. } = self;
        View {
            now: self.now,
            workers: settings.workers,
            epochs: pool.epochs(),
            chance: pool.chance(),
            gain_offset: pool.gain_offset(),
            goal: self.goal,
            budget: None,
            trials_max: settings.trials_max,
            past: Past::new(order, trials, ended, scores, starts),
        }
    }

    fn may_start(&self) -> bool {
        let limit = self.settings.trials_max.map_or(usize::MAX, |max| max as usize);
        self.order.has_free() && self.trials.len() < limit
    }

    fn at(&mut self, now: SimTime) -> Result<()> {
        if now < self.now {
            let rule = format!("the clock stood at {} already", self.now);
            let remedy = "give seconds that do not fall, or none at all";
            return Err(fault(PLACE, "now", now, rule, remedy));
        }
        self.now = now;
        Ok(())
    }

    fn start(&mut self, proposal: Proposal, ask: Ask) {
        let (config, point, snap_distance) = match proposal {
            Proposal::Row(row) => (row, None, None),
            Proposal::Point(point) => {
                let found = snap::nearest(&self.pool, &self.order, &mut self.free, &point);
                let (row, distance) = found.expect("there is a free row");
                (row, Some(point.into_boxed_slice()), Some(distance))
            }
        };
        self.order.take(config);
        self.free.take(self.pool.tree_if_made(), config);
        let last_epoch = self.pool.epochs();
        self.trials.push(Trial {
            config,
            curve_repeat: 0,
            bracket: ask.bracket,
            state: State::Running,
            executed: Epoch(0),
            until: ask.until.min(last_epoch),
            last_epoch,
            value: f64::NAN,
            reported: f64::NAN,
            point,
            snap_distance,
            segment_start: self.now,
            charged: SimTime::ZERO,
        });
        self.starts.push(self.scores.len());
        let room = self.scores.len() + usize::from(last_epoch.0);
        self.scores.resize(room, EpochScore::NOT_MEASURED);
    }

    fn resume(&mut self, id: TrialId, until: Epoch) {
        let trial = &mut self.trials[id.index()];
        assert_eq!(trial.state, State::Paused, "trial {id} is not paused");
        trial.until = until.min(trial.last_epoch);
        trial.state = State::Running;
        trial.segment_start = self.now;
    }

    /// Notes the next epoch of a trial.
    fn execute(&mut self, id: TrialId, value: Option<f64>) {
        let score = value.map_or(EpochScore::NOT_MEASURED, |value| {
            EpochScore::measured(self.pool.score_of(value))
        });
        let trial = &mut self.trials[id.index()];
        let start = self.starts[id.index()];
        self.scores[start + usize::from(trial.executed.0)] = score;
        trial.executed = Epoch(trial.executed.0 + 1);
        let ran = &self.scores[start..][..usize::from(trial.executed.0)];
        trial.value = value_of(self.settings.value, ran);
    }

    fn end(&mut self, id: TrialId, state: State, predicted: Option<f64>) {
        let trial = &mut self.trials[id.index()];
        if trial.state == State::Running {
            let charged = SimTime(self.now.0 - trial.segment_start.0);
            trial.charged = trial.charged.saturating_add(charged);
        }
        trial.state = state;
        if state != State::Paused {
            // NaN is no value: `min` passes it over.
            self.worst = self.worst.min(trial.value);
            self.ended.push(id);
        }
        self.trials[id.index()].reported = self.reported(id, predicted);
    }

    /// What the sampler is told of a trial whose segment has just ended.
    fn reported(&self, id: TrialId, predicted: Option<f64>) -> f64 {
        let trial = &self.trials[id.index()];
        if trial.state != State::Stopped {
            return trial.value;
        }
        let ran = &self.scores[self.starts[id.index()]..][..usize::from(trial.executed.0)];
        self.settings.report.of_stopped(|mode| value_of(mode, ran), predicted, self.worst)
    }
}

/// The value of executed epochs, the best or the last that was measured; NaN where there is none,
/// and where training had diverged by the last one.
fn value_of(mode: ValueMode, ran: &[EpochScore]) -> f64 {
    match mode {
        ValueMode::Best => ran.iter().filter_map(|s| s.number()).fold(f64::NAN, f64::max),
        ValueMode::Final => {
            let last = ran.iter().rfind(|score| score.is_measured());
            last.and_then(|score| score.number()).unwrap_or(f64::NAN)
        }
    }
}
