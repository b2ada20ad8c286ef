//! `curvebook slurm`: scripts that any shell runs, and how far they are. A cluster runs them in
//! `tests/slurm/check.sh`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::command_line::{done, refused};

const TRAIN: &str = "slurm train --space digits-lenet --configs 6 --epochs 2 --train-size 64 \
                     --val-size 32 --test-size 32 --device cpu --tasks 3 --out array";
const ALONE: &str = "train --space digits-lenet --configs 6 --epochs 2 --train-size 64 \
                     --val-size 32 --test-size 32 --device cpu --out alone";

fn sh(dir: &Path, script: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut shell = Command::new("sh");
    shell.current_dir(dir).arg(script).args(arguments);
    for name in ["SLURM_ARRAY_TASK_ID", "SLURM_CPUS_PER_TASK", "JOB_COMPLETION_INDEX"] {
        shell.env_remove(name);
    }
    shell.envs(variables.iter().copied()).output().unwrap()
}

#[track_caller]
fn ran(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn tasks_by_any_number_make_the_table_of_one_process() {
    let dir = TempDir::new().unwrap();
    let at = dir.path();
    let said = done(at, TRAIN);
    assert!(said.contains("3 tasks") && said.contains("afterok"), "{said}");
    let status = done(at, "slurm status array");
    assert!(status.contains("0 of 3 tasks done") && status.contains("not done: 0-2"), "{status}");
    // As GNU parallel, Kubernetes and Slurm number them; and not at all.
    ran(&sh(at, "array/array.sh", &["0"], &[]));
    ran(&sh(at, "array/array.sh", &[], &[("JOB_COMPLETION_INDEX", "1")]));
    let status = done(at, "slurm status array");
    assert!(status.contains("2 of 3 tasks done") && status.contains("not done: 2"), "{status}");
    assert!(!sh(at, "array/end.sh", &[], &[]).status.success(), "a shard is missing");
    assert!(!at.join("array/table").exists());
    ran(&sh(at, "array/array.sh", &[], &[("SLURM_ARRAY_TASK_ID", "2")]));
    let nobody = sh(at, "array/array.sh", &[], &[]);
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert!(!nobody.status.success() && said.contains("the number of the task is missing"));
    assert!(done(at, "slurm status array").contains("the end has still to run"));
    ran(&sh(at, "array/end.sh", &[], &[]));
    assert!(done(at, "slurm status array").contains("has made one result"));
    // Once more: all of it is there.
    let again = ran(&sh(at, "array/array.sh", &["0"], &[]));
    assert!(again.contains("2 configurations are there already"), "{again}");
    ran(&sh(at, "array/end.sh", &[], &[]));
    done(at, ALONE);
    let values = |table: &str| {
        let plot = format!("table info {table} --format json");
        let info: serde_json::Value = serde_json::from_str(&done(at, &plot)).unwrap();
        (info["best_config"].clone(), info["last_values"].clone(), info["statuses"].clone())
    };
    assert_eq!(values("array/table"), values("alone"));
}

#[test]
fn a_study_is_spread_by_its_seeds() {
    let dir = TempDir::new().unwrap();
    let at = dir.path();
    done(at, ALONE);
    let study = "name = \"spread\"\ntables = [\"alone\"]\nstoppers = [\"none\", \"median\"]\n\
                 goals = [\"rank:1\"]\nrepeats = 5\nseed = 3\n";
    fs::write(at.join("study.toml"), study).unwrap();
    done(at, "slurm study study.toml --tasks 2 --out spread");
    for task in ["0", "1"] {
        ran(&sh(at, "spread/array.sh", &[task], &[]));
    }
    ran(&sh(at, "spread/end.sh", &[], &[]));
    let answer = fs::read_to_string(at.join("spread/answer.txt")).unwrap();
    assert!(answer.contains("5/5"), "{answer}");
    // Three repeats of seed 3, and two of seed 4: the runs that replays of these seeds make.
    let three = "replay --table alone --stopper none --stopper median --goal rank:1 --no-analysis";
    done(at, &format!("{three} --repeats 3 --seed 3 --out a.parquet"));
    done(at, &format!("{three} --repeats 2 --seed 4 --out b.parquet"));
    assert_eq!(answer, done(at, "analyze a.parquet b.parquet"));
    let page = fs::read_to_string(at.join("spread/report.html")).unwrap();
    assert!(page.contains("curvebook report --pooled"));
    let status = done(at, "slurm status spread --format json");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["done"], &status["ended"]), (&2.into(), &true.into()));
}

#[test]
fn what_cannot_be_spread_is_refused_and_nothing_is_overwritten() {
    let dir = TempDir::new().unwrap();
    let at = dir.path();
    let of = |rest: &str| format!("{TRAIN} {rest}");
    let parts = ["slurm", "--sbatch", "partition", "one option of sbatch", "--partition=long"];
    refused(at, &of("--sbatch partition"), parts);
    refused(at, &of("--cpus 0"), ["slurm", "--cpus", "0", "needs a processor", "at least one"]);
    let many = TRAIN.replace("--tasks 3", "--tasks 7");
    refused(at, &many, ["--shard", "shard", "6/7", "at most 6 shards", "write --shard"]);
    let none = TRAIN.replace("--tasks 3", "--tasks 0");
    refused(at, &none, ["slurm", "--tasks", "0", "must lie in", "number of tasks"]);
    let nobody = TRAIN.replace("digits-lenet", "nobody");
    refused(at, &nobody, ["--space", "", "nobody", "", ""]);
    fs::create_dir(at.join("full")).unwrap();
    fs::write(at.join("full/notes"), "mine").unwrap();
    let full = TRAIN.replace("--out array", "--out full");
    refused(at, &full, ["slurm", "--out", "full", "holds something", "new directory"]);
    let parts = ["full/slurm.json", "contents", "", "must be what `curvebook slurm` wrote", ""];
    refused(at, "slurm status full", parts);
    done(at, TRAIN);
    // The same again is written anew, with other options for Slurm; another one is refused.
    done(at, &of("--cpus 2 --threads 2"));
    assert!(fs::read_to_string(at.join("array/array.sh")).unwrap().contains("cpus-per-task=2"));
    let other = TRAIN.replace("--epochs 2", "--epochs 1");
    refused(at, &other, ["slurm", "--out", "array", "does something else", "same settings"]);
    let parts = ["slurm", "--tasks", "60", "50 repeats", "fewer tasks"];
    refused(at, "slurm study quickstart --tasks 60 --out q", parts);
    // Without Slurm, the scripts are there to be submitted by hand.
    if Command::new("sbatch").output().is_err() {
        let ran = crate::command_line::run(at, &of("--submit"));
        assert!(ran.stderr.contains("they are written"), "{}", ran.stderr);
    }
}
