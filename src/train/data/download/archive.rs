//! Files out of a gzipped tar archive.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Error, Result, fault};
use base::hex;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::local::Part;
use super::sources::{Expected, last_part};

/// Takes the files `wanted` out of the archive `source`, each under the last part of its name in
/// `directory`, and nothing else: no path of the archive is ever written to. A file gets its name
/// only when its checksum holds.
///
/// Errors: what is no such archive, and files that are missing in it or not as expected.
pub(super) fn unpack(
    path: &Path,
    source: File,
    wanted: &[Expected],
    directory: &Path,
    stop: &AtomicBool,
) -> Result<()> {
    let unreadable = |e: std::io::Error| wrong(path, "archive", &format!("unreadable ({e})"));
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(source)));
    let mut missing: Vec<&Expected> = wanted.iter().collect();
    for entry in archive.entries().map_err(unreadable)? {
        if missing.is_empty() {
            break;
        }
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.into_owned();
        let is_wanted = |expected: &&Expected| is_named(&name, &expected.name);
        let Some(at) = missing.iter().position(is_wanted) else { continue };
        if entry.header().entry_type().is_file() {
            take(path, &mut entry, missing.swap_remove(at), directory, stop)?;
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(wrong(path, &first.name, "missing")),
    }
}

/// Archives write `a/b` or `./a/b`.
fn is_named(path: &Path, name: &str) -> bool {
    path.strip_prefix(".").unwrap_or(path) == Path::new(name)
}

fn take(
    path: &Path,
    entry: &mut impl Read,
    expected: &Expected,
    directory: &Path,
    stop: &AtomicBool,
) -> Result<()> {
    let mut part = Part::open(directory, expected)?;
    part.clear()?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        if stop.load(Ordering::Relaxed) {
            part.discard()?;
            let kept = "the archive is kept; the same command goes on from there".to_string();
            return Err(Error::Interrupted { kept });
        }
        let read = entry.read(&mut chunk);
        let count = read.map_err(|e| wrong(path, &expected.name, &format!("unreadable ({e})")))?;
        if count == 0 {
            break;
        }
        if part.bytes + count as u64 > expected.bytes {
            part.discard()?;
            return Err(wrong(path, &expected.name, "too many bytes"));
        }
        hasher.update(&chunk[..count]);
        part.append(&chunk[..count])?;
    }
    let found = hex(&hasher.finalize());
    if found != expected.sha256 {
        part.discard()?;
        let value = format!("SHA-256 {found} instead of {}", expected.sha256);
        return Err(wrong(path, &expected.name, &value));
    }
    part.keep(&directory.join(last_part(&expected.name)))
}

fn wrong(path: &Path, field: &str, value: &str) -> Error {
    let rule = "must be a gzipped tar archive with the right files in it";
    let remedy = "remove it and fetch it again";
    fault(path.display(), field, value, rule, remedy)
}
