//! What the program prints, for programs and for people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::analysis_json::Document;
use crate::command_line::{done, with_table};

macro_rules! layouts {
    ($($name:ident { $($field:ident: $kind:ty),* $(,)? })*) => { $(
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "the shape is what is tested")]
        struct $name { $($field: $kind),* }
    )* };
}

layouts! {
    Methods {
        format: String, version: u32, usage: String,
        samplers: Vec<MethodOf>, schedulers: Vec<MethodOf>, stoppers: Vec<MethodOf>,
        endings: Vec<MethodOf>
    }
    MethodOf {
        name: String, summary: String, citation: String, traits: Vec<String>,
        compared: Vec<ComparedOf>, parameters: Vec<ParameterOf>
    }
    ComparedOf { with: String, what: String, result: String }
    SpaceOf { name: String, summary: String, dataset: String }
    Shown { name: String, summary: String, dataset: String, parameters: Vec<Json> }
    LayerOf {
        place: String, kind: String, what: String, reads: Vec<i64>, input: [u64; 3],
        output: [u64; 3], params: u64, flops_per_image: f64
    }
    TrainingOf {
        optimizer: String, learning_rate: f64, l2: f64, l2_scope: String, batch_size: u32,
        epochs: u16, train_size: u32, val_size: u32, test_size: u32,
    }
    Configuration {
        config: u32, values: BTreeMap<String, Json>, layers: Vec<LayerOf>,
        training: TrainingOf, params: u64, flops_per_image: f64, flops_per_epoch: f64
    }
    Checked { configs: u64, recorded_epochs: u64, sealed: bool }
    CheckOf {
        table: String, sound: bool, stopped_early: bool, checked: Option<Checked>,
        findings: Vec<String>, warnings: Vec<Json>,
    }
    MetricOf { name: String, goal: String, chance: Option<f64> }
    QuantilesOf { min: f64, q25: f64, median: f64, q75: f64, max: f64 }
    DataOf {
        name: String, summary: String, shape: [usize; 3], classes: usize, train_images: usize,
        test_images: usize, files: Vec<String>, state: String, directory: Option<String>,
        missing: Vec<String>, bytes_on_disk: u64, bytes_unfinished: u64,
        downloads: Vec<DownloadOf>,
    }
    DownloadOf { file: String, bytes: u64, sha256: String, urls: Vec<String> }
    CorrelationOf { a: String, b: String, spearman: Option<f64>, configs: u64 }
    Info {
        name: String, metric: MetricOf, epochs: u16, repeats: u16, configs: u64,
        first_config: Option<u32>, recorded_epochs: u64, statuses: BTreeMap<String, u64>,
        diverged_share: f64, best_value: Option<f64>, best_config: Option<u32>,
        last_values: Option<QuantilesOf>, best_values: Option<QuantilesOf>,
        seconds_per_config: Option<QuantilesOf>, cost_correlations: Vec<CorrelationOf>,
        total_seconds: f64, bytes_on_disk: u64,
        bytes_per_epoch: Option<f64>, space: String, parameters: Vec<Json>,
        config_columns: Vec<Json>, curve_columns: Vec<Json>, provenance: Option<Json>,
        warnings: Vec<Json>,
    }
    WhyOf {
        format: String, version: u32, run: u32, table: String, sampler: String, scheduler: String,
        stopper: String, workers: u32, repeat: u32, seed: u64, settings: String, metric: String,
        direction: String, goals: Vec<WhyGoalOf>, trials: u32, stopped_by_rule: u32,
        stopped_by_scheduler: u32, left_paused: u32, saved_s: f64, decisions: Vec<DecisionOf>,
        other_decisions: u64, trial: Option<WhyTrialOf>,
    }
    WhyGoalOf {
        goal: String, goal_value: f64, reached_s: Option<f64>, end_reason: String,
        goal_rows_met: u32, killed_trials: Vec<u32>, paused_trials: Vec<u32>,
    }
    DecisionOf {
        at_s: f64, trial: u32, config_id: u32, epoch: u16, by: String, method: String,
        decision: String, value: Option<f64>, diverged: bool, compared: Vec<WhyComparedOf>,
        saved_s: Option<f64>, whole_value: Option<f64>, would_meet: Vec<bool>,
    }
    WhyComparedOf {
        what: String, seen: Option<f64>, bar: Option<f64>, fails: String, is_metric: bool,
        bar_is: String, trials: Vec<u32>,
    }
    WhyTrialOf {
        trial: u32, config_id: u32, curve_repeat: u16, values: BTreeMap<String, Json>,
        segments: Vec<WhySegmentOf>, whole_value: Option<f64>, would_meet: Vec<bool>,
    }
    WhySegmentOf {
        worker: u32, start_s: f64, end_s: f64, epoch_first: u16, epochs: u16, end_state: String,
        value: Option<f64>, overhead_s: f64,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct ParameterOf {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    low: Option<f64>,
    high: Option<f64>,
    choices: Vec<String>,
    required: bool,
    default: Json,
    rule: String,
    summary: String,
    /// Of a parameter that is a method.
    #[serde(default)]
    registry: Option<String>,
}

#[track_caller]
fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in\n{text}"))
}

#[test]
fn json_is_read_back_with_nothing_unknown() {
    let t = with_table();
    let json = |arguments: &str| done(t.path(), &format!("{arguments} --format json"));
    let methods: Methods = read(&json("methods"));
    assert!(methods.stoppers.iter().any(|m| m.name == "etr2" && m.parameters.len() > 3));
    let spaces: Vec<SpaceOf> = read(&json("space list"));
    for space in &spaces {
        let shown: Shown = read(&json(&format!("space show {}", space.name)));
        assert!(shown.name == space.name && shown.parameters.len() >= 9);
    }
    let configuration: Configuration = read(&json("space show digits-lenet --config 3"));
    assert!(configuration.values["kernel"].is_i64());
    let training = &configuration.training;
    assert_eq!(configuration.values["learning_rate"].as_f64(), Some(training.learning_rate));
    assert_eq!(configuration.values["l2_weight"].as_f64(), Some(training.l2));
    assert_eq!((training.optimizer.as_str(), training.l2_scope.as_str()), ("adam", "dense"));
    assert_eq!((training.batch_size, training.epochs, training.train_size), (64, 30, 1_000));
    let layers = &configuration.layers;
    assert_eq!(layers.iter().map(|l| l.params).sum::<u64>(), configuration.params);
    let flops: f64 = layers.iter().map(|l| l.flops_per_image).sum();
    assert_eq!(
        (flops, flops * 1_000.0),
        (configuration.flops_per_image, configuration.flops_per_epoch)
    );
    assert_eq!((&layers[0].reads[..], layers[0].input), (&[-1][..], [1, 8, 8]));
    assert_eq!((layers[6].place.as_str(), layers[6].output), ("the last dense layer", [10, 1, 1]));
    let data: Vec<DataOf> = read(&json("data list"));
    let mnist = data.iter().find(|d| d.name == "mnist").unwrap();
    assert_eq!((mnist.files.len(), mnist.downloads.len(), mnist.missing.len()), (4, 4, 4));
    assert_eq!((mnist.state.as_str(), data[0].state.as_str()), ("absent", "built in"));
    let info: Info = read(&json("table info T"));
    assert_eq!((info.name.as_str(), info.configs), ("small", 12));
    let costs: Vec<_> = info.cost_correlations.iter().map(|c| (&*c.a, &*c.b, c.configs)).collect();
    assert_eq!(costs, [("seconds", "flops_per_epoch", 11)]);
    let check: CheckOf = read(&json("table check T"));
    assert!(check.sound && check.findings.is_empty() && check.checked.is_some());
    let replay = "replay --table T --goal rank:2 --goal 0.1 --stopper none --stopper etr1";
    let replayed = json(&format!("{replay} --repeats 3 --out runs.parquet --trace trace.parquet"));
    let document: Document = read(&replayed);
    assert_eq!(document.goals.len(), 2);
    assert_eq!(json("analyze runs.parquet"), replayed);
    let why: WhyOf = read(&json("why --table T --trace trace.parquet --run 3"));
    assert_eq!((why.stopper.as_str(), why.goals.len()), ("etr1:tau=1,epsilon=0.05", 2));
    assert_eq!(why.decisions.len(), why.stopped_by_rule as usize);
    let first = why.decisions.first().unwrap();
    assert!(first.decision == "stop" && first.compared[0].seen < first.compared[0].bar);
    let asked = format!("why --table T --trace trace.parquet --run 3 --trial {}", first.trial);
    let story: WhyOf = read(&json(&asked));
    assert_eq!(story.trial.unwrap().segments.last().unwrap().end_state, "stopped");
}

/// Values that a form would offer for a parameter, by what the JSON says of it alone.
fn offered(parameter: &ParameterOf) -> Vec<String> {
    let number = |x: Option<f64>| x.map(|x| x.to_string());
    let ends = [number(parameter.low), number(parameter.high)].into_iter().flatten();
    let default = match &parameter.default {
        Json::Null => None,
        Json::String(word) => Some(word.clone()),
        number => Some(number.to_string()),
    };
    ends.chain(parameter.choices.iter().cloned()).chain(default).collect()
}

#[test]
fn the_json_of_the_methods_is_enough_to_fill_a_form() {
    use curvebook::methods::interface::resolve;
    use curvebook::methods::{samplers, schedulers, stoppers};
    let t = TempDir::new().unwrap();
    let methods: Methods = read(&done(t.path(), "methods --format json"));
    let all = [(0, &methods.samplers), (1, &methods.schedulers), (2, &methods.stoppers)];
    let mut tried = 0;
    for (axis, method) in
        all.into_iter().flat_map(|(axis, list)| list.iter().map(move |m| (axis, m)))
    {
        let resolves = |text: &str| match axis {
            0 => resolve("x", text, samplers::REGISTRY).map(|m| m.canonical),
            1 => resolve("x", text, schedulers::REGISTRY).map(|m| m.canonical),
            _ => resolve("x", text, stoppers::REGISTRY).map(|m| m.canonical),
        };
        let required: Vec<String> = method
            .parameters
            .iter()
            .filter(|p| p.required)
            .map(|p| {
                assert!(
                    p.default.is_null() && p.kind == "file",
                    "a form must know what to ask for"
                );
                format!("{}=some-file", p.name)
            })
            .collect();
        for parameter in method.parameters.iter().filter(|p| !p.required) {
            let is_method = parameter.kind == "method";
            assert_eq!(parameter.registry.is_some(), is_method, "{}", parameter.name);
            let is_word = !parameter.choices.is_empty() || is_method;
            assert_eq!(parameter.default.is_number(), !is_word, "{}", parameter.name);
            for value in offered(parameter) {
                let mut parts = required.clone();
                parts.push(format!("{}={value}", parameter.name));
                let text = format!("{}:{}", method.name, parts.join(","));
                let canonical = resolves(&text).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(resolves(&canonical).unwrap(), canonical, "canonical of itself");
                tried += 1;
            }
            let wrong = format!("{}:{}=no-such-value", method.name, parameter.name);
            assert!(resolves(&wrong).is_err(), "{wrong}");
        }
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn the_reference_lists_the_methods_as_the_program_does() {
    let reference = include_str!("../../src/methods/REFERENCE.md");
    let (_, rest) =
        reference.split_once("<!-- methods -->\n```text\n").expect("the block is there");
    let (block, _) = rest.split_once("\n```").expect("the block ends");
    let t = TempDir::new().unwrap();
    assert_eq!(block, done(t.path(), "methods").trim_end(), "run it and put the output there");
    let (_, rest) = reference.split_once("<!-- compared -->\n").expect("the table is there");
    let (table, _) = rest.split_once("<!-- end -->").expect("the table ends");
    assert_eq!(table, done(t.path(), "methods --compared"), "run it and put the output there");
}

#[test]
fn text_goes_to_people() {
    let t = with_table();
    assert!(done(t.path(), "methods").contains("etr1"));
    assert!(done(t.path(), "space list").contains("mnist-lenet-lite"));
    assert!(done(t.path(), "space show cifar10-cnn").contains("regularizer"));
    assert!(done(t.path(), "data list").contains("built in"));
    let info = done(t.path(), "table info T");
    assert!(info.contains("12 configurations"), "{info}");
    // Its operations are all the same; one of its configurations failed.
    let costs = "rank correlation of seconds and flops_per_epoch: none (11 configurations)";
    assert!(info.contains(costs), "{info}");
    assert!(done(t.path(), "table check T").contains("sound"));
    // A goal below zero is a number, not an option.
    assert!(done(t.path(), "replay --table T --goal -0.5 --repeats 2").contains("-0.5"));
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let t = TempDir::new().unwrap();
    for command in [
        "",
        "train",
        "replay",
        "study",
        "analyze",
        "why",
        "methods",
        "table",
        "table info",
        "table check",
        "space",
        "space list",
        "space show",
        "data",
        "data list",
        "data get",
    ] {
        let help = done(t.path(), &format!("{command} --help"));
        let example = format!("\n  curvebook {command}");
        assert!(help.contains("Example") && help.contains(example.trim_end()), "{command}\n{help}");
    }
    assert!(done(t.path(), "--version").starts_with("curvebook "));
}
