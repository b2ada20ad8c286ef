//! Whether two runs of training fill the same table.

use std::path::Path;

use base::error::{Error, Result, fault};
use serde_json::{Map, Value as Json};

/// The field of `provenance` that lists what a table was before each growth, and when that began.
pub(super) const GROWN: &str = "grown";

/// What may differ between the two halves of a resumed training beside [`PROVENANCE`]'s free
/// fields.
const FREE_ON_RESUME: [&str; 1] = ["files"];

/// What may differ between the shards of a table, beside [`PROVENANCE`]'s fields: their ranges.
const FREE_ON_MERGE: [&str; 3] = ["configs", "first_config", "files"];

/// What resuming and merging do with a field of `provenance`. Those that are not listed, whatever
/// a program calls them, must be the same in both halves of a training and in all shards.
struct Rule {
    field: &'static str,
    /// Whether a resumed training may say something else: it changes no number.
    free_on_resume: bool,
    on_merge: OnMerge,
}

/// What a merged table says where its shards do not agree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMerge {
    /// Nothing: it is about one shard.
    Dropped,
    /// The earliest, as RFC 3339.
    Earliest,
    /// What the first shard says, and in `provenance.shards` what each says: seconds compare less
    /// well across such shards.
    Noted,
}

/// The fields with rules of their own, in the order in which merged tables note them.
const PROVENANCE: [Rule; 8] = [
    Rule { field: "adapter", free_on_resume: false, on_merge: OnMerge::Noted },
    Rule { field: "driver", free_on_resume: false, on_merge: OnMerge::Noted },
    Rule { field: "tiles", free_on_resume: true, on_merge: OnMerge::Noted },
    Rule { field: "trained_at_once", free_on_resume: false, on_merge: OnMerge::Noted },
    Rule { field: "commit", free_on_resume: true, on_merge: OnMerge::Noted },
    Rule { field: "created", free_on_resume: true, on_merge: OnMerge::Earliest },
    Rule { field: "shard", free_on_resume: false, on_merge: OnMerge::Dropped },
    Rule { field: GROWN, free_on_resume: true, on_merge: OnMerge::Noted },
];

/// Fields of `provenance` that a resumed training may say differently.
pub(super) fn free_on_resume() -> impl Iterator<Item = &'static str> {
    of_provenance(|rule| rule.free_on_resume)
}

fn of_provenance(which: impl Fn(&Rule) -> bool) -> impl Iterator<Item = &'static str> {
    PROVENANCE.iter().filter(move |rule| which(rule)).map(|rule| rule.field)
}

/// Fields of `provenance` that a merged table notes shard by shard.
pub(super) fn noted_on_merge() -> impl Iterator<Item = &'static str> {
    of_provenance(|rule| rule.on_merge == OnMerge::Noted)
}

/// Fields of `provenance` of which a merged table has the earliest.
pub(super) fn earliest_on_merge() -> impl Iterator<Item = &'static str> {
    of_provenance(|rule| rule.on_merge == OnMerge::Earliest)
}

/// Fields of `provenance` that a merged table does not have.
pub(super) fn dropped_on_merge() -> impl Iterator<Item = &'static str> {
    of_provenance(|rule| rule.on_merge == OnMerge::Dropped)
}

/// Every setting that differs between the two halves of a training and may not.
pub(super) fn differences_on_resume(
    then: &Map<String, Json>,
    now: &Map<String, Json>,
) -> Vec<Difference> {
    let free = free_on_resume().map(provenance_path);
    let free: Vec<String> = FREE_ON_RESUME.map(String::from).into_iter().chain(free).collect();
    differences(then, now, &free)
}

/// Every setting that differs between two shards and may not.
pub(super) fn differences_on_merge(
    then: &Map<String, Json>,
    now: &Map<String, Json>,
) -> Vec<Difference> {
    let free = of_provenance(|_| true).map(provenance_path);
    let free: Vec<String> = FREE_ON_MERGE.map(String::from).into_iter().chain(free).collect();
    differences(then, now, &free)
}

/// Whether a difference is more of the same table: further configurations, further repeats.
pub(super) fn is_more(difference: &Difference, now: &Map<String, Json>) -> bool {
    // Ids of a shard depend on the number of configurations of the whole.
    let is_shard = now.contains_key("first_config");
    let numbers = (difference.then.parse::<u64>(), difference.now.parse::<u64>());
    let is_larger = matches!(numbers, (Ok(then), Ok(now)) if now > then);
    is_larger && (difference.field == "repeats" || difference.field == "configs" && !is_shard)
}

/// Whether a finished table has to grow to be what is asked for: by more configurations, more
/// repeats, or both.
///
/// # Errors
/// The first of the differences that are not growth, with the others, and why a table cannot grow
/// that way.
pub(super) fn growth(
    source: &Path,
    then: &Map<String, Json>,
    now: &Map<String, Json>,
) -> Result<bool> {
    let mut found = differences_on_resume(then, now);
    let Some(refused) = found.iter().position(|difference| !is_more(difference, now)) else {
        return Ok(!found.is_empty());
    };
    found[..=refused].rotate_right(1);
    Err(refusal(source, &found, now, true))
}

/// The refusal of the first of some differences between a training and its first process.
/// `is_finished`: whether its table is.
pub(super) fn refusal(
    source: &Path,
    found: &[Difference],
    now: &Map<String, Json>,
    is_finished: bool,
) -> Error {
    let Difference { field, then, now: asked } = &found[0];
    let others = others(found);
    let (why, remedy) = match why_not(&found[0], now) {
        _ if !is_finished && is_more(&found[0], now) => {
            ("what is unfinished does not grow by repeats", "finish it first, as it began")
        }
        reason => reason,
    };
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let rule = format!("training began with {then}{others}{why}");
    fault(source.display(), field, asked, rule, remedy)
}

/// Why a table does not become one that differs in this, and what to do instead.
fn why_not(difference: &Difference, now: &Map<String, Json>) -> (&'static str, &'static str) {
    let is_shard = now.contains_key("first_config");
    match difference.field.as_str() {
        "epochs" => (
            "the state of a training is not kept, so that no curve goes on after its last epoch, \
             and none is cut",
            "train another directory with so many epochs: all of it begins anew",
        ),
        "configs" | "first_config" | "provenance.shard" | "provenance.shard.configs"
            if is_shard || difference.field != "configs" =>
        {
            (
                "which configurations a shard holds follows from their number, and it grows by \
                 repeats alone",
                "let the merged table grow, or train the further configurations as a shard of the \
                 larger table and merge them all",
            )
        }
        "configs" | "repeats" => (
            "a table grows and never shrinks",
            "ask for as many, or train the smaller table in another directory",
        ),
        "provenance.adapter"
        | "provenance.driver"
        | "provenance.trained_at_once"
        | "provenance.shards" => (
            "seconds of different machines, or of another number of threads, compare badly",
            "train with the same, or the further configurations as a shard (--shard i/n) in \
             another directory: `curvebook table merge` puts both together and notes where they \
             differ",
        ),
        _ => ("", "resume with the same settings, or begin anew in another directory"),
    }
}

/// The path of a field in `table.json`.
pub(super) fn provenance_path(field: &str) -> String {
    format!("provenance.{field}")
}

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
fn differences(
    then: &Map<String, Json>,
    now: &Map<String, Json>,
    free: &[String],
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

fn compare(path: &str, then: &Json, now: &Json, free: &[String], found: &mut Vec<Difference>) {
    if free.iter().any(|free| free == path) {
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
        let found = differences_on_resume(&a, &b);
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
