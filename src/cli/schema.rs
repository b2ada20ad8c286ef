//! `curvebook schema`.

use app::error::{fault, suggest};
use app::report;
use app::table::Info;
use clap::Args;
use schemars::{Schema, schema_for};

use super::documents::{
    AuditDocument, Check, Exported, Extrapolated, Imported, ListedSpace, ListedStudy, Merged,
    Methods, Plan, Prior, ShownConfiguration, ShownSpace, SlurmStatus, SlurmWritten,
    TrainingOutcome, VerifiedDocument, WhyDocument,
};
use super::{Format, output};

/// Print the JSON Schema of what a command prints with `--format json`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook schema
  curvebook schema analyze > answers.schema.json")]
pub(super) struct Arguments {
    /// A document; without one they are listed.
    document: Option<String>,
}

/// What a command prints as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// As `curvebook schema` takes it.
    pub name: &'static str,
    /// The commands that print it, without `--format json`.
    pub commands: &'static str,
    /// Its JSON Schema.
    pub schema: fn() -> Schema,
}

const fn document(name: &'static str, commands: &'static str, schema: fn() -> Schema) -> Document {
    Document { name, commands, schema }
}

/// Everything that is printed as JSON.
pub const DOCUMENTS: &[Document] = &[
    document("analyze", "`analyze`, `replay`, `study`", report::json::schema),
    document("why", "`why`", || schema_for!(WhyDocument<'_>)),
    document("verify", "`verify`", || schema_for!(VerifiedDocument<'_>)),
    document("audit", "`audit`", || schema_for!(AuditDocument<'_>)),
    document("train", "`train`", || schema_for!(TrainingOutcome)),
    document("train-plan", "`train --plan`", || schema_for!(Plan)),
    document("table-info", "`table info`", || schema_for!(Info)),
    document("table-check", "`table check`", || schema_for!(Check<'_>)),
    document("table-import", "`table import`", || schema_for!(Imported)),
    document("table-export", "`table export`", || schema_for!(Exported<'_>)),
    document("table-merge", "`table merge`", || schema_for!(Merged<'_>)),
    document("table-extrapolate", "`table extrapolate`", || schema_for!(Extrapolated)),
    document("table-prior", "`table prior`", || schema_for!(Prior)),
    document("space-list", "`space list`", || schema_for!(Vec<ListedSpace<'_>>)),
    document("space-show", "`space show`", || schema_for!(ShownSpace<'_>)),
    document("space-show-config", "`space show --config`", || schema_for!(ShownConfiguration<'_>)),
    document("study-list", "`study list`", || schema_for!(Vec<ListedStudy<'_>>)),
    document("slurm", "`slurm train`, `slurm study`", || schema_for!(SlurmWritten)),
    document("slurm-status", "`slurm status`", || schema_for!(SlurmStatus<'_>)),
    document("methods", "`methods`", || schema_for!(Methods)),
    #[cfg(feature = "download")]
    document("data-list", "`data list`", || schema_for!(Vec<super::documents::DataSet<'_>>)),
    #[cfg(feature = "download")]
    document("data-get", "`data get`", || schema_for!(Vec<super::documents::FetchedSet>)),
    #[cfg(feature = "gpu")]
    document("devices", "`devices`", || schema_for!(super::documents::Devices)),
];

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let Some(name) = &arguments.document else { return list(format) };
    let names = || DOCUMENTS.iter().map(|document| document.name);
    let found = DOCUMENTS.iter().find(|document| document.name == name);
    let found = found.ok_or_else(|| {
        let rule = "no command prints a document of this name";
        fault("command line", "DOCUMENT", name, rule, suggest(name, names()))
    })?;
    output::print_json(&(found.schema)())
}

fn list(format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            output::print_json(&DOCUMENTS.iter().map(|document| document.name).collect::<Vec<_>>())
        }
        Format::Text => {
            let rows = DOCUMENTS.iter().map(|d| [d.name.to_string(), d.commands.replace('`', "")]);
            output::print(&output::table(["document", "printed by"], rows))
        }
    }
}
