//! What has happened by now.

use base::units::{ConfigId, Epoch, SimTime, TrialId};

use super::row_order::RowOrder;
use super::trial::{State, Trial};

/// What the engine lays open through the methods of [`View`], and through nothing else: curves end
/// at the last executed epoch. Nobody but this file can name what is in it, and so no method can
/// reach into the table's future:
///
/// ```compile_fail,E0616
/// fn peek(view: &methods::interface::View<'_>) -> f64 {
///     view.past.scores[0]
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    order: &'a RowOrder,
    trials: &'a [Trial],
    ended: &'a [TrialId],
    scores: &'a [f64],
    starts: &'a [usize],
}

impl<'a> Past<'a> {
    /// For the engine. `scores` are the recorded curves of all rows, executed or not, one after
    /// another; the curve of the trial `i` begins at `starts[i]`. Of the trials, `ended` have
    /// ended for good, in the order of their ends.
    #[inline]
    pub fn new(
        order: &'a RowOrder,
        trials: &'a [Trial],
        ended: &'a [TrialId],
        scores: &'a [f64],
        starts: &'a [usize],
    ) -> Self {
        assert_eq!(trials.len(), starts.len(), "every trial has a curve");
        Self { order, trials, ended, scores, starts }
    }
}

/// The run by now: everything a method may know.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The simulated clock.
    pub now: SimTime,
    /// Trials that can run at once.
    pub workers: u32,
    /// The table's last epoch, where a trial is complete.
    pub epochs: Epoch,
    /// Score of guessing, if the table knows it.
    pub chance: Option<f64>,
    /// Added to a score it gives the gain `g` of ETR-2: 0 where the metric is maximised, chance
    /// where it is minimised (g = chance - metric).
    pub gain_offset: f64,
    /// The score to reach; `None` unless a method of the run is [`super::Trait::GoalAware`].
    pub goal: Option<f64>,
    /// The instant at which trials are cut.
    pub budget: Option<SimTime>,
    /// How many trials may start in all.
    pub trials_max: Option<u32>,
    /// Reached through the methods below alone.
    pub past: Past<'a>,
}

impl<'a> View<'a> {
    /// Every trial so far, by id.
    #[inline]
    pub fn trials(&self) -> &'a [Trial] {
        self.past.trials
    }

    /// One trial.
    #[inline]
    pub fn trial(&self, trial: TrialId) -> &'a Trial {
        &self.past.trials[trial.index()]
    }

    /// Trials that have ended for good, in the order of their ends.
    #[inline]
    pub fn ended(&self) -> &'a [TrialId] {
        self.past.ended
    }

    /// Trials on a worker, by id.
    #[inline]
    pub fn running(&self) -> impl Iterator<Item = TrialId> + 'a {
        self.in_state(State::Running)
    }

    /// Trials that may be resumed, by id.
    #[inline]
    pub fn paused(&self) -> impl Iterator<Item = TrialId> + 'a {
        self.in_state(State::Paused)
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = TrialId> + 'a {
        let trials = (0..).map(TrialId).zip(self.past.trials);
        trials.filter(move |(_, trial)| trial.state == state).map(|(id, _)| id)
    }

    /// Scores of the executed epochs as recorded: NaN and infinities stand where the training
    /// diverged.
    #[inline]
    pub fn curve(&self, trial: TrialId) -> &'a [f64] {
        let start = self.past.starts[trial.index()];
        &self.past.scores[start..start + self.trial(trial).executed.0 as usize]
    }

    /// The score at an executed epoch as rules see it: chance where it is not finite (NaN where
    /// the table knows no chance level).
    #[inline]
    pub fn seen(&self, trial: TrialId, epoch: Epoch) -> f64 {
        self.sanitised(self.curve(trial)[epoch.index()])
    }

    /// A score as rules see it.
    #[inline]
    pub fn sanitised(&self, score: f64) -> f64 {
        if score.is_finite() { score } else { self.chance.unwrap_or(f64::NAN) }
    }

    /// The first free row in the repeat's shuffled order.
    #[inline]
    pub fn first_free(&self) -> Option<ConfigId> {
        self.past.order.first_free()
    }

    /// Rows that no trial has taken, in the repeat's shuffled order.
    #[inline]
    pub fn free(&self) -> impl Iterator<Item = ConfigId> + 'a {
        self.past.order.free()
    }

    /// Whether no trial has taken the row.
    #[inline]
    pub fn is_free(&self, row: ConfigId) -> bool {
        self.past.order.is_free(row)
    }

    /// A row's place in the repeat's shuffled order, from 0: what breaks ties between rows.
    #[inline]
    pub fn order_position(&self, row: ConfigId) -> u32 {
        self.past.order.position(row)
    }
}
