//! The results of a finished study, which a larger one takes its runs from.
//!
//! `results.json` stands beside `runs.parquet` and `trace.parquet`: what the study was, in words of
//! whoever ran it, and the lengths and hashes of the two files. It comes after them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::UInt32Type;
use base::error::{Error, Result, fault, internal, io};
use parquet::arrow::ProjectionMask;
use serde_json::{Map, Value as Json, json};

use crate::columns::Cells;
use crate::foreign::{Batches, Foreign};
use crate::inputs;
use crate::parquet_file::ParquetFile;
use crate::table::{FileSeal, files};

/// Says what the results are.
pub(crate) const RESULTS_FILE: &str = "results.json";
const FORMAT: &str = "curvebook-study";
const VERSION: i64 = 1;
/// It holds the text of a study.
const TEXT_BYTES_MAX: u64 = 64 << 20;
/// The files of the results, by what they are.
pub(crate) const FINAL_FILES: [(&str, &str); 2] =
    [("trace", "trace.parquet"), ("runs", "runs.parquet")];

/// The results of a finished study.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    dir: PathBuf,
    about: Json,
    seals: BTreeMap<String, FileSeal>,
}

impl Finished {
    /// The results in the directory of a study; none where nothing says what they are.
    ///
    /// # Errors
    ///
    /// A `results.json` that no study of this program wrote.
    pub fn find(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(RESULTS_FILE);
        let foreign = |what: &dyn std::fmt::Display| {
            let rule = "must be what a study of curvebook wrote";
            fault(path.display(), "contents", what, rule, "restore it, or name another directory")
        };
        let text = match inputs::read_text(&path, TEXT_BYTES_MAX) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|e| foreign(&e))?,
        };
        let mut json: Map<String, Json> = serde_json::from_str(&text).map_err(|e| foreign(&e))?;
        if json.get("format") != Some(&json!(FORMAT))
            || json.get("version") != Some(&json!(VERSION))
        {
            return Err(foreign(&"another format"));
        }
        let seals = json.remove("files").unwrap_or_default();
        let seals = serde_json::from_value(seals).map_err(|e| foreign(&e))?;
        let about = json.remove("about").unwrap_or_default();
        Ok(Some(Self { dir: dir.to_path_buf(), about, seals }))
    }

    /// Says what the results in a directory are. They are in their places.
    pub(crate) fn write(dir: &Path, about: &Json) -> Result<()> {
        let mut seals = BTreeMap::new();
        for (_, name) in FINAL_FILES {
            seals.insert(name, files::seal(&dir.join(name))?);
        }
        let json = json!({"format": FORMAT, "version": VERSION, "about": about, "files": seals});
        let mut text = serde_json::to_vec_pretty(&json).map_err(|e| internal("writing JSON", e))?;
        text.push(b'\n');
        files::write_atomically(&dir.join(RESULTS_FILE), &text)
    }

    /// What its maker said of it.
    pub fn about(&self) -> &Json {
        &self.about
    }

    /// Sees that the results are those that were written.
    ///
    /// # Errors
    ///
    /// A file that is missing or has changed.
    pub fn check(&self) -> Result<()> {
        for (_, name) in FINAL_FILES {
            let path = self.dir.join(name);
            let found = files::seal(&path);
            let is_same = found.as_ref().is_ok_and(|found| self.seals.get(name) == Some(found));
            if !is_same {
                let value = found.err().map_or("other bytes".to_string(), |e| e.to_string());
                let rule = format!("{RESULTS_FILE} says that it was another file");
                let remedy = "restore it, or name another directory";
                return Err(fault(path.display(), "contents", value, rule, remedy));
            }
        }
        Ok(())
    }

    /// Its runs, to be copied.
    pub(crate) fn rows(&self) -> OldRows {
        let open = |(kind, name): (&'static str, &str)| {
            (kind, RowsByRun { path: self.dir.join(name), at: 0, batches: None, held: None })
        };
        OldRows { files: FINAL_FILES.map(open) }
    }
}

/// The rows of the results, run by run.
#[derive(Debug)]
pub(crate) struct OldRows {
    files: [(&'static str, RowsByRun); 2],
}

impl OldRows {
    /// Copies the rows of some runs into a file, as those of the runs from `to` on.
    pub(crate) fn copy(
        &mut self,
        kind: &str,
        runs: (u32, u32),
        to: u32,
        into: &mut ParquetFile,
    ) -> Result<()> {
        let (_, rows) = self.files.iter_mut().find(|(of, _)| *of == kind).expect("one of two");
        let mut last = None;
        let mut count = 0;
        rows.take(runs, |batch, runs_of| {
            for run in runs_of {
                count += u32::from(last.replace(*run) != Some(*run));
            }
            let renumbered: UInt32Array = runs_of.iter().map(|run| run - runs.0 + to).collect();
            let mut columns: Vec<Cells> =
                batch.columns().iter().map(|cells| Cells(Arc::clone(cells))).collect();
            let at = batch.schema().index_of("run").expect("it was read");
            columns[at] = Cells(Arc::new(renumbered));
            into.write(columns)
        })?;
        // A run that is cut before its first trial starts has no segment.
        if kind == "runs" && count != runs.1 - runs.0 {
            return Err(rows.broken(&format!("{count} of the runs {} to {}", runs.0, runs.1 - 1)));
        }
        Ok(())
    }
}

/// A file that is sorted by the run.
struct RowsByRun {
    path: PathBuf,
    /// Runs before this one have been taken, or passed over.
    at: u32,
    batches: Option<Batches>,
    /// Rows that were read and not taken.
    held: Option<RecordBatch>,
}

impl std::fmt::Debug for RowsByRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsByRun").field("path", &self.path).finish_non_exhaustive()
    }
}

impl RowsByRun {
    /// Hands the rows of the runs `from` to `to` on, with their runs.
    fn take(
        &mut self,
        (from, to): (u32, u32),
        mut each: impl FnMut(&RecordBatch, &[u32]) -> Result<()>,
    ) -> Result<()> {
        if self.batches.is_none() || from < self.at {
            let file = inputs::open(&self.path).map_err(|e| io(&self.path, "opening", e))?;
            let file = Foreign::read(file).map_err(|what| self.broken(&what))?;
            let batches = file.batches(ProjectionMask::all()).map_err(|what| self.broken(&what))?;
            (self.batches, self.held) = (Some(batches), None);
        }
        self.at = to;
        loop {
            let next = self.held.take().map(Ok);
            let next = next.or_else(|| self.batches.as_mut().and_then(Iterator::next));
            let batch = next.transpose().map_err(|what| self.broken(&what))?;
            let Some(batch) = batch else { return Ok(()) };
            let runs = batch.column_by_name("run").and_then(|runs| {
                runs.as_primitive_opt::<UInt32Type>().map(|runs| runs.values().clone())
            });
            let runs = runs.ok_or_else(|| self.broken("no column of runs"))?;
            let start = runs.partition_point(|run| *run < from);
            let end = runs.partition_point(|run| *run < to);
            if end > start {
                each(&batch.slice(start, end - start), &runs[start..end])?;
            }
            if end < batch.num_rows() {
                self.held = Some(batch.slice(end, batch.num_rows() - end));
                return Ok(());
            }
        }
    }

    fn broken(&self, what: &str) -> Error {
        let rule = "must be what the study wrote";
        fault(self.path.display(), "contents", what, rule, "restore it, or name another directory")
    }
}
