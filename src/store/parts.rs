//! A study's finished runs, kept in parts until all are there.
//!
//! `parts/` holds `trace-FROM-TO.parquet`, `runs-FROM-TO.parquet` and `sums-FROM-TO.json` for
//! ranges of runs, each renamed into place when whole, the lengths and hashes of the other two
//! last. The final files are copied from them; their bytes do not depend on where a study was cut.
//!
//! `parts/key` says whose parts these are. It comes last of what begins a study and goes last of
//! what ends one: without it nothing here is believed to be a study's, and with it a killed study
//! goes on. What somebody else put beside these files stays as it is.
//!
//! A finished study that is asked for more begins anew beside its results: what it has is copied
//! into parts of the larger study, the rest is run, and the results are replaced at the end, one
//! after the other, `results.json` last. Until then they are what they were.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::error::{Error, Result, fault, internal, io};
use parquet::arrow::ProjectionMask;
use serde_json::Value as Json;

use super::output::Output;
use super::parquet_file::ParquetFile;
use crate::columns::{Cells, ColumnSpec, Row};
use crate::finished::{FINAL_FILES, Finished, OldRows};
use crate::foreign::Foreign;
use crate::foreign::has_columns;
use crate::place::{Place, Replacing};
use crate::runs::RunRow;
use crate::table::{FileSeal, files};
use crate::trace::TraceRow;
use crate::{inputs, lock, unfinished};

const PARTS_DIR: &str = "parts";
const KEY_FILE: &str = "key";
/// Stands here once the final files are in their places.
const MERGED_FILE: &str = "merged";
/// The copy that waits among the parts.
const STUDY_FILE: &str = "study.toml";
/// What every key begins with.
const KEY_WORDS: &str = "curvebook study ";
/// What a part is made of, in the order in which its files appear.
const KINDS: [(&str, &str); 3] = [("trace", ".parquet"), ("runs", ".parquet"), ("sums", ".json")];

/// What the directory of a study is opened with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening<'a> {
    /// Files that stand beside the results, by name.
    pub copies: &'a [(&'a str, &'a str)],
    /// What `results.json` is to say of the results; none is written without.
    pub about: Option<&'a Json>,
    /// The results that stand there, with the text of a copy that belongs to them.
    pub finished: Option<(&'a Finished, &'a str)>,
}

/// The parts of one study, for one process at a time.
#[derive(Debug)]
pub struct Parts {
    study: PathBuf,
    dir: PathBuf,
    /// Ranges of runs, one after another from 0.
    ranges: Vec<(u32, u32)>,
    /// The final files are there already: only the parts had to be removed.
    is_merged: bool,
    /// What to take away if the study never begins.
    made: Vec<PathBuf>,
    /// Copies that replace older ones at the end, and what `results.json` is to say then.
    copies: Vec<(PathBuf, String)>,
    about: Option<Json>,
    /// Where runs are copied from.
    old: Option<OldRows>,
    /// Held as long as this is.
    lock: Option<File>,
}

impl Parts {
    /// Opens the parts of a study directory, which may hold some. `key` stands for everything that
    /// the runs depend on: parts of another key are refused.
    pub fn open(study: &Path, key: &str) -> Result<Self> {
        Self::open_with(study, key, &Opening::default())
    }

    /// The same with files beside the results, and perhaps with older results to go on from.
    ///
    /// # Errors
    ///
    /// A finished study, unless it is to be gone on from; parts of another study; files of these
    /// names, or a directory `parts`, that no study of this program left; another process at work
    /// there; a place that cannot be written. Nothing stays behind.
    pub fn open_with(study: &Path, key: &str, opening: &Opening<'_>) -> Result<Self> {
        let key = format!("{KEY_WORDS}{key}\n");
        let dir = study.join(PARTS_DIR);
        let found = match inputs::read_text(&dir.join(KEY_FILE), 4096) {
            Ok(found) => Some(found),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(occupied(&dir.join(KEY_FILE), &e)),
        };
        if found.as_ref().is_some_and(|found| *found != key) {
            return Err(of_another(study, &dir, opening));
        }
        let is_merged = Self::is_over(study);
        if found.is_none() {
            refuse_foreign(study, &dir, is_merged || opening.finished.is_some())?;
        }
        if !is_merged {
            final_files(study)?;
        }
        for (name, text) in opening.copies {
            let path = study.join(name);
            match opening.finished {
                Some((_, before)) if refuse_other(&path, before).is_ok() => {}
                _ => refuse_other(&path, text)?,
            }
        }
        let mut parts = Self {
            study: study.to_path_buf(),
            dir,
            ranges: Vec::new(),
            is_merged,
            made: Vec::new(),
            copies: Vec::new(),
            about: opening.about.cloned(),
            old: opening.finished.map(|(finished, _)| finished.rows()),
            lock: None,
        };
        parts.begin_study(&key, opening)?;
        parts.made.clear();
        unfinished::discard_left_in(&parts.study);
        unfinished::discard_left_in(&parts.dir);
        parts.ranges = parts.find()?;
        Ok(parts)
    }

    /// Makes what is missing of the directories and of what says whose they are.
    fn begin_study(&mut self, key: &str, opening: &Opening<'_>) -> Result<()> {
        for dir in [self.study.clone(), self.dir.clone()] {
            if !dir.exists() {
                fs::create_dir_all(&dir).map_err(|e| unwritable(&dir, &e))?;
                self.made.push(dir);
            }
        }
        let lock = lock::take(&self.dir, "one process runs a study at a time");
        self.lock = Some(lock.map_err(|e| unwritable(&self.dir, &e))??);
        // Beside older results, copies wait among the parts: it shows whose they are.
        let waits = opening.finished.is_some();
        let place = if waits { &self.dir } else { &self.study };
        if waits {
            let last = opening.copies.iter();
            self.copies =
                last.map(|(name, text)| (self.study.join(name), (*text).into())).collect();
        }
        let copies = opening.copies.iter().map(|(name, text)| (place.join(name), *text));
        let copies: Vec<_> = copies.collect();
        for (path, text) in copies.into_iter().chain([(self.dir.join(KEY_FILE), key)]) {
            if path.exists() {
                continue;
            }
            self.made.push(path.clone());
            files::write_atomically(&path, text.as_bytes())?;
        }
        Ok(())
    }

    /// The finished ranges that follow one another from run 0, each of which is what it was.
    fn find(&self) -> Result<Vec<(u32, u32)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(|e| io(&self.dir, "listing", e))? {
            let entry = entry.map_err(|e| io(&self.dir, "listing", e))?;
            let part = entry.file_name().to_str().and_then(part_of);
            found.extend(part.filter(|(kind, _)| *kind == "sums").map(|(_, range)| range));
        }
        found.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (from, to) in found {
            if from == ranges.last().map_or(0, |last| last.1) && to > from {
                ranges.push((from, to));
            }
        }
        if !self.is_merged {
            ranges.iter().try_for_each(|range| self.check(*range))?;
        }
        Ok(ranges)
    }

    /// Compares the files of a part with their lengths and hashes.
    fn check(&self, range: (u32, u32)) -> Result<()> {
        let path = self.path("sums", range);
        let text = inputs::read_text(&path, 4096).map_err(|e| broken(&path, &e))?;
        let sums: BTreeMap<String, FileSeal> =
            serde_json::from_str(&text).map_err(|e| broken(&path, &e))?;
        for kind in ["trace", "runs"] {
            let path = self.path(kind, range);
            if sums.get(kind) != Some(&files::seal(&path).map_err(|e| broken(&path, &e))?) {
                return Err(broken(&path, &"other bytes than were written"));
            }
        }
        Ok(())
    }

    /// Runs that are there: from 0 up to this one.
    pub fn done(&self) -> u32 {
        self.ranges.last().map_or(0, |last| last.1)
    }

    /// Whether the study was finished before, but for taking its parts away, which
    /// [`Self::merge`] does.
    pub fn is_merged(&self) -> bool {
        self.is_merged
    }

    /// The files of the part that comes next and ends before run `to`, or earlier.
    pub fn begin(&self, to: u32) -> Result<Output> {
        let range = (self.done(), to);
        Output::create(Some(&self.path("runs", range)), Some(&self.path("trace", range)))
    }

    /// The part that was begun is whole up to run `to`.
    pub fn finish(&mut self, output: Output, to: u32) -> Result<()> {
        let range = (self.done(), to);
        output.finish_as(&self.path("runs", range), &self.path("trace", range))?;
        self.seal(range)
    }

    /// Copies runs of the older results: they are those that come next.
    ///
    /// # Errors
    ///
    /// Results that are not what was written; a disk that takes no more.
    ///
    /// # Panics
    ///
    /// Where there are no older results.
    pub fn keep(&mut self, (from, to): (u32, u32)) -> Result<()> {
        let range = (self.done(), self.done() + (to - from));
        for (kind, columns) in [("trace", TraceRow::columns()), ("runs", RunRow::columns())] {
            let path = self.path(kind, range);
            let place = Place::of(
                "--out",
                &path,
                &|path| has_columns(path, columns),
                &Replacing::default(),
            )?;
            let mut file = ParquetFile::create("--out", &path, place, columns)?;
            let old = self.old.as_mut().expect("opened with older results");
            old.copy(kind, (from, to), range.0, &mut file)?;
            file.finish()?;
        }
        self.seal(range)
    }

    /// Says what the files of a part are: from here on it counts.
    fn seal(&mut self, range: (u32, u32)) -> Result<()> {
        let mut sums = BTreeMap::new();
        for kind in ["trace", "runs"] {
            sums.insert(kind, files::seal(&self.path(kind, range))?);
        }
        let text = serde_json::to_vec(&sums).map_err(|e| internal("writing JSON", e))?;
        files::write_atomically(&self.path("sums", range), &text)?;
        self.ranges.push(range);
        Ok(())
    }

    /// Whether a study has begun in a directory and is not over: whosever it is.
    pub fn is_begun(study: &Path) -> bool {
        study.join(PARTS_DIR).join(KEY_FILE).exists()
    }

    /// Whether what stands in a directory is a study that is finished, but for taking its parts
    /// away.
    fn is_over(study: &Path) -> bool {
        study.join(PARTS_DIR).join(MERGED_FILE).exists() && study.join("runs.parquet").exists()
    }

    /// Takes away what a kill has left of the parts of a finished study.
    ///
    /// # Errors
    ///
    /// Another process at work there.
    pub fn sweep(study: &Path) -> Result<()> {
        if !Self::is_over(study) {
            return Ok(());
        }
        let dir = study.join(PARTS_DIR);
        let lock = lock::take(&dir, "one process runs a study at a time");
        let lock = lock.map_err(|e| unwritable(&dir, &e))??;
        let (study, ranges) = (study.to_path_buf(), Vec::new());
        let (made, copies, about, old) = (Vec::new(), Vec::new(), None, None);
        let lock = Some(lock);
        Self { study, dir, ranges, is_merged: true, made, copies, about, old, lock }.clean()
    }

    /// Makes `trace.parquet` and then `runs.parquet` of the parts, and removes these.
    pub fn merge(self) -> Result<()> {
        if !self.is_merged {
            for (kind, columns, target, place) in final_files(&self.study)? {
                let paths: Vec<PathBuf> = self.ranges.iter().map(|r| self.path(kind, *r)).collect();
                copy(&paths, &target, place, columns)?;
            }
            for (path, text) in &self.copies {
                files::write_atomically(path, text.as_bytes())?;
            }
            if let Some(about) = &self.about {
                Finished::write(&self.study, about)?;
            }
            files::write_atomically(&self.dir.join(MERGED_FILE), b"")?;
        }
        self.clean()
    }

    /// Files that hold the runs of the parts.
    pub fn runs(&self) -> Vec<PathBuf> {
        self.ranges.iter().map(|range| self.path("runs", *range)).collect()
    }

    /// Removes the parts, and the key after them; what is not ours stays.
    fn clean(self) -> Result<()> {
        let removing = |e| io(&self.dir, "removing", e);
        for entry in fs::read_dir(&self.dir).map_err(|e| io(&self.dir, "listing", e))? {
            let entry = entry.map_err(|e| io(&self.dir, "listing", e))?;
            let name = entry.file_name();
            // A kill may have left sums half-written.
            let name = name.to_str().map(|name| name.strip_suffix(".partial").unwrap_or(name));
            if name.is_some_and(|name| part_of(name).is_some() || name == STUDY_FILE) {
                fs::remove_file(entry.path()).map_err(removing)?;
            }
        }
        for name in [KEY_FILE, lock::LOCK_FILE, MERGED_FILE] {
            match fs::remove_file(self.dir.join(name)) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(removing(e)),
                _ => {}
            }
        }
        // Something of others may stand there.
        let _ = fs::remove_dir(&self.dir);
        Ok(())
    }

    fn path(&self, kind: &str, (from, to): (u32, u32)) -> PathBuf {
        let extension = KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, e)| e);
        self.dir.join(format!("{kind}-{from:010}-{to:010}{extension}"))
    }
}

impl Drop for Parts {
    /// Of a study that did not begin, nothing stays behind.
    fn drop(&mut self) {
        if self.made.is_empty() {
            return;
        }
        self.lock = None;
        // Best effort: there is nobody left to tell. What is not ours keeps its directory.
        if self.made.contains(&self.dir) {
            let _ = fs::remove_file(self.dir.join(lock::LOCK_FILE));
        }
        for path in self.made.iter().rev() {
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

/// The kind of a file of a part, and its range.
fn part_of(name: &str) -> Option<(&'static str, (u32, u32))> {
    let (kind, rest) = KINDS.iter().find_map(|(kind, extension)| {
        Some((*kind, name.strip_prefix(kind)?.strip_prefix('-')?.strip_suffix(extension)?))
    })?;
    let (from, to) = rest.split_once('-')?;
    Some((kind, (from.parse().ok()?, to.parse().ok()?)))
}

/// The fault of parts with another key.
fn of_another(study: &Path, dir: &Path, opening: &Opening<'_>) -> Error {
    let rule = "these parts belong to another study, table or version of curvebook";
    let (value, begun) = (study.display(), dir.join(STUDY_FILE));
    let remedy = match opening.finished {
        Some((finished, _)) if finished.check().is_ok() => format!(
            "go on with the study in {}, or remove {} to give it up: the results stay",
            begun.display(),
            dir.display()
        ),
        Some(_) => format!("go on with the study in {}", begun.display()),
        None => "name another directory, or remove this one".to_string(),
    };
    fault("--out", "directory", value, rule, remedy)
}

/// Refuses to begin a study where something stands that it would write over, or that it would
/// later take for its own.
fn refuse_foreign(study: &Path, dir: &Path, has_results: bool) -> Result<()> {
    let mut others = Vec::new();
    match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(occupied(dir, &e)),
        Ok(entries) => others.extend(entries.flatten().map(|entry| entry.file_name())),
    }
    // Killed before it had begun, or after all was done but the last of the cleaning.
    let mut ours = vec![lock::LOCK_FILE, "key.partial", MERGED_FILE];
    if has_results {
        ours.extend([STUDY_FILE, "study.toml.partial"]);
    }
    if let Some(name) = others.iter().find(|name| ours.iter().all(|ours| name != ours)) {
        let what = format!("it holds {}", name.display());
        return Err(occupied(dir, &what));
    }
    for name in ["runs.parquet", "trace.parquet"] {
        let path = study.join(name);
        if !has_results && fs::symlink_metadata(&path).is_ok() {
            let rule = "there are results here already, and no results.json says of what study";
            let remedy = "name another directory, or remove them";
            return Err(fault("--out", "directory", path.display(), rule, remedy));
        }
    }
    Ok(())
}

/// The kinds, columns, paths and places of the files that come of the parts, in the order in which
/// they appear. Refuses what is no such file.
type Final = (&'static str, &'static [ColumnSpec], PathBuf, Place);

fn final_files(study: &Path) -> Result<Vec<Final>> {
    let [trace, runs] = FINAL_FILES;
    let kinds = [(trace, TraceRow::columns()), (runs, RunRow::columns())];
    let of = |((kind, name), columns)| {
        let target = study.join(name);
        let place = if study.exists() {
            Place::of("--out", &target, &|path| has_columns(path, columns), &Replacing::default())?
        } else {
            Place::File(target.clone())
        };
        Ok((kind, columns, target, place))
    };
    kinds.into_iter().map(of).collect()
}

/// Refuses a file that says something else than ours would.
fn refuse_other(path: &Path, text: &str) -> Result<()> {
    match inputs::read_text(path, text.len() as u64) {
        Ok(found) if found == text => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(()),
        Err(e) if e.kind() != ErrorKind::InvalidData => Err(occupied(path, &e)),
        _ => Err(occupied(path, &"it says something else than this study")),
    }
}

fn occupied(path: &Path, what: &dyn std::fmt::Display) -> Error {
    let value = format!("{} ({what})", path.display());
    let rule = "what no study of curvebook wrote is never touched";
    fault("--out", "directory", value, rule, "name another directory")
}

fn unwritable(dir: &Path, error: &std::io::Error) -> Error {
    let rule = format!("must be a directory that can be made ({error})");
    fault("--out", "directory", dir.display(), rule, "name another directory")
}

fn copy(parts: &[PathBuf], target: &Path, place: Place, columns: &[ColumnSpec]) -> Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let mut writer = ParquetFile::create("--out", target, place, columns)?;
    for part in parts {
        let file = inputs::open(part).map_err(|e| io(part, "opening", e))?;
        let file = Foreign::read(file).map_err(|what| broken(part, &what))?;
        for batch in file.batches(ProjectionMask::all()).map_err(|what| broken(part, &what))? {
            let batch = batch.map_err(|what| broken(part, &what))?;
            writer.write(batch.columns().iter().map(|cells| Cells(Arc::clone(cells))).collect())?;
        }
    }
    writer.finish()
}

fn broken(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let rule = "must be what the study wrote";
    let remedy = "remove the file sums-... of that part and run the study again";
    fault(path.display(), "content", error, rule, remedy)
}
