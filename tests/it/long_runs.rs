//! Long trainings through the program: killed, interrupted, on a full disk, in shards, planned.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use curvebook::base::rng::Key;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, program, run};
use crate::command_line_chain::columns;

const TINY: &str = "train --device cpu --space digits-lenet --epochs 1 --train-size 20 \
                     --val-size 20 --test-size 10 --threads 2";

/// Everything but what was measured in seconds is the same in both tables.
#[track_caller]
fn assert_same(a: &Path, b: &Path) {
    let measured = ["seconds", "eval_seconds", "setup_seconds"];
    for name in ["curves.parquet", "configs.parquet"] {
        let of = |table: &Path| columns(&table.join(name), |c| !measured.contains(&c));
        assert!(of(a).num_columns() > 5);
        assert_eq!(of(a), of(b), "{name}");
    }
}

fn start(t: &TempDir, arguments: &str) -> Child {
    let mut command = program(t.path());
    command.args(arguments.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn kills_at_twenty_random_moments_lose_nothing() {
    let t = TempDir::new().unwrap();
    done(t.path(), &format!("{TINY} --configs 250 --out whole"));
    let key = Key::new(4, 0, "kills");
    let (mut kills, mut table, mut resumed) = (0, 0, 0);
    while kills < 20 {
        let arguments = format!("{TINY} --configs 250 --resume --out t{table}");
        let mut child = start(&t, &arguments);
        let [word, _] = key.at(kills);
        // Later ones wait longer: on a busy machine nothing is finished in a moment.
        sleep(Duration::from_millis(u64::from(word % 230) + 20 * kills));
        let was_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        resumed += usize::from(said.contains("are there already"));
        assert!(!said.contains("error"), "{said}");
        kills += u64::from(was_running);
        if !was_running {
            assert_same(&t.path().join("whole"), &t.path().join(format!("t{table}")));
            table += 1;
        }
    }
    assert!(resumed >= 2, "whatever was there was gone on with: {resumed}");
    done(t.path(), &format!("{TINY} --configs 250 --resume --out t{table}"));
    assert_same(&t.path().join("whole"), &t.path().join(format!("t{table}")));
    assert!(done(t.path(), &format!("table check t{table}")).contains("sound; 250"));
}

/// What `table check` says of a table that is whole at every moment.
#[track_caller]
fn assert_sound(t: &TempDir, table: &str, configs: &[u32]) {
    let ran = run(t.path(), &format!("table check {table}"));
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let said = ran.stdout;
    assert!(configs.iter().any(|n| said.contains(&format!("sound; {n} "))), "{said}");
}

#[test]
fn a_finished_table_grows_under_kills_and_is_a_table_all_the_time() {
    let t = TempDir::new().unwrap();
    done(t.path(), &format!("{TINY} --configs 250 --repeats 2 --out whole"));
    done(t.path(), &format!("{TINY} --configs 60 --out T"));
    let grow = format!("{TINY} --configs 250 --repeats 2 --resume --out T");
    let plan = done(t.path(), &format!("{grow} --plan --format json"));
    let plan: Json = serde_json::from_str(&plan).unwrap();
    assert_eq!((plan["configs"].as_u64(), plan["epochs"].as_u64()), (Some(250), Some(440)));
    assert_eq!(fs::read_dir(t.path().join("T")).unwrap().count(), 3, "a plan writes nothing");
    let key = Key::new(5, 0, "kills");
    for kill in 0..6 {
        let mut child = start(&t, &grow);
        let [word, _] = key.at(kill);
        sleep(Duration::from_millis(40 + u64::from(word % 200)));
        child.kill().unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        assert!(!said.contains("error"), "{said}");
        assert_sound(&t, "T", &[60, 250]);
    }
    let ran = run(t.path(), &grow);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_same(&t.path().join("whole"), &t.path().join("T"));
    assert_sound(&t, "T", &[250]);
    let again = done(t.path(), &grow);
    assert!(again.contains("0 configurations trained"), "{again}");
    // By default there would be 2,000.
    let unsaid = run(t.path(), &grow.replacen("--configs 250 ", "", 1));
    let words = "say --configs 250 to go on, or --configs 2000 to let it grow";
    assert!(unsaid.code == Some(1) && unsaid.stderr.contains(words), "{}", unsaid.stderr);
    let refused = run(t.path(), &format!("{grow} --epochs 2").replacen("--epochs 1 ", "", 1));
    let reason = "the state of a training is not kept";
    assert!(refused.code == Some(1) && refused.stderr.contains(reason), "{}", refused.stderr);
}

/// Interrupts a training once its first part is there; what it says.
#[cfg(unix)]
#[track_caller]
fn interrupted(t: &TempDir, child: Child) -> String {
    let first = t.path().join("T/parts/part-00000");
    let begun = Instant::now();
    while !first.exists() && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

#[cfg(unix)]
#[test]
fn a_growth_that_is_interrupted_says_that_the_table_stays() {
    let t = TempDir::new().unwrap();
    done(t.path(), &format!("{TINY} --configs 40 --out T"));
    let before = fs::read(t.path().join("T/table.json")).unwrap();
    let child = start(&t, &format!("{TINY} --configs 30000 --resume --out T"));
    let said = interrupted(&t, child);
    assert!(said.contains("the finished table of 40 configurations grows to 30000"), "{said}");
    let stays = "T stays the finished table of 40 configurations; --resume goes on with its growth";
    assert!(said.contains(stays), "{said}");
    assert_eq!(fs::read(t.path().join("T/table.json")).unwrap(), before);
    let refused = run(t.path(), &format!("{TINY} --configs 40 --resume --out T"));
    assert!(refused.code == Some(1) && refused.stderr.contains("has begun"), "{}", refused.stderr);
    done(t.path(), "replay --table T --goal rank:1 --repeats 2");
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_is_finished_and_the_plan_says_what_is_left() {
    let t = TempDir::new().unwrap();
    let arguments = format!("{TINY} --configs 3000 --out T");
    let child = start(&t, &arguments);
    let said = interrupted(&t, child);
    let kept = said.split(" of 3000 configurations are kept").next().unwrap();
    let kept: u64 = kept.rsplit(' ').next().unwrap().parse().expect(&said);
    assert!(kept >= 1 && !t.path().join("T/table.json").exists(), "{said}");
    let before = fs::read_dir(t.path().join("T/parts")).unwrap().count();
    let plan = done(t.path(), &format!("{arguments} --resume --plan --format json"));
    let plan: Json = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["configs"].as_u64(), Some(3000 - kept));
    assert_eq!(fs::read_dir(t.path().join("T/parts")).unwrap().count(), before);
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_named_and_nothing_stays_behind() {
    let t = TempDir::new().unwrap();
    let train = format!("{TINY} --epochs 400 --configs 2 --out T").replacen("--epochs 1 ", "", 1);
    // Files of at most 10 blocks (5 or 10 kB): the header fits, 400 epochs do not.
    let binary = env!("CARGO_BIN_EXE_curvebook");
    let limited = format!("trap '' XFSZ; ulimit -f 10; exec {binary} {train}");
    let output = Command::new("sh").args(["-c", &limited]).current_dir(t.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("part-00000.partial/curves.parquet: writing failed"), "{said}");
    assert!(!said.contains("panicked") && !t.path().join("T").exists(), "{said}");
    done(t.path(), &train);
}

#[test]
fn shards_trained_apart_are_the_table_trained_at_once() {
    let t = TempDir::new().unwrap();
    let train = format!("{TINY} --configs 10 --repeats 2 --folds 2");
    done(t.path(), &format!("{train} --out whole"));
    for index in [2, 0, 1] {
        done(t.path(), &format!("{train} --shard {index}/3 --out s{index}"));
    }
    let refused = run(t.path(), "replay --table s0 --goal rank:1");
    assert!(
        refused.code == Some(1) && refused.stderr.contains("table merge"),
        "{}",
        refused.stderr
    );
    let merged = done(t.path(), "table merge s1 s2 s0 --out merged");
    assert!(merged.contains("3 shards merged; 10 configurations, 40 epochs"), "{merged}");
    assert!(done(t.path(), "table check merged").contains("sound"));
    assert_same(&t.path().join("whole"), &t.path().join("merged"));
    let json = |name: &str| {
        let text = fs::read_to_string(t.path().join(name).join("table.json")).unwrap();
        let mut json: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(json["provenance"]["folds"], 2);
        assert_eq!(json["repeats"], 4);
        json["provenance"]["created"] = Json::Null;
        json["files"] = Json::Null;
        json
    };
    assert_eq!(json("whole"), json("merged"));
    done(t.path(), "replay --table merged --goal rank:1 --curve-repeat 3 --repeats 2");
}

#[test]
fn a_plan_costs_seconds_and_writes_nothing() {
    let t = TempDir::new().unwrap();
    let arguments = "train --device cpu --space digits-lenet --configs 40 --epochs 7 --repeats 2 \
                     --folds 3 --train-size 60 --val-size 30 --test-size 30 --threads 2 --plan";
    let plan = done(t.path(), &format!("{arguments} --format json"));
    let plan: Json = serde_json::from_str(&plan).unwrap();
    let number = |name: &str| plan[name].as_f64().unwrap_or_else(|| panic!("{name}: {plan}"));
    assert_eq!([number("configs"), number("epochs"), number("threads")], [40.0, 1680.0, 2.0]);
    for name in ["flops", "cpu_seconds", "wall_seconds", "parallelism", "disk_bytes"] {
        assert!(number(name) > 0.0, "{name}: {plan}");
    }
    assert!(number("disk_bytes_peak") > number("disk_bytes"));
    if cfg!(target_os = "linux") {
        let megabytes = number("memory_bytes") / 1e6;
        assert!((1.0..2_000.0).contains(&megabytes), "{megabytes} MB");
    }
    let samples = plan["samples"].as_array().unwrap();
    assert!((2..=12).contains(&samples.len()), "{plan}");
    let flops: Vec<f64> = samples.iter().map(|s| s["flops_per_epoch"].as_f64().unwrap()).collect();
    assert!(flops.is_sorted(), "{flops:?}");
    let text = done(t.path(), arguments);
    assert!(text.contains("40 configurations, 1680 epochs") && text.contains("GFLOP/s"), "{text}");
    assert_eq!(fs::read_dir(t.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_trained_in_shards_or_at_all_is_refused_before_any_work() {
    let t = TempDir::new().unwrap();
    for (arguments, parts) in [
        ("--configs 65537", "--configs: configs = 65537: the Sobol sequence has 65536 points"),
        ("--shard 2/2", "--shard: shard = 2/2: shards of 2 have numbers below 2"),
        ("--shard 0/0", "--shard: shard = 0/0: "),
        ("--shard 1", "--shard: shard = 1: must be two whole numbers"),
        ("--shard -1/2", ""),
        ("--configs 3 --shard 0/4", "3 configurations make at most 3 shards"),
        ("--folds 1", "--folds = 1: must be 2 to 40"),
        ("--folds 41", "--folds = 41: must be 2 to 40"),
        ("--repeats 0", "--repeats = 0: must be at least 1"),
        ("--repeats 300 --folds 300", "--repeats x --folds = 90000: "),
    ] {
        let ran = run(t.path(), &format!("{TINY} --out T {arguments}"));
        assert_eq!(ran.code, Some(1), "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(parts), "{arguments}: {}", ran.stderr);
        assert_eq!(fs::read_dir(t.path()).unwrap().count(), 0, "{arguments}");
    }
}
