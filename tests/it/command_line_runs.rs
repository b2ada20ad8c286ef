//! Many runs through the program: stopped half-way, killed, gone on with, streamed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use curvebook::app::pools::TableOptions;
use curvebook::app::runs::{self, write};
use curvebook::replay::{Grid, Pool, RunOptions, Settings};
use curvebook::store::Parts;
use tempfile::TempDir;

use crate::command_line::{done, program, run};
use crate::replay_common::{grid, numbers, read_parquet, write_files};
use crate::table_common::write_table;

const STUDY: &str = "name = \"s\"\ntables = [\"T\"]\nstoppers = [\"none\", \"etr1\"]\n\
                     goals = [\"rank:1\"]\nrepeats = 20000\n";

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    fs::write(t.path().join("s.toml"), STUDY).unwrap();
    t
}

/// Runs the rest of a study in parts that end where `cuts` say.
fn run_parts(grid: &Grid, pool: &Pool, parts: &mut Parts, cuts: &[u32]) {
    for &to in cuts {
        let mut output = parts.begin(to).unwrap();
        let options = RunOptions { from: parts.done(), to, ..RunOptions::all(2, true) };
        runs::run(grid, pool, &options, |block| write(&mut output, pool, &block)).unwrap();
        parts.finish(output, to).unwrap();
    }
}

#[test]
fn where_a_study_is_cut_into_parts_leaves_no_mark() {
    let t = with_table();
    let pool = TableOptions::default().load(&t.path().join("T")).unwrap();
    let grid = grid("random", &["none", "etr1"], &["rank:1"], 3000, &Settings::default());
    let path = |name: &str| t.path().join(name);
    write_files(&grid, &pool, 2, &path("whole-runs"), &path("whole-trace"));
    for (name, before, after) in
        [("one", &[][..], &[6000][..]), ("many", &[1, 300, 3001], &[3002, 5000, 6000])]
    {
        let dir = path(name);
        fs::create_dir(&dir).unwrap();
        run_parts(&grid, &pool, &mut Parts::open(&dir, "key").unwrap(), before);
        let mut parts = Parts::open(&dir, "key").unwrap();
        assert_eq!(parts.done(), before.last().copied().unwrap_or(0));
        // A part that was not finished leaves nothing behind.
        drop(parts.begin(6000).unwrap());
        run_parts(&grid, &pool, &mut parts, after);
        parts.merge().unwrap();
        for file in ["runs", "trace"] {
            let found = fs::read(dir.join(format!("{file}.parquet"))).unwrap();
            assert!(found == fs::read(path(&format!("whole-{file}"))).unwrap(), "{name} {file}");
        }
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "the parts are gone");
    }
}

#[test]
fn parts_of_another_study_are_refused() {
    let t = TempDir::new().unwrap();
    Parts::open(t.path(), "one").unwrap();
    let refused = Parts::open(t.path(), "another").unwrap_err().to_string();
    assert!(refused.contains("another study, table or version"), "{refused}");
}

/// Waits until there is `what`, for as long as the program runs.
fn wait_for(child: &mut Child, what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(began.elapsed() < Duration::from_mins(1), "nothing happens");
        sleep(Duration::from_millis(2));
    }
}

fn has_a_part(dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(dir.join("parts")) else { return false };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().any(|name| name.starts_with("sums-") && !name.ends_with(".partial"))
}

#[test]
fn a_killed_study_goes_on_and_ends_as_if_nothing_had_happened() {
    let t = with_table();
    let whole = done(t.path(), "study s.toml --out whole");
    let mut child = program(t.path()).args(["study", "s.toml", "--out", "killed"]).spawn().unwrap();
    let dir = t.path().join("killed");
    wait_for(&mut child, || has_a_part(&dir));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!dir.join("runs.parquet").exists(), "killed too late to show anything");
    fs::write(t.path().join("other.toml"), STUDY.replace("20000", "20001")).unwrap();
    let other = run(t.path(), "study other.toml --out killed");
    assert!(other.code == Some(1) && other.stderr.contains("another study"), "{}", other.stderr);
    let again = run(t.path(), "study s.toml --out killed");
    assert!(again.stderr.contains("runs are there already"), "{}", again.stderr);
    assert_eq!(again.stdout, whole);
    for file in ["runs.parquet", "trace.parquet", "study.toml"] {
        let bytes = |name: &str| fs::read(t.path().join(name).join(file)).unwrap();
        assert!(bytes("whole") == bytes("killed"), "{file}");
    }
    assert!(!dir.join("parts").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_finished_runs() {
    let t = with_table();
    let arguments = "replay --table T --goal 2 --repeats 3000000 --out runs.parquet --no-analysis";
    let mut command = program(t.path());
    command.args(arguments.split(' ')).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The runs go to a temporary file beside the table until all are there.
    let has_begun = || {
        let files = fs::read_dir(t.path()).unwrap().flatten();
        files.filter_map(|f| f.metadata().ok()).any(|m| m.is_file() && m.len() > 100_000)
    };
    wait_for(&mut child, has_begun);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("of 3000000 runs are done; they are in runs.parquet"), "{stderr}");
    let batch = read_parquet(&t.path().join("runs.parquet"));
    let runs = numbers(&batch, "run");
    assert!(!runs.is_empty() && runs.len() < 3_000_000);
    assert!((0..).zip(&runs).all(|(at, run)| *run == Some(f64::from(at))), "none is missing");
}

#[test]
fn what_cannot_be_reached_is_said_before_the_runs() {
    let t = with_table();
    let ran = run(t.path(), "replay --table T --goal 2 --repeats 2");
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("warning: goal 2 on") && ran.stderr.contains("no epoch"));
    let ran = run(t.path(), "replay --table T --goal rank:1 --repeats 2");
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    let ran = run(t.path(), "replay --table T --goal rank:1 --no-analysis");
    assert!(ran.code == Some(1) && ran.stderr.contains("nothing would come out"));
}

#[test]
fn a_study_file_says_what_the_options_of_replay_say() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    let head = "name = \"s\"\ntables = [\"T\"]\nsamplers = [\"rf-ei:trees=5\"]\n\
                stoppers = [\"etr1\"]\ngoals = [\"rank:3\"]\nrepeats = 5\n";
    let settings = "value = \"final\"\nreport = \"worst\"\non_nan = \"stop\"\nworkers = 2\n\
                    budget_seconds = 50\nmax_trials = 9\nrestart = true\ntrial_overhead = 0.5\n\
                    charge_setup = true\noverhead = \"fixed:0.25\"\ncost = \"eval_seconds\"\n\
                    curve_repeat = \"draw\"\nseed = 3\n\
                    [warm_start]\ntrials = 3\nsampler = \"sobol\"\nstopper = \"etr1:tau=2\"\n\
                    epochs = 2\n";
    fs::write(t.path().join("s.toml"), format!("{head}{settings}")).unwrap();
    done(t.path(), "study s.toml --out study");
    let options = "replay --table T --sampler rf-ei:trees=5 --stopper etr1 --goal rank:3 \
                   --repeats 5 --value final --report worst --on-nan stop --workers 2 \
                   --budget-seconds 50 --max-trials 9 --restart --trial-overhead 0.5 \
                   --charge-setup --overhead fixed:0.25 --cost eval_seconds --curve-repeat draw \
                   --seed 3 --warm-start-trials 3 --warm-start-sampler sobol \
                   --warm-start-stopper etr1:tau=2 --warm-start-epochs 2 --out runs.parquet \
                   --trace trace.parquet";
    done(t.path(), options);
    for file in ["runs.parquet", "trace.parquet"] {
        let bytes = |path: &Path| fs::read(path).unwrap();
        let studied = t.path().join("study").join(file);
        assert!(bytes(&studied) == bytes(&t.path().join(file)), "{file}");
    }
    let found =
        crate::replay_common::words(&read_parquet(&t.path().join("runs.parquet")), "settings");
    assert_eq!(
        found[0],
        "cost=eval_seconds curve-repeat=draw on-nan=stop restart trial-overhead=0.5 charge-setup \
         overhead=fixed:0.25 warm-start-trials=3 warm-start-sampler=sobol \
         warm-start-stopper=etr1:tau=2,epsilon=0.05 warm-start-epochs=2"
    );
}

#[test]
fn a_study_file_with_senseless_settings_is_refused_with_the_place() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    let head = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:3\"]\n";
    for (line, wanted) in [
        ("report = \"wurst\"", "report: report = wurst: no such report; did you mean `worst`?"),
        ("overhead = \"fixed:-1\"", "overhead: seconds = -1: must be 0 to 1e6 seconds"),
        ("overhead = \"some\"", "no such model of overhead"),
        ("trial_overhead = 1e9", "trial_overhead: seconds = 1000000000: must be 0 to 1e6"),
        ("curve_repeat = \"last\"", "must be the number of a recorded repeat, or draw"),
        ("curve_repeat = 9", "every configuration must have that repeat"),
        ("cost = \"nothing\"", "the table needs this column"),
        ("restart = 1", "restart"),
        ("[warm_start]\nsampler = \"sobol\"", "trials"),
        ("[warm_start]\ntrials = 2\nsampler = \"soboll\"", "did you mean `sobol`?"),
        ("[warm_start]\ntrials = 2\nepochs = 99", "has epochs 1 to 4"),
        ("[warm_start]\ntrials = 2\nepoch = 1", "epoch"),
    ] {
        fs::write(t.path().join("s.toml"), format!("{head}{line}\n")).unwrap();
        let ran = run(t.path(), "study s.toml --out out");
        assert_eq!(ran.code, Some(1), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{line}: {}", ran.stderr);
        assert!(!t.path().join("out").exists(), "{line}: something was left behind");
    }
}
