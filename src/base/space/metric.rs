//! What a curve measures, and which way is better.

/// Which way a metric improves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Accuracy and its like.
    Maximize,
    /// Losses and errors.
    Minimize,
}

/// What a curve measures.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Metric {
    /// The column of `curves.parquet`.
    pub name: String,
    /// Which way it improves.
    pub goal: Direction,
    /// The value of guessing, in the metric's own direction; rules that need it refuse without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}
