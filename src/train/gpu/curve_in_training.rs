//! A curve while its training is on the device.

#![expect(clippy::cast_precision_loss, reason = "counts of images stay below 2^53")]

use super::resident::PassResult;
use crate::epochs::{self, Seen};
use crate::record::Status;
use crate::{Curve, Job};

/// A training and what it has recorded so far.
#[derive(Debug)]
pub(super) struct CurveInTraining<'a> {
    pub(super) job: Job<'a>,
    pub(super) curve: Curve,
    /// What an epoch costs alone: all of it, and its evaluation.
    pub(super) seconds: [f64; 2],
    pub(super) flops_per_epoch: f64,
    /// Of the time of all that shared the device, over the epochs that were trained.
    shares: f64,
    trained: u16,
    /// Epochs that the user was told of when they were trained for the first time.
    told_before: u16,
}

impl<'a> CurveInTraining<'a> {
    /// `told_before`: epochs that were trained and lost with a device, and that the user knows of.
    pub(super) fn new(job: Job<'a>, setup_seconds: f64, told_before: u16) -> Self {
        let curve = Curve {
            setup_seconds,
            status: Status::Ok,
            epochs: Vec::with_capacity(usize::from(job.epochs)),
            // None until an epoch is validated.
            val_confusion: Vec::new(),
        };
        let flops_per_epoch = job.network.flops_per_epoch(job.split.train.len());
        let (seconds, shares, trained) = ([0.0; 2], 0.0, 0);
        Self { job, curve, seconds, flops_per_epoch, shares, trained, told_before }
    }

    /// Adds an epoch, or after a divergence all that are left; how many of them are news.
    pub(super) fn add(&mut self, results: &[PassResult; 3], share: f64) -> u16 {
        let before = self.told();
        self.record(results, share);
        self.told() - before
    }

    /// Epochs that the user has been told of.
    pub(super) fn told(&self) -> u16 {
        let recorded = u16::try_from(self.curve.epochs.len()).expect("epochs are 16 bits");
        recorded.max(self.told_before)
    }

    fn record(&mut self, [train, validation, test]: &[PassResult; 3], share: f64) {
        self.shares += share;
        self.trained += 1;
        let (repeat, epoch) = (self.job.repeat, self.trained);
        let [seconds, eval_seconds] = self.seconds;
        if !train.is_finite || !validation.is_finite {
            self.curve.status = Status::Diverged;
            let lost = epoch..=self.job.epochs;
            let record = |epoch| epochs::diverged(repeat, epoch, seconds, eval_seconds);
            self.curve.epochs.extend(lost.map(record));
            return;
        }
        let (split, classes) = (self.job.split, self.job.network.classes);
        let images = split.train.len() as f64;
        let correct: u32 = train.confusion.iter().step_by(classes + 1).sum();
        let validated = seen(validation, split.validation.len());
        let tested = (!split.test.is_empty()).then(|| seen(test, split.test.len()));
        self.curve.epochs.push(epochs::finite(
            (repeat, epoch),
            classes,
            [train.loss_sum / images, f64::from(correct) / images],
            validated,
            tested,
            self.seconds,
        ));
        self.curve.val_confusion.clone_from(&validation.confusion);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.curve.epochs.len() == usize::from(self.job.epochs)
    }

    /// Its share of the time of its cohort, an epoch.
    pub(super) fn share_seconds(&self) -> f64 {
        self.shares / f64::from(self.trained.max(1))
    }
}

/// What a pass saw; a loss that is no number where something in it was none.
fn seen(result: &PassResult, images: usize) -> Seen<'_> {
    let loss = if result.is_finite { result.loss_sum / images as f64 } else { f64::NAN };
    Seen { loss, confusion: &result.confusion }
}
