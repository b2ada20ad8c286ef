//! `train --device`: what trains, and what a table says of it.

use base::error::{Result, fault};
#[cfg(feature = "gpu")]
use base::hex;
#[cfg(feature = "gpu")]
use train::gpu::{Adapter, Chosen, Description, Wanted, shaders};
use train::{Device, TrainSettings};

use super::Settings;
use crate::Events;

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A GPU if one is here, else the CPU.
    Auto,
    /// A GPU; a software adapter where none is here.
    Gpu,
    /// The CPU, whatever else is here.
    Cpu,
}

/// The device for a choice, and the number of threads that were asked for. Nothing is opened and
/// nothing printed. Errors: no adapter where one is wanted or required, one without the limits that
/// the shaders need, threads for a GPU.
pub(super) fn choose(choice: Choice, threads: Option<usize>) -> Result<Device> {
    match (choice, threads) {
        (Choice::Cpu, _) => Ok(Device::Cpu),
        (Choice::Gpu, Some(count)) => {
            let rule = "a GPU trains many configurations at once without counting threads";
            let remedy = "leave it out, or train with --device cpu";
            Err(fault("--threads", "threads", count, rule, remedy))
        }
        _ => adapter(choice),
    }
}

#[cfg(feature = "gpu")]
fn adapter(choice: Choice) -> Result<Device> {
    let wanted = if choice == Choice::Gpu { Wanted::Gpu } else { Wanted::Auto };
    let adapter = Adapter::choose(wanted)?;
    Ok(adapter.map(Chosen::new).transpose()?.map_or(Device::Cpu, Device::Gpu))
}

#[cfg(not(feature = "gpu"))]
fn adapter(choice: Choice) -> Result<Device> {
    if choice == Choice::Gpu {
        let rule = "this curvebook was built without its feature gpu";
        let remedy = "build it with default features, or train with --device cpu";
        return Err(fault("--device", "device", "gpu", rule, remedy));
    }
    Ok(Device::Cpu)
}

/// Tells which device it became; `what` is done there: `training on`.
pub(super) fn announce(device: &Device, what: &str, settings: &Settings, events: &dyn Events) {
    let threads = settings.training.threads;
    match device {
        Device::Cpu => {
            let s = if threads == 1 { "" } else { "s" };
            events.say(&format!("{what} the CPU, {threads} thread{s}"));
        }
        #[cfg(feature = "gpu")]
        Device::Gpu(chosen) => {
            let description = chosen.adapter.description();
            if let Some(warning) = description.warning() {
                events.warn(&warning);
            }
            events.say(&format!("{what} {}", description.line()));
            if settings.threads_asked.is_some() {
                events.note("--threads has no effect on a GPU");
            }
        }
    }
}

/// What `provenance` says of the device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) backend: &'static str,
    pub(super) adapter: String,
    pub(super) driver: Option<String>,
    pub(super) shader_hash: Option<String>,
    pub(super) tiles: Option<String>,
    pub(super) seconds_measured: &'static str,
    pub(super) trained_at_once: usize,
}

impl Facts {
    pub(super) fn of(device: &Device, settings: &TrainSettings) -> Self {
        match device {
            Device::Cpu => Self {
                backend: "cpu",
                adapter: format!("{} ({})", std::env::consts::ARCH, cpu_features()),
                driver: None,
                shader_hash: None,
                tiles: None,
                seconds_measured: "CPU time of the thread that trains the configuration",
                trained_at_once: settings.threads,
            },
            #[cfg(feature = "gpu")]
            Device::Gpu(chosen) => Self {
                tiles: Some(chosen.variant.to_string()),
                ..Self::of_gpu(chosen.adapter.description())
            },
        }
    }

    #[cfg(feature = "gpu")]
    fn of_gpu(description: &Description) -> Self {
        let Description { name, backend, kind, driver, .. } = description;
        Self {
            backend: "gpu",
            // With its type: nobody is to take a processor's table for a GPU's.
            adapter: format!("{name} ({backend}, {})", kind.name()),
            driver: (!driver.is_empty()).then(|| driver.clone()),
            shader_hash: Some(hex(&shaders::hash())),
            tiles: None,
            seconds_measured: "device time of warm training steps, alone on the adapter (median), \
                               times the steps of an epoch; validation likewise",
            // Many train together, but their seconds are measured one by one.
            trained_at_once: 1,
        }
    }
}

/// The instruction set that the kernels use, for the record: seconds depend on it, and no bit does.
fn cpu_features() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "avx512f";
        }
        if std::arch::is_x86_feature_detected!("fma") {
            return "fma";
        }
        if std::arch::is_x86_feature_detected!("avx") {
            return "avx";
        }
    }
    "baseline"
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::error::Error;
    #[cfg(feature = "gpu")]
    use train::gpu::Kind;

    #[cfg(feature = "gpu")]
    fn toy(kind: Kind) -> Description {
        Description {
            name: "Toy 7".into(),
            kind,
            backend: "vulkan",
            driver: "toys 1.0".into(),
            subgroup: [32, 32],
            limits: Vec::new(),
            features: Vec::new(),
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_table_tells_a_gpu_from_a_processor_that_plays_one() {
        let real = Facts::of_gpu(&toy(Kind::Discrete));
        assert_eq!((real.backend, real.adapter.as_str()), ("gpu", "Toy 7 (vulkan, discrete GPU)"));
        assert_eq!((real.driver.as_deref(), real.trained_at_once), (Some("toys 1.0"), 1));
        let hash = real.shader_hash.expect("the shaders decide the last bits");
        assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
        let played = Facts::of_gpu(&Description { driver: String::new(), ..toy(Kind::Software) });
        assert_eq!((played.adapter.as_str(), played.driver), ("Toy 7 (vulkan, software)", None));
    }

    #[test]
    fn threads_are_refused_for_a_gpu_alone() {
        let Err(Error::Input(fault)) = choose(Choice::Gpu, Some(4)) else { panic!("4 threads") };
        assert_eq!((fault.file.as_str(), fault.value.as_str()), ("--threads", "4"));
        assert!(matches!(choose(Choice::Cpu, Some(4)), Ok(Device::Cpu)));
    }
}
