//! Configurations spread over threads, and kept as they are finished.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use base::error::Result;

use super::training;
use crate::backend::{Watch, Work};
use crate::plan::Task;
use crate::record::{Status, TrainedConfig};
use crate::{Sink, Summary};

/// Configurations are started in blocks of so many ids: whatever is broken off, nearly a prefix
/// is there, and at the end the threads stop within a block of each other.
const BLOCK: usize = 32;

/// Finished configurations that may wait while the disk is busy; then training waits, too.
const WAITING_MAX: usize = 64;

/// How long a finished configuration may wait to be kept. Keeping costs a few syncs of the disk
/// and, when the table is put together, the opening of two more files: at most ten times a second
/// at first, after an hour every five seconds. A kill loses 0.1 s of finished work, or 0.2 % of the
/// time since the start, never more than 5 s; the final bytes do not depend on any of it.
fn patience(since_start: Duration) -> Duration {
    (since_start / 500).clamp(Duration::from_millis(100), Duration::from_secs(5))
}

/// The threads, and what they share.
pub(super) struct Threads<'a> {
    pub(super) work: &'a Work<'a>,
}

/// What the threads take their work from.
struct Queue {
    /// Positions among the tasks, in the order of their starts.
    order: Vec<usize>,
    next: AtomicUsize,
    /// A thread panicked, or the sink failed: all others stop.
    abort: AtomicBool,
}

impl Threads<'_> {
    /// Trains all tasks; this thread keeps what comes back. After a stop, everything that was
    /// finished has been kept.
    pub(super) fn run(&self, sink: &mut dyn Sink) -> Result<Summary> {
        let (order, next) = (starts(self.work.tasks), AtomicUsize::new(0));
        let queue = Queue { order, next, abort: AtomicBool::new(false) };
        let (back, results) = mpsc::sync_channel(WAITING_MAX);
        std::thread::scope(|scope| {
            for _ in 0..self.work.settings.threads.min(self.work.tasks.len()) {
                let (back, queue) = (back.clone(), &queue);
                scope.spawn(move || self.life(queue, &back));
            }
            // From here on the channel closes when the last thread ends.
            drop(back);
            let kept = keep(&results, sink);
            if kept.is_err() {
                queue.abort.store(true, Ordering::Relaxed);
                // Ends the threads that wait for room.
                drop(results);
            }
            kept
        })
    }

    /// A thread's life: take a task, train it, hand it back.
    fn life(&self, queue: &Queue, back: &SyncSender<TrainedConfig>) {
        let watch =
            Watch { progress: self.work.progress, stop: self.work.stop, abort: &queue.abort };
        let _alarm = Alarm { abort: &queue.abort };
        loop {
            let Some(&at) = queue.order.get(queue.next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            let Some(trained) = self.train(&self.work.tasks[at], &watch) else { return };
            self.work.progress.config_done(&trained);
            if back.send(trained).is_err() {
                return;
            }
        }
    }

    /// Every curve to train of one configuration; `None` if it was asked to stop.
    fn train(&self, task: &Task, watch: &Watch<'_>) -> Option<TrainedConfig> {
        let mut curves = Vec::with_capacity(task.curves.len());
        for curve in task.curves.clone() {
            if watch.is_stopped() {
                return None;
            }
            curves.push(training::train(&self.work.job(task, curve), watch)?);
        }
        Some(task.trained(self.work.splits[0].train.len(), curves, None))
    }
}

/// The order of the starts: block by block, within a block the longest first, so that threads end
/// it together.
fn starts(tasks: &[Task]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    for block in order.chunks_mut(BLOCK) {
        block.sort_by(|&a, &b| tasks[b].flops.total_cmp(&tasks[a].flops));
    }
    order
}

/// Hands what comes back to the sink, some of it together, until the last thread has ended.
fn keep(results: &Receiver<TrainedConfig>, sink: &mut dyn Sink) -> Result<Summary> {
    let start = Instant::now();
    let mut last = start;
    let mut waiting: Vec<TrainedConfig> = Vec::new();
    let mut summary = Summary::default();
    loop {
        let due = last + patience(start.elapsed());
        let result = if waiting.is_empty() {
            results.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            results.recv_timeout(due.saturating_duration_since(Instant::now()))
        };
        let is_over = matches!(result, Err(RecvTimeoutError::Disconnected));
        waiting.extend(result);
        if !waiting.is_empty() && (is_over || Instant::now() >= due) {
            let is_diverged = |trained: &&TrainedConfig| trained.config.status == Status::Diverged;
            let (trained, diverged) = (waiting.len(), waiting.iter().filter(is_diverged).count());
            sink.append(std::mem::take(&mut waiting))?;
            summary.trained += trained;
            summary.diverged += diverged;
            last = Instant::now();
        }
        if is_over {
            return Ok(summary);
        }
    }
}

/// Stops the other threads when one panics: the panic then goes on where all are joined.
struct Alarm<'a> {
    abort: &'a AtomicBool,
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.abort.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finished_waits_a_tenth_of_a_second_at_first_and_never_longer_than_five() {
        let after = |seconds| patience(Duration::from_secs(seconds)).as_secs_f64();
        assert_eq!([after(0), after(100), after(1_000), after(100_000)], [0.1, 0.2, 2.0, 5.0]);
    }
}
