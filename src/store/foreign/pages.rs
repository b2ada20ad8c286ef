//! The pages of a column, before a library unpacks them: their headers say how much memory is
//! taken at once.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::basic::Type;
use parquet::file::metadata::ColumnChunkMetaData;

use super::thrift::{Kind, Reader, Result as Parsed};
use super::unpack;

/// Unpacked, no honest page has more bytes. Writers make pages of one MiB.
const PAGE_BYTES_MAX: i64 = 64 << 20;
/// No honest header of a page is longer, its statistics included.
const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Values of a column of lists: so many, and one more a byte of its pages.
const LIST_VALUES: u64 = 1 << 24;
/// Bytes of a value of fixed length: the longest number has 32.
const FIXED_BYTES_MAX: i32 = 4096;

/// What of a column stands in memory at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// Of its largest page, and of its dictionary, unpacked.
    pub(super) bytes: u64,
    /// The longest that one value can be, where length is not the type's.
    pub(super) value_bytes: u64,
}

struct Page {
    kind: i64,
    unpacked: i64,
    packed: i64,
    values: i64,
    /// Bytes before those that are compressed; `None` where none are.
    plain: Option<i64>,
}

const DATA: i64 = 0;
const INDEX: i64 = 1;
const DICTIONARY: i64 = 2;
const DATA_V2: i64 = 3;

/// Looks at every page of a column chunk in a file of `len` bytes.
pub(super) fn check(file: &File, len: u64, chunk: &ColumnChunkMetaData) -> Result<Held, String> {
    let name = chunk.column_path().string();
    let wrong = |what: String| Err(format!("column {name}: {what}"));
    let numbers = [chunk.data_page_offset(), chunk.compressed_size(), chunk.num_values()];
    let offset = chunk.dictionary_page_offset().map_or(numbers[0], |first| first.min(numbers[0]));
    let [Ok(offset), Ok(size), Ok(values)] = [offset, numbers[1], numbers[2]].map(u64::try_from)
    else {
        return wrong(format!("{numbers:?} as offset, size and number of values"));
    };
    let Some(end) = offset.checked_add(size).filter(|&end| end <= len) else {
        return wrong(format!("{size} bytes from {offset} in a file of {len}"));
    };
    let is_list = chunk.column_descr().max_rep_level() > 0;
    if is_list && values > LIST_VALUES.saturating_add(size) {
        return wrong(format!("{values} values in lists of {size} bytes"));
    }
    let fixed = chunk.column_descr().physical_type() == Type::FIXED_LEN_BYTE_ARRAY;
    if fixed && !(0..=FIXED_BYTES_MAX).contains(&chunk.column_descr().type_length()) {
        return wrong(format!("values of {} bytes", chunk.column_descr().type_length()));
    }
    let mut at = offset;
    let (mut found, mut held, mut dictionary) = (0_u64, Held::default(), 0);
    while at < end && found < values {
        let Some((page, header)) = header(file, at, end).map_err(|e| e.to_string())? else {
            return wrong("a page whose header cannot be read".to_string());
        };
        at += header;
        let (Ok(packed), Ok(unpacked), Ok(count)) =
            (u64::try_from(page.packed), u64::try_from(page.unpacked), u64::try_from(page.values))
        else {
            return wrong("a page of less than nothing".to_string());
        };
        if packed > end - at || page.unpacked > PAGE_BYTES_MAX {
            return wrong(format!("a page of {packed} bytes that unpack to {unpacked}"));
        }
        let plain = page.plain.map(u64::try_from);
        if let Some(Ok(plain)) = plain.filter(|plain| plain.is_ok_and(|n| n <= packed)) {
            let most = unpacked.saturating_sub(plain);
            let (first, size) = (at + plain, packed - plain);
            let is_more = unpack::is_more(file, first, size, chunk.compression(), most);
            if is_more.map_err(|e| e.to_string())? {
                return wrong(format!("a page that unpacks to more than its {unpacked} bytes"));
            }
        }
        at += packed;
        match page.kind {
            DICTIONARY => {
                if count > unpacked / bytes_a_value(chunk) {
                    return wrong(format!("a dictionary of {count} values in {unpacked} bytes"));
                }
                dictionary = unpacked.max(dictionary);
            }
            DATA | DATA_V2 => {
                found = found.saturating_add(count);
                held.bytes = unpacked.max(held.bytes);
            }
            INDEX => {}
            other => return wrong(format!("a page of kind {other}")),
        }
    }
    if found != values {
        return wrong(format!("{found} values in pages, {values} in the footer"));
    }
    held.value_bytes = match chunk.column_descr().physical_type() {
        Type::BYTE_ARRAY => dictionary.max(held.bytes),
        Type::FIXED_LEN_BYTE_ARRAY => chunk.column_descr().type_length().unsigned_abs().into(),
        _ => 0,
    };
    held.bytes += dictionary;
    Ok(held)
}

/// What a value of a dictionary takes at least.
fn bytes_a_value(chunk: &ColumnChunkMetaData) -> u64 {
    match chunk.column_descr().physical_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => {
            u64::from(chunk.column_descr().type_length().unsigned_abs()).max(1)
        }
    }
}

/// The header at a place, with its length; `None` for what is none.
fn header(mut file: &File, at: u64, end: u64) -> std::io::Result<Option<(Page, u64)>> {
    let mut window = 256;
    loop {
        let length = window.min(end - at);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.take(length).read_to_end(&mut bytes)?;
        let mut reader = Reader::new(&bytes);
        if let Ok(page) = parse(&mut reader) {
            return Ok(Some((page, (bytes.len() - reader.left()) as u64)));
        }
        if length < window || window >= HEADER_BYTES_MAX {
            return Ok(None);
        }
        window *= 16;
    }
}

fn parse(reader: &mut Reader<'_>) -> Parsed<Page> {
    let mut page = Page { kind: -1, unpacked: -1, packed: -1, values: 0, plain: Some(0) };
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last)? {
        match field {
            1 if kind == Kind::I32 => page.kind = reader.integer()?,
            2 if kind == Kind::I32 => page.unpacked = reader.integer()?,
            3 if kind == Kind::I32 => page.packed = reader.integer()?,
            // The number of values comes first in what every kind of page adds.
            5 | 7 if kind == Kind::STRUCT => {
                page.values = reader.integer_of_structure(1)?.unwrap_or(-1);
            }
            8 if kind == Kind::STRUCT => second_version(reader, &mut page)?,
            _ => reader.skip(kind)?,
        }
    }
    Ok(page)
}

/// What data pages of the second version add: their levels stand before what is compressed.
fn second_version(reader: &mut Reader<'_>, page: &mut Page) -> Parsed<()> {
    (page.values, page.plain) = (-1, Some(0));
    let (mut last, mut is_packed) = (0, true);
    while let Some((field, kind)) = reader.field(&mut last)? {
        match field {
            1 if kind == Kind::I32 => page.values = reader.integer()?,
            5 | 6 if kind == Kind::I32 => {
                let levels = reader.integer()?;
                page.plain = page.plain.and_then(|plain| plain.checked_add(levels));
            }
            7 if kind == Kind::FALSE => is_packed = false,
            _ => reader.skip(kind)?,
        }
    }
    page.plain = page.plain.filter(|_| is_packed);
    Ok(())
}
