//! The curves of a table from the step functions of its runs.

use std::collections::BTreeSet;

use base::stats::quantile::median;
use base::stats::steps::Steps;
use base::stats::steps_summary::{mean_ranks_over_time, quantiles_over_time};
use replay::{Pool, ValueMode, slack};

use super::{Band, LOG_SPAN, MethodCurves, RunCurve, Spent, TARGETS, TIMES_MAX, TableCurves};
use crate::analysis::Method;

const QUARTERS: [f64; 3] = [0.25, 0.5, 0.75];

/// The curves of the runs of one table; `None` where it has none.
pub(super) fn of_table(
    table: &str,
    is_rising: bool,
    runs: &[&RunCurve],
    methods: &[Method],
    pool: Option<&Pool>,
) -> Option<TableCurves> {
    let mut numbers: Vec<usize> = runs.iter().map(|run| run.method).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return None;
    }
    let ends = runs.iter().filter_map(|run| run.ends_s);
    let span = ends.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
    let (times_s, is_log) = grid(span);
    let of = |method: usize| -> Vec<&RunCurve> {
        runs.iter().filter(|run| run.method == method).copied().collect()
    };
    let (ranks, ranked_repeats) = ranks(&numbers, &of, &times_s, is_rising);
    let curves = |(at, &method): (usize, &usize)| {
        let references = pool.map(|pool| References::new(pool, &methods[method]));
        let ranks = ranks.as_ref().map(|rows| rows.iter().map(|row| row[at]).collect());
        method_curves(method, &of(method), &times_s, references.as_ref(), ranks)
    };
    Some(TableCurves {
        table: table.to_string(),
        is_log,
        larger_is_better: is_rising,
        methods: numbers.iter().enumerate().map(curves).collect(),
        ranked_repeats,
        times_s,
    })
}

/// The times from the first to the last, and whether they are spaced by their logarithms.
#[expect(clippy::cast_precision_loss, reason = "a grid has few times")]
pub(super) fn grid(span: Option<(f64, f64)>) -> (Vec<f64>, bool) {
    let Some((first, last)) = span else { return (Vec::new(), false) };
    if first == last {
        return (vec![first], false);
    }
    let is_log = first > 0.0 && last / first > LOG_SPAN;
    let steps = (TIMES_MAX - 1) as f64;
    let time = |at: usize| match at {
        // The ends exactly, whatever rounding does in between.
        0 => first,
        at if at == TIMES_MAX - 1 => last,
        at if is_log => first * libm::exp(libm::log(last / first) * (at as f64 / steps)),
        at => first + (last - first) * (at as f64 / steps),
    };
    let mut times: Vec<f64> = (0..TIMES_MAX).map(|at| time(at).clamp(first, last)).collect();
    times.dedup();
    (times, is_log)
}

/// Mean ranks at each time, a number a method, and over how many repeats they are.
fn ranks<'a>(
    numbers: &[usize],
    of: &impl Fn(usize) -> Vec<&'a RunCurve>,
    times_s: &[f64],
    is_rising: bool,
) -> (Option<Vec<Vec<f64>>>, usize) {
    let key = |run: &&RunCurve| (run.repeat, run.seed);
    let runs: Vec<Vec<&RunCurve>> = numbers.iter().map(|method| of(*method)).collect();
    let keys = runs.iter().map(|runs| runs.iter().map(key).collect::<BTreeSet<_>>());
    let shared = keys.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default();
    if numbers.len() < 2 || shared.is_empty() {
        return (None, 0);
    }
    // Runs stand by repeat and seed, so the n-th shared one of each method is of one repeat.
    let kept: Vec<Vec<&RunCurve>> = runs
        .iter()
        .map(|runs| runs.iter().filter(|run| shared.contains(&key(run))).copied().collect())
        .collect();
    let repeat = |at: usize| kept.iter().map(|runs| runs[at].best.clone()).collect();
    let repeats: Vec<Vec<Steps>> = (0..shared.len()).map(repeat).collect();
    (Some(mean_ranks_over_time(&repeats, times_s, is_rising)), shared.len())
}

/// What a table says of good values, for one value mode.
struct References {
    is_rising: bool,
    best: f64,
    /// Less the best, on the scale of scores.
    span: f64,
    /// In the metric's own direction, each with the slack in favour of reached.
    targets: Vec<f64>,
}

impl References {
    fn new(pool: &Pool, method: &Method) -> Self {
        let is_final = method.value == ValueMode::Final.word();
        let mode = if is_final { ValueMode::Final } else { ValueMode::Best };
        let values = pool.full_values(mode).iter().copied();
        let mut scores: Vec<f64> = values.filter(|score| score.is_finite()).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let is_rising = pool.score_of(1.0) > 0.0;
        let best = scores.first().copied().unwrap_or(f64::NAN);
        let middle = if scores.is_empty() { f64::NAN } else { median(&scores) };
        let target = |rank: usize| {
            let score = scores[rank - 1];
            pool.value_of(score - slack(score))
        };
        let targets = ranks_of_targets(scores.len()).into_iter().map(target).collect();
        Self { is_rising, best: pool.value_of(best), span: best - middle, targets }
    }

    /// `None` where the best row is no better than the middle one.
    fn regret(&self, best: &Steps) -> Option<Steps> {
        let sign = if self.is_rising { 1.0 } else { -1.0 };
        let regret = |value: &f64| (sign * (self.best - value) / self.span).clamp(0.0, 1.0);
        let values = best.values().iter().map(regret).collect();
        (self.span > 0.0).then(|| Steps::new(1.0, best.times().to_vec(), values))
    }
}

/// The ranks of [`TARGETS`] targets among so many rows, the easiest first: from the best half to
/// the best row, spaced by their logarithms and rounded, so that small tables repeat some. None
/// without rows.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are those of rows, far below 2^53"
)]
pub(super) fn ranks_of_targets(rows: usize) -> Vec<usize> {
    if rows == 0 {
        return Vec::new();
    }
    let half = rows.div_ceil(2);
    let last = (TARGETS - 1) as f64;
    let rank = |at: usize| {
        let share = (TARGETS - 1 - at) as f64 / last;
        (libm::exp(libm::log(half as f64) * share).round() as usize).clamp(1, half)
    };
    (0..TARGETS).map(rank).collect()
}

fn method_curves(
    method: usize,
    runs: &[&RunCurve],
    times_s: &[f64],
    references: Option<&References>,
    mean_rank: Option<Vec<f64>>,
) -> MethodCurves {
    let best: Vec<Steps> = runs.iter().map(|run| run.best.clone()).collect();
    let regret: Option<Vec<Steps>> = references
        .and_then(|references| best.iter().map(|steps| references.regret(steps)).collect());
    let targets = references.filter(|references| !references.targets.is_empty());
    let targets_reached = targets.map(|references| {
        let reached =
            |steps: &Steps| steps.first_reaching(&references.targets, references.is_rising);
        let reached: Vec<f64> = best.iter().flat_map(reached).collect();
        let share = Steps::share_reached(&reached);
        times_s.iter().map(|time| share.at(*time)).collect()
    });
    let cut = runs.iter().filter(|run| run.is_cut).map(|run| run.end_s);
    MethodCurves {
        method,
        runs: runs.len(),
        best: bands(&best, times_s),
        regret: regret.map(|regret| bands(&regret, times_s)),
        targets_reached,
        mean_rank,
        first_end_s: runs.iter().map(|run| run.end_s).fold(f64::INFINITY, f64::min),
        watched_s: cut.reduce(f64::min),
        spent: spent(runs),
    }
}

fn bands(functions: &[Steps], times_s: &[f64]) -> Vec<Band> {
    let rows = quantiles_over_time(functions, times_s, &QUARTERS);
    rows.iter().map(|row| Band { q25: row[0], median: row[1], q75: row[2] }).collect()
}

fn spent(runs: &[&RunCurve]) -> Spent {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds become seconds for a reader")]
    let seconds = |at: usize| {
        let ns: u128 = runs.iter().map(|run| u128::from(run.spent_ns[at])).sum();
        ns as f64 / 1e9
    };
    Spent {
        completed_s: seconds(0),
        stopped_s: seconds(1),
        paused_s: seconds(2),
        failed_s: seconds(3),
        cut_s: seconds(4),
        idle_s: runs.iter().map(|run| run.idle_s).sum(),
    }
}
