//! Curves of configurations that are not complete yet.

use std::collections::BTreeMap;

use base::error::Result;
use base::units::ConfigId;

use super::backend::Run;
use super::curve_in_training::CurveInTraining;
use crate::plan::Task;
use crate::record::{Status, TrainedConfig};
use crate::{Curve, Progress, Sink, Summary};

/// Curves that wait for the others of their configuration.
pub(super) struct IncompleteConfigs<'a> {
    progress: &'a dyn Progress,
    train_images: usize,
    tasks: BTreeMap<ConfigId, &'a Task>,
    /// By configuration and number, with the share of the cohorts' time.
    waiting: BTreeMap<ConfigId, BTreeMap<u16, (Curve, f64)>>,
    sink: &'a mut dyn Sink,
    pub(super) summary: Summary,
}

impl<'a> IncompleteConfigs<'a> {
    pub(super) fn new(run: &'a Run<'a>, tasks: &'a [Task], sink: &'a mut dyn Sink) -> Self {
        Self {
            progress: run.work.progress,
            train_images: run.work.splits[0].train.len(),
            tasks: tasks.iter().map(|task| (task.config, task)).collect(),
            waiting: BTreeMap::new(),
            sink,
            summary: Summary::default(),
        }
    }

    /// Keeps the configurations that are complete now.
    pub(super) fn add(&mut self, finished: Vec<CurveInTraining<'a>>) -> Result<()> {
        let mut complete = Vec::new();
        for training in finished {
            let (config, number) = (training.job.config, training.job.repeat);
            let share = training.share_seconds();
            let curves = self.waiting.entry(config).or_default();
            curves.insert(number, (training.curve, share));
            if curves.len() < self.tasks[&config].curves.len() {
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
