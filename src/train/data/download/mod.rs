//! Fetching data sets: `curvebook data get`.
//!
//! A file is fetched into `NAME.part`, which a broken transfer leaves behind and the next one goes
//! on with. It gets its name only when its SHA-256 holds, so that a file which has its name is
//! whole and right. What stands there already is looked at first: right files are left alone, and
//! wrong ones are never replaced unasked.
//!
//! ```text
//! sources (what there is) -> transfer (HTTP) -> local (files) -> archive (unpacking)
//! ```

mod archive;
mod local;
mod mirror;
mod sources;
mod transfer;

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use mirror::{MIRROR_VARIABLE, Mirror};
pub use sources::{Expected, Kind, Manifest, Remote};

use base::error::{Error, Result, fault, io, unavailable};
use local::{Part, Standing};
use sources::Output;
use transfer::{Fetched, Transfer};

/// How files are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to look instead of the known sources.
    pub mirror: Option<Mirror>,
    /// Replace what stands under a file's name and is not that file.
    pub force: bool,
    /// Failures in a row after which a source is given up; a mebibyte between two ends a row.
    pub attempts: u32,
    /// Before the second try; each later wait is twice as long, up to 30 s.
    pub first_wait: Duration,
    /// For finding the host, and for the connection.
    pub connect_timeout: Duration,
    /// For each read: a server that sends nothing for so long has stalled.
    pub read_timeout: Duration,
    /// Whether `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are heeded.
    pub proxies: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mirror: None,
            force: false,
            attempts: 5,
            first_wait: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            proxies: true,
        }
    }
}

/// Who watches the transfers.
pub trait Watch: Debug {
    /// A transfer begins; `from` of its `bytes` bytes are there from an earlier one.
    fn begin(&self, file: &str, url: &str, from: u64, bytes: u64);
    /// So many bytes are there.
    fn at(&self, bytes: u64);
    /// The transfer has ended, one way or the other.
    fn end(&self);
    /// Something worth a line.
    fn note(&self, line: &str);
}

/// A file of the data directory, after the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// Its name in the data directory.
    pub file: String,
    pub bytes: u64,
    /// Where it came from; nothing where it was there already.
    pub source: Option<String>,
}

/// Sees to it that `directory` holds all files of the data set, each with the right checksum.
///
/// Everything that stands there is checked before anything is fetched. An archive that was put
/// there by hand is unpacked and stays; one that was fetched goes.
///
/// Errors: wrong files under the names of right ones (without `force`), a directory that cannot be
/// made, files that no source gives, a full disk, an interrupt.
pub fn get(
    manifest: &Manifest,
    directory: &Path,
    settings: &Settings,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Result<Vec<Got>> {
    fs::create_dir_all(directory).map_err(|e| {
        let remedy = "choose another one with --data-dir";
        fault(directory.display(), "--data-dir", e, "must be a directory or can be made", remedy)
    })?;
    let outputs: Vec<Vec<Output>> = manifest.remotes.iter().map(Remote::outputs).collect();
    let mut plans = Vec::new();
    for remote in &outputs {
        plans.push(Plan::new(remote, directory, settings.force)?);
    }
    let transfer = Transfer::new(settings, watch, stop);
    let mut got = Vec::new();
    for ((remote, outputs), plan) in manifest.remotes.iter().zip(&outputs).zip(plans) {
        let work = Work { manifest, remote, directory, settings, watch, stop };
        let source = if plan.missing.is_empty() { None } else { work.obtain(&transfer, &plan)? };
        plan.remove_wrong()?;
        got.extend(outputs.iter().enumerate().map(|(at, output)| {
            let is_new = plan.missing.contains(&at);
            let source = source.clone().filter(|_| is_new);
            Got { file: output.file.name.clone(), bytes: output.file.bytes, source }
        }));
    }
    Ok(got)
}

/// Bytes of broken transfers of this data set in a directory, which [`get`] would go on with.
pub fn unfinished(manifest: &Manifest, directory: &Path) -> u64 {
    let parts = manifest.remotes.iter().map(|remote| Part::path(directory, &remote.file));
    parts.map(|path| path.metadata().map_or(0, |metadata| metadata.len())).sum()
}

/// What is to be done for the outputs of one remote file.
struct Plan {
    /// Positions among the outputs.
    missing: Vec<usize>,
    /// Wrong files that stand where reading would find them, to go once the right ones are there.
    wrong: Vec<PathBuf>,
    /// Names that the right ones will have.
    targets: Vec<PathBuf>,
}

impl Plan {
    fn new(outputs: &[Output], directory: &Path, force: bool) -> Result<Self> {
        let mut plan = Self { missing: Vec::new(), wrong: Vec::new(), targets: Vec::new() };
        for (at, output) in outputs.iter().enumerate() {
            plan.targets.push(directory.join(&output.file.name));
            match local::standing(output, directory)? {
                Standing::Right => continue,
                Standing::Missing => {}
                Standing::Wrong { path, .. } if force => plan.wrong.push(path),
                Standing::Wrong { error, .. } => return Err(error),
            }
            plan.missing.push(at);
        }
        Ok(plan)
    }

    fn remove_wrong(&self) -> Result<()> {
        // What has the right name has been replaced by the right file.
        for path in self.wrong.iter().filter(|path| !self.targets.contains(path)) {
            fs::remove_file(path).map_err(|e| io(path, "removing", e))?;
        }
        Ok(())
    }
}

/// One remote file on its way into the directory.
struct Work<'a> {
    manifest: &'a Manifest,
    remote: &'a Remote,
    directory: &'a Path,
    settings: &'a Settings,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
}

impl Work<'_> {
    /// Fetches the file and puts what is missing in its place; says where it came from.
    fn obtain(&self, transfer: &Transfer<'_>, plan: &Plan) -> Result<Option<String>> {
        let expected = &self.remote.file;
        let target = self.directory.join(&expected.name);
        if let Kind::Archive { files } = &self.remote.kind {
            let wanted: Vec<Expected> = plan.missing.iter().map(|&at| files[at].clone()).collect();
            return self.obtain_from_archive(transfer, &target, &wanted);
        }
        let (part, source) = self.fetch(transfer)?;
        part.keep(&target)?;
        Ok(Some(source))
    }

    fn obtain_from_archive(
        &self,
        transfer: &Transfer<'_>,
        target: &Path,
        wanted: &[Expected],
    ) -> Result<Option<String>> {
        if target.is_file() {
            match local::difference(target, &self.remote.file)? {
                None => {
                    let source = fs::File::open(target).map_err(|e| io(target, "opening", e))?;
                    archive::unpack(target, source, wanted, self.directory, self.stop)?;
                    return Ok(Some(target.display().to_string()));
                }
                Some(error) if !self.settings.force => return Err(error),
                Some(_) => fs::remove_file(target).map_err(|e| io(target, "removing", e))?,
            }
        }
        let (mut part, source) = self.fetch(transfer)?;
        self.watch.note(&format!("{}: unpacking", self.remote.file.name));
        let reader = part.reader()?;
        let path = part.path.clone();
        archive::unpack(&path, reader, wanted, self.directory, self.stop)?;
        part.discard()?;
        Ok(Some(source))
    }

    fn fetch(&self, transfer: &Transfer<'_>) -> Result<(Part, String)> {
        let expected = &self.remote.file;
        let urls = self.manifest.urls(self.remote, self.settings.mirror.as_ref());
        let mut part = Part::open(self.directory, expected)?;
        match transfer.fetch(expected, &urls, &mut part) {
            Ok(Fetched::Whole { url }) => {
                let source = url.unwrap_or_else(|| part.path.display().to_string());
                Ok((part, source))
            }
            Ok(Fetched::Nowhere(failures)) => {
                part.discard_if_empty()?;
                Err(self.nowhere(&failures))
            }
            Err(error) => {
                part.discard_if_empty()?;
                Err(error)
            }
        }
    }

    fn nowhere(&self, failures: &[(String, String)]) -> Error {
        let (set, file) = (&self.manifest.name, &self.remote.file.name);
        let (field, value) = match failures {
            [(url, _)] => (url.clone(), "not fetched".to_string()),
            _ => ("sources".to_string(), format!("none of {} gave it", failures.len())),
        };
        let reason = |(url, why): &(String, String)| match failures.len() {
            1 => why.clone(),
            _ => format!("{url}: {why}"),
        };
        let rule = failures.iter().map(reason).collect::<Vec<_>>().join("; ");
        let mirror = match self.settings.mirror {
            Some(_) => format!("leave --mirror and {MIRROR_VARIABLE} out, name another mirror"),
            None => "name a mirror".to_string(),
        };
        let files: Vec<&str> = self.manifest.remotes.iter().map(|r| &*r.file.name).collect();
        let remedy = format!(
            "try again later, {mirror} that has it at URL/{set}/{file} by --mirror URL, or put \
             {} into {} by hand",
            files.join(", "),
            self.directory.display()
        );
        unavailable(self.directory.join(file).display(), field, value, rule, remedy)
    }
}
