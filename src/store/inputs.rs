//! Opening what others wrote: files alone, and no longer than they may honestly be.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a file to be read.
///
/// # Errors
///
/// What the system says, and [`io::ErrorKind::InvalidInput`] for what is no file: to open a FIFO
/// would wait for a writer, and a device may never end.
pub fn open(path: &Path) -> io::Result<File> {
    let about = fs::metadata(path)?;
    if about.is_file() {
        return File::open(path);
    }
    let found = if about.is_dir() { "a directory, no file" } else { "a FIFO or a device, no file" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, found))
}

/// Reads a text of at most so many bytes.
///
/// # Errors
///
/// As [`open`], and [`io::ErrorKind::InvalidData`] for what is longer or not UTF-8.
pub fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if bytes.len() as u64 > bytes_max {
        return Err(wrong(format!("longer than {bytes_max} bytes")));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|&&b| b == b'\n');
        wrong(format!("line {} is not UTF-8", line.count() + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_files_of_text_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        fs::write(&path, "a\nb\n").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "a\nb\n");
        let message = |bytes_max| read_text(&path, bytes_max).unwrap_err().to_string();
        assert_eq!(message(3), "longer than 3 bytes");
        fs::write(&path, b"a\n\xff").unwrap();
        assert_eq!(message(4), "line 2 is not UTF-8");
        assert_eq!(open(dir.path()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
