//! Tables out of what HPO programs recorded, compared with what other readers find in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use curvebook::base::measured::is_measured;
use curvebook::base::space::{Domain, Value};
use curvebook::base::units::ConfigId;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused};
use crate::imports::{golden, import, load, seconds, texts};

/// What another reader found of a configuration: `"nan"` is NaN.
#[derive(serde::Deserialize)]
struct Expected {
    curve: Vec<Json>,
    seconds: Vec<f64>,
    status: String,
    values: BTreeMap<String, Json>,
}

#[track_caller]
fn is_as_others_read_it(format: &str, source: &str, flags: &str, own_ids: bool) -> String {
    is_as_others_read("expected_tools.json", format, source, flags, own_ids)
}

/// Imports a source with some flags; what was printed.
#[track_caller]
pub(crate) fn is_as_others_read(
    file: &str,
    format: &str,
    source: &str,
    flags: &str,
    own_ids: bool,
) -> String {
    let dir = TempDir::new().unwrap();
    let said = import(dir.path(), &format!("{format} {} {flags}", golden(source).display()));
    let text = fs::read_to_string(golden(file)).unwrap();
    let all: BTreeMap<String, BTreeMap<String, Expected>> = serde_json::from_str(&text).unwrap();
    let (expected, path) = (&all[source], dir.path().join("T"));
    let table = load(&path);
    assert_eq!(expected.len(), table.rows(), "{said}");
    let count = u32::try_from(table.rows()).unwrap();
    let ids: Vec<String> = if own_ids {
        (0..count).map(|id| id.to_string()).collect()
    } else {
        texts(&path, "source_id")
    };
    let status = texts(&path, "status");
    for (id, name) in (0_u32..).zip(&ids) {
        let (expected, at) = (&expected[name], format!("{source} {name}"));
        let values = table.first_curve(ConfigId(id)).unwrap().values;
        assert_eq!(values.len(), expected.curve.len(), "{at}");
        for (found, expected) in values.iter().zip(&expected.curve) {
            let same = match expected {
                Json::Null => !is_measured(*found),
                Json::String(_) => is_measured(*found) && found.is_nan(),
                number => Some(*found) == number.as_f64(),
            };
            assert!(same, "{at}: {found} for {expected}");
        }
        for (found, expected) in seconds(&table, id).into_iter().zip(&expected.seconds) {
            // Points in time are decimals of microseconds around 1.7e9.
            assert!((found - expected).abs() < 1e-6, "{at}: {found} for {expected}");
        }
        assert_eq!(status[id as usize], expected.status, "{at}");
        let space = &table.manifest.space;
        for (parameter, value) in space.parameters.iter().zip(&table.configs[id as usize]) {
            let said = expected.values.get(&parameter.name).cloned().unwrap_or(Json::Null);
            let same = match (*value, &parameter.domain) {
                (Value::Int(int), _) => said.as_f64() == Some(int as f64),
                (Value::Float(float), _) => said.as_f64() == Some(float),
                (Value::Choice(at), Domain::Categorical { choices }) => {
                    said.as_str().map_or(said.to_string(), str::to_string) == choices[at]
                }
                _ => said.is_null(),
            };
            assert!(same, "{at}: {} is {value:?}, not {said}", parameter.name);
        }
    }
    let replay = "replay --table T --goal top:0.2 --sampler random --repeats 2 --out r.parquet";
    assert!(done(dir.path(), replay).contains("random"));
    said
}

#[test]
fn a_journal_of_optuna() {
    let said = is_as_others_read_it("optuna", "optuna_journal.log", "--goal maximize", false);
    // Ranges are those of the distributions, and not those of the values.
    for part in [
        "hyperparameter lr: 0.00001 to 0.1, log",
        "hyperparameter layers: 1 to 3",
        "hyperparameter momentum: 0 to 0.99, conditional",
        "shared out evenly over its steps",
        "configurations without a value are left out: 1 (first `5`)",
        "truncated",
    ] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
}

#[test]
fn trials_of_optuna() {
    let said = is_as_others_read_it("optuna", "optuna_trials.jsonl", "--goal maximize", true);
    assert!(said.contains("epochs from 0 are numbered from 1"), "{said}");
}

#[test]
fn a_run_history_of_smac3() {
    let said = is_as_others_read_it("smac3", "smac3_runhistory.json", "", false);
    assert!(said.contains("the source's steps 2.777"), "{said}");
}

#[test]
fn results_of_hpbandster() {
    let said = is_as_others_read_it("hpbandster", "hpbandster.jsonl", "", false);
    assert!(said.contains("evaluations that crashed are NaN: 4"), "{said}");
}

#[test]
fn a_directory_of_hpbandster_is_what_its_joined_lines_are() {
    let dir = TempDir::new().unwrap();
    let (mut configs, mut results) = (String::new(), String::new());
    for line in fs::read_to_string(golden("hpbandster.jsonl")).unwrap().lines() {
        let line = line.replace("NaN", "null");
        let row: Json = serde_json::from_str(&line).unwrap();
        if row.get("config").is_some() {
            writeln!(configs, "[{},{},{{}}]", row["id"], row["config"]).unwrap();
        }
        let result = if row["loss"].is_null() {
            "null".to_string()
        } else {
            format!("{{\"loss\":{},\"info\":{{}}}}", row["loss"])
        };
        let times = format!("{{\"started\":{},\"finished\":{}}}", row["started"], row["finished"]);
        writeln!(results, "[{},{},{times},{result},null]", row["id"], row["budget"]).unwrap();
    }
    fs::create_dir(dir.path().join("run")).unwrap();
    fs::write(dir.path().join("run/configs.json"), configs).unwrap();
    fs::write(dir.path().join("run/results.json"), results).unwrap();
    import(dir.path(), "hpbandster run");
    fs::rename(dir.path().join("T"), dir.path().join("U")).unwrap();
    import(dir.path(), &format!("hpbandster {}", golden("hpbandster.jsonl").display()));
    for file in ["configs.parquet", "curves.parquet"] {
        let bytes = |table: &str| fs::read(dir.path().join(table).join(file)).unwrap();
        assert!(bytes("T") == bytes("U"), "{file}");
    }
}

#[test]
fn a_directory_of_deepcave() {
    let flags = "--metric accuracy --goal maximize";
    let said = is_as_others_read_it("deepcave", "deepcave", flags, true);
    assert!(said.contains("evaluations that crashed are NaN"), "{said}");
}

#[test]
fn what_no_tool_wrote_is_refused() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let history = fs::read_to_string(golden("smac3_runhistory.json")).unwrap();
    write("half.json", &history[..history.len() / 2]);
    write("no.json", "{\"configs\": {}, \"data\": [[1, 2]]}");
    write("lost.json", "{\"configs\": {}, \"data\": [[1,null,0,1.0,0.5,1.0,1,0.0,1.0,{}]]}");
    write("x.jsonl", "{\"a\": 1}\n");
    write("two.log", &"{\"op_code\": 0, \"study_name\": \"a\", \"directions\": [1]}\n".repeat(2));
    write(
        "early.log",
        "{\"op_code\": 7, \"trial_id\": 3, \"step\": 0, \"intermediate_value\": 1}\n",
    );
    let deepcave = golden("deepcave").display().to_string();
    let refusals: [(&str, [&str; 5]); 8] = [
        ("smac3 half.json", ["half.json", "line 1", "EOF", "whole JSON", "restore"]),
        ("smac3 no.json", ["no.json", "evaluation 1, list", "[1,2]", "list of 10", "restore"]),
        ("smac3 lost.json", ["lost.json", "configuration", "1", "is described", "restore"]),
        ("optuna x.jsonl --goal minimize", ["x.jsonl", "line 1", "neither", "", "JournalStorage"]),
        ("optuna x.jsonl", ["import", "goal", "missing", "", "minimize"]),
        ("optuna two.log --goal minimize", ["two.log", "line 2", "another", "one study", ""]),
        ("optuna two.log --goal maximize", ["two.log", "line 1, goal", "", "", "--goal minimize"]),
        ("optuna early.log --goal minimize", ["early.log", "line 1, trial_id", "3", "begun", ""]),
    ];
    for (arguments, parts) in refusals {
        refused(dir.path(), &format!("table import {arguments} --out T"), parts);
    }
    let parts = ["meta.json", "objectives", "acc", "one of", "`accuracy`"];
    let flags = "--metric acc --goal maximize --out T";
    refused(dir.path(), &format!("table import deepcave {deepcave} {flags}"), parts);
    let parts = ["meta.json", "optimize", "upper", "maximized", "--goal maximize"];
    let flags = "--metric accuracy --goal minimize --out T";
    refused(dir.path(), &format!("table import deepcave {deepcave} {flags}"), parts);
}
