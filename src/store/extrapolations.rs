//! Extrapolated learning curves, kept beside the table that they are of.
//!
//! A file for each table and model: `extrapolations-KEY.bin` in the table's directory, KEY the
//! first 16 hexadecimal digits of the SHA-256 of the table's hash, a line feed and the model's
//! text. So a file of another table is never found, whatever the table is called, and two models
//! do not meet. It begins with a line of JSON that says all this, and goes on with blocks, each
//! complete by itself:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the records |
//! | ... | records |
//! | 32 | SHA-256 of the first line, the block's number (8 bytes) and the records |
//!
//! A record is `config_id` (4 bytes), `curve_repeat` (2), `epoch` (2), the number of knots (2; 0 is
//! a curve of which the model has nothing to say), and if there are knots mean and deviation (8
//! each) and each knot's value and probability (4 each). Numbers are little-endian.
//!
//! A kill loses the block in the making: what is there of it is passed over by readers and cut off
//! by the next writer. Whatever else is not as it should be is a fault, and never used.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use base::error::{Error, Result, fault, io};
use base::hex;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::inputs;

const FORMAT: &str = "curvebook-extrapolations";
const VERSION: i64 = 1;
const HASH_BYTES: usize = 32;

/// What a model says of the end of one beginning of one curve.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtrapolationRow {
    pub config_id: u32,
    pub curve_repeat: u16,
    /// The last epoch that was seen.
    pub epoch: u16,
    /// `None` where the model has nothing to say.
    pub found: Option<Predicted>,
}

/// A predicted distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    pub mean: f64,
    pub deviation: f64,
    /// Values, and the probabilities to lie above them; at least one.
    pub knots: Vec<(f32, f32)>,
}

/// The file of a table and a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtrapolationFile {
    path: PathBuf,
    /// With its line feed.
    first_line: String,
}

impl ExtrapolationFile {
    /// Where it is, or would be, in the directory of the table with this hash.
    pub fn of(dir: &Path, table_hash: &str, model: &str) -> Self {
        let key = hex(&Sha256::digest(format!("{table_hash}\n{model}")));
        let first = json!({
            "format": FORMAT,
            "version": VERSION,
            "table_hash": table_hash,
            "model": model,
        });
        Self {
            path: dir.join(format!("extrapolations-{}.bin", &key[..16])),
            first_line: format!("{first}\n"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; nothing where there is none.
    ///
    /// # Errors
    /// A file that is not what [`Self::append`] writes.
    pub fn read(&self) -> Result<Vec<ExtrapolationRow>> {
        let mut file = match inputs::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(|e| self.damaged(&e))?,
        };
        Ok(self.read_from(&mut file)?.rows)
    }

    /// Opens it for more, and says what it holds. What a kill left of a block is cut off.
    ///
    /// # Errors
    /// As [`Self::read`]; a directory that cannot be written.
    pub fn append(&self) -> Result<(ExtrapolationWriter, Vec<ExtrapolationRow>)> {
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&self.path);
        let mut file = opened.map_err(|e| {
            let rule = format!("extrapolations are kept beside the table ({e})");
            let remedy = "make the directory writable, or copy the table";
            fault(self.path.display(), "file", "not writable", rule, remedy)
        })?;
        if !is_locked(&file) {
            let rule = "two processes may not extend it at once";
            let value = "held by another process";
            return Err(fault(self.path.display(), "lock", value, rule, "wait for the other"));
        }
        let Content { rows, blocks, end } = self.read_from(&mut file)?;
        file.set_len(end).map_err(|e| io(&self.path, "cutting off", e))?;
        file.seek(SeekFrom::Start(end)).map_err(|e| io(&self.path, "reading", e))?;
        let mut writer = ExtrapolationWriter { file, of: self.clone(), blocks };
        if end == 0 {
            writer.write(self.first_line.as_bytes())?;
        }
        Ok((writer, rows))
    }

    fn read_from(&self, file: &mut File) -> Result<Content> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| io(&self.path, "reading", e))?;
        let line = self.first_line.as_bytes();
        if line.starts_with(&bytes) && bytes.len() < line.len() {
            return Ok(Content { rows: Vec::new(), blocks: 0, end: 0 });
        }
        if !bytes.starts_with(line) {
            return Err(self.damaged(&"another beginning"));
        }
        let (mut rows, mut blocks, mut at) = (Vec::new(), 0, line.len());
        while let Some((records, hash, next)) = block(&bytes, at) {
            if self.hash(blocks, records)[..] != *hash {
                return Err(self.damaged(&format!("block {blocks} does not match its hash")));
            }
            let mut left = records;
            while !left.is_empty() {
                let row = take_row(&mut left);
                rows.push(row.ok_or_else(|| self.damaged(&format!("block {blocks}")))?);
            }
            (at, blocks) = (next, blocks + 1);
        }
        Ok(Content { rows, blocks, end: at as u64 })
    }

    fn hash(&self, block: u64, records: &[u8]) -> [u8; HASH_BYTES] {
        let line = Sha256::new().chain_update(&self.first_line);
        line.chain_update(block.to_le_bytes()).chain_update(records).finalize().into()
    }

    /// The fault of a file that is not what it should be.
    pub fn damaged(&self, what: &dyn std::fmt::Display) -> Error {
        let rule = "must be what `curvebook table extrapolate` wrote of this table";
        let remedy = "remove it, and make it again";
        fault(self.path.display(), "contents", what, rule, remedy)
    }
}

/// Takes a file for this process alone; `false` where another one has it for a second. One that has
/// just been let go may still be held, by a process that is being started.
fn is_locked(file: &File) -> bool {
    for _ in 0..40 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(25)),
            // A file system without locks leaves nobody to watch but the user.
            Ok(()) | Err(TryLockError::Error(_)) => return true,
        }
    }
    false
}

struct Content {
    rows: Vec<ExtrapolationRow>,
    blocks: u64,
    /// Where the last whole block ends.
    end: u64,
}

/// The records of the block at a place, its hash, and where it ends; `None` where it is not whole.
fn block(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let left = bytes.get(at..)?;
    let (length, left) = left.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (records, left) = left.split_at_checked(length)?;
    let (hash, _) = left.split_at_checked(HASH_BYTES)?;
    Some((records, hash, at + 4 + length + HASH_BYTES))
}

/// Takes so many bytes off the front.
fn take<const N: usize>(left: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = left.split_first_chunk::<N>()?;
    *left = rest;
    Some(*first)
}

fn take_row(left: &mut &[u8]) -> Option<ExtrapolationRow> {
    let config_id = u32::from_le_bytes(take(left)?);
    let curve_repeat = u16::from_le_bytes(take(left)?);
    let epoch = u16::from_le_bytes(take(left)?);
    let count = u16::from_le_bytes(take(left)?);
    let mut found = None;
    if count > 0 {
        let mean = f64::from_le_bytes(take(left)?);
        let deviation = f64::from_le_bytes(take(left)?);
        let mut knots = Vec::new();
        for _ in 0..count {
            knots.push((f32::from_le_bytes(take(left)?), f32::from_le_bytes(take(left)?)));
        }
        found = Some(Predicted { mean, deviation, knots });
    }
    Some(ExtrapolationRow { config_id, curve_repeat, epoch, found })
}

fn put_row(row: &ExtrapolationRow, into: &mut Vec<u8>) {
    into.extend(row.config_id.to_le_bytes());
    into.extend(row.curve_repeat.to_le_bytes());
    into.extend(row.epoch.to_le_bytes());
    let knots = row.found.as_ref().map_or(&[][..], |found| &found.knots);
    into.extend(u16::try_from(knots.len()).expect("dozens of knots").to_le_bytes());
    if let Some(found) = row.found.as_ref().filter(|found| !found.knots.is_empty()) {
        into.extend(found.mean.to_le_bytes());
        into.extend(found.deviation.to_le_bytes());
        for (value, above) in &found.knots {
            into.extend(value.to_le_bytes());
            into.extend(above.to_le_bytes());
        }
    }
}

/// Adds blocks to a file, which it holds for itself.
#[derive(Debug)]
pub struct ExtrapolationWriter {
    file: File,
    of: ExtrapolationFile,
    blocks: u64,
}

impl ExtrapolationWriter {
    /// Adds some rows, which are then on the disk.
    ///
    /// # Errors
    /// A disk that is full.
    pub fn push(&mut self, rows: &[ExtrapolationRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut records = Vec::new();
        for row in rows {
            put_row(row, &mut records);
        }
        let length = u32::try_from(records.len()).expect("a block is small");
        let hash = self.of.hash(self.blocks, &records);
        let whole = [&length.to_le_bytes()[..], &records, &hash].concat();
        self.write(&whole)?;
        self.blocks += 1;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        written.map_err(|e| io(&self.of.path, "writing", e))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn row(config_id: u32, knots: u8) -> ExtrapolationRow {
        let knots: Vec<(f32, f32)> =
            (0..knots).map(f32::from).map(|at| (at, 0.5 / (at + 1.0))).collect();
        let found = Predicted { mean: 0.25, deviation: 1e-3, knots };
        let found = Some(found).filter(|found| !found.knots.is_empty());
        ExtrapolationRow { config_id, curve_repeat: 3, epoch: 9, found }
    }

    #[test]
    fn what_was_written_is_read_block_by_block() {
        let dir = tempfile::tempdir().unwrap();
        let file = ExtrapolationFile::of(dir.path(), "abc", "model");
        assert_eq!(file.read().unwrap(), []);
        let (mut writer, before) = file.append().unwrap();
        assert_eq!(before, []);
        writer.push(&[row(0, 2), row(1, 0)]).unwrap();
        writer.push(&[]).unwrap();
        assert!(file.append().unwrap_err().to_string().contains("held by another process"));
        drop(writer);
        let (mut writer, before) = file.append().unwrap();
        assert_eq!(before, [row(0, 2), row(1, 0)]);
        writer.push(&[row(2, 49)]).unwrap();
        assert_eq!(file.read().unwrap(), [row(0, 2), row(1, 0), row(2, 49)]);
        for other in [("abd", "model"), ("abc", "other")] {
            let other = ExtrapolationFile::of(dir.path(), other.0, other.1);
            assert_eq!(other.read().unwrap(), []);
        }
    }

    #[test]
    fn a_kill_at_any_byte_loses_one_block_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = ExtrapolationFile::of(dir.path(), "abc", "model");
        let (mut writer, _) = file.append().unwrap();
        writer.push(&[row(0, 2)]).unwrap();
        let first = fs::read(file.path()).unwrap().len();
        writer.push(&[row(1, 1), row(2, 0)]).unwrap();
        drop(writer);
        let whole = fs::read(file.path()).unwrap();
        for length in 0..=whole.len() {
            fs::write(file.path(), &whole[..length]).unwrap();
            let all = [row(0, 2), row(1, 1), row(2, 0)];
            let rows = if length == whole.len() { 3 } else { usize::from(length >= first) };
            assert_eq!(file.read().unwrap(), all[..rows], "{length}");
            let (mut writer, before) = file.append().unwrap();
            writer.push(&all[rows..]).unwrap();
            assert_eq!((before.len(), file.read().unwrap()), (rows, all.to_vec()), "{length}");
        }
    }

    #[test]
    fn what_is_damaged_is_a_fault_and_never_used() {
        let dir = tempfile::tempdir().unwrap();
        let file = ExtrapolationFile::of(dir.path(), "abc", "model");
        let (mut writer, _) = file.append().unwrap();
        writer.push(&[row(0, 2)]).unwrap();
        writer.push(&[row(1, 0)]).unwrap();
        drop(writer);
        let whole = fs::read(file.path()).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(file.path(), &damaged).unwrap();
            match file.read() {
                // A length that now reaches beyond the end is taken for a kill.
                Ok(rows) => assert!(rows.len() < 2, "byte {at}"),
                Err(e) => assert!(e.is_input() && e.to_string().contains("make it again"), "{e}"),
            }
        }
        // Blocks that have changed places.
        let line = file.first_line.len();
        let second = block(&whole, line).unwrap().2;
        let swapped = [&whole[..line], &whole[second..], &whole[line..second]].concat();
        fs::write(file.path(), swapped).unwrap();
        assert!(file.read().is_err() && file.append().is_err());
        fs::remove_file(file.path()).unwrap();
        fs::create_dir(file.path()).unwrap();
        assert!(file.read().unwrap_err().is_input());
    }
}
