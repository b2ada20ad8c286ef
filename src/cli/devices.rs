//! `curvebook devices`.

use std::fmt::Write;

use app::devices::{self, Description, Limit, SelfTest, Tried};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{Format, output};

const NONE: &str = "No adapter of Vulkan, Metal or DirectX 12 is here: training uses the CPU. A \
                    GPU's driver makes it appear, a software one too (Debian: \
                    mesa-vulkan-drivers).";

/// List the GPUs and software adapters that training can use, each tried for a moment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook devices
  curvebook devices --no-self-test
  curvebook devices --format json

The self-test runs a dense layer on the adapter, compares it with the CPU's, and times it. With
CURVEBOOK_REQUIRE_GPU=1 it is an error that there is no adapter.")]
pub(super) struct Arguments {
    /// Only list them: compile and compute nothing.
    #[arg(long)]
    no_self_test: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let tried = devices::list(!arguments.no_self_test)?;
    let adapters: Vec<Shown<'_>> = tried.iter().map(Shown).collect();
    match format {
        Format::Json => output::print_json(&json!({
            "format": "curvebook-devices",
            "version": 1,
            "adapters": adapters.iter().map(Shown::json).collect::<Vec<_>>(),
        }))?,
        Format::Text if adapters.is_empty() => output::print(NONE)?,
        Format::Text => {
            let texts: Vec<String> = adapters.iter().map(Shown::text).collect();
            output::print(&texts.join("\n"))?;
        }
    }
    let failed = tried.iter().filter(|adapter| adapter.is_failed());
    let failed: Vec<String> = failed.map(|adapter| adapter.description.line()).collect();
    anyhow::ensure!(failed.is_empty(), "the self-test failed on {}", failed.join(" and on "));
    Ok(())
}

/// How a tried adapter is shown.
struct Shown<'a>(&'a Tried);

impl Shown<'_> {
    fn text(&self) -> String {
        let Description { name, kind, backend, driver, subgroup: [least, most], .. } =
            &self.0.description;
        let mut text = format!("{name}\n");
        let mut row = |title: &str, value: &str| {
            let written = writeln!(text, "  {title:<12}{value}");
            written.expect("writing into a String does not fail");
        };
        row("type", kind.name());
        row("backend", backend);
        row("driver", driver);
        row("in step", &format!("{least} to {most} threads"));
        let features = self.0.description.features.iter();
        let (has, lacks): (Vec<_>, Vec<_>) = features.partition(|(_, is_there)| *is_there);
        for (title, features) in [("features", has), ("without", lacks)] {
            if !features.is_empty() {
                let names: Vec<&str> = features.iter().map(|(name, _)| *name).collect();
                row(title, &names.join(", "));
            }
        }
        row("self-test", &self.outcome());
        for Limit { name, has, needed } in &self.0.description.limits {
            let short = if has < needed { ": TOO LOW" } else { "" };
            row("limit", &format!("{name} = {has} (at least {needed}){short}"));
        }
        text
    }

    fn outcome(&self) -> String {
        let test = match &self.0.result {
            None => return "not run".to_string(),
            Some(Err(e)) => return format!("FAILED: {e}"),
            Some(Ok(test)) => test,
        };
        let SelfTest { compared, different, gflops, .. } = test;
        if !test.is_passed() {
            return format!("FAILED: {different} of {compared} sums are not the CPU's");
        }
        let sums = match (different, test.is_fused) {
            (0, _) => "all sums are the CPU's to the bit".to_string(),
            (_, true) => format!("{different} of {compared} sums differ in last bits"),
            (_, false) => format!(
                "{different} of {compared} sums differ from the CPU's in last bits, since fma \
                 rounds twice here"
            ),
        };
        format!("passed, {gflops:.1} GFLOP/s in f32; {sums}")
    }

    fn json(&self) -> Value {
        let Description { name, kind, backend, driver, subgroup, limits, features } =
            &self.0.description;
        let limits: Map<String, Value> = limits
            .iter()
            .map(|limit| (limit.name.into(), json!({ "has": limit.has, "needed": limit.needed })))
            .collect();
        let features: Map<String, Value> =
            features.iter().map(|(name, is_there)| ((*name).into(), json!(is_there))).collect();
        let result = match &self.0.result {
            None => Value::Null,
            Some(Err(e)) => json!({ "passed": false, "error": e.to_string() }),
            Some(Ok(test)) => json!({
                "passed": test.is_passed(),
                "gflops": test.gflops,
                "sums": test.compared,
                "sums_unlike_cpu": test.different,
                "fma_is_fused": test.is_fused,
            }),
        };
        json!({
            "name": name,
            "type": kind.name(),
            "backend": backend,
            "driver": driver,
            "subgroup_size": subgroup,
            "limits": limits,
            "features": features,
            "self_test": result,
        })
    }
}
