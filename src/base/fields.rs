//! Reading a table of named fields (TOML or JSON) with five-part errors.
//!
//! Each getter takes a field out; [`Fields::finish`] then refuses whatever nobody asked for, and
//! suggests the nearest name that somebody did.

use serde_json::{Map, Value};

use crate::error::{Error, Result, fault, suggest};

/// The fields of one table, with the place where it stands.
#[derive(Debug)]
pub struct Fields {
    file: String,
    path: String,
    map: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Parses a TOML document.
    pub fn from_toml(file: &str, text: &str) -> Result<Self> {
        let parsed: std::result::Result<Map<String, Value>, _> = toml::from_str(text);
        parsed.map(|map| Self::new(file, "", map)).map_err(|e| {
            let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let found = text.lines().nth(line - 1).unwrap_or("").trim();
            fault(file, format!("line {line}"), found, e.message(), "mend the TOML syntax there")
        })
    }

    /// Fields of a JSON object; `path` leads to it inside `file`.
    pub fn new(file: &str, path: &str, map: Map<String, Value>) -> Self {
        Self { file: file.to_string(), path: path.to_string(), map, known: Vec::new() }
    }

    /// What has not been taken yet.
    pub fn left(&self) -> &Map<String, Value> {
        &self.map
    }

    /// The file or option that all this stands in.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The full name of a field, for messages.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) }
    }

    /// A fault about one field.
    pub fn fault(
        &self,
        name: &str,
        value: impl std::fmt::Display,
        rule: impl std::fmt::Display,
        remedy: impl std::fmt::Display,
    ) -> Error {
        fault(&self.file, self.path_of(name), value, rule, remedy)
    }

    /// The raw value, if the field is there.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.map.remove(name)
    }

    /// A field without taking it.
    pub fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// Whether a field is there, without taking it.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// The error of a field that must be there and is not.
    pub fn missing(&self, name: &str, what: &str) -> Error {
        let near = self.map.keys().find(|k| {
            !self.known.contains(&k.as_str()) && strsim::damerau_levenshtein(k, name) <= 2
        });
        let remedy = match near {
            Some(k) => format!("rename `{k}` to `{name}`"),
            None => format!("add `{name}`: {what}"),
        };
        self.fault(name, "missing", format!("{what} must stand here"), remedy)
    }

    fn wrong(&self, name: &str, found: &Value, what: &str) -> Error {
        self.fault(name, found, format!("must be {what}"), format!("write {what}"))
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        what: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(found) = self.value(name) else { return Ok(None) };
        convert(&found).map(Some).ok_or_else(|| self.wrong(name, &found, what))
    }

    /// A text, if the field is there.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        self.typed(name, "a text in quotes", |v| v.as_str().map(str::to_string))
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &'static str, what: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.missing(name, what))
    }

    /// A boolean, if the field is there.
    pub fn boolean(&mut self, name: &'static str) -> Result<Option<bool>> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A whole number, if the field is there. JSON writers that turn 3 into 3.0 are forgiven.
    pub fn integer(&mut self, name: &'static str) -> Result<Option<i64>> {
        self.typed(name, "a whole number", whole)
    }

    /// A whole number in a range (both ends included), if the field is there.
    pub fn integer_in(&mut self, name: &'static str, low: i64, high: i64) -> Result<Option<i64>> {
        let Some(found) = self.integer(name)? else { return Ok(None) };
        if (low..=high).contains(&found) {
            return Ok(Some(found));
        }
        let rule = format!("must be {low} to {high}");
        Err(self.fault(name, found, rule, "choose a number in that range"))
    }

    /// A finite number, if the field is there; whole numbers widen.
    pub fn number(&mut self, name: &'static str) -> Result<Option<f64>> {
        self.typed(name, "a finite number", Value::as_f64)
    }

    /// A list of values, if the field is there.
    pub fn list(&mut self, name: &'static str) -> Result<Option<Vec<Value>>> {
        self.typed(name, "a list", |v| v.as_array().cloned())
    }

    /// A list of texts, if the field is there.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let texts = list.iter().enumerate().map(|(i, v)| {
            v.as_str()
                .map(str::to_string)
                .ok_or_else(|| self.wrong(&format!("{name}[{i}]"), v, "a text in quotes"))
        });
        texts.collect::<Result<_>>().map(Some)
    }

    /// A sub-table, if the field is there.
    pub fn table(&mut self, name: &'static str) -> Result<Option<Self>> {
        let map = self.typed(name, "a table of fields", |v| v.as_object().cloned())?;
        Ok(map.map(|map| Self::new(&self.file, &self.path_of(name), map)))
    }

    /// A list of sub-tables; empty where the field is absent.
    pub fn tables(&mut self, name: &'static str) -> Result<Vec<Self>> {
        let list = self.list(name)?.unwrap_or_default();
        let tables = list.into_iter().enumerate().map(|(i, v)| {
            let place = format!("{name}[{i}]");
            match v {
                Value::Object(map) => Ok(Self::new(&self.file, &self.path_of(&place), map)),
                other => Err(self.wrong(&place, &other, "a table of fields")),
            }
        });
        tables.collect()
    }

    /// Refuses fields that nobody asked for.
    pub fn finish(self) -> Result<()> {
        let Some((name, value)) = self.map.iter().next() else { return Ok(()) };
        let remedy = suggest(name, self.known.iter().copied());
        Err(self.fault(name, value, "no such field is known here", remedy))
    }
}

/// Fields as a TOML document.
///
/// # Panics
/// Where a value is null, which TOML does not have.
pub fn to_toml(fields: &Map<String, Value>) -> String {
    toml::to_string(fields).expect("fields that TOML has")
}

/// A JSON number as a whole number, if it is one.
pub fn whole(value: &Value) -> Option<i64> {
    if let Some(n) = value.as_i64() {
        return Some(n);
    }
    let n = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53: exact")]
    (n.fract() == 0.0 && n.abs() < 9.0e15).then_some(n as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_refused_with_the_nearest_known_one() {
        let mut fields = Fields::from_toml("s.toml", "name = 'a'\nsumary = 'b'").unwrap();
        fields.text("name").unwrap();
        fields.text("summary").unwrap();
        let message = fields.finish().unwrap_err().to_string();
        assert_eq!(
            message,
            "s.toml: sumary = \"b\": no such field is known here; did you mean `summary`?"
        );
    }

    #[test]
    fn syntax_errors_name_the_line() {
        let message = Fields::from_toml("s.toml", "a = 1\nb = = 2").unwrap_err().to_string();
        assert!(message.starts_with("s.toml: line 2 = b = = 2: "), "{message}");
    }

    #[test]
    fn a_missing_field_looks_for_a_misspelt_one() {
        let mut fields = Fields::from_toml("s.toml", "nme = 'a'").unwrap();
        let message = fields.required_text("name", "the space's name").unwrap_err().to_string();
        assert!(message.ends_with("rename `nme` to `name`"), "{message}");
    }
}
