//! What a training on the device will cost, from a few of its steps.

#![expect(clippy::cast_precision_loss, reason = "counts of images stay far below 2^53")]

use std::time::Instant;

use base::error::Result;
use base::units::ConfigId;

use super::backend::{RESIDENTS_MAX, Run, bytes, flops, room};
use super::cohort::Cohort;
use super::device::Gpu;
use super::images::Images;
use super::kernels::Kernels;
use super::program::Pass;
use super::queue::epoch_seconds;
use crate::estimate::{BackendCost, SampleCost, Spent, between};
use crate::plan::Task;

/// What a training will cost.
#[derive(Debug, Clone, PartialEq)]
struct Cost {
    /// Configurations that share the device at first.
    at_once: usize,
    /// Memory of the device.
    bytes: u64,
    /// Operations a second of the training steps of those that share it.
    flops_per_second: f64,
    /// Seconds to train an operation, and to evaluate an image for each operation that training it
    /// takes, when all share the device.
    seconds_per_flop: [f64; 2],
    /// To open the device and to compile the kernels.
    opening_seconds: f64,
    samples: Vec<Sample>,
}

/// A configuration that had the device for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    config: ConfigId,
    /// Operations to train an epoch.
    flops: f64,
    /// What a table will say: of an epoch, and of its evaluation.
    seconds: [f64; 2],
    /// To give it a place and to time it, once a curve.
    setup_seconds: f64,
}

/// What `run` would take.
pub(super) fn estimate(run: &Run<'_>, samples: &[&Task]) -> Result<Spent> {
    let cost = cost(run, samples)?;
    let points = |of: fn(&Sample) -> f64| -> Vec<[f64; 2]> {
        cost.samples.iter().map(|sample| [sample.flops, of(sample)]).collect()
    };
    let (alone, setup) = (points(|s| s.seconds[0]), points(|s| s.setup_seconds));
    let evaluated = (run.work.splits[0].validation.len() + run.work.splits[0].test.len()) as f64;
    let [train, evaluate] = cost.seconds_per_flop;
    let (mut wall_seconds, mut alone_seconds) = (cost.opening_seconds, 0.0);
    for task in run.work.tasks {
        let epochs = task.epochs(run.work.settings);
        let curves = epochs / f64::from(run.work.settings.epochs);
        let flops = task.flops / epochs;
        alone_seconds += epochs * between(&alone, flops);
        wall_seconds += curves * between(&setup, flops) + task.flops * train;
        wall_seconds += epochs * evaluated * task.network.flops_per_image() * evaluate;
    }
    let sample = |sample: &Sample| SampleCost {
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

/// Times these configurations alone, and those that a training would begin with together.
fn cost(run: &Run<'_>, samples: &[&Task]) -> Result<Cost> {
    let start = Instant::now();
    let gpu = Gpu::open(&run.chosen.adapter)?;
    run.check(&gpu)?;
    let kernels = Kernels::new(run.chosen.variant);
    let opening_seconds = start.elapsed().as_secs_f64();
    let (samples, compiling_seconds) = alone(run, &gpu, &kernels, samples)?;
    let crowd = together(run, &gpu, &kernels)?;
    Ok(Cost { samples, opening_seconds: opening_seconds + compiling_seconds, ..crowd })
}

/// Times some configurations, one after the other, and what the first one takes longer for the
/// first time.
fn alone(
    run: &Run<'_>,
    gpu: &Gpu,
    kernels: &Kernels,
    tasks: &[&Task],
) -> Result<(Vec<Sample>, f64)> {
    let jobs: Vec<_> = tasks.iter().map(|task| run.work.job(task, 0)).collect();
    let Some(first) = jobs.first() else { return Ok((Vec::new(), 0.0)) };
    let images = Images::upload(gpu, first.split)?;
    let (sizes, steps) = room(jobs.iter(), gpu, 1);
    let mut cohort = Cohort::new(gpu, kernels, images, sizes, steps)?;
    let mut samples = Vec::new();
    // The first one goes in vain: its kernels are compiled meanwhile.
    for job in jobs.first().into_iter().chain(&jobs) {
        let start = Instant::now();
        assert!(cohort.place(*job), "there is room for the largest");
        let seconds = epoch_seconds(&mut cohort, 0)?;
        cohort.remove(0);
        samples.push(Sample {
            config: job.config,
            flops: job.network.flops_per_epoch(job.split.train.len()),
            seconds,
            setup_seconds: start.elapsed().as_secs_f64(),
        });
    }
    let cold: Sample = samples.remove(0);
    let compiling_seconds = (cold.setup_seconds - samples[0].setup_seconds).max(0.0);
    Ok((samples, compiling_seconds))
}

/// Times the steps of those that would share the device first.
fn together(run: &Run<'_>, gpu: &Gpu, kernels: &Kernels) -> Result<Cost> {
    let jobs = run.first_jobs();
    let none = Cost {
        at_once: 0,
        bytes: 0,
        flops_per_second: 0.0,
        seconds_per_flop: [0.0; 2],
        opening_seconds: 0.0,
        samples: Vec::new(),
    };
    let Some(first) = jobs.front() else { return Ok(none) };
    let images = Images::upload(gpu, first.split)?;
    let of_images = [&images.dataset, &images.bytes[0], &images.bytes[1]];
    let of_images: u64 = of_images.iter().map(|buffer| buffer.bytes()).sum();
    let (sizes, steps) = room(jobs.iter(), gpu, RESIDENTS_MAX);
    let mut cohort = Cohort::new(gpu, kernels, images, sizes, steps)?;
    let (mut work, mut at_once) = (0.0, 0);
    for job in &jobs {
        if at_once >= RESIDENTS_MAX || run.is_enough(at_once, work) || !cohort.place(*job) {
            break;
        }
        work += flops(job);
        at_once += 1;
    }
    let step_flops = |cohort: &Cohort<'_, '_>, pass: Pass| -> f64 {
        let of = |resident: &super::resident::Resident<'_>| {
            let images = resident.job.recipe.batch_size.min(resident.images(pass));
            resident.job.network.flops_per_epoch(images)
        };
        cohort.residents().iter().map(of).sum()
    };
    let mut seconds_per_flop = [0.0; 2];
    for (seconds, pass) in seconds_per_flop.iter_mut().zip([Pass::Train, Pass::Validate]) {
        let step = cohort.time_together(pass)?;
        *seconds = step / step_flops(&cohort, pass);
    }
    Ok(Cost {
        at_once,
        bytes: bytes(sizes).iter().sum::<u64>() + of_images,
        flops_per_second: seconds_per_flop[0].recip(),
        seconds_per_flop,
        ..none
    })
}
