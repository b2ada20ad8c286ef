//! Runs and traces against `tests/golden/replay`, worked out by the short script beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use curvebook::app::pools::TableOptions;
use curvebook::app::runs::RunRecord;
use curvebook::base::space::Value;
use curvebook::base::units::{Epoch, SimTime};
use curvebook::replay::{Grid, Pool, RecordedCurve, Settings};

use crate::replay_common::{
    accuracy, grid, line_space, numbers, read_parquet, rows_of, run_grid, words, write_files,
};
use crate::table_common::write_foreign;

const REPEATS: u32 = 3;
const EPOCHS: u16 = 5;

/// The settings of a case, as `CASES` of `reference.py` has them.
struct Case {
    name: &'static str,
    stopper: &'static str,
    workers: u32,
    goals: &'static [&'static str],
    budget: Option<SimTime>,
    trials_max: Option<u32>,
}

const PLAIN: Case = Case {
    name: "",
    stopper: "none",
    workers: 1,
    goals: &["0.9", "0.975"],
    budget: None,
    trials_max: None,
};

const TWENTY_SECONDS: Option<SimTime> = Some(SimTime(20_000_000_000));

const CASES: [Case; 9] = [
    Case { name: "one-worker", ..PLAIN },
    Case { name: "two-workers-two-goals", workers: 2, ..PLAIN },
    Case { name: "etr1-tau1", stopper: "etr1:tau=1", ..PLAIN },
    Case {
        name: "etr1-tau3-three-workers",
        stopper: "etr1:tau=3",
        workers: 3,
        goals: &["0.92"],
        ..PLAIN
    },
    Case { name: "etr2-ratio", stopper: "etr2:p=0.9,q=0.75", goals: &["0.98"], ..PLAIN },
    Case {
        name: "etr2-two-workers",
        stopper: "etr2:p=0.5,q=0.75",
        workers: 2,
        goals: &["0.92", "0.98"],
        ..PLAIN
    },
    Case { name: "never", stopper: "etr1:tau=1", workers: 2, goals: &["0.999"], ..PLAIN },
    Case { name: "budget", workers: 2, goals: &["0.975"], budget: TWENTY_SECONDS, ..PLAIN },
    Case {
        name: "max-trials",
        stopper: "etr1:tau=1",
        workers: 2,
        goals: &["0.985"],
        trials_max: Some(5),
        ..PLAIN
    },
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/replay").join(name)
}

/// The lines of a CSV file after its header, which must be `header`.
fn lines(name: &str, header: &str) -> Vec<String> {
    let text = std::fs::read_to_string(golden(name)).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(header), "{name}");
    lines.map(str::to_string).collect()
}

fn wanted_runs(case: &Case) -> Vec<String> {
    lines(
        &format!("{}.runs.csv", case.name),
        "repeat,goal,reached,time_to_goal_ns,time_to_goal_epoch_ns,trials_to_goal,epochs_to_goal,\
         end_ns,trials,epochs,stopped_trials,end_reason",
    )
}

fn wanted_trace(case: &Case) -> Vec<String> {
    lines(
        &format!("{}.trace.csv", case.name),
        "repeat,trial,config_id,worker,start_ns,end_ns,epochs,end_state,value",
    )
}

/// The columns of `curves.csv`: config, epoch, value, seconds.
fn curve_columns() -> [Vec<f64>; 4] {
    let rows = lines("tiny/curves.csv", "config_id,repeat,epoch,val_accuracy,seconds");
    let column = |at: usize| {
        let cells = rows.iter().map(|row| row.split(',').nth(at).unwrap().parse().unwrap());
        cells.collect()
    };
    assert!(rows.iter().all(|row| row.split(',').nth(1) == Some("0")));
    [column(0), column(2), column(3), column(4)]
}

fn config_column() -> Vec<f64> {
    let rows = lines("tiny/configs.csv", "config_id,x");
    rows.iter().map(|row| row.split_once(',').unwrap().1.parse().unwrap()).collect()
}

fn tiny() -> Pool {
    let [_, _, values, seconds] = curve_columns();
    let cost_ns: Vec<u64> = seconds.iter().map(|s| SimTime::from_seconds(*s).unwrap().0).collect();
    let configs: Vec<_> = config_column().iter().map(|x| vec![Value::Float(*x)]).collect();
    let width = usize::from(EPOCHS);
    let curves = values
        .chunks(width)
        .zip(cost_ns.chunks(width))
        .map(|(values, cost_ns)| RecordedCurve { values, cost_ns, ..Default::default() });
    let metric = accuracy(Some(0.1));
    Pool::new("tiny", &metric, &line_space(), Epoch(EPOCHS), &configs, curves).unwrap()
}

fn grid_of(case: &Case, goals: &[&str]) -> Grid {
    let sampler = format!("recorded:file={}", golden("tiny/order.csv").display());
    let settings = Settings {
        workers: case.workers,
        budget: case.budget,
        trials_max: case.trials_max,
        ..Settings::default()
    };
    grid(&sampler, &[case.stopper], goals, REPEATS, &settings)
}

/// Seconds that came from nanoseconds, back as nanoseconds.
fn ns(seconds: f64) -> u64 {
    let ns = (seconds * 1e9).round() as u64;
    assert_eq!(SimTime(ns).seconds(), seconds, "not a whole number of nanoseconds");
    ns
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or(String::new(), |v| v.to_string())
}

fn run_lines(runs: Vec<RunRecord>) -> Vec<String> {
    let rows = rows_of(runs).into_iter();
    rows.map(|r| {
        [
            r.repeat.to_string(),
            r.goal,
            r.reached.to_string(),
            cell(r.time_to_goal_s.map(ns)),
            cell(r.time_to_goal_epoch_s.map(ns)),
            cell(r.trials_to_goal),
            cell(r.epochs_to_goal),
            ns(r.end_s).to_string(),
            r.trials.to_string(),
            r.epochs.to_string(),
            r.stopped_trials.to_string(),
            r.end_reason.clone(),
        ]
        .join(",")
    })
    .collect()
}

fn trace_lines(runs: &[RunRecord]) -> Vec<String> {
    let segments = runs.iter().flat_map(|run| run.segments.iter().map(move |s| (run.repeat, s)));
    segments
        .map(|(repeat, s)| {
            assert_eq!((s.curve_repeat, s.epoch_first, s.snap_distance), (0, Epoch(1), None));
            let numbers =
                [repeat, s.trial.0, s.config.0, s.worker].map(|n| n.to_string()).join(",");
            let value = cell(Some(s.value).filter(|v| !v.is_nan()));
            let (start, end, word) = (s.start.0, s.end.0, s.end_state.word());
            format!("{numbers},{start},{end},{},{word},{value}", s.epochs)
        })
        .collect()
}

#[test]
fn every_case_comes_out_as_the_script_has_it() {
    let pool = tiny();
    for case in &CASES {
        let runs = run_grid(&grid_of(case, case.goals), &pool, 1).unwrap();
        assert_eq!(trace_lines(&runs), wanted_trace(case), "{}", case.name);
        assert_eq!(run_lines(runs), wanted_runs(case), "{}", case.name);
    }
}

#[test]
fn each_goal_alone_gives_the_row_that_it_gives_among_others() {
    let pool = tiny();
    for case in &CASES {
        let alone: Vec<Vec<String>> = case
            .goals
            .iter()
            .map(|goal| run_lines(run_grid(&grid_of(case, &[goal]), &pool, 1).unwrap()))
            .collect();
        let repeats = 0..REPEATS as usize;
        let woven: Vec<String> =
            repeats.flat_map(|r| alone.iter().map(move |rows| rows[r].clone())).collect();
        assert_eq!(woven, wanted_runs(case), "{}", case.name);
    }
}

/// Writes the tiny table as another program would, and loads it.
fn tiny_from_files(dir: &Path) -> Pool {
    let ints = |column: &[f64]| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(column.iter().map(|x| *x as i64)))
    };
    let floats = |column: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(column)) };
    let x = config_column();
    let ids: Vec<f64> = (0_u32..).zip(&x).map(|(id, _)| f64::from(id)).collect();
    let [config, epoch, value, seconds] = curve_columns();
    let json = std::fs::read_to_string(golden("tiny/table.json")).unwrap();
    write_foreign(
        dir,
        &json,
        vec![("config_id", ints(&ids)), ("x", floats(x))],
        vec![
            ("config_id", ints(&config)),
            ("repeat", ints(&vec![0.0; config.len()])),
            ("epoch", ints(&epoch)),
            ("val_accuracy", floats(value)),
            ("seconds", floats(seconds)),
        ],
    );
    TableOptions::default().load(dir).unwrap()
}

/// Columns of a Parquet file as lines of CSV; seconds as nanoseconds.
fn file_lines(path: &Path, columns: &[&str]) -> Vec<String> {
    let batch = read_parquet(path);
    let columns = columns.iter().map(|name| -> Vec<String> {
        match *name {
            "goal" | "reached" | "end_reason" | "end_state" => words(&batch, name),
            _ if name.ends_with("_s") => {
                numbers(&batch, name).into_iter().map(|s| cell(s.map(ns))).collect()
            }
            _ => numbers(&batch, name).into_iter().map(cell).collect(),
        }
    });
    let columns: Vec<Vec<String>> = columns.collect();
    let row = |at: usize| columns.iter().map(|c| c[at].as_str()).collect::<Vec<_>>().join(",");
    (0..batch.num_rows()).map(row).collect()
}

#[test]
fn the_same_comes_out_through_files() {
    let dir = tempfile::tempdir().unwrap();
    let pool = tiny_from_files(dir.path());
    let (runs, trace) = (dir.path().join("runs.parquet"), dir.path().join("trace.parquet"));
    for case in &CASES {
        write_files(&grid_of(case, case.goals), &pool, 2, &runs, &trace);
        let columns = [
            "repeat",
            "goal",
            "reached",
            "time_to_goal_s",
            "time_to_goal_epoch_s",
            "trials_to_goal",
            "epochs_to_goal",
            "end_s",
            "trials",
            "epochs",
            "stopped_trials",
            "end_reason",
        ];
        assert_eq!(file_lines(&runs, &columns), wanted_runs(case), "{}", case.name);
        let columns = [
            "repeat",
            "trial",
            "config_id",
            "worker",
            "start_ns",
            "end_ns",
            "epochs",
            "end_state",
            "value",
        ];
        assert_eq!(file_lines(&trace, &columns), wanted_trace(case), "{}", case.name);
    }
}
