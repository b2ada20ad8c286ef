//! What a training on the CPU will cost: up to a dozen configurations train for two very short
//! epochs, of which the second is timed.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates: counts of images, bytes and operations stay far below 2^53"
)]

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::record::EpochRecord;

use super::training;
use crate::backend::{Job, Watch, Work};
use crate::data::{Part, Split};
use crate::estimate::{BackendCost, Nobody, SampleCost, Spent, between};
use crate::plan::Task;

/// Work of the timed steps of one sampled configuration, a fraction of a second on one core ...
const SAMPLE_FLOPS: f64 = 1e10;
/// ... and what one whole batch may take instead: the optimizer's share of a step is right only
/// there. The largest networks, where that share is nothing, get through a part of a batch ...
const BATCH_FLOPS_MAX: f64 = 4e10;
/// ... of at least so many images.
const SAMPLE_IMAGES_MIN: usize = 4;
/// More batches than these cost time where steps are tiny.
const SAMPLE_BATCHES_MAX: usize = 32;

/// What `work` would take.
pub(super) fn estimate(work: &Work<'_>, sampled: &[&Task]) -> Spent {
    let settings = work.settings;
    let mut watch = Stopwatch::default();
    let samples: Vec<SampleCost> = sampled.iter().map(|task| watch.sample(work, task)).collect();
    let points: Vec<[f64; 2]> = samples.iter().map(|s| [s.flops, s.epoch_seconds]).collect();
    let cost = |task: &Task| {
        let epochs = task.epochs(settings);
        epochs * between(&points, task.flops / epochs)
    };
    let cpu_seconds: f64 = work.tasks.iter().map(cost).sum();
    let (threads, parallelism) = (settings.threads, watch.parallelism(settings.threads));
    Spent {
        wall_seconds: cpu_seconds / parallelism,
        memory_bytes: watch.memory_bytes,
        samples,
        backend: BackendCost::Cpu { threads, cpu_seconds, parallelism },
    }
}

/// The memory that this process has asked for and can write, whether or not it has touched all of
/// it: short samples do not fill a batch.
fn memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Times samples, and how many cores and how much memory they get.
#[derive(Debug, Default)]
struct Stopwatch {
    memory_bytes: Option<u64>,
    cpu_seconds: f64,
    wall_seconds: f64,
}

impl Stopwatch {
    fn parallelism(&self, threads: usize) -> f64 {
        if self.wall_seconds > 0.0 && self.cpu_seconds > 0.0 {
            (self.cpu_seconds / self.wall_seconds).min(threads as f64)
        } else {
            threads as f64
        }
    }

    /// Trains two short epochs of one configuration in every thread at once.
    fn sample(&mut self, work: &Work<'_>, task: &Task) -> SampleCost {
        let (settings, split) = (work.settings, &work.splits[0]);
        let batch = task.recipe.batch_size;
        let image_flops = task.network.flops_per_image();
        let images = sample_images(image_flops, batch);
        let short = Split {
            train: first(split.train, images),
            validation: first(split.validation, images),
            test: first(split.test, 0),
            ..split.clone()
        };
        let job = Job {
            config: task.config,
            repeat: 0,
            seed: settings.seed,
            epochs: 2,
            network: &task.network,
            recipe: &task.recipe,
            split: &short,
        };
        let never = AtomicBool::new(false);
        let watch = Watch { progress: &Nobody, stop: &never, abort: &never };
        let clock = Instant::now();
        let curves: Vec<_> = std::thread::scope(|scope| {
            let train = || training::train(&job, &watch).expect("nobody stops it");
            let threads: Vec<_> = (0..settings.threads).map(|_| scope.spawn(train)).collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                self.memory_bytes = self.memory_bytes.max(memory_bytes());
                std::thread::sleep(Duration::from_millis(2));
            }
            let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            ended.map(|curve| curve.unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
        });
        self.wall_seconds += clock.elapsed().as_secs_f64();
        let all = curves
            .iter()
            .map(|c| c.setup_seconds + c.epochs.iter().map(|e| e.seconds).sum::<f64>());
        self.cpu_seconds += all.sum::<f64>();
        let threads = curves.len() as f64;
        let mean = |of: fn(&EpochRecord) -> f64| {
            curves.iter().map(|curve| of(&curve.epochs[1])).sum::<f64>() / threads
        };
        let train_seconds = mean(|epoch| epoch.seconds - epoch.eval_seconds);
        let image_train = train_seconds / short.train.len() as f64;
        let image_eval = mean(|epoch| epoch.eval_seconds) / short.validation.len() as f64;
        let evaluated = split.validation.len() + split.test.len();
        SampleCost {
            config: task.config,
            flops: task.network.flops_per_epoch(split.train.len()),
            epoch_seconds: image_train * split.train.len() as f64 + image_eval * evaluated as f64,
            flops_per_second: image_flops / image_train.max(1e-12),
        }
    }
}

/// Images that a sample trains an epoch on.
fn sample_images(image_flops: f64, batch: usize) -> usize {
    let in_time = |flops: f64| (flops / image_flops) as usize;
    if in_time(BATCH_FLOPS_MAX) < batch {
        return in_time(BATCH_FLOPS_MAX).max(SAMPLE_IMAGES_MIN);
    }
    in_time(SAMPLE_FLOPS).clamp(batch, batch.saturating_mul(SAMPLE_BATCHES_MAX))
}

/// The first images of a part.
fn first(part: Part<'_>, count: usize) -> Part<'_> {
    let image_len = part.images.len().checked_div(part.len()).unwrap_or(0);
    let count = count.min(part.len());
    Part { images: &part.images[..count * image_len], labels: &part.labels[..count] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole_batches_but_for_the_largest_networks() {
        let images = [1e3, 1e6, 1e8, 3e8, 1e9, 2e10].map(|flops| sample_images(flops, 128));
        assert_eq!(images, [4_096, 4_096, 128, 128, 40, 4]);
    }
}
