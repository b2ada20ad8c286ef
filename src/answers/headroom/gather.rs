//! The bounds of all runs without a rule, and the times of all methods.

use std::collections::BTreeMap;

use base::error::Result;
use base::stats::Interval;
use base::units::SimTime;
use replay::{EndReason, Pool, State};

use super::bound::{Prospect, bound};
use super::{RunBound, is_baseline};
use crate::traced::{
    Pools, Segment, Study, TracedGoal, TracedRun, TracedRuns, by_trial, check_values, mode,
};

/// What pairs runs of one goal.
pub(super) type Repeat = (u32, u64);

/// A run without a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NoneRun {
    pub none_s: Interval,
    /// Or why there is no bound.
    pub bound_s: std::result::Result<Interval, String>,
}

/// The runs of one baseline with one goal.
#[derive(Debug)]
pub(super) struct GoalTimes {
    pub baseline: usize,
    pub goal: String,
    pub none: BTreeMap<Repeat, NoneRun>,
}

impl GoalTimes {
    pub(super) fn runs(&self) -> Vec<RunBound> {
        let run = |(&(repeat, seed), run): (&Repeat, &NoneRun)| RunBound {
            repeat,
            seed,
            none_s: run.none_s,
            bound_s: run.bound_s.clone().ok(),
        };
        self.none.iter().map(run).collect()
    }

    /// The bounds of all runs, or why one of them has none.
    pub(super) fn bounds(
        &self,
    ) -> std::result::Result<impl Iterator<Item = Interval> + '_, String> {
        if let Some(reason) = self.none.values().find_map(|run| run.bound_s.as_ref().err()) {
            return Err(reason.clone());
        }
        Ok(self.none.values().filter_map(|run| run.bound_s.as_ref().ok()).copied())
    }
}

/// Everything that headroom is made of.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By baseline and goal, in the order of the methods and of the goals' first appearance.
    pub goals: Vec<GoalTimes>,
    /// The time of every other run, by method, goal and repeat.
    pub times: BTreeMap<(usize, String), BTreeMap<Repeat, Interval>>,
}

/// Reads all runs and their traces.
pub(super) fn gather(studies: &[Study<'_>], pools: &[&Pool]) -> Result<Gathered> {
    let mut found = Gathered::default();
    for study in studies {
        let (runs, trace) = (study.runs, study.trace.display().to_string());
        let is_base = |run: &TracedRun| is_baseline(&runs.methods()[run.method]);
        for run in runs.runs().filter(|run| !is_base(run) || run.trials == 0) {
            for goal in &run.goals {
                let name = runs.goals()[goal.goal].clone();
                if is_base(run) {
                    let never = "a run started no trial".to_string();
                    keep(&mut found.goals, run, name, goal, Err(never));
                } else {
                    let of_goal = found.times.entry((run.method, name)).or_default();
                    of_goal.insert((run.repeat, run.seed), goal.time_s);
                }
            }
        }
        runs.each_run(study.trace, |run, segments| {
            let pool = Pools(pools).of(runs, run.method)?;
            if let Some(pool) = pool {
                check_values(pool, runs, &trace, run, segments)?;
            }
            if is_base(run) {
                let trials = trials(runs, run, segments, pool);
                for goal in &run.goals {
                    let bound_s =
                        trials.as_ref().map(|trials| of_goal(trials, runs, run, goal, pool));
                    let name = runs.goals()[goal.goal].clone();
                    keep(&mut found.goals, run, name, goal, bound_s.map_err(Clone::clone));
                }
            }
            Ok(())
        })?;
    }
    found.goals.sort_by_key(|goal| goal.baseline);
    Ok(found)
}

fn keep(
    goals: &mut Vec<GoalTimes>,
    run: &TracedRun,
    name: String,
    goal: &TracedGoal,
    bound_s: std::result::Result<Interval, String>,
) {
    let at = goals.iter().position(|g| g.baseline == run.method && g.goal == name);
    let at = at.unwrap_or_else(|| {
        goals.push(GoalTimes { baseline: run.method, goal: name, none: BTreeMap::new() });
        goals.len() - 1
    });
    let none = NoneRun { none_s: goal.time_s, bound_s };
    goals[at].none.insert((run.repeat, run.seed), none);
}

/// Words of settings under which trials have no order that a clairvoyant could keep, or end in
/// other ways than by a rule.
const REFUSED: [(&str, &str); 3] = [
    ("warm-start-trials=", "a warm start chooses the first trials in another way"),
    ("end=", "an ending may end a run before it meets its goal"),
    ("on-nan=stop", "trials fail at the first epoch that diverges"),
];

/// The trials of a run without a rule, one segment each, or what stands against a bound.
fn trials(
    runs: &TracedRuns,
    run: &TracedRun,
    segments: &[Segment],
    pool: Option<&Pool>,
) -> std::result::Result<Vec<Segment>, String> {
    let method = &runs.methods()[run.method];
    let words = || method.settings.split(' ');
    if let Some((_, reason)) =
        REFUSED.iter().find(|(start, _)| words().any(|word| word.starts_with(start)))
    {
        return Err((*reason).to_string());
    }
    let Some(pool) = pool else { return Err(format!("table {} is not there", method.table)) };
    let mut all = Vec::new();
    for trial in by_trial(segments) {
        let [segment] = trial[..] else {
            return Err("a trial without a rule has one segment, and one here has not".to_string());
        };
        let charged = |curve: replay::Recorded<'_>| {
            segment.overhead.saturating_add(curve.cost(segment.epochs)) == segment.length()
        };
        let is_whole = segment.end_state != State::Cut;
        let curve = pool.recorded_of(segment.config, segment.curve_repeat);
        if is_whole && !curve.is_some_and(charged) {
            return Err("trials were charged otherwise than this table costs: load it with the \
                        same --cost"
                .to_string());
        }
        all.push(*segment);
    }
    Ok(all)
}

fn of_goal(
    trials: &[Segment],
    runs: &TracedRuns,
    run: &TracedRun,
    goal: &TracedGoal,
    pool: Option<&Pool>,
) -> Interval {
    let pool = pool.expect("there are no trials without it");
    let (mode, score) = (mode(runs, run.method), pool.score_of(goal.value));
    let prospect = |segment: &Segment| {
        let curve = pool.recorded_of(segment.config, segment.curve_repeat);
        let curve = curve.expect("the values of the trace have been held against it");
        let overhead: SimTime = segment.overhead;
        Prospect::new(&curve, mode, score, overhead)
    };
    let prospects: Vec<Prospect> = trials.iter().map(prospect).collect();
    let is_whole = goal.end_reason == EndReason::Exhausted;
    bound(&prospects, runs.methods()[run.method].workers, is_whole)
}
