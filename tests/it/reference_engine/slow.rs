//! Contract 3 once more, slow and plain: vectors, one epoch after the other, nothing cached. It is
//! written from the text and knows nothing of `curvebook::replay`. Facts are those of one goal
//! alone; scores are the metric where it is maximised and its negation where it is minimised.

mod ended;

use curvebook::base::measured::{NOT_MEASURED, is_measured};
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{Ask, Fate, Fresh, Origin, Proposal, State, Verdict, Work};

pub(crate) use super::given::{Row, Rules, Table};
use super::mind::{Seen, SeenTrial, Shared, looks_at};

/// A segment.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub trial: u32,
    pub config: u32,
    pub worker: u32,
    pub start: u64,
    pub end: u64,
    pub epoch_first: u16,
    pub epochs: u16,
    pub end_state: State,
    pub value: f64,
    pub reported: f64,
    pub snap_distance: Option<f64>,
    pub overhead: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub reached_at: Option<u64>,
    pub epoch_reached_at: Option<u64>,
    pub end: u64,
    pub trials: u32,
    pub epochs: u64,
    pub stopped_trials: u32,
    pub saved: u64,
    /// Goal rows met, and those of them that were stopped before they could show it.
    pub goal_rows: (u32, u32),
    pub overhead: u64,
    /// Nanoseconds in which a worker had no trial, over all workers.
    pub idle: u64,
    pub snap_distance_median: f64,
    /// Configuration, epoch, score, test value.
    pub selected: Option<(u32, u16, f64, Option<f64>)>,
    pub end_reason: &'static str,
}

struct Trial {
    seen: SeenTrial,
    worker: Option<u32>,
    line: usize,
    /// When its pending epoch ends, while it runs.
    next_end: u64,
    /// When each executed epoch ended.
    ends: Vec<u64>,
}

pub(crate) struct Run<'a> {
    table: &'a Table,
    rules: &'a Rules,
    goals: &'a [f64],
    told: Option<f64>,
    order: &'a [u32],
    now: u64,
    trials: Vec<Trial>,
    ended: Vec<u32>,
    lines: Vec<Line>,
    starts_max: usize,
}

fn meets(score: f64, goal: f64) -> bool {
    score >= goal - 1e-7 * goal.abs().max(1.0)
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        table: &'a Table,
        rules: &'a Rules,
        goals: &'a [f64],
        told: Option<f64>,
        order: &'a [u32],
    ) -> Self {
        Run {
            table,
            rules,
            goals,
            told,
            order,
            now: 0,
            trials: vec![],
            ended: vec![],
            lines: vec![],
            starts_max: 0,
        }
    }

    /// Runs phases one after another: the methods of each, and how many trials may start in it.
    pub(crate) fn replay(mut self, phases: &[(Shared, Option<u32>)]) -> (Facts, Vec<Line>) {
        for (at, (mind, limit)) in phases.iter().enumerate() {
            let of_phase = limit.map_or(usize::MAX, |m| self.trials.len() + m as usize);
            self.starts_max =
                of_phase.min(self.rules.trials_max.map_or(usize::MAX, |m| m as usize));
            let seen = self.seen();
            for id in (0..).map(TrialId).take(seen.trials.len()) {
                Self::tell_of_start(mind, &seen, id, Origin::EarlierPhase);
            }
            for id in seen.ended.iter().map(|id| TrialId(*id)) {
                mind.lock().unwrap().ended(&seen, id);
                mind.lock().unwrap().tell(&seen, id);
            }
            for id in seen.in_state(State::Paused) {
                mind.lock().unwrap().tell(&seen, TrialId(id));
            }
            if let Some(reason) = self.run_phase(mind, at + 1 == phases.len()) {
                return self.finish(reason);
            }
        }
        unreachable!("the last phase gives a reason")
    }

    fn run_phase(&mut self, mind: &Shared, is_last: bool) -> Option<&'static str> {
        let mut asks = true;
        let mut asked_of = self.ended.len();
        loop {
            if self.goals.iter().all(|goal| self.met_at(*goal).is_some()) {
                return Some("goal");
            }
            if asks {
                self.ask(mind);
                if self.is_over(mind, &mut asked_of) {
                    return Some("ending");
                }
            }
            let running = || self.trials.iter().filter(|t| t.worker.is_some());
            let Some(instant) = running().map(|t| t.next_end).min() else {
                return is_last.then(|| self.why(mind));
            };
            if self.rules.budget_ns.is_some_and(|budget| instant > budget) {
                self.now = self.rules.budget_ns.unwrap();
                return Some("budget");
            }
            self.now = instant;
            let is_due = |id: &usize| {
                self.trials[*id].worker.is_some() && self.trials[*id].next_end == instant
            };
            let due: Vec<usize> = (0..self.trials.len()).filter(is_due).collect();
            asks = false;
            for id in due {
                asks |= self.end_epoch(mind, id);
            }
            if self.is_over(mind, &mut asked_of) {
                return Some("ending");
            }
        }
    }

    /// An ending is asked of what has ended since it was asked last, while a goal is open.
    fn is_over(&self, mind: &Shared, asked_of: &mut usize) -> bool {
        let ended = self.ended.len();
        let is_open = self.goals.iter().any(|goal| self.met_at(*goal).is_none());
        if ended == *asked_of || !is_open {
            return false;
        }
        *asked_of = ended;
        mind.lock().unwrap().is_over(&self.seen())
    }

    /// The earliest end of a segment that meets a goal.
    fn met_at(&self, goal: f64) -> Option<u64> {
        let over = self.lines.iter().filter(|l| l.end_state != State::Running);
        over.filter(|l| meets(l.value, goal)).map(|l| l.end).min()
    }

    fn seen(&self) -> Seen {
        let sign = self.sign();
        let is_free = |row: &u32| self.trials.iter().all(|t| t.seen.config != *row);
        Seen {
            now: self.now,
            workers: self.rules.workers,
            epochs: self.table.epochs,
            chance: self.table.chance.map(|chance| sign * chance),
            gain_offset: if self.table.minimise { self.table.chance.unwrap_or(0.0) } else { 0.0 },
            goal: self.told,
            budget: self.rules.budget_ns,
            trials_max: self.rules.trials_max,
            free: self.order.iter().copied().filter(is_free).collect(),
            trials: (0..).zip(&self.trials).map(|(id, t)| self.seen_trial(id, &t.seen)).collect(),
            ended: self.ended.clone(),
        }
    }

    fn seen_trial(&self, id: u32, seen: &SeenTrial) -> SeenTrial {
        let lines = self.lines.iter().filter(|line| line.trial == id);
        let until =
            |line: &Line| if line.end_state == State::Running { self.now } else { line.end };
        let cost_ns = lines.map(|line| until(line) - line.start).sum();
        SeenTrial { cost_ns, ..seen.clone() }
    }

    fn tell_of_start(mind: &Shared, seen: &Seen, trial: TrialId, origin: Origin) {
        // The scheduler, and then the sampler.
        mind.lock().unwrap().started(seen, trial, origin);
        mind.lock().unwrap().started(seen, trial, origin);
    }

    fn sign(&self) -> f64 {
        if self.table.minimise { -1.0 } else { 1.0 }
    }

    fn row(&self, id: usize) -> &'a Row {
        &self.table.rows[self.trials[id].seen.config as usize]
    }

    fn may_start(&self) -> bool {
        self.trials.len() < self.table.rows.len().min(self.starts_max)
    }

    fn ask(&mut self, mind: &Shared) {
        let is_busy = |run: &Self, w| run.trials.iter().any(|t| t.worker == Some(w));
        while let Some(worker) = (0..self.rules.workers).find(|w| !is_busy(self, *w)) {
            let seen = self.seen();
            let may_start = self.may_start();
            let fresh = may_start.then(|| mind.lock().unwrap().ready(&seen));
            let work = mind.lock().unwrap().next(&seen, fresh.unwrap_or(Fresh::Exhausted));
            match work {
                Work::New { until, bracket, own } => {
                    assert!(may_start && (fresh == Some(Fresh::Ready) || own.is_some()));
                    let trial = TrialId(u32::try_from(self.trials.len()).unwrap());
                    let ask = Ask { trial, until, bracket };
                    let origin = if own.is_some() { Origin::Scheduler } else { Origin::Sampler };
                    let proposal = own.unwrap_or_else(|| mind.lock().unwrap().propose(&seen, &ask));
                    self.add(proposal, bracket);
                    self.begin(worker, trial.index(), until, self.rules.fixed_overhead_ns);
                    Self::tell_of_start(mind, &self.seen(), trial, origin);
                }
                Work::Resume { trial, until } => self.begin(worker, trial.index(), until, 0),
                Work::Drop(trial) => self.end(mind, trial.index(), State::Stopped, None),
                Work::Wait => return,
            }
        }
    }

    fn add(&mut self, proposal: Proposal, bracket: u32) {
        let (ConfigId(config), point, snap_distance) = match proposal {
            Proposal::Row(row) => (row, None, None),
            Proposal::Point(point) => {
                let mut nearest: Option<(u32, f64)> = None;
                for row in self.seen().free {
                    let distance = self.distance(&self.table.rows[row as usize].at, &point);
                    if nearest.is_none_or(|(_, least)| distance < least) {
                        nearest = Some((row, distance));
                    }
                }
                // Squares are compared: their roots would tie more often.
                let (row, distance) = nearest.expect("a row is free");
                (ConfigId(row), Some(point), Some(distance.sqrt()))
            }
        };
        assert!(self.trials.iter().all(|t| t.seen.config != config), "a row runs once");
        let seen = SeenTrial {
            config,
            bracket,
            state: State::Paused,
            executed: 0,
            until: 0,
            last_epoch: self.table.rows[config as usize].last_epoch.unwrap_or(self.table.epochs),
            value: f64::NAN,
            reported: f64::NAN,
            point,
            snap_distance,
            curve: vec![],
            cost_ns: 0,
        };
        self.trials.push(Trial { seen, worker: None, line: 0, next_end: 0, ends: vec![] });
    }

    /// Squared.
    fn distance(&self, row: &[f64], point: &[f64]) -> f64 {
        let bin = |u: f64, n: usize| ((u * n as f64).floor() as usize).min(n - 1);
        let square = |at: usize| match self.table.choices[at] {
            Some(n) if bin(row[at], n) == bin(point[at], n) => 0.0,
            Some(_) => 1.0,
            None => (row[at] - point[at]) * (row[at] - point[at]),
        };
        (0..row.len()).map(square).sum()
    }

    fn begin(&mut self, worker: u32, id: usize, until: Epoch, optimiser_ns: u64) {
        let row = self.row(id);
        let trial = &mut self.trials[id];
        assert_eq!(trial.seen.state, State::Paused);
        let executed = usize::from(trial.seen.executed);
        let mut overhead = optimiser_ns + self.rules.trial_overhead_ns;
        if self.rules.charge_setup && (executed == 0 || self.rules.restart) {
            overhead += row.setup_ns;
        }
        if executed > 0 {
            overhead += self.rules.resume_ns;
        }
        if self.rules.restart {
            overhead += row.cost_ns[..executed].iter().sum::<u64>();
        }
        trial.seen.state = State::Running;
        trial.seen.until = until.0.min(trial.seen.last_epoch);
        (trial.worker, trial.line) = (Some(worker), self.lines.len());
        trial.next_end = self.now + overhead + row.cost_ns.get(executed).unwrap_or(&0);
        self.lines.push(Line {
            trial: u32::try_from(id).unwrap(),
            config: trial.seen.config,
            worker,
            start: self.now,
            end: self.now,
            epoch_first: trial.seen.executed + 1,
            epochs: trial.seen.executed,
            end_state: State::Running,
            value: f64::NAN,
            reported: f64::NAN,
            snap_distance: trial.seen.snap_distance,
            overhead,
        });
    }

    /// Whether the segment has ended.
    fn end_epoch(&mut self, mind: &Shared, id: usize) -> bool {
        let row = self.row(id);
        let (sign, now) = (self.sign(), self.now);
        let trial = &mut self.trials[id];
        let executed = usize::from(trial.seen.executed);
        let diverged = row.values.get(executed).is_some_and(|y| is_measured(*y) && !y.is_finite());
        if let Some(y) = row.values.get(executed) {
            trial.seen.executed += 1;
            trial.seen.curve.push(if !is_measured(*y) {
                NOT_MEASURED
            } else if y.is_finite() {
                sign * y
            } else {
                f64::NAN
            });
            trial.ends.push(now);
        }
        trial.seen.value = value(self.rules.best, &trial.seen.curve);
        let (executed, until) = (trial.seen.executed, trial.seen.until);
        let whole = usize::from(executed) == row.values.len();
        let ending = if diverged && self.rules.stop_on_nan {
            Some(State::Failed)
        } else if executed == self.trials[id].seen.last_epoch {
            Some(State::Completed)
        } else {
            whole.then_some(State::Failed)
        };
        if let Some(state) = ending {
            self.end(mind, id, state, None);
            return true;
        }
        let (asked, epoch) = (TrialId(u32::try_from(id).unwrap()), Epoch(executed));
        let looks = mind.lock().unwrap().looks();
        if looks.is_some_and(|looks| looks_at(&looks, executed)) {
            let verdict = mind.lock().unwrap().at_epoch(&self.seen(), asked, epoch);
            if let Verdict::Stop { predicted } = verdict {
                self.end(mind, id, State::Stopped, predicted);
                return true;
            }
        }
        if executed == until {
            let fate = mind.lock().unwrap().at_until(&self.seen(), asked);
            match fate {
                Fate::Go { until } => {
                    let trial = &mut self.trials[id].seen;
                    trial.until = until.0.min(trial.last_epoch);
                }
                Fate::Pause => self.end(mind, id, State::Paused, None),
                Fate::Stop => self.end(mind, id, State::Stopped, None),
            }
            if !matches!(fate, Fate::Go { .. }) {
                return true;
            }
        }
        self.trials[id].next_end += row.cost_ns[usize::from(executed)];
        false
    }

    fn end(&mut self, mind: &Shared, id: usize, state: State, predicted: Option<f64>) {
        let asked = TrialId(u32::try_from(id).unwrap());
        let was_running = self.trials[id].worker.take().is_some();
        self.trials[id].seen.state = state;
        if state != State::Paused {
            self.ended.push(asked.0);
        }
        self.trials[id].seen.reported = self.reported(id, predicted);
        if was_running {
            self.close(id, state);
        }
        let seen = self.seen();
        if state != State::Paused {
            mind.lock().unwrap().ended(&seen, asked);
        }
        mind.lock().unwrap().tell(&seen, asked);
    }

    fn reported(&self, id: usize, predicted: Option<f64>) -> f64 {
        let trial = &self.trials[id].seen;
        if trial.state != State::Stopped {
            return trial.value;
        }
        let best = value(true, &trial.curve);
        match self.rules.report {
            "best" => best,
            "last" | "ranked" => value(false, &trial.curve),
            "predicted" => predicted.filter(|p| p.is_finite()).unwrap_or(best),
            "ignore" => f64::NAN,
            "worst" => {
                let ended = self.ended.iter().map(|e| self.trials[*e as usize].seen.value);
                ended.filter(|v| !v.is_nan()).reduce(f64::min).unwrap_or(f64::NAN)
            }
            other => panic!("no report {other}"),
        }
    }

    fn close(&mut self, id: usize, state: State) {
        let trial = &self.trials[id].seen;
        let line = &mut self.lines[self.trials[id].line];
        (line.end, line.epochs, line.end_state) = (self.now, trial.executed, state);
        line.value = trial.value;
        line.reported = if state == State::Cut { f64::NAN } else { trial.reported };
    }

    /// Nothing runs. Only the limit of trials censors: was there more to try?
    fn why(&self, mind: &Shared) -> &'static str {
        let limited = self.trials.len() < self.table.rows.len() && !self.may_start();
        if limited && mind.lock().unwrap().ready(&self.seen()) != Fresh::Exhausted {
            "max_trials"
        } else {
            "exhausted"
        }
    }

    fn finish(mut self, end_reason: &'static str) -> (Facts, Vec<Line>) {
        let facts = self.facts(end_reason);
        for id in 0..self.trials.len() {
            if self.trials[id].worker.take().is_some() {
                self.close(id, State::Cut);
            }
        }
        (facts, self.lines)
    }

    /// Every worker's time by now but what its segments took.
    fn idle(&self) -> u64 {
        let idle_of = |worker| {
            let lines = self.lines.iter().filter(|line| line.worker == worker);
            let until =
                |line: &Line| if line.end_state == State::Running { self.now } else { line.end };
            self.now - lines.map(|line| until(line) - line.start).sum::<u64>()
        };
        (0..self.rules.workers).map(idle_of).sum()
    }

    fn facts(&self, end_reason: &'static str) -> Facts {
        let trials = || self.trials.iter().map(|t| &t.seen);
        let mut distances: Vec<f64> = trials().filter_map(|t| t.snap_distance).collect();
        distances.sort_by(f64::total_cmp);
        let middle = |at: usize| distances.get(at).copied().unwrap_or(f64::NAN);
        let half = distances.len() / 2;
        let median = match distances.len() % 2 {
            _ if distances.is_empty() => f64::NAN,
            0 => middle(half - 1).midpoint(middle(half)),
            _ => middle(half),
        };
        let epoch_ends = self.trials.iter().flat_map(|t| t.seen.curve.iter().zip(&t.ends));
        let hits = epoch_ends.filter(|(y, _)| y.is_finite() && meets(**y, self.goals[0]));
        Facts {
            reached_at: self.met_at(self.goals[0]),
            epoch_reached_at: hits.map(|(_, end)| *end).min(),
            end: self.now,
            trials: u32::try_from(self.trials.len()).unwrap(),
            epochs: trials().map(|t| u64::from(t.executed)).sum(),
            stopped_trials: trials().filter(|t| t.state == State::Stopped).count() as u32,
            saved: trials().filter(|t| t.state == State::Stopped).map(|t| self.left_of(t)).sum(),
            goal_rows: self.goal_rows(),
            overhead: self.trials.len() as u64 * self.rules.fixed_overhead_ns,
            idle: self.idle(),
            snap_distance_median: median,
            selected: self.selected(),
            end_reason,
        }
    }
}

/// The best finite one, or the last that was measured if it is finite.
fn value(best: bool, curve: &[f64]) -> f64 {
    if best {
        curve.iter().copied().filter(|y| y.is_finite()).reduce(f64::max).unwrap_or(f64::NAN)
    } else {
        let last = curve.iter().copied().rfind(|y| is_measured(*y));
        last.filter(|y| y.is_finite()).unwrap_or(f64::NAN)
    }
}
