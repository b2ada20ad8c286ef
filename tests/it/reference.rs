//! The reference of what the program reads and prints: what it says is what is declared.

use std::fmt::Write as _;
use std::fs;

use curvebook::app::settings::{Kind, REPLAY, Setting};
use serde_json::Value;
use tempfile::TempDir;

use crate::command_line::done;
use crate::table_common::write_table;

/// The page.
const PAGE: &str = "src/cli/REFERENCE.md";

/// What stands on the page between two marks.
fn assert_stands(page: &str, what: &str, wanted: &str) {
    let (begin, end) = (format!("<!-- {what} -->\n"), "<!-- end -->");
    let there = page.split_once(&begin).and_then(|(_, rest)| rest.split_once(end));
    let (there, _) = there.unwrap_or_else(|| panic!("{PAGE} has no {begin}"));
    assert!(there == wanted, "{PAGE} is stale; between {begin} and {end} belongs\n{wanted}");
}

#[test]
fn the_page_lists_the_fields_of_a_study_as_they_are_declared() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut wanted = "| field | takes | default | what it says |\n|---|---|---|---|\n".to_string();
    for setting in REPLAY.iter().filter(|setting| !setting.is_of_the_call) {
        let default = match (setting.default, setting.required) {
            (_, Some(_)) => "must be there".to_string(),
            (Some(default), None) => format!("`{default}`"),
            (None, None) => "-".to_string(),
        };
        let help = setting.help.replace('|', "\\|");
        writeln!(wanted, "| `{}` | {} | {default} | {help} |", setting.name, takes(setting))
            .unwrap();
    }
    assert_stands(&page, "fields of a study", &wanted);
}

fn takes(setting: &Setting) -> String {
    match setting.kind {
        Kind::Flag => "`true` or `false`".to_string(),
        Kind::Whole(range) if range.high >= u64::from(u32::MAX) => {
            format!("a whole number from {}", range.low)
        }
        Kind::Whole(range) => format!("a whole number {} to {}", range.low, range.high),
        Kind::Seconds => "seconds, or a text with a unit".to_string(),
        Kind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.word)).collect();
            words.join(" or ")
        }
        Kind::Text | Kind::Path => "a text".to_string(),
        Kind::TextOrWhole => "a text or a whole number".to_string(),
        Kind::Texts => "a list of texts".to_string(),
        Kind::Paths => "a list of directories".to_string(),
    }
}

#[test]
fn the_page_lists_the_fields_of_every_json_document_as_they_are_declared() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut wanted = String::new();
    for document in cli::DOCUMENTS {
        let schema = Value::from((document.schema)());
        let (root, is_list) = match schema.get("items") {
            Some(items) => (resolved(&schema, items), true),
            None => (&schema, false),
        };
        let list = if is_list { ": a list of objects" } else { "" };
        writeln!(wanted, "\n### {}{list}\n", document.commands).unwrap();
        object(&mut wanted, &schema, root);
        let mut seen = Vec::new();
        nested(&schema, root, &mut seen);
        for name in seen {
            let inner = &schema["$defs"][&name];
            if inner.get("properties").is_some() {
                writeln!(wanted, "\n`{name}`:\n").unwrap();
                object(&mut wanted, &schema, inner);
            }
        }
    }
    assert_stands(&page, "fields of JSON documents", &wanted);
}

/// The schema that another stands for.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => &root["$defs"][place.trim_start_matches("#/$defs/")],
        None => schema,
    }
}

/// What it is, and a line a field.
fn object(page: &mut String, root: &Value, schema: &Value) {
    let what = schema["description"].as_str().expect("every document says what it is");
    writeln!(page, "{}\n\n| field | type | what it holds |\n|---|---|---|", one_line(what))
        .unwrap();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().unwrap() {
        let doc = field["description"].as_str();
        let doc = doc.unwrap_or_else(|| panic!("{name} of {what} says nothing"));
        let is_optional = !required.contains(&Value::from(name.as_str()));
        // A field that may be null need not be required, and is always there.
        let absent =
            if is_optional && !kind(root, field).contains("null") { ", or absent" } else { "" };
        writeln!(page, "| `{name}` | {}{absent} | {} |", kind(root, field), one_line(doc)).unwrap();
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The type of a field in words.
fn kind(root: &Value, schema: &Value) -> String {
    if let Some(place) = schema["$ref"].as_str() {
        let name = place.trim_start_matches("#/$defs/");
        let words = enumerated(&root["$defs"][name]);
        return words.unwrap_or_else(|| format!("`{name}`"));
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return any.iter().map(|part| kind(root, part)).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(types) => {
            let words: Vec<String> =
                types.iter().map(|word| named(root, schema, word.as_str().unwrap())).collect();
            words.join(" or ")
        }
        Value::String(word) => named(root, schema, word),
        _ => "any".to_string(),
    }
}

fn named(root: &Value, schema: &Value, word: &str) -> String {
    match word {
        "array" => match schema.get("items") {
            Some(items) => format!("list of {}", kind(root, items)),
            None => "list".to_string(),
        },
        "object" => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => format!("object of {}", kind(root, values)),
            _ => "object".to_string(),
        },
        "string" => "text".to_string(),
        "boolean" => "true or false".to_string(),
        "integer" => "whole number".to_string(),
        other => other.to_string(),
    }
}

/// The words of an enumeration.
fn enumerated(schema: &Value) -> Option<String> {
    let word = |value: &Value| value.as_str().map(|word| format!("`{word}`"));
    let words: Option<Vec<String>> = match (&schema["enum"], &schema["oneOf"]) {
        (Value::Array(words), _) => words.iter().map(word).collect(),
        (_, Value::Array(parts)) => parts.iter().map(|part| word(&part["const"])).collect(),
        _ => None,
    };
    words.map(|words| words.join(" or "))
}

/// The names of the schemas that one is made of, each once, in the order of their fields.
fn nested(root: &Value, schema: &Value, seen: &mut Vec<String>) {
    let mut found = Vec::new();
    for field in schema["properties"].as_object().into_iter().flatten().map(|(_, field)| field) {
        names(field, &mut found);
    }
    for name in found {
        if !seen.contains(&name) {
            seen.push(name.clone());
            nested(root, &root["$defs"][&name], seen);
        }
    }
}

fn names(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(place) if key == "$ref" => {
                        found.push(place.trim_start_matches("#/$defs/").to_string());
                    }
                    _ => names(value, found),
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| names(part, found)),
        _ => {}
    }
}

/// Whether a value is what a schema says, as far as objects, lists and types go.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(root, schema);
    if let Some(any) = schema["anyOf"].as_array() {
        let mut faults = any.iter().map(|part| fits(root, part, value));
        return if faults.any(|fault| fault.is_ok()) { Ok(()) } else { Err(value.to_string()) };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(word) => vec![word],
        _ => return Ok(()),
    };
    let has = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) if types.contains(&"number") => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&has) {
        return Err(format!("{value} is no {types:?}"));
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| fits(root, &schema["items"], item)),
        Value::Object(fields) if schema.get("properties").is_some() => {
            let properties = schema["properties"].as_object().unwrap();
            for (name, field) in fields {
                let declared = properties.get(name).ok_or(format!("{name} is not declared"))?;
                fits(root, declared, field).map_err(|fault| format!("{name}: {fault}"))?;
            }
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            match required.iter().find(|name| !fields.contains_key(name.as_str().unwrap())) {
                Some(name) => Err(format!("{name} is missing")),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

#[test]
fn what_is_printed_is_what_the_schema_says() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 12);
    let replay = "replay --table T --goal rank:1 --repeats 3 --stopper none --stopper etr1 \
                  --out runs.parquet --trace trace.parquet";
    let commands = [
        ("train-plan", "train --space digits-lenet --configs 2 --epochs 1 --device cpu --plan"),
        (
            "train",
            "train --space digits-lenet --configs 2 --epochs 1 --device cpu \
             --shard 0/2 --out piece-0",
        ),
        (
            "train",
            "train --space digits-lenet --configs 2 --epochs 1 --device cpu \
             --shard 1/2 --out piece-1",
        ),
        ("table-merge", "table merge piece-1 piece-0 --out merged"),
        ("analyze", replay),
        ("analyze", "analyze runs.parquet"),
        ("why", "why --table T --trace trace.parquet --run 3 --full"),
        ("why", "why --table T --trace trace.parquet --run 3 --trial 0"),
        ("table-info", "table info merged"),
        ("table-check", "table check T"),
        ("space-list", "space list"),
        ("space-show", "space show cifar10-cnn"),
        ("space-show-config", "space show cifar10-cnn --config 3"),
        ("study-list", "study list"),
        ("methods", "methods"),
        #[cfg(feature = "download")]
        ("data-list", "data list"),
        #[cfg(feature = "download")]
        ("data-get", "data get digits"),
        #[cfg(feature = "gpu")]
        ("devices", "devices --no-self-test"),
    ];
    for (name, command) in commands {
        let printed: Value =
            serde_json::from_str(&done(t.path(), &format!("{command} --format json"))).unwrap();
        let schema: Value =
            serde_json::from_str(&done(t.path(), &format!("schema {name}"))).unwrap();
        fits(&schema, &schema, &printed).unwrap_or_else(|fault| panic!("{command}: {fault}"));
    }
}

#[test]
fn the_page_of_tables_names_every_field_that_a_table_may_have() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 3, 3);
    let page = fs::read_to_string("tables/README.md").unwrap();
    let fields = [t.path().join("T"), "tables/digits-lenet".into()].map(|table| {
        let text = fs::read_to_string(table.join("table.json")).unwrap();
        let fields: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        fields.into_iter().map(|(name, _)| name)
    });
    let optional = ["first_config".to_string()];
    for name in fields.into_iter().flatten().chain(optional) {
        let in_table = page.lines().filter(|line| line.starts_with("| `"));
        let mut named = in_table.map(|line| line.split('|').nth(1).unwrap());
        assert!(named.any(|cell| cell.contains(&format!("`{name}`"))), "{name} is not on the page");
    }
}
