//! Whether two runs of training would fill the same table.

use serde_json::{Map, Value as Json};

/// What may differ between the two halves of a resumed training: it changes no number.
const FREE: [&str; 3] = ["files", "provenance.created", "provenance.commit"];

/// One setting that is not the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Its path in `table.json`.
    pub(super) field: String,
    /// As it was when training began.
    pub(super) then: String,
    /// As it is now.
    pub(super) now: String,
}

/// The first setting that differs, in the order of the file.
pub(super) fn first_difference(
    then: &Map<String, Json>,
    now: &Map<String, Json>,
) -> Option<Difference> {
    differs("", &Json::Object(then.clone()), &Json::Object(now.clone()))
}

fn differs(path: &str, then: &Json, now: &Json) -> Option<Difference> {
    if FREE.contains(&path) {
        return None;
    }
    let missing = Json::Null;
    match (then, now) {
        (Json::Object(a), Json::Object(b)) => {
            let only_now = b.keys().filter(|k| !a.contains_key(*k));
            a.keys().chain(only_now).find_map(|key| {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                differs(&inner, a.get(key).unwrap_or(&missing), b.get(key).unwrap_or(&missing))
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| differs(&format!("{path}[{at}]"), a, b)),
        (a, b) if a == b => None,
        (a, b) => {
            let (field, then, now) = (path.to_string(), a.to_string(), b.to_string());
            Some(Difference { field, then, now })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compare(a: Json, b: Json) -> Option<String> {
        let (Json::Object(a), Json::Object(b)) = (a, b) else { unreachable!() };
        first_difference(&a, &b).map(|d| format!("{}: {} -> {}", d.field, d.then, d.now))
    }

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let a = json!({"epochs": 3, "space": {"parameters": [{"low": 1}, {"low": 2}]}});
        let b = json!({"epochs": 3, "space": {"parameters": [{"low": 1}, {"low": 4}]}});
        assert_eq!(compare(a.clone(), b).unwrap(), "space.parameters[1].low: 2 -> 4");
        let more = json!({"epochs": 3, "space": {"parameters": [{"low": 1}]}});
        assert!(compare(a.clone(), more).unwrap().starts_with("space.parameters: "));
        assert_eq!(compare(a.clone(), a), None);
    }

    #[test]
    fn when_it_was_made_does_not_count() {
        let a = json!({"provenance": {"created": "2026", "seed": 1}, "files": {}});
        let b = json!({"provenance": {"created": "2027", "seed": 1}});
        assert_eq!(compare(a, b), None);
    }
}
