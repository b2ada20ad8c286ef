//! One row on its way into the columns, checked: what it says of itself must agree.

use crate::replay::run_row::{EndReason, RunRow};

/// What the analysis needs of one row, borrowed from wherever it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
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
            end_reason: r.end_reason.word(),
            table_share: r.table_share,
            snap_distance_median: r.snap_distance_median,
            overhead_s: r.overhead_s,
            selected_value: r.selected_value,
            selected_test: r.selected_test,
        }
    }
}

/// The reasons by their codes in the column of them.
pub(super) const END_REASONS: [EndReason; 4] =
    [EndReason::Goal, EndReason::Exhausted, EndReason::Budget, EndReason::MaxTrials];

/// A column, its value and the rule that it breaks.
pub(super) type Wrong = (&'static str, String, &'static str);

impl Record<'_> {
    /// Why the run ended: an index into [`END_REASONS`]. What contradicts itself is refused.
    pub(super) fn checked_end(&self) -> Result<u32, Wrong> {
        let code = (0..).zip(END_REASONS).find(|(_, reason)| reason.word() == self.end_reason);
        let Some((code, end)) = code else {
            let rule = "must be goal, exhausted, budget or max_trials";
            return Err(("end_reason", self.end_reason.to_string(), rule));
        };
        match self.wrong_number().or_else(|| self.contradiction(end)) {
            Some(wrong) => Err(wrong),
            None => Ok(code),
        }
    }

    fn wrong_number(&self) -> Option<Wrong> {
        let times = [
            ("time_to_goal_s", self.time_to_goal_s),
            ("time_to_goal_epoch_s", self.time_to_goal_epoch_s),
            ("end_s", Some(self.end_s)),
            ("overhead_s", Some(self.overhead_s)),
        ];
        for (column, time) in times {
            if let Some(time) = time.filter(|t| !(0.0..f64::INFINITY).contains(t)) {
                return Some((column, time.to_string(), "seconds must be finite and at least 0"));
            }
        }
        let values = [
            ("goal_value", Some(self.goal_value), "a threshold must be finite"),
            ("selected_value", self.selected_value, "a value must be finite, or null"),
            ("selected_test", self.selected_test, "a value must be finite, or null"),
            ("snap_distance_median", self.snap_distance_median, "a distance must be finite"),
        ];
        for (column, value, rule) in values {
            if let Some(value) = value.filter(|v| !v.is_finite()) {
                return Some((column, value.to_string(), rule));
            }
        }
        if !(0.0..=1.0).contains(&self.table_share) {
            return Some(("table_share", self.table_share.to_string(), "a share lies in 0..1"));
        }
        (self.workers == 0).then(|| ("workers", "0".to_string(), "at least one worker ran"))
    }

    fn contradiction(&self, end: EndReason) -> Option<Wrong> {
        if self.stopped_trials > self.trials {
            let value = format!("{} of {} trials", self.stopped_trials, self.trials);
            return Some(("stopped_trials", value, "no more can stop than were started"));
        }
        if self.reached != (end == EndReason::Goal) {
            let value = format!("{} with reached = {}", self.end_reason, self.reached);
            let rule = "must be goal where the goal was reached, and only there";
            return Some(("end_reason", value, rule));
        }
        let happened = [
            ("time_to_goal_s", self.time_to_goal_s.is_some()),
            ("trials_to_goal", self.trials_to_goal.is_some()),
            ("epochs_to_goal", self.epochs_to_goal.is_some()),
        ];
        if let Some((column, there)) =
            happened.into_iter().find(|(_, there)| *there != self.reached)
        {
            let value = if there { "a value" } else { "null" };
            let rule = "must stand where reached is true, and only there";
            return Some((column, value.to_string(), rule));
        }
        if self.reached && self.time_to_goal_epoch_s.is_none() {
            let rule = "must stand where reached is true";
            return Some(("time_to_goal_epoch_s", "null".to_string(), rule));
        }
        None
    }
}
