//! `example`: a space and a study to begin with.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base::error::{Result, fault, io};

use crate::space;

const STUDY: &str = include_str!("study/template.toml");

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub space: PathBuf,
    pub study: PathBuf,
}

/// Writes `space.toml` and `study.toml` into a directory, which is made if need be: the study
/// replays the table `table` beside it, which the space trains.
///
/// # Errors
/// A file of that name that is there, and a directory that cannot be written. Then neither file is
/// written.
pub fn write(dir: &Path) -> Result<Written> {
    let written = Written { space: dir.join("space.toml"), study: dir.join("study.toml") };
    let files = [(&written.space, space::TEMPLATE), (&written.study, STUDY)];
    for (path, _) in files {
        if path.exists() {
            let rule = "is there already, and nothing is overwritten";
            return Err(fault("example", "file", path.display(), rule, "name another directory"));
        }
    }
    fs::create_dir_all(dir).map_err(|e| io(dir, "making", e))?;
    for (path, text) in files {
        let made = fs::File::options().write(true).create_new(true).open(path);
        let mut made = made.map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => {
                let rule = "has just been made by somebody else, and nothing is overwritten";
                fault("example", "file", path.display(), rule, "name another directory")
            }
            _ => io(path, "creating", e),
        })?;
        made.write_all(text.as_bytes()).map_err(|e| io(path, "writing", e))?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::StudyDefinition;

    #[test]
    fn the_study_is_one() {
        let study = StudyDefinition::parse("study.toml", STUDY, Path::new("")).unwrap();
        assert_eq!(study.name, "my-study");
    }
}
