//! Devices that fail: in the middle, twice, always.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base::error::{Error, Result};
use base::units::ConfigId;

use super::adapter::{Adapter, Wanted};
use super::backend::Run;
use super::device::Gpu;
use super::kernels::twin;
use super::variants::Chosen;
use crate::backend::Work;
use crate::data::{self, Split};
use crate::model::Definition;
use crate::plan::{splits, tasks};
use crate::record::TrainedConfig;
use crate::{Progress, Sink, Summary, TrainSettings};

/// Keeps what is trained, without its times.
#[derive(Default)]
struct Memory(Vec<TrainedConfig>);

impl Sink for Memory {
    fn is_done(&self, _: ConfigId) -> bool {
        false
    }

    fn append(&mut self, finished: Vec<TrainedConfig>) -> Result<()> {
        for mut trained in finished {
            trained.config.setup_seconds = 0.0;
            trained.config.fused_share_seconds = None;
            for epoch in &mut trained.epochs {
                (epoch.seconds, epoch.eval_seconds) = (0.0, 0.0);
            }
            self.0.push(trained);
        }
        self.0.sort_by_key(|trained| trained.config.config_id);
        Ok(())
    }
}

/// Takes the device away when it has heard of so many epochs.
#[derive(Default)]
struct Saboteur {
    gpu: Mutex<Option<Arc<Gpu>>>,
    lost_at: Vec<usize>,
    epochs: AtomicUsize,
    configs: AtomicUsize,
    notices: Mutex<Vec<String>>,
}

impl Progress for Saboteur {
    fn epoch_done(&self, _: f64) {
        let epochs = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        if self.lost_at.contains(&epochs) {
            self.gpu.lock().unwrap().as_ref().unwrap().lose();
        }
    }

    fn config_done(&self, _: &TrainedConfig) {
        self.configs.fetch_add(1, Ordering::Relaxed);
    }

    fn notice(&self, text: &str) {
        self.notices.lock().unwrap().push(text.to_string());
    }
}

struct Outcome {
    summary: Result<Summary>,
    kept: Vec<TrainedConfig>,
    notices: Vec<String>,
    epochs: usize,
    /// Devices that were opened.
    opened: usize,
}

/// Trains configurations 3 to 8 for three epochs. The device is lost after so many epochs of all of
/// them together; those opened after the first `sound` ones are lost from the beginning.
fn outcome(lost_at: &[usize], sound: usize) -> Option<Outcome> {
    let adapter = twin::gpu().and_then(|_| Adapter::choose(Wanted::Gpu).unwrap())?;
    let chosen = Chosen::new(adapter).unwrap();
    let settings = TrainSettings {
        definition: Definition::preset("digits-lenet").unwrap(),
        configs: 3..9,
        epochs: 3,
        train_size: 100,
        val_size: 50,
        test_size: 40,
        seed: 5,
        sobol_seed: 0,
        threads: 1,
        repeats: 1,
        folds: None,
    };
    let digits = data::load("digits", None).unwrap();
    let split = Split::new(&digits, 100, 50, 40).unwrap();
    let splits = splits(&split, None).unwrap();
    let tasks = tasks(&settings, &splits).unwrap();
    let saboteur = Saboteur { lost_at: lost_at.to_vec(), ..Saboteur::default() };
    let (stop, opened) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (tasks, splits) = (&tasks[..], &splits[..]);
    let work = Work { settings: &settings, tasks, splits, progress: &saboteur, stop: &stop };
    let run = Run { chosen: &chosen, work: &work };
    let open = || {
        let gpu = Arc::new(Gpu::open(&chosen.adapter)?);
        if opened.fetch_add(1, Ordering::Relaxed) >= sound {
            gpu.lose();
        }
        *saboteur.gpu.lock().unwrap() = Some(Arc::clone(&gpu));
        Ok(gpu)
    };
    let mut memory = Memory::default();
    let summary = run.run_on(&open, &mut memory);
    assert_eq!(saboteur.configs.into_inner(), memory.0.len());
    Some(Outcome {
        summary,
        kept: memory.0,
        notices: saboteur.notices.into_inner().unwrap(),
        epochs: saboteur.epochs.into_inner(),
        opened: opened.into_inner(),
    })
}

/// The error of a device that stays away, which is to name a configuration.
#[track_caller]
fn named(outcome: &Outcome, config: u32) {
    let error = outcome.summary.as_ref().unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    let said = error.to_string();
    assert!(said.contains(&format!("(training configuration {config} alone)")), "{said}");
    assert!(said.contains("adapter ") && said.contains("--device cpu"), "{said}");
}

#[test]
fn what_a_device_loses_is_trained_again_on_fewer_at_once_to_the_same_bits() {
    let Some(whole) = outcome(&[], 9) else { return };
    assert_eq!((whole.kept.len(), whole.epochs, whole.opened), (6, 18, 1));
    assert!(whole.notices.is_empty());
    // In the second of three epochs, and again in the third epoch of the first three.
    for (lost_at, told) in [(&[8][..], &["3 on, with 3"][..]), (&[8, 14], &["3 on, with 3", "6"])] {
        let lost = outcome(lost_at, 9).unwrap();
        let summary = lost.summary.unwrap();
        assert_eq!((summary.trained, summary.diverged), (6, 0));
        assert!(lost.kept == whole.kept, "lost after {lost_at:?} epochs");
        assert_eq!(lost.epochs, 18, "nobody hears twice of an epoch");
        assert_eq!((lost.opened, lost.notices.len()), (1 + told.len(), told.len()));
        for (notice, told) in lost.notices.iter().zip(told) {
            assert!(notice.contains("must stay with us"), "{notice}");
            let again = format!("trying again from configuration {told}");
            assert!(notice.contains(&again), "{notice}");
        }
    }
}

#[test]
fn a_device_that_always_fails_is_an_error_that_names_a_configuration() {
    let Some(never) = outcome(&[], 0) else { return };
    named(&never, 3);
    assert_eq!((never.kept.len(), never.epochs), (0, 0));
    // Six, three, one.
    assert_eq!((never.opened, never.notices.len()), (3, 2), "{:?}", never.notices);
}

#[test]
fn what_was_finished_is_kept_when_the_device_stays_away() {
    let Some(whole) = outcome(&[], 9) else { return };
    let cut = outcome(&[8, 14], 2).unwrap();
    named(&cut, 6);
    assert_eq!(cut.kept.len(), 3);
    assert!(cut.kept[..] == whole.kept[..3]);
}
