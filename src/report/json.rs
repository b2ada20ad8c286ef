//! The same answers for programs.
//!
//! Every number within bounds is `{"low": l, "high": h}`: equal where it is known exactly. JSON has
//! no infinity: the string `"infinity"` stands for it. An unknown interval or speed-up is null.
//! Times are seconds on the simulated clock.

use serde::{Serialize, Serializer};

use crate::analysis::{Analysis, Answer, GoalAnswers, Method};
use crate::stats::Interval;

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
    methods: Vec<AnswerOf<'a>>,
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
        is_baseline: answer.is_baseline,
        runs: answer.runs,
        reached: answer.reached,
        censored: answer.censored,
        time_to_goal_s: QuartilesOf {
            q25: bounds(quartiles.q25),
            median: bounds(quartiles.median),
            q75: bounds(quartiles.q75),
        },
        time_to_goal_epoch_s_median: bounds(answer.time_to_goal_epoch_s_median),
        speedup: answer.speedup.map(|s| SpeedupOf {
            ratio: bounds(s.ratio),
            interval: s.interval.map(bounds),
            paired: s.paired,
        }),
        trials_to_goal_median: bounds(answer.trials_to_goal_median),
        epochs_to_goal_median: bounds(answer.epochs_to_goal_median),
        expected_running_time_s: Number(answer.expected_running_time_s),
        table_share_median: answer.table_share_median,
        stopped_share: answer.stopped_share,
    }
}
