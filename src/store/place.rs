//! Where outputs may go: nothing is replaced that the user has not asked to replace.
//!
//! A file of the same kind that this program wrote may be replaced: a Parquet file with the very
//! columns of that kind, or a document that says so. An empty file may, too: it holds nothing.
//! Whatever else stands there is refused unless it is forced; inputs, directories, FIFOs and
//! devices always are. `-` is standard output. A link leads to what it points to, and the same is
//! asked of that.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault};

/// What may be replaced, and what never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replacing<'a> {
    /// Whether files of others may be replaced.
    pub is_forced: bool,
    /// Files that the work reads.
    pub inputs: &'a [PathBuf],
}

/// A place that a file may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Standard output.
    Stdout,
    /// A file, with its links followed.
    File(PathBuf),
}

impl Place {
    /// Where `path` leads. `option` names it in faults; `is_ours` looks at a file that stands
    /// there.
    pub(crate) fn of(
        option: &str,
        path: &Path,
        is_ours: &dyn Fn(&Path) -> bool,
        replacing: &Replacing<'_>,
    ) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let refuse = |value: &str, rule: &str, remedy: &str| {
            let value = format!("{} ({value})", path.display());
            Err(fault(option, "file", value, rule, remedy))
        };
        let another = "name another file";
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => return Self::new(option, path),
            Err(e) if e.kind() == ErrorKind::NotADirectory => {
                return Err(unwritable(option, path, &e));
            }
            Err(e) => return refuse(&e.to_string(), "must be a name that can be written", another),
        }
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(e) => {
                let rule = "a link must lead to a file";
                return refuse(&e.to_string(), rule, "remove the link, or name another file");
            }
        };
        let about = fs::metadata(&target).map_err(|e| unwritable(option, path, &e))?;
        if about.is_dir() {
            return refuse("a directory", "a directory stands there", "name a file");
        }
        if !about.is_file() {
            let rule = "results go to files, or with `-` to standard output";
            return refuse("a FIFO or a device", rule, another);
        }
        if replacing.inputs.iter().any(|input| is_same(input, &target)) {
            return refuse("an input", "what is read is never replaced", another);
        }
        if about.len() > 0 && !replacing.is_forced && !is_ours(&target) {
            let rule = "only a file of the same kind that curvebook wrote is replaced";
            let remedy = "name another file, remove that one, or give --force";
            return refuse("it exists", rule, remedy);
        }
        Ok(Self::File(target))
    }

    /// A name that nothing has yet.
    fn new(option: &str, path: &Path) -> Result<Self> {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new(".")));
        let Some(name) = path.file_name() else {
            let e = io::Error::new(ErrorKind::InvalidInput, "no name of a file");
            return Err(unwritable(option, path, &e));
        };
        parent.map(|p| Self::File(p.join(name))).map_err(|e| unwritable(option, path, &e))
    }
}

/// The fault of a place whose directory will not do.
pub(crate) fn unwritable(option: &str, path: &Path, error: &io::Error) -> Error {
    let rule = format!("the directory must exist and be writable ({error})");
    fault(option, "file", path.display(), rule, "make the directory, or name another")
}

/// Whether two paths lead to one file, be it by two names.
#[cfg(unix)]
fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    of(a).is_some_and(|a| of(b) == Some(a))
}

#[cfg(not(unix))]
fn is_same(a: &Path, b: &Path) -> bool {
    let of = |path: &Path| fs::canonicalize(path).ok();
    of(a).is_some_and(|a| of(b) == Some(a))
}
