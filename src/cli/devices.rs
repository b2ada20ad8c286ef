//! `curvebook devices`.

use std::fmt::Write;

use app::devices::{self, Description, Limit, SelfTest, Tried};
use clap::Args;

use super::documents::{Adapter, Devices, LimitPair, SelfTested};
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
        Format::Json => output::print_json(&Devices {
            format: "curvebook-devices",
            version: 1,
            adapters: adapters.iter().map(Shown::document).collect(),
        })?,
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

    fn document(&self) -> Adapter {
        let Description { name, kind, backend, driver, subgroup, limits, features } =
            &self.0.description;
        let limit =
            |limit: &Limit| (limit.name, LimitPair { has: limit.has, needed: limit.needed });
        let self_test = self.0.result.as_ref().map(|result| match result {
            Err(e) => SelfTested { error: Some(e.to_string()), ..SelfTested::default() },
            Ok(test) => SelfTested {
                passed: test.is_passed(),
                error: None,
                gflops: Some(test.gflops),
                sums: Some(test.compared),
                sums_unlike_cpu: Some(test.different),
                fma_is_fused: Some(test.is_fused),
            },
        });
        Adapter {
            name: name.clone(),
            kind: kind.name(),
            backend,
            driver: driver.clone(),
            subgroup_size: *subgroup,
            limits: limits.iter().map(limit).collect(),
            features: features.iter().copied().collect(),
            self_test,
        }
    }
}
