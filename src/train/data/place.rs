//! Where the files of a data set lie: the directory that nobody names, and what a directory holds.

use std::path::{Path, PathBuf};

use base::error::{Result, fault};
use etcetera::BaseStrategy;

use super::{DatasetInfo, Format, cifar, info};

/// The environment variable that names the directory of all data sets.
pub const DATA_VARIABLE: &str = "CURVEBOOK_DATA";

/// The directory that holds one directory for each data set: `$CURVEBOOK_DATA`, else `curvebook`
/// in the user's data directory (`$XDG_DATA_HOME` or `~/.local/share`; on Windows, where that
/// directory would follow the user from machine to machine, the local one).
pub fn root() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        let rule = "no home directory is known to keep data sets in";
        fault("environment", DATA_VARIABLE, "missing", rule, "set it, or give --data-dir")
    })?;
    let user = if cfg!(windows) { strategy.cache_dir() } else { strategy.data_dir() };
    Ok(user.join("curvebook"))
}

/// `curvebook` in the user's cache directory, for what can be made again; none where no home
/// directory is known.
pub fn cache() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("curvebook"))
}

/// The directory of the data set `name`: `data_dir` where that was given, else the data set's own
/// one in [`root`]. Nothing for a built-in set, and for an unknown one, which [`super::load`]
/// refuses.
pub fn directory(name: &str, data_dir: Option<&Path>) -> Result<Option<PathBuf>> {
    match (data_dir, info(name)) {
        (Some(given), _) => Ok(Some(given.to_path_buf())),
        (None, Ok(known)) if !known.files.is_empty() => Ok(Some(root()?.join(name))),
        (None, _) => Ok(None),
    }
}

/// What a directory holds of a data set, by names alone: nothing is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The files found.
    pub found: Vec<PathBuf>,
    /// The names of those that are not there.
    pub missing: Vec<&'static str>,
    /// Bytes of the files found.
    pub bytes: u64,
}

impl DatasetInfo {
    /// What `directory` holds of this data set.
    pub fn holding(&self, directory: &Path) -> Holding {
        let mut holding = Holding { found: Vec::new(), missing: Vec::new(), bytes: 0 };
        for file in self.files {
            match self.find(directory, file) {
                Some(path) => {
                    holding.bytes += path.metadata().map_or(0, |metadata| metadata.len());
                    holding.found.push(path);
                }
                None => holding.missing.push(file),
            }
        }
        holding
    }

    /// The names that a file may have in the data directory; the first that is there is read.
    pub fn spellings(&self, file: &str) -> Vec<String> {
        let second = match self.format {
            Format::BuiltIn => return vec![file.to_string()],
            Format::Idx => format!("{file}.gz"),
            Format::Cifar => format!("{}/{file}", cifar::ARCHIVE_DIRECTORY),
        };
        vec![file.to_string(), second]
    }

    /// The file that is read for `file`.
    pub(super) fn find(&self, directory: &Path, file: &str) -> Option<PathBuf> {
        let candidates = self.spellings(file).into_iter().map(|name| directory.join(name));
        candidates.into_iter().find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_named_directory_is_taken_and_built_in_data_has_none() {
        let here = Path::new("here");
        assert_eq!(directory("mnist", Some(here)).unwrap(), Some(here.to_path_buf()));
        assert_eq!(directory("digits", None).unwrap(), None);
        assert_eq!(directory("no-such-set", None).unwrap(), None);
    }

    #[test]
    fn a_holding_counts_each_file_once_in_the_spelling_that_is_read() {
        let t = tempfile::tempdir().unwrap();
        let mnist = info("mnist").unwrap();
        assert_eq!(mnist.holding(t.path()).missing, mnist.files);
        fs::write(t.path().join("train-images-idx3-ubyte.gz"), [0; 7]).unwrap();
        fs::write(t.path().join("t10k-labels-idx1-ubyte.gz"), [0; 11]).unwrap();
        fs::write(t.path().join("t10k-labels-idx1-ubyte"), [0; 13]).unwrap();
        let holding = mnist.holding(t.path());
        assert_eq!(holding.missing, ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"]);
        assert_eq!(holding.bytes, 20);
        let plain = t.path().join("t10k-labels-idx1-ubyte");
        assert_eq!(holding.found, [t.path().join("train-images-idx3-ubyte.gz"), plain]);
    }
}
