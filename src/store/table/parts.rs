//! Parts: what of an unfinished table is durable.
//!
//! `parts/header.json` says what is being trained; `parts/part-00000/` and its successors hold a
//! cohort each, in the layout of the finished files, and the lengths and hashes of these. A part
//! is written as `part-00000.partial`, synced, and appears by one rename. Parts of a finished table
//! that grows stand beside `growth.json` instead; see [`growth`].

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{SchemaRef, UInt32Type};
use base::error::{Error, Result, fault, internal, io};

use super::encode::{self, Packing, configs_batch, curves_batch};
use super::manifest::{FileSeal, Header};
use super::parquet_file::{Kind, ParquetFile};
use super::record::Recorded;
use super::{CONFIGS_FILE, CURVES_FILE, files, growth};
use crate::{inputs, lock};

/// What is being trained.
pub(super) const HEADER_FILE: &str = "header.json";
/// Stands here while shards are being merged.
pub(super) const MARKER: &str = "merging";
/// What the files of a part were when they were written.
const SUMS_FILE: &str = "sums.json";

/// A durable part.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) dir: PathBuf,
    /// Its configurations, ascending.
    pub(super) ids: Vec<u32>,
}

/// A part in memory.
#[derive(Debug)]
pub(super) struct LoadedPart {
    pub(super) configs: RecordBatch,
    pub(super) curves: RecordBatch,
    /// Rows of `curves` of each row of `configs`.
    pub(super) ranges: Vec<Range<usize>>,
}

fn name(number: usize) -> String {
    format!("part-{number:05}")
}

/// Writes a cohort as the part of this number. Its configurations are sorted by id.
pub(super) fn write(
    parts_dir: &Path,
    number: usize,
    header: &Header,
    cohort: &[Recorded],
) -> Result<Part> {
    let dir = parts_dir.join(name(number));
    let unfinished = files::partial(&dir);
    remove_if_there(&unfinished)?;
    let written = write_files(&unfinished, header, cohort);
    // A full disk has no room for halves. Best effort: resuming takes them away, too.
    written.inspect_err(|_| drop(fs::remove_dir_all(&unfinished)))?;
    files::rename(&unfinished, &dir)?;
    Ok(Part { dir, ids: cohort.iter().map(|c| c.config_id.0).collect() })
}

fn write_files(dir: &Path, header: &Header, cohort: &[Recorded]) -> Result<()> {
    fs::create_dir(dir).map_err(|e| io(dir, "creating", e))?;
    let layout = &header.layout;
    let configs = configs_batch(&header.space, layout, cohort)?;
    write_file(&dir.join(CONFIGS_FILE), &configs, |name| layout.config_repeats(name))?;
    let curves = curves_batch(layout, cohort)?;
    write_file(&dir.join(CURVES_FILE), &curves, |name| layout.curve_repeats(name))?;
    let text = serde_json::to_vec(&sums(dir)?).map_err(|e| internal("writing JSON", e))?;
    files::write_atomically(&dir.join(SUMS_FILE), &text)
}

fn write_file(path: &Path, batch: &RecordBatch, few_values: impl Fn(&str) -> bool) -> Result<()> {
    let file = File::create(path).map_err(|e| io(path, "creating", e))?;
    let mut writer = encode::writer(&file, batch.schema(), Packing::Part, few_values)?;
    writer.write(batch).map_err(|e| encode::failed(path, e))?;
    writer.finish().map_err(|e| encode::failed(path, e))?;
    file.sync_all().map_err(|e| io(path, "syncing", e))
}

/// Length and hash of the files of a part.
fn sums(dir: &Path) -> Result<BTreeMap<String, FileSeal>> {
    let seal = |name: &str| Ok((name.to_string(), files::seal(&dir.join(name))?));
    [CONFIGS_FILE, CURVES_FILE].into_iter().map(seal).collect()
}

/// Sees that a part is what was written.
fn check_sums(dir: &Path) -> Result<()> {
    let text = inputs::read_text(&dir.join(SUMS_FILE), 4096)
        .map_err(|e| foreign(dir, &format!("{SUMS_FILE}: {e}")))?;
    let written: BTreeMap<String, FileSeal> =
        serde_json::from_str(&text).map_err(|e| foreign(dir, &format!("{SUMS_FILE}: {e}")))?;
    if sums(dir).is_ok_and(|found| found == written) {
        return Ok(());
    }
    Err(foreign(dir, "other bytes than were written"))
}

/// Takes the parts away, and what else this program put beside them. What is not ours stays, and
/// with it the directory.
pub(super) fn clear(parts_dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(parts_dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| io(parts_dir, "reading", e))?,
    };
    for entry in entries {
        let path = entry.map_err(|e| io(parts_dir, "reading", e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if is_part(name) || name == growth::GROWN_PARTIAL {
            remove_if_there(&path)?;
        } else if is_ours(name) {
            fs::remove_file(&path).map_err(|e| io(&path, "removing", e))?;
        }
    }
    // Something of others may stand there.
    let _ = fs::remove_dir(parts_dir);
    Ok(())
}

/// The name of a part, whole or half-written.
fn is_part(name: &str) -> bool {
    let number = name.strip_prefix("part-").map(|n| n.strip_suffix(".partial").unwrap_or(n));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The name of a file that stands beside the parts.
fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(".partial").unwrap_or(name);
    [HEADER_FILE, growth::GROWTH_FILE, lock::LOCK_FILE, MARKER].contains(&name)
}

/// A name in the directory of the parts that is none of ours, if there is one.
pub(super) fn stranger(parts_dir: &Path) -> Option<String> {
    let names = fs::read_dir(parts_dir).ok()?.flatten().map(|entry| entry.file_name());
    let mut names = names.map(|name| name.to_string_lossy().into_owned());
    names.find(|name| !is_part(name) && !is_ours(name))
}

/// Removes what an earlier process left half-written.
pub(super) fn remove_if_there(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(dir, "removing", e)),
        _ => Ok(()),
    }
}

/// Finds the durable parts, in their order, and removes half-written ones.
pub(super) fn find(parts_dir: &Path) -> Result<Vec<Part>> {
    let entries = fs::read_dir(parts_dir).map_err(|e| io(parts_dir, "reading", e))?;
    let mut dirs = Vec::new();
    for entry in entries {
        let dir = entry.map_err(|e| io(parts_dir, "reading", e))?.path();
        let name = dir.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if !is_part(name) {
            continue;
        }
        if name.ends_with(".partial") {
            remove_if_there(&dir)?;
        } else {
            dirs.push(dir);
        }
    }
    // Numbers have leading zeros; longer ones come after all shorter ones.
    dirs.sort_by_key(|dir| (dir.as_os_str().len(), dir.clone()));
    let read = |dir: PathBuf| {
        check_sums(&dir)?;
        Ok(Part { ids: read_ids(&dir)?, dir })
    };
    dirs.into_iter().map(read).collect()
}

/// The number of the next part after these: one above the last, also where some are missing.
pub(super) fn next_number(parts: &[Part]) -> usize {
    let last = parts.last().and_then(|part| part.dir.file_name()?.to_str());
    last.and_then(|n| n.strip_prefix("part-")?.parse::<usize>().ok()).map_or(0, |n| n + 1)
}

fn read_ids(dir: &Path) -> Result<Vec<u32>> {
    let file = ParquetFile::open(&dir.join(CONFIGS_FILE))?;
    file.require("config_id", Kind::Ids)?;
    let mut ids = Vec::new();
    file.scan(&["config_id"], |_, batch| {
        for id in &file.ints(batch, "config_id")? {
            let id = id.and_then(|id| u32::try_from(id).ok());
            ids.push(id.ok_or_else(|| foreign(dir, "an id that is none"))?);
        }
        Ok(())
    })?;
    Ok(ids)
}

pub(super) fn foreign(dir: &Path, what: &str) -> Error {
    let rule = "must be a part as training wrote it";
    let remedy = "remove this directory: its configurations are then trained again";
    fault(dir.display(), "contents", what, rule, remedy)
}

/// Reads a part whole.
pub(super) fn load(part: &Part, header: &Header) -> Result<LoadedPart> {
    let Header { space, layout, .. } = header;
    let configs = read_whole(&part.dir, CONFIGS_FILE, &layout.configs_schema(space))?;
    let curves = read_whole(&part.dir, CURVES_FILE, &layout.curves_schema())?;
    if column_ids(&configs).values() != part.ids.as_slice() {
        return Err(foreign(&part.dir, "other ids than before"));
    }
    loaded(&part.dir, configs, curves)
}

/// Finds the curves of each configuration.
pub(super) fn loaded(dir: &Path, configs: RecordBatch, curves: RecordBatch) -> Result<LoadedPart> {
    let (ids, owners) = (column_ids(&configs), column_ids(&curves));
    let mut ranges = Vec::with_capacity(ids.len());
    let mut row = 0;
    for &id in ids.values() {
        let start = row;
        while row < owners.len() && owners.value(row) == id {
            row += 1;
        }
        ranges.push(start..row);
    }
    if row != owners.len() {
        return Err(foreign(dir, "curves of other configurations"));
    }
    Ok(LoadedPart { configs, curves, ranges })
}

pub(super) fn column_ids(batch: &RecordBatch) -> &UInt32Array {
    let ids = batch.column_by_name("config_id").expect("of the schema that is written");
    ids.as_primitive::<UInt32Type>()
}

/// Reads every column of a file and gives it the very schema that is written.
fn read_whole(dir: &Path, file_name: &str, schema: &SchemaRef) -> Result<RecordBatch> {
    let file = ParquetFile::open(&dir.join(file_name))?;
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    if let Some(missing) = columns.iter().find(|c| !file.has(c)) {
        return Err(foreign(dir, &format!("no column {missing}")));
    }
    let mut batches = Vec::new();
    file.scan(&columns, |_, batch| {
        let batch = encode::typed(batch, schema);
        batches.push(batch.map_err(|e| foreign(dir, &e.to_string()))?);
        Ok(())
    })?;
    concat_batches(schema, &batches).map_err(|e| internal("joining rows of a part", e))
}
