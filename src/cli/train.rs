//! `curvebook train`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use base::error::{Result, fault};
use base::space::{Direction, Metric, sobol};
use base::units::ConfigId;
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::table::{Header, TableWriter};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use train::data::{self, Folds, Split};
use train::model::Definition;
use train::provenance::{self, Provenance, Shard};
use train::record::{self, TrainedConfig};
use train::{Device, Sink, Summary, TrainSettings};

use super::device::{self, Choice, Facts};
use super::{Format, output, progress, threads_or_all};

/// Train the Sobol configurations of a space and keep every epoch in a table.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook train --space digits-lenet --configs 64 --out my-table
  curvebook data get mnist
  curvebook train --space mnist-lenet-lite --configs 8 --epochs 2 --out lite
  curvebook train --space mnist-lenet-lite --device gpu --configs 2000 --out gpu-table
  curvebook train --space my-space.toml --out my-table --resume
  curvebook train --space my-space.toml --plan
  curvebook train --space my-space.toml --out piece-0 --shard 0/4

Shards, trained anywhere, become one table by `curvebook table merge`.")]
pub(super) struct Arguments {
    /// A preset's name (`curvebook space list`) or a TOML file.
    #[arg(long)]
    space: String,
    /// The directory of the new table; it must not hold one yet, but for --resume.
    #[arg(long, required_unless_present = "plan")]
    out: Option<PathBuf>,
    /// The directory of the data set's files; without it, where `curvebook data get` puts them.
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
    /// What to train on.
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    device: Choice,
    /// Master seed of weights, batch orders and dropout masks.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seed of the Sobol sequence.
    #[arg(long, default_value_t = 0)]
    sobol_seed: u32,
    /// Trainings of each configuration, each with its own random numbers.
    #[arg(long, default_value_t = 1)]
    repeats: u16,
    /// Cross-validate: cut the training and validation images into k parts and train k times, each
    /// time validating on another part.
    #[arg(long, value_name = "K")]
    folds: Option<u16>,
    /// Train piece i of n alone, i from 0, with the ids that the whole table would have.
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Say what the training would take (time, memory, disk), from a few timed steps; train
    /// nothing. With --resume: what is left.
    #[arg(long)]
    plan: bool,
    /// Go on with a training that was interrupted; everything else must be as it was.
    #[arg(long)]
    resume: bool,
    /// Configurations in training at once on the CPU; one a core where this says nothing.
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let start = Instant::now();
    let shard = shard(arguments)?;
    let settings = settings(arguments, shard)?;
    let device = device::choose(arguments.device, arguments.threads)?;
    let name = &settings.definition.dataset;
    let data_dir = data::place::directory(name, arguments.data_dir.as_deref())?;
    let dataset = data::load(name, data_dir.as_deref())?;
    if arguments.plan {
        return plan(arguments, &settings, shard, &dataset, &device, format);
    }
    let out = arguments.out.as_deref().expect("clap asks for it where nothing is planned");
    let header = header(&settings, shard, &dataset, &device)?;
    let mut store = Store(if arguments.resume {
        TableWriter::resume(out, header)?
    } else {
        TableWriter::create(out, header)?
    });
    let done_before = store.0.done_count();
    if done_before > 0 {
        eprintln!("{done_before} configurations are there already");
    } else if arguments.resume {
        eprintln!("{}: nothing is there to go on with, starting afresh", out.display());
    }
    device::announce(&device, "training on", arguments.threads, settings.threads);
    let stop = super::interrupt::flag()?;
    let watch = progress::Training::new();
    let trained = train::train(&settings, &dataset, &device, &mut store, &watch, &stop);
    watch.finish();
    let kept = store.0.done_count();
    let unfinished = || match kept {
        0 => format!("{} is not finished", out.display()),
        _ => format!("{} is not finished; --resume keeps its {kept} configurations", out.display()),
    };
    let summary = trained.with_context(unfinished)?;
    store.0.finish().with_context(unfinished)?;
    report(&summary, out, start.elapsed().as_secs_f64(), format)
}

fn plan(
    arguments: &Arguments,
    settings: &TrainSettings,
    shard: Option<Shard>,
    dataset: &data::Dataset,
    device: &Device,
    format: Format,
) -> anyhow::Result<()> {
    let begun = arguments.out.as_deref().filter(|out| arguments.resume && out.exists());
    let store = match begun {
        Some(out) => Some(TableWriter::resume(out, header(settings, shard, dataset, device)?)?),
        None => None,
    };
    let is_done = |config| store.as_ref().is_some_and(|store| store.is_done(config));
    device::announce(device, "planning for", arguments.threads, settings.threads);
    let estimate = train::estimate(settings, dataset, device, &is_done)?;
    super::estimate::print(&settings.definition.space.name, &estimate, format)
}

/// The piece that was asked for.
fn shard(arguments: &Arguments) -> Result<Option<Shard>> {
    let Some(text) = &arguments.shard else { return Ok(None) };
    let configs = arguments.configs;
    let refuse = |rule: String| {
        let remedy = "write --shard i/n, i from 0: 0/4, 1/4, 2/4 and 3/4 make a table";
        Err(fault("--shard", "shard", text, rule, remedy))
    };
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        None => refuse("must be two whole numbers, i/n".to_string()),
        Some((index, count)) if index >= count => {
            refuse(format!("shards of {count} have numbers below {count}"))
        }
        Some((_, count)) if count > configs => {
            refuse(format!("{configs} configurations make at most {configs} shards"))
        }
        Some((index, count)) => Ok(Some(Shard { index, count, configs })),
    }
}

fn settings(arguments: &Arguments, shard: Option<Shard>) -> Result<TrainSettings> {
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
    let settings = TrainSettings {
        configs: shard.map_or(0..arguments.configs, Shard::ids),
        epochs: arguments.epochs.unwrap_or(training.epochs),
        train_size: arguments.train_size.unwrap_or(training.train_size),
        val_size: arguments.val_size.unwrap_or(training.val_size),
        test_size: arguments.test_size.unwrap_or(training.test_size),
        seed: arguments.seed,
        sobol_seed: arguments.sobol_seed,
        threads: threads_or_all(arguments.threads)?,
        repeats: arguments.repeats,
        folds: arguments.folds,
        definition,
    };
    // Before anything is written: zero repeats or folds, or more curves than can be numbered.
    settings.curves()?;
    Ok(settings)
}

fn header(
    settings: &TrainSettings,
    shard: Option<Shard>,
    dataset: &data::Dataset,
    device: &Device,
) -> anyhow::Result<Header> {
    let facts = Facts::of(device, settings);
    let definition = &settings.definition;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    if let Some(count) = settings.folds {
        // Refused here, before a directory is made for it.
        Folds::new(&split, count)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers of classes are small")]
    let chance = 1.0 / definition.classes as f64;
    let provenance = Provenance {
        space_hash: super::hex(&Sha256::digest(definition.text.as_bytes())),
        dataset: definition.dataset.clone(),
        dataset_hash: split.sha256(),
        split: provenance::Split {
            train: settings.train_size as u64,
            validation: settings.val_size as u64,
            test: settings.test_size as u64,
        },
        folds: settings.folds,
        sobol_seed: settings.sobol_seed,
        seed: settings.seed,
        backend: facts.backend.to_string(),
        adapter: facts.adapter,
        driver: facts.driver,
        precision: "f32".to_string(),
        crate_version: env!("CARGO_PKG_VERSION").to_string(),
        commit: None,
        shader_hash: facts.shader_hash,
        tiles: facts.tiles,
        seconds_measured: facts.seconds_measured.to_string(),
        trained_at_once: u32::try_from(facts.trained_at_once)?,
        created: OffsetDateTime::now_utc().format(&Rfc3339)?,
        shard,
    };
    Ok(Header {
        name: definition.space.name.clone(),
        metric: Metric {
            name: "val_accuracy".to_string(),
            goal: Direction::Maximize,
            chance: Some(chance),
        },
        epochs: settings.epochs,
        repeats: settings.curves()?,
        configs: settings.configs.end - settings.configs.start,
        first_config: shard.map(|_| settings.configs.start),
        space: definition.space.clone(),
        layout: record::layout(facts.backend),
        provenance: Some(provenance.to_json()),
    })
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

fn report(summary: &Summary, out: &Path, seconds: f64, format: Format) -> anyhow::Result<()> {
    let dir = out.display();
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
