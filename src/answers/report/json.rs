//! The same answers for programs.
//!
//! What the document holds stands in `document`, field by field; `curvebook schema` prints it. A
//! method has the fields of [`Answer`], under their names, beside its canonical string, its label
//! and its parts; the interval of an estimate `x` is `x_interval`. JSON has no infinity: an
//! infinite number is null, and a flag beside it is true. What is unknown or does not apply is
//! null. Times are seconds on the simulated clock.

mod document;

use base::stats::Interval;
use schemars::Schema;

use document::{
    AnswerOf, Bounds, ComparisonOf, Document, GoalOf, HorizonOf, NoteOf, OverTablesOf, PairsOf,
    ProfileOf, ProfilesOf, QuartilesOf, RankedMethodOf, RepeatsNeededOf, SpeedupOf, SpreadOf,
    TestedOf,
};

use super::sentence::sentence;
use crate::analysis::{
    Analysis, Answer, Comparison, GoalAnswers, Labels, Method, OverTables, Profile, Profiles,
    RankedMethod, Spread, Tested,
};

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
        profiles: analysis.profiles.as_ref().map(|profiles| profiles_of(profiles, &labels)),
        over_tables: analysis
            .over_tables
            .iter()
            .map(|over| over_tables_of(over, &labels))
            .collect(),
        notes: analysis.notes.iter().map(|n| NoteOf { what: &n.what, remedy: &n.remedy }).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("plain structs become JSON");
    text.push('\n');
    text
}

/// The JSON Schema of what [`render`] makes.
pub fn schema() -> Schema {
    schemars::schema_for!(Document<'_>)
}

/// A number that may be infinite: null then.
fn finite(value: f64) -> Option<f64> {
    assert!(!value.is_nan(), "an analysis holds no NaN");
    Some(value).filter(|value| value.is_finite())
}

fn bounds(Interval { low, high }: Interval) -> Bounds {
    Bounds {
        low: finite(low),
        high: finite(high),
        low_is_infinite: low.is_infinite(),
        high_is_infinite: high.is_infinite(),
    }
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
        interquartile_mean_s: answer.interquartile_mean_s.map(|mean| mean.value),
        interquartile_mean_s_interval: answer
            .interquartile_mean_s
            .and_then(|mean| mean.interval)
            .map(bounds),
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

fn profiles_of(profiles: &Profiles, labels: &Labels) -> ProfilesOf {
    let profile = |profile: &Profile| ProfileOf {
        label: labels.names[profile.method].clone(),
        factors: profile.profile.times().to_vec(),
        shares: profile.profile.values().to_vec(),
        score: profile.score,
    };
    ProfilesOf {
        problems: profiles.problems,
        methods: profiles.methods.iter().map(profile).collect(),
    }
}

fn over_tables_of<'a>(over: &'a OverTables, labels: &Labels) -> OverTablesOf<'a> {
    let ranked = |method: &RankedMethod| RankedMethodOf {
        label: labels.names[method.method].clone(),
        mean_rank: method.mean_rank,
    };
    OverTablesOf {
        goal: &over.goal,
        tables: over.tables,
        methods: over.methods.iter().map(ranked).collect(),
        chi_squared: over.chi_squared,
        p_value: over.p_value,
        f_p_value: over.f_p_value,
        critical_difference: over.critical_difference,
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
        repeats_needed: comparison.repeats_needed.map(|repeats| RepeatsNeededOf {
            observed: repeats.observed,
            fifth_faster: repeats.fifth_faster,
        }),
    }
}
