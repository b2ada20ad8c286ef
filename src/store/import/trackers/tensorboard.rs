//! `TensorBoard`: an event file, or a directory of runs with such files.
//!
//! Scalars are read in the old form (`simple_value`) and in the new one (a tensor without
//! dimensions), hyperparameters from the plugin of their own. Several files in a directory are one
//! run that was gone on with: what an earlier file has from the step on at which a later one begins
//! is replaced, and the pause between them costs nothing.

use std::collections::BTreeMap;
use std::path::Path;

use base::error::{Result, fault};

use crate::table::Status;

use super::super::cell::Held;
use super::super::gathered::{Gathered, Quirks};
use super::super::mapping::Mapping;
use super::protobuf::{Broken, Wire, field, fields};
use super::series::{Point, Run, gather};
use super::{events, files, join};

/// The tag of hyperparameters, and that of how a run ended.
const BEGIN_TAG: &str = "_hparams_/session_start_info";
const END_TAG: &str = "_hparams_/session_end_info";

/// A run while its files are read.
#[derive(Debug, Default)]
struct Reading {
    run: Run,
    /// The last moment of the files so far.
    last: Option<f64>,
    /// How long it stood still between files.
    paused: f64,
}

/// Reads a file, or every event file of a directory.
pub(in super::super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let found = if path.is_dir() {
        files::below(path, |name| name.contains("tfevents"))?
    } else {
        vec![path.to_path_buf()]
    };
    if found.is_empty() {
        let (rule, remedy) = ("holds files with tfevents in their names", "give a log directory");
        return Err(fault(path.display(), "source", "no such file", rule, remedy));
    }
    let mut quirks = Quirks::default();
    let mut readings: BTreeMap<String, Reading> = BTreeMap::new();
    for file in &found {
        let dir = match file.parent() {
            Some(above) if path.is_dir() => files::relative(path, above),
            _ => String::new(),
        };
        let reading = readings.entry(dir).or_default();
        if !reading.add(file)? {
            let what = "files whose last record is not whole are read up to it: their run still \
                        writes, or was killed";
            quirks.count(what, || files::name(file));
        }
    }
    let runs = readings.into_iter().map(|(dir, reading)| (dir, reading.run)).collect();
    let mut runs = join::join(runs, &mut quirks);
    for run in &mut runs {
        if run.id.is_empty() {
            run.id = files::of_itself(path);
        }
    }
    gather(path, runs, mapping, quirks)
}

impl Reading {
    /// Reads a further file; whether it is whole.
    fn add(&mut self, file: &Path) -> Result<bool> {
        let mut later: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        let mut first = None;
        let mut is_sound = Ok(());
        let before = self.last;
        let is_whole = events::read(file, |event| {
            if first.is_none() && event.time.is_finite() {
                first = Some(event.time);
                self.run.started = self.run.started.or(first);
                self.paused += before.map_or(0.0, |before| (event.time - before).max(0.0));
            }
            self.last = Some(self.last.unwrap_or(event.time).max(event.time));
            for summary in event.values {
                if let Some((plugin, content)) = &summary.plugin
                    && plugin == "hparams"
                {
                    is_sound = is_sound.and(self.hparams(&summary.tag, content));
                    continue;
                }
                let Some(value) = summary.scalar else { continue };
                #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
                let step = event.step as f64;
                let point = Point { step, time: event.time - self.paused, value };
                match later.get_mut(&summary.tag) {
                    Some(points) => points.push(point),
                    None => drop(later.insert(summary.tag, vec![point])),
                }
            }
        })?;
        is_sound.map_err(|Broken| {
            let rule = "hyperparameters are a message of the plugin hparams";
            let remedy = "restore the file, or write it with a known version";
            fault(file.display(), BEGIN_TAG, "another message", rule, remedy)
        })?;
        for (name, points) in later {
            let from = points.iter().map(|point| point.step).fold(f64::INFINITY, f64::min);
            let known = self.run.series.entry(name).or_default();
            known.retain(|point| point.step < from);
            known.extend(points);
        }
        Ok(is_whole)
    }

    /// What the plugin of hyperparameters keeps: how a session began, or ended.
    fn hparams(&mut self, tag: &str, content: &[u8]) -> std::result::Result<(), Broken> {
        if tag == BEGIN_TAG
            && let Some(begin) = field(content, 3)?
        {
            fields(begin.bytes(), |number, wire| {
                if number == 1 {
                    let name = field(wire.bytes(), 1)?.map(Wire::text).unwrap_or_default();
                    let value = field(wire.bytes(), 2)?.map_or(&[][..], Wire::bytes);
                    let value = setting(value)?;
                    self.run.config.insert(name, value);
                }
                Ok(())
            })?;
        }
        if tag == END_TAG
            && let Some(end) = field(content, 4)?
        {
            // That a session succeeded says nothing of curves: one that a rule ended did, too.
            let has_failed = field(end.bytes(), 1)?.map_or(0, Wire::int) == 2;
            self.run.status = has_failed.then_some(Status::Failed);
        }
        Ok(())
    }
}

/// A `google.protobuf.Value`.
fn setting(message: &[u8]) -> std::result::Result<Held, Broken> {
    let mut held = Held::Missing;
    fields(message, |number, wire| {
        match number {
            2 => held = Held::Float(wire.float()),
            3 => held = Held::Text(wire.text().into()),
            4 => held = Held::Text(if wire.int() == 0 { "false" } else { "true" }.into()),
            _ => {}
        }
        Ok(())
    })?;
    Ok(held)
}
