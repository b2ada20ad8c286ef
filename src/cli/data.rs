//! `curvebook data`.

use std::path::{Path, PathBuf};

use base::error::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use train::data::download::{self, Manifest, Mirror};
use train::data::{self, DatasetInfo, place};

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
    let mirror = Mirror::find(None)?;
    let sets: Vec<Set> = data::list()
        .iter()
        .map(|info| Set::look(info, data_dir, mirror.as_ref()))
        .collect::<Result<_>>()?;
    match format {
        Format::Json => output::print_json(&sets.iter().map(Set::json).collect::<Vec<_>>()),
        Format::Text => {
            let rows = sets.iter().map(Set::row);
            let table = output::table(["name", "shape", "images", "files", "where"], rows);
            let sources: Vec<String> = sets.iter().filter_map(Set::sources).collect();
            output::print(&format!("{table}\n{}", sources.join("\n")))
        }
    }
}

/// A data set and what there is of it.
struct Set {
    info: &'static DatasetInfo,
    /// Where it was looked for; nothing for a built-in one.
    directory: Option<PathBuf>,
    holding: place::Holding,
    /// Bytes of broken transfers.
    unfinished: u64,
    /// Files to fetch: name, bytes, SHA-256, URLs.
    downloads: Vec<(String, u64, String, Vec<String>)>,
}

impl Set {
    fn look(
        info: &'static DatasetInfo,
        data_dir: Option<&Path>,
        mirror: Option<&Mirror>,
    ) -> Result<Self> {
        let is_file_based = !info.files.is_empty();
        let directory = if is_file_based { place::directory(info.name, data_dir)? } else { None };
        let holding = info.holding(directory.as_deref().unwrap_or(Path::new("")));
        let manifest = Manifest::of(info.name);
        let downloads = manifest.iter().flat_map(|manifest| {
            manifest.remotes.iter().map(|remote| {
                let file = remote.file.clone();
                (file.name, file.bytes, file.sha256, manifest.urls(remote, mirror))
            })
        });
        let downloads = downloads.collect();
        let unfinished = match (&manifest, &directory) {
            (Some(manifest), Some(directory)) => download::unfinished(manifest, directory),
            _ => 0,
        };
        Ok(Self { info, directory, holding, unfinished, downloads })
    }

    fn state(&self) -> &'static str {
        match (&self.directory, self.holding.found.len(), self.holding.missing.len()) {
            (None, ..) => "built in",
            (Some(_), _, 0) => "complete",
            (Some(_), 0, _) => "absent",
            (Some(_), ..) => "partial",
        }
    }

    fn row(&self) -> [String; 5] {
        let info = self.info;
        let [channels, height, width] = info.shape;
        let state = match self.state() {
            "complete" => format!("complete, {}", size(self.holding.bytes)),
            "partial" => format!("partial, missing:\n{}", self.holding.missing.join("\n")),
            state => state.to_string(),
        };
        let state = match self.unfinished {
            0 => state,
            bytes => format!("{state}\n{} begun", size(bytes)),
        };
        let place = self.directory.as_ref().map(|directory| directory.display().to_string());
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
        let bytes = self.downloads.iter().map(|(_, bytes, ..)| bytes).sum();
        let (name, _, _, urls) = self.downloads.first()?;
        let bases = urls.iter().map(|url| url.strip_suffix(name.as_str()).unwrap_or(url));
        let names: Vec<&str> = self.downloads.iter().map(|(name, ..)| name.as_str()).collect();
        let mut lines = vec![format!("{}: {} from", self.info.name, size(bytes))];
        lines.extend(bases.map(|base| format!("  {base}")));
        lines.push(format!("  {}", names.join(", ")));
        let files = self.info.files.join(", ");
        if !files.contains(name.trim_end_matches(".gz")) {
            lines.push(format!("  with {files} in it"));
        }
        Some(lines.join("\n"))
    }

    fn json(&self) -> Value {
        let info = self.info;
        let downloads = self.downloads.iter().map(|(file, bytes, sha256, urls)| {
            json!({ "file": file, "bytes": bytes, "sha256": sha256, "urls": urls })
        });
        json!({
            "name": info.name,
            "summary": info.summary,
            "shape": info.shape,
            "classes": info.classes,
            "train_images": info.train_images,
            "test_images": info.test_images,
            "files": info.files,
            "state": self.state(),
            "directory": self.directory.as_ref().map(|directory| directory.display().to_string()),
            "missing": self.holding.missing,
            "bytes_on_disk": self.holding.bytes,
            "bytes_unfinished": self.unfinished,
            "downloads": downloads.collect::<Vec<_>>(),
        })
    }
}
