//! The JSON of an analysis, read back by structs that refuse anything unknown.

use curvebook::report;
use serde::Deserialize;

use crate::analysis::{analysed, mixed_rows};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Word(String),
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Bounds {
    low: Number,
    high: Number,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
pub(crate) struct Document {
    format: String,
    version: u32,
    confidence: f64,
    bootstrap_resamples: usize,
    seed: u64,
    pub(crate) goals: Vec<GoalOf>,
    notes: Vec<NoteOf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct NoteOf {
    what: String,
    remedy: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
pub(crate) struct GoalOf {
    table: String,
    goal: String,
    goal_value: f64,
    goal_rows: u64,
    methods: Vec<AnswerOf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct AnswerOf {
    method: String,
    sampler: String,
    scheduler: String,
    stopper: String,
    report: String,
    value: String,
    workers: u64,
    is_baseline: bool,
    runs: usize,
    reached: usize,
    censored: usize,
    time_to_goal_s: QuartilesOf,
    time_to_goal_epoch_s_median: Bounds,
    speedup: Option<SpeedupOf>,
    trials_to_goal_median: Bounds,
    epochs_to_goal_median: Bounds,
    expected_running_time_s: Number,
    table_share_median: f64,
    stopped_share: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct QuartilesOf {
    q25: Bounds,
    median: Bounds,
    q75: Bounds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct SpeedupOf {
    ratio: Bounds,
    interval: Option<Bounds>,
    paired: bool,
}

#[test]
fn json_is_read_back_with_nothing_unknown_and_infinity_as_a_word() {
    let analysis = analysed(&[mixed_rows("none"), mixed_rows("etr1")].concat());
    let text = report::json::render(&analysis);
    assert!(text.ends_with("}\n"));
    let read: Document = serde_json::from_str(&text).unwrap();
    assert_eq!((read.format.as_str(), read.version), ("curvebook-analysis", 1));
    let methods = &read.goals[0].methods;
    let word = || Number::Word("infinity".into());
    // 3, 4, cut at 9, never: the median lies between 4 and what comes after it.
    let median = &methods[0].time_to_goal_s.median;
    assert_eq!(*median, Bounds { low: Number::Finite(6.5), high: word() });
    assert_eq!(methods[0].time_to_goal_s.q75, Bounds { low: word(), high: word() });
    assert!(methods[0].speedup.is_none() && methods[0].is_baseline);
    let speedup = methods[1].speedup.as_ref().unwrap();
    assert_eq!(speedup.ratio, Bounds { low: Number::Finite(0.0), high: word() });
    assert_eq!(methods[1].stopper, "etr1");
}
