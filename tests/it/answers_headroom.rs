//! Headroom: the clairvoyant's bound worked out by hand, and held against every method that keeps
//! the order.

use std::path::Path;

use curvebook::answers::analysis::{Analysis, AnalyzeSettings, Runs, analyze};
use curvebook::answers::headroom::{Headroom, headroom};
use curvebook::answers::traced::{Segment, Study, TracedGoal, TracedRun, TracedRuns};
use curvebook::app::pools::TableOptions;
use curvebook::base::stats::Interval;
use curvebook::base::units::SimTime;
use curvebook::methods::interface::resolve;
use curvebook::methods::{schedulers, stoppers};
use curvebook::replay::{EndReason, Grid, Pool, Settings, State, ValueMode, WarmStart, meets};
use curvebook::store::runs::RunRow;
use curvebook::store::trace::{TraceFile, TraceRow};
use tempfile::TempDir;

use crate::analysis::{analysed, row};
use crate::replay_common::{Curve, accuracy, grid, pool, write_files};

const SECOND: u64 = 1_000_000_000;

/// Three rows of two epochs: one that never meets 0.9, one that does at its end, after 4 s, and one
/// that does at once, after 5 s.
fn three_rows() -> Pool {
    let curve = |values: [f64; 2], seconds: [u64; 2]| -> Curve {
        (values.to_vec(), seconds.map(|s| s * SECOND).to_vec())
    };
    let rows = [curve([0.2, 0.3], [1, 2]), curve([0.1, 0.95], [1, 3]), curve([0.96, 0.97], [5, 5])];
    pool(&accuracy(None), 2, &rows)
}

/// A run that met 0.9 at `end_s`, with its segments `(configuration, epochs, value, end state)` one
/// after another.
fn run(run: u32, stopper: &str, stretches: &[(u32, u16, f64, &'static str)]) -> Made {
    let pool = three_rows();
    let mut now = 0;
    let mut trace = Vec::new();
    for (at, &(config_id, epochs, value, end_state)) in (0..).zip(stretches) {
        let curve = pool.recorded(curvebook::base::units::ConfigId(config_id), 0).unwrap();
        let cost = curve.cost(curvebook::base::units::Epoch(epochs)).0;
        trace.push(TraceRow {
            run,
            repeat: 0,
            segment: at,
            trial: at,
            config_id,
            curve_repeat: 0,
            worker: 0,
            start_ns: now,
            end_ns: now + cost,
            epoch_first: 1,
            epochs,
            end_state,
            value: Some(value),
            reported: None,
            snap_distance: None,
            overhead_ns: 0,
        });
        now += cost;
    }
    let trials = u32::try_from(stretches.len()).unwrap();
    let row = RunRow {
        run,
        table: "small".into(),
        goal: "0.9".into(),
        goal_value: 0.9,
        goal_rows: 2,
        trials,
        trials_to_goal: Some(trials),
        stopped_trials: 0,
        ..row(stopper, 0, EndReason::Goal, SimTime(now).seconds())
    };
    (vec![row], trace)
}

type Made = (Vec<RunRow>, Vec<TraceRow>);

fn found(made: &[Made], pools: &[&Pool]) -> Headroom {
    let rows: Vec<RunRow> = made.iter().flat_map(|(rows, _)| rows.clone()).collect();
    let trace: Vec<TraceRow> = made.iter().flat_map(|(_, trace)| trace.clone()).collect();
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("trace.parquet");
    let mut file = TraceFile::create(&path).unwrap();
    file.write(&trace).unwrap();
    file.finish().unwrap();
    let analysis = analysed(&rows);
    let runs = TracedRuns::from_rows("runs.parquet", &rows, &analysis.methods).unwrap();
    let mut all = headroom(&analysis, &[Study { runs: &runs, trace: &path }], pools).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn by_hand() -> Vec<Made> {
    vec![
        // Without a rule 3 s and 4 s.
        run(0, "none", &[(0, 2, 0.3, "completed"), (1, 2, 0.95, "completed")]),
        // The clairvoyant's own: 1 s and 4 s.
        run(1, "sees", &[(0, 1, 0.2, "stopped"), (1, 2, 0.95, "completed")]),
        // Kills the first that would have met it: 1 s, 1 s and 5 s.
        run(2, "kills", &[(0, 1, 0.2, "stopped"), (1, 1, 0.1, "stopped"), (2, 1, 0.96, "stopped")]),
        // And one that even runs the last to its end, which is harm: 12 s.
        run(
            3,
            "harms",
            &[(0, 1, 0.2, "stopped"), (1, 1, 0.1, "stopped"), (2, 2, 0.97, "completed")],
        ),
    ]
}

#[test]
fn the_bound_and_its_shares_are_those_worked_out_by_hand() {
    let table = three_rows();
    let found = found(&by_hand(), &[&table]);
    assert_eq!((found.goal.as_str(), found.baseline, found.is_exact), ("0.9", 0, true));
    assert_eq!((found.none_s, found.bound_s), (Interval::exact(7.0), Ok(Interval::exact(5.0))));
    assert_eq!(found.runs[0].bound_s, Some(Interval::exact(5.0)));
    let shares: Vec<Interval> = found.captured.iter().map(|c| c.share).collect();
    assert_eq!(shares, [1.0, 0.0, -2.5].map(Interval::exact));
    // One repeat has no interval, and so no sure harm.
    assert!(found.captured.iter().all(|c| c.interval.is_none() && !c.is_harm()));
}

#[test]
fn what_was_charged_before_the_first_epoch_is_charged_to_the_clairvoyant() {
    let table = three_rows();
    let mut made = by_hand();
    for (rows, trace) in &mut made {
        for (at, segment) in (0..).zip(trace.iter_mut()) {
            segment.overhead_ns = SECOND / 2;
            segment.start_ns += at * SECOND / 2;
            segment.end_ns += (at + 1) * SECOND / 2;
        }
        let end_s = SimTime(trace.last().unwrap().end_ns).seconds();
        rows[0].end_s = end_s;
        rows[0].time_to_goal_s = Some(end_s);
        rows[0].settings = "trial-overhead=0.5".into();
    }
    let found = found(&made, &[&table]);
    assert_eq!((found.none_s, found.bound_s), (Interval::exact(8.0), Ok(Interval::exact(6.0))));
}

#[test]
fn no_bound_is_given_where_none_can_be_had() {
    let table = three_rows();
    let why = |made: &[Made], pools: &[&Pool]| {
        let found = found(made, pools);
        assert!(found.captured.is_empty() && found.runs[0].bound_s.is_none());
        found.bound_s.unwrap_err()
    };
    assert!(why(&by_hand(), &[]).contains("table small is not there"));
    let with = |settings: &str| {
        let mut made = by_hand();
        for (rows, _) in &mut made {
            rows[0].settings = settings.into();
        }
        why(&made, &[&table])
    };
    assert!(with("warm-start-trials=4 warm-start-sampler=random").contains("warm start"));
    assert!(with("end=regret:bound=0.1").contains("ending"));
    assert!(with("on-nan=stop").contains("diverges"));
    let mut dearer = by_hand();
    dearer[0].1[0].start_ns += 1;
    assert!(why(&dearer, &[&table]).contains("charged otherwise"));
}

fn replayed(grid: &Grid, pool: &Pool, dir: &Path) -> (Analysis, TracedRuns) {
    let (runs, trace) = (dir.join("runs.parquet"), dir.join("trace.parquet"));
    write_files(grid, pool, 2, &runs, &trace);
    let settings = AnalyzeSettings { bootstrap_resamples: 200, ..AnalyzeSettings::default() };
    let analysis =
        analyze(&Runs::from_files(std::slice::from_ref(&runs)).unwrap(), &settings).unwrap();
    let traced = TracedRuns::from_file(&runs, &analysis.methods).unwrap();
    (analysis, traced)
}

#[test]
fn none_that_keeps_order_and_goal_trials_beats_the_bound_on_the_shipped_table() {
    let pool = TableOptions::default().load(Path::new("tables/digits-lenet")).unwrap();
    let rules = ["none", "etr1:tau=1", "etr1:tau=5,epsilon=0.3", "etr2", "median"];
    let mut grid =
        grid("random", &rules, &["top:0.005", "top:0.02", "rank:1"], 40, &Settings::default());
    for scheduler in ["asha", "hyperband"] {
        grid.schedulers.push(resolve("--scheduler", scheduler, schedulers::REGISTRY).unwrap());
    }
    let dir = TempDir::new().unwrap();
    let (analysis, runs) = replayed(&grid, &pool, dir.path());
    let trace = dir.path().join("trace.parquet");
    let all = headroom(&analysis, &[Study { runs: &runs, trace: &trace }], &[&pool]).unwrap();
    assert_eq!(all.len(), 3);
    let (mut compared, mut sooner) = (0, 0);
    for found in &all {
        assert!(found.is_exact && found.captured.len() == 14 && found.runs.len() == 40);
        let goal = runs.goals().iter().position(|goal| *goal == found.goal).unwrap();
        let bounds: Vec<f64> = found.runs.iter().map(|run| run.bound_s.unwrap().low).collect();
        for (base, bound) in found.runs.iter().zip(&bounds) {
            // Without a rule the goal was met, so the bound is known, and no later.
            assert!(base.bound_s.unwrap().high == *bound && *bound <= base.none_s.low);
        }
        let goal_of = |run: &TracedRun| *run.goals.iter().find(|g| g.goal == goal).unwrap();
        let look = |run: &TracedRun, segments: &[Segment]| {
            let (goal, bound) = (goal_of(run), bounds[run.repeat as usize]);
            compared += 1;
            if goal.time_s.high < bound {
                sooner += 1;
                let passed = passed_over(&pool, segments, goal);
                assert!(passed, "{} {run:?} {bound}", found.goal);
            }
            Ok(())
        };
        runs.each_run(&trace, look).unwrap();
        for captured in &found.captured {
            let (share, interval) = (captured.share, captured.interval.unwrap());
            assert!(interval.low <= share.low && share.high <= interval.high, "{captured:?}");
        }
    }
    // By luck alone, and so seldom.
    assert_eq!(compared, 3 * 40 * 15);
    assert!((1..compared / 50).contains(&sooner), "{sooner} of {compared}");
}

/// Whether the first started of the trials that would have met the goal was ended or paused before
/// it did: the goal was met in a later one.
fn passed_over(pool: &Pool, segments: &[Segment], goal: TracedGoal) -> bool {
    let whole = |s: &&Segment| {
        let curve = pool.recorded(s.config, s.curve_repeat).unwrap();
        meets(curve.score(ValueMode::Best, curve.epochs()), pool.score_of(goal.value))
    };
    let first = segments.iter().find(whole).unwrap();
    first.end_state != State::Completed && first.value.is_none_or(|value| value < goal.value)
}

#[test]
fn several_workers_and_samplers_that_learn_have_estimates() {
    let pool = TableOptions::default().load(Path::new("tables/digits-lenet")).unwrap();
    let workers = Settings { workers: 4, ..Settings::default() };
    let cases = [("random", workers), ("tpe", Settings::default())];
    for (sampler, settings) in cases {
        let grid = grid(sampler, &["none", "etr1:tau=1"], &["top:0.02"], 5, &settings);
        let dir = TempDir::new().unwrap();
        let (analysis, runs) = replayed(&grid, &pool, dir.path());
        let trace = dir.path().join("trace.parquet");
        let all = headroom(&analysis, &[Study { runs: &runs, trace: &trace }], &[&pool]).unwrap();
        let [found] = &all[..] else { panic!("one goal") };
        assert!(!found.is_exact, "{sampler}");
        let bound = found.bound_s.as_ref().unwrap();
        assert!(bound.low <= bound.high && bound.high <= found.none_s.high, "{found:?}");
        assert_eq!(found.captured[0].pairs, 5);
    }
    // A warm start is refused with its reason, end to end.
    let phase = |name: &str| resolve("--stopper", name, stoppers::REGISTRY).unwrap();
    let warm_start = WarmStart {
        trials: 3,
        sampler: grid("random", &["none"], &[], 1, &Settings::default()).samplers.remove(0),
        stopper: phase("none"),
        epochs: None,
    };
    let settings = Settings { warm_start: Some(warm_start), ..Settings::default() };
    let grid = grid("random", &["none"], &["top:0.02"], 2, &settings);
    let dir = TempDir::new().unwrap();
    let (analysis, runs) = replayed(&grid, &pool, dir.path());
    let trace = dir.path().join("trace.parquet");
    let all = headroom(&analysis, &[Study { runs: &runs, trace: &trace }], &[&pool]).unwrap();
    assert!(all[0].bound_s.as_ref().is_err_and(|reason| reason.contains("warm start")));
}
