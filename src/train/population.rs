//! Many configurations: what is to be trained, checked before any work.

use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Error, Result, fault};
use base::space::{Value, sobol};
use base::units::ConfigId;

use super::cpu::Cpu;
use super::crew::Crew;
use super::{Backend, Curve, Device, Progress, Sink, Summary, TrainSettings, gpu};
use crate::data::{Dataset, Folds, Split};
use crate::model::{Network, Recipe};
use crate::record::{ConfigRecord, TrainedConfig};

/// Trains the configurations of `settings` that `sink` does not hold yet, roughly in ascending
/// order, on `device`.
///
/// The records, times aside, do not depend on the number of threads. A kill loses what is in
/// training and what was finished in the last seconds, no more. When `stop` is set, every finished
/// configuration is kept and [`Error::Interrupted`] says how many.
///
/// Errors, all before any training: a data set of another shape than the space's, split sizes
/// beyond the data, a configuration whose network cannot be built or trained. Later: whatever the
/// sink says.
pub fn train(
    settings: &TrainSettings,
    dataset: &Dataset,
    device: &Device,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Summary> {
    check(settings, dataset)?;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    let folds = settings.folds.map(|count| Folds::new(&split, count)).transpose()?;
    let splits = splits(&split, folds.as_ref())?;
    let planned = tasks(settings, &splits, &Cpu)?;
    let all = planned.len();
    let tasks: Vec<Task> = planned.into_iter().filter(|task| !sink.is_done(task.config)).collect();
    let skipped = all - tasks.len();
    let flops = tasks.iter().map(|task| task.flops).sum();
    progress.planned(tasks.len(), flops);
    let (tasks, splits) = (&tasks[..], &splits[..]);
    let mut summary = match device {
        Device::Cpu => {
            let backend = &Cpu;
            Crew { settings, tasks, splits, backend, progress, stop }.run(sink)?
        }
        Device::Gpu(chosen) => {
            gpu::Run { chosen, settings, tasks, splits, progress, stop }.run(sink)?
        }
    };
    summary.skipped = skipped;
    if stop.load(Ordering::Relaxed) && summary.trained < tasks.len() {
        let kept = summary.trained + skipped;
        let kept = format!("{kept} of {all} configurations are kept; --resume goes on from there");
        return Err(Error::Interrupted { kept });
    }
    Ok(summary)
}

/// One configuration to train.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) config: ConfigId,
    pub(super) values: Vec<Value>,
    pub(super) network: Network,
    pub(super) recipe: Recipe,
    /// Of all its curves.
    pub(super) flops: f64,
}

impl Task {
    /// Its record, once all of its curves are there. `train_images`: of the first fold.
    pub(super) fn trained(
        &self,
        train_images: usize,
        curves: Vec<Curve>,
        fused_share_seconds: Option<f64>,
    ) -> TrainedConfig {
        let first = curves.first().expect("at least one curve was asked for");
        let params = i64::try_from(self.network.params()).expect("networks are bounded");
        let config = ConfigRecord {
            config_id: self.config,
            values: self.values.clone(),
            params,
            flops_per_epoch: self.network.flops_per_epoch(train_images),
            setup_seconds: first.setup_seconds,
            fused_share_seconds,
            status: first.status,
            val_confusion: first.val_confusion.clone(),
        };
        let epochs = curves.into_iter().flat_map(|curve| curve.epochs).collect();
        TrainedConfig { config, epochs }
    }
}

/// Refuses what cannot be trained, as far as it shows before the images are cut.
pub(super) fn check(settings: &TrainSettings, dataset: &Dataset) -> Result<()> {
    let definition = &settings.definition;
    let refuse = |field: &str, value: String, rule: String| {
        let remedy = "change the space's [model], or train it on another data set";
        Err(fault(&definition.source, field, value, rule, remedy))
    };
    let shape = [dataset.channels, dataset.height, dataset.width];
    if definition.input != shape {
        let rule = format!("images of {} are {shape:?}", dataset.name);
        return refuse("model.input", format!("{:?}", definition.input), rule);
    }
    if definition.classes != dataset.classes {
        let rule = format!("{} has {} classes", dataset.name, dataset.classes);
        return refuse("model.classes", definition.classes.to_string(), rule);
    }
    for (option, value) in
        [("--epochs", usize::from(settings.epochs)), ("--threads", settings.threads)]
    {
        if value == 0 {
            let remedy = "ask for at least one";
            return Err(fault("command line", option, value, "must be at least 1", remedy));
        }
    }
    settings.curves()?;
    sobol::check(&definition.space, settings.configs.end)
}

/// The split of every fold; the fixed one where there are none.
pub(super) fn splits<'a>(split: &Split<'a>, folds: Option<&'a Folds>) -> Result<Vec<Split<'a>>> {
    let splits = folds.map_or_else(|| vec![split.clone()], |folds| folds.splits(split));
    // Orders count images in 32 bits.
    match splits.iter().map(|split| split.train.len()).find(|&n| u32::try_from(n).is_err()) {
        None => Ok(splits),
        Some(images) => {
            let rule = format!("at most {} images can be ordered", u32::MAX);
            Err(fault("command line", "--train-size", images, rule, "ask for fewer"))
        }
    }
}

/// Builds every configuration's network: what cannot be trained is refused before any work.
pub(super) fn tasks(
    settings: &TrainSettings,
    splits: &[Split<'_>],
    backend: &dyn Backend,
) -> Result<Vec<Task>> {
    let definition = &settings.definition;
    let curves = usize::from(settings.curves()?);
    // One epoch of every curve.
    let images = || splits.iter().cycle().take(curves).map(|split| split.train.len());
    let build = |index: u32| {
        let values = sobol::configuration(&definition.space, index, settings.sobol_seed);
        let network = Network::build(definition, &values)?;
        backend.check(&definition.source, &network)?;
        let recipe = Recipe::resolve(definition, &values)?;
        let flops: f64 = images().map(|images| network.flops_per_epoch(images)).sum();
        let flops = flops * f64::from(settings.epochs);
        Ok(Task { config: ConfigId(index), values, network, recipe, flops })
    };
    settings.configs.clone().map(build).collect()
}
