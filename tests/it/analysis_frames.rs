//! Runs as frames: what they hold, and that no number of threads changes an answer.

use std::fs;
use std::process::Command;

use curvebook::answers::analysis::Runs;
use polars::prelude::{DataFrame, SortMultipleOptions};
use tempfile::TempDir;

use crate::analysis::{goals, rows};
use crate::command_line::{done, program};
use crate::table_common::write_table;

/// Runs of two tables, in two files: some reach their goal, some are cut, some can never.
fn with_runs() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    fs::create_dir(t.path().join("other")).unwrap();
    write_table(&t.path().join("other/T"), 60, 16);
    // Runs of two tables with one name are refused.
    let manifest = t.path().join("other/T/table.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"small\"", "\"other\"", 1)).unwrap();
    let methods = "--stopper none --stopper etr1 --stopper etr2 --repeats 700";
    let goals = "--goal rank:1 --goal top:0.1 --goal 2";
    done(t.path(), &format!("replay --table T {methods} {goals} --no-analysis --out a.parquet"));
    let cut = format!("{methods} {goals} --seed 1 --max-trials 9");
    done(t.path(), &format!("replay --table other/T {cut} --no-analysis --out b.parquet"));
    t
}

/// What `analyze` prints with so many threads for polars and for the rest.
fn analyzed(t: &TempDir, format: &str, polars: &str, others: &str) -> String {
    let mut command: Command = program(t.path());
    command.args(["analyze", "a.parquet", "b.parquet", "--full", "--format", format]);
    command.env("POLARS_MAX_THREADS", polars).env("RAYON_NUM_THREADS", others);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn no_number_of_threads_changes_an_answer() {
    let t = with_runs();
    for format in ["text", "json"] {
        let alone = analyzed(&t, format, "1", "1");
        assert!(alone.len() > 2_000, "{alone}");
        for (polars, others) in [("2", "1"), ("1", "2"), ("2", "2"), ("5", "3")] {
            let found = analyzed(&t, format, polars, others);
            assert!(found == alone, "{polars} and {others} threads: {found}\nnot\n{alone}");
        }
    }
}

/// The rows of a group of a frame, as polars counts them.
fn counted(frame: &DataFrame, by: [&str; 3]) -> DataFrame {
    let groups = frame.group_by_stable(by).unwrap();
    groups.groups().unwrap().select(by).unwrap()
}

#[test]
fn the_frame_of_runs_is_grouped_by_real_columns() {
    let mut all = [rows("none", &goals(&[3.0, 1.0, 2.0])), rows("etr1", &goals(&[9.0]))].concat();
    all.extend(rows("none", &goals(&[5.0])).into_iter().map(|mut row| {
        row.goal = "rank:1".into();
        row.selected_value = Some(0.5);
        row
    }));
    let frame = Runs::from_rows(&all).unwrap().frame().unwrap();
    let groups = counted(&frame, ["table", "stopper", "goal"]);
    let text = |name: &str| -> Vec<String> {
        let texts = groups.column(name).unwrap().str().unwrap().iter();
        texts.map(|text| text.unwrap().to_string()).collect()
    };
    assert_eq!(text("stopper"), ["none", "etr1", "none"]);
    assert_eq!(text("goal"), ["top:0.005", "top:0.005", "rank:1"]);
    let times = frame.column("time_to_goal_s").unwrap().f64().unwrap();
    assert_eq!(times.cont_slice().unwrap(), [3.0, 1.0, 2.0, 9.0, 5.0]);
    assert_eq!(frame.column("selected_value").unwrap().null_count(), 4);
    let by_time = frame.sort(["time_to_goal_s"], SortMultipleOptions::default()).unwrap();
    let repeats = by_time.column("repeat").unwrap().u32().unwrap();
    assert_eq!(repeats.cont_slice().unwrap(), [1, 2, 0, 0, 0]);
}
