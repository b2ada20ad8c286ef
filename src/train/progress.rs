//! Who hears of a training: the sink that keeps it, and whoever watches.

use base::error::Result;
use base::units::ConfigId;

use crate::record::TrainedConfig;

/// Where trained configurations go.
pub trait Sink {
    /// Whether a configuration is there already, from an earlier, interrupted training.
    fn is_done(&self, config: ConfigId) -> bool;

    /// Curves of a configuration that are there already though it is not done: its training goes on
    /// with the next one, and what is appended of it begins there. A table that grows by repeats
    /// has some.
    fn curves_done(&self, config: ConfigId) -> u16 {
        let _ = config;
        0
    }

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
