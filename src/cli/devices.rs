//! `curvebook devices`.

use std::fmt::Write;

use base::error::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use train::gpu::adapter::{Limit, is_required};
use train::gpu::{Adapter, Description, Gpu, Wanted, product};
use train::self_test::{SelfTest, self_test};

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
    if is_required() {
        Adapter::choose(Wanted::Gpu)?;
    }
    let adapters: Vec<Tried> =
        Adapter::all().iter().map(|adapter| Tried::new(adapter, arguments.no_self_test)).collect();
    match format {
        Format::Json => output::print_json(&json!({
            "format": "curvebook-devices",
            "version": 1,
            "adapters": adapters.iter().map(Tried::json).collect::<Vec<_>>(),
        }))?,
        Format::Text if adapters.is_empty() => output::print(NONE)?,
        Format::Text => {
            let texts: Vec<String> = adapters.iter().map(Tried::text).collect();
            output::print(&texts.join("\n"))?;
        }
    }
    let failed = adapters.iter().filter(|adapter| adapter.is_failed());
    let failed: Vec<String> = failed.map(|adapter| adapter.description.line()).collect();
    anyhow::ensure!(failed.is_empty(), "the self-test failed on {}", failed.join(" and on "));
    Ok(())
}

/// An adapter and what came of trying it; nothing where nobody asked.
struct Tried {
    description: Description,
    result: Option<Result<SelfTest>>,
}

impl Tried {
    fn new(adapter: &Adapter, is_untested: bool) -> Self {
        let description = adapter.description().clone();
        let test = || {
            let gpu = Gpu::open(adapter)?;
            self_test(&gpu, product::Tile::usual(&description))
        };
        let result = (!is_untested).then(test);
        Self { description, result }
    }

    fn is_failed(&self) -> bool {
        match &self.result {
            None => false,
            Some(Ok(test)) => !test.is_passed(),
            // An adapter that cannot be used is listed with its reason, and no fault of itself.
            Some(Err(_)) => self.description.check().is_ok(),
        }
    }

    fn text(&self) -> String {
        let Description { name, kind, backend, driver, subgroup: [least, most], .. } =
            &self.description;
        let mut text = format!("{name}\n");
        let mut row = |title: &str, value: &str| {
            let written = writeln!(text, "  {title:<12}{value}");
            written.expect("writing into a String does not fail");
        };
        row("type", kind.name());
        row("backend", backend);
        row("driver", driver);
        row("in step", &format!("{least} to {most} threads"));
        let features = self.description.features.iter();
        let (has, lacks): (Vec<_>, Vec<_>) = features.partition(|(_, is_there)| *is_there);
        for (title, features) in [("features", has), ("without", lacks)] {
            if !features.is_empty() {
                let names: Vec<&str> = features.iter().map(|(name, _)| *name).collect();
                row(title, &names.join(", "));
            }
        }
        row("self-test", &self.outcome());
        for Limit { name, has, needed } in &self.description.limits {
            let short = if has < needed { ": TOO LOW" } else { "" };
            row("limit", &format!("{name} = {has} (at least {needed}){short}"));
        }
        text
    }

    fn outcome(&self) -> String {
        let test = match &self.result {
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
            &self.description;
        let limits: Map<String, Value> = limits
            .iter()
            .map(|limit| (limit.name.into(), json!({ "has": limit.has, "needed": limit.needed })))
            .collect();
        let features: Map<String, Value> =
            features.iter().map(|(name, is_there)| ((*name).into(), json!(is_there))).collect();
        let result = match &self.result {
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
