//! What tests of trainings share: a table in memory, a silent watcher, numbers of golden files.

use std::sync::atomic::AtomicBool;

use curvebook::base::error::Result;
use curvebook::base::units::ConfigId;
use curvebook::train::gpu::adapter::is_required;
use curvebook::train::gpu::{Adapter, Chosen, Wanted};
use curvebook::train::record::TrainedConfig;
use curvebook::train::{Device, Progress, Sink, TrainSettings, data, train};
use serde_json::Value as Json;

/// Keeps everything in memory, by configuration, but for what it says it holds already.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) trained: Vec<TrainedConfig>,
    pub(crate) done: Vec<u32>,
}

impl Sink for Memory {
    fn is_done(&self, config: ConfigId) -> bool {
        self.done.contains(&config.0)
    }

    fn append(&mut self, mut finished: Vec<TrainedConfig>) -> Result<()> {
        self.trained.append(&mut finished);
        self.trained.sort_by_key(|trained| trained.config.config_id);
        Ok(())
    }
}

/// Hears nothing.
pub(crate) struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

/// What a training on the built-in digits gives, by configuration.
pub(crate) fn trained_on_digits(settings: &TrainSettings) -> Vec<TrainedConfig> {
    let mut memory = Memory::default();
    let digits = data::load("digits", None).unwrap();
    train(settings, &digits, &Device::Cpu, &mut memory, &Silent, &AtomicBool::new(false)).unwrap();
    memory.trained
}

/// A GPU or what plays one; none, and a line that says so, where there is none and none is
/// required.
#[track_caller]
pub(crate) fn gpu() -> Option<Device> {
    match Adapter::choose(Wanted::Gpu) {
        Ok(adapter) => Some(Device::Gpu(Chosen::new(adapter.expect("none is an error")).unwrap())),
        Err(e) if is_required() => panic!("{e}"),
        Err(e) => {
            println!("skipped: {e}");
            None
        }
    }
}

pub(crate) fn number(json: &Json) -> f64 {
    json.as_f64().unwrap()
}

pub(crate) fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(number).collect()
}
