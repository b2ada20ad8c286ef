//! The same answers for programs.
//!
//! `{format: "curvebook-analysis", version, confidence, bootstrap_resamples, seed, goals, notes}`;
//! a goal is `{table, goal, goal_value, goal_rows, sentence, horizon, methods}`; a method has the
//! fields of [`Answer`], under their names, beside its canonical string, its label and its parts;
//! the interval of an estimate `x` is `x_interval`.
//!
//! Every number within bounds, and every interval, is `{"low": l, "high": h, "low_is_infinite": b,
//! "high_is_infinite": b}`: equal where it is known exactly. JSON has no infinity: an infinite
//! number is null, and its flag is true. What is unknown or does not apply is null. Times are
//! seconds on the simulated clock.

use base::stats::Interval;
use serde::Serialize;

use super::sentence::sentence;
use crate::analysis::{Analysis, Answer, Comparison, GoalAnswers, Labels, Method, Spread, Tested};

/// The version of this layout; it grows when a field changes its meaning or goes.
const VERSION: u32 = 2;

/// The analysis as indented JSON, ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let labels = Labels::of(&analysis.methods);
    let document = Document {
        format: "curvebook-analysis",
        version: VERSION,
        confidence: analysis.confidence,
        bootstrap_resamples: analysis.bootstrap_resamples,
        seed: analysis.seed,
        goals: analysis.goals.iter().map(|goal| goal_of(analysis, goal, &labels)).collect(),
        notes: analysis.notes.iter().map(|n| NoteOf { what: &n.what, remedy: &n.remedy }).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("plain structs become JSON");
    text.push('\n');
    text
}

/// A number that may be infinite: null then.
fn finite(value: f64) -> Option<f64> {
    assert!(!value.is_nan(), "an analysis holds no NaN");
    Some(value).filter(|value| value.is_finite())
}

#[derive(Debug, Serialize)]
struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
    low_is_infinite: bool,
    high_is_infinite: bool,
}

fn bounds(Interval { low, high }: Interval) -> Bounds {
    Bounds {
        low: finite(low),
        high: finite(high),
        low_is_infinite: low.is_infinite(),
        high_is_infinite: high.is_infinite(),
    }
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    confidence: f64,
    bootstrap_resamples: usize,
    seed: u64,
    goals: Vec<GoalOf<'a>>,
    notes: Vec<NoteOf<'a>>,
}

#[derive(Debug, Serialize)]
struct NoteOf<'a> {
    what: &'a str,
    remedy: &'a str,
}

#[derive(Debug, Serialize)]
struct GoalOf<'a> {
    table: &'a str,
    goal: &'a str,
    goal_value: f64,
    goal_rows: u64,
    /// The answer as the text begins with it.
    sentence: String,
    horizon: Option<HorizonOf>,
    methods: Vec<AnswerOf<'a>>,
}

#[derive(Debug, Serialize)]
struct HorizonOf {
    seconds: f64,
    is_budget: bool,
}

#[derive(Debug, Serialize)]
struct AnswerOf<'a> {
    /// The canonical string, as `--baseline` takes it.
    method: String,
    /// As the text prints it.
    label: String,
    sampler: &'a str,
    scheduler: &'a str,
    stopper: &'a str,
    report: &'a str,
    value: &'a str,
    workers: u32,
    settings: &'a str,
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

#[derive(Debug, Serialize)]
struct SpreadOf {
    q25: f64,
    median: f64,
    q75: f64,
}

#[derive(Debug, Serialize)]
struct ComparisonOf {
    pairs: Option<PairsOf>,
    sooner: Option<Bounds>,
    sooner_interval: Option<Bounds>,
    sign: Option<TestedOf>,
    wilcoxon: Option<TestedOf>,
    mann_whitney: Option<TestedOf>,
    log_rank: Option<TestedOf>,
}

#[derive(Debug, Serialize)]
struct PairsOf {
    wins: usize,
    ties: usize,
    losses: usize,
    unknown: usize,
}

#[derive(Debug, Serialize)]
struct TestedOf {
    statistic: f64,
    p_value: f64,
    p_holm: f64,
}

#[derive(Debug, Serialize)]
struct QuartilesOf {
    q25: Bounds,
    median: Bounds,
    q75: Bounds,
}

#[derive(Debug, Serialize)]
struct SpeedupOf {
    ratio: Bounds,
    interval: Option<Bounds>,
    paired: bool,
}

fn goal_of<'a>(analysis: &'a Analysis, goal: &'a GoalAnswers, labels: &Labels) -> GoalOf<'a> {
    let method =
        |a: &'a Answer| answer_of(&analysis.methods[a.method], labels.names[a.method].clone(), a);
    GoalOf {
        table: &goal.table,
        goal: &goal.goal,
        goal_value: goal.goal_value,
        goal_rows: goal.goal_rows,
        sentence: sentence(analysis, goal, labels),
        horizon: goal.horizon.map(|h| HorizonOf { seconds: h.seconds, is_budget: h.is_budget }),
        methods: goal.answers.iter().map(method).collect(),
    }
}

fn answer_of<'a>(method: &'a Method, label: String, answer: &'a Answer) -> AnswerOf<'a> {
    let quartiles = answer.time_to_goal_s;
    AnswerOf {
        method: method.to_string(),
        label,
        sampler: &method.sampler,
        scheduler: &method.scheduler,
        stopper: &method.stopper,
        report: &method.report,
        value: &method.value,
        workers: method.workers,
        settings: &method.settings,
        is_baseline: answer.is_baseline,
        runs: answer.runs,
        reached: answer.reached,
        censored: answer.censored,
        reached_share_interval: bounds(answer.reached_share_interval),
        time_to_goal_s: QuartilesOf {
            q25: bounds(quartiles.q25),
            median: bounds(quartiles.median),
            q75: bounds(quartiles.q75),
        },
        time_to_goal_s_median_interval: answer.time_to_goal_s_median_interval.map(bounds),
        time_to_goal_epoch_s_median: bounds(answer.time_to_goal_epoch_s_median),
        speedup: answer.speedup.map(|s| SpeedupOf {
            ratio: bounds(s.ratio),
            interval: s.interval.map(bounds),
            paired: s.paired,
        }),
        comparison: answer.comparison.map(comparison_of),
        trials_to_goal_median: bounds(answer.trials_to_goal_median),
        epochs_to_goal_median: bounds(answer.epochs_to_goal_median),
        expected_running_time_s: finite(answer.expected_running_time_s.value),
        expected_running_time_s_is_infinite: answer.expected_running_time_s.value.is_infinite(),
        expected_running_time_s_interval: answer.expected_running_time_s.interval.map(bounds),
        kaplan_meier_median_s: answer.kaplan_meier_median_s.map(bounds),
        restricted_mean_s: answer.restricted_mean_s.map(|mean| mean.value),
        restricted_mean_s_interval: answer
            .restricted_mean_s
            .and_then(|mean| mean.interval)
            .map(bounds),
        selected_value: answer.selected_value.map(spread_of),
        selected_test: answer.selected_test.map(spread_of),
        table_share_median: answer.table_share_median,
        trials: answer.ended.trials,
        stopped_trials: answer.ended.stopped,
        stopped_share: answer.stopped_share,
        saved_s: answer.ended.saved_s,
        goal_rows_met: answer.ended.goal_rows_met,
        goal_rows_stopped: answer.ended.goal_rows_stopped,
        overhead_share: answer.overhead_share,
        snap_distance_median: answer.snap_distance_median,
    }
}

fn spread_of(spread: Spread) -> SpreadOf {
    SpreadOf { q25: spread.q25, median: spread.median, q75: spread.q75 }
}

fn comparison_of(comparison: Comparison) -> ComparisonOf {
    let tested =
        |t: Tested| TestedOf { statistic: t.statistic, p_value: t.p_value, p_holm: t.p_holm };
    ComparisonOf {
        pairs: comparison.pairs.map(|p| PairsOf {
            wins: p.wins,
            ties: p.ties,
            losses: p.losses,
            unknown: p.unknown,
        }),
        sooner: comparison.sooner.map(bounds),
        sooner_interval: comparison.sooner_interval.map(bounds),
        sign: comparison.sign.map(tested),
        wilcoxon: comparison.wilcoxon.map(tested),
        mann_whitney: comparison.mann_whitney.map(tested),
        log_rank: comparison.log_rank.map(tested),
    }
}
