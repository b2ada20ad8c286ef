//! Layers in words.

use super::network::{Operation, PlannedLayer, Source, Window};

impl Operation {
    /// The kind as the TOML writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::MaxPool { .. } => "maxpool",
            Self::AvgPool { .. } => "avgpool",
            Self::Dense { .. } => "dense",
            Self::Dropout { .. } => "dropout",
            Self::BatchNorm { .. } => "batchnorm",
            Self::Add { .. } => "add",
            Self::Concat => "concat",
        }
    }

    /// The kind with what it does: `conv 5 x 5, stride 2, relu`.
    pub fn summary(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Conv { kernel, stride, activation, .. } => {
                format!("{kind} {kernel} x {kernel}, stride {stride}, {}", activation.word())
            }
            Self::MaxPool { window } | Self::AvgPool { window } => {
                let Window { height, width, stride, .. } = window;
                format!("{kind} {height} x {width}, stride {stride}")
            }
            Self::Dense { activation } | Self::Add { activation } => {
                format!("{kind}, {}", activation.word())
            }
            Self::Dropout { rate } => format!("{kind} {rate}"),
            Self::BatchNorm { decay, activation, .. } => {
                format!("{kind}, decay {decay}, {}", activation.word())
            }
            Self::Concat => kind.to_string(),
        }
    }
}

impl PlannedLayer {
    /// What it reads: `images`, or the indices of layers.
    pub fn reads(&self) -> String {
        let word = |source: &Source| match source {
            Source::Images => "images".to_string(),
            Source::Layer(at) => at.to_string(),
        };
        self.sources.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}
