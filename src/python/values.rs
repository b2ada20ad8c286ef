//! Settings and configurations from Python and back.

use curvebook::app::loaded::{literal, values_of};
use curvebook::app::settings::{Door, Given, REPLAY};
use curvebook::base::error::fault;
use curvebook::base::space::{Literal, Space, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyMapping, PyString};
use serde_json::Value as Json;

use crate::errors::{Raise, raised};

/// A configuration by names.
pub(crate) type Named = Vec<(String, Option<Literal>)>;

/// Keyword arguments as settings of a replay. `None` is what nobody said.
pub(crate) fn given(keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Given> {
    let mut given = Given::new(Door::Keywords, REPLAY);
    for (name, value) in keywords.into_iter().flatten() {
        if !value.is_none() {
            let name: String = name.extract()?;
            given = given.set(&name, json(&name, &value)?);
        }
    }
    Ok(given)
}

/// A value of a setting: true or false, a number, a text, a path, or a list of them.
fn json(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Json> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Json::Bool(value.extract()?));
    }
    if let Ok(text) = value.extract::<String>() {
        return Ok(Json::String(text));
    }
    if !value.is_instance_of::<PyFloat>() {
        if let Ok(number) = value.extract::<i64>() {
            return Ok(Json::from(number));
        }
        if let Ok(number) = value.extract::<u64>() {
            return Ok(Json::from(number));
        }
    }
    if let Ok(number) = value.extract::<f64>() {
        return serde_json::Number::from_f64(number).map(Json::Number).ok_or_else(|| {
            let (rule, remedy) = ("must be a finite number", "give a finite number");
            raised(value.py(), fault(name, name, number, rule, remedy))
        });
    }
    if let Ok(path) = value.call_method0("__fspath__") {
        return Ok(Json::String(path.extract()?));
    }
    let items = value.try_iter().map_err(|_| {
        let what = value.repr().map_or_else(|_| "?".to_string(), |shown| shown.to_string());
        let rule = "a setting is a truth value, a number, a text, a path or a list of them";
        raised(value.py(), fault(name, name, what, rule, "give one of these"))
    })?;
    items.map(|item| json(name, &item?)).collect::<PyResult<Vec<_>>>().map(Json::Array)
}

/// Whether it is a whole number, `NumPy`'s included.
pub(crate) fn is_number(value: &Bound<'_, PyAny>) -> bool {
    let is_whole = value.is_instance_of::<PyInt>() || value.hasattr("__index__").unwrap_or(false);
    is_whole && !value.is_instance_of::<PyBool>()
}

/// A whole number that names a row.
pub(crate) fn whole(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract().map_err(|_| {
        let shown = value.repr().map_or_else(|_| "?".to_string(), |shown| shown.to_string());
        let rule = "a row has a number of 32 bits";
        raised(value.py(), fault("config", "row", shown, rule, "give a `config_id` of the table"))
    })
}

/// A configuration from a mapping.
pub(crate) fn named(config: &Bound<'_, PyAny>) -> PyResult<Named> {
    let py = config.py();
    let Ok(mapping) = config.downcast::<PyMapping>() else {
        let shown = config.repr().map_or_else(|_| "?".to_string(), |shown| shown.to_string());
        let rule = "a configuration is the number of a row, or a mapping of names to values";
        return Err(raised(py, fault("config", "config", shown, rule, "give a row or a dict")));
    };
    let mut named = Named::new();
    for item in mapping.items()?.iter() {
        let (name, value): (String, Bound<'_, PyAny>) = item.extract()?;
        let literal = read_literal(&name, &value)?;
        named.push((name, literal));
    }
    Ok(named)
}

/// A value of a hyperparameter; `NumPy`'s scalars count as numbers.
fn read_literal(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Literal>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyBool>() {
        // Truth values among the choices of a space are the words that they print.
        let word = if value.extract()? { "true" } else { "false" };
        return Ok(Some(Literal::Text(word.to_string())));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Some(Literal::Text(value.extract()?)));
    }
    if !value.is_instance_of::<PyFloat>()
        && let Ok(number) = value.extract::<i64>()
    {
        return Ok(Some(Literal::Int(number)));
    }
    value.extract::<f64>().map(|number| Some(Literal::Float(number))).map_err(|_| {
        let shown = value.repr().map_or_else(|_| "?".to_string(), |shown| shown.to_string());
        let rule = "a hyperparameter is a number, a word, or None where it plays no part";
        raised(value.py(), fault("config", name, shown, rule, "give one of these"))
    })
}

/// A configuration in a space's order.
pub(crate) fn in_order(space: &Space, config: &Bound<'_, PyAny>) -> PyResult<Vec<Value>> {
    values_of(space, &named(config)?).raise(config.py())
}

/// A configuration as a dictionary; what plays no part is left out.
pub(crate) fn dict<'py>(
    py: Python<'py>,
    space: &Space,
    values: &[Value],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (parameter, value) in space.parameters.iter().zip(values) {
        match literal(space, &parameter.name, *value) {
            None => {}
            Some(Literal::Int(v)) => dict.set_item(&parameter.name, v)?,
            Some(Literal::Float(v)) => dict.set_item(&parameter.name, v)?,
            Some(Literal::Text(v)) => dict.set_item(&parameter.name, v)?,
        }
    }
    Ok(dict)
}

/// JSON as Python reads it.
pub(crate) fn loads<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (text,))
}
