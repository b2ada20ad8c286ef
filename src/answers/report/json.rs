//! The same answers for programs.
//!
//! `{format: "curvebook-analysis", version, confidence, bootstrap_resamples, seed, goals, notes}`;
//! a goal is `{table, goal, goal_value, goal_rows, horizon, methods}`; a method has the fields of
//! [`Answer`], under their names, beside its canonical string and its parts; the interval of an
//! estimate `x` is `x_interval`.
//!
//! Every number within bounds, and every interval, is `{"low": l, "high": h}`: equal where it is
//! known exactly. JSON has no infinity: the string `"infinity"` stands for it. What is unknown or
//! does not apply is null. Times are seconds on the simulated clock.

use base::stats::Interval;
use serde::{Serialize, Serializer};

use crate::analysis::{Analysis, Answer, Comparison, GoalAnswers, Method, Spread, Tested};

/// The version of this layout; it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// The analysis as indented JSON, ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let document = Document {
        format: "curvebook-analysis",
        version: VERSION,
        confidence: analysis.confidence,
        bootstrap_resamples: analysis.bootstrap_resamples,
        seed: analysis.seed,
        goals: analysis.goals.iter().map(|goal| goal_of(analysis, goal)).collect(),
        notes: analysis.notes.iter().map(|n| NoteOf { what: &n.what, remedy: &n.remedy }).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("plain structs become JSON");
    text.push('\n');
    text
}

/// A number that may be infinite.
#[derive(Debug, Clone, Copy)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!self.0.is_nan(), "an analysis holds no NaN");
        if self.0.is_infinite() {
            serializer.serialize_str("infinity")
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[derive(Debug, Serialize)]
struct Bounds {
    low: Number,
    high: Number,
}

fn bounds(interval: Interval) -> Bounds {
    Bounds { low: Number(interval.low), high: Number(interval.high) }
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
    expected_running_time_s: Number,
    expected_running_time_s_interval: Option<Bounds>,
    kaplan_meier_median_s: Option<Bounds>,
    restricted_mean_s: Option<f64>,
    restricted_mean_s_interval: Option<Bounds>,
    selected_value: Option<SpreadOf>,
    selected_test: Option<SpreadOf>,
    table_share_median: f64,
    stopped_share: f64,
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

fn goal_of<'a>(analysis: &'a Analysis, goal: &'a GoalAnswers) -> GoalOf<'a> {
    let method = |a: &'a Answer| answer_of(&analysis.methods[a.method], a);
    GoalOf {
        table: &goal.table,
        goal: &goal.goal,
        goal_value: goal.goal_value,
        goal_rows: goal.goal_rows,
        horizon: goal.horizon.map(|h| HorizonOf { seconds: h.seconds, is_budget: h.is_budget }),
        methods: goal.answers.iter().map(method).collect(),
    }
}

fn answer_of<'a>(method: &'a Method, answer: &'a Answer) -> AnswerOf<'a> {
    let quartiles = answer.time_to_goal_s;
    AnswerOf {
        method: method.to_string(),
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
        expected_running_time_s: Number(answer.expected_running_time_s.value),
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
        stopped_share: answer.stopped_share,
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
