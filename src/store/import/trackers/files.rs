//! Finding files in a directory of runs.

use std::fs;
use std::path::{Path, PathBuf};

use base::error::{Result, fault};

use super::super::source;

/// No honest directory of runs is deeper, or has more entries.
const DEPTH_MAX: usize = 32;
const ENTRIES_MAX: usize = 4_000_000;

/// The entries of a directory by their names. Links to directories are not followed: they may
/// lead anywhere, and in circles.
pub(super) fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e: std::io::Error| source::unreadable(dir, &e);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.sort();
    Ok(found)
}

/// Whether a path is a directory itself.
pub(super) fn is_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

/// All files in a directory and below for which `is_it` holds, by their paths.
pub(super) fn below(dir: &Path, is_it: fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![(dir.to_path_buf(), 0)];
    let mut seen = 0;
    while let Some((at, depth)) = left.pop() {
        let entries = entries(&at)?;
        seen += entries.len();
        if depth > DEPTH_MAX || seen > ENTRIES_MAX {
            let rule = format!("runs lie at most {DEPTH_MAX} deep among {ENTRIES_MAX} files");
            let remedy = "give the directory of the runs alone";
            return Err(fault(dir.display(), "source", at.display(), rule, remedy));
        }
        for path in entries {
            if is_dir(&path) {
                left.push((path, depth + 1));
            } else if path.is_file() && is_it(&name(&path)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The last part of a path, for people.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A directory within another, with `/` on every system; empty for the directory itself.
pub(super) fn relative(root: &Path, dir: &Path) -> String {
    let parts = dir.strip_prefix(root).unwrap_or(dir).components();
    let parts: Vec<String> =
        parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/")
}

/// The name of a source that is one run itself.
pub(super) fn of_itself(root: &Path) -> String {
    let whole = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let name = name(&whole);
    if name.is_empty() { "run".into() } else { name }
}
