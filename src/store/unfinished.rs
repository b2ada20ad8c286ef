//! Files that are not whole yet, under names of their own.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

const PREFIX: &str = ".curvebook-";
const SUFFIX: &str = ".partial";

/// Those of this process.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file beside the place that it will have. Dropped, it is taken away.
#[derive(Debug)]
pub(crate) struct Unfinished {
    /// `None` once it has its name.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Makes one in a directory, with the permissions that any new file has there.
    pub(crate) fn new_in(directory: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        let permissions = for_everybody();
        if let Some(permissions) = &permissions {
            builder.permissions(permissions.clone());
        }
        let file = builder.tempfile_in(directory)?;
        let path = file.path().to_path_buf();
        unfinished().insert(path.clone());
        Ok(Self { file: Some(file), path })
    }

    /// The file.
    pub(crate) fn as_file(&self) -> &fs::File {
        self.file.as_ref().expect("unfinished").as_file()
    }

    /// Gives it its name, and the permissions of what had that name before.
    pub(crate) fn rename(mut self, to: &Path) -> io::Result<()> {
        let file = self.file.take().expect("unfinished");
        if let Ok(before) = fs::metadata(to) {
            file.as_file().set_permissions(before.permissions())?;
        }
        file.persist(to).map(drop).map_err(|e| e.error)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.file = None;
        unfinished().remove(&self.path);
    }
}

/// What the system's mask of permissions is taken from.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is no such mask")]
fn for_everybody() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn for_everybody() -> Option<Permissions> {
    None
}

/// Takes every unfinished file of this process away: for an end that drops nothing.
pub fn discard_unfinished() {
    for path in std::mem::take(&mut *unfinished()) {
        // Best effort: there is nobody left to tell.
        let _ = fs::remove_file(path);
    }
}

/// Takes away what a killed process left in a directory that belongs to one process at a time.
pub(crate) fn discard_left_in(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
        if is_ours && !unfinished().contains(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
