//! Training a table, and planning it.

mod device;
mod header;
mod settings;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub use device::Choice;
pub use settings::{Settings, TRAIN, keywords};
pub use train::{BackendCost, Estimate, SampleCost, Summary};

use base::error::{Error, Result, fault};
use base::units::ConfigId;
use store::table::{Header, TableWriter};
use train::data::{self, Dataset};
use train::record::TrainedConfig;
use train::{Device, Sink};

use crate::Events;
use crate::events::Told;

/// What a training came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The table's directory.
    pub table: PathBuf,
    pub summary: Summary,
    /// On the real clock, loading included.
    pub wall_seconds: f64,
}

/// Trains what is missing of a table; with `resume`, what a finished one lacks of the
/// configurations and repeats that are asked for, too. It stays what it was until the larger one is
/// whole.
///
/// # Errors
/// Faults of the settings on this data set and machine, before anything is written; and
/// [`Unfinished`](Error::Unfinished) with its cause for what ends a training that has begun.
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Outcome> {
    let start = Instant::now();
    let Some(out) = settings.out.as_deref() else {
        let rule = "a training needs a directory for its table";
        return Err(fault("--out", "out", "missing", rule, "name one"));
    };
    let (device, dataset) = prepare(settings)?;
    let header = settings.header(&dataset, &device)?;
    let writer = if settings.resume { settings.resume() } else { TableWriter::create };
    let mut store = Store(writer(out, header)?);
    let done_before = store.0.done_count();
    let finished = store.0.grows_from().map(|(configs, curves)| described(configs, curves));
    if let Some(finished) = &finished {
        let larger = described(settings.training.configs.len(), settings.training.curves()?);
        events
            .say(&format!("{}: the finished table of {finished} grows to {larger}", out.display()));
    }
    if done_before > 0 {
        events.say(&format!("{done_before} configurations are there already"));
    } else if settings.resume && finished.is_none() {
        let out = out.display();
        events.say(&format!("{out}: nothing is there to go on with, starting afresh"));
    }
    device::announce(&device, "training on", settings, events);
    events.work_begins();
    let told = Told(events);
    let trained = train::train(&settings.training, &dataset, &device, &mut store, &told, stop);
    events.training_ended();
    let kept = store.0.done_count();
    let unfinished = |cause: Error| {
        let out = out.display();
        let what = match (&finished, kept) {
            (Some(finished), _) => format!(
                "{out} stays the finished table of {finished}; --resume goes on with its growth"
            ),
            (None, 0) => format!("{out} is not finished"),
            (None, _) => format!("{out} is not finished; --resume keeps its {kept} configurations"),
        };
        Error::Unfinished { what, source: Box::new(cause) }
    };
    let summary = trained.map_err(unfinished)?;
    store.0.finish().map_err(unfinished)?;
    let wall_seconds = start.elapsed().as_secs_f64();
    Ok(Outcome { table: out.to_path_buf(), summary, wall_seconds })
}

/// What a table holds, in words.
fn described(configs: usize, curves: u16) -> String {
    match curves {
        1 => format!("{configs} configurations"),
        _ => format!("{configs} configurations with {curves} curves each"),
    }
}

/// What the training would take, from a few timed steps; with `resume`, what is left of the table
/// in `out`. Nothing is written.
///
/// # Errors
/// Faults of the settings on this data set and machine.
pub fn plan(settings: &Settings, events: &dyn Events) -> Result<Estimate> {
    let (device, dataset) = prepare(settings)?;
    let begun = settings.out.as_deref().filter(|out| settings.resume && out.exists());
    let header = || settings.header(&dataset, &device);
    let store = begun.map(|out| settings.resume()(out, header()?)).transpose()?;
    let curves_done = |config| match &store {
        Some(store) if store.is_done(config) => u16::MAX,
        Some(store) => store.curves_done(config),
        None => 0,
    };
    device::announce(&device, "planning for", settings, events);
    train::estimate(&settings.training, &dataset, &device, &curves_done)
}

fn prepare(settings: &Settings) -> Result<(Device, Dataset)> {
    let device = device::choose(settings.device, settings.threads_asked)?;
    let name = &settings.training.definition.dataset;
    let data_dir = data::place::directory(name, settings.data_dir.as_deref())?;
    Ok((device, data::load(name, data_dir.as_deref())?))
}

impl Settings {
    /// How a training is gone on with.
    fn resume(&self) -> fn(&Path, Header) -> Result<TableWriter> {
        if self.configs_said { TableWriter::resume } else { TableWriter::resume_same }
    }

    fn header(&self, dataset: &Dataset, device: &Device) -> Result<Header> {
        header::header(&self.training, self.name.as_deref(), self.shard, dataset, device)
    }
}

struct Store(TableWriter);

impl Sink for Store {
    fn is_done(&self, config: ConfigId) -> bool {
        self.0.is_done(config)
    }

    fn curves_done(&self, config: ConfigId) -> u16 {
        self.0.curves_done(config)
    }

    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()> {
        self.0.append(cohort)
    }
}
