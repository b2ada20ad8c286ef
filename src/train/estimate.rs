//! What a training will cost, from a few timed steps of some of its configurations.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates: counts of images, bytes and operations stay far below 2^53"
)]

use std::sync::atomic::AtomicBool;

use base::error::Result;
use base::units::ConfigId;
use store::table::{CONFIG_BYTES_TYPICAL, EPOCH_BYTES_TYPICAL, PART_BYTES_TYPICAL};

use crate::backend::{Device, Work};
use crate::data::{Dataset, Folds, Split};
use crate::memory;
use crate::plan::{self, Task};
use crate::progress::Progress;
use crate::record::TrainedConfig;
use crate::settings::TrainSettings;

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

/// Estimates what [`super::train`] would cost on `device` under `settings`, leaving out the curves
/// that are there already, of which `curves_done` says how many a configuration has. Takes seconds,
/// up to a minute for the largest networks. What lies between timed configurations in size is
/// interpolated.
///
/// On the CPU, up to a dozen configurations of all sizes train for two very short epochs, of which
/// the second is timed, in as many threads at once as the training would use. On a GPU, a few steps
/// of each of them are timed alone, and a few of all that the training would begin with together:
/// their operations a second give the time of all.
///
/// # Errors
///
/// Those of [`super::train`] before any training; a GPU that fails.
pub fn estimate(
    settings: &TrainSettings,
    dataset: &Dataset,
    device: &Device,
    curves_done: &dyn Fn(ConfigId) -> u16,
) -> Result<Estimate> {
    plan::check(settings, dataset)?;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    let folds = settings.folds.map(|count| Folds::new(&split, count)).transpose()?;
    let splits = plan::splits(&split, folds.as_ref())?;
    let mut tasks = plan::tasks(settings, &splits)?;
    memory::check(settings, &tasks, device)?;
    for task in &mut tasks {
        task.leave_out(curves_done(task.config), settings, &splits);
    }
    tasks.retain(|task| !task.curves.is_empty());
    let mut sorted: Vec<&Task> = tasks.iter().collect();
    sorted.sort_by(|a, b| a.flops.total_cmp(&b.flops).then(a.config.cmp(&b.config)));
    let sampled: Vec<&Task> = chosen(&sorted).into_iter().map(|at| sorted[at]).collect();
    let epochs: f64 = tasks.iter().map(|task| task.epochs(settings)).sum();
    let (disk_bytes, disk_bytes_peak) = disk(settings, tasks.len(), epochs);
    let (tasks, splits, stop) = (&tasks[..], &splits[..], &AtomicBool::new(false));
    let work = Work { settings, tasks, splits, progress: &Nobody, stop };
    let spent = device.backend().estimate(&work, &sampled)?;
    Ok(Estimate {
        configs: tasks.len(),
        epochs: epochs as u64,
        // A sum of nothing is -0, which would be printed.
        flops: tasks.iter().map(|task| task.flops).sum::<f64>() + 0.0,
        wall_seconds: spent.wall_seconds,
        memory_bytes: spent.memory_bytes,
        disk_bytes,
        disk_bytes_peak,
        samples: spent.samples,
        backend: spent.backend,
    })
}

/// What a backend takes.
pub(crate) struct Spent {
    pub(crate) wall_seconds: f64,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) samples: Vec<SampleCost>,
    pub(crate) backend: BackendCost,
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
pub(crate) fn between(points: &[[f64; 2]], flops: f64) -> f64 {
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

/// Bytes of the finished table, and of the parts beside it, for so many rows of curves.
fn disk(settings: &TrainSettings, configs: usize, rows: f64) -> (u64, u64) {
    let parameters = settings.definition.space.parameters.len() as f64;
    let config = CONFIG_BYTES_TYPICAL + 6.0 * parameters;
    let table = rows * EPOCH_BYTES_TYPICAL + configs as f64 * config;
    // At worst, each configuration is a part of its own.
    let parts = table + configs as f64 * PART_BYTES_TYPICAL;
    (table as u64, (table + parts) as u64)
}

/// Nobody watches the samples.
pub(crate) struct Nobody;

impl Progress for Nobody {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_samples_runs_a_line_and_beyond_them_a_proportion() {
        let points = [[10.0, 2.0], [20.0, 3.0], [20.0, 5.0]];
        let seconds = |flops| between(&points, flops);
        assert_eq!([seconds(5.0), seconds(10.0), seconds(15.0)], [1.0, 2.0, 2.5]);
        assert_eq!([seconds(20.0), seconds(40.0)], [3.0, 10.0]);
        assert_eq!(between(&[], 3.0), 0.0);
    }
}
