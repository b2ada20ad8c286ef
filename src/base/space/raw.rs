//! Parameters as they are written, in a space's TOML and in a table's JSON alike:
//! `name, type, low, high, log, step, values, choices, condition { name, in | all | any }`.

use std::fmt::Display;

use serde_json::{Map, Value as Json, json};

use super::condition::Condition;
use super::ordinal::Numbers;
use super::parameter::{Domain, Literal, Parameter};
use crate::error::{Result, suggest};
use crate::fields::{Fields, whole};

/// Reads one parameter; `strict` refuses unknown fields (a space file) rather than ignoring them
/// (a table that another program wrote). Ranges are checked by [`super::Space::new`].
pub fn read(mut fields: Fields, strict: bool) -> Result<Parameter> {
    let name = fields.required_text("name", "the parameter's name")?;
    let kind = fields.required_text("type", "int, float or categorical")?;
    let domain = match kind.as_str() {
        "int" if fields.has("values") => listed(&mut fields, "values", Type::Int)?,
        "float" if fields.has("values") => listed(&mut fields, "values", Type::Float)?,
        "int" if fields.has("step") => stepped_ints(&mut fields)?,
        "float" if fields.has("step") => stepped_floats(&mut fields)?,
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
        "categorical" => choices(&mut fields)?,
        other => {
            let remedy = suggest(other, ["int", "float", "categorical"]);
            return Err(fields.fault("type", other, "no such type of parameter", remedy));
        }
    };
    let condition = fields.table("condition")?.map(|c| read_condition(c, strict, 0)).transpose()?;
    if strict {
        fields.finish()?;
    }
    Ok(Parameter { name, domain, condition })
}

/// Numbers that a `step` may make.
const STEPS_MAX: i64 = 65_536;

/// What the numbers of a list must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Float,
    /// Whole if all are.
    Either,
}

/// Words, or numbers, which have an order and are sorted; truth values are the words that they
/// print.
fn choices(fields: &mut Fields) -> Result<Domain> {
    let is_number = |list: &Vec<Json>| list.first().is_some_and(Json::is_number);
    if fields.peek("choices").and_then(Json::as_array).is_some_and(is_number) {
        return listed(fields, "choices", Type::Either);
    }
    let what = "the list of choices";
    let list = fields.list("choices")?.ok_or_else(|| fields.missing("choices", what))?;
    let words = list.iter().enumerate().map(|(at, choice)| match choice {
        Json::String(word) => Ok(word.clone()),
        Json::Bool(truth) => Ok(truth.to_string()),
        other => {
            let rule = "choices are all texts or all numbers";
            let remedy = "write a text in quotes, or numbers alone";
            Err(fields.fault(&format!("choices[{at}]"), other, rule, remedy))
        }
    });
    Ok(Domain::Categorical { choices: words.collect::<Result<_>>()? })
}

/// Numbers that are listed one by one.
fn listed(fields: &mut Fields, name: &'static str, kind: Type) -> Result<Domain> {
    for other in ["low", "high", "log", "step"] {
        if let Some(found) = fields.peek(other) {
            let rule = format!("`{name}` lists every number");
            return Err(fields.fault(other, found, rule, "remove one of the two"));
        }
    }
    let list = fields.list(name)?.unwrap_or_default();
    let ints: Option<Vec<i64>> = list.iter().map(whole).collect();
    let is_int = match kind {
        Type::Int => true,
        Type::Float => false,
        // 1.0 in such a list says that these are real numbers.
        Type::Either => list.iter().all(Json::is_i64),
    };
    let what = if is_int { "a whole number" } else { "a finite number" };
    let fits = |v: &Json| if is_int { whole(v).is_some() } else { v.as_f64().is_some() };
    if let Some(at) = list.iter().position(|v| !fits(v)) {
        let (field, rule) = (format!("{name}[{at}]"), format!("must be {what}"));
        return Err(fields.fault(&field, &list[at], rule, format!("write {what}")));
    }
    let values = if is_int {
        let mut ints = ints.unwrap_or_default();
        ints.sort_unstable();
        Numbers::Int(ints)
    } else {
        let mut floats: Vec<f64> = list.iter().filter_map(Json::as_f64).collect();
        floats.sort_unstable_by(f64::total_cmp);
        Numbers::Float(floats)
    };
    Ok(Domain::Ordinal { values })
}

/// `low`, `low + step`, ... up to `high`.
fn stepped_ints(fields: &mut Fields) -> Result<Domain> {
    refuse_log(fields)?;
    let low = required_integer(fields, "low", "the least value")?;
    let high = required_integer(fields, "high", "the greatest value")?;
    let step = required_integer(fields, "step", "the distance between two values")?;
    let count = if step > 0 { high.saturating_sub(low) / step } else { -1 };
    check_steps(fields, step, count < 0 || low > high, count >= STEPS_MAX)?;
    let values = (0..=count).map(|at| low + at * step).collect();
    Ok(Domain::Ordinal { values: Numbers::Int(values) })
}

/// Likewise; each is rounded to 15 decimal digits, so that a step of 0.1 gives 0.3 and not
/// 0.30000000000000004.
fn stepped_floats(fields: &mut Fields) -> Result<Domain> {
    refuse_log(fields)?;
    let low = required_number(fields, "low", "the least value")?;
    let high = required_number(fields, "high", "the greatest value")?;
    let step = required_number(fields, "step", "the distance between two values")?;
    let steps = (high - low) / step + 1e-9;
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    check_steps(fields, step, step <= 0.0 || low > high, steps >= STEPS_MAX as f64)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let count = steps as u32;
    let rounded = |exact: f64| format!("{exact:.14e}").parse().unwrap_or(exact);
    let values = (0..=count).map(|at| rounded(low + f64::from(at) * step)).collect();
    Ok(Domain::Ordinal { values: Numbers::Float(values) })
}

fn refuse_log(fields: &Fields) -> Result<()> {
    if fields.peek("log").is_some_and(|log| log != &Json::Bool(false)) {
        let rule = "steps are all alike: a log range has none";
        return Err(fields.fault("log", true, rule, "remove `log` or `step`, or list `values`"));
    }
    Ok(())
}

fn check_steps(fields: &Fields, step: impl Display, wrong: bool, many: bool) -> Result<()> {
    if wrong {
        let rule = "a step leads from `low` up to `high`";
        return Err(fields.fault("step", step, rule, "write a step above 0, and low below high"));
    }
    if many {
        let rule = format!("makes at most {STEPS_MAX} values");
        return Err(fields.fault("step", step, rule, "choose a larger one, or remove it"));
    }
    Ok(())
}

/// Conditions inside conditions: more than anybody writes, and few enough for the stack.
const DEPTH_MAX: usize = 8;

fn read_condition(mut fields: Fields, strict: bool, depth: usize) -> Result<Condition> {
    let joins = [("all", Condition::All as fn(_) -> _), ("any", Condition::Any)];
    let Some((word, join)) = joins.into_iter().find(|(word, _)| fields.has(word)) else {
        return read_in(fields, strict);
    };
    if depth == DEPTH_MAX {
        let rule = format!("conditions stand at most {DEPTH_MAX} deep in each other");
        return Err(fields.fault(word, "a list", rule, "write a flatter one"));
    }
    let parts = fields.tables(word)?.into_iter();
    let parts = parts.map(|part| read_condition(part, strict, depth + 1));
    let parts = parts.collect::<Result<_>>()?;
    // Not a matter of `strict`: what is left out would change the meaning.
    for beside in ["all", "any", "name", "in"] {
        if let Some(found) = fields.peek(beside) {
            let rule = format!("stands beside `{word}`");
            return Err(fields.fault(beside, found, rule, format!("write it inside `{word}`")));
        }
    }
    if strict {
        fields.finish()?;
    }
    Ok(join(parts))
}

fn read_in(mut fields: Fields, strict: bool) -> Result<Condition> {
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
    Ok(Condition::In { name, values })
}

/// A JSON value as a literal; whole numbers stay ints.
pub fn literal(value: &Json) -> Option<Literal> {
    match value {
        Json::String(text) => Some(Literal::Text(text.clone())),
        Json::Bool(truth) => Some(Literal::Text(truth.to_string())),
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
        Domain::Ordinal { values } => {
            let (kind, values) = match values {
                Numbers::Int(values) => ("int", json!(values)),
                Numbers::Float(values) => ("float", json!(values)),
            };
            map.insert("type".into(), json!(kind));
            map.insert("values".into(), values);
        }
    }
    if let Some(condition) = &parameter.condition {
        map.insert("condition".into(), condition_json(condition));
    }
    Json::Object(map)
}

fn condition_json(condition: &Condition) -> Json {
    let list = |parts: &[Condition]| parts.iter().map(condition_json).collect::<Vec<_>>();
    match condition {
        Condition::In { name, values } => {
            let values: Vec<Json> = values.iter().map(literal_json).collect();
            json!({ "name": name, "in": values })
        }
        Condition::All(parts) => json!({ "all": list(parts) }),
        Condition::Any(parts) => json!({ "any": list(parts) }),
    }
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
    use super::super::{Space, Value};
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

    fn domain(text: &str) -> std::result::Result<Domain, String> {
        let fields = Fields::from_toml("s.toml", &format!("name = 'x'\n{text}")).unwrap();
        let parameter = read(fields, true).map_err(|e| e.to_string())?;
        let Json::Object(map) = write(&parameter) else { unreachable!() };
        assert_eq!(read(Fields::new("t.json", "", map), true).unwrap(), parameter, "{text}");
        Space::new("s.toml", "parameter", "s".into(), vec![parameter.clone()])
            .map_err(|e| e.to_string())?;
        Ok(parameter.domain)
    }

    #[test]
    fn numbers_may_be_listed_or_stepped() {
        let ints = |values: &[i64]| Ok(Domain::Ordinal { values: Numbers::Int(values.into()) });
        let floats = |values: &[f64]| Ok(Domain::Ordinal { values: Numbers::Float(values.into()) });
        assert_eq!(domain("type = 'categorical'\nchoices = [64, 16, 32]"), ints(&[16, 32, 64]));
        assert_eq!(domain("type = 'categorical'\nchoices = [1, 0.5]"), floats(&[0.5, 1.0]));
        assert_eq!(domain("type = 'int'\nvalues = [3, 1]"), ints(&[1, 3]));
        assert_eq!(domain("type = 'float'\nvalues = [1, 0]"), floats(&[0.0, 1.0]));
        assert_eq!(domain("type = 'int'\nlow = 1\nhigh = 8\nstep = 3"), ints(&[1, 4, 7]));
        let tenths = domain("type = 'float'\nlow = 0\nhigh = 0.7\nstep = 0.1");
        assert_eq!(tenths, floats(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]));
        let flags = Domain::Categorical { choices: vec!["false".into(), "true".into()] };
        assert_eq!(domain("type = 'categorical'\nchoices = [false, true]"), Ok(flags));
    }

    #[test]
    fn senseless_lists_and_steps_are_refused() {
        for (text, part) in [
            ("type = 'categorical'\nchoices = [16, 'a']", "choices[1] = \"a\": must be a finite"),
            ("type = 'categorical'\nchoices = ['a', 16]", "choices[1] = 16: choices are all texts"),
            ("type = 'int'\nvalues = [1, 2.5]", "values[1] = 2.5: must be a whole number"),
            ("type = 'int'\nvalues = []", "values = []: a parameter of some numbers needs one"),
            ("type = 'int'\nvalues = [2, 1, 2]", "values = 2: values ascend, and none stands"),
            ("type = 'int'\nvalues = [1]\nlow = 1", "low = 1: `values` lists every number"),
            ("type = 'int'\nlow = 1\nhigh = 2\nstep = 0", "step = 0: a step leads from"),
            ("type = 'int'\nlow = 3\nhigh = 2\nstep = 1", "step = 1: a step leads from"),
            ("type = 'float'\nlow = 0\nhigh = 1\nstep = -0.1", "step = -0.1: a step leads"),
            ("type = 'float'\nlow = 0\nhigh = 1\nstep = 1e-9", "makes at most 65536 values"),
            ("type = 'int'\nlow = 0\nhigh = 99999\nstep = 1", "makes at most 65536 values"),
            ("type = 'int'\nlow = 1\nhigh = 2\nstep = 1\nlog = true", "a log range has none"),
        ] {
            let message = domain(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn conditions_join_others() {
        let space = |condition: &str| {
            let words = "type = 'categorical'\nchoices = ['p', 'q']";
            let size = "type = 'int'\nvalues = [16, 32]";
            let texts = [
                format!("name = 'a'\n{words}"),
                format!("name = 'b'\n{size}\ncondition = {{ name = 'a', in = ['q'] }}"),
                format!("name = 'x'\n{words}\ncondition = {condition}"),
            ];
            let parameters = texts
                .iter()
                .map(|text| read(Fields::from_toml("s.toml", text)?, true))
                .collect::<Result<Vec<_>>>()
                .map_err(|e| e.to_string())?;
            let Json::Object(map) = write(&parameters[2]) else { unreachable!() };
            assert_eq!(read(Fields::new("t", "", map), true).unwrap(), parameters[2]);
            Space::new("s.toml", "parameter", "s".into(), parameters).map_err(|e| e.to_string())
        };
        let (of_a, of_b) = ("{ name = 'a', in = ['q'] }", "{ name = 'b', in = [32] }");
        let both = space(&format!("{{ all = [{of_a}, {of_b}] }}")).unwrap();
        let either = space(&format!("{{ any = [{{ name = 'a', in = ['p'] }}, {of_b}] }}")).unwrap();
        let active = |space: &Space, a: usize, b: Value| {
            space.is_active(&space.parameters[2], &[Value::Choice(a), b])
        };
        for (a, b, all, any) in [
            (0, Value::Inactive, false, true),
            (1, Value::Int(16), false, false),
            (1, Value::Int(32), true, true),
        ] {
            assert_eq!((active(&both, a, b), active(&either, a, b)), (all, any), "{a} {b:?}");
        }
        // Where `a` is `p`, `b` is inactive and so cannot be 32.
        let may = |space: &Space, a| space.may_be_active(&space.parameters[2], 0, Value::Choice(a));
        assert_eq!((may(&both, 0), may(&both, 1)), (false, true));
        assert_eq!((may(&either, 0), may(&either, 1)), (true, true));
        for (condition, part) in [
            ("{ all = [] }", "parameter[2].condition.all = []: joins conditions"),
            ("{ any = [{ name = 'c', in = ['p'] }] }", "condition.any[0].name = c: a condition"),
            ("{ all = [{ name = 'b', in = [17] }] }", "condition.all[0].in[0] = 17: `b` is one of"),
            ("{ all = [{ name = 'b', in = [16] }], name = 'a' }", "write it inside `all`"),
        ] {
            let message = space(condition).unwrap_err();
            assert!(message.contains(part), "{condition}: {message}");
        }
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
