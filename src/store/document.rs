//! Documents that the program makes: a page, plots, a directory of them.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use base::error::{Result, fault, io};
use serde_json::{Value as Json, json};

use crate::inputs;
use crate::place::{Place, Replacing, unwritable};
use crate::table::files;

/// A document says within so many bytes that this program made it.
const HEAD_BYTES: u64 = 4_096;
/// Says which files of a directory are this program's.
const INDEX: &str = "index.json";
const INDEX_FORMAT: &str = "curvebook-documents";
/// No honest index is longer.
const INDEX_BYTES_MAX: u64 = 1 << 20;

/// A place for one document.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    place: Place,
}

impl Document {
    /// Sees that nothing of value stands there: a document whose head holds `mark` may be replaced,
    /// see [`Replacing`]. `-` is standard output. `option` names the place in faults.
    ///
    /// # Errors
    /// What exists and is no such document, unless it is forced; inputs, directories, FIFOs and
    /// devices; a directory that is not there.
    pub fn at(option: &str, path: &Path, mark: &str, replacing: &Replacing<'_>) -> Result<Self> {
        let is_ours = |path: &Path| {
            let mut head = Vec::new();
            let read = File::open(path).and_then(|f| f.take(HEAD_BYTES).read_to_end(&mut head));
            read.is_ok() && String::from_utf8_lossy(&head).contains(mark)
        };
        let place = Place::of(option, path, &is_ours, replacing)?;
        Ok(Self { path: path.to_path_buf(), place })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        match &self.place {
            Place::File(target) => files::write_atomically(target, bytes),
            Place::Stdout => {
                let mut out = std::io::stdout().lock();
                match out.write_all(bytes).and_then(|()| out.flush()) {
                    // Whoever read it has enough.
                    Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
                    written => written.map_err(|e| io(&self.path, "writing", e)),
                }
            }
        }
    }
}

/// A directory of documents, with an index that says which are this program's.
#[derive(Debug)]
pub struct Documents {
    dir: PathBuf,
    /// Those of an earlier call.
    before: Vec<String>,
}

impl Documents {
    /// Sees that the directory is not there, is empty, or was made by an earlier call, and holds
    /// nothing else then.
    ///
    /// # Errors
    /// A directory with other files, and what is no directory.
    pub fn at(option: &str, dir: &Path) -> Result<Self> {
        let none = || Ok(Self { dir: dir.to_path_buf(), before: Vec::new() });
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return none(),
            Err(e) if e.kind() == ErrorKind::NotADirectory => {
                let rule = "plots go to a directory";
                let remedy = "name another directory";
                return Err(fault(option, "directory", dir.display(), rule, remedy));
            }
            Err(e) => return Err(unwritable(option, dir, &e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| io(dir, "reading", e))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let before = index(dir).unwrap_or_default();
        let foreign = names.iter().find(|name| *name != INDEX && !before.contains(name));
        match foreign {
            None => Ok(Self { dir: dir.to_path_buf(), before }),
            Some(name) => {
                let value = dir.join(name);
                let rule = "plots go to a new directory, or to one that holds plots alone";
                Err(fault(option, "directory", value.display(), rule, "name another directory"))
            }
        }
    }

    /// Writes all of them, the index first, and removes those of an earlier call that are no more.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn write(&self, documents: &[(String, Vec<u8>)]) -> Result<()> {
        let dir = &self.dir;
        fs::create_dir_all(dir).map_err(|e| io(dir, "making", e))?;
        let names: Vec<&String> = documents.iter().map(|(name, _)| name).collect();
        let gone: Vec<&String> = self.before.iter().filter(|b| !names.contains(b)).collect();
        let index = |files: Vec<&&String>| {
            let json = json!({"format": INDEX_FORMAT, "files": files});
            files::write_atomically(&dir.join(INDEX), format!("{json:#}\n").as_bytes())
        };
        // Both until all is there: whatever happens, the directory holds nothing unknown.
        index(names.iter().chain(&gone).collect())?;
        for (name, bytes) in documents {
            files::write_atomically(&dir.join(name), bytes)?;
        }
        for name in &gone {
            let path = dir.join(name.as_str());
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(io(&path, "removing", e)),
                _ => {}
            }
        }
        index(names.iter().collect())
    }
}

/// What an index says; `None` where it is none. Names that lead elsewhere are nobody's.
fn index(dir: &Path) -> Option<Vec<String>> {
    let text = inputs::read_text(&dir.join(INDEX), INDEX_BYTES_MAX).ok()?;
    let json: Json = serde_json::from_str(&text).ok()?;
    if json.get("format") != Some(&json!(INDEX_FORMAT)) {
        return None;
    }
    let names = json.get("files")?.as_array()?.iter().filter_map(Json::as_str);
    let is_plain = |name: &&str| Path::new(name).file_name().is_some_and(|file| file == *name);
    Some(names.filter(is_plain).map(str::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_replaces_its_like_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        let at = || Document::at("--out", &path, "made by us", &Replacing::default());
        at().unwrap().write(b"<!-- made by us --> 1").unwrap();
        at().unwrap().write(b"<!-- made by us --> 2").unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with('2'));
        fs::write(&path, "a letter").unwrap();
        let error = at().unwrap_err().to_string();
        assert!(error.contains("--out") && error.contains("it exists"), "{error}");
        let forced = Replacing { is_forced: true, inputs: &[] };
        Document::at("--out", &path, "made by us", &forced).unwrap().write(b"x").unwrap();
        assert!(Document::at("--out", dir.path(), "", &forced).is_err());
    }

    #[test]
    fn a_directory_of_documents_holds_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let plots = dir.path().join("plots");
        let write = |names: &[&str]| {
            let files: Vec<(String, Vec<u8>)> =
                names.iter().map(|name| ((*name).to_string(), b"x".to_vec())).collect();
            Documents::at("--plots", &plots)?.write(&files)
        };
        let found = || {
            let names = fs::read_dir(&plots).unwrap();
            let mut names: Vec<String> =
                names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        write(&["a.svg", "b.svg"]).unwrap();
        write(&["b.svg", "c.svg"]).unwrap();
        assert_eq!(found(), ["b.svg", "c.svg", "index.json"]);
        fs::write(plots.join("letter.txt"), "dear").unwrap();
        let error = write(&["b.svg"]).unwrap_err().to_string();
        assert!(error.contains("letter.txt"), "{error}");
        fs::remove_file(plots.join("letter.txt")).unwrap();
        // An index of somebody else's, or one that points elsewhere, protects nothing.
        fs::write(plots.join("index.json"), "{\"format\":\"other\",\"files\":[\"b.svg\"]}")
            .unwrap();
        assert!(write(&["b.svg"]).is_err());
        let outside = "{\"format\":\"curvebook-documents\",\"files\":[\"../x\",\"b.svg\"]}";
        fs::write(plots.join("index.json"), outside).unwrap();
        fs::remove_file(plots.join("c.svg")).unwrap();
        fs::write(dir.path().join("x"), "mine").unwrap();
        write(&["a.svg"]).unwrap();
        assert_eq!(found(), ["a.svg", "index.json"]);
        assert!(dir.path().join("x").exists());
    }
}
