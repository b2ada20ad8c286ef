//! `curvebook table extrapolate`: what it keeps beside a table, and what replays take of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use curvebook::app::error::Error;
use curvebook::app::extrapolate::{Outcome, Settings, run as extrapolate};
use curvebook::app::{Events, GO_ON, Silent};
use tempfile::TempDir;

use crate::command_line::{done, run};
use crate::table_common::write_foreign;

const EPOCHS: i64 = 12;
const ROWS: i64 = 10;
/// Looks after epochs 4, 6, 8 and 10.
const CHECKS: u32 = 4;

/// Rising curves; row 3 diverges after epoch 5, row 7 ends after epoch 6.
fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    let dir = t.path().join("T");
    fs::create_dir(&dir).unwrap();
    let json = format!(
        r#"{{"format": "curvebook-table", "version": 1, "name": "T",
            "metric": {{"name": "accuracy", "goal": "maximize", "chance": 0.1}},
            "epochs": {EPOCHS}, "repeats": 1, "configs": {ROWS},
            "space": {{"name": "line", "parameters": [
                {{"name": "x", "type": "float", "low": 0.0, "high": 1.0}}]}}}}"#
    );
    let (mut ids, mut epochs, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..ROWS {
        for epoch in 1..=if row == 7 { 6 } else { EPOCHS } {
            let end = 0.5 + 0.04 * row as f64;
            let value = end - 0.4 / (epoch * epoch) as f64 + 0.003 * ((epoch * row) % 3) as f64;
            ids.push(row);
            epochs.push(epoch);
            values.push(if row == 3 && epoch > 5 { f64::NAN } else { value });
        }
    }
    let count = ids.len();
    let x = (0..ROWS).map(|row| (row as f64 + 0.5) / ROWS as f64);
    let configs: Vec<(&str, ArrayRef)> = vec![
        ("config_id", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        ("x", Arc::new(Float64Array::from_iter_values(x))),
    ];
    let curves: Vec<(&str, ArrayRef)> = vec![
        ("config_id", Arc::new(Int64Array::from(ids))),
        ("repeat", Arc::new(Int64Array::from(vec![0; count]))),
        ("epoch", Arc::new(Int64Array::from(epochs))),
        ("accuracy", Arc::new(Float64Array::from(values))),
        ("seconds", Arc::new(Float64Array::from(vec![1.0; count]))),
    ];
    write_foreign(&dir, &json, configs, curves);
    t
}

fn settings(t: &TempDir, rule: &str) -> Settings {
    Settings::read(&t.path().join("T"), Some(rule), None, Some(2)).unwrap()
}

fn make(t: &TempDir, rule: &str) -> Outcome {
    extrapolate(&settings(t, rule), &Silent, &GO_ON).unwrap()
}

/// Of ten rows, one of which ends early, those that have an epoch before their last.
const ALL: u32 = CHECKS * 10 - 2;

/// The runs of a rule that predicts, as bytes.
fn replayed(t: &TempDir, rule: &str, threads: u32) -> Vec<u8> {
    let command = format!(
        "replay --table T --stopper {rule} --report predicted --goal rank:1 --repeats 20 \
         --threads {threads} --out runs.parquet --no-analysis"
    );
    done(t.path(), &command);
    fs::read(t.path().join("runs.parquet")).unwrap()
}

#[test]
fn runs_are_the_same_whether_or_not_they_were_kept() {
    let t = with_table();
    for rule in ["curve-fast", "curve:steps=60,burn_in=20", "patient:rule=curve-fast"] {
        let before = replayed(&t, rule, 1);
        let outcome = make(&t, rule);
        assert_eq!(outcome.files.len(), 1);
        assert!(outcome.files[0].exists());
        assert!(replayed(&t, rule, 2) == before, "{rule}");
    }
}

#[test]
fn a_block_takes_what_was_kept_of_its_rows_and_an_objective_nothing() {
    let t = with_table();
    let rule = "curve-fast";
    let of = |options: &str| replayed(&t, &format!("{rule} {options}"), 1);
    let options = ["--rows 4..10", "--where x>0.5&&x<0.9", "--objective accuracy/2"];
    let before = options.map(of);
    assert_eq!(make(&t, rule).done, ALL);
    assert!(options.map(of) == before);
}

#[test]
fn what_is_there_is_not_made_again() {
    let t = with_table();
    let first = make(&t, "curve-fast");
    assert_eq!((first.all, first.before, first.done), (ALL, 0, ALL));
    let bytes = fs::read(&first.files[0]).unwrap();
    // Another threshold asks for the same; a tighter beat for more; other steps for others.
    let again = make(&t, "curve-fast:threshold=0.5,mode=optimistic");
    assert_eq!((again.all, again.before, again.files == first.files), (ALL, ALL, true));
    assert!(fs::read(&first.files[0]).unwrap() == bytes);
    let denser = make(&t, "curve-fast:interval=1");
    assert!(denser.all > ALL && denser.before == ALL && denser.files == first.files);
    let other = make(&t, "curve:steps=40,burn_in=20");
    assert!(other.before == 0 && other.files != first.files);
    let json = done(t.path(), "table extrapolate T --stopper curve-fast --format json");
    assert!(json.contains(&format!("\"extrapolations\": {ALL}")), "{json}");
    let text = done(t.path(), "table extrapolate T --stopper curve-fast");
    assert!(text.starts_with(&format!("T: {ALL} extrapolations of curve-fast:")), "{text}");
}

/// Asks for an end after some extrapolations.
struct Impatient<'a> {
    left: AtomicUsize,
    stop: &'a AtomicBool,
}

impl Events for Impatient<'_> {
    fn run_done(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stopped_call_is_gone_on_with() {
    let t = with_table();
    let whole = {
        let other = with_table();
        fs::read(&make(&other, "curve-fast").files[0]).unwrap()
    };
    let stop = AtomicBool::new(false);
    let impatient = Impatient { left: AtomicUsize::new(5), stop: &stop };
    let outcome = extrapolate(&settings(&t, "curve-fast"), &impatient, &stop).unwrap();
    assert!(outcome.done >= 5 && outcome.done < ALL, "{outcome:?}");
    let said = outcome.whole().unwrap_err();
    assert!(matches!(said, Error::Interrupted { .. }), "{said}");
    let rest = make(&t, "curve-fast");
    assert_eq!((rest.before, rest.done), (outcome.done, ALL));
    let found = fs::read(&rest.files[0]).unwrap();
    assert!(found.len() >= whole.len(), "the same records, in more blocks");
    assert!(replayed(&t, "curve-fast", 1) == replayed(&t, "curve-fast", 2));
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn damage_is_refused_and_another_tables_file_is_never_found() {
    let t = with_table();
    let file: PathBuf = make(&t, "curve-fast").files.remove(0);
    damage(&file);
    for command in [
        "replay --table T --stopper curve-fast --goal rank:1 --repeats 1",
        "table extrapolate T --stopper curve-fast",
    ] {
        let ran = run(t.path(), command);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains("does not match its hash"), "{}", ran.stderr);
        assert!(ran.stderr.contains("remove it, and make it again"), "{}", ran.stderr);
    }
    // Other rules do not look at it.
    done(t.path(), "replay --table T --stopper curve:steps=4,burn_in=2 --goal rank:1 --repeats 1");
    done(t.path(), "table check T");
    // The same table in other bytes is another table.
    let json = fs::read_to_string(t.path().join("T/table.json")).unwrap();
    fs::write(t.path().join("T/table.json"), json.replace("\"chance\": 0.1", "\"chance\": 0.2"))
        .unwrap();
    let outcome = make(&t, "curve-fast");
    assert!(outcome.before == 0 && outcome.files[0] != file);
}

#[test]
fn what_cannot_be_extrapolated_is_refused() {
    let t = with_table();
    for (command, said) in [
        ("table extrapolate T --stopper etr1", "extrapolates no curves"),
        ("table extrapolate T --stopper cruve", "no such method"),
        ("table extrapolate T --threads 0", "--threads"),
        ("table extrapolate T --curve-repeat x", "must be the number of a recorded repeat"),
        ("table extrapolate T --curve-repeat 4", "every configuration must have that repeat"),
        ("table extrapolate nowhere", "nowhere"),
    ] {
        let ran = run(t.path(), command);
        assert_eq!(ran.code, Some(1), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{command}: {}", ran.stderr);
    }
}
