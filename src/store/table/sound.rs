//! The layout that every reader relies on, asserted on whatever is handed to a writer: what breaks
//! it is a bug of the trainer's or importer's.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, UInt16Type};
use base::space::Value;
use base::units::{ConfigId, SimTime};

use super::manifest::Header;
use super::record::Recorded;
use super::{CURVE_KEYS, SECONDS_COLUMN};
use crate::columns::{Cells, ColumnSpec, Kind, Named};

pub(super) fn assert_header(header: &Header) {
    assert!(header.configs >= 1, "a table has a configuration");
    assert!(header.repeats >= 1 && header.epochs >= 1, "a table has a repeat and an epoch");
    let first = header.first_config.unwrap_or(0);
    assert!(first.checked_add(header.configs).is_some(), "ids stay below 2^32");
    header.layout.assert_sound(&header.space, &header.metric.name);
}

/// `first_repeat`: those before are durable already.
pub(super) fn assert_record(header: &Header, recorded: &Recorded, first_repeat: u16) {
    let id = recorded.config_id;
    assert!(header.ids().contains(&id.0), "configuration {id} is not of this table");
    assert_values(header, id, &recorded.values);
    assert_columns(&header.layout.configs, &recorded.columns, id);
    assert_columns(&header.layout.curves, &recorded.curves, id);
    assert!(recorded.columns.rows().is_none_or(|rows| rows == 1), "one row of {id}");
    for column in &header.layout.configs {
        if let Some(cells) = recorded.columns.get(&column.name) {
            assert_cell(column, cells, id);
        }
    }
    assert_curves(header, id, &recorded.curves, first_repeat);
}

fn assert_values(header: &Header, id: ConfigId, values: &[Value]) {
    let parameters = &header.space.parameters;
    assert_eq!(values.len(), parameters.len(), "one value a parameter, configuration {id}");
    for (parameter, &value) in parameters.iter().zip(values) {
        let inactive = value == Value::Inactive;
        let name = &parameter.name;
        let sound =
            if inactive { parameter.condition.is_some() } else { parameter.contains(value) };
        assert!(sound, "{name} = {value:?} is not of its space, configuration {id}");
    }
}

/// What is there was declared, or is null throughout; what was declared is there, or may be null.
fn assert_columns(columns: &[ColumnSpec], found: &Named, id: ConfigId) {
    for (name, cells) in found.iter() {
        let declared = columns.iter().any(|column| column.name == name);
        let first = || cells.numbers().into_iter().find(Option::is_some).flatten();
        assert!(
            declared || cells.is_all_null(),
            "{name} of configuration {id} is {:?}, and the table has no such column",
            first()
        );
    }
    for column in columns {
        let name = &column.name;
        let cells = found.get(name);
        let sound = column.nullable || cells.is_some_and(|cells| cells.0.null_count() == 0);
        assert!(sound, "{name} of configuration {id} must not be missing");
    }
}

/// A number is in its range; where null can say that there is none, it is finite, too.
fn assert_cell(column: &ColumnSpec, cells: &Cells, id: ConfigId) {
    if matches!(column.kind, Kind::Text | Kind::Counts) {
        return;
    }
    for number in cells.numbers().into_iter().flatten() {
        let below = number < 0.0 || column.high.is_some_and(|high| number > high);
        let sound = !(column.high.is_some() && below) && (number.is_finite() || !column.nullable);
        assert!(sound, "{} of configuration {id} is {:?}", column.name, Some(number));
    }
}

/// Epochs follow each other, within the header's bounds, and every one has a cost.
fn assert_curves(header: &Header, id: ConfigId, curves: &Named, first_repeat: u16) {
    let [_, repeat, epoch] = CURVE_KEYS;
    let key = |name: &str| {
        let cells = curves.get(name).expect("declared and never null");
        let same = cells.0.data_type() == &DataType::UInt16;
        assert!(same, "{name} of configuration {id} must be u16");
        cells.0.as_primitive::<UInt16Type>().values().iter().copied()
    };
    let seconds = curves.get(SECONDS_COLUMN).map(Cells::numbers).unwrap_or_default();
    let mut last: Option<(u16, u16)> = None;
    for ((repeat, epoch), seconds) in key(repeat).zip(key(epoch)).zip(seconds) {
        let row = format_args!("repeat {repeat}, epoch {epoch}");
        let follows = match last {
            Some((before, last)) if before == repeat => epoch == last + 1,
            Some((before, _)) => repeat > before && epoch == 1,
            // Other programs' repeats may be ragged: a row has those that it has.
            None if header.layout.maker.is_none() => repeat >= first_repeat && epoch == 1,
            None => (repeat, epoch) == (first_repeat, 1),
        };
        assert!(follows, "epochs of configuration {id} are out of order at {row}");
        let inside = repeat < header.repeats && epoch <= header.epochs;
        assert!(inside, "{row} of configuration {id} is beyond the header");
        let seconds = seconds.and_then(SimTime::from_seconds);
        assert!(seconds.is_some(), "seconds of configuration {id} at {row}");
        last = Some((repeat, epoch));
    }
}
