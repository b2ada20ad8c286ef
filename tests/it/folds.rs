//! Repeats and folds: how they are encoded, and what they leave as it was.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use curvebook::train::model::Definition;
use curvebook::train::record::TrainedConfig;
use curvebook::train::{Device, Progress, TrainSettings, data, train};

use crate::trainer_common::{Memory, trained_on_digits};

fn settings(repeats: u16, folds: Option<u16>) -> TrainSettings {
    TrainSettings {
        definition: Definition::preset("digits-lenet").unwrap(),
        configs: 0..3,
        epochs: 2,
        train_size: 80,
        val_size: 21,
        test_size: 10,
        seed: 5,
        sobol_seed: 0,
        threads: 2,
        repeats,
        folds,
    }
}

/// Configurations and operations as planned, operations as reported.
#[derive(Default)]
struct Tally(Mutex<(usize, f64, f64)>);

impl Progress for Tally {
    fn epoch_done(&self, flops: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).2 += flops;
    }

    fn config_done(&self, _: &TrainedConfig) {}

    fn planned(&self, configs: usize, flops: f64) {
        let mut tally = self.0.lock().unwrap();
        (tally.0, tally.1) = (configs, flops);
    }
}

#[test]
fn curves_are_numbered_by_repeat_and_fold_and_each_is_its_own() {
    // 101 images in folds of 33, 34 and 34.
    let all = trained_on_digits(&settings(2, Some(3)));
    for TrainedConfig { config, epochs } in &all {
        let numbers: Vec<_> = epochs.iter().map(|e| (e.repeat, e.epoch)).collect();
        let expected: Vec<_> = (0..6).flat_map(|r| [(r, 1), (r, 2)]).collect();
        assert_eq!(numbers, expected);
        assert_eq!(config.val_confusion.iter().sum::<u32>(), 33, "of the first fold");
        for epoch in epochs {
            let size = if epoch.repeat % 3 == 0 { 33.0 } else { 34.0 };
            let correct = epoch.val_accuracy * size;
            assert!((correct - correct.round()).abs() < 1e-9, "{epoch:?}");
        }
        let losses: BTreeSet<u64> = epochs.iter().map(|e| e.train_loss.to_bits()).collect();
        assert_eq!(losses.len(), 12, "neither folds nor repeats share random numbers");
    }
    let per_image = all[0].config.flops_per_epoch / 68.0;
    assert_eq!(per_image, trained_on_digits(&settings(1, None))[0].config.flops_per_epoch / 80.0);
}

#[test]
fn repeat_0_is_what_it_is_without_others() {
    let (one, three) =
        (trained_on_digits(&settings(1, None)), trained_on_digits(&settings(3, None)));
    for (one, three) in one.iter().zip(&three) {
        assert_eq!(three.epochs.len(), 6);
        for (a, b) in one.epochs.iter().zip(&three.epochs) {
            assert_eq!((a.repeat, a.epoch, a.val_loss), (b.repeat, b.epoch, b.val_loss));
        }
        assert_eq!(one.config.val_confusion, three.config.val_confusion);
    }
}

#[test]
fn progress_adds_up_to_what_was_planned_with_folds_and_after_a_resume() {
    let digits = data::load("digits", None).unwrap();
    for (repeats, folds, done) in [(1, None, vec![]), (2, Some(3), vec![]), (2, Some(4), vec![1])] {
        let (tally, left) = (Tally::default(), 3 - done.len());
        let mut memory = Memory { done, ..Memory::default() };
        let settings = settings(repeats, folds);
        train(&settings, &digits, &Device::Cpu, &mut memory, &tally, &AtomicBool::new(false))
            .unwrap();
        let (configs, planned, reported) = tally.0.into_inner().unwrap();
        assert_eq!(configs, left);
        // Two sums of the same few dozen numbers, in other orders.
        assert!((planned - reported).abs() < 1e-12 * planned, "{planned} {reported}");
    }
}

#[test]
fn impossible_counts_are_refused() {
    let digits = data::load("digits", None).unwrap();
    for (repeats, folds, text) in [
        (0, None, "--repeats = 0: must be at least 1"),
        (1, Some(0), "--folds = 0: must be at least 1"),
        (1, Some(1), "--folds = 1: must be 2 to 101"),
        (1, Some(102), "--folds = 102: must be 2 to 101"),
        (65_535, Some(2), "--repeats x --folds = 131070: a table numbers at most 65535"),
    ] {
        let (settings, mut memory) = (settings(repeats, folds), Memory::default());
        let never = AtomicBool::new(false);
        let error = train(&settings, &digits, &Device::Cpu, &mut memory, &Tally::default(), &never);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}
