//! How fast networks are trained: the steps of some configurations, all together or one after
//! another.
//!
//! Every configuration takes the same steps in both, so that the weights afterwards are the same
//! bits, and their hash shows it. Times are those of the clock on the wall, from before a step is
//! submitted until the news of its end, as a training has them; what is compiled, uploaded and
//! listed beforehand is not in them. The least of several rounds counts, and both take turns: what
//! else a machine does makes a round longer, never shorter.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base::error::{Error, Result, fault};
use base::space::sobol;
use base::units::ConfigId;
use sha2::{Digest, Sha256};

use super::cohort::Cohort;
use super::device::Gpu;
use super::images::Images;
use super::kernels::{Kernels, Variant};
use super::layout::{Extents, SHARED};
use super::resident;
use crate::data::{Part, Split};
use crate::model::{Definition, Network, Recipe};
use crate::record::TrainedConfig;
use crate::{Job, Progress, Watch};

/// A configuration to train.
#[derive(Debug, Clone)]
pub struct Case {
    pub config: ConfigId,
    pub network: Network,
    pub recipe: Recipe,
}

impl Case {
    /// Sobol point `index` of a space, as `curvebook train` numbers them. Errors: a space whose
    /// networks cannot be built.
    pub fn sobol(definition: &Definition, index: u32) -> Result<Self> {
        let values = sobol::configuration(&definition.space, index, 0);
        Ok(Self {
            config: ConfigId(index),
            network: Network::build(definition, &values)?,
            recipe: Recipe::resolve(definition, &values)?,
        })
    }

    /// Floating-point operations of a training step on a full batch; a multiplication and an
    /// addition are two.
    pub fn step_flops(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a batch of images")]
        let images = self.recipe.batch_size as f64;
        self.network.flops_per_image() * images
    }
}

/// Images of some shape with labels, the same every time. How long a step takes depends on their
/// shape alone.
#[derive(Debug, Clone)]
pub struct Noise {
    /// Channels, height, width.
    shape: [usize; 3],
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Noise {
    pub fn new(shape: [usize; 3], classes: usize, images: usize) -> Self {
        let mut state = 1_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            u8::try_from((state >> 16) as usize % below).expect("at most 256 values")
        };
        let len: usize = shape.iter().product();
        Self {
            shape,
            images: (0..images * len).map(|_| next(256)).collect(),
            labels: (0..images).map(|_| next(classes)).collect(),
        }
    }

    /// All of them train; the first one validates.
    pub fn split(&self) -> Split<'_> {
        let len: usize = self.shape.iter().product();
        let first = |images: usize| Part {
            images: &self.images[..images * len],
            labels: &self.labels[..images],
        };
        Split {
            train: first(self.labels.len()),
            validation: first(1.min(self.labels.len())),
            test: first(0),
            shape: self.shape,
            mean: vec![127.5; self.shape[0]],
            // Of a uniform byte.
            deviation: vec![73.9; self.shape[0]],
        }
    }
}

/// Who has the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// All that fit at once.
    Together,
    /// One after another: the memory is shared, the device is not.
    Alone,
}

/// How much is trained, from the first weights on in every round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Steps before the first round, at most as many as `steps`; at least 1.
    pub warm_steps: u32,
    /// Steps of a round; at least 1.
    pub steps: u32,
    /// At least 1.
    pub rounds: u32,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// One step of every configuration, in the quickest round.
    pub seconds: f64,
    /// Floating-point operations of one step of every configuration.
    pub flops: f64,
    /// Images of one step of every configuration.
    pub images: usize,
    /// How often the device's memory was filled to hold them all; 1 where all fit at once.
    pub cohorts: usize,
    /// First six bytes of the SHA-256 of all weights after a round's steps, in the order of the
    /// configurations: hexadecimal.
    pub weights_sha256: String,
}

impl Measured {
    /// Floating-point operations a second.
    pub fn rate(&self) -> f64 {
        self.flops / self.seconds
    }
}

/// Times trainings on one device.
#[derive(Debug)]
pub struct Stopwatch<'g> {
    gpu: &'g Gpu,
    kernels: Kernels,
}

impl<'g> Stopwatch<'g> {
    pub fn new(gpu: &'g Gpu, variant: Variant) -> Self {
        Self { gpu, kernels: Kernels::new(variant) }
    }

    /// Trains every case for some steps, as many at once as the device's buffers hold, in their
    /// order, in each company in turn: the answers are in the order of `companies`. Errors: no
    /// case; images for too few steps, or of another shape; a configuration that does not fit
    /// alone; a device that fails.
    pub fn measure(
        &self,
        cases: &[Case],
        split: &Split<'_>,
        effort: Effort,
        companies: &[Company],
    ) -> Result<Vec<Measured>> {
        check(cases, split, effort)?;
        let jobs: Vec<Job<'_>> = cases.iter().map(|case| job(case, split)).collect();
        let mut waiting = VecDeque::new();
        waiting.push_back(0..jobs.len());
        let mut tallies: Vec<Tally> = companies.iter().map(|&company| Tally::of(company)).collect();
        let mut cohorts = 0;
        while let Some(range) = waiting.pop_front() {
            let (fitting, sizes) = self.fitting(&jobs[range.clone()])?;
            let end = range.start + fitting;
            if end < range.end {
                waiting.push_front(end..range.end);
            }
            match self.cohort(&jobs[range.start..end], split, sizes, effort) {
                Ok(mut cohort) => rounds(&mut cohort, effort, &mut tallies)?,
                // Every buffer may be this large, but not all of them.
                Err(Error::Unavailable(_)) if fitting > 1 => {
                    let middle = range.start + fitting / 2;
                    waiting.push_front(middle..end);
                    waiting.push_front(range.start..middle);
                    continue;
                }
                Err(e) => return Err(e),
            }
            cohorts += 1;
        }
        let measured = |tally: Tally| Measured {
            seconds: tally.seconds,
            flops: cases.iter().map(Case::step_flops).sum(),
            images: cases.iter().map(|case| case.recipe.batch_size).sum(),
            cohorts,
            weights_sha256: tally.hash(),
        };
        Ok(tallies.into_iter().map(measured).collect())
    }

    /// How many of the first jobs fit at once, and what they take together.
    fn fitting(&self, jobs: &[Job<'_>]) -> Result<(usize, Extents)> {
        let (most, shared) = (self.gpu.binding_bytes(), self.gpu.shared_bytes());
        let mut all = [0_u32; 8];
        for (at, job) in jobs.iter().enumerate() {
            let own = resident::sizes(job).all();
            let with: [u32; 8] =
                std::array::from_fn(|memory| all[memory].saturating_add(own[memory]));
            let bytes = with.iter().zip(SHARED).map(|(&size, (_, unit))| u64::from(size) * unit);
            let needed = bytes.max().unwrap_or(0);
            if at > 0 && needed > shared {
                return Ok((at, Extents::of(all)));
            }
            if needed > most {
                let field = format!("configuration {}, bytes", job.config.0);
                let rule = format!("a buffer of this adapter holds at most {most}");
                let remedy = "measure smaller networks";
                return Err(fault("measurement", field, needed, rule, remedy));
            }
            all = with;
        }
        Ok((jobs.len(), Extents::of(all)))
    }

    fn cohort<'a>(
        &self,
        jobs: &[Job<'a>],
        split: &Split<'_>,
        sizes: Extents,
        effort: Effort,
    ) -> Result<Cohort<'_, 'a>> {
        let images = Images::upload(self.gpu, split)?;
        let mut cohort = Cohort::new(self.gpu, &self.kernels, images, sizes, effort.steps)?;
        for &job in jobs {
            assert!(cohort.place(job), "there is room for the sum of all");
        }
        Ok(cohort)
    }
}

/// Refuses what cannot be measured.
fn check(cases: &[Case], split: &Split<'_>, effort: Effort) -> Result<()> {
    let refuse = |field: &str, value: usize, rule: String, remedy: &str| {
        Err(fault("measurement", field, value, rule, remedy))
    };
    let Effort { warm_steps, steps, rounds } = effort;
    if cases.is_empty() || warm_steps.min(rounds) == 0 || warm_steps > steps {
        let rule = format!(
            "at least one, for at least one step, round and step to warm up, and {warm_steps} \
             steps to warm up must be at most the {steps} of a round"
        );
        return refuse("configurations", cases.len(), rule, "ask for more");
    }
    let batch = cases.iter().map(|case| case.recipe.batch_size).max().unwrap_or(1);
    let needed = batch.saturating_mul(steps as usize);
    if split.train.len() < needed {
        let rule = format!("{steps} steps of {batch} images need {needed}");
        return refuse("training images", split.train.len(), rule, "give more images");
    }
    let strangers = cases.iter().find(|case| {
        let shape = case.network.input;
        [shape.channels, shape.height, shape.width] != split.shape
    });
    match strangers {
        None => Ok(()),
        Some(case) => {
            let rule = format!("its network does not read images of {:?}", split.shape);
            let index = case.config.0 as usize;
            refuse("configuration", index, rule, "measure one space at a time")
        }
    }
}

fn job<'a>(case: &'a Case, split: &'a Split<'a>) -> Job<'a> {
    Job {
        config: case.config,
        repeat: 0,
        seed: 0,
        epochs: 1,
        network: &case.network,
        recipe: &case.recipe,
        split,
    }
}

/// What one company has come to so far.
struct Tally {
    company: Company,
    seconds: f64,
    weights: Sha256,
}

impl Tally {
    fn of(company: Company) -> Self {
        Self { company, seconds: 0.0, weights: Sha256::new() }
    }

    fn hash(self) -> String {
        let digest = self.weights.finalize();
        let first: [u8; 6] = std::array::from_fn(|at| digest[at]);
        format!("{:012x}", first.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Begins anew, and takes so many steps; how long these lasted.
    fn round(&self, cohort: &mut Cohort<'_, '_>, steps: u32) -> Result<Duration> {
        let (stop, abort) = (AtomicBool::new(false), AtomicBool::new(false));
        let watch = Watch { progress: &Silent, stop: &stop, abort: &abort };
        let all: Vec<usize> = (0..cohort.residents().len()).collect();
        let at_once = match self.company {
            Company::Together => all.len(),
            Company::Alone => 1,
        };
        cohort.begin();
        all.chunks(at_once).map(|some| cohort.first_steps(some, steps, &watch)).sum()
    }
}

/// All rounds of a cohort, in each company in turn.
fn rounds(cohort: &mut Cohort<'_, '_>, effort: Effort, tallies: &mut [Tally]) -> Result<()> {
    for tally in &*tallies {
        tally.round(cohort, effort.warm_steps)?;
    }
    let mut best = vec![Duration::MAX; tallies.len()];
    for round in 1..=effort.rounds {
        for (tally, best) in tallies.iter_mut().zip(&mut best) {
            *best = tally.round(cohort, effort.steps)?.min(*best);
            if round == effort.rounds {
                for at in 0..cohort.residents().len() {
                    tally.weights.update(bytemuck::cast_slice::<f32, u8>(&cohort.weights(at)?));
                }
            }
        }
    }
    for (tally, best) in tallies.iter_mut().zip(best) {
        tally.seconds += best.as_secs_f64() / f64::from(effort.steps);
    }
    Ok(())
}

/// Nobody is told.
struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

#[cfg(test)]
mod tests {
    use super::super::kernels::twin;
    use super::*;

    fn cases(count: u32) -> Vec<Case> {
        let definition = Definition::preset("digits-lenet").unwrap();
        // Points 3, 4 and 5 are small ones.
        (3..3 + count).map(|index| Case::sobol(&definition, index).unwrap()).collect()
    }

    const EFFORT: Effort = Effort { warm_steps: 1, steps: 2, rounds: 2 };

    #[test]
    fn together_and_alone_give_the_same_weights() {
        let Some(gpu) = twin::gpu() else { return };
        let stopwatch = Stopwatch::new(&gpu, Variant::usual(gpu.description()));
        let (cases, noise) = (cases(3), Noise::new([1, 8, 8], 10, 128));
        let split = noise.split();
        let both = [Company::Together, Company::Alone];
        let measure = |cases: &[Case], effort, companies: &[Company]| {
            stopwatch.measure(cases, &split, effort, companies).unwrap()
        };
        let found = measure(&cases, EFFORT, &both);
        let [together, alone] = &found[..] else { panic!("two were asked for") };
        assert_eq!(together.weights_sha256, alone.weights_sha256);
        assert_eq!((together.images, together.cohorts), (3 * 64, 1));
        assert_eq!(together.flops, cases.iter().map(Case::step_flops).sum::<f64>());
        assert!(together.seconds > 0.0 && alone.seconds > 0.0);
        // A round begins anew; other steps and other networks leave other weights.
        let more = &measure(&cases, Effort { rounds: 1, ..EFFORT }, &both[1..])[0];
        assert_eq!(more.weights_sha256, together.weights_sha256);
        let shorter = &measure(&cases, Effort { steps: 1, ..EFFORT }, &both[..1])[0];
        let fewer = &measure(&cases[..2], EFFORT, &both[..1])[0];
        for other in [shorter, fewer] {
            assert_ne!(other.weights_sha256, together.weights_sha256);
        }
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let (cases, noise) = (cases(1), Noise::new([1, 8, 8], 10, 128));
        let split = noise.split();
        let message = |cases: &[Case], split: &Split<'_>, effort| {
            check(cases, split, effort).expect_err("refused").to_string()
        };
        assert!(message(&[], &split, EFFORT).contains("configurations = 0"));
        let none = Effort { rounds: 0, ..EFFORT };
        assert!(message(&cases, &split, none).contains("at least one step, round"));
        let long = Effort { steps: 3, ..EFFORT };
        assert!(message(&cases, &split, long).contains("training images = 128: 3 steps of 64"));
        let large = Noise::new([1, 9, 9], 10, 128);
        assert!(message(&cases, &large.split(), EFFORT).contains("configuration = 3"));
        assert!(check(&cases, &split, EFFORT).is_ok());
    }
}
