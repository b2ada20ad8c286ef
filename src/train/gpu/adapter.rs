//! Adapters: which there are, and which to train on.

use std::env;

use base::error::{Result, fault};
use wgpu::{Backends, DeviceType, Features, Instance, InstanceDescriptor, InstanceFlags, Limits};

/// Set to 1, it makes an error of a missing adapter, where otherwise the CPU would do or a test
/// would be skipped.
pub const REQUIRE_VARIABLE: &str = "CURVEBOOK_REQUIRE_GPU";

/// What does the computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Discrete,
    Integrated,
    Virtual,
    Other,
    /// A processor that plays the GPU, such as Mesa's lavapipe: right, and slow.
    Software,
}

impl Kind {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "other",
            Self::Software => "software",
        }
    }
}

/// A limit that decides what can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// As WebGPU calls it.
    pub name: &'static str,
    /// What the adapter has.
    pub has: u64,
    /// What the shaders need at least.
    pub needed: u64,
}

/// What an adapter says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub kind: Kind,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: &'static str,
    /// The driver and its version.
    pub driver: String,
    /// The smallest and the largest number of threads that run in step.
    pub subgroup: [u32; 2],
    pub limits: Vec<Limit>,
    /// Features that the shaders use or may use one day, and whether they are there.
    pub features: Vec<(&'static str, bool)>,
}

impl Description {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let (info, features) = (adapter.get_info(), adapter.features());
        let driver = [info.driver.as_str(), info.driver_info.as_str()];
        let driver: Vec<&str> = driver.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            name: info.name,
            kind: match info.device_type {
                DeviceType::DiscreteGpu => Kind::Discrete,
                DeviceType::IntegratedGpu => Kind::Integrated,
                DeviceType::VirtualGpu => Kind::Virtual,
                DeviceType::Other => Kind::Other,
                DeviceType::Cpu => Kind::Software,
            },
            backend: info.backend.to_str(),
            driver: driver.join(" "),
            subgroup: [info.subgroup_min_size, info.subgroup_max_size],
            limits: limits(&adapter.limits()),
            features: [
                ("timestamp-query", Features::TIMESTAMP_QUERY),
                ("subgroups", Features::SUBGROUP),
                ("shader-f16", Features::SHADER_F16),
                ("cooperative-matrix", Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
            ]
            .map(|(name, feature)| (name, features.contains(feature)))
            .to_vec(),
        }
    }

    /// `NAME (vulkan, discrete GPU, DRIVER)`: what a table's provenance and every message says.
    pub fn line(&self) -> String {
        format!("{} ({}, {}, {})", self.name, self.backend, self.kind.name(), self.driver)
    }

    /// What the user must be told before anything is trained; nothing for a real GPU.
    pub fn warning(&self) -> Option<String> {
        self.is_software().then(|| {
            format!(
                "no GPU is here; a software adapter plays one, slower than --device cpu, and \
                 nothing that it measures is a GPU's: {}",
                self.line()
            )
        })
    }

    /// Whether a processor plays the GPU: nothing measured on it is a GPU's result.
    pub fn is_software(&self) -> bool {
        self.kind == Kind::Software
    }

    /// Refuses an adapter that the shaders cannot run on: which limit, what it has, what is needed.
    pub fn check(&self) -> Result<()> {
        match self.limits.iter().find(|limit| limit.has < limit.needed) {
            None => Ok(()),
            Some(Limit { name, has, needed }) => {
                let rule = format!("the shaders need at least {needed}");
                let remedy = "update the adapter's driver, or train with --device cpu";
                let field = format!("limit {name}");
                Err(fault(format!("adapter {}", self.line()), field, has, rule, remedy))
            }
        }
    }
}

/// The limits that matter. The least is what WebGPU promises everywhere.
fn limits(has: &Limits) -> Vec<Limit> {
    let limit = |name, has, needed| Limit { name, has, needed };
    vec![
        limit("max_buffer_size", has.max_buffer_size, 1 << 27),
        limit("max_storage_buffer_binding_size", has.max_storage_buffer_binding_size, 1 << 27),
        limit(
            "max_storage_buffers_per_shader_stage",
            has.max_storage_buffers_per_shader_stage.into(),
            8,
        ),
        limit(
            "max_compute_workgroup_storage_size",
            has.max_compute_workgroup_storage_size.into(),
            1 << 14,
        ),
        limit(
            "max_compute_invocations_per_workgroup",
            has.max_compute_invocations_per_workgroup.into(),
            256,
        ),
        limit("max_compute_workgroup_size_x", has.max_compute_workgroup_size_x.into(), 256),
        limit(
            "max_compute_workgroups_per_dimension",
            has.max_compute_workgroups_per_dimension.into(),
            65_535,
        ),
    ]
}

/// Something to train on.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub(super) inner: wgpu::Adapter,
    description: Description,
}

impl Adapter {
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Every adapter of this machine, the best first: real GPUs before software. Prints nothing and
    /// fails never: a machine without any driver has none.
    pub fn all() -> Vec<Self> {
        let backends = Backends::VULKAN | Backends::METAL | Backends::DX12;
        let instance = Instance::new(InstanceDescriptor {
            backends,
            flags: InstanceFlags::empty(),
            ..InstanceDescriptor::new_without_display_handle()
        });
        let adapters = pollster::block_on(instance.enumerate_adapters(backends));
        let mut adapters: Vec<Self> = adapters
            .into_iter()
            .map(|inner| Self { description: Description::of(&inner), inner })
            .collect();
        adapters.sort_by_key(|adapter| adapter.description.kind);
        adapters
    }

    /// The adapter to train on; none where the CPU is to do it. Errors: no adapter where one is
    /// wanted or required, or one without the limits that the shaders need.
    pub fn choose(wanted: Wanted) -> Result<Option<Self>> {
        let mut adapters = Self::all();
        let kinds: Vec<Kind> = adapters.iter().map(|a| a.description.kind).collect();
        let Some(at) = wanted.pick(&kinds, is_required())? else { return Ok(None) };
        let adapter = adapters.swap_remove(at);
        adapter.description.check()?;
        Ok(Some(adapter))
    }
}

/// Whether the environment asks for an adapter.
pub fn is_required() -> bool {
    env::var_os(REQUIRE_VARIABLE).is_some_and(|value| value == "1")
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A real GPU, else the CPU.
    Auto,
    /// A real GPU, else a software adapter.
    Gpu,
}

impl Wanted {
    /// Which of the adapters, the best of which comes first.
    fn pick(self, kinds: &[Kind], is_required: bool) -> Result<Option<usize>> {
        let acceptable = match (self, kinds.first()) {
            (_, None) => false,
            (Self::Auto, Some(kind)) => *kind != Kind::Software,
            (Self::Gpu, Some(_)) => true,
        };
        if acceptable {
            return Ok(Some(0));
        }
        if self == Self::Auto && !is_required {
            return Ok(None);
        }
        let (file, field) = match self {
            Self::Auto => ("environment", REQUIRE_VARIABLE),
            Self::Gpu => ("command line", "--device"),
        };
        let (value, rule) = match self {
            Self::Auto => ("1", "must find a GPU, and this machine has none with a driver"),
            Self::Gpu => {
                ("gpu", "must find an adapter of Vulkan, Metal or DirectX 12, and none is")
            }
        };
        let remedy = match self {
            Self::Auto => "install the GPU's driver, or ask for a software adapter: --device gpu",
            Self::Gpu => {
                "install the GPU's driver, or a software one (Debian: mesa-vulkan-drivers), or \
                 train with --device cpu; `curvebook devices` lists what is found"
            }
        };
        Err(fault(file, field, value, rule, remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_real_gpus_alone_and_gpu_takes_what_there_is() {
        use Kind::{Discrete, Integrated, Software};
        let pick = |wanted: Wanted, kinds: &[Kind], required| wanted.pick(kinds, required).ok();
        for required in [false, true] {
            let both = &[Integrated, Software];
            assert_eq!(pick(Wanted::Auto, both, required), Some(Some(0)));
            assert_eq!(pick(Wanted::Gpu, &[Discrete], required), Some(Some(0)));
            assert_eq!(pick(Wanted::Gpu, &[Software], required), Some(Some(0)));
            assert_eq!(pick(Wanted::Gpu, &[], required), None);
        }
        assert_eq!(pick(Wanted::Auto, &[Software], false), Some(None));
        assert_eq!(pick(Wanted::Auto, &[], false), Some(None));
        assert_eq!(pick(Wanted::Auto, &[Software], true), None);
        assert_eq!(pick(Wanted::Auto, &[], true), None);
    }

    #[test]
    fn real_gpus_come_before_software() {
        assert!(Kind::Discrete < Kind::Integrated && Kind::Other < Kind::Software);
    }

    #[test]
    fn a_missing_limit_is_named_with_what_there_is_and_what_is_needed() {
        let mut has = Limits::default();
        assert!(limits(&has).iter().all(|limit| limit.has >= limit.needed));
        has.max_compute_workgroup_storage_size = 8_192;
        let description = Description {
            name: "Toy".into(),
            kind: Kind::Discrete,
            backend: "vulkan",
            driver: "toys 1.0".into(),
            subgroup: [32, 32],
            limits: limits(&has),
            features: Vec::new(),
        };
        assert_eq!(description.warning(), None);
        let software = Description { kind: Kind::Software, ..description.clone() };
        assert!(software.warning().is_some_and(|text| text.contains("Toy (vulkan, software,")));
        let message = description.check().expect_err("8 KiB are too few").to_string();
        assert_eq!(
            message,
            "adapter Toy (vulkan, discrete GPU, toys 1.0): limit \
             max_compute_workgroup_storage_size = 8192: the shaders need at least 16384; update \
             the adapter's driver, or train with --device cpu"
        );
    }
}
