//! The registry of shaders, and their assembly: WGSL has neither imports nor a way to unroll.
//!
//! A shader's text is a block of constants (tile sizes, threads), the shared parts that it needs,
//! and its own file, in which these lines repeat what stands between them:
//!
//! ```text
//! //@ for p in PLACES
//! let x_{p} = values[at_{p}];
//! //@ end
//! ```
//!
//! `in` takes a constant, for 0, 1, ... below it, or letters, for one after the other; `{p}` is the
//! number or letter, `{p#}` the letter's number. So what must stay in registers is named, not
//! indexed, and no compiler has to be trusted to unroll.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// A file of `shaders/`.
#[derive(Debug)]
pub struct Shader {
    /// The name of its file, and of its twin on the CPU.
    pub name: &'static str,
    text: &'static str,
    shared: &'static [&'static str],
    /// Constants that the text leaves open, with the values that suit most adapters.
    pub constants: &'static [(&'static str, u32)],
}

const ACTIVATION_TEXT: &str = include_str!("../../../shaders/shared/activation.wgsl");
const ELEMENTS_TEXT: &str = include_str!("../../../shaders/shared/elements.wgsl");
const EXPONENTIAL_TEXT: &str = include_str!("../../../shaders/shared/exponential.wgsl");
const STEPS_TEXT: &str = include_str!("../../../shaders/shared/steps.wgsl");
const TASKS_TEXT: &str = include_str!("../../../shaders/shared/tasks.wgsl");
const THREEFRY_TEXT: &str = include_str!("../../../shaders/shared/threefry.wgsl");

/// See [`super::product`].
pub static PRODUCT: Shader = Shader {
    name: "product",
    text: include_str!("../../../shaders/product.wgsl"),
    shared: &[TASKS_TEXT],
    constants: &[("THREADS", 64), ("PLACES", 4), ("FILTERS_4", 2)],
};

/// See [`super::correlation`].
pub static CORRELATION: Shader = Shader {
    name: "correlation",
    text: include_str!("../../../shaders/correlation.wgsl"),
    shared: &[TASKS_TEXT],
    constants: &[("THREADS", 64), ("OFFSETS_4", 2), ("FILTERS", 4)],
};

/// Constants of the shaders that work on values one by one; see [`super::elements`].
const ONE_BY_ONE: &[(&str, u32)] = &[("THREADS", 64), ("ELEMENTS", 8)];

const fn one_by_one(
    name: &'static str,
    text: &'static str,
    shared: &'static [&'static str],
) -> Shader {
    Shader { name, text, shared, constants: ONE_BY_ONE }
}

pub static ACTIVATION: Shader = one_by_one(
    "activation",
    include_str!("../../../shaders/activation.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, EXPONENTIAL_TEXT, ACTIVATION_TEXT],
);
pub static ACTIVATION_BACKWARD: Shader = one_by_one(
    "activation_backward",
    include_str!("../../../shaders/activation_backward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, EXPONENTIAL_TEXT, ACTIVATION_TEXT],
);
pub static ADD: Shader = one_by_one(
    "add",
    include_str!("../../../shaders/add.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, EXPONENTIAL_TEXT, ACTIVATION_TEXT],
);
pub static AVGPOOL_BACKWARD: Shader = one_by_one(
    "avgpool_backward",
    include_str!("../../../shaders/avgpool_backward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static AVGPOOL_FORWARD: Shader = one_by_one(
    "avgpool_forward",
    include_str!("../../../shaders/avgpool_forward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static BATCHNORM_BACKWARD: Shader = one_by_one(
    "batchnorm_backward",
    include_str!("../../../shaders/batchnorm_backward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT],
);
pub static BATCHNORM_FORWARD: Shader = one_by_one(
    "batchnorm_forward",
    include_str!("../../../shaders/batchnorm_forward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, EXPONENTIAL_TEXT, ACTIVATION_TEXT],
);
pub static CHANNEL_SUMS: Shader = one_by_one(
    "channel_sums",
    include_str!("../../../shaders/channel_sums.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT],
);
pub static CONCAT: Shader = one_by_one(
    "concat",
    include_str!("../../../shaders/concat.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static DROPOUT: Shader = one_by_one(
    "dropout",
    include_str!("../../../shaders/dropout.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT, THREEFRY_TEXT],
);
pub static GATHER_BATCH: Shader = one_by_one(
    "gather_batch",
    include_str!("../../../shaders/gather_batch.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT],
);
pub static MAXPOOL_BACKWARD: Shader = one_by_one(
    "maxpool_backward",
    include_str!("../../../shaders/maxpool_backward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static MAXPOOL_FORWARD: Shader = one_by_one(
    "maxpool_forward",
    include_str!("../../../shaders/maxpool_forward.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static OPTIMIZER_STEP: Shader = one_by_one(
    "optimizer_step",
    include_str!("../../../shaders/optimizer_step.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT],
);
pub static REDUCE_PARTIALS: Shader = one_by_one(
    "reduce_partials",
    include_str!("../../../shaders/reduce_partials.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT],
);
pub static SOFTMAX_CROSS_ENTROPY: Shader = one_by_one(
    "softmax_cross_entropy",
    include_str!("../../../shaders/softmax_cross_entropy.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT, STEPS_TEXT, EXPONENTIAL_TEXT],
);
pub static TRANSPOSE: Shader = one_by_one(
    "transpose",
    include_str!("../../../shaders/transpose.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);
pub static TRANSPOSE_WEIGHTS: Shader = one_by_one(
    "transpose_weights",
    include_str!("../../../shaders/transpose_weights.wgsl"),
    &[TASKS_TEXT, ELEMENTS_TEXT],
);

/// All of them.
pub static REGISTRY: &[&Shader] = &[
    &PRODUCT,
    &CORRELATION,
    &ACTIVATION,
    &ACTIVATION_BACKWARD,
    &ADD,
    &AVGPOOL_BACKWARD,
    &AVGPOOL_FORWARD,
    &BATCHNORM_BACKWARD,
    &BATCHNORM_FORWARD,
    &CHANNEL_SUMS,
    &CONCAT,
    &DROPOUT,
    &GATHER_BATCH,
    &MAXPOOL_BACKWARD,
    &MAXPOOL_FORWARD,
    &OPTIMIZER_STEP,
    &REDUCE_PARTIALS,
    &SOFTMAX_CROSS_ENTROPY,
    &TRANSPOSE,
    &TRANSPOSE_WEIGHTS,
];

impl Shader {
    /// The whole text, with other values for some of the constants.
    pub fn assemble(&self, constants: &[(&str, u32)]) -> String {
        let mut values: BTreeMap<&str, u32> = self.constants.iter().copied().collect();
        for &(name, value) in constants {
            let old = values.insert(name, value);
            assert!(old.is_some(), "{} has no constant {name}", self.name);
        }
        let mut text = String::new();
        for (name, value) in &values {
            writeln!(text, "const {name}: u32 = {value}u;").expect("a String takes it all");
        }
        for part in self.shared.iter().chain([&self.text]) {
            let lines: Vec<&str> = part.lines().collect();
            repeat(&lines, &values, &mut Vec::new(), &mut text);
        }
        text
    }
}

/// The SHA-256 of the texts of all shaders: a table names it, since another text may round
/// otherwise.
pub fn hash() -> [u8; 32] {
    let mut hasher = Sha256::new();
    for shader in REGISTRY {
        for part in shader.shared.iter().chain([&shader.text]) {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
    }
    hasher.finalize().into()
}

/// What a name between braces stands for.
type Names<'a> = Vec<(&'a str, String, usize)>;

/// Writes lines out, those between `//@ for` and `//@ end` as often as they say.
fn repeat<'a>(
    lines: &[&'a str],
    constants: &BTreeMap<&str, u32>,
    names: &mut Names<'a>,
    into: &mut String,
) {
    let mut at = 0;
    while at < lines.len() {
        let Some((name, range)) = loop_of(lines[at]) else {
            into.push_str(&replaced(lines[at], names));
            into.push('\n');
            at += 1;
            continue;
        };
        let end = end_of(lines, at);
        let turns: Vec<String> = match constants.get(range) {
            Some(&count) => (0..count).map(|number| number.to_string()).collect(),
            None => range.chars().map(String::from).collect(),
        };
        for (number, turn) in turns.into_iter().enumerate() {
            names.push((name, turn, number));
            repeat(&lines[at + 1..end], constants, names, into);
            names.pop();
        }
        at = end + 1;
    }
}

/// `(p, PLACES)` of `//@ for p in PLACES`.
fn loop_of(line: &str) -> Option<(&str, &str)> {
    line.trim().strip_prefix("//@ for ")?.split_once(" in ")
}

/// Where the loop that begins at `start` ends.
fn end_of(lines: &[&str], start: usize) -> usize {
    let mut depth = 0;
    for (at, line) in lines.iter().enumerate().skip(start) {
        depth += usize::from(loop_of(line).is_some());
        depth -= usize::from(line.trim() == "//@ end");
        if depth == 0 {
            return at;
        }
    }
    panic!("`{}` has no end", lines[start]);
}

fn replaced(line: &str, names: &Names<'_>) -> String {
    let mut line = line.to_string();
    for (name, turn, number) in names {
        line = line.replace(&format!("{{{name}}}"), turn);
        line = line.replace(&format!("{{{name}#}}"), &number.to_string());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::naga::front::wgsl;
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

    /// Parses and validates a text as wgpu does.
    #[track_caller]
    fn validate(name: &str, text: &str) {
        let module = match wgsl::parse_str(text) {
            Ok(module) => module,
            Err(e) => panic!("{name}: {}", e.emit_to_string(text)),
        };
        let checked =
            Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
        if let Err(e) = checked {
            panic!("{name}: {}", e.emit_to_string(text));
        }
        let entries: Vec<&str> = module.entry_points.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(entries, ["main"], "{name}");
    }

    #[test]
    fn every_shader_is_valid_with_every_tile() {
        for shader in REGISTRY {
            validate(shader.name, &shader.assemble(&[]));
            for (name, _) in shader.constants.iter().filter(|(name, _)| *name != "THREADS") {
                for value in 1..=8 {
                    let threads = ("THREADS", 16);
                    let text = shader.assemble(&[(name, value), threads]);
                    validate(&format!("{} with {name} = {value}", shader.name), &text);
                }
            }
        }
    }

    #[test]
    fn loops_are_written_out_from_the_inside() {
        let lines = [
            "//@ for p in P",
            "a{p}",
            "//@ for c in xy",
            "{p}{c}={c#}",
            "//@ end",
            "//@ end",
            "{p}",
        ];
        let mut text = String::new();
        repeat(&lines, &BTreeMap::from([("P", 2)]), &mut Vec::new(), &mut text);
        assert_eq!(text, "a0\n0x=0\n0y=1\na1\n1x=0\n1y=1\n{p}\n");
    }

    #[test]
    fn no_directive_is_left_in_a_text() {
        for shader in REGISTRY {
            let text = shader.assemble(&[]);
            assert!(!text.contains("//@"), "{}", shader.name);
            assert!(text.starts_with("const "), "{}", shader.name);
        }
    }

    #[test]
    fn every_file_is_in_the_registry() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shaders");
        let mut found: Vec<String> = std::fs::read_dir(directory)
            .expect("shaders/ is there")
            .filter_map(|entry| entry.expect("it can be read").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".wgsl").map(str::to_string))
            .collect();
        found.sort();
        let mut listed: Vec<&str> = REGISTRY.iter().map(|shader| shader.name).collect();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }
}
