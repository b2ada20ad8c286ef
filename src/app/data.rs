//! Data sets to train on: what there is, and fetching it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use base::error::{Result, fault, suggest};
use train::data::download::{self, Expected, Manifest, Mirror};
use train::data::{self, place};

pub use train::data::DatasetInfo;
pub use train::data::download::Got;
pub use train::data::place::Holding;

use crate::Events;
use crate::events::Told;

/// What stands for every data set.
const ALL: &str = "all";

/// A data set and what there is of it.
#[derive(Debug)]
pub struct DataSet {
    pub info: &'static DatasetInfo,
    /// Where it was looked for; nothing for a built-in one.
    pub directory: Option<PathBuf>,
    pub holding: Holding,
    /// Bytes of broken transfers.
    pub bytes_unfinished: u64,
    /// Files to fetch.
    pub downloads: Vec<Download>,
}

/// A file to fetch.
#[derive(Debug, Clone)]
pub struct Download {
    pub file: Expected,
    /// Where it is looked for, in this order.
    pub urls: Vec<String>,
}

impl DataSet {
    fn look(
        info: &'static DatasetInfo,
        data_dir: Option<&Path>,
        mirror: Option<&Mirror>,
    ) -> Result<Self> {
        let is_file_based = !info.files.is_empty();
        let directory = if is_file_based { place::directory(info.name, data_dir)? } else { None };
        let holding = info.holding(directory.as_deref().unwrap_or(Path::new("")));
        let manifest = Manifest::of(info.name);
        let downloads = manifest.iter().flat_map(|manifest| {
            manifest.remotes.iter().map(|remote| Download {
                file: remote.file.clone(),
                urls: manifest.urls(remote, mirror),
            })
        });
        let downloads = downloads.collect();
        let bytes_unfinished = match (&manifest, &directory) {
            (Some(manifest), Some(directory)) => download::unfinished(manifest, directory),
            _ => 0,
        };
        Ok(Self { info, directory, holding, bytes_unfinished, downloads })
    }

    /// `built in`, `complete`, `absent` or `partial`.
    pub fn state(&self) -> &'static str {
        match (&self.directory, self.holding.found.len(), self.holding.missing.len()) {
            (None, ..) => "built in",
            (Some(_), _, 0) => "complete",
            (Some(_), 0, _) => "absent",
            (Some(_), ..) => "partial",
        }
    }
}

/// All data sets. Files are looked for by name alone, in `data_dir` or in their usual places.
///
/// # Errors
/// A fault of the mirror in the environment, or of a place that cannot be named.
pub fn list(data_dir: Option<&Path>) -> Result<Vec<DataSet>> {
    let mirror = Mirror::find(None)?;
    data::list().iter().map(|info| DataSet::look(info, data_dir, mirror.as_ref())).collect()
}

/// What to fetch, and how.
#[derive(Debug, Clone)]
pub struct GetSettings {
    names: Vec<&'static str>,
    data_dir: Option<PathBuf>,
    transfer: download::Settings,
}

impl GetSettings {
    /// A data set by its name, or `all`; into a directory or the usual place; from a mirror, the
    /// environment's or the known sources; over files that are not the right ones or not.
    ///
    /// # Errors
    /// Faults of an unknown name, of all data sets for one directory, and of a mirror that is none.
    pub fn new(
        name: &str,
        data_dir: Option<PathBuf>,
        mirror: Option<&str>,
        force: bool,
    ) -> Result<Self> {
        let names = names(name, data_dir.as_deref())?;
        let mirror = Mirror::find(mirror)?;
        let transfer = download::Settings { mirror, force, ..download::Settings::default() };
        Ok(Self { names, data_dir, transfer })
    }
}

/// A data set that is there now.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub name: &'static str,
    /// Nothing for a built-in one.
    pub directory: Option<PathBuf>,
    pub files: Vec<Got>,
}

/// Fetches one data set after the other, each when the iterator is asked for it: a later one may
/// fail, and what is done can be said before.
pub fn get<'a>(
    settings: &'a GetSettings,
    events: &'a dyn Events,
    stop: &'a AtomicBool,
) -> impl Iterator<Item = Result<Fetched>> + 'a {
    events.work_begins();
    settings.names.iter().map(move |name| {
        let Some(manifest) = Manifest::of(name) else {
            return Ok(Fetched { name, directory: None, files: Vec::new() });
        };
        let Some(directory) = place::directory(name, settings.data_dir.as_deref())? else {
            return Ok(Fetched { name, directory: None, files: Vec::new() });
        };
        let files = download::get(&manifest, &directory, &settings.transfer, &Told(events), stop)?;
        Ok(Fetched { name, directory: Some(directory), files })
    })
}

/// The data sets that were asked for.
fn names(name: &str, data_dir: Option<&Path>) -> Result<Vec<&'static str>> {
    let fetched = || data::list().iter().filter(|set| !set.files.is_empty());
    if name == ALL {
        if let Some(directory) = data_dir {
            let rule = "mnist and fashion-mnist have files of the same names";
            let remedy = format!(
                "fetch one by one into directories of their own, or set {} instead, under which \
                 each has its own",
                place::DATA_VARIABLE
            );
            let directory = directory.display();
            return Err(fault("command line", "--data-dir", directory, rule, remedy));
        }
        return Ok(fetched().map(|set| set.name).collect());
    }
    if let Some(set) = data::list().iter().find(|set| set.name == name) {
        return Ok(vec![set.name]);
    }
    let remedy = suggest(name, fetched().map(|set| set.name).chain([ALL]));
    Err(fault("command line", "NAME", name, "is no known data set", remedy))
}
