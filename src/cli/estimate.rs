//! `train --plan`: what a training would take, as text or JSON.

#![expect(clippy::cast_precision_loss, reason = "sizes for people")]

use app::plural;
use app::report::human::{number, time};
use app::train::{BackendCost, Estimate, SampleCost};

use super::documents::{Plan, Sample};
use super::{Format, output};

pub(super) fn print(space: &str, estimate: &Estimate, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print_json(&document(space, estimate)),
        Format::Text => output::print(&as_text(space, estimate)),
    }
}

fn document(space: &str, estimate: &Estimate) -> Plan {
    let sample = |sample: &SampleCost| Sample {
        config_id: sample.config.0,
        flops_per_epoch: sample.flops,
        epoch_seconds: sample.epoch_seconds,
        flops_per_second: sample.flops_per_second,
    };
    let plan = Plan {
        space: space.to_string(),
        configs: estimate.configs,
        epochs: estimate.epochs,
        flops: estimate.flops,
        wall_seconds: estimate.wall_seconds,
        memory_bytes: estimate.memory_bytes,
        disk_bytes: estimate.disk_bytes,
        disk_bytes_peak: estimate.disk_bytes_peak,
        samples: estimate.samples.iter().map(sample).collect(),
        ..Plan::default()
    };
    match estimate.backend {
        BackendCost::Cpu { threads, cpu_seconds, parallelism } => Plan {
            threads: Some(threads),
            cpu_seconds: Some(cpu_seconds),
            parallelism: Some(parallelism),
            ..plan
        },
        BackendCost::Gpu { at_once, alone_seconds, flops_per_second } => Plan {
            at_once: Some(at_once),
            alone_seconds: Some(alone_seconds),
            flops_per_second: Some(flops_per_second),
            ..plan
        },
    }
}

fn as_text(space: &str, estimate: &Estimate) -> String {
    let sample = |sample: &SampleCost| {
        [
            sample.config.to_string(),
            number(sample.flops / 1e9),
            time(sample.epoch_seconds),
            number(sample.flops_per_second / 1e9),
        ]
    };
    let (seconds, spent, memory) = match estimate.backend {
        BackendCost::Cpu { threads, cpu_seconds, parallelism } => (
            "CPU time/epoch",
            format!(
                "{} of CPU time, {} of {threads} threads' worth of cores",
                time(cpu_seconds),
                number(parallelism)
            ),
            format!("with all {} at once", plural(threads, "thread")),
        ),
        BackendCost::Gpu { at_once, alone_seconds, flops_per_second } => (
            "time alone/epoch",
            format!(
                "{at_once} at once at {} GFLOP/s; {} if each were alone",
                number(flops_per_second / 1e9),
                time(alone_seconds),
            ),
            "of the device".to_string(),
        ),
    };
    let timed = output::table(
        ["timed configuration", "GFLOP/epoch", seconds, "GFLOP/s"],
        estimate.samples.iter().map(sample),
    );
    let memory = estimate.memory_bytes.map_or("not measured on this system".to_string(), |bytes| {
        format!("{} {memory}", size(bytes))
    });
    format!(
        "{timed}\n\
         {space}: {} configurations, {} epochs, {} TFLOP to train\n\
         time    {} ({spent})\n\
         memory  {memory}\n\
         disk    {} when it is finished, at most {} before",
        estimate.configs,
        estimate.epochs,
        number(estimate.flops / 1e12),
        time(estimate.wall_seconds),
        size(estimate.disk_bytes),
        size(estimate.disk_bytes_peak),
    )
}

/// Bytes in the unit that keeps the figure short.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{} {name}", number(bytes / unit)),
        None => format!("{bytes:.0} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let shown = [12, 1_200, 3_456_789, 2_000_000_000].map(size);
        assert_eq!(shown, ["12 bytes", "1.20 kB", "3.46 MB", "2.00 GB"]);
    }
}
