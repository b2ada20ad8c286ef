//! The JSON of `curvebook why`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What rules and rungs decided in a recorded run, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyDocument<'a> {
    /// `curvebook-why`.
    pub(crate) format: &'static str,
    /// 1.
    pub(crate) version: u32,
    /// The run's number.
    pub(crate) run: u32,
    /// The table's name.
    pub(crate) table: &'a str,
    /// The name with every parameter; this and the next six as `runs.parquet` has them.
    pub(crate) sampler: &'a str,
    /// As `sampler`.
    pub(crate) scheduler: &'a str,
    /// As `sampler`.
    pub(crate) stopper: &'a str,
    /// Trials at once.
    pub(crate) workers: u32,
    /// From 0.
    pub(crate) repeat: u32,
    /// The master seed.
    pub(crate) seed: u64,
    /// The settings that are not the default.
    pub(crate) settings: &'a str,
    /// What is measured.
    pub(crate) metric: &'a str,
    /// `maximize` or `minimize`.
    pub(crate) direction: &'static str,
    /// What was to be reached.
    pub(crate) goals: Vec<WhyGoal<'a>>,
    /// Trials started.
    pub(crate) trials: u32,
    /// Trials that a rule stopped.
    pub(crate) stopped_by_rule: u32,
    /// Trials that the scheduler ended.
    pub(crate) stopped_by_scheduler: u32,
    /// Trials that were still paused when the run ended.
    pub(crate) left_paused: u32,
    /// What the stopped trials would still have cost to the end of their curves.
    pub(crate) saved_s: f64,
    /// In their order: of one trial all, else those that ended trials or left them paused, and all
    /// with `--full`.
    pub(crate) decisions: Vec<WhyDecision<'a>>,
    /// How many decisions there were beside them.
    pub(crate) other_decisions: usize,
    /// The trial that was asked for.
    pub(crate) trial: Option<WhyTrial<'a>>,
}

/// A goal of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyGoal<'a> {
    /// As asked.
    pub(crate) goal: &'a str,
    /// The threshold that it stands for.
    pub(crate) goal_value: f64,
    /// When it was met.
    pub(crate) reached_s: Option<f64>,
    /// Why the run ended, as this goal sees it.
    pub(crate) end_reason: &'static str,
    /// Trials started by then whose whole curve meets it.
    pub(crate) goal_rows_met: u32,
    /// Of these, the trials that were stopped by then, before they met it.
    pub(crate) killed_trials: &'a [u32],
    /// Of these, the trials that were still paused when the run ended, before they met it.
    pub(crate) paused_trials: &'a [u32],
}

/// What a rule or a rung decided about a trial.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyDecision<'a> {
    /// Simulated seconds since the run began.
    pub(crate) at_s: f64,
    /// The trial's number.
    pub(crate) trial: u32,
    /// The row of the table that it runs.
    pub(crate) config_id: u32,
    /// Epochs that it had run.
    pub(crate) epoch: u16,
    /// `stopper` or `scheduler`.
    pub(crate) by: &'static str,
    /// Its name, or `warm start`.
    pub(crate) method: &'a str,
    /// `stop`, `go_on`, `pause`, `resume`, or `stay_paused`, which stands at the end of the run.
    pub(crate) decision: &'static str,
    /// The metric at the epoch.
    pub(crate) value: Option<f64>,
    /// Whether training had diverged there: then `value` is null.
    pub(crate) diverged: bool,
    /// What was compared, all of which a trial that is stopped fails; empty where the method gives
    /// no reasons.
    pub(crate) compared: Vec<WhyComparison<'a>>,
    /// Of a stopped trial: what the rest of its curve would have cost.
    pub(crate) saved_s: Option<f64>,
    /// The trial's value over its whole curve, whether it was run or not.
    pub(crate) whole_value: Option<f64>,
    /// Goal by goal, whether that meets it.
    pub(crate) would_meet: &'a [bool],
}

/// Something of a trial beside what it was compared with.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyComparison<'a> {
    /// What of the trial.
    pub(crate) what: &'a str,
    /// Its number; null where it was not measured or training had diverged.
    pub(crate) seen: Option<f64>,
    /// What it is compared with; null where nothing could be, or any number is enough.
    pub(crate) bar: Option<f64>,
    /// Where a trial fails: `below` the bar, `above` it, or where it has `reached` it.
    pub(crate) fails: &'static str,
    /// Whether both are values of the metric; else a share, a p-value or epochs.
    pub(crate) is_metric: bool,
    /// Where the bar came from, or why there is none.
    pub(crate) bar_is: &'a str,
    /// The trials whose values made the bar; empty where it is a constant.
    pub(crate) trials: &'a [u32],
}

/// All of one trial.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyTrial<'a> {
    /// Its number.
    pub(crate) trial: u32,
    /// The row of the table that it runs.
    pub(crate) config_id: u32,
    /// Which of the row's recorded curves.
    pub(crate) curve_repeat: u16,
    /// Of each hyperparameter its value, or null where its condition does not hold.
    pub(crate) values: Map<String, Value>,
    /// When it ran which epochs where.
    pub(crate) segments: Vec<WhySegment>,
    /// Its value over its whole curve, whether it was run or not.
    pub(crate) whole_value: Option<f64>,
    /// Goal by goal, whether that meets it.
    pub(crate) would_meet: &'a [bool],
}

/// A stretch of a trial on a worker.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhySegment {
    /// From 0.
    pub(crate) worker: u32,
    /// Simulated seconds since the run began.
    pub(crate) start_s: f64,
    /// The same.
    pub(crate) end_s: f64,
    /// The first epoch that it ran.
    pub(crate) epoch_first: u16,
    /// Epochs of the trial so far.
    pub(crate) epochs: u16,
    /// `completed`, `stopped`, `paused`, `failed` or `cut`.
    pub(crate) end_state: &'static str,
    /// By the value mode over the executed epochs.
    pub(crate) value: Option<f64>,
    /// Charged before the first epoch.
    pub(crate) overhead_s: f64,
}
