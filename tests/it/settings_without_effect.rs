//! What would change nothing is refused, before anything is done for it; what may be chosen among
//! numbers is, and a table says what made it.

use std::fs;

use curvebook::app::train;
use curvebook::base::space::Value;
use curvebook::train::model::{Definition, Network};
use tempfile::TempDir;

use crate::command_line::{Ran, done, run, with_table};
use crate::replay_common::{numbers, read_parquet, words};

fn space(parameters: &str, training: &str) -> String {
    format!(
        "name = \"s\"\ndataset = \"digits\"\n[[parameter]]\nname = \"optimizer\"\n\
         type = \"categorical\"\nchoices = [\"adam\", \"sgd\"]\n{parameters}\n[model]\n\
         input = [1, 8, 8]\nclasses = 10\nlayer = [{{ kind = \"dense\", units = 4 }}]\n[training]\n\
         optimizer = \"$optimizer\"\nlearning_rate = 0.01\nepochs = 2\ntrain_size = 64\n\
         val_size = 32\ntest_size = 16\n{training}\n"
    )
}

const MOMENTUM: &str =
    "[[parameter]]\nname = \"momentum\"\ntype = \"float\"\nlow = 0.0\nhigh = 0.9";

#[test]
fn a_parameter_without_effect_is_refused() {
    let parse = |parameters: &str, training: &str| {
        Definition::parse("s.toml", &space(parameters, training)).map_err(|e| e.to_string())
    };
    let unused = parse(MOMENTUM, "").unwrap_err();
    assert!(unused.starts_with("s.toml: parameter[1].name = momentum: no setting"), "{unused}");
    let under = |word: &str| {
        let condition = format!("condition = {{ name = \"optimizer\", in = [\"{word}\"] }}");
        parse(&format!("{MOMENTUM}\n{condition}"), "momentum = \"$momentum\"")
    };
    let dead = under("adam").unwrap_err();
    assert!(dead.contains("training.momentum = \"$momentum\": plays a part with"), "{dead}");
    assert!(under("sgd").is_ok());
    assert!(parse(MOMENTUM, "momentum = \"$momentum\"").is_ok(), "it plays a part under sgd");
    // A parameter that decides about another one plays a part.
    let switch = "[[parameter]]\nname = \"on\"\ntype = \"categorical\"\nchoices = [true, false]";
    let condition = "condition = { all = [{ name = \"optimizer\", in = [\"sgd\"] }, \
                     { name = \"on\", in = [\"true\"] }] }";
    let both = format!("{switch}\n{MOMENTUM}\n{condition}");
    assert!(parse(&both, "momentum = \"$momentum\"").is_ok());
}

#[test]
fn a_regularizer_asks_for_a_rate_under_dropout_alone() {
    let text = "name = \"s\"\ndataset = \"digits\"\n[[parameter]]\nname = \"choice\"\n\
        type = \"categorical\"\nchoices = [\"none\", \"dropout\", \"batchnorm\"]\n[[parameter]]\n\
        name = \"rate\"\ntype = \"float\"\nlow = 0.0\nhigh = 0.5\n\
        condition = { name = \"choice\", in = [\"batchnorm\"] }\n[model]\ninput = [1, 8, 8]\n\
        classes = 10\nlayer = [{ kind = \"dense\", units = 4 }, { kind = \"regularizer\", \
        choice = \"$choice\", rate = \"$rate\" }]\n[training]\nlearning_rate = 0.01\nepochs = 2\n\
        train_size = 64\nval_size = 32\ntest_size = 16\n";
    let message = Definition::parse("s.toml", text).unwrap_err().to_string();
    assert!(message.contains("model.layer[1].rate = \"$rate\": plays a part with"), "{message}");
    let sound = text.replace("in = [\"batchnorm\"]", "in = [\"dropout\"]");
    // Where the choice is another one, the rate is inactive and not asked for.
    let definition = Definition::parse("s.toml", &sound).unwrap();
    for (choice, rate) in [(0, Value::Inactive), (1, Value::Float(0.25)), (2, Value::Inactive)] {
        Network::build(&definition, &[Value::Choice(choice), rate]).unwrap();
    }
}

#[test]
fn rules_costs_and_entries_without_effect_are_refused() {
    let t = with_table();
    let refused = |rest: &str| {
        let Ran { code, stdout, stderr } = run(t.path(), &format!("replay --table T {rest}"));
        assert_eq!((code, &*stdout), (Some(1), ""), "{rest}: {stderr}");
        stderr
    };
    for (rest, part) in [
        ("--goal 0.5 --stopper etr1:tau=900", "looks after epoch 900"),
        ("--goal 0.5 --cost config_id", "--cost: cost = config_id: says which epoch"),
        ("--goal 0.5 --cost val_accuracy", "is what table `"),
        ("--goal 0.5 --goal 0.50", "--goal: goal = 0.50: stands twice"),
        ("--goal rank:1 --stopper etr1 --stopper etr1:tau=1", "stands twice"),
        ("--goal rank:1 --sampler random --sampler random", "stands twice"),
    ] {
        let stderr = refused(rest);
        assert!(stderr.contains(part), "{rest}: {stderr}");
    }
}

#[test]
fn a_rule_that_never_looks_in_the_warm_start_is_refused() {
    let t = with_table();
    let warm = "replay --table T --goal rank:1 --repeats 2 --warm-start-trials 2";
    for (rest, part) in [
        ("--warm-start-stopper etr1:tau=900", "etr1:tau=900,epsilon=0.05: looks after epoch 900"),
        // Its trials pause before it looks, whatever the table has.
        (
            "--warm-start-stopper etr1:tau=3 --warm-start-epochs 2",
            "looks after epoch 3, and the trials of the warm start pause at 2",
        ),
    ] {
        let Ran { code, stderr, .. } = run(t.path(), &format!("{warm} {rest}"));
        assert!(code == Some(1) && stderr.contains(part), "{rest}: {stderr}");
        assert!(stderr.contains("--warm-start-stopper"), "{rest}: {stderr}");
    }
    done(t.path(), &format!("{warm} --warm-start-stopper etr1:tau=2 --warm-start-epochs 2"));
}

#[test]
fn a_table_says_what_made_it_and_is_trained_from() {
    let t = TempDir::new().unwrap();
    let batches = "[[parameter]]\nname = \"batch\"\ntype = \"categorical\"\nchoices = [64, 16, 32]";
    fs::write(t.path().join("s.toml"), space(batches, "batch_size = \"$batch\"")).unwrap();
    let training = |rest: &str| format!("train --device cpu --configs 6 --epochs 1 {rest}");
    done(t.path(), &training("--space s.toml --out A --name first"));
    done(t.path(), "table check A");
    let json = fs::read_to_string(t.path().join("A/table.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["name"], &json["space"]["name"]), (&"first".into(), &"s".into()));
    assert_eq!(json["space"]["training"]["batch_size"], "$batch");
    assert_eq!(json["space"]["model"]["layer"][0]["units"], 4);
    let values = &json["space"]["parameters"][1]["values"];
    assert_eq!(values, &serde_json::json!([16, 32, 64]));
    done(t.path(), &training("--space A --out B"));
    let read = |dir: &str| {
        let batch = read_parquet(&t.path().join(dir).join("configs.parquet"));
        (words(&batch, "optimizer"), numbers(&batch, "batch"))
    };
    assert!(read("A") == read("B"), "the same space, the same configurations");
    let again = done(t.path(), "space show A --toml");
    fs::write(t.path().join("again.toml"), again).unwrap();
    done(t.path(), &training("--space again.toml --out C"));
    assert!(read("A") == read("C"));
    let given = train::keywords().set("space", "digits-lenet").set("name", " ");
    let message = train::Settings::read(&given).unwrap_err().to_string();
    assert!(message.contains("a table has a name"), "{message}");
}

#[test]
fn spaces_are_begun_and_studies_shown() {
    let t = TempDir::new().unwrap();
    done(t.path(), "space init mine.toml");
    assert!(done(t.path(), "space show mine.toml --config 3").contains("trainable parameters"));
    let Ran { code, stderr, .. } = run(t.path(), "space init mine.toml");
    assert!(code == Some(1) && stderr.contains("nothing is overwritten"), "{stderr}");
    done(t.path(), "space init copy.toml --from cifar10-cnn-lite");
    let copy = fs::read_to_string(t.path().join("copy.toml")).unwrap();
    assert_eq!(copy.trim_end(), done(t.path(), "space show cifar10-cnn-lite --toml").trim_end());
    assert!(done(t.path(), "study list").contains("early-termination"));
    assert!(done(t.path(), "study show early-termination").contains("repeats = 50"));
    let Ran { code, stderr, .. } = run(t.path(), "study show early");
    assert!(code == Some(1) && stderr.contains("did you mean `early-termination`?"), "{stderr}");
}
