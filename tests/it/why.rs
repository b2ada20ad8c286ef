//! `curvebook why` as a user runs it, on a table small enough to work every bar out by hand.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused, run};
use crate::table_common::write_foreign;

/// The third row learns late, and is the best in the end.
const CURVES: [[f64; 4]; 4] =
    [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.05, 0.1, 0.9, 0.95], [0.6, 0.65, 0.7, 0.75]];

/// A table of these curves, a second an epoch; of one minus them, where that is to be minimised.
fn write_table(dir: &Path, is_error: bool) {
    fs::create_dir(dir).unwrap();
    let (name, goal, chance) =
        if is_error { ("error", "minimize", 0.9) } else { ("accuracy", "maximize", 0.1) };
    let space = r#"{"name": "line", "parameters":
        [{"name": "x", "type": "float", "low": 0.0, "high": 1.0}]}"#;
    let json = format!(
        r#"{{"format": "curvebook-table", "version": 1, "name": "tiny", "epochs": 4, "repeats": 1,
        "configs": 4, "space": {space},
        "metric": {{"name": "{name}", "goal": "{goal}", "chance": {chance}}}}}"#
    );
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3]));
    let x: ArrayRef = Arc::new(Float64Array::from(vec![0.125, 0.375, 0.625, 0.875]));
    let cells = || (0..4_i64).flat_map(|row| (1..=4_i64).map(move |epoch| (row, epoch)));
    let whole = |of: fn((i64, i64)) -> i64| -> ArrayRef {
        Arc::new(cells().map(of).collect::<Int64Array>())
    };
    let value = |(row, epoch): (i64, i64)| {
        let y = CURVES[row as usize][epoch as usize - 1];
        // Without the digits that come of binary fractions.
        if is_error { ((1.0 - y) * 1e4).round() / 1e4 } else { y }
    };
    let values: ArrayRef =
        Arc::new(cells().map(|cell| Some(value(cell))).collect::<Float64Array>());
    let seconds: ArrayRef = Arc::new(cells().map(|_| Some(1.0)).collect::<Float64Array>());
    let curves = vec![
        ("config_id", whole(|(row, _)| row)),
        ("repeat", whole(|_| 0)),
        ("epoch", whole(|(_, epoch)| epoch)),
        (name, values),
        ("seconds", seconds),
    ];
    write_foreign(dir, &json, vec![("config_id", ids), ("x", x)], curves);
}

/// A directory with the tables `T` and `E`, and an order that visits rows by id.
fn with_tables() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), false);
    write_table(&t.path().join("E"), true);
    fs::write(t.path().join("order.csv"), "repeat,config_id\n0,0\n0,1\n0,2\n0,3\n").unwrap();
    t
}

const FILES: &str = "--sampler recorded:file=order.csv --repeats 1 --out runs.parquet \
                     --trace trace.parquet --no-analysis";

fn replay(t: &TempDir, table: &str, arguments: &str) {
    done(t.path(), &format!("replay --table {table} {arguments} {FILES}"));
}

#[test]
fn a_late_bloomer_that_a_median_rule_killed() {
    let t = with_tables();
    replay(&t, "T", "--stopper median:least=2 --goal 0.9");
    let found = done(t.path(), "why --table T --trace trace.parquet --run 0");
    assert_eq!(found, "", "{found}");
    let found = done(t.path(), "why --table T --trace trace.parquet --run 0 --trial 3");
    assert_eq!(found, "", "{found}");
}

#[test]
fn a_metric_that_is_minimised_reads_in_its_own_direction() {
    let t = with_tables();
    replay(&t, "E", "--stopper etr1:tau=2,epsilon=0.1 --scheduler asha:eta=2 --goal 0.1");
    let found = done(t.path(), "why --table E --trace trace.parquet --run 0 --full");
    assert_eq!(found, "", "{found}");
    let found = done(t.path(), "why --table E --trace trace.parquet --run 0 --trial 2");
    assert_eq!(found, "", "{found}");
}

#[test]
fn what_cannot_be_told_is_refused() {
    let t = with_tables();
    replay(&t, "T", "--stopper median:least=2 --goal 0.9");
    let why = "why --table T --trace trace.parquet";
    let parts = ["--run", "run", "7", "runs.parquet has runs 0 to 0", "choose"];
    refused(t.path(), &format!("{why} --run 7"), parts);
    let parts = ["--trial", "trial", "4", "has trials 0 to 3", "choose"];
    refused(t.path(), &format!("{why} --run 0 --trial 4"), parts);
    let parts = ["E", "table_hash", "", "replayed on table `tiny`", "give that table"];
    refused(t.path(), "why --table E --trace trace.parquet --run 0", parts);
    let parts = ["none.parquet", "file", "missing", "must exist", "replay --trace"];
    refused(t.path(), "why --table T --trace none.parquet --run 0", parts);
    let parts = ["none.parquet", "file", "missing", "must exist", "replay --out"];
    refused(t.path(), &format!("{why} --runs none.parquet --run 0"), parts);
    // The trace of other methods beside these runs.
    fs::copy(t.path().join("runs.parquet"), t.path().join("first.parquet")).unwrap();
    replay(&t, "T", "--stopper etr1 --goal 0.9");
    let parts = ["trace.parquet", "run 0, segment", "another one", "otherwise", "give the runs"];
    refused(t.path(), &format!("{why} --runs first.parquet --run 0"), parts);
    done(t.path(), &format!("{why} --runs runs.parquet --run 0"));
    // A real clock is asked for the overhead.
    replay(&t, "T", "--overhead measured --goal 0.9");
    let parts = ["runs.parquet", "settings of run 0", "overhead=measured", "real clock", "none"];
    refused(t.path(), &format!("{why} --run 0"), parts);
    fs::remove_file(t.path().join("runs.parquet")).unwrap();
    let parts = ["runs.parquet", "file", "missing", "by which methods", "--runs FILE"];
    refused(t.path(), &format!("{why} --run 0"), parts);
}

/// Settings that are no columns, budgets and limits, several goals and workers: each run of each is
/// replayed as it was.
#[test]
fn runs_under_any_settings_are_replayed_as_they_were() {
    let t = TempDir::new().unwrap();
    crate::table_common::write_table(&t.path().join("T"), 40, 16);
    let settings = [
        "--budget-seconds 3.3",
        "--max-trials 7 --workers 3",
        "--max-trials 6 --workers 4 --goal rank:1 --scheduler asha:eta=2",
        "--on-nan stop --cost eval_seconds --curve-repeat draw",
        "--trial-overhead 0.25 --restart --charge-setup --scheduler hyperband:eta=2",
        "--resume-cost 0.5 --overhead fixed:0.125 --scheduler asha:eta=2 --workers 2",
        "--warm-start-trials 5 --warm-start-stopper etr1 --scheduler asha:eta=2",
        "--warm-start-trials 5 --warm-start-epochs 1 --scheduler asha:eta=2 --value final",
        "--end stagnation:trials=6 --report worst --sampler rf-ei",
        "--stopper patient:rule=(etr1:tau=3),patience=1 --seed 18446744073709551615",
    ];
    let mut decided = 0;
    for settings in settings {
        let replay = format!(
            "replay --table T --goal 0.93 --repeats 3 {settings} --stopper etr1:tau=2 \
             --out runs.parquet --trace trace.parquet --no-analysis"
        );
        done(t.path(), &replay);
        let before = fs::read(t.path().join("trace.parquet")).unwrap();
        for number in [0, 2] {
            let why = format!("why --table T --trace trace.parquet --run {number} --format json");
            let told: Json = serde_json::from_str(&done(t.path(), &why)).unwrap();
            assert_eq!((&told["run"], &told["repeat"]), (&number.into(), &number.into()));
            decided += told["decisions"].as_array().unwrap().len();
        }
        assert!(fs::read(t.path().join("trace.parquet")).unwrap() == before, "{settings}");
    }
    assert!(decided > 100, "{decided}");
}

#[test]
fn a_run_of_a_study_is_found_beside_its_trace() {
    let t = with_tables();
    let study = "name = \"s\"\ntables = [\"E\", \"T\"]\nsamplers = [\"random\"]\n\
                 stoppers = [\"none\", \"etr1:tau=2\"]\ngoals = [\"0.95\", \"0.5\"]\nrepeats = 2\n";
    fs::write(t.path().join("s.toml"), study).unwrap();
    done(t.path(), "study s.toml --out results");
    let why = "why --table T --trace results/trace.parquet --run 7";
    let found = done(t.path(), why);
    assert!(found.starts_with("Run 7 on tiny (random + etr1, repeat 1): etr1 stopped "), "{found}");
    let wrong = run(t.path(), "why --table T --trace results/trace.parquet --run 2");
    assert!(wrong.code == Some(1) && wrong.stderr.contains("table_hash"), "{}", wrong.stderr);
}
