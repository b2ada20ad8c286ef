//! `table merge`: the shards of a table put together, with the bytes that the whole would have.
//!
//! Rows are streamed: memory is taken for a batch of rows, for [`STRIDE`] configurations and for
//! the configurations (not the curves) of one shard.

mod pieces;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use base::error::{Error, Result, fault, internal};
use pieces::Piece;

use super::assemble::{self, STRIDE};
use super::layout::Layout;
use super::parquet_file::{Kind, ParquetFile};
use super::{
    CONFIGS_FILE, CURVE_KEYS, CURVES_FILE, MANIFEST_FILE, PARTS_DIR, files, manifest, parts,
    reader, writer,
};
use super::{check, encode};
use crate::parquet_writer::ParquetWriter;

/// What a merge made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub configs: u32,
    /// Rows of `curves.parquet`.
    pub recorded_epochs: u64,
    /// What differs between the shards without forbidding a merge (processor, driver, tiles,
    /// configurations in training at once), as paths in `table.json`: seconds then compare less
    /// well across shards.
    pub differing: Vec<String>,
}

/// Merges shards, given in any order, into a table in the new or empty directory `out`.
///
/// The Parquet files are those that training the whole at once would have given, seconds aside;
/// `table.json` too, but for `created` (the earliest) and `files`. Where shards differ in adapter,
/// driver, tiles, commit or configurations trained at once, `provenance.shards` lists them shard by
/// shard, and `provenance` keeps what the first shard says. Tables of other programs merge, too, if
/// all of their columns are the same.
///
/// `table.json` comes last. A merge that was killed leaves a directory that is no table and that
/// the next merge into it starts over.
///
/// Errors: ranges that overlap, or leave configurations out; any other difference in `table.json`
/// (backend, precision, seeds, space, data, split, epochs, repeats, folds, version, ...), of which
/// each is named; files that are not what their `table.json` says; rows out of order.
pub fn merge(shards: &[PathBuf], out: &Path) -> Result<Merged> {
    merge_known(shards, out, &Layout::default())
}

/// The same where it is known what some columns mean: each shard holds to all that
/// [`check`](super::check()) asks of a table.
pub fn merge_known(shards: &[PathBuf], out: &Path, known: &Layout) -> Result<Merged> {
    let pieces = pieces::pieces(shards)?;
    let (columns, rows) = (columns(&pieces)?, rows(&pieces)?);
    for piece in &pieces {
        reader::check_seals(&piece.dir, &piece.manifest)?;
        let mut findings = check::check(&piece.dir, known, None)?.findings;
        if !findings.is_empty() {
            return Err(Error::Input(Box::new(findings.swap_remove(0))));
        }
    }
    let (mut header, differing) = pieces::header(&pieces);
    let mut room = Room::take(out)?;
    let seals = write(out, &pieces, &columns)?;
    let seals = serde_json::to_value(seals).map_err(|e| internal("writing table.json", e))?;
    header.insert("files".into(), seals);
    files::write_atomically(&out.join(MANIFEST_FILE), &manifest::json_text(&header)?)?;
    room.give_back()?;
    let configs = pieces.iter().map(|piece| piece.manifest.configs).sum();
    Ok(Merged { configs, recorded_epochs: rows, differing })
}

/// The columns that all shards have in common, of both files.
struct Columns {
    configs: Common,
    curves: Common,
}

fn columns(pieces: &[Piece]) -> Result<Columns> {
    let [id, ..] = CURVE_KEYS;
    Ok(Columns {
        configs: Common::of(pieces, CONFIGS_FILE, &[id])?,
        curves: Common::of(pieces, CURVES_FILE, &CURVE_KEYS)?,
    })
}

/// The columns of one file.
struct Common {
    schema: SchemaRef,
    /// Columns of floats that the first shard keeps with a dictionary.
    few_values: Vec<String>,
}

impl Common {
    /// What is the same in every shard. Parquet tells all that matters of a column but one thing:
    /// whether its maker took its numbers for few. The encoding shows that in files of ours; what
    /// other programs chose says more about them than about their numbers.
    fn of(pieces: &[Piece], file_name: &str, keys: &[&str]) -> Result<Self> {
        let mut common: Option<(Self, String)> = None;
        for piece in pieces {
            let file = ParquetFile::open(&piece.dir.join(file_name))?;
            for key in keys {
                file.require(key, Kind::Ids)?;
            }
            let Some((Self { schema, .. }, before)) = &common else {
                let of_file = Self {
                    schema: file.plain_schema(),
                    few_values: file.dictionaries(encode::CREATED_BY),
                };
                common = Some((of_file, file.shown().to_string()));
                continue;
            };
            let found = file.plain_schema();
            if !is_same(schema, &found) {
                let rule = format!("{before} has {}", words(schema));
                let remedy = "write all shards with the same columns, in the same order";
                return Err(fault(file.shown(), "columns", words(&found), rule, remedy));
            }
        }
        Ok(common.expect("there is a shard").0)
    }

    fn repeats(&self, name: &str) -> bool {
        self.few_values.iter().any(|column| column == name)
    }
}

/// Same names and types in the same order; what lists call their cells plays no part.
fn is_same(a: &SchemaRef, b: &SchemaRef) -> bool {
    let kind = |kind: &DataType| match kind {
        DataType::List(cell) => (true, cell.data_type().clone()),
        other => (false, other.clone()),
    };
    let fields = |schema: &SchemaRef| -> Vec<_> {
        schema.fields().iter().map(|f| (f.name().clone(), kind(f.data_type()))).collect()
    };
    fields(a) == fields(b)
}

fn words(schema: &SchemaRef) -> String {
    let fields = schema.fields().iter();
    fields.map(|f| format!("{} {}", f.name(), f.data_type())).collect::<Vec<_>>().join(", ")
}

/// Rows of all curves.
fn rows(pieces: &[Piece]) -> Result<u64> {
    pieces.iter().map(|piece| ParquetFile::open(&piece.dir.join(CURVES_FILE))?.rows()).sum()
}

type Seals = std::collections::BTreeMap<String, manifest::FileSeal>;

/// Both Parquet files, under other names until they are whole.
fn write(out: &Path, pieces: &[Piece], columns: &Columns) -> Result<Seals> {
    let configs = write_file(out, CONFIGS_FILE, &columns.configs, pieces, push_configs)?;
    let curves = write_file(out, CURVES_FILE, &columns.curves, pieces, push_curves)?;
    assemble::commit(out, configs, curves)
}

fn write_file(
    out: &Path,
    name: &str,
    common: &Common,
    pieces: &[Piece],
    push: impl Fn(&Piece, &mut Chunks<'_>) -> Result<()>,
) -> Result<File> {
    let path = out.join(name);
    let file = assemble::create_partial(&path)?;
    {
        let schema = &common.schema;
        let writer = encode::writer(&file, schema.clone(), encode::Packing::Whole, |column| {
            common.repeats(column)
        })?;
        let mut chunks = Chunks { path: &path, schema, writer, pending: Vec::new(), number: 0 };
        for piece in pieces {
            push(piece, &mut chunks)?;
        }
        chunks.flush()?;
        chunks.writer.finish().map_err(|e| encode::failed(&path, e))?;
    }
    Ok(file)
}

/// Rows on their way into a file, in the chunks in which a whole table is written.
struct Chunks<'a> {
    path: &'a Path,
    schema: &'a SchemaRef,
    writer: ParquetWriter<&'a File>,
    pending: Vec<RecordBatch>,
    /// Of the pending rows: id / [`STRIDE`].
    number: usize,
}

impl Chunks<'_> {
    /// Takes rows sorted by `ids`, which stand beside them.
    fn push(&mut self, rows: &RecordBatch, ids: &[i64]) -> Result<()> {
        let number = |id: i64| usize::try_from(id).expect("checked before") / STRIDE;
        let mut first = 0;
        while first < ids.len() {
            let chunk = number(ids[first]);
            let count = ids[first..].partition_point(|&id| number(id) == chunk);
            if chunk != self.number {
                self.flush()?;
                self.number = chunk;
            }
            self.pending.push(rows.slice(first, count));
            first += count;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let rows = concat_batches(self.schema, &self.pending);
        self.pending.clear();
        let rows = rows.map_err(|e| internal("joining rows of shards", e))?;
        self.writer.write(&rows).map_err(|e| encode::failed(self.path, e))
    }
}

/// All configurations of a shard, sorted: other programs may have written them in any order.
fn push_configs(piece: &Piece, chunks: &mut Chunks<'_>) -> Result<()> {
    let file = ParquetFile::open(&piece.dir.join(CONFIGS_FILE))?;
    let (mut batches, mut ids) = (Vec::new(), Vec::new());
    scan(&file, chunks.schema, |_, batch| {
        ids.extend(file.ints(&batch, "config_id")?.iter().map(Option::unwrap_or_default));
        batches.push(batch);
        Ok(())
    })?;
    let mut order: Vec<u32> = (0..).take(ids.len()).collect();
    order.sort_by_key(|&row| ids[row as usize]);
    let sorted: Vec<i64> = order.iter().map(|&row| ids[row as usize]).collect();
    if !sorted.iter().copied().eq(piece.manifest.ids().map(i64::from)) {
        let rule = format!("each id of {:?} stands in one row", piece.manifest.ids());
        return Err(unsound(&file, "column config_id", "other ids", &rule));
    }
    let rows = concat_batches(chunks.schema, &batches)
        .and_then(|rows| take_record_batch(&rows, &UInt32Array::from(order)));
    chunks.push(&rows.map_err(|e| internal("sorting configurations", e))?, &sorted)
}

/// All curves of a shard, batch by batch.
fn push_curves(piece: &Piece, chunks: &mut Chunks<'_>) -> Result<()> {
    let file = ParquetFile::open(&piece.dir.join(CURVES_FILE))?;
    let ids = piece.manifest.ids();
    let mut last = None;
    scan(&file, &chunks.schema.clone(), |first_row, batch| {
        let [configs, repeats, epochs] = CURVE_KEYS.map(|key| file.ints(&batch, key));
        let (configs, repeats, epochs) = (configs?, repeats?, epochs?);
        let number = |column: &Int64Array, at| column.is_valid(at).then(|| column.value(at));
        for at in 0..batch.num_rows() {
            let key = [&configs, &repeats, &epochs].map(|column| number(column, at));
            let is_ours =
                key[0].is_some_and(|id| u32::try_from(id).is_ok_and(|id| ids.contains(&id)));
            if !is_ours || last.is_some_and(|last| last >= key) {
                let field =
                    format!("columns {}, row {}", CURVE_KEYS.join(", "), first_row + at as u64);
                let rule = format!("rows ascend, with ids of {ids:?}");
                return Err(unsound(&file, &field, &format!("{key:?} after {last:?}"), &rule));
            }
            last = Some(key);
        }
        chunks.push(&batch, configs.values())
    })
}

fn unsound(file: &ParquetFile, field: &str, found: &str, rule: &str) -> Error {
    fault(file.shown(), field, found, rule, "see what `curvebook table check` says of this shard")
}

/// Every column of a file, in the types of `schema`.
fn scan(
    file: &ParquetFile,
    schema: &SchemaRef,
    mut each: impl FnMut(u64, RecordBatch) -> Result<()>,
) -> Result<()> {
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    file.scan(&columns, |first_row, batch| {
        let typed = encode::typed(&file.plain(batch)?, schema)
            .map_err(|e| internal("reading a shard", e))?;
        each(first_row, typed)
    })
}

/// The directory of a table in the making: taken for this process alone, and given up without a
/// trace where the merge fails.
struct Room<'a> {
    out: &'a Path,
    made_dir: bool,
    lock: Option<File>,
    is_over: bool,
}

impl<'a> Room<'a> {
    fn take(out: &'a Path) -> Result<Self> {
        let made_dir = !out.exists();
        fs::create_dir_all(out).map_err(|e| writer::unwritable(out, &e))?;
        let parts_dir = out.join(PARTS_DIR);
        let marker = parts_dir.join(parts::MARKER);
        let is_left = marker.exists();
        if is_left && out.join(MANIFEST_FILE).exists() {
            // Killed after the last rename: that table is finished.
            parts::clear(&parts_dir)?;
        }
        if !marker.exists() {
            writer::refuse_occupied(out)?;
        }
        let lock = Some(writer::lock(&parts_dir)?);
        files::write_atomically(&marker, b"").map_err(|e| writer::unwritable(out, &e))?;
        Ok(Self { out, made_dir: made_dir || is_left, lock, is_over: false })
    }

    /// The table is finished.
    fn give_back(&mut self) -> Result<()> {
        self.is_over = true;
        self.lock = None;
        parts::clear(&self.out.join(PARTS_DIR))
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.lock = None;
        // Best effort: there is nobody left to tell.
        assemble::discard(self.out);
        for name in [CONFIGS_FILE, CURVES_FILE] {
            let _ = fs::remove_file(self.out.join(name));
        }
        let _ = parts::clear(&self.out.join(PARTS_DIR));
        if self.made_dir {
            let _ = fs::remove_dir(self.out);
        }
    }
}
