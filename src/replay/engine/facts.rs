//! What a run has come to by now, as one goal sees it.

use base::stats::quantile::median;
use base::units::{Epoch, SimTime, TrialId};
use methods::interface::{State, meets};

use super::Run;
use crate::ValueMode;
use crate::outcome::{Facts, Selected};

impl Run<'_> {
    pub(super) fn ids(&self) -> impl Iterator<Item = TrialId> + use<> {
        (0..u32::try_from(self.w.trials.len()).expect("rows are 32 bits")).map(TrialId)
    }

    /// Epochs of a trial that have ended by now.
    pub(super) fn executed_by_now(&self, id: TrialId) -> Epoch {
        let trial = &self.w.trials[id.index()];
        let (Some(running), true) = (&self.w.running[id.index()], self.w.is_lazy) else {
            return trial.executed;
        };
        // Costs are positive, so instants rise with epochs, and those up to `executed` have ended.
        let (mut ended, mut pending) = (trial.executed.0, running.next.0);
        while ended < pending {
            let middle = ended + (pending - ended).div_ceil(2);
            if self.instant_of(id, Epoch(middle)) <= self.w.now {
                ended = middle;
            } else {
                pending = middle - 1;
            }
        }
        Epoch(ended)
    }

    /// Notes for every open goal the first epoch of the running segment, up to `executed`, that
    /// meets it.
    pub(super) fn look_for_epoch(&mut self, id: TrialId, executed: Epoch) {
        let running = self.w.running[id.index()].as_ref().expect("it runs");
        let start = self.w.starts[id.index()];
        let ran = start..start + usize::from(executed.0);
        let best = self.pool.value(ValueMode::Best, ran.clone());
        for at in 0..self.w.goals.len() {
            let goal = &self.w.goals[at];
            // A closed goal has been looked for among the trials that ran when it was met.
            if goal.facts.is_some() || !meets(best, goal.score) {
                continue;
            }
            let mut new = (running.executed_before.0 + 1..=executed.0).map(Epoch);
            let scores = &self.pool.scores()[ran.clone()];
            let hits = |e: &Epoch| {
                scores[e.index()].number().is_some_and(|score| meets(score, goal.score))
            };
            let Some(first) = new.find(hits) else { continue };
            let instant = self.instant_of(id, first);
            let earliest = goal.epoch_reached_at.map_or(instant, |known| known.min(instant));
            self.w.goals[at].epoch_reached_at = Some(earliest);
        }
    }

    pub(super) fn look_at_running(&mut self) {
        for id in self.ids() {
            if self.w.trials[id.index()].state == State::Running {
                self.look_for_epoch(id, self.executed_by_now(id));
            }
        }
    }

    /// Counts for the goals that were met at this instant, which is over.
    pub(super) fn close_goals(&mut self) {
        self.look_at_running();
        let facts = self.facts();
        for at in 0..self.w.goals.len() {
            let goal = &self.w.goals[at];
            if goal.reached_at.is_some() && goal.facts.is_none() {
                self.w.goals[at].facts = Some(self.with_goal_rows(facts, goal.score));
            }
        }
    }

    /// The same facts with what became of the trials whose whole curve meets a goal.
    pub(super) fn with_goal_rows(&self, facts: Facts, goal: f64) -> Facts {
        let (mut met, mut stopped) = (0, 0);
        for (id, trial) in self.w.trials.iter().enumerate() {
            let (start, length) = (self.w.starts[id], self.w.lengths[id]);
            // What ran to its end has its value at hand.
            let is_whole = trial.executed.0 == length;
            let whole = || self.pool.value(self.settings.value, start..start + usize::from(length));
            if meets(if is_whole { trial.value } else { whole() }, goal) {
                met += 1;
                stopped += u32::from(trial.state == State::Stopped && !meets(trial.value, goal));
            }
        }
        Facts { goal_rows_met: met, goal_rows_stopped: stopped, ..facts }
    }

    /// What a stopped trial would still have cost to the end of its curve; nothing of others.
    fn saved(&self, id: TrialId) -> SimTime {
        let trial = &self.w.trials[id.index()];
        if trial.state != State::Stopped {
            return SimTime::ZERO;
        }
        let start = self.w.starts[id.index()];
        let whole = self.pool.cost(start, Epoch(self.w.lengths[id.index()]));
        SimTime(whole.0 - self.pool.cost(start, trial.executed).0)
    }

    /// How long the running segment of a trial has kept its worker busy.
    fn busy_by_now(&self, id: TrialId) -> SimTime {
        let trial = &self.w.trials[id.index()];
        let is_running = trial.state == State::Running;
        if is_running { SimTime(self.w.now.0 - trial.segment_start.0) } else { SimTime::ZERO }
    }

    /// What all workers together had to themselves by now, `busy` of which they ran trials.
    fn idle(&self, busy: SimTime) -> SimTime {
        let all = self.w.now.0.saturating_mul(u64::from(self.settings.workers));
        SimTime(all.saturating_sub(busy.0))
    }

    pub(super) fn facts(&self) -> Facts {
        let mut epochs = 0;
        let mut busy = self.w.busy_before;
        let mut saved = SimTime::ZERO;
        let mut selected: Option<(f64, TrialId, Epoch)> = None;
        for id in self.ids() {
            let executed = self.executed_by_now(id);
            epochs += u64::from(executed.0);
            saved = saved.saturating_add(self.saved(id));
            busy = busy.saturating_add(self.busy_by_now(id));
            let start = self.w.starts[id.index()];
            let ran = start..start + usize::from(executed.0);
            let value = self.pool.value(self.settings.value, ran);
            // NaN compares false: a trial without a value is never selected.
            if value > selected.map_or(f64::NEG_INFINITY, |(best, _, _)| best) {
                selected = Some((value, id, executed));
            }
        }
        let distances = self.w.trials.iter().filter_map(|trial| trial.snap_distance);
        let distances: Vec<f64> = distances.collect();
        Facts {
            end: self.w.now,
            trials: u32::try_from(self.w.trials.len()).expect("rows are 32 bits"),
            epochs,
            stopped_trials: self.w.stopped_total,
            saved,
            goal_rows_met: 0,
            goal_rows_stopped: 0,
            snap_distance_median: if distances.is_empty() { f64::NAN } else { median(&distances) },
            overhead: self.w.overhead_total,
            idle: self.idle(busy),
            selected: selected.map(|(value, id, executed)| self.selected(value, id, executed)),
        }
    }

    /// The trial that an experimenter would take home.
    pub(super) fn selected(&self, value: f64, id: TrialId, executed: Epoch) -> Selected {
        let trial = &self.w.trials[id.index()];
        let scores = &self.pool.scores()[self.w.starts[id.index()]..][..usize::from(executed.0)];
        let mut epochs = (1..=executed.0).zip(scores);
        let found = match self.settings.value {
            ValueMode::Final => epochs.rfind(|(_, score)| score.is_measured()),
            ValueMode::Best => epochs.find(|(_, score)| **score == value),
        };
        let epoch = Epoch(found.expect("the value of these scores is one of them").0);
        let test_value = self.pool.test_value(self.w.starts[id.index()] + epoch.index());
        Selected { config: trial.config, epoch, value, test_value }
    }
}
