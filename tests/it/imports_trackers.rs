//! Tables out of the runs that others tracked, compared with what other readers find in them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use curvebook::store::table::Status;
use tempfile::TempDir;

use crate::command_line::{done, refused};
use crate::imports::{self, golden, load, seconds, texts};
use crate::imports_tools::is_as_others_read;

/// Imports in place of what was imported before; what was printed.
#[track_caller]
fn import(dir: &Path, arguments: &str) -> String {
    let before = dir.join("T");
    if before.exists() {
        fs::remove_dir_all(before).unwrap();
    }
    imports::import(dir, arguments)
}

const EXPECTED: &str = "expected_trackers.json";

#[test]
fn event_files_of_tensorboard() {
    // Tensors below a run with hyperparameters, and simple values beside such a directory.
    let flags = "--metric validation/epoch_accuracy --goal maximize";
    let said = is_as_others_read(EXPECTED, "tensorboard", "tensorboard", flags, false);
    for part in [
        "directories below a run are parts of it",
        "epochs from 0 are numbered from 1",
        "hyperparameter lr:",
        "hyperparameter units: 16 to 64",
        "curves that end early are truncated: 1 (first torch-b)",
    ] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
}

#[test]
fn an_event_file_of_a_training() {
    let source = "algoperf.tfevents.gz";
    let flags = "--metric validation/ssim --goal maximize";
    let said = is_as_others_read(EXPECTED, "tensorboard", source, flags, false);
    assert!(said.contains("the source's steps"), "{said}");
}

#[test]
fn a_file_store_of_mlflow() {
    let flags = "--metric val/acc --goal maximize";
    let said = is_as_others_read(EXPECTED, "mlflow", "mlruns", flags, false);
    for part in ["runs that were deleted are left out: 1", "steps 0, 100, 200", "optimizer/kind"] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    // The experiment, and one of its runs.
    let dir = TempDir::new().unwrap();
    let experiments = fs::read_dir(golden("mlruns")).unwrap().map(|entry| entry.unwrap().path());
    let experiment = experiments.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name != "0" && !name.starts_with('.')
    });
    let experiment = experiment.last().unwrap();
    import(dir.path(), &format!("mlflow {} {flags}", experiment.display()));
    let id = texts(&dir.path().join("T"), "source_id").remove(0);
    import(dir.path(), &format!("mlflow {} {flags}", experiment.join(id).display()));
    assert_eq!(load(&dir.path().join("T")).rows(), 1);
}

#[test]
fn trials_of_ray_tune() {
    let flags = "--metric acc --goal maximize";
    is_as_others_read(EXPECTED, "ray", "ray", flags, false);
    // Without result.json, from the other file of each trial.
    let dir = TempDir::new().unwrap();
    copy(&golden("ray"), &dir.path().join("ray"), &|name| name != "result.json");
    import(dir.path(), &format!("ray ray {flags}"));
    fs::rename(dir.path().join("T"), dir.path().join("U")).unwrap();
    import(dir.path(), &format!("ray {} {flags}", golden("ray").display()));
    let [t, u] = ["T", "U"].map(|table| load(&dir.path().join(table)));
    assert_eq!(t.configs, u.configs);
    for id in 0..u32::try_from(t.rows()).unwrap() {
        assert_eq!(seconds(&t, id), seconds(&u, id));
    }
}

#[test]
fn logs_of_wandb_and_their_exports_are_one_table() {
    let flags = "--metric val.acc --goal maximize";
    let said = is_as_others_read(EXPECTED, "wandb", "wandb", flags, false);
    assert!(said.contains("hyperparameter optimizer.kind: one of adam, sgd"), "{said}");
    let dir = TempDir::new().unwrap();
    import(dir.path(), &format!("wandb {} {flags}", golden("wandb").display()));
    fs::rename(dir.path().join("T"), dir.path().join("U")).unwrap();
    let exports = golden("wandb_history");
    import(dir.path(), &format!("wandb {} {flags}", exports.display()));
    let [t, u] = ["T", "U"].map(|table| load(&dir.path().join(table)));
    assert_eq!(t.status, u.status);
    assert_eq!(t.configs, u.configs);
    (0..3).for_each(|id| assert_eq!(seconds(&t, id), seconds(&u, id), "{id}"));
    // Several runs in one file, with a column that names them.
    let (mut joined, mut header) = (String::new(), String::new());
    for run in ["run0", "run2"] {
        let text = fs::read_to_string(exports.join(format!("{run}.csv"))).unwrap();
        for (at, line) in text.lines().enumerate() {
            if at == 0 {
                header = format!("run_id,{line}\n");
            } else {
                writeln!(joined, "{run},{line}").unwrap();
            }
        }
    }
    fs::write(dir.path().join("all.csv"), header + &joined).unwrap();
    import(dir.path(), &format!("wandb all.csv {flags}"));
    let t = load(&dir.path().join("T"));
    for (id, of) in [(0, 0), (1, 2)] {
        assert_eq!(seconds(&t, id), seconds(&u, of), "{id}");
    }
}

#[test]
fn lists_and_plots_of_wandb_are_read() {
    let dir = TempDir::new().unwrap();
    let lists = golden("wandb_lists.jsonl");
    let flags = "--metric metric --goal maximize --seconds-each 2.5";
    import(dir.path(), &format!("wandb {} {flags}", lists.display()));
    fs::rename(dir.path().join("T"), dir.path().join("U")).unwrap();
    import(dir.path(), &format!("jsonl {} {flags} --id run", lists.display()));
    let bytes = |table: &str| fs::read(dir.path().join(table).join("curves.parquet")).unwrap();
    assert!(bytes("T") == bytes("U"));
    let plot = "\"Step\",\"a - acc\",\"a - acc__MIN\",\"b - acc\",\"b - acc__MAX\"\n\
                0,0.1,0.1,0.3,0.3\n1,0.2,0.2,,\n2,0.3,0.3,0.5,0.5\n";
    fs::write(dir.path().join("plot.csv"), plot).unwrap();
    let flags = "--metric acc --goal maximize --seconds-each 1";
    import(dir.path(), &format!("wandb plot.csv {flags}"));
    assert_eq!(texts(&dir.path().join("T"), "source_id"), ["a", "b"]);
    assert_eq!(load(&dir.path().join("T")).status, [Status::Ok; 2]);
}

fn copy(from: &Path, to: &Path, is_it: &dyn Fn(&str) -> bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            copy(&path, &to.join(&name), is_it);
        } else if is_it(&name) {
            fs::copy(&path, to.join(&name)).unwrap();
        }
    }
}

#[test]
fn a_run_that_was_gone_on_with_and_one_that_still_writes() {
    let dir = TempDir::new().unwrap();
    let from = golden("tensorboard/torch-a");
    let event = fs::read_dir(&from).unwrap().map(|entry| entry.unwrap().path());
    let event = event.filter(|path| path.is_file()).last().unwrap();
    let bytes = fs::read(&event).unwrap();
    let logs = dir.path().join("logs/a");
    fs::create_dir_all(&logs).unwrap();
    // The same file again: every step is replaced, and the pause between both costs nothing.
    fs::write(logs.join("events.out.tfevents.1.host"), &bytes).unwrap();
    fs::write(logs.join("events.out.tfevents.2.host"), &bytes).unwrap();
    let flags = "--metric validation/epoch_accuracy --goal maximize";
    import(dir.path(), &format!("tensorboard logs {flags}"));
    let table = load(&dir.path().join("T"));
    assert_eq!(seconds(&table, 0).len(), 4);
    // Cut in its last record.
    fs::remove_file(logs.join("events.out.tfevents.2.host")).unwrap();
    let cut = logs.join("events.out.tfevents.1.host");
    fs::write(&cut, &bytes[..bytes.len() - 3]).unwrap();
    let said = import(dir.path(), &format!("tensorboard logs {flags}"));
    assert!(said.contains("last record is not whole"), "{said}");
    // Damage is refused, wherever it is.
    for (at, what) in [(3, "length"), (20, "a record is another")] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&cut, damaged).unwrap();
        let parts = ["events.out.tfevents.1.host", "byte 0", what, "whole and sound", "restore"];
        refused(dir.path(), &format!("table import tensorboard logs {flags} --out N"), parts);
    }
}

#[test]
fn a_log_of_wandb_that_breaks_off_is_read_as_far_as_it_goes() {
    let dir = TempDir::new().unwrap();
    let bytes = fs::read(golden("wandb/run-run1.wandb")).unwrap();
    let flags = "--metric val.acc --goal maximize";
    let write = |bytes: &[u8]| fs::write(dir.path().join("x.wandb"), bytes).unwrap();
    write(&bytes[..bytes.len() * 2 / 3]);
    let said = import(dir.path(), &format!("wandb x.wandb {flags}"));
    assert!(said.contains("did not end"), "{said}");
    let mut damaged = bytes.clone();
    damaged[40] ^= 1;
    write(&damaged);
    let parts = ["x.wandb", "byte 7", "checksum", "a log that W&B wrote", "restore"];
    refused(dir.path(), &format!("table import wandb x.wandb {flags} --out N"), parts);
    write(b"not a log");
    let parts = ["x.wandb", "byte 0", "another header", "a log that W&B wrote", "restore"];
    refused(dir.path(), &format!("table import wandb x.wandb {flags} --out N"), parts);
}

#[test]
fn repeats_are_runs_that_differ_in_a_seed() {
    let dir = TempDir::new().unwrap();
    let mut text = String::new();
    for (run, lr, seed) in [("a", 0.1, 7), ("b", 0.2, 7), ("c", 0.1, 9), ("d", 0.2, 9)] {
        for step in 0..3 {
            writeln!(
                text,
                "{{\"run\":\"{run}\",\"config\":{{\"lr\":{lr},\"seed\":{seed}}},\"_step\":{step},\
                 \"_runtime\":{},\"acc\":{}}}",
                f64::from(step + 1) * 2.0,
                f64::from(step) * lr
            )
            .unwrap();
        }
    }
    fs::write(dir.path().join("runs.jsonl"), text).unwrap();
    let flags = "--metric acc --goal maximize --repeat seed";
    let said = import(dir.path(), &format!("wandb runs.jsonl {flags}"));
    assert!(said.contains("2 configurations x 3 epochs x 2 repeats"), "{said}");
    assert!(said.contains("repeats 7 to 9 are numbered from 0"), "{said}");
    assert_eq!(seconds(&load(&dir.path().join("T")), 0), [2.0; 3]);
}

#[test]
fn what_no_tracker_wrote_is_refused() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    let write = |name: &str, text: &str| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    };
    fs::create_dir(at("empty")).unwrap();
    write("text/events.out.tfevents.1", "hello, this is no event file at all");
    write("ray/t/result.json", "{\"training_iteration\": 1, \"acc\": 0.5}\n{\"acc\": 0.5}\n");
    write("half/t/result.json", "{\"training_iteration\": 1, \"ac");
    write("ml/1/meta.yaml", "experiment_id: '1'\nname: x\n");
    write("ml/1/r/meta.yaml", "run_id: r\nlifecycle_stage: active\nstatus: 3\n");
    write("ml/1/r/metrics/acc", "1000 0.5 0\n1500 half 1\n");
    write("ml2/1/meta.yaml", "a: [1\n");
    write("back.csv", "run,_step,_runtime,acc\na,0,5,0.1\na,1,4,0.2\n");
    write("x.csv", "run,_step,_runtime,acc\na,0,5,0.1\n");
    let seconds = ["back.csv", "seconds of configuration a", "4", "backwards", "--clip-seconds"];
    let refusals: [(&str, [&str; 5]); 11] = [
        ("tensorboard empty", ["empty", "source", "no such file", "tfevents", "log directory"]),
        ("tensorboard text", ["events.out", "byte 0", "checksum", "event file", "restore"]),
        ("tensorboard missing", ["missing", "source", "", "must exist", ""]),
        ("mlflow empty", ["empty", "meta.yaml", "missing", "file store", "mlruns"]),
        ("mlflow ml", ["metrics/acc", "line 2", "1500 half 1", "milliseconds", "restore"]),
        ("mlflow ml2", ["meta.yaml", "contents", "", "YAML", "restore"]),
        ("ray empty", ["empty", "source", "no such file", "result.json", "Ray Tune"]),
        ("ray ray", ["result.json", "line 2, training_iteration", "missing", "", "restore"]),
        ("ray half", ["result.json", "line 1", "EOF", "JSON", "mend"]),
        ("wandb empty", ["empty", "source", "no such file", ".wandb", "directory"]),
        ("wandb back.csv", seconds),
    ];
    for (arguments, parts) in refusals {
        let flags = "--metric acc --goal maximize --out N";
        refused(dir.path(), &format!("table import {arguments} {flags}"), parts);
        assert!(!at("N").exists(), "{arguments}");
    }
    import(dir.path(), "wandb back.csv --metric acc --goal maximize --clip-seconds");
    let flags = "--goal maximize --out N";
    let parts = ["x.csv", "column ac", "missing", "no such column", "`acc`"];
    refused(dir.path(), &format!("table import wandb x.csv --metric ac {flags}"), parts);
    let parts = ["import", "task", "a", "holds one task", "leave it out"];
    refused(dir.path(), &format!("table import wandb x.csv --metric acc --task a {flags}"), parts);
    for flag in ["--epoch ep", "--seconds sec", "--drop dr", "--id di"] {
        let word = flag.split(' ').next_back().unwrap();
        let parts = ["x.csv", &format!("column {word}"), "missing", "no such column", flag];
        let parts = [parts[0], parts[1], parts[2], parts[3], parts[4].split(' ').next().unwrap()];
        refused(
            dir.path(),
            &format!("table import wandb x.csv --metric acc {flag} {flags}"),
            parts,
        );
    }
    assert!(done(dir.path(), "table check T").contains("sound"));
}

#[test]
fn a_file_of_lcbench() {
    let (file, flags) = ("expected_benchmarks.json", "--task second");
    let said = is_as_others_read(file, "lcbench", "lcbench.json", flags, true);
    assert!(said.contains("8 configurations x 6 epochs"), "{said}");
    assert!(said.contains("column optimizer is always sgd"), "{said}");
}

#[test]
fn a_file_of_pd1() {
    let flags = "--task mnist_simple_cnn_relu_batch_size_256";
    let said = is_as_others_read("expected_benchmarks.json", "pd1", "pd1.jsonl", flags, false);
    for part in ["trainings without steps are left out: 1 (first line 10)", "steps 200, 400"] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
}

#[test]
fn what_is_no_benchmark_is_refused() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let text = fs::read_to_string(golden("lcbench.json")).unwrap();
    write("two.json", &text);
    write("half.json", &text[..text.len() / 2]);
    write(
        "odd.json",
        "{\"a\": {\"0\": {\"config\": {}, \"log\": {\"time\": [1], \"x\": [1, 2]}}}}",
    );
    write("list.json", "[1]");
    let trainings = fs::read_to_string(golden("pd1.jsonl")).unwrap();
    write("two.jsonl", &trainings);
    write("none.jsonl", "{\"dataset\": \"mnist\"}\n");
    write("odd.jsonl", &trainings.replacen("\"epoch\": [1.0, ", "\"epoch\": [", 1));
    let relu = "mnist_simple_cnn_relu_batch_size_256";
    let tanh = "mnist_simple_cnn_tanh_batch_size_256";
    let odd = format!("pd1 odd.jsonl --task {tanh}");
    let refusals: [(&str, [&str; 5]); 8] = [
        ("lcbench two.json", ["two.json", "task", "2", "one task", "first, second"]),
        ("lcbench two.json --task x", ["two.json", "task", "x", "no such task", "--task"]),
        ("lcbench half.json --task second", ["half.json", "line 1", "EOF", "in JSON", "restore"]),
        ("lcbench odd.json", ["odd.json", "training 0, log.x", "", "a number an epoch", ""]),
        ("lcbench list.json", ["list.json", "line 1", "invalid type", "data sets", "restore"]),
        ("pd1 two.jsonl", ["two.jsonl", "task", "2", "one task", relu]),
        ("pd1 none.jsonl", ["none.jsonl", "line 1", "missing", "hps.batch_size", "restore"]),
        (&odd, ["odd.jsonl", "line 1, epoch", "4", "of one length", "restore"]),
    ];
    for (arguments, parts) in refusals {
        refused(dir.path(), &format!("table import {arguments} --out N"), parts);
    }
}
