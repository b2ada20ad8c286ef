//! Replaying experiments against tables.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use answers::analysis::{Analysis, Runs};
use base::error::{Error, Result, fault};
use store::table::{CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE};
use store::{Output, Places, Replacing};

use crate::Events;
use crate::runner::{Ended, Ran, Runner, kept_in};
use crate::settings::{Door, Experiments, Given, REPLAY, threads_or_all};

/// Checked settings of a replay.
#[derive(Debug, Clone)]
pub struct Settings {
    pub experiments: Experiments,
    /// Runs at once.
    pub threads: usize,
    /// Where `runs.parquet` goes, if it is kept.
    pub out: Option<PathBuf>,
    /// Where `trace.parquet` goes, if it is kept.
    pub trace: Option<PathBuf>,
    /// Whether files of others may be replaced by these.
    pub is_forced: bool,
    /// Whether the runs are analysed: millions of them take memory for it.
    pub analyzes: bool,
}

/// What a replay came to.
#[derive(Debug)]
pub struct Outcome {
    /// `None` where none was wanted, or no run was done.
    pub analysis: Option<Analysis>,
    /// How many runs there are; fewer than all where the work was stopped.
    pub ended: Ended,
    out: Option<PathBuf>,
    /// Why the files that were asked for are missing, though there are answers.
    pub unkept: Option<Error>,
}

impl Outcome {
    /// Whether all runs were done.
    ///
    /// # Errors
    /// [`Interrupted`](base::error::Error::Interrupted), with what was kept.
    pub fn whole(&self) -> Result<()> {
        self.ended.whole(&kept_in(self.out.as_deref()))
    }
}

/// Settings by name, each [`set`](Given::set) to what a study file would say: read them with
/// [`Settings::read`].
pub fn keywords() -> Given {
    Given::new(Door::Keywords, REPLAY)
}

impl Settings {
    /// Reads and checks what was given for the settings of [`REPLAY`].
    ///
    /// # Errors
    /// A fault for the first setting that is wrong.
    pub fn read(given: &Given) -> Result<Self> {
        let experiments = Experiments::read(given)?;
        let (out, trace) = (given.path("out")?, given.path("trace")?);
        let analyzes = !given.flag("no_analysis")?;
        if let (Some(out), true) = (&out, out == trace) {
            let rule = "runs and trace are two files";
            let place = given.place("trace");
            return Err(fault(place, "file", out.display(), rule, "name another file"));
        }
        let is_stdout =
            |path: &Option<PathBuf>| path.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if analyzes && (is_stdout(&out) || is_stdout(&trace)) {
            let rule = "standard output takes the answers or a file, not both";
            let place = given.place(if is_stdout(&out) { "out" } else { "trace" });
            return Err(fault(place, "file", "-", rule, "give --no-analysis, or name a file"));
        }
        if !analyzes && out.is_none() && trace.is_none() {
            let rule = "without an analysis and a file nothing would come out";
            let place = given.place("no_analysis");
            return Err(fault(place, "output", "none", rule, "give --out or --trace"));
        }
        let threads = threads_or_all(given.whole("threads")?)?;
        let is_forced = given.flag("force")?;
        Ok(Self { experiments, threads, out, trace, is_forced, analyzes })
    }
}

/// Runs the experiments, keeps what was asked for, and answers.
///
/// # Errors
/// Faults of tables, of settings that a table does not allow, and of places that cannot be written:
/// all of them before the first run. A stopped replay is no error: see [`Outcome::whole`].
pub fn run(settings: &Settings, events: &dyn Events, stop: &AtomicBool) -> Result<Outcome> {
    let Experiments { tables, grid, .. } = &settings.experiments;
    let of_table = |dir: &PathBuf| {
        [MANIFEST_FILE, CONFIGS_FILE, CURVES_FILE].map(|name| dir.join(name)).into_iter()
    };
    let mut inputs: Vec<PathBuf> = tables.iter().flat_map(of_table).collect();
    let places = |inputs: &[PathBuf]| {
        let replacing = Replacing { is_forced: settings.is_forced, inputs };
        Places::check(settings.out.as_deref(), settings.trace.as_deref(), &replacing)
    };
    places(&inputs)?;
    let pools = settings.experiments.load(events)?;
    events.work_begins();
    let runner = Runner { grid, pools: &pools, threads: settings.threads, stop, events };
    inputs.extend(runner.probe(&settings.experiments)?);
    let mut rows = Runs::builder();
    let output = Output::open(places(&inputs)?)?;
    let Ran { ended, unkept } = runner.run(output, settings.analyzes, |block| {
        if settings.analyzes { rows.push(&block) } else { Ok(()) }
    })?;
    let analysis = if settings.analyzes && ended.done > 0 {
        Some(settings.experiments.answer(&rows.finish()?)?)
    } else {
        None
    };
    Ok(Outcome { analysis, ended, out: settings.out.clone(), unkept })
}
