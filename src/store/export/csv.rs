//! Comma-separated values in long form: a row an epoch, with what its configuration is.
//!
//! Not measured is empty, and NaN is `NaN`.

use std::io::Write;
use std::path::Path;

use base::error::{Error, Result, internal};
use csv::Writer;
use serde_json::Value as Json;

use super::source::{Source, json_of, number};
use super::{Exported, place};
use crate::table::SECONDS_COLUMN;

pub(super) fn write(source: &Source, out: &Path) -> Result<Exported> {
    let mut rows = 0;
    place::whole(out, |into| {
        rows = table(source, Writer::from_writer(into)).map_err(failed)?;
        Ok(())
    })?;
    let configs = source.table.manifest.configs;
    Ok(Exported { configs, rows, notes: Vec::new() })
}

fn failed(error: csv::Error) -> Error {
    internal("writing CSV", error)
}

fn table(source: &Source, mut into: Writer<impl Write>) -> csv::Result<u64> {
    let mut header = vec!["config_id", "repeat", "epoch"];
    header.extend(source.parameters().iter().map(|parameter| parameter.name.as_str()));
    header.extend(["status", "last_epoch"]);
    if source.setup_seconds.is_some() {
        header.push("setup_seconds");
    }
    header.extend([source.metric(), SECONDS_COLUMN]);
    header.extend(source.further.iter().map(String::as_str));
    into.write_record(&header)?;
    let mut rows = 0;
    for id in source.ids() {
        let mut described: Vec<String> = Vec::new();
        for (value, parameter) in source.values(id).iter().zip(source.parameters()) {
            described.push(match json_of(*value, parameter) {
                Json::Null => String::new(),
                Json::String(text) => text,
                number => number.to_string(),
            });
        }
        described.push(source.table.status[source.at(id)].word().into());
        described.push(source.table.last_epoch(id).map_or(String::new(), |last| last.to_string()));
        if source.setup_seconds.is_some() {
            described.push(number(source.setup(id)));
        }
        for repeat in source.table.repeats(id) {
            let seconds = source.seconds(id, repeat);
            let further: Vec<&[f64]> =
                source.further.iter().map(|name| source.further(name, id, repeat)).collect();
            for (at, value) in source.curve(id, repeat).iter().enumerate() {
                into.write_field(id.0.to_string())?;
                into.write_field(repeat.to_string())?;
                into.write_field((at + 1).to_string())?;
                for cell in &described {
                    into.write_field(cell)?;
                }
                into.write_field(number(*value))?;
                into.write_field(number(seconds[at]))?;
                for column in &further {
                    into.write_field(number(column[at]))?;
                }
                into.write_record(None::<&[u8]>)?;
                rows += 1;
            }
        }
    }
    into.flush()?;
    Ok(rows)
}
