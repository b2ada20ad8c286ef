//! `curvebook data get`.

use std::path::{Path, PathBuf};

use base::error::{Result, fault, suggest};
use clap::Args;
use serde_json::{Value, json};
use train::data::download::{self, Got, Manifest, Mirror, Settings};
use train::data::{self, place};

use super::estimate::size;
use super::{Format, interrupt, output, progress};

/// What stands for every data set.
const ALL: &str = "all";

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
    let names = names(arguments)?;
    let mirror = Mirror::find(arguments.mirror.as_deref())?;
    let settings = Settings { mirror, force: arguments.force, ..Settings::default() };
    let stop = interrupt::flag()?;
    let watch = progress::Download::default();
    let mut answers = Vec::new();
    for name in names {
        let manifest = Manifest::of(name);
        let directory = match manifest {
            Some(_) => place::directory(name, arguments.data_dir.as_deref())?,
            None => None,
        };
        let answer = match (&manifest, &directory) {
            (Some(manifest), Some(directory)) => {
                let got = download::get(manifest, directory, &settings, &watch, &stop)?;
                answer(name, directory, &got, format)
            }
            _ => built_in(name, format),
        };
        // A later data set may fail: what is done is said at once, but for JSON, which is one text.
        match answer {
            Answer::Text(text) => output::print(&text)?,
            Answer::Json(value) => answers.push(value),
        }
    }
    if format == Format::Json { output::print_json(&answers) } else { Ok(()) }
}

/// The data sets that were asked for.
fn names(arguments: &Arguments) -> Result<Vec<&'static str>> {
    let fetched = || data::list().iter().filter(|set| !set.files.is_empty());
    if arguments.name == ALL {
        if let Some(directory) = &arguments.data_dir {
            let rule = "mnist and fashion-mnist have files of the same names";
            let remedy = format!(
                "fetch one by one into directories of their own, or set {} instead, under which \
                 each has its own",
                place::DATA_VARIABLE
            );
            let directory = directory.display();
            return Err(fault("command line", "--data-dir", directory, rule, remedy));
        }
        return Ok(fetched().map(|set| set.name).collect());
    }
    if let Some(set) = data::list().iter().find(|set| set.name == arguments.name) {
        return Ok(vec![set.name]);
    }
    let remedy = suggest(&arguments.name, fetched().map(|set| set.name).chain([ALL]));
    Err(fault("command line", "NAME", &arguments.name, "is no known data set", remedy))
}

enum Answer {
    Text(String),
    Json(Value),
}

fn built_in(name: &str, format: Format) -> Answer {
    match format {
        Format::Json => Answer::Json(json!({ "name": name, "directory": null, "files": [] })),
        Format::Text => Answer::Text(format!("{name}: built in, nothing to fetch")),
    }
}

fn answer(name: &str, directory: &Path, got: &[Got], format: Format) -> Answer {
    let directory = directory.display().to_string();
    if format == Format::Json {
        let files = got
            .iter()
            .map(|file| json!({ "file": file.file, "bytes": file.bytes, "source": file.source }));
        let files: Vec<Value> = files.collect();
        return Answer::Json(json!({ "name": name, "directory": directory, "files": files }));
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
