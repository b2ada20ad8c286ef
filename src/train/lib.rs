//! Training: a plan for many configurations, and the backends that train one.

pub mod cpu;
mod crew;
pub mod data;
mod dense_chunks;
mod epochs;
mod estimate;
pub mod gpu;
pub mod metrics;
pub mod model;
mod population;
pub mod provenance;
pub mod record;
pub mod streams;
mod wiring;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

pub use estimate::{BackendCost, Estimate, SampleCost, estimate};
pub use population::train;

use base::error::{Result, fault};
use base::units::ConfigId;

use crate::data::Split;
use crate::model::{Definition, Network, Recipe};
use crate::record::{EpochRecord, Status, TrainedConfig};

/// What to train.
#[derive(Debug, Clone)]
pub struct TrainSettings {
    pub definition: Definition,
    /// Global ids: the indices of Sobol points.
    pub configs: Range<u32>,
    pub epochs: u16,
    pub train_size: usize,
    pub val_size: usize,
    /// 0: nothing is tested.
    pub test_size: usize,
    /// Seed of weights, orders and masks.
    pub seed: u64,
    pub sobol_seed: u32,
    /// Configurations in training at once on the CPU.
    pub threads: usize,
    /// Trainings of each configuration (on each fold), each with its own random numbers.
    pub repeats: u16,
    /// Folds of a cross-validation within the training and validation images; none for the fixed
    /// split.
    pub folds: Option<u16>,
}

impl TrainSettings {
    /// Curves of each configuration: repeats x folds. Curve `r x folds + f` is repeat `r` on fold
    /// `f`; that number is also what its random streams are labelled with. Errors: none at all, or
    /// more than a table can number.
    pub fn curves(&self) -> Result<u16> {
        for (option, count) in [("--repeats", Some(self.repeats)), ("--folds", self.folds)] {
            if count == Some(0) {
                let remedy = "ask for at least one";
                return Err(fault("command line", option, 0, "must be at least 1", remedy));
            }
        }
        let folds = self.folds.unwrap_or(1);
        self.repeats.checked_mul(folds).ok_or_else(|| {
            let rule = format!("a table numbers at most {} curves a configuration", u16::MAX);
            let found = u32::from(self.repeats) * u32::from(folds);
            fault("command line", "--repeats x --folds", found, rule, "ask for fewer")
        })
    }
}

/// What trains.
#[derive(Debug)]
pub enum Device {
    /// One configuration a thread.
    Cpu,
    /// Many configurations in one dispatch.
    Gpu(gpu::Chosen),
}

/// Where trained configurations go.
pub trait Sink {
    /// Whether a configuration is there already, from an earlier, interrupted training.
    fn is_done(&self, config: ConfigId) -> bool;

    /// Keeps configurations for good, in whatever order they were finished.
    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()>;
}

/// Who wants to know how far the training is; called from every training thread.
pub trait Progress: Sync {
    /// An epoch of some configuration is done (or will never be, after a divergence: its record,
    /// handed to [`Progress::config_done`] later, is NaN).
    fn epoch_done(&self, flops: f64);

    /// A configuration is trained (not yet kept).
    fn config_done(&self, trained: &TrainedConfig);

    /// Something that the user should know, and that stops nothing.
    fn notice(&self, text: &str) {
        let _ = text;
    }

    /// The work is known: configurations to train, and the floating-point operations that all of
    /// their epochs will report.
    fn planned(&self, configs: usize, flops: f64) {
        let _ = (configs, flops);
    }
}

/// What a training did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Configurations trained and kept.
    pub trained: usize,
    /// Configurations that were there already.
    pub skipped: usize,
    /// Of the trained ones, those that diverged.
    pub diverged: usize,
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

/// Something that trains configurations.
pub trait Backend: Sync {
    /// As it stands in provenance.
    fn name(&self) -> &'static str;

    /// Refuses networks that it cannot train; `source` names the space file.
    fn check(&self, source: &str, network: &Network) -> Result<()>;

    /// Trains one configuration; `None` if it was asked to stop.
    fn train(&self, job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve>;
}
