//! What a trainer hands over: one record a configuration and one an epoch, named as the columns
//! of contract 2 are.

use base::space::Value;
use base::units::ConfigId;

/// How the training of a configuration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every epoch is finite.
    Ok,
    /// The loss stopped being finite: NaN from that epoch on, seconds as if it went on.
    Diverged,
    /// Training broke off with an error; the curve ends early.
    Failed,
    /// The curve was cut on purpose.
    Truncated,
}

impl Status {
    /// Every status, in the order of its declaration.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Diverged, Self::Failed, Self::Truncated];

    /// The word in `configs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
            Self::Truncated => "truncated",
        }
    }

    /// The status that a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether a curve of this status may end before the table's last epoch.
    pub const fn may_end_early(self) -> bool {
        matches!(self, Self::Failed | Self::Truncated)
    }
}

/// One configuration with everything that its training recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedConfig {
    /// Its row of `configs.parquet`.
    pub config: ConfigRecord,
    /// Its rows of `curves.parquet`, sorted by (repeat, epoch).
    pub epochs: Vec<EpochRecord>,
}

/// A row of `configs.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigRecord {
    pub config_id: ConfigId,
    /// One a parameter, in the space's order.
    pub values: Vec<Value>,
    /// Trainable parameters of the network.
    pub params: i64,
    /// Floating-point operations of one epoch's training: 2 a multiply-add, forward, weight
    /// gradient and input gradient (none for the first layer). With folds: on the first.
    pub flops_per_epoch: f64,
    /// Thread CPU seconds before the first epoch: drawing weights, taking memory.
    pub setup_seconds: f64,
    /// This configuration's share of the time that an epoch of its cohort took on the GPU, by
    /// floating-point operations; mean over epochs. None on the CPU, whose tables have no such
    /// column, and where it was not measured, which a GPU's table says with null.
    pub fused_share_seconds: Option<f64>,
    /// Of repeat 0. A later repeat that diverged shows it by its NaN.
    pub status: Status,
    /// Validation confusion matrix after the last epoch of repeat 0, row-major, rows the true
    /// class, columns the predicted one.
    pub val_confusion: Vec<u32>,
}

/// A row of `curves.parquet`. NaN: diverged. `None`: not measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochRecord {
    /// From 0; with k folds, repeat x k + fold.
    pub repeat: u16,
    /// From 1.
    pub epoch: u16,
    /// Correct / validation size.
    pub val_accuracy: f64,
    /// What this epoch costs by itself: training and validation (not the test columns).
    pub seconds: f64,
    pub val_loss: f64,
    /// Mean over the epoch's own steps, without the L2 term.
    pub train_loss: f64,
    /// Over the epoch's own steps.
    pub train_accuracy: f64,
    /// Classes without a prediction (or without an image) count 0, as in scikit-learn.
    pub val_precision_macro: f64,
    pub val_recall_macro: f64,
    pub val_f1_macro: f64,
    /// Weighted by the number of images of each class.
    pub val_precision_weighted: f64,
    /// Never shown to a method.
    pub test_accuracy: Option<f64>,
    pub test_loss: Option<f64>,
    /// The validation's share of `seconds`.
    pub eval_seconds: f64,
}
