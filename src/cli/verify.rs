//! `curvebook verify`.

use std::path::PathBuf;

use app::error::fault;
use app::verify::{Settings, Verified, run as verify};
use clap::Args;

use super::documents::{VerifiedDocument, VerifiedFile};
use super::interrupt::Interrupt;
use super::{Format, output, progress};

/// Run a study's results anew, and compare them byte by byte.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook verify results
  curvebook verify results --table elsewhere/digits-lenet --threads 8

A study's directory says what it was: results.json holds the study, the version of the program, and
the hashes of its tables and files. Nothing in the directory changes. The exit code is 0 where all
files come out the same, and 1 where one does not.")]
pub(super) struct Arguments {
    /// The directory that a study wrote.
    dir: PathBuf,
    /// Where a table of the study is, if it is not where the study says.
    #[arg(long = "table", value_name = "DIR")]
    tables: Vec<PathBuf>,
    /// Runs at once; one a core where this says nothing.
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let settings = Settings::new(&arguments.dir, &arguments.tables, arguments.threads)?;
    let interrupt = Interrupt::default();
    let verified = verify(&settings, &progress::Runs::new(&interrupt), interrupt.flag())?;
    print(&verified, format)?;
    if verified.is_same() {
        return Ok(());
    }
    let value = verified.first_difference.as_deref().unwrap_or("the trace");
    let rule = if verified.made_by == verified.checked_by {
        "the same program, study and tables must make the same bytes".to_string()
    } else {
        let Verified { made_by, checked_by, .. } = &verified;
        format!("version {made_by} made them, and this is {checked_by}")
    };
    let remedy = "run the study again in a new directory, and trust that";
    Err(fault(arguments.dir.display(), "results", value, rule, remedy).into())
}

fn print(verified: &Verified, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print_json(&VerifiedDocument {
            same: verified.is_same(),
            rows: verified.rows,
            made_by: &verified.made_by,
            checked_by: &verified.checked_by,
            files: verified
                .files
                .iter()
                .map(|file| VerifiedFile {
                    file: file.name,
                    same: file.found == file.made,
                    sha256: &file.found,
                    sha256_now: &file.made,
                })
                .collect(),
            first_difference: verified.first_difference.as_deref(),
        }),
        Format::Text => {
            let lines = verified.files.iter().map(|file| {
                let word = if file.found == file.made { "the same bytes" } else { "OTHER BYTES" };
                format!("{}: {word}", file.name)
            });
            let lines: Vec<String> = lines.collect();
            output::print(&format!("{}\n{} rows run anew", lines.join("\n"), verified.rows))
        }
    }
}
