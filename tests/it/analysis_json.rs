//! The JSON of an analysis, read back by structs that refuse anything unknown.

use curvebook::answers::report;
use curvebook::replay::EndReason;
use curvebook::store::runs::RunRow;
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
    profiles: Option<ProfilesOf>,
    over_tables: Vec<OverTablesOf>,
    notes: Vec<NoteOf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesOf {
    problems: usize,
    methods: Vec<ProfileOf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileOf {
    label: String,
    factors: Vec<f64>,
    shares: Vec<f64>,
    score: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverTablesOf {
    goal: String,
    tables: usize,
    methods: Vec<RankedMethodOf>,
    chi_squared: f64,
    p_value: f64,
    f_p_value: f64,
    critical_difference: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RankedMethodOf {
    label: String,
    mean_rank: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepeatsNeededOf {
    observed: Option<u64>,
    fifth_faster: u64,
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
    interquartile_mean_s: Option<f64>,
    interquartile_mean_s_interval: Option<Bounds>,
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
    repeats_needed: Option<RepeatsNeededOf>,
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
    assert!(methods[1].comparison.as_ref().unwrap().repeats_needed.is_none());
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
    assert_eq!((method.interquartile_mean_s, read.profiles.is_none()), (Some(7.5), true));
    // Ratios 2 and 3, medians 20 and 7.5: a difference that few pairs show.
    let needed = method.comparison.as_ref().unwrap().repeats_needed.as_ref().unwrap();
    assert!(needed.observed.is_some_and(|n| n < needed.fifth_faster), "{needed:?}");
    assert_eq!(method.selected_value, Some(SpreadOf { q25: 0.5, median: 0.5, q75: 0.5 }));
    let test = method.selected_test.as_ref().unwrap();
    assert!((test.median - 0.7).abs() < 1e-12 && (test.q75 - 0.75).abs() < 1e-12);
}

#[test]
fn json_has_what_holds_over_problems_and_tables() {
    // Six tables, three methods: `etr1` twice as fast as `none` everywhere, `median` as fast on two
    // tables and never there on the others.
    let mut all = Vec::new();
    for table in 0..6 {
        let end = |factor: f64| (EndReason::Goal, factor * f64::from(10 + table));
        let never = (EndReason::Exhausted, 99.0);
        let median = if table < 2 { end(1.0) } else { never };
        for (stopper, end) in [("none", end(1.0)), ("etr1", end(0.5)), ("median", median)] {
            let mut rows = rows(stopper, &[end; 3]);
            for row in &mut rows {
                row.table = format!("table {table}");
            }
            all.extend(rows);
        }
    }
    let read: Document = serde_json::from_str(&report::json::render(&analysed(&all))).unwrap();
    let profiles = read.profiles.unwrap();
    assert_eq!((profiles.problems, profiles.methods.len()), (6, 3));
    let [none, rule, median] = &profiles.methods[..] else { panic!("three methods") };
    assert_eq!((rule.label.as_str(), rule.score), ("etr1", 1.0));
    assert_eq!((&rule.factors[..], &rule.shares[..]), (&[1.0][..], &[1.0][..]));
    assert_eq!((&none.factors[..], &none.shares[..]), (&[2.0][..], &[1.0][..]));
    // All problems from a factor of 2 on, of 1 to 4.
    assert!((none.score - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!((&median.factors[..], &median.shares[..]), (&[2.0][..], &[1.0 / 3.0][..]));

    let [over] = &read.over_tables[..] else { panic!("one goal") };
    assert_eq!((over.goal.as_str(), over.tables), ("top:0.005", 6));
    // Ranks 2, 1 and 3 on four tables; 2.5, 1 and 2.5 on two.
    let ranks: Vec<f64> = over.methods.iter().map(|m| m.mean_rank).collect();
    let expected = [13.0 / 6.0, 1.0, 17.0 / 6.0];
    assert!(ranks.iter().zip(expected).all(|(r, e)| (r - e).abs() < 1e-12), "{ranks:?}");
    assert_eq!(over.methods[1].label, "etr1");
    // 12 n / (k (k + 1)) x sum of squares around 2, over 1 - 2 x 6 / (6 x 24).
    let squares = 1.0 / 36.0 + 1.0 + 25.0 / 36.0;
    assert!((over.chi_squared - 6.0 * squares / (11.0 / 12.0)).abs() < 1e-9);
    // Demsar's q at 0.05 and three methods, 2.343, times sqrt(12 / 36).
    assert!((over.critical_difference - 2.343 / 3.0_f64.sqrt()).abs() < 1e-3);
    assert!(over.p_value < 0.005 && over.f_p_value < over.p_value);

    // Three problems make no profile, five tables no test.
    let few: Vec<RunRow> = all.iter().filter(|r| r.table.as_str() < "table 5").cloned().collect();
    let found = analysed(&few);
    assert!(found.over_tables.is_empty() && found.profiles.is_some());
    let few: Vec<RunRow> = all.iter().filter(|r| r.table.as_str() < "table 3").cloned().collect();
    assert_eq!(analysed(&few).profiles, None);
}
