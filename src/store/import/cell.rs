//! A cell of a source, and how it is kept.

use std::borrow::Cow;

use base::measured::NOT_MEASURED;

/// A cell as a source has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    /// Text of a format without types: a number if it looks like one.
    Raw(&'a str),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A whole curve.
    Numbers(Vec<f64>),
}

/// A cell that is kept: what a configuration has in all of its rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    Missing,
    Raw(Box<str>),
    Int(i64),
    Float(f64),
    Text(Box<str>),
}

/// Words for a cell that holds nothing. `NaN` is none of them: training had diverged there.
const MISSING: [&str; 7] = ["", "NA", "N/A", "null", "NULL", "None", "<NA>"];

/// Whether a text says that there is nothing.
pub(super) fn is_missing(text: &str) -> bool {
    text.len() <= 4 && MISSING.contains(&text)
}

impl<'a> Cell<'a> {
    /// A cell of a format without types.
    pub(super) fn raw(text: &'a str) -> Self {
        // Nearly no cell has anything to trim, and to look for it takes longer than to read it.
        let is_odd = |byte: Option<&u8>| byte.is_some_and(|b| *b <= b' ' || *b > 126);
        let bytes = text.as_bytes();
        let is_padded = is_odd(bytes.first()) || is_odd(bytes.last());
        let text = if is_padded { text.trim() } else { text };
        if is_missing(text) { Self::Missing } else { Self::Raw(text) }
    }

    /// As a number: nothing is [`NOT_MEASURED`], text that is no number is `None`.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => Some(NOT_MEASURED),
            Self::Raw(text) => text.parse().ok(),
            Self::Text(text) => text.trim().parse().ok(),
            #[expect(clippy::cast_precision_loss, reason = "what a curve keeps are floats")]
            Self::Int(int) => Some(*int as f64),
            Self::Float(float) => Some(*float),
            Self::Numbers(_) => None,
        }
    }

    /// As it is shown, and as ids are told apart.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => Cow::Borrowed(""),
            Self::Raw(text) => Cow::Borrowed(text),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Int(int) => Cow::Owned(int.to_string()),
            Self::Float(float) => Cow::Owned(float.to_string()),
            Self::Numbers(numbers) => Cow::Owned(format!("a list of {}", numbers.len())),
        }
    }

    /// To be kept.
    pub(super) fn held(&self) -> Held {
        match self {
            Self::Missing => Held::Missing,
            Self::Raw(text) => Held::Raw((*text).into()),
            Self::Int(int) => Held::Int(*int),
            Self::Float(float) if float.is_nan() => Held::Missing,
            Self::Float(float) => Held::Float(*float),
            Self::Text(text) => Held::Text((**text).into()),
            Self::Numbers(_) => Held::Text(self.text().into()),
        }
    }

    /// Whether a kept cell is the same.
    pub(super) fn is(&self, held: &Held) -> bool {
        match (self, held) {
            (Self::Raw(a), Held::Raw(b)) => **a == **b,
            (Self::Text(a), Held::Text(b)) => **a == **b,
            _ => self.held() == *held,
        }
    }
}

impl Held {
    /// As a number, as [`Cell::number`].
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => Some(NOT_MEASURED),
            Self::Raw(text) | Self::Text(text) => text.trim().parse().ok(),
            #[expect(clippy::cast_precision_loss, reason = "what a curve keeps are floats")]
            Self::Int(int) => Some(*int as f64),
            Self::Float(float) => Some(*float),
        }
    }

    /// As it is shown.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Raw(text) | Self::Text(text) => text.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Float(float) => float.to_string(),
        }
    }

    /// Whether there is nothing.
    pub(super) fn is_missing(&self) -> bool {
        *self == Self::Missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_types_are_trimmed_as_text_is() {
        for space in [" ", "\t", "\u{b}", "\u{a0}", "\u{3000}"] {
            for text in [format!("{space}0.5"), format!("0.5{space}"), format!("{space}0.5{space}")]
            {
                assert_eq!(Cell::raw(&text), Cell::Raw("0.5"), "{text:?}");
            }
            assert_eq!(Cell::raw(space), Cell::Missing, "{space:?}");
        }
        assert_eq!(Cell::raw("a b"), Cell::Raw("a b"));
    }
}
