//! `MLflow`'s file store: `mlruns`, an experiment in it, or a run.
//!
//! A run is a directory with `meta.yaml`, a file a parameter in `params`, and a file a metric in
//! `metrics`, a point a line: milliseconds, value, step. A slash in a name is a directory. Runs
//! that were deleted are left out.

use std::fs;
use std::path::{Path, PathBuf};

use base::error::{Error, Result, fault};
use yaml_rust2::{Yaml, YamlLoader};

use crate::inputs;
use crate::table::Status;

use super::super::cell::{Held, is_missing};
use super::super::gathered::{Gathered, Quirks};
use super::super::mapping::Mapping;
use super::super::source;
use super::files;
use super::series::{Point, Run, gather};

/// No honest file of the store that is read whole is longer.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// Reads a store, an experiment or a run.
pub(in super::super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut quirks = Quirks::default();
    let mut runs = Vec::new();
    for dir in run_dirs(path)? {
        if let Some(run) = run(&dir, &mut quirks)? {
            runs.push(run);
        }
    }
    gather(path, runs, mapping, quirks)
}

fn is_run(meta: &Yaml) -> bool {
    !meta["run_id"].is_badvalue() || !meta["run_uuid"].is_badvalue()
}

/// The directories of all runs of the one experiment.
fn run_dirs(path: &Path) -> Result<Vec<PathBuf>> {
    let about = path.join("meta.yaml");
    if about.is_file() {
        if is_run(&document(&about)?) {
            return Ok(vec![path.to_path_buf()]);
        }
        return runs_of(path);
    }
    let mut experiments = Vec::new();
    for dir in files::entries(path)?.into_iter().filter(|entry| files::is_dir(entry)) {
        let about = dir.join("meta.yaml");
        let is_hidden = files::name(&dir).starts_with('.');
        if is_hidden || !about.is_file() || is_run(&document(&about)?) {
            continue;
        }
        let runs = runs_of(&dir)?;
        if !runs.is_empty() {
            experiments.push((files::name(&dir), runs));
        }
    }
    match experiments.len() {
        0 => {
            let rule = "must hold an experiment of MLflow's file store with a run in it";
            let remedy = "give mlruns, the directory of an experiment, or that of a run";
            Err(fault(path.display(), "meta.yaml", "missing", rule, remedy))
        }
        1 => Ok(experiments.remove(0).1),
        count => {
            let names: Vec<&str> = experiments.iter().map(|(name, _)| name.as_str()).collect();
            let remedy = format!("give the directory of one of them: {}", names.join(", "));
            let rule = "a table is made of one experiment";
            Err(fault(path.display(), "experiments", count, rule, remedy))
        }
    }
}

fn runs_of(experiment: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in files::entries(experiment)?.into_iter().filter(|entry| files::is_dir(entry)) {
        let about = dir.join("meta.yaml");
        // Models and traces lie beside runs, with files of the same name.
        if about.is_file() && is_run(&document(&about)?) {
            found.push(dir);
        }
    }
    Ok(found)
}

fn text(path: &Path) -> Result<String> {
    inputs::read_text(path, TEXT_BYTES_MAX).map_err(|e| source::unreadable(path, &e))
}

fn document(path: &Path) -> Result<Yaml> {
    let wrong = |what: String| -> Error {
        let (rule, remedy) = ("must be a mapping in YAML, as MLflow writes", "restore the file");
        fault(path.display(), "contents", what, rule, remedy)
    };
    let text = text(path)?;
    // Aliases can unfold to more than memory holds, and the store writes none.
    if text.contains(['&', '*']) && text.lines().any(|line| line.contains(": *")) {
        return Err(wrong("an alias".into()));
    }
    let documents = YamlLoader::load_from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let first = documents.into_iter().next().filter(|found| found.as_hash().is_some());
    first.ok_or_else(|| wrong("no mapping".into()))
}

/// A run; none where it was deleted.
fn run(dir: &Path, quirks: &mut Quirks) -> Result<Option<Run>> {
    let meta = document(&dir.join("meta.yaml"))?;
    let id = ["run_id", "run_uuid"].into_iter().find_map(|name| meta[name].as_str());
    let mut run = Run::new(id.unwrap_or(&files::name(dir)));
    if meta["lifecycle_stage"].as_str() == Some("deleted") {
        quirks.count("runs that were deleted are left out", || format!("`{}`", run.id));
        return Ok(None);
    }
    // FINISHED says nothing of curves: a run that a rule ended early has finished, too.
    run.status = match &meta["status"] {
        Yaml::Integer(4) => Some(Status::Failed),
        Yaml::Integer(5) => Some(Status::Truncated),
        Yaml::String(word) if word == "FAILED" => Some(Status::Failed),
        Yaml::String(word) if word == "KILLED" => Some(Status::Truncated),
        _ => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let started = meta["start_time"].as_i64().map(|at| at as f64 / 1000.0);
    run.started = started;
    for (name, path) in named(&dir.join("params"))? {
        let text = text(&path)?;
        let text = text.trim_end_matches(['\n', '\r']);
        let held = if is_missing(text) { Held::Missing } else { Held::Raw(text.into()) };
        run.config.insert(name, held);
    }
    for (name, path) in named(&dir.join("metrics"))? {
        for (line, content) in text(&path)?.lines().enumerate() {
            let point = point(content).ok_or_else(|| {
                let rule = "a point is a line of milliseconds, value and step";
                let remedy = "restore the file, or mend the line";
                fault(path.display(), format!("line {}", line + 1), content, rule, remedy)
            })?;
            run.push(&name, point);
        }
    }
    Ok(Some(run))
}

/// The files of a directory and below by their names, which have a slash for each directory.
fn named(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    if fs::symlink_metadata(dir).is_err() {
        return Ok(Vec::new());
    }
    let found = files::below(dir, |_| true)?;
    Ok(found.into_iter().map(|path| (files::relative(dir, &path), path)).collect())
}

/// A point; older versions write no step, newer ones may write more behind it.
fn point(line: &str) -> Option<Point> {
    let mut parts = line.split_whitespace();
    let time: f64 = parts.next()?.parse().ok()?;
    let value = parts.next()?.parse().ok()?;
    let step = parts.next().map_or(Some(0.0), |step| step.parse().ok())?;
    Some(Point { step, time: time / 1000.0, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_every_version_are_read() {
        let read = |line| point(line).map(|p| (p.time, p.value, p.step));
        assert_eq!(read("1500 0.5 3"), Some((1.5, 0.5, 3.0)));
        assert_eq!(read("1500 0.5"), Some((1.5, 0.5, 0.0)));
        assert_eq!(read("1500 -inf 3 data 1f"), Some((1.5, f64::NEG_INFINITY, 3.0)));
        assert!(read("1500 nan 3").unwrap().1.is_nan());
        assert_eq!(read("1500 half 3"), None);
        assert_eq!(read("1500"), None);
    }
}
