//! The settings of `train`.

use std::path::PathBuf;

use base::error::Result;
use base::space::sobol;
use train::TrainSettings;
use train::model::Definition;
use train::provenance::Shard;

use super::Choice;
use crate::settings::{Door, Given, Kind, Setting, THREADS, Word, threads_or_all};

const DEVICES: &[Word] = &[
    Word { word: "auto", help: "A GPU if one is here, else the CPU" },
    Word { word: "gpu", help: "A GPU; a software adapter where none is here" },
    Word { word: "cpu", help: "The CPU, whatever else is here" },
];
const CHOICES: [Choice; 3] = [Choice::Auto, Choice::Gpu, Choice::Cpu];

const SIZE: Kind = Kind::whole(0, usize::MAX as u64);

/// In the order of the help.
pub const TRAIN: &[Setting] = &[
    Setting::new(
        "space",
        Kind::Text,
        "A preset's name (`curvebook space list`), a TOML file, or a table that holds its space",
    )
    .required("a space's name or file"),
    Setting::new("name", Kind::Text, "The table's name; the space's where this says nothing"),
    Setting::new(
        "out",
        Kind::Path,
        "The directory of the new table; it must not hold one yet, but for --resume",
    ),
    Setting::new(
        "data_dir",
        Kind::Path,
        "The directory of the data set's files; without it, where `curvebook data get` puts them",
    ),
    Setting::new(
        "configs",
        Kind::count(u32::MAX as u64, "a table has a configuration", "ask for at least one"),
        "How many configurations: Sobol points 0 to N - 1",
    )
    .default("2000"),
    Setting::new(
        "epochs",
        Kind::count(u16::MAX as u64, "a curve has an epoch", "ask for at least one"),
        "Epochs of a curve; the space says where this does not",
    ),
    Setting::new(
        "train_size",
        SIZE,
        "Training images, the first of the training file; the space says where this does not",
    ),
    Setting::new(
        "val_size",
        SIZE,
        "Validation images, the last of the training file; the space says where this does not",
    ),
    Setting::new(
        "test_size",
        SIZE,
        "Test images, the first of the test file; the space says where this does not",
    ),
    Setting::new("device", Kind::Word(DEVICES), "What to train on").default("auto"),
    Setting::new(
        "seed",
        Kind::whole(0, u64::MAX),
        "Master seed of weights, batch orders and dropout masks",
    )
    .default("0"),
    Setting::new("sobol_seed", Kind::whole(0, u32::MAX as u64), "Seed of the Sobol sequence")
        .default("0"),
    Setting::new(
        "repeats",
        Kind::whole(0, u16::MAX as u64),
        "Trainings of each configuration, each with its own random numbers",
    )
    .default("1"),
    Setting::new(
        "folds",
        Kind::whole(0, u16::MAX as u64),
        "Cross-validate: cut the training and validation images into k parts and train k times, \
         each time validating on another part",
    )
    .value_name("K"),
    Setting::new(
        "shard",
        Kind::Text,
        "Train piece i of n alone, i from 0, with the ids that the whole table would have",
    )
    .value_name("I/N"),
    Setting::new(
        "plan",
        Kind::Flag,
        "Say what the training would take (time, memory, disk), from a few timed steps; train \
         nothing. With --resume: what is left",
    ),
    Setting::new(
        "resume",
        Kind::Flag,
        "Go on with a training that was interrupted, or let a finished table grow: by more \
         --configs, more --repeats. Everything else must be as it was",
    ),
    Setting::new(
        "threads",
        Kind::Whole(THREADS),
        "Configurations in training at once on the CPU; one a core where this says nothing",
    ),
];

/// Checked settings of a training.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What to train.
    pub training: TrainSettings,
    /// The table's name, where it is not the space's.
    pub name: Option<String>,
    /// The piece of it, where it is one.
    pub shard: Option<Shard>,
    /// The directory of the table; a plan needs none.
    pub out: Option<PathBuf>,
    /// Where the data set's files are, where they are not in their usual place.
    pub data_dir: Option<PathBuf>,
    pub device: Choice,
    /// Threads, if a number was asked for: a GPU takes none.
    pub threads_asked: Option<usize>,
    /// Whether to say what the training would take, and to train nothing.
    pub plans: bool,
    /// Whether `out` may hold a part of the table.
    pub resume: bool,
    /// Whether the number of configurations was said: by default no table grows.
    pub configs_said: bool,
}

/// Settings by name, each [`set`](Given::set) to what the command line would say: read them with
/// [`Settings::read`].
pub fn keywords() -> Given {
    Given::new(Door::Keywords, TRAIN)
}

impl Settings {
    /// Reads and checks what was given for the settings of [`TRAIN`].
    ///
    /// # Errors
    /// A fault for the first setting that is wrong, and for a space that is.
    pub fn read(given: &Given) -> Result<Self> {
        given.check_names()?;
        let configs = given.whole("configs")?.unwrap_or(1);
        let shard = shard(given, configs)?;
        let threads_asked = given.whole("threads")?;
        let training = training(given, configs, shard, threads_asked)?;
        let name = given.text("name")?;
        if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            let remedy = "write a name, or leave it out";
            return Err(given.fault("name", "\"\"", "a table has a name", remedy));
        }
        Ok(Self {
            training,
            name,
            shard,
            out: given.path("out")?,
            data_dir: given.path("data_dir")?,
            device: given.word("device")?.map_or(Choice::Auto, |at| CHOICES[at]),
            threads_asked,
            plans: given.flag("plan")?,
            resume: given.flag("resume")?,
            configs_said: given.has("configs"),
        })
    }
}

/// The piece that was asked for.
fn shard(given: &Given, configs: u32) -> Result<Option<Shard>> {
    let Some(text) = given.text("shard")? else { return Ok(None) };
    let refuse = |rule: String| {
        let remedy = "write --shard i/n, i from 0: 0/4, 1/4, 2/4 and 3/4 make a table";
        Err(given.fault("shard", &text, rule, remedy))
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

fn training(
    given: &Given,
    configs: u32,
    shard: Option<Shard>,
    threads_asked: Option<usize>,
) -> Result<TrainSettings> {
    let space = given.text("space")?.unwrap_or_default();
    let definition = Definition::find(&space).map_err(|e| given.respell(e))?;
    sobol::check(&definition.space, configs).map_err(|e| given.respell(e))?;
    let usual = &definition.training;
    let settings = TrainSettings {
        configs: shard.map_or(0..configs, Shard::ids),
        epochs: given.whole("epochs")?.unwrap_or(usual.epochs),
        train_size: given.whole("train_size")?.unwrap_or(usual.train_size),
        val_size: given.whole("val_size")?.unwrap_or(usual.val_size),
        test_size: given.whole("test_size")?.unwrap_or(usual.test_size),
        seed: given.whole("seed")?.unwrap_or(0),
        sobol_seed: given.whole("sobol_seed")?.unwrap_or(0),
        threads: threads_or_all(threads_asked)?,
        repeats: given.whole("repeats")?.unwrap_or(1),
        folds: given.whole("folds")?,
        definition,
    };
    // Before anything is written: zero repeats or folds, or more curves than can be numbered.
    settings.curves()?;
    Ok(settings)
}
