//! Outputs replace nothing that the user cares about.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::command_line::{Ran, done, program, run};
use crate::table_common::{check, write_table};

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    fs::write(t.path().join("notes.txt"), "mine").unwrap();
    t
}

const REPLAY: &str = "replay --table T --goal rank:1 --repeats 2 --no-analysis";

/// Runs a replay that must be refused, and sees that no temporary file stays behind.
#[track_caller]
fn refused(t: &TempDir, options: &str) -> String {
    let before = names(t.path());
    let Ran { code, stderr, .. } = run(t.path(), &format!("{REPLAY} {options}"));
    assert_eq!(code, Some(1), "{options}: {stderr}");
    assert_eq!(names(t.path()), before, "{options}");
    stderr
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_others_wrote_stays_unless_it_is_forced() {
    let t = with_table();
    for option in ["--out", "--trace"] {
        let text = refused(&t, &format!("{option} notes.txt"));
        assert!(text.contains("notes.txt (it exists)") && text.contains("--force"), "{text}");
        assert_eq!(fs::read_to_string(t.path().join("notes.txt")).unwrap(), "mine");
    }
    // A trace is no file of runs.
    done(t.path(), &format!("{REPLAY} --trace trace.parquet"));
    assert!(refused(&t, "--out trace.parquet").contains("it exists"));
    done(t.path(), &format!("{REPLAY} --out notes.txt --force"));
    assert_eq!(&fs::read(t.path().join("notes.txt")).unwrap()[..4], b"PAR1");
}

#[test]
fn files_of_the_same_kind_and_empty_ones_are_replaced() {
    let t = with_table();
    fs::write(t.path().join("runs.parquet"), "").unwrap();
    for repeats in [3, 5] {
        let line = "replay --table T --goal rank:1 --no-analysis --out runs.parquet --trace trace";
        done(t.path(), &format!("{line} --repeats {repeats}"));
        let batch = crate::replay_common::read_parquet(&t.path().join("runs.parquet"));
        assert_eq!(batch.num_rows(), repeats);
    }
}

#[test]
fn an_input_is_never_replaced() {
    let t = with_table();
    fs::hard_link(t.path().join("T/curves.parquet"), t.path().join("other-name")).unwrap();
    for place in ["T/curves.parquet", "T/table.json", "T/../T/configs.parquet", "other-name"] {
        let text = refused(&t, &format!("--out {place} --force"));
        assert!(text.contains("an input"), "{place}: {text}");
    }
    assert!(check(&t.path().join("T")).unwrap().is_sound());
    // A trace is a recorded order, too.
    done(t.path(), &format!("{REPLAY} --trace trace.parquet"));
    let before = fs::read(t.path().join("trace.parquet")).unwrap();
    let text = refused(&t, "--sampler recorded:file=trace.parquet --trace trace.parquet");
    assert!(text.contains("an input"), "{text}");
    assert_eq!(fs::read(t.path().join("trace.parquet")).unwrap(), before);
}

#[test]
fn one_place_is_not_two_files() {
    let t = with_table();
    let text = refused(&t, "--out x.parquet --trace T/../x.parquet");
    assert!(text.contains("two files"), "{text}");
}

#[test]
fn a_name_that_cannot_be_is_refused_before_the_work() {
    let t = with_table();
    let long = "x".repeat(300);
    let text = refused(&t, &format!("--out {long}"));
    assert!(text.contains("a name that can be written"), "{text}");
    // Nothing was run before: a table that is no table is not looked at.
    let ran = run(t.path(), &format!("replay --table nowhere --goal 1 --out {long}"));
    assert!(ran.stderr.contains("a name that can be written"), "{}", ran.stderr);
    assert!(refused(&t, "--out nowhere/runs.parquet").contains("must exist and be writable"));
    assert!(refused(&t, "--out T").contains("a directory stands there"));
}

#[test]
fn standard_output_takes_a_file_or_the_answers() {
    let t = with_table();
    done(t.path(), &format!("{REPLAY} --out runs.parquet"));
    let arguments = format!("{REPLAY} --out -");
    let printed = program(t.path()).args(arguments.split(' ')).output().unwrap();
    assert!(printed.status.success());
    assert!(printed.stdout == fs::read(t.path().join("runs.parquet")).unwrap());
    let ran = run(t.path(), "replay --table T --goal rank:1 --repeats 2 --out -");
    assert!(ran.code == Some(1) && ran.stderr.contains("give --no-analysis"), "{}", ran.stderr);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn links_lead_to_what_is_ours_and_nothing_else() {
        let t = with_table();
        let at = |name: &str| t.path().join(name);
        symlink("notes.txt", at("to-notes")).unwrap();
        symlink("nowhere", at("to-nowhere")).unwrap();
        symlink("T/curves.parquet", at("to-curves")).unwrap();
        symlink("/dev/full", at("to-device")).unwrap();
        symlink("runs.parquet", at("to-runs")).unwrap();
        assert!(refused(&t, "--out to-notes").contains("it exists"));
        assert!(refused(&t, "--out to-nowhere --force").contains("a link must lead to a file"));
        assert!(refused(&t, "--out to-curves --force").contains("an input"));
        for device in ["to-device", "/dev/full"] {
            let text = refused(&t, &format!("--out {device} --force"));
            assert!(text.contains("a FIFO or a device"), "{text}");
        }
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
        assert_eq!(fs::read_to_string(at("notes.txt")).unwrap(), "mine");
        fs::write(at("runs.parquet"), "").unwrap();
        done(t.path(), &format!("{REPLAY} --out to-runs"));
        assert!(fs::symlink_metadata(at("to-runs")).unwrap().is_symlink());
        assert!(fs::metadata(at("runs.parquet")).unwrap().len() > 100);
    }

    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_file_before() {
        let t = with_table();
        let mode = |name: &str| fs::metadata(t.path().join(name)).unwrap().mode() & 0o777;
        for (mask, wanted) in [("027", 0o640), ("000", 0o666)] {
            let bin = env!("CARGO_BIN_EXE_curvebook");
            let script = format!("umask {mask}; exec {bin} {REPLAY} --out new-{mask}");
            let status = Command::new("sh").args(["-c", &script]).current_dir(t.path()).status();
            assert!(status.unwrap().success());
            assert_eq!(mode(&format!("new-{mask}")), wanted, "{mask}");
        }
        let path = t.path().join("new-027");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        done(t.path(), &format!("{REPLAY} --out new-027"));
        assert_eq!(mode("new-027"), 0o604);
    }

    /// Starts a long replay, waits until there is something in its file, and sends signals.
    fn signalled(t: &TempDir, before: &str, signals: &[&str]) -> (Option<i32>, String) {
        let bin = env!("CARGO_BIN_EXE_curvebook");
        let options = "--goal 2 --repeats 3000000 --out runs.parquet --no-analysis";
        let script = format!("{before} exec {bin} replay --table T {options}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(t.path());
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        let has_begun = || {
            let files = fs::read_dir(t.path()).unwrap().flatten();
            files.filter_map(|f| f.metadata().ok()).any(|m| m.is_file() && m.len() > 100_000)
        };
        while !has_begun() {
            assert!(child.try_wait().unwrap().is_none() && began.elapsed().as_secs() < 60);
            std::thread::sleep(Duration::from_millis(2));
        }
        for signal in signals {
            let id = &*child.id().to_string();
            assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(50));
        }
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn what_asks_for_an_end_keeps_what_is_finished() {
        for signal in ["-TERM", "-HUP"] {
            let t = with_table();
            let (code, stderr) = signalled(&t, "", &[signal]);
            assert_eq!(code, Some(2), "{stderr}");
            assert!(stderr.contains("they are in runs.parquet"), "{stderr}");
            assert_eq!(names(t.path()), ["T", "notes.txt", "runs.parquet"]);
        }
    }

    #[test]
    fn a_signal_that_was_ignored_from_the_start_stays_so() {
        let t = with_table();
        // As nohup does. The second signal asks for the end.
        let (code, stderr) = signalled(&t, "trap '' HUP;", &["-HUP", "-TERM"]);
        assert!(code == Some(2) && stderr.contains("they are in"), "{stderr}");
    }

    /// A disk is full where a file may not grow: that, too, needs no privilege.
    #[test]
    fn on_a_full_disk_the_answer_is_printed_all_the_same() {
        // The first fails when its footer is due, the second amid its runs.
        for (repeats, options) in
            [(20, "--out runs.parquet"), (12_000, "--out runs.parquet --trace trace.parquet")]
        {
            let t = with_table();
            let bin = env!("CARGO_BIN_EXE_curvebook");
            let replay = format!("replay --table T --goal rank:1 --repeats {repeats} {options}");
            let script = format!("trap '' XFSZ; ulimit -f 1; exec {bin} {replay}");
            let mut command = Command::new("sh");
            let output = command.args(["-c", &script]).current_dir(t.path()).output().unwrap();
            let [out, err] =
                [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(output.status.code(), Some(2), "{err}");
            let answer = format!("{repeats}/{repeats}");
            assert!(out.contains(&answer) && out.contains("median"), "{out}\n{err}");
            assert!(err.contains(".parquet: writing failed: "), "{err}");
            assert_eq!(names(t.path()), ["T", "notes.txt"]);
        }
    }
}
