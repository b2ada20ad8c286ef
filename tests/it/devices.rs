//! `curvebook devices`, on whatever machine this is.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Devices {
    format: String,
    version: u32,
    adapters: Vec<Adapter>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adapter {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    backend: String,
    driver: String,
    subgroup_size: [u32; 2],
    limits: BTreeMap<String, Limit>,
    features: BTreeMap<String, bool>,
    self_test: Option<SelfTest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    has: u64,
    needed: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelfTest {
    passed: bool,
    gflops: f64,
    sums: u64,
    sums_unlike_cpu: u64,
    fma_is_fused: bool,
}

/// Where the loader of Vulkan looks for drivers; nothing is there.
const NOWHERE: [(&str, &str); 2] =
    [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];

fn devices(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_curvebook"))
        .arg("devices")
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn read(output: &Output) -> Devices {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_adapter_is_listed_and_tried() {
    let found = read(&devices(&["--format", "json"], &[]));
    assert_eq!((found.format.as_str(), found.version), ("curvebook-devices", 1));
    if found.adapters.is_empty() {
        println!("skipped: this machine has no adapter");
    }
    for adapter in found.adapters {
        assert!(!adapter.name.is_empty() && !adapter.driver.is_empty(), "{adapter:?}");
        assert!(["vulkan", "metal", "dx12"].contains(&adapter.backend.as_str()), "{adapter:?}");
        assert!(adapter.kind == "software" || adapter.kind.contains("GPU"), "{adapter:?}");
        assert!(adapter.subgroup_size[0] <= adapter.subgroup_size[1], "{adapter:?}");
        assert!(adapter.features.contains_key("shader-f16"), "{adapter:?}");
        let lacks = adapter.limits.values().any(|limit| limit.has < limit.needed);
        let test = adapter.self_test.expect("it was asked for");
        assert!(test.passed || lacks, "{test:?}");
        assert!(test.gflops > 0.0 && test.sums_unlike_cpu <= test.sums, "{test:?}");
        assert!(!test.fma_is_fused || test.sums_unlike_cpu == 0, "{test:?}");
        // Sums that round twice a term differ from the CPU's, and a test that sees none is blind.
        assert!(test.fma_is_fused || test.sums_unlike_cpu > 0, "{test:?}");
    }
}

#[test]
fn adapters_are_listed_without_a_test() {
    for adapter in read(&devices(&["--format", "json", "--no-self-test"], &[])).adapters {
        assert!(adapter.self_test.is_none());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_adapter_is_an_answer_unless_one_is_required() {
    let without = [NOWHERE[0], NOWHERE[1], ("CURVEBOOK_REQUIRE_GPU", "0")];
    assert!(read(&devices(&["--format", "json"], &without)).adapters.is_empty());
    let answer = devices(&[], &without);
    let text = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success() && text.starts_with("No adapter of Vulkan"), "{text}");
    let required = devices(&[], &[NOWHERE[0], NOWHERE[1], ("CURVEBOOK_REQUIRE_GPU", "1")]);
    let message = String::from_utf8(required.stderr).unwrap();
    assert_eq!(required.status.code(), Some(1), "{message}");
    assert!(message.contains("mesa-vulkan-drivers") && required.stdout.is_empty(), "{message}");
}
