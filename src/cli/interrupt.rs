//! Ctrl-C, and what asks a program to end (SIGTERM, SIGHUP): the first asks the work to stop and
//! keeps what is finished, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::progress::line_to_stderr;

/// A flag that turns true at the first signal, once it is armed. Until then a signal ends the
/// program, for nothing is there that could be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// From here on there is something to be kept.
    pub(super) fn arm(&self) {
        let flag = Arc::clone(&self.0);
        let armed = on_signal(move || {
            if flag.swap(true, Ordering::Relaxed) {
                app::discard_unfinished();
                std::process::exit(i32::from(super::EXIT_OTHER));
            }
            line_to_stderr("stopping: what is finished is being kept (Ctrl-C again ends at once)");
        });
        if let Err(e) = armed {
            line_to_stderr(&format!("warning: Ctrl-C will end the work at once ({e})"));
        }
    }
}

/// Calls `act` at every signal that asks for an end, but for those that were ignored when the
/// program began: `nohup` ignores the end of the terminal, and is to be left alone.
#[cfg(unix)]
fn on_signal(act: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let wait = move || signals.forever().for_each(|_| act());
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

/// Whether a signal is ignored; systems that do not say ignore none.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(not(unix))]
fn on_signal(act: impl Fn() + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(act)
}
