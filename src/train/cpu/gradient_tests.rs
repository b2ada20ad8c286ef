//! Every layer against central differences of a plain f64 network.
//!
//! Each case is a small network; together they hold every kind of layer. The reference computes the
//! same loss in f64 by the definitions, loop by loop, in contract 1's order. A central
//! difference with step h errs by about h^2 / 6 of the third derivative and 1e-16 / h of rounding:
//! with h = 1e-5 both lie far below the f32 rounding of the tested gradient.

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::match_same_arms,
    reason = "sizes of a few pixels; one line a function"
)]

use base::space::Value;
use base::units::ConfigId;

use super::Net;
use crate::graph::Streams;
use crate::model::{
    Activation, Definition, Network, Operation, PlannedLayer, Recipe, Shape, Source, Window,
};

const IMAGES: usize = 3;
const STEP: f64 = 1e-5;
/// f32 sums of a few hundred terms: 1e-7 each, some cancelling.
const ABS: f64 = 2e-6;
const REL: f64 = 2e-4;

fn network(input: [usize; 3], layers: &str) -> (Network, Recipe) {
    let text = format!(
        "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"batch\"\ntype = \"int\"\n\
         values = [{IMAGES}]\n[model]\ninput = {input:?}\nclasses = 4\n{layers}\n[training]\n\
         learning_rate = 0.01\nbatch_size = \"$batch\"\nepochs = 1\ntrain_size = 1\nval_size = 1\n\
         test_size = 1\n"
    );
    let definition = Definition::parse("t.toml", &text).unwrap();
    let values = [Value::Int(IMAGES as i64)];
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

/// The batch's activations after each layer: (image, then channel, row, column).
type Batch = Vec<Vec<f64>>;

/// Mean loss over the images, by the definitions. Dropout multiplies by `masks`.
fn loss(network: &Network, parameters: &[Vec<f64>], images: &[Vec<f64>], masks: &[f64]) -> f64 {
    let mut outputs: Vec<Batch> = Vec::new();
    let mut parameters = parameters.iter();
    for layer in &network.layers {
        let read = |source: &Source| match source {
            Source::Images => images,
            Source::Layer(at) => &outputs[*at],
        };
        let inputs: Vec<&[Vec<f64>]> = layer.sources.iter().map(read).collect();
        let none = Vec::new();
        let p = if layer.params() > 0 { parameters.next().unwrap() } else { &none };
        let output = match layer.operation {
            Operation::BatchNorm { epsilon, activation, .. } => {
                normalise(layer.output, p, inputs[0], epsilon, activation)
            }
            _ => (0..images.len())
                .map(|n| {
                    let inputs: Vec<&[f64]> = inputs.iter().map(|input| &input[n][..]).collect();
                    image_output(layer, p, &inputs, &masks[masks.len() / images.len() * n..])
                })
                .collect(),
        };
        outputs.push(output);
    }
    let of_image = |(number, values): (usize, &Vec<f64>)| {
        let label = number % network.classes;
        values.iter().map(|v| (v - values[label]).exp()).sum::<f64>().ln()
    };
    let logits = outputs.last().unwrap();
    logits.iter().enumerate().map(of_image).sum::<f64>() / images.len() as f64
}

/// Batch normalisation in training, by its definition.
fn normalise(
    shape: Shape,
    p: &[f64],
    input: &[Vec<f64>],
    epsilon: f64,
    activation: Activation,
) -> Batch {
    let plane = shape.height * shape.width;
    let mut output = vec![vec![0.0; shape.len()]; input.len()];
    for c in 0..shape.channels {
        let places = c * plane..(c + 1) * plane;
        let values: Vec<f64> = input.iter().flat_map(|i| i[places.clone()].to_vec()).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        for (image, output) in input.iter().zip(&mut output) {
            for i in places.clone() {
                let normal = (image[i] - mean) / (variance + epsilon).sqrt();
                output[i] = act(activation, p[c] * normal + p[shape.channels + c]);
            }
        }
    }
    output
}

/// What every other layer makes of one image.
fn image_output(layer: &PlannedLayer, p: &[f64], inputs: &[&[f64]], masks: &[f64]) -> Vec<f64> {
    let (from, to, values) = (layer.input, layer.output, inputs[0]);
    let cells = (0..to.channels)
        .flat_map(|c| (0..to.height).flat_map(move |y| (0..to.width).map(move |x| (c, y, x))));
    let place = |a: usize, stride: usize, k: usize, before: usize| {
        (a * stride + k) as isize - before as isize
    };
    let bias = |unit: usize| if layer.biases > 0 { p[layer.weights + unit] } else { 0.0 };
    let pixels = |window: Window, (c, y, x): (usize, usize, usize)| {
        (0..window.height * window.width).filter_map(move |i| {
            let row = place(y, window.stride, i / window.width, window.before[0]);
            let column = place(x, window.stride, i % window.width, window.before[1]);
            let inside = |i: isize, size: usize| (0..size as isize).contains(&i);
            (inside(row, from.height) && inside(column, from.width))
                .then(|| at(values, from, c, row, column))
        })
    };
    match layer.operation {
        Operation::Conv { kernel, stride, before, activation } => cells
            .map(|(f, y, x)| {
                let mut sum = bias(f);
                for i in 0..layer.fan_in {
                    let (c, ky, kx) = (i / kernel / kernel, i / kernel % kernel, i % kernel);
                    let row = place(y, stride, ky, before[0]);
                    let value = at(values, from, c, row, place(x, stride, kx, before[1]));
                    sum += p[f * layer.fan_in + i] * value;
                }
                act(activation, sum)
            })
            .collect(),
        Operation::Dense { activation } => (0..to.channels)
            .map(|o| {
                let weights = &p[o * layer.fan_in..(o + 1) * layer.fan_in];
                let sum: f64 = weights.iter().zip(values).map(|(w, v)| w * v).sum();
                act(activation, sum + bias(o))
            })
            .collect(),
        Operation::MaxPool { window } => {
            cells.map(|cell| pixels(window, cell).fold(f64::NEG_INFINITY, f64::max)).collect()
        }
        Operation::AvgPool { window } => {
            let count = (window.height * window.width) as f64;
            cells.map(|cell| pixels(window, cell).sum::<f64>() / count).collect()
        }
        Operation::Dropout { .. } => values.iter().zip(masks).map(|(v, m)| v * m).collect(),
        Operation::Add { activation } => (0..to.len())
            .map(|i| act(activation, inputs.iter().map(|input| input[i]).sum()))
            .collect(),
        Operation::Concat => inputs.concat(),
        Operation::BatchNorm { .. } => unreachable!("needs the whole batch"),
    }
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
    let trained = network.layers.iter().filter(|l| l.params() > 0).count();
    for layer in 0..trained {
        let (weights, mut biases) = net.parameters(layer);
        // Neither 0 nor 1, so that every term plays its part.
        biases.iter_mut().enumerate().for_each(|(i, b)| *b += 0.2 * libm::cosf(2.0 * i as f32));
        net.set_parameters(layer, &weights, &biases);
    }
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

/// One layer; TOML without its brackets.
fn layer(settings: &str) -> String {
    format!("[[model.layer]]\n{}\n", settings.replace("; ", "\n"))
}

#[test]
fn convolutions_with_every_stride_and_padding() {
    for (kernel, stride) in [(1, 2), (2, 2), (3, 2), (4, 3), (5, 2), (2, 3)] {
        for padding in ["same", "valid"] {
            let conv = |filters| {
                layer(&format!(
                    "kind = 'conv'; filters = {filters}; kernel = {kernel}; stride = {stride}; \
                     padding = '{padding}'; activation = 'tanh'"
                ))
            };
            // Behind another layer, so that the input's gradient counts; sides of unlike remainder.
            check([2, 8, 9], &format!("{}{}", keeping_conv(), conv(2)));
            check([1, 11, 12], &format!("{}{DENSE}", conv(3)));
        }
    }
}

/// A convolution that keeps the size.
fn keeping_conv() -> String {
    conv(3, 3, "tanh")
}

#[test]
fn poolings_with_strides_and_padding() {
    for kind in ["maxpool", "avgpool"] {
        for (size, stride) in [(3, 2), (2, 1), (3, 1), (2, 3), (4, 2)] {
            for padding in ["same", "valid"] {
                let pool = layer(&format!(
                    "kind = '{kind}'; size = {size}; stride = {stride}; padding = '{padding}'"
                ));
                check([2, 7, 6], &format!("{}{pool}{DENSE}", keeping_conv()));
            }
        }
    }
    check([2, 5, 4], &format!("{}{}", keeping_conv(), layer("kind = 'avgpool'; size = 'global'")));
}

#[test]
fn batch_normalisation_wherever_it_may_stand() {
    let norm = layer("kind = 'batchnorm'");
    // Between layer and activation; of a dense layer three values a unit.
    check([2, 4, 5], &format!("{}{norm}{DENSE}", keeping_conv()));
    check([1, 4, 4], &format!("{}{norm}{}{norm}", keeping_conv(), conv(2, 2, "elu")));
    check([1, 4, 4], &format!("{DENSE}{norm}{DENSE}"));
    // By itself: before everything, and after a pooling with its own activation.
    let own = layer("kind = 'batchnorm'; activation = 'sigmoid'");
    check([2, 4, 4], &format!("{norm}{}{}{own}{DENSE}", keeping_conv(), pool(2)));
}

#[test]
fn sums_of_branches() {
    let body = |activation: &str| {
        format!("name = 'b'; kind = 'conv'; filters = 3; kernel = 3; activation = '{activation}'")
    };
    for activation in ["linear", "tanh"] {
        let add =
            layer(&format!("kind = 'add'; from = ['a', 'b', 'a']; activation = '{activation}'"));
        let a = layer("name = 'a'; kind = 'conv'; filters = 3; kernel = 2; activation = 'elu'");
        check([2, 4, 3], &format!("{a}{}{add}{DENSE}", layer(&body("tanh"))));
    }
    // A branch without weights beside one with them: the images are summed too.
    let add = layer("kind = 'add'; from = ['input', 'b']");
    let b = layer("name = 'b'; kind = 'conv'; filters = 2; kernel = 3");
    check([2, 4, 3], &format!("{b}{add}{DENSE}"));
}

#[test]
fn concatenated_branches() {
    let branch = |name: &str, from: &str, filters: usize, kernel: usize| {
        layer(&format!(
            "name = '{name}'; from = '{from}'; kind = 'conv'; filters = {filters}; \
             kernel = {kernel}; activation = 'tanh'"
        ))
    };
    let pool = layer(
        "name = 'p'; from = 'stem'; kind = 'maxpool'; size = 3; stride = 1; padding = 'same'",
    );
    let concat = layer("kind = 'concat'; from = ['one', 'input', 'three', 'p', 'one']");
    let stem = branch("stem", "input", 2, 3);
    let branches = format!("{}{}", branch("one", "stem", 1, 1), branch("three", "stem", 4, 3));
    check([2, 4, 4], &format!("{stem}{branches}{pool}{concat}{DENSE}"));
    // Vectors join as channels of one pixel.
    let unit = |name: &str| {
        layer(&format!(
            "name = '{name}'; from = 'input'; kind = 'dense'; units = 3; activation = 'elu'"
        ))
    };
    let concat = layer("kind = 'concat'; from = ['x', 'y']");
    check([1, 3, 3], &format!("{}{}{concat}{DENSE}", unit("x"), unit("y")));
}
