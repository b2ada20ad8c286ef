//! Many trainings on the device: who is next, what is kept, and what is tried again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::cohort::{Alone, Cohort, Epoch};
use super::device::Gpu;
use super::elements::count;
use super::growing::Growing;
use super::images::Images;
use super::kernels::Kernels;
use super::layout::{Extents, SHARED};
use super::program::Pass;
use super::resident;
use super::variants::Chosen;
use crate::data::Split;
use crate::error::{Error, Result, fault};
use crate::table::record::{Status, TrainedConfig};
use crate::trainer::population::Task;
use crate::trainer::{Curve, Job, Progress, Sink, Summary, TrainSettings, Watch};
use crate::units::ConfigId;

/// Configurations that are taken through all folds together: the device holds the images of one
/// fold at a time.
const AT_ONCE_WITH_FOLDS: usize = 64;
/// Trainings that are put in the order of their steps an epoch, so that those that share the device
/// end their epochs together.
const BLOCK: usize = 256;
/// Trainings that share the device: enough to fill it, and no more than are finished in some
/// minutes, since a kill loses them.
const RESIDENTS_MAX: usize = 512;
const RESIDENTS_MIN: usize = 16;
const RESIDENT_SECONDS: f64 = 300.0;

/// A training of many configurations.
pub(in crate::trainer) struct Run<'a> {
    pub(in crate::trainer) chosen: &'a Chosen,
    pub(in crate::trainer) settings: &'a TrainSettings,
    pub(in crate::trainer) tasks: &'a [Task],
    /// One a fold; one in all without folds.
    pub(in crate::trainer) splits: &'a [Split<'a>],
    pub(in crate::trainer) progress: &'a dyn Progress,
    pub(in crate::trainer) stop: &'a AtomicBool,
}

impl Run<'_> {
    /// Trains all tasks. After a stop, everything that was finished has been kept. Errors: a
    /// configuration that the device cannot hold; a device that fails again and again, whatever is
    /// asked of it.
    pub(in crate::trainer) fn run(&self, sink: &mut dyn Sink) -> Result<Summary> {
        let mut summary = Summary::default();
        let at_once = match self.splits.len() {
            1 => self.tasks.len().max(1),
            _ => AT_ONCE_WITH_FOLDS,
        };
        let mut device = Device::open(self.chosen)?;
        for tasks in self.tasks.chunks(at_once) {
            let mut shelf = Shelf::new(self, tasks, sink);
            for fold in 0..self.splits.len() {
                let jobs = self.jobs(tasks, fold)?;
                self.check(&jobs, &device.gpu)?;
                let waiting = in_order(jobs);
                Queue { run: self, waiting, shelf: &mut shelf }.train(&mut device)?;
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            summary.trained += shelf.summary.trained;
            summary.diverged += shelf.summary.diverged;
        }
        Ok(summary)
    }

    /// The trainings of a fold.
    fn jobs<'a>(&'a self, tasks: &'a [Task], fold: usize) -> Result<Vec<Job<'a>>> {
        let folds = self.splits.len();
        let curves = usize::from(self.settings.curves()?);
        let job = |task: &'a Task, curve: usize| Job {
            config: task.config,
            repeat: u16::try_from(curve).expect("curves are numbered in 16 bits"),
            seed: self.settings.seed,
            epochs: self.settings.epochs,
            network: &task.network,
            recipe: &task.recipe,
            split: &self.splits[fold],
        };
        let of = |task: &'a Task| (fold..curves).step_by(folds).map(move |curve| (task, curve));
        Ok(tasks.iter().flat_map(of).map(|(task, curve)| job(task, curve)).collect())
    }

    /// Refuses what does not even fit alone.
    fn check(&self, jobs: &[Job<'_>], gpu: &Gpu) -> Result<()> {
        let most = gpu.binding_bytes();
        for job in jobs {
            let sizes = resident::sizes(job).all();
            let bytes = SHARED.iter().zip(sizes).map(|((_, unit), size)| unit * u64::from(size));
            let needed = bytes.max().unwrap_or(0);
            if needed > most {
                let file = &self.settings.definition.source;
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
}

/// A device, opened anew after it failed.
struct Device<'a> {
    chosen: &'a Chosen,
    gpu: Gpu,
    kernels: Kernels,
    /// Trainings at once, after failures fewer.
    most: usize,
}

impl<'a> Device<'a> {
    fn open(chosen: &'a Chosen) -> Result<Self> {
        let gpu = Gpu::open(&chosen.adapter)?;
        let kernels = Kernels::new(chosen.variant);
        Ok(Self { chosen, gpu, kernels, most: RESIDENTS_MAX })
    }
}

/// Trainings in the order of their starts: block by block, within a block by steps.
fn in_order(mut jobs: Vec<Job<'_>>) -> VecDeque<Job<'_>> {
    for block in jobs.chunks_mut(BLOCK) {
        block.sort_by_key(|job| job.split.train.len().div_ceil(job.recipe.batch_size));
    }
    jobs.into()
}

/// Trainings of one fold that wait for a place on the device.
struct Queue<'q, 'a> {
    run: &'q Run<'q>,
    waiting: VecDeque<Job<'a>>,
    shelf: &'q mut Shelf<'a>,
}

impl<'a> Queue<'_, 'a> {
    /// Trains them all, on fewer at once after each failure of the device.
    fn train(&mut self, device: &mut Device<'_>) -> Result<()> {
        while !self.waiting.is_empty() && !self.run.stop.load(Ordering::Relaxed) {
            let mut growing = Vec::new();
            let outcome = self.attempt(&device.gpu, &device.kernels, device.most, &mut growing);
            let Err(error) = outcome else { continue };
            let lost: Vec<Job<'_>> = growing.iter().map(|growing| growing.job).collect();
            let Error::Unavailable(_) = error else { return Err(error) };
            let first = lost.first().or(self.waiting.front()).map(|job| job.config.0);
            if lost.len() <= 1 && device.most == 1 {
                return Err(hopeless(error, first));
            }
            device.most = (lost.len().max(2) / 2).min(device.most / 2).max(1);
            let text = format!(
                "{error}; trying again with {} configurations at once, from {} on",
                device.most,
                first.unwrap_or(0)
            );
            self.run.progress.notice(&text);
            for job in lost.into_iter().rev() {
                self.waiting.push_front(job);
            }
            let most = device.most;
            *device = Device::open(device.chosen)?;
            device.most = most;
        }
        Ok(())
    }

    /// Trains until nobody waits. What is in `growing` after an error has to begin anew.
    fn attempt(
        &mut self,
        gpu: &Gpu,
        kernels: &Kernels,
        most: usize,
        growing: &mut Vec<Growing<'a>>,
    ) -> Result<()> {
        let Some(first) = self.waiting.front() else { return Ok(()) };
        let images = Images::upload(gpu, first.split)?;
        let (sizes, steps) = self.room(gpu, most);
        let mut cohort = Cohort::new(gpu, kernels, images, sizes, steps)?;
        let abort = AtomicBool::new(false);
        let watch = Watch { progress: self.run.progress, stop: self.run.stop, abort: &abort };
        loop {
            self.fill(&mut cohort, most, growing)?;
            if growing.is_empty() {
                return Ok(());
            }
            let Some(epoch) = cohort.epoch(&watch)? else { return Ok(()) };
            self.keep(&mut cohort, &epoch, growing)?;
        }
    }

    /// What the largest trainings that may share the device need together, as far as buffers can
    /// hold it, and the most steps of a pass.
    fn room(&self, gpu: &Gpu, most: usize) -> (Extents, u32) {
        let sizes: Vec<[u32; 8]> =
            self.waiting.iter().map(|job| resident::sizes(job).all()).collect();
        let room: [u32; 8] = std::array::from_fn(|memory| {
            let mut own: Vec<u32> = sizes.iter().map(|sizes| sizes[memory]).collect();
            own.sort_unstable_by(|a, b| b.cmp(a));
            let together: u64 = own.iter().take(most).map(|&size| u64::from(size)).sum();
            let most = gpu.binding_bytes() / SHARED[memory].1;
            u32::try_from(together.min(most)).unwrap_or(u32::MAX)
        });
        let steps = |job: &Job<'_>| {
            let images = resident::pass_sizes(job).all().into_iter().max().unwrap_or(1);
            images.div_ceil(job.recipe.batch_size)
        };
        (Extents::of(room), count(self.waiting.iter().map(steps).max().unwrap_or(1)))
    }

    /// Gives waiting trainings a place, as long as there is one, and times each alone.
    fn fill(
        &mut self,
        cohort: &mut Cohort<'_, 'a>,
        most: usize,
        growing: &mut Vec<Growing<'a>>,
    ) -> Result<()> {
        let flops = |job: &Job<'_>| {
            f64::from(job.epochs) * job.network.flops_per_epoch(job.split.train.len())
        };
        let mut work: f64 = growing.iter().map(|growing| flops(&growing.job)).sum();
        while let Some(job) = self.waiting.front().copied() {
            let is_enough = growing.len() >= RESIDENTS_MIN
                && work > RESIDENT_SECONDS * self.run.chosen.flops_per_second;
            let is_stopped = self.run.stop.load(Ordering::Relaxed);
            if growing.len() >= most || is_enough || is_stopped {
                break;
            }
            let start = Instant::now();
            if !cohort.place(job) {
                break;
            }
            self.waiting.pop_front();
            let setup_seconds = start.elapsed().as_secs_f64();
            work += flops(&job);
            // Known as lost, should the timing fail.
            growing.push(Growing::new(job, setup_seconds));
            let at = growing.len() - 1;
            let Alone { train, validate } = cohort.time_alone(at)?;
            let steps =
                [Pass::Train, Pass::Validate].map(|pass| cohort.residents()[at].steps(pass));
            let eval_seconds = validate * f64::from(steps[1]);
            growing[at].seconds = [train * f64::from(steps[0]) + eval_seconds, eval_seconds];
        }
        Ok(())
    }

    /// Adds an epoch to every curve, and lets those go that have ended.
    fn keep(
        &mut self,
        cohort: &mut Cohort<'_, 'a>,
        epoch: &Epoch,
        growing: &mut Vec<Growing<'a>>,
    ) -> Result<()> {
        let flops = |growing: &Growing<'_>| growing.flops_per_epoch;
        let all: f64 = growing.iter().map(flops).sum();
        for (growing, results) in growing.iter_mut().zip(&epoch.results) {
            let share = epoch.seconds * flops(growing) / all;
            let epochs = growing.add(results, share);
            (0..epochs).for_each(|_| self.run.progress.epoch_done(growing.flops_per_epoch));
        }
        let mut finished = Vec::new();
        for at in
            (0..growing.len()).rev().filter(|at| growing[*at].is_finished()).collect::<Vec<_>>()
        {
            cohort.remove(at);
            finished.push(growing.remove(at));
        }
        self.shelf.add(finished)
    }
}

/// The last word on a device that fails with one configuration alone.
fn hopeless(error: Error, config: Option<u32>) -> Error {
    match (error, config) {
        (Error::Unavailable(mut fault), Some(config)) => {
            fault.rule = format!("{} (training configuration {config} alone)", fault.rule);
            Error::Unavailable(fault)
        }
        (error, _) => error,
    }
}

/// Curves that wait for the others of their configuration.
struct Shelf<'a> {
    progress: &'a dyn Progress,
    train_images: usize,
    curves: usize,
    tasks: BTreeMap<ConfigId, &'a Task>,
    /// By configuration and number, with the share of the cohorts' time.
    waiting: BTreeMap<ConfigId, BTreeMap<u16, (Curve, f64)>>,
    sink: &'a mut dyn Sink,
    summary: Summary,
}

impl<'a> Shelf<'a> {
    fn new(run: &'a Run<'a>, tasks: &'a [Task], sink: &'a mut dyn Sink) -> Self {
        Self {
            progress: run.progress,
            train_images: run.splits[0].train.len(),
            curves: usize::from(run.settings.curves().expect("checked before any training")),
            tasks: tasks.iter().map(|task| (task.config, task)).collect(),
            waiting: BTreeMap::new(),
            sink,
            summary: Summary::default(),
        }
    }

    /// Keeps the configurations that are complete now.
    fn add(&mut self, finished: Vec<Growing<'a>>) -> Result<()> {
        let mut complete = Vec::new();
        for growing in finished {
            let (config, number) = (growing.job.config, growing.job.repeat);
            let share = growing.share_seconds();
            let curves = self.waiting.entry(config).or_default();
            curves.insert(number, (growing.curve, share));
            if curves.len() < self.curves {
                continue;
            }
            let curves = self.waiting.remove(&config).unwrap_or_default();
            complete.push(self.trained(config, curves));
        }
        if complete.is_empty() {
            return Ok(());
        }
        let is_diverged = |trained: &&TrainedConfig| trained.config.status == Status::Diverged;
        self.summary.trained += complete.len();
        self.summary.diverged += complete.iter().filter(is_diverged).count();
        for trained in &complete {
            self.progress.config_done(trained);
        }
        self.sink.append(complete)
    }

    fn trained(&self, config: ConfigId, curves: BTreeMap<u16, (Curve, f64)>) -> TrainedConfig {
        #[expect(clippy::cast_precision_loss, reason = "a few curves")]
        let share = curves.values().map(|(_, share)| share).sum::<f64>() / curves.len() as f64;
        let curves = curves.into_values().map(|(curve, _)| curve).collect();
        self.tasks[&config].trained(self.train_images, curves, Some(share))
    }
}
