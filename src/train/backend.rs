//! What a backend is given, and what it gives back.

use std::sync::atomic::{AtomicBool, Ordering};

use base::error::Result;
use base::units::ConfigId;

use crate::cpu::Cpu;
use crate::data::Split;
use crate::estimate::Spent;
#[cfg(feature = "gpu")]
use crate::gpu;
use crate::model::{Network, Recipe};
use crate::plan::Task;
use crate::progress::{Progress, Sink, Summary};
use crate::record::{EpochRecord, Status};
use crate::settings::TrainSettings;

/// What trains.
#[derive(Debug)]
pub enum Device {
    /// One configuration a thread.
    Cpu,
    /// Many configurations in one dispatch.
    #[cfg(feature = "gpu")]
    Gpu(gpu::Chosen),
}

impl Device {
    pub(crate) fn backend(&self) -> &dyn Backend {
        match self {
            Self::Cpu => &Cpu,
            #[cfg(feature = "gpu")]
            Self::Gpu(chosen) => chosen,
        }
    }
}

/// Trains many configurations; one a device.
pub(crate) trait Backend {
    /// Trains all of `work`. After a stop, everything that was finished has been kept.
    ///
    /// # Errors
    ///
    /// Whatever the sink says; on a GPU also a configuration that it cannot hold, before any
    /// training, and a device that fails again and again, whatever is asked of it.
    fn train(&self, work: &Work<'_>, sink: &mut dyn Sink) -> Result<Summary>;

    /// What [`Backend::train`] would take, from a few timed steps of `sampled`, which are some of
    /// the tasks, in the order of their operations.
    ///
    /// # Errors
    ///
    /// A GPU that fails, or cannot hold a configuration.
    fn estimate(&self, work: &Work<'_>, sampled: &[&Task]) -> Result<Spent>;
}

/// Trainings to do.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) settings: &'a TrainSettings,
    pub(crate) tasks: &'a [Task],
    /// One a fold; one in all without folds.
    pub(crate) splits: &'a [Split<'a>],
    pub(crate) progress: &'a dyn Progress,
    /// The user asked to stop.
    pub(crate) stop: &'a AtomicBool,
}

impl Work<'_> {
    /// One training: that of a curve's number.
    pub(crate) fn job<'a>(&'a self, task: &'a Task, curve: u16) -> Job<'a> {
        Job {
            config: task.config,
            repeat: curve,
            seed: self.settings.seed,
            epochs: self.settings.epochs,
            network: &task.network,
            recipe: &task.recipe,
            // Curve r x folds + f stands on fold f.
            split: &self.splits[usize::from(curve) % self.splits.len()],
        }
    }
}

/// One training of one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    pub config: ConfigId,
    /// The curve's number: repeat x folds + fold.
    pub repeat: u16,
    pub seed: u64,
    pub epochs: u16,
    pub network: &'a Network,
    pub recipe: &'a Recipe,
    pub split: &'a Split<'a>,
}

/// What a training reports to and obeys.
pub struct Watch<'a> {
    pub progress: &'a dyn Progress,
    /// The user asked to stop.
    pub stop: &'a AtomicBool,
    /// Another thread failed.
    pub abort: &'a AtomicBool,
}

impl Watch<'_> {
    /// Whether to break off.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.abort.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}

/// What one training recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// CPU seconds before the first epoch.
    pub setup_seconds: f64,
    pub status: Status,
    /// Every epoch, the lost ones of a diverged training included.
    pub epochs: Vec<EpochRecord>,
    /// After the last finite epoch; all 0 where there is none.
    pub val_confusion: Vec<u32>,
}
