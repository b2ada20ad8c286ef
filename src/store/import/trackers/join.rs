//! Directories of event files that are one run together.
//!
//! `TensorBoard` shows a directory as a run; what wrote it often means several by one. Keras
//! writes `train` and `validation` below a run; Keras and others keep hyperparameters in a
//! directory and series below it; `add_hparams` of `PyTorch` keeps the series in a directory and
//! the hyperparameters in one below. Series of a directory below carry its name before theirs:
//! `validation/accuracy`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::gathered::Quirks;
use super::series::Run;

/// Directories that are parts of the run above.
const PARTS: [&str; 8] = ["train", "training", "validation", "val", "valid", "eval", "test", "dev"];

/// The directory above, and the last part. The root itself has none.
fn split(dir: &str) -> Option<(&str, &str)> {
    match dir.rsplit_once('/') {
        Some(parts) => Some(parts),
        None => (!dir.is_empty()).then_some(("", dir)),
    }
}

/// The directories from one up to the root, the nearest first.
fn upwards(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| split(dir).map(|(above, _)| above))
}

/// What a directory is called within another.
fn within<'a>(dir: &'a str, owner: &str) -> &'a str {
    dir.strip_prefix(owner).unwrap_or(dir).trim_start_matches('/')
}

/// Runs by their directories, put together.
pub(super) fn join(found: BTreeMap<String, Run>, quirks: &mut Quirks) -> Vec<Run> {
    let described: BTreeSet<String> = found
        .iter()
        .filter(|(_, run)| !run.config.is_empty())
        .map(|(dir, _)| dir.clone())
        .collect();
    let mut adopted: BTreeMap<String, String> = BTreeMap::new();
    for dir in &described {
        // Only one directory below describes the one above: two would be two trials.
        let Some((above, _)) = split(dir) else { continue };
        let has_series = found.get(above).is_some_and(|run| !run.series.is_empty());
        let alone = described.iter().filter(|other| split(other).is_some_and(|s| s.0 == above));
        if has_series && !described.contains(above) && alone.count() == 1 {
            adopted.insert(dir.clone(), above.to_string());
        }
    }
    let mut joined: BTreeMap<String, Run> = BTreeMap::new();
    for (dir, run) in found {
        let owner = match adopted.get(&dir) {
            Some(above) => above.clone(),
            None => owner(&dir, &described).to_string(),
        };
        let prefix = within(&dir, &owner).to_string();
        if prefix.is_empty() {
            let whole = joined.entry(owner).or_insert_with(|| Run::new(&dir));
            absorb(whole, run, "");
            continue;
        }
        let what = "directories below a run are parts of it, their names before their series'";
        quirks.count(what, || format!("`{dir}`"));
        let whole = joined.entry(owner.clone()).or_insert_with(|| Run::new(&owner));
        absorb(whole, run, &prefix);
    }
    let is_run = |run: &Run| !run.series.is_empty();
    joined.into_values().filter(is_run).collect()
}

/// The directory whose run a directory belongs to.
fn owner<'a>(dir: &'a str, described: &BTreeSet<String>) -> &'a str {
    if let Some(found) = upwards(dir).find(|dir| described.contains(*dir)) {
        return found;
    }
    match split(dir) {
        Some((above, last)) if PARTS.contains(&last) => above,
        _ => dir,
    }
}

fn absorb(whole: &mut Run, part: Run, prefix: &str) {
    for (name, points) in part.series {
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        whole.series.entry(name).or_default().extend(points);
    }
    whole.config.extend(part.config);
    whole.status = whole.status.or(part.status);
    whole.started = match (whole.started, part.started) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

#[cfg(test)]
mod tests {
    use super::super::super::cell::Held;
    use super::super::series::Point;
    use super::*;

    fn joined(dirs: &[(&str, bool, &str)]) -> Vec<(String, Vec<String>, usize)> {
        let mut found = BTreeMap::new();
        for (dir, is_described, series) in dirs {
            let mut run = Run::new(dir);
            if *is_described {
                run.config.insert("lr".into(), Held::Int(1));
            }
            for name in series.split_whitespace() {
                run.push(name, Point { step: 0.0, time: 0.0, value: 0.0 });
            }
            found.insert((*dir).to_string(), run);
        }
        let runs = join(found, &mut Quirks::default()).into_iter();
        let shown = |run: Run| (run.id, run.series.into_keys().collect(), run.config.len());
        runs.map(shown).collect()
    }

    #[test]
    fn parts_of_a_run_are_put_together() {
        // Keras, with hyperparameters and without.
        let found =
            joined(&[("a", true, ""), ("a/train", false, "x"), ("a/validation", false, "x")]);
        assert_eq!(found, [("a".into(), vec!["train/x".into(), "validation/x".into()], 1)]);
        let found = joined(&[("a/train", false, "x"), ("a/val", false, "x"), ("b", false, "x")]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1, ["train/x", "val/x"]);
        // PyTorch: hyperparameters below the series.
        let found = joined(&[("a", false, "x"), ("a/17", true, "hparam/x"), ("b", false, "x")]);
        assert_eq!(found[0], ("a".into(), vec!["17/hparam/x".into(), "x".into()], 1));
        assert_eq!(found[1], ("b".into(), vec!["x".into()], 0));
        // Two trials below a directory with a series of its own stay trials.
        let found = joined(&[("", false, "y"), ("1", true, "x"), ("2", true, "x")]);
        assert_eq!(found.len(), 3);
    }
}
