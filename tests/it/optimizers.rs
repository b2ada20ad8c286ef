//! Optimizers and learning-rate schedules: against `PyTorch`, in whole trainings, and in spaces.

use std::sync::atomic::AtomicBool;

use curvebook::error::{Error, Fault, Result};
use curvebook::model::{Network, RateSchedule, Recipe, UpdateRule};
use curvebook::space::{Definition, Scope, Value};
use curvebook::table::record::{EpochRecord, Status, TrainedConfig};
use curvebook::trainer::cpu::Net;
use curvebook::trainer::streams::Streams;
use curvebook::trainer::{Progress, Sink, TrainSettings, train};
use curvebook::units::ConfigId;
use serde_json::Value as Json;

const GOLDEN: &str = include_str!("../golden/optimizers.json");
/// As in `make_optimizer_golden.py`: steps looked at, images a batch, classes, steps an epoch, and
/// weights kept of a layer, roughly.
const STEPS: [usize; 3] = [1, 10, 100];
const BATCH: usize = 6;
const CLASSES: usize = 4;
const EPOCH: usize = 5;
const KEPT: usize = 5;

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
}

fn space(net: &Json, settings: &str) -> Definition {
    let text = format!(
        "name = \"golden\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"unused\"\ntype = \"int\"\nlow = 1\nhigh = 2\n\
         [model]\ninput = {}\nclasses = {CLASSES}\n{}[training]\n{settings}\n\
         batch_size = {BATCH}\nepochs = 15\ntrain_size = 1\nval_size = 1\ntest_size = 1\n",
        net["input"],
        net["layers"].as_str().unwrap(),
    );
    Definition::parse("golden.toml", &text).unwrap()
}

/// A network with the golden file's weights, and how many of its layers have weights.
fn start(network: &Network, recipe: &Recipe) -> (Net, usize) {
    let mut net = Net::new(network, recipe);
    let trained = network.layers.iter().filter(|layer| layer.weights > 0);
    let mut layers = 0;
    for (at, layer) in trained.enumerate() {
        let scale = (2.0 / layer.fan_in as f64).sqrt();
        let weight = |i: usize| ((0.7 * (i * i) as f64 + at as f64).sin() * scale) as f32;
        let weights: Vec<f32> = (0..layer.weights).map(weight).collect();
        let bias = |j: usize| (0.05 * (j as f64).cos()) as f32;
        let biases: Vec<f32> = (0..layer.biases).map(bias).collect();
        net.set_parameters(at, &weights, &biases);
        layers = at + 1;
    }
    (net, layers)
}

/// The formula counts in (image, channel, row, column); the network loads (image, row, column,
/// channel).
fn load_batch(net: &mut Net, network: &Network, batch: usize) {
    let (shape, len) = (network.input, network.input.len());
    let plane = shape.height * shape.width;
    let mut pixels = vec![0.0; BATCH * len];
    for i in 0..BATCH * len {
        let x = i as f64;
        let value = (0.37 * x + 0.0001 * x * x + 1.3 * batch as f64).sin();
        let (image, channel, place) = (i / len, i % len / plane, i % plane);
        pixels[image * len + place * shape.channels + channel] = value as f32;
    }
    let labels: Vec<u8> = (0..BATCH).map(|n| ((7 * n + 3 * batch) % CLASSES) as u8).collect();
    net.load(&pixels, &labels);
}

/// The loss, and what the golden file keeps of the weights and biases, after each of `STEPS`.
fn run(definition: &Definition) -> Vec<Vec<f64>> {
    let values = [Value::Int(1)];
    let network = Network::build(definition, &values).unwrap();
    let recipe = Recipe::resolve(definition, &values).unwrap();
    let (mut net, layers) = start(&network, &recipe);
    let streams = Streams::new(0, ConfigId(0), 0);
    let mut kept = Vec::new();
    for step in 0..STEPS[2] {
        net.start_epoch((step / EPOCH + 1) as u16);
        load_batch(&mut net, &network, step % 10);
        let report = net.step(BATCH, &streams);
        assert!(report.is_finite);
        if !STEPS.contains(&(step + 1)) {
            continue;
        }
        let mut values = vec![report.loss_sum / BATCH as f64];
        for layer in 0..layers {
            let (weights, biases) = net.parameters(layer);
            let few = weights.iter().step_by(weights.len() / KEPT).chain(biases.iter().take(2));
            values.extend(few.map(|&value| f64::from(value)));
        }
        kept.push(values);
    }
    kept
}

#[test]
fn a_hundred_steps_of_every_optimizer_schedule_and_scope_agree_with_pytorch() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 9 * 4 * 3, "optimizers, schedules, nets with scopes");
    let mut worst: f64 = 0.0;
    for case in cases {
        let (net, scope) = (case["net"].as_str().unwrap(), case["scope"].as_str().unwrap());
        let settings = case["settings"].as_str().unwrap();
        let settings = format!("{settings}\nl2_scope = \"{scope}\"");
        let definition = space(&golden["nets"][net], &settings);
        let found = run(&definition);
        let drifts = numbers(&case["float32_difference"]);
        for (at, drift) in drifts.into_iter().enumerate() {
            // PyTorch's own f32 run lies `drift` from its f64 run; another order of the sums may
            // do a few times worse. 5e-7 is four units in the last place of a number near 1.
            assert!(drift <= 1e-6, "a tolerance that loose proves nothing");
            let abs = 4.0 * drift + 5e-7;
            let expected = numbers(&case["after"][at]);
            assert_eq!(found[at].len(), expected.len());
            for (place, (found, expected)) in found[at].iter().zip(&expected).enumerate() {
                let what = format!("{net}, {settings}, step {}, value {place}", STEPS[at]);
                let (error, allowed) = ((found - expected).abs(), abs + 1e-6 * expected.abs());
                assert!(error <= allowed, "{what}: found {found}, expected {expected}");
                worst = worst.max(error / allowed);
            }
        }
    }
    // The tolerance is not wider than it need be.
    assert!(worst > 0.05, "{worst}");
}

#[test]
fn a_network_of_dense_layers_has_one_scope() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let with = |net: &str, scope: &str| {
        let settings = format!("learning_rate = 0.01\nl2 = 0.1\nl2_scope = \"{scope}\"");
        run(&space(&golden["nets"][net], &settings))
    };
    assert_eq!(with("dense", "dense"), with("dense", "all"));
    assert_ne!(with("conv", "dense"), with("conv", "all"));
}

#[test]
fn learning_rates_agree_with_pytorch() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["rates"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let settings = case["settings"].as_str().unwrap();
        let definition =
            space(&golden["nets"]["dense"], &format!("learning_rate = 0.3\n{settings}"));
        let recipe = Recipe::resolve(&definition, &[Value::Int(1)]).unwrap();
        let expected = numbers(&case["rates"]);
        assert_eq!(expected.len(), 40);
        for (epoch, expected) in (1..).zip(expected) {
            let found = recipe.rate(epoch);
            // PyTorch multiplies epoch by epoch: 40 roundings of f64, and near a cosine's bottom
            // what they leave of the top.
            let close = (found - expected).abs() <= 1e-14 * expected.abs() + 1e-15;
            assert!(close, "{settings}, epoch {epoch}: found {found}, expected {expected}");
        }
    }
}

/// A space that searches everything about the training.
const SEARCHED: &str = r#"
name = "searched"
dataset = "digits"
[[parameter]]
name = "optimizer"
type = "categorical"
choices = ["adam", "sgd", "rmsprop", "adagrad"]
[[parameter]]
name = "schedule"
type = "categorical"
choices = ["constant", "step", "exponential", "cosine"]
[[parameter]]
name = "momentum"
type = "float"
low = 0.5
high = 0.99
condition = { name = "optimizer", in = ["sgd"] }
[[parameter]]
name = "nesterov"
type = "categorical"
choices = ["false", "true"]
condition = { name = "optimizer", in = ["sgd"] }
[[parameter]]
name = "epsilon"
type = "float"
low = 1e-7
high = 1e-3
log = true
condition = { name = "optimizer", in = ["adam"] }
[[parameter]]
name = "drop"
type = "int"
low = 1
high = 9
condition = { name = "schedule", in = ["step"] }
[[parameter]]
name = "gamma"
type = "float"
low = 0.8
high = 0.99
condition = { name = "schedule", in = ["exponential"] }
[model]
input = [1, 8, 8]
classes = 10
[training]
optimizer = "$optimizer"
schedule = "$schedule"
learning_rate = 0.01
momentum = "$momentum"
nesterov = "$nesterov"
epsilon = "$epsilon"
step_epochs = "$drop"
exponential_gamma = "$gamma"
batch_size = 32
epochs = 12
train_size = 500
val_size = 200
test_size = 100
"#;

#[test]
fn defaults_are_pytorchs_and_conditional_parameters_fall_back_to_them() {
    let definition = Definition::parse("s.toml", SEARCHED).unwrap();
    let off = Value::Inactive;
    let recipe = |optimizer, schedule, rest: [Value; 5]| {
        let chosen = [Value::Choice(optimizer), Value::Choice(schedule)];
        let values: Vec<Value> = chosen.into_iter().chain(rest).collect();
        Recipe::resolve(&definition, &values)
    };
    let resolved = |optimizer, schedule, rest| {
        let recipe = recipe(optimizer, schedule, rest).unwrap();
        (recipe.optimizer, recipe.schedule)
    };
    let (float, choice, int) = (Value::Float, Value::Choice, Value::Int);
    assert_eq!(
        resolved(0, 0, [off, off, float(1e-5), off, off]),
        (UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 }, RateSchedule::Constant)
    );
    assert_eq!(
        resolved(1, 1, [float(0.75), choice(1), off, int(4), off]),
        (
            UpdateRule::Sgd { momentum: 0.75, nesterov: true },
            RateSchedule::Step { epochs: 4, gamma: 0.1 }
        )
    );
    assert_eq!(
        resolved(2, 2, [off, off, off, off, float(0.9)]),
        (
            UpdateRule::RmsProp { rho: 0.99, epsilon: 1e-8, momentum: 0.0 },
            RateSchedule::Exponential { gamma: 0.9 }
        )
    );
    assert_eq!(
        resolved(3, 3, [off; 5]),
        (
            UpdateRule::AdaGrad {
                epsilon: 1e-10,
                learning_rate_decay: 0.0,
                initial_accumulator: 0.0
            },
            RateSchedule::Cosine { epochs: 12, min: 0.0 }
        )
    );
    // What the condition of a needed parameter forgets is named.
    let error = recipe(0, 2, [off; 5]).unwrap_err().to_string();
    assert!(error.contains("training.exponential_gamma = $gamma: is inactive"), "{error}");
}

/// The fault of a space of literals with these lines in `[training]`.
fn refused(lines: &str, parameter: &str) -> Fault {
    let text = format!(
        "name = \"s\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"p\"\n{parameter}\n[model]\ninput = [1, 8, 8]\nclasses = 10\n\
         [training]\nlearning_rate = 0.01\n{lines}\nepochs = 5\ntrain_size = 1\nval_size = 1\n\
         test_size = 1\n"
    );
    match Definition::parse("s.toml", &text) {
        Err(Error::Input(fault)) => *fault,
        other => panic!("{lines}: {other:?}"),
    }
}

#[test]
fn each_fault_of_the_training_settings_is_named() {
    let unit = "type = \"float\"\nlow = 0.0\nhigh = 1.0";
    let words = "type = \"categorical\"\nchoices = [\"adam\", \"sgd\"]";
    let step = "type = \"categorical\"\nchoices = [\"constant\", \"step\"]";
    let sgd = "optimizer = \"sgd\"\n";
    for (lines, parameter, [field, value, rule, remedy]) in [
        ("optimizer = \"sdg\"", unit, ["optimizer", "sdg", "no such word", "`sgd`"]),
        ("schedule = \"cosin\"", unit, ["schedule", "cosin", "no such word", "`cosine`"]),
        ("momentum = 0.9", unit, ["momentum", "0.9", "with optimizer adam", "sgd or rmsprop"]),
        ("optimizer = \"$p\"\nrho = 0.9", words, ["rho", "0.9", "adam, sgd", "rmsprop"]),
        ("optimizer = \"sgd\"\nepsilon = 1e-3", unit, ["epsilon", "0.001", "sgd", "adagrad"]),
        ("step_gamma = 0.5", unit, ["step_gamma", "0.5", "schedule constant", "step"]),
        ("schedule = \"step\"", unit, ["step_epochs", "missing", "must stand", "add"]),
        ("schedule = \"$p\"", step, ["step_epochs", "missing", "must stand", "add"]),
        ("schedule = \"step\"\nstep_epochs = 0", unit, ["step_epochs", "0", "1 to 65535", ""]),
        ("schedule = \"exponential\"", unit, ["exponential_gamma", "missing", "factor", "add"]),
        (
            "schedule = \"exponential\"\nexponential_gamma = -0.5",
            unit,
            ["exponential_gamma", "-0.5", "0 to 1000", "range"],
        ),
        ("schedule = \"cosine\"\ncosine_min = 0.02", unit, ["cosine_min", "0.02", "0.01", ""]),
        ("schedule = \"cosine\"\ncosine_epochs = 2.5", unit, ["cosine_epochs", "2.5", "", ""]),
        (&format!("{sgd}nesterov = true"), unit, ["nesterov", "true", "momentum", "add"]),
        (&format!("{sgd}nesterov = 1"), unit, ["nesterov", "1", "true or false", ""]),
        (&format!("{sgd}nesterov = \"$p\""), words, ["nesterov", "$p", "false, true", ""]),
        (&format!("{sgd}momentum = 1"), unit, ["momentum", "1", "must be 0 to", "choose"]),
        (&format!("{sgd}momentum = \"$p\""), unit, ["momentum", "$p", "a number 0 to", "range"]),
        ("optimizer = \"adagrad\"\nepsilon = 2", unit, ["epsilon", "2", "must be 0 to 1", ""]),
        ("l2_scope = \"al\"", unit, ["l2_scope", "al", "no such scope", "`all`"]),
    ] {
        let fault = refused(lines, parameter);
        assert_eq!((fault.file.as_str(), fault.field), ("s.toml", format!("training.{field}")));
        assert!(fault.value.contains(value), "{lines}: {}", fault.value);
        assert!(fault.rule.contains(rule), "{lines}: {}", fault.rule);
        assert!(fault.remedy.contains(remedy), "{lines}: {}", fault.remedy);
    }
}

#[derive(Default)]
struct Memory(Vec<TrainedConfig>);

impl Sink for Memory {
    fn is_done(&self, _: ConfigId) -> bool {
        false
    }

    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()> {
        self.0.extend(cohort);
        Ok(())
    }
}

struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

/// The curves of the first configurations of `SEARCHED`, with these lines in `[training]` for its
/// own, on the built-in digits.
fn trained(lines: Option<&str>, configs: u32, epochs: u16, threads: usize) -> Vec<TrainedConfig> {
    let text = lines.map_or(SEARCHED.to_string(), |lines| {
        let (before, rest) = SEARCHED.split_once("[training]").unwrap();
        let after = rest.split_once("epochs = 12").unwrap().1;
        format!("{before}[training]\n{lines}\nepochs = 12{after}")
    });
    let definition = Definition::parse("s.toml", &text).unwrap();
    let settings = TrainSettings {
        configs: 0..configs,
        epochs,
        train_size: definition.training.train_size,
        val_size: definition.training.val_size,
        test_size: 0,
        seed: 1,
        sobol_seed: 0,
        threads,
        repeats: 1,
        definition,
    };
    let mut memory = Memory::default();
    let digits = curvebook::data::load("digits", None).unwrap();
    train(&settings, &digits, &mut memory, &Silent, &AtomicBool::new(false)).unwrap();
    memory.0
}

#[test]
fn whole_trainings_learn_with_each_optimizer_and_do_not_depend_on_threads() {
    let one = trained(None, 16, 12, 1);
    let optimizer = |trained: &TrainedConfig| trained.config.values[0];
    // A tenth would be chance; AdaGrad, whose steps shrink, has come least far by then.
    for choice in 0..4 {
        let of_choice = one.iter().filter(|trained| optimizer(trained) == Value::Choice(choice));
        let best = of_choice.map(|trained| trained.epochs[11].val_accuracy).fold(0.0, f64::max);
        assert!(best > 0.6, "choice {choice} reaches {best}");
    }
    let bits = |all: &[TrainedConfig]| -> Vec<(u64, u64)> {
        let of = |e: &EpochRecord| (e.val_loss.to_bits(), e.train_loss.to_bits());
        all.iter().flat_map(|trained| trained.epochs.iter().map(of)).collect()
    };
    assert_eq!(bits(&one), bits(&trained(None, 16, 12, 2)));
}

#[test]
fn schedules_act_from_epoch_to_epoch() {
    let losses = |lines: &str| -> Vec<f64> {
        let lines = format!("optimizer = \"sgd\"\nlearning_rate = 0.01\n{lines}");
        trained(Some(&lines), 1, 5, 1)[0].epochs.iter().map(|e| e.val_loss).collect()
    };
    let constant = losses("");
    // A rate of 0 from the third epoch on: what was learnt stays, to the bit.
    let frozen = losses("schedule = \"step\"\nstep_epochs = 2\nstep_gamma = 0.0");
    assert_eq!(frozen[..2], constant[..2]);
    assert_eq!(frozen[2..], [frozen[1]; 3]);
    assert!(constant[2] < constant[1]);
    // A factor of 1 is the constant schedule.
    assert_eq!(losses("schedule = \"exponential\"\nexponential_gamma = 1.0"), constant);
    // The cosine's length is the space's number of epochs, so fewer trained are a prefix.
    let cosine = losses("schedule = \"cosine\"");
    assert_eq!(cosine, losses("schedule = \"cosine\"\ncosine_epochs = 12"));
    assert!(cosine[0] == constant[0] && cosine[1] != constant[1]);
}

#[test]
fn each_optimizer_marks_divergence() {
    // The learning rate leaves f32 in the twelfth epoch at the latest.
    let rising = "schedule = \"exponential\"\nexponential_gamma = 1e3\nlearning_rate = 1e6";
    for optimizer in ["adam", "sgd", "rmsprop", "adagrad"] {
        let lines = format!("optimizer = \"{optimizer}\"\n{rising}");
        let trained = &trained(Some(&lines), 1, 12, 1)[0];
        assert_eq!(trained.config.status, Status::Diverged, "{optimizer}");
        assert!(trained.epochs[11].val_loss.is_nan() && trained.epochs[11].seconds > 0.0);
    }
}

#[test]
fn presets_use_adam_without_a_schedule() {
    for name in curvebook::space::presets::names() {
        let definition = Definition::preset(name).unwrap();
        let values = curvebook::space::sobol::configuration(&definition.space, 0, 0);
        let recipe = Recipe::resolve(&definition, &values).unwrap();
        let adam = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let as_contracted = (adam, RateSchedule::Constant, Scope::Dense);
        assert_eq!((recipe.optimizer, recipe.schedule, recipe.l2_scope), as_contracted, "{name}");
    }
}
