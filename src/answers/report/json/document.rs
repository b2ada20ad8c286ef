//! The fields of the JSON document, in their order.

use schemars::JsonSchema;
use serde::Serialize;

/// Answers from runs: how long each method takes to each goal, and how sure that is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Analysis")]
pub(super) struct Document<'a> {
    /// `curvebook-analysis`.
    pub(super) format: &'static str,
    /// It grows when a field changes its meaning or goes.
    pub(super) version: u32,
    /// The confidence of every interval.
    pub(super) confidence: f64,
    /// Resamples of the bootstrap.
    pub(super) bootstrap_resamples: usize,
    /// The master seed of the bootstrap.
    pub(super) seed: u64,
    /// One a table and goal.
    pub(super) goals: Vec<GoalOf<'a>>,
    /// How often each method is within a factor of the soonest, over every table and goal; null for
    /// fewer than four of them, or than two methods that have them all.
    pub(super) profiles: Option<ProfilesOf>,
    /// Friedman's test, one for each goal that was asked on six tables or more of at least three
    /// methods.
    pub(super) over_tables: Vec<OverTablesOf<'a>>,
    /// What a reader should know before believing the numbers.
    pub(super) notes: Vec<NoteOf<'a>>,
}

/// What a reader should know.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Note")]
pub(super) struct NoteOf<'a> {
    /// What was seen.
    pub(super) what: &'a str,
    /// What can be done.
    pub(super) remedy: &'a str,
}

/// Performance profiles of methods (Dolan and More, 2002).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Profiles")]
pub(super) struct ProfilesOf {
    /// Tables and goals.
    pub(super) problems: usize,
    /// One a method that has every problem.
    pub(super) methods: Vec<ProfileOf>,
}

/// The performance profile of a method.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
pub(super) struct ProfileOf {
    /// As the text prints it.
    pub(super) label: String,
    /// Ascending factors of the smallest median time at which the share grows, from 1 on.
    pub(super) factors: Vec<f64>,
    /// The share of problems on which its median time is within each factor.
    pub(super) shares: Vec<f64>,
    /// The mean of the shares over factors from 1 to 4.
    pub(super) score: f64,
}

/// Do methods differ over tables (Friedman's test, a table a block)?
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OverTables")]
pub(super) struct OverTablesOf<'a> {
    /// As asked: `top:0.005`.
    pub(super) goal: &'a str,
    /// Tables.
    pub(super) tables: usize,
    /// One a method that has runs on all of them.
    pub(super) methods: Vec<RankedMethodOf>,
    /// Friedman's statistic, corrected for ties.
    pub(super) chi_squared: f64,
    /// Its p-value.
    pub(super) p_value: f64,
    /// The p-value of Iman and Davenport's statistic, which is less conservative.
    pub(super) f_p_value: f64,
    /// Two mean ranks that are further apart differ at the level of the intervals (Nemenyi).
    pub(super) critical_difference: f64,
}

/// A method among others over tables.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RankedMethod")]
pub(super) struct RankedMethodOf {
    /// As the text prints it.
    pub(super) label: String,
    /// The mean over tables of the rank of its median time, 1 for the soonest.
    pub(super) mean_rank: f64,
}

/// How the methods did on one goal of one table.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Goal")]
pub(super) struct GoalOf<'a> {
    /// The table's name.
    pub(super) table: &'a str,
    /// As asked: `top:0.005`.
    pub(super) goal: &'a str,
    /// The threshold that it stands for, in the metric's own direction.
    pub(super) goal_value: f64,
    /// Rows of the table whose full curve meets it.
    pub(super) goal_rows: u64,
    /// The answer as the text begins with it.
    pub(super) sentence: String,
    /// How long all runs of all methods were watched; null where that is no common time.
    pub(super) horizon: Option<HorizonOf>,
    /// One a method, in the order in which they are shown.
    pub(super) methods: Vec<AnswerOf<'a>>,
}

/// A time for which all runs were watched.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Horizon")]
pub(super) struct HorizonOf {
    /// The common budget; where every run reached the goal, the longest time that one took.
    pub(super) seconds: f64,
    /// Whether it is a budget that cut some runs.
    pub(super) is_budget: bool,
}

/// A number within bounds, which are equal where it is known exactly; or an interval.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Bounds {
    /// The lower bound; null where it is infinite.
    pub(super) low: Option<f64>,
    /// The upper bound; null where it is infinite.
    pub(super) high: Option<f64>,
    /// Whether the lower bound is infinite.
    pub(super) low_is_infinite: bool,
    /// Whether the upper bound is infinite.
    pub(super) high_is_infinite: bool,
}

/// What one method came to on the goal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Answer")]
pub(super) struct AnswerOf<'a> {
    /// The canonical text, as `--baseline` takes it.
    pub(super) method: String,
    /// As the text prints it.
    pub(super) label: String,
    /// The name with every parameter.
    pub(super) sampler: &'a str,
    /// The name with every parameter.
    pub(super) scheduler: &'a str,
    /// The name with every parameter.
    pub(super) stopper: &'a str,
    /// What a stopped trial told the sampler.
    pub(super) report: &'a str,
    /// What a trial's value is: its `best` executed epoch, or its `final` one.
    pub(super) value: &'a str,
    /// Trials at once.
    pub(super) workers: u32,
    /// The settings that are not the default and have no field of their own.
    pub(super) settings: &'a str,
    /// Whether the others are compared with it.
    pub(super) is_baseline: bool,
    /// Runs.
    pub(super) runs: usize,
    /// Runs that reached the goal.
    pub(super) reached: usize,
    /// Runs that a budget, a limit of trials or an ending cut before they could tell.
    pub(super) censored: usize,
    /// Wilson's interval of the share of runs that reach the goal before they end.
    pub(super) reached_share_interval: Bounds,
    /// To the end of the segment of a trial that met the goal.
    pub(super) time_to_goal_s: QuartilesOf,
    /// The bootstrap interval of its median; null for fewer than two runs.
    pub(super) time_to_goal_s_median_interval: Option<Bounds>,
    /// The mean of the middle half of the times (Agarwal et al., 2021); null where a run that never
    /// reached the goal is in it, or runs that were cut leave it open.
    pub(super) interquartile_mean_s: Option<f64>,
    /// Its bootstrap interval; null for fewer than two runs.
    pub(super) interquartile_mean_s_interval: Option<Bounds>,
    /// The median time to the end of the epoch that met the goal.
    pub(super) time_to_goal_epoch_s_median: Bounds,
    /// Against the baseline; null for the baseline, and where its table lacks it.
    pub(super) speedup: Option<SpeedupOf>,
    /// Tests against the baseline; null as `speedup`.
    pub(super) comparison: Option<ComparisonOf>,
    /// The median of the trials started by the time of the goal.
    pub(super) trials_to_goal_median: Bounds,
    /// The median of the epochs ended by the time of the goal.
    pub(super) epochs_to_goal_median: Bounds,
    /// The time of all runs / runs that reached the goal (COCO, Hansen et al. 2016); null where it
    /// is infinite.
    pub(super) expected_running_time_s: Option<f64>,
    /// Whether no run reached the goal.
    pub(super) expected_running_time_s_is_infinite: bool,
    /// Its bootstrap interval; null for fewer than two runs.
    pub(super) expected_running_time_s_interval: Option<Bounds>,
    /// The first time by which half of the runs reached the goal; null without a horizon.
    pub(super) kaplan_meier_median_s: Option<Bounds>,
    /// The mean of min(time to the goal, horizon); null without a horizon.
    pub(super) restricted_mean_s: Option<f64>,
    /// Its bootstrap interval; null without a horizon, and for fewer than two runs.
    pub(super) restricted_mean_s_interval: Option<Bounds>,
    /// The value of the configuration that each run would take home; null where no run says.
    pub(super) selected_value: Option<SpreadOf>,
    /// The metric on test images of that configuration at that epoch; null where the table has
    /// none.
    pub(super) selected_test: Option<SpreadOf>,
    /// The median share of the table's rows that a run started.
    pub(super) table_share_median: f64,
    /// Trials started, over all runs.
    pub(super) trials: u64,
    /// Trials that were stopped early.
    pub(super) stopped_trials: u64,
    /// The one by the other; 0 where none was started.
    pub(super) stopped_share: f64,
    /// What the stopped trials would still have cost; null where the runs do not say.
    pub(super) saved_s: Option<f64>,
    /// Trials started whose whole curve meets the goal; null where the runs do not say.
    pub(super) goal_rows_met: Option<u64>,
    /// Of these, the trials stopped before their executed value met it; null as `goal_rows_met`.
    pub(super) goal_rows_stopped: Option<u64>,
    /// Seconds charged for the optimiser itself / all seconds.
    pub(super) overhead_share: f64,
    /// The median over runs of their median distance from a proposed point to its row, in the unit
    /// cube; null where no point was proposed.
    pub(super) snap_distance_median: Option<f64>,
}

/// A distribution over runs, of numbers that are all known.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Spread")]
pub(super) struct SpreadOf {
    /// A quarter of the runs is at most this.
    pub(super) q25: f64,
    /// Half of the runs is at most this.
    pub(super) median: f64,
    /// Three quarters of the runs are at most this.
    pub(super) q75: f64,
}

/// A distribution over runs, of numbers within bounds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Quartiles")]
pub(super) struct QuartilesOf {
    /// A quarter of the runs is at most this.
    pub(super) q25: Bounds,
    /// Half of the runs is at most this.
    pub(super) median: Bounds,
    /// Three quarters of the runs are at most this.
    pub(super) q75: Bounds,
}

/// How many times as fast as the baseline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Speedup")]
pub(super) struct SpeedupOf {
    /// The baseline's median time to the goal / the method's.
    pub(super) ratio: Bounds,
    /// Its bootstrap interval; null for fewer than two runs.
    pub(super) interval: Option<Bounds>,
    /// Whether equal repeats of the two were drawn together.
    pub(super) paired: bool,
}

/// Tests against the baseline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub(super) struct ComparisonOf {
    /// Runs that share repeat and seed, one with one; null where the runs do not pair.
    pub(super) pairs: Option<PairsOf>,
    /// The probability that a run is sooner than one of the baseline, a tie counting half (Agarwal
    /// et al. 2021); null where runs neither pair nor were cut at one common time.
    pub(super) sooner: Option<Bounds>,
    /// Its bootstrap interval, over pairs alone.
    pub(super) sooner_interval: Option<Bounds>,
    /// Pairs: the exact sign test; the statistic is the number of wins.
    pub(super) sign: Option<TestedOf>,
    /// Pairs: the signed-rank test; the statistic is the smaller sum of ranks.
    pub(super) wilcoxon: Option<TestedOf>,
    /// Runs that do not pair, under a common horizon: the U test; the statistic is the number of
    /// combinations in which the method is sooner, ties counting half.
    pub(super) mann_whitney: Option<TestedOf>,
    /// Under a common horizon: the log-rank test of the two curves.
    pub(super) log_rank: Option<TestedOf>,
    /// How many repeats it would take to show the difference; null where a time is 0, infinite or
    /// cut.
    pub(super) repeats_needed: Option<RepeatsNeededOf>,
}

/// How pairs of runs came out for the method.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pairs")]
pub(super) struct PairsOf {
    /// The method was sooner.
    pub(super) wins: usize,
    /// Equal times; both never reaching the goal is one.
    pub(super) ties: usize,
    /// The baseline was sooner.
    pub(super) losses: usize,
    /// The order is unknown, for a run was cut.
    pub(super) unknown: usize,
}

/// Repeats in all until a rank test at the level of the intervals shows a difference with
/// probability 0.8, were the logarithms of times normal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RepeatsNeeded")]
pub(super) struct RepeatsNeededOf {
    /// For the observed ratio of medians; null where that is 1.
    pub(super) observed: Option<u64>,
    /// For a speed-up of 1.2.
    pub(super) fifth_faster: u64,
}

/// A two-sided test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Test")]
pub(super) struct TestedOf {
    /// What the test computes of the runs.
    pub(super) statistic: f64,
    /// The probability of one as extreme, were the methods equal.
    pub(super) p_value: f64,
    /// The same after Holm's correction for all methods that are compared on this goal.
    pub(super) p_holm: f64,
}
