//! `NumPy`'s file of one array: a header in Python's notation, then numbers in their bytes.

use std::io::{Read, Write};
use std::path::Path;

use base::error::{Error, Result, fault};

use crate::inputs;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// No honest header is longer, and no honest array has more numbers.
const HEADER_BYTES_MAX: usize = 1 << 16;
const NUMBERS_MAX: usize = 1 << 31;

/// An array of floats, the last dimension running fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

/// Writes the header of an array; its numbers follow, little-endian.
pub(super) fn header(into: &mut impl Write, kind: &str, shape: &[usize]) -> std::io::Result<()> {
    let shape: Vec<String> = shape.iter().map(|length| format!("{length},")).collect();
    let shape = shape.join(" ");
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    // What stands before the numbers is a multiple of 64 bytes, its last one a line's end.
    let before = MAGIC.len() + 4;
    let whole = (before + text.len() + 1).next_multiple_of(64);
    text.extend(std::iter::repeat_n(' ', whole - before - text.len() - 1));
    text.push('\n');
    into.write_all(MAGIC)?;
    into.write_all(&[1, 0])?;
    let length = u16::try_from(text.len()).expect("a few dimensions");
    into.write_all(&length.to_le_bytes())?;
    into.write_all(text.as_bytes())
}

/// Reads an array of floats or ints.
pub(crate) fn read(path: &Path) -> Result<Array> {
    let wrong = |what: &str| -> Error {
        let rule = "must be a whole .npy file of floats or ints, little-endian, in C's order";
        fault(path.display(), "contents", what, rule, "restore the file, or save it again")
    };
    let opened = inputs::open(path).map_err(|e| crate::import::unreadable(path, &e))?;
    let bytes_left = opened.metadata().map_or(0, |about| about.len());
    let mut file = std::io::BufReader::with_capacity(1 << 18, opened);
    let mut head = [0; 8];
    file.read_exact(&mut head).map_err(|_| wrong("no header"))?;
    if &head[..6] != MAGIC {
        return Err(wrong("another header"));
    }
    let mut length = [0; 4];
    let wide = head[6] >= 2;
    file.read_exact(&mut length[..if wide { 4 } else { 2 }]).map_err(|_| wrong("no header"))?;
    let length = u32::from_le_bytes(length) as usize;
    if length > HEADER_BYTES_MAX {
        return Err(wrong("a header that is too long"));
    }
    let mut text = vec![0; length];
    file.read_exact(&mut text).map_err(|_| wrong("half a header"))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let kind = quoted(&text, "'descr':").ok_or_else(|| wrong("no type"))?;
    let shape = shape(&text).ok_or_else(|| wrong("no shape"))?;
    if text.contains("'fortran_order': True") {
        return Err(wrong("Fortran's order"));
    }
    let decode = decoder(&kind).ok_or_else(|| wrong(&format!("numbers of the type {kind}")))?;
    let count = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let count = count.filter(|&n| n <= NUMBERS_MAX).ok_or_else(|| wrong("too many numbers"))?;
    // Memory is taken for what the file holds, and not for what its header says.
    if bytes_left < count as u64 * decode.bytes as u64 {
        return Err(wrong("it breaks off"));
    }
    let mut values = Vec::with_capacity(count);
    let mut chunk = vec![0; decode.bytes * 4096];
    while values.len() < count {
        let numbers = (count - values.len()).min(4096);
        let bytes = &mut chunk[..numbers * decode.bytes];
        file.read_exact(bytes).map_err(|_| wrong("it breaks off"))?;
        values.extend(bytes.chunks_exact(decode.bytes).map(decode.of));
    }
    Ok(Array { shape, values })
}

/// How numbers of a type are read.
struct Decoder {
    bytes: usize,
    of: fn(&[u8]) -> f64,
}

#[expect(clippy::cast_precision_loss, reason = "what a curve keeps are floats")]
fn decoder(kind: &str) -> Option<Decoder> {
    fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
        from.try_into().expect("cut to this length")
    }
    Some(match kind {
        "<f4" => Decoder { bytes: 4, of: |b| f64::from(f32::from_le_bytes(bytes(b))) },
        "<f8" => Decoder { bytes: 8, of: |b| f64::from_le_bytes(bytes(b)) },
        "<i4" => Decoder { bytes: 4, of: |b| f64::from(i32::from_le_bytes(bytes(b))) },
        "<i8" => Decoder { bytes: 8, of: |b| i64::from_le_bytes(bytes(b)) as f64 },
        _ => return None,
    })
}

fn quoted(text: &str, field: &str) -> Option<String> {
    let rest = text.split_once(field)?.1.trim_start().strip_prefix('\'')?;
    Some(rest.split_once('\'')?.0.to_string())
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let rest = text.split_once("'shape':")?.1.trim_start().strip_prefix('(')?;
    let inside = rest.split_once(')')?.0;
    let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        let mut bytes = Vec::new();
        header(&mut bytes, "<f8", &[2, 1, 3]).unwrap();
        assert_eq!(bytes.len() % 64, 0);
        let values = [1.0, f64::NEG_INFINITY, 0.1, base::measured::NOT_MEASURED, 2.0, -0.0];
        bytes.extend(values.iter().flat_map(|value: &f64| value.to_le_bytes()));
        std::fs::write(&path, &bytes).unwrap();
        let read_back = read(&path).unwrap();
        assert_eq!(read_back.shape, [2, 1, 3]);
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read_back.values), bits(&values));
        for (cut, what) in [(bytes.len() - 1, "breaks off"), (20, "half"), (3, "no header")] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains(what), "{cut}");
        }
    }
}
