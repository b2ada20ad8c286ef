//! What a training records: one record a configuration and one an epoch, whose fields are the
//! columns of our tables.
//!
//! A new column is a line here and the place that computes it, `epochs.rs` for one of an epoch.

use base::space::Value;
use base::units::ConfigId;
use store::columns::{ColumnSpec, Named, Row};
pub use store::table::Status;
use store::table::{Layout, Recorded};

/// One configuration with everything that its training recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedConfig {
    /// Its row of `configs.parquet`.
    pub config: ConfigRecord,
    /// Its rows of `curves.parquet`, sorted by (repeat, epoch).
    pub epochs: Vec<EpochRecord>,
}

store::columns! {
    /// A row of `configs.parquet`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ConfigRecord {
        /// Trainable parameters of the network.
        params: i64 => from_zero,
        /// Floating-point operations of one epoch's training: 2 a multiply-add, forward, weight
        /// gradient and input gradient (none for the first layer). With folds: on the first.
        flops_per_epoch: f64 => from_zero cost,
        /// Thread CPU seconds before the first epoch: drawing weights, taking memory.
        setup_seconds: f64,
        /// This configuration's share of the time that an epoch of its cohort took on the GPU, by
        /// floating-point operations; mean over epochs. Null where it was not measured. Tables
        /// trained on the CPU have no such column.
        fused_share_seconds: Option<f64> => from_zero cost
            absent_where("backend", "cpu", "a CPU's table has no shares of a GPU's time"),
        /// How training ended: `ok`, `diverged`, `failed` or `truncated`. Of repeat 0; a later
        /// repeat that diverged shows it by its NaN.
        status: Status,
        /// Validation confusion matrix after the last epoch of repeat 0, row-major, rows the true
        /// class, columns the predicted one. Null where nothing was validated.
        val_confusion: Vec<u32> => confusion,
    }
    with {
        pub config_id: ConfigId,
        /// One a parameter, in the space's order.
        pub values: Vec<Value>,
    }
}

// Losses, scores and the validation's share are kept in 32 bits: training computes in those, and
// their last 29 bits would be noise that no compressor removes. The metric and `seconds`, which a
// replay is decided by, keep all 64 bits.
store::columns! {
    /// A row of `curves.parquet`. NaN: diverged. `None`, and null in the file: not measured.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct EpochRecord {
        /// From 0; with k folds, repeat x k + fold.
        repeat: u16,
        /// From 1.
        epoch: u16,
        /// Correct / validation size, at the epoch's end.
        val_accuracy: f64 => share,
        /// What this epoch costs by itself: training and validation (not the test columns).
        seconds: f64 => measured,
        /// Mean cross-entropy over the validation images, without the L2 term.
        val_loss: f64 => single from_zero,
        /// Mean over the epoch's own steps, without the L2 term.
        train_loss: f64 => single from_zero,
        /// Over the epoch's own steps.
        train_accuracy: f64 => share,
        /// Mean over the classes. Classes without a prediction (or without an image) count 0, as
        /// in scikit-learn.
        val_precision_macro: f64 => single at_most(1.0),
        /// Mean over the classes, as `val_precision_macro`.
        val_recall_macro: f64 => single at_most(1.0),
        /// Mean over the classes, as `val_precision_macro`.
        val_f1_macro: f64 => single at_most(1.0),
        /// Weighted by the number of images of each class.
        val_precision_weighted: f64 => single at_most(1.0),
        /// Correct / test size, at the epoch's end. Never shown to a method.
        test_accuracy: Option<f64> => share,
        /// Mean cross-entropy over the test images. Never shown to a method.
        test_loss: Option<f64> => single from_zero,
        /// The validation's share of `seconds`.
        eval_seconds: f64 => single from_zero,
    }
}

/// Every column that a table of ours may have.
pub fn known_columns() -> Layout {
    Layout {
        configs: ConfigRecord::columns().to_vec(),
        curves: EpochRecord::columns().to_vec(),
        maker: Some("crate_version"),
    }
}

/// The columns of a table that is trained on a device of this name, as it stands in provenance.
pub fn layout(backend: &str) -> Layout {
    let has = |column: &ColumnSpec| {
        column.absence.is_none_or(|absence| (absence.field, absence.value) != ("backend", backend))
    };
    let mut layout = known_columns();
    layout.configs.retain(has);
    layout
}

impl From<TrainedConfig> for Recorded {
    fn from(trained: TrainedConfig) -> Self {
        let TrainedConfig { config, epochs } = trained;
        Self {
            columns: Named::of(&[&config]),
            curves: Named::of(&epochs.iter().collect::<Vec<_>>()),
            config_id: config.config_id,
            values: config.values,
        }
    }
}
