//! The passes against `PyTorch` and against finite differences.

use base::rng::Stream;
use serde_json::Value;

use super::*;

/// A fixed sequence without a generator, as `make_small_networks.py` has it.
fn number(at: usize, scale: f64) -> f64 {
    let at = f64::from(u32::try_from(at).unwrap());
    scale * libm::sin(1.0 + 0.7 * at + 0.013 * at * at)
}

fn dense(inputs: usize, outputs: usize, activation: Activation) -> Dense {
    Dense { inputs, outputs, activation }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

type Loss = fn(&[f64], &[f64], &mut Vec<f64>) -> f64;

fn loss_named(name: &str) -> Loss {
    match name {
        "absolute" => losses::absolute,
        "squared" => losses::squared,
        "gaussian" => losses::gaussian,
        other => panic!("no loss {other}"),
    }
}

fn layers_of(case: &Value) -> Vec<Dense> {
    let widths = numbers(&case["widths"]);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "widths")]
    let widths: Vec<usize> = widths.into_iter().map(|width| width as usize).collect();
    let names = case["activations"].as_array().unwrap();
    let pairs = widths.windows(2).zip(names);
    pairs
        .map(|(pair, name)| {
            let activation = match name.as_str().unwrap() {
                "leaky" => Activation::LEAKY,
                "tanh" => Activation::Tanh,
                "sigmoid" => Activation::Sigmoid,
                _ => Activation::Identity,
            };
            dense(pair[0], pair[1], activation)
        })
        .collect()
}

/// The largest distance, relative to 1 or the wanted number.
fn farthest(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let distances = found.iter().zip(wanted).map(|(f, w)| (f - w).abs() / w.abs().max(1.0));
    distances.fold(0.0, f64::max)
}

#[test]
fn a_dozen_steps_are_those_of_pytorch() {
    let golden = include_str!("../../../../tests/golden/small_networks/small_networks.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    for case in golden.as_array().unwrap() {
        let layers = layers_of(case);
        let count = layers.iter().map(Dense::parameters).sum();
        let parameters = (0..count).map(|at| number(at, 0.8)).collect();
        let mut network = Network::with_parameters(&layers, parameters);
        let inputs: Vec<f64> =
            (0..7 * network.inputs()).map(|at| number(1_000 + at, 1.0)).collect();
        let targets: Vec<f64> = (0..7).map(|at| number(2_000 + at, 0.5)).collect();
        let loss = loss_named(case["loss"].as_str().unwrap());
        let settings = AdamSettings {
            learning_rate: case["learning_rate"].as_f64().unwrap(),
            weight_decay: case["weight_decay"].as_f64().unwrap(),
            ..AdamSettings::default()
        };
        let mut adam = Adam::new(settings, count);
        let (mut tape, mut slopes) = (Tape::new(), Vec::new());
        let mut found = Vec::new();
        for step in 0..12 {
            let outputs = network.forward(&inputs, &mut tape);
            found.push(loss(outputs, &targets, &mut slopes));
            let mut gradient = vec![0.0; count];
            network.backward(&mut tape, &slopes, &mut gradient, step == 0);
            if step == 0 {
                assert!(farthest(tape.outputs(), &numbers(&case["outputs"])) < 1e-13);
                let wanted = numbers(&case["input_gradient"]);
                assert!(farthest(tape.input_gradient(), &wanted) < 1e-13);
            }
            adam.step(network.parameters_mut(), &gradient);
        }
        assert!(farthest(&found, &numbers(&case["losses"])) < 1e-11, "{case}");
        // A fifth of a step of Adam is 2e-3: an error in any of its parts shows far above this.
        assert!(farthest(network.parameters(), &numbers(&case["parameters"])) < 1e-9, "{case}");
    }
}

/// The loss of a network with these parameters at these inputs.
fn loss_at(layers: &[Dense], parameters: &[f64], inputs: &[f64], loss: Loss) -> f64 {
    let network = Network::with_parameters(layers, parameters.to_vec());
    let targets: Vec<f64> = (0..5).map(|at| number(300 + at, 0.5)).collect();
    loss(network.forward(inputs, &mut Tape::new()), &targets, &mut Vec::new())
}

#[test]
fn derivatives_are_the_limits_of_differences() {
    let hidden = [
        dense(3, 6, Activation::Tanh),
        dense(6, 5, Activation::LEAKY),
        dense(5, 4, Activation::Sigmoid),
    ];
    let cases: [(usize, Loss); 3] =
        [(1, losses::squared), (1, losses::absolute), (2, losses::gaussian)];
    for (outputs, loss) in cases {
        let last = dense(4, outputs, Activation::Identity);
        let layers: Vec<Dense> = hidden.iter().copied().chain([last]).collect();
        let network = Network::new(&layers, &mut Stream::new(3, 0, "networks"));
        let inputs: Vec<f64> = (0..15).map(|at| number(100 + at, 1.0)).collect();
        let targets: Vec<f64> = (0..5).map(|at| number(300 + at, 0.5)).collect();
        let (mut tape, mut slopes) = (Tape::new(), Vec::new());
        let _ = loss(network.forward(&inputs, &mut tape), &targets, &mut slopes);
        let mut gradient = vec![0.0; network.parameters().len()];
        network.backward(&mut tape, &slopes, &mut gradient, true);
        // The error of central differences is of the order of 1e-10 in a step of 1e-5.
        let difference = |at: usize, of_inputs: bool| {
            let value = |step: f64| {
                let mut parameters = network.parameters().to_vec();
                let mut moved = inputs.clone();
                let changed = if of_inputs { &mut moved } else { &mut parameters };
                changed[at] += step;
                loss_at(&layers, &parameters, &moved, loss)
            };
            (value(1e-5) - value(-1e-5)) / 2e-5
        };
        for (at, slope) in gradient.iter().enumerate() {
            assert!((slope - difference(at, false)).abs() < 1e-8, "parameter {at}");
        }
        for (at, slope) in tape.input_gradient().iter().enumerate() {
            assert!((slope - difference(at, true)).abs() < 1e-8, "input {at}");
        }
    }
}

#[test]
fn gradients_add_up_over_batches() {
    let layers = [dense(2, 7, Activation::Tanh), dense(7, 1, Activation::Identity)];
    let network = Network::new(&layers, &mut Stream::new(1, 0, "networks"));
    let inputs: Vec<f64> = (0..12).map(|at| number(at, 1.0)).collect();
    let slopes: Vec<f64> = (0..6).map(|at| number(50 + at, 1.0)).collect();
    let mut tape = Tape::new();
    let mut whole = vec![0.0; network.parameters().len()];
    let outputs = network.forward(&inputs, &mut tape).to_vec();
    network.backward(&mut tape, &slopes, &mut whole, false);
    let mut parts = vec![0.0; whole.len()];
    for (rows, slopes) in [(0..2, &slopes[..2]), (2..6, &slopes[2..])] {
        let some = &inputs[2 * rows.start..2 * rows.end];
        // The same bits, however many rows there are; a tape serves passes of any length.
        assert_eq!(network.forward(some, &mut tape), &outputs[rows]);
        network.backward(&mut tape, slopes, &mut parts, false);
    }
    assert_eq!(parts, whole);
}

#[test]
fn a_start_is_uniform_in_the_reach_of_its_inputs() {
    let layers = [dense(100, 40, Activation::LEAKY), dense(40, 25, Activation::LEAKY)];
    let network = Network::new(&layers, &mut Stream::new(5, 0, "networks"));
    let (first, second) = network.parameters().split_at(layers[0].parameters());
    for (drawn, reach) in [(first, 0.1), (second, 1.0 / f64::sqrt(40.0))] {
        let count = f64::from(u32::try_from(drawn.len()).unwrap());
        let mean = drawn.iter().sum::<f64>() / count;
        let square = drawn.iter().map(|w| w * w).sum::<f64>() / count;
        // Four standard deviations of a mean and of a mean square.
        assert!(mean.abs() < 4.0 * reach / (3.0 * count).sqrt(), "{mean}");
        let spread = 4.0 * reach * reach * f64::sqrt(4.0 / 45.0 / count);
        assert!((square - reach * reach / 3.0).abs() < spread, "{square}");
        assert!(drawn.iter().all(|w| w.abs() < reach));
    }
    let again = Network::new(&layers, &mut Stream::new(5, 0, "networks"));
    assert_eq!(again, network);
}

#[test]
fn an_epoch_takes_every_row_once() {
    let mut rng = Stream::new(2, 0, "networks");
    let found = batches(&mut rng, 10, 4);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    let mut all = found.concat();
    assert_ne!(all, (0..10).collect::<Vec<_>>());
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    assert!(batches(&mut rng, 0, 4).is_empty());
    assert_eq!(gather(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, &[2, 0]), [5.0, 6.0, 1.0, 2.0]);
}

#[test]
fn what_is_not_finite_is_passed_on() {
    let network = Network::new(&[dense(1, 1, Activation::Tanh)], &mut Stream::new(1, 0, "n"));
    let mut tape = Tape::new();
    let outputs = network.forward(&[f64::NAN, 0.5], &mut tape);
    assert!(outputs[0].is_nan() && outputs[1].is_finite());
    assert!(losses::squared(&[f64::NAN, 0.5], &[0.0, 0.0], &mut Vec::new()).is_nan());
    assert!(losses::squared(&[], &[], &mut Vec::new()).is_nan());
}
