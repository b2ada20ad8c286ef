//! `curvebook why`.

mod grid;
mod text;

use std::path::PathBuf;

use app::why::{
    Compared, Decided, Decider, Direction, Settings, Told, TrialStory, Why, run as ask,
};
use clap::Args;

use super::documents::{WhyComparison, WhyDecision, WhyDocument, WhyGoal, WhySegment, WhyTrial};
use super::space::value_json;
use super::{Format, output, progress};

/// Say why trials of a recorded run were stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook why --table tables/digits-lenet --trace results/trace.parquet --run 0
  curvebook why --table tables/digits-lenet --trace trace.parquet --run 3 --trial 17
  curvebook why --table my-table --trace t.parquet --runs r.parquet --run 3 --full --format json

It takes the table, and both files of one replay or study:
  curvebook replay --table tables/digits-lenet --scheduler asha --stopper median \\
    --goal top:0.005 --out runs.parquet --trace trace.parquet
A study writes both into its --out. Files hold what happened and not what was compared: the run is
replayed anew with its rules and rungs asked for their reasons, and nothing is said unless it comes
out segment for segment as recorded. So it needs the same table and the same version of the
program, and no run under --overhead measured.")]
pub(super) struct Arguments {
    /// The directory of the table that was replayed.
    #[arg(long)]
    table: PathBuf,
    /// What `replay --trace` or `study` wrote.
    #[arg(long)]
    trace: PathBuf,
    /// What `replay --out` wrote with it; runs.parquet beside the trace where this says nothing.
    #[arg(long)]
    runs: Option<PathBuf>,
    /// The number of the run, as in column `run` of both files.
    #[arg(long)]
    run: u32,
    /// One trial's whole story: what it ran, and every decision about it.
    #[arg(long)]
    trial: Option<u32>,
    /// Every decision, and not alone those that ended trials or left them paused.
    #[arg(long)]
    full: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let settings = Settings {
        table: arguments.table.clone(),
        trace: arguments.trace.clone(),
        runs: arguments.runs.clone(),
        run: arguments.run,
        trial: arguments.trial,
        full: arguments.full,
    };
    let why = ask(&settings, &progress::Words)?;
    match format {
        Format::Json => output::print_json(&document(&why)),
        Format::Text => output::print(&text::render(&why, output::width(), arguments.full)),
    }
}

/// The name of a method before its parameters.
fn name(canonical: &str) -> &str {
    canonical.split_once(':').map_or(canonical, |(name, _)| name)
}

/// The method that decided.
fn decider<'a>(why: &'a Why, told: &Told) -> &'a str {
    match told.by {
        _ if told.in_warm_start => "warm start",
        Decider::Stopper => name(&why.recorded.stopper),
        Decider::Scheduler => name(&why.recorded.scheduler),
    }
}

/// Neither NaN nor an infinity, which JSON lacks.
fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn document(why: &Why) -> WhyDocument<'_> {
    let recorded = &why.recorded;
    let goals = why.goals.iter().map(|goal| WhyGoal {
        goal: &goal.goal,
        goal_value: goal.value,
        reached_s: goal.reached_s,
        end_reason: goal.end_reason,
        goal_rows_met: goal.met,
        killed_trials: &goal.killed,
        paused_trials: &goal.paused,
    });
    WhyDocument {
        format: "curvebook-why",
        version: 1,
        run: recorded.run,
        table: &recorded.table,
        sampler: &recorded.sampler,
        scheduler: &recorded.scheduler,
        stopper: &recorded.stopper,
        workers: recorded.workers,
        repeat: recorded.repeat,
        seed: recorded.seed,
        settings: &recorded.settings,
        metric: &why.metric.name,
        direction: match why.metric.goal {
            Direction::Maximize => "maximize",
            Direction::Minimize => "minimize",
        },
        goals: goals.collect(),
        trials: why.trials,
        stopped_by_rule: why.stopped_by_rule,
        stopped_by_scheduler: why.stopped_by_scheduler,
        left_paused: why.left_paused,
        saved_s: why.saved_s,
        decisions: why.decisions.iter().map(|told| decision(why, told)).collect(),
        other_decisions: why.others,
        trial: why.trial.as_ref().map(trial),
    }
}

fn decision<'a>(why: &'a Why, told: &'a Told) -> WhyDecision<'a> {
    WhyDecision {
        at_s: told.at_s,
        trial: told.trial,
        config_id: told.config,
        epoch: told.epoch,
        by: match told.by {
            Decider::Stopper => "stopper",
            Decider::Scheduler => "scheduler",
        },
        method: decider(why, told),
        decision: told.decided.word(),
        value: finite(told.value),
        diverged: told.value.is_some_and(f64::is_nan),
        compared: told.compared.iter().map(comparison).collect(),
        saved_s: told.saved_s,
        whole_value: finite(Some(told.whole)),
        would_meet: &told.would_meet,
    }
}

fn comparison(compared: &Compared) -> WhyComparison<'_> {
    WhyComparison {
        what: compared.what,
        seen: finite(compared.seen),
        bar: finite(compared.bar),
        fails: compared.fails,
        is_metric: compared.is_metric,
        bar_is: &compared.bar_is,
        trials: &compared.trials,
    }
}

fn trial(story: &TrialStory) -> WhyTrial<'_> {
    let values = story.values.iter();
    let segments = story.segments.iter().map(|segment| WhySegment {
        worker: segment.worker,
        start_s: segment.start_s,
        end_s: segment.end_s,
        epoch_first: segment.epoch_first,
        epochs: segment.epochs,
        end_state: segment.end_state,
        value: finite(Some(segment.value)),
        overhead_s: segment.overhead_s,
    });
    WhyTrial {
        trial: story.trial,
        config_id: story.config,
        curve_repeat: story.curve_repeat,
        values: values.map(|(p, v)| (p.name.clone(), value_json(p, *v))).collect(),
        segments: segments.collect(),
        whole_value: finite(Some(story.whole)),
        would_meet: &story.would_meet,
    }
}

/// Whether the decision ended the trial, or kept it from going on.
const fn is_end(decided: Decided) -> bool {
    matches!(decided, Decided::Stop | Decided::StayPaused)
}
