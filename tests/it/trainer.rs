//! Training against `PyTorch` and scikit-learn, and training many configurations.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use curvebook::base::error::Result;
use curvebook::base::units::ConfigId;
use curvebook::train::cpu::Net;
use curvebook::train::data::{self, Dataset};
use curvebook::train::graph::Streams;
use curvebook::train::metrics::Metrics;
use curvebook::train::model::{Definition, Network, Recipe};
use curvebook::train::record::{EpochRecord, Status, TrainedConfig};
use curvebook::train::{Device, Progress, Sink, TrainSettings, train};
use serde_json::Value as Json;

use crate::trainer_common::{number, numbers};

const GOLDEN: &str = include_str!("../golden/training.json");
/// As in `make_training_golden.py`: images a batch, and which weights are kept.
const BATCH: usize = 6;
const EVERY: usize = 13;

/// A LeNet-like space of literals alone.
fn definition(net: &Json) -> Definition {
    let (filters, pools, kernel) = (&net["filters"], &net["pools"], &net["kernel"]);
    let block = |at: usize| {
        format!(
            "[[model.layer]]\nkind = \"conv\"\nfilters = {}\nkernel = {kernel}\n\
             activation = \"relu\"\n[[model.layer]]\nkind = \"maxpool\"\nsize = {}\n",
            filters[at], pools[at]
        )
    };
    let text = format!(
        "name = \"golden\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"batch\"\ntype = \"int\"\nvalues = [{BATCH}]\n\
         [model]\ninput = {}\nclasses = 10\n{}{}\
         [[model.layer]]\nkind = \"dense\"\nunits = {}\nactivation = \"relu\"\n\
         [training]\nlearning_rate = {:?}\nl2 = {:?}\nl2_scope = {}\nbatch_size = \"$batch\"\n\
         epochs = 1\ntrain_size = 1\nval_size = 1\ntest_size = 1\n",
        net["input"],
        block(0),
        block(1),
        net["units"],
        number(&net["learning_rate"]),
        number(&net["l2"]),
        net["l2_scope"],
    );
    Definition::parse("golden.toml", &text).unwrap()
}

/// Asserts |found - expected| <= abs + rel |expected| for every pair.
fn assert_close(what: &str, found: &[f64], expected: &[f64], abs: f64, rel: f64) {
    assert!(abs <= 1e-3 && rel <= 1e-3, "a tolerance that loose proves nothing");
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (found - expected).abs() <= abs + rel * expected.abs();
        assert!(close, "{what}[{at}]: found {found}, expected {expected}");
    }
}

/// Every thirteenth weight of each layer, then every bias: what the golden file keeps.
fn kept(net: &mut Net) -> Vec<Vec<f64>> {
    let wide = |values: Vec<f32>, step| values.into_iter().step_by(step).map(f64::from).collect();
    let (weights, biases): (Vec<_>, Vec<_>) = (0..4)
        .map(|layer| net.parameters(layer))
        .map(|(weights, biases)| (wide(weights, EVERY), wide(biases, 1)))
        .unzip();
    weights.into_iter().chain(biases).collect()
}

fn set_parameters(net: &mut Net, network: &Network) {
    let trained = network.layers.iter().filter(|layer| layer.weights > 0);
    for (at, layer) in trained.enumerate() {
        let scale = (4.0 / layer.fan_in as f64).sqrt();
        let weight = |i: usize| ((0.7 * (i * i) as f64 + at as f64).sin() * scale) as f32;
        let weights: Vec<f32> = (0..layer.weights).map(weight).collect();
        let biases: Vec<f32> =
            (0..layer.biases).map(|j| (0.05 * (j as f64).cos()) as f32).collect();
        net.set_parameters(at, &weights, &biases);
    }
}

/// Batch `step` in (image, row, column, channel) order; the formula counts in (image, channel,
/// row, column).
fn load_batch(net: &mut Net, network: &Network, step: usize) -> usize {
    let images = if step < 9 { BATCH } else { BATCH - 2 };
    let (shape, len) = (network.input, network.input.len());
    let plane = shape.height * shape.width;
    let mut pixels = vec![0.0; images * len];
    for i in 0..images * len {
        let x = i as f64;
        let value = 1.5 * (0.37 * x + 0.0001 * x * x + 1.3 * step as f64).sin();
        let (image, channel, place) = (i / len, i % len / plane, i % plane);
        pixels[image * len + place * shape.channels + channel] = value as f32;
    }
    let labels: Vec<u8> = (0..images).map(|n| ((7 * n + 3 * step) % 10) as u8).collect();
    net.load(&pixels, &labels);
    images
}

#[test]
fn ten_steps_agree_with_pytorch() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["nets"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let definition = definition(case);
        let values = [curvebook::base::space::Value::Int(BATCH.try_into().unwrap())];
        let network = Network::build(&definition, &values).unwrap();
        let mut net = Net::new(&network, &Recipe::resolve(&definition, &values).unwrap());
        set_parameters(&mut net, &network);
        let streams = Streams::new(0, ConfigId(0), 0);
        let (mut losses, mut correct) = (Vec::new(), Vec::new());
        // PyTorch's own f32 run lies this far from its f64 run; another order of the sums may do
        // several times worse, and small values round at f32's own 1e-7.
        let abs = 4.0 * number(&case["float32_difference"]) + 1e-6;
        for step in 0..10 {
            let images = load_batch(&mut net, &network, step);
            let report = net.step(images, &streams);
            assert!(report.is_finite, "{name}");
            losses.push(report.loss_sum / images as f64);
            correct.push(f64::from(report.correct));
            if step == 0 || step == 9 {
                let expected = case[format!("after_{}", step + 1)].as_array().unwrap();
                for (layer, (found, expected)) in kept(&mut net).iter().zip(expected).enumerate() {
                    let what = format!("{name}, step {}, layer {layer}", step + 1);
                    assert_close(&what, found, &numbers(expected), abs, 1e-5);
                }
            }
        }
        assert_close(name, &losses, &numbers(&case["losses"]), abs, 1e-5);
        assert_eq!(correct, numbers(&case["correct"]), "{name}");
    }
}

#[test]
fn metrics_agree_with_scikit_learn() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["metrics"].as_array().unwrap() {
        let confusion: Vec<u32> = numbers(&case["confusion"]).iter().map(|&n| n as u32).collect();
        let metrics = Metrics::of(&confusion, number(&case["classes"]) as usize);
        for (name, found) in [
            ("accuracy", metrics.accuracy),
            ("precision_macro", metrics.precision_macro),
            ("recall_macro", metrics.recall_macro),
            ("f1_macro", metrics.f1_macro),
            ("precision_weighted", metrics.precision_weighted),
        ] {
            // Sums of at most ten terms in f64.
            assert_close(name, &[found], &[number(&case[name])], 1e-14, 0.0);
        }
    }
}

/// Keeps cohorts in memory; stops or fails when told to.
#[derive(Default)]
struct Memory {
    cohorts: Vec<Vec<TrainedConfig>>,
    done: Vec<u32>,
    fails: bool,
}

impl Sink for Memory {
    fn is_done(&self, config: ConfigId) -> bool {
        self.done.contains(&config.0)
    }

    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()> {
        if self.fails {
            return Err(curvebook::base::error::internal("writing", "disk full"));
        }
        self.cohorts.push(cohort);
        Ok(())
    }
}

impl Memory {
    /// What was kept, by id.
    fn sorted(&self) -> Vec<&TrainedConfig> {
        let mut all: Vec<_> = self.cohorts.iter().flatten().collect();
        all.sort_by_key(|trained| trained.config.config_id);
        all
    }

    fn configs(&self) -> Vec<u32> {
        self.sorted().iter().map(|trained| trained.config.config_id.0).collect()
    }
}

#[derive(Default)]
struct Count {
    epochs: AtomicUsize,
    configs: AtomicUsize,
    /// Sets this after so many configurations.
    stop_after: Option<usize>,
    stop: AtomicBool,
}

impl Progress for Count {
    fn epoch_done(&self, flops: f64) {
        assert!(flops > 0.0);
        self.epochs.fetch_add(1, Ordering::Relaxed);
    }

    fn config_done(&self, _: &TrainedConfig) {
        let done = self.configs.fetch_add(1, Ordering::Relaxed) + 1;
        if self.stop_after == Some(done) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn settings(threads: usize) -> TrainSettings {
    TrainSettings {
        definition: Definition::preset("digits-lenet").unwrap(),
        configs: 3..9,
        epochs: 2,
        train_size: 100,
        val_size: 50,
        test_size: 40,
        seed: 5,
        sobol_seed: 0,
        threads,
        repeats: 1,
        folds: None,
    }
}

fn digits() -> Dataset {
    data::load("digits", None).unwrap()
}

fn trained(settings: &TrainSettings) -> Memory {
    let mut memory = Memory::default();
    let count = Count::default();
    train(settings, &digits(), &Device::Cpu, &mut memory, &count, &count.stop).unwrap();
    memory
}

/// Everything but the times, bit for bit.
fn bits(trained: &TrainedConfig) -> Vec<u64> {
    let record = |epoch: &EpochRecord| {
        [
            u64::from(epoch.repeat),
            u64::from(epoch.epoch),
            epoch.val_accuracy.to_bits(),
            epoch.val_loss.to_bits(),
            epoch.train_loss.to_bits(),
            epoch.train_accuracy.to_bits(),
            epoch.val_precision_macro.to_bits(),
            epoch.val_recall_macro.to_bits(),
            epoch.val_f1_macro.to_bits(),
            epoch.val_precision_weighted.to_bits(),
            epoch.test_accuracy.unwrap().to_bits(),
            epoch.test_loss.unwrap().to_bits(),
        ]
    };
    let config = &trained.config;
    let confusion = config.val_confusion.iter().map(|&n| u64::from(n));
    let head = [u64::from(config.config_id.0), config.flops_per_epoch.to_bits()];
    head.into_iter().chain(confusion).chain(trained.epochs.iter().flat_map(record)).collect()
}

#[test]
fn any_number_of_threads_and_any_company_give_the_same_bits() {
    let one = trained(&settings(1));
    let two = trained(&settings(2));
    assert_eq!(one.configs(), [3, 4, 5, 6, 7, 8]);
    assert_eq!(two.configs(), one.configs());
    let all: Vec<_> = one.sorted().into_iter().map(bits).collect();
    assert!(two.sorted().into_iter().map(bits).eq(all.iter().cloned()));
    let alone = trained(&TrainSettings { configs: 6..7, ..settings(1) });
    assert_eq!(bits(&alone.cohorts[0][0]), all[3]);
    let other = trained(&TrainSettings { configs: 6..7, seed: 6, ..settings(1) });
    assert_ne!(bits(&other.cohorts[0][0]), all[3], "the seed plays a part");
}

#[test]
fn a_record_is_whole() {
    let memory = trained(&TrainSettings { configs: 0..1, repeats: 2, ..settings(1) });
    let trained = &memory.cohorts[0][0];
    let numbers: Vec<_> = trained.epochs.iter().map(|e| (e.repeat, e.epoch)).collect();
    assert_eq!(numbers, [(0, 1), (0, 2), (1, 1), (1, 2)]);
    assert_eq!(trained.config.val_confusion.iter().sum::<u32>(), 50);
    let diagonal: u32 = (0..10).map(|c| trained.config.val_confusion[c * 11]).sum();
    assert_eq!(trained.epochs[1].val_accuracy, f64::from(diagonal) / 50.0);
    for epoch in &trained.epochs {
        assert!(epoch.seconds > epoch.eval_seconds && epoch.eval_seconds > 0.0, "{epoch:?}");
        assert!(epoch.val_loss > 0.0 && epoch.test_loss.unwrap() > 0.0);
    }
    assert_ne!(trained.epochs[0].val_loss, trained.epochs[2].val_loss, "repeats differ");
}

#[test]
fn training_learns_the_digits() {
    let mut settings = TrainSettings { configs: 0..8, epochs: 10, ..settings(2) };
    (settings.train_size, settings.val_size) = (1_000, 397);
    let memory = trained(&settings);
    let best = memory.cohorts.iter().flatten().map(|t| t.epochs[9].val_accuracy);
    let best = best.fold(0.0, f64::max);
    assert!(best > 0.9, "the best of eight reaches {best}");
}

#[test]
fn what_is_done_is_skipped() {
    let mut memory = Memory { done: vec![3, 4, 7], ..Memory::default() };
    let count = Count::default();
    let summary =
        train(&settings(2), &digits(), &Device::Cpu, &mut memory, &count, &count.stop).unwrap();
    assert_eq!((summary.trained, summary.skipped, summary.diverged), (3, 3, 0));
    assert_eq!(memory.configs(), [5, 6, 8]);
    assert_eq!(count.epochs.into_inner(), 6);
    assert_eq!(count.configs.into_inner(), 3);
}

#[test]
fn a_stop_keeps_everything_that_is_finished_and_says_so() {
    let mut memory = Memory::default();
    let count = Count { stop_after: Some(45), ..Count::default() };
    let settings = TrainSettings { configs: 0..100, epochs: 1, ..settings(2) };
    let error =
        train(&settings, &digits(), &Device::Cpu, &mut memory, &count, &count.stop).unwrap_err();
    let (kept, finished) = (memory.configs(), count.configs.into_inner());
    assert_eq!(kept.len(), finished, "whatever a thread had finished is kept");
    // The other thread may have ended one more.
    assert!((45..=46).contains(&finished), "{finished}");
    assert!((0..32).all(|id| kept.contains(&id)), "starts go block by block: {kept:?}");
    assert!(error.to_string().contains(&format!("{finished} of 100")), "{error}");
}

#[test]
fn a_sink_that_fails_ends_the_training_with_its_error() {
    let mut memory = Memory { fails: true, ..Memory::default() };
    let count = Count::default();
    let error =
        train(&settings(2), &digits(), &Device::Cpu, &mut memory, &count, &count.stop).unwrap_err();
    assert!(error.to_string().contains("disk full"), "{error}");
}

#[test]
fn a_divergence_is_nan_to_the_end_and_costs_as_if_it_went_on() {
    let mut settings = TrainSettings { configs: 0..2, epochs: 4, ..settings(1) };
    settings.definition.training.learning_rate = curvebook::train::model::Setting::Literal(1e6);
    settings.definition.training.l2 = curvebook::train::model::Setting::Literal(1e6);
    settings.definition.training.l2_scope = curvebook::train::model::Scope::All;
    settings.definition.training.beta1 = curvebook::train::model::Setting::Literal(0.0);
    settings.definition.training.epsilon = Some(curvebook::train::model::Setting::Literal(0.0));
    let memory = trained(&settings);
    for trained in memory.cohorts.iter().flatten() {
        assert_eq!(trained.config.status, Status::Diverged);
        assert_eq!(trained.epochs.len(), 4);
        let last = trained.epochs[3];
        assert!(last.val_accuracy.is_nan() && last.val_loss.is_nan() && last.train_loss.is_nan());
        assert!(last.test_accuracy.is_some_and(f64::is_nan) && last.val_f1_macro.is_nan());
        assert!(last.seconds > last.eval_seconds && last.eval_seconds > 0.0);
    }
}

/// The error of training with changed settings on changed data.
fn refusal(change: impl FnOnce(&mut TrainSettings)) -> String {
    let mut settings = settings(1);
    change(&mut settings);
    let (mut memory, count) = (Memory::default(), Count::default());
    let error =
        train(&settings, &digits(), &Device::Cpu, &mut memory, &count, &count.stop).unwrap_err();
    assert!(matches!(error, curvebook::base::error::Error::Input(_)), "{error}");
    assert_eq!(count.epochs.into_inner(), 0, "refused before any work");
    error.to_string()
}

#[test]
fn what_cannot_be_trained_is_refused_before_any_work() {
    let preset = |name: &str| Definition::preset(name).unwrap();
    let text = refusal(|s| s.definition = preset("mnist-lenet-lite"));
    assert!(text.contains("[1, 28, 28]") && text.contains("[1, 8, 8]"), "{text}");
    let text = refusal(|s| s.definition.classes = 7);
    assert!(text.contains("model.classes = 7"), "{text}");
    let text = refusal(|s| s.train_size = 1_740);
    assert!(text.contains("1830") && text.contains("1797"), "{text}");
    let text = refusal(|s| s.configs = 0..65_537);
    assert!(text.contains("65536"), "{text}");
    for zero in [
        refusal(|s| s.epochs = 0),
        refusal(|s| s.repeats = 0),
        refusal(|s| s.threads = 0),
        refusal(|s| s.train_size = 0),
    ] {
        assert!(zero.contains("= 0: "), "{zero}");
    }
}

#[test]
fn what_only_some_configurations_break_is_refused_too() {
    let change = |from: &str, to: &str| {
        let text = curvebook::train::model::presets::text("digits-lenet").unwrap();
        assert!(text.contains(from), "{from}");
        let definition = Definition::parse("changed.toml", &text.replacen(from, to, 1)).unwrap();
        refusal(|s| s.definition = definition)
    };
    // A pooling that only some configurations choose and that leaves nothing.
    let text = change(
        "high = 2\n\n[[parameter]]\nname = \"learning",
        "high = 9\n\n[[parameter]]\nname = \"learning",
    );
    assert!(text.contains("leaves nothing of"), "{text}");
}
