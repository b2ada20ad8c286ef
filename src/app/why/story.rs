//! Decisions and trials, told in the metric's own direction.

use base::space::Direction;
use base::units::SimTime;
use methods::interface::{Measure, Reason, Side, meets};
use replay::{Decided, Decider, Decision, GoalFacts, Pool, Segment, Target};
use store::table::Table;

use super::{Parameter, Value};

/// What was compared in a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What of the trial.
    pub what: &'static str,
    /// `None` where it was not measured; NaN where training had diverged.
    pub seen: Option<f64>,
    /// `None` where nothing could be compared; infinite where any number is enough.
    pub bar: Option<f64>,
    /// Whether both are values of the metric.
    pub is_metric: bool,
    /// Where a trial fails: `below` the bar, `above` it, or where it has `reached` it.
    pub fails: &'static str,
    /// Where the bar came from, in words.
    pub bar_is: String,
    /// The trials that made it.
    pub trials: Vec<u32>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub at_s: f64,
    pub trial: u32,
    pub config: u32,
    /// Epochs that it had run.
    pub epoch: u16,
    pub by: Decider,
    pub decided: Decided,
    pub in_warm_start: bool,
    /// The metric at the epoch; NaN where training had diverged, `None` where it was not measured.
    pub value: Option<f64>,
    /// Empty where the method gives no reasons.
    pub compared: Vec<Compared>,
    /// What the rest of a stopped trial would still have cost; `None` of others.
    pub saved_s: Option<f64>,
    /// The trial's value over its whole curve; NaN where it has none.
    pub whole: f64,
    /// Goal by goal, whether that meets it.
    pub would_meet: Vec<bool>,
}

/// A stretch of a trial on a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialSegment {
    pub worker: u32,
    pub start_s: f64,
    pub end_s: f64,
    pub epoch_first: u16,
    pub epochs: u16,
    /// `completed`, `stopped`, `paused`, `failed` or `cut`.
    pub end_state: &'static str,
    /// By the value mode over the executed epochs; NaN where it has none.
    pub value: f64,
    /// Charged before the first epoch.
    pub overhead_s: f64,
}

/// All of one trial.
#[derive(Debug, Clone)]
pub struct TrialStory {
    pub trial: u32,
    pub config: u32,
    /// Which recorded training of the configuration.
    pub curve_repeat: u16,
    /// Each hyperparameter with its value.
    pub values: Vec<(Parameter, Value)>,
    pub segments: Vec<TrialSegment>,
    /// Its value over its whole curve; NaN where it has none.
    pub whole: f64,
    /// Goal by goal, whether that meets it.
    pub would_meet: Vec<bool>,
}

/// Knows the metric and the goals of a run.
pub(super) struct Teller<'a> {
    pub(super) pool: &'a Pool,
    pub(super) goals: &'a [(Target, GoalFacts)],
}

impl Teller<'_> {
    fn would_meet(&self, whole: f64) -> Vec<bool> {
        self.goals.iter().map(|(target, _)| meets(whole, target.score)).collect()
    }

    /// Whether a trial would have met a goal that nobody had met by then.
    pub(super) fn is_lost(&self, decision: &Decision, goal: usize) -> bool {
        let (target, facts) = &self.goals[goal];
        let by_then = facts.reached_at.is_none_or(|reached| decision.at <= reached);
        by_then && meets(decision.whole, target.score) && !meets(decision.value, target.score)
    }

    pub(super) fn tell(&self, decision: &Decision) -> Told {
        Told {
            at_s: decision.at.seconds(),
            trial: decision.trial.0,
            config: self.pool.ids().id_of(decision.config).0,
            epoch: decision.epoch.0,
            by: decision.by,
            decided: decision.decided,
            in_warm_start: decision.in_warm_start,
            value: decision.score.map(|score| self.pool.value_of(score)),
            compared: decision.reasons.iter().map(|reason| self.compared(reason)).collect(),
            saved_s: (decision.decided == Decided::Stop).then(|| decision.saved.seconds()),
            whole: self.pool.value_of(decision.whole),
            would_meet: self.would_meet(decision.whole),
        }
    }

    fn compared(&self, reason: &Reason) -> Compared {
        let is_metric = reason.measure == Measure::Score;
        let is_turned = is_metric && self.pool.metric().goal == Direction::Minimize;
        let number = |number: f64| if is_turned { self.pool.value_of(number) } else { number };
        // Worst of all is what stands for a divergence.
        let seen = |score: f64| if score == f64::NEG_INFINITY { f64::NAN } else { number(score) };
        let fails = match (reason.side, is_turned) {
            (Side::Below, false) | (Side::Above, true) => "below",
            (Side::Below, true) | (Side::Above, false) => "above",
            (Side::Reached, _) => "reached",
        };
        Compared {
            what: reason.what,
            seen: reason.seen.map(seen),
            bar: reason.bar.map(number),
            is_metric,
            fails,
            bar_is: reason.bar_is.clone(),
            trials: reason.trials.iter().map(|trial| trial.0).collect(),
        }
    }

    pub(super) fn of_trial(
        &self,
        trial: u32,
        segments: &[&Segment],
        whole: f64,
        table: &Table,
    ) -> TrialStory {
        let first = segments.first().expect("a trial has a segment");
        let id = self.pool.ids().id_of(first.config);
        let row = &table.configs[id.index()];
        let parameters = table.manifest.space.parameters.iter().cloned();
        let segments = segments.iter().map(|segment| TrialSegment {
            worker: segment.worker,
            start_s: segment.start.seconds(),
            end_s: segment.end.seconds(),
            epoch_first: segment.epoch_first.0,
            epochs: segment.epochs.0,
            end_state: segment.end_state.word(),
            value: self.pool.value_of(segment.value),
            overhead_s: SimTime::seconds(segment.overhead),
        });
        TrialStory {
            trial,
            config: id.0,
            curve_repeat: first.curve_repeat,
            values: parameters.zip(row.iter().copied()).collect(),
            segments: segments.collect(),
            whole: self.pool.value_of(whole),
            would_meet: self.would_meet(whole),
        }
    }
}
