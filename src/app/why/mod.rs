//! Why trials of a recorded run were stopped.
//!
//! `runs.parquet` and `trace.parquet` say which run it was, and not what its methods compared. The
//! run is therefore replayed anew, by the same code, while every rule and rung is asked for its
//! reasons; only if it is segment for segment the recorded one is anything said of it.

mod recorded;
mod story;

use std::path::{Path, PathBuf};

use base::error::{Result, fault};
use base::space::Metric;
use base::units::SimTime;
use methods::interface::Readers;
use recorded::{Recorded, Traced};
use replay::{Decision, Segment, Settings as ReplaySettings, Watched};

pub use base::space::{Direction, Domain, Parameter, Value};
pub use replay::{Decided, Decider};
pub use story::{Compared, Told, TrialSegment, TrialStory};

use crate::Events;
use crate::runs::{RunRecord, read_order, read_paired, read_short_text};

/// The file that is looked for beside a trace.
const RUNS_FILE: &str = "runs.parquet";

/// Which run, and how much of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory of the table that was replayed.
    pub table: PathBuf,
    /// What `replay --trace` or a study wrote.
    pub trace: PathBuf,
    /// What was written with it; `runs.parquet` beside the trace where nobody says.
    pub runs: Option<PathBuf>,
    /// The number of the run.
    pub run: u32,
    /// One trial's whole story.
    pub trial: Option<u32>,
    /// Every decision, and not alone those that ended trials or left them paused.
    pub full: bool,
}

/// A goal of the run, and what became of the trials that would have met it.
#[derive(Debug, Clone)]
pub struct GoalOf {
    /// As asked.
    pub goal: String,
    /// In the metric's own direction.
    pub value: f64,
    /// When it was met, in seconds.
    pub reached_s: Option<f64>,
    pub end_reason: &'static str,
    /// Trials started by then whose whole curve meets it.
    pub met: u32,
    /// Of these, the trials that were stopped by then, before they showed it.
    pub killed: Vec<u32>,
    /// Of these, the trials that were still paused when the run ended, before they showed it.
    pub paused: Vec<u32>,
}

/// What rules and rungs decided in a run, and why.
#[derive(Debug, Clone)]
pub struct Why {
    /// What `runs.parquet` says of the run.
    pub recorded: Recorded,
    pub metric: Metric,
    pub goals: Vec<GoalOf>,
    /// Trials started.
    pub trials: u32,
    /// Trials that a rule stopped.
    pub stopped_by_rule: u32,
    /// Trials that the scheduler ended.
    pub stopped_by_scheduler: u32,
    /// Trials that were still paused at the end.
    pub left_paused: u32,
    /// What the stopped trials would still have cost.
    pub saved_s: f64,
    /// Those that were asked for, in their order.
    pub decisions: Vec<Told>,
    /// How many decisions there were beside them.
    pub others: usize,
    /// The trial that was asked for.
    pub trial: Option<TrialStory>,
}

/// Replays the run, compares it with the trace, and tells why.
///
/// # Errors
/// Faults of files, of a run or a trial that there is not, of a run that cannot be replayed
/// (`--overhead measured`), of another table, and of a replay that is not the recorded run.
pub fn run(settings: &Settings, events: &dyn Events) -> Result<Why> {
    let runs = settings.runs.clone().unwrap_or_else(|| beside(&settings.trace));
    let recorded = Recorded::find(&runs, settings)?;
    let traced = Traced::find(&settings.trace, settings.run)?;
    let trials = traced.trials();
    if let Some(trial) = settings.trial.filter(|trial| *trial >= trials) {
        let rule = format!("run {} has trials 0 to {}", settings.run, trials.saturating_sub(1));
        return Err(fault("--trial", "trial", trial, rule, "choose one of them"));
    }
    let experiments = recorded.experiments(&runs, &settings.table)?;
    let (table, pool) = experiments.table_options.load_with_table(&settings.table, events)?;
    recorded.check_table(&settings.table, &pool)?;
    let wants = |decision: &Decision| {
        let is_end = matches!(decision.decided, Decided::Stop | Decided::StayPaused);
        is_end || settings.full || settings.trial == Some(decision.trial.0)
    };
    let read_paired = |path: &Path| read_paired(path, &pool);
    let read_order = |path: &Path| read_order(path, &pool);
    let readers = Readers { orders: &read_order, text: &read_short_text, paired: &read_paired };
    let mut watched = None;
    for limits in recorded.limits(&traced) {
        let mut grid = experiments.grid.clone();
        let ReplaySettings { budget, trials_max, .. } = &mut grid.settings;
        (*budget, *trials_max) = limits;
        let found = grid.watch(&pool, readers, &wants).map_err(|e| experiments.respell(e))?;
        let rows = RunRecord::new(&pool, found.run.clone());
        let difference = traced.difference(rows.trace(&pool));
        match difference {
            None => {
                watched = Some(Ok(found));
                break;
            }
            // The first one is the likeliest.
            Some(segment) => watched = watched.or(Some(Err(segment))),
        }
    }
    let Watched { run, decisions } =
        watched.expect("there are limits to try").map_err(|at| Traced::refusal(settings, at))?;
    let story = story::Teller { pool: &pool, goals: &run.goals };
    let told = |decision: &Decision| story.tell(decision);
    let stops = || decisions.wanted.iter().filter(|d| d.decided == Decided::Stop);
    let by = |decider: Decider| {
        u32::try_from(stops().filter(|d| d.by == decider).count()).expect("trials are 32 bits")
    };
    let of = |decided: Decided, goal: usize| -> Vec<u32> {
        let lost = decisions.wanted.iter().filter(|d| d.decided == decided);
        lost.filter(|d| story.is_lost(d, goal)).map(|d| d.trial.0).collect()
    };
    let goals = run.goals.iter().enumerate().map(|(at, (target, facts))| GoalOf {
        goal: target.text.clone(),
        value: target.value,
        reached_s: facts.reached_at.map(SimTime::seconds),
        end_reason: facts.end_reason.word(),
        met: facts.facts.goal_rows_met,
        killed: of(Decided::Stop, at),
        paused: of(Decided::StayPaused, at),
    });
    let paused = decisions.wanted.iter().filter(|d| d.decided == Decided::StayPaused);
    let is_of_trial = |d: &&Decision| settings.trial.is_none_or(|trial| trial == d.trial.0);
    let shown: Vec<Told> = decisions.wanted.iter().filter(is_of_trial).map(told).collect();
    let all = decisions.wanted.len() + decisions.others;
    let trial = settings.trial.map(|trial| {
        let segments: Vec<&Segment> =
            run.segments.iter().filter(|segment| segment.trial.0 == trial).collect();
        story.of_trial(trial, &segments, decisions.wholes[trial as usize], &table)
    });
    Ok(Why {
        metric: pool.metric().clone(),
        goals: goals.collect(),
        trials,
        stopped_by_rule: by(Decider::Stopper),
        stopped_by_scheduler: by(Decider::Scheduler),
        left_paused: u32::try_from(paused.count()).expect("trials are 32 bits"),
        saved_s: SimTime(stops().map(|d| d.saved.0).sum()).seconds(),
        others: all - shown.len(),
        decisions: shown,
        trial,
        recorded,
    })
}

/// `runs.parquet` in the directory of a trace.
fn beside(trace: &Path) -> PathBuf {
    trace.with_file_name(RUNS_FILE)
}
