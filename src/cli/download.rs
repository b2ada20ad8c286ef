//! `curvebook data get`.

use std::path::PathBuf;

use app::data::{self, Fetched, GetSettings};
use clap::Args;

use super::documents::{FetchedFile, FetchedSet};
use super::estimate::size;
use super::interrupt::Interrupt;
use super::{Format, download_progress, output};

/// Fetch a data set: verified by SHA-256, and going on where a broken transfer stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook data get mnist
  curvebook data get all
  curvebook data get cifar10 --data-dir DIR
  curvebook data get mnist --mirror http://127.0.0.1:8000

Without --data-dir the files go to $CURVEBOOK_DATA/NAME, or to curvebook/NAME in the user's data
directory ($XDG_DATA_HOME or ~/.local/share), where `train` looks for them. Proxies are those of
ALL_PROXY, HTTPS_PROXY, HTTP_PROXY and NO_PROXY.")]
pub(super) struct Arguments {
    /// A data set (`curvebook data list`), or `all`.
    name: String,
    /// Put the files into this directory, as `train --data-dir` reads them.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Fetch from here instead: FILE of data set NAME lies at URL/NAME/FILE. `$CURVEBOOK_MIRROR`
    /// says the same.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Replace files that stand there under the same names and are not the right ones.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let Arguments { name, data_dir, mirror, force } = arguments;
    let settings = GetSettings::new(name, data_dir.clone(), mirror.as_deref(), *force)?;
    let interrupt = Interrupt::default();
    let progress = download_progress::Download::new(&interrupt);
    let mut answers = Vec::new();
    for fetched in data::get(&settings, &progress, interrupt.flag()) {
        // A later data set may fail: what is done is said at once, but for JSON, which is one text.
        match answer(&fetched?, format) {
            Answer::Text(text) => output::print(&text)?,
            Answer::Json(set) => answers.push(set),
        }
    }
    if format == Format::Json { output::print_json(&answers) } else { Ok(()) }
}

enum Answer {
    Text(String),
    Json(FetchedSet),
}

fn built_in(name: &'static str, format: Format) -> Answer {
    match format {
        Format::Json => Answer::Json(FetchedSet { name, directory: None, files: Vec::new() }),
        Format::Text => Answer::Text(format!("{name}: built in, nothing to fetch")),
    }
}

fn answer(Fetched { name, directory, files: got }: &Fetched, format: Format) -> Answer {
    let Some(directory) = directory else { return built_in(name, format) };
    let directory = directory.display().to_string();
    if format == Format::Json {
        let files = got.iter().map(|file| FetchedFile {
            file: file.file.clone(),
            bytes: file.bytes,
            source: file.source.clone(),
        });
        let files = files.collect();
        return Answer::Json(FetchedSet { name, directory: Some(directory), files });
    }
    let new = got.iter().filter(|file| file.source.is_some()).count();
    let there = match got.len() - new {
        0 => String::new(),
        all if new == 0 && all == got.len() => ", all there already".to_string(),
        some => format!(", {some} there already"),
    };
    let bytes = size(got.iter().map(|file| file.bytes).sum());
    Answer::Text(format!(
        "{name}: complete in {directory} ({} files, {bytes}, checksums right{there})",
        got.len()
    ))
}
