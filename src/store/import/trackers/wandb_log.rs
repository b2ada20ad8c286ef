//! W&B's own log of a run: `run-ID.wandb`, as the client writes it whether it is online or not.
//!
//! A header of 7 bytes, then blocks of 32 KiB with records in `LevelDB`'s framing (CRC-32, length,
//! whether it is a whole or a part); in each a `Record` message: the run with its settings, a row
//! of its history, how it ended. Values are JSON in texts.

use std::io::{ErrorKind, Read};
use std::path::Path;

use base::error::{Error, Result, fault};
use flate2::Crc;

use crate::table::Status;

use super::super::cell::Cell;
use super::super::{jsonl, source};
use super::protobuf::{Broken, field, fields};
use super::wandb::Reading;

const HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xe1, 0xbe, 0];
const BLOCK_BYTES: usize = 32_768;
const HEAD_BYTES: usize = 7;
/// No honest log of a run is longer.
const BYTES_MAX: u64 = 4 << 30;

/// Reads a log; whether it is whole.
pub(super) fn read(path: &Path, into: &mut Reading) -> Result<bool> {
    let damaged = |at: usize, what: &str| -> Error {
        let (rule, remedy) = ("must be a log that W&B wrote", "restore the file, or take it out");
        fault(path.display(), format!("byte {at}"), what, rule, remedy)
    };
    let mut bytes = Vec::new();
    match source::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {}
        Err(e) => return Err(source::unreadable(path, &e)),
    }
    if !bytes.starts_with(&HEADER) {
        return Err(damaged(0, "another header"));
    }
    let (mut at, mut record) = (HEADER.len(), Vec::new());
    while at < bytes.len() {
        let left = BLOCK_BYTES - at % BLOCK_BYTES;
        if left < HEAD_BYTES {
            at += left;
            continue;
        }
        let Some(head) = bytes.get(at..at + HEAD_BYTES) else { return Ok(false) };
        let crc = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let (length, kind) = (usize::from(u16::from_le_bytes([head[4], head[5]])), head[6]);
        if length + HEAD_BYTES > left {
            return Err(damaged(at, "a record that does not fit its block"));
        }
        let Some(body) = bytes.get(at + HEAD_BYTES..at + HEAD_BYTES + length) else {
            return Ok(false);
        };
        let mut sum = Crc::new();
        sum.update(&[kind]);
        sum.update(body);
        if sum.sum() != crc {
            return Err(damaged(at, "the checksum of a record is another"));
        }
        // 1: whole; 2: the first part; 3: one between; 4: the last.
        if matches!(kind, 1 | 2) {
            record.clear();
        }
        record.extend_from_slice(body);
        if matches!(kind, 1 | 4) {
            take(&record, into).map_err(|Broken| damaged(at, "a record that is no message"))?;
        }
        at += HEAD_BYTES + length;
    }
    Ok(into.is_ended)
}

fn take(record: &[u8], into: &mut Reading) -> std::result::Result<(), Broken> {
    fields(record, |number, wire| {
        let message = wire.bytes();
        match number {
            // A row of the history.
            2 => {
                let mut row = Vec::new();
                fields(message, |number, wire| {
                    if number == 1 {
                        row.push(item(wire.bytes())?);
                    }
                    Ok(())
                })?;
                let cells: Vec<(&str, Cell<'_>)> =
                    row.iter().map(|(name, value)| (name.as_str(), jsonl::cell(value))).collect();
                into.row(&cells);
            }
            5 => settings(message, into)?,
            17 => {
                if let Some(id) = field(message, 1)? {
                    into.run.id = id.text();
                }
                if let Some(found) = field(message, 4)? {
                    settings(found.bytes(), into)?;
                }
            }
            18 => {
                into.is_ended = true;
                if field(message, 1)?.is_some_and(|code| code.int() != 0) {
                    into.run.status = Some(Status::Failed);
                }
            }
            _ => {}
        }
        Ok(())
    })
}

/// A name, its parts joined by dots, and a JSON value.
fn item(message: &[u8]) -> std::result::Result<(String, serde_json::Value), Broken> {
    let (mut name, mut value) = (Vec::new(), serde_json::Value::Null);
    fields(message, |number, wire| {
        match number {
            1 | 2 if !wire.bytes().is_empty() => name.push(wire.text()),
            16 => value = jsonl::parse(wire.bytes()).map_err(|_| Broken)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((name.join("."), value))
}

fn settings(message: &[u8], into: &mut Reading) -> std::result::Result<(), Broken> {
    fields(message, |number, wire| {
        if number == 1 {
            let (name, value) = item(wire.bytes())?;
            into.setting(&name, &value);
        }
        Ok(())
    })
}
