//! Optimizers and learning-rate schedules against `PyTorch`, step by step.

use curvebook::base::space::Value;
use curvebook::base::units::ConfigId;
use curvebook::train::cpu::Net;
use curvebook::train::graph::Streams;
use curvebook::train::model::{Definition, Network, Recipe};
use serde_json::Value as Json;

use crate::trainer_common::numbers;

const GOLDEN: &str = include_str!("../golden/optimizers.json");
/// As in `make_optimizer_golden.py`: steps looked at, images a batch, classes, steps an epoch, and
/// weights kept of a layer, roughly.
const STEPS: [usize; 3] = [1, 10, 100];
const BATCH: usize = 6;
const CLASSES: usize = 4;
const EPOCH: usize = 5;
const KEPT: usize = 5;

fn space(net: &Json, settings: &str) -> Definition {
    let text = format!(
        "name = \"golden\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"batch\"\ntype = \"int\"\nvalues = [{BATCH}]\n\
         [model]\ninput = {}\nclasses = {CLASSES}\n{}[training]\n{settings}\n\
         batch_size = \"$batch\"\nepochs = 15\ntrain_size = 1\nval_size = 1\ntest_size = 1\n",
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
    let values = [Value::Int(BATCH.try_into().unwrap())];
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
        let recipe =
            Recipe::resolve(&definition, &[Value::Int(BATCH.try_into().unwrap())]).unwrap();
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
