//! Answers from runs: how long each method takes to each goal, and how sure that is.
//!
//! [`Runs`] holds the rows of `runs.parquet`, from a study just made or from files; [`analyze`]
//! turns them into an [`Analysis`]. Rows that a study hands on block by block go through
//! [`RunsBuilder`], so that they need not be kept. A run that can never reach its goal takes
//! infinitely long, and a run that a budget cut is known only to take longer than it was watched:
//! both stay in every quantile and ratio, as bounds where need be. Nothing is averaged over the
//! successes alone.

mod answer;
mod baseline;
mod bounded;
mod builder;
mod columns;
mod compare;
mod frames;
mod groups;
mod horizon;
mod keys;
mod labels;
mod large;
mod method;
mod notes;
mod outcomes;
mod over_tables;
mod pairs;
mod reached;
mod record;
mod repeats;
mod resample;
mod runs;
mod sorted;

pub use answer::{Answer, Ended, Estimate, Quartiles, Spread};
pub use builder::RunsBuilder;
pub use compare::{Comparison, Pairs, Speedup, Tested};
pub use horizon::Horizon;
pub use labels::Labels;
pub use method::Method;
pub use notes::Note;
pub use outcomes::{MethodOutcomes, Outcome};
pub use over_tables::{OverTables, PROBLEMS_MIN, Profile, Profiles, RankedMethod};
pub use reached::{ReachedCurve, ReachedCurves, ReachedStep, reached_curves};
pub use repeats::RepeatsNeeded;
pub use runs::{ROW_BYTES, Runs};

use base::error::{Result, fault};
use base::stats::bootstrap::{Plan, RESAMPLES};
use groups::GoalGroups;
use horizon::NoHorizon;
use pairs::{Paired, Scores};
use rayon::prelude::*;

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
    /// Over all tables and goals, from four on.
    pub profiles: Option<Profiles>,
    /// For every goal that was asked on six tables or more.
    pub over_tables: Vec<OverTables>,
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
    /// How long all runs of all methods were watched; `None` where that is no common time.
    pub horizon: Option<Horizon>,
    /// The time at which one budget cut every run that was cut; `None` where none was, where
    /// several budgets did, or a limit of trials.
    pub common_budget_s: Option<f64>,
    /// One a method that was asked for this goal, in the order of [`Analysis::methods`].
    pub answers: Vec<Answer>,
}

/// Groups runs by method and goal and answers for each group.
///
/// A method is (table, sampler, scheduler, stopper, report, value, workers, settings). Methods are
/// compared with the baseline on their own table alone. The bootstrap draws from a stream of
/// (`seed`, label) for every goal anew, so an interval does not depend on what else was compared.
///
/// # Errors
/// Faults where the baseline names no method or several, and for settings out of range.
pub fn analyze(runs: &Runs, settings: &AnalyzeSettings) -> Result<Analysis> {
    let plan = settings.plan()?;
    let baseline = baseline::resolve(&runs.methods, settings.baseline.as_deref())?;
    let goals: Vec<(GoalAnswers, Vec<Note>)> = (0..runs.goals.len())
        .into_par_iter()
        .map(|goal| {
            let groups = groups::of_goal(runs, goal);
            let is_baseline = |method: usize| runs.methods[method].same_but_table(&baseline);
            let (answers, no_horizon) = answer_goal(&groups, is_baseline, plan, settings.seed);
            let notes = notes::notes(&groups, &answers, no_horizon.as_ref(), runs, &baseline);
            (answers, notes)
        })
        .collect();
    let (goals, notes): (Vec<_>, Vec<_>) = goals.into_iter().unzip();
    Ok(Analysis {
        profiles: over_tables::profiles(&runs.methods, &goals),
        over_tables: over_tables::over_tables(&runs.methods, &goals, settings.confidence),
        methods: runs.methods.clone(),
        goals,
        notes: notes.concat(),
        confidence: settings.confidence,
        bootstrap_resamples: settings.bootstrap_resamples,
        seed: settings.seed,
    })
}

/// The answers of a goal, and what stands against a common horizon.
fn answer_goal(
    goal: &GoalGroups<'_>,
    is_baseline: impl Fn(usize) -> bool + Sync,
    plan: Plan,
    seed: u64,
) -> (GoalAnswers, Option<NoHorizon>) {
    let groups = &goal.groups;
    let (horizon, no_horizon) = match horizon::horizon(&groups.iter().collect::<Vec<_>>()) {
        Ok(horizon) => (Some(horizon), None),
        Err(reason) => (None, Some(reason)),
    };
    let base = groups.iter().position(|g| is_baseline(g.method));
    // The baseline itself, and everything where there is none, has nothing to be compared with.
    let against = |at: usize| base.filter(|base| *base != at).map(|base| &groups[base]);
    let compared = (0..groups.len()).into_par_iter().map(|at| {
        let base = against(at)?;
        let paired = Paired::new(base, &groups[at]);
        let comparison =
            compare::compare(base, &groups[at], paired.as_ref(), horizon, plan.confidence);
        Some((comparison, paired.map(|paired| paired.scores())))
    });
    let (mut comparisons, scores): (Vec<Option<Comparison>>, Vec<Option<Scores>>) =
        compared.map(|c| c.map_or((None, None), |(c, scores)| (Some(c), scores))).unzip();
    compare::adjust(&mut comparisons);
    let is_paired = |at: usize| match base {
        Some(base) => at == base || scores[at].is_some(),
        None => at == 0 || Paired::new(&groups[0], &groups[at]).is_some(),
    };
    let is_paired: Vec<bool> = (0..groups.len()).map(is_paired).collect();
    let drawn = resample::resample(groups, &is_paired, &scores, horizon, plan, seed);
    let answer = |(at, comparison): (usize, Option<Comparison>)| {
        let (group, drawn_here) = (&groups[at], &drawn[at]);
        let speedup = base.filter(|base| *base != at).map(|base| {
            let (base, here) = ((&groups[base], &drawn[base]), (group, drawn_here));
            compare::speedup(base, here, is_paired[at], plan, seed)
        });
        let comparison = comparison
            .map(|comparison| Comparison { sooner_interval: drawn_here.improvement, ..comparison });
        let answer = answer::answer(group, base == Some(at), drawn_here, horizon, plan);
        Answer { speedup, comparison, ..answer }
    };
    let answers = GoalAnswers {
        table: goal.name.table.clone(),
        goal: goal.name.goal.clone(),
        goal_value: goal.goal_value,
        goal_rows: u64::from(goal.goal_rows),
        horizon,
        common_budget_s: horizon::common_budget(&groups.iter().collect::<Vec<_>>()),
        answers: comparisons.into_par_iter().enumerate().map(answer).collect(),
    };
    (answers, no_horizon)
}
