//! What the methods whose rungs fill before anybody goes on have in common: brackets of trials, one
//! after another.

use std::collections::VecDeque;
use std::sync::Arc;

use base::units::{Epoch, TrialId};

use super::{AT_RUNG, Plan, left_by_earlier_phase, not_compared, passed_over, score_at};
use crate::interface::{Fate, Fresh, Origin, Reason, Scheduler, State, View, Work};

/// A trial that has come to a rung.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    score: f64,
    /// Among equals the lower place goes first: the order in which trials began in the bracket,
    /// and after the first rung the order in which they left the one before.
    place: u32,
    trial: TrialId,
}

/// Where a running trial goes.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Counted over the run.
    bracket: usize,
    rung: usize,
    place: u32,
}

/// Who went on from a rung that is over.
#[derive(Debug, Clone, Copy)]
struct Cut {
    level: Epoch,
    /// The last that went on.
    last: Arrival,
    best: usize,
    came: usize,
}

impl Cut {
    /// How a trial that was there compares with it.
    fn reason(&self, view: &View<'_>, trial: TrialId) -> Reason {
        let Self { level, last, best, came } = *self;
        let bar_is = format!("number {best} of {came}");
        let seen = score_at(view, trial, level);
        Reason::score(AT_RUNG, seen, Some(last.score), bar_is).made_by([last.trial])
    }
}

/// One bracket under way.
#[derive(Debug)]
struct Bracket {
    plan: Arc<Plan>,
    /// The lowest rung that is not over.
    rung: usize,
    started: u32,
    /// Whether further trials may begin in it.
    takes_more: bool,
    /// By rung: how many trials run towards it.
    on_their_way: Vec<u32>,
    /// By rung: who has come to it.
    arrived: Vec<Vec<Arrival>>,
    /// Who shall run to the lowest rung that is not over, with their places.
    going_on: VecDeque<(TrialId, u32)>,
    /// Who is out.
    out: VecDeque<TrialId>,
    /// Of the last rung that is over, which these two lists are of.
    cut: Option<Cut>,
}

impl Bracket {
    fn new(plan: &Arc<Plan>) -> Self {
        let rungs = plan.stages.len();
        Self {
            plan: Arc::clone(plan),
            rung: 0,
            started: 0,
            takes_more: true,
            on_their_way: vec![0; rungs],
            arrived: vec![Vec::new(); rungs],
            going_on: VecDeque::new(),
            out: VecDeque::new(),
            cut: None,
        }
    }

    fn is_over(&self) -> bool {
        self.rung == self.plan.stages.len()
    }

    /// Counts a trial that begins in it, and gives it its place.
    fn begin_trial(&mut self) -> u32 {
        let place = self.started;
        self.started += 1;
        self.takes_more = self.started < self.plan.stages[0].trials;
        place
    }

    /// Closes every rung to which nobody runs any more.
    fn close_rungs(&mut self) {
        while !self.is_over()
            && !self.takes_more
            && self.going_on.is_empty()
            && self.on_their_way[self.rung] == 0
        {
            self.close_rung();
        }
    }

    fn close_rung(&mut self) {
        let mut arrived = std::mem::take(&mut self.arrived[self.rung]);
        let level = self.plan.stages[self.rung].until;
        self.rung += 1;
        if self.is_over() {
            assert!(arrived.is_empty(), "nobody waits where trials end");
            return;
        }
        let by_score = |a: &Arrival, b: &Arrival| b.score.total_cmp(&a.score);
        arrived.sort_by(|a, b| by_score(a, b).then(a.place.cmp(&b.place)));
        let best = self.plan.trials(self.rung, self.started).min(arrived.len());
        let came = arrived.len();
        let out = arrived.split_off(best);
        self.cut = arrived.last().map(|last| Cut { level, last: *last, best, came });
        self.going_on.extend((0..).zip(arrived).map(|(place, arrival)| (arrival.trial, place)));
        self.out.extend(out.into_iter().map(|arrival| arrival.trial));
    }

    /// How a trial stands that waits in it.
    fn reason(&self, view: &View<'_>, trial: TrialId) -> Option<Reason> {
        let judged = self.going_on.iter().map(|(id, _)| id).chain(&self.out);
        if judged.into_iter().any(|id| *id == trial) {
            return Some(self.cut?.reason(view, trial));
        }
        let waits = |arrived: &Vec<Arrival>| arrived.iter().any(|arrival| arrival.trial == trial);
        let rung = self.arrived.iter().position(waits)?;
        let level = self.plan.stages[rung].until;
        let (came, on_their_way) = (self.arrived[rung].len(), self.on_their_way[rung]);
        let others = if self.takes_more && rung == 0 {
            let planned = self.plan.stages[0].trials;
            format!("of {planned} have come")
        } else {
            format!("have come, {on_their_way} on the way")
        };
        let bar_is = format!("the rung is not over: {came} {others}");
        Some(not_compared(score_at(view, trial, level), bar_is))
    }

    /// What becomes of a trial on its way to a rung: it may have to run there, may be there, or be
    /// past the last one. A rung where it was not measured it passes over.
    fn send(&mut self, view: &View<'_>, id: TrialId, way: &mut Way) -> Fate {
        let executed = view.trial(id).executed;
        loop {
            let until = self.plan.stages[way.rung].until;
            if executed < until {
                self.on_their_way[way.rung] += 1;
                return Fate::Go { until };
            }
            if way.rung + 1 == self.plan.stages.len() {
                return Fate::Stop;
            }
            if let Some(score) = score_at(view, id, until) {
                // There is one zero.
                let (score, place) = (score + 0.0, way.place);
                self.arrived[way.rung].push(Arrival { score, place, trial: id });
                return Fate::Pause;
            }
            way.rung += 1;
            // Behind all that were promoted, in the order of their starts.
            way.place = self.plan.stages[0].trials.saturating_add(id.0);
        }
    }
}

pub(crate) struct Synchronous {
    /// One after another, and again.
    plans: Arc<[Arc<Plan>]>,
    /// Whether free workers begin the next bracket while the last ones of a rung still run.
    overlaps: bool,
    /// Those not over, the oldest first, and perhaps some that are.
    brackets: VecDeque<Bracket>,
    /// How many have left the list.
    gone: usize,
    /// By trial: where it goes, while it runs.
    ways: Vec<Option<Way>>,
    running: u32,
    /// The way of the trial that is about to start.
    next_way: Option<Way>,
    /// Paused trials of an earlier phase, which begin in a bracket before new ones do.
    left_over: VecDeque<TrialId>,
    /// The trial that a cut has just let go on or put out, for those who ask why.
    judged: Option<(TrialId, Cut)>,
}

impl Synchronous {
    pub(crate) fn new(plans: Arc<[Arc<Plan>]>, overlaps: bool) -> Self {
        assert!(!plans.is_empty(), "there is a bracket");
        Self {
            plans,
            overlaps,
            brackets: VecDeque::new(),
            gone: 0,
            ways: Vec::new(),
            running: 0,
            next_way: None,
            left_over: VecDeque::new(),
            judged: None,
        }
    }

    /// Sends a paused trial to a rung; the work that this is, if any.
    fn send(&mut self, view: &View<'_>, at: usize, id: TrialId, mut way: Way) -> Option<Work> {
        match self.brackets[at].send(view, id, &mut way) {
            Fate::Go { until } => {
                self.ways[id.index()] = Some(way);
                self.running += 1;
                Some(Work::Resume { trial: id, until })
            }
            Fate::Pause => None,
            Fate::Stop => Some(Work::Drop(id)),
        }
    }

    /// What one bracket has to do.
    fn work_of(&mut self, view: &View<'_>, at: usize, fresh: Fresh) -> Option<Work> {
        let number = self.gone + at;
        let way = |rung, place| Way { bracket: number, rung, place };
        loop {
            let bracket = &mut self.brackets[at];
            bracket.close_rungs();
            if let Some(trial) = bracket.out.pop_front() {
                self.judged = bracket.cut.map(|cut| (trial, cut));
                return Some(Work::Drop(trial));
            }
            if let Some((trial, place)) = bracket.going_on.pop_front() {
                self.judged = bracket.cut.map(|cut| (trial, cut));
                let way = way(bracket.rung, place);
                if let Some(work) = self.send(view, at, trial, way) {
                    return Some(work);
                }
                continue;
            }
            if !bracket.takes_more {
                return None;
            }
            if let Some(trial) = self.left_over.pop_front() {
                let way = way(0, bracket.begin_trial());
                if let Some(work) = self.send(view, at, trial, way) {
                    return Some(work);
                }
                continue;
            }
            match fresh {
                Fresh::Ready => {
                    let way = way(0, bracket.begin_trial());
                    bracket.on_their_way[0] += 1;
                    self.next_way = Some(way);
                    let (until, number) = (bracket.plan.stages[0].until, bracket.plan.number);
                    return Some(Work::New { until, bracket: number, own: None });
                }
                Fresh::Wait => return None,
                Fresh::Exhausted => bracket.takes_more = false,
            }
        }
    }

    /// Whether a bracket could go on if it waited for no more trials to begin.
    fn release(&mut self) -> bool {
        let waits = |bracket: &&mut Bracket| bracket.takes_more && bracket.started > 0;
        let Some(bracket) = self.brackets.iter_mut().find(waits) else { return false };
        bracket.takes_more = false;
        true
    }

    fn leave(&mut self, trial: TrialId) -> Option<Way> {
        let way = self.ways[trial.index()].take()?;
        self.running -= 1;
        self.brackets[way.bracket - self.gone].on_their_way[way.rung] -= 1;
        Some(way)
    }
}

impl Scheduler for Synchronous {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        loop {
            for at in 0..self.brackets.len() {
                if let Some(work) = self.work_of(view, at, fresh) {
                    return work;
                }
            }
            while self.brackets.front().is_some_and(Bracket::is_over) {
                self.brackets.pop_front();
                self.gone += 1;
            }
            let may_begin = fresh == Fresh::Ready || !self.left_over.is_empty();
            if may_begin && (self.overlaps || self.brackets.is_empty()) {
                let turn = self.gone + self.brackets.len();
                let plan = &self.plans[turn % self.plans.len()];
                self.brackets.push_back(Bracket::new(plan));
                continue;
            }
            // A sampler that waits for an end where nothing runs will not go on by itself.
            if fresh == Fresh::Wait && self.running == 0 && self.release() {
                continue;
            }
            return Work::Wait;
        }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.judged = None;
        let mut way = self.leave(trial).expect("it was sent to a rung");
        let fate = self.brackets[way.bracket - self.gone].send(view, trial, &mut way);
        if let Fate::Go { .. } = fate {
            self.ways[trial.index()] = Some(way);
            self.running += 1;
        }
        fate
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        assert_eq!(trial.index(), self.ways.len(), "it hears of every start");
        self.ways.push(None);
        if origin == Origin::EarlierPhase {
            if view.trial(trial).state == State::Paused {
                self.left_over.push_back(trial);
            }
            return;
        }
        self.ways[trial.index()] = self.next_way.take();
        self.running += 1;
    }

    fn ended(&mut self, _: &View<'_>, trial: TrialId) {
        self.leave(trial);
    }

    fn ends_at(&self) -> Option<Epoch> {
        self.plans.iter().flat_map(|plan| &plan.stages).map(|stage| stage.until).max()
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        if let Some((_, cut)) = self.judged.filter(|(judged, _)| *judged == trial) {
            return vec![cut.reason(view, trial)];
        }
        let waiting = self.brackets.iter().find_map(|bracket| bracket.reason(view, trial));
        if let Some(reason) = waiting {
            return vec![reason];
        }
        let executed = view.trial(trial).executed;
        if let Some(max) = self.ends_at().filter(|max| executed >= *max) {
            return vec![Reason::end_of_trials(executed, max)];
        }
        let mut stages = self.plans.iter().flat_map(|plan| &plan.stages);
        let is_rung = stages.any(|stage| stage.until == executed);
        let was_missed = is_rung && score_at(view, trial, executed).is_none();
        vec![if was_missed { passed_over() } else { left_by_earlier_phase() }]
    }
}
