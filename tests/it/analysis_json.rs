//! The JSON of an analysis, read back by structs that refuse anything unknown.

use curvebook::answers::report;
use serde::Deserialize;

use crate::analysis::{analysed, goals, mixed_rows, rows};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
    low_is_infinite: bool,
    high_is_infinite: bool,
}

/// Bounds of which infinity is null and flagged.
fn bounds(low: f64, high: f64) -> Bounds {
    let finite = |x: f64| Some(x).filter(|x| x.is_finite());
    Bounds {
        low: finite(low),
        high: finite(high),
        low_is_infinite: low.is_infinite(),
        high_is_infinite: high.is_infinite(),
    }
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
    sentence: String,
    horizon: Option<HorizonOf>,
    methods: Vec<AnswerOf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HorizonOf {
    seconds: f64,
    is_budget: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct AnswerOf {
    method: String,
    label: String,
    sampler: String,
    scheduler: String,
    stopper: String,
    report: String,
    value: String,
    workers: u64,
    settings: String,
    is_baseline: bool,
    runs: usize,
    reached: usize,
    censored: usize,
    reached_share_interval: Bounds,
    time_to_goal_s: QuartilesOf,
    time_to_goal_s_median_interval: Option<Bounds>,
    time_to_goal_epoch_s_median: Bounds,
    speedup: Option<SpeedupOf>,
    comparison: Option<ComparisonOf>,
    trials_to_goal_median: Bounds,
    epochs_to_goal_median: Bounds,
    expected_running_time_s: Option<f64>,
    expected_running_time_s_is_infinite: bool,
    expected_running_time_s_interval: Option<Bounds>,
    kaplan_meier_median_s: Option<Bounds>,
    restricted_mean_s: Option<f64>,
    restricted_mean_s_interval: Option<Bounds>,
    selected_value: Option<SpreadOf>,
    selected_test: Option<SpreadOf>,
    table_share_median: f64,
    trials: u64,
    stopped_trials: u64,
    stopped_share: f64,
    saved_s: Option<f64>,
    goal_rows_met: Option<u64>,
    goal_rows_stopped: Option<u64>,
    overhead_share: f64,
    snap_distance_median: Option<f64>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct SpreadOf {
    q25: f64,
    median: f64,
    q75: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct ComparisonOf {
    pairs: Option<PairsOf>,
    sooner: Option<Bounds>,
    sooner_interval: Option<Bounds>,
    sign: Option<TestedOf>,
    wilcoxon: Option<TestedOf>,
    mann_whitney: Option<TestedOf>,
    log_rank: Option<TestedOf>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct PairsOf {
    wins: usize,
    ties: usize,
    losses: usize,
    unknown: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct TestedOf {
    statistic: f64,
    p_value: f64,
    p_holm: f64,
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
fn json_is_read_back_with_nothing_unknown_and_infinity_as_null_with_a_flag() {
    let analysis = analysed(&[mixed_rows("none"), mixed_rows("etr1")].concat());
    let text = report::json::render(&analysis);
    assert!(text.ends_with("}\n"));
    let read: Document = serde_json::from_str(&text).unwrap();
    assert_eq!((read.format.as_str(), read.version), ("curvebook-analysis", 2));
    let methods = &read.goals[0].methods;
    let inf = f64::INFINITY;
    assert!(!text.contains("\"infinity\""), "no word stands among numbers");
    // 3, 4, cut at 9, never: the median lies between 4 and what comes after it.
    let median = &methods[0].time_to_goal_s.median;
    assert_eq!(*median, bounds(6.5, inf));
    assert_eq!(methods[0].time_to_goal_s.q75, bounds(inf, inf));
    assert!(methods[0].speedup.is_none() && methods[0].is_baseline);
    let speedup = methods[1].speedup.as_ref().unwrap();
    assert_eq!(speedup.ratio, bounds(0.0, inf));
    assert_eq!(methods[1].stopper, "etr1");
    let pairs = methods[1].comparison.as_ref().unwrap().pairs.as_ref();
    assert_eq!(*pairs.unwrap(), PairsOf { wins: 0, ties: 3, losses: 0, unknown: 1 });
    // An exhausted run: no horizon, and nothing that needs one.
    assert!(read.goals[0].horizon.is_none() && methods[1].restricted_mean_s.is_none());
    assert!(methods[0].comparison.is_none() && methods[0].selected_test.is_none());
}

#[test]
fn json_has_the_horizon_and_what_was_selected_where_there_is_one() {
    let mut all =
        [rows("none", &goals(&[10.0, 30.0])), rows("etr1", &goals(&[5.0, 10.0]))].concat();
    for (row, test) in all.iter_mut().zip([0.9, 0.7, 0.8, 0.6]) {
        row.settings = "cost=flops".into();
        (row.selected_value, row.selected_test) = (Some(0.5), Some(test));
    }
    let read: Document = serde_json::from_str(&report::json::render(&analysed(&all))).unwrap();
    let horizon = read.goals[0].horizon.as_ref().unwrap();
    assert_eq!((horizon.seconds, horizon.is_budget), (30.0, false));
    let method = &read.goals[0].methods[1];
    assert_eq!(method.settings, "cost=flops");
    assert!(method.method.contains("settings=\"cost=flops\" table="), "{}", method.method);
    assert_eq!((method.restricted_mean_s, method.reached), (Some(7.5), 2));
    assert_eq!(method.selected_value, Some(SpreadOf { q25: 0.5, median: 0.5, q75: 0.5 }));
    let test = method.selected_test.as_ref().unwrap();
    assert!((test.median - 0.7).abs() < 1e-12 && (test.q75 - 0.75).abs() < 1e-12);
}
