//! Many configurations: what is to be trained, checked before any work.

use std::ops::Range;

use base::error::{Result, fault};
use base::space::{Value, sobol};
use base::units::ConfigId;

use crate::backend::Curve;
use crate::data::{Dataset, Folds, Split};
use crate::model::{Network, Recipe};
use crate::record::{ConfigRecord, TrainedConfig};
use crate::settings::TrainSettings;

/// One configuration to train.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) config: ConfigId,
    pub(crate) values: Vec<Value>,
    pub(crate) network: Network,
    pub(crate) recipe: Recipe,
    /// The curves to train, by their numbers.
    pub(crate) curves: Range<u16>,
    /// Of all of these.
    pub(crate) flops: f64,
}

impl Task {
    /// Leaves out what is there already: so many curves.
    pub(crate) fn leave_out(&mut self, curves: u16, work: &TrainSettings, splits: &[Split<'_>]) {
        self.curves.start = curves.min(self.curves.end);
        self.flops = flops(&self.network, &self.curves, work, splits);
    }

    /// Epochs to train, over all of its curves.
    pub(crate) fn epochs(&self, settings: &TrainSettings) -> f64 {
        f64::from(self.curves.end - self.curves.start) * f64::from(settings.epochs)
    }

    /// Its record, once all of its curves are there. `train_images`: of the first fold.
    pub(crate) fn trained(
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
pub(crate) fn check(settings: &TrainSettings, dataset: &Dataset) -> Result<()> {
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
pub(crate) fn splits<'a>(split: &Split<'a>, folds: Option<&'a Folds>) -> Result<Vec<Split<'a>>> {
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
pub(crate) fn tasks(settings: &TrainSettings, splits: &[Split<'_>]) -> Result<Vec<Task>> {
    let definition = &settings.definition;
    let curves = 0..settings.curves()?;
    let build = |index: u32| {
        let values = sobol::configuration(&definition.space, index, settings.sobol_seed);
        let network = Network::build(definition, &values)?;
        let recipe = Recipe::resolve(definition, &values)?;
        let flops = flops(&network, &curves, settings, splits);
        let curves = curves.clone();
        Ok(Task { config: ConfigId(index), values, network, recipe, curves, flops })
    };
    settings.configs.clone().map(build).collect()
}

/// Floating-point operations of some curves, each on its fold.
fn flops(
    network: &Network,
    curves: &Range<u16>,
    settings: &TrainSettings,
    splits: &[Split<'_>],
) -> f64 {
    let images = |curve: u16| splits[usize::from(curve) % splits.len()].train.len();
    let epoch: f64 = curves.clone().map(|curve| network.flops_per_epoch(images(curve))).sum();
    epoch * f64::from(settings.epochs)
}
