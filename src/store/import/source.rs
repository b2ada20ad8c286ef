//! Opening a source: a file, plain or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use base::error::{Error, Result, fault};
use flate2::bufread::MultiGzDecoder;

use crate::inputs;

/// Bytes read at a time.
const BUFFER_BYTES: usize = 1 << 18;
/// How far gzip packs honest text: beyond, it is made to fill a disk.
const PACKED_MAX: u64 = 400;

/// The fault of a source that cannot be opened or read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let rule = match error.kind() {
        ErrorKind::NotFound => "the source must exist",
        ErrorKind::InvalidInput => "the source is a file",
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => "must be whole, and text in UTF-8",
        _ => "must be a file that can be read",
    };
    fault(path.display(), "source", error, rule, "give the path of a whole file")
}

/// Opens a file of text; what begins as gzip does is unpacked.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |e| unreadable(path, &e);
    let file = inputs::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut file: BufReader<File> = BufReader::with_capacity(BUFFER_BYTES, file);
    if !file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(file));
    }
    let left = bytes.saturating_mul(PACKED_MAX).saturating_add(1 << 20);
    let unpacked = Unpacked { from: MultiGzDecoder::new(file), left };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked)))
}

/// Unpacked bytes, no more than honest text can come to.
struct Unpacked<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let what = "it unpacks to more than gzip makes of text: unpack it yourself";
            io::Error::new(ErrorKind::InvalidData, what)
        })?;
        Ok(read)
    }
}
