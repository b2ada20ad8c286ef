//! What a trainer or an importer hands over: one record a configuration, its columns by name.

use base::space::Value;
use base::units::ConfigId;

use crate::columns::Named;

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

/// A column of words that are statuses.
impl crate::columns::Cell for Status {
    const KIND: crate::columns::Kind = crate::columns::Kind::Text;
    const NULLABLE: bool = false;

    fn cells<'a>(fields: impl ExactSizeIterator<Item = &'a Self>) -> crate::columns::Cells {
        fields.map(|status| status.word()).collect::<Vec<_>>().into()
    }
}

/// One configuration with everything that was recorded of it. Which columns there are is for the
/// table's [`Layout`](super::Layout) to say.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub config_id: ConfigId,
    /// One a parameter, in the space's order.
    pub values: Vec<Value>,
    /// Its row of `configs.parquet`, but for these two: one cell a column.
    pub columns: Named,
    /// Its rows of `curves.parquet`, but for the id, sorted by (`repeat`, `epoch`), which are two
    /// of the columns. Null: not measured. NaN: diverged.
    pub curves: Named,
}
