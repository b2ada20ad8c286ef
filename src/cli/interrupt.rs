//! Ctrl-C: the first asks the work to stop and keeps what is finished, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that turns true at the first Ctrl-C, once it is armed. Until then Ctrl-C ends the
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
        let armed = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(super::EXIT_OTHER));
            }
            eprintln!("stopping: what is finished is being kept (Ctrl-C again ends at once)");
        });
        if let Err(e) = armed {
            eprintln!("warning: Ctrl-C will end the work at once ({e})");
        }
    }
}
