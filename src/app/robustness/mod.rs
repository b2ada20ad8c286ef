//! A study's comparison under other settings, one changed at a time.

mod settings;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use answers::analysis::Runs;
use answers::robustness::{Robustness, Setting, SettingGoal};
use base::error::{Error, Result, internal};
use base::hex;
use replay::{Grid, Pool};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Document, Output, Replacing};

use crate::runner::Runner;
use crate::study::StudyDefinition;
use crate::{Events, Silent};
use settings::Changed;

/// Beside `runs.parquet`.
const FILE: &str = "robustness.json";
const FORMAT: &str = "curvebook-robustness";
/// No honest file is longer.
const BYTES_MAX: u64 = 64 << 20;

/// `robustness.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    format: String,
    /// SHA-256 of what the study was: another study's is not this one's.
    of: String,
    #[serde(flatten)]
    robustness: Robustness,
}

/// What was found earlier of a study that says this of itself; `None` where there is nothing, or it
/// is another study's.
pub(crate) fn kept(dir: &Path, about: &impl Serialize) -> Option<Robustness> {
    let text = store::inputs::read_text(&dir.join(FILE), BYTES_MAX).ok()?;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    (kept.format == FORMAT && Some(kept.of) == key(about).ok()).then_some(kept.robustness)
}

/// What it is kept under.
fn key(about: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(about).map_err(|e| internal("writing JSON", e))?;
    Ok(hex(&Sha256::digest(text)))
}

/// Sees that no file of somebody else's stands where it goes.
pub(crate) fn check(dir: &Path) -> Result<()> {
    if dir.join(FILE).exists() { place(dir).map(|_| ()) } else { Ok(()) }
}

fn place(dir: &Path) -> Result<Document> {
    Document::at("--out", &dir.join(FILE), FORMAT, &Replacing::default())
}

/// Makes the comparison of a study under other settings, and keeps what comes of it in its
/// directory.
///
/// # Errors
/// Faults of the tables, a disk that cannot be written, and
/// [`Interrupted`](base::error::Error::Interrupted): the study's results are whole then.
pub(crate) fn make(
    study: &StudyDefinition,
    dir: &Path,
    about: &impl Serialize,
    threads: usize,
    events: &dyn Events,
    stop: &AtomicBool,
) -> Result<()> {
    let tables = study.experiments.load(&Silent)?;
    let changed = settings::all(study, &tables);
    let (mut settings, of_all) = (Vec::new(), changed.len());
    for (at, changed) in changed.iter().enumerate() {
        let (at, all) = (at + 1, of_all);
        events.say(&format!("under other settings, {at} of {all}: {}", changed.name));
        settings.push(run(study, changed, threads, stop)?);
    }
    let kept =
        Kept { format: FORMAT.to_string(), of: key(about)?, robustness: Robustness { settings } };
    let mut text = serde_json::to_vec(&kept).map_err(|e| internal("writing JSON", e))?;
    text.push(b'\n');
    place(dir)?.write(&text)
}

/// One setting.
fn run(
    study: &StudyDefinition,
    changed: &Changed,
    threads: usize,
    stop: &AtomicBool,
) -> Result<Setting> {
    let mut setting = Setting {
        name: changed.name.clone(),
        words: changed.words.to_string(),
        goals: Vec::new(),
        refused: None,
    };
    match compared(study, changed, threads, stop) {
        Ok(goals) => setting.goals = goals,
        // A method may not be able to run under every setting.
        Err(Error::Input(fault)) => setting.refused = Some(fault.to_string()),
        Err(e) => return Err(e),
    }
    Ok(setting)
}

fn compared(
    study: &StudyDefinition,
    changed: &Changed,
    threads: usize,
    stop: &AtomicBool,
) -> Result<Vec<SettingGoal>> {
    let pools: Vec<Pool> = changed.pools(study)?;
    let grid: &Grid = &changed.grid;
    let runner = Runner { grid, pools: &pools, threads, stop, events: &Silent };
    let mut rows = Runs::builder();
    let output = Output::create(None, None)?;
    runner.run(output, true, |block| rows.push(&block))?;
    if stop.load(Ordering::Relaxed) {
        let kept = "the study's results are whole; the same command goes on with other settings";
        return Err(Error::Interrupted { kept: kept.to_string() });
    }
    let analysis = study.experiments.answer(&rows.finish()?)?;
    let tables = pools.iter().map(|pool| pool.name().to_string());
    let goals: Vec<[String; 3]> = tables
        .flat_map(|table| {
            changed.goals.iter().map(move |[goal, now]| [table.clone(), goal.clone(), now.clone()])
        })
        .collect();
    Ok(SettingGoal::of(&analysis, &goals))
}
