//! One row of `runs.parquet`: what one run, or its share that concerns one goal, came to.

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
    /// `goal`, `exhausted`, `budget` or `max_trials`.
    pub end_reason: String,
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

/// One row without what no answer needs, borrowed from wherever it stands.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub table: &'a str,
    pub sampler: &'a str,
    pub scheduler: &'a str,
    pub stopper: &'a str,
    pub report: &'a str,
    pub value: &'a str,
    pub settings: &'a str,
    pub workers: u32,
    pub goal: &'a str,
    pub goal_value: f64,
    pub goal_rows: u32,
    pub repeat: u32,
    pub seed: u64,
    pub reached: bool,
    pub time_to_goal_s: Option<f64>,
    pub time_to_goal_epoch_s: Option<f64>,
    pub trials_to_goal: Option<u32>,
    pub epochs_to_goal: Option<u64>,
    pub end_s: f64,
    pub trials: u32,
    pub epochs: u64,
    pub stopped_trials: u32,
    pub end_reason: &'a str,
    pub table_share: f64,
    pub snap_distance_median: Option<f64>,
    pub overhead_s: f64,
    pub selected_value: Option<f64>,
    pub selected_test: Option<f64>,
}

impl<'a> From<&'a RunRow> for Record<'a> {
    fn from(r: &'a RunRow) -> Self {
        Self {
            table: &r.table,
            sampler: &r.sampler,
            scheduler: &r.scheduler,
            stopper: &r.stopper,
            report: &r.report,
            value: &r.value,
            settings: &r.settings,
            workers: r.workers,
            goal: &r.goal,
            goal_value: r.goal_value,
            goal_rows: r.goal_rows,
            repeat: r.repeat,
            seed: r.seed,
            reached: r.reached,
            time_to_goal_s: r.time_to_goal_s,
            time_to_goal_epoch_s: r.time_to_goal_epoch_s,
            trials_to_goal: r.trials_to_goal,
            epochs_to_goal: r.epochs_to_goal,
            end_s: r.end_s,
            trials: r.trials,
            epochs: r.epochs,
            stopped_trials: r.stopped_trials,
            end_reason: &r.end_reason,
            table_share: r.table_share,
            snap_distance_median: r.snap_distance_median,
            overhead_s: r.overhead_s,
            selected_value: r.selected_value,
            selected_test: r.selected_test,
        }
    }
}
