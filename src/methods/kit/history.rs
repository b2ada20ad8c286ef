//! What a method has been told so far, kept once for all of them.
//!
//! A trial may be told more than once: paused at epoch 3, it is told there, and again at epoch 9
//! where it was resumed. The later telling *replaces* the earlier one as the trial's latest word
//! ([`History::latest`], [`History::observations`]), and both stay in the [`History::log`], from
//! which a multi-fidelity method takes what was said at one epoch ([`History::at_epoch`]).
//!
//! What is told may be nothing: a score of NaN (a diverged trial, or a stopped one under
//! `--report ignore`) or an infinite one. Such a trial is told, and its row is taken, but it is
//! never an *observation*: models do not see it. [`History::silent`] lists those.
//!
//! A trial that has been started and not been told yet is *pending*. The view lists every trial,
//! so nothing has to be noted when one starts; [`History::proposed`] only marks those that the
//! method itself proposed, which the trials of an earlier phase or of a scheduler's own proposals
//! are not.
//!
//! Every order here is that of trial ids or of telling, never that of an address or a hash. A
//! history is not a view: it holds what a method was told and when, not what runs by now.

use base::units::{ConfigId, Epoch, TrialId};

use crate::interface::{State, View};

/// One thing that a method was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Telling {
    pub trial: TrialId,
    /// The row that the trial runs.
    pub row: ConfigId,
    /// What it reported, larger is better; not finite where it reported nothing.
    pub score: f64,
    /// How far it had come.
    pub epoch: Epoch,
    /// How the segment ended.
    pub state: State,
}

impl Telling {
    /// Whether there is something to fit.
    pub fn is_observation(&self) -> bool {
        self.score.is_finite()
    }
}

/// What has changed among the observations since somebody last caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// The first so many observations were there before, in this order; the rest is new.
    pub kept: usize,
    /// An observation has gone: its trial was told again and reported nothing.
    pub has_lost: bool,
    /// One of those kept has another score now.
    pub is_revised: bool,
}

/// What is known of one trial.
#[derive(Debug, Clone, Default)]
struct Record {
    latest: Option<Telling>,
    point: Option<Box<[f64]>>,
    is_proposed: bool,
    is_observed: bool,
}

/// A method's own history.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By trial.
    records: Vec<Record>,
    /// In the order of first tellings.
    told: Vec<TrialId>,
    log: Vec<Telling>,
    observations: Vec<Telling>,
    /// Entries of the log that the observations account for.
    caught_up: usize,
}

impl History {
    /// A history of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks a trial as the method's own: for `propose`, which knows the trial to be, or for
    /// whoever hears that a trial has started.
    pub fn proposed(&mut self, trial: TrialId) {
        self.record(trial).is_proposed = true;
    }

    /// A segment of the trial has ended: call it from the method's own `tell`.
    pub fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let now = view.trial(trial);
        let telling = Telling {
            trial,
            row: now.config,
            score: now.reported,
            epoch: now.executed,
            state: now.state,
        };
        self.note(telling, now.point.as_deref());
    }

    fn note(&mut self, telling: Telling, point: Option<&[f64]>) {
        let record = self.record(telling.trial);
        let is_first = record.latest.is_none();
        record.latest = Some(telling);
        if is_first {
            record.point = point.map(Box::from);
            self.told.push(telling.trial);
        }
        self.log.push(telling);
    }

    fn record(&mut self, trial: TrialId) -> &mut Record {
        if self.records.len() <= trial.index() {
            self.records.resize_with(trial.index() + 1, Record::default);
        }
        &mut self.records[trial.index()]
    }

    /// The trial's latest word; `None` where it has not been told.
    pub fn latest(&self, trial: TrialId) -> Option<&Telling> {
        self.records.get(trial.index())?.latest.as_ref()
    }

    /// The point that a told trial's proposal was, where it was one.
    pub fn point(&self, trial: TrialId) -> Option<&[f64]> {
        self.records.get(trial.index())?.point.as_deref()
    }

    /// Whether the method itself proposed the trial, as far as [`Self::proposed`] heard of it.
    pub fn is_proposed(&self, trial: TrialId) -> bool {
        self.records.get(trial.index()).is_some_and(|record| record.is_proposed)
    }

    /// Everything that was told, in that order, revised or not.
    pub fn log(&self) -> &[Telling] {
        &self.log
    }

    /// The latest word of each trial, in the order of first tellings.
    pub fn told(&self) -> impl ExactSizeIterator<Item = &Telling> + Clone {
        self.told.iter().map(|trial| self.latest(*trial).expect("it was told"))
    }

    /// The latest word of each trial, by trial.
    pub fn by_trial(&self) -> impl Iterator<Item = &Telling> + Clone {
        self.records.iter().filter_map(|record| record.latest.as_ref())
    }

    /// Trials whose latest word is nothing, in the order of first tellings.
    pub fn silent(&self) -> impl Iterator<Item = &Telling> + Clone {
        self.told().filter(|telling| !telling.is_observation())
    }

    /// Trials that have been started and have never been told, by trial. One that was paused and
    /// resumed is not among them: it has an earlier word.
    pub fn pending(&self, view: &View<'_>) -> impl Iterator<Item = TrialId> {
        self.untold(view.trials().len())
    }

    fn untold(&self, trials: usize) -> impl Iterator<Item = TrialId> {
        let trials = u32::try_from(trials).expect("trials are 32 bits");
        (0..trials).map(TrialId).filter(|trial| self.latest(*trial).is_none())
    }

    /// Brings the observations up to date with everything told by now, and says what that
    /// changed. Those that were there keep their order; new ones follow in the order of first
    /// tellings, and so does one that had gone and is there again.
    pub fn catch_up(&mut self) -> Changes {
        let Self { records, told, log, observations, caught_up } = self;
        let mut changes = Changes { kept: observations.len(), has_lost: false, is_revised: false };
        if *caught_up == log.len() {
            return changes;
        }
        *caught_up = log.len();
        observations.retain_mut(|known| {
            let record = &mut records[known.trial.index()];
            let now = record.latest.expect("it was told");
            record.is_observed = now.is_observation();
            changes.has_lost |= !record.is_observed;
            changes.is_revised |= record.is_observed && now.score != known.score;
            *known = now;
            record.is_observed
        });
        changes.kept = observations.len();
        for trial in told {
            let record = &mut records[trial.index()];
            let now = record.latest.expect("it was told");
            if now.is_observation() && !record.is_observed {
                record.is_observed = true;
                observations.push(now);
            }
        }
        changes
    }

    /// The latest word of each trial that reports something, as of the last
    /// [`Self::catch_up`] and in its order: what a model is fitted to.
    pub fn observations(&self) -> &[Telling] {
        &self.observations
    }

    /// The observation with the largest score; of equals, that of the oldest trial.
    pub fn best(&self) -> Option<&Telling> {
        self.observations.iter().min_by(|a, b| better_first(a, b))
    }

    /// The observations, the largest score first; equals by trial.
    pub fn ranked(&self) -> Vec<Telling> {
        let mut ranked = self.observations.clone();
        ranked.sort_by(better_first);
        ranked
    }

    /// What was told at an epoch and is something, in the order of telling. Where a trial was told
    /// twice there (paused, and dropped later), its later word stands in the place of the earlier.
    pub fn at_epoch(&self, epoch: Epoch) -> Vec<Telling> {
        let mut places = vec![None; self.records.len()];
        let mut found: Vec<Telling> = Vec::new();
        for telling in self.log.iter().filter(|telling| telling.epoch == epoch) {
            let place = *places[telling.trial.index()].get_or_insert(found.len());
            match found.get_mut(place) {
                Some(earlier) => *earlier = *telling,
                None => found.push(*telling),
            }
        }
        found.retain(Telling::is_observation);
        found
    }

    /// The epochs at which something was told, ascending.
    pub fn epochs(&self) -> Vec<Epoch> {
        let tellings = self.log.iter().filter(|telling| telling.is_observation());
        let mut epochs: Vec<Epoch> = tellings.map(|telling| telling.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    }

    /// How many different scores the observations have: a model of fewer than two says nothing.
    pub fn distinct_scores(&self) -> usize {
        let mut scores: Vec<f64> = self.observations.iter().map(|o| o.score).collect();
        scores.sort_by(f64::total_cmp);
        // 0 and -0 are neighbours in that order, and equal.
        scores.dedup();
        scores.len()
    }

    /// How many different rows the observations are of.
    pub fn distinct_rows(&self) -> usize {
        let mut rows: Vec<ConfigId> = self.observations.iter().map(|o| o.row).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.len()
    }
}

/// The order of [`History::ranked`], of observations.
fn better_first(a: &Telling, b: &Telling) -> std::cmp::Ordering {
    let by_score = b.score.partial_cmp(&a.score).expect("observations are finite");
    by_score.then(a.trial.cmp(&b.trial))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(trial: u32, epoch: u16, score: f64) -> Telling {
        let state = if epoch == 9 { State::Completed } else { State::Paused };
        Telling {
            trial: TrialId(trial),
            row: ConfigId(100 + trial),
            score,
            epoch: Epoch(epoch),
            state,
        }
    }

    fn history(tellings: &[Telling]) -> History {
        let mut history = History::new();
        tellings.iter().for_each(|telling| history.note(*telling, None));
        history
    }

    fn trials<'a>(tellings: impl IntoIterator<Item = &'a Telling>) -> Vec<u32> {
        tellings.into_iter().map(|telling| telling.trial.0).collect()
    }

    fn scores<'a>(tellings: impl IntoIterator<Item = &'a Telling>) -> Vec<f64> {
        tellings.into_iter().map(|telling| telling.score).collect()
    }

    #[test]
    fn a_later_word_replaces_the_earlier_one_in_its_place() {
        let mut history = history(&[told(2, 3, 0.5), told(0, 3, 0.2), told(1, 3, 0.9)]);
        let all_new = Changes { kept: 0, has_lost: false, is_revised: false };
        assert_eq!(history.catch_up(), all_new);
        assert_eq!(trials(history.observations()), [2, 0, 1]);

        history.note(told(0, 9, 0.7), None);
        history.note(told(3, 1, 0.1), None);
        // Until somebody catches up, the observations are those of the last fit.
        assert_eq!(scores(history.observations()), [0.5, 0.2, 0.9]);
        let revised = Changes { kept: 3, has_lost: false, is_revised: true };
        assert_eq!(history.catch_up(), revised);
        assert_eq!(trials(history.observations()), [2, 0, 1, 3]);
        assert_eq!(scores(history.observations()), [0.5, 0.7, 0.9, 0.1]);
        assert_eq!(history.latest(TrialId(0)).unwrap().epoch, Epoch(9));
        assert_eq!(history.latest(TrialId(0)).unwrap().state, State::Completed);

        let nothing = Changes { kept: 4, has_lost: false, is_revised: false };
        assert_eq!(history.catch_up(), nothing);
        // The same score at a later epoch revises nothing that a model of scores has seen.
        history.note(told(2, 9, 0.5), None);
        assert_eq!(history.catch_up(), nothing);
        assert_eq!(history.observations()[0].epoch, Epoch(9));
        assert_eq!(trials(history.told()), [2, 0, 1, 3]);
        assert_eq!(trials(history.by_trial()), [0, 1, 2, 3]);
        assert_eq!(trials(history.log()), [2, 0, 1, 0, 3, 2]);
    }

    #[test]
    fn what_reports_nothing_is_told_and_never_observed() {
        let nan = f64::NAN;
        let mut history = history(&[told(0, 3, nan), told(1, 3, 0.4), told(2, 3, f64::INFINITY)]);
        history.catch_up();
        assert_eq!(trials(history.observations()), [1]);
        assert_eq!(trials(history.silent()), [0, 2]);
        assert_eq!(trials(history.told()), [0, 1, 2]);
        // One goes, one comes.
        history.note(told(1, 9, nan), None);
        history.note(told(2, 9, 0.3), None);
        let changes = Changes { kept: 0, has_lost: true, is_revised: false };
        assert_eq!(history.catch_up(), changes);
        assert_eq!(trials(history.observations()), [2]);
        // It had gone: it is a new observation now, behind the others.
        history.note(told(1, 9, 0.8), None);
        let changes = Changes { kept: 1, has_lost: false, is_revised: false };
        assert_eq!(history.catch_up(), changes);
        assert_eq!(trials(history.observations()), [2, 1]);
        assert_eq!(trials(history.silent()), [0]);
    }

    #[test]
    fn what_comes_and_goes_between_two_fits_leaves_no_trace() {
        let mut history = history(&[told(0, 1, 0.1), told(1, 1, 0.2)]);
        history.catch_up();
        history.note(told(0, 2, f64::NAN), None);
        history.note(told(0, 3, 0.1), None);
        history.note(told(2, 1, 0.3), None);
        history.note(told(2, 2, f64::NAN), None);
        let changes = Changes { kept: 2, has_lost: false, is_revised: false };
        assert_eq!(history.catch_up(), changes);
        assert_eq!(trials(history.observations()), [0, 1]);
    }

    #[test]
    fn pending_trials_are_those_without_a_word() {
        let mut history = history(&[told(1, 3, 0.5), told(4, 3, f64::NAN)]);
        assert_eq!(history.untold(6).map(|trial| trial.0).collect::<Vec<_>>(), [0, 2, 3, 5]);
        history.proposed(TrialId(5));
        assert!(history.is_proposed(TrialId(5)) && !history.is_proposed(TrialId(1)));
        assert!(!history.is_proposed(TrialId(77)));
        assert_eq!(history.untold(6).count(), 4, "a proposal is not a word");
        assert_eq!(history.latest(TrialId(5)), None);
        history.note(told(5, 1, 0.5), Some(&[0.25, 0.75]));
        assert_eq!(history.point(TrialId(5)), Some(&[0.25, 0.75][..]));
        assert_eq!((history.point(TrialId(1)), history.point(TrialId(9))), (None, None));
        assert_eq!(history.untold(6).last(), Some(TrialId(3)));
    }

    #[test]
    fn epochs_keep_what_was_said_there() {
        let history = history(&[
            told(0, 3, 0.1),
            told(1, 3, 0.2),
            told(0, 9, 0.3),
            told(1, 3, 0.25),
            told(2, 1, f64::NAN),
            told(3, 3, f64::NAN),
        ]);
        assert_eq!(scores(&history.at_epoch(Epoch(3))), [0.1, 0.25]);
        assert_eq!(scores(&history.at_epoch(Epoch(9))), [0.3]);
        assert!(history.at_epoch(Epoch(1)).is_empty());
        assert_eq!(history.epochs(), [Epoch(3), Epoch(9)]);
    }

    #[test]
    fn ranks_break_ties_by_trial_and_zeros_are_one_score() {
        let mut history =
            history(&[told(3, 1, 0.5), told(1, 1, 0.5), told(0, 1, -0.0), told(2, 1, 0.0)]);
        assert_eq!(history.best(), None, "nobody has caught up");
        history.catch_up();
        assert_eq!(trials(&history.ranked()), [1, 3, 0, 2]);
        assert_eq!(history.best().unwrap().trial, TrialId(1));
        assert_eq!((history.distinct_scores(), history.distinct_rows()), (2, 4));
        assert_eq!(History::new().distinct_scores(), 0);
    }
}
