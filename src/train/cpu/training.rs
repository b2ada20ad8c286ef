//! The training of one configuration on one thread, timed by that thread's CPU time.

#![expect(clippy::cast_precision_loss, reason = "counts of images and steps stay below 2^53")]

use cpu_time::ThreadTime;

use super::confusion::Confusion;
use super::gather_batch::gather_batch;
use super::net::{Net, StepReport};
use crate::data::Part;
use crate::epochs::{self, Seen};
use crate::graph::Streams;
use crate::record::{EpochRecord, Status};
use crate::{Curve, Job, Watch};

/// Steps that the cost of an epoch is estimated from, where a training diverges before it has
/// finished one: the first steps of a training still touch cold memory.
const TIMED_STEPS_MIN: usize = 4;

/// Trains one configuration; `None` if it was asked to stop.
pub(super) fn train(job: &Job<'_>, watch: &Watch<'_>) -> Option<Curve> {
    let clock = ThreadTime::now();
    let mut run = Run {
        net: Net::new(job.network, job.recipe),
        order: vec![0; job.split.train.len()],
        streams: Streams::new(job.seed, job.config, job.repeat),
        standardised: job.split.standardised(),
        job,
        watch,
    };
    run.net.initialise(&run.streams);
    let setup_seconds = clock.elapsed().as_secs_f64();
    let flops = job.network.flops_per_epoch(job.split.train.len());
    let mut curve = Curve {
        setup_seconds,
        status: Status::Ok,
        epochs: Vec::with_capacity(usize::from(job.epochs)),
        // None until an epoch is validated: a matrix of zeros would claim that no image was.
        val_confusion: Vec::new(),
    };
    for epoch in 1..=job.epochs {
        match run.epoch(epoch)? {
            Outcome::Finite(record, confusion) => {
                curve.epochs.push(record);
                curve.val_confusion = confusion.counts;
                watch.progress.epoch_done(flops);
            }
            Outcome::Diverged { seconds, eval_seconds } => {
                curve.status = Status::Diverged;
                let (seconds, eval_seconds) = usual_cost(&curve.epochs, seconds, eval_seconds);
                let lost = |epoch| epochs::diverged(job.repeat, epoch, seconds, eval_seconds);
                curve.epochs.extend((epoch..=job.epochs).map(lost));
                for _ in epoch..=job.epochs {
                    watch.progress.epoch_done(flops);
                }
                break;
            }
        }
    }
    Some(curve)
}

/// How an epoch ended.
enum Outcome {
    Finite(EpochRecord, Confusion),
    /// With what the epoch would have cost.
    Diverged {
        seconds: f64,
        eval_seconds: f64,
    },
}

/// A training under way.
struct Run<'a> {
    net: Net,
    order: Vec<u32>,
    streams: Streams,
    standardised: Vec<[f32; 256]>,
    job: &'a Job<'a>,
    watch: &'a Watch<'a>,
}

/// Sums over the steps of an epoch.
#[derive(Default)]
struct Sums {
    loss: f64,
    correct: u32,
    steps: usize,
    is_finite: bool,
}

/// Losses and predictions over a part.
struct Evaluation {
    loss: f64,
    confusion: Confusion,
}

impl Evaluation {
    fn seen(&self) -> Seen<'_> {
        Seen { loss: self.loss, confusion: &self.confusion.counts }
    }
}

impl Run<'_> {
    /// Trains and evaluates one epoch; `None` if it was asked to stop.
    fn epoch(&mut self, epoch: u16) -> Option<Outcome> {
        let split = self.job.split;
        let clock = ThreadTime::now();
        let sums = self.steps(epoch)?;
        let train_seconds = clock.elapsed().as_secs_f64();
        // A diverged network is evaluated too: that is part of what the epoch would have cost.
        let clock = ThreadTime::now();
        let validation = self.evaluate(&split.validation)?;
        let eval_seconds = clock.elapsed().as_secs_f64();
        if !sums.is_finite || !validation.loss.is_finite() {
            let all = split.train.len().div_ceil(self.job.recipe.batch_size);
            let seconds = train_seconds * all as f64 / sums.steps as f64 + eval_seconds;
            return Some(Outcome::Diverged { seconds, eval_seconds });
        }
        let test = if split.test.is_empty() { None } else { Some(self.evaluate(&split.test)?) };
        let train_images = split.train.len() as f64;
        let train = [sums.loss / train_images, f64::from(sums.correct) / train_images];
        let record = epochs::finite(
            (self.job.repeat, epoch),
            self.job.network.classes,
            train,
            validation.seen(),
            test.as_ref().map(Evaluation::seen),
            [train_seconds + eval_seconds, eval_seconds],
        );
        Some(Outcome::Finite(record, validation.confusion))
    }

    /// Every step of an epoch, or those until it diverges.
    fn steps(&mut self, epoch: u16) -> Option<Sums> {
        let (batch_size, train) = (self.job.recipe.batch_size, self.job.split.train);
        self.streams.order(epoch, &mut self.order);
        self.net.start_epoch(epoch);
        let mut sums = Sums { is_finite: true, ..Sums::default() };
        for images in self.order.chunks(batch_size) {
            if self.watch.is_stopped() {
                return None;
            }
            let places = images.iter().map(|&image| image as usize);
            let (pixels, labels) = (&mut self.net.batch.pixels, &mut self.net.batch.labels);
            gather_batch(&train, &self.standardised, places, pixels, labels);
            let StepReport { loss_sum, correct, is_finite } =
                self.net.step(images.len(), &self.streams);
            sums.loss += loss_sum;
            sums.correct += correct;
            sums.steps += 1;
            sums.is_finite &= is_finite;
            if !sums.is_finite && sums.steps >= TIMED_STEPS_MIN {
                break;
            }
        }
        Some(sums)
    }

    fn evaluate(&mut self, part: &Part<'_>) -> Option<Evaluation> {
        let classes = self.job.network.classes;
        let batch_size = self.job.recipe.batch_size;
        let mut confusion = Confusion::new(classes);
        let mut loss_sum = 0.0;
        for first in (0..part.len()).step_by(batch_size) {
            if self.watch.is_stopped() {
                return None;
            }
            let places = first..part.len().min(first + batch_size);
            let images = places.len();
            let (pixels, labels) = (&mut self.net.batch.pixels, &mut self.net.batch.labels);
            gather_batch(part, &self.standardised, places, pixels, labels);
            loss_sum += self.net.evaluate(images, |label, best| confusion.add(label, best));
        }
        Some(Evaluation { loss: loss_sum / part.len() as f64, confusion })
    }
}

/// The median cost of the executed epochs, or the estimate where there is none.
fn usual_cost(executed: &[EpochRecord], seconds: f64, eval_seconds: f64) -> (f64, f64) {
    let median = |of: fn(&EpochRecord) -> f64, estimate: f64| {
        let mut values: Vec<f64> = executed.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = ((values.len().max(1) - 1) / 2, values.len() / 2);
        if values.is_empty() { estimate } else { f64::midpoint(values[low], values[high]) }
    };
    (median(|e| e.seconds, seconds), median(|e| e.eval_seconds, eval_seconds))
}
