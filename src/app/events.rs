//! What there is to tell while the work goes on.

use std::fmt;
use std::sync::atomic::AtomicBool;

use train::Progress;
#[cfg(feature = "download")]
use train::data::download::Watch;
use train::record::TrainedConfig;

/// A flag that nobody sets: for work that nobody stops.
pub static GO_ON: AtomicBool = AtomicBool::new(false);

/// Who wants to know how far the work is, and what the user should know. Every front end has its
/// own: bars and lines on a terminal, callbacks in Python, a list in a test.
///
/// All of it may stay silent, and nothing here can stop the work: that is what the `stop` flag is
/// for. Progress is called from every thread.
pub trait Events: Sync {
    /// Everything is read and checked, and the work begins: from here on the `stop` flag is
    /// heeded, and what is finished by then is kept.
    fn work_begins(&self) {}

    /// A line about what is being done or was found.
    fn say(&self, line: &str) {
        let _ = line;
    }

    /// Something to know that nobody has to act upon.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// Something that is probably not what was meant, and that stops nothing.
    fn warn(&self, text: &str) {
        let _ = text;
    }

    /// What those want to know who ask for more.
    fn detail(&self, text: &str) {
        let _ = text;
    }

    /// So many runs there are, of which so many were done before.
    fn runs_planned(&self, all: u32, done: u32) {
        let _ = (all, done);
    }

    /// A run is done.
    fn run_done(&self) {}

    /// No more runs are to come.
    fn runs_ended(&self) {}

    /// So many configurations are to be trained, whose epochs will take so many floating-point
    /// operations.
    fn training_planned(&self, configs: usize, flops: f64) {
        let _ = (configs, flops);
    }

    /// An epoch is trained, or will never be after a divergence.
    fn epoch_done(&self, flops: f64) {
        let _ = flops;
    }

    /// A configuration is trained. `epochs_lost` of its epochs, of `flops_per_epoch` each, were
    /// not: it had diverged.
    fn config_done(&self, epochs_lost: u64, flops_per_epoch: f64) {
        let _ = (epochs_lost, flops_per_epoch);
    }

    /// The training has ended, one way or the other.
    fn training_ended(&self) {}

    /// A download begins; `from` of its `bytes` bytes are there from an earlier one.
    fn download_begins(&self, file: &str, url: &str, from: u64, bytes: u64) {
        let _ = (file, url, from, bytes);
    }

    /// So many bytes of it are there.
    fn download_at(&self, bytes: u64) {
        let _ = bytes;
    }

    /// It has ended, one way or the other.
    fn download_ended(&self) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Events for Silent {}

/// Hands on what the training and the downloads tell.
pub(crate) struct Told<'a>(pub(crate) &'a dyn Events);

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

impl Progress for Told<'_> {
    fn epoch_done(&self, flops: f64) {
        self.0.epoch_done(flops);
    }

    fn config_done(&self, trained: &TrainedConfig) {
        let lost = trained.epochs.iter().filter(|epoch| epoch.val_accuracy.is_nan()).count();
        self.0.config_done(lost as u64, trained.config.flops_per_epoch);
    }

    fn notice(&self, text: &str) {
        self.0.note(text);
    }

    fn planned(&self, configs: usize, flops: f64) {
        self.0.training_planned(configs, flops);
    }
}

#[cfg(feature = "download")]
impl Watch for Told<'_> {
    fn begin(&self, file: &str, url: &str, from: u64, bytes: u64) {
        self.0.download_begins(file, url, from, bytes);
    }

    fn at(&self, bytes: u64) {
        self.0.download_at(bytes);
    }

    fn end(&self) {
        self.0.download_ended();
    }

    fn note(&self, line: &str) {
        self.0.say(line);
    }
}
