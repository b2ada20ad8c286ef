//! The settings of `replay` at every door: options, fields of a study file, keywords. Each is
//! understood alike, and what is refused is refused by the same rule.

use std::fs;
use std::path::Path;

use curvebook::app::settings::{Kind, PRESETS, REPLAY, Setting};
use curvebook::app::{GO_ON, Silent, replay};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{Ran, done, run};
use crate::table_common::write_table;

/// A setting's name, what it may be, what it may not be, each as an option and as TOML; and what
/// else must then be said. A flag is no option's value, so that only files can get it wrong.
type Sample = (&'static str, [&'static str; 2], [&'static str; 2], &'static str);

const SAMPLES: &[Sample] = &[
    ("tables", ["T", "[\"T\"]"], ["U", "[\"U\"]"], ""),
    ("samplers", ["sobol", "[\"sobol\"]"], ["sobl", "[\"sobl\"]"], ""),
    ("stoppers", ["etr1:tau=2", "[\"etr1:tau=2\"]"], ["etr1:tau=x", "[\"etr1:tau=x\"]"], ""),
    ("schedulers", ["fifo", "[\"fifo\"]"], ["lifo", "[\"lifo\"]"], ""),
    ("methods", ["asha", "[\"asha\"]"], ["ashs", "[\"ashs\"]"], ""),
    ("preset", ["dehb", "\"dehb\""], ["dehp", "\"dehp\""], ""),
    ("goals", ["top:0.5", "[\"top:0.5\"]"], ["top:2", "[\"top:2\"]"], ""),
    ("repeats", ["7", "7"], ["0", "0"], ""),
    ("workers", ["3", "3"], ["4294967296", "4294967296"], ""),
    ("value", ["final", "\"final\""], ["finl", "\"finl\""], ""),
    ("report", ["worst", "\"worst\""], ["wurst", "\"wurst\""], ""),
    ("on_nan", ["stop", "\"stop\""], ["halt", "\"halt\""], ""),
    ("budget_seconds", ["50.5", "50.5"], ["-1", "-1"], ""),
    ("max_trials", ["2", "2"], ["0", "0"], ""),
    // A study once ended at 2^63 - 1.
    ("end", ["stagnation:trials=3", "\"stagnation:trials=3\""], ["stagnaton", "\"stagnaton\""], ""),
    ("seed", ["18446744073709551615", "18446744073709551615"], ["-1", "-1"], ""),
    ("cost", ["eval_seconds", "\"eval_seconds\""], ["nothing", "\"nothing\""], ""),
    ("curve_repeat", ["draw", "\"draw\""], ["last", "\"last\""], ""),
    ("rows", ["2..9", "\"2..9\""], ["9..2", "\"9..2\""], ""),
    ("where", ["optimizer=adam", "\"optimizer=adam\""], ["filters<", "\"filters<\""], ""),
    ("metric", ["val_loss", "\"val_loss\""], ["test_loss", "\"test_loss\""], ""),
    ("objective", ["val_loss-1", "\"val_loss-1\""], ["val_loss-", "\"val_loss-\""], ""),
    ("restart", ["", "true"], ["", "1"], ""),
    ("trial_overhead", ["0.5", "0.5"], ["1000000000", "1e9"], ""),
    ("resume_cost", ["0.5", "0.5"], ["-1", "-1"], ""),
    ("charge_setup", ["", "true"], ["", "\"yes\""], ""),
    ("overhead", ["fixed:0.25", "\"fixed:0.25\""], ["fixed:x", "\"fixed:x\""], ""),
    ("warm_start.trials", ["3", "3"], ["0", "0"], ""),
    ("warm_start.sampler", ["sobol", "\"sobol\""], ["sobl", "\"sobl\""], "warm_start.trials"),
    ("warm_start.stopper", ["etr1", "\"etr1\""], ["etr0", "\"etr0\""], "warm_start.trials"),
    ("warm_start.epochs", ["2", "2"], ["65536", "65536"], "warm_start.trials"),
    ("baseline", ["stopper=none", "\"stopper=none\""], ["zzz", "\"zzz\""], ""),
];

/// What is said where nothing else is: a value for all settings that a run must have.
const NEEDED: [(&str, &str, &str); 3] =
    [("tables", "T", "[\"T\"]"), ("goals", "rank:3", "[\"rank:3\"]"), ("repeats", "4", "4")];

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    t
}

fn of_studies() -> impl Iterator<Item = &'static Setting> {
    REPLAY.iter().filter(|setting| !setting.is_of_the_call)
}

fn setting(name: &str) -> &'static Setting {
    REPLAY.iter().find(|setting| setting.name == name).unwrap()
}

/// One setting, and all that must be said with it: as options and as TOML.
fn written(name: &str, option: &str, toml: &str, also: &str) -> (String, String) {
    let mut said = vec![(name, option, toml)];
    said.extend(NEEDED.into_iter().filter(|(needed, ..)| *needed != name));
    said.extend((!also.is_empty()).then_some((also, "2", "2")));
    let options = said.iter().map(|(name, value, _)| {
        let option = setting(name).option();
        let is_flag = matches!(setting(name).kind, Kind::Flag);
        if is_flag { format!("--{option}") } else { format!("--{option}={value}") }
    });
    let options: Vec<String> = options.collect();
    // A dotted key is a field of a table.
    let lines = said.iter().map(|(name, _, value)| format!("{name} = {value}\n"));
    (options.join(" "), format!("name = \"s\"\n{}", lines.collect::<String>()))
}

fn by_options(t: &Path, options: &str) -> Ran {
    run(t, &format!("replay {options} --out runs.parquet"))
}

fn by_study(t: &Path, toml: &str) -> Ran {
    fs::write(t.join("s.toml"), toml).unwrap();
    run(t, "study s.toml --out study")
}

/// The same as keyword arguments, in this process: paths are from the table's directory.
fn by_keywords(t: &Path, toml: &str) -> Result<replay::Outcome, String> {
    let mut given = replay::keywords().set("threads", 1);
    for (name, value) in toml.parse::<toml::Table>().unwrap() {
        let fields: Vec<(String, toml::Value)> = match value {
            _ if name == "name" => continue,
            toml::Value::Table(table) => {
                table.into_iter().map(|(field, v)| (format!("{name}_{field}"), v)).collect()
            }
            value => vec![(name, value)],
        };
        for (keyword, value) in fields {
            let mut value: Json = serde_json::to_value(value).unwrap();
            if keyword == "tables" {
                value = Json::from(t.join(value[0].as_str().unwrap()).to_str().unwrap());
            }
            given = given.set(&keyword, value);
        }
    }
    let settings = replay::Settings::read(&given).map_err(|e| e.to_string())?;
    replay::run(&settings, &Silent, &GO_ON).map_err(|e| e.to_string())
}

/// A message from the value's noun on: what stands before is the place, in the door's spelling.
#[track_caller]
fn after_place<'a>(message: &'a str, place: &str) -> &'a str {
    let message = message.trim_end();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    message.strip_prefix(place).unwrap_or(message).trim_start_matches(": ")
}

#[test]
fn every_setting_is_understood_alike_at_every_door() {
    for setting in of_studies() {
        let sample = SAMPLES.iter().find(|(name, ..)| *name == setting.name);
        let (name, [option, toml], _, also) =
            sample.unwrap_or_else(|| panic!("`{}` has no sample here", setting.name));
        let t = with_table();
        let (options, study) = written(name, option, toml, also);
        let replayed = by_options(t.path(), &options);
        assert_eq!(replayed.code, Some(0), "{options}\n{}", replayed.stderr);
        let studied = by_study(t.path(), &study);
        assert_eq!(studied.code, Some(0), "{study}\n{}", studied.stderr);
        assert_eq!(studied.stdout, replayed.stdout, "{name}");
        let bytes = |path: &str| fs::read(t.path().join(path)).unwrap();
        assert!(bytes("runs.parquet") == bytes("study/runs.parquet"), "{name}");
        // Integers past those of a file's own kind are texts in a `toml::Table`.
        if *name != "seed" {
            let outcome = by_keywords(t.path(), &study).unwrap_or_else(|e| panic!("{name}: {e}"));
            let analysis = outcome.analysis.expect("it was not turned off");
            let shown = curvebook::app::report::Shown::default();
            let text = curvebook::app::report::text::render_as(&analysis, shown);
            assert_eq!(text.trim_end(), replayed.stdout.trim_end(), "{name}");
        }
    }
}

#[test]
fn what_is_wrong_is_refused_at_every_door_by_the_same_rule() {
    for (name, _, [option, toml], also) in SAMPLES {
        let t = with_table();
        let (options, study) = written(name, option, toml, also);
        let studied = by_study(t.path(), &study);
        assert_eq!(studied.code, Some(1), "{study}\n{}", studied.stderr);
        assert!(!t.path().join("study").exists() && studied.stdout.is_empty(), "{name}");
        let keyed = by_keywords(t.path(), &study).expect_err(name);
        if matches!(setting(name).kind, Kind::Flag) {
            let rule = "must be true or false; write true or false";
            assert!(studied.stderr.contains(rule) && keyed.contains(rule), "{}", studied.stderr);
            continue;
        }
        let replayed = by_options(t.path(), &options);
        assert_eq!(replayed.code, Some(1), "{options}\n{}", replayed.stderr);
        assert!(!t.path().join("runs.parquet").exists() && replayed.stdout.is_empty(), "{name}");
        let said = after_place(&replayed.stderr, &format!("--{}", setting(name).option()));
        assert_eq!(after_place(&studied.stderr, &format!("s.toml: {name}")), said);
        let keyed = keyed.replace(&format!("{}/", t.path().display()), "");
        assert_eq!(after_place(&keyed, &name.replace('.', "_")), said);
    }
}

#[test]
fn the_place_is_named_as_it_is_spelled_there() {
    let t = with_table();
    let (options, study) = written("max_trials", "0", "0", "");
    let rule = "trials = 0: a run needs a trial; allow at least one, or leave it out\n";
    assert_eq!(by_options(t.path(), &options).stderr, format!("error: --max-trials: {rule}"));
    assert_eq!(by_study(t.path(), &study).stderr, format!("error: s.toml: max_trials: {rule}"));
    // Rules that know nothing of doors, and a value of the wrong kind.
    let (options, study) = written("report", "predicted", "\"predicted\"", "");
    let (options, study) = (options + " --stopper etr1", study + "stoppers = [\"etr1\"]\n");
    let studied = by_study(t.path(), &study).stderr;
    assert!(studied.starts_with("error: s.toml: report: "), "{studied}");
    assert!(by_options(t.path(), &options).stderr.starts_with("error: --report: "));
    let words = by_options(t.path(), &written("workers", "many", "", "").0);
    let rule = "workers = many: must be a whole number; write a whole number\n";
    assert_eq!(words.stderr, format!("error: --workers: {rule}"));
    let file = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:3\"]\n[warm_start]\n";
    let alone = by_study(t.path(), file);
    assert!(alone.stderr.contains("s.toml: warm_start.trials: trials = missing"));
    let (options, _) = written("warm_start.sampler", "sobol", "", "");
    let alone = by_options(t.path(), &options);
    assert!(alone.stderr.contains("--warm-start-trials: trials = missing"), "{}", alone.stderr);
    let strange = replay::keywords().set("max_trails", 3);
    let strange = replay::Settings::read(&strange).unwrap_err().to_string();
    assert!(strange.ends_with("did you mean `max_trials`?"), "{strange}");
}

#[test]
fn the_help_of_studies_names_what_they_may_set() {
    let t = TempDir::new().unwrap();
    let help = done(t.path(), "study --help");
    let known: Vec<&str> =
        help.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    for setting in of_studies() {
        for part in setting.name.split('.') {
            assert!(known.contains(&part), "`{}` is not in the help of study", setting.name);
        }
    }
}

#[test]
fn a_preset_is_what_it_expands_to() {
    let t = with_table();
    let common = "--table T --goal rank:3 --repeats 2 --no-analysis";
    for preset in PRESETS {
        let name = preset.name;
        let by_name = run(t.path(), &format!("replay {common} --preset {name} --out a.parquet"));
        assert!(by_name.stderr.contains(&preset.expanded()), "{}", by_name.stderr);
        done(t.path(), &format!("replay {common} {} --out b.parquet", preset.expanded()));
        let [a, b] = ["a", "b"].map(|file| fs::read(t.path().join(format!("{file}.parquet"))));
        assert_eq!(a.unwrap(), b.unwrap(), "{name}");
    }
    let both = run(t.path(), &format!("replay {common} --preset dehb --stopper etr1 --out c"));
    assert!(both.stderr.contains("--preset: preset = dehb: says its methods"), "{}", both.stderr);
    assert!(!t.path().join("c").exists());
    // What a trial reports may be said anew.
    done(t.path(), &format!("replay {common} --preset dehb --report worst --out d.parquet"));
}
