//! Pages of answers: they end every study, escape what they are given, and say what is missing.

use std::fs;
use std::path::Path;

use curvebook::store::Output;
use curvebook::store::runs::RunRow;
use tempfile::TempDir;

use crate::command_line::{Ran, done, run};
use crate::table_common::write_table;

const STUDY: &str = "name = \"s\"\nsummary = \"What is <sooner>?\"\ntables = [\"T\"]\n\
                     samplers = [\"random\", \"sobol\"]\nstoppers = [\"none\", \"etr1\"]\n\
                     goals = [\"rank:5\"]\nrepeats = 6\n";

fn with_study() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    fs::write(t.path().join("s.toml"), STUDY).unwrap();
    t
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn row(sampler: &str, repeat: u32, time: Option<f64>, end_reason: &str) -> RunRow {
    RunRow {
        run: repeat,
        table: "T".into(),
        sampler: sampler.into(),
        scheduler: "fifo".into(),
        stopper: "none".into(),
        report: "best".into(),
        value: "best".into(),
        workers: 1,
        goal: "0.9".into(),
        goal_value: 0.9,
        goal_rows: 9,
        repeat,
        reached: time.is_some(),
        time_to_goal_s: time,
        time_to_goal_epoch_s: time,
        trials_to_goal: time.map(|_| 1),
        epochs_to_goal: time.map(|_| 3),
        end_s: time.unwrap_or(50.0),
        trials: 1,
        epochs: 3,
        end_reason: end_reason.into(),
        table_share: 0.1,
        ..RunRow::default()
    }
}

fn written(dir: &Path, rows: &[RunRow]) {
    let mut rows = rows.to_vec();
    for (run, row) in (0..).zip(&mut rows) {
        row.run = run;
    }
    let mut output = Output::create(Some(&dir.join("r.parquet")), None).unwrap();
    output.write(&rows.iter().collect::<Vec<_>>(), &[]).unwrap();
    output.finish().unwrap();
}

/// The page of some rows.
#[track_caller]
fn page(rows: &[RunRow]) -> String {
    let t = TempDir::new().unwrap();
    written(t.path(), rows);
    done(t.path(), "report r.parquet --out page.html");
    text(&t.path().join("page.html"))
}

#[test]
fn a_study_ends_with_its_page_which_is_the_same_at_any_time() {
    let t = with_study();
    let out = done(t.path(), "study s.toml --out out");
    let html = text(&t.path().join("out/report.html"));
    // The sentence stands in both, once its signs are escaped.
    let sentence = out.lines().next().unwrap().to_string();
    assert!(html.contains(&sentence), "{sentence}");
    assert!(html.contains("What is &lt;sooner&gt;?") && !html.contains("<sooner>"));
    for plot in ["time-to-goal-1", "reached-1", "speed-up-1", "regret-", "headroom-1", "timeline-1"]
    {
        assert!(html.contains(&format!("id=\"{plot}")), "{plot}");
    }
    done(t.path(), "study s.toml --out again --threads 1");
    let again = text(&t.path().join("again/report.html"));
    assert_eq!(again.replace("again", "out"), html.replace("again", "out"));
    // By its own command, and of a finished study.
    done(t.path(), "report out --out page.html --plots plots");
    assert_eq!(text(&t.path().join("page.html")), html);
    fs::remove_file(t.path().join("out/report.html")).unwrap();
    done(t.path(), "study s.toml --out out");
    assert_eq!(text(&t.path().join("out/report.html")), html);
    // Every plot as SVG, CSV and PNG.
    let names: Vec<String> = fs::read_dir(t.path().join("plots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let of = |end: &str| names.iter().filter(|name| name.ends_with(end)).count();
    assert!(of(".svg") >= 9 && of(".svg") == of(".csv") && of(".svg") == of(".png"), "{names:?}");
    let png = fs::read(t.path().join("plots/time-to-goal-1.png")).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let svg = text(&t.path().join("plots/time-to-goal-1.svg"));
    assert!(!svg.contains("var(--") && !svg.contains("data-"), "a file needs no style sheet");
    let csv = text(&t.path().join("plots/time-to-goal-1.csv"));
    // Two samplers, with and without a rule, six times.
    assert_eq!(csv.lines().count(), 1 + 4 * 6, "{csv}");
    done(t.path(), "report out --out page.html --plots plots");
}

#[test]
fn what_stands_where_a_page_goes_stays() {
    let t = with_study();
    fs::create_dir(t.path().join("out")).unwrap();
    fs::write(t.path().join("out/report.html"), "<p>mine</p>").unwrap();
    let Ran { code, stderr, .. } = run(t.path(), "study s.toml --out out");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("report.html") && stderr.contains("it exists"), "{stderr}");
    assert_eq!(fs::read_dir(t.path().join("out")).unwrap().count(), 1, "nothing was run");
    fs::remove_dir_all(t.path().join("out")).unwrap();
    done(t.path(), "study s.toml --out out");
    fs::write(t.path().join("page.html"), "<p>mine</p>").unwrap();
    for refused in [
        "report out --out page.html",
        "report out/runs.parquet --out out/runs.parquet",
        "report out --out nowhere/page.html",
        "report out --out page2.html --plots out",
        "report out --out page2.html --plots s.toml",
        "report T --out page2.html",
        "report out --out page2.html --baseline nobody",
        "report out --out page2.html --table nowhere",
    ] {
        let Ran { code, stderr, .. } = run(t.path(), refused);
        assert_eq!(code, Some(1), "{refused}: {stderr}");
        assert!(!t.path().join("page2.html").exists(), "{refused}");
    }
    assert_eq!(text(&t.path().join("page.html")), "<p>mine</p>");
    done(t.path(), "report out --out page.html --force");
    assert!(text(&t.path().join("page.html")).contains("curvebook"));
    assert!(done(t.path(), "report out --out -").starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_table_that_is_not_there_is_said_to_be_missing() {
    let t = with_study();
    done(t.path(), "study s.toml --out out");
    fs::rename(t.path().join("T"), t.path().join("moved")).unwrap();
    done(t.path(), "report out --out page.html");
    let html = text(&t.path().join("page.html"));
    assert!(html.contains(" of this study is not there"), "says what is missing");
    assert!(html.contains("id=\"best-") && !html.contains("id=\"regret-"));
    done(t.path(), "report out --out page.html --table moved");
    let html = text(&t.path().join("page.html"));
    assert!(html.contains("id=\"regret-") && !html.contains("of this study is not there"));
    // Another table of that name is none.
    write_table(&t.path().join("T"), 41, 16);
    done(t.path(), "report out --out page.html");
    assert!(text(&t.path().join("page.html")).contains("has changed since"));
    // Results that are not those that were written are refused.
    fs::copy(t.path().join("out/trace.parquet"), t.path().join("out/runs.parquet")).unwrap();
    assert_eq!(run(t.path(), "report out --out page.html").code, Some(1));
}

#[test]
fn names_from_files_are_text_and_nothing_else() {
    let hostile = "x</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{1b}[31m";
    let mut rows = Vec::new();
    for repeat in 0..3 {
        rows.push(row("random", repeat, Some(f64::from(repeat) + 1.0), "goal"));
        rows.push(row(hostile, repeat, Some(f64::from(repeat) + 2.0), "goal"));
    }
    for row in &mut rows {
        row.table = format!("T{hostile}");
        row.goal = format!("0.9{hostile}");
    }
    let html = page(&rows);
    assert!(!html.contains("<script>alert") && !html.contains("<img"));
    assert!(!html.contains('\u{1b}') && html.contains("\\u001b"));
    // Two scripts of data or more, and the one of the page.
    let scripts = html.matches("<script").count();
    assert_eq!(scripts, html.matches("<script type=\"application/json\">").count() + 1);
}

#[test]
fn runs_that_say_little_make_no_empty_plot_and_no_nan() {
    let reached = |repeat| row("random", repeat, Some(3.0), "goal");
    let never = |sampler, repeat| row(sampler, repeat, None, "exhausted");
    let cut = |sampler, repeat| row(sampler, repeat, None, "budget");
    let at_once = |repeat| row("sobol", repeat, Some(0.0), "goal");
    let cases: [(&str, Vec<RunRow>); 6] = [
        ("one run", vec![reached(0)]),
        ("one repeat", vec![reached(0), at_once(0)]),
        ("all never", vec![never("random", 0), never("sobol", 0), never("random", 1)]),
        ("all cut", vec![cut("random", 0), cut("random", 1), cut("sobol", 0), cut("sobol", 1)]),
        ("one never", vec![reached(0), reached(1), never("sobol", 0), never("sobol", 1)]),
        ("all at once", vec![at_once(0), at_once(1), at_once(2)]),
    ];
    for (case, rows) in cases {
        let html = page(&rows);
        let body = html.split("<main>").nth(1).unwrap().split("<script>").next().unwrap();
        for word in ["NaN", "Infinity", "undefined"] {
            assert!(!body.contains(word), "{case}: {word}");
        }
        let some = rows.iter().any(|row| row.reached);
        assert_eq!(body.contains("id=\"time-to-goal-1\""), some, "{case}");
        assert_eq!(body.contains("No run of any method reached this goal"), !some, "{case}");
    }
}

#[test]
fn several_studies_stand_in_one_page() {
    let t = with_study();
    done(t.path(), "study s.toml --out one");
    fs::write(t.path().join("two.toml"), STUDY.replace("\"s\"", "\"another\"")).unwrap();
    done(t.path(), "study two.toml --out two");
    done(t.path(), "report one two --out both.html");
    let html = text(&t.path().join("both.html"));
    for id in ["id=\"time-to-goal-1\"", "id=\"study-2-time-to-goal-1\"", "id=\"study-2-answers\""] {
        assert_eq!(html.matches(id).count(), 1, "{id}");
    }
}

#[test]
fn results_are_verified_by_running_them_anew() {
    let t = with_study();
    done(t.path(), "study s.toml --out out");
    let said = done(t.path(), "verify out");
    assert_eq!(
        said,
        "runs.parquet: the same bytes\ntrace.parquet: the same bytes\n24 rows run anew\n"
    );
    let json = done(t.path(), "verify out --format json --threads 1");
    assert!(json.contains("\"same\": true") && json.contains("\"first_difference\": null"));
    // Results of another seed under this study's name.
    fs::write(t.path().join("o.toml"), format!("{STUDY}seed = 1\n")).unwrap();
    done(t.path(), "study o.toml --out other");
    for file in ["runs.parquet", "trace.parquet"] {
        fs::copy(t.path().join("other").join(file), t.path().join("out").join(file)).unwrap();
    }
    let Ran { code, stderr, .. } = run(t.path(), "verify out");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("other bytes"), "files that were swapped: {stderr}");
    let results = text(&t.path().join("other/results.json"));
    let seals = results.split("\"files\"").nth(1).unwrap();
    let own = text(&t.path().join("out/results.json"));
    let forged = format!("{}\"files\"{seals}", own.split("\"files\"").next().unwrap());
    fs::write(t.path().join("out/results.json"), forged).unwrap();
    let Ran { code, stdout, stderr, .. } = run(t.path(), "verify out");
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains("runs.parquet: OTHER BYTES"), "{stdout}");
    assert!(stderr.contains("run 0 (sampler=random") && stderr.contains("repeat 0"), "{stderr}");
    // A table that has changed, and a directory that is no study's.
    fs::rename(t.path().join("T"), t.path().join("moved")).unwrap();
    write_table(&t.path().join("T"), 41, 16);
    let Ran { code, stderr, .. } = run(t.path(), "verify other");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("changed since") && stderr.contains("--table"), "{stderr}");
    assert!(done(t.path(), "verify other --table moved").contains("the same bytes"));
    assert_eq!(run(t.path(), "verify T").code, Some(1));
}

#[test]
fn a_claim_is_held_to_other_settings() {
    let t = with_study();
    let robust = format!("{STUDY}robustness = true\n");
    fs::write(t.path().join("r.toml"), &robust).unwrap();
    let ran = run(t.path(), "study r.toml --out out");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("under other settings, 1 of 11: value final"), "{}", ran.stderr);
    let (html, kept) =
        (text(&t.path().join("out/report.html")), text(&t.path().join("out/robustness.json")));
    assert!(html.contains("Under other settings") && html.contains("second half of the table"));
    // The runs are those of the study without.
    done(t.path(), "study s.toml --out plain");
    for file in ["runs.parquet", "trace.parquet"] {
        let bytes = |dir: &str| fs::read(t.path().join(dir).join(file)).unwrap();
        assert!(bytes("out") == bytes("plain"), "{file}");
    }
    assert!(!text(&t.path().join("plain/report.html")).contains("Under other settings"));
    // What is there is not made again, and the same at any number of threads.
    let again = run(t.path(), "study r.toml --out out");
    assert!(!again.stderr.contains("under other settings"), "{}", again.stderr);
    done(t.path(), "study r.toml --out one --threads 1");
    assert_eq!(text(&t.path().join("one/robustness.json")), kept);
    // A larger study's is its own.
    fs::write(t.path().join("r.toml"), robust.replace("repeats = 6", "repeats = 7")).unwrap();
    done(t.path(), "study r.toml --out out");
    assert!(text(&t.path().join("out/robustness.json")) != kept);
    fs::write(t.path().join("one/robustness.json"), "mine").unwrap();
    fs::remove_file(t.path().join("one/results.json")).unwrap();
    let refused = run(t.path(), "study r.toml --out one");
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert_eq!(text(&t.path().join("one/robustness.json")), "mine");
    // A setting by itself: what it says is what a study under it says.
    let json: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let settings = json["settings"].as_array().unwrap();
    let of = |name: &str| settings.iter().find(|s| s["name"] == name).unwrap();
    fs::write(t.path().join("f.toml"), format!("{STUDY}value = \"final\"\n")).unwrap();
    let answers = done(t.path(), "study f.toml --out final --format json");
    let answers: serde_json::Value = serde_json::from_str(&answers).unwrap();
    let methods = answers["goals"][0]["methods"].as_array().unwrap();
    for speedup in of("value final")["goals"][0]["speedups"].as_array().unwrap() {
        let method = &methods[usize::try_from(speedup["method"].as_u64().unwrap()).unwrap()];
        assert_eq!(speedup["ratio"][0], method["speedup"]["ratio"]["low"], "{method}");
    }
}

#[test]
fn box_plots_are_for_terminals() {
    let t = with_study();
    let out = done(t.path(), "study s.toml --out out --plot");
    assert!(!out.contains('\u{2588}'), "a pipe gets numbers alone: {out}");
    assert_eq!(out, done(t.path(), "study s.toml --out out"));
}
