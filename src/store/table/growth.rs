//! Growing a finished table: more configurations, more repeats.
//!
//! The finished table stays as it is and where it is. What grows lies in `parts/` beside it:
//! `growth.json` says what the table is to become, the parts hold further configurations, and of
//! those that the table has further repeats. At the end the larger table is made in
//! `parts/grown.partial` and gets the name `parts/grown` in one step. From that step on it is the
//! table: every reader of this program looks there first ([`home`]). Then its files take the places
//! of the old ones ([`settle`]), one by one; a kill in between is made good by the next `--resume`.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use base::error::{Error, Result, fault, internal, io};
use serde_json::{Map, Value as Json, json};

use super::check::check;
use super::manifest::{self, Header, Manifest};
use super::parquet_file::{ParquetFile, Rows};
use super::parts::{self, LoadedPart, column_ids};
use super::{CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE, PARTS_DIR, encode, files, reader, settings};

/// What a table is to become.
pub(super) const GROWTH_FILE: &str = "growth.json";
/// The larger table, whole.
const GROWN_DIR: &str = "grown";
/// The same in the making, or half taken away.
pub(super) const GROWN_PARTIAL: &str = "grown.partial";

/// Where the files of a table are: in its directory, but for the moments in which a larger table
/// that is whole takes their places.
pub(super) fn home(dir: &Path) -> PathBuf {
    let grown = dir.join(PARTS_DIR).join(GROWN_DIR);
    if grown.join(MANIFEST_FILE).exists() { grown } else { dir.to_path_buf() }
}

/// Whether a growth of this table is under way, or was killed.
pub(super) fn is_under_way(dir: &Path) -> bool {
    dir.join(PARTS_DIR).join(GROWTH_FILE).exists()
}

/// Makes the directory of the larger table: empty, and under a name that no reader looks for.
pub(super) fn begin_grown(dir: &Path) -> Result<PathBuf> {
    let unfinished = dir.join(PARTS_DIR).join(GROWN_PARTIAL);
    parts::remove_if_there(&unfinished)?;
    fs::create_dir(&unfinished).map_err(|e| io(&unfinished, "creating", e))?;
    Ok(unfinished)
}

/// The larger table is whole: from here on it is the table.
pub(super) fn commit(dir: &Path) -> Result<()> {
    let parts_dir = dir.join(PARTS_DIR);
    files::rename(&parts_dir.join(GROWN_PARTIAL), &parts_dir.join(GROWN_DIR))?;
    settle(dir)
}

/// Puts the files of a larger table that is whole into their places, if there is one.
pub(super) fn settle(dir: &Path) -> Result<()> {
    let grown = home(dir);
    if grown == dir {
        return Ok(());
    }
    for name in [CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE] {
        put(&grown.join(name), &dir.join(name))?;
    }
    files::sync_dir(dir)?;
    // Its name goes first: half of it is no table.
    let over = files::partial(&grown);
    parts::remove_if_there(&over)?;
    files::rename(&grown, &over)?;
    parts::remove_if_there(&over)
}

/// Gives a file a second place, in one step. Links are followed, and what stood there keeps its
/// permissions.
fn put(from: &Path, to: &Path) -> Result<()> {
    let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_path_buf());
    let unfinished = files::partial(&to);
    match fs::remove_file(&unfinished) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(io(&unfinished, "removing", e)),
        _ => {}
    }
    if fs::hard_link(from, &unfinished).is_err() {
        // Another file system, or one without links.
        fs::copy(from, &unfinished).map_err(|e| io(&unfinished, "writing", e))?;
        let file = fs::File::open(&unfinished).map_err(|e| io(&unfinished, "opening", e))?;
        file.sync_all().map_err(|e| io(&unfinished, "syncing", e))?;
    }
    if let Ok(before) = fs::metadata(&to) {
        let same = fs::set_permissions(&unfinished, before.permissions());
        same.map_err(|e| io(&unfinished, "setting the permissions of", e))?;
    }
    files::rename(&unfinished, &to)
}

/// The finished table that grows.
#[derive(Debug)]
pub(super) struct Base {
    dir: PathBuf,
    pub(super) ids: Range<u32>,
    pub(super) repeats: u16,
}

impl Base {
    /// A finished table, if it is sound: what it holds is sealed anew.
    pub(super) fn open(dir: &Path, header: &Header) -> Result<Self> {
        let manifest = Manifest::read(dir)?;
        reader::check_seals(dir, &manifest)?;
        let mut findings = check(dir, &header.layout, None)?.findings;
        if !findings.is_empty() {
            return Err(Error::Input(Box::new(findings.swap_remove(0))));
        }
        Ok(Self { dir: dir.to_path_buf(), ids: manifest.ids(), repeats: manifest.repeats })
    }

    pub(super) fn rows(&self, header: &Header) -> Result<BaseRows> {
        let Header { space, layout, .. } = header;
        Ok(BaseRows {
            dir: self.dir.clone(),
            configs: Sorted::open(&self.dir, CONFIGS_FILE, layout.configs_schema(space))?,
            curves: Sorted::open(&self.dir, CURVES_FILE, layout.curves_schema())?,
        })
    }
}

/// The rows of a finished table, a range of ids at a time.
pub(super) struct BaseRows {
    dir: PathBuf,
    configs: Sorted,
    curves: Sorted,
}

impl BaseRows {
    /// The rows of these ids. Those before have been taken.
    pub(super) fn next(&mut self, ids: Range<u32>) -> Result<LoadedPart> {
        let configs = self.configs.below(ids.end)?;
        let curves = self.curves.below(ids.end)?;
        if !column_ids(&configs).values().iter().copied().eq(ids) {
            return Err(parts::foreign(&self.dir, "other ids than its table.json says"));
        }
        parts::loaded(&self.dir, configs, curves)
    }
}

/// The rows of a file of ours, which are sorted by id.
struct Sorted {
    dir: PathBuf,
    schema: SchemaRef,
    batches: Rows,
    /// Rows that were read and not taken.
    held: Option<RecordBatch>,
}

impl Sorted {
    fn open(dir: &Path, name: &str, schema: SchemaRef) -> Result<Self> {
        let file = ParquetFile::open(&dir.join(name))?;
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        if let Some(missing) = columns.iter().find(|c| !file.has(c)) {
            return Err(parts::foreign(dir, &format!("no column {missing}")));
        }
        let batches = file.rows_of(&columns)?;
        Ok(Self { dir: dir.to_path_buf(), batches, held: None, schema })
    }

    /// The rows that are left of ids below `end`.
    fn below(&mut self, end: u32) -> Result<RecordBatch> {
        let mut taken = Vec::new();
        loop {
            let batch = match self.held.take() {
                Some(batch) => batch,
                None => match self.batches.next() {
                    None => break,
                    Some(batch) => encode::typed(&batch?, &self.schema)
                        .map_err(|e| parts::foreign(&self.dir, &e.to_string()))?,
                },
            };
            let count = column_ids(&batch).values().partition_point(|id| *id < end);
            taken.push(batch.slice(0, count));
            if count < batch.num_rows() {
                self.held = Some(batch.slice(count, batch.num_rows() - count));
                break;
            }
        }
        concat_batches(&self.schema, &taken).map_err(|e| internal("joining rows of a table", e))
    }
}

/// What an earlier process was making of a finished table, if anything of that is durable and not
/// that table itself.
pub(super) fn begun(dir: &Path) -> Result<Option<Map<String, Json>>> {
    let parts_dir = dir.join(PARTS_DIR);
    let path = parts_dir.join(GROWTH_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let (begun, then) =
        (manifest::read_json(&path)?, manifest::read_json(&dir.join(MANIFEST_FILE))?);
    // Killed while parts were taken away, of which some are broken by now.
    let is_over = ["configs", "repeats"].iter().all(|name| begun.get(*name) == then.get(*name));
    if is_over || parts::find(&parts_dir)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(begun))
}

/// What a training finds that is to go on with a finished table.
pub(super) enum Found {
    /// All that was asked for is there.
    Whole,
    /// The table grows into what this says.
    Grows(Map<String, Json>),
}

/// Compares a finished table with what it is to be, and with what an earlier process was making of
/// it, if anything of that is durable.
///
/// # Errors
/// What is asked for is not this table with more of it, or another growth has begun.
pub(super) fn look(
    dir: &Path,
    now: &Map<String, Json>,
    begun: Option<&Map<String, Json>>,
) -> Result<Found> {
    let path = dir.join(MANIFEST_FILE);
    let then = manifest::read_json(&path)?;
    let more = settings::growth(&path, &then, now)?;
    let Some(begun) = begun else {
        return Ok(if more { Found::Grows(grown(&then, now)) } else { Found::Whole });
    };
    let said = |header: &Map<String, Json>, name: &str| {
        header.get(name).and_then(Json::as_u64).unwrap_or_default()
    };
    let [configs, repeats] = ["configs", "repeats"].map(|name| said(begun, name));
    if said(now, "configs") < configs || said(now, "repeats") != repeats {
        let rule =
            format!("its growth to {configs} configurations with {repeats} curves each has begun");
        let found = format!(
            "{} configurations, {} curves each",
            said(now, "configs"),
            said(now, "repeats")
        );
        let parts_dir = dir.join(PARTS_DIR);
        let remedy = format!(
            "go on with that, or remove {} to give it up: the finished table stays as it is",
            parts_dir.display()
        );
        return Err(fault(parts_dir.join(GROWTH_FILE).display(), "growth", found, rule, remedy));
    }
    let mut header = begun.clone();
    header.insert("configs".into(), json!(said(now, "configs")));
    Ok(Found::Grows(header))
}

/// `table.json` of the larger table, without its files: what the finished one says, and what it was
/// before this growth.
fn grown(then: &Map<String, Json>, now: &Map<String, Json>) -> Map<String, Json> {
    let mut header = then.clone();
    header.shift_remove("files");
    for name in ["configs", "repeats"] {
        if let Some(count) = now.get(name) {
            header.insert(name.into(), count.clone());
        }
    }
    if let Some(Json::Object(provenance)) = header.get_mut("provenance") {
        let mut growth = Map::new();
        for name in ["configs", "repeats"] {
            growth.insert(name.into(), then.get(name).cloned().unwrap_or_default());
        }
        for name in settings::free_on_resume().filter(|name| *name != settings::GROWN) {
            let said = now.get("provenance").and_then(|provenance| provenance.get(name));
            if let Some(said) = said.filter(|said| Some(*said) != provenance.get(name)) {
                growth.insert(name.into(), said.clone());
            }
        }
        let before = provenance.entry(settings::GROWN).or_insert_with(|| json!([]));
        if let Json::Array(before) = before {
            before.push(Json::Object(growth));
        }
    }
    header
}
