//! A JSON object a line. Objects in objects are columns with dots in their names; a list of
//! numbers where the metric stands is a whole curve. What Python writes without a standard, `NaN`
//! and `Infinity`, is read as what it says.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;

use base::error::{Result, fault};
use serde_json::{Map, Value as Json};

use super::cell::Cell;
use super::collector::Collector;
use super::gathered::Gathered;
use super::mapping::Mapping;
use super::source;

/// No honest line is longer.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Hands on every line that is not blank, as an object.
pub(super) fn lines(
    path: &Path,
    mut each: impl FnMut(u32, Map<String, Json>) -> Result<()>,
) -> Result<()> {
    values(path, |line, value| {
        if let Json::Object(map) = value {
            return each(line, map);
        }
        let (rule, remedy) = ("must be a JSON object", "write an object a line");
        Err(fault(path.display(), format!("line {line}"), "no object", rule, remedy))
    })
}

/// Hands on every line that is not blank.
pub(super) fn values(path: &Path, mut each: impl FnMut(u32, Json) -> Result<()>) -> Result<()> {
    let file = path.display().to_string();
    let mut text = source::open(path)?;
    let mut line = Vec::new();
    for number in 1_u32.. {
        line.clear();
        let read = (&mut text).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|e| source::unreadable(path, &e))?;
        if read == 0 {
            break;
        }
        let field = format!("line {number}");
        if read as u64 == LINE_BYTES_MAX {
            let rule = format!("a line is shorter than {LINE_BYTES_MAX} bytes");
            return Err(fault(&file, field, "too long", rule, "write an object a line"));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = parse(&line).map_err(|error| {
            let remedy = "mend the line, or restore the end of the file";
            fault(&file, field, error, "must be JSON", remedy)
        })?;
        each(number, value)?;
    }
    Ok(())
}

/// JSON as Python writes it.
pub(super) fn parse(text: &[u8]) -> serde_json::Result<Json> {
    serde_json::from_slice(text).or_else(|error| match quoted(text) {
        Some(text) => serde_json::from_slice(&text),
        None => Err(error),
    })
}

/// The text with `NaN` and `Infinity` outside of texts put into quotes, if there are such.
fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let mut out = Vec::with_capacity(text.len() + 16);
    let (mut at, mut in_text, mut found) = (0, false, false);
    while at < text.len() {
        let word = words.iter().find(|word| !in_text && text[at..].starts_with(word));
        if let Some(word) = word {
            out.push(b'"');
            out.extend_from_slice(word);
            out.push(b'"');
            (at, found) = (at + word.len(), true);
            continue;
        }
        if in_text && text[at] == b'\\' && at + 1 < text.len() {
            out.extend_from_slice(&text[at..at + 2]);
            at += 2;
            continue;
        }
        in_text ^= text[at] == b'"';
        out.push(text[at]);
        at += 1;
    }
    found.then_some(out)
}

/// A JSON value as a cell.
pub(super) fn cell(value: &Json) -> Cell<'_> {
    match value {
        Json::Null => Cell::Missing,
        Json::Bool(truth) => Cell::Text(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Cell::Int(int),
            (None, Some(float)) => Cell::Float(float),
            (None, None) => Cell::Text(Cow::Owned(number.to_string())),
        },
        Json::String(text) => match text.as_str() {
            "NaN" => Cell::Float(f64::NAN),
            "Infinity" => Cell::Float(f64::INFINITY),
            "-Infinity" => Cell::Float(f64::NEG_INFINITY),
            text => Cell::Text(Cow::Borrowed(text)),
        },
        Json::Array(list) => {
            numbers(list).map_or_else(|| Cell::Text(Cow::Owned(value.to_string())), Cell::Numbers)
        }
        Json::Object(_) => Cell::Text(Cow::Owned(value.to_string())),
    }
}

/// A list of numbers and nulls.
pub(super) fn numbers(list: &[Json]) -> Option<Vec<f64>> {
    let number = |value: &Json| match cell(value) {
        Cell::Text(_) | Cell::Numbers(_) => None,
        cell => cell.number(),
    };
    list.iter().map(number).collect()
}

/// Cells by their names.
pub(super) type Named<'a> = Vec<(Cow<'a, str>, &'a Json)>;

/// Puts the cells of an object behind those of the objects that it stands in, whose names come
/// before theirs.
pub(super) fn flatten<'a>(
    prefix: &str,
    joint: &str,
    map: &'a Map<String, Json>,
    into: &mut Named<'a>,
) {
    for (name, value) in map {
        let name = if prefix.is_empty() {
            Cow::Borrowed(name.as_str())
        } else {
            format!("{prefix}{joint}{name}").into()
        };
        match value {
            Json::Object(inner) if !inner.is_empty() => flatten(&name, joint, inner, into),
            _ => into.push((name, value)),
        }
    }
}

/// Hands on every line that is not blank, as cells by their names.
pub(super) fn objects(
    path: &Path,
    joint: &str,
    mut each: impl FnMut(u32, &Named<'_>) -> Result<()>,
) -> Result<()> {
    lines(path, |line, map| {
        let mut cells = Vec::new();
        flatten("", joint, &map, &mut cells);
        each(line, &cells)
    })
}

/// Reads a file line by line.
pub(super) fn read(path: &Path, mapping: &Mapping) -> Result<Gathered> {
    let mut collector = Collector::new(path.display().to_string(), "line", mapping);
    let mut places: HashMap<String, usize> = HashMap::new();
    objects(path, ".", |line, values| {
        let mut cells = vec![Cell::Missing; places.len()];
        for (name, value) in values {
            let at = if let Some(&at) = places.get(&**name) {
                at
            } else {
                collector.column(name)?;
                places.insert(name.to_string(), cells.len());
                cells.push(Cell::Missing);
                cells.len() - 1
            };
            cells[at] = cell(value);
        }
        collector.one(line, &cells)
    })?;
    collector.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_lacks_are_read_as_python_writes_them() {
        let read = parse(br#"{"a": NaN, "b": [-Infinity, 1], "c": "x \" NaN"}"#).unwrap();
        assert!(matches!(cell(&read["a"]), Cell::Float(a) if a.is_nan()));
        assert_eq!(cell(&read["b"]), Cell::Numbers(vec![f64::NEG_INFINITY, 1.0]));
        assert_eq!(cell(&read["c"]), Cell::Text("x \" NaN".into()));
        assert!(parse(b"{\"a\": NaN").is_err() && parse(b"{\"a\": nan}").is_err());
    }
}
