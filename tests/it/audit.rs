//! `curvebook audit`: what rules would have done to trials that somebody has run.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused};
use crate::imports::golden;

/// Six trials of three epochs of ten seconds. With a winner in three, `slow` and `first` are
/// winners, and `slow` is the best.
const TRIALS: &str = "\
run,epoch,acc,seconds,lr
first,1,0.1,10,0.1
first,2,0.5,10,0.1
first,3,0.9,10,0.1
second,1,0.2,10,0.2
second,2,0.3,10,0.2
second,3,0.4,10,0.2
flat,1,0.05,10,0.3
flat,2,0.1,10,0.3
flat,3,0.1,10,0.3
third,1,0.3,10,0.4
third,2,0.6,10,0.4
third,3,0.7,10,0.4
slow,1,0.05,10,0.5
slow,2,0.7,10,0.5
slow,3,0.95,10,0.5
fourth,1,0.4,10,0.6
fourth,2,0.4,10,0.6
fourth,3,0.4,10,0.6
";
const CSV: &str = "audit csv trials.csv --metric acc --goal maximize --id run";

fn with_trials() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("trials.csv"), TRIALS).unwrap();
    dir
}

#[track_caller]
fn json(dir: &Path, command: &str) -> Json {
    serde_json::from_str(&done(dir, &format!("{command} --format json"))).unwrap()
}

#[track_caller]
fn is_near(found: &Json, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn what_rules_do_is_what_they_do_by_hand() {
    let dir = with_trials();
    let command = format!(
        "{CSV} --winners 0.3 --halves 0 --stopper threshold:lower=0.08 --stopper \
         threshold:lower=0.15,warmup=1"
    );
    let audit = json(dir.path(), &command);
    assert_eq!((&audit["trials"], &audit["unit"]), (&6.into(), &"seconds".into()));
    is_near(&audit["cost"], 180.0);
    is_near(&audit["best"], 0.95);
    is_near(&audit["threshold"], 0.9);
    assert_eq!(audit["best_trial"]["source_id"], "slow");
    let names = |of: &Json| -> Vec<String> {
        let name = |trial: &Json| trial["source_id"].as_str().unwrap().to_string();
        of.as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!(names(&audit["winners"]), ["first", "slow"]);
    // At the first epoch it ends the flat trial and the slow one, whose 0.95 is never seen.
    let bold = &audit["rules"][0];
    is_near(&bold["saved"], 40.0 / 180.0);
    is_near(&bold["regret"], 0.95 - 0.9);
    assert_eq!((&bold["winners_lost"], &bold["best_lost"]), (&1.into(), &true.into()));
    let ended = bold["ended"].as_array().unwrap();
    let ended: Vec<(&str, u64, bool)> = ended
        .iter()
        .map(|end| {
            let name = end["trial"]["source_id"].as_str().unwrap();
            (name, end["epochs"].as_u64().unwrap(), end["lost_winner"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(ended, [("flat", 1, false), ("slow", 1, true)]);
    // From the second epoch on, the flat one alone.
    let careful = &audit["rules"][1];
    is_near(&careful["saved"], 10.0 / 180.0);
    is_near(&careful["regret"], 0.0);
    assert_eq!((&careful["winners_lost"], &careful["best_lost"]), (&0.into(), &false.into()));
    assert_eq!(audit["choice"]["stopper"], careful["stopper"]);
    assert!(audit["elsewhere"].is_null() && careful["halves"].is_null());
    let text = done(dir.path(), &format!("{command} --full"));
    let sentence = "On your 6 trials, `threshold:lower=0.15,warmup=1` would have ended 1 early, \
                    saved 6 % of the time (10.0 s of 180 s), and lost none of your 2 best.";
    let sentence = sentence.replace("180 s", "3.00 min");
    assert!(text.starts_with(&sentence), "{text}");
    assert!(text.contains("2 (flat)"), "{text}");
    let alone = done(dir.path(), &format!("{CSV} --stopper threshold:lower=0.08 --halves 0"));
    assert!(alone.starts_with("On your 6 trials `threshold:lower=0.08` would not have"), "{alone}");
}

#[test]
fn a_minimised_loss_without_seconds_is_audited_in_epochs() {
    let dir = TempDir::new().unwrap();
    let line = |run: u32| format!("{{\"run\": {run}, \"loss\": [{0}.5, {0}.2, {0}.1]}}", run + 1);
    let lines: Vec<String> = (0..8).map(line).collect();
    fs::write(dir.path().join("runs.jsonl"), lines.join("\n")).unwrap();
    let command = "audit jsonl runs.jsonl --metric loss --goal minimize --id run --seconds-each 0 \
                   --stopper threshold:upper=4.4,warmup=1 --halves 5 --winners 0.2";
    let audit = json(dir.path(), command);
    assert_eq!((&audit["unit"], &audit["direction"]), (&"epochs".into(), &"minimize".into()));
    is_near(&audit["cost"], 24.0);
    is_near(&audit["best"], 1.1);
    is_near(&audit["threshold"], 2.1);
    // Losses of 5.2, 6.2, 7.2 and 8.2 end after their second epoch.
    is_near(&audit["rules"][0]["saved"], 4.0 / 24.0);
    assert_eq!(audit["elsewhere"]["halves"], 10);
    assert_eq!(audit["elsewhere"]["best_lost"], 0);
    let halves = &audit["rules"][0]["halves"];
    let of = |name: &str| halves[name].as_f64().unwrap();
    // Two halves of a split end four trials together, of twelve epochs each.
    assert!(of("saved_low") <= of("saved_median") && of("saved_median") <= of("saved_high"));
    assert!(of("saved_low") >= 0.0 && of("saved_high") <= 4.0 / 12.0);
}

#[test]
fn an_optuna_study_ends_with_a_sentence_at_any_number_of_threads() {
    let dir = TempDir::new().unwrap();
    let source = golden("optuna_journal.log");
    let audit = format!("audit optuna {} --goal maximize --halves 20", source.display());
    let one = done(dir.path(), &format!("{audit} --threads 1"));
    assert!(one.starts_with("On your "), "{one}");
    assert!(one.contains("How far to trust a pick"), "{one}");
    assert_eq!(one, done(dir.path(), &format!("{audit} --threads 2")));
    let table = format!("table import optuna {} --goal maximize --out T", source.display());
    done(dir.path(), &table);
    let same = done(dir.path(), "audit T --halves 20");
    let after_name = |text: &str| text.split_once("┌").unwrap().1.to_string();
    assert_eq!(after_name(&one), after_name(&same));
    // Nothing is left beside the table that was asked for.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn rules_that_know_chance_need_it_where_they_are_asked_for() {
    let dir = with_trials();
    let usual = json(dir.path(), &format!("{CSV} --halves 1"));
    let skipped = usual["skipped"].as_object().unwrap();
    assert!(skipped.contains_key("etr1:tau=1"), "{skipped:?}");
    let parts = ["trials", "metric.chance", "missing", "value of guessing", "add `chance`"];
    refused(dir.path(), &format!("{CSV} --stopper etr1"), parts);
    let known = json(dir.path(), &format!("{CSV} --halves 1 --chance 0.05"));
    assert!(!known["skipped"].as_object().unwrap().contains_key("etr1:tau=1"));
}

#[test]
fn what_cannot_be_audited_is_refused_by_name() {
    let dir = with_trials();
    let said = |command: &str, parts: [&str; 5]| refused(dir.path(), command, parts);
    let of = |rest: &str| format!("{CSV} {rest}");
    let known = ["command line", "TABLE", "nowhere", "what is what", "leave the options"];
    said("audit nowhere --metric acc", known);
    let parts = ["import", "format", "xml", "no such format", "one of"];
    said("audit xml trials.csv --metric acc --goal maximize", parts);
    let parts = ["audit", "--winners", "0", "above 0", "0.05"];
    said(&of("--winners 0"), parts);
    said(&of("--halves 20000"), ["audit", "--halves", "20000", "0..10000", "give 100"]);
    said(&of("--stopper nobody"), ["--stopper", "name", "nobody", "no such method", "one of"]);
    let late = ["--stopper", "stopper", "etr1:tau=9", "looks after epoch 9", "earlier"];
    said(&of("--stopper etr1:tau=9 --chance 0.1"), late);
    let told = ["--scheduler", "method", "pop", "is told a goal", "leave it out"];
    said(&of("--scheduler pop"), told);
    let own = ["--scheduler", "method", "dehb", "chooses trials by itself", "leave it out"];
    said(&of("--scheduler dehb --halves 3"), own);
    let few: Vec<&str> = TRIALS.lines().take(7).collect();
    fs::write(dir.path().join("few.csv"), few.join("\n")).unwrap();
    let few = CSV.replace("trials.csv", "few.csv");
    said(&few, ["few.csv", "trials", "2 trials with a value", "at least 4", "collect more"]);
}
