//! A study's finished runs, kept in parts until all are there.
//!
//! `parts/` holds `runs-FROM-TO.parquet` and `trace-FROM-TO.parquet` for ranges of runs, each
//! renamed into place when whole, the runs last. The final files are copied from them; their bytes
//! do not depend on where a study was cut into parts.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::error::{Error, Result, fault, io};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::output::Output;
use super::parquet_file::ParquetFile;

const KEY_FILE: &str = "key";

/// The parts of one study.
#[derive(Debug)]
pub struct Parts {
    study: PathBuf,
    dir: PathBuf,
    /// Ranges of runs, one after another from 0.
    ranges: Vec<(u32, u32)>,
}

impl Parts {
    /// Opens the parts of a study directory, which may hold some. `key` stands for everything that
    /// the runs depend on: parts of another key are refused.
    pub fn open(study: &Path, key: &str) -> Result<Self> {
        let dir = study.join("parts");
        std::fs::create_dir_all(&dir).map_err(|e| io(&dir, "making", e))?;
        let key_file = dir.join(KEY_FILE);
        match std::fs::read_to_string(&key_file) {
            Ok(found) if found == key => {}
            Ok(_) => {
                let rule = "these parts belong to another study, table or version of curvebook";
                let remedy = "name another directory, or remove this one";
                return Err(fault("--out", "directory", study.display(), rule, remedy));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                std::fs::write(&key_file, key).map_err(|e| io(&key_file, "writing", e))?;
            }
            Err(e) => return Err(io(&key_file, "reading", e)),
        }
        let mut parts = Self { study: study.to_path_buf(), dir, ranges: Vec::new() };
        parts.ranges = parts.find()?;
        Ok(parts)
    }

    /// The finished ranges that follow one another from run 0.
    fn find(&self) -> Result<Vec<(u32, u32)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(|e| io(&self.dir, "listing", e))? {
            let entry = entry.map_err(|e| io(&self.dir, "listing", e))?;
            found.extend(entry.file_name().to_str().and_then(range_of));
        }
        found.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for (from, to) in found {
            if from == ranges.last().map_or(0, |last| last.1) && to > from {
                ranges.push((from, to));
            }
        }
        Ok(ranges)
    }

    /// Runs that are there: from 0 up to this one.
    pub fn done(&self) -> u32 {
        self.ranges.last().map_or(0, |last| last.1)
    }

    /// The files of the part that comes next and ends before run `to`.
    pub fn begin(&self, to: u32) -> Result<Output> {
        let range = (self.done(), to);
        Output::create(Some(&self.path("runs", range)), Some(&self.path("trace", range)))
    }

    /// The part that was begun, up to run `to`, is whole.
    pub fn finish(&mut self, output: Output, to: u32) -> Result<()> {
        output.finish()?;
        self.ranges.push((self.done(), to));
        Ok(())
    }

    /// Makes `trace.parquet` and then `runs.parquet` of the parts, and removes these.
    pub fn merge(self) -> Result<()> {
        for kind in ["trace", "runs"] {
            let paths: Vec<PathBuf> = self.ranges.iter().map(|r| self.path(kind, *r)).collect();
            copy(&paths, &self.study.join(format!("{kind}.parquet")))?;
        }
        std::fs::remove_dir_all(&self.dir).map_err(|e| io(&self.dir, "removing", e))
    }

    fn path(&self, kind: &str, (from, to): (u32, u32)) -> PathBuf {
        self.dir.join(format!("{kind}-{from:010}-{to:010}.parquet"))
    }
}

fn range_of(name: &str) -> Option<(u32, u32)> {
    let (from, to) = name.strip_prefix("runs-")?.strip_suffix(".parquet")?.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

fn copy(parts: &[PathBuf], target: &Path) -> Result<()> {
    let mut writer: Option<ParquetFile> = None;
    for part in parts {
        let file = File::open(part).map_err(|e| io(part, "opening", e))?;
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(part, &e))?;
        let schema = Arc::clone(reader.schema());
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(ParquetFile::with_schema("--out", target, schema)?),
        };
        for batch in reader.build().map_err(|e| broken(part, &e))? {
            writer.write_batch(batch.map_err(|e| broken(part, &e))?)?;
        }
    }
    writer.map_or(Ok(()), ParquetFile::finish)
}

fn broken(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let rule = "must be a whole Parquet file";
    fault(path.display(), "content", error, rule, "remove that file and run the study again")
}
