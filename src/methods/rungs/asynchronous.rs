//! What the methods whose trials never wait for each other have in common: a trial that comes to a
//! rung is compared with those that came before it, at once.

use std::collections::VecDeque;
use std::sync::Arc;

use base::units::{Epoch, TrialId};

use super::{AT_RUNG, Cutoff, Ladder, Span, left_by_earlier_phase, passed_over, score_at};
use crate::interface::{Fate, Fresh, Origin, Reason, Scheduler, State, View, Work};

/// What becomes of a trial at a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It pauses, and goes on once it is among the best of the rung.
    Promotion,
    /// It goes on or ends, at once and for good.
    Stopping,
}

/// The bracket of a trial to be.
pub(crate) type BracketOf = Arc<dyn Fn(TrialId) -> u32 + Send + Sync>;

/// Where a trial stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    bracket: usize,
    /// The rung that it has not come to yet.
    rung: usize,
    /// The rung at which it was compared at last.
    compared: Option<usize>,
}

pub(crate) struct Asynchronous {
    kind: Kind,
    cutoff: Cutoff,
    max: Epoch,
    /// One a bracket: the bracket `b` lacks the lowest `b` rungs.
    ladders: Vec<Ladder>,
    bracket_of: BracketOf,
    /// By trial.
    places: Vec<Place>,
    /// Paused trials of an earlier phase, which go on before any other starts.
    left_over: VecDeque<TrialId>,
}

impl Asynchronous {
    pub(crate) fn new(
        span: Span,
        (kind, cutoff): (Kind, Cutoff),
        brackets: u32,
        bracket_of: BracketOf,
    ) -> Self {
        let ladders = (0..brackets).map(|bracket| Ladder::new(span, bracket, cutoff));
        Self {
            kind,
            cutoff,
            max: span.max,
            ladders: ladders.collect(),
            bracket_of,
            places: Vec::new(),
            left_over: VecDeque::new(),
        }
    }

    fn place(&self, trial: TrialId) -> Place {
        self.places[trial.index()]
    }

    /// Where the trial is looked at next.
    fn until(&self, trial: TrialId) -> Epoch {
        let Place { bracket, rung, .. } = self.place(trial);
        self.ladders[bracket].level(rung)
    }

    /// What becomes of a trial with a score at the rungs that it has come to and was not yet
    /// compared in. There is more than one only after epochs that were not measured.
    fn compare(&mut self, trial: TrialId, executed: Epoch, score: f64) -> Fate {
        loop {
            let Place { bracket, rung, .. } = self.place(trial);
            let ladder = &mut self.ladders[bracket];
            let level = ladder.level(rung);
            if level > executed {
                return Fate::Go { until: level };
            }
            if rung == ladder.rungs() {
                return Fate::Stop;
            }
            self.places[trial.index()].compared = Some(rung);
            if self.kind == Kind::Promotion {
                ladder.wait(rung, score, trial);
                return Fate::Pause;
            }
            if ladder.enter(rung, score, trial) == Some(false) {
                return Fate::Stop;
            }
            self.places[trial.index()].rung += 1;
        }
    }

    /// A trial that may be compared by nothing: it goes on to the next rung.
    fn pass_over(&mut self, trial: TrialId, executed: Epoch) -> Fate {
        loop {
            let until = self.until(trial);
            if until > executed {
                return Fate::Go { until };
            }
            if executed >= self.max {
                return Fate::Stop;
            }
            self.places[trial.index()].rung += 1;
        }
    }

    /// What becomes of a trial that has run to a rung, or past one.
    fn at_rung(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        let executed = view.trial(trial).executed;
        if executed >= self.max {
            return Fate::Stop;
        }
        let epoch = view.curve(trial)[executed.index()];
        if self.cutoff == Cutoff::Optuna {
            if !epoch.is_measured() {
                return Fate::Go { until: Epoch(executed.0 + 1) };
            }
            return match epoch.number() {
                Some(score) => self.compare(trial, executed, score),
                None => Fate::Stop,
            };
        }
        match score_at(view, trial, executed) {
            Some(score) => self.compare(trial, executed, score),
            None => self.pass_over(trial, executed),
        }
    }

    /// Takes a trial of an earlier phase in as if it had run here: its scores count in the rungs
    /// that it has come to, short of its own last epoch.
    fn adopt(&mut self, view: &View<'_>, id: TrialId) {
        let trial = view.trial(id);
        let ladder = &mut self.ladders[self.places[id.index()].bracket];
        let is_paused = trial.state == State::Paused;
        let mut rung = 0;
        while rung < ladder.rungs() {
            let level = ladder.level(rung);
            // A trial that pauses at a rung is compared there when its turn comes.
            let is_here = is_paused && level == trial.executed;
            if level > trial.executed || level >= trial.last_epoch || is_here {
                break;
            }
            let is_out =
                self.cutoff == Cutoff::Optuna && view.curve(id)[level.index()].is_diverged();
            if let Some(score) = score_at(view, id, level).filter(|_| !is_out) {
                ladder.enter(rung, score, id);
            }
            rung += 1;
        }
        self.places[id.index()].rung = rung;
        if is_paused {
            self.left_over.push_back(id);
        }
    }

    /// Work for trials that an earlier phase left paused.
    fn go_on(&mut self, view: &View<'_>) -> Option<Work> {
        while let Some(trial) = self.left_over.pop_front() {
            let executed = view.trial(trial).executed;
            let until = self.until(trial);
            let fate =
                if until > executed { Fate::Go { until } } else { self.at_rung(view, trial) };
            match fate {
                Fate::Go { until } => return Some(Work::Resume { trial, until }),
                Fate::Stop => return Some(Work::Drop(trial)),
                Fate::Pause => {}
            }
        }
        None
    }

    /// The best trial of the highest rung that has one to go on.
    fn promote(&mut self, view: &View<'_>) -> Option<Work> {
        if self.kind == Kind::Stopping {
            return None;
        }
        for at in 0..self.ladders.len() {
            let rungs = self.ladders[at].rungs();
            while let Some((trial, _, score)) = self.ladders[at].promote(rungs) {
                self.places[trial.index()].rung += 1;
                let executed = view.trial(trial).executed;
                match self.compare(trial, executed, score) {
                    Fate::Go { until } => return Some(Work::Resume { trial, until }),
                    Fate::Stop => return Some(Work::Drop(trial)),
                    Fate::Pause => {}
                }
            }
        }
        None
    }
}

impl Scheduler for Asynchronous {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        if let Some(work) = self.go_on(view) {
            return work;
        }
        if let Some(work) = self.promote(view) {
            return work;
        }
        if fresh != Fresh::Ready {
            return Work::Wait;
        }
        let trial = TrialId(u32::try_from(view.trials().len()).expect("rows are 32 bits"));
        let bracket = (self.bracket_of)(trial);
        let until = self.ladders[bracket as usize].level(0);
        Work::New { until, bracket, own: None }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.at_rung(view, trial)
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        let bracket = (self.bracket_of)(trial) as usize;
        assert_eq!(trial.index(), self.places.len(), "it hears of every start");
        self.places.push(Place { bracket, rung: 0, compared: None });
        if origin == Origin::EarlierPhase {
            self.adopt(view, trial);
        }
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}

    fn ends_at(&self) -> Option<Epoch> {
        Some(self.max)
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        let executed = view.trial(trial).executed;
        if executed >= self.max {
            return vec![Reason::end_of_trials(executed, self.max)];
        }
        let is_optuna = self.cutoff == Cutoff::Optuna;
        if is_optuna && view.curve(trial)[executed.index()].is_diverged() {
            let (seen, bar) = (Some(f64::NAN), Some(f64::NEG_INFINITY));
            return vec![Reason::score(AT_RUNG, seen, bar, "any number")];
        }
        let Place { bracket, compared, .. } = self.place(trial);
        match (score_at(view, trial, executed), compared) {
            (None, _) => vec![passed_over()],
            (Some(score), Some(rung)) => vec![self.ladders[bracket].reason(rung, score)],
            (Some(_), None) => vec![left_by_earlier_phase()],
        }
    }
}
