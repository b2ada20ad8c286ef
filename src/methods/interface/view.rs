//! What has happened by now.

use base::units::{ConfigId, Epoch, SimTime, TrialId};

use super::epoch_score::EpochScore;
use super::row_order::RowOrder;
use super::trial::{State, Trial};

/// What the engine lays open through the methods of [`View`], and through nothing else: curves end
/// at the last executed epoch. Nobody but this file can name what is in it, copy it with something
/// changed, or print it, and so no method can reach into the table's future. What a method may do,
///
/// ```
/// # extern crate curvebook_methods as methods;
/// use methods::interface::{Past, Trial, View};
///
/// fn look(view: &View<'_>) {
///     let past: Past<'_> = view.past;
///     let trials: &[Trial] = view.trials();
///     let first = view.first_free();
///     for trial in view.running() {
///         let epochs = view.trial(trial).executed;
///         let (curve, cost) = (view.curve(trial), view.cost(trial));
///     }
/// }
/// ```
///
/// and what does not compile, each for the reason whose number stands above it (which
/// `tests/it/causality.rs` checks). The recorded scores are out of reach,
///
/// ```compile_fail,E0616
/// # extern crate curvebook_methods as methods;
/// fn peek(view: &methods::interface::View<'_>) -> Option<f64> {
///     view.past.scores[0].number()
/// }
/// ```
///
/// and so is where the curve of a trial begins among them:
///
/// ```compile_fail,E0616
/// # extern crate curvebook_methods as methods;
/// fn start_of_curve(view: &methods::interface::View<'_>) -> usize {
///     view.past.starts[0]
/// }
/// ```
///
/// Rows are taken by the engine alone. A method proposes one, and reaches no [`RowOrder`] of a run
/// (one that it makes itself is its own),
///
/// ```compile_fail,E0616
/// # extern crate curvebook_methods as methods;
/// fn take_first(view: &methods::interface::View<'_>) {
///     view.past.order.take(view.first_free().unwrap());
/// }
/// ```
///
/// nor does the view have a method that takes one:
///
/// ```compile_fail,E0599
/// # extern crate curvebook_methods as methods;
/// fn take_first(view: &mut methods::interface::View<'_>) {
///     view.take(view.first_free().unwrap());
/// }
/// ```
///
/// The past of a run cannot be built anew from another one's parts, with trials that have run
/// farther,
///
/// ```compile_fail,E0451
/// # extern crate curvebook_methods as methods;
/// use methods::interface::{Past, Trial, View};
///
/// fn with_other_trials<'a>(view: &View<'a>, trials: &'a [Trial]) -> Past<'a> {
///     Past { trials, ..view.past }
/// }
/// ```
///
/// nor can the trials of this one be moved ahead, so that their curves show more,
///
/// ```compile_fail,E0594
/// # extern crate curvebook_methods as methods;
/// fn move_ahead(view: &methods::interface::View<'_>) {
///     for trial in view.running() {
///         view.trial(trial).executed = view.epochs;
///     }
/// }
/// ```
///
/// and the table is nothing that a method could name: this crate knows of none.
///
/// ```compile_fail,E0432
/// use replay::Pool;
/// ```
#[derive(Clone, Copy)]
pub struct Past<'a> {
    order: &'a RowOrder,
    trials: &'a [Trial],
    ended: &'a [TrialId],
    scores: &'a [EpochScore],
    starts: &'a [usize],
}

// Not derived: that would print the scores.
impl std::fmt::Debug for Past<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { trials, ended, .. } = self;
        let mut shown = f.debug_struct("Past");
        shown.field("trials", trials).field("ended", ended).finish_non_exhaustive()
    }
}

impl<'a> Past<'a> {
    /// The repeat's order, for searches among the free rows.
    pub(crate) const fn order(&self) -> &'a RowOrder {
        self.order
    }

    /// For the engine. `scores` are the recorded curves of all rows, executed or not, one after
    /// another; the curve of the trial `i` begins at `starts[i]`. Of the trials, `ended` have
    /// ended for good, in the order of their ends.
    #[inline]
    pub fn new(
        order: &'a RowOrder,
        trials: &'a [Trial],
        ended: &'a [TrialId],
        scores: &'a [EpochScore],
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
    /// The table's last epoch, where a trial is complete; some have a
    /// [last epoch](Trial::last_epoch) of their own before it.
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

    /// What the executed epochs recorded, epoch `e` at `e - 1`: a score, that training had
    /// diverged, or nothing where the epoch was not measured.
    #[inline]
    pub fn curve(&self, trial: TrialId) -> &'a [EpochScore] {
        let start = self.past.starts[trial.index()];
        &self.past.scores[start..start + self.trial(trial).executed.0 as usize]
    }

    /// What a trial has cost by now on the simulated clock: what its ended segments were charged
    /// (their epochs, and all that was charged before the first of them: overheads, setting up,
    /// under `--restart` the epochs run again), and, while it runs, the time since its segment
    /// began. Within an epoch it therefore grows, however seldom running trials are looked at.
    #[inline]
    pub fn cost(&self, trial: TrialId) -> SimTime {
        let trial = self.trial(trial);
        match trial.state {
            State::Running => {
                let elapsed_ns = self.now.0 - trial.segment_start.0;
                trial.charged.saturating_add(SimTime(elapsed_ns))
            }
            _ => trial.charged,
        }
    }

    /// The score at an executed epoch as rules see it: chance where training had diverged (NaN
    /// where the table knows no chance level). `None` where the epoch was not measured: a rule that
    /// is about this very epoch does nothing.
    #[inline]
    pub fn seen(&self, trial: TrialId, epoch: Epoch) -> Option<f64> {
        self.sanitised(self.curve(trial)[epoch.index()])
    }

    /// A score as rules see it, `None` where it was not measured; see [`View::seen`].
    #[inline]
    pub fn sanitised(&self, score: EpochScore) -> Option<f64> {
        if !score.is_measured() {
            return None;
        }
        Some(score.number().unwrap_or_else(|| self.chance.unwrap_or(f64::NAN)))
    }

    /// The executed epochs that were measured, in order, with their scores as rules see them.
    #[inline]
    pub fn measured(
        &self,
        trial: TrialId,
    ) -> impl DoubleEndedIterator<Item = (Epoch, f64)> + use<'a> {
        let view = *self;
        let executed = self.trial(trial).executed.0;
        let epochs = (1..=executed).zip(self.curve(trial));
        epochs.filter_map(move |(epoch, score)| Some((Epoch(epoch), view.sanitised(*score)?)))
    }

    /// The last executed epoch that was measured, with its score as rules see it: for a rule or a
    /// rung that is about how far a trial has come. `None` where nothing was measured yet.
    #[inline]
    pub fn last_measured(&self, trial: TrialId) -> Option<(Epoch, f64)> {
        self.measured(trial).next_back()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One trial that has run 2 of 3 epochs and runs on since 50 ns.
    fn trial() -> Trial {
        Trial {
            config: ConfigId(0),
            curve_repeat: 0,
            bracket: 0,
            state: State::Running,
            executed: Epoch(2),
            until: Epoch(3),
            last_epoch: Epoch(3),
            value: 0.5,
            reported: f64::NAN,
            point: None,
            snap_distance: None,
            segment_start: SimTime(50),
            charged: SimTime(7),
        }
    }

    fn view<'a>(order: &'a RowOrder, trials: &'a [Trial], scores: &'a [EpochScore]) -> View<'a> {
        View {
            now: SimTime(53),
            workers: 1,
            epochs: Epoch(3),
            chance: None,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(order, trials, &[], scores, &[0]),
        }
    }

    #[test]
    fn a_view_shows_and_prints_nothing_that_has_not_run() {
        let (order, trials) = (RowOrder::empty(), [trial()]);
        let scores = [0.25, 0.5, 0.875].map(EpochScore::measured);
        let view = view(&order, &trials, &scores);
        assert_eq!(view.curve(TrialId(0)), &scores[..2]);
        let printed = format!("{view:?}");
        assert!(printed.contains("trials") && !printed.contains("875"), "{printed}");
    }

    #[test]
    fn what_was_not_measured_is_no_number() {
        let (order, trials) = (RowOrder::empty(), [Trial { executed: Epoch(3), ..trial() }]);
        let reserved = base::measured::NOT_MEASURED;
        let [diverged, half] = [f64::NAN, 0.5].map(EpochScore::measured);
        let scores = [diverged, half, EpochScore::NOT_MEASURED];
        let mut view = view(&order, &trials, &scores);
        view.chance = Some(0.1);
        let id = TrialId(0);
        let seen = [1, 2, 3].map(|epoch| view.seen(id, Epoch(epoch)));
        assert_eq!(seen, [Some(0.1), Some(0.5), None]);
        assert_eq!(view.last_measured(id), Some((Epoch(2), 0.5)));
        assert_eq!(view.measured(id).next(), Some((Epoch(1), 0.1)));
        assert!(scores[0].is_diverged() && !scores[2].is_diverged());
        assert_eq!(format!("{:?}", view.curve(id)), "[NaN, 0.5, null]");
        assert_eq!(EpochScore::measured(reserved).number(), None);
        assert!(EpochScore::measured(reserved).is_measured());
    }

    #[test]
    fn cost_is_what_ended_and_what_runs_since_its_start() {
        let order = RowOrder::empty();
        let running = [trial()];
        assert_eq!(
            view(&order, &running, &[EpochScore::measured(0.0); 3]).cost(TrialId(0)),
            SimTime(7 + 3)
        );
        for state in [State::Paused, State::Completed, State::Stopped, State::Failed] {
            let over = [Trial { state, ..trial() }];
            assert_eq!(
                view(&order, &over, &[EpochScore::measured(0.0); 3]).cost(TrialId(0)),
                SimTime(7)
            );
        }
    }
}
