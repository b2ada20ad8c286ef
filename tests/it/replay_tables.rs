//! What of a table is replayed and what is said of the result: cost column, curve repeats, setup,
//! and the configuration that an experimenter would take home.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use curvebook::app::pools::{CurveRepeat, TableOptions};
use curvebook::app::runs::RunRecord;
use curvebook::base::error::{Error, Fault};
use curvebook::base::measured::is_measured;
use curvebook::base::rng::Stream;
use curvebook::base::space::Value;
use curvebook::base::units::{Epoch, SimTime};
use curvebook::methods::interface::State;
use curvebook::replay::{Pool, RecordedCurve, RecordedRow, Settings, ValueMode};
use curvebook::store::runs::RunRow;
use rand::RngExt;

use crate::reference_engine::{Case, Naming, tables};
use crate::replay_common::{accuracy, grid, line_space, run_grid};
use crate::table_common::{EPOCHS, epoch, write_foreign, write_table};

/// Out of reach in either direction.
const NEVER: &str = "7";

fn load(dir: &Path, cost: Option<&str>, curve_repeat: CurveRepeat) -> Pool {
    let cost = cost.map(str::to_string);
    let options = TableOptions { cost, curve_repeat, ..TableOptions::default() };
    options.load(dir).unwrap_or_else(|e| panic!("{e}"))
}

fn fault_of(options: &TableOptions, dir: &Path) -> Fault {
    match options.load(dir) {
        Err(Error::Input(fault)) => *fault,
        other => panic!("{other:?}"),
    }
}

fn to_the_end(pool: &Pool, repeats: u32, settings: &Settings) -> Vec<RunRecord> {
    run_grid(&grid("random", &["none"], &[NEVER], repeats, settings), pool, 2).unwrap()
}

#[test]
fn another_column_is_charged() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 20, 8);
    let eval = load(dir.path(), Some("eval_seconds"), CurveRepeat::Fixed(0));
    let usual = load(dir.path(), None, CurveRepeat::Fixed(0));
    let said = load(dir.path(), Some("seconds"), CurveRepeat::Fixed(0));
    let runs = to_the_end(&eval, 3, &Settings::default());
    for run in &runs {
        // A sixteenth of a second an epoch.
        let row = &run.rows[0];
        assert_eq!(row.end_s, row.epochs as f64 / 16.0);
        assert_eq!(row.settings, "cost=eval_seconds");
        for s in &run.segments {
            assert_eq!(s.end.0 - s.start.0, u64::from(s.epochs.0) * 62_500_000);
        }
    }
    let usual = to_the_end(&usual, 3, &Settings::default());
    let said = to_the_end(&said, 3, &Settings::default());
    // As text, where NaN is NaN.
    assert!(format!("{usual:?}") == format!("{said:?}"), "`seconds` is the default");
    assert_eq!(usual[0].rows[0].settings, "");
    let cost = |s: &curvebook::replay::Segment| -> u64 {
        let seconds = (1..=s.epochs.0).map(|e| epoch(s.config.0, 0, e).seconds);
        seconds.map(|s| SimTime::from_seconds(s).unwrap().0).sum()
    };
    assert!(usual[0].segments.iter().all(|s| s.end.0 - s.start.0 == cost(s)));

    let missing = TableOptions { cost: Some("flops".into()), ..TableOptions::default() };
    let fault = fault_of(&missing, dir.path());
    assert!(fault.file.ends_with("curves.parquet"), "{fault}");
    assert_eq!((fault.field.as_str(), fault.value.as_str()), ("column flops", "missing"));
    assert!(!fault.rule.is_empty() && !fault.remedy.is_empty(), "{fault}");
}

#[test]
fn setting_up_is_charged_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 20, 20);
    let pool = load(dir.path(), None, CurveRepeat::Fixed(0));
    let charged = Settings { charge_setup: true, ..Settings::default() };
    let [with, without] =
        [charged, Settings::default()].map(|settings| to_the_end(&pool, 1, &settings).remove(0));
    for (with, without) in with.segments.iter().zip(&without.segments) {
        assert_eq!((with.overhead, without.overhead), (SimTime(250_000_000), SimTime::ZERO));
        assert_eq!(with.end.0 - with.start.0, without.end.0 - without.start.0 + 250_000_000);
    }
    let [with, without] = [&with.rows[0], &without.rows[0]];
    assert_eq!((with.settings.as_str(), without.settings.as_str()), ("charge-setup", ""));
    // Setting up is not what the optimiser was charged.
    assert_eq!((with.overhead_s, with.trials), (0.0, without.trials));
}

/// Two configurations of two repeats, two epochs each: 0.1 a repeat and 0.01 an epoch apart.
fn write_two_repeats(dir: &Path) {
    let json = r#"{"format": "curvebook-table", "version": 1, "name": "twice", "epochs": 2,
        "metric": {"name": "val_accuracy", "goal": "maximize"}, "repeats": 2, "configs": 2,
        "space": {"name": "line", "parameters":
            [{"name": "x", "type": "float", "low": 0.0, "high": 1.0}]}}"#;
    let ints = |of: [i64; 8]| -> ArrayRef { Arc::new(Int64Array::from(of.to_vec())) };
    let floats = |of: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(of.to_vec())) };
    let configs: ArrayRef = Arc::new(Int64Array::from(vec![0, 1]));
    write_foreign(
        dir,
        json,
        vec![("config_id", configs), ("x", floats(&[0.25, 0.75]))],
        vec![
            ("config_id", ints([0, 0, 0, 0, 1, 1, 1, 1])),
            ("repeat", ints([0, 0, 1, 1, 0, 0, 1, 1])),
            ("epoch", ints([1, 2, 1, 2, 1, 2, 1, 2])),
            ("val_accuracy", floats(&[0.1, 0.11, 0.2, 0.21, 0.1, 0.11, 0.2, 0.21])),
            ("seconds", floats(&[1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0])),
        ],
    );
}

#[test]
fn a_repeat_of_the_curves_may_be_chosen() {
    let dir = tempfile::tempdir().unwrap();
    write_two_repeats(dir.path());
    for (repeat, value, end_s, text) in [(0, 0.11, 4.0, ""), (1, 0.21, 8.0, "curve-repeat=1")] {
        let pool = load(dir.path(), None, CurveRepeat::Fixed(repeat));
        assert_eq!(pool.full_values(ValueMode::Final), [value; 2]);
        let run = to_the_end(&pool, 1, &Settings::default()).remove(0);
        assert!(run.segments.iter().all(|s| s.curve_repeat == repeat && s.value == value));
        assert_eq!((run.rows[0].end_s, run.rows[0].settings.as_str()), (end_s, text));
    }
    let pool = load(dir.path(), None, CurveRepeat::Draw);
    let runs = to_the_end(&pool, 20, &Settings::default());
    for s in runs.iter().flat_map(|run| &run.segments) {
        assert_eq!(s.value, [0.11, 0.21][usize::from(s.curve_repeat)]);
    }
    assert_eq!(runs[0].rows[0].settings, "curve-repeat=draw");
    let drawn = |run: &RunRecord| run.segments.iter().map(|s| s.curve_repeat).collect::<Vec<_>>();
    assert!(runs.iter().any(|run| drawn(run) != drawn(&runs[0])), "a draw is drawn");
}

#[test]
fn a_repeat_that_a_row_lacks_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 20, 8);
    for repeat in [1, 2, u16::MAX] {
        let options =
            TableOptions { curve_repeat: CurveRepeat::Fixed(repeat), ..TableOptions::default() };
        let fault = fault_of(&options, dir.path());
        let named = (fault.file.as_str(), fault.field.as_str(), fault.value.as_str());
        assert_eq!(named, ("--curve-repeat", "repeat", repeat.to_string().as_str()));
        // Even rows have two, odd ones only the first.
        let row = if repeat == 1 { "configuration 1 of table `small` has 0" } else { "0, 1" };
        assert!(fault.rule.contains(row), "{fault}");
        assert!(fault.remedy.contains("draw"), "{fault}");
    }
    let drawn = load(dir.path(), None, CurveRepeat::Draw);
    let runs = to_the_end(&drawn, 10, &Settings::default());
    let second = |s: &&curvebook::replay::Segment| s.curve_repeat == 1;
    let seconds: Vec<_> = runs.iter().flat_map(|r| r.segments.iter().filter(second)).collect();
    assert!(seconds.iter().all(|s| s.config.0.is_multiple_of(2) && s.epochs == Epoch(2)));
    // A prefix is all that a later repeat covers: the trial fails there.
    assert!(seconds.iter().all(|s| s.end_state == State::Failed) && seconds.len() > 20);
    const { assert!(EPOCHS > 2) }
}

#[test]
fn a_drawn_repeat_is_uniform_and_the_same_for_every_method() {
    const CURVES: usize = 4;
    let values = [[0.1, 0.6], [0.2, 0.7], [0.3, 0.8], [0.4, 0.9]];
    let row = || {
        let curve = |at: usize| RecordedCurve {
            repeat: at as u16,
            values: &values[at],
            cost_ns: &[3, 4],
            test: None,
        };
        RecordedRow { curves: (0..CURVES).map(curve).collect(), setup_ns: 0, last_epoch: None }
    };
    let configs: Vec<_> = (0..10).map(|i| vec![Value::Float(f64::from(i) / 10.0)]).collect();
    let (metric, rows) = (accuracy(Some(0.1)), (0..10).map(|_| row()));
    let pool = Pool::with_rows("drawn", &metric, &line_space(), Epoch(2), &configs, rows).unwrap();

    let stoppers = ["none", "etr1:epsilon=0.15", "etr2"];
    let mut several = grid("random", &stoppers, &[NEVER], 400, &Settings::default());
    several.workers = vec![1, 3];
    let runs = run_grid(&several, &pool, 2).unwrap();
    let drawn = |run: &RunRecord| {
        let mut of_row = [0; 10];
        for s in &run.segments {
            of_row[s.config.index()] = s.curve_repeat;
            assert_eq!(s.value, values[usize::from(s.curve_repeat)][usize::from(s.epochs.0) - 1]);
        }
        of_row
    };
    let (first, others) = runs.split_at(400);
    let mut counts = [[0_u32; CURVES]; 10];
    for (repeat, run) in first.iter().enumerate() {
        for other in others.iter().skip(repeat).step_by(400) {
            assert_eq!((other.repeat, drawn(other)), (run.repeat, drawn(run)));
        }
        for (counts, curve) in counts.iter_mut().zip(drawn(run)) {
            counts[usize::from(curve)] += 1;
        }
    }
    // Of 400 draws a curve expects 100 with a deviation of 8.7, and of 4,000 the sum 1,000 with 27.
    assert!(counts.as_flattened().iter().all(|n| (61..140).contains(n)), "{counts:?}");
    let sums = [0, 1, 2, 3].map(|curve| counts.iter().map(|c| c[curve]).sum::<u32>());
    assert!(sums.iter().all(|n| (880..1120).contains(n)), "{sums:?}");
    // Rows do not share their draw, and neither do seeds.
    assert!(first.iter().any(|run| drawn(run)[0] != drawn(run)[1]));
    let settings = Settings { seed: 1, ..Settings::default() };
    let other = to_the_end(&pool, 400, &settings);
    assert!(first.iter().zip(&other).any(|(a, b)| drawn(a) != drawn(b)));
}

/// Brute force: every epoch of every trial in the trace, in the metric's own direction.
fn selected_by_hand(case: &Case, run: &RunRecord) -> Option<(u32, u16, f64, Option<f64>)> {
    let mut executed: Vec<(u32, u16)> = Vec::new();
    for s in &run.segments {
        match executed.get_mut(s.trial.index()) {
            Some(known) => known.1 = s.epochs.0,
            None => executed.push((s.config.0, s.epochs.0)),
        }
    }
    let is_better = |a: f64, b: f64| if case.table.minimise { a < b } else { a > b };
    let mut best: Option<(u32, u16, f64, Option<f64>)> = None;
    for (config, epochs) in executed {
        let row = &case.table.rows[config as usize];
        let measured = |epoch: &u16| is_measured(row.values[usize::from(*epoch) - 1]);
        let last = (1..=epochs).rfind(measured).unwrap_or(0);
        let epochs_of_value = if case.rules.best { 1..=epochs } else { last.max(1)..=last };
        for epoch in epochs_of_value {
            let (value, test) =
                (row.values[usize::from(epoch) - 1], row.test[usize::from(epoch) - 1]);
            if value.is_finite() && best.is_none_or(|(_, _, known, _)| is_better(value, known)) {
                best = Some((config, epoch, value, Some(test).filter(|t| !t.is_nan())));
            }
        }
    }
    best
}

fn selected(row: &RunRow) -> Option<(u32, u16, f64, Option<f64>)> {
    let config = row.selected_config?;
    Some((config, row.selected_epoch?, row.selected_value?, row.selected_test))
}

#[test]
fn the_selected_configuration_is_the_best_of_all_that_ran() {
    let (mut some, mut none, mut tested) = (0, 0, 0);
    for seed in 0..150 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "selected");
        let workers = stream.random_range(1..5);
        let mut case = Case::random(&mut stream, workers);
        case.goals.truncate(1);
        let rules: &[&str] =
            if case.table.chance.is_some() { &["none", "etr1"] } else { &["none"] };
        let mut settings = tables::settings(&case.rules, seed);
        settings.report = Settings::default().report;
        let goal = case.goals[0].to_string();
        let grid = grid("random", rules, &[&goal], 3, &settings);
        for run in run_grid(&grid, &tables::pool(&case.table), 1).unwrap() {
            let (found, wanted) = (selected(&run.rows[0]), selected_by_hand(&case, &run));
            assert_eq!(found, wanted);
            some += u32::from(found.is_some());
            none += u32::from(found.is_none());
            tested += u32::from(found.is_some_and(|f| f.3.is_some()));
        }
    }
    assert!(some > 400 && none > 20 && tested > 200 && tested < some, "{some} {none} {tested}");
}
