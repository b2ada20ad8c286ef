//! Answers from runs: how long each method takes to each goal, and how sure that is.
//!
//! [`Runs`] holds the rows of `runs.parquet`, from a study just made or from files; [`analyze`]
//! turns them into an [`Analysis`]. A run that can never reach its goal takes infinitely long, and
//! a run that a budget cut is known only to take longer than it was watched: both stay in every
//! quantile and ratio, as bounds where need be. Nothing is averaged over the successes alone.

mod answer;
mod baseline;
mod compare;
mod groups;
mod method;
mod notes;
mod read;
mod record;
mod runs;

pub use answer::{Answer, Quartiles};
pub use compare::Speedup;
pub use method::Method;
pub use notes::Note;
pub use runs::Runs;

use rayon::prelude::*;

use crate::error::{Result, fault};
use crate::stats::bootstrap::{Plan, RESAMPLES};

/// What [`analyze`] may be told.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeSettings {
    /// The method that the others are compared with: its canonical string or a part of it that no
    /// other has. The first method where none is named.
    pub baseline: Option<String>,
    /// The confidence of the intervals, in (0, 1).
    pub confidence: f64,
    /// Resamples of the bootstrap, at least 1.
    pub bootstrap_resamples: usize,
    /// The master seed of the bootstrap.
    pub seed: u64,
}

impl Default for AnalyzeSettings {
    fn default() -> Self {
        Self { baseline: None, confidence: 0.95, bootstrap_resamples: RESAMPLES, seed: 0 }
    }
}

impl AnalyzeSettings {
    fn plan(&self) -> Result<Plan> {
        let wrong = |field, value: String, rule, remedy| {
            Err(fault("settings of analyze", field, value, rule, remedy))
        };
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            let value = self.confidence.to_string();
            return wrong("confidence", value, "must lie between 0 and 1", "use 0.95");
        }
        if !(1..=10_000_000).contains(&self.bootstrap_resamples) {
            let value = self.bootstrap_resamples.to_string();
            return wrong("resamples", value, "must lie in 1..10000000", "use 2000");
        }
        Ok(Plan { resamples: self.bootstrap_resamples, confidence: self.confidence })
    }
}

/// Everything that the runs say.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// In the order of first appearance.
    pub methods: Vec<Method>,
    /// One a table and goal, in the order of first appearance.
    pub goals: Vec<GoalAnswers>,
    /// What a reader should know before believing the numbers, with remedies.
    pub notes: Vec<Note>,
    /// The confidence of every interval.
    pub confidence: f64,
    pub bootstrap_resamples: usize,
    pub seed: u64,
}

/// How the methods did on one goal of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalAnswers {
    pub table: String,
    /// As asked: `top:0.005`.
    pub goal: String,
    /// The threshold of the first run; a note tells where others differ from it.
    pub goal_value: f64,
    /// Rows of the table that meet it.
    pub goal_rows: u64,
    /// One a method that was asked for this goal, in the order of [`Analysis::methods`].
    pub answers: Vec<Answer>,
}

/// Groups runs by method and goal and answers for each group.
///
/// A method is (table, sampler, scheduler, stopper, report, value, workers). Methods are compared
/// with the baseline on their own table alone. The bootstrap draws from one stream of
/// (`seed`, label) for every comparison, so an interval does not depend on what else was compared.
///
/// # Errors
/// Faults where a run appears twice or a row contradicts itself, where the baseline names no method
/// or several, and for settings out of range.
pub fn analyze(runs: &Runs, settings: &AnalyzeSettings) -> Result<Analysis> {
    let plan = settings.plan()?;
    let records = runs.records()?;
    let grouped = groups::group(&records, runs)?;
    let baseline = baseline::resolve(&grouped.methods, settings.baseline.as_deref())?;
    let goals: Vec<GoalAnswers> = grouped
        .goals
        .par_iter()
        .map(|goal| {
            let is_baseline = |method: usize| grouped.methods[method].same_but_table(&baseline);
            let base = goal.groups.iter().find(|g| is_baseline(g.method));
            let speedups = match base {
                Some(base) => compare::compare(&goal.groups, base, plan, settings.seed),
                None => vec![None; goal.groups.len()],
            };
            let answer = |(group, speedup): (&groups::Group<'_>, _)| {
                answer::answer(group, is_baseline(group.method), speedup)
            };
            let first = goal.groups[0].runs[0];
            GoalAnswers {
                table: first.table.to_string(),
                goal: first.goal.to_string(),
                goal_value: first.goal_value,
                goal_rows: first.goal_rows,
                answers: goal.groups.par_iter().zip(speedups).map(answer).collect(),
            }
        })
        .collect();
    let notes = notes::notes(&grouped, &goals, &baseline);
    Ok(Analysis {
        methods: grouped.methods,
        goals,
        notes,
        confidence: settings.confidence,
        bootstrap_resamples: settings.bootstrap_resamples,
        seed: settings.seed,
    })
}
