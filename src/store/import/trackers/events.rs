//! `TensorBoard`'s event files: records with checksums, an `Event` message in each.
//!
//! A record is its length (u64), that length's checksum, the bytes, and theirs. Checksums are
//! CRC-32C, rotated by 15 bits and shifted by a constant, as `TensorFlow`'s `record_writer` does.

use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;

use base::error::{Error, Result, fault};

use super::super::source;
use super::protobuf::{Broken, Wire, field, fields, varint};

/// No honest event is longer: `TensorBoard`'s own messages end at 2 GiB, scalars at some hundred.
const RECORD_BYTES_MAX: u64 = 256 << 20;

/// What is read of an event.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) time: f64,
    pub(super) step: i64,
    pub(super) values: Vec<Summary>,
}

/// A value of a summary.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) tag: String,
    /// The number, if it is one.
    pub(super) scalar: Option<f64>,
    /// The plugin that its first record names, with what is kept for it.
    pub(super) plugin: Option<(String, Vec<u8>)>,
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[at as usize] = crc;
        at += 1;
    }
    table
}

/// Castagnoli's polynomial, reflected; the libraries at hand have the other one.
const TABLE: [u32; 256] = table();

fn masked_crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ crc >> 8;
    let crc = !bytes.iter().fold(u32::MAX, step);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Hands on every event of a file; whether its last record is whole.
///
/// A file that breaks off within its last record is one of a run that still writes, or was
/// killed: `TensorBoard` reads it up to there, and so does this. Damage is another matter.
pub(super) fn read(path: &Path, mut each: impl FnMut(Event)) -> Result<bool> {
    let damaged = |offset: u64, what: &str| -> Error {
        let remedy = "restore the file, or take it out of the directory";
        let rule = "must be a whole and sound event file of TensorBoard";
        fault(path.display(), format!("byte {offset}"), what, rule, remedy)
    };
    let mut from = source::open(path)?;
    let (mut offset, mut record) = (0_u64, Vec::new());
    loop {
        let Some(head) = exactly(path, &mut from, 12, &mut record)? else { return Ok(true) };
        let known = head.len().min(8);
        if head.len() < 12 {
            // Zeroes where the system had not written yet are no length.
            return if offset == 0 { Err(damaged(0, "too short")) } else { Ok(false) };
        }
        let length = u64::from_le_bytes(head[..8].try_into().expect("12 bytes"));
        let crc = u32::from_le_bytes(head[8..12].try_into().expect("12 bytes"));
        if masked_crc(&head[..known]) != crc {
            return Err(damaged(offset, "the checksum of a record's length is another"));
        }
        if length > RECORD_BYTES_MAX {
            return Err(damaged(offset, "a record of more than 256 MiB"));
        }
        let whole = usize::try_from(length + 4).expect("below 2^29");
        let Some(body) = exactly(path, &mut from, whole, &mut record)? else { return Ok(false) };
        if body.len() < whole {
            return Ok(false);
        }
        let (body, crc) = body.split_at(whole - 4);
        if masked_crc(body) != u32::from_le_bytes(crc.try_into().expect("4 bytes")) {
            return Err(damaged(offset, "the checksum of a record is another"));
        }
        each(event(body).map_err(|Broken| damaged(offset, "a record that is no event"))?);
        offset += 16 + length;
    }
}

/// As many bytes, or what is left of the file; none at its end.
fn exactly<'a>(
    path: &Path,
    from: &mut impl BufRead,
    count: usize,
    into: &'a mut Vec<u8>,
) -> Result<Option<&'a [u8]>> {
    into.clear();
    match from.take(count as u64).read_to_end(into) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(into)),
        // A packed file that is cut off ends where its packing does.
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(Some(into)),
        Err(e) => Err(source::unreadable(path, &e)),
    }
}

fn event(message: &[u8]) -> std::result::Result<Event, Broken> {
    let mut event = Event { time: f64::NAN, ..Event::default() };
    fields(message, |number, wire| {
        match number {
            1 => event.time = wire.float(),
            2 => event.step = wire.int(),
            5 => {
                return fields(wire.bytes(), |number, wire| {
                    if number == 1 {
                        event.values.push(summary(wire.bytes())?);
                    }
                    Ok(())
                });
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(event)
}

fn summary(message: &[u8]) -> std::result::Result<Summary, Broken> {
    let mut value = Summary::default();
    fields(message, |number, wire| {
        match number {
            1 => value.tag = wire.text(),
            2 => value.scalar = Some(wire.float()),
            8 => value.scalar = tensor(wire.bytes())?,
            9 => {
                if let Some(plugin) = field(wire.bytes(), 1)? {
                    let name = field(plugin.bytes(), 1)?.map(Wire::text).unwrap_or_default();
                    let content = field(plugin.bytes(), 2)?.map_or(&[][..], Wire::bytes);
                    value.plugin = Some((name, content.to_vec()));
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(value)
}

/// The number of a tensor without dimensions; none of any other.
fn tensor(message: &[u8]) -> std::result::Result<Option<f64>, Broken> {
    let (mut kind, mut is_scalar, mut number) = (0, true, None);
    let mut content: &[u8] = &[];
    fields(message, |at, wire| {
        match at {
            1 => kind = wire.int(),
            // A dimension, or a rank that is not known.
            2 => is_scalar = wire.bytes().is_empty(),
            4 => content = wire.bytes(),
            5 => number = Some(packed(wire, |b| b.first_chunk().map(|b| f32::from_le_bytes(*b)))),
            6 => number = Some(packed(wire, |b| b.first_chunk().map(|b| f64::from_le_bytes(*b)))),
            7 | 10 | 11 => number = Some(whole(wire)?),
            _ => {}
        }
        Ok(())
    })?;
    let number = number.or_else(|| raw(kind, content));
    Ok(number.filter(|_| is_scalar))
}

fn packed<T: Into<f64>>(wire: Wire<'_>, of: fn(&[u8]) -> Option<T>) -> f64 {
    match wire {
        Wire::Bytes(bytes) => of(bytes).map_or(f64::NAN, Into::into),
        wire => wire.float(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "what a curve keeps are floats")]
fn whole(wire: Wire<'_>) -> std::result::Result<f64, Broken> {
    match wire {
        Wire::Bytes(mut bytes) => Ok(varint(&mut bytes)?.cast_signed() as f64),
        wire => Ok(wire.int() as f64),
    }
}

/// The number in a tensor's raw bytes, by `TensorFlow`'s numbers of types.
#[expect(clippy::cast_precision_loss, reason = "what a curve keeps are floats")]
fn raw(kind: i64, bytes: &[u8]) -> Option<f64> {
    match (kind, bytes.len()) {
        (1, 4) => bytes.first_chunk().map(|b| f64::from(f32::from_le_bytes(*b))),
        (2, 8) => bytes.first_chunk().map(|b| f64::from_le_bytes(*b)),
        (3, 4) => bytes.first_chunk().map(|b| f64::from(i32::from_le_bytes(*b))),
        (9, 8) => bytes.first_chunk().map(|b| i64::from_le_bytes(*b) as f64),
        (10, 1) => bytes.first().map(|b| f64::from(*b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, B.4: 32 bytes of zero, and 32 of one; each masked as TensorFlow does.
        let masked = |crc: u32| crc.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc(&[0; 32]), masked(0x8a91_36aa));
        assert_eq!(masked_crc(&[0xff; 32]), masked(0x62a8_ab43));
    }

    #[test]
    fn tensors_without_dimensions_are_numbers() {
        let of = |message: &[u8]| tensor(message).unwrap();
        let mut float = vec![0x08, 1, 0x12, 0, 0x22, 4];
        float.extend(0.5_f32.to_le_bytes());
        assert_eq!(of(&float), Some(0.5));
        let mut packed = vec![0x08, 1, 0x2a, 4];
        packed.extend(0.25_f32.to_le_bytes());
        assert_eq!(of(&packed), Some(0.25));
        assert_eq!(of(&[0x08, 9, 0x52, 1, 7]), Some(7.0));
        // One dimension of 1; text.
        float[3] = 4;
        float.splice(4..4, [0x12, 2, 0x08, 1]);
        assert_eq!(of(&float), None);
        assert_eq!(of(&[0x08, 7, 0x42, 1, b'x']), None);
    }
}
