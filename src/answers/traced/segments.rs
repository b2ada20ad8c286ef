//! The segments of a trace, run by run.

use std::collections::BTreeSet;

use base::error::{Error, Result, fault};
use base::units::{ConfigId, Epoch, SimTime};
use replay::State;
use store::trace::TraceRecord;

use super::{TracedRun, TracedRuns};

/// One stretch of a trial on a worker, as `trace.parquet` has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    pub trial: u32,
    pub config: ConfigId,
    pub curve_repeat: u16,
    pub worker: u32,
    pub start: SimTime,
    pub end: SimTime,
    /// Epochs of the trial so far, earlier segments included.
    pub epochs: Epoch,
    pub end_state: State,
    /// By the value mode over the executed epochs, in the metric's own direction.
    pub value: Option<f64>,
    /// Charged before the first epoch.
    pub overhead: SimTime,
}

impl Segment {
    /// How long it kept its worker busy.
    pub fn length(&self) -> SimTime {
        SimTime(self.end.0 - self.start.0)
    }
}

/// Takes the rows of a trace, and hands on runs as they are whole.
pub struct SegmentReader<'a, Sink> {
    runs: &'a TracedRuns,
    file: String,
    sink: Sink,
    /// The run that is being read.
    run: Option<&'a TracedRun>,
    segments: Vec<Segment>,
    /// How many trials of it have started.
    trials: u32,
    seen: BTreeSet<u32>,
    rows: u64,
}

impl<Sink> std::fmt::Debug for SegmentReader<'_, Sink> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentReader").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// How much later than its run's end a segment may end: what rounding to seconds can move.
const SECONDS_SLACK: f64 = 1e-6;

impl<'a, Sink: FnMut(&TracedRun, &[Segment]) -> Result<()>> SegmentReader<'a, Sink> {
    /// Begins with no rows; `file` names the trace in faults.
    pub fn new(runs: &'a TracedRuns, file: &str, sink: Sink) -> Self {
        Self {
            runs,
            file: file.to_string(),
            sink,
            run: None,
            segments: Vec::new(),
            trials: 0,
            seen: BTreeSet::new(),
            rows: 0,
        }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// See [`TracedRuns::each_run`].
    pub fn push(&mut self, record: &TraceRecord<'_>) -> Result<()> {
        self.rows += 1;
        if self.run.is_none_or(|run| run.run != record.run) {
            self.close()?;
            let run = self.runs.run(record.run).ok_or_else(|| {
                let rule = format!("{} has no run of this number", self.runs.file());
                self.foreign("run", record.run, &rule)
            })?;
            if !self.seen.insert(run.run) {
                let rule = "the segments of a run stand together";
                return Err(self.foreign("run", record.run, rule));
            }
            self.run = Some(run);
        }
        let run = self.run.expect("it has just been found");
        if record.repeat != run.repeat {
            let rule = format!("run {} has repeat {} in {}", run.run, run.repeat, self.runs.file());
            return Err(self.foreign("repeat", record.repeat, &rule));
        }
        if record.segment as usize != self.segments.len() {
            let rule = format!("segment {} of run {} comes here", self.segments.len(), run.run);
            return Err(self.foreign("segment", record.segment, &rule));
        }
        // So no trial's number is larger than what stands there.
        if record.trial > self.trials {
            let rule = format!("trial {} of run {} starts here at most", self.trials, run.run);
            return Err(self.foreign("trial", record.trial, &rule));
        }
        self.trials = self.trials.max(record.trial.saturating_add(1));
        if record.end_ns < record.start_ns {
            let rule = format!("a segment that began at {} ns cannot end then", record.start_ns);
            return Err(self.foreign("end_ns", record.end_ns, &rule));
        }
        let end_state = state(record.end_state).ok_or_else(|| {
            let rule = "must be completed, stopped, paused, failed or cut";
            self.foreign("end_state", record.end_state, rule)
        })?;
        if record.value.is_some_and(|value| !value.is_finite()) {
            return Err(self.foreign("value", "not finite", "a value is finite, or null"));
        }
        self.segments.push(Segment {
            trial: record.trial,
            config: ConfigId(record.config_id),
            curve_repeat: record.curve_repeat,
            worker: record.worker,
            start: SimTime(record.start_ns),
            end: SimTime(record.end_ns),
            epochs: Epoch(record.epochs),
            end_state,
            value: record.value,
            overhead: SimTime(record.overhead_ns),
        });
        Ok(())
    }

    /// Hands on the last run.
    ///
    /// # Errors
    /// See [`TracedRuns::each_run`].
    pub fn finish(mut self) -> Result<()> {
        self.close()?;
        let missing = |run: &&TracedRun| run.trials > 0 && !self.seen.contains(&run.run);
        if let Some(run) = self.runs.runs().find(missing) {
            let rule = format!(
                "{} has a run {} with {} trials, of which nothing stands here",
                self.runs.file(),
                run.run,
                run.trials
            );
            let remedy = "give the trace that was written beside these runs, whole";
            return Err(fault(&self.file, "column run", "missing", rule, remedy));
        }
        Ok(())
    }

    /// Checks the run that is whole, and hands it on.
    fn close(&mut self) -> Result<()> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let file = self.runs.file();
        let trials = std::mem::take(&mut self.trials);
        if trials != run.trials {
            let rule = format!("run {} started {} trials in {file}", run.run, run.trials);
            return Err(self.foreign("trial", format!("{trials} trials"), &rule));
        }
        let end = self.segments.iter().map(|s| s.end.seconds()).fold(0.0, f64::max);
        if end > run.end_s + SECONDS_SLACK * run.end_s.max(1.0) {
            let rule = format!("run {} ended at {} s in {file}", run.run, run.end_s);
            return Err(self.foreign("end_ns", format!("{end} s"), &rule));
        }
        let workers = self.runs.methods()[run.method].workers;
        if let Some(worker) = self.segments.iter().map(|s| s.worker).find(|w| *w >= workers) {
            let rule = format!("run {} had {workers} workers in {file}", run.run);
            return Err(self.foreign("worker", worker, &rule));
        }
        let handed = (self.sink)(run, &self.segments);
        self.segments.clear();
        handed
    }

    fn foreign(&self, column: &str, value: impl std::fmt::Display, rule: &str) -> Error {
        let field = format!("column {column}, row {}", self.rows.saturating_sub(1));
        let remedy = "give the trace that was written beside these runs, as replay wrote it";
        fault(&self.file, field, value, rule, remedy)
    }
}

fn state(word: &str) -> Option<State> {
    let ends = [State::Completed, State::Stopped, State::Paused, State::Failed, State::Cut];
    ends.into_iter().find(|state| state.word() == word)
}

/// The segments of each trial of a run, in the order of their starts.
pub(crate) fn by_trial(segments: &[Segment]) -> Vec<Vec<&Segment>> {
    let trials = segments.iter().map(|s| s.trial as usize + 1).max().unwrap_or(0);
    let mut found = vec![Vec::new(); trials];
    for segment in segments {
        found[segment.trial as usize].push(segment);
    }
    found
}
