//! Tables in the forms of other programs, and back. That Syne Tune and Optuna read them and replay
//! them is asked by `tests/golden/export/check_export.py`.

use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use curvebook::base::measured::is_measured;
use curvebook::base::units::ConfigId;
use curvebook::store::table::Table;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused, run};
use crate::imports::{golden, import, load, seconds};
use crate::imports_tools::is_as_others_read;

/// Curves with what an epoch cost: bits, as NaN is not equal to itself.
fn curves(table: &Table) -> Vec<(u32, u16, Vec<u64>, Vec<u64>)> {
    let mut found = Vec::new();
    for id in (0..u32::try_from(table.rows()).unwrap()).map(ConfigId) {
        for repeat in table.repeats(id) {
            let values = table.curve(id, repeat).unwrap().values;
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
            let clean: Vec<f64> = values
                .iter()
                .map(|value| if is_measured(*value) && value.is_nan() { f64::NAN } else { *value })
                .collect();
            let seconds = table.column("seconds", id, repeat).unwrap();
            found.push((id.0, repeat, bits(&clean), bits(seconds)));
        }
    }
    found
}

/// Two tables with the same configurations, curves and ends.
#[track_caller]
fn assert_same(a: &Path, b: &Path, with_ranges: bool) {
    let (a, b) = (load(a), load(b));
    assert_eq!(a.status, b.status);
    assert_eq!(curves(&a), curves(&b));
    if with_ranges {
        assert_eq!(a.manifest.space.parameters, b.manifest.space.parameters);
        assert_eq!(a.configs, b.configs);
    }
    for id in (0..u32::try_from(a.rows()).unwrap()).map(ConfigId) {
        assert_eq!(a.last_epoch(id), b.last_epoch(id), "{id:?}");
        assert_eq!(a.setup_ns(id), b.setup_ns(id), "{id:?}");
    }
}

/// A table with conditions, pruned trials and a failed one: of Optuna.
fn optuna_table(dir: &Path) {
    let source = golden("optuna_journal.log");
    import(dir, &format!("optuna {} --goal maximize", source.display()));
}

/// A table with NaN, gaps, conditions: of `HpBandSter`.
fn hpbandster_table(dir: &Path) {
    import(dir, &format!("hpbandster {}", golden("hpbandster.jsonl").display()));
}

/// Exports `T`, imports that as `U`, and compares.
#[track_caller]
fn comes_back(dir: &Path, format: &str, flags: &str, with_ranges: bool) -> String {
    let said = done(dir, &format!("table export T {format} --out out-{format}"));
    let word = if format == "parquet-wide" { "parquet" } else { format };
    done(dir, &format!("table import {word} out-{format} {flags} --out U"));
    assert!(done(dir, "table check U").contains("sound"));
    assert_same(&dir.join("T"), &dir.join("U"), with_ranges);
    fs::remove_dir_all(dir.join("U")).unwrap();
    said
}

#[test]
fn a_table_of_optuna_comes_back_from_every_format() {
    let dir = TempDir::new().unwrap();
    optuna_table(dir.path());
    let dir = dir.path();
    comes_back(dir, "csv", "--metric value --goal maximize", false);
    let wide = "--metric value_{epoch} --metric-name value --seconds seconds_{epoch}";
    comes_back(dir, "parquet-wide", &format!("{wide} --goal maximize"), false);
    comes_back(dir, "optuna", "--goal maximize", true);
    let said = comes_back(dir, "syne-tune", "", true);
    assert!(said.contains("missing or shorter than the table's epochs"), "{said}");
}

#[test]
fn nan_gaps_and_conditions_come_back() {
    let dir = TempDir::new().unwrap();
    hpbandster_table(dir.path());
    comes_back(dir.path(), "csv", "--metric loss --goal minimize", false);
    comes_back(dir.path(), "optuna", "--goal minimize --metric-name loss", true);
    // Three crashed with the settings of another: Syne Tune would not load them.
    let said = done(dir.path(), "table export T syne-tune --out blackbox");
    assert!(said.contains("3 configurations that repeat an earlier one are left out"), "{said}");
    done(dir.path(), "table import syne-tune blackbox --out U");
    let [t, u] = ["T", "U"].map(|table| load(&dir.path().join(table)));
    let kept: Vec<usize> =
        (0..t.rows()).filter(|&id| !t.configs[..id].contains(&t.configs[id])).collect();
    assert_eq!(kept.len(), u.rows());
    for (at, id) in kept.into_iter().enumerate() {
        assert_eq!((t.status[id], &t.configs[id]), (u.status[at], &u.configs[at]));
        let [id, at] = [id, at].map(|id| u32::try_from(id).unwrap());
        assert_eq!(seconds(&t, id), seconds(&u, at));
    }
}

#[test]
fn repeats_and_set_up_time_come_back() {
    let dir = TempDir::new().unwrap();
    let mut text = String::from("config_id,repeat,epoch,lr,setup_seconds,acc,seconds\n");
    for (id, repeat, epochs) in [(0, 0, 3), (0, 1, 2), (1, 0, 3)] {
        for epoch in 1..=epochs {
            let acc = f64::from(epoch + repeat) / 10.0 + f64::from(id);
            let line = format!("{id},{repeat},{epoch},0.{},{}.5,{acc},1.{epoch}\n", id + 1, id + 1);
            text.push_str(&line);
        }
    }
    fs::write(dir.path().join("t.csv"), text).unwrap();
    import(dir.path(), "csv t.csv --metric acc --goal maximize");
    assert_eq!(load(&dir.path().join("T")).setup_ns(ConfigId(1)), 2_500_000_000);
    comes_back(dir.path(), "csv", "--metric acc --goal maximize", true);
    comes_back(dir.path(), "syne-tune", "", true);
    let wide = "--metric acc_{epoch} --metric-name acc --seconds seconds_{epoch}";
    comes_back(dir.path(), "parquet-wide", &format!("{wide} --goal maximize"), true);
    // Optuna has room for one training.
    let said = done(dir.path(), "table export T optuna --out one.log --format json");
    let said: Json = serde_json::from_str(&said).unwrap();
    assert!(said["notes"][0].as_str().unwrap().contains("1 further repeat left out"), "{said}");
    let parts = ["--repeat", "configuration 1", "1", "must have the repeat", "another repeat"];
    refused(dir.path(), "table export T optuna --repeat 1 --out two.log", parts);
    assert!(!dir.path().join("two.log").exists());
}

#[test]
fn a_wide_file_has_a_column_an_epoch() {
    let dir = TempDir::new().unwrap();
    optuna_table(dir.path());
    done(dir.path(), "table export T parquet-wide --out wide.parquet");
    let file = fs::File::open(dir.path().join("wide.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let names: Vec<String> =
        batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    for name in ["config_id", "repeat", "lr", "status", "value_1", "value_6", "seconds_6"] {
        assert!(names.iter().any(|known| known == name), "{name} of {names:?}");
    }
    assert_eq!(batches[0].num_rows(), load(&dir.path().join("T")).rows());
}

#[test]
fn a_blackbox_of_syne_tune_is_what_it_reads_itself() {
    let flags = "--task second --goal minimize";
    let source = "syne_tune";
    let said = is_as_others_read("expected_blackbox.json", "syne-tune", source, flags, true);
    for part in ["hyperparameter units: 8 to 64, log", "16, 32, 64", "it is null: 1", "2 repeats"] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    // The same folder as Syne Tune's conversion of PD1 lays it out: files a task.
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("split")).unwrap();
    for (name, to) in [
        ("metadata.json", "metadata.json"),
        ("configspace.json", "configspace.json"),
        ("hyperparameters.parquet", "second-hyperparameters.parquet"),
        ("fidelities_values.npy", "second-fidelity_values.npy"),
    ] {
        fs::copy(golden("syne_tune").join(name), at("split").join(to)).unwrap();
    }
    let array = fs::read(golden("syne_tune/objectives_evaluations.npy")).unwrap();
    let numbers = array.len() - 128;
    let mut second = array[..128].to_vec();
    let header = String::from_utf8_lossy(&second).replace("(2, 12, ", "(12, ");
    let header = header.trim_end().to_string();
    second.truncate(10);
    second.extend(header.as_bytes().iter().skip(header.find('{').unwrap()));
    second.resize(127, b' ');
    second.push(b'\n');
    second.extend(&array[128 + numbers / 2..]);
    fs::write(at("split/second-objectives_evaluations.npy"), second).unwrap();
    import(dir.path(), &format!("syne-tune split {flags}"));
    fs::rename(at("T"), at("U")).unwrap();
    import(dir.path(), &format!("syne-tune {} {flags}", golden(source).display()));
    assert_same(&at("T"), &at("U"), true);
    assert_eq!(seconds(&load(&at("T")), 0).len(), 5);
}

#[test]
fn what_is_no_blackbox_is_refused() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    let fresh = |name: &str| {
        fs::create_dir(at(name)).unwrap();
        for entry in fs::read_dir(golden("syne_tune")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, at(name).join(path.file_name().unwrap())).unwrap();
        }
    };
    ["half", "path", "other"].into_iter().for_each(fresh);
    let array = fs::read(at("half/objectives_evaluations.npy")).unwrap();
    fs::write(at("half/objectives_evaluations.npy"), &array[..array.len() - 8]).unwrap();
    fs::remove_file(at("path/hyperparameters.parquet")).unwrap();
    let metadata = fs::read_to_string(at("path/metadata.json")).unwrap();
    fs::write(at("path/metadata.json"), metadata.replace("first", "../../first")).unwrap();
    fs::write(at("other/metadata.json"), metadata.replace("[\"metric_error\", ", "[")).unwrap();
    let npy = "objectives_evaluations.npy";
    let refusals: [(&str, [&str; 5]); 7] = [
        ("golden", ["metadata.json", "task_names", "2", "one task", "first, second"]),
        ("golden --task thrid", ["metadata.json", "task", "thrid", "no such task", "--task"]),
        (
            "golden --task second --metric acc",
            ["syne_tune", "column acc", "missing", "no such column", "--metric"],
        ),
        ("half --task second", [npy, "contents", "breaks off", "whole", "restore"]),
        (
            "path --task ../../first",
            ["metadata.json", "task_names", "../../first", "no path", "mend"],
        ),
        (
            "other --task second --metric metric_runtime",
            [npy, "shape", "3]", "an objective (2)", "restore"],
        ),
        ("none", ["import", "metric", "missing", "", "metric"]),
    ];
    for (arguments, parts) in refusals {
        let arguments = arguments.replace("golden", &golden("syne_tune").display().to_string());
        refused(
            dir.path(),
            &format!("table import syne-tune {arguments} --goal minimize --out N"),
            parts,
        );
        assert!(!at("N").exists(), "{arguments}");
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_half_written() {
    let dir = TempDir::new().unwrap();
    optuna_table(dir.path());
    fs::write(dir.path().join("there.csv"), "mine").unwrap();
    fs::create_dir(dir.path().join("full")).unwrap();
    fs::write(dir.path().join("full/mine"), "mine").unwrap();
    let refusals: [(&str, [&str; 5]); 6] = [
        ("T csv --out there.csv", ["--out", "file", "there.csv", "overwritten", "does not exist"]),
        ("T syne-tune --out full", ["--out", "directory", "full", "empty", "another"]),
        ("T csv --out no/where.csv", ["--out", "file", "no/where.csv", "must exist", "directory"]),
        ("T cvs --out x", ["export", "format", "cvs", "no such format", "csv"]),
        ("T csv --repeat 1 --out x", ["export", "--repeat", "1", "every repeat", "leave it out"]),
        ("none csv --out x", ["none", "table.json", "", "", ""]),
    ];
    for (arguments, parts) in refusals {
        refused(dir.path(), &format!("table export {arguments}"), parts);
    }
    assert_eq!(fs::read_to_string(dir.path().join("there.csv")).unwrap(), "mine");
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 3, "T, there.csv and full");
    // A name with what moves a cursor is printed as text.
    let said = run(dir.path(), "table export T csv --out a\u{1b}b.csv");
    assert_eq!(said.code, Some(0));
}
