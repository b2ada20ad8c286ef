//! What a recorded epoch takes on disk.

use std::fs::File;
use std::path::Path;

use curvebook::base::rng::Key;
use curvebook::base::units::ConfigId;
use curvebook::store::table::{EPOCH_BYTES_TYPICAL, Header, Status, TableWriter};
use curvebook::train::model::Definition;
use curvebook::train::record::{ConfigRecord, EpochRecord, TrainedConfig};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::table_common::header;

/// What says which epoch a row is, five metrics, and what the epoch cost.
const FIVE_METRICS_AND_SECONDS: [&str; 9] = [
    "config_id",
    "repeat",
    "epoch",
    "val_accuracy",
    "val_loss",
    "train_loss",
    "train_accuracy",
    "test_accuracy",
    "seconds",
];

/// Bytes a row of some columns of a `curves.parquet` (of all where `columns` is empty).
fn bytes_per_epoch(path: &Path, columns: &[&str]) -> f64 {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let (mut bytes, mut rows) = (0, 0);
    for group in reader.metadata().row_groups() {
        rows += group.num_rows();
        for column in group.columns() {
            let name = column.column_descr().name();
            if columns.is_empty() || columns.contains(&name) {
                bytes += column.compressed_size();
            }
        }
    }
    bytes as f64 / rows as f64
}

/// Curves as they come from 55,000 training, 5,000 validation and 10,000 test images: shares are
/// counts over those, losses fill their 32 bits, seconds are whole nanoseconds.
fn trained(definition: &Definition, id: u32) -> TrainedConfig {
    let key = Key::new(1, u64::from(id), "size");
    let noise = |epoch: u16, which: u64| {
        let [a, b] = key.at(u64::from(epoch) << 8 | which);
        (f64::from(a) + f64::from(b) / 4_294_967_296.0) / 4_294_967_296.0
    };
    // What remains wrong: 0.7 % to 14 % of the images, log-uniform.
    let (floor, cost) = (0.007 * (3.0 * noise(0, 0)).exp(), 0.5 + 100.0 * noise(0, 1));
    let epoch = |epoch: u16| {
        let error = floor * (1.0 + 3.0 / f64::from(epoch)) * (0.9 + 0.2 * noise(epoch, 2));
        let share = |images: f64, which| {
            ((1.0 - error * (0.95 + 0.1 * noise(epoch, which))).clamp(0.0, 1.0) * images).round()
                / images
        };
        let single = |which| f64::from((error * (2.0 + noise(epoch, which))) as f32);
        let nanoseconds = (cost * (1.0 + 0.02 * noise(epoch, 9)) * 1e9).round();
        EpochRecord {
            repeat: 0,
            epoch,
            val_accuracy: share(5_000.0, 3),
            seconds: nanoseconds / 1e9,
            val_loss: single(4),
            train_loss: single(5),
            train_accuracy: share(55_000.0, 6),
            val_precision_macro: single(10),
            val_recall_macro: single(11),
            val_f1_macro: single(12),
            val_precision_weighted: single(13),
            test_accuracy: Some(share(10_000.0, 7)),
            test_loss: Some(single(8)),
            eval_seconds: cost * 0.03 * (1.0 + 0.02 * noise(epoch, 14)),
        }
    };
    TrainedConfig {
        config: ConfigRecord {
            config_id: ConfigId(id),
            values: curvebook::base::space::sobol::configuration(&definition.space, id, 0),
            params: i64::from(id),
            flops_per_epoch: cost * 1e11,
            setup_seconds: 0.01,
            fused_share_seconds: None,
            status: Status::Ok,
            val_confusion: vec![50; 100],
        },
        epochs: (1..=15).map(epoch).collect(),
    }
}

/// As many as the paper trains: the more rows, the less a dictionary of accuracies weighs.
const CONFIGS: u32 = 20_000;

#[test]
fn an_epoch_with_five_metrics_and_seconds_takes_at_most_20_bytes() {
    let definition = Definition::preset("mnist-lenet").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let header =
        Header { epochs: 15, repeats: 1, space: definition.space.clone(), ..header(CONFIGS) };
    let mut writer = TableWriter::create(dir.path(), header).unwrap();
    for first in (0..CONFIGS).step_by(4_000) {
        writer.append((first..first + 4_000).map(|id| trained(&definition, id)).collect()).unwrap();
    }
    writer.finish().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/digits-lenet");
    for (name, table) in [("mnist-lenet, made up", dir.path()), ("digits-lenet", &*shipped)] {
        let path = table.join("curves.parquet");
        let five = bytes_per_epoch(&path, &FIVE_METRICS_AND_SECONDS);
        let all = bytes_per_epoch(&path, &[]);
        println!(
            "{name}: {five:.1} bytes an epoch with five metrics and seconds, {all:.1} with all"
        );
        assert!(five <= 20.0, "{name}: {five:.1} bytes");
        // What `train --plan` reckons with.
        assert!((all - EPOCH_BYTES_TYPICAL).abs() < 5.0, "{name}: {all:.1} bytes");
    }
}
