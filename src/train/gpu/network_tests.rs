//! Whole networks on the device against the CPU's, from the same seeds: the same weights, orders
//! and masks.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::sync::atomic::AtomicBool;

use base::space::{Value, sobol};
use base::units::ConfigId;

use super::cohort::Cohort;
use super::device::Gpu;
use super::images::Images;
use super::kernels::{Kernels, Variant};
use super::kernels::{correlation, product, twin};
use super::layout::Extents;
use super::resident::{parameters, sizes};
use crate::cpu::Net;
use crate::data::{Part, Split};
use crate::graph::Streams;
use crate::model::{Definition, Network, Recipe};
use crate::record::TrainedConfig;
use crate::{Job, Progress, Watch};

const SEED: u64 = 3;
/// Steps of the longest comparison; the last of them has one image.
const STEPS: usize = 100;

struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

/// A network, how it is trained, and on what.
struct Case {
    name: String,
    network: Network,
    recipe: Recipe,
    images: Vec<u8>,
    labels: Vec<u8>,
    number: u32,
}

/// Nothing is learned from these, but nothing explodes either.
fn noise(count: usize, seed: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |at| (at * 7_919 + seed * 104_729 + at * at % 1_013 * 31) % 65_521)
}

impl Case {
    fn new(name: &str, input: [usize; 3], layers: &str, training: &str) -> Self {
        let (training, batch_size) = training.rsplit_once("batch_size = ").unwrap();
        let text = format!(
            "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"batch\"\n\
             type = \"int\"\nvalues = [{batch_size}]\n[model]\ninput = {input:?}\n\
             classes = 4\n{layers}\n[training]\n{training}batch_size = \"$batch\"\n\
             epochs = 1\ntrain_size = 1\nval_size = 1\n\
             test_size = 1\n"
        );
        let definition = Definition::parse("t.toml", &text).unwrap();
        let values = [Value::Int(batch_size.parse().unwrap())];
        let network = Network::build(&definition, &values).unwrap();
        Self::of(name, network, Recipe::resolve(&definition, &values).unwrap())
    }

    /// A configuration of a preset.
    fn preset(space: &str, index: u32, batch_size: usize) -> Self {
        let definition = Definition::preset(space).unwrap();
        let values = sobol::configuration(&definition.space, index, 0);
        let network = Network::build(&definition, &values).unwrap();
        let recipe = Recipe::resolve(&definition, &values).unwrap();
        Self::of(&format!("{space} {index}"), network, Recipe { batch_size, ..recipe })
    }

    fn of(name: &str, network: Network, recipe: Recipe) -> Self {
        let count = (STEPS - 1) * recipe.batch_size + 1;
        let byte = |x: usize| u8::try_from(x % 256).unwrap();
        let classes = network.classes;
        Self {
            name: name.to_string(),
            images: noise(count * network.input.len(), name.len()).map(byte).collect(),
            labels: noise(count, 5).map(|x| byte(x % classes)).collect(),
            network,
            recipe,
            number: u32::try_from(name.len()).unwrap(),
        }
    }

    fn split(&self) -> Split<'_> {
        let len = self.network.input.len();
        let part = |first: usize, count: usize| Part {
            images: &self.images[first * len..(first + count) * len],
            labels: &self.labels[first..first + count],
        };
        let shape = self.network.input;
        Split {
            train: part(0, self.labels.len()),
            validation: part(3, self.recipe.batch_size + 2),
            test: part(1, 2),
            shape: [shape.channels, shape.height, shape.width],
            mean: vec![128.0; shape.channels],
            deviation: (0..shape.channels).map(|channel| 80.0 + channel as f64).collect(),
        }
    }

    fn job<'a>(&'a self, split: &'a Split<'a>) -> Job<'a> {
        Job {
            config: ConfigId(self.number),
            repeat: 1,
            seed: SEED,
            epochs: 1,
            network: &self.network,
            recipe: &self.recipe,
            split,
        }
    }

    /// Weights and biases of every layer in a row, before and after so many steps on the CPU, and
    /// the sum of the losses.
    fn on_the_cpu(&self, steps: usize) -> ([Vec<f32>; 2], f64) {
        let split = self.split();
        let streams = Streams::new(SEED, ConfigId(self.number), 1);
        let mut net = Net::new(&self.network, &self.recipe);
        net.initialise(&streams);
        let before = self.flat(&mut net);
        let mut order = vec![0; self.labels.len()];
        streams.order(1, &mut order);
        let (tables, len) = (split.standardised(), self.network.input.len());
        let plane = len / tables.len();
        let mut loss_sum = 0.0;
        for images in order.chunks(self.recipe.batch_size).take(steps) {
            let mut pixels = vec![0.0; images.len() * len];
            for (nth, &image) in images.iter().enumerate() {
                for (at, &byte) in self.images[image as usize * len..][..len].iter().enumerate() {
                    let (channel, place) = (at / plane, at % plane);
                    pixels[nth * len + place * tables.len() + channel] =
                        tables[channel][usize::from(byte)];
                }
            }
            let labels: Vec<u8> = images.iter().map(|&i| self.labels[i as usize]).collect();
            net.load(&pixels, &labels);
            loss_sum += net.step(images.len(), &streams).loss_sum;
        }
        ([before, self.flat(&mut net)], loss_sum)
    }

    fn flat(&self, net: &mut Net) -> Vec<f32> {
        let layers = self.network.layers.iter().filter(|layer| layer.params() > 0).count();
        let of = |at: usize| net.parameters(at);
        (0..layers).map(of).flat_map(|(weights, biases)| [weights, biases].concat()).collect()
    }
}

/// What the device makes of some networks, all at once: weights and losses after so many steps.
fn on_the_gpu(gpu: &Gpu, variant: Variant, cases: &[&Case], steps: u32) -> Vec<(Vec<f32>, f64)> {
    let splits: Vec<Split<'_>> = cases.iter().map(|case| case.split()).collect();
    let kernels = Kernels::new(variant);
    let watch_flag = AtomicBool::new(false);
    let watch = Watch { progress: &Silent, stop: &watch_flag, abort: &watch_flag };
    let mut found = Vec::new();
    // All of one data set share the device.
    let jobs: Vec<Job<'_>> =
        cases.iter().zip(&splits).map(|(case, split)| case.job(split)).collect();
    let mut all = [0; 8];
    for job in &jobs {
        all.iter_mut().zip(sizes(job).all()).for_each(|(all, size)| *all += size);
    }
    let images = Images::upload(gpu, &splits[0]).unwrap();
    let mut cohort = Cohort::new(gpu, &kernels, images, Extents::of(all), 200).unwrap();
    for job in jobs {
        assert!(cohort.place(job));
    }
    cohort.begin();
    let all: Vec<usize> = (0..cases.len()).collect();
    cohort.first_steps(&all, steps, &watch).unwrap();
    let losses = cohort.loss_sums().unwrap();
    for (at, case) in cases.iter().enumerate() {
        let layout = &cohort.residents()[at].layout;
        let layers = parameters(&case.network, layout, &cohort.weights(at).unwrap());
        let weights = layers.into_iter().flat_map(|(weights, biases)| [weights, biases].concat());
        found.push((weights.collect(), losses[at]));
    }
    found
}

/// One layer; TOML without its brackets.
fn layer(settings: &str) -> String {
    format!("[[model.layer]]\n{}\n", settings.replace("; ", "\n"))
}

fn conv(filters: usize, kernel: usize, more: &str) -> String {
    layer(&format!("kind = 'conv'; filters = {filters}; kernel = {kernel}{more}"))
}

fn dense(units: usize, activation: &str) -> String {
    layer(&format!("kind = 'dense'; units = {units}; activation = '{activation}'"))
}

fn training(rule: &str, batch_size: usize) -> String {
    format!("{}\nbatch_size = {batch_size}", rule.replace("; ", "\n"))
}

const SGD: &str = "optimizer = 'sgd'; momentum = 0.9; learning_rate = 0.003";

/// Networks whose dense layers sum in several chunks: some whole rows each, or parts of a row, of
/// images with a frame of 0 and without, and of vectors.
fn long_sums() -> Vec<Case> {
    let input = [2, 9, 7];
    let framed = |filters: usize| {
        let from_stem = |name: &str, rest: &str| layer(&format!("{name}from = 'stem'; {rest}"));
        let units = "kind = 'dense'; units = 11";
        let stem = format!("name = 'stem'; kind = 'conv'; filters = {filters}; kernel = 3");
        [
            layer(&format!("{stem}; activation = 'tanh'")),
            from_stem("", "kind = 'conv'; filters = 4; kernel = 4; activation = 'elu'"),
            layer(&format!("name = 'far'; {units}; activation = 'sigmoid'")),
            from_stem("name = 'near'; ", &format!("{units}; activation = 'relu'")),
            layer("kind = 'add'; from = ['near', 'far']; activation = 'tanh'"),
        ]
        .concat()
    };
    let whole = conv(21, 3, "; activation = 'elu'") + &dense(9, "relu");
    let vectors = dense(1_030, "tanh") + &dense(13, "leaky_relu");
    vec![
        Case::new("rows of a frame", input, &framed(20), &training(SGD, 18)),
        Case::new("parts of a frame's rows", input, &framed(80), &training(SGD, 3)),
        Case::new("rows", input, &whole, &training(SGD, 17)),
        Case::new("vectors", input, &vectors, &training(SGD, 5)),
    ]
}

/// Networks with every operation, and those with sizes that are easily forgotten.
fn cases() -> Vec<Case> {
    let pool = |kind: &str, size: usize, stride: usize, padding: &str| {
        layer(&format!("kind = '{kind}'; size = {size}; stride = {stride}; padding = '{padding}'"))
    };
    let act = |name: &str| format!("; activation = '{name}'");
    let named = |name: &str, from: &str, rest: &str| {
        layer(&format!("name = '{name}'; from = '{from}'; {rest}"))
    };
    let stem = named("stem", "input", "kind = 'conv'; filters = 5; kernel = 3; activation = 'elu'");
    let one = named("one", "stem", "kind = 'conv'; filters = 3; kernel = 1; activation = 'tanh'");
    let three =
        named("three", "stem", "kind = 'conv'; filters = 5; kernel = 3; activation = 'sigmoid'");
    let wide = named("wide", "stem", "kind = 'maxpool'; size = 3; stride = 1; padding = 'same'");
    let add = layer("name = 'sum'; kind = 'add'; from = ['stem', 'three']; activation = 'relu'");
    let concat = layer("kind = 'concat'; from = ['one', 'sum', 'wide', 'stem', 'one']");
    let norm = layer("kind = 'batchnorm'");
    let strided = |kernel: usize, stride: usize, padding: &str| {
        conv(4, kernel, &format!("; stride = {stride}; padding = '{padding}'; activation = 'tanh'"))
    };
    let input = [2, 9, 7];
    let lenet = format!(
        "{}{}{}{}{}",
        conv(6, 3, &act("relu")),
        pool("maxpool", 2, 2, "valid"),
        conv(9, 2, &act("relu")),
        pool("maxpool", 3, 3, "valid"),
        dense(21, "relu")
    );
    let mut cases = vec![
        Case::new("lenet", input, &lenet, &training(SGD, 5)),
        Case::new(
            "least",
            [1, 9, 9],
            &format!("{}{}", conv(1, 10, &act("tanh")), dense(1, "linear")),
            &training(SGD, 1),
        ),
        Case::new(
            "branches",
            [3, 6, 5],
            &format!("{stem}{one}{three}{add}{wide}{concat}{}", dense(7, "leaky_relu")),
            &training(SGD, 17),
        ),
        Case::new(
            "norms",
            input,
            &format!(
                "{}{norm}{}{}{norm}{}{norm}",
                conv(5, 3, &act("relu")),
                pool("avgpool", 3, 2, "same"),
                conv(17, 2, &act("elu")),
                dense(33, "tanh"),
            ),
            &training(SGD, 33),
        ),
        Case::new(
            "dropout",
            input,
            &format!(
                "{}{}{}{}",
                conv(3, 2, &act("leaky_relu")),
                layer("kind = 'dropout'; rate = 0.3"),
                dense(19, "elu"),
                layer("kind = 'dropout'; rate = 0.5")
            ),
            &training("optimizer = 'sgd'; learning_rate = 0.01; l2 = 0.02; l2_scope = 'all'", 18),
        ),
    ];
    for (kernel, stride, padding) in
        [(3, 2, "same"), (4, 3, "valid"), (2, 3, "same"), (5, 2, "same"), (1, 2, "valid")]
    {
        let layers = format!(
            "{}{}{}",
            conv(3, 3, &act("tanh")),
            strided(kernel, stride, padding),
            conv(2, 2, &act("linear"))
        );
        let name = format!("kernel {kernel}, stride {stride}, {padding}");
        cases.push(Case::new(&name, input, &layers, &training(SGD, 6)));
    }
    for (at, rule) in [
        "optimizer = 'adam'; learning_rate = 0.001; epsilon = 0.01",
        "optimizer = 'sgd'; momentum = 0.5; nesterov = true; learning_rate = 0.003",
        "optimizer = 'rmsprop'; learning_rate = 0.001; epsilon = 0.01",
        "optimizer = 'rmsprop'; momentum = 0.5; learning_rate = 0.001; epsilon = 0.01",
        "optimizer = 'adagrad'; learning_rate = 0.003; initial_accumulator = 0.1",
    ]
    .into_iter()
    .enumerate()
    {
        cases.push(Case::new(&format!("rule {at}"), input, &lenet, &training(rule, 5)));
    }
    cases.extend(long_sums());
    cases
}

/// Distance of two points over how far the second is from where both began.
fn distance(found: &[f32], [before, after]: &[Vec<f32>; 2]) -> f64 {
    let norm = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
    };
    assert_eq!(found.len(), after.len());
    norm(found, after) / norm(after, before)
}

/// Tolerance: 3e-5 of how far the weights have moved, and at the first step 1e-4, when an f32's
/// rounding of the weights counts most. Nothing here falls to the other side of a kink, which alone
/// makes longer trainings part. Losses agree as the weights do.
#[test]
fn the_first_steps_agree_with_the_cpus() {
    let Some(gpu) = twin::gpu() else { return };
    let variant = Variant::usual(gpu.description());
    let (mut failed, cases) = (Vec::new(), cases());
    for (steps, tolerance) in [(1, 1e-4), (10, 3e-5), (STEPS, 3e-5)] {
        for case in &cases {
            let (expected, loss) = case.on_the_cpu(steps);
            let found = on_the_gpu(&gpu, variant, &[case], u32::try_from(steps).unwrap());
            let apart = distance(&found[0].0, &expected);
            let losses = (found[0].1 - loss).abs() / loss;
            println!("{}, {steps} steps: weights {apart:.1e}, losses {losses:.1e}", case.name);
            if !(apart <= tolerance && losses <= tolerance) {
                failed.push((case.name.clone(), steps, apart, losses));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Everything but the time that training them takes, as bits.
fn bits((weights, losses): &(Vec<f32>, f64)) -> Vec<u64> {
    weights.iter().map(|weight| weight.to_bits().into()).chain([losses.to_bits()]).collect()
}

#[test]
fn a_network_trains_to_the_same_bits_alone_in_a_crowd_twice_and_with_any_tiles() {
    let Some(gpu) = twin::gpu() else { return };
    let lenets = [(0, 16), (5, 40), (9, 17), (11, 16)];
    let lenet = |(index, batch_size)| Case::preset("digits-lenet", index, batch_size);
    train_to_the_same_bits(&gpu, &lenets.map(lenet));
    train_to_the_same_bits(&gpu, &long_sums());
}

/// The cases are of one input, since all see the same images.
fn train_to_the_same_bits(gpu: &Gpu, cases: &[Case]) {
    let longest = cases.iter().max_by_key(|case| case.labels.len()).unwrap();
    let images = |case: &Case| Case {
        images: longest.images.clone(),
        labels: longest.labels.clone(),
        name: case.name.clone(),
        network: case.network.clone(),
        recipe: case.recipe,
        number: case.number + u32::try_from(case.recipe.batch_size).unwrap(),
    };
    let cases: Vec<Case> = cases.iter().map(images).collect();
    let usual = Variant::usual(gpu.description());
    let other = Variant {
        product: product::Tile { places: 3, filters_4: 1, threads: 16 },
        correlation: correlation::Tile { offsets_4: 1, filters: 3, threads: 64 },
        elements: 5,
    };
    let all: Vec<&Case> = cases.iter().collect();
    let crowd = on_the_gpu(gpu, usual, &all, 12);
    let backwards: Vec<&Case> = cases.iter().rev().collect();
    let again = on_the_gpu(gpu, other, &backwards, 12);
    for (at, case) in cases.iter().enumerate() {
        let alone = on_the_gpu(gpu, usual, &[case], 12).remove(0);
        assert!(bits(&alone) == bits(&crowd[at]), "{}", case.name);
        assert!(bits(&alone) == bits(&again[cases.len() - 1 - at]), "{}", case.name);
    }
    assert!(bits(&crowd[0]) != bits(&crowd[1]));
}

#[test]
fn a_network_that_diverges_is_marked_and_leaves_the_others_alone() {
    let Some(gpu) = twin::gpu() else { return };
    let [sound, mut wild] = [2, 3].map(|index| Case::preset("digits-lenet", index, 16));
    wild.images.clone_from(&sound.images);
    wild.labels.clone_from(&sound.labels);
    wild.recipe = Recipe { learning_rate: 1e30, ..wild.recipe };
    let splits = [sound.split(), wild.split()];
    let variant = Variant::usual(gpu.description());
    let kernels = Kernels::new(variant);
    let flag = AtomicBool::new(false);
    let watch = Watch { progress: &Silent, stop: &flag, abort: &flag };
    let epoch = |cases: &[&Case]| {
        let jobs: Vec<Job<'_>> =
            cases.iter().zip(&splits).map(|(case, split)| case.job(split)).collect();
        let mut all = [0; 8];
        for job in &jobs {
            all.iter_mut().zip(sizes(job).all()).for_each(|(all, size)| *all += size);
        }
        let images = Images::upload(&gpu, &splits[0]).unwrap();
        let mut cohort = Cohort::new(&gpu, &kernels, images, Extents::of(all), 200).unwrap();
        for job in jobs {
            assert!(cohort.place(job));
        }
        cohort.epoch(&watch).unwrap().unwrap().results
    };
    let (alone, both) = (epoch(&[&sound]), epoch(&[&sound, &wild]));
    assert!(alone[0] == both[0] && alone[0].iter().all(|pass| pass.is_finite));
    assert!(!both[1][0].is_finite, "{:?}", both[1][0].loss_sum);
}
