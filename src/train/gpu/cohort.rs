//! Trainings that share the device: their memory, and their epochs, which they begin together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use base::error::Result;

use super::arena::Arena;
use super::device::{Buffer, Gpu, Prepared, TICK_BYTES};
use super::dispatch_order::dispatch_order;
use super::images::Images;
use super::kernels::{AnyJob, Kernel, Kernels, Memories, Memory};
use super::layout::{Extents, SHARED};
use super::program::{DataPlace, Pass};
use super::resident::{PassResult, Resident, sizes};
use crate::{Job, Watch};

/// What a submission should take: short enough to stop at, and long enough that its making does not
/// count.
const SUBMISSION: Duration = Duration::from_millis(200);
/// Steps of a training alone that warm it up, and that are timed.
const WARM_STEPS: u32 = 2;
const TIMED_STEPS: u32 = 5;

/// Trainings on one device and one data set.
#[derive(Debug)]
pub(super) struct Cohort<'g, 'a> {
    gpu: &'g Gpu,
    kernels: &'g Kernels,
    memories: Memories,
    arena: Arena,
    data: DataPlace,
    /// The numbers 0, 1, ... that steps are told.
    numbers: Buffer,
    residents: Vec<Resident<'a>>,
    /// Dispatches of a pass for some of the residents, as long as these stay the same.
    passes: BTreeMap<(usize, Vec<usize>), Shaders>,
}

/// Dispatches, and what a step of them took.
#[derive(Debug)]
struct Shaders {
    dispatches: Vec<Prepared>,
    step_seconds: Option<f64>,
}

/// Seconds of one step of a training that has the device for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alone {
    pub(super) train: f64,
    pub(super) validate: f64,
}

/// What an epoch of all residents came to.
#[derive(Debug)]
pub(super) struct Epoch {
    /// Of each resident: training, validation, and test where there is one.
    pub(super) results: Vec<[PassResult; 3]>,
    /// Of all together, training and validation.
    pub(super) seconds: f64,
}

impl<'g, 'a> Cohort<'g, 'a> {
    /// Takes memory for trainings of so much in all. Errors: the device has less.
    pub(super) fn new(
        gpu: &'g Gpu,
        kernels: &'g Kernels,
        images: Images,
        sizes: Extents,
        steps_max: u32,
    ) -> Result<Self> {
        let mut memories = BTreeMap::new();
        for ((memory, unit), size) in SHARED.into_iter().zip(sizes.all()) {
            // A buffer must not be empty.
            let bytes = (u64::from(size) * unit).max(64);
            memories.insert(memory, gpu.allocate(&format!("{memory:?}").to_lowercase(), bytes)?);
        }
        let [first, second] = images.bytes;
        memories.insert(Memory::Images0, first);
        memories.insert(Memory::Images1, second);
        memories.insert(Memory::Dataset, images.dataset);
        memories.insert(Memory::Tick, gpu.allocate("tick", TICK_BYTES)?);
        let numbers: Vec<[u32; 4]> = (0..steps_max).map(|step| [step, 0, 0, 0]).collect();
        Ok(Self {
            gpu,
            kernels,
            memories: Memories(memories),
            arena: Arena::new(sizes),
            data: images.place,
            numbers: gpu.upload("numbers of steps", &numbers)?,
            residents: Vec::new(),
            passes: BTreeMap::new(),
        })
    }

    pub(super) fn residents(&self) -> &[Resident<'a>] {
        &self.residents
    }

    /// Gives a training a place, and its first weights; false where there is no room.
    pub(super) fn place(&mut self, job: Job<'a>) -> bool {
        let Some(begin) = self.arena.take(sizes(&job)) else { return false };
        let resident = Resident::new(job, begin, self.data);
        // Frames stay 0 for ever, and so does what is behind the last filter.
        for memory in [Memory::Values, Memory::Gradients] {
            self.gpu.clear(self.memories.get(memory), part(&resident, memory));
        }
        self.write_weights(&resident);
        self.residents.push(resident);
        self.passes.clear();
        true
    }

    /// Lets the resident at this place go.
    pub(super) fn remove(&mut self, at: usize) -> Resident<'a> {
        let resident = self.residents.remove(at);
        self.arena.give_back(resident.layout.begin, resident.layout.sizes());
        self.passes.clear();
        resident
    }

    fn write_weights(&self, resident: &Resident<'_>) {
        let starts = [Memory::Weights, Memory::Moments].map(|m| part(resident, m).start);
        let values = [resident.initial_weights(), resident.initial_moments()];
        for ((memory, start), values) in
            [Memory::Weights, Memory::Moments].into_iter().zip(starts).zip(values)
        {
            self.gpu.write(self.memories.get(memory), start, &values);
        }
    }

    /// Times a resident that has not begun, alone and warm; it then begins anew.
    pub(super) fn time_alone(&mut self, at: usize) -> Result<Alone> {
        self.write_epoch(at);
        let seconds = [Pass::Train, Pass::Validate].map(|pass| self.step_alone(at, pass));
        let [train, validate] = seconds;
        let alone = Alone { train: train?, validate: validate? };
        self.write_weights(&self.residents[at]);
        Ok(alone)
    }

    fn step_alone(&mut self, at: usize, pass: Pass) -> Result<f64> {
        let steps = self.residents[at].steps(pass);
        let dispatches = self.dispatches(pass, &[at])?;
        let ticks = [&self.numbers, self.memories.get(Memory::Tick)];
        let mut seconds = Vec::new();
        for step in 0..WARM_STEPS + TIMED_STEPS {
            let step = step % steps;
            let took = self.gpu.time_steps(&dispatches, step..step + 1, ticks)?;
            seconds.extend(took.iter().map(Duration::as_secs_f64));
        }
        let mut timed = seconds.split_off(WARM_STEPS as usize);
        timed.sort_by(f64::total_cmp);
        Ok(timed[timed.len() / 2])
    }

    /// Seconds of a warm step of all residents together, submitted as those of an epoch are. What
    /// they have learned is lost.
    pub(super) fn time_together(&mut self, pass: Pass) -> Result<f64> {
        (0..self.residents.len()).for_each(|at| self.write_epoch(at));
        let all: Vec<usize> = (0..self.residents.len()).collect();
        // The last step may be a short one.
        let most = all.iter().map(|at| self.residents[*at].steps(pass)).min().unwrap_or(1);
        let most = most.saturating_sub(1).max(1);
        let dispatches = self.dispatches(pass, &all)?;
        let ticks = [&self.numbers, self.memories.get(Memory::Tick)];
        // The first step compiles, and the next says how many to submit at once.
        let (mut at_once, mut steps, mut seconds) = (1, 0, 0.0);
        for nth in 0..WARM_STEPS + TIMED_STEPS {
            let start = Instant::now();
            self.gpu.run_steps(&dispatches, 0..at_once, ticks)?;
            let took = start.elapsed().as_secs_f64();
            if nth >= WARM_STEPS {
                steps += at_once;
                seconds += took;
            }
            at_once = steps_at_once(Some(took / f64::from(at_once))).min(most);
        }
        // The mean: all of them count when an epoch is long.
        Ok(seconds / f64::from(steps))
    }

    /// Trains and evaluates every resident for its next epoch; none if it was asked to stop.
    pub(super) fn epoch(&mut self, watch: &Watch<'_>) -> Result<Option<Epoch>> {
        (0..self.residents.len()).for_each(|at| self.write_epoch(at));
        let results = self.memories.get(Memory::Results);
        self.gpu.clear(results, 0..results.bytes());
        let start = Instant::now();
        let mut seconds = 0.0;
        for pass in Pass::ALL {
            if !self.pass(pass, watch)? {
                return Ok(None);
            }
            if pass == Pass::Validate {
                seconds = start.elapsed().as_secs_f64();
            }
        }
        let results = self.memories.get(Memory::Results);
        let words: Vec<u32> = self.gpu.download(results, 0..results.bytes())?;
        let result = |resident: &Resident<'_>| Pass::ALL.map(|pass| resident.result(pass, &words));
        let results = self.residents.iter().map(result).collect();
        self.residents.iter_mut().for_each(|resident| resident.epochs += 1);
        Ok(Some(Epoch { results, seconds }))
    }

    /// Tells the device what a resident's next epoch is about.
    fn write_epoch(&self, at: usize) {
        let resident = &self.residents[at];
        let epoch = resident.epochs + 1;
        let orders = part(resident, Memory::Orders).start;
        self.gpu.write(self.memories.get(Memory::Orders), orders, &resident.order(epoch));
        for pass in Pass::ALL {
            let start = u64::from(resident.layout.steps[pass.at()]) * 32;
            let records = resident.step_records(pass, epoch);
            self.gpu.write(self.memories.get(Memory::Steps), start, &records);
        }
    }

    /// Every step of a pass; who has fewer is done sooner. False if it was asked to stop.
    fn pass(&mut self, pass: Pass, watch: &Watch<'_>) -> Result<bool> {
        let mut active: Vec<usize> = (0..self.residents.len()).collect();
        let mut done = 0;
        loop {
            active.retain(|at| self.residents[*at].steps(pass) > done);
            let ends = active.iter().map(|at| self.residents[*at].steps(pass));
            let Some(end) = ends.min() else { return Ok(true) };
            if !self.run(pass, &active, done..end, watch)? {
                return Ok(false);
            }
            done = end;
        }
    }

    fn run(
        &mut self,
        pass: Pass,
        active: &[usize],
        steps: Range<u32>,
        watch: &Watch<'_>,
    ) -> Result<bool> {
        let dispatches = self.dispatches(pass, active)?;
        let key = (pass.at(), active.to_vec());
        let mut step = steps.start;
        while step < steps.end {
            if watch.is_stopped() {
                return Ok(false);
            }
            let took = self.passes.get(&key).and_then(|shaders| shaders.step_seconds);
            let at_once = steps_at_once(took).min(steps.end - step);
            let ticks = [&self.numbers, self.memories.get(Memory::Tick)];
            let start = Instant::now();
            self.gpu.run_steps(&dispatches, step..step + at_once, ticks)?;
            let seconds = start.elapsed().as_secs_f64() / f64::from(at_once);
            if let Some(shaders) = self.passes.get_mut(&key) {
                shaders.step_seconds = Some(seconds);
            }
            step += at_once;
        }
        Ok(true)
    }

    /// The dispatches of a pass's step for some residents.
    fn dispatches(&mut self, pass: Pass, active: &[usize]) -> Result<Vec<Prepared>> {
        let key = (pass.at(), active.to_vec());
        if let Some(there) = self.passes.get(&key) {
            return Ok(there.dispatches.clone());
        }
        let networks: Vec<_> =
            active.iter().map(|at| &self.residents[*at].stages[pass.at()][..]).collect();
        let mut dispatches = Vec::new();
        for (kernel, jobs) in dispatch_order(&networks) {
            dispatches.extend(self.kernels.prepare(self.gpu, kernel, &jobs, &self.memories)?);
        }
        let shaders = Shaders { dispatches: dispatches.clone(), step_seconds: None };
        self.passes.insert(key, shaders);
        Ok(dispatches)
    }

    /// Operations a second of some kernels of a training step, each alone, as `kernels` has them;
    /// of those without sums, values a second. What they compute is of no use.
    pub(super) fn rate(
        &self,
        kernels: &Kernels,
        which: &[&Kernel],
        timed_min: Duration,
    ) -> Result<f64> {
        let stages = self.residents.iter().flat_map(|r| &r.stages[Pass::Train.at()]);
        let mut jobs: Vec<(&Kernel, Vec<&dyn AnyJob>)> =
            which.iter().map(|kernel| (*kernel, Vec::new())).collect();
        for stage in stages {
            let own = jobs.iter_mut().find(|(kernel, _)| *kernel == stage.kernel);
            if let Some((_, jobs)) = own {
                jobs.extend(stage.jobs.iter().map(|job| &**job));
            }
        }
        let work: f64 = jobs.iter().flat_map(|(_, jobs)| jobs).map(|job| job.work()).sum();
        let mut dispatches = Vec::new();
        for (kernel, jobs) in jobs.into_iter().filter(|(_, jobs)| !jobs.is_empty()) {
            dispatches.extend(kernels.prepare(self.gpu, kernel, &jobs, &self.memories)?);
        }
        (0..self.residents.len()).for_each(|at| self.write_epoch(at));
        let ticks = [&self.numbers, self.memories.get(Memory::Tick)];
        let time = |dispatches: &[Prepared]| -> Result<f64> {
            let took = self.gpu.time_steps(dispatches, 0..1, ticks)?;
            Ok(took.iter().map(Duration::as_secs_f64).sum())
        };
        // Once to warm up, then often enough for the clock.
        time(&dispatches)?;
        let once = time(&dispatches)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 1000"
        )]
        let repeats = (timed_min.as_secs_f64() / once).ceil().clamp(1.0, 1_000.0) as usize;
        let many: Vec<Prepared> =
            dispatches.iter().cycle().take(dispatches.len() * repeats).cloned().collect();
        #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
        Ok(work * repeats as f64 / time(&many)?)
    }

    /// Puts all residents, of whom none has ended an epoch, before their first step.
    pub(super) fn begin(&mut self) {
        for at in 0..self.residents.len() {
            self.write_weights(&self.residents[at]);
            self.write_epoch(at);
        }
        let results = self.memories.get(Memory::Results);
        self.gpu.clear(results, 0..results.bytes());
    }

    /// Trains some residents for the first steps of their epoch; how long that took, submissions
    /// and waits included. None is left out by the end of its own epoch: ask for fewer steps.
    pub(super) fn first_steps(
        &mut self,
        active: &[usize],
        steps: u32,
        watch: &Watch<'_>,
    ) -> Result<Duration> {
        assert!(active.iter().all(|at| self.residents[*at].steps(Pass::Train) >= steps));
        let start = Instant::now();
        assert!(self.run(Pass::Train, active, 0..steps, watch)?, "nobody stops a measurement");
        Ok(start.elapsed())
    }

    /// The sums of all residents' training losses so far.
    #[cfg(test)]
    pub(super) fn loss_sums(&self) -> Result<Vec<f64>> {
        let results = self.memories.get(Memory::Results);
        let words: Vec<u32> = self.gpu.download(results, 0..results.bytes())?;
        Ok(self.residents.iter().map(|r| r.result(Pass::Train, &words).loss_sum).collect())
    }

    /// A resident's part of the weights' memory.
    pub(super) fn weights(&self, at: usize) -> Result<Vec<f32>> {
        let bytes = part(&self.residents[at], Memory::Weights);
        self.gpu.download(self.memories.get(Memory::Weights), bytes)
    }
}

/// Steps of a submission, of which one took so long.
fn steps_at_once(step_seconds: Option<f64>) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 1000"
    )]
    step_seconds
        .map_or(1, |seconds| (SUBMISSION.as_secs_f64() / seconds).clamp(1.0, 1_000.0) as u32)
}

/// The bytes of a memory that a resident has.
fn part(resident: &Resident<'_>, memory: Memory) -> Range<u64> {
    let at = SHARED.iter().position(|(shared, _)| *shared == memory).expect("it is shared");
    let bytes = |extents: Extents| u64::from(extents.all()[at]) * SHARED[at].1;
    bytes(resident.layout.begin)..bytes(resident.layout.end)
}
