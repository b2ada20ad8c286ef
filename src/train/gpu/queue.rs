//! Trainings that wait for a place on the device: who is next, what is kept, what is tried again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use base::error::{Error, Result};

use super::backend::{Open, RESIDENTS_MAX, Run, flops, room};
use super::cohort::{Alone, Cohort, Epoch};
use super::curve_in_training::CurveInTraining;
use super::device::Gpu;
use super::images::Images;
use super::incomplete_configs::IncompleteConfigs;
use super::kernels::{Kernels, Variant};
use super::program::Pass;
use crate::{Job, Watch};

/// A device, opened anew after it failed.
pub(super) struct Device<'o> {
    open: Open<'o>,
    variant: Variant,
    pub(super) gpu: Arc<Gpu>,
    kernels: Kernels,
}

impl<'o> Device<'o> {
    pub(super) fn open(open: Open<'o>, variant: Variant) -> Result<Self> {
        Ok(Self { open, variant, gpu: open()?, kernels: Kernels::new(variant) })
    }

    fn again(&mut self) -> Result<()> {
        *self = Self::open(self.open, self.variant)?;
        Ok(())
    }
}

/// A training that has no place yet, and of how many epochs the user was told before it was lost.
struct Waiting<'a> {
    job: Job<'a>,
    told: u16,
}

/// Trainings that are under way one beside the other.
struct Round<'a> {
    waiting: VecDeque<Waiting<'a>>,
    /// So many at once.
    most: usize,
    /// Trainings that were finished since the device last failed.
    finished: usize,
}

/// Trainings of one fold.
pub(super) struct Queue<'q, 'a> {
    run: &'q Run<'q>,
    /// The last one is under way: what a failed device has lost goes before everything else.
    rounds: Vec<Round<'a>>,
    incomplete: &'q mut IncompleteConfigs<'a>,
}

impl<'q, 'a> Queue<'q, 'a> {
    pub(super) fn new(
        run: &'q Run<'q>,
        jobs: VecDeque<Job<'a>>,
        incomplete: &'q mut IncompleteConfigs<'a>,
    ) -> Self {
        let waiting = jobs.into_iter().map(|job| Waiting { job, told: 0 }).collect();
        let all = Round { waiting, most: RESIDENTS_MAX, finished: 0 };
        Self { run, rounds: vec![all], incomplete }
    }

    /// Trains them all, on fewer at once after each failure of the device. Errors: a device that
    /// fails with one configuration alone, and whatever is not the device's fault.
    pub(super) fn train(&mut self, device: &mut Device<'_>) -> Result<()> {
        while let Some(mut round) = self.rounds.pop() {
            if self.run.work.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let mut in_training = Vec::new();
            let outcome = self.attempt(device, &mut round, &mut in_training);
            let Err(error) = outcome else { continue };
            let Error::Unavailable(_) = error else { return Err(error) };
            self.put_back(round, in_training, error)?;
            device.again()?;
        }
        Ok(())
    }

    /// Makes what is left of a round wait again, the lost trainings before the others.
    fn put_back(
        &mut self,
        mut round: Round<'a>,
        lost: Vec<CurveInTraining<'a>>,
        error: Error,
    ) -> Result<()> {
        let Round { waiting, most, finished } = &mut round;
        let first = lost.first().map(|training| &training.job);
        let first = first.or(waiting.front().map(|waiting| &waiting.job)).map(|job| job.config.0);
        // Memory can be too small for the first one to get a place.
        let together = if lost.is_empty() { waiting.len().min(*most) } else { lost.len() };
        // What went well for as many trainings as this does not fail because of their number.
        let is_sudden = *finished >= *most;
        if together <= 1 && *most == 1 && !is_sudden {
            return Err(hopeless(error, first));
        }
        let fewer = (together / 2).max(1);
        let from = first.map_or(String::new(), |id| format!(" from configuration {id} on"));
        let again = format!("{error}; trying again{from}, with {fewer} trainings at once");
        self.run.work.progress.notice(&again);
        *finished = 0;
        if lost.is_empty() {
            *most = fewer;
        } else if !is_sudden {
            *most = (*most / 2).max(1);
        }
        let lost: VecDeque<Waiting<'_>> = lost
            .into_iter()
            .map(|training| Waiting { job: training.job, told: training.told() })
            .collect();
        self.rounds.push(round);
        if !lost.is_empty() {
            self.rounds.push(Round { waiting: lost, most: fewer, finished: 0 });
        }
        Ok(())
    }

    /// Trains a round until nobody waits. What is in `in_training` after an error has to begin
    /// anew.
    fn attempt(
        &mut self,
        device: &Device<'_>,
        round: &mut Round<'a>,
        in_training: &mut Vec<CurveInTraining<'a>>,
    ) -> Result<()> {
        let Some(first) = round.waiting.front() else { return Ok(()) };
        let gpu = &*device.gpu;
        let images = Images::upload(gpu, first.job.split)?;
        let jobs = round.waiting.iter().map(|waiting| &waiting.job);
        let (sizes, steps) = room(jobs, gpu, round.most);
        let mut cohort = Cohort::new(gpu, &device.kernels, images, sizes, steps)?;
        let abort = AtomicBool::new(false);
        let watch =
            Watch { progress: self.run.work.progress, stop: self.run.work.stop, abort: &abort };
        loop {
            self.fill(&mut cohort, round, in_training)?;
            if in_training.is_empty() {
                return Ok(());
            }
            let Some(epoch) = cohort.epoch(&watch)? else { return Ok(()) };
            round.finished += self.keep(&mut cohort, &epoch, in_training)?;
        }
    }

    /// Gives waiting trainings a place, as long as there is one, and times each alone.
    fn fill(
        &mut self,
        cohort: &mut Cohort<'_, 'a>,
        round: &mut Round<'a>,
        in_training: &mut Vec<CurveInTraining<'a>>,
    ) -> Result<()> {
        let mut work: f64 = in_training.iter().map(|training| flops(&training.job)).sum();
        while let Some(&Waiting { job, told }) = round.waiting.front() {
            let is_stopped = self.run.work.stop.load(Ordering::Relaxed);
            let is_enough = self.run.is_enough(in_training.len(), work);
            if in_training.len() >= round.most || is_enough || is_stopped {
                break;
            }
            let start = Instant::now();
            if !cohort.place(job) {
                break;
            }
            round.waiting.pop_front();
            let setup_seconds = start.elapsed().as_secs_f64();
            work += flops(&job);
            // Known as lost, should the timing fail.
            in_training.push(CurveInTraining::new(job, setup_seconds, told));
            let at = in_training.len() - 1;
            in_training[at].seconds = epoch_seconds(cohort, at)?;
        }
        Ok(())
    }

    /// Adds an epoch to every curve, and lets those go that have ended; how many.
    fn keep(
        &mut self,
        cohort: &mut Cohort<'_, 'a>,
        epoch: &Epoch,
        in_training: &mut Vec<CurveInTraining<'a>>,
    ) -> Result<usize> {
        let all: f64 = in_training.iter().map(|training| training.flops_per_epoch).sum();
        for (training, results) in in_training.iter_mut().zip(&epoch.results) {
            let share = epoch.seconds * training.flops_per_epoch / all;
            let epochs = training.add(results, share);
            (0..epochs).for_each(|_| self.run.work.progress.epoch_done(training.flops_per_epoch));
        }
        let mut finished = Vec::new();
        for at in (0..in_training.len())
            .rev()
            .filter(|at| in_training[*at].is_finished())
            .collect::<Vec<_>>()
        {
            cohort.remove(at);
            finished.push(in_training.remove(at));
        }
        let count = finished.len();
        self.incomplete.add(finished).map(|()| count)
    }
}

/// Seconds of an epoch of a resident that has not begun, alone: all of it, and its evaluation.
pub(super) fn epoch_seconds(cohort: &mut Cohort<'_, '_>, at: usize) -> Result<[f64; 2]> {
    let Alone { train, validate } = cohort.time_alone(at)?;
    let steps = [Pass::Train, Pass::Validate].map(|pass| cohort.residents()[at].steps(pass));
    let eval_seconds = validate * f64::from(steps[1]);
    Ok([train * f64::from(steps[0]) + eval_seconds, eval_seconds])
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
