//! Long work: without the interpreter's lock, stopped by Ctrl-C, and heard of by Python's logging.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use curvebook::app::Events;
use curvebook::base::error::{Result, internal};
use pyo3::prelude::*;

use crate::errors::{Raise, raised};

/// How long a signal may wait until somebody looks.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was told meanwhile: levels of Python's logging, and texts.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<(&'static str, String)>>);

impl Heard {
    fn hear(&self, level: &'static str, text: &str) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push((level, text.to_string()));
    }

    /// Hands what was told to the logger `curvebook`, and warnings to `warnings`.
    fn pass_on(&self, py: Python<'_>) -> PyResult<()> {
        let heard = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (level, text) in heard {
            if level == "warning" {
                py.import("warnings")?.call_method1("warn", (text,))?;
            } else {
                let logger = py.import("logging")?.call_method1("getLogger", ("curvebook",))?;
                // The text is an argument, so that no `%` in it is taken for a format.
                logger.call_method1(level, ("%s", text))?;
            }
        }
        Ok(())
    }
}

impl Events for Heard {
    fn say(&self, line: &str) {
        self.hear("info", line);
    }

    fn note(&self, text: &str) {
        self.hear("info", text);
    }

    fn warn(&self, text: &str) {
        self.hear("warning", text);
    }

    fn detail(&self, text: &str) {
        self.hear("debug", text);
    }
}

/// Does some work on a thread of its own. Ctrl-C sets the flag that asks it to stop; what it says
/// then is waited for, since it keeps what is finished, and the `KeyboardInterrupt` is raised.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Heard, &AtomicBool) -> Result<T> + Send,
) -> PyResult<T> {
    let (stop, has_ended, heard) =
        (AtomicBool::new(false), AtomicBool::new(false), Heard::default());
    let waiting = thread::current();
    let (outcome, interrupt) = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // A panic is a bug, and no reason to end the interpreter or to leave it without word.
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&heard, &stop)));
            has_ended.store(true, Ordering::Release);
            waiting.unpark();
            outcome
        });
        let mut interrupt = None;
        while !has_ended.load(Ordering::Acquire) {
            py.allow_threads(|| thread::park_timeout(PATIENCE));
            if interrupt.is_none()
                && let Err(signal) = py.check_signals().and_then(|()| heard.pass_on(py))
            {
                stop.store(true, Ordering::Relaxed);
                interrupt = Some(signal);
            }
        }
        (worker.join(), interrupt)
    });
    if let Some(interrupt) = interrupt {
        return Err(interrupt);
    }
    heard.pass_on(py)?;
    match outcome {
        Ok(Ok(outcome)) => outcome.raise(py),
        _ => Err(raised(py, internal("work", "a bug of curvebook, which stderr tells more of"))),
    }
}
