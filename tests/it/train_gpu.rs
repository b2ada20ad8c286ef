//! Trainings on a GPU (or what plays one) beside the same ones on the CPU.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use curvebook::train::model::{Definition, Setting};
use curvebook::train::record::{EpochRecord, Status, TrainedConfig};
use curvebook::train::{Device, TrainSettings, data, train};

use crate::trainer_common::{Memory, Silent, gpu};

/// How far the first epoch's losses may lie apart, of themselves. Most are the same to the last
/// bits of an f32: products round once a term or twice, as the adapter pleases, and `exp` and
/// `tanh` have a few units in the last place. But where a weight's gradient is nothing but
/// rounding, the first steps of Adam, `RMSprop` and `AdaGrad` have its sign alone, and another sign
/// is a weight that is moved the other way by the whole learning rate: some curves part by 1e-4,
/// and 1e-3 is too far.
const LOSS_TOLERANCE: f64 = 1e-3;
/// Of most curves.
const LOSS_TOLERANCE_USUAL: f64 = 1e-5;
/// Images at the border of two classes that may fall to the other side.
const IMAGES_ASTRAY: f64 = 2.0;

fn settings(definition: Definition) -> TrainSettings {
    TrainSettings {
        definition,
        configs: 3..9,
        epochs: 2,
        train_size: 100,
        val_size: 50,
        test_size: 40,
        seed: 5,
        sobol_seed: 0,
        threads: 2,
        repeats: 1,
        folds: None,
    }
}

fn digits_lenet() -> TrainSettings {
    settings(Definition::preset("digits-lenet").unwrap())
}

fn trained(device: &Device, settings: &TrainSettings) -> Vec<TrainedConfig> {
    let mut memory = Memory::default();
    let digits = data::load("digits", None).unwrap();
    let summary =
        train(settings, &digits, device, &mut memory, &Silent, &AtomicBool::new(false)).unwrap();
    let is_diverged = |trained: &&TrainedConfig| trained.config.status == Status::Diverged;
    assert_eq!(summary.trained, memory.trained.len());
    assert_eq!(summary.diverged, memory.trained.iter().filter(is_diverged).count());
    memory.trained
}

fn metrics(epoch: &EpochRecord) -> ([f64; 3], [f64; 3]) {
    let test = [epoch.test_loss.unwrap(), epoch.test_accuracy.unwrap()];
    (
        [epoch.train_loss, epoch.val_loss, test[0]],
        [epoch.train_accuracy, epoch.val_accuracy, test[1]],
    )
}

/// Asserts that both have the same configurations, curves and epochs, and that the first epochs
/// agree.
#[track_caller]
fn assert_agree(gpu: &[TrainedConfig], cpu: &[TrainedConfig], settings: &TrainSettings) {
    assert_eq!(gpu.len(), cpu.len());
    let images = [settings.train_size, settings.val_size, settings.test_size];
    let (mut apart, mut astray) = (Vec::new(), 0.0_f64);
    for (gpu, cpu) in gpu.iter().zip(cpu) {
        let numbers = |t: &TrainedConfig| -> Vec<_> {
            t.epochs.iter().map(|epoch| (epoch.repeat, epoch.epoch)).collect()
        };
        assert_eq!(gpu.config.config_id, cpu.config.config_id);
        assert_eq!(gpu.config.values, cpu.config.values);
        assert_eq!(gpu.config.flops_per_epoch, cpu.config.flops_per_epoch);
        assert_eq!(numbers(gpu), numbers(cpu));
        let tested: u32 = gpu.config.val_confusion.iter().sum();
        assert_eq!(tested, cpu.config.val_confusion.iter().sum::<u32>());
        assert!(gpu.config.fused_share_seconds.is_some_and(|seconds| seconds > 0.0));
        assert_eq!(cpu.config.fused_share_seconds, None);
        for (gpu, cpu) in gpu.epochs.iter().zip(&cpu.epochs).filter(|(gpu, _)| gpu.epoch == 1) {
            assert!(gpu.seconds > gpu.eval_seconds && gpu.eval_seconds > 0.0, "{gpu:?}");
            let ((losses, shares), (cpus, cpu_shares)) = (metrics(gpu), metrics(cpu));
            let relative = losses.iter().zip(cpus).map(|(found, cpu)| (found / cpu - 1.0).abs());
            apart.push(relative.fold(0.0, f64::max));
            for ((found, expected), images) in shares.iter().zip(cpu_shares).zip(images) {
                astray = astray.max((found - expected).abs() * images as f64);
            }
        }
    }
    apart.sort_by(f64::total_cmp);
    let (usual, most) = (apart[apart.len() / 2], apart[apart.len() - 1]);
    println!("losses {usual:.1e} apart, at most {most:.1e}; accuracies {astray:.2} images");
    assert!(usual <= LOSS_TOLERANCE_USUAL && most <= LOSS_TOLERANCE, "{apart:?}");
    assert!(astray <= IMAGES_ASTRAY + 1e-6, "{astray} images");
}

#[test]
fn repeats_and_folds_are_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let settings = TrainSettings { configs: 0..3, repeats: 2, folds: Some(2), ..digits_lenet() };
    let found = trained(&gpu, &settings);
    assert_agree(&found, &trained(&Device::Cpu, &settings), &settings);
    for TrainedConfig { config, epochs } in &found {
        let numbers: Vec<_> = epochs.iter().map(|e| (e.repeat, e.epoch)).collect();
        let expected: Vec<_> = (0..4).flat_map(|r| [(r, 1), (r, 2)]).collect();
        assert_eq!(numbers, expected);
        assert_eq!(config.val_confusion.iter().sum::<u32>(), 75, "of the first of two folds");
    }
    // Curve 0 is what it is without repeats.
    let single = TrainSettings { repeats: 1, ..settings };
    for (one, four) in trained(&gpu, &single).iter().zip(&found) {
        assert!(one.epochs.iter().zip(&four.epochs).all(|(a, b)| metrics(a) == metrics(b)));
    }
}

#[test]
fn every_optimizer_schedule_batch_size_and_regularizer_agrees_with_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spaces/mixed.toml");
    let definition = Definition::find(file.to_str().unwrap()).unwrap();
    let mut settings = TrainSettings { configs: 0..24, ..settings(definition) };
    (settings.train_size, settings.val_size, settings.test_size) = (300, 100, 60);
    let found = trained(&gpu, &settings);
    assert_agree(&found, &trained(&Device::Cpu, &settings), &settings);
    // The sample has them all, and no two of the batch sizes end together.
    for (parameter, choices) in [(3, 5), (4, 3), (5, 4), (6, 4)] {
        let of = |t: &TrainedConfig| format!("{:?}", t.config.values[parameter]);
        let seen: std::collections::BTreeSet<String> = found.iter().map(of).collect();
        assert_eq!(seen.len(), choices, "{seen:?}");
    }
}

#[test]
fn a_divergence_is_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let mut settings = TrainSettings { configs: 0..3, epochs: 4, ..digits_lenet() };
    let sound = trained(&gpu, &settings);
    settings.definition.training.learning_rate = Setting::Literal(1e6);
    settings.definition.training.l2 = Setting::Literal(1e6);
    settings.definition.training.l2_scope = curvebook::train::model::Scope::All;
    settings.definition.training.beta1 = Setting::Literal(0.0);
    settings.definition.training.epsilon = Some(Setting::Literal(0.0));
    let (found, expected) = (trained(&gpu, &settings), trained(&Device::Cpu, &settings));
    for ((found, expected), sound) in found.iter().zip(&expected).zip(&sound) {
        assert_eq!(expected.config.status, Status::Diverged);
        assert_eq!((found.config.status, sound.config.status), (Status::Diverged, Status::Ok));
        let lost = |t: &TrainedConfig| -> Vec<_> {
            let row = |e: &EpochRecord| {
                let (losses, shares) = metrics(e);
                let others = [e.val_precision_macro, e.val_recall_macro, e.val_f1_macro];
                (e.epoch, losses.map(f64::is_nan), shares.map(f64::is_nan), others.map(f64::is_nan))
            };
            t.epochs.iter().map(row).collect()
        };
        assert_eq!(lost(found), lost(expected));
        assert_eq!(found.config.val_confusion, expected.config.val_confusion);
        assert!(found.epochs.iter().all(|e| e.seconds > e.eval_seconds && e.eval_seconds > 0.0));
    }
}

#[test]
fn what_no_buffer_holds_is_refused_before_any_work() {
    let Some(gpu) = gpu() else { return };
    let Device::Gpu(chosen) = &gpu else { unreachable!("it is one") };
    let of = |name: &str| chosen.adapter.description().limits.iter().find(|l| l.name == name);
    let most = ["max_buffer_size", "max_storage_buffer_binding_size"];
    let most = most.map(|name| of(name).unwrap().has).into_iter().min().unwrap();
    let text = curvebook::train::model::presets::text("digits-lenet").unwrap();
    // Only the last configurations are too large: 65,536 images of 64 pixels and that many filters.
    let filters = most / (65_536 * 64 * 4) + 1;
    let change = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let text = change(text, "batch_size = 64", "batch_size = 65536");
    let text = change(&text, "high = 32", &format!("high = {}", filters + 31));
    let definition = Definition::parse("large.toml", &text).unwrap();
    let settings = settings(definition);
    let mut memory = Memory::default();
    let digits = data::load("digits", None).unwrap();
    let never = AtomicBool::new(false);
    let error = train(&settings, &digits, &gpu, &mut memory, &Silent, &never).unwrap_err();
    assert!(matches!(error, curvebook::base::error::Error::Input(_)), "{error}");
    let said = error.to_string();
    for part in ["large.toml", "configuration ", ", bytes = ", "--device cpu"] {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    assert!(said.contains(&format!("holds at most {most} bytes")), "{said}");
    assert!(memory.trained.is_empty());
}
