//! `train --device`, on whatever machine this is.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{Ran, program};

const TRAIN: &str = "train --space digits-lenet --configs 2 --epochs 1 --train-size 20 \
                     --val-size 20 --test-size 0";

/// Where the loader of Vulkan looks for drivers; nothing is there.
#[cfg(target_os = "linux")]
const NOWHERE: [(&str, &str); 2] =
    [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];

fn train(directory: &Path, arguments: &str, required: &str, hidden: &[(&str, &str)]) -> Ran {
    let mut command: Command = program(directory);
    command.args(TRAIN.split_whitespace()).args(arguments.split_whitespace());
    command.env("CURVEBOOK_REQUIRE_GPU", required).envs(hidden.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn provenance(table: &Path) -> Json {
    let text = std::fs::read_to_string(table.join("table.json")).unwrap();
    serde_json::from_str::<Json>(&text).unwrap()["provenance"].take()
}

/// The types of this machine's adapters, the best first.
fn kinds() -> Vec<String> {
    let output = program(Path::new("."))
        .args(["devices", "--no-self-test", "--format", "json"])
        .env("CURVEBOOK_REQUIRE_GPU", "0")
        .output()
        .unwrap();
    let found: Json = serde_json::from_slice(&output.stdout).unwrap();
    let adapters = found["adapters"].as_array().unwrap();
    adapters.iter().map(|adapter| adapter["type"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_cpu_trains_where_it_is_asked_for_whatever_is_required() {
    let t = TempDir::new().unwrap();
    let ran = train(t.path(), "--device cpu --threads 1 --out T", "1", &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "training on the CPU, 1 thread\n"));
    let provenance = provenance(&t.path().join("T"));
    assert_eq!(provenance["backend"], "cpu");
    assert_eq!(provenance["trained_at_once"], 1);
    assert!(provenance["driver"].is_null() && provenance["shader_hash"].is_null());
    assert!(provenance.get("tiles").is_none());
    assert!(!provenance["adapter"].as_str().unwrap().contains("vulkan"));
    let ran = train(t.path(), "--device cpu --threads 2 --plan", "1", &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "planning for the CPU, 2 threads\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn without_adapters_auto_trains_on_the_cpu_and_says_so() {
    let t = TempDir::new().unwrap();
    let ran = train(t.path(), "--threads 2 --out T", "0", &NOWHERE);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "training on the CPU, 2 threads\n"));
    assert_eq!(provenance(&t.path().join("T"))["backend"], "cpu");
    // What a GPU has begun does not go on unseen on a CPU.
    let path = t.path().join("T/table.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#""backend": "cpu""#, r#""backend": "gpu""#)).unwrap();
    let ran = train(t.path(), "--threads 2 --out T --resume", "0", &NOWHERE);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains(r#"provenance.backend = "cpu""#), "{}", ran.stderr);
}

/// Exit code 1, the parts of the message, and no directory.
#[cfg(target_os = "linux")]
#[track_caller]
fn refused(arguments: &str, required: &str, hidden: &[(&str, &str)], parts: &[&str]) {
    let t = TempDir::new().unwrap();
    for end in ["--out T", "--out T --resume", "--plan"] {
        let ran = train(t.path(), &format!("{arguments} {end}"), required, hidden);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("error: "), "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "`{part}` is missing: {}", ran.stderr);
        }
        assert_eq!(std::fs::read_dir(t.path()).unwrap().count(), 0, "nothing stays behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_gpu_that_is_missing_is_refused_with_what_to_do() {
    for required in ["0", "1"] {
        let parts = ["--device = gpu", "none is", "mesa-vulkan-drivers", "--device cpu"];
        refused("--device gpu", required, &NOWHERE, &parts);
    }
    let parts = ["CURVEBOOK_REQUIRE_GPU = 1", "must find a GPU", "--device gpu"];
    refused("", "1", &NOWHERE, &parts);
    refused("--device auto", "1", &NOWHERE, &parts);
}

#[cfg(target_os = "linux")]
#[test]
fn auto_takes_no_software_adapter_even_where_one_is_required() {
    match kinds().first().map(String::as_str) {
        Some("software") => {}
        Some(kind) => return println!("skipped: this machine has a {kind}"),
        None => println!("this machine has no adapter at all, which is refused likewise"),
    }
    let parts = ["CURVEBOOK_REQUIRE_GPU = 1", "ask for a software adapter: --device gpu"];
    refused("--device auto", "1", &[], &parts);
    let t = TempDir::new().unwrap();
    let ran = train(t.path(), "--threads 1 --out T", "0", &[]);
    // Drivers write to stderr, too: libwayland does where no desktop runs.
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("training on the CPU, 1 thread\n"), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_software_adapter_is_told_from_a_gpu() {
    if kinds().first().map(String::as_str) != Some("software") {
        return println!("skipped: this machine's only adapter is not a software one");
    }
    let t = TempDir::new().unwrap();
    let ran = train(t.path(), "--device gpu --out T", "1", &[]);
    let (warning, line) = ("warning: no GPU is here", "\ntraining on ");
    let (_, rest) = ran.stderr.split_once(warning).expect(&ran.stderr);
    let (_, rest) = rest.split_once(line).expect(&ran.stderr);
    let (told, _) = rest.split_once('\n').expect(&ran.stderr);
    assert!(told.contains(" (vulkan, software, "), "{told}");
    let table = t.path().join("T");
    // A table, or nothing at all.
    assert_eq!(table.exists(), ran.code == Some(0), "{}", ran.stderr);
    if table.exists() {
        let provenance = provenance(&table);
        assert_eq!(
            (&provenance["backend"], &provenance["trained_at_once"]),
            (&"gpu".into(), &1.into())
        );
        let adapter = provenance["adapter"].as_str().unwrap();
        assert!(
            adapter.ends_with(" (vulkan, software)")
                && told.starts_with(&adapter[..adapter.len() - 1])
        );
        assert_eq!(provenance["shader_hash"].as_str().unwrap().len(), 64);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_are_the_cpus() {
    let parts = ["--threads: threads = 3", "without counting threads", "--device cpu"];
    refused("--device gpu --threads 3", "0", &NOWHERE, &parts);
}
