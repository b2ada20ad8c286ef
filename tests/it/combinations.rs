//! Methods that run together by name, beside a grid or alone: the same runs as a grid's.

use std::fs;

use tempfile::TempDir;

use crate::command_line::{done, run};
use crate::table_common::write_table;

const HEAD: &str =
    "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:2\", \"rank:5\"]\nrepeats = 3\n";

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    t
}

/// Runs a study of these methods into `out`, and what it printed.
#[track_caller]
fn study(t: &TempDir, methods: &str, out: &str) -> String {
    fs::write(t.path().join(format!("{out}.toml")), format!("{HEAD}{methods}\n")).unwrap();
    done(t.path(), &format!("study {out}.toml --out {out}"))
}

fn files(t: &TempDir, out: &str) -> [Vec<u8>; 2] {
    ["runs.parquet", "trace.parquet"].map(|f| fs::read(t.path().join(out).join(f)).unwrap())
}

/// The methods in a file of runs, each once, as their names alone.
fn methods_of(t: &TempDir, out: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let file = t.path().join(out).join("runs.parquet");
    curvebook::store::runs::read(&file, |row| {
        let texts = [row.sampler, row.scheduler, row.stopper];
        let names = texts.map(|text| text.split(':').next().unwrap());
        let method = names.join(" + ");
        if !all.contains(&method) {
            all.push(method);
        }
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn combinations_alone_are_the_runs_of_a_grid() {
    let t = with_table();
    study(&t, "samplers = [\"random\", \"sobol\"]\nstoppers = [\"none\", \"etr1\"]", "grid");
    let alone = "methods = [\"random\", \"random + etr1\", \"sobol + none\", \"etr1 + sobol\"]";
    study(&t, alone, "alone");
    assert!(files(&t, "grid") == files(&t, "alone"), "the same runs in this order");
}

#[test]
fn combinations_stand_behind_the_grid_that_was_asked_for() {
    let t = with_table();
    study(&t, "stoppers = [\"etr1\"]\nmethods = [\"sobol + asha + median\"]", "both");
    assert_eq!(methods_of(&t, "both"), ["random + fifo + etr1", "sobol + asha + median"]);
    // A finished study takes further ones, and keeps what is there.
    let more = "stoppers = [\"etr1\"]\nmethods = [\"hyperband\", \"sobol + asha + median\"]";
    fs::write(t.path().join("more.toml"), format!("{HEAD}{more}\n")).unwrap();
    let grown = run(t.path(), "study more.toml --out both");
    assert!(grown.stderr.contains("6 of the 9 runs are in its results"), "{}", grown.stderr);
    study(&t, more, "whole");
    assert!(files(&t, "both") == files(&t, "whole"));
}

#[test]
fn a_rule_is_held_against_the_schedulers_that_it_runs_with_alone() {
    let t = with_table();
    study(&t, "methods = [\"asha:max=2\", \"median:warmup=2\"]", "apart");
    assert_eq!(methods_of(&t, "apart"), ["random + asha + none", "random + fifo + median"]);
}

#[test]
fn a_combination_that_runs_anyway_is_refused() {
    let t = with_table();
    for (methods, rule) in [
        ("stoppers = [\"etr1\"]\nmethods = [\"etr1\"]", "stands twice"),
        ("methods = [\"sobol\", \"sobol + fifo\"]", "stands twice"),
        ("preset = \"dehb\"\nmethods = [\"sobol\"]", "says its methods itself"),
        ("methods = [\"sobol + random\"]", "names two samplers, sobol and random"),
        ("methods = [\"rf-ei + wilcoxn\"]", "did you mean `wilcoxon`?"),
        ("methods = [\"asha:max=2 + median:warmup=2\"]", "ends trials at 2"),
        ("report = \"ranked\"\nmethods = [\"rf-ei + etr1\"]", "fits the values"),
    ] {
        fs::write(t.path().join("s.toml"), format!("{HEAD}{methods}\n")).unwrap();
        let ran = run(t.path(), "study s.toml --out o");
        assert_eq!(ran.code, Some(1), "{methods}");
        assert!(ran.stderr.contains(rule), "{methods}: {}", ran.stderr);
        assert!(!t.path().join("o").exists(), "{methods}");
    }
}
