//! Keeps the house by reading its sources: what may name what, what is never called, what is
//! forgotten. Every rule is a function over text, and has a counter-example that it must find.

mod rooms;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rooms::ROOMS;
use source::{Source, declared, words};

/// Columns of a line and lines of a file.
const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 500;

/// Same table, settings and seed: same bytes. Nothing here may ask the machine.
const REPRODUCIBLE: [&str; 5] = ["answers", "base", "methods", "replay", "train/model"];

/// The one file that may look at the real clock: `--overhead measured` asks it to.
const MEASURING_FILE: &str = "src/replay/engine/overhead.rs";

/// Words that bring in what differs between two processes.
const NOT_REPRODUCIBLE: [&str; 9] = [
    "Instant",
    "SystemTime",
    "thread_rng",
    "ThreadRng",
    "OsRng",
    "StdRng",
    "SmallRng",
    "RandomState",
    "from_os_rng",
];

/// Methods of std's floats whose last bits differ between machines; `libm` has them too.
const TRANSCENDENTAL: [&str; 23] = [
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "sin", "cos",
    "tan", "sin_cos", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "cbrt", "hypot",
];

/// Crates that only some modules of their room name.
const OWNED_CRATES: [(&str, &[&str]); 5] = [
    ("ureq", &["train/data/download"]),
    ("tar", &["train/data/download"]),
    ("etcetera", &["train/data/place"]),
    ("wgpu", &["train/gpu"]),
    ("pollster", &["train/gpu"]),
];

/// Within the methods' room: what each folder may name. Methods are strangers to each other.
const STRANGERS: [(&str, &[&str]); 8] = [
    ("interface", &[]),
    ("kit", &["interface"]),
    ("surrogates", &["interface", "kit"]),
    ("rungs", &["interface"]),
    ("samplers", &["interface", "kit", "surrogates"]),
    ("schedulers", &["interface", "kit", "rungs", "surrogates"]),
    ("stoppers", &["interface", "kit", "surrogates"]),
    ("endings", &["interface", "kit", "surrogates"]),
];

/// The one file that may say `unsafe`.
const UNSAFE_FILE: &str = "src/train/gpu/trusted.rs";

const TOP_LEVEL: [&str; 18] = [
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "deny.toml",
    "pyproject.toml",
    "rustfmt.toml",
    "shaders",
    "src",
    "tables",
    "tests",
];

/// The modules of the root of its crate that a file names, with lines.
fn modules_named(source: &Source) -> Vec<(usize, String)> {
    // The first part of the path is the crate itself.
    let depth = source.module().len().saturating_sub(1);
    let mut found = Vec::new();
    for word in words(&source.code) {
        let leads_to_root = match word.text {
            "crate" => true,
            "super" => supers_up_to(word.before) + 1 == depth,
            _ => false,
        };
        let Some(path) = word.after.strip_prefix("::").filter(|_| leads_to_root) else { continue };
        found.extend(first_names(path.trim_start()).into_iter().map(|n| (word.line, n)));
    }
    found
}

/// How many `super::` stand right before.
fn supers_up_to(before: &str) -> usize {
    before.strip_suffix("super::").map_or(0, |rest| 1 + supers_up_to(rest))
}

/// `["a"]` of `a::b`, `["a", "c"]` of `{a::{b}, c}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return words(path).first().map(|w| w.text.to_string()).into_iter().collect();
    };
    let mut names = Vec::new();
    let (mut depth, mut item) = (0, String::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.extend(first_names(std::mem::take(&mut item).trim())),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                item.push(c);
            }
        }
    }
    names.extend(first_names(item.trim()));
    names
}

fn wrong_imports(source: &Source) -> Vec<String> {
    let module = source.module();
    let ["methods", own, ..] = module[..] else { return Vec::new() };
    let Some((_, allowed)) = STRANGERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("{}: `{own}` is not in the rule of the methods' room", source.path)];
    };
    let known = |name: &str| STRANGERS.iter().any(|(other, _)| *other == name);
    modules_named(source)
        .into_iter()
        .filter(|(_, name)| *name != own && known(name) && !allowed.contains(&name.as_str()))
        .map(|(line, name)| format!("{}:{line}: `{own}` may not name `{name}`", source.path))
        .collect()
}

/// The backends of the trainer are strangers, and what both need knows none of them. Tests may
/// compare them.
fn wrong_backends(source: &Source) -> Vec<String> {
    let strangers: &[&str] = match source.module()[..] {
        ["train", "gpu", ..] => &["cpu"],
        ["train", "cpu", ..] => &["gpu"],
        ["train", "data" | "graph" | "model", ..] => &["cpu", "gpu"],
        _ => &[],
    };
    modules_named(source)
        .into_iter()
        .filter(|(_, name)| strangers.contains(&name.as_str()))
        .map(|(line, name)| format!("{}:{line}: may not name `{name}`", source.path))
        .collect()
}

/// Whether a word begins a path into a crate: `arrow::x`, `::arrow`, `use arrow;`.
fn names_crate(word: &source::Word<'_>, name: &str) -> bool {
    let begins = !word.before.ends_with("::") && !word.before.ends_with('.');
    let follows_use = word.before.ends_with("use");
    word.text == name && begins && (word.after.starts_with("::") || follows_use)
}

fn foreign_crates(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for word in words(&source.code) {
        for (name, owners) in OWNED_CRATES {
            if names_crate(&word, name) && !source.is_in(owners) {
                let only = owners.join(", ");
                found.push(format!("{}:{}: only {only} names {name}", source.path, word.line));
            }
        }
    }
    found
}

fn not_reproducible(source: &Source) -> Vec<String> {
    if !source.is_in(&REPRODUCIBLE) {
        return Vec::new();
    }
    words(&source.code)
        .iter()
        .filter(|word| {
            let is_method = word.before.ends_with('.')
                || word.before.ends_with("f64::")
                || word.before.ends_with("f32::");
            (NOT_REPRODUCIBLE.contains(&word.text) && source.path != MEASURING_FILE)
                || (is_method && TRANSCENDENTAL.contains(&word.text) && word.after.starts_with('('))
        })
        .map(|w| format!("{}:{}: `{}` is not the same everywhere", source.path, w.line, w.text))
        .collect()
}

/// Work left lying about, in code and in comments; the words are split lest this file be found.
fn left_lying(source: &Source) -> Vec<String> {
    let marks = [
        concat!("todo", "!("),
        concat!("unimple", "mented!("),
        concat!("dbg", "!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("#[ig", "nore"),
    ];
    let lines = source.text.lines().enumerate();
    lines
        .flat_map(|(at, line)| marks.iter().filter(|m| line.contains(**m)).map(move |m| (at, m)))
        .map(|(at, mark)| format!("{}:{}: `{mark}`", source.path, at + 1))
        .collect()
}

fn too_large(path: &str, text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.chars().count() > COLUMNS_MAX)
        .map(|(at, _)| format!("{path}:{}: more than {COLUMNS_MAX} columns", at + 1))
        .collect();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{path}: {lines} lines, more than {LINES_MAX}"));
    }
    found
}

/// The terminal belongs to `cli`: whoever else has something to say tells `app::Events`.
fn prints(source: &Source) -> Vec<String> {
    let macros = ["print", "println", "eprint", "eprintln"];
    let printing = |w: &source::Word<'_>| macros.contains(&w.text) && w.after.starts_with('!');
    let words = words(&source.code).into_iter().filter(|w| !source.is_in(&["cli"]) && printing(w));
    words.map(|w| format!("{}:{}: only cli prints", source.path, w.line)).collect()
}

fn says_unsafe(source: &Source) -> bool {
    words(&source.code).iter().any(|word| word.text == "unsafe")
}

/// Files that no plain `mod` line reaches: rustfmt and the compiler pass over them in silence.
fn orphans(sources: &[Source]) -> Vec<String> {
    // The roots of crates, `src/lib.rs` and `src/<room>/lib.rs`, are reached by their manifests,
    // and so is the script that asks for the commit.
    let mut reached = BTreeSet::from([String::new(), "cli/build".to_string()]);
    reached.extend(ROOMS.iter().map(|(room, _)| (*room).to_string()));
    for source in sources {
        // Blanked literals, but with test modules: those are files too.
        for name in source::without_literals(&source.text).lines().filter_map(declared) {
            let mut module = source.module();
            module.push(name);
            reached.insert(module.join("/"));
        }
    }
    let orphans = sources.iter().filter(|s| !reached.contains(&s.module().join("/")));
    orphans.map(|s| format!("{}: no `mod` line reaches it", s.path)).collect()
}

/// Methods without a line in their registry: `parent` is the text of `samplers/mod.rs`.
fn unregistered(parent: &str, files: &[String]) -> Vec<String> {
    let registry = parent.split("REGISTRY").nth(1).and_then(|rest| rest.split(';').next());
    let registry = registry.expect("a REGISTRY stands in mod.rs");
    let listed: Vec<&str> = words(registry).iter().map(|w| w.text).collect();
    let missing = files.iter().filter(|name| !listed.contains(&name.as_str()));
    missing.map(|name| format!("`{name}` is in no REGISTRY")).collect()
}

fn strangers_at_top<'a>(entries: impl Iterator<Item = &'a str>) -> Vec<String> {
    let unknown: BTreeSet<&str> = entries.filter(|name| !TOP_LEVEL.contains(name)).collect();
    unknown.into_iter().map(|name| format!("{name}: not at the top level")).collect()
}

fn library() -> Vec<Source> {
    source::all("src").into_iter().filter(|s| !s.is_test).collect()
}

fn everything() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(source::all).collect()
}

#[track_caller]
fn expect_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn over(sources: &[Source], check: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(check).collect()
}

#[test]
fn methods_are_strangers() {
    let sources = library();
    let inside = |s: &&Source| s.path.starts_with("src/methods/");
    let named: usize = sources.iter().filter(inside).map(|s| modules_named(s).len()).sum();
    assert!(named > 20, "the reader of imports has gone blind: {named}");
    expect_none(&over(&sources, wrong_imports));
    for text in [
        "use crate::stoppers::etr1;",
        "use crate::{interface::{View}, stoppers};",
        "use super::super::stoppers::etr1;",
        "fn f() { crate::stoppers::load() }",
    ] {
        let wrong = wrong_imports(&Source::new("src/methods/samplers/x.rs", text));
        let expected = ["src/methods/samplers/x.rs:1: `samplers` may not name `stoppers`"];
        assert_eq!(wrong, expected, "{text}");
    }
    let text = "// crate::stoppers\nuse super::y; use crate::interface;";
    assert!(wrong_imports(&Source::new("src/methods/samplers/x.rs", text)).is_empty());
    assert_eq!(wrong_imports(&Source::new("src/methods/new/x.rs", "")).len(), 1);
}

#[test]
fn the_backends_of_the_trainer_do_not_know_each_other() {
    expect_none(&over(&library(), wrong_backends));
    for (path, text) in [
        ("src/train/gpu/layout.rs", "use crate::cpu::lanes::LANES;"),
        ("src/train/gpu/kernels/add.rs", "use super::super::super::cpu::add;"),
        ("src/train/cpu/net.rs", "fn f() -> crate::gpu::Gpu {}"),
        ("src/train/graph/wiring.rs", "use crate::{cpu, model};"),
    ] {
        assert_eq!(wrong_backends(&Source::new(path, text)).len(), 1, "{path}: {text}");
    }
    let test = "use crate::graph;\n#[cfg(test)]\nmod tests {\n    use crate::cpu::add;\n}";
    assert!(wrong_backends(&Source::new("src/train/gpu/kernels/add.rs", test)).is_empty());
}

#[test]
fn crates_are_named_where_they_belong() {
    let sources = library();
    expect_none(&over(&sources, foreign_crates));
    for text in ["use wgpu::Device;", "use pollster;", "fn f() -> tar::Archive<u8> {}"] {
        assert_eq!(foreign_crates(&Source::new("src/train/cpu/x.rs", text)).len(), 1, "{text}");
    }
    for text in ["use std::time::Duration;", "let wgpu = x.tar;", "// ureq::get"] {
        assert!(foreign_crates(&Source::new("src/train/cpu/x.rs", text)).is_empty(), "{text}");
    }
    let download = Source::new("src/train/data/download/x.rs", "use ureq::get;");
    assert!(foreign_crates(&download).is_empty());
}

#[test]
fn what_must_be_the_same_everywhere_asks_nothing_of_the_machine() {
    expect_none(&over(&library(), not_reproducible));
    for text in ["Instant::now()", "x.exp()", "f64::ln(x)", "x.powi(2)", "rand::thread_rng()"] {
        assert_eq!(not_reproducible(&Source::new("src/base/stats/x.rs", text)).len(), 1, "{text}");
    }
    for text in ["libm::exp(x)", "x.sqrt()", "domain.log", "// x.exp()"] {
        assert!(not_reproducible(&Source::new("src/base/stats/x.rs", text)).is_empty(), "{text}");
    }
}

/// A shader, its kernel's file and its twin on the CPU share a name.
#[test]
fn every_shader_has_its_twin() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shaders = 0;
    for directory in ["shaders", "shaders/shared"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let Some(name) = path.file_stem().filter(|_| path.is_file()) else { continue };
            for place in ["src/train/cpu", "src/train/gpu/kernels"] {
                let file = root.join(place).join(name).with_extension("rs");
                let is_there = directory == "shaders/shared" || file.is_file();
                assert!(is_there, "{name:?} has no file in {place}");
            }
            let name = format!("{directory}/{}", name.display());
            expect_none(&too_large(&name, &fs::read_to_string(&path).unwrap()));
            shaders += 1;
        }
    }
    assert!(shaders > 2);
}

#[test]
fn nothing_is_left_lying() {
    let sources = everything();
    expect_none(&over(&sources, left_lying));
    let text = format!("{}!()\n// {}: later\n#[ig{}]", "todo", concat!("TO", "DO"), "nore");
    assert_eq!(left_lying(&Source::new("src/x.rs", &text)).len(), 3);
}

#[test]
fn lines_and_files_stay_small() {
    let sources = everything();
    expect_none(&over(&sources, |s| too_large(&s.path, &s.text)));
    assert_eq!(too_large("x", &"é".repeat(101)).len(), 1);
    assert!(too_large("x", &"é".repeat(100)).is_empty());
    assert_eq!(too_large("x", &"\n".repeat(501)).len(), 1);
}

#[test]
fn every_file_is_reached_and_every_method_registered() {
    expect_none(&orphans(&source::all("src")));
    let lost = [Source::new("src/lib.rs", "mod a; // mod b;\n"), Source::new("src/b.rs", "")];
    assert_eq!(orphans(&lost), ["src/b.rs: no `mod` line reaches it"]);
    for directory in ["samplers", "schedulers", "stoppers"] {
        let of_kind: Vec<Source> = source::all(&format!("src/methods/{directory}"));
        let parent = format!("src/methods/{directory}/mod.rs");
        let parent = of_kind.iter().find(|s| s.path == parent).unwrap();
        let files = of_kind.iter().filter(|s| s.module().len() == 3);
        // What stands under `cfg(test)` is blanked: it helps tests, and is no method.
        let files = files.map(|s| s.module()[2].to_string());
        let files: Vec<String> =
            files.filter(|name| parent.code.contains(&format!("mod {name};"))).collect();
        assert!(!files.is_empty());
        expect_none(&unregistered(&parent.code, &files));
    }
    let parent = "mod a; mod b; static REGISTRY: &[E] = &[a::ENTRY];";
    assert_eq!(unregistered(parent, &["a".into(), "b".into()]), ["`b` is in no REGISTRY"]);
}

#[test]
fn the_command_line_alone_prints() {
    expect_none(&over(&library(), prints));
    let printing = "fn f() { eprintln!(\"x\") } // println!()";
    assert_eq!(prints(&Source::new("src/app/x.rs", printing)).len(), 1);
    assert!(prints(&Source::new("src/cli/x.rs", printing)).is_empty());
}

#[test]
fn unsafe_stands_in_one_file() {
    let files = library().into_iter().filter(says_unsafe).map(|s| s.path);
    assert_eq!(files.collect::<Vec<_>>(), [UNSAFE_FILE]);
    assert!(!says_unsafe(&Source::new("src/x.rs", "// unsafe\n#[expect(unsafe_code)]")));
}

/// Of what git keeps, where git can say so: results lying about are nobody's business.
#[test]
fn the_top_level_is_fixed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = Command::new("git").arg("ls-files").current_dir(root).output();
    let kept = kept.ok().filter(|o| o.status.success() && !o.stdout.is_empty());
    let names: Vec<String> = if let Some(output) = kept {
        let listing = String::from_utf8(output.stdout).unwrap();
        listing.lines().map(|path| path.split('/').next().unwrap().to_string()).collect()
    } else {
        let entries = fs::read_dir(root).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "target" && name != ".git").collect()
    };
    assert!(names.iter().any(|name| name == "Cargo.toml"));
    expect_none(&strangers_at_top(names.iter().map(String::as_str)));
    assert_eq!(strangers_at_top(["src", "utils"].into_iter()), ["utils: not at the top level"]);
}
