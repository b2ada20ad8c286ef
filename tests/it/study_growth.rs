//! Finished studies that take more repeats, methods, goals and tables: nothing that is there runs
//! again, and the files are those of the larger study.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use curvebook::app::{Events, GO_ON, study};
use curvebook::methods::interface::resolve;
use curvebook::replay::Settings;
use tempfile::TempDir;

use crate::command_line::{Ran, done, program, run};
use crate::replay_common::{grid, numbers, read_parquet};
use crate::table_common::write_table;
use crate::toy_methods;

/// Everything but the axes of the grid.
const HEAD: &str = "name = \"s\"\ntables = [\"T\"]\n";
const SMALL: &str =
    "stoppers = [\"none\", \"etr1\"]\ngoals = [\"rank:1\", \"rank:3\"]\nrepeats = 6\n";

fn with_tables() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    write_table(&t.path().join("U"), 30, 16);
    let json = t.path().join("U/table.json");
    let text = fs::read_to_string(&json).unwrap().replacen("\"small\"", "\"other\"", 1);
    fs::write(json, text).unwrap();
    t
}

fn write(t: &TempDir, name: &str, text: &str) {
    fs::write(t.path().join(name), text).unwrap();
}

/// The files of a study.
fn bytes(t: &TempDir, dir: &str) -> Vec<Vec<u8>> {
    let read = |name: &str| fs::read(t.path().join(dir).join(name)).unwrap();
    ["runs.parquet", "trace.parquet", "study.toml", "results.json"].map(read).into()
}

/// Counts the runs that are run.
#[derive(Default)]
struct Counter {
    runs: AtomicU32,
}

impl Events for Counter {
    fn run_done(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a study, and says how many runs that took.
#[track_caller]
fn runs_of(t: &TempDir, study: &str, out: &str) -> u32 {
    let counter = Counter::default();
    let (study, out) = (t.path().join(study), t.path().join(out));
    let settings = study::Settings::find(study.to_str().unwrap(), out, Some(2)).unwrap();
    study::run(&settings, &counter, &GO_ON).unwrap();
    counter.runs.into_inner()
}

#[test]
fn what_is_there_is_kept_and_the_files_are_those_of_the_larger_study() {
    let t = with_tables();
    write(&t, "small.toml", &format!("{HEAD}{SMALL}"));
    for (larger, new) in [
        // Repeats alone: 3 more of 2 series.
        (format!("{HEAD}{}", SMALL.replace("= 6", "= 9")), 6),
        // Methods before and between those that are there, in another order.
        (
            format!(
                "{HEAD}{}samplers = [\"sobol\", \"random\"]\n",
                SMALL.replace("\"none\", \"etr1\"", "\"etr1:tau=2\", \"etr1\", \"none\"")
            ),
            4 * 6,
        ),
        // All of it at once, on a further table that comes first.
        (
            format!(
                "name = \"t\"\ntables = [\"U\", \"T\"]\nbaseline = \"tau=2\"\n{}",
                SMALL.replace("= 6", "= 7").replace("[\"none\", ", "[\"none\", \"etr1:tau=2\", ")
            ),
            6 * 7 - 2 * 6,
        ),
        // A further goal: none of these methods is told a goal, so that each run is about all.
        (format!("{HEAD}{}", SMALL.replace("\"rank:3\"", "\"rank:3\", \"rank:9\"")), 12),
    ] {
        assert_eq!(runs_of(&t, "small.toml", "grown"), 12);
        write(&t, "larger.toml", &larger);
        assert_eq!(runs_of(&t, "larger.toml", "grown"), new, "{larger}");
        runs_of(&t, "larger.toml", "whole");
        assert!(bytes(&t, "grown") == bytes(&t, "whole"), "{larger}");
        assert_eq!(fs::read_dir(t.path().join("grown")).unwrap().count(), 5);
        // What is whole is answered, and nothing is run or written.
        let before = fs::metadata(t.path().join("grown/runs.parquet")).unwrap().modified().unwrap();
        let again = run(t.path(), "study larger.toml --out grown");
        assert_eq!(again.stdout, done(t.path(), "study larger.toml --out whole"));
        assert!(again.stderr.contains("all runs are there already"), "{}", again.stderr);
        let after = fs::metadata(t.path().join("grown/runs.parquet")).unwrap().modified().unwrap();
        assert_eq!(before, after);
        for dir in ["grown", "whole"] {
            fs::remove_dir_all(t.path().join(dir)).unwrap();
        }
    }
}

#[test]
fn what_would_lose_or_change_runs_is_refused_by_name() {
    let t = with_tables();
    write(&t, "order.csv", "repeat,config_id\n0,1\n0,2\n1,3\n1,4\n");
    let small = "stoppers = [\"none\", \"etr1\"]\ngoals = [\"rank:1\", \"rank:3\"]\nrepeats = 2\n";
    let order = t.path().join("order.csv").display().to_string();
    let small = format!("{HEAD}samplers = [\"random\", \"recorded:file={order}\"]\n{small}");
    write(&t, "small.toml", &small);
    done(t.path(), "study small.toml --out out");
    let before = bytes(&t, "out");
    let refused = |text: &str, words: &[&str]| {
        write(&t, "other.toml", text);
        let Ran { code, stderr, .. } = run(t.path(), "study other.toml --out out");
        assert_eq!(code, Some(1), "{text}: {stderr}");
        for word in ["results.json"].iter().chain(words) {
            assert!(stderr.contains(word), "{text}: {word}: {stderr}");
        }
        assert!(bytes(&t, "out") == before, "{text}");
        assert_eq!(fs::read_dir(t.path().join("out")).unwrap().count(), 5, "{text}");
    };
    let more = small.replace("= 2", "= 3");
    for (from, to, words) in [
        (
            "repeats = 2",
            "repeats = 1",
            &["repeats = 2: a study grows, and this one asks for 1"][..],
        ),
        ("\"none\", \"etr1\"", "\"etr1\"", &["stoppers = none: its runs are there"]),
        ("\"rank:1\", ", "", &["goals = rank:1: its runs are there"]),
        ("\"random\", ", "", &["samplers = random: its runs are there"]),
        ("[\"T\"]", "[\"U\"]", &["tables = small: its runs are there"]),
    ] {
        refused(&small.replace(from, to), words);
    }
    for (line, words) in [
        ("seed = 1", "seed = 0: its runs have this seed, and the study asks for 1"),
        ("workers = 2", "workers = 1: "),
        ("value = \"final\"", "value = best: "),
        ("report = \"last\"", "report = best: "),
        ("on_nan = \"stop\"", "on_nan = continue: "),
        ("budget_seconds = 3", "budget_seconds = none: "),
        ("max_trials = 3", "max_trials = none: "),
        ("restart = true", "restart = false: "),
        ("trial_overhead = 2", "trial_overhead = 0: "),
        ("charge_setup = true", "charge_setup = false: "),
        ("overhead = \"fixed:1\"", "overhead = none: "),
        ("cost = \"eval_seconds\"", "cost = seconds: "),
        ("curve_repeat = \"draw\"", "curve_repeat = 0: "),
        ("rows = \"0..20\"", "rows = all: "),
        ("where = \"filters < 30\"", "where = none: "),
        ("metric = \"train_accuracy\"", "metric = the table's: "),
        ("[warm_start]\ntrials = 1", "warm_start = none: "),
        ("seed = 1\nworkers = 2", "the study asks for 1; also workers"),
    ] {
        refused(&format!("{small}{line}\n"), &[words]);
    }
    // What is said anew and means the same is no difference.
    write(&t, "same.toml", &format!("{small}seed = 0\nvalue = \"best\"\ncost = \"seconds\"\n"));
    done(t.path(), "study same.toml --out out");
    done(t.path(), "study small.toml --out out");
    assert!(bytes(&t, "out") == before);
    write(&t, "order.csv", "repeat,config_id\n0,1\n0,2\n1,3\n1,5\n2,4\n");
    refused(&more, &["order.csv: the recorded order has changed"]);
    fs::remove_dir_all(t.path().join("T")).unwrap();
    write_table(&t.path().join("T"), 41, 16);
    refused(&more, &["tables = small: it has changed since"]);
}

#[test]
fn results_that_are_not_what_was_written_are_not_gone_on_from() {
    let t = with_tables();
    write(&t, "s.toml", &format!("{HEAD}{SMALL}"));
    write(&t, "more.toml", &format!("{HEAD}{}", SMALL.replace("= 6", "= 9")));
    done(t.path(), "study s.toml --out out");
    let path = |name: &str| t.path().join("out").join(name);
    let refused = |words: &str| {
        let Ran { code, stderr, .. } = run(t.path(), "study more.toml --out out");
        assert!(code == Some(1) && stderr.contains(words), "{words}: {stderr}");
        assert!(!path("parts").exists(), "{words}");
    };
    for name in ["trace.parquet", "runs.parquet"] {
        let sound = fs::read(path(name)).unwrap();
        let mut damaged = sound.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(path(name), damaged).unwrap();
        refused(&format!("{name}: contents = other bytes"));
        fs::write(path(name), sound).unwrap();
    }
    fs::write(path("study.toml"), "name = \"mine\"\n").unwrap();
    refused("it says something else than this study");
    fs::copy(t.path().join("s.toml"), path("study.toml")).unwrap();
    let sound = fs::read_to_string(path("results.json")).unwrap();
    let other = sound.replacen("\"program\": \"", "\"program\": \"0.0.", 1);
    for (text, words) in [
        (other.as_str(), "version of curvebook"),
        ("{}", "another format"),
        ("[", "must be what a study of curvebook wrote"),
        (&sound.replace("\"orders\"", "\"others\""), "about = unknown field `others`"),
    ] {
        fs::write(path("results.json"), text).unwrap();
        refused(words);
    }
    fs::remove_file(path("results.json")).unwrap();
    refused("no results.json says of what study");
}

#[test]
fn a_growth_that_cannot_replace_the_results_is_finished_the_next_time() {
    let t = with_tables();
    write(&t, "s.toml", &format!("{HEAD}{SMALL}"));
    write(&t, "more.toml", &format!("{HEAD}{}", SMALL.replace("= 6", "= 9")));
    write(&t, "third.toml", &format!("{HEAD}{}", SMALL.replace("= 6", "= 12")));
    done(t.path(), "study more.toml --out whole");
    // In the order in which the files are replaced: it ends before the third, or the fourth.
    for (name, replaced) in [("study.toml", 2), ("results.json", 3)] {
        done(t.path(), "study s.toml --out out");
        let path = |name: &str| t.path().join("out").join(name);
        fs::create_dir(path(&format!("{name}.partial"))).unwrap();
        let ran = run(t.path(), "study more.toml --out out");
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(!ran.stdout.is_empty(), "there are answers all the same");
        let same = |name: &str| {
            fs::read(path(name)).unwrap() == fs::read(t.path().join("whole").join(name)).unwrap()
        };
        let files = ["trace.parquet", "runs.parquet", "study.toml", "results.json"];
        assert_eq!(files.map(same), [0, 1, 2, 3].map(|at| at < replaced));
        for study in ["s.toml", "third.toml"] {
            let other = run(t.path(), &format!("study {study} --out out"));
            let words = "go on with the study in out/parts/study.toml";
            assert!(other.code == Some(1) && other.stderr.contains(words), "{}", other.stderr);
            assert!(!other.stderr.contains("to give it up"), "{}", other.stderr);
        }
        fs::remove_dir(path(&format!("{name}.partial"))).unwrap();
        assert_eq!(runs_of(&t, "more.toml", "out"), 0);
        assert!(bytes(&t, "out") == bytes(&t, "whole"));
        assert_eq!(fs::read_dir(t.path().join("out")).unwrap().count(), 5);
        fs::remove_dir_all(t.path().join("out")).unwrap();
    }
    // Killed while the parts were taken away: the study is over, whatever comes next.
    done(t.path(), "study s.toml --out out");
    let parts = t.path().join("out/parts");
    fs::create_dir(&parts).unwrap();
    for (name, text) in [("merged", ""), ("key", "curvebook study of another text\n")] {
        fs::write(parts.join(name), text).unwrap();
    }
    fs::write(parts.join("runs-0000000000-0000000004.parquet"), "half").unwrap();
    done(t.path(), "study more.toml --out out");
    assert!(bytes(&t, "out") == bytes(&t, "whole"));
}

fn parts_in(dir: &Path) -> usize {
    let entries = fs::read_dir(dir.join("parts")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("sums-") && !name.ends_with(".partial")).count()
}

#[test]
fn a_growth_under_kills_keeps_the_results_and_ends_in_the_same_bytes() {
    let t = with_tables();
    let study = |repeats: u32| {
        format!(
            "{HEAD}stoppers = [\"none\", \"etr1\"]\ngoals = [\"rank:1\"]\nrepeats = {repeats}\n"
        )
    };
    write(&t, "s.toml", &study(3000));
    write(&t, "more.toml", &study(16000));
    write(&t, "third.toml", &study(16001));
    let answers = done(t.path(), "study s.toml --out out");
    let whole = done(t.path(), "study more.toml --out whole");
    let (before, dir) = (bytes(&t, "out"), t.path().join("out"));
    let mut is_killed = false;
    for kill in 0..3 {
        let have = parts_in(&dir);
        let arguments = ["study", "more.toml", "--out", "out"];
        let (mut command, null) = (program(t.path()), Stdio::null);
        let mut child = command.args(arguments).stdout(null()).stderr(null()).spawn().unwrap();
        let began = Instant::now();
        while parts_in(&dir) < have + 2 && child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_mins(1), "nothing happens");
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            assert!(kill > 0, "it ended before it was killed");
            break;
        }
        is_killed = true;
        // A kill at the very end may have come between two files.
        if dir.join("parts").exists() && bytes(&t, "out") == before {
            for other in ["third.toml", "s.toml"] {
                let Ran { code, stderr, .. } = run(t.path(), &format!("study {other} --out out"));
                assert_eq!(code, Some(1), "{stderr}");
                assert!(stderr.contains("another study") && stderr.contains("to give it up"));
            }
            assert_eq!(done(t.path(), "analyze out/runs.parquet"), answers);
        }
    }
    assert!(is_killed);
    assert_eq!(done(t.path(), "study more.toml --out out"), whole);
    assert!(bytes(&t, "out") == bytes(&t, "whole"));
    let runs = read_parquet(&dir.join("runs.parquet"));
    let runs = numbers(&runs, "run");
    assert!((0..).zip(&runs).all(|(at, run)| *run == Some(f64::from(at))));
    // Given up, the results are what they were.
    done(t.path(), "study s.toml --out given-up");
    let parts = t.path().join("given-up/parts");
    fs::create_dir(&parts).unwrap();
    fs::write(parts.join("key"), "curvebook study that was killed\n").unwrap();
    assert_eq!(run(t.path(), "study s.toml --out given-up").code, Some(1));
    fs::remove_dir_all(&parts).unwrap();
    assert_eq!(done(t.path(), "study s.toml --out given-up"), answers);
}

#[test]
fn the_series_of_a_grid_are_its_runs() {
    let t = with_tables();
    let pool = curvebook::app::pools::TableOptions::default().load(&t.path().join("T")).unwrap();
    let mut grid =
        grid("random", &["none", "etr1"], &["rank:1", "rank:2"], 3, &Settings::default());
    grid.samplers.push(resolve("--sampler", "aims", toy_methods::SAMPLERS).unwrap());
    grid.workers = vec![1, 2];
    let runs = crate::replay_common::run_grid(&grid, &pool, 1).unwrap();
    let series = grid.series();
    assert_eq!(series.len() * 3, runs.len());
    assert_eq!(series.iter().filter(|s| s.goals.len() == 1).count(), 8, "one a goal");
    for run in &runs {
        let of = &series[run.run as usize / 3];
        assert_eq!(run.rows.iter().map(|r| r.goal.clone()).collect::<Vec<_>>(), of.goals);
        let row = &run.rows[0];
        assert_eq!(
            (&row.sampler, &row.scheduler, &row.stopper, row.workers, row.repeat),
            (&of.sampler, &of.scheduler, &of.stopper, of.workers, run.run % 3)
        );
    }
}
