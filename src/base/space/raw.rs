//! Parameters as they are written, in a space's TOML and in a table's JSON alike:
//! `name, type, low, high, log, choices, condition { name, in }`.

use serde_json::{Map, Value as Json, json};

use super::parameter::{Condition, Domain, Literal, Parameter};
use crate::error::{Result, suggest};
use crate::fields::Fields;

/// Reads one parameter; `strict` refuses unknown fields (a space file) rather than ignoring them
/// (a table that another program wrote). Ranges are checked by [`super::Space::new`].
pub fn read(mut fields: Fields, strict: bool) -> Result<Parameter> {
    let name = fields.required_text("name", "the parameter's name")?;
    let kind = fields.required_text("type", "int, float or categorical")?;
    let domain = match kind.as_str() {
        "int" => Domain::Int {
            low: required_integer(&mut fields, "low", "the least value")?,
            high: required_integer(&mut fields, "high", "the greatest value")?,
            log: fields.boolean("log")?.unwrap_or(false),
        },
        "float" => Domain::Float {
            low: required_number(&mut fields, "low", "the least value")?,
            high: required_number(&mut fields, "high", "the greatest value")?,
            log: fields.boolean("log")?.unwrap_or(false),
        },
        "categorical" => Domain::Categorical {
            choices: fields
                .texts("choices")?
                .ok_or_else(|| fields.missing("choices", "the list of choices"))?,
        },
        other => {
            let remedy = suggest(other, ["int", "float", "categorical"]);
            return Err(fields.fault("type", other, "no such type of parameter", remedy));
        }
    };
    let condition = fields.table("condition")?.map(|c| read_condition(c, strict)).transpose()?;
    if strict {
        fields.finish()?;
    }
    Ok(Parameter { name, domain, condition })
}

fn read_condition(mut fields: Fields, strict: bool) -> Result<Condition> {
    let name = fields.required_text("name", "the parameter that decides")?;
    let list = fields.list("in")?.ok_or_else(|| fields.missing("in", "a list of values"))?;
    let values = list.iter().enumerate().map(|(at, value)| {
        literal(value).ok_or_else(|| {
            let rule = "must be a number or a text";
            fields.fault(&format!("in[{at}]"), value, rule, "write a value of that parameter")
        })
    });
    let values = values.collect::<Result<_>>()?;
    if strict {
        fields.finish()?;
    }
    Ok(Condition { name, values })
}

/// A JSON value as a literal; whole numbers stay ints.
pub fn literal(value: &Json) -> Option<Literal> {
    match value {
        Json::String(text) => Some(Literal::Text(text.clone())),
        Json::Number(n) => n.as_i64().map(Literal::Int).or_else(|| n.as_f64().map(Literal::Float)),
        _ => None,
    }
}

fn required_integer(fields: &mut Fields, name: &'static str, what: &str) -> Result<i64> {
    fields.integer(name)?.ok_or_else(|| fields.missing(name, what))
}

fn required_number(fields: &mut Fields, name: &'static str, what: &str) -> Result<f64> {
    fields.number(name)?.ok_or_else(|| fields.missing(name, what))
}

/// A parameter as JSON, fields absent where they do not apply: the inverse of [`read`].
pub fn write(parameter: &Parameter) -> Json {
    let mut map = Map::new();
    map.insert("name".into(), json!(parameter.name));
    match &parameter.domain {
        Domain::Int { low, high, log } => range(&mut map, "int", json!(low), json!(high), *log),
        Domain::Float { low, high, log } => range(&mut map, "float", json!(low), json!(high), *log),
        Domain::Categorical { choices } => {
            map.insert("type".into(), json!("categorical"));
            map.insert("choices".into(), json!(choices));
        }
    }
    if let Some(condition) = &parameter.condition {
        let values: Vec<Json> = condition.values.iter().map(literal_json).collect();
        map.insert("condition".into(), json!({ "name": condition.name, "in": values }));
    }
    Json::Object(map)
}

fn range(map: &mut Map<String, Json>, kind: &str, low: Json, high: Json, log: bool) {
    map.insert("type".into(), json!(kind));
    map.insert("low".into(), low);
    map.insert("high".into(), high);
    if log {
        map.insert("log".into(), json!(true));
    }
}

fn literal_json(literal: &Literal) -> Json {
    match literal {
        Literal::Int(v) => json!(v),
        Literal::Float(v) => json!(v),
        Literal::Text(v) => json!(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = r#"
            name = "momentum"
            type = "float"
            low = 0.5
            high = 0.99
            log = true
            condition = { name = "optimizer", in = ["sgd", 3, 2.5] }
        "#;
        let parameter = read(Fields::from_toml("s.toml", text).unwrap(), true).unwrap();
        let Json::Object(map) = write(&parameter) else { unreachable!() };
        assert_eq!(read(Fields::new("t.json", "", map), true).unwrap(), parameter);
    }

    #[test]
    fn a_foreign_field_is_refused_in_a_space_and_ignored_in_a_table() {
        let text = "name = 'x'\ntype = 'int'\nlow = 1\nhigh = 2\nlgo = true";
        let read_as = |strict| read(Fields::from_toml("s.toml", text).unwrap(), strict);
        let message = read_as(true).unwrap_err().to_string();
        assert!(message.ends_with("did you mean `log`?"), "{message}");
        assert!(read_as(false).is_ok());
    }
}
