//! Arrays of jobs for Slurm, and how far they are.
//!
//! A directory gets three kinds of files: `array.sh`, a job whose every task trains a shard or
//! replays a range of seeds; `end.sh`, which makes one result of theirs; and what tasks write. All
//! of it is plain shell, which GNU parallel and Kubernetes run as well. A task that is killed or
//! queued again goes on where it was, and one that is done does nothing: that is what `train
//! --resume` and `study` do by themselves.

mod script;
mod status;
mod study;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base::error::{Result, fault, internal, io};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Replacing;

pub use status::{Progress, Status, TaskState, status};

use crate::settings::Given;
use crate::study::StudyDefinition;
use crate::train;

/// What a directory says of itself.
const FILE: &str = "slurm.json";
const FORMAT: &str = "curvebook-slurm";
const VERSION: u32 = 1;
/// No honest file is longer.
const BYTES_MAX: u64 = 16 << 20;
/// Slurm's own limit of an array is lower where nobody raised it; it says so itself.
const TASKS_MAX: u32 = 1_000_000;

/// What the tasks do.
#[derive(Debug, Clone)]
pub enum Work {
    /// Train shards of a table, by settings of [`TRAIN`](crate::train::TRAIN).
    Train(Box<Given>),
    /// Replay ranges of seeds of a study: its name, or its file.
    Study(String),
}

/// An array of jobs.
#[derive(Debug, Clone)]
pub struct Settings {
    pub work: Work,
    pub tasks: u32,
    /// A new directory, or one of the same array.
    pub out: PathBuf,
    /// Processors of a task.
    pub cpus: u32,
    /// Further options of sbatch, such as `--partition=long`.
    pub sbatch: Vec<String>,
    /// Whether the jobs are submitted at once.
    pub submit: bool,
}

/// What was written, and submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub array: PathBuf,
    pub end: PathBuf,
    /// The numbers of the two jobs; `None` where nothing was submitted.
    pub jobs: Option<[String; 2]>,
}

/// `slurm.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    format: String,
    version: u32,
    /// `train` or `study`.
    work: String,
    tasks: u32,
    /// What a task calls, but for what differs from task to task.
    command: Vec<String>,
    /// What decides of the results: another array may not go on here.
    of: serde_json::Value,
}

/// The places in the directory of an array.
struct Places<'a>(&'a Path);

impl Places<'_> {
    fn part(&self, task: u32) -> PathBuf {
        self.0.join("parts").join(task.to_string())
    }

    fn parts(&self) -> PathBuf {
        self.0.join("parts")
    }

    fn studies(&self) -> PathBuf {
        self.0.join("studies")
    }

    fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    fn table(&self) -> PathBuf {
        self.0.join("table")
    }
}

/// Writes the scripts, and submits them where that was asked for.
///
/// # Errors
/// Faults of what the tasks are to do, of numbers out of range, of a directory that holds something
/// else, and of `sbatch`.
pub fn write(settings: &Settings) -> Result<Written> {
    check(settings)?;
    let out = std::path::absolute(&settings.out).map_err(|e| io(&settings.out, "finding", e))?;
    let program = std::env::current_exe().map_err(|e| internal("finding this program", e))?;
    let here = std::env::current_dir().map_err(|e| internal("finding the working directory", e))?;
    let places = Places(&out);
    let (work, command, of, studies) = match &settings.work {
        Work::Train(given) => {
            let (command, of) = train_command(given, settings.tasks)?;
            ("train", command, of, Vec::new())
        }
        Work::Study(name) => {
            let study = StudyDefinition::find(name)?;
            let studies = study::of_tasks(&study, settings.tasks)?;
            ("study", Vec::new(), json!(studies), studies)
        }
    };
    let about = About {
        format: FORMAT.to_string(),
        version: VERSION,
        work: work.to_string(),
        tasks: settings.tasks,
        command: command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
        of,
    };
    is_new_or_same(&out, &about)?;
    let lines = script::Script { settings, program: &program, here: &here, places: &places };
    let files = [
        ("array.sh".to_string(), lines.array(work, &command)?),
        ("end.sh".to_string(), lines.end(work)?),
    ];
    let numbered =
        (0..).zip(studies).map(|(task, text): (u32, _)| (format!("studies/{task}.toml"), text));
    fs::create_dir_all(&out).map_err(|e| io(&out, "making", e))?;
    // First of all: what is interrupted after it can be written again.
    let text = serde_json::to_vec_pretty(&about).map_err(|e| internal("writing JSON", e))?;
    store::Document::at("--out", &out.join(FILE), FORMAT, &Replacing::default())?.write(&text)?;
    for dir in [places.parts(), places.logs(), places.studies()] {
        fs::create_dir_all(&dir).map_err(|e| io(&dir, "making", e))?;
    }
    for (name, text) in files.into_iter().chain(numbered) {
        let path = out.join(name);
        fs::write(&path, text).map_err(|e| io(&path, "writing", e))?;
    }
    let [array, end] = ["array.sh", "end.sh"].map(|name| out.join(name));
    let jobs = if settings.submit { Some(submit(&array, &end)?) } else { None };
    Ok(Written { array, end, jobs })
}

fn check(settings: &Settings) -> Result<()> {
    if !(1..=TASKS_MAX).contains(&settings.tasks) {
        let rule = format!("must lie in 1..{TASKS_MAX}");
        return Err(fault("slurm", "--tasks", settings.tasks, rule, "give a number of tasks"));
    }
    if settings.cpus == 0 {
        let rule = "a task needs a processor";
        return Err(fault("slurm", "--cpus", 0, rule, "give at least one"));
    }
    for option in &settings.sbatch {
        if !option.starts_with('-') || option.contains(char::is_control) {
            let rule = "must be one option of sbatch, on one line";
            let remedy = "write it as --sbatch=--partition=long";
            return Err(fault("slurm", "--sbatch", option, rule, remedy));
        }
    }
    Ok(())
}

/// What every task of a training calls, and what decides of the table.
fn train_command(given: &Given, tasks: u32) -> Result<(Vec<OsString>, serde_json::Value)> {
    for option in ["out", "shard", "resume", "plan"] {
        if given.has(option) {
            let rule = "every task has its own";
            let place = given.place(option);
            return Err(fault("slurm train", place, "given", rule, "leave it out"));
        }
    }
    // A shard of the whole: refused here, and not by a thousand tasks.
    let last = format!("{}/{tasks}", tasks - 1);
    let mut probe = given.clone();
    let shard = train::TRAIN.iter().find(|setting| setting.name == "shard");
    probe.take_option(shard.expect("training has shards"), vec![last.into()]);
    train::Settings::read(&probe)?;
    let mut of = given.clone();
    of.leave_out(&["threads", "device", "data_dir"]);
    let of: Vec<String> =
        of.options().iter().map(|part| part.to_string_lossy().into_owned()).collect();
    Ok((given.options(), json!(of)))
}

/// Refuses a directory that holds another array, or anything else.
fn is_new_or_same(out: &Path, about: &About) -> Result<()> {
    let path = out.join(FILE);
    if !path.exists() {
        let mut entries = match fs::read_dir(out) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|e| io(out, "reading", e))?,
        };
        if entries.next().is_none() {
            return Ok(());
        }
        let rule = "holds something, and no array of jobs";
        return Err(fault("slurm", "--out", out.display(), rule, "name a new directory"));
    }
    let there = read_about(out)?;
    if (&there.work, there.tasks, &there.of) == (&about.work, about.tasks, &about.of) {
        return Ok(());
    }
    let rule = "holds an array that does something else";
    let remedy = "give the same settings to go on with it, or name a new directory";
    Err(fault("slurm", "--out", out.display(), rule, remedy))
}

fn read_about(dir: &Path) -> Result<About> {
    let path = dir.join(FILE);
    let remedy = "name the --out of `curvebook slurm train` or `curvebook slurm study`";
    let foreign = |what: String| {
        fault(path.display(), "contents", what, "must be what `curvebook slurm` wrote", remedy)
    };
    let text = store::inputs::read_text(&path, BYTES_MAX).map_err(|e| foreign(e.to_string()))?;
    let about: About = serde_json::from_str(&text).map_err(|e| foreign(e.to_string()))?;
    if about.format != FORMAT || about.version != VERSION {
        return Err(foreign("another format or version".to_string()));
    }
    Ok(about)
}

/// Submits both jobs, the second to begin where all of the first have ended well.
fn submit(array: &Path, end: &Path) -> Result<[String; 2]> {
    let first = sbatch(&[array.as_os_str().to_owned()])?;
    let after = format!("--dependency=afterok:{first}");
    let second = sbatch(&[after.into(), end.as_os_str().to_owned()])?;
    Ok([first, second])
}

fn sbatch(arguments: &[OsString]) -> Result<String> {
    let failed = |what: String| {
        let rule = "must be Slurm's sbatch, and take the script";
        let remedy = "load Slurm, or submit the scripts by hand: they are written";
        fault("slurm", "--submit", what, rule, remedy)
    };
    let ran = Command::new("sbatch").arg("--parsable").args(arguments).output();
    let ran = ran.map_err(|e| failed(format!("sbatch ({e})")))?;
    let [said, complained] = [&ran.stdout, &ran.stderr].map(|of| String::from_utf8_lossy(of));
    if !ran.status.success() {
        return Err(failed(complained.trim().to_string()));
    }
    // With several clusters, its name follows after a semicolon.
    let job = said.trim().split(';').next().unwrap_or_default();
    if job.is_empty() || !job.chars().all(|c| c.is_ascii_digit()) {
        return Err(failed(said.trim().to_string()));
    }
    Ok(job.to_string())
}
