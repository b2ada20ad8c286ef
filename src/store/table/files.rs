//! Files that appear whole or not at all, and what they hash to.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use base::error::{Result, io};
use base::hex;
use sha2::{Digest, Sha256};

use super::manifest::FileSeal;

/// What an unfinished file is called until it is renamed.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".partial");
    PathBuf::from(name)
}

/// Writes a file under another name, syncs it, renames it into place and syncs the directory.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = partial(path);
    let mut file = File::create(&unfinished).map_err(|e| io(&unfinished, "creating", e))?;
    file.write_all(bytes).map_err(|e| io(&unfinished, "writing", e))?;
    commit(&file, &unfinished, path)
}

/// Makes a written file durable and gives it its name.
pub(crate) fn commit(file: &File, unfinished: &Path, path: &Path) -> Result<()> {
    file.sync_all().map_err(|e| io(unfinished, "syncing", e))?;
    rename(unfinished, path)
}

/// Renames a file or directory and syncs the directory that names it.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| io(to, "renaming into place", e))?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))
}

/// Makes the entries of a directory durable. Only Unix can open a directory for that; elsewhere
/// the file system orders renames by itself.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        File::open(dir).and_then(|d| d.sync_all()).map_err(|e| io(dir, "syncing", e))?;
    }
    Ok(())
}

/// Length and SHA-256 of a file.
///
/// # Errors
/// A file that cannot be read.
pub fn seal(path: &Path) -> Result<FileSeal> {
    let mut file = File::open(path).map_err(|e| io(path, "opening", e))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 18];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(io(path, "reading", e)),
        }
    }
    Ok(FileSeal { bytes, sha256: hex(&hasher.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_length_and_sha256() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        write_atomically(&path, b"abc").unwrap();
        let found = seal(&path).unwrap();
        assert_eq!(found.bytes, 3);
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(found.sha256, known);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no partial file stays behind");
    }
}
