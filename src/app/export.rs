//! `table export`: tables in the forms of other programs.

use std::path::{Path, PathBuf};

use base::error::{Result, fault, suggest};
use store::export::{self, FORMATS};

pub use store::export::{Exported, Format};

/// What to export, and as what.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's directory.
    pub table: PathBuf,
    pub format: Format,
    /// The training of each configuration that is written, where a format has room for one.
    pub repeat: Option<u16>,
    /// A file that is new, or a directory that is new or empty.
    pub out: PathBuf,
}

impl Settings {
    /// Checks what was said.
    ///
    /// # Errors
    /// A format that is not known; a repeat of a format that takes all.
    pub fn read(table: &Path, format: &str, repeat: Option<u16>, out: &Path) -> Result<Self> {
        let known = FORMATS.iter().find(|(word, _)| *word == format);
        let (_, format) = known.ok_or_else(|| {
            let remedy = suggest(format, FORMATS.iter().map(|(word, _)| *word));
            fault("export", "format", format, "no such format is written", remedy)
        })?;
        if let Some(repeat) = repeat.filter(|_| *format != Format::Optuna) {
            let rule = "this format has room for every repeat";
            return Err(fault("export", "--repeat", repeat, rule, "leave it out"));
        }
        let (table, out) = (table.to_path_buf(), out.to_path_buf());
        Ok(Self { table, format: *format, repeat, out })
    }
}

/// Exports.
///
/// # Errors
/// Those of [`store::export::export`].
pub fn run(settings: &Settings) -> Result<Exported> {
    let Settings { table, format, repeat, out } = settings;
    export::export(table, *format, *repeat, out)
}
