//! Anytime curves and timelines, from runs and their traces to numbers worked out by hand.

use std::path::{Path, PathBuf};

use curvebook::answers::analysis::Method;
use curvebook::answers::anytime::{Band, Spent, TableCurves, anytime, timelines};
use curvebook::answers::traced::{Study, TracedRuns};
use curvebook::base::error::Result;
use curvebook::base::units::{ConfigId, SimTime};
use curvebook::methods::interface::resolve;
use curvebook::methods::schedulers;
use curvebook::replay::{EndReason, Pool, Settings, State};
use curvebook::store::runs::RunRow;
use curvebook::store::trace::{TraceFile, TraceRow};
use tempfile::TempDir;

use crate::analysis::{analysed, row};
use crate::replay_common::{Curve, accuracy, grid, loss, pool, rows_of, run_grid, write_files};

const INF: f64 = f64::INFINITY;
const SECOND: u64 = 1_000_000_000;

/// Two epochs of a second each.
const VALUES: [[f64; 2]; 4] = [[0.2, 0.3], [0.5, 0.6], [0.1, 0.4], [0.7, 0.9]];

fn small_pool(sign: f64) -> Pool {
    let curve =
        |values: [f64; 2]| -> Curve { (values.map(|v| sign * v).to_vec(), vec![SECOND; 2]) };
    let metric = if sign > 0.0 { accuracy(None) } else { loss(None) };
    pool(&metric, 2, &VALUES.map(curve))
}

/// A run of `stopper` with two workers, by its two goals: when each was met or how it ended.
fn run_rows(
    run: u32,
    stopper: &str,
    repeat: u32,
    trials: u32,
    selected: f64,
    ends: [(EndReason, f64); 2],
) -> Vec<RunRow> {
    let goals = [("0.6", 0.6, 2), ("0.9", 0.9, 1)];
    let of = |((goal, value, rows), (end, end_s)): ((&str, f64, u32), (EndReason, f64))| RunRow {
        run,
        table: "small".into(),
        workers: 2,
        goal: goal.into(),
        goal_value: value,
        goal_rows: rows,
        trials,
        trials_to_goal: (end == EndReason::Goal).then_some(trials),
        stopped_trials: 0,
        selected_value: Some(selected),
        ..row(stopper, repeat, end, end_s)
    };
    goals.into_iter().zip(ends).map(of).collect()
}

/// `(trial, configuration, worker, start, end, epochs, end state)` in seconds.
type Stretch = (u32, u32, u32, u64, u64, u16, State);

fn trace_rows(run: u32, repeat: u32, sign: f64, stretches: &[Stretch]) -> Vec<TraceRow> {
    let of =
        |(segment, &(trial, config_id, worker, start, end, epochs, state)): (u32, &Stretch)| {
            let best = VALUES[config_id as usize][..usize::from(epochs)].iter().copied();
            TraceRow {
                run,
                repeat,
                segment,
                trial,
                config_id,
                curve_repeat: 0,
                worker,
                start_ns: start * SECOND,
                end_ns: end * SECOND,
                epoch_first: 1,
                epochs,
                end_state: state.word(),
                value: best.reduce(f64::max).map(|value| sign * value),
                reported: None,
                snap_distance: None,
                overhead_ns: 0,
            }
        };
    (0..).zip(stretches).map(of).collect()
}

/// Two methods, two repeats each; `sign` -1 turns every value into a loss.
fn two_methods(sign: f64) -> (Vec<RunRow>, Vec<TraceRow>) {
    use EndReason::{Budget, Exhausted, Goal};
    use State::{Completed, Cut, Paused, Stopped};
    let mut rows = [
        run_rows(0, "none", 0, 3, sign * 0.9, [(Goal, 1.0), (Goal, 3.0)]),
        // What a cut trial had is taken home, and counts for no goal.
        run_rows(1, "none", 1, 3, sign * 0.7, [(Budget, 2.0), (Budget, 2.0)]),
        run_rows(2, "etr1", 0, 1, sign * 0.6, [(Goal, 2.0), (Exhausted, 4.0)]),
        run_rows(3, "etr1", 1, 1, sign * 0.9, [(Goal, 2.0), (Goal, 2.0)]),
    ]
    .concat();
    for row in &mut rows {
        row.goal_value *= sign;
    }
    let trace = [
        // Trial 1 pauses with 0.7 and goes on elsewhere; trial 2 ends before trial 0's successor.
        trace_rows(
            0,
            0,
            sign,
            &[
                (0, 0, 0, 0, 2, 2, Completed),
                (1, 3, 1, 0, 1, 1, Paused),
                (2, 1, 1, 1, 3, 2, Completed),
                (1, 3, 0, 2, 3, 2, Completed),
            ],
        ),
        trace_rows(
            1,
            1,
            sign,
            &[(0, 2, 0, 0, 2, 2, Completed), (1, 0, 1, 0, 1, 1, Stopped), (2, 3, 1, 1, 2, 1, Cut)],
        ),
        trace_rows(2, 0, sign, &[(0, 1, 0, 0, 2, 2, Completed)]),
        trace_rows(3, 1, sign, &[(0, 3, 0, 0, 2, 2, Completed)]),
    ];
    (rows, trace.concat())
}

fn written(dir: &TempDir, trace: &[TraceRow]) -> PathBuf {
    let path = dir.path().join("trace.parquet");
    let mut file = TraceFile::create(&path).unwrap();
    file.write(trace).unwrap();
    file.finish().unwrap();
    path
}

fn methods_of(rows: &[RunRow]) -> Vec<Method> {
    analysed(rows).methods
}

fn curves(rows: &[RunRow], trace: &[TraceRow], pools: &[&Pool]) -> Result<Vec<TableCurves>> {
    let dir = TempDir::new().unwrap();
    let path = written(&dir, trace);
    let runs = TracedRuns::from_rows("runs.parquet", rows, &methods_of(rows))?;
    anytime(&[Study { runs: &runs, trace: &path }], pools)
}

#[track_caller]
fn assert_band(found: Band, expected: [f64; 3]) {
    for (found, expected) in [found.q25, found.median, found.q75].into_iter().zip(expected) {
        assert!(found == expected || (found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

#[test]
fn curves_are_those_worked_out_by_hand() {
    let (rows, trace) = two_methods(1.0);
    let pool = small_pool(1.0);
    let found = curves(&rows, &trace, &[&pool]).unwrap();
    let [table] = &found[..] else { panic!("one table") };
    assert_eq!(
        (table.table.as_str(), table.larger_is_better, table.is_log),
        ("small", true, false)
    );
    let last = table.times_s.len() - 1;
    assert_eq!((table.times_s[0], table.times_s[last], last), (1.0, 3.0, 199));
    assert_eq!(table.ranked_repeats, 2);
    let [none, rule] = &table.methods[..] else { panic!("two methods") };
    assert_eq!((none.method, none.runs, rule.method, rule.runs), (0, 2, 1, 2));
    // 0.7 and 0.2 at 1 s; 0.9 and 0.4 at 3 s, for what was cut with 0.7 is nobody's.
    assert_band(none.best[0], [0.325, 0.45, 0.575]);
    assert_band(none.best[last], [0.525, 0.65, 0.775]);
    assert_band(rule.best[0], [-INF; 3]);
    assert_band(rule.best[last], [0.675, 0.75, 0.825]);
    // Best 0.9, median 0.5: 0.7 is half of the way from it, 0.2 more than all of it.
    let (none_regret, rule_regret) = (none.regret.as_ref().unwrap(), rule.regret.as_ref().unwrap());
    assert_band(none_regret[0], [0.625, 0.75, 0.875]);
    assert_band(none_regret[last], [0.25, 0.5, 0.75]);
    assert_band(rule_regret[0], [1.0; 3]);
    assert_near(rule_regret[last].median, 0.375);
    // Ranks 2 to 1 of 4 rows: 21 targets at 0.6 and 30 at 0.9.
    let reached = |curve: &Option<Vec<f64>>, at: usize| curve.as_ref().unwrap()[at];
    assert_near(reached(&none.targets_reached, 0), 21.0 / 102.0);
    assert_near(reached(&none.targets_reached, last), 0.5);
    assert_near(reached(&rule.targets_reached, last), 72.0 / 102.0);
    let ranks = [0, last].map(|at| [&none.mean_rank, &rule.mean_rank].map(|r| reached(r, at)));
    assert_eq!(ranks, [[1.0, 2.0], [1.5, 1.5]]);
    // One run of `none` was cut at 2 s; `etr1` had nothing left to try at 4 s.
    assert_eq!((none.first_end_s, none.watched_s), (2.0, Some(2.0)));
    assert_eq!((rule.first_end_s, rule.watched_s), (2.0, None));
    // A trial that paused and was completed is completed.
    let expected = Spent { completed_s: 8.0, stopped_s: 1.0, cut_s: 1.0, ..Spent::default() };
    assert_eq!(none.spent, expected);
    assert_eq!(rule.spent, Spent { completed_s: 4.0, idle_s: 8.0, ..Spent::default() });
}

#[test]
fn without_the_table_the_runs_say_which_way_is_better() {
    let (rows, trace) = two_methods(-1.0);
    let found = curves(&rows, &trace, &[]).unwrap().remove(0);
    assert!(!found.larger_is_better);
    let (none, last) = (&found.methods[0], found.times_s.len() - 1);
    assert_band(none.best[0], [-0.575, -0.45, -0.325]);
    assert_band(found.methods[1].best[0], [INF; 3]);
    assert_eq!((none.regret.as_ref(), none.targets_reached.as_ref()), (None, None));
    assert_eq!(none.mean_rank.as_ref().unwrap()[last], 1.5);
    // With it, the same and more: regrets of losses are those of the accuracies that they mirror.
    let pool = small_pool(-1.0);
    let with = curves(&rows, &trace, &[&pool]).unwrap().remove(0);
    assert_eq!(with.methods[0].best, none.best);
    let up = small_pool(1.0);
    let (rows, trace) = two_methods(1.0);
    let rising = curves(&rows, &trace, &[&up]).unwrap().remove(0);
    assert_eq!(with.methods[0].regret, rising.methods[0].regret);
    assert_eq!(with.methods[1].targets_reached, rising.methods[1].targets_reached);

    // An older file does not say what a run selected.
    let (mut rows, trace) = two_methods(1.0);
    for row in &mut rows {
        row.selected_value = None;
    }
    let refused = curves(&rows, &trace, &[]).unwrap_err().to_string();
    assert!(refused.contains("selected_value") && refused.contains("small"), "{refused}");
    assert!(curves(&rows, &trace, &[&up]).is_ok());
}

#[test]
fn of_runs_once_a_goal_the_hardest_goal_counts() {
    let (rows, trace) = two_methods(1.0);
    let only = |run: u32, goal: &str| -> Vec<RunRow> {
        rows.iter().filter(|row| row.run == run && row.goal == goal).cloned().collect()
    };
    // Run 3 becomes a run of repeat 0 for the easier goal.
    let mut easier = only(3, "0.6");
    easier[0].repeat = 0;
    let rows = [only(2, "0.9"), easier].concat();
    let mut trace: Vec<TraceRow> = trace.into_iter().filter(|row| row.run >= 2).collect();
    trace[1].repeat = 0;
    let found = curves(&rows, &trace, &[&small_pool(1.0)]).unwrap().remove(0);
    let [method] = &found.methods[..] else { panic!("one method") };
    assert_eq!((method.runs, found.ranked_repeats, method.mean_rank.as_ref()), (1, 0, None));
    assert_eq!(found.times_s, [2.0]);
    assert_band(method.best[0], [0.6; 3]);
}

#[test]
fn a_timeline_has_the_segments_of_its_run() {
    let (rows, trace) = two_methods(1.0);
    let dir = TempDir::new().unwrap();
    let path = written(&dir, &trace);
    let runs = TracedRuns::from_rows("runs.parquet", &rows, &methods_of(&rows)).unwrap();
    let found = timelines(&runs, &path, &[3, 0]).unwrap();
    let [last, first] = &found[..] else { panic!("two timelines") };
    assert_eq!((last.run, last.method, last.bars.len()), (3, 1, 1));
    assert_eq!((first.run, first.repeat, first.workers, first.end_s), (0, 0, 2, 3.0));
    let bar = first.bars[3];
    assert_eq!((bar.worker, bar.start_s, bar.end_s, bar.trial), (0, 2.0, 3.0, 1));
    assert_eq!((bar.config, bar.epochs, bar.value), (ConfigId(3), 2, Some(0.9)));
    assert_eq!(bar.end_state, State::Completed);
    let refused = timelines(&runs, &path, &[7]).unwrap_err().to_string();
    assert!(refused.contains("run = 7") && refused.contains("0 to 3"), "{refused}");
}

type Change<'a> = &'a dyn Fn(&mut Vec<TraceRow>);

#[test]
fn a_trace_of_other_runs_is_refused() {
    let (rows, trace) = two_methods(1.0);
    let pool = small_pool(1.0);
    let refused = |change: Change<'_>| {
        let mut trace = trace.clone();
        change(&mut trace);
        let error = curves(&rows, &trace, &[&pool]).unwrap_err();
        assert!(error.is_input());
        error.to_string()
    };
    let cases: [(Change<'_>, &str); 11] = [
        (&|t| t.last_mut().unwrap().run = 9, "has no run of this number"),
        (&|t| t.truncate(8), "has a run 3 with 1 trials, of which nothing stands here"),
        (&|t| t[0].repeat = 5, "run 0 has repeat 0"),
        (&|t| t.swap(0, 1), "segment 0 of run 0 comes here"),
        (&|t| t[3].segment = 4, "segment 3 of run 0 comes here"),
        (&|t| t[8].end_ns = 9 * SECOND, "run 3 ended at 2 s"),
        (&|t| t[0].value = Some(0.31), "has another value for configuration 0 after 2 epochs"),
        (&|t| t[0].config_id = 77, "has another value for configuration 77"),
        (&|t| t[8].worker = 2, "run 3 had 2 workers"),
        (&|t| t[8].trial = u32::MAX - 1, "trial 0 of run 3 starts here at most"),
        (&|t| t[3].trial = 3, "run 0 started 3 trials"),
    ];
    for (change, wanted) in cases {
        let found = refused(change);
        assert!(found.contains(wanted), "{wanted:?} in {found}");
    }
    let again: Vec<TraceRow> = [&trace[..], &trace[..4]].concat();
    let found = curves(&rows, &again, &[&pool]).unwrap_err().to_string();
    assert!(found.contains("stand together"), "{found}");
    let runs = TracedRuns::from_rows("runs.parquet", &rows, &methods_of(&rows)).unwrap();
    let none = anytime(&[Study { runs: &runs, trace: Path::new("/no/such") }], &[]).unwrap_err();
    assert!(none.to_string().contains("--trace"), "{none}");
    // Another table of this name.
    let mut named = small_pool(1.0);
    named.set_table_hash("ff".into());
    let rows: Vec<RunRow> =
        rows.into_iter().map(|row| RunRow { table_hash: "aa".into(), ..row }).collect();
    let found = curves(&rows, &trace, &[&named]).unwrap_err().to_string();
    assert!(found.contains("another table of this name"), "{found}");
}

#[test]
fn runs_that_contradict_each_other_are_refused() {
    let (rows, _) = two_methods(1.0);
    let methods = methods_of(&rows);
    let refused = |rows: &[RunRow]| {
        TracedRuns::from_rows("runs.parquet", rows, &methods).unwrap_err().to_string()
    };
    let mut two = rows.clone();
    two[1].repeat = 8;
    assert!(refused(&two).contains("another run has this number"));
    assert!(refused(&[rows.clone(), rows.clone()].concat()).contains("stand there twice"));
    let mut other = rows;
    other[0].stopper = "median".into();
    assert!(refused(&other).contains("no method of the analysis"));
}

#[test]
fn real_runs_meet_their_goals_when_their_curves_do() {
    let curve = |row: u32| -> Curve {
        let end = f64::from((row * 37) % 101) / 101.0;
        let values = (1..=9).map(|epoch| end * f64::from(epoch) / 9.0).collect();
        (values, (1..=9).map(|epoch| u64::from(1 + (row + epoch) % 3) * SECOND).collect())
    };
    let all: Vec<Curve> = (0..101).map(curve).collect();
    let pool = pool(&accuracy(None), 9, &all);
    for (workers, scheduler) in [(1, "fifo"), (4, "asha"), (3, "hyperband"), (2, "pop")] {
        let settings = Settings { workers, ..Settings::default() };
        let mut grid = grid("random", &["none"], &["rank:9", "rank:2"], 1, &settings);
        grid.schedulers = vec![resolve("--scheduler", scheduler, schedulers::REGISTRY).unwrap()];
        let rows = rows_of(run_grid(&grid, &pool, 1).unwrap());
        let dir = TempDir::new().unwrap();
        let (runs, trace) = (dir.path().join("runs.parquet"), dir.path().join("trace.parquet"));
        write_files(&grid, &pool, 1, &runs, &trace);
        let runs = TracedRuns::from_file(&runs, &methods_of(&rows)).unwrap();
        let study = Study { runs: &runs, trace: &trace };
        let found = anytime(&[study], &[&pool]).unwrap().remove(0);
        let hardest = rows.iter().min_by_key(|row| row.goal_rows).unwrap();
        let [method] = &found.methods[..] else { panic!("one method") };
        let end = *found.times_s.last().unwrap();
        assert!(end <= hardest.end_s && end >= hardest.time_to_goal_s.unwrap_or(0.0));
        for (time, best) in found.times_s.iter().zip(&method.best) {
            let has_come = hardest.time_to_goal_s.is_some_and(|goal| goal <= *time);
            assert_eq!(best.median >= hardest.goal_value, has_come, "{scheduler} {time}");
        }
        let Spent { completed_s, stopped_s, paused_s, failed_s, cut_s, idle_s } = method.spent;
        let all = completed_s + stopped_s + paused_s + failed_s + cut_s + idle_s;
        assert!((all - f64::from(workers) * hardest.end_s).abs() < 1e-6, "{scheduler}");
        assert!(hardest.idle_s.is_none_or(|idle| (idle - idle_s).abs() < 1e-6), "{scheduler}");
        assert_eq!(SimTime::from_seconds(end).unwrap().seconds(), end);
    }
}
