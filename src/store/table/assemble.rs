//! From parts to the final files.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use base::error::{Result, internal, io};

use super::encode;
use super::manifest::{FileSeal, Header};
use super::parts::{LoadedPart, Part, load as load_part};
use super::{CONFIGS_FILE, CURVES_FILE, files};

/// Configurations put into the final files at a time. A constant, so that the bytes of a table do
/// not depend on the cohorts in which it was trained.
pub(super) const STRIDE: usize = 256;

/// Puts the parts together, sorted by id, into the two Parquet files of a table, under other names
/// until they are whole. Memory is taken for the parts that share [`STRIDE`] configurations.
pub(super) fn assemble(
    dir: &Path,
    header: &Header,
    parts: &[Part],
) -> Result<BTreeMap<String, FileSeal>> {
    let written = write(dir, header, parts);
    // A full disk has no room for halves. Best effort: the parts are what counts.
    written.inspect_err(|_| discard(dir))
}

/// Takes unfinished Parquet files away, as far as that goes.
pub(super) fn discard(dir: &Path) {
    for name in [CONFIGS_FILE, CURVES_FILE] {
        let _ = fs::remove_file(files::partial(&dir.join(name)));
    }
}

fn write(dir: &Path, header: &Header, parts: &[Part]) -> Result<BTreeMap<String, FileSeal>> {
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
    let mut configs = encode::writer(&configs_file, schema, |name| layout.config_repeats(name))?;
    let schema = layout.curves_schema();
    let mut curves = encode::writer(&curves_file, schema, |name| layout.curve_repeats(name))?;
    let mut loaded: HashMap<usize, LoadedPart> = HashMap::new();
    for chunk in order.chunks(STRIDE) {
        for &(_, part, _) in chunk {
            if let Entry::Vacant(free) = loaded.entry(part) {
                free.insert(load_part(&parts[part], header)?);
            }
        }
        let (config_rows, curve_rows) = gather(chunk, &loaded)?;
        configs.write(&config_rows).map_err(|e| encode::failed(&configs_path, e))?;
        curves.write(&curve_rows).map_err(|e| encode::failed(&curves_path, e))?;
        let last = chunk.last().expect("chunks are not empty").0;
        loaded.retain(|&part, _| parts[part].ids.last() > Some(&last));
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

/// Rows of some configurations, in the order given, out of the parts that hold them.
fn gather(
    chunk: &[(u32, usize, usize)],
    loaded: &HashMap<usize, LoadedPart>,
) -> Result<(RecordBatch, RecordBatch)> {
    let mut numbers: Vec<usize> = chunk.iter().map(|&(_, part, _)| part).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let at = |part: usize| numbers.binary_search(&part).expect("taken from the chunk");
    let mut config_rows = Vec::with_capacity(chunk.len());
    let mut curve_rows = Vec::new();
    for &(_, part, row) in chunk {
        let Range { start, end } = loaded[&part].ranges[row];
        config_rows.push((at(part), row));
        curve_rows.extend((start..end).map(|r| (at(part), r)));
    }
    let join = |of: fn(&LoadedPart) -> &RecordBatch, rows: &[(usize, usize)]| {
        let batches: Vec<&RecordBatch> = numbers.iter().map(|n| of(&loaded[n])).collect();
        interleave_record_batch(&batches, rows).map_err(|e| internal("joining parts", e))
    };
    Ok((join(|p| &p.configs, &config_rows)?, join(|p| &p.curves, &curve_rows)?))
}

pub(super) fn create_partial(path: &Path) -> Result<File> {
    let unfinished = files::partial(path);
    File::create(&unfinished).map_err(|e| io(&unfinished, "creating", e))
}
