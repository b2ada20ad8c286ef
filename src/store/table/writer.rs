//! Writing a table: cohort by cohort, and at last as a whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault, internal};
use base::units::ConfigId;
use serde_json::{Map, Value as Json};

use super::growth::{self, Base, Found};
use super::manifest::{self, Header};
use super::parts::{self, Part};
use super::record::Recorded;
use super::settings::Difference;
use super::{MANIFEST_FILE, PARTS_DIR, assemble, files, settings, sound};
use crate::lock;

/// Takes trained configurations in any order and makes a table of them.
///
/// Whatever [`TableWriter::append`] has returned from is durable. A kill loses at most the cohort
/// in training; [`TableWriter::resume`] goes on from there and ends in the same bytes. It also lets
/// a finished table grow by configurations and repeats, to the bytes that the larger table would
/// have had from the start; until that is whole, the finished one stays what it was.
#[derive(Debug)]
pub struct TableWriter {
    dir: PathBuf,
    header: Header,
    /// As it is written; that of the first process, if training was resumed.
    header_json: Map<String, Json>,
    /// By position in the range of ids.
    done: Vec<bool>,
    parts: Vec<Part>,
    next_part: usize,
    /// The table was finished before: nothing is left to do.
    finished: bool,
    /// The finished table that grows.
    base: Option<Base>,
    /// Held as long as this process writes here.
    lock: Option<File>,
    /// What to take away if nothing ever becomes durable.
    made_dir: bool,
    fresh: bool,
}

impl TableWriter {
    /// Begins a table in a new or empty directory, and finds out now rather than after hours of
    /// training whether it can be written. What is there already is never touched.
    pub fn create(dir: &Path, header: Header) -> Result<Self> {
        sound::assert_header(&header);
        let made_dir = !dir.exists();
        fs::create_dir_all(dir).map_err(|e| unwritable(dir, &e))?;
        refuse_occupied(dir)?;
        Self::begin(dir, header, made_dir)
    }

    fn begin(dir: &Path, header: Header, made_dir: bool) -> Result<Self> {
        let header_json = header.to_json()?;
        let lock = lock(&dir.join(PARTS_DIR))?;
        let mut writer = Self::new(dir, header, header_json, Some(lock));
        (writer.made_dir, writer.fresh) = (made_dir, true);
        writer.write_header(parts::HEADER_FILE)?;
        Ok(writer)
    }

    fn new(dir: &Path, header: Header, header_json: Map<String, Json>, lock: Option<File>) -> Self {
        Self {
            dir: dir.to_path_buf(),
            done: vec![false; header.configs as usize],
            header,
            header_json,
            parts: Vec::new(),
            next_part: 0,
            finished: false,
            base: None,
            lock,
            made_dir: false,
            fresh: false,
        }
    }

    fn write_header(&self, name: &str) -> Result<()> {
        let text = manifest::json_text(&self.header_json)?;
        let path = self.dir.join(PARTS_DIR).join(name);
        files::write_atomically(&path, &text).map_err(|e| unwritable(&self.dir, &e))
    }

    /// Goes on with an unfinished table; begins one where there is nothing yet; lets a finished one
    /// grow where more configurations or repeats are asked for than it has. All other settings must
    /// be those of the first process (but for time and commit); each that differs is named.
    ///
    /// # Errors
    ///
    /// Other settings; less than there is; more epochs, or more configurations of a shard, which
    /// cannot be added; a table or parts that are not what was written; another process at work.
    pub fn resume(dir: &Path, header: Header) -> Result<Self> {
        sound::assert_header(&header);
        let parts_dir = dir.join(PARTS_DIR);
        if growth::home(dir).join(MANIFEST_FILE).exists() {
            return Self::resume_finished(dir, header);
        }
        let begun = parts_dir.join(parts::HEADER_FILE);
        if !begun.exists() {
            // Killed before anything was durable, or never begun.
            let made_dir = !dir.exists();
            fs::create_dir_all(dir).map_err(|e| unwritable(dir, &e))?;
            if !parts_dir.exists() || has_others(dir, &parts_dir) {
                refuse_occupied(dir)?;
            }
            return Self::begin(dir, header, made_dir);
        }
        let mut then = manifest::read_json(&begun)?;
        let now = header.to_json()?;
        let found = settings::differences_on_resume(&then, &now);
        // Parts hold whole configurations: more of these come beside them, more repeats do not.
        let is_more = |d: &Difference| d.field == "configs" && settings::is_more(d, &now);
        let is_larger = !found.is_empty() && found.iter().all(is_more);
        if let Some(refused) = found.iter().position(|difference| !is_more(difference)) {
            let mut found = found;
            found[..=refused].rotate_right(1);
            return Err(settings::refusal(&begun, &found, &now, false));
        }
        let lock = lock(&parts_dir)?;
        if is_larger {
            then.insert("configs".into(), header.configs.into());
        }
        let mut writer = Self::new(dir, header, then, Some(lock));
        writer.take_parts(parts::find(&parts_dir)?)?;
        if is_larger {
            writer.write_header(parts::HEADER_FILE)?;
        }
        Ok(writer)
    }

    /// The same where nobody said how many configurations: what is there does not grow by itself.
    ///
    /// # Errors
    ///
    /// Those of [`Self::resume`]; a table with fewer configurations.
    pub fn resume_same(dir: &Path, header: Header) -> Result<Self> {
        let parts_dir = dir.join(PARTS_DIR);
        let of_parts = [growth::GROWTH_FILE, parts::HEADER_FILE].map(|name| parts_dir.join(name));
        let said = of_parts.into_iter().chain([growth::home(dir).join(MANIFEST_FILE)]);
        if let Some(path) = said.into_iter().find(|path| path.exists()) {
            let then = manifest::read_json(&path)?;
            let then = then.get("configs").and_then(Json::as_u64).unwrap_or_default();
            let now = header.configs;
            if then < u64::from(now) && header.first_config.is_none() {
                let rule =
                    format!("training began with {then}, and a table grows where it is told");
                let remedy =
                    format!("say --configs {then} to go on, or --configs {now} to let it grow");
                return Err(fault(path.display(), "configs", now, rule, remedy));
            }
        }
        Self::resume(dir, header)
    }

    /// Nothing is left to do, or the table grows.
    fn resume_finished(dir: &Path, header: Header) -> Result<Self> {
        let parts_dir = dir.join(PARTS_DIR);
        let mut begun = None;
        if parts_dir.exists() {
            let lock = lock(&parts_dir)?;
            growth::settle(dir)?;
            begun = growth::begun(dir)?;
            if begun.is_none() {
                // A kill after the last rename leaves the parts behind.
                drop(lock);
                parts::clear(&parts_dir)?;
            }
        }
        let now = header.to_json()?;
        let found = growth::look(dir, &now, begun.as_ref())?;
        let Found::Grows(header_json) = found else {
            let mut writer = Self::new(dir, header, now, None);
            writer.finished = true;
            writer.done.fill(true);
            return Ok(writer);
        };
        let base = Base::open(dir, &header)?;
        let lock = lock(&parts_dir)?;
        let is_new = begun.as_ref() != Some(&header_json);
        let mut writer = Self::new(dir, header, header_json, Some(lock));
        if base.repeats == writer.header.repeats {
            writer.done[..base.ids.len()].fill(true);
        }
        writer.base = Some(base);
        writer.fresh = begun.is_none();
        if begun.is_some() {
            writer.take_parts(parts::find(&parts_dir)?)?;
        }
        if is_new {
            writer.write_header(growth::GROWTH_FILE)?;
        }
        Ok(writer)
    }

    /// Configurations and curves of each that a finished table has which is to grow; none where
    /// none grows.
    pub fn grows_from(&self) -> Option<(usize, u16)> {
        self.base.as_ref().map(|base| (base.ids.len(), base.repeats))
    }

    /// Curves of a configuration that are durable, though it is not [done](Self::is_done): those of
    /// the finished table that grows. What is appended of it begins with the next.
    pub fn curves_done(&self, config: ConfigId) -> u16 {
        self.base.as_ref().filter(|base| base.ids.contains(&config.0)).map_or(0, |b| b.repeats)
    }

    fn take_parts(&mut self, found: Vec<Part>) -> Result<()> {
        self.next_part = parts::next_number(&found);
        for part in &found {
            for &id in &part.ids {
                let index = self.index(ConfigId(id)).filter(|&index| !self.done[index]);
                let Some(index) = index else {
                    let rule = "every configuration of this table stands in one part";
                    let remedy = "remove this directory: what is missing is trained again";
                    return Err(fault(part.dir.display(), "config_id", id, rule, remedy));
                };
                self.done[index] = true;
            }
        }
        self.parts = found;
        Ok(())
    }

    fn index(&self, config: ConfigId) -> Option<usize> {
        let ids = self.header.ids();
        ids.contains(&config.0).then(|| (config.0 - ids.start) as usize)
    }

    /// Whether a configuration is durable. Never for ids of other tables and shards.
    pub fn is_done(&self, config: ConfigId) -> bool {
        self.index(config).is_some_and(|index| self.done[index])
    }

    /// How many configurations are durable.
    pub fn done_count(&self) -> usize {
        self.done.iter().filter(|&&done| done).count()
    }

    /// Makes a cohort durable, as one part. Each append costs a few syncs of the disk: a cohort
    /// should hold seconds of training, not milliseconds.
    ///
    /// # Panics
    ///
    /// Where a configuration is appended twice or breaks the layout of a table: the trainer's bug.
    pub fn append<R: Into<Recorded>>(&mut self, cohort: Vec<R>) -> Result<()> {
        if cohort.is_empty() {
            return Ok(());
        }
        let mut cohort: Vec<Recorded> = cohort.into_iter().map(Into::into).collect();
        cohort.sort_by_key(|recorded| recorded.config_id);
        for recorded in &cohort {
            let first_repeat = self.curves_done(recorded.config_id);
            sound::assert_record(&self.header, recorded, first_repeat);
            let index = self.index(recorded.config_id).expect("ids are the header's");
            let before = std::mem::replace(&mut self.done[index], true);
            assert!(!before, "configuration {} came twice", recorded.config_id);
        }
        let parts_dir = self.dir.join(PARTS_DIR);
        let part = parts::write(&parts_dir, self.next_part, &self.header, &cohort);
        // What did not become durable is not done.
        let part = part.inspect_err(|_| {
            for recorded in &cohort {
                let index = self.header.ids().start;
                self.done[(recorded.config_id.0 - index) as usize] = false;
            }
        })?;
        self.parts.push(part);
        self.next_part += 1;
        self.fresh = false;
        Ok(())
    }

    /// Puts the parts together, sorted, and takes them away. `table.json` comes last. Memory is
    /// taken for the parts that share a range of 256 ids.
    pub fn finish(mut self) -> Result<()> {
        if self.finished {
            return Ok(());
        }
        let (done, all) = (self.done_count(), self.done.len());
        if done < all {
            let rule = format!("a table is finished when all {all} are trained");
            let remedy = "go on with `--resume`";
            return Err(fault(self.dir.display(), "configurations", done, rule, remedy));
        }
        let grows = self.base.is_some();
        let dir = if grows { growth::begin_grown(&self.dir)? } else { self.dir.clone() };
        self.write_table(&dir).inspect_err(|_| {
            if grows {
                // A full disk has no room for halves. Best effort: resuming does it, too.
                let _ = fs::remove_dir_all(&dir);
            }
        })?;
        if grows {
            growth::commit(&self.dir)?;
        }
        self.finished = true;
        // Some systems do not remove a file that is open.
        self.lock = None;
        parts::clear(&self.dir.join(PARTS_DIR))
    }

    fn write_table(&self, dir: &Path) -> Result<()> {
        let seals = assemble::assemble(dir, &self.header, self.base.as_ref(), &self.parts)?;
        let seals = serde_json::to_value(seals).map_err(|e| internal("writing table.json", e))?;
        let mut manifest = self.header_json.clone();
        manifest.insert("files".into(), seals);
        let text = manifest::json_text(&manifest)?;
        files::write_atomically(&dir.join(MANIFEST_FILE), &text)
    }
}

impl Drop for TableWriter {
    /// Where nothing became durable, nothing stays behind.
    fn drop(&mut self) {
        if !self.fresh || self.finished {
            return;
        }
        self.lock = None;
        // Best effort: there is nobody left to tell.
        let _ = parts::clear(&self.dir.join(PARTS_DIR));
        if self.made_dir {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Takes the directory of the parts for this process alone.
pub(super) fn lock(parts_dir: &Path) -> Result<File> {
    fs::create_dir_all(parts_dir).map_err(|e| unwritable(parts_dir, &e))?;
    let taken = lock::take(parts_dir, "one process trains a table at a time");
    taken.map_err(|e| unwritable(parts_dir, &e))?
}

pub(super) fn unwritable(dir: &Path, error: &dyn std::fmt::Display) -> Error {
    let rule = "must be a directory that can be written";
    let remedy = "choose another directory, or correct its permissions";
    fault(dir.display(), "output directory", error, rule, remedy)
}

/// Whether something stands beside the directory of the parts, or in it, that no training left.
fn has_others(dir: &Path, parts_dir: &Path) -> bool {
    let mut entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.any(|entry| entry.path() != parts_dir) || parts::stranger(parts_dir).is_some()
}

pub(super) fn refuse_occupied(dir: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| unwritable(dir, &e))? {
        let name = entry.map_err(|e| unwritable(dir, &e))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    let Some(first) = names.first() else { return Ok(()) };
    let has = |name: &str| names.iter().any(|n| n == name);
    let (found, rule, remedy) = if has(MANIFEST_FILE) {
        let remedy = "choose another directory, remove this table first, or let it grow with \
                      `--resume`";
        (MANIFEST_FILE, "a finished table is never overwritten", remedy)
    } else if has(PARTS_DIR) {
        let remedy = "go on with `--resume`, or choose another directory";
        (PARTS_DIR, "an unfinished table is never overwritten", remedy)
    } else {
        (first.as_str(), "must be new or empty", "choose another directory")
    };
    Err(fault(dir.display(), "output directory", format!("holds {found}"), rule, remedy))
}
