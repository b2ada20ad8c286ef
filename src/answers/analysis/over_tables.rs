//! Methods over several problems and tables: performance profiles, and Friedman's test.

use base::stats::friedman::{BLOCKS_MIN, friedman};
use base::stats::performance_profile::{TAU_MAX, performance_profiles, profile_score};
use base::stats::steps::Steps;

use super::{GoalAnswers, Method};

/// Fewer problems than these make no profile.
pub const PROBLEMS_MIN: usize = 4;

/// On which share of problems, each a table and goal, a method's median time is within a factor of
/// the smallest (Dolan and More, 2002). A median that cut runs leave open counts as late as it may
/// be, so often as infinite, and is then within no factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    /// Every table and goal of the analysis, at least [`PROBLEMS_MIN`].
    pub problems: usize,
    /// The methods that have every problem, at least two, in the order of first appearance.
    pub methods: Vec<Profile>,
}

/// The profile of one method.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its first table's index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    /// The share of problems at each factor from 1 on.
    pub profile: Steps,
    /// The mean of the profile over factors from 1 to 4, in [0, 1] (the score of `AlgoPerf`).
    pub score: f64,
}

/// One goal over the tables that it was asked on, one block a table (Demsar, 2006): each method's
/// median time there, ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct OverTables {
    /// As asked: `top:0.005`.
    pub goal: String,
    /// Tables on which every method has runs for this goal, at least six.
    pub tables: usize,
    /// At least three methods, in the order of first appearance.
    pub methods: Vec<RankedMethod>,
    /// Friedman's chi-squared, corrected for ties, and its p-value.
    pub chi_squared: f64,
    pub p_value: f64,
    /// Iman and Davenport's p-value, which is less conservative.
    pub f_p_value: f64,
    /// Two mean ranks that are further apart differ at the level of the intervals (Nemenyi).
    pub critical_difference: f64,
}

/// A method and its mean rank over tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankedMethod {
    /// Its first table's index into [`Analysis::methods`](super::Analysis::methods).
    pub method: usize,
    /// 1 for the soonest, equal medians sharing theirs.
    pub mean_rank: f64,
}

/// The methods whatever their table: the index of the first of each.
fn whatever_table(methods: &[Method]) -> Vec<usize> {
    let is_first = |at: &usize| !methods[..*at].iter().any(|m| m.same_but_table(&methods[*at]));
    (0..methods.len()).filter(is_first).collect()
}

/// The median of a method, whatever its table, on a goal; `None` where it has no runs there.
fn median_s(methods: &[Method], first: usize, goal: &GoalAnswers) -> Option<f64> {
    let is_it = |at: usize| at == first || methods[at].same_but_table(&methods[first]);
    let answer = goal.answers.iter().find(|answer| is_it(answer.method));
    answer.map(|answer| answer.time_to_goal_s.median.high)
}

/// `None` for fewer than [`PROBLEMS_MIN`] problems, or than two methods that have them all.
pub(super) fn profiles(methods: &[Method], goals: &[GoalAnswers]) -> Option<Profiles> {
    if goals.len() < PROBLEMS_MIN {
        return None;
    }
    let whole = |first: usize| -> Option<(usize, Vec<f64>)> {
        let times: Option<Vec<f64>> = goals.iter().map(|g| median_s(methods, first, g)).collect();
        times.map(|times| (first, times))
    };
    let rows = whatever_table(methods).into_iter().filter_map(whole);
    let (numbers, times): (Vec<usize>, Vec<Vec<f64>>) = rows.unzip();
    if numbers.len() < 2 {
        return None;
    }
    let profile = |(method, profile): (usize, Steps)| {
        let score = profile_score(&profile, TAU_MAX);
        Profile { method, profile, score }
    };
    let profiles = numbers.into_iter().zip(performance_profiles(&times)).map(profile);
    Some(Profiles { problems: goals.len(), methods: profiles.collect() })
}

/// For every goal as it was asked, in the order of first appearance, the test over its tables, from
/// six tables and three methods on.
pub(super) fn over_tables(
    methods: &[Method],
    goals: &[GoalAnswers],
    confidence: f64,
) -> Vec<OverTables> {
    let mut names: Vec<&str> = Vec::new();
    for goal in goals {
        if !names.contains(&goal.goal.as_str()) {
            names.push(&goal.goal);
        }
    }
    names.into_iter().filter_map(|name| of_goal(methods, goals, name, confidence)).collect()
}

fn of_goal(
    methods: &[Method],
    goals: &[GoalAnswers],
    name: &str,
    confidence: f64,
) -> Option<OverTables> {
    let here: Vec<&GoalAnswers> = goals.iter().filter(|goal| goal.goal == name).collect();
    if here.len() < BLOCKS_MIN {
        return None;
    }
    // Methods that some table lacks are left out, rather than tables.
    let is_whole = |first: &usize| here.iter().all(|g| median_s(methods, *first, g).is_some());
    let numbers: Vec<usize> = whatever_table(methods).into_iter().filter(is_whole).collect();
    let block = |goal: &&GoalAnswers| -> Vec<f64> {
        numbers.iter().filter_map(|first| median_s(methods, *first, goal)).collect()
    };
    let blocks: Vec<Vec<f64>> = here.iter().map(block).collect();
    let found = friedman(&blocks)?;
    let ranked =
        |(method, rank): (&usize, &f64)| RankedMethod { method: *method, mean_rank: *rank };
    Some(OverTables {
        goal: name.to_string(),
        tables: found.blocks,
        methods: numbers.iter().zip(&found.mean_ranks).map(ranked).collect(),
        chi_squared: found.chi_squared,
        p_value: found.p_value,
        f_p_value: found.f_p_value,
        critical_difference: found.critical_difference(1.0 - confidence),
    })
}
