//! A directory for one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use base::error::{Result, fault};

/// The name of the file whose lock is the directory's.
pub(crate) const LOCK_FILE: &str = "lock";

/// Takes a directory for this process alone, as long as the file is open. `work` is what two
/// processes may not do at once, for messages. The outer result is the system's.
pub(crate) fn take(dir: &Path, work: &str) -> std::io::Result<Result<File>> {
    let path = dir.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        // A file system without locks leaves nobody to watch but the user.
        Err(TryLockError::Error(_)) => return Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Some systems let nobody read what is locked.
            let _ = (&mut file).take(20).read_to_string(&mut holder);
            let holder = match holder.trim().parse::<u32>() {
                Ok(process) => format!("held by another process, {process}"),
                Err(_) => "held by another process".to_string(),
            };
            let remedy = "wait for the other process, or choose another directory";
            return Ok(Err(fault(path.display(), "lock", holder, work, remedy)));
        }
    }
    // For the message above alone: what cannot be written there is not missed.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Ok(file))
}
