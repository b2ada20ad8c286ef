//! From parts to the final files.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use base::error::{Result, internal, io};

use super::encode::{self, Packing};
use super::growth::Base;
use super::manifest::{FileSeal, Header};
use super::parts::{LoadedPart, Part, load as load_part};
use super::{CONFIGS_FILE, CURVES_FILE, files};

/// Configurations put into the final files at a time. A constant, so that the bytes of a table do
/// not depend on the cohorts in which it was trained.
pub(super) const STRIDE: usize = 256;
const STRIDE_IDS: u32 = 256;

/// Puts the parts together, sorted by id, into the two Parquet files of a table, under other names
/// until they are whole; where a finished table grows, with its rows. Memory is taken for the parts
/// that share [`STRIDE`] configurations.
pub(super) fn assemble(
    dir: &Path,
    header: &Header,
    base: Option<&Base>,
    parts: &[Part],
) -> Result<BTreeMap<String, FileSeal>> {
    let written = write(dir, header, base, parts);
    // A full disk has no room for halves. Best effort: the parts are what counts.
    written.inspect_err(|_| discard(dir))
}

/// Takes unfinished Parquet files away, as far as that goes.
pub(super) fn discard(dir: &Path) {
    for name in [CONFIGS_FILE, CURVES_FILE] {
        let _ = fs::remove_file(files::partial(&dir.join(name)));
    }
}

fn write(
    dir: &Path,
    header: &Header,
    base: Option<&Base>,
    parts: &[Part],
) -> Result<BTreeMap<String, FileSeal>> {
    let mut order: Vec<(u32, usize, usize)> = Vec::with_capacity(header.configs as usize);
    for (part, of) in parts.iter().enumerate() {
        order.extend(of.ids.iter().enumerate().map(|(row, &id)| (id, part, row)));
    }
    order.sort_unstable();
    let (configs_path, curves_path) = (dir.join(CONFIGS_FILE), dir.join(CURVES_FILE));
    let configs_file = create_partial(&configs_path)?;
    let curves_file = create_partial(&curves_path)?;
    let Header { space, layout, .. } = header;
    let schema = layout.configs_schema(space);
    let mut configs =
        encode::writer(&configs_file, schema, Packing::Whole, |name| layout.config_repeats(name))?;
    let schema = layout.curves_schema();
    let mut curves =
        encode::writer(&curves_file, schema, Packing::Whole, |name| layout.curve_repeats(name))?;
    let mut base_rows = base.map(|base| base.rows(header)).transpose()?;
    let base_end = base.map_or(0, |base| base.ids.end);
    let mut loaded: HashMap<usize, LoadedPart> = HashMap::new();
    let mut left = &order[..];
    let ids = header.ids();
    for start in ids.clone().step_by(STRIDE) {
        let end = ids.end.min(start.saturating_add(STRIDE_IDS));
        let (chunk, rest) = left.split_at(left.partition_point(|&(id, ..)| id < end));
        left = rest;
        for &(_, part, _) in chunk {
            if let Entry::Vacant(free) = loaded.entry(part) {
                free.insert(load_part(&parts[part], header)?);
            }
        }
        let before = match &mut base_rows {
            Some(rows) if start < base_end => Some(rows.next(start..end.min(base_end))?),
            _ => None,
        };
        let (config_rows, curve_rows) = gather(start, before.as_ref(), chunk, &loaded)?;
        configs.write(&config_rows).map_err(|e| encode::failed(&configs_path, e))?;
        curves.write(&curve_rows).map_err(|e| encode::failed(&curves_path, e))?;
        loaded.retain(|&part, _| parts[part].ids.last().is_some_and(|last| *last >= end));
    }
    configs.finish().map_err(|e| encode::failed(&configs_path, e))?;
    curves.finish().map_err(|e| encode::failed(&curves_path, e))?;
    commit(dir, configs_file, curves_file)
}

/// Syncs both files and gives them their names, and hashes what is then there.
pub(super) fn commit(
    dir: &Path,
    configs: File,
    curves: File,
) -> Result<BTreeMap<String, FileSeal>> {
    let mut seals = BTreeMap::new();
    for (name, file) in [(CONFIGS_FILE, configs), (CURVES_FILE, curves)] {
        let path = dir.join(name);
        files::commit(&file, &files::partial(&path), &path)?;
        seals.insert(name.to_string(), files::seal(&path)?);
    }
    Ok(seals)
}

/// Rows of some configurations, in the order of their ids, out of the finished table and the parts
/// that hold them. Of a configuration that both have, the parts hold further curves.
fn gather(
    start: u32,
    before: Option<&LoadedPart>,
    chunk: &[(u32, usize, usize)],
    loaded: &HashMap<usize, LoadedPart>,
) -> Result<(RecordBatch, RecordBatch)> {
    let mut numbers: Vec<usize> = chunk.iter().map(|&(_, part, _)| part).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of_parts = numbers.iter().map(|number| &loaded[number]);
    let sources: Vec<&LoadedPart> = before.into_iter().chain(of_parts).collect();
    let first_part = usize::from(before.is_some());
    let at = |part: usize| first_part + numbers.binary_search(&part).expect("taken from the chunk");
    let of_base = before.map_or(0, |before| before.ranges.len());
    // What the table has comes first of a configuration.
    let mut order: Vec<(u32, usize, usize)> =
        (start..).zip(0..of_base).map(|(id, row)| (id, 0, row)).collect();
    order.extend(chunk.iter().map(|&(id, part, row)| (id, at(part), row)));
    order.sort_unstable();
    let mut config_rows = Vec::with_capacity(order.len());
    let mut curve_rows = Vec::new();
    let mut last = None;
    for (id, source, row) in order {
        if last.replace(id) != Some(id) {
            config_rows.push((source, row));
        }
        curve_rows.extend(sources[source].ranges[row].clone().map(|row| (source, row)));
    }
    let join = |of: fn(&LoadedPart) -> &RecordBatch, rows: &[(usize, usize)]| {
        let batches: Vec<&RecordBatch> = sources.iter().map(|source| of(source)).collect();
        interleave_record_batch(&batches, rows).map_err(|e| internal("joining parts", e))
    };
    Ok((join(|p| &p.configs, &config_rows)?, join(|p| &p.curves, &curve_rows)?))
}

pub(super) fn create_partial(path: &Path) -> Result<File> {
    let unfinished = files::partial(path);
    File::create(&unfinished).map_err(|e| io(&unfinished, "creating", e))
}
