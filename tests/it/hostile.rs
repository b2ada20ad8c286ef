//! Files that somebody damaged on purpose decide nothing: no input of any format makes a reader
//! panic, abort, hang, or take more memory than twice the file and 200 MB.
//!
//! The inputs are mutations, drawn from the format's name and their number. A child process reads
//! them, so that an abort or a hang is seen and the rest goes on. `CURVEBOOK_HOSTILE=100000` reads
//! so many of each format instead of a few:
//!
//! ```text
//! CURVEBOOK_HOSTILE=100000 cargo test --release --test it hostile
//! ```

#![expect(clippy::cast_possible_wrap, reason = "files and lists are small")]

mod bombs;
mod mutate;
mod seeds;
mod targets;
mod thrift;

use std::fs;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use curvebook::base::rng::Stream;

use targets::Target;

use crate::table_common::write_table;

/// Inputs of each format unless the variable says otherwise.
const INPUTS: u64 = 120;
/// How many of each format there shall be.
const INPUTS_VARIABLE: &str = "CURVEBOOK_HOSTILE";
/// What a child is to read: the format, and the numbers of its first input and of the one after
/// its last.
const TASK_VARIABLE: &str = "CURVEBOOK_HOSTILE_TASK";
/// Where the child says which input it is at.
const AT_FILE: &str = "at";
/// Where it says what was wrong with which.
const WRONG_FILE: &str = "wrong";
/// Longer than any input may take, on a machine with much else to do.
const SECONDS_MAX: u64 = 60;
/// Beside twice the file.
const MEMORY_BYTES: u64 = 200 << 20;
/// Address space of a child, in KiB: what is far beyond ends there, and not with the machine.
const ADDRESSES_KIB: u64 = 8 << 20;

/// Reads inputs of a format, and sees that all came to an answer.
fn attack(format: &str) {
    let wanted = std::env::var(INPUTS_VARIABLE).ok();
    let inputs = wanted.map_or(INPUTS, |n| n.parse().expect("a number of inputs"));
    let wrong = wrong_of(format, inputs);
    assert!(wrong.is_empty(), "{format}: of {inputs} inputs\n{wrong}");
}

/// Reads inputs of a format in child processes; what was wrong, a line each.
fn wrong_of(format: &str, inputs: u64) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut from = 0;
    while from < inputs {
        let Some((at, how)) = child(dir.path(), format, from, inputs) else { break };
        note(dir.path(), at, how);
        from = at + 1;
    }
    let at = fs::read_to_string(dir.path().join(AT_FILE)).unwrap();
    assert_eq!(at.parse(), Ok(inputs - 1), "{format}: not all were read");
    fs::read_to_string(dir.path().join(WRONG_FILE)).unwrap_or_default()
}

/// Runs a child; the input at which it ended before it was done, and how.
fn child(dir: &Path, format: &str, from: u64, to: u64) -> Option<(u64, &'static str)> {
    let own = std::env::current_exe().unwrap();
    let mut command = if cfg!(target_os = "linux") {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -v {ADDRESSES_KIB}; exec \"$@\""), "sh"]).arg(own);
        command
    } else {
        Command::new(own)
    };
    command.args(["--exact", "hostile::a_child_reads_what_it_is_told", "--nocapture"]);
    command.env(TASK_VARIABLE, format!("{format}:{from}:{to}")).current_dir(dir);
    let output =
        if std::env::var_os(INPUTS_VARIABLE).is_some() { Stdio::inherit } else { Stdio::null };
    let mut child = command.stdout(Stdio::null()).stderr(output()).spawn().unwrap();
    let at = || fs::read_to_string(dir.join(AT_FILE)).ok().and_then(|text| text.parse().ok());
    let (mut last, mut since) = (from, Instant::now());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (!status.success()).then(|| (at().unwrap_or(from), "ended the program"));
        }
        let now: u64 = at().unwrap_or(last);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() > Duration::from_secs(SECONDS_MAX) {
            child.kill().unwrap();
            child.wait().unwrap();
            return Some((now, "hung"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn note(dir: &Path, at: u64, how: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(dir.join(WRONG_FILE));
    writeln!(file.unwrap(), "input {at} {how}").unwrap();
}

#[test]
fn a_child_reads_what_it_is_told() {
    let Ok(task) = std::env::var(TASK_VARIABLE) else { return };
    let [format, from, to] = task.split(':').collect::<Vec<_>>().try_into().unwrap();
    let number = |text: &str| text.parse::<u64>().unwrap();
    let here = std::env::current_dir().unwrap();
    let mut target = Target::new(format, &here.join("files"));
    for at in number(from)..number(to) {
        let mut stream = Stream::new(0, at, format);
        let bytes = target.input(&mut stream, at);
        fs::write(here.join(AT_FILE), at.to_string()).unwrap();
        let before = memory_begins();
        let began = Instant::now();
        if panic::catch_unwind(AssertUnwindSafe(|| target.read())).is_err() {
            note(&here, at, "panicked");
        }
        let taken = before.and_then(|before| Some(memory_most()?.saturating_sub(before)));
        if let Some(taken) = taken.filter(|taken| *taken > 2 * bytes as u64 + MEMORY_BYTES) {
            note(&here, at, &format!("took {taken} bytes for {bytes}"));
        }
        let seconds = began.elapsed().as_secs_f64();
        if seconds > 10.0 {
            note(&here, at, &format!("took {seconds:.0} s"));
        }
    }
}

/// Resident memory now, from where its greatest is measured anew. Only Linux tells.
fn memory_begins() -> Option<u64> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    memory("VmRSS:")
}

/// The greatest resident memory since.
fn memory_most() -> Option<u64> {
    memory("VmHWM:")
}

fn memory(what: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[test]
fn whatever_goes_wrong_is_seen() {
    let wrong = wrong_of("faults", 8);
    let lines: Vec<&str> = wrong.lines().collect();
    let memory = cfg!(target_os = "linux");
    assert_eq!(lines.len(), if memory { 3 } else { 2 }, "{wrong}");
    assert_eq!(lines[..2], ["input 1 panicked", "input 3 ended the program"]);
    assert!(!memory || lines[2].starts_with("input 5 took "), "{wrong}");
}

/// Damage to the header of a page must be all the damage there is.
#[test]
fn a_page_that_is_written_once_more_reads_as_before() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), 30, 30);
    let path = dir.path().join("curves.parquet");
    let before = seeds::rows(&path);
    for (number, whole) in (0..).zip(seeds::variants(&path)) {
        for repeat in 0..8 {
            let mut stream = Stream::new(number, repeat, "pages");
            fs::write(&path, mutate::page_as_it_was(&mut stream, &whole)).unwrap();
            assert_eq!(seeds::rows(&path).columns(), before.columns(), "variant {number}");
        }
    }
}

#[test]
fn table_json() {
    attack("table.json");
}

#[test]
fn configs_parquet() {
    attack("configs.parquet");
}

#[test]
fn curves_parquet() {
    attack("curves.parquet");
}

#[test]
fn runs_parquet() {
    attack("runs.parquet");
}

#[test]
fn trace_parquet() {
    attack("trace.parquet");
}

#[test]
fn recorded_orders() {
    attack("orders.csv");
}

#[test]
fn spaces() {
    attack("space.toml");
}

#[test]
fn studies() {
    attack("study.toml");
}

#[test]
fn idx_images() {
    attack("idx");
}

#[test]
fn cifar_images() {
    attack("cifar");
}

#[test]
fn the_trainers_unfinished_parts() {
    attack("parts");
}

#[test]
fn sources_of_imports() {
    let tools = ["csv", "jsonl", "parquet", "optuna", "smac3", "hpbandster"];
    for format in tools.into_iter().chain(["tensorboard", "wandb", "lcbench", "pd1"]) {
        attack(&format!("import {format}"));
    }
}
