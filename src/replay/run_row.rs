//! One row of `runs.parquet`: what one run, or its share that concerns one goal, came to.

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The goal was met.
    Goal,
    /// Nothing was left to run: the goal is never reached, its time is infinite.
    Exhausted,
    /// The budget of simulated seconds ran out: censored.
    Budget,
    /// No further trial was allowed: censored.
    MaxTrials,
}

impl EndReason {
    /// The word in `runs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Goal => "goal",
            Self::Exhausted => "exhausted",
            Self::Budget => "budget",
            Self::MaxTrials => "max_trials",
        }
    }

    /// Whether the run ended before it could tell: only then the time to the goal is censored.
    pub const fn censors(self) -> bool {
        matches!(self, Self::Budget | Self::MaxTrials)
    }
}

/// A row of `runs.parquet`, in the order of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    pub run: u32,
    pub table: String,
    /// Canonical: the name with every parameter.
    pub sampler: String,
    pub scheduler: String,
    pub stopper: String,
    pub report: String,
    pub value: String,
    pub workers: u32,
    /// As asked: `0.992`, `top:0.005`, `rank:50`.
    pub goal: String,
    /// The threshold that the goal stands for, in the metric's own direction.
    pub goal_value: f64,
    /// Rows whose full curve meets it.
    pub goal_rows: u32,
    pub repeat: u32,
    pub seed: u64,
    pub reached: bool,
    /// The earliest end of a trial's segment whose executed value meets the goal.
    pub time_to_goal_s: Option<f64>,
    /// The earliest epoch end that meets the goal.
    pub time_to_goal_epoch_s: Option<f64>,
    pub trials_to_goal: Option<u32>,
    pub epochs_to_goal: Option<u64>,
    pub end_s: f64,
    pub trials: u32,
    pub epochs: u64,
    pub stopped_trials: u32,
    pub end_reason: EndReason,
    /// Trials started / rows of the table.
    pub table_share: f64,
    /// Median distance from a proposed point to its row; none where no point was proposed.
    pub snap_distance_median: Option<f64>,
    /// The settings that are not the default and have no column, as command-line options without
    /// their dashes, in a fixed order: `cost=flops restart`. Empty where all are.
    pub settings: String,
    /// What the optimiser itself was charged by `end_s`.
    pub overhead_s: f64,
    /// The best trial by value at `end_s`, the earliest started of equals: what the experimenter
    /// would take home. None where no trial has a value.
    pub selected_config: Option<u32>,
    /// The epoch of its value.
    pub selected_epoch: Option<u16>,
    /// Its value, in the metric's own direction.
    pub selected_value: Option<f64>,
    /// The metric on test images at that epoch, where the table has it. No method ever sees it.
    pub selected_test: Option<f64>,
}
