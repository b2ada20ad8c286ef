//! Bad tables are refused with file, field, value, rule and remedy; nothing panics.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use curvebook::base::error::{Error, Fault};

use crate::table_common::{
    Columns, check, info, load, load_fault, table_files, write_columns, write_foreign, write_table,
};

const JSON: &str = r#"{
 "format": "curvebook-table", "version": 1, "name": "plain",
 "metric": {"name": "val_accuracy", "goal": "maximize", "chance": 0.1},
 "epochs": 3, "repeats": 2, "configs": 2,
 "space": {"name": "s", "parameters": [
  {"name": "filters", "type": "int", "low": 1, "high": 64},
  {"name": "optimizer", "type": "categorical", "choices": ["adam", "sgd"]},
  {"name": "momentum", "type": "float", "low": 0, "high": 0.99,
   "condition": {"name": "optimizer", "in": ["sgd"]}}]}}"#;

/// A sound table of two configurations, to be spoilt in one place.
#[derive(Clone)]
struct Plain {
    json: String,
    config_ids: Vec<Option<i64>>,
    filters: Vec<Option<i64>>,
    optimizer: Vec<Option<&'static str>>,
    momentum: Vec<Option<f64>>,
    status: Option<Vec<&'static str>>,
    /// `config_id`, repeat, epoch.
    keys: Vec<(i64, i64, i64)>,
    accuracy: Vec<Option<f64>>,
    seconds: Vec<Option<f64>>,
}

impl Plain {
    fn new() -> Self {
        Self {
            json: JSON.into(),
            config_ids: vec![Some(0), Some(1)],
            filters: vec![Some(1), Some(64)],
            optimizer: vec![Some("adam"), Some("sgd")],
            momentum: vec![None, Some(0.5)],
            status: None,
            keys: vec![(0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 0, 1), (1, 0, 2), (1, 0, 3)],
            accuracy: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(Some).to_vec(),
            seconds: vec![Some(1.0); 6],
        }
    }

    fn configs(&self) -> Columns {
        let mut columns: Columns = vec![
            ("config_id", Arc::new(Int64Array::from(self.config_ids.clone()))),
            ("filters", Arc::new(Int64Array::from(self.filters.clone()))),
            ("optimizer", Arc::new(StringArray::from(self.optimizer.clone()))),
            ("momentum", Arc::new(Float64Array::from(self.momentum.clone()))),
        ];
        if let Some(status) = &self.status {
            columns.push(("status", Arc::new(StringArray::from(status.clone()))));
        }
        columns
    }

    fn curves(&self) -> Columns {
        let key = |get: fn(&(i64, i64, i64)) -> i64| -> ArrayRef {
            Arc::new(self.keys.iter().map(|k| Some(get(k))).collect::<Int64Array>())
        };
        vec![
            ("config_id", key(|k| k.0)),
            ("repeat", key(|k| k.1)),
            ("epoch", key(|k| k.2)),
            ("val_accuracy", Arc::new(Float64Array::from(self.accuracy.clone()))),
            ("seconds", Arc::new(Float64Array::from(self.seconds.clone()))),
        ]
    }

    fn write(&self, dir: &Path) {
        write_foreign(dir, &self.json, self.configs(), self.curves());
    }

    fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.json.contains(from), "{from}");
        self.json = self.json.replace(from, to);
        self
    }
}

/// Loads the table spoilt by `spoil`; the check must find the very same fault, too.
#[track_caller]
fn spoilt(spoil: impl FnOnce(&mut Plain)) -> Fault {
    let mut plain = Plain::new();
    spoil(&mut plain);
    let dir = tempfile::tempdir().unwrap();
    plain.write(dir.path());
    let fault = load_fault(dir.path());
    let report = check(dir.path()).unwrap();
    assert!(report.findings.contains(&fault), "the check must find {fault}: {report:?}");
    fault
}

#[track_caller]
fn assert_fault(fault: &Fault, file: &str, field: &str, value: &str, rule: &str) {
    assert!(fault.file.ends_with(file), "file of {fault}");
    assert_eq!(fault.field, field, "field of {fault}");
    assert!(fault.value.starts_with(value), "value of {fault}");
    assert!(fault.rule.contains(rule), "rule of {fault}");
    assert!(!fault.remedy.is_empty());
}

#[test]
fn the_plain_table_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    Plain::new().write(dir.path());
    load(dir.path()).unwrap();
    assert_eq!(check(dir.path()).unwrap().findings, []);
}

#[test]
fn what_table_json_may_not_say() {
    let cases = [
        ("curvebook-table", "other", "format", "other", "must be `curvebook-table`"),
        ("\"version\": 1", "\"version\": 2", "version", "2", "reads version 1"),
        ("\"maximize\"", "\"maximise\"", "metric.goal", "maximise", "maximize or minimize"),
        ("\"epochs\": 3", "\"epochs\": 0", "epochs", "0", "must be 1 to 65535"),
        ("\"configs\": 2", "\"configs\": -2", "configs", "-2", "must be 1 to 4294967295"),
        ("\"repeats\": 2,", "", "repeats", "missing", "must stand here"),
        ("\"low\": 1,", "\"low\": 99,", "space.parameters[0].low", "99", "must not be above"),
        ("\"type\": \"int\"", "\"type\": \"it\"", "space.parameters[0].type", "it", "no such type"),
        (
            "\"in\": [\"sgd\"]",
            "\"in\": [\"sdg\"]",
            "space.parameters[2].condition.in[0]",
            "",
            "one of",
        ),
        ("\"val_accuracy\"", "\"epoch\"", "metric.name", "\"epoch\"", "was measured"),
    ];
    for (from, to, field, value, rule) in cases {
        let fault = spoilt(|p| *p = p.clone().replace(from, to));
        assert_fault(&fault, "table.json", field, value, rule);
    }
}

#[test]
fn json_that_is_none() {
    let fault = spoilt(|p| p.json.truncate(100));
    assert_fault(&fault, "table.json", &fault.field, "EOF", "must be JSON");
    assert!(fault.field.starts_with("line "), "{fault}");
    let fault = spoilt(|p| p.json = "[]".into());
    assert_fault(&fault, "table.json", "file", "no object", "must be a JSON object");
    let fault = spoilt(|p| p.json = "[".repeat(1 << 20));
    assert_fault(&fault, "table.json", &fault.field, "recursion", "must be JSON");
}

#[test]
fn promised_rows_cost_no_memory() {
    let fault = spoilt(|p| *p = p.clone().replace("\"configs\": 2", "\"configs\": 4294967295"));
    assert_fault(&fault, "configs.parquet", "rows", "2", "says configs = 4294967295");
    let more = (0..13).map(|e| (0, 0, e + 1)).collect::<Vec<_>>();
    let fault = spoilt(|p| {
        (p.accuracy, p.seconds) = (vec![Some(0.5); 13], vec![Some(1.0); 13]);
        p.keys = more;
    });
    assert_fault(&fault, "curves.parquet", "rows", "13", "at most 12");
}

#[test]
fn shards_do_not_load() {
    let fault = spoilt_load_only(
        &Plain::new().replace("\"configs\": 2", "\"configs\": 2, \"first_config\": 0"),
    );
    assert_fault(&fault, "table.json", "first_config", "0", "only a merged table replays");
}

#[track_caller]
fn spoilt_load_only(plain: &Plain) -> Fault {
    let dir = tempfile::tempdir().unwrap();
    plain.write(dir.path());
    load_fault(dir.path())
}

#[test]
fn rows_of_curves_that_break_a_rule() {
    type Spoil = fn(&mut Plain);
    let cases: [(Spoil, &str, &str, &str); 13] = [
        (|p| p.keys[2].2 = 4, "column epoch, row 2", "4", "must be 1 to 3"),
        (|p| p.keys[0].2 = 0, "column epoch, row 0", "0", "must be 1 to 3"),
        (|p| p.keys[1].2 = 3, "column epoch, row 1", "3 after 1", "without a gap"),
        (|p| p.keys[1].2 = 1, "column epoch, row 1", "1 after 1", "stands in one row"),
        (|p| p.keys[2].2 = 1, "column epoch, row 2", "1 after 2", "sorted"),
        (|p| p.keys[3].2 = 2, "column epoch, row 3", "2 (", "begins with epoch 1"),
        (|p| p.keys[5].0 = 2, "column config_id, row 5", "2", "must be 0 to 1"),
        (|p| p.keys[5].0 = -1, "column config_id, row 5", "-1", "must be 0 to 1"),
        (|p| p.keys[5].1 = 2, "column repeat, row 5", "2", "must be 0 to 1"),
        (
            |p| p.keys.rotate_left(3),
            "columns config_id, repeat, epoch, row 3",
            "config_id 0",
            "sorted",
        ),
        (
            |p| p.keys[..3].iter_mut().for_each(|k| k.0 = 1),
            "column epoch, row 3",
            "1 after 3",
            "sorted",
        ),
        (|p| p.seconds[4] = Some(-1.0), "column seconds, row 4", "-1 (config_id 1", "from 0"),
        (|p| p.seconds[4] = None, "column seconds, row 4", "null (config_id 1", "from 0"),
    ];
    for (spoil, field, value, rule) in cases {
        assert_fault(&spoilt(spoil), "curves.parquet", field, value, rule);
    }
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let fault = spoilt(|p| p.seconds[0] = Some(bad));
        let field = "column seconds, row 0";
        let shown = if bad == 1e300 { "1e300".to_string() } else { bad.to_string() };
        assert_fault(&fault, "curves.parquet", field, &shown, "from 0");
    }
    let fault = spoilt(|p| p.seconds = vec![Some(2e9); 6]);
    assert_fault(&fault, "curves.parquet", "column seconds, row 2", "", "146 years");
}

#[test]
fn curves_that_are_missing_or_too_short() {
    let cut = |p: &mut Plain, rows: usize| {
        p.keys.truncate(rows);
        p.accuracy.truncate(rows);
        p.seconds.truncate(rows);
    };
    let fault = spoilt(|p| cut(p, 3));
    assert_fault(&fault, "curves.parquet", "config_id 1", "no rows", "has a curve");
    let fault = spoilt(|p| {
        cut(p, 5);
        p.status = Some(vec!["ok", "ok"]);
    });
    assert_fault(&fault, "curves.parquet", "config_id 1", "2 epochs", "all 3 epochs");
    let dir = tempfile::tempdir().unwrap();
    let mut failed = Plain::new();
    cut(&mut failed, 3);
    failed.status = Some(vec!["ok", "failed"]);
    failed.write(dir.path());
    load(dir.path()).unwrap();
}

#[test]
fn rows_out_of_order_are_no_missing_rows() {
    let findings = |order: &[usize]| {
        let dir = tempfile::tempdir().unwrap();
        let mut plain = Plain::new();
        plain.keys = order.iter().map(|at| plain.keys[*at]).collect();
        plain.write(dir.path());
        let report = check(dir.path()).unwrap();
        report.findings.into_iter().map(|fault| (fault.value, fault.remedy)).collect::<Vec<_>>()
    };
    let all: Vec<usize> = (0..Plain::new().keys.len()).collect();
    assert_eq!(findings(&all), []);
    for order in [all.iter().rev().copied().collect::<Vec<_>>(), vec![3, 4, 5, 0, 1, 2]] {
        let found = findings(&order);
        assert!(!found.is_empty());
        for (value, remedy) in found {
            assert!(remedy.starts_with("sort the rows"), "{order:?}: {value}: {remedy}");
        }
    }
}

#[test]
fn rows_of_configs_that_break_a_rule() {
    type Spoil = fn(&mut Plain);
    let cases: [(Spoil, &str, &str, &str); 9] = [
        (|p| p.config_ids[1] = Some(2), "column config_id, row 1", "2", "run from 0 to 1"),
        (|p| p.config_ids[1] = Some(0), "column config_id, row 1", "0", "stands in one row"),
        (|p| p.config_ids[1] = None, "column config_id, row 1", "null", "run from 0 to 1"),
        (|p| p.filters[1] = Some(65), "column filters, row 1 (config_id 1)", "65", "1 to 64"),
        (|p| p.filters[0] = None, "column filters, row 0 (config_id 0)", "null", "has a value"),
        (
            |p| p.optimizer[0] = Some("adma"),
            "column optimizer, row 0 (config_id 0)",
            "adma",
            "one of adam, sgd",
        ),
        (|p| p.momentum[1] = Some(1.5), "column momentum, row 1 (config_id 1)", "1.5", "0 to 0.99"),
        (
            |p| p.momentum[0] = Some(0.5),
            "column momentum, row 0 (config_id 0)",
            "0.5",
            "inactive hyperparameter is null",
        ),
        (
            |p| p.status = Some(vec!["ok", "trunkated"]),
            "column status, row 1 (config_id 1)",
            "trunkated",
            "no such status",
        ),
    ];
    for (spoil, field, value, rule) in cases {
        assert_fault(&spoilt(spoil), "configs.parquet", field, value, rule);
    }
}

#[test]
fn columns_that_are_missing_or_of_a_wrong_type() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Plain::new();
    let words = |n: usize| -> ArrayRef { Arc::new(StringArray::from(vec!["x"; n])) };
    let path = |name| dir.path().join(name);
    for (name, columns) in
        [("configs.parquet", plain.configs()), ("curves.parquet", plain.curves())]
    {
        for at in 0..columns.len() {
            let (column, rows) = (columns[at].0, columns[at].1.len());
            plain.write(dir.path());
            let mut renamed = columns.clone();
            renamed[at].0 = Box::leak(format!("{column}x").into_boxed_str());
            write_columns(&path(name), renamed);
            let fault = load_fault(dir.path());
            let field = format!("column {column}");
            assert_fault(&fault, name, &field, "missing", "needs this column");
            assert_eq!(fault.remedy, format!("did you mean `{column}x`?"));
            if column == "optimizer" {
                continue;
            }
            let mut typed = columns.clone();
            typed[at].1 = words(rows);
            write_columns(&path(name), typed);
            assert_fault(&load_fault(dir.path()), name, &field, "Utf8", "must be a column of");
        }
    }
}

#[test]
fn files_that_are_missing_or_foreign() {
    for (at, name) in ["table.json", "configs.parquet", "curves.parquet"].iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        Plain::new().write(dir.path());
        let path = &table_files(dir.path())[at];
        std::fs::write(path, "\u{1}PNG, not a table at all").unwrap();
        assert!(load_fault(dir.path()).file.ends_with(name));
        std::fs::write(path, "").unwrap();
        assert!(load_fault(dir.path()).file.ends_with(name));
        std::fs::remove_file(path).unwrap();
        assert_fault(&load_fault(dir.path()), name, "file", "No such file", "can be read");
        std::fs::create_dir(path).unwrap();
        assert!(load_fault(dir.path()).file.ends_with(name));
    }
}

#[test]
fn a_check_collects_what_loading_stops_at() {
    let mut plain = Plain::new();
    plain.filters = vec![Some(0), Some(99)];
    plain.seconds[1] = None;
    plain.keys[5].2 = 9;
    let dir = tempfile::tempdir().unwrap();
    plain.write(dir.path());
    let findings = check(dir.path()).unwrap().findings;
    let fields: Vec<&str> = findings.iter().map(|f| f.field.as_str()).collect();
    let wanted = [
        "column filters, row 0 (config_id 0)",
        "column filters, row 1 (config_id 1)",
        "column seconds, row 1",
        "column epoch, row 5",
    ];
    assert_eq!(fields, wanted);
}

#[test]
fn a_check_finds_what_a_replay_would_bear() {
    let find = |spoil: fn(&mut Plain)| {
        let mut plain = Plain::new();
        spoil(&mut plain);
        let dir = tempfile::tempdir().unwrap();
        plain.write(dir.path());
        load(dir.path()).unwrap();
        check(dir.path()).unwrap().findings
    };
    let found = find(|p| {
        p.status = Some(vec!["ok", "diverged"]);
        p.accuracy[1] = Some(f64::NAN);
    });
    let fields: Vec<&str> = found.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["column status (config_id 0)", "column status (config_id 1)"]);
}

/// What a replay takes, a check takes, and the other way about.
#[test]
fn chance_is_on_the_scale_of_the_values() {
    let fault = spoilt(|p| *p = p.clone().replace("0.1}", "10}"));
    assert_fault(&fault, "table.json", "metric.chance", "10", "between 0 and 1");
    let mut percent = Plain::new().replace("0.1}", "10}");
    percent.accuracy.iter_mut().flatten().for_each(|accuracy| *accuracy *= 100.0);
    let dir = tempfile::tempdir().unwrap();
    percent.write(dir.path());
    load(dir.path()).unwrap();
    assert_eq!(check(dir.path()).unwrap().findings, []);
}

/// Damages every file of a table at many places. Ours carry hashes, so that every damage of a
/// Parquet file is found; another program's may load, but nothing may panic or take memory.
fn damage(sealed: bool, write: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    for (at, path) in table_files(dir.path()).iter().enumerate() {
        let whole = std::fs::read(path).unwrap();
        let step = (whole.len() / 400).max(1);
        let flips = (0..whole.len()).step_by(step).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            bytes
        });
        let cuts = (0..whole.len()).step_by(step * 4).map(|length| whole[..length].to_vec());
        for bytes in flips.chain(cuts) {
            std::fs::write(path, &bytes).unwrap();
            match load(dir.path()) {
                Ok(_) => assert!(at == 0 || !sealed, "damage of {} unseen", path.display()),
                Err(Error::Input(_)) => {}
                Err(other) => panic!("{}: {other}", path.display()),
            }
            check(dir.path()).unwrap();
            assert!(matches!(info(dir.path()), Ok(_) | Err(Error::Input(_))));
        }
        std::fs::write(path, &whole).unwrap();
    }
    load(dir.path()).unwrap();
}

#[test]
fn every_damage_of_a_table_of_ours_is_found() {
    damage(true, |dir| write_table(dir, 20, 20));
}

#[test]
fn damaged_foreign_tables_never_panic() {
    damage(false, |dir| Plain::new().write(dir));
    for name in ["pandas-loss-f32", "polars-error", "duckdb-accuracy"] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name);
        damage(false, |dir| {
            for (from, to) in table_files(&golden).iter().zip(table_files(dir)) {
                std::fs::copy(from, to).unwrap();
            }
        });
    }
}
