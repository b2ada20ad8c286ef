//! What schedulers have in common that give one more epoch at a time, each to the configuration
//! that a model of their own likes best, be it under way or not begun (deep power laws, `DyHPO`,
//! freeze-thaw).
//!
//! **Who proposes.** Such a method scores every row of the table that it may go on with: paused
//! trials and free rows alike. Where a free row wins, the scheduler names it itself
//! ([`Work::New`] with `own`): the sampler is not asked, and hears of the trial as one of
//! [`Origin::Scheduler`]. As long as there is nothing to fit,
//! new trials are the sampler's, which so is the method's initial design. Where the sampler says
//! [`Fresh::Exhausted`] (or the engine for it, since no trial may start) no row is begun either.
//!
//! **Pausing.** A trial pauses after its epochs, so that every decision is between all; one that is
//! chosen again is resumed, at the cost that a resumption has. One that has diverged ends: it is no
//! candidate any more. After an epoch that was not measured there is nothing new to decide on, and
//! the trial runs on to the next.
//!
//! **Several workers.** What runs is no candidate. Each free worker takes the best of the others at
//! once; nobody waits but for the very first epoch of all.
//!
//! **Ties** are the first's in the repeat's shuffled order, NaN scores come last.

use base::units::{ConfigId, Epoch, TrialId};

use crate::interface::{Fate, Fresh, Origin, Proposal, Reason, Side, State, View, Work};

#[cfg(test)]
pub(crate) mod driver;

/// What may get the next epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The row of the table.
    pub row: ConfigId,
    /// Its trial, where it is under way.
    pub trial: Option<TrialId>,
}

/// What a trial has newly shown.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    pub trial: TrialId,
    /// The finite scores of its new epochs; none where nothing but divergence was measured.
    pub scores: Vec<(Epoch, f64)>,
}

/// What was compared when a candidate was chosen, for [`Epochwise::reasons`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Choice {
    winner: Candidate,
    score: f64,
    /// The best of the others.
    second: Option<(f64, Candidate)>,
}

/// The bookkeeping of such a scheduler.
#[derive(Debug, Clone)]
pub struct Epochwise {
    /// Epochs that one decision gives.
    step: u16,
    /// By trial: the epochs that were reported as news.
    known: Vec<Epoch>,
    /// Trials that may have news, in the order in which they were heard of.
    heard: Vec<TrialId>,
    /// The last choice, until its trial stands where it was sent.
    choice: Option<Choice>,
}

impl Epochwise {
    /// Gives `step` epochs at a time, at least one.
    pub fn new(step: u16) -> Self {
        assert!(step > 0, "a decision gives an epoch");
        Self { step, known: Vec::new(), heard: Vec::new(), choice: None }
    }

    /// For [`Scheduler::at_until`](crate::interface::Scheduler::at_until).
    pub fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        let executed = view.trial(trial).executed;
        self.choice = self.choice.filter(|choice| choice.winner.trial != Some(trial));
        let new = &view.curve(trial)[self.known_of(trial).0.into()..];
        if new.iter().any(|score| score.is_diverged()) {
            return Fate::Stop;
        }
        if new.iter().all(|score| !score.is_measured()) {
            return Fate::Go { until: Epoch(executed.0 + 1) };
        }
        self.heard.push(trial);
        Fate::Pause
    }

    /// For [`Scheduler::started`](crate::interface::Scheduler::started).
    pub fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        if origin == Origin::EarlierPhase && view.trial(trial).state == State::Paused {
            self.heard.push(trial);
        }
    }

    /// For [`Scheduler::ended`](crate::interface::Scheduler::ended).
    pub fn ended(&mut self, trial: TrialId) {
        self.heard.push(trial);
    }

    fn known_of(&self, trial: TrialId) -> Epoch {
        self.known.get(trial.index()).copied().unwrap_or(Epoch(0))
    }

    /// What trials have shown since it was last asked, in the order in which they showed it.
    /// Epochs after one at which training had diverged are no news.
    pub fn news(&mut self, view: &View<'_>) -> Vec<News> {
        let mut all = Vec::new();
        for trial in std::mem::take(&mut self.heard) {
            let known = self.known_of(trial);
            let executed = view.trial(trial).executed;
            if known >= executed {
                continue;
            }
            if self.known.len() <= trial.index() {
                self.known.resize(trial.index() + 1, Epoch(0));
            }
            self.known[trial.index()] = executed;
            let curve = view.curve(trial);
            let sound = curve.iter().position(|s| s.is_diverged()).unwrap_or(curve.len());
            let epochs = (1..=executed.0).zip(&curve[..sound]).skip(known.0.into());
            let scores = epochs.filter_map(|(e, score)| Some((Epoch(e), score.number()?)));
            all.push(News { trial, scores: scores.collect() });
        }
        all
    }

    /// Those among which is chosen: trials by id, then free rows in the repeat's order.
    pub fn candidates<'a>(
        view: &'a View<'a>,
        fresh: Fresh,
    ) -> impl Iterator<Item = Candidate> + 'a {
        let paused = view
            .paused()
            .map(|trial| Candidate { row: view.trial(trial).config, trial: Some(trial) });
        let free = (fresh != Fresh::Exhausted).then(|| view.free()).into_iter().flatten();
        paused.chain(free.map(|row| Candidate { row, trial: None }))
    }

    /// Work for the candidate with the best score; [`Work::Wait`] where there is none.
    pub fn best(
        &mut self,
        view: &View<'_>,
        fresh: Fresh,
        mut score: impl FnMut(&Candidate) -> f64,
    ) -> Work {
        let mut best: Option<(f64, Candidate)> = None;
        let mut second: Option<(f64, Candidate)> = None;
        for candidate in Self::candidates(view, fresh) {
            let score = score(&candidate);
            let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
            let place = |of: &Candidate| view.order_position(of.row);
            let wins = best.is_none_or(|(most, winner)| {
                score > most || (score == most && place(&candidate) < place(&winner))
            });
            if wins {
                (best, second) = (Some((score, candidate)), best);
            } else if second.is_none_or(|(most, _)| score > most) {
                second = Some((score, candidate));
            }
        }
        self.choice = best.map(|(score, winner)| Choice { winner, score, second });
        best.map_or(Work::Wait, |(_, candidate)| self.work(view, candidate))
    }

    /// For [`Scheduler::reasons`](crate::interface::Scheduler::reasons): how a resumed trial stood
    /// against the best of the others by `what` was compared, and why nothing was elsewhere.
    pub fn reasons(&self, view: &View<'_>, trial: TrialId, what: &'static str) -> Vec<Reason> {
        let not_compared = |why| vec![Reason::number(what, Side::Below, None, None, why)];
        if view.trial(trial).state == State::Paused {
            let chosen = self.choice.filter(|choice| choice.winner.trial == Some(trial));
            let Some(Choice { score, second, .. }) = chosen else {
                return not_compared("not compared now");
            };
            let Some((bar, other)) = second else { return not_compared("nothing else may run") };
            let bar_is = if other.trial.is_some() {
                "the best of the others, a trial"
            } else {
                "the best of the others, a free row"
            };
            let reason = Reason::number(what, Side::Below, Some(score), Some(bar), bar_is);
            return vec![reason.made_by(other.trial)];
        }
        let new = &view.curve(trial)[self.known_of(trial).0.into()..];
        if new.iter().any(|score| score.is_diverged()) {
            let (seen, bar) = (Some(f64::NAN), Some(f64::NEG_INFINITY));
            return vec![Reason::score("value of the new epochs", seen, bar, "any number")];
        }
        not_compared(if new.iter().all(|score| !score.is_measured()) {
            "not measured: there is nothing new to decide on"
        } else {
            "compared once a worker is free"
        })
    }

    /// Work where there is nothing to fit yet: one epoch of what the sampler proposes, else what is
    /// paused.
    pub fn without_model(&self, view: &View<'_>, fresh: Fresh) -> Work {
        if fresh == Fresh::Ready {
            return Work::New { until: Epoch(1), bracket: 0, own: None };
        }
        let paused = view.paused().next();
        paused.map_or(Work::Wait, |trial| self.resume(view, trial))
    }

    fn work(&self, view: &View<'_>, candidate: Candidate) -> Work {
        let Candidate { row, trial } = candidate;
        let new = || Work::New {
            until: self.until(view, Epoch(0)),
            bracket: 0,
            own: Some(Proposal::Row(row)),
        };
        trial.map_or_else(new, |trial| self.resume(view, trial))
    }

    fn resume(&self, view: &View<'_>, trial: TrialId) -> Work {
        Work::Resume { trial, until: self.until(view, view.trial(trial).executed) }
    }

    /// The end of a step from `executed` on.
    fn until(&self, view: &View<'_>, executed: Epoch) -> Epoch {
        Epoch(executed.0.saturating_add(self.step)).min(view.epochs)
    }
}
