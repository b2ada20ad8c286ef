//! Ctrl-C: the first asks the work to stop and keeps what is finished, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that turns true at the first Ctrl-C.
pub(super) fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(super::EXIT_OTHER));
        }
        eprintln!("stopping: what is finished is being kept (Ctrl-C again ends at once)");
    })?;
    Ok(stop)
}
