//! Which shards belong together, and what the table of all of them is.

use std::ops::Range;
use std::path::PathBuf;

use base::error::{Error, Result, fault};
use serde_json::{Map, Value as Json, json};

use crate::table::manifest::{self, Manifest};
use crate::table::{MANIFEST_FILE, growth, settings};

/// Something to merge.
pub(super) struct Piece {
    pub(super) dir: PathBuf,
    pub(super) manifest: Manifest,
    /// `table.json` as it stands there.
    json: Map<String, Json>,
}

impl Piece {
    fn shown(&self) -> String {
        self.dir.join(MANIFEST_FILE).display().to_string()
    }
}

/// Reads every `table.json` and sees that the shards are pieces of one table and all of it; sorted
/// by their ranges.
pub(super) fn pieces(shards: &[PathBuf]) -> Result<Vec<Piece>> {
    let read = |dir: &PathBuf| {
        let dir = growth::home(dir);
        let manifest = Manifest::read(&dir)?;
        let json = manifest::read_json(&dir.join(MANIFEST_FILE))?;
        Ok(Piece { dir, manifest, json })
    };
    let mut pieces = shards.iter().map(read).collect::<Result<Vec<_>>>()?;
    pieces.sort_by_key(|piece| (piece.manifest.ids().start, piece.manifest.ids().end));
    let Some(first) = pieces.first() else {
        let remedy = "name the directory of every shard";
        return Err(fault("command line", "shards", "none", "there is nothing to merge", remedy));
    };
    for piece in &pieces[1..] {
        check_same(first, piece)?;
    }
    check_ranges(&pieces)?;
    Ok(pieces)
}

fn check_same(first: &Piece, piece: &Piece) -> Result<()> {
    let found = settings::differences_on_merge(&first.json, &piece.json);
    let Some(difference) = found.first() else { return Ok(()) };
    let others = settings::others(&found);
    let rule = format!("{} has {}{others}", first.shown(), difference.then);
    let remedy = "merge only shards of one training: they agree in all but their ranges";
    Err(fault(piece.shown(), &difference.field, &difference.now, rule, remedy))
}

/// Ranges follow each other from 0 to the end of the whole.
fn check_ranges(pieces: &[Piece]) -> Result<()> {
    let shown = |ids: &Range<u32>| format!("{} to {}", ids.start, ids.end - 1);
    let mut end = 0;
    let mut before = "";
    let names: Vec<String> = pieces.iter().map(Piece::shown).collect();
    for (piece, name) in pieces.iter().zip(&names) {
        let ids = piece.manifest.ids();
        if ids.start < end {
            let rule = format!("{before} ends with {}: ranges must not overlap", end - 1);
            let remedy = "name each shard once, and only those of one cut";
            return Err(fault(name, "configurations", shown(&ids), rule, remedy));
        }
        if ids.start > end {
            return Err(missing(name, &ids, &(end..ids.start)));
        }
        (end, before) = (ids.end, name);
    }
    let whole = pieces.iter().find_map(|piece| whole_configs(&piece.json));
    match whole {
        Some(whole) if end < whole => {
            let last = pieces.last().map_or(0..0, |piece| piece.manifest.ids());
            Err(missing(before, &last, &(end..whole)))
        }
        _ => Ok(()),
    }
}

fn missing(name: &str, ids: &Range<u32>, gap: &Range<u32>) -> Error {
    let rule = format!("configurations {} to {} are in no shard named", gap.start, gap.end - 1);
    let found = format!("{} to {}", ids.start, ids.end - 1);
    fault(name, "configurations", found, rule, "name every shard of the table")
}

/// Configurations of the whole that a shard says it is a piece of.
fn whole_configs(json: &Map<String, Json>) -> Option<u32> {
    let configs = json.get("provenance")?.get("shard")?.get("configs")?.as_u64()?;
    u32::try_from(configs).ok()
}

/// `table.json` of the whole, without its files, and the paths of what differs.
pub(super) fn header(pieces: &[Piece]) -> (Map<String, Json>, Vec<String>) {
    let configs: u32 = pieces.iter().map(|piece| piece.manifest.configs).sum();
    let mut header = pieces[0].json.clone();
    header.insert("configs".into(), json!(configs));
    header.shift_remove("first_config");
    let of = |piece: &Piece, name: &str| {
        piece.json.get("provenance").and_then(|p| p.get(name)).cloned().unwrap_or(Json::Null)
    };
    let differs = |name: &&str| pieces.iter().any(|piece| of(piece, name) != of(&pieces[0], name));
    let differing: Vec<&str> = settings::noted_on_merge().filter(differs).collect();
    if let Some(Json::Object(provenance)) = header.get_mut("provenance") {
        for name in settings::dropped_on_merge() {
            provenance.shift_remove(name);
        }
        for name in settings::earliest_on_merge() {
            let texts = pieces.iter().filter_map(|piece| match of(piece, name) {
                Json::String(text) => Some(text),
                _ => None,
            });
            // RFC 3339 in UTC sorts as text.
            if let Some(earliest) = texts.min() {
                provenance.insert(name.into(), json!(earliest));
            }
        }
        if !differing.is_empty() {
            let shards = pieces.iter().map(|piece| {
                let mut shard = Map::new();
                shard.insert("first_config".into(), json!(piece.manifest.ids().start));
                shard.insert("configs".into(), json!(piece.manifest.configs));
                shard.extend(differing.iter().map(|&name| (name.to_string(), of(piece, name))));
                Json::Object(shard)
            });
            provenance.insert("shards".into(), shards.collect());
        }
    }
    (header, differing.into_iter().map(settings::provenance_path).collect())
}
