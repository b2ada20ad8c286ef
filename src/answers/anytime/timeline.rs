//! Which worker ran which trial when, of chosen runs.

use std::path::Path;

use base::error::{Result, fault};
use base::units::ConfigId;
use replay::State;

use crate::traced::{Segment, TracedRuns};

/// The segments of one run, for a chart of its workers.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    pub run: u32,
    /// An index into the methods that the runs were read for.
    pub method: usize,
    pub repeat: u32,
    pub seed: u64,
    pub workers: u32,
    pub end_s: f64,
    /// In the order of their starts.
    pub bars: Vec<Bar>,
}

/// One segment of a trial on a worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    pub worker: u32,
    pub start_s: f64,
    pub end_s: f64,
    pub trial: u32,
    pub config: ConfigId,
    /// Epochs of the trial by its end, earlier segments included.
    pub epochs: u16,
    pub end_state: State,
    /// In the metric's own direction.
    pub value: Option<f64>,
}

/// The timelines of some runs, in the order in which they are asked for. The whole trace is read:
/// it must be of these runs.
///
/// # Errors
/// Faults of the trace, and of a number that no run has.
pub fn timelines(runs: &TracedRuns, trace: &Path, wanted: &[u32]) -> Result<Vec<Timeline>> {
    if let Some(unknown) = wanted.iter().find(|number| runs.run(**number).is_none()) {
        let numbers = runs.runs().next().zip(runs.runs().last());
        let rule = format!("{} has no run of this number", runs.file());
        let remedy = numbers.map_or("replay again".to_string(), |(first, last)| {
            format!("choose one of its runs, {} to {}", first.run, last.run)
        });
        return Err(fault("timeline", "run", unknown, rule, remedy));
    }
    let mut found: Vec<Option<Vec<Bar>>> = vec![None; wanted.len()];
    runs.each_run(trace, |run, segments| {
        for (wanted, found) in wanted.iter().zip(&mut found) {
            if *wanted == run.run {
                *found = Some(segments.iter().map(bar).collect());
            }
        }
        Ok(())
    })?;
    let timeline = |(number, bars): (&u32, Option<Vec<Bar>>)| {
        let run = runs.run(*number).expect("looked for above");
        Timeline {
            run: run.run,
            method: run.method,
            repeat: run.repeat,
            seed: run.seed,
            workers: runs.methods()[run.method].workers,
            end_s: run.end_s,
            // A run that started nothing has no segments.
            bars: bars.unwrap_or_default(),
        }
    };
    Ok(wanted.iter().zip(found).map(timeline).collect())
}

fn bar(segment: &Segment) -> Bar {
    Bar {
        worker: segment.worker,
        start_s: segment.start.seconds(),
        end_s: segment.end.seconds(),
        trial: segment.trial,
        config: segment.config,
        epochs: segment.epochs.0,
        end_state: segment.end_state,
        value: segment.value,
    }
}
