//! Whether two runs of training fill the same table.

use serde_json::{Map, Value as Json};

/// What may differ between the two halves of a resumed training: it changes no number.
pub(super) const FREE_ON_RESUME: [&str; 4] =
    ["files", "provenance.created", "provenance.commit", "provenance.tiles"];

/// What may differ between the shards of a table: their ranges, and where and when each was
/// trained. Those of the machine are noted in the merged table.
pub(super) const FREE_ON_MERGE: [&str; 10] = [
    "configs",
    "first_config",
    "files",
    "provenance.created",
    "provenance.shard",
    "provenance.commit",
    "provenance.adapter",
    "provenance.driver",
    "provenance.tiles",
    "provenance.trained_at_once",
];

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

/// Every setting that differs, in the order of the file, but for those that `free` names by their
/// paths.
pub(super) fn differences(
    then: &Map<String, Json>,
    now: &Map<String, Json>,
    free: &[&str],
) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", &Json::Object(then.clone()), &Json::Object(now.clone()), free, &mut found);
    found
}

/// All but the first, as a part of a sentence about it.
pub(super) fn others(differences: &[Difference]) -> String {
    let also = differences.iter().skip(1);
    let also: Vec<String> =
        also.map(|d| format!("{} = {} (was {})", d.field, d.now, d.then)).collect();
    if also.is_empty() { String::new() } else { format!("; also {}", also.join(", ")) }
}

fn compare(path: &str, then: &Json, now: &Json, free: &[&str], found: &mut Vec<Difference>) {
    if free.contains(&path) {
        return;
    }
    let missing = Json::Null;
    match (then, now) {
        (Json::Object(a), Json::Object(b)) => {
            let only_now = b.keys().filter(|k| !a.contains_key(*k));
            for key in a.keys().chain(only_now) {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let (a, b) = (a.get(key).unwrap_or(&missing), b.get(key).unwrap_or(&missing));
                compare(&inner, a, b, free, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, free, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let (field, then, now) = (path.to_string(), a.to_string(), b.to_string());
            found.push(Difference { field, then, now });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differs(a: Json, b: Json) -> Vec<String> {
        let (Json::Object(a), Json::Object(b)) = (a, b) else { unreachable!() };
        let found = differences(&a, &b, &FREE_ON_RESUME);
        found.iter().map(|d| format!("{}: {} -> {}", d.field, d.then, d.now)).collect()
    }

    #[test]
    fn every_difference_is_named_by_its_path() {
        let a = json!({"epochs": 3, "space": {"parameters": [{"low": 1}, {"low": 2}]}});
        let b = json!({"epochs": 5, "space": {"parameters": [{"low": 1}, {"low": 4}]}, "new": 1});
        let known = ["epochs: 3 -> 5", "space.parameters[1].low: 2 -> 4", "new: null -> 1"];
        assert_eq!(differs(a.clone(), b), known);
        let more = json!({"epochs": 3, "space": {"parameters": [{"low": 1}]}});
        assert!(differs(a.clone(), more)[0].starts_with("space.parameters: "));
        assert!(differs(a.clone(), a).is_empty());
    }

    #[test]
    fn when_it_was_made_does_not_count() {
        let a = json!({"provenance": {"created": "2026", "seed": 1}, "files": {}});
        let b = json!({"provenance": {"created": "2027", "seed": 1}});
        assert!(differs(a, b).is_empty());
    }
}
