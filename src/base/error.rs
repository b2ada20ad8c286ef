//! The one vocabulary of failure.
//!
//! A message to the user has five parts (file, field, value, rule, remedy) because [`Fault`] has
//! five fields: no module can forget one. `cli` turns an [`Error::Input`] into exit code 1 and
//! everything else into exit code 2.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// What every fallible function of the library returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a piece of work could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the user gave is wrong, and the user can mend it.
    #[error(transparent)]
    Input(#[from] Box<Fault>),
    /// Something outside the program would not do its part (a server, the network, a full disk):
    /// nobody's input is wrong, and yet the user can do something about it.
    #[error(transparent)]
    Unavailable(Box<Fault>),
    /// The machine would not do what it should (disk full, device gone).
    #[error("{path}: {action} failed: {source}", path = path.display())]
    Io {
        /// The file or directory in question.
        path: PathBuf,
        /// What was being done, as a verb phrase: "writing", "renaming into place".
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A library failed where correct input cannot make it fail.
    #[error("{action} failed: {message}")]
    Internal {
        /// What was being done.
        action: &'static str,
        /// What the library said.
        message: String,
    },
    /// The user asked to stop; what had been finished has been kept.
    #[error("interrupted: {kept}")]
    Interrupted {
        /// What was kept and how to go on.
        kept: String,
    },
    /// Work that had begun came to an end for a reason, and left something unfinished.
    #[error("{what}")]
    Unfinished {
        /// What is not finished, and how to go on with it.
        what: String,
        /// The reason.
        source: Box<Error>,
    },
}

impl Error {
    /// Whether the user gave something wrong and can mend it.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Input(_) => true,
            Self::Unfinished { source, .. } => source.is_input(),
            _ => false,
        }
    }
}

/// One thing wrong with what the user gave, or with what lies outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {field} = {value}: {rule}; {remedy}")]
pub struct Fault {
    /// The file, directory or command-line option that holds the value.
    pub file: String,
    /// The field in it, with its path: `parameter[2].low`, `curves.parquet column seconds, row 17`.
    pub field: String,
    /// The value found, or `missing`.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    fn new(
        file: &dyn Display,
        field: &dyn Display,
        value: &dyn Display,
        rule: &dyn Display,
        remedy: &dyn Display,
    ) -> Self {
        Self {
            file: shown(&file.to_string(), TEXT_MAX),
            field: shown(&field.to_string(), TEXT_MAX),
            value: shown(&short_number(value.to_string()), VALUE_MAX),
            rule: shown(&rule.to_string(), TEXT_MAX),
            remedy: shown(&remedy.to_string(), TEXT_MAX),
        }
    }
}

/// The longest value that a message repeats, and the longest of its other parts, in characters:
/// both may come from a file that holds anything.
const VALUE_MAX: usize = 200;
const TEXT_MAX: usize = 4000;

/// The text on one line, without characters that a terminal would obey, cut at `max` characters.
fn shown(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut left = text.chars();
    for c in left.by_ref().take(max) {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    let more = left.count();
    if more > 0 {
        out = format!("{out}... ({more} more characters)");
    }
    out
}

/// A number as messages print it beside other words: `1e308` instead of its 309 digits.
pub fn number_text(number: f64) -> String {
    short_number(number.to_string())
}

/// `1e308` instead of its 309 digits.
fn short_number(text: String) -> String {
    let is_long = text.len() > 24 && text.len() < 500;
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    match text.parse::<f64>() {
        Ok(number) if is_long && text.chars().all(digits) && !is_whole_64(&text) => {
            format!("{number:e}")
        }
        _ => text,
    }
}

fn is_whole_64(text: &str) -> bool {
    text.parse::<i128>().is_ok_and(|n| i64::try_from(n).is_ok() || u64::try_from(n).is_ok())
}

/// Builds an [`Error::Input`] from its five parts.
pub fn fault(
    file: impl Display,
    field: impl Display,
    value: impl Display,
    rule: impl Display,
    remedy: impl Display,
) -> Error {
    Error::Input(Box::new(Fault::new(&file, &field, &value, &rule, &remedy)))
}

/// Builds an [`Error::Unavailable`] from its five parts.
pub fn unavailable(
    file: impl Display,
    field: impl Display,
    value: impl Display,
    rule: impl Display,
    remedy: impl Display,
) -> Error {
    Error::Unavailable(Box::new(Fault::new(&file, &field, &value, &rule, &remedy)))
}

/// Builds an [`Error::Io`].
pub fn io(path: &Path, action: &'static str, source: std::io::Error) -> Error {
    Error::Io { path: path.to_path_buf(), action, source }
}

/// Builds an [`Error::Internal`].
pub fn internal(action: &'static str, message: impl Display) -> Error {
    Error::Internal { action, message: message.to_string() }
}

/// The candidate nearest to `word` in spelling, quoted for an error message, or the whole list
/// where none is near.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|k| {
            // An abbreviation or a longer form is nearer than any misspelling.
            let is_form = !word.is_empty() && (k.starts_with(word) || word.starts_with(k));
            (if is_form { 0 } else { strsim::damerau_levenshtein(word, k) }, *k)
        })
        .min()
        .filter(|(distance, k)| *distance <= k.len().max(word.len()) / 2);
    match near {
        Some((_, k)) => format!("did you mean `{k}`?"),
        None if known.is_empty() => "nothing may stand here".to_string(),
        None => format!("one of: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_prints_its_five_parts_in_order() {
        let e = fault("a.toml", "low", 3, "must be below high = 2", "swap them");
        assert_eq!(e.to_string(), "a.toml: low = 3: must be below high = 2; swap them");
    }

    #[test]
    fn a_fault_shows_no_more_of_a_value_than_helps() {
        let shown = |value: &dyn Display| match fault("f", "x", value, "r", "m") {
            Error::Input(fault) => fault.value,
            other => panic!("{other}"),
        };
        assert_eq!(shown(&1e308), "1e308");
        assert_eq!(shown(&-1e-300), "-1e-300");
        assert_eq!(shown(&u64::MAX), "18446744073709551615");
        assert_eq!(shown(&0.1), "0.1");
        assert_eq!(shown(&"a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
        let long = shown(&"x".repeat(50 << 20));
        assert_eq!(long, format!("{}... (52428600 more characters)", "x".repeat(200)));
    }

    #[test]
    fn suggestions_are_near_or_list_everything() {
        assert_eq!(suggest("randm", ["random", "recorded"]), "did you mean `random`?");
        assert_eq!(suggest("integer", ["int", "float"]), "did you mean `int`?");
        assert_eq!(suggest("xyz", ["random", "recorded"]), "one of: random, recorded");
    }
}
