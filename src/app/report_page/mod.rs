//! A page of answers, and its plots.

mod rules;
mod traced;

use std::path::{Path, PathBuf};

use answers::analysis::{Analysis, AnalyzeSettings, Runs, analyze};
use answers::report::html::{Page, Study, Traced, render};
use answers::report::plots::Plot;
use answers::robustness::Robustness;
use base::error::{Result, fault};
use base::units::plural;
use store::{Document, Documents, Finished, Replacing};
use traced::Places;

use crate::study::{StudyDefinition, about_finished};
use crate::{Events, robustness};

/// What a page says of who made it: such a file may be replaced.
pub(crate) const MARK: &str = "<meta name=\"generator\" content=\"curvebook ";
/// The runs of a study's directory.
const RUNS_FILE: &str = "runs.parquet";
/// Pixels of a picture for each of the plot.
const ZOOM: f32 = 2.0;

/// What a page is made of, and where it goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directories of studies, and files of runs.
    pub of: Vec<PathBuf>,
    /// The method that the others are compared with, where it is not the study's own.
    pub baseline: Option<String>,
    /// `-` is standard output.
    pub out: PathBuf,
    /// A directory for SVG, PNG and CSV of each plot.
    pub plots: Option<PathBuf>,
    /// Where the tables of the studies are, if they are not where the studies say.
    pub tables: Vec<PathBuf>,
    /// Whether a file of somebody else may be replaced.
    pub is_forced: bool,
    /// Whether all of it is one study, whose runs stand in several places.
    pub is_pooled: bool,
}

impl Settings {
    /// The page in a study's own directory.
    pub(crate) fn of_study(dir: &Path, tables: &[PathBuf]) -> Self {
        Self {
            of: vec![dir.to_path_buf()],
            baseline: None,
            out: dir.join("report.html"),
            plots: None,
            tables: tables.to_vec(),
            is_forced: false,
            is_pooled: false,
        }
    }

    /// Sees that no file of somebody else's stands where the page goes, if there is anything.
    pub(crate) fn check(&self) -> Result<()> {
        if self.out.exists() { self.place(&[]).map(|_| ()) } else { Ok(()) }
    }

    fn place(&self, inputs: &[PathBuf]) -> Result<Document> {
        let replacing = Replacing { is_forced: self.is_forced, inputs };
        Document::at("--out", &self.out, MARK, &replacing)
    }
}

/// Makes the page.
///
/// # Errors
/// Faults of files that hold no runs, of a baseline that no method fits, and of places that cannot
/// be written; results of a study that have changed since.
pub fn run(settings: &Settings, events: &dyn Events) -> Result<()> {
    let inputs: Vec<PathBuf> = settings.of.iter().map(|of| runs_of(of)).collect();
    let document = settings.place(&inputs)?;
    let plots = settings.plots.as_deref().map(|dir| Documents::at("--plots", dir)).transpose()?;
    let studies = if settings.is_pooled {
        vec![pooled(&inputs, settings, events)?]
    } else {
        let studies = settings.of.iter().map(|of| read(of, settings, events));
        studies.collect::<Result<Vec<_>>>()?
    };
    let page = page(studies);
    let (html, drawn) = render(&page);
    if let Some(plots) = plots {
        plots.write(&files(&drawn)?)?;
    }
    document.write(html.as_bytes())?;
    if settings.out.as_os_str() != "-" {
        events.say(&format!("{}: to be looked at in a browser", settings.out.display()));
    }
    Ok(())
}

fn runs_of(of: &Path) -> PathBuf {
    if of.is_dir() { of.join(RUNS_FILE) } else { of.to_path_buf() }
}

fn page(studies: Vec<Study>) -> Page {
    let names: Vec<&str> = studies.iter().map(|study| study.name.as_str()).collect();
    let summary = match &studies[..] {
        [one] => one.summary.clone(),
        _ => String::new(),
    };
    let made_by = format!("curvebook {}", env!("CARGO_PKG_VERSION"));
    Page { title: names.join(", "), summary, studies, made_by }
}

/// SVG, PNG and CSV of each plot.
pub(crate) fn files(plots: &[Plot]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for plot in plots {
        files.push((format!("{}.svg", plot.name), plot.svg().into_bytes()));
        files.push((format!("{}.csv", plot.name), plot.csv().into_bytes()));
        files.push((format!("{}.png", plot.name), plot.png(ZOOM)?));
    }
    Ok(files)
}

/// A study's directory, or a file of runs.
fn read(of: &Path, settings: &Settings, events: &dyn Events) -> Result<Study> {
    let path = runs_of(of);
    if of.is_dir() && !path.exists() {
        let rule = "a study's directory holds runs.parquet once it is finished";
        let remedy = "name a study's --out, or a file of runs";
        return Err(fault("report", "directory", of.display(), rule, remedy));
    }
    let runs = Runs::from_files(std::slice::from_ref(&path))?;
    let rows = plural(runs.len(), "row");
    events.detail(&format!("read {rows} of runs from {}", path.display()));
    match if of.is_dir() { Finished::find(of)? } else { None } {
        Some(finished) => of_study(of, &finished, runs, settings),
        None => of_runs(&path, runs, settings),
    }
}

/// The runs of several files as one study: parts that were replayed elsewhere, with other seeds.
fn pooled(paths: &[PathBuf], settings: &Settings, events: &dyn Events) -> Result<Study> {
    let runs = Runs::from_files(paths)?;
    let rows = plural(runs.len(), "row");
    events.detail(&format!("read {rows} of runs from {}", plural(paths.len(), "file")));
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut study = of_runs(&paths[0], runs, settings)?;
    let all = shown.join(" ");
    study.commands = vec![
        ("The answers as text".to_string(), format!("curvebook analyze {all}")),
        ("This page".to_string(), format!("curvebook report --pooled {all} --out report.html")),
    ];
    study.provenance[0].1 = shown.join(", ");
    Ok(study)
}

/// What a study says of itself, and its trace and other settings show.
fn of_study(dir: &Path, finished: &Finished, runs: Runs, settings: &Settings) -> Result<Study> {
    finished.check()?;
    let about = about_finished(finished, dir)?;
    let study = StudyDefinition::parse_kept(dir, &about.study)?;
    let analysis = match &settings.baseline {
        Some(_) => analyzed(&runs, settings.baseline.clone())?,
        None => study.experiments.answer(&runs)?,
    };
    let places = Places { study: &study, about: &about, given: &settings.tables };
    let traced = traced::traced(dir, &places, &analysis, &runs)?;
    let mut page = of_analysis(dir, runs, analysis)?;
    page.traced = traced;
    page.robustness = robustness::kept(dir, &about).unwrap_or_default();
    page.provenance.push(("run by".to_string(), format!("curvebook {}", about.program)));
    for (name, hash) in about.tables() {
        page.provenance.push((format!("table {name}"), format!("SHA-256 {hash}")));
    }
    let again = format!("curvebook verify {}", dir.display());
    page.commands.insert(0, ("The runs again, compared byte by byte".to_string(), again));
    (page.name, page.summary, page.text) = (study.name, study.summary, Some(study.text));
    Ok(page)
}

/// Runs of which nothing else is known.
fn of_runs(path: &Path, runs: Runs, settings: &Settings) -> Result<Study> {
    let analysis = analyzed(&runs, settings.baseline.clone())?;
    let mut tables: Vec<&str> = analysis.goals.iter().map(|goal| goal.table.as_str()).collect();
    tables.dedup();
    let summary = format!("Runs of {}", tables.join(", "));
    let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    Ok(Study { name, summary, ..of_analysis(path, runs, analysis)? })
}

/// What runs and their answers show, wherever they came from.
fn of_analysis(of: &Path, runs: Runs, analysis: Analysis) -> Result<Study> {
    let (file, shown) = (runs_of(of), of.display());
    Ok(Study {
        name: String::new(),
        summary: String::new(),
        traced: Traced::default(),
        robustness: Robustness::default(),
        rules: rules::rules(&runs, &analysis)?,
        commands: vec![
            ("The answers as text".to_string(), format!("curvebook analyze {}", file.display())),
            ("This page".to_string(), format!("curvebook report {shown} --out report.html")),
        ],
        provenance: vec![
            ("read from".to_string(), shown.to_string()),
            ("rows".to_string(), format!("{}, one a run and goal", runs.len())),
        ],
        text: None,
        runs,
        analysis,
    })
}

fn analyzed(runs: &Runs, baseline: Option<String>) -> Result<Analysis> {
    analyze(runs, &AnalyzeSettings { baseline, ..AnalyzeSettings::default() })
}
