//! One row on its way into the columns, checked: what it says of itself must agree.

use replay::EndReason;
use store::runs::Record;

/// The reasons by their codes in the column of them.
pub(super) const END_REASONS: [EndReason; 5] = [
    EndReason::Goal,
    EndReason::Exhausted,
    EndReason::Budget,
    EndReason::MaxTrials,
    EndReason::Ending,
];

/// A column, its value and the rule that it breaks.
pub(super) type Wrong = (&'static str, String, &'static str);

/// The code of an end reason: an index into [`END_REASONS`].
pub(super) fn end_code(word: &str) -> Option<u32> {
    (0..).zip(END_REASONS).find(|(_, reason)| reason.word() == word).map(|(code, _)| code)
}

/// Refuses a row that contradicts itself.
pub(super) fn check(record: &Record<'_>) -> Result<(), Wrong> {
    let Some(code) = end_code(record.end_reason) else {
        let rule = "must be goal, exhausted, budget, max_trials or ending";
        return Err(("end_reason", record.end_reason.to_string(), rule));
    };
    let end = END_REASONS[code as usize];
    wrong_number(record).or_else(|| contradiction(record, end)).map_or(Ok(()), Err)
}

fn wrong_number(record: &Record<'_>) -> Option<Wrong> {
    let times = [
        ("time_to_goal_s", record.time_to_goal_s),
        ("time_to_goal_epoch_s", record.time_to_goal_epoch_s),
        ("end_s", Some(record.end_s)),
        ("overhead_s", Some(record.overhead_s)),
        ("saved_s", record.saved_s),
    ];
    for (column, time) in times {
        if let Some(time) = time.filter(|t| !(0.0..f64::INFINITY).contains(t)) {
            return Some((column, time.to_string(), "seconds must be finite and at least 0"));
        }
    }
    let values = [
        ("goal_value", Some(record.goal_value), "a threshold must be finite"),
        ("selected_value", record.selected_value, "a value must be finite, or null"),
        ("selected_test", record.selected_test, "a value must be finite, or null"),
        ("snap_distance_median", record.snap_distance_median, "a distance must be finite"),
    ];
    for (column, value, rule) in values {
        if let Some(value) = value.filter(|v| !v.is_finite()) {
            return Some((column, value.to_string(), rule));
        }
    }
    if !(0.0..=1.0).contains(&record.table_share) {
        return Some(("table_share", record.table_share.to_string(), "a share lies in 0..1"));
    }
    (record.workers == 0).then(|| ("workers", "0".to_string(), "at least one worker ran"))
}

fn contradiction(record: &Record<'_>, end: EndReason) -> Option<Wrong> {
    if record.stopped_trials > record.trials {
        let value = format!("{} of {} trials", record.stopped_trials, record.trials);
        return Some(("stopped_trials", value, "no more can stop than were started"));
    }
    if record.goal_rows_met.is_some_and(|met| met > record.trials) {
        let value = format!("{} of {} trials", record.goal_rows_met.unwrap_or(0), record.trials);
        return Some(("goal_rows_met", value, "no more can be met than were started"));
    }
    if record.goal_rows_stopped > record.goal_rows_met {
        let count = |n: Option<u32>| n.map_or("null".to_string(), |n| n.to_string());
        let (stopped, met) = (count(record.goal_rows_stopped), count(record.goal_rows_met));
        let rule = "no more can be stopped than were met";
        return Some(("goal_rows_stopped", format!("{stopped} of {met} rows"), rule));
    }
    if record.reached != (end == EndReason::Goal) {
        let value = format!("{} with reached = {}", record.end_reason, record.reached);
        let rule = "must be goal where the goal was reached, and only there";
        return Some(("end_reason", value, rule));
    }
    let happened = [
        ("time_to_goal_s", record.time_to_goal_s.is_some()),
        ("trials_to_goal", record.trials_to_goal.is_some()),
        ("epochs_to_goal", record.epochs_to_goal.is_some()),
    ];
    if let Some((column, there)) = happened.into_iter().find(|(_, there)| *there != record.reached)
    {
        let value = if there { "a value" } else { "null" };
        let rule = "must stand where reached is true, and only there";
        return Some((column, value.to_string(), rule));
    }
    let counts = [
        ("trials_to_goal", record.trials_to_goal.map(u64::from), u64::from(record.trials)),
        ("epochs_to_goal", record.epochs_to_goal, record.epochs),
    ];
    for (column, to_goal, all) in counts {
        if let Some(to_goal) = to_goal.filter(|&to_goal| to_goal > all) {
            return Some((column, format!("{to_goal} of {all}"), "a run has no more than all"));
        }
    }
    // Columns of f32 widen below their decimals.
    let is_after = |time: f64, end: f64| time > end + 1e-6 * end.max(1.0);
    let (to_goal, to_epoch) = (record.time_to_goal_s, record.time_to_goal_epoch_s);
    let orders = [
        ("time_to_goal_s", to_goal, Some(record.end_s), "no goal is met after the run's end_s"),
        ("time_to_goal_epoch_s", to_epoch, to_goal, "an epoch is no later than its trial's end"),
    ];
    for (column, time, end, rule) in orders {
        if let (Some(time), Some(end)) = (time, end)
            && is_after(time, end)
        {
            return Some((column, format!("{time} after {end}"), rule));
        }
    }
    if record.reached && record.time_to_goal_epoch_s.is_none() {
        let rule = "must stand where reached is true";
        return Some(("time_to_goal_epoch_s", "null".to_string(), rule));
    }
    None
}
