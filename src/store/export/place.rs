//! Where an export goes: nothing is there before, and nothing half-written after.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use base::error::{Result, fault, io};

use crate::place::unwritable;
use crate::unfinished::Unfinished;

/// A file must be new.
pub(super) fn check_file(out: &Path) -> Result<()> {
    if fs::symlink_metadata(out).is_ok() {
        let rule = "nothing is overwritten";
        let remedy = "name a file that does not exist yet, or remove it first";
        return Err(fault("--out", "file", format!("{} (it exists)", out.display()), rule, remedy));
    }
    let parent = parent(out);
    let about = fs::metadata(&parent).map_err(|e| unwritable("--out", out, &e))?;
    if about.is_dir() {
        return Ok(());
    }
    let e = std::io::Error::from(std::io::ErrorKind::NotADirectory);
    Err(unwritable("--out", out, &e))
}

/// A directory must be new or empty.
pub(super) fn check_dir(out: &Path) -> Result<()> {
    if fs::symlink_metadata(out).is_err() {
        return Ok(());
    }
    let is_empty = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    let (rule, remedy) = ("must be a new or an empty directory", "name another directory");
    let value = format!("{} (it is not empty, or no directory)", out.display());
    Err(fault("--out", "directory", value, rule, remedy))
}

fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_path_buf()
}

/// Writes a file under another name, and gives it its own once it is whole.
pub(super) fn whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let unfinished = Unfinished::new_in(&parent(path)).map_err(|e| io(path, "opening", e))?;
    let file = unfinished.as_file().try_clone().map_err(|e| io(path, "opening", e))?;
    let mut into = BufWriter::with_capacity(1 << 18, file);
    write(&mut into)?;
    into.flush().map_err(|e| io(path, "writing", e))?;
    drop(into);
    unfinished.as_file().sync_all().map_err(|e| io(path, "syncing", e))?;
    unfinished.rename(path).map_err(|e| io(path, "renaming into place", e))
}

/// A directory in the making: what was written goes where it fails.
pub(super) struct Folder<'a> {
    path: &'a Path,
    is_new: bool,
    written: Vec<PathBuf>,
    is_done: bool,
}

impl<'a> Folder<'a> {
    pub(super) fn create(path: &'a Path) -> Result<Self> {
        let is_new = !path.exists();
        if is_new {
            fs::create_dir_all(path).map_err(|e| unwritable("--out", path, &e))?;
        }
        Ok(Self { path, is_new, written: Vec::new(), is_done: false })
    }

    /// A file of the directory.
    pub(super) fn file(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        let path = self.path.join(name);
        whole(&path, write)?;
        self.written.push(path);
        Ok(())
    }

    pub(super) fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // Best effort: there is an error to tell already.
        for path in &self.written {
            let _ = fs::remove_file(path);
        }
        if self.is_new {
            let _ = fs::remove_dir(self.path);
        }
    }
}
