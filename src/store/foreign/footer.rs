//! The footer of a Parquet file, before a library decodes it: a schema that nests deeper than the
//! stack, and lists of more elements than there are bytes, would end the program.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::thrift::{Kind, Reader, Result, Unreadable};

/// No honest footer is longer.
const FOOTER_BYTES_MAX: u64 = 16 << 20;
/// Groups within groups of columns. A list of numbers has three.
const SCHEMA_DEPTH_MAX: usize = 32;
/// Columns and their groups.
const SCHEMA_ELEMENTS_MAX: usize = 1 << 16;

const MAGIC: &[u8; 4] = b"PAR1";

/// Looks at the footer of a file of `len` bytes.
pub(super) fn check(mut file: &File, len: u64) -> std::result::Result<(), String> {
    let failed = |e: std::io::Error| e.to_string();
    if len < 12 {
        return Err(format!("{len} bytes, which are too few"));
    }
    file.seek(SeekFrom::End(-8)).map_err(failed)?;
    let mut tail = [0; 8];
    file.read_exact(&mut tail).map_err(failed)?;
    let [a, b, c, d, magic @ ..] = tail;
    if magic != *MAGIC {
        return Err("no Parquet file by its last bytes".to_string());
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if footer > len - 12 || footer > FOOTER_BYTES_MAX {
        return Err(format!("a footer of {footer} bytes in a file of {len}"));
    }
    let back = i64::try_from(footer + 8).expect("at most 16 MiB");
    file.seek(SeekFrom::End(-back)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(footer).read_to_end(&mut bytes).map_err(failed)?;
    match metadata(Reader::new(&bytes)) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(what),
        Err(Unreadable) => Err("a footer that cannot be read".to_string()),
    }
}

/// What is wrong with the metadata of a file.
fn metadata(mut reader: Reader<'_>) -> Result<Option<String>> {
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        if (field, kind) != (2, Kind::LIST) {
            reader.skip(kind)?;
            continue;
        }
        let (kind, count) = reader.list()?;
        if kind != Kind::STRUCT {
            return Err(Unreadable);
        }
        if count > SCHEMA_ELEMENTS_MAX {
            return Ok(Some(format!("a schema of {count} elements")));
        }
        let wrong = schema(&mut reader, count)?;
        if wrong.is_some() {
            return Ok(wrong);
        }
    }
    Ok(None)
}

/// Elements stand in the order of the tree; each says how many children follow.
fn schema(reader: &mut Reader<'_>, count: usize) -> Result<Option<String>> {
    let mut open: Vec<usize> = Vec::new();
    for _ in 0..count {
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        let children = reader.integer_of_structure(5)?.unwrap_or(0);
        let Some(children) = usize::try_from(children).ok().filter(|&n| n < count) else {
            return Ok(Some(format!("a column with {children} columns inside")));
        };
        if children > 0 {
            open.push(children);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > SCHEMA_DEPTH_MAX {
            return Ok(Some(format!("columns more than {SCHEMA_DEPTH_MAX} deep")));
        }
    }
    Ok(None)
}
