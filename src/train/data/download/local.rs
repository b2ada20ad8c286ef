//! What lies in the data directory: right, wrong, missing, or a part of a transfer.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault, io, unavailable};
use base::hex;
use sha2::{Digest, Sha256};

use super::sources::{Expected, Output, last_part};

/// How a file that is wanted stands in the directory.
#[derive(Debug)]
pub(super) enum Standing {
    Missing,
    Right,
    /// What reading would take is not what it must be.
    Wrong {
        path: PathBuf,
        error: Error,
    },
}

/// Looks at what reading would take for a file.
pub(super) fn standing(output: &Output, directory: &Path) -> Result<Standing> {
    for expected in &output.spellings {
        let path = directory.join(&expected.name);
        if path.is_file() {
            return Ok(match difference(&path, expected)? {
                None => Standing::Right,
                Some(error) => Standing::Wrong { path, error },
            });
        }
    }
    Ok(Standing::Missing)
}

/// Why a file is not the expected one.
pub(super) fn difference(path: &Path, expected: &Expected) -> Result<Option<Error>> {
    let mut file = File::open(path).map_err(|e| io(path, "opening", e))?;
    let bytes = file.metadata().map_err(|e| io(path, "reading the length", e))?.len();
    let (field, found, rule) = if bytes == expected.bytes {
        let found = sha256(&mut file).map_err(|e| io(path, "reading", e))?;
        if found == expected.sha256 {
            return Ok(None);
        }
        ("SHA-256", found, format!("must be {}", expected.sha256))
    } else {
        ("length", format!("{bytes} bytes"), format!("must be {} bytes", expected.bytes))
    };
    let remedy = "another file of that name is never replaced unasked: move it away, choose \
                  another --data-dir, or replace it with --force";
    Ok(Some(fault(path.display(), field, found, rule, remedy)))
}

/// SHA-256 of what is left to read.
fn sha256(source: &mut impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 18];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&chunk[..count]),
        }
    }
}

/// A file that is being fetched: it has its name only when its checksum holds.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    file: File,
    /// Bytes that are there.
    pub(super) bytes: u64,
    /// Bytes that there will be.
    bytes_total: u64,
}

impl Part {
    /// Where the part of a file lies.
    pub(super) fn path(directory: &Path, expected: &Expected) -> PathBuf {
        directory.join(format!("{}.part", last_part(&expected.name)))
    }

    /// Opens or makes the part of `expected`; what an earlier transfer left in it stays.
    pub(super) fn open(directory: &Path, expected: &Expected) -> Result<Self> {
        let path = Self::path(directory, expected);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|e| io(&path, "opening", e))?;
        // Where the file system knows no locks, the checksum still decides.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let rule = "another process is fetching it";
            let remedy = "wait until it is done, or stop it";
            return Err(fault(path.display(), "file", "locked", rule, remedy));
        }
        let bytes = file.seek(SeekFrom::End(0)).map_err(|e| io(&path, "seeking", e))?;
        Ok(Self { path, file, bytes, bytes_total: expected.bytes })
    }

    /// Forgets what is there.
    pub(super) fn clear(&mut self) -> Result<()> {
        if self.bytes > 0 {
            self.file.set_len(0).map_err(|e| io(&self.path, "truncating", e))?;
            self.file.rewind().map_err(|e| io(&self.path, "seeking", e))?;
            self.bytes = 0;
        }
        Ok(())
    }

    /// Appends what has arrived.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| self.refused(e))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn refused(&self, e: std::io::Error) -> Error {
        refused(&self.path, self.bytes, self.bytes_total, e)
    }

    /// SHA-256 of what is on the disk.
    pub(super) fn sha256(&mut self) -> Result<String> {
        self.file.rewind().map_err(|e| io(&self.path, "seeking", e))?;
        sha256(&mut self.file).map_err(|e| io(&self.path, "reading", e))
    }

    /// Another handle to read it by, from its beginning.
    pub(super) fn reader(&mut self) -> Result<File> {
        let mut reader = self.file.try_clone().map_err(|e| io(&self.path, "opening", e))?;
        reader.rewind().map_err(|e| io(&self.path, "seeking", e))?;
        Ok(reader)
    }

    /// Makes it durable and gives it its name.
    pub(super) fn keep(self, target: &Path) -> Result<()> {
        self.file.sync_all().map_err(|e| self.refused(e))?;
        fs::rename(&self.path, target).map_err(|e| io(target, "renaming into place", e))?;
        sync_dir(target.parent().unwrap_or(Path::new(".")))
    }

    /// Removes it if there is nothing in it that a later transfer could go on with.
    pub(super) fn discard_if_empty(self) -> Result<()> {
        if self.bytes == 0 { self.discard() } else { Ok(()) }
    }

    /// Removes it.
    pub(super) fn discard(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|e| io(&self.path, "removing", e))
    }
}

/// A write that the disk refused; a full one is a fault of its own, for it can be mended.
fn refused(path: &Path, bytes: u64, bytes_total: u64, e: std::io::Error) -> Error {
    let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    if !full.contains(&e.kind()) {
        return io(path, "writing", e);
    }
    let remedy = format!(
        "free {} bytes and run the command again, which goes on from there, or choose another \
         place with --data-dir",
        bytes_total.saturating_sub(bytes)
    );
    let rule = format!("the disk takes no more ({e})");
    let written = format!("{bytes} of {bytes_total} bytes");
    unavailable(path.display(), "written", written, rule, remedy)
}

/// Makes the names in a directory durable. Only Unix can open a directory for that.
fn sync_dir(directory: &Path) -> Result<()> {
    if cfg!(unix) {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let synced = File::open(directory).and_then(|d| d.sync_all());
        synced.map_err(|e| io(directory, "syncing", e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_is_right_by_length_and_sum() {
        let t = tempfile::tempdir().unwrap();
        let path = t.path().join("x");
        // FIPS 180-2, appendix B.1.
        let expected = Expected::new("x", 3, ABC);
        for (content, field) in [("abc", None), ("abcd", Some("length = 4")), ("abd", Some("SHA"))]
        {
            fs::write(&path, content).unwrap();
            let found = difference(&path, &expected).unwrap().map(|error| error.to_string());
            assert_eq!(found.is_some(), field.is_some(), "{content}");
            assert!(found.unwrap_or_default().contains(field.unwrap_or_default()));
        }
    }

    #[test]
    fn a_part_goes_on_where_it_was_and_belongs_to_one_process() {
        let t = tempfile::tempdir().unwrap();
        let expected = Expected::new("x", 3, ABC);
        let mut part = Part::open(t.path(), &expected).unwrap();
        part.append(b"a").unwrap();
        let second = Part::open(t.path(), &expected).unwrap_err().to_string();
        assert!(second.contains("another process"), "{second}");
        drop(part);
        let mut part = Part::open(t.path(), &expected).unwrap();
        assert_eq!(part.bytes, 1);
        part.append(b"bc").unwrap();
        assert_eq!(part.sha256().unwrap(), ABC);
        part.clear().unwrap();
        part.append(b"abc").unwrap();
        part.keep(&t.path().join("x")).unwrap();
        assert_eq!(fs::read(t.path().join("x")).unwrap(), b"abc");
        assert_eq!(fs::read_dir(t.path()).unwrap().count(), 1);
    }

    /// `/dev/full` is a disk without room.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_says_how_much_room_is_missing() {
        let t = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", t.path().join("x.part")).unwrap();
        let mut part = Part::open(t.path(), &Expected::new("x", 3, ABC)).unwrap();
        let error = part.append(b"abc").unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("written = 0 of 3 bytes") && text.contains("free 3 bytes"), "{text}");
    }
}
