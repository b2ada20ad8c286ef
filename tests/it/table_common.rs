//! A small table that shows everything a table can hold, and ways to write foreign ones.

use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, RecordBatch};
use curvebook::base::error::{Error, Fault};
use curvebook::base::space::{
    Condition, Direction, Domain, Literal, Metric, Parameter, Space, Value,
};
use curvebook::base::units::ConfigId;
use curvebook::store::table::{
    self, CheckReport, Header, Info, LoadOptions, Status, Table, TableWriter,
};
use curvebook::train::provenance::{Provenance, Split};
use curvebook::train::record::{ConfigRecord, EpochRecord, TrainedConfig, known_columns, layout};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

pub(crate) const EPOCHS: u16 = 4;

pub(crate) fn space() -> Space {
    let parameter =
        |name: &str, domain, condition| Parameter { name: name.into(), domain, condition };
    let only_sgd =
        Condition::In { name: "optimizer".into(), values: vec![Literal::Text("sgd".into())] };
    let parameters = vec![
        parameter("filters", Domain::Int { low: 1, high: 64, log: false }, None),
        parameter("learning_rate", Domain::Float { low: 1e-4, high: 0.3, log: true }, None),
        parameter(
            "optimizer",
            Domain::Categorical { choices: vec!["adam".into(), "sgd".into()] },
            None,
        ),
        parameter("momentum", Domain::Float { low: 0.0, high: 0.99, log: false }, Some(only_sgd)),
    ];
    Space::new("test", "parameter", "four".into(), parameters).unwrap()
}

/// How the small table says it was made.
pub(crate) fn provenance() -> Provenance {
    Provenance {
        space_hash: "00".into(),
        dataset: "none".into(),
        dataset_hash: "11".into(),
        split: Split { train: 100, validation: 50, test: 50 },
        folds: None,
        sobol_seed: 0,
        seed: 7,
        backend: "cpu".into(),
        adapter: "a processor".into(),
        driver: None,
        precision: "f32".into(),
        crate_version: "0.1.0".into(),
        commit: None,
        shader_hash: None,
        tiles: None,
        seconds_measured: "thread CPU time".into(),
        trained_at_once: 2,
        created: "2026-01-01T00:00:00Z".into(),
        shard: None,
    }
}

pub(crate) fn header(configs: u32) -> Header {
    Header {
        name: "small".into(),
        metric: Metric {
            name: "val_accuracy".into(),
            goal: Direction::Maximize,
            chance: Some(0.1),
        },
        epochs: EPOCHS,
        repeats: 2,
        configs,
        first_config: None,
        space: space(),
        layout: layout("cpu"),
        space_further: serde_json::Map::new(),
        provenance: Some(provenance().to_json()),
    }
}

/// Lets the header say something else of how the table was made.
pub(crate) fn made(header: &mut Header, change: impl FnOnce(&mut serde_json::Value)) {
    change(header.provenance.as_mut().expect("ours have one"));
}

/// What is wrong with a table, the trainer's columns being known.
pub(crate) fn check(dir: &Path) -> curvebook::base::error::Result<CheckReport> {
    table::check(dir, &known_columns(), None)
}

/// A table at a glance, the trainer's columns being known.
pub(crate) fn info(dir: &Path) -> curvebook::base::error::Result<Info> {
    table::info(dir, &known_columns(), None)
}

/// An epoch whose numbers depend on its place alone, and are exact in 32 bits.
pub(crate) fn epoch(id: u32, repeat: u16, epoch: u16) -> EpochRecord {
    let correct = (id * 7 + u32::from(epoch) * 5 + u32::from(repeat) * 3) % 51;
    let share = f64::from(correct) / 50.0;
    let step = f64::from(id % 16) / 16.0 + f64::from(epoch) / 8.0;
    EpochRecord {
        repeat,
        epoch,
        val_accuracy: share,
        seconds: 0.1 + f64::from(id) * 1e-3 + f64::from(epoch) * 1e-9,
        val_loss: 2.0 - step,
        train_loss: 1.5 - step / 2.0,
        train_accuracy: share,
        val_precision_macro: 0.25,
        val_recall_macro: 0.5,
        val_f1_macro: 0.375,
        val_precision_weighted: 0.75,
        test_accuracy: (epoch.is_multiple_of(2)).then_some(share),
        test_loss: None,
        eval_seconds: 0.0625,
    }
}

/// Configuration `id`: every fifth diverges after epoch 2, every seventh fails before its first
/// epoch, every ninth was cut after epoch 3; even ones have a second repeat of two epochs.
pub(crate) fn trained(id: u32) -> TrainedConfig {
    let sgd = id % 2 == 1;
    let status = match id {
        _ if id % 7 == 6 => Status::Failed,
        _ if id % 5 == 4 => Status::Diverged,
        _ if id % 9 == 8 => Status::Truncated,
        _ => Status::Ok,
    };
    let length = match status {
        Status::Failed => 0,
        Status::Truncated => 3,
        _ => EPOCHS,
    };
    let mut epochs: Vec<EpochRecord> = (1..=length).map(|e| epoch(id, 0, e)).collect();
    if status == Status::Diverged {
        for row in &mut epochs[2..] {
            row.val_accuracy = f64::NAN;
            row.val_loss = f64::NAN;
        }
    }
    if id.is_multiple_of(2) && length > 0 {
        epochs.extend((1..=2).map(|e| epoch(id, 1, e)));
    }
    TrainedConfig {
        config: ConfigRecord {
            config_id: ConfigId(id),
            values: vec![
                Value::Int(i64::from(id % 64) + 1),
                Value::Float(1e-4 * f64::from(id + 1).min(3000.0)),
                Value::Choice(usize::from(sgd)),
                if sgd { Value::Float(0.9) } else { Value::Inactive },
            ],
            params: 1000,
            flops_per_epoch: 1e6,
            setup_seconds: 0.25,
            fused_share_seconds: None,
            status,
            val_confusion: if length == 0 { vec![] } else { vec![20, 5, 5, 20] },
        },
        epochs,
    }
}

/// Writes the table of `configs` configurations in cohorts of `cohort`.
pub(crate) fn write_table(dir: &Path, configs: u32, cohort: u32) {
    let mut writer = TableWriter::create(dir, header(configs)).unwrap();
    let mut first = 0;
    while first < configs {
        let end = (first + cohort).min(configs);
        writer.append((first..end).rev().map(trained).collect()).unwrap();
        first = end;
    }
    writer.finish().unwrap();
}

pub(crate) fn load(dir: &Path) -> curvebook::base::error::Result<Table> {
    Table::load(dir, &LoadOptions::default())
}

/// The fault that loading ends in.
#[track_caller]
pub(crate) fn load_fault(dir: &Path) -> Fault {
    match load(dir) {
        Ok(_) => panic!("this table must not load"),
        Err(Error::Input(fault)) => *fault,
        Err(other) => panic!("not an input fault: {other}"),
    }
}

/// The three files of a table.
pub(crate) fn table_files(dir: &Path) -> [PathBuf; 3] {
    ["table.json", "configs.parquet", "curves.parquet"].map(|name| dir.join(name))
}

/// Columns of a Parquet file.
pub(crate) type Columns = Vec<(&'static str, ArrayRef)>;

/// Writes a table as another program would: several row groups, snappy, whatever types.
pub(crate) fn write_foreign(dir: &Path, json: &str, configs: Columns, curves: Columns) {
    std::fs::write(dir.join("table.json"), json).unwrap();
    write_columns(&dir.join("configs.parquet"), configs);
    write_columns(&dir.join("curves.parquet"), curves);
}

pub(crate) fn write_columns(path: &Path, columns: Columns) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(3))
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
