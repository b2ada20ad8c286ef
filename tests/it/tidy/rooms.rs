//! What the rooms may list in their `Cargo.toml`: the compiler keeps the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::expect_none;

/// The rooms, and which others each may name. An arrow that is not here is a question of design.
pub(super) const ROOMS: [(&str, &[&str]); 9] = [
    ("base", &[]),
    ("methods", &["base"]),
    ("store", &["base"]),
    ("replay", &["base", "methods"]),
    ("train", &["base", "store"]),
    ("answers", &["base", "replay", "store"]),
    ("app", &["answers", "base", "methods", "replay", "store", "train"]),
    ("cli", &["app"]),
    // Through the facade, so that features of shared crates are those of the program.
    ("python", &["curvebook"]),
];

/// Crates that only one room lists.
const OWNED_BY_ROOMS: [(&str, &str); 14] = [
    ("anyhow", "cli"),
    ("arrow", "store"),
    ("clap", "cli"),
    ("csv", "store"),
    ("ctrlc", "cli"),
    ("cpu-time", "train"),
    ("etcetera", "train"),
    ("indicatif", "cli"),
    ("parquet", "store"),
    ("polars", "answers"),
    ("pyo3", "python"),
    ("tar", "train"),
    ("ureq", "train"),
    ("wgpu", "train"),
];

/// What the `[dependencies]` of a room's `Cargo.toml` list: rooms by their name, other crates.
fn dependencies(manifest: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let manifest: toml::Table = manifest.parse().unwrap();
    let (mut rooms, mut crates): (BTreeSet<String>, BTreeSet<String>) = Default::default();
    for (name, dependency) in manifest["dependencies"].as_table().unwrap() {
        let list = if dependency.get("path").is_some() { &mut rooms } else { &mut crates };
        list.insert(name.clone());
    }
    (rooms, crates)
}

fn wrong_dependencies(room: &str, manifest: &str) -> Vec<String> {
    let (rooms, crates) = dependencies(manifest);
    let allowed = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else { return vec![format!("`{room}` is no room")] };
    let rooms = rooms.iter().filter(|name| !allowed.contains(&name.as_str()));
    let rooms = rooms.map(|name| format!("{room}: may not name the room `{name}`"));
    let owned =
        OWNED_BY_ROOMS.iter().filter(|(name, owner)| *owner != room && crates.contains(*name));
    rooms.chain(owned.map(|(name, owner)| format!("{room}: only {owner} lists {name}"))).collect()
}

#[test]
fn rooms_list_only_what_the_design_gives_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, allowed) in ROOMS {
        let manifest = fs::read_to_string(root.join(room).join("Cargo.toml")).unwrap();
        expect_none(&wrong_dependencies(room, &manifest));
        let (rooms, _) = dependencies(&manifest);
        let unused: Vec<_> = allowed.iter().filter(|name| !rooms.contains(**name)).collect();
        assert!(unused.is_empty(), "{room} need not be allowed to name {unused:?}");
    }
    let text = "[dependencies]\nstore = { path = \"../store\" }\narrow.workspace = true\n";
    let wrong = wrong_dependencies("methods", text);
    assert_eq!(
        wrong,
        ["methods: may not name the room `store`", "methods: only store lists arrow"]
    );
    assert_eq!(wrong_dependencies("utils", text).len(), 1);
}
