//! `curvebook methods`.

use std::fmt::Write;

use ::methods::{samplers, schedulers, stoppers};
use clap::Args;
use methods::interface::{Entry, describe};
use serde_json::json;

use super::{Format, output};

/// List samplers, schedulers and stoppers with their parameters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook methods
  curvebook methods --format json")]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print_json(&json!({
            "format": "curvebook-methods",
            "version": 1,
            "usage": "name:parameter=value,parameter=value",
            "samplers": describe(samplers::REGISTRY),
            "schedulers": describe(schedulers::REGISTRY),
            "stoppers": describe(stoppers::REGISTRY),
        })),
        Format::Text => {
            let mut text = list("Samplers (--sampler)", samplers::REGISTRY);
            text += &list("Schedulers (--scheduler)", schedulers::REGISTRY);
            text += &list("Stoppers (--stopper)", stoppers::REGISTRY);
            text += "Parameters follow a colon: etr1:tau=3,epsilon=0.05\n";
            output::print(&text)
        }
    }
}

fn list<Factory>(title: &str, registry: &[Entry<Factory>]) -> String {
    let mut text = format!("{title}\n");
    for entry in registry {
        let (name, summary, citation) = (entry.name, entry.summary, entry.citation);
        let written = writeln!(text, "  {name}: {summary}\n    {citation}");
        written.expect("writing into a String does not fail");
        for it in entry.traits {
            let written = writeln!(text, "    {}", it.sentence());
            written.expect("writing into a String does not fail");
        }
        for p in entry.parameters {
            let default = p.default.map_or("required".into(), |d| format!("default {d}"));
            let rule = p.kind.rule();
            let written = writeln!(text, "    {} ({rule}, {default}): {}", p.name, p.summary);
            written.expect("writing into a String does not fail");
        }
    }
    text + "\n"
}
