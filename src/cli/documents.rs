//! What the short commands print with `--format json`, declared once: the fields, their order, and
//! what `curvebook schema` and the reference say of them.
//!
//! The answers of `analyze`, `replay` and `study` are declared in `answers::report::json`, a
//! table's summary in `store::table`. A number that is not known or does not apply is null.

mod audit;
mod export;
mod import;
mod methods;
mod slurm;
mod verify;
mod why;

#[cfg(feature = "gpu")]
use std::collections::BTreeMap;

use app::table::Doubt;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use audit::{
    AuditChoice, AuditDocument, AuditEnded, AuditHalves, AuditRule, AuditTrial,
};
pub(super) use export::Exported;
pub(super) use import::Imported;
pub(super) use methods::{ListedPreset, Methods};
pub(super) use slurm::{SlurmStatus, SlurmWritten};
pub(super) use verify::{VerifiedDocument, VerifiedFile};
pub(super) use why::{WhyComparison, WhyDecision, WhyDocument, WhyGoal, WhySegment, WhyTrial};

/// What a training came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TrainingOutcome {
    /// The table's directory.
    pub(super) table: String,
    /// Configurations that were trained.
    pub(super) trained: usize,
    /// Configurations that were there already.
    pub(super) skipped: usize,
    /// Of the trained, those whose training diverged.
    pub(super) diverged: usize,
    /// Seconds by the clock on the wall.
    pub(super) wall_seconds: f64,
}

/// What a training would take (`train --plan`).
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Plan {
    /// The space's name.
    pub(super) space: String,
    /// Configurations to train.
    pub(super) configs: usize,
    /// Their epochs, over all repeats and folds.
    pub(super) epochs: u64,
    /// Floating-point operations of the training steps.
    pub(super) flops: f64,
    /// Seconds by the clock on the wall.
    pub(super) wall_seconds: f64,
    /// The most memory at once, of the process or of the GPU.
    pub(super) memory_bytes: Option<u64>,
    /// The finished table.
    pub(super) disk_bytes: u64,
    /// The most on disk at once.
    pub(super) disk_bytes_peak: u64,
    /// What was timed.
    pub(super) samples: Vec<Sample>,
    /// On CPUs: configurations in training at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threads: Option<usize>,
    /// On CPUs: CPU seconds of all threads together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds: Option<f64>,
    /// On CPUs: cores that the threads were given while the samples ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallelism: Option<f64>,
    /// On a GPU: configurations that share the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_once: Option<usize>,
    /// On a GPU: what the table's `seconds` will add up to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alone_seconds: Option<f64>,
    /// On a GPU: operations a second of those that share the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flops_per_second: Option<f64>,
}

/// A configuration that was timed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sample {
    /// Its Sobol point.
    pub(super) config_id: u32,
    /// Floating-point operations of an epoch.
    pub(super) flops_per_epoch: f64,
    /// Seconds of an epoch.
    pub(super) epoch_seconds: f64,
    /// The one divided by the other.
    pub(super) flops_per_second: f64,
}

/// What a check found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Check<'a> {
    /// The table's directory.
    pub(super) table: String,
    /// Whether nothing was found.
    pub(super) sound: bool,
    /// Whether there were too many findings to go on.
    pub(super) stopped_early: bool,
    /// How much was checked; null where the files could not be read.
    pub(super) checked: Option<app::table::CheckedExtent>,
    /// A sentence a finding: file, field, value, rule, remedy.
    pub(super) findings: &'a [String],
    /// Signs that the numbers are not what a replay takes them for.
    pub(super) warnings: &'a [Doubt],
}

/// What is kept of a table's extrapolated curves (`table extrapolate`).
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Extrapolated {
    /// The table's directory.
    pub(super) table: String,
    /// The rule that they are for, with every parameter.
    pub(super) stopper: String,
    /// Beginnings of curves that the rule can ask about.
    pub(super) extrapolations: u32,
    /// Those of them that were kept before.
    pub(super) before: u32,
    /// The files that hold them.
    pub(super) files: Vec<String>,
}

/// A prior made from a table (`table prior`).
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Prior {
    /// The table's name.
    pub(super) table: String,
    /// Its hash.
    pub(super) table_hash: String,
    /// Which prior: good, medium, bad or off-centre.
    pub(super) kind: String,
    /// How sure it is of every parameter.
    pub(super) confidence: f64,
    /// The configuration that it was made of.
    pub(super) config_id: u32,
    /// The best value of that one; null where it never had any.
    pub(super) value: Option<f64>,
    /// The value that is believed best, a parameter.
    pub(super) centers: Value,
}

/// What shards became.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Merged<'a> {
    /// The new table's directory.
    pub(super) table: String,
    /// Shards that were put together.
    pub(super) shards: usize,
    /// Rows of `configs.parquet`.
    pub(super) configs: u32,
    /// Rows of `curves.parquet`.
    pub(super) recorded_epochs: u64,
    /// Fields of `provenance` in which the shards differ.
    pub(super) differing: &'a [String],
}

/// A space that ships with the program.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ListedSpace<'a> {
    /// As `--space` takes it.
    pub(super) name: &'a str,
    /// One sentence.
    pub(super) summary: &'a str,
    /// The data set that it trains on.
    pub(super) dataset: &'a str,
}

/// A space.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownSpace<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// One sentence.
    pub(super) summary: &'a str,
    /// The data set that it trains on.
    pub(super) dataset: &'a str,
    /// Each as a space file writes it.
    pub(super) parameters: Vec<Value>,
}

/// A Sobol configuration of a space, and the network that it makes.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownConfiguration<'a> {
    /// Its Sobol point.
    pub(super) config: u32,
    /// Of each parameter its value, or null where its condition does not hold.
    pub(super) values: Map<String, Value>,
    /// From the images to the classes.
    pub(super) layers: Vec<Layer<'a>>,
    /// How it is trained.
    pub(super) training: Training<'a>,
    /// Trainable parameters.
    pub(super) params: usize,
    /// Floating-point operations to train an image.
    pub(super) flops_per_image: f64,
    /// The same of an epoch.
    pub(super) flops_per_epoch: f64,
}

/// A layer of a network. Shapes are channels, height, width.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Layer<'a> {
    /// Where the space declares it.
    pub(super) place: &'a str,
    /// `conv`, `maxpool`, `dense`, ...
    pub(super) kind: &'a str,
    /// The same with its sizes.
    pub(super) what: String,
    /// Indices of the layers that it reads; -1 is the images.
    pub(super) reads: Vec<i64>,
    /// The shape that it reads.
    pub(super) input: [usize; 3],
    /// The shape that it makes.
    pub(super) output: [usize; 3],
    /// Trainable parameters.
    pub(super) params: usize,
    /// Floating-point operations to train an image.
    pub(super) flops_per_image: f64,
}

/// How a configuration is trained.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Training<'a> {
    /// `adam`, `sgd`, `rmsprop` or `adagrad`.
    pub(super) optimizer: &'a str,
    /// The step size.
    pub(super) learning_rate: f64,
    /// The weight of the squared weights in the loss.
    pub(super) l2: f64,
    /// Which weights these are: `dense` or `all`.
    pub(super) l2_scope: &'a str,
    /// Images a step.
    pub(super) batch_size: usize,
    /// Epochs of a complete curve.
    pub(super) epochs: u16,
    /// Images to train on.
    pub(super) train_size: usize,
    /// Images to validate on.
    pub(super) val_size: usize,
    /// Images to test on.
    pub(super) test_size: usize,
}

/// A study that ships with the program.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ListedStudy<'a> {
    /// As `curvebook study` takes it.
    pub(super) name: &'a str,
    /// One sentence.
    pub(super) summary: &'a str,
}

/// A data set, and what there is of it.
#[cfg(feature = "download")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DataSet<'a> {
    /// As `data get` takes it.
    pub(super) name: &'a str,
    /// One sentence.
    pub(super) summary: &'a str,
    /// Channels, height, width.
    pub(super) shape: [usize; 3],
    /// Classes to tell apart.
    pub(super) classes: usize,
    /// Images of the training file.
    pub(super) train_images: usize,
    /// Images of the test file.
    pub(super) test_images: usize,
    /// The files that a training reads.
    pub(super) files: &'a [&'a str],
    /// `built in`, `complete`, `absent` or `partial`.
    pub(super) state: &'a str,
    /// Where it was looked for; null for a built-in one.
    pub(super) directory: Option<String>,
    /// Files that are not there.
    pub(super) missing: &'a [&'static str],
    /// Bytes of those that are.
    pub(super) bytes_on_disk: u64,
    /// Bytes of broken transfers.
    pub(super) bytes_unfinished: u64,
    /// What `data get` would fetch.
    pub(super) downloads: Vec<Remote<'a>>,
}

/// A file to fetch.
#[cfg(feature = "download")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Remote<'a> {
    /// Its name.
    pub(super) file: &'a str,
    /// Its length.
    pub(super) bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub(super) sha256: &'a str,
    /// Where it is looked for, in this order.
    pub(super) urls: &'a [String],
}

/// A data set that is there now.
#[cfg(feature = "download")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FetchedSet {
    /// Its name.
    pub(super) name: &'static str,
    /// Where it is; null for a built-in one.
    pub(super) directory: Option<String>,
    /// Its files.
    pub(super) files: Vec<FetchedFile>,
}

/// A file that is there now.
#[cfg(feature = "download")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FetchedFile {
    /// Its name.
    pub(super) file: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Where it came from; null if it was there already.
    pub(super) source: Option<String>,
}

/// The adapters that training can use.
#[cfg(feature = "gpu")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Devices {
    /// `curvebook-devices`.
    pub(super) format: &'static str,
    /// 1.
    pub(super) version: u32,
    /// The best first.
    pub(super) adapters: Vec<Adapter>,
}

/// A GPU, or a program that acts as one.
#[cfg(feature = "gpu")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Adapter {
    /// As its driver calls it.
    pub(super) name: String,
    /// `discrete GPU`, `integrated GPU`, `software`, ...
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// `vulkan`, `metal` or `dx12`.
    pub(super) backend: &'static str,
    /// Its driver and version.
    pub(super) driver: String,
    /// Least and most threads that run in step.
    pub(super) subgroup_size: [u32; 2],
    /// By name, what it has and what training needs.
    pub(super) limits: BTreeMap<&'static str, LimitPair>,
    /// By name, whether it has it.
    pub(super) features: BTreeMap<&'static str, bool>,
    /// Null where it was not run.
    pub(super) self_test: Option<SelfTested>,
}

/// What there is and what there must be.
#[cfg(feature = "gpu")]
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LimitPair {
    /// What the adapter has.
    pub(super) has: u64,
    /// What training needs.
    pub(super) needed: u64,
}

/// What the self-test came to. Of one that could not run, `passed` and `error` alone are there.
#[cfg(feature = "gpu")]
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct SelfTested {
    /// Whether the adapter computes what the CPU does.
    pub(super) passed: bool,
    /// Why it could not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Billions of operations a second, in f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gflops: Option<f64>,
    /// Sums that were compared with the CPU's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sums: Option<usize>,
    /// Of these, the sums that are not the CPU's to the bit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sums_unlike_cpu: Option<usize>,
    /// Whether a multiply-add rounds once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fma_is_fused: Option<bool>,
}
