//! `curvebook methods`.

use std::fmt::Write;

use app::methods::{Comparison, Listed, MethodInfo};
use app::settings::{PRESETS, Preset};
use clap::Args;

use super::documents::{ListedPreset, Methods};
use super::{Format, output};

/// List samplers, schedulers, stoppers and endings with their parameters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook methods
  curvebook methods --compared
  curvebook methods --format json")]
pub(super) struct Arguments {
    /// What each method was held against, and what came of it, as a Markdown table
    #[arg(long)]
    compared: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let kinds = app::methods::list();
    match format {
        Format::Json => {
            let [samplers, schedulers, stoppers, endings] = kinds.map(|Listed { json, .. }| json);
            output::print_json(&Methods {
                format: "curvebook-methods",
                version: 1,
                usage: "name:parameter=value,parameter=value",
                samplers,
                schedulers,
                stoppers,
                endings,
                presets: PRESETS.iter().map(ListedPreset::of).collect(),
            })
        }
        Format::Text if arguments.compared => output::print(&comparisons(&kinds)),
        Format::Text => {
            let mut text: String = kinds.iter().map(list).collect();
            text += "Presets (--preset)\n";
            for preset in PRESETS {
                let Preset { name, summary, .. } = preset;
                let written = writeln!(text, "  {name}: {summary}.\n    {}", preset.expanded());
                written.expect("writing into a String does not fail");
            }
            text += "\n";
            text += "Parameters follow a colon: etr1:tau=3,epsilon=0.05\n";
            output::print(&text)
        }
    }
}

/// A line for each comparison, in the order of the registries.
fn comparisons(kinds: &[Listed]) -> String {
    let mut text = String::from("| method | held against | what | result |\n|---|---|---|---|\n");
    for method in kinds.iter().flat_map(|kind| &kind.methods) {
        let name = method.name;
        for Comparison { with, what, result } in method.compared {
            let written = writeln!(text, "| `{name}` | {with} | {what} | {result} |");
            written.expect("writing into a String does not fail");
        }
    }
    text
}

fn list(Listed { kind, option, methods, .. }: &Listed) -> String {
    let (first, rest) = kind.split_at(1);
    let mut text = format!("{}{rest} (--{option})\n", first.to_uppercase());
    for MethodInfo { name, summary, citation, traits, parameters, .. } in methods {
        let written = writeln!(text, "  {name}: {summary}\n    {citation}");
        written.expect("writing into a String does not fail");
        for sentence in traits {
            let written = writeln!(text, "    {sentence}");
            written.expect("writing into a String does not fail");
        }
        for p in *parameters {
            let default = p.default.map_or("required".into(), |d| format!("default {d}"));
            let rule = p.kind.rule();
            let written = writeln!(text, "    {} ({rule}, {default}): {}", p.name, p.summary);
            written.expect("writing into a String does not fail");
        }
    }
    text + "\n"
}
