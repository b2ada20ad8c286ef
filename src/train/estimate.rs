//! What a training will cost, from a few timed steps of some of its configurations.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates: counts of images, bytes and operations stay far below 2^53"
)]

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use base::error::Result;
use base::units::ConfigId;
use store::table::{CONFIG_BYTES_TYPICAL, EPOCH_BYTES_TYPICAL, PART_BYTES_TYPICAL};

use super::cpu::Cpu;
use super::population::{self, Task};
use super::{Backend, Device, Job, Progress, TrainSettings, Watch, gpu};
use crate::data::{Dataset, Folds, Part, Split};
use crate::record::TrainedConfig;

/// Work of the timed steps of one sampled configuration, a fraction of a second on one core ...
const SAMPLE_FLOPS: f64 = 1e10;
/// ... and what one whole batch may take instead: the optimizer's share of a step is right only
/// there. The largest networks, where that share is nothing, get through a part of a batch ...
const BATCH_FLOPS_MAX: f64 = 4e10;
/// ... of at least so many images.
const SAMPLE_IMAGES_MIN: usize = 4;
/// More batches than these cost time where steps are tiny.
const SAMPLE_BATCHES_MAX: usize = 32;
/// Samples that halve the configurations by number, and by operations, again and again.
const BY_NUMBER: usize = 4;
const BY_FLOPS: usize = 6;

/// What a training will cost. Diverged trainings end sooner than is reckoned here.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Configurations to train, and their epochs over all repeats and folds.
    pub configs: usize,
    pub epochs: u64,
    /// Floating-point operations of the training steps.
    pub flops: f64,
    pub wall_seconds: f64,
    /// On the CPU the most memory that this process had taken, the data set included, while the
    /// largest configurations trained in every thread; none where the system does not say. On a GPU
    /// what the training asks the device for.
    pub memory_bytes: Option<u64>,
    /// The finished table.
    pub disk_bytes: u64,
    /// The most on disk at once: the parts, and the table made of them.
    pub disk_bytes_peak: u64,
    /// What was timed, by operations.
    pub samples: Vec<SampleCost>,
    pub backend: BackendCost,
}

/// What is peculiar to a backend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BackendCost {
    Cpu {
        /// Configurations in training at once.
        threads: usize,
        /// CPU seconds of all threads together, validation and test included.
        cpu_seconds: f64,
        /// Cores that the threads were given while the samples ran: `cpu_seconds` / `wall_seconds`.
        parallelism: f64,
    },
    Gpu {
        /// Configurations that share the device.
        at_once: usize,
        /// What the table's `seconds` will add up to: each configuration alone on the device,
        /// without tests.
        alone_seconds: f64,
        /// Floating-point operations a second of the training steps of those that share the device.
        flops_per_second: f64,
    },
}

/// What one sampled configuration costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleCost {
    pub config: ConfigId,
    /// Floating-point operations to train one epoch.
    pub flops: f64,
    /// On the CPU its seconds for an epoch: training, validation and test. On a GPU those of the
    /// device, of training and validation, while nothing else is there.
    pub epoch_seconds: f64,
    /// Floating-point operations a second, in training steps alone.
    pub flops_per_second: f64,
}

/// Estimates what [`super::train`] would cost on `device` under `settings`, leaving out the
/// configurations that `is_done` names. Takes seconds, up to a minute for the largest networks.
/// What lies between timed configurations in size is interpolated.
///
/// On the CPU, up to a dozen configurations of all sizes train for two very short epochs, of which
/// the second is timed, in as many threads at once as the training would use. On a GPU, a few steps
/// of each of them are timed alone, and a few of all that the training would begin with together:
/// their operations a second give the time of all.
///
/// Errors: those of [`super::train`] before any training; a GPU that fails.
pub fn estimate(
    settings: &TrainSettings,
    dataset: &Dataset,
    device: &Device,
    is_done: &dyn Fn(ConfigId) -> bool,
) -> Result<Estimate> {
    population::check(settings, dataset)?;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    let folds = settings.folds.map(|count| Folds::new(&split, count)).transpose()?;
    let splits = population::splits(&split, folds.as_ref())?;
    let mut tasks = population::tasks(settings, &splits, &Cpu)?;
    tasks.retain(|task| !is_done(task.config));
    let mut sorted: Vec<&Task> = tasks.iter().collect();
    sorted.sort_by(|a, b| a.flops.total_cmp(&b.flops).then(a.config.cmp(&b.config)));
    let sampled: Vec<&Task> = chosen(&sorted).into_iter().map(|at| sorted[at]).collect();
    let epochs = epochs_of(settings);
    let (disk_bytes, disk_bytes_peak) = disk(settings, tasks.len(), epochs);
    let spent = match device {
        Device::Cpu => on_the_cpu(settings, &sorted, &sampled, &splits[0]),
        Device::Gpu(chosen) => on_a_gpu(settings, &tasks, &sampled, &splits, chosen)?,
    };
    Ok(Estimate {
        configs: tasks.len(),
        epochs: (tasks.len() as f64 * epochs) as u64,
        flops: tasks.iter().map(|task| task.flops).sum(),
        wall_seconds: spent.wall_seconds,
        memory_bytes: spent.memory_bytes,
        disk_bytes,
        disk_bytes_peak,
        samples: spent.samples,
        backend: spent.backend,
    })
}

/// What a backend takes.
struct Spent {
    wall_seconds: f64,
    memory_bytes: Option<u64>,
    samples: Vec<SampleCost>,
    backend: BackendCost,
}

fn on_the_cpu(
    settings: &TrainSettings,
    tasks: &[&Task],
    sampled: &[&Task],
    split: &Split<'_>,
) -> Spent {
    let mut watch = Stopwatch::default();
    let samples: Vec<SampleCost> =
        sampled.iter().map(|task| watch.sample(settings, task, split)).collect();
    let points: Vec<[f64; 2]> = samples.iter().map(|s| [s.flops, s.epoch_seconds]).collect();
    let epochs = epochs_of(settings);
    let cpu_seconds: f64 =
        tasks.iter().map(|task| epochs * between(&points, task.flops / epochs)).sum();
    let (threads, parallelism) = (settings.threads, watch.parallelism(settings.threads));
    Spent {
        wall_seconds: cpu_seconds / parallelism,
        memory_bytes: watch.memory_bytes,
        samples,
        backend: BackendCost::Cpu { threads, cpu_seconds, parallelism },
    }
}

fn on_a_gpu(
    settings: &TrainSettings,
    tasks: &[Task],
    sampled: &[&Task],
    splits: &[Split<'_>],
    chosen: &gpu::Chosen,
) -> Result<Spent> {
    let never = AtomicBool::new(false);
    let run = gpu::Run { chosen, settings, tasks, splits, progress: &Nobody, stop: &never };
    let cost = gpu::estimate(&run, sampled)?;
    let points = |of: fn(&gpu::Sample) -> f64| -> Vec<[f64; 2]> {
        cost.samples.iter().map(|sample| [sample.flops, of(sample)]).collect()
    };
    let (alone, setup) = (points(|s| s.seconds[0]), points(|s| s.setup_seconds));
    let epochs = epochs_of(settings);
    let curves = epochs / f64::from(settings.epochs);
    let evaluated = (splits[0].validation.len() + splits[0].test.len()) as f64;
    let [train, evaluate] = cost.seconds_per_flop;
    let (mut wall_seconds, mut alone_seconds) = (cost.opening_seconds, 0.0);
    for task in tasks {
        let flops = task.flops / epochs;
        alone_seconds += epochs * between(&alone, flops);
        wall_seconds += curves * between(&setup, flops) + task.flops * train;
        wall_seconds += epochs * evaluated * task.network.flops_per_image() * evaluate;
    }
    let sample = |sample: &gpu::Sample| SampleCost {
        config: sample.config,
        flops: sample.flops,
        epoch_seconds: sample.seconds[0],
        flops_per_second: sample.flops / (sample.seconds[0] - sample.seconds[1]).max(1e-12),
    };
    Ok(Spent {
        wall_seconds,
        memory_bytes: Some(cost.bytes),
        samples: cost.samples.iter().map(sample).collect(),
        backend: BackendCost::Gpu {
            at_once: cost.at_once,
            alone_seconds,
            flops_per_second: cost.flops_per_second,
        },
    })
}

/// Of all curves of a configuration.
fn epochs_of(settings: &TrainSettings) -> f64 {
    let curves = settings.curves().expect("checked before anything is timed");
    f64::from(curves) * f64::from(settings.epochs)
}

/// Positions of the configurations to time among those sorted by operations: some that halve
/// their number, some that halve their operations, and the largest by operations and parameters,
/// which take the most memory.
fn chosen(tasks: &[&Task]) -> Vec<usize> {
    let all: f64 = tasks.iter().map(|task| task.flops).sum();
    let mut at: Vec<usize> =
        (0..BY_NUMBER).map(|nth| tasks.len() * (2 * nth + 1) / (2 * BY_NUMBER)).collect();
    let (mut sum, mut nth) = (0.0, 0);
    for (position, task) in tasks.iter().enumerate() {
        sum += task.flops;
        while sum * (2 * BY_FLOPS) as f64 >= all * (2 * nth + 1) as f64 && nth < BY_FLOPS {
            at.push(position);
            nth += 1;
        }
    }
    at.extend((0..tasks.len()).max_by_key(|&position| tasks[position].network.params()));
    at.extend(tasks.len().checked_sub(1));
    at.retain(|&position| position < tasks.len());
    at.sort_unstable();
    at.dedup();
    at
}

/// Seconds for so many operations: between two points by a straight line through both, beyond them
/// in proportion to the last.
fn between(points: &[[f64; 2]], flops: f64) -> f64 {
    let above = points.partition_point(|[x, _]| *x < flops);
    match (above.checked_sub(1).map(|below| points[below]), points.get(above)) {
        (Some(low), Some(high)) if high[0] > low[0] => {
            low[1] + (flops - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
        }
        (_, Some([x, y])) => y * (flops / x).min(1.0),
        (Some([x, y]), None) => y * flops / x,
        (None, None) => 0.0,
    }
}

/// Bytes of the finished table, and of the parts beside it.
fn disk(settings: &TrainSettings, configs: usize, epochs: f64) -> (u64, u64) {
    let rows = configs as f64 * epochs;
    let parameters = settings.definition.space.parameters.len() as f64;
    let config = CONFIG_BYTES_TYPICAL + 6.0 * parameters;
    let table = rows * EPOCH_BYTES_TYPICAL + configs as f64 * config;
    // At worst, each configuration is a part of its own.
    let parts = table + configs as f64 * PART_BYTES_TYPICAL;
    (table as u64, (table + parts) as u64)
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
    fn sample(&mut self, settings: &TrainSettings, task: &Task, split: &Split<'_>) -> SampleCost {
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
            let train = || Cpu.train(&job, &watch).expect("nobody stops it");
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
        let mean = |of: fn(&crate::record::EpochRecord) -> f64| {
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

/// Nobody watches the samples.
struct Nobody;

impl Progress for Nobody {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole_batches_but_for_the_largest_networks() {
        let images = [1e3, 1e6, 1e8, 3e8, 1e9, 2e10].map(|flops| sample_images(flops, 128));
        assert_eq!(images, [4_096, 4_096, 128, 128, 40, 4]);
    }

    #[test]
    fn between_samples_runs_a_line_and_beyond_them_a_proportion() {
        let points = [[10.0, 2.0], [20.0, 3.0], [20.0, 5.0]];
        let seconds = |flops| between(&points, flops);
        assert_eq!([seconds(5.0), seconds(10.0), seconds(15.0)], [1.0, 2.0, 2.5]);
        assert_eq!([seconds(20.0), seconds(40.0)], [3.0, 10.0]);
        assert_eq!(between(&[], 3.0), 0.0);
    }
}
