//! Runs into step functions, one run's segments after the other's.

use std::collections::BTreeMap;

use base::error::Result;
use base::stats::steps::Steps;
use base::units::SimTime;
use replay::{Pool, State};

use super::RunCurve;
use crate::traced::{Pools, Segment, Study, TracedRun, by_trial, check_values};

/// The ends of trials, in the order of [`RunCurve::spent_ns`].
pub(super) const ENDS: [State; 5] =
    [State::Completed, State::Stopped, State::Paused, State::Failed, State::Cut];

/// Every run that counts, by method, repeat and seed.
pub(super) fn gather(
    studies: &[Study<'_>],
    pools: &[&Pool],
    is_rising: impl Fn(usize) -> bool,
) -> Result<Vec<RunCurve>> {
    let mut found: BTreeMap<(usize, u32, u64), RunCurve> = BTreeMap::new();
    for study in studies {
        let workers = |run: &TracedRun| study.runs.methods()[run.method].workers;
        let trace = study.trace.display().to_string();
        let mut keep = |curve: RunCurve| {
            let key = (curve.method, curve.repeat, curve.seed);
            let is_harder = found.get(&key).is_none_or(|known| curve.goal_rows < known.goal_rows);
            if is_harder {
                found.insert(key, curve);
            }
        };
        study.runs.each_run(study.trace, |run, segments| {
            if let Some(pool) = Pools(pools).of(study.runs, run.method)? {
                check_values(pool, study.runs, &trace, run, segments)?;
            }
            keep(run_curve(run, segments, workers(run), is_rising(run.method)));
            Ok(())
        })?;
        // Nothing was started in them, and nothing stands of them in the trace.
        for run in study.runs.runs().filter(|run| run.trials == 0) {
            keep(run_curve(run, &[], workers(run), is_rising(run.method)));
        }
    }
    Ok(found.into_values().collect())
}

fn run_curve(run: &TracedRun, segments: &[Segment], workers: u32, is_rising: bool) -> RunCurve {
    let hardest = run.goals.iter().min_by_key(|goal| goal.rows).expect("a run has a goal");
    let mut ended: Vec<&Segment> =
        segments.iter().filter(|segment| segment.end_state != State::Cut).collect();
    // Workers start trials in one order and end them in another.
    ended.sort_by_key(|segment| segment.end);
    let nothing = if is_rising { f64::NEG_INFINITY } else { f64::INFINITY };
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let mut best = nothing;
    for segment in &ended {
        let is_better = |value: &f64| if is_rising { *value > best } else { *value < best };
        if let Some(value) = segment.value.filter(is_better) {
            best = value;
            times.push(segment.end.seconds());
            values.push(value);
        }
    }
    let mut spent_ns = [0; ENDS.len()];
    for trial in by_trial(segments) {
        let Some(last) = trial.last() else { continue };
        let at = ENDS.iter().position(|end| *end == last.end_state).expect("the reader knows it");
        // Saturating, as the engine's clock: a damaged file may hold any instants.
        for segment in &trial {
            spent_ns[at] = segment.length().saturating_add(SimTime(spent_ns[at])).0;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds become seconds for a reader")]
    let busy_s = spent_ns.iter().map(|ns| u128::from(*ns)).sum::<u128>() as f64 / 1e9;
    RunCurve {
        method: run.method,
        repeat: run.repeat,
        seed: run.seed,
        goal_rows: hardest.rows,
        best: Steps::new(nothing, times, values),
        ends_s: ended.first().zip(ended.last()).map(|(a, b)| (a.end.seconds(), b.end.seconds())),
        end_s: run.end_s,
        is_cut: hardest.end_reason.censors(),
        spent_ns,
        // What rounding to seconds moves is no idleness.
        idle_s: (run.end_s * f64::from(workers) - busy_s).max(0.0),
    }
}
