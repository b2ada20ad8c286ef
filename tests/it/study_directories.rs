//! A study's directory: what is somebody else's stays, what is begun is one process's, and a kill
//! at the last moment costs nothing.

use std::fs;
use std::path::Path;

use curvebook::app::pools::TableOptions;
use curvebook::app::runs::{self, write};
use curvebook::replay::{RunOptions, Settings};
use curvebook::store::Parts;
use tempfile::TempDir;

use crate::command_line::{Ran, done, run, with_table};
use crate::replay_common::{grid, write_files};

const STUDY: &str = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:1\"]\nrepeats = 4\n";

fn with_study() -> TempDir {
    let t = with_table();
    fs::write(t.path().join("s.toml"), STUDY).unwrap();
    t
}

/// The names in a directory and below.
fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(names(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn what_somebody_else_put_there_is_refused_and_stays() {
    for (file, text) in [
        ("parts/notes.txt", "mine"),
        ("parts/runs-0000000000-0000000004.parquet", "mine"),
        ("study.toml", "name = \"another\"\n"),
        ("runs.parquet", "mine"),
        ("trace.parquet", "mine"),
        ("results.json", "mine"),
        ("report.html", "mine"),
    ] {
        let t = with_study();
        let path = t.path().join("out").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let Ran { code, stderr, .. } = run(t.path(), "study s.toml --out out");
        assert_eq!(code, Some(1), "{file}: {stderr}");
        assert!(stderr.contains("out"), "{file}: {stderr}");
        assert_eq!(names(&t.path().join("out")), [file]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{file}");
    }
    // What does not stand where a study writes is left alone, and no hindrance.
    let t = with_study();
    fs::create_dir(t.path().join("out")).unwrap();
    fs::write(t.path().join("out/notes.txt"), "mine").unwrap();
    done(t.path(), "study s.toml --out out");
    let found = names(&t.path().join("out"));
    let wanted =
        ["notes.txt", "report.html", "results.json", "runs.parquet", "study.toml", "trace.parquet"];
    assert_eq!(found, wanted);
}

#[test]
fn a_study_that_cannot_begin_leaves_nothing() {
    let t = with_study();
    let wrong = STUDY.to_string() + "stoppers = [\"etr1:tau=900\"]\n";
    fs::write(t.path().join("wrong.toml"), wrong).unwrap();
    let Ran { code, stderr, .. } = run(t.path(), "study wrong.toml --out out");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(!t.path().join("out").exists());
    // A directory that cannot hold parts.
    fs::create_dir(t.path().join("out")).unwrap();
    fs::write(t.path().join("out/parts"), "a file").unwrap();
    let Ran { code, stderr, .. } = run(t.path(), "study s.toml --out out");
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(names(&t.path().join("out")), ["parts"]);
}

#[test]
fn a_second_process_hears_who_is_at_work() {
    let t = TempDir::new().unwrap();
    let first = Parts::open(t.path(), "key").unwrap();
    let refused = Parts::open(t.path(), "key").unwrap_err();
    let text = refused.to_string();
    let holder = format!("held by another process, {}", std::process::id());
    assert!(refused.is_input() && text.contains(&holder), "{text}");
    drop(first);
    Parts::open(t.path(), "key").unwrap();
}

#[test]
fn a_kill_while_parts_are_taken_away_costs_nothing() {
    let t = with_table();
    let pool = TableOptions::default().load(&t.path().join("T")).unwrap();
    let grid = grid("random", &["none"], &["rank:1"], 8, &Settings::default());
    let (whole, trace) = (t.path().join("whole"), t.path().join("whole-trace"));
    write_files(&grid, &pool, 1, &whole, &trace);
    let dir = t.path().join("out");
    fs::create_dir(&dir).unwrap();
    let mut parts = Parts::open(&dir, "key").unwrap();
    for to in [3, 8] {
        let mut output = parts.begin(to).unwrap();
        let options = RunOptions { from: parts.done(), to, ..RunOptions::all(1, true) };
        runs::run(&grid, &pool, &options, |block| write(&mut output, &pool, &block)).unwrap();
        parts.finish(output, to).unwrap();
    }
    let before = t.path().join("before");
    fs::create_dir(&before).unwrap();
    for entry in fs::read_dir(dir.join("parts")).unwrap().flatten() {
        fs::copy(entry.path(), before.join(entry.file_name())).unwrap();
    }
    parts.merge().unwrap();
    // Killed after the final files were in place: all parts, some of them, or none are left.
    for kept in [&["runs", "trace", "sums"][..], &["runs"], &[]] {
        fs::create_dir(dir.join("parts")).unwrap();
        for entry in fs::read_dir(&before).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_kept = kept.iter().any(|kind| name.starts_with(kind));
            if is_kept || name == "key" {
                fs::copy(entry.path(), dir.join("parts").join(name)).unwrap();
            }
        }
        fs::write(dir.join("parts/merged"), "").unwrap();
        let parts = Parts::open(&dir, "key").unwrap();
        assert!(parts.is_merged(), "{kept:?}");
        parts.merge().unwrap();
        assert_eq!(names(&dir), ["runs.parquet", "trace.parquet"], "{kept:?}");
        assert_eq!(fs::read(dir.join("runs.parquet")).unwrap(), fs::read(&whole).unwrap());
    }
}

#[test]
fn a_part_with_other_bytes_than_were_written_is_refused() {
    let t = with_table();
    let pool = TableOptions::default().load(&t.path().join("T")).unwrap();
    let grid = grid("random", &["none"], &["rank:1"], 4, &Settings::default());
    let dir = t.path().join("out");
    fs::create_dir(&dir).unwrap();
    let mut parts = Parts::open(&dir, "key").unwrap();
    let mut output = parts.begin(4).unwrap();
    let options = RunOptions { to: 4, ..RunOptions::all(1, true) };
    runs::run(&grid, &pool, &options, |block| write(&mut output, &pool, &block)).unwrap();
    parts.finish(output, 4).unwrap();
    drop(parts);
    let part = dir.join("parts/runs-0000000000-0000000004.parquet");
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).unwrap();
    let text = Parts::open(&dir, "key").unwrap_err().to_string();
    assert!(text.contains("runs-0000000000-0000000004.parquet"), "{text}");
    assert!(part.exists(), "the user decides what becomes of it");
}
