//! How a table of ours was made, as `table.json` keeps it.

use serde::Serialize;
use serde_json::Value as Json;

/// How a table was made. Which of these fields must agree when a training is resumed or shards are
/// merged, the store's `table::settings` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// SHA-256 of the space file's text.
    pub space_hash: String,
    pub dataset: String,
    /// SHA-256 of the data set's files.
    pub dataset_hash: String,
    pub split: Split,
    /// Folds of a cross-validation; none for a fixed split.
    pub folds: Option<u16>,
    pub sobol_seed: u32,
    /// The master seed of training.
    pub seed: u64,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The processor or graphics card.
    pub adapter: String,
    pub driver: Option<String>,
    /// `f32`, ...
    pub precision: String,
    pub crate_version: String,
    pub commit: Option<String>,
    pub shader_hash: Option<String>,
    /// Which variants of the shaders were chosen for the adapter: `product 8x16/64, ...`. None on
    /// the CPU. The choice changes times and no other number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiles: Option<String>,
    /// What `seconds` are: `thread CPU time`, ...
    pub seconds_measured: String,
    /// Configurations in training at the same time.
    pub trained_at_once: u32,
    /// When training began, RFC 3339.
    pub created: String,
    /// Which piece of the whole this is; none for a whole table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl Provenance {
    /// As `table.json` keeps it.
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).expect("names and numbers are JSON")
    }
}

/// One of the contiguous pieces that a table is trained in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    pub count: u32,
    /// Configurations of the whole table.
    pub configs: u32,
}

impl Shard {
    /// The ids of this piece: `index x configs / count` to `(index + 1) x configs / count`, both
    /// rounded down.
    pub fn ids(self) -> std::ops::Range<u32> {
        let bound = |nth: u32| {
            let place = u64::from(nth) * u64::from(self.configs) / u64::from(self.count);
            u32::try_from(place).expect("not beyond the number of configurations")
        };
        bound(self.index)..bound(self.index + 1)
    }
}

/// Images of a split. With folds, training and validation images together are cut into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Split {
    pub train: u64,
    pub validation: u64,
    pub test: u64,
}
