//! `curvebook data`.

use std::path::{Path, PathBuf};

use app::data::{self, DataSet, Download};
use clap::{Args, Subcommand};

use super::documents::{DataSet as Document, Remote};
use super::estimate::size;
use super::{Format, output};

/// Data sets to train on.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(ListArguments),
    Get(super::download::Arguments),
}

/// List the data sets, whether their files are there, and where they are fetched from.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook data list
  curvebook data list --data-dir DIR
  curvebook data list --format json

Files are looked for by name alone; `curvebook data get NAME` checks what is in them.")]
pub(super) struct ListArguments {
    /// Look here for the files, instead of in `$CURVEBOOK_DATA` or the user's data directory.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(command: &Command, format: Format) -> anyhow::Result<()> {
    match command {
        Command::List(arguments) => list(arguments.data_dir.as_deref(), format),
        Command::Get(arguments) => super::download::run(arguments, format),
    }
}

fn list(data_dir: Option<&Path>, format: Format) -> anyhow::Result<()> {
    let sets = data::list(data_dir)?;
    let sets: Vec<Set<'_>> = sets.iter().map(Set).collect();
    match format {
        Format::Json => output::print_json(&sets.iter().map(Set::document).collect::<Vec<_>>()),
        Format::Text => {
            let rows = sets.iter().map(Set::row);
            let table = output::table(["name", "shape", "images", "files", "where"], rows);
            let sources: Vec<String> = sets.iter().filter_map(Set::sources).collect();
            output::print(&format!("{table}\n{}", sources.join("\n")))
        }
    }
}

/// How a data set is shown.
struct Set<'a>(&'a DataSet);

impl Set<'_> {
    fn row(&self) -> [String; 5] {
        let info = self.0.info;
        let [channels, height, width] = info.shape;
        let state = match self.0.state() {
            "complete" => format!("complete, {}", size(self.0.holding.bytes)),
            "partial" => format!("partial, missing:\n{}", self.0.holding.missing.join("\n")),
            state => state.to_string(),
        };
        let state = match self.0.bytes_unfinished {
            0 => state,
            bytes => format!("{state}\n{} begun", size(bytes)),
        };
        let place = self.0.directory.as_ref().map(|directory| directory.display().to_string());
        [
            info.name.to_string(),
            format!("{channels}x{height}x{width}"),
            format!("{} + {}", info.train_images, info.test_images),
            state,
            place.unwrap_or_default(),
        ]
    }

    /// What `data get` would fetch, and what must be there at the end.
    fn sources(&self) -> Option<String> {
        let bytes = self.0.downloads.iter().map(|download| download.file.bytes).sum();
        let first = self.0.downloads.first()?;
        let name = &first.file.name;
        let bases = first.urls.iter().map(|url| url.strip_suffix(name.as_str()).unwrap_or(url));
        let names: Vec<&str> =
            self.0.downloads.iter().map(|download| download.file.name.as_str()).collect();
        let mut lines = vec![format!("{}: {} from", self.0.info.name, size(bytes))];
        lines.extend(bases.map(|base| format!("  {base}")));
        lines.push(format!("  {}", names.join(", ")));
        let files = self.0.info.files.join(", ");
        if !files.contains(name.trim_end_matches(".gz")) {
            lines.push(format!("  with {files} in it"));
        }
        Some(lines.join("\n"))
    }

    fn document(&self) -> Document<'_> {
        let DataSet { info, directory, holding, bytes_unfinished, downloads } = self.0;
        Document {
            name: info.name,
            summary: info.summary,
            shape: info.shape,
            classes: info.classes,
            train_images: info.train_images,
            test_images: info.test_images,
            files: info.files,
            state: self.0.state(),
            directory: directory.as_ref().map(|directory| directory.display().to_string()),
            missing: &holding.missing,
            bytes_on_disk: holding.bytes,
            bytes_unfinished: *bytes_unfinished,
            downloads: downloads.iter().map(remote).collect(),
        }
    }
}

fn remote(Download { file, urls }: &Download) -> Remote<'_> {
    Remote { file: &file.name, bytes: file.bytes, sha256: &file.sha256, urls }
}
