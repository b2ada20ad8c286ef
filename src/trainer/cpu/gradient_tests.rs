//! Every layer against central differences of a plain f64 network.
//!
//! Each case is a small network of every kind of layer that can be trained; the reference computes
//! the same loss in f64 by the definitions, loop by loop, in contract 1's order. A central
//! difference with step h errs by about h^2 / 6 of the third derivative and 1e-16 / h of rounding:
//! with h = 1e-5 both lie far below the f32 rounding of the tested gradient.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::match_same_arms,
    reason = "sizes of a few pixels; one line a function"
)]

use super::Net;
use crate::model::{Network, Operation, Recipe, Shape};
use crate::space::{Activation, Definition, Value};
use crate::trainer::streams::Streams;
use crate::units::ConfigId;

const IMAGES: usize = 3;
const STEP: f64 = 1e-5;
/// f32 sums of a few hundred terms: 1e-7 each, some cancelling.
const ABS: f64 = 2e-6;
const REL: f64 = 2e-4;

fn network(input: [usize; 3], layers: &str) -> (Network, Recipe) {
    let text = format!(
        "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"unused\"\ntype = \"int\"\n\
         low = 1\nhigh = 2\n[model]\ninput = {input:?}\nclasses = 4\n{layers}\n[training]\n\
         learning_rate = 0.01\nbatch_size = {IMAGES}\nepochs = 1\ntrain_size = 1\nval_size = 1\n\
         test_size = 1\n"
    );
    let definition = Definition::parse("t.toml", &text).unwrap();
    let values = [Value::Int(1)];
    let network = Network::build(&definition, &values).unwrap();
    (network, Recipe::resolve(&definition, &values).unwrap())
}

fn act(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Linear => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu => x.max(0.01 * x),
        Activation::Elu if x <= 0.0 => x.exp_m1(),
        Activation::Elu => x,
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

/// Value at (channel, row, column), 0 in the padding.
fn at(image: &[f64], shape: Shape, c: usize, y: isize, x: isize) -> f64 {
    let inside = |i: isize, size: usize| usize::try_from(i).ok().filter(|&i| i < size);
    match (inside(y, shape.height), inside(x, shape.width)) {
        (Some(y), Some(x)) => image[(c * shape.height + y) * shape.width + x],
        _ => 0.0,
    }
}

/// Mean loss over the images, by the definitions. Dropout multiplies by `masks`.
fn loss(network: &Network, parameters: &[Vec<f64>], images: &[Vec<f64>], masks: &[f64]) -> f64 {
    let mut total = 0.0;
    for (number, image) in images.iter().enumerate() {
        let (mut values, mut parameters) = (image.clone(), parameters.iter());
        for layer in &network.layers {
            let (from, to) = (layer.input, layer.output);
            let mut out = Vec::with_capacity(to.len());
            let cells = (0..to.channels).flat_map(|c| {
                (0..to.height).flat_map(move |y| (0..to.width).map(move |x| (c, y, x)))
            });
            match layer.operation {
                Operation::Conv { kernel, before, activation, .. } => {
                    let p = parameters.next().unwrap();
                    for (f, y, x) in cells {
                        let mut sum = p[layer.weights + f];
                        for i in 0..layer.fan_in {
                            let (c, ky, kx) =
                                (i / kernel / kernel, i / kernel % kernel, i % kernel);
                            let place = |a: usize, k: usize| (a + k) as isize - before as isize;
                            let value = at(&values, from, c, place(y, ky), place(x, kx));
                            sum += p[f * layer.fan_in + i] * value;
                        }
                        out.push(act(activation, sum));
                    }
                }
                Operation::Dense { activation } => {
                    let p = parameters.next().unwrap();
                    for o in 0..to.channels {
                        let weights = &p[o * layer.fan_in..(o + 1) * layer.fan_in];
                        let sum: f64 = weights.iter().zip(&values).map(|(w, v)| w * v).sum();
                        out.push(act(activation, sum + p[layer.weights + o]));
                    }
                }
                Operation::MaxPool { size } => {
                    for (c, y, x) in cells {
                        let window = (0..size * size).map(|i| {
                            let (row, column) = (y * size + i / size, x * size + i % size);
                            at(&values, from, c, row as isize, column as isize)
                        });
                        out.push(window.fold(f64::NEG_INFINITY, f64::max));
                    }
                }
                Operation::Dropout { .. } => {
                    let masks = &masks[number * to.len()..];
                    out.extend(values.iter().zip(masks).map(|(v, m)| v * m));
                }
                Operation::BatchNorm { .. } => unreachable!("not built yet"),
            }
            values = out;
        }
        let label = number % network.classes;
        total += values.iter().map(|v| (v - values[label]).exp()).sum::<f64>().ln();
    }
    total / images.len() as f64
}

fn check(input: [usize; 3], layers: &str) {
    let (network, recipe) = network(input, layers);
    let streams = Streams::new(11, ConfigId(0), 0);
    let mut net = Net::new(&network, &recipe);
    net.initialise(&streams);
    let image_len = network.input.len();
    let mut drawn = vec![0.0; IMAGES * image_len];
    Streams::new(12, ConfigId(0), 0).he_normal(0, 2, &mut drawn);
    let images: Vec<Vec<f64>> =
        drawn.chunks(image_len).map(|i| i.iter().map(|&v| f64::from(v)).collect()).collect();
    let plane = network.input.height * network.input.width;
    let channels = network.input.channels;
    let pixels: Vec<f32> = (0..drawn.len())
        .map(|i| {
            let (image, rest) = (i / image_len, i % image_len);
            drawn[image * image_len + rest % channels * plane + rest / channels]
        })
        .collect();
    net.load(&pixels, &[0, 1, 2]);
    let trained = network.layers.iter().filter(|l| l.weights > 0).count();
    let parameters: Vec<Vec<f64>> = (0..trained)
        .map(|layer| net.parameters(layer))
        .map(|(w, b)| w.into_iter().chain(b).map(f64::from).collect())
        .collect();
    let (report, masks) = net.gradients_for_test(IMAGES, &streams);
    let masks: Vec<f64> = masks.into_iter().map(f64::from).collect();
    let reference = loss(&network, &parameters, &images, &masks);
    assert!((report / 3.0 - reference).abs() < 1e-5, "{report} / 3, reference {reference}");
    for layer in 0..trained {
        let found = net.gradient_for_test(layer);
        assert!(found.iter().any(|&g| g.abs() > 1e-4), "layer {layer} has a gradient");
        for (i, &found) in found.iter().enumerate() {
            let nudged = |by: f64| {
                let mut parameters = parameters.clone();
                parameters[layer][i] += by;
                loss(&network, &parameters, &images, &masks)
            };
            let expected = (nudged(STEP) - nudged(-STEP)) / (2.0 * STEP);
            let error = (f64::from(found) - expected).abs();
            assert!(error <= ABS + REL * expected.abs(), "{layer}[{i}]: {found}, {expected}");
        }
    }
}

const DENSE: &str = "[[model.layer]]\nkind = \"dense\"\nunits = 5\nactivation = \"tanh\"\n";

fn conv(filters: usize, kernel: usize, activation: &str) -> String {
    format!(
        "[[model.layer]]\nkind = \"conv\"\nfilters = {filters}\nkernel = {kernel}\n\
         activation = \"{activation}\"\n"
    )
}

fn pool(size: usize) -> String {
    format!("[[model.layer]]\nkind = \"maxpool\"\nsize = {size}\n")
}

#[test]
fn convolutions_with_odd_and_even_kernels() {
    for kernel in [1, 2, 3, 4, 5] {
        check([2, 5, 4], &format!("{}{}{DENSE}", conv(3, kernel, "tanh"), conv(2, kernel, "elu")));
    }
}

#[test]
fn a_kernel_wider_than_the_image() {
    check([1, 3, 2], &format!("{}{}{DENSE}", conv(2, 7, "tanh"), conv(2, 6, "sigmoid")));
}

#[test]
fn poolings_of_every_size() {
    for size in [1, 2, 3] {
        check([2, 7, 8], &format!("{}{}{DENSE}", conv(3, 3, "tanh"), pool(size)));
    }
}

#[test]
fn activations_of_every_kind() {
    for activation in ["linear", "relu", "leaky_relu", "elu", "tanh", "sigmoid"] {
        let dense = DENSE.replace("tanh", activation);
        check([1, 4, 4], &format!("{}{}{dense}", conv(3, 2, activation), pool(2)));
    }
}

#[test]
fn dropout_passes_gradients_through_its_mask() {
    let dropout = "[[model.layer]]\nkind = \"dropout\"\nrate = 0.5\n";
    check([1, 4, 4], &format!("{}{DENSE}{DENSE}{dropout}", conv(3, 2, "tanh")));
}
