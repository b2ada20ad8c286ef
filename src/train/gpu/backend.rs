//! Many trainings on the device: which there are, and what is refused before any of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::error::{Result, fault};

use super::device::Gpu;
use super::estimate;
use super::incomplete_configs::IncompleteConfigs;
use super::kernels::tensor::count;
use super::layout::{Extents, SHARED};
use super::queue::{Device, Queue};
use super::resident;
use super::variants::Chosen;
use crate::backend::{Backend, Work};
use crate::estimate::Spent;
use crate::plan::Task;
use crate::{Job, Sink, Summary};

/// Configurations that are taken through all folds together: the device holds the images of one
/// fold at a time.
const AT_ONCE_WITH_FOLDS: usize = 64;
/// Trainings that are put in the order of their steps an epoch, so that those that share the device
/// end their epochs together.
const BLOCK: usize = 256;
/// Trainings that share the device: enough to fill it, and no more than are finished in some
/// minutes, since a kill loses them.
pub(super) const RESIDENTS_MAX: usize = 512;
const RESIDENTS_MIN: usize = 16;
const RESIDENT_SECONDS: f64 = 300.0;

impl Backend for Chosen {
    fn train(&self, work: &Work<'_>, sink: &mut dyn Sink) -> Result<Summary> {
        Run { chosen: self, work }.run(sink)
    }

    fn estimate(&self, work: &Work<'_>, sampled: &[&Task]) -> Result<Spent> {
        estimate::estimate(&Run { chosen: self, work }, sampled)
    }
}

/// A training of many configurations.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) chosen: &'a Chosen,
    pub(super) work: &'a Work<'a>,
}

/// Gives a device, and another when that has failed.
pub(super) type Open<'o> = &'o dyn Fn() -> Result<Arc<Gpu>>;

impl Run<'_> {
    /// See [`Backend::train`].
    fn run(&self, sink: &mut dyn Sink) -> Result<Summary> {
        self.run_on(&|| Gpu::open(&self.chosen.adapter).map(Arc::new), sink)
    }

    pub(super) fn run_on(&self, open: Open<'_>, sink: &mut dyn Sink) -> Result<Summary> {
        let mut summary = Summary::default();
        let mut device = Device::open(open, self.chosen.variant)?;
        self.check(&device.gpu)?;
        for tasks in self.work.tasks.chunks(self.at_once()) {
            let mut incomplete = IncompleteConfigs::new(self, tasks, sink);
            for fold in 0..self.work.splits.len() {
                let waiting = in_order(self.jobs(tasks, fold));
                Queue::new(self, waiting, &mut incomplete).train(&mut device)?;
                if self.work.stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            summary.trained += incomplete.summary.trained;
            summary.diverged += incomplete.summary.diverged;
        }
        Ok(summary)
    }

    /// Configurations that are taken through all folds together.
    fn at_once(&self) -> usize {
        match self.work.splits.len() {
            1 => self.work.tasks.len().max(1),
            _ => AT_ONCE_WITH_FOLDS,
        }
    }

    /// The trainings that come first, in the order of their starts.
    pub(super) fn first_jobs(&self) -> VecDeque<Job<'_>> {
        let first = self.work.tasks.len().min(self.at_once());
        in_order(self.jobs(&self.work.tasks[..first], 0))
    }

    /// The trainings of a fold.
    fn jobs<'a>(&'a self, tasks: &'a [Task], fold: usize) -> Vec<Job<'a>> {
        let folds = self.work.splits.len();
        let of = |task: &'a Task| {
            let curves = task.curves.clone().filter(move |c| usize::from(*c) % folds == fold);
            curves.map(move |curve| (task, curve))
        };
        tasks.iter().flat_map(of).map(|(task, curve)| self.work.job(task, curve)).collect()
    }

    /// Refuses what does not even fit alone.
    pub(super) fn check(&self, gpu: &Gpu) -> Result<()> {
        let most = gpu.binding_bytes();
        let folds = || (0..self.work.splits.len()).zip(0..).map(|(_, fold)| fold);
        let jobs = |task| folds().map(move |fold| self.work.job(task, fold));
        for job in self.work.tasks.iter().flat_map(jobs) {
            let needed = bytes(resident::sizes(&job)).into_iter().max().unwrap_or(0);
            if needed > most {
                let file = &self.work.settings.definition.source;
                let rule = format!(
                    "a buffer of {} holds at most {most} bytes, and one of this configuration's \
                     needs more",
                    gpu.description().name
                );
                let remedy = "make batches or layers smaller, or train with --device cpu";
                let field = format!("configuration {}, bytes", job.config.0);
                return Err(fault(file, field, needed, rule, remedy));
            }
        }
        Ok(())
    }

    /// Whether so many trainings with so many operations left keep the device busy long enough.
    pub(super) fn is_enough(&self, trainings: usize, flops: f64) -> bool {
        trainings >= RESIDENTS_MIN && flops > RESIDENT_SECONDS * self.chosen.flops_per_second
    }
}

/// Bytes of each memory.
pub(super) fn bytes(sizes: Extents) -> [u64; 8] {
    let all = sizes.all();
    std::array::from_fn(|memory| SHARED[memory].1 * u64::from(all[memory]))
}

/// Trainings in the order of their starts: block by block, within a block by steps.
fn in_order(mut jobs: Vec<Job<'_>>) -> VecDeque<Job<'_>> {
    for block in jobs.chunks_mut(BLOCK) {
        block.sort_by_key(|job| job.split.train.len().div_ceil(job.recipe.batch_size));
    }
    jobs.into()
}

/// Operations of a training.
pub(super) fn flops(job: &Job<'_>) -> f64 {
    f64::from(job.epochs) * job.network.flops_per_epoch(job.split.train.len())
}

/// What the largest trainings that may share the device need together, as far as buffers can hold
/// it, and the most steps of a pass.
pub(super) fn room<'j, 'a: 'j>(
    jobs: impl Iterator<Item = &'j Job<'a>>,
    gpu: &Gpu,
    most: usize,
) -> (Extents, u32) {
    let mut steps_max = 1;
    let mut sizes: Vec<[u32; 8]> = Vec::new();
    for job in jobs {
        sizes.push(resident::sizes(job).all());
        let images = resident::pass_sizes(job).all().into_iter().max().unwrap_or(1);
        steps_max = steps_max.max(images.div_ceil(job.recipe.batch_size));
    }
    let room: [u32; 8] = std::array::from_fn(|memory| {
        let mut own: Vec<u32> = sizes.iter().map(|sizes| sizes[memory]).collect();
        own.sort_unstable_by(|a, b| b.cmp(a));
        let together: u64 = own.iter().take(most).map(|&size| u64::from(size)).sum();
        // The largest must have room, even where few may share.
        let largest = u64::from(own.first().copied().unwrap_or(0));
        let most = (gpu.shared_bytes() / SHARED[memory].1).max(largest);
        u32::try_from(together.min(most)).unwrap_or(u32::MAX)
    });
    (Extents::of(room), count(steps_max))
}
