//! A page of answers, and its plots.

mod rules;
mod traced;

use traced::Places;

use std::path::{Path, PathBuf};

use answers::analysis::{Analysis, AnalyzeSettings, Runs, analyze};
use answers::report::html::{Page, RuleSpeedup, Study, Traced, render};
use answers::report::plots::Plot;
use answers::robustness::Robustness;
use base::error::{Result, fault};
use base::units::plural;
use store::{Document, Documents, Finished, Replacing};

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

/// Runs with what is known of them.
struct Source {
    name: String,
    summary: String,
    runs: Runs,
    analysis: Analysis,
    traced: Traced,
    robustness: Robustness,
    rules: Vec<RuleSpeedup>,
    commands: Vec<(String, String)>,
    provenance: Vec<(String, String)>,
    text: Option<String>,
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
    let sources = settings.of.iter().map(|of| Source::read(of, settings, events));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let page = page(&sources);
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

fn page(sources: &[Source]) -> Page<'_> {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let summary = match sources {
        [one] => one.summary.clone(),
        _ => String::new(),
    };
    Page {
        title: names.join(", "),
        summary,
        studies: sources.iter().map(Source::study).collect(),
        made_by: format!("curvebook {}", env!("CARGO_PKG_VERSION")),
    }
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

impl Source {
    fn study(&self) -> Study<'_> {
        Study {
            name: self.name.clone(),
            summary: self.summary.clone(),
            runs: &self.runs,
            analysis: &self.analysis,
            traced: self.traced.clone(),
            robustness: &self.robustness,
            rules: self.rules.clone(),
            commands: self.commands.clone(),
            provenance: self.provenance.clone(),
            text: self.text.clone(),
        }
    }

    fn read(of: &Path, settings: &Settings, events: &dyn Events) -> Result<Self> {
        let path = runs_of(of);
        if of.is_dir() && !path.exists() {
            let rule = "a study's directory holds runs.parquet once it is finished";
            let remedy = "name a study's --out, or a file of runs";
            return Err(fault("report", "directory", of.display(), rule, remedy));
        }
        let runs = Runs::from_files(std::slice::from_ref(&path))?;
        events.detail(&format!(
            "read {} of runs from {}",
            plural(runs.len(), "row"),
            path.display()
        ));
        let finished = if of.is_dir() { Finished::find(of)? } else { None };
        let Some(finished) = finished else { return Self::of_runs(&path, runs, settings) };
        finished.check()?;
        let about = about_finished(&finished, of)?;
        let study = StudyDefinition::parse_kept(of, &about.study)?;
        let analysis = match &settings.baseline {
            Some(_) => analyzed(&runs, settings.baseline.clone())?,
            None => study.experiments.answer(&runs)?,
        };
        let places = Places { study: &study, about: &about, given: &settings.tables };
        let traced = traced::traced(of, &places, &analysis, &runs)?;
        let rules = rules::rules(&runs, &analysis)?;
        let robustness = robustness::kept(of, &about).unwrap_or_default();
        let mut provenance = provenance(&runs, of);
        provenance.push(("run by".to_string(), format!("curvebook {}", about.program)));
        for (name, hash) in about.tables() {
            provenance.push((format!("table {name}"), format!("SHA-256 {hash}")));
        }
        let commands = vec![
            (
                "The runs again, compared byte by byte".to_string(),
                format!("curvebook verify {}", of.display()),
            ),
            ("The answers as text".to_string(), format!("curvebook analyze {}", path.display())),
            (
                "This page".to_string(),
                format!("curvebook report {} --out report.html", of.display()),
            ),
        ];
        let (name, summary, text) = (study.name, study.summary, Some(study.text));
        Ok(Self {
            name,
            summary,
            runs,
            analysis,
            traced,
            robustness,
            rules,
            commands,
            provenance,
            text,
        })
    }

    fn of_runs(path: &Path, runs: Runs, settings: &Settings) -> Result<Self> {
        let analysis = analyzed(&runs, settings.baseline.clone())?;
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let mut tables: Vec<&str> = analysis.goals.iter().map(|goal| goal.table.as_str()).collect();
        tables.dedup();
        let summary = format!("Runs of {}", tables.join(", "));
        let commands = vec![
            ("The answers as text".to_string(), format!("curvebook analyze {}", path.display())),
            (
                "This page".to_string(),
                format!("curvebook report {} --out report.html", path.display()),
            ),
        ];
        let provenance = provenance(&runs, path);
        let traced = Traced::default();
        let rules = rules::rules(&runs, &analysis)?;
        let (robustness, text) = (Robustness::default(), None);
        Ok(Self {
            name,
            summary,
            runs,
            analysis,
            traced,
            robustness,
            rules,
            commands,
            provenance,
            text,
        })
    }
}

fn analyzed(runs: &Runs, baseline: Option<String>) -> Result<Analysis> {
    analyze(runs, &AnalyzeSettings { baseline, ..AnalyzeSettings::default() })
}

fn provenance(runs: &Runs, of: &Path) -> Vec<(String, String)> {
    let files = ("read from".to_string(), of.display().to_string());
    vec![files, ("rows".to_string(), format!("{}, one a run and goal", runs.len()))]
}
