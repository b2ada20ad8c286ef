//! `curvebook train`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Format, output, progress, threads_or_all};
use crate::data::{self, Split};
use crate::error::{Result, fault};
use crate::space::{Definition, Direction, Metric, sobol};
use crate::table::{self, Header, Provenance, TableWriter, TrainedConfig};
use crate::trainer::{self, Sink, Summary, TrainSettings};
use crate::units::ConfigId;

/// Train the Sobol configurations of a space and keep every epoch in a table.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook train --space digits-lenet --configs 64 --out my-table
  curvebook train --space mnist-lenet-lite --data-dir mnist --configs 8 --epochs 2 --out lite
  curvebook train --space my-space.toml --out my-table --resume")]
pub(super) struct Arguments {
    /// A preset's name (`curvebook space list`) or a TOML file.
    #[arg(long)]
    space: String,
    /// The directory of the new table; it must not hold one yet, but for --resume.
    #[arg(long)]
    out: PathBuf,
    /// The directory of the data set's files (`curvebook data list`); digits are built in.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// How many configurations: Sobol points 0 to N - 1.
    #[arg(long, default_value_t = 2000)]
    configs: u32,
    /// Epochs of a curve; the space says where this does not.
    #[arg(long)]
    epochs: Option<u16>,
    /// Training images, the first of the training file; the space says where this does not.
    #[arg(long)]
    train_size: Option<usize>,
    /// Validation images, the last of the training file; the space says where this does not.
    #[arg(long)]
    val_size: Option<usize>,
    /// Test images, the first of the test file; the space says where this does not.
    #[arg(long)]
    test_size: Option<usize>,
    /// What to train on; `auto` is the CPU in this version.
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    device: Device,
    /// Master seed of weights, batch orders and dropout masks.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seed of the Sobol sequence.
    #[arg(long, default_value_t = 0)]
    sobol_seed: u32,
    /// Go on with a training that was interrupted; everything else must be as it was.
    #[arg(long)]
    resume: bool,
    /// Configurations in training at once; one a core where this says nothing.
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    Auto,
    Gpu,
    Cpu,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let start = Instant::now();
    if arguments.device == Device::Gpu {
        let rule = "this version trains on the CPU alone";
        return Err(fault("--device", "device", "gpu", rule, "use --device cpu or auto").into());
    }
    let settings = settings(arguments)?;
    let dataset = data::load(&settings.definition.dataset, arguments.data_dir.as_deref())?;
    let header = header(&settings, &dataset)?;
    let mut store = if arguments.resume {
        Store(TableWriter::resume(&arguments.out, header)?)
    } else {
        Store(TableWriter::create(&arguments.out, header)?)
    };
    let done_before = store.0.done_count();
    if done_before > 0 {
        eprintln!("{done_before} configurations are there already");
    } else if arguments.resume {
        eprintln!("{}: nothing is there to go on with, starting afresh", arguments.out.display());
    }
    let stop = super::interrupt::flag()?;
    let watch = progress::Training::new();
    let trained = trainer::train(&settings, &dataset, &mut store, &watch, &stop);
    watch.finish();
    let summary =
        trained.with_context(|| format!("{} is not finished", arguments.out.display()))?;
    store.0.finish()?;
    report(&summary, arguments, start.elapsed().as_secs_f64(), format)
}

fn settings(arguments: &Arguments) -> Result<TrainSettings> {
    let definition = Definition::find(&arguments.space)?;
    if arguments.configs == 0 {
        let remedy = "ask for at least one";
        return Err(fault("--configs", "configs", 0, "a table has a configuration", remedy));
    }
    if arguments.epochs == Some(0) {
        let remedy = "ask for at least one";
        return Err(fault("--epochs", "epochs", 0, "a curve has an epoch", remedy));
    }
    sobol::check(&definition.space, arguments.configs)?;
    let training = &definition.training;
    Ok(TrainSettings {
        configs: 0..arguments.configs,
        epochs: arguments.epochs.unwrap_or(training.epochs),
        train_size: arguments.train_size.unwrap_or(training.train_size),
        val_size: arguments.val_size.unwrap_or(training.val_size),
        test_size: arguments.test_size.unwrap_or(training.test_size),
        seed: arguments.seed,
        sobol_seed: arguments.sobol_seed,
        threads: threads_or_all(arguments.threads)?,
        repeats: 1,
        definition,
    })
}

fn header(settings: &TrainSettings, dataset: &data::Dataset) -> anyhow::Result<Header> {
    let definition = &settings.definition;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    #[expect(clippy::cast_precision_loss, reason = "numbers of classes are small")]
    let chance = 1.0 / definition.classes as f64;
    Ok(Header {
        name: definition.space.name.clone(),
        metric: Metric {
            name: "val_accuracy".to_string(),
            goal: Direction::Maximize,
            chance: Some(chance),
        },
        epochs: settings.epochs,
        repeats: settings.repeats,
        configs: settings.configs.end,
        first_config: None,
        space: definition.space.clone(),
        provenance: Provenance {
            space_hash: super::hex(&Sha256::digest(definition.text.as_bytes())),
            dataset: definition.dataset.clone(),
            dataset_hash: split.sha256(),
            split: table::Split {
                train: settings.train_size as u64,
                validation: settings.val_size as u64,
                test: settings.test_size as u64,
            },
            folds: None,
            sobol_seed: settings.sobol_seed,
            seed: settings.seed,
            backend: "cpu".to_string(),
            adapter: format!("{} ({})", std::env::consts::ARCH, cpu_features()),
            driver: None,
            precision: "f32".to_string(),
            crate_version: env!("CARGO_PKG_VERSION").to_string(),
            commit: None,
            shader_hash: None,
            seconds_measured: "CPU time of the thread that trains the configuration".to_string(),
            trained_at_once: u32::try_from(settings.threads)?,
            created: OffsetDateTime::now_utc().format(&Rfc3339)?,
        },
    })
}

/// What the matrix products choose their kernels by: the last bits of a table depend on it.
fn cpu_features() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "avx512f";
        }
        if std::arch::is_x86_feature_detected!("fma") {
            return "fma";
        }
        if std::arch::is_x86_feature_detected!("avx") {
            return "avx";
        }
    }
    "baseline"
}

struct Store(TableWriter);

impl Sink for Store {
    fn is_done(&self, config: ConfigId) -> bool {
        self.0.is_done(config)
    }

    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()> {
        self.0.append(cohort)
    }
}

fn report(
    summary: &Summary,
    arguments: &Arguments,
    seconds: f64,
    format: Format,
) -> anyhow::Result<()> {
    let dir = arguments.out.display();
    match format {
        Format::Json => output::print_json(&json!({
            "table": dir.to_string(),
            "trained": summary.trained,
            "skipped": summary.skipped,
            "diverged": summary.diverged,
            "wall_seconds": seconds,
        })),
        Format::Text => output::print(&format!(
            "{dir}: {} configurations trained in {seconds:.1} s ({} diverged, {} were there)",
            summary.trained, summary.diverged, summary.skipped
        )),
    }
}
