//! The program as a user runs it: what it refuses, and how.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::table_common::write_table;

/// How a run of the program ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, to be run in a directory.
pub(crate) fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_curvebook"));
    command.current_dir(directory).stdin(Stdio::null()).env("NO_COLOR", "1");
    // Nothing of the machine's own data, mirrors and proxies.
    command.env("CURVEBOOK_DATA", directory.join("data")).env_remove("CURVEBOOK_MIRROR");
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command
}

/// Runs the program; arguments stand between blanks.
pub(crate) fn run(directory: &Path, arguments: &str) -> Ran {
    let output = program(directory).args(arguments.split_whitespace()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the program, which must succeed, and returns its data.
#[track_caller]
pub(crate) fn done(directory: &Path, arguments: &str) -> String {
    let ran = run(directory, arguments);
    assert_eq!(ran.code, Some(0), "{arguments}\n{}", ran.stderr);
    ran.stdout
}

/// Everything in a directory, at any depth.
fn listing(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(listing(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// The program must refuse: exit code 1, no data, the five parts of the error, nothing left.
#[track_caller]
pub(crate) fn refused(directory: &Path, arguments: &str, parts: [&str; 5]) {
    let before = listing(directory);
    let ran = run(directory, arguments);
    let said = format!("{arguments}\n{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(1), "{said}");
    assert!(ran.stdout.is_empty() && !ran.stderr.contains("panicked"), "{said}");
    let mut rest = ran.stderr.strip_prefix("error: ").expect(&said);
    for (part, joint) in parts.into_iter().zip([": ", " = ", ": ", "; ", ""]) {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` is missing: {said}"));
        rest = &rest[at + part.len()..];
        assert!(rest.contains(joint), "`{joint}` is missing after `{part}`: {said}");
    }
    assert_eq!(listing(directory), before, "{said}");
}

/// A directory with the table `T` of 12 rows in it.
pub(crate) fn with_table() -> TempDir {
    let directory = TempDir::new().unwrap();
    write_table(&directory.path().join("T"), 12, 12);
    directory
}

/// A table of another program, which knows no chance level.
fn without_chance() -> String {
    format!("{}/tests/golden/foreign/polars-error", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn methods_and_their_parameters_are_checked() {
    let t = with_table();
    let replay = |rest: &str| format!("replay --table T --goal rank:1 {rest}");
    for (option, word, near) in [
        ("--sampler", "randm", "`random`"),
        ("--stopper", "etr3", "`etr"),
        ("--scheduler", "fifoo", "`fifo`"),
    ] {
        let parts = [option, "name", word, "no such method", near];
        refused(t.path(), &replay(&format!("{option} {word}")), parts);
    }
    let parts = ["--stopper", "etr1:tua", "1", "no such parameter", "`tau`"];
    refused(t.path(), &replay("--stopper etr1:tua=1"), parts);
    let parts = ["--stopper", "etr1:tau", "x", "whole number", "default"];
    refused(t.path(), &replay("--stopper etr1:tau=x"), parts);
    let parts = ["--sampler", "recorded:file", "missing", "", ""];
    refused(t.path(), &replay("--sampler recorded"), parts);
    let parts = ["polars-error", "metric.chance", "missing", "`etr1`", "add `chance`"];
    let arguments =
        format!("replay --table {} --goal rank:1 --stopper etr1 --out r.parquet", without_chance());
    refused(t.path(), &arguments, parts);
}

#[test]
fn goals_and_counts_are_checked() {
    let t = with_table();
    for goal in ["top", "NaN", "inf", "top:0", "top:2", "top:NaN", "rank:0", "rank:-1", "rank:1.5"]
    {
        let parts = ["--goal", "goal", goal, "", "write a value"];
        refused(t.path(), &format!("replay --table T --out r --goal {goal}"), parts);
    }
    let parts = ["--goal", "goal", "rank:13", "row 13 of table `small`", "smaller"];
    refused(t.path(), "replay --table T --out r.parquet --goal rank:13", parts);
    for (arguments, parts) in [
        ("--repeats 0", ["--repeats", "count", "0", "no runs", "at least one"]),
        ("--workers 0", ["--workers", "", "0", "", "give"]),
        ("--max-trials 0", ["--max-trials", "trials", "0", "needs a trial", "at least one"]),
        ("--threads 0", ["--threads", "threads", "0", "must be 1", "leave it out"]),
        ("--threads 5000000000", ["--threads", "threads", "5000000000", "must be", "leave"]),
        ("--budget-seconds -1", ["--budget-seconds", "seconds", "-1", "must be", "choose"]),
        ("--budget-seconds NaN", ["--budget-seconds", "seconds", "NaN", "must be", "choose"]),
        ("--budget-seconds 1e30", ["--budget-seconds", "seconds", "1", "must be", "choose"]),
    ] {
        refused(t.path(), &format!("replay --table T --goal rank:1 --out r {arguments}"), parts);
    }
    let wide = "replay --table T --goal rank:1 --repeats 4294967295 --stopper none --stopper etr1";
    refused(t.path(), wide, ["--repeats", "repeats", "4294967295", "4,294,967,295", "smaller"]);
    // What the parser of arguments refuses by itself.
    for arguments in
        ["--workers x", "--repeats -1", "--workers 4294967296", "--nope", "--value max"]
    {
        let ran = run(t.path(), &format!("replay --table T --goal rank:1 {arguments}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{arguments}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
}

#[test]
fn what_the_answers_would_refuse_is_refused_before_the_work() {
    let t = with_table();
    // So many repeats never end: a late check would not be seen.
    let replay = "replay --table T --goal rank:1 --repeats 4000000000 --out r.parquet";
    let parts = ["--baseline", "baseline", "zzz", "no method", "stopper=none"];
    refused(t.path(), &format!("{replay} --baseline zzz"), parts);
    let parts = ["--stopper", "stopper", "etr1", "stands twice", "remove one"];
    refused(t.path(), &format!("{replay} --stopper etr1 --stopper etr1:tau=1"), parts);
}

#[test]
fn a_place_that_cannot_be_written_is_found_first() {
    let t = with_table();
    fs::create_dir(t.path().join("here")).unwrap();
    fs::write(t.path().join("file"), "x").unwrap();
    let replay = "replay --table T --goal rank:1 --repeats 4000000000";
    for option in ["--out", "--trace"] {
        for (place, rule) in [
            ("nowhere/r.parquet", "must exist"),
            ("file/r.parquet", "must exist"),
            ("here", "a directory stands there"),
            ("/proc/r.parquet", "writable"),
        ] {
            // Billions of repeats would take hours: refused at once, or this test never ends.
            let parts = [option, "file", place, rule, ""];
            refused(t.path(), &format!("{replay} {option} {place}"), parts);
        }
    }
    let parts = ["--trace", "file", "r", "two files", "another"];
    refused(t.path(), &format!("{replay} --out r --trace r"), parts);
    let train = "train --device cpu --space digits-lenet --configs 1 --epochs 1 --train-size 9 \
                 --val-size 9";
    let ran = run(t.path(), &format!("{train} --out file/t"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    refused(t.path(), &format!("{train} --out T"), ["T", "", "table.json", "never", "another"]);
}

#[test]
fn what_is_no_table_is_refused() {
    let t = with_table();
    for command in ["replay --goal rank:1 --out r --table", "table info"] {
        for place in ["nowhere", "."] {
            let parts = ["table.json", "file", "No such file", "", "finished table"];
            refused(t.path(), &format!("{command} {place}"), parts);
        }
    }
    let ran = run(t.path(), "table check .");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("table.json"), "{}", ran.stdout);
    fs::write(t.path().join("T/table.json"), "{\"format\": \"other\"}").unwrap();
    refused(t.path(), "table info T", ["table.json", "format", "other", "", ""]);
    fs::write(t.path().join("x.parquet"), "no Parquet at all").unwrap();
    refused(t.path(), "analyze x.parquet", ["x.parquet", "file", "", "whole Parquet", "replay"]);
    refused(t.path(), "analyze y.parquet", ["y.parquet", "file", "missing", "must exist", "give"]);
    let parts = ["T/curves.parquet", "", "", "", ""];
    refused(t.path(), "analyze T/curves.parquet", parts);
}

#[test]
fn a_training_is_checked_before_it_begins() {
    let t = TempDir::new().unwrap();
    for (arguments, parts) in [
        ("digits-lenett", ["--space", "name", "digits-lenett", "no preset", "`digits-lenet`"]),
        ("nope.toml", ["--space", "file", "nope.toml", "no such file", "space list"]),
        ("digits-lenet --configs 65537", ["--configs", "", "65537", "65536 points", "fewer"]),
        ("digits-lenet --configs 0", ["--configs", "", "0", "", "at least one"]),
        ("digits-lenet --epochs 0", ["--epochs", "", "0", "", "at least one"]),
        ("digits-lenet --train-size 0", ["digits", "--train-size", "0", "", "images"]),
        ("digits-lenet --val-size 1798", ["digits", "", "", "1797 images", "fewer"]),
        ("digits-lenet --threads 99999", ["--threads", "", "99999", "must be", "leave it out"]),
        (
            "mnist-lenet",
            ["data/mnist", "--data-dir", "missing", "files", "`curvebook data get mnist`"],
        ),
        ("mnist-lenet --data-dir nope", ["nope", "--data-dir", "missing", "", "--data-dir nope`"]),
        ("mnist-lenet --data-dir .", [".", "train-images", "missing", "mnist", "put the files"]),
    ] {
        refused(t.path(), &format!("train --out o --device cpu --space {arguments}"), parts);
    }
    // A header that promises 4 billion images of 28 x 28 pixels.
    let header = [0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3];
    fs::write(t.path().join("train-images-idx3-ubyte"), header).unwrap();
    for name in ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        fs::write(t.path().join(name), header).unwrap();
    }
    let parts = ["train-images-idx3-ubyte", "", "", "", ""];
    refused(t.path(), "train --out o --device cpu --space mnist-lenet --data-dir .", parts);
}

#[test]
fn each_fault_of_a_space_file_is_named() {
    let t = TempDir::new().unwrap();
    let sound = include_str!("../../src/train/model/definition/presets/digits-lenet.toml");
    let path = t.path().join("s.toml");
    fs::write(&path, sound).unwrap();
    done(t.path(), "space show s.toml");
    for (old, new, field, value, remedy) in [
        ("low = 1\n", "low = 1\nlwo = 2\n", "lwo", "2", "`low`"),
        ("low = 1\n", "low = 99\n", "low", "99", ""),
        ("low = 1e-4", "low = 0.0", "low", "0", ""),
        ("low = 1\n", "low = \"one\"\n", "low", "one", ""),
        ("type = \"int\"", "type = \"intt\"", "type", "intt", "`int`"),
        ("\"$kernel\"", "\"$nope\"", "kernel", "$nope", ""),
        ("\"relu\"", "\"rleu\"", "activation", "rleu", "`relu`"),
        ("\"adam\"", "\"adma\"", "optimizer", "adma", "`adam`"),
        ("\"maxpool\"", "\"maxpol\"", "kind", "maxpol", "`maxpool`"),
        ("dataset = \"digits\"", "dataset = \"digit\"", "dataset", "digit", "`digits`"),
        ("classes = 10", "classes = 0", "classes", "0", ""),
        ("epochs = 30", "epochs = -1", "epochs", "-1", ""),
        ("name = \"fc_units\"", "name = \"kernel\"", "", "kernel", ""),
        ("log = true", "condition = { name = \"nope\", in = [1] }", "condition", "nope", ""),
        ("name = \"digits-lenet\"", "nmae = \"x\"", "name", "missing", ""),
    ] {
        assert!(sound.contains(old), "{old}");
        fs::write(&path, sound.replacen(old, new, 1)).unwrap();
        let parts = ["", field, value, "", remedy];
        refused(t.path(), "train --out o --device cpu --space s.toml", parts);
    }
    fs::write(&path, "name = [").unwrap();
    refused(
        t.path(),
        "train --out o --device cpu --space s.toml",
        ["s.toml", "line 1", "[", "unclosed", "mend"],
    );
    fs::write(&path, [0xff, 0xfe, 0]).unwrap();
    refused(t.path(), "space show s.toml", ["s.toml", "", "", "", ""]);
    let parts = ["--config", "config", "65536", "65536 points", "smaller"];
    refused(t.path(), "space show digits-lenet --config 65536", parts);
}

#[test]
fn each_fault_of_a_study_is_named_and_leaves_no_directory() {
    let t = with_table();
    let path = t.path().join("s.toml");
    let sound = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:1\"]\nrepeats = 2\n";
    for (old, new, parts) in [
        ("repeats", "repeat", ["s.toml", "repeat", "2", "", "`repeats`"]),
        ("repeats = 2", "repeats = 0", ["s.toml", "repeats", "0", "", ""]),
        ("\"T\"", "\"U\"", ["U/table.json", "file", "No such", "", "finished table"]),
        ("\"T\"", "", ["s.toml", "tables", "missing", "", "table directories"]),
        ("rank:1", "rank:99", ["s.toml", "goals", "rank:99", "11 rows", "smaller"]),
        ("rank:1", "best", ["goal", "goal", "best", "", "write a value"]),
        ("repeats = 2", "seed = -1", ["s.toml", "seed", "-1", "", ""]),
        ("repeats = 2", "value = \"lsat\"", ["s.toml", "value", "lsat", "", ""]),
        ("repeats = 2", "budget_seconds = -1", ["s.toml", "budget_seconds", "-1", "", ""]),
        ("repeats = 2", "stoppers = [\"etr0\"]", ["stoppers", "name", "etr0", "", "`etr"]),
    ] {
        fs::write(&path, sound.replace(old, new)).unwrap();
        refused(t.path(), "study s.toml --out o", parts);
    }
    refused(t.path(), "study nope --out o", ["study", "name", "nope", "", "early-termination"]);
    refused(t.path(), "study no.toml --out o", ["study", "file", "no.toml", "no such file", ""]);
}

#[test]
fn a_recorded_order_is_checked_against_table_and_repeats() {
    let t = with_table();
    let replay = "replay --table T --goal rank:1 --repeats 2 --out r --sampler recorded:file=o.csv";
    for (rows, parts) in [
        ("0,3\n0,12\n1,0\n", ["o.csv", "config_id", "12", "12 rows", "record"]),
        ("0,3\n0,3\n1,0\n", ["o.csv", "config_id", "3", "once", "remove"]),
        ("0,3\n0,4\n", ["o.csv", "repeat", "1 is missing", "2 repeats", "lower"]),
        ("0,x\n", ["o.csv", "config_id, row 0", "x", "whole number", "mend"]),
        ("0,-1\n", ["o.csv", "config_id, row 0", "-1", "whole number", "mend"]),
        ("99999999999,1\n", ["o.csv", "repeat, row 0", "99999999999", "", "mend"]),
    ] {
        fs::write(t.path().join("o.csv"), format!("repeat,config_id\n{rows}")).unwrap();
        refused(t.path(), replay, parts);
    }
    fs::write(t.path().join("o.csv"), "repeat,config\n0,1\n").unwrap();
    refused(t.path(), replay, ["o.csv", "column config_id", "missing", "columns", "`config`"]);
}

#[test]
fn enormous_numbers_of_workers_take_no_memory() {
    let t = with_table();
    let all = "replay --table T --goal rank:1 --repeats 3 --format json --workers";
    let (many, enough) =
        (done(t.path(), &format!("{all} 4294967295")), done(t.path(), &format!("{all} 12")));
    assert_eq!(many.replace("4294967295", "12"), enough);
}
