//! Headroom: how much sooner a run could have been if somebody had known the curves, and which
//! share of that each rule and scheduler captured.
//!
//! For every run of a sampler under `fifo` without a rule the *clairvoyant* goes through the same
//! trials in the same order: a trial that meets the goal at no epoch stops after its first, and
//! every other runs on, to the end of the epoch that first meets it, where a rule could have ended
//! its segment. The earliest such end is the bound. With one worker and a sampler that fits nothing
//! it is exact: no method that keeps the order, and neither ends nor pauses a trial before it meets
//! the goal, is sooner. A method may still be sooner by luck, where it passes over a slow trial
//! that would have met the goal and a quick one follows. Where the sampler learns from what it is
//! told, a rule changes the order, and with several workers trials beyond those that ran may come
//! into play: then it is an estimate, and says so. A scheduler that proposes configurations of its
//! own keeps no order.

mod bound;
mod captured;
mod gather;

pub use captured::Captured;

use base::error::Result;
use base::stats::Interval;
use base::stats::bootstrap::Plan;
use replay::{Pool, has_fixed_order};

use crate::analysis::{Analysis, Method};
use crate::traced::Study;

/// The headroom of one sampler on one goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Headroom {
    pub table: String,
    /// As asked: `top:0.005`.
    pub goal: String,
    /// The sampler under `fifo` without a rule: an index into [`Analysis::methods`].
    pub baseline: usize,
    /// Whether the bound holds for every method that keeps the order: one worker, and a sampler
    /// that fits nothing. Else it is an estimate.
    pub is_exact: bool,
    /// Every run of the baseline with this goal, by repeat and seed.
    pub runs: Vec<RunBound>,
    /// The median time to the goal without a rule.
    pub none_s: Interval,
    /// The median of the bounds, each within what its run shows of its order; or why there is none.
    pub bound_s: std::result::Result<Interval, String>,
    /// What the sampler's rules and schedulers captured, in the order of the methods; empty without
    /// a bound.
    pub captured: Vec<Captured>,
}

/// One run without a rule, and the bound in its order of trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunBound {
    pub repeat: u32,
    pub seed: u64,
    pub none_s: Interval,
    /// `None` where there is none, see [`Headroom::bound_s`].
    pub bound_s: Option<Interval>,
}

/// The headroom of every sampler that was replayed under `fifo` without a rule, by table and goal
/// in the order of the methods, with what each method of the same sampler, value mode, workers and
/// settings captured of it. Needs the tables as they were replayed, cost column included.
///
/// Intervals are percentile bootstraps of repeats, with the confidence, the number of resamples and
/// the seed of the analysis.
///
/// # Errors
/// Faults of the traces, see [`TracedRuns::each_run`](crate::traced::TracedRuns::each_run), and of
/// a table whose curves are not those of the runs.
pub fn headroom(
    analysis: &Analysis,
    studies: &[Study<'_>],
    pools: &[&Pool],
) -> Result<Vec<Headroom>> {
    let same = studies.iter().all(|study| study.runs.methods() == analysis.methods);
    assert!(same, "all studies are read for the methods of the analysis");
    let plan = Plan { resamples: analysis.bootstrap_resamples, confidence: analysis.confidence };
    let gathered = gather::gather(studies, pools)?;
    let methods = &analysis.methods;
    let of = |times: &gather::GoalTimes| {
        let baseline = times.baseline;
        let none_s = captured::median(times.none.values().map(|run| run.none_s));
        let bound_s = times.bounds().map(captured::median);
        let compared = (0..methods.len())
            .filter(|method| *method != baseline && is_compared(methods, baseline, *method));
        // Every goal draws anew, so that an interval does not depend on what else was asked.
        let captured = match &bound_s {
            Ok(_) => compared
                .filter_map(|method| captured::of(method, times, &gathered, plan, analysis.seed))
                .collect(),
            Err(_) => Vec::new(),
        };
        let base = &methods[baseline];
        Headroom {
            table: base.table.clone(),
            goal: times.goal.clone(),
            baseline,
            is_exact: base.workers == 1 && has_fixed_order(&base.sampler) == Some(true),
            runs: times.runs(),
            none_s,
            bound_s,
            captured,
        }
    };
    Ok(gathered.goals.iter().map(of).collect())
}

/// Whether a method is one that every rule of its sampler is compared with.
fn is_baseline(method: &Method) -> bool {
    method.scheduler == "fifo" && method.stopper == "none"
}

/// Whether a method differs from a baseline in its rule, its scheduler or what a stopped trial
/// tells alone. Where the baseline stands there with several reports, which change nothing where
/// nothing stops, a method belongs to that with its own, and to the first where none has it.
fn is_compared(methods: &[Method], baseline: usize, method: usize) -> bool {
    let (base, other) = (&methods[baseline], &methods[method]);
    let is_kin = |a: &Method, b: &Method| {
        (a.table == b.table && a.sampler == b.sampler && a.value == b.value)
            && (a.workers == b.workers && a.settings == b.settings)
    };
    if is_baseline(other) || !is_kin(base, other) {
        return false;
    }
    let mut kin =
        (0..methods.len()).filter(|at| is_baseline(&methods[*at]) && is_kin(&methods[*at], other));
    let first = kin.clone().next();
    let own = kin.find(|at| methods[*at].report == other.report);
    own.or(first) == Some(baseline)
}
