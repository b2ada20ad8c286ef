//! What is written is read back; a kill changes nothing.

use std::fs;

use curvebook::base::error::Error;
use curvebook::base::space::Value;
use curvebook::base::units::{ConfigId, SimTime};
use curvebook::store::table::{LoadOptions, Status, Table, TableWriter};

use crate::table_common::{
    EPOCHS, check, header, info, load, made, table_files, trained, write_table,
};

/// Equal to the last bit, or both NaN.
fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
}

#[test]
fn everything_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 40, 7);
    let table = load(dir.path()).unwrap();
    assert_eq!((table.rows(), table.epochs()), (40, EPOCHS));
    assert_eq!(table.manifest.space, crate::table_common::space());
    let mut statuses_seen = Vec::new();
    for id in 0..40 {
        let (wanted, config) = (trained(id), ConfigId(id));
        assert_eq!(table.configs[config.index()], wanted.config.values, "config {id}");
        assert_eq!(table.status[config.index()], wanted.config.status, "config {id}");
        assert_eq!(table.setup_ns(config), 250_000_000);
        statuses_seen.push(wanted.config.status);
        for repeat in 0..2 {
            let rows = wanted.epochs.iter().filter(|e| e.repeat == repeat);
            let rows: Vec<_> = rows.collect();
            let Some(curve) = table.curve(config, repeat) else {
                assert!(rows.is_empty(), "config {id}, repeat {repeat}");
                continue;
            };
            let values: Vec<f64> = rows.iter().map(|e| e.val_accuracy).collect();
            assert!(same(curve.values, &values), "config {id}, repeat {repeat}");
            let cost: Vec<u64> =
                rows.iter().map(|e| SimTime::from_seconds(e.seconds).unwrap().0).collect();
            assert_eq!(curve.cost_ns, cost);
            let test: Vec<f64> = rows.iter().map(|e| e.test_accuracy.unwrap_or(f64::NAN)).collect();
            assert!(same(table.test_values(config, repeat).unwrap(), &test));
        }
    }
    for status in Status::ALL {
        assert!(statuses_seen.contains(&status), "the fixture shows {status:?}");
    }
    assert!(table.configs.iter().any(|c| c.contains(&Value::Inactive)));
    assert_eq!(table.curve(ConfigId(40), 0), None);
    assert_eq!(table.curve(ConfigId(0), 2), None);
    assert_eq!(table.repeats(ConfigId(0)).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_written_table_passes_its_check() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 40, 7);
    let report = check(dir.path()).unwrap();
    assert_eq!(report.findings, []);
    let checked = report.checked.unwrap();
    assert!(checked.sealed);
    assert_eq!(checked.configs, 40);
}

#[test]
fn another_cost_column_may_be_charged() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 3, 3);
    let cost_column = Some("eval_seconds".to_string());
    let options = LoadOptions { cost_column, ..LoadOptions::default() };
    let table = Table::load(dir.path(), &options).unwrap();
    assert_eq!(table.curve(ConfigId(1), 0).unwrap().cost_ns, [62_500_000; 4]);
}

#[test]
fn info_sums_the_table_up() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 12, 12);
    let info = info(dir.path()).unwrap();
    assert_eq!((info.configs, info.epochs, info.repeats), (12, 4, 2));
    let all: Vec<_> = (0..12).map(trained).collect();
    let values = all.iter().flat_map(|t| t.epochs.iter().filter(|e| e.repeat == 0));
    let best = values.map(|e| e.val_accuracy).filter(|v| !v.is_nan()).fold(0.0, f64::max);
    assert_eq!(info.best_value, Some(best));
    let seconds: f64 =
        all.iter().map(|t| 0.25 + t.epochs.iter().map(|e| e.seconds).sum::<f64>()).sum();
    assert!((info.total_seconds - seconds).abs() < 1e-6, "{} {seconds}", info.total_seconds);
    assert_eq!(info.statuses.values().sum::<usize>(), 12);
    assert_eq!(info.statuses["failed"], 1);
    assert_eq!(info.curve_columns[3].name, "val_accuracy");
    assert!(info.provenance.is_some());
}

#[test]
fn a_killed_training_resumes_into_the_same_bytes() {
    let (undisturbed, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // More than one stride of the writer, so that ranges of ids meet parts across a border.
    let configs = 600;
    write_table(undisturbed.path(), configs, 50);
    let dir = killed.path();
    let mut writer = TableWriter::create(dir, header(configs)).unwrap();
    writer.append((300..400).map(trained).collect()).unwrap();
    writer.append(vec![trained(2), trained(599)]).unwrap();
    drop(writer);
    assert!(load(dir).is_err(), "without table.json there is no table");
    // What the kill of a part half-written leaves.
    fs::create_dir(dir.join("parts/part-00002.partial")).unwrap();
    fs::write(dir.join("parts/part-00002.partial/curves.parquet"), "PAR1 half").unwrap();
    fs::write(dir.join("curves.parquet.partial"), "half").unwrap();
    let mut later = header(configs);
    made(&mut later, |p| p["created"] = "2027-01-01T00:00:00Z".into());
    let mut writer = TableWriter::resume(dir, later).unwrap();
    assert_eq!(writer.done_count(), 102);
    assert!(writer.is_done(ConfigId(599)) && !writer.is_done(ConfigId(598)));
    let rest: Vec<u32> = (0..configs).filter(|&id| !writer.is_done(ConfigId(id))).collect();
    for cohort in rest.chunks(64) {
        writer.append(cohort.iter().copied().map(trained).collect()).unwrap();
    }
    writer.finish().unwrap();
    for (a, b) in table_files(undisturbed.path()).iter().zip(table_files(dir)) {
        assert!(fs::read(a).unwrap() == fs::read(&b).unwrap(), "{} differs", b.display());
    }
    let mut left: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["configs.parquet", "curves.parquet", "table.json"]);
}

#[test]
fn a_finished_table_resumes_into_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 5, 5);
    let before = fs::read(dir.path().join("table.json")).unwrap();
    fs::create_dir_all(dir.path().join("parts/part-00000")).unwrap();
    let writer = TableWriter::resume(dir.path(), header(5)).unwrap();
    assert_eq!(writer.done_count(), 5);
    writer.finish().unwrap();
    assert_eq!(fs::read(dir.path().join("table.json")).unwrap(), before);
    assert!(!dir.path().join("parts").exists(), "what a kill left behind is taken away");
}

#[test]
fn other_settings_do_not_resume() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TableWriter::create(dir.path(), header(5)).unwrap();
    writer.append(vec![trained(1)]).unwrap();
    drop(writer);
    let mut other = header(5);
    made(&mut other, |p| p["seed"] = 8.into());
    let message = TableWriter::resume(dir.path(), other).unwrap_err().to_string();
    assert!(message.contains("provenance.seed = 8: training began with 7"), "{message}");
    let mut other = header(6);
    other.epochs = 3;
    made(&mut other, |p| p["seed"] = 8.into());
    let message = TableWriter::resume(dir.path(), other).unwrap_err().to_string();
    let all =
        "epochs = 3: training began with 4; also configs = 6 (was 5), provenance.seed = 8 (was 7)";
    assert!(message.contains(all), "{message}");
}

#[test]
fn a_disk_that_fails_loses_nothing_that_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    write_table(&whole, 20, 5);
    let out = dir.path().join("out");
    let mut writer = TableWriter::create(&out, header(20)).unwrap();
    writer.append((0..8).map(trained).collect()).unwrap();
    // Where the next part is to be written stands a file that cannot be one.
    let blocked = out.join("parts/part-00001.partial");
    fs::write(&blocked, b"").unwrap();
    let error = writer.append((8..20).map(trained).collect()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == blocked), "{error}");
    assert_eq!((writer.done_count(), writer.is_done(ConfigId(8))), (8, false));
    fs::remove_file(&blocked).unwrap();
    // The same process may go on, and so may another.
    writer.append((8..12).map(trained).collect()).unwrap();
    drop(writer);
    let mut writer = TableWriter::resume(&out, header(20)).unwrap();
    assert_eq!(writer.done_count(), 12);
    writer.append((12..20).map(trained).collect()).unwrap();
    // And at the very end.
    let blocked = out.join("curves.parquet.partial");
    fs::create_dir(&blocked).unwrap();
    assert!(matches!(writer.finish().unwrap_err(), Error::Io { .. }));
    assert!(!out.join("table.json").exists() && !out.join("configs.parquet.partial").exists());
    fs::remove_dir(&blocked).unwrap();
    let writer = TableWriter::resume(&out, header(20)).unwrap();
    assert_eq!(writer.done_count(), 20);
    writer.finish().unwrap();
    for (a, b) in table_files(&out).iter().zip(table_files(&whole)) {
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap(), "{}", a.display());
    }
}

#[test]
fn what_is_there_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let create = || TableWriter::create(dir.path(), header(2)).unwrap_err().to_string();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    assert!(create().contains("holds notes.txt: must be new or empty"), "{}", create());
    fs::remove_file(dir.path().join("notes.txt")).unwrap();
    let mut writer = TableWriter::create(dir.path(), header(2)).unwrap();
    writer.append(vec![trained(0)]).unwrap();
    let message = TableWriter::resume(dir.path(), header(2)).unwrap_err().to_string();
    assert!(message.contains("held by another process"), "{message}");
    assert!(create().contains("go on with `--resume`"), "{}", create());
    writer.append(vec![trained(1)]).unwrap();
    writer.finish().unwrap();
    assert!(create().contains("a finished table is never overwritten"), "{}", create());
}

#[test]
fn an_output_that_cannot_be_written_is_found_before_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = TableWriter::create(&file.join("out"), header(2)).unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error}");
    assert!(error.to_string().contains("must be a directory that can be written"), "{error}");
}

#[test]
fn a_table_that_never_began_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    drop(TableWriter::create(&out, header(2)).unwrap());
    assert!(!out.exists());
}

#[test]
fn an_unfinished_table_is_not_finished_by_force() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TableWriter::create(dir.path(), header(3)).unwrap();
    writer.append(vec![trained(0)]).unwrap();
    let message = writer.finish().unwrap_err().to_string();
    assert!(message.contains("configurations = 1: a table is finished when all 3"), "{message}");
    assert!(load(dir.path()).is_err());
}

#[test]
fn a_shard_is_checked_but_does_not_load() {
    let dir = tempfile::tempdir().unwrap();
    let mut shard = header(4);
    shard.first_config = Some(8);
    let mut writer = TableWriter::create(dir.path(), shard).unwrap();
    writer.append((8..12).map(trained).collect()).unwrap();
    writer.finish().unwrap();
    let fault = crate::table_common::load_fault(dir.path());
    assert_eq!((fault.field.as_str(), fault.value.as_str()), ("first_config", "8"));
    assert!(fault.remedy.contains("table merge"), "{fault}");
    assert_eq!(check(dir.path()).unwrap().findings, []);
    let options = LoadOptions { allow_shard: true, ..LoadOptions::default() };
    let table = Table::load(dir.path(), &options).unwrap();
    assert_eq!(table.curve(ConfigId(9), 0).unwrap().values[0], trained(9).epochs[0].val_accuracy);
    assert_eq!(table.curve(ConfigId(7), 0), None);
}
