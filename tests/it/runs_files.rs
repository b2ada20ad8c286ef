//! Files of runs: any order and width of columns, and everything that may be wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, LargeStringArray, NullArray,
    RecordBatch, StringArray, UInt32Array,
};
use curvebook::answers::analysis::{AnalyzeSettings, Runs, analyze};
use curvebook::store::runs::RunRow;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::analysis::{analysed, mixed_rows};

/// The columns of `runs.parquet`, with other widths than ours and in another order.
fn columns(rows: &[RunRow]) -> Vec<(&'static str, ArrayRef)> {
    let text = |of: fn(&RunRow) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|r| Some(of(r))).collect::<StringArray>())
    };
    let count = |of: fn(&RunRow) -> u64| -> ArrayRef {
        let values = rows.iter().map(|r| i64::try_from(of(r)).unwrap());
        Arc::new(Int64Array::from_iter_values(values))
    };
    let number = |of: fn(&RunRow) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let large: LargeStringArray = rows.iter().map(|r| Some(r.stopper.as_str())).collect();
    let reached: BooleanArray = rows.iter().map(|r| Some(r.reached)).collect();
    let trials = UInt32Array::from_iter_values(rows.iter().map(|r| r.trials));
    #[expect(clippy::cast_possible_truncation, reason = "a narrower column on purpose")]
    let share = Float32Array::from_iter_values(rows.iter().map(|r| r.table_share as f32));
    let trials_to_goal: Int64Array = rows.iter().map(|r| r.trials_to_goal.map(i64::from)).collect();
    // As pandas writes integers with gaps.
    let epochs_to_goal: Float64Array = rows
        .iter()
        .map(|r| r.epochs_to_goal.map(|e| f64::from(u32::try_from(e).unwrap())))
        .collect();
    vec![
        ("end_reason", text(|r| &r.end_reason)),
        ("not_ours", count(|r| r.epochs)),
        ("run", count(|r| r.run.into())),
        ("table", text(|r| &r.table)),
        ("sampler", text(|r| &r.sampler)),
        ("scheduler", text(|r| &r.scheduler)),
        ("stopper", Arc::new(large)),
        ("report", text(|r| &r.report)),
        ("value", text(|r| &r.value)),
        ("workers", count(|r| r.workers.into())),
        ("goal", text(|r| &r.goal)),
        ("goal_value", number(|r| Some(r.goal_value))),
        ("goal_rows", count(|r| r.goal_rows.into())),
        ("repeat", count(|r| r.repeat.into())),
        ("seed", count(|r| r.seed)),
        ("reached", Arc::new(reached)),
        ("time_to_goal_s", number(|r| r.time_to_goal_s)),
        ("time_to_goal_epoch_s", number(|r| r.time_to_goal_epoch_s)),
        ("trials_to_goal", Arc::new(trials_to_goal)),
        ("epochs_to_goal", Arc::new(epochs_to_goal)),
        ("end_s", number(|r| Some(r.end_s))),
        ("trials", Arc::new(trials)),
        ("epochs", count(|r| r.epochs)),
        ("stopped_trials", count(|r| r.stopped_trials.into())),
        ("table_share", Arc::new(share)),
        ("snap_distance_median", Arc::new(NullArray::new(rows.len()))),
    ]
}

fn write(path: &Path, columns: Vec<(&'static str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn files_in_any_order_and_width_give_the_same_answers_and_runs_of_two_files_do_not_collide() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = ["a.parquet", "b.parquet"].map(|n| folder.path().join(n)).into();
    let mut both = [mixed_rows("none"), mixed_rows("etr1")];
    for row in both.iter_mut().flatten() {
        row.table_share = 0.03125; // the same in f32
    }
    write(&paths[0], columns(&both[0]));
    write(&paths[1], columns(&both[1]));
    let read = Runs::from_files(&paths).unwrap();
    assert_eq!(read.len(), 8);
    let settings = AnalyzeSettings::default();
    assert_eq!(analyze(&read, &settings).unwrap(), analysed(&both.concat()));

    let twice = Runs::from_files(&[paths[0].clone(), paths[1].clone(), paths[0].clone()]);
    let message = twice.unwrap_err().to_string();
    let twice_rule = "the same run may not count twice; it stands in ";
    assert!(message.contains(twice_rule) && message.contains("a.parquet too"), "{message}");
    assert!(Runs::from_files(&[]).is_err());
}

#[test]
fn later_columns_are_read_where_they_stand_and_may_have_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.parquet");
    let mut rows = mixed_rows("none");
    for row in &mut rows {
        row.table_share = 0.03125; // the same in f32
    }
    (rows[0].overhead_s, rows[0].selected_test) = (1.5, Some(0.75));
    rows[1].settings = "restart".into();
    let settings = [None, Some("restart"), None, None].into_iter().collect::<StringArray>();
    let test = Float32Array::from(vec![Some(0.75), None, None, None]);
    let mut all = columns(&rows);
    all.insert(0, ("settings", Arc::new(settings)));
    all.insert(3, ("overhead_s", Arc::new(Float64Array::from(vec![Some(1.5), None, None, None]))));
    all.insert(5, ("selected_value", Arc::new(NullArray::new(rows.len()))));
    all.push(("selected_test", Arc::new(test)));
    write(&path, all);
    let read = analyze(&Runs::from_files(&[path]).unwrap(), &AnalyzeSettings::default()).unwrap();
    assert_eq!(read, analysed(&rows));
    assert_eq!(read.methods.len(), 2);
    assert_eq!(read.goals[0].answers[0].selected_test.unwrap().median, 0.75);
}

#[test]
fn files_that_are_wrong_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.parquet");
    let refused = |columns: Vec<(&'static str, ArrayRef)>| {
        write(&path, columns);
        Runs::from_files(std::slice::from_ref(&path)).unwrap_err().to_string()
    };
    let without = |name: &str, other: Option<(&'static str, ArrayRef)>| {
        let kept = columns(&mixed_rows("none")).into_iter().filter(|(n, _)| *n != name);
        refused(kept.chain(other).collect())
    };
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 4]));
    let misnamed = without("end_s", Some(("end_sec", floats.clone())));
    assert!(misnamed.contains("runs.parquet: column end_s = missing"), "{misnamed}");
    assert!(misnamed.contains("did you mean `end_sec`?"), "{misnamed}");
    let typed = without("repeat", Some(("repeat", floats)));
    assert!(typed.contains("column repeat = Float64: must hold whole numbers"), "{typed}");
    let negative: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, -2, 3]));
    let negative = without("repeat", Some(("repeat", negative)));
    assert!(negative.contains("column repeat, row 2 = -2"), "{negative}");
    let large: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 1 << 32, 3]));
    let large = without("repeat", Some(("repeat", large)));
    assert!(large.contains("row 2 = 4294967296: must be a whole number below 2^32"), "{large}");
    let charged: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -1.0, 0.0, 0.0]));
    let charged = without("not_ours", Some(("overhead_s", charged)));
    assert!(charged.contains("column overhead_s, row 1 = -1: seconds"), "{charged}");
    let null: ArrayRef = Arc::new(StringArray::from(vec![Some("goal"), None, None, None]));
    let null = without("end_reason", Some(("end_reason", null)));
    assert!(null.contains("column end_reason, row 1 = null"), "{null}");
    let empty = refused(columns(&[]));
    assert!(empty.contains("at least one run is needed"), "{empty}");

    let unread = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Runs::from_files(std::slice::from_ref(&path)).unwrap_err().to_string()
    };
    for bytes in [&b""[..], b"run,goal\n", b"PAR1 but not one PAR1"] {
        assert!(unread(bytes).contains("must be a whole Parquet file"));
    }
    std::fs::remove_file(&path).unwrap();
    let missing = Runs::from_files(std::slice::from_ref(&path)).unwrap_err().to_string();
    assert!(missing.contains("file = missing: must exist"), "{missing}");
    assert!(Runs::from_files(&[folder.path().to_path_buf()]).is_err());
}

#[test]
fn a_file_of_another_version_is_refused_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runs.parquet");
    let written = |version: &str| {
        let columns = columns(&mixed_rows("none"));
        let batch = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(batch).unwrap();
        let pair = KeyValue::new("curvebook-version".to_string(), version.to_string());
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![pair]));
        let file = std::fs::File::create(&path).unwrap();
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        Runs::from_files(std::slice::from_ref(&path))
    };
    written("1").unwrap();
    let error = written("2").unwrap_err().to_string();
    assert!(error.contains("curvebook-version") && error.contains("reads version 1"), "{error}");
}

#[test]
fn damaged_files_are_refused_or_read_but_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.parquet");
    write(&path, columns(&mixed_rows("none")));
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    let mut read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let runs = Runs::from_files(std::slice::from_ref(&path));
        let answer = runs.and_then(|r| analyze(&r, &AnalyzeSettings::default()));
        refused += u32::from(answer.is_err());
    };
    for cut in (0..whole.len()).step_by(97) {
        read(&whole[..cut]);
    }
    for at in (0..whole.len()).step_by(5) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        read(&flipped);
    }
    assert!(refused > 100, "only {refused} were noticed");
}
