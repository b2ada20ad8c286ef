//! `curvebook data`.

use clap::Subcommand;
use serde_json::json;

use super::{Format, output};
use crate::data;

/// Data sets to train on.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the data sets, their sizes and the files that --data-dir must hold.
    #[command(after_help = "Examples:
  curvebook data list
  curvebook data list --format json")]
    List,
}

pub(super) fn run(command: &Command, format: Format) -> anyhow::Result<()> {
    let Command::List = command;
    let sets = data::list();
    match format {
        Format::Json => {
            let sets = sets.iter().map(|set| {
                json!({
                    "name": set.name,
                    "summary": set.summary,
                    "shape": set.shape,
                    "classes": set.classes,
                    "train_images": set.train_images,
                    "test_images": set.test_images,
                    "files": set.files,
                })
            });
            output::print_json(&sets.collect::<Vec<_>>())
        }
        Format::Text => {
            let rows = sets.iter().map(|set| {
                let [channels, height, width] = set.shape;
                let files = if set.files.is_empty() {
                    "built in".to_string()
                } else {
                    set.files.join("\n")
                };
                [
                    set.name.to_string(),
                    format!("{channels}x{height}x{width}"),
                    format!("{} + {}", set.train_images, set.test_images),
                    files,
                ]
            });
            output::print(&output::table(["name", "shape", "images", "files"], rows))
        }
    }
}
