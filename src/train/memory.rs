//! What networks take in memory, and whether this machine has it: known before a byte is taken.

use std::fs;

use base::error::{Result, fault};

use crate::backend::Device;
use crate::graph::LANES;
use crate::model::{Network, Operation, PlannedLayer, Recipe};
use crate::plan::Task;
use crate::settings::TrainSettings;

/// Bytes of a number.
const F32: u64 = 4;
/// Weight, gradient and two moments.
const NUMBERS_A_PARAMETER: u64 = 4;

/// Refuses networks that this machine cannot hold: each alone, and the largest together, one a
/// thread. What is counted is what cannot be done without, a bit less than what is taken. On a GPU
/// the machine holds weights alone, while they are drawn; the device refuses for itself.
pub(crate) fn check(settings: &TrainSettings, tasks: &[Task], device: &Device) -> Result<()> {
    let Some(machine) = machine_bytes() else { return Ok(()) };
    check_within(settings, tasks, matches!(device, Device::Cpu), machine)
}

fn check_within(
    settings: &TrainSettings,
    tasks: &[Task],
    on_cpu: bool,
    machine: u64,
) -> Result<()> {
    let bytes_of = |task: &Task| {
        let layers = task.network.layers.iter();
        let bytes = layers.map(|layer| layer_bytes(layer, &task.recipe, on_cpu));
        bytes.fold(gradient_bytes(task, on_cpu), u64::saturating_add)
    };
    let mut sizes: Vec<(u64, &Task)> = tasks.iter().map(|task| (bytes_of(task), task)).collect();
    sizes.sort_by_key(|(bytes, task)| (std::cmp::Reverse(*bytes), task.config));
    let Some((largest, task)) = sizes.first() else { return Ok(()) };
    if *largest > machine {
        return Err(too_large(settings, task, *largest, machine, on_cpu));
    }
    let at_once = if on_cpu { settings.threads } else { 1 };
    let together = sizes.iter().take(at_once).map(|(bytes, _)| *bytes).fold(0, u64::saturating_add);
    if together > machine {
        let rule = format!(
            "the {at_once} largest networks take {} in training at once, of {} that there are",
            gigabytes(together),
            gigabytes(machine),
        );
        let fit = u64::try_from(at_once).unwrap_or(1) * machine / together;
        let remedy = format!("give --threads {}", fit.max(1));
        return Err(fault("command line", "--threads", settings.threads, rule, remedy));
    }
    Ok(())
}

fn too_large(
    settings: &TrainSettings,
    task: &Task,
    bytes: u64,
    machine: u64,
    on_cpu: bool,
) -> base::error::Error {
    let layers = &task.network.layers;
    let layer = layers.iter().max_by_key(|layer| layer_bytes(layer, &task.recipe, on_cpu));
    let layer = layer.expect("every network has a last layer");
    let (field, value) = widest(&task.network, layer);
    let rule = format!(
        "with it, configuration {} takes at least {} in training, most of it for {}; this process \
         has {}",
        task.config,
        gigabytes(bytes),
        layer.name,
        gigabytes(machine),
    );
    let remedy = "lower it (the upper end of the parameter's range, where it names one), or \
                  training.batch_size";
    fault(&settings.definition.source, field, value, rule, remedy)
}

/// The setting that makes a layer large: its own width, or that of the layer that it reads.
fn widest(network: &Network, layer: &PlannedLayer) -> (String, usize) {
    let width = |layer: &PlannedLayer| {
        let field = match layer.operation {
            Operation::Conv { .. } => "filters",
            Operation::Dense { .. } if layer.name.starts_with("model") => "units",
            _ => return None,
        };
        Some((format!("{}.{field}", layer.name), layer.output.channels))
    };
    let own = width(layer);
    let all = network.layers.iter().filter_map(width).max_by_key(|(_, channels)| *channels);
    match (own, all) {
        (Some(own), Some(all)) if own.1 < layer.input.len() && all.1 > own.1 => all,
        (Some(own), _) => own,
        (None, Some(all)) => all,
        (None, None) => ("model.input".to_string(), network.input.len()),
    }
}

/// What a layer takes while a batch is trained.
fn layer_bytes(layer: &PlannedLayer, recipe: &Recipe, on_cpu: bool) -> u64 {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let params = number(layer.weights).saturating_add(number(layer.biases));
    if !on_cpu {
        return params.saturating_mul(F32);
    }
    let output = number(layer.output.len()).saturating_mul(images(recipe));
    // A convolution that is pooled at once keeps no output of its own, but its gradient.
    params.saturating_mul(NUMBERS_A_PARAMETER).saturating_add(output).saturating_mul(F32)
}

/// The gradients of the largest output: they stand beside it.
fn gradient_bytes(task: &Task, on_cpu: bool) -> u64 {
    let largest = task.network.layers.iter().map(|layer| layer.output.len()).max().unwrap_or(0);
    let values = u64::try_from(largest).unwrap_or(u64::MAX);
    if on_cpu { values.saturating_mul(images(&task.recipe)).saturating_mul(F32) } else { 0 }
}

/// Images of a batch, whole groups of them.
fn images(recipe: &Recipe) -> u64 {
    u64::try_from(recipe.batch_size.next_multiple_of(LANES)).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is printed")]
fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// Memory that this process may take: of the machine, its control group and its own limit the
/// least; none where the system does not say.
fn machine_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let total = read("/proc/meminfo");
    let total = total.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let total = total.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let group = read("/sys/fs/cgroup/memory.max").trim().parse().ok();
    let limits = read("/proc/self/limits");
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"));
    let limit = limit.and_then(|line| line.split_whitespace().next()?.parse().ok());
    [total.map(|kibibytes| kibibytes * 1024), group, limit].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::model::{Definition, presets};
    use crate::plan;

    #[test]
    fn what_does_not_fit_is_refused_by_layer_and_setting() {
        let text = presets::text("digits-lenet").unwrap();
        let searched = "[[parameter]]\nname = \"c1_filters\"\ntype = \"int\"\nlow = 1\nhigh = 32\n";
        let text = text.replace(searched, "").replace("\"$c1_filters\"", "1000");
        let definition = Definition::parse("wide.toml", &text).unwrap();
        let settings = TrainSettings {
            epochs: 1,
            configs: 0..4,
            threads: 2,
            train_size: 40,
            val_size: 20,
            test_size: 10,
            seed: 0,
            sobol_seed: 0,
            repeats: 1,
            folds: None,
            definition,
        };
        let dataset = data::load("digits", None).unwrap();
        let split = data::Split::new(&dataset, 40, 20, 10).unwrap();
        let tasks = plan::tasks(&settings, &[split]).unwrap();
        // 1,000 filters of 8 x 8 for a batch of 64 images: 16 MB, and as much for gradients.
        let alone = check_within(&settings, &tasks, true, 32_000_000).unwrap_err().to_string();
        assert!(alone.starts_with("wide.toml: model.layer[0].filters = 1000: with it"), "{alone}");
        let together = check_within(&settings, &tasks, true, 60_000_000).unwrap_err().to_string();
        assert!(together.ends_with("give --threads 1"), "{together}");
        assert!(check_within(&settings, &tasks, true, 1 << 30).is_ok());
        assert!(check_within(&settings, &tasks, false, 32_000_000).is_ok());
    }
}
