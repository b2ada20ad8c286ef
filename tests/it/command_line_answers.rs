//! How the program prints answers: formats, widths, orders, names that files hold.

use std::fs;
use std::process::Stdio;

use tempfile::TempDir;

use crate::command_line::{done, program, run, with_table};
use crate::replay_common::{read_parquet, words};
use crate::table_common::write_table;

const REPLAY: &str = "replay --table T --stopper none --stopper etr1 --goal rank:3 --repeats 5";

#[test]
fn answers_begin_with_a_sentence_and_come_in_five_formats() {
    let t = with_table();
    let text = done(t.path(), REPLAY);
    assert!(text.starts_with("On "), "{text}");
    assert!(!text.contains("P(sooner)"));
    assert!(done(t.path(), &format!("{REPLAY} --full")).contains("P(sooner)"));
    let csv = done(t.path(), &format!("{REPLAY} --format csv"));
    assert!(csv.starts_with("table,goal,") && csv.lines().count() == 3, "{csv}");
    let markdown = done(t.path(), &format!("{REPLAY} --format markdown --sort name"));
    assert!(markdown.starts_with("- On ") && markdown.contains("\n|---|"), "{markdown}");
    let latex = done(t.path(), &format!("{REPLAY} --format latex --sort name"));
    assert!(latex.contains("\\item On ") && latex.contains("\n\\toprule\n"), "{latex}");
    let refused = run(t.path(), "methods --format latex");
    assert!(refused.stderr.contains("--format = latex: answers alone are printed so"));
    let refused = run(t.path(), "methods --format csv");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--format = csv: answers alone are printed so"));
}

#[test]
fn runs_come_through_a_pipe_and_the_baseline_by_its_label() {
    let t = with_table();
    done(t.path(), &format!("{REPLAY} --stopper etr1:tau=2 --out r.parquet"));
    let from_file = done(t.path(), "analyze r.parquet --baseline etr1:tau=2");
    for baseline in ["etr1 tau=2", "tau=2", "etr1 + tau=2"] {
        let file = fs::File::open(t.path().join("r.parquet")).unwrap();
        let mut command = program(t.path());
        command.args(["analyze", "-", "--baseline", baseline]).stdin(Stdio::from(file));
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), from_file, "{baseline}");
    }
    let refused = run(t.path(), "analyze -");
    assert!(refused.code == Some(1) && refused.stderr.starts_with("error: stdin: "));
    let refused = run(t.path(), "analyze r.parquet --baseline etr1");
    assert!(refused.code == Some(1) && refused.stderr.contains("several methods"));
}

#[test]
fn the_width_follows_columns() {
    let t = with_table();
    for width in [60_usize, 90] {
        let mut command = program(t.path());
        command.args(REPLAY.split(' ')).env("COLUMNS", width.to_string());
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((width - 20..=width).contains(&widest), "{widest}\n{text}");
    }
}

#[test]
fn what_a_file_holds_does_not_reach_the_terminal_as_it_is() {
    let t = with_table();
    let manifest = t.path().join("T/table.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["name"] = "a\u{1b}[31mred\nGoal 0.9 on b\u{9b}2J".into();
    fs::write(&manifest, json.to_string()).unwrap();
    let info = "table info T".to_string();
    for command in [&info, REPLAY, &format!("{REPLAY} -v"), &format!("{REPLAY} --format json")] {
        let ran = run(t.path(), command);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let all = ran.stdout + &ran.stderr;
        assert!(!all.contains(['\u{1b}', '\u{9b}']), "{all:?}");
        assert!(!all.contains("\nGoal 0.9 on b"), "{all}");
    }
}

#[test]
fn quiet_and_verbose_say_less_and_more() {
    let t = with_table();
    assert_eq!(run(t.path(), REPLAY).stderr, "");
    assert!(run(t.path(), &format!("{REPLAY} -v")).stderr.contains("12 rows, hash "));
    let warned = "replay --table T --goal 2 --repeats 2 -q";
    assert!(run(t.path(), warned).stderr.contains("warning: goal 2 on"));
    let both = run(t.path(), &format!("{REPLAY} -q -v"));
    assert_eq!(both.code, Some(1), "{}", both.stderr);
}

#[test]
fn runs_know_their_table_by_what_it_holds() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    write_table(&t.path().join("other"), 13, 16);
    let copy = t.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["table.json", "configs.parquet", "curves.parquet"] {
        fs::copy(t.path().join("T").join(file), copy.join(file)).unwrap();
    }
    // A table of another name is the same table.
    let name = |dir: &str, name: &str| {
        let path = t.path().join(dir).join("table.json");
        let mut json: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        json["name"] = name.into();
        fs::write(&path, json.to_string()).unwrap();
    };
    name("copy", "another");
    name("T", "one");
    name("other", "one");
    let hash = |dir: &str| {
        done(
            t.path(),
            &format!("replay --table {dir} --goal rank:3 --repeats 3 --out {dir}.parquet"),
        );
        let hashes = words(&read_parquet(&t.path().join(format!("{dir}.parquet"))), "table_hash");
        assert!(hashes.iter().all(|hash| hash.len() == 64 && *hash == hashes[0]));
        hashes[0].clone()
    };
    let hashes = ["T", "copy", "other"].map(hash);
    assert!(hashes[0] == hashes[1] && hashes[0] != hashes[2]);

    let refused = run(t.path(), "analyze T.parquet other.parquet");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("other.parquet: column table = one: two tables have this"));
    let study = |tables: &str, more: &str| {
        let text =
            format!("name = \"s\"\ntables = {tables}\ngoals = [\"rank:3\"]\nrepeats = 2\n{more}");
        fs::write(t.path().join("s.toml"), text).unwrap();
        let ran = run(t.path(), "study s.toml --out s");
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        ran.stderr
    };
    let two = study("[\"T\", \"other\"]", "");
    assert!(two.contains("s.toml: tables: name = one: ") && two.contains("two tables"), "{two}");
    let same = study("[\"T\", \"T\"]", "");
    assert!(same.contains("are the same table; name it once"), "{same}");
    let baseline = study("[\"T\"]", "baseline = \"asha\"\n");
    assert!(baseline.starts_with("error: s.toml: baseline: baseline = asha: "), "{baseline}");
}

#[test]
fn seconds_and_shares_are_understood_with_their_units() {
    let t = with_table();
    let runs = |name: &str, options: &str| {
        let command = format!("replay --table T --repeats 9 {options} --out {name} --no-analysis");
        done(t.path(), &command);
        fs::read(t.path().join(name)).unwrap()
    };
    let plain = runs("a.parquet", "--goal 0.8 --goal top:0.25 --budget-seconds 3");
    for budget in ["3s", "0.05m", "0.05min"] {
        let options = format!("--goal 80% --goal top:25% --budget-seconds {budget}");
        assert!(runs("b.parquet", &options) == plain, "{budget}");
    }
    let refused = run(t.path(), "replay --table T --goal 1 --budget-seconds 3weeks");
    assert!(refused.code == Some(1) && refused.stderr.contains("seconds = 3weeks: must be"));
    let study = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"80%\"]\nrepeats = 2\n";
    fs::write(t.path().join("s.toml"), format!("{study}budget_seconds = \"1h\"\n")).unwrap();
    done(t.path(), "study s.toml --out s");
}

#[test]
fn what_a_table_refuses_of_a_study_is_named_by_file_and_field() {
    let t = with_table();
    let study = |settings: &str| {
        let text = format!("name = \"s\"\ntables = [\"T\"]\nrepeats = 2\n{settings}\n");
        fs::write(t.path().join("s.toml"), text).unwrap();
        let ran = run(t.path(), "study s.toml --out s");
        assert_eq!(ran.code, Some(1), "{settings}\n{}", ran.stderr);
        ran.stderr
    };
    for (settings, place) in [
        ("goals = [\"rank:99\"]", "s.toml: goals: "),
        ("goals = [\"rank:1\"]\ncost = \"config_id\"", "s.toml: cost: "),
        ("goals = [\"rank:1\"]\ncurve_repeat = 7", "s.toml: curve_repeat: "),
        ("goals = [\"rank:1\"]\nstoppers = [\"etr1:tau=40\"]", "s.toml: stoppers: "),
        ("goals = [\"rank:1\"]\nbaseline = \"etr2\"", "s.toml: baseline: "),
    ] {
        let stderr = study(settings);
        assert!(stderr.contains(place), "{settings}\n{stderr}");
        assert!(!stderr.contains("--"), "no option was given: {stderr}");
    }
    assert!(!t.path().join("s").exists(), "a refused study leaves nothing");
}

#[test]
fn what_was_typed_does_not_reach_the_terminal_as_it_is() {
    let t = with_table();
    let typed = "replay --table T --goal rank:1 --val\u{1b}[31m\u{202e}\u{9b}2J";
    let ran = run(t.path(), typed);
    assert_eq!(ran.code, Some(1));
    let hostile = ['\u{1b}', '\u{202e}', '\u{9b}'];
    assert!(ran.stderr.contains("\\u202e") && !ran.stderr.contains(hostile), "{}", ran.stderr);
}

#[cfg(all(feature = "gpu", target_os = "linux"))]
#[test]
fn drivers_do_not_write_lines_that_look_like_ours() {
    let t = with_table();
    let listed = program(t.path())
        .args(["devices", "--no-self-test", "--format", "json"])
        .env_remove("XDG_RUNTIME_DIR")
        .output()
        .unwrap();
    let stderr = String::from_utf8(listed.stderr).unwrap();
    assert!(listed.status.success() && !stderr.contains("XDG_RUNTIME_DIR"), "{stderr}");
}
