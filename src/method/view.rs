//! What has happened by now.

use super::row_order::RowOrder;
use super::trial::{State, Trial};
use crate::units::{ConfigId, Epoch, SimTime, TrialId};

/// All recorded curves as scores, one after another. Only the engine builds one, and methods reach
/// into it through [`View::curve`], which ends at the last executed epoch.
#[derive(Debug, Default)]
pub struct Curves {
    pub(crate) scores: Vec<f64>,
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
    pub(crate) order: &'a RowOrder,
    pub(crate) trials: &'a [Trial],
    pub(crate) ended: &'a [TrialId],
    pub(crate) curves: &'a Curves,
}

impl<'a> View<'a> {
    /// Every trial so far, by id.
    pub fn trials(&self) -> &'a [Trial] {
        self.trials
    }

    /// One trial.
    pub fn trial(&self, trial: TrialId) -> &'a Trial {
        &self.trials[trial.index()]
    }

    /// Trials that have ended for good, in the order of their ends.
    pub fn ended(&self) -> &'a [TrialId] {
        self.ended
    }

    /// Trials on a worker, by id.
    pub fn running(&self) -> impl Iterator<Item = TrialId> + 'a {
        self.in_state(State::Running)
    }

    /// Trials that may be resumed, by id.
    pub fn paused(&self) -> impl Iterator<Item = TrialId> + 'a {
        self.in_state(State::Paused)
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = TrialId> + 'a {
        let trials = (0..).map(TrialId).zip(self.trials);
        trials.filter(move |(_, trial)| trial.state == state).map(|(id, _)| id)
    }

    /// Scores of the executed epochs as recorded: NaN and infinities stand where the training
    /// diverged.
    pub fn curve(&self, trial: TrialId) -> &'a [f64] {
        let trial = self.trial(trial);
        let start = trial.curve.start;
        &self.curves.scores[start..start + usize::from(trial.executed.0)]
    }

    /// The score at an executed epoch as rules see it: chance where it is not finite (NaN where
    /// the table knows no chance level).
    pub fn seen(&self, trial: TrialId, epoch: Epoch) -> f64 {
        self.sanitised(self.curve(trial)[epoch.index()])
    }

    /// A score as rules see it.
    pub fn sanitised(&self, score: f64) -> f64 {
        if score.is_finite() { score } else { self.chance.unwrap_or(f64::NAN) }
    }

    /// The first free row in the repeat's shuffled order.
    pub fn first_free(&self) -> Option<ConfigId> {
        self.order.first_free()
    }

    /// Rows that no trial has taken, in the repeat's shuffled order.
    pub fn free(&self) -> impl Iterator<Item = ConfigId> + 'a {
        self.order.free()
    }

    /// Whether no trial has taken the row.
    pub fn is_free(&self, row: ConfigId) -> bool {
        self.order.is_free(row)
    }

    /// A row's place in the repeat's shuffled order, from 0: what breaks ties between rows.
    pub fn order_position(&self, row: ConfigId) -> u32 {
        self.order.position(row)
    }
}
