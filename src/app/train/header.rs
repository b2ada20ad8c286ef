//! What a table says of the training that makes it.

use base::error::{Result, internal};
use base::space::{Direction, Metric};
use store::table::Header;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use train::data::{self, Folds, Split};
use train::provenance::{self, Provenance, Shard};
use train::{Device, TrainSettings, record};

use super::device::Facts;

pub(super) fn header(
    settings: &TrainSettings,
    name: Option<&str>,
    shard: Option<Shard>,
    dataset: &data::Dataset,
    device: &Device,
) -> Result<Header> {
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
        space_hash: definition.hash.clone(),
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
        trained_at_once: u32::try_from(facts.trained_at_once)
            .map_err(|e| internal("counting threads", e))?,
        created: OffsetDateTime::now_utc()
            .format(&Rfc3339)
            .map_err(|e| internal("writing the time", e))?,
        shard,
    };
    Ok(Header {
        name: name.unwrap_or(&definition.space.name).to_string(),
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
        space_further: definition.document.clone(),
        layout: record::layout(facts.backend),
        provenance: Some(provenance.to_json()),
    })
}
