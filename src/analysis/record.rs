//! One row, checked: what it says of itself must agree.

use super::Runs;
use crate::error::{Error, Result, fault};
use crate::replay::run_row::EndReason;
use crate::stats::Interval;

/// What the analysis needs of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub source: u64,
    pub table: &'a str,
    pub sampler: &'a str,
    pub scheduler: &'a str,
    pub stopper: &'a str,
    pub report: &'a str,
    pub value: &'a str,
    pub workers: u64,
    pub goal: &'a str,
    pub goal_value: f64,
    pub goal_rows: u64,
    pub repeat: u64,
    pub seed: u64,
    pub reached: bool,
    pub time_to_goal_s: Option<f64>,
    pub time_to_goal_epoch_s: Option<f64>,
    pub trials_to_goal: Option<u64>,
    pub epochs_to_goal: Option<u64>,
    pub end_s: f64,
    pub trials: u64,
    pub epochs: u64,
    pub stopped_trials: u64,
    pub end: EndReason,
    pub table_share: f64,
}

impl Record<'_> {
    /// What is known of something that happens at `value` or has not happened by `watched`:
    /// infinite where the run exhausted everything, above `watched` where it was cut.
    pub(super) fn bounds(&self, value: Option<f64>, watched: f64) -> Interval {
        match value {
            Some(value) => Interval::exact(value),
            None if self.end.censors() => Interval { low: watched, high: f64::INFINITY },
            None => Interval::exact(f64::INFINITY),
        }
    }
}

impl Runs {
    /// Every row, checked.
    pub(super) fn records(&self) -> Result<Vec<Record<'_>>> {
        let (mut source, mut workers) = (self.counts("source")?, self.counts("workers")?);
        let (mut table, mut sampler) = (self.texts("table")?, self.texts("sampler")?);
        let (mut scheduler, mut stopper) = (self.texts("scheduler")?, self.texts("stopper")?);
        let (mut report, mut value) = (self.texts("report")?, self.texts("value")?);
        let (mut goal, mut goal_value) = (self.texts("goal")?, self.numbers("goal_value")?);
        let (mut goal_rows, mut repeat) = (self.counts("goal_rows")?, self.counts("repeat")?);
        let (mut seed, mut reached) = (self.counts("seed")?, self.truths("reached")?);
        let mut time = self.numbers("time_to_goal_s")?;
        let mut epoch_time = self.numbers("time_to_goal_epoch_s")?;
        let mut trials_to_goal = self.counts("trials_to_goal")?;
        let mut epochs_to_goal = self.counts("epochs_to_goal")?;
        let (mut end_s, mut trials) = (self.numbers("end_s")?, self.counts("trials")?);
        let (mut epochs, mut stopped) = (self.counts("epochs")?, self.counts("stopped_trials")?);
        let (mut end, mut share) = (self.texts("end_reason")?, self.numbers("table_share")?);
        let mut records = Vec::with_capacity(self.len());
        let mut rows_before = (0, 0);
        for row in 0..self.len() {
            // Neither the reader nor `from_rows` lets a null into a column that has none.
            let word = end.next().expect("one a row");
            let record = Record {
                source: source.next().flatten().expect("one a row"),
                table: table.next().expect("one a row"),
                sampler: sampler.next().expect("one a row"),
                scheduler: scheduler.next().expect("one a row"),
                stopper: stopper.next().expect("one a row"),
                report: report.next().expect("one a row"),
                value: value.next().expect("one a row"),
                workers: workers.next().flatten().expect("one a row"),
                goal: goal.next().expect("one a row"),
                goal_value: goal_value.next().flatten().expect("one a row"),
                goal_rows: goal_rows.next().flatten().expect("one a row"),
                repeat: repeat.next().flatten().expect("one a row"),
                seed: seed.next().flatten().expect("one a row"),
                reached: reached.next().expect("one a row"),
                time_to_goal_s: time.next().flatten(),
                time_to_goal_epoch_s: epoch_time.next().flatten(),
                trials_to_goal: trials_to_goal.next().flatten(),
                epochs_to_goal: epochs_to_goal.next().flatten(),
                end_s: end_s.next().flatten().expect("one a row"),
                trials: trials.next().flatten().expect("one a row"),
                epochs: epochs.next().flatten().expect("one a row"),
                stopped_trials: stopped.next().flatten().expect("one a row"),
                end: end_reason(word).unwrap_or(EndReason::Exhausted),
                table_share: share.next().flatten().expect("one a row"),
            };
            if record.source != rows_before.0 {
                rows_before = (record.source, row);
            }
            if let Some(wrong) = contradiction(&record, word) {
                return Err(self.wrong_row(record.source, row - rows_before.1, wrong));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The name of the file or study that a row came from.
    pub(super) fn source_name(&self, source: u64) -> &str {
        let index = usize::try_from(source).unwrap_or(usize::MAX);
        self.sources.get(index).map_or("these runs", String::as_str)
    }

    fn wrong_row(&self, source: u64, row: usize, (column, value, rule): Wrong) -> Error {
        let field = format!("column {column}, row {row}");
        let remedy = "make the file again with `curvebook replay --out`, or leave that row out";
        fault(self.source_name(source), field, value, rule, remedy)
    }
}

fn end_reason(word: &str) -> Option<EndReason> {
    use EndReason::{Budget, Exhausted, Goal, MaxTrials};
    [Goal, Exhausted, Budget, MaxTrials].into_iter().find(|reason| reason.word() == word)
}

/// A column, its value and the rule that it breaks.
type Wrong = (&'static str, String, &'static str);

fn contradiction(r: &Record<'_>, word: &str) -> Option<Wrong> {
    if end_reason(word).is_none() {
        let rule = "must be goal, exhausted, budget or max_trials";
        return Some(("end_reason", word.to_string(), rule));
    }
    let times = [
        ("time_to_goal_s", r.time_to_goal_s),
        ("time_to_goal_epoch_s", r.time_to_goal_epoch_s),
        ("end_s", Some(r.end_s)),
    ];
    for (column, time) in times {
        if let Some(time) = time.filter(|t| !(0.0..f64::INFINITY).contains(t)) {
            return Some((column, time.to_string(), "seconds must be finite and at least 0"));
        }
    }
    if !(0.0..=1.0).contains(&r.table_share) {
        return Some(("table_share", r.table_share.to_string(), "a share lies in 0..1"));
    }
    if !r.goal_value.is_finite() {
        return Some(("goal_value", r.goal_value.to_string(), "a threshold must be finite"));
    }
    if r.workers == 0 {
        return Some(("workers", "0".to_string(), "at least one worker ran"));
    }
    if r.stopped_trials > r.trials {
        let value = format!("{} of {} trials", r.stopped_trials, r.trials);
        return Some(("stopped_trials", value, "no more can stop than were started"));
    }
    if r.reached != (r.end == EndReason::Goal) {
        let value = format!("{word} with reached = {}", r.reached);
        return Some((
            "end_reason",
            value,
            "must be goal where the goal was reached, and only there",
        ));
    }
    let happened = [
        ("time_to_goal_s", r.time_to_goal_s.is_some()),
        ("trials_to_goal", r.trials_to_goal.is_some()),
        ("epochs_to_goal", r.epochs_to_goal.is_some()),
    ];
    if let Some((column, there)) = happened.into_iter().find(|(_, there)| *there != r.reached) {
        let value = if there { "a value" } else { "null" };
        return Some((
            column,
            value.to_string(),
            "must stand where reached is true, and only there",
        ));
    }
    if r.reached && r.time_to_goal_epoch_s.is_none() {
        let rule = "must stand where reached is true";
        return Some(("time_to_goal_epoch_s", "null".to_string(), rule));
    }
    None
}
