//! Shaders and their assembly: WGSL has neither imports nor a way to unroll.
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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::kernels::KERNELS;
use super::kernels::record::Layout;

/// A file of `shaders/`.
#[derive(Debug)]
pub struct Shader {
    /// The name of its file, and of its twin on the CPU.
    pub name: &'static str,
    pub(super) text: &'static str,
    /// What it needs of `shaders/shared/`, `tasks.wgsl` aside.
    pub(super) shared: &'static [&'static str],
    /// Constants that the text leaves open, with the values that suit most adapters.
    pub constants: &'static [(&'static str, u32)],
    /// How its struct `Job` lies in memory.
    pub(super) job: Layout,
}

/// The parts that shaders share.
pub(super) const ACTIVATION: &str = include_str!("../../../shaders/shared/activation.wgsl");
const ELEMENTS: &str = include_str!("../../../shaders/shared/elements.wgsl");
pub(super) const EXPONENTIAL: &str = include_str!("../../../shaders/shared/exponential.wgsl");
pub(super) const STEPS: &str = include_str!("../../../shaders/shared/steps.wgsl");
const TASKS: &str = include_str!("../../../shaders/shared/tasks.wgsl");
pub(super) const THREEFRY: &str = include_str!("../../../shaders/shared/threefry.wgsl");

impl Shader {
    /// One that works on values one by one; see [`super::kernels::elements`].
    pub(super) const fn elementwise(
        name: &'static str,
        text: &'static str,
        shared: &'static [&'static str],
        job: Layout,
    ) -> Self {
        let constants = &[("THREADS", 64), ("ELEMENTS", 8)];
        Self { name, text, shared, constants, job }
    }

    /// Its texts, one after the other.
    fn parts(&self) -> impl Iterator<Item = &'static str> {
        let is_elementwise = self.constants.iter().any(|(name, _)| *name == "ELEMENTS");
        let elements = is_elementwise.then_some(ELEMENTS);
        let shared = self.shared.iter().copied();
        [TASKS].into_iter().chain(elements).chain(shared).chain([self.text])
    }

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
        for part in self.parts() {
            let lines: Vec<&str> = part.lines().collect();
            repeat(&lines, &values, &mut Vec::new(), &mut text);
        }
        text
    }
}

/// Every shader once.
fn all() -> impl Iterator<Item = &'static Shader> {
    let mut seen = BTreeSet::new();
    KERNELS.iter().map(|kernel| kernel.shader).filter(move |shader| seen.insert(shader.name))
}

/// The SHA-256 of the texts of all shaders: a table names it, since another text may round
/// otherwise.
pub fn hash() -> [u8; 32] {
    let mut hasher = Sha256::new();
    for shader in all() {
        for part in shader.parts() {
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
        for shader in all() {
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
        for shader in all() {
            let text = shader.assemble(&[]);
            assert!(!text.contains("//@"), "{}", shader.name);
            assert!(text.starts_with("const "), "{}", shader.name);
        }
    }
}
