//! `train --device gpu` through the program: tables, shards, kills, interrupts, plans.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, program, run};
use crate::command_line_chain::columns;
use crate::trainer_common::gpu;

const SHARE: &str = "fused_share_seconds";

/// A training of small networks. With folds, 64 configurations are taken through all of them, and
/// kept, before the next are.
fn tiny() -> String {
    let space = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spaces/mlp.toml");
    format!(
        "train --device gpu --space {} --epochs 1 --train-size 20 --val-size 20 --test-size 10 \
         --folds 2",
        space.display()
    )
}

fn table_json(table: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(table.join("table.json")).unwrap()).unwrap()
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<f64> {
    let wide = cast(batch.column_by_name(name).expect(name), &DataType::Float64).unwrap();
    wide.as_primitive::<Float64Type>().values().to_vec()
}

/// Everything but what was measured in seconds is the same in both tables.
#[track_caller]
fn assert_same(a: &Path, b: &Path) {
    let measured = ["seconds", "eval_seconds", "setup_seconds", SHARE];
    for name in ["curves.parquet", "configs.parquet"] {
        let of = |table: &Path| columns(&table.join(name), |c| !measured.contains(&c));
        assert!(of(a).num_columns() > 5);
        assert_eq!(of(a), of(b), "{name}");
    }
    let json = |table: &Path| {
        let mut json = table_json(table);
        json["provenance"]["created"] = Json::Null;
        // Chosen by timing where no choice is kept; they change no bit.
        json["provenance"]["tiles"] = Json::Null;
        json["files"] = Json::Null;
        json
    };
    assert_eq!(json(a), json(b));
}

#[test]
fn a_presets_first_epochs_are_the_cpus_and_the_table_says_what_trained_it() {
    if gpu().is_none() {
        return;
    }
    let t = TempDir::new().unwrap();
    let train = "train --space digits-lenet --configs 8 --epochs 2";
    done(t.path(), &format!("{train} --device gpu --out gpu"));
    done(t.path(), &format!("{train} --device cpu --out cpu"));
    let of = |name: &str, file: &str| columns(&t.path().join(name).join(file), |_| true);
    for name in ["gpu", "cpu"] {
        let checked = done(t.path(), &format!("table check {name}"));
        assert!(checked.contains("sound; 8 configurations, 16 epochs"), "{checked}");
    }
    let [gpu, cpu] = ["gpu", "cpu"].map(|name| of(name, "curves.parquet"));
    for name in ["config_id", "repeat", "epoch"] {
        assert_eq!(numbers(&gpu, name), numbers(&cpu, name));
    }
    let is_first: Vec<bool> = numbers(&gpu, "epoch").iter().map(|epoch| *epoch == 1.0).collect();
    // The tolerances of `train_gpu`: 1e-3 of the losses, two images.
    for (name, relative, absolute) in [
        ("train_loss", 1e-3, 0.0),
        ("val_loss", 1e-3, 0.0),
        ("test_loss", 1e-3, 0.0),
        ("train_accuracy", 0.0, 2.0 / 1_000.0),
        ("val_accuracy", 0.0, 2.0 / 397.0),
        ("test_accuracy", 0.0, 2.0 / 400.0),
    ] {
        let pairs = numbers(&gpu, name).into_iter().zip(numbers(&cpu, name));
        for ((found, expected), _) in pairs.zip(&is_first).filter(|(_, first)| **first) {
            let apart = (found - expected).abs();
            // Shares stand in the table as f64, losses as f32.
            let most = absolute + relative * expected + 1e-9;
            assert!(apart <= most, "{name}: {found} and {expected}");
        }
    }
    let [gpu, cpu] = ["gpu", "cpu"].map(|name| of(name, "configs.parquet"));
    assert!(cpu.column_by_name(SHARE).is_none());
    assert_eq!(gpu.column_by_name(SHARE).unwrap().null_count(), 0);
    assert!(numbers(&gpu, SHARE).iter().all(|seconds| *seconds > 0.0));
    assert!(numbers(&gpu, "setup_seconds").iter().all(|seconds| *seconds > 0.0));
    let provenance = table_json(&t.path().join("gpu"))["provenance"].take();
    assert_eq!(provenance["backend"], "gpu");
    assert_eq!(provenance["precision"], "f32");
    assert!(provenance["driver"].is_string() && provenance["tiles"].is_string(), "{provenance}");
    assert_eq!(provenance["shader_hash"].as_str().unwrap().len(), 64);
    let adapter = provenance["adapter"].as_str().unwrap();
    let devices = done(t.path(), "devices --no-self-test --format json");
    let devices: Json = serde_json::from_str(&devices).unwrap();
    let kind = devices["adapters"][0]["type"].as_str().unwrap();
    assert!(adapter.ends_with(&format!(", {kind})")), "{adapter}, {kind}");
}

#[test]
fn shards_trained_apart_are_the_table_trained_at_once() {
    if gpu().is_none() {
        return;
    }
    let t = TempDir::new().unwrap();
    let train = "train --device gpu --space digits-lenet --configs 9 --epochs 2 --train-size 70 \
                 --val-size 20 --test-size 10";
    done(t.path(), &format!("{train} --out whole"));
    for index in [1, 0] {
        done(t.path(), &format!("{train} --shard {index}/2 --out s{index}"));
    }
    done(t.path(), "table merge s1 s0 --out merged");
    assert!(done(t.path(), "table check merged").contains("sound; 9 configurations, 18 epochs"));
    assert_same(&t.path().join("whole"), &t.path().join("merged"));
}

#[test]
fn a_killed_training_goes_on_to_the_same_table() {
    if gpu().is_none() {
        return;
    }
    let t = TempDir::new().unwrap();
    let path = |name: &str| t.path().join(name);
    let train = format!("{} --configs 100", tiny());
    done(t.path(), &format!("{train} --out whole"));
    let mut child = start(&t, &format!("{train} --out killed"));
    let part = path("killed/parts/part-00000");
    wait_for(&part, &mut child);
    child.kill().unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(part.exists() && !path("killed/table.json").exists(), "{said}");
    // What a GPU has begun does not go on unseen on a CPU.
    let on_cpu = train.replace("--device gpu", "--device cpu");
    let cpu = run(t.path(), &format!("{on_cpu} --out killed --resume"));
    assert!(cpu.code == Some(1) && cpu.stderr.contains("backend"), "{}", cpu.stderr);
    let resumed = run(t.path(), &format!("{train} --out killed --resume"));
    assert!(resumed.stderr.contains("64 configurations are there already"), "{}", resumed.stderr);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stdout.contains("36 configurations trained"), "{}", resumed.stdout);
    assert!(done(t.path(), "table check killed").contains("sound; 100 configurations, 200 epochs"));
    assert_same(&path("whole"), &path("killed"));
}

fn start(t: &TempDir, arguments: &str) -> Child {
    let mut command = program(t.path());
    command.args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until something is there, unless the program ends.
fn wait_for(path: &Path, child: &mut Child) {
    let begun = Instant::now();
    while !path.exists() && begun.elapsed() < Duration::from_mins(2) {
        assert!(child.try_wait().unwrap().is_none(), "it ended without {}", path.display());
        sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_is_finished() {
    if gpu().is_none() {
        return;
    }
    let t = TempDir::new().unwrap();
    let arguments = format!("{} --configs 2000 --out T", tiny());
    let mut child = start(&t, &arguments);
    wait_for(&t.path().join("T/parts/part-00000"), &mut child);
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("stopping: what is finished is being kept"), "{said}");
    let kept = said.split(" of 2000 configurations are kept").next().unwrap();
    let kept: u64 = kept.rsplit(' ').next().unwrap().parse().expect(&said);
    assert!(kept >= 64 && kept.is_multiple_of(64), "{said}");
    assert!(!t.path().join("T/table.json").exists(), "{said}");
    let before = fs::read_dir(t.path().join("T/parts")).unwrap().count();
    let plan = done(t.path(), &format!("{arguments} --resume --plan --format json"));
    let plan: Json = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["configs"].as_u64(), Some(2000 - kept));
    assert_eq!(fs::read_dir(t.path().join("T/parts")).unwrap().count(), before);
}

#[test]
fn a_plan_costs_seconds_and_writes_nothing() {
    if gpu().is_none() {
        return;
    }
    let t = TempDir::new().unwrap();
    let arguments = "train --device gpu --space digits-lenet --configs 40 --epochs 7 --repeats 2 \
                     --folds 3 --train-size 60 --val-size 30 --test-size 30 --plan";
    let ran = run(t.path(), &format!("{arguments} --format json"));
    assert!(ran.code == Some(0) && ran.stderr.contains("planning for "), "{}", ran.stderr);
    let plan: Json = serde_json::from_str(&ran.stdout).unwrap();
    let number = |name: &str| plan[name].as_f64().unwrap_or_else(|| panic!("{name}: {plan}"));
    assert_eq!([number("configs"), number("epochs")], [40.0, 1680.0]);
    // Two repeats of each on the first fold; on a software adapter few share the device.
    assert!((2.0..=80.0).contains(&number("at_once")), "{plan}");
    for name in ["flops", "alone_seconds", "wall_seconds", "flops_per_second", "disk_bytes"] {
        assert!(number(name) > 0.0, "{name}: {plan}");
    }
    assert!(number("disk_bytes_peak") > number("disk_bytes"));
    // At least the 64 images of a batch, 8 x 8 values of four bytes, of each.
    assert!(number("memory_bytes") > number("at_once") * 64.0 * 256.0, "{plan}");
    let training = number("flops") / number("flops_per_second");
    assert!(number("wall_seconds") > training, "validation takes time, too: {plan}");
    let samples = plan["samples"].as_array().unwrap();
    assert!((2..=12).contains(&samples.len()), "{plan}");
    let flops: Vec<f64> = samples.iter().map(|s| s["flops_per_epoch"].as_f64().unwrap()).collect();
    assert!(flops.is_sorted(), "{flops:?}");
    let ids: BTreeSet<u64> = samples.iter().map(|s| s["config_id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), samples.len());
    let text = done(t.path(), arguments);
    let parts =
        ["40 configurations, 1680 epochs", " at once at ", "if each were alone", "of the device"];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(fs::read_dir(t.path()).unwrap().count(), 0);
}
