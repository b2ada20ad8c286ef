//! Shards become the table that they are pieces of, or are refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use curvebook::base::error::Error;
use curvebook::store::table::{Header, TableWriter, merge};
use curvebook::train::provenance::Shard;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::table_common::{
    Columns, check, header, info, load, load_fault, made, table_files, trained, write_foreign,
    write_table,
};

/// More than one chunk of 256, with cuts beside and inside of chunks.
const CONFIGS: u32 = 600;
const CUTS: [(&str, u32, u32); 3] = [("a", 0, 101), ("b", 101, 431), ("c", 431, CONFIGS)];

/// Trains `first..end` of [`CONFIGS`] as a shard, in cohorts of its own.
fn shard(dir: &Path, first: u32, end: u32, change: impl FnOnce(&mut Header)) {
    let mut header = header(end - first);
    header.first_config = Some(first);
    let shard = Shard { index: 0, count: 3, configs: CONFIGS };
    made(&mut header, |provenance| provenance["shard"] = json!(shard));
    change(&mut header);
    let mut writer = TableWriter::create(dir, header).unwrap();
    for start in (first..end).step_by(37) {
        writer.append((start..end.min(start + 37)).map(trained).collect()).unwrap();
    }
    writer.finish().unwrap();
}

/// A directory with the three shards.
fn with_shards() -> TempDir {
    let t = TempDir::new().unwrap();
    for (name, first, end) in CUTS {
        shard(&t.path().join(name), first, end, |_| {});
    }
    t
}

fn names(t: &TempDir, names: &str) -> Vec<PathBuf> {
    names.split(' ').map(|name| t.path().join(name)).collect()
}

fn bytes(dir: &Path) -> [Vec<u8>; 3] {
    table_files(dir).map(|path| fs::read(path).unwrap())
}

/// What the merge is refused with; nothing may stay behind.
#[track_caller]
fn refused(t: &TempDir, shards: &str) -> String {
    let out = t.path().join("out");
    let Err(Error::Input(fault)) = merge(&names(t, shards), &out) else {
        panic!("{shards} must not merge")
    };
    assert!(!out.exists(), "{fault}");
    fault.to_string()
}

#[test]
fn shards_in_any_order_give_the_bytes_of_the_whole() {
    let t = with_shards();
    let whole = t.path().join("whole");
    write_table(&whole, CONFIGS, 50);
    for (nth, order) in ["a b c", "a c b", "b a c", "b c a", "c a b", "c b a"].iter().enumerate() {
        let out = t.path().join(format!("merged-{nth}"));
        let merged = merge(&names(&t, order), &out).unwrap();
        assert_eq!((merged.configs, merged.differing.len()), (CONFIGS, 0));
        assert_eq!(bytes(&out), bytes(&whole), "{order}");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "nothing else is left");
        assert_eq!(load(&out).unwrap().recorded_epochs() as u64, merged.recorded_epochs);
    }
    assert!(check(&t.path().join("merged-0")).unwrap().is_sound());
    assert!(load_fault(&t.path().join("b")).rule.contains("only a merged table replays"));
}

#[test]
fn a_cut_covers_every_configuration_once() {
    for (count, configs) in [(1, 1), (3, 10), (7, 7), (11, 65_536)] {
        let shards = (0..count).map(|index| Shard { index, count, configs }.ids());
        let ids: Vec<u32> = shards.flatten().collect();
        assert!(ids.into_iter().eq(0..configs), "{count} of {configs}");
    }
}

#[test]
fn ranges_that_overlap_or_leave_something_out_are_refused() {
    let t = with_shards();
    let text = refused(&t, "a c");
    assert!(text.contains("configurations 101 to 430 are in no shard"), "{text}");
    let text = refused(&t, "c b");
    assert!(text.contains("configurations 0 to 100 are in no shard"), "{text}");
    let text = refused(&t, "b a");
    assert!(text.contains("configurations 431 to 599 are in no shard"), "{text}");
    let text = refused(&t, "a b b c");
    assert!(text.contains("ranges must not overlap"), "{text}");
    shard(&t.path().join("wide"), 100, 431, |_| {});
    let text = refused(&t, "a wide c");
    assert!(text.contains("= 100 to 430") && text.contains("ends with 100"), "{text}");
    assert!(refused(&t, "a nowhere").contains("nowhere"));
}

#[test]
fn what_does_not_belong_together_is_refused_and_every_difference_named() {
    type Change = fn(&mut Header);
    let changes: [(&str, Change); 14] = [
        ("provenance.backend", |h| made(h, |p| p["backend"] = json!("gpu"))),
        ("provenance.precision", |h| made(h, |p| p["precision"] = json!("f16"))),
        ("provenance.seconds_measured", |h| made(h, |p| p["seconds_measured"] = json!("GPU time"))),
        ("provenance.seed", |h| made(h, |p| p["seed"] = json!(8))),
        ("provenance.sobol_seed", |h| made(h, |p| p["sobol_seed"] = json!(1))),
        ("provenance.space_hash", |h| made(h, |p| p["space_hash"] = json!("01"))),
        ("provenance.dataset_hash", |h| made(h, |p| p["dataset_hash"] = json!("12"))),
        ("provenance.split.validation", |h| made(h, |p| p["split"]["validation"] = json!(51))),
        ("provenance.folds", |h| made(h, |p| p["folds"] = json!(2))),
        ("provenance.crate_version", |h| made(h, |p| p["crate_version"] = json!("0.2.0"))),
        ("epochs", |h| h.epochs += 1),
        ("repeats", |h| h.repeats += 1),
        ("name", |h| h.name = "other".into()),
        ("metric.chance", |h| h.metric.chance = None),
    ];
    let t = TempDir::new().unwrap();
    // Ids whose curves no epoch is missing of: any number of epochs in the header will do.
    shard(&t.path().join("a"), 0, 6, |_| {});
    for (nth, (field, change)) in changes.into_iter().enumerate() {
        let name = format!("b{nth}");
        let mut header = header(1);
        header.first_config = Some(6);
        change(&mut header);
        let mut writer = TableWriter::create(&t.path().join(&name), header).unwrap();
        // Configuration 6 failed: it has no curve.
        writer.append(vec![trained(6)]).unwrap();
        writer.finish().unwrap();
        let text = refused(&t, &format!("a {name}"));
        assert!(text.contains(&format!("{name}/table.json: {field} = ")), "{text}");
    }
    shard(&t.path().join("two"), 6, CONFIGS, |h| {
        made(h, |p| p["backend"] = json!("gpu"));
        made(h, |p| p["seed"] = json!(9));
    });
    let text = refused(&t, "two a");
    assert!(text.contains("two/table.json: provenance.seed = 9: "), "{text}");
    assert!(text.contains(r#"also provenance.backend = "gpu" (was "cpu")"#), "{text}");
}

#[test]
fn shards_of_other_machines_are_noted_one_by_one() {
    let t = with_shards();
    shard(&t.path().join("b2"), 101, 431, |h| {
        made(h, |p| p["adapter"] = json!("another processor"));
        made(h, |p| p["trained_at_once"] = json!(64));
        made(h, |p| p["created"] = json!("2025-12-31T00:00:00Z"));
    });
    let out = t.path().join("out");
    let merged = merge(&names(&t, "c b2 a"), &out).unwrap();
    assert_eq!(merged.differing, ["provenance.adapter", "provenance.trained_at_once"]);
    let text = fs::read_to_string(out.join("table.json")).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    let provenance = &json["provenance"];
    assert_eq!(provenance["created"], "2025-12-31T00:00:00Z", "the earliest");
    let shards = provenance["shards"].as_array().unwrap();
    let adapters: Vec<_> = shards.iter().map(|s| s["adapter"].as_str().unwrap()).collect();
    assert_eq!(adapters, ["a processor", "another processor", "a processor"]);
    assert_eq!(shards[1]["first_config"], 101);
    assert_eq!(shards[1]["trained_at_once"], 64);
    assert!(provenance.get("shard").is_none() && json.get("first_config").is_none());
    assert!(check(&out).unwrap().is_sound());
}

#[test]
fn damaged_shards_are_refused() {
    let t = with_shards();
    let path = t.path().join("b/curves.parquet");
    let mut damaged = fs::read(&path).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert!(refused(&t, "a b c").contains("the file has changed since"));
}

#[test]
fn a_merge_that_was_killed_is_started_over_and_nothing_else_is_overwritten() {
    let t = with_shards();
    let out = t.path().join("out");
    fs::create_dir_all(out.join("parts")).unwrap();
    for left in ["parts/merging", "parts/lock", "configs.parquet", "curves.parquet.partial"] {
        fs::write(out.join(left), b"half").unwrap();
    }
    merge(&names(&t, "a b c"), &out).unwrap();
    assert!(check(&out).unwrap().is_sound());
    let before = bytes(&out);
    let again = merge(&names(&t, "a b c"), &out).unwrap_err().to_string();
    assert!(again.contains("a finished table is never overwritten"), "{again}");
    // Killed between the last rename and the tidying up.
    fs::create_dir_all(out.join("parts")).unwrap();
    fs::write(out.join("parts/merging"), b"").unwrap();
    let again = merge(&names(&t, "a b c"), &out).unwrap_err().to_string();
    assert!(again.contains("a finished table is never overwritten"), "{again}");
    assert!(bytes(&out) == before && check(&out).unwrap().is_sound());
    let occupied = t.path().join("mine");
    fs::create_dir(&occupied).unwrap();
    fs::write(occupied.join("thesis.tex"), b"...").unwrap();
    let text = merge(&names(&t, "a b c"), &occupied).unwrap_err().to_string();
    assert!(text.contains("holds thesis.tex"), "{text}");
}

/// A shard of another program: ids in any order, types and columns of its own.
fn foreign(dir: &Path, first: i64, metric: &'static str) {
    let json = format!(
        r#"{{"format": "curvebook-table", "version": 1, "name": "f", "first_config": {first},
            "metric": {{"name": "error", "goal": "minimize"}}, "epochs": 2, "repeats": 1,
            "configs": 2, "space": {{"name": "s", "parameters": [
            {{"name": "x", "type": "int", "low": 0, "high": 9}}]}}}}"#
    );
    let ints = |values: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let configs: Columns = vec![
        ("x", ints(&[first + 1, first])),
        ("config_id", ints(&[first + 1, first])),
        ("note", Arc::new(StringArray::from(vec!["late", "early"]))),
    ];
    let numbers = |scale: f64| -> ArrayRef {
        let values = [1.0, 0.5, 0.75, 0.25].map(|v| v * scale + first as f64);
        Arc::new(Float64Array::from(values.to_vec()))
    };
    let curves: Columns = vec![
        ("config_id", ints(&[first, first, first + 1, first + 1])),
        ("repeat", ints(&[0; 4])),
        ("epoch", ints(&[1, 2, 1, 2])),
        (metric, numbers(1.0)),
        ("seconds", numbers(2.0)),
    ];
    fs::create_dir(dir).unwrap();
    write_foreign(dir, &json, configs, curves);
}

#[test]
fn shards_of_other_programs_keep_all_their_columns() {
    let t = TempDir::new().unwrap();
    foreign(&t.path().join("low"), 0, "error");
    foreign(&t.path().join("high"), 2, "error");
    let out = t.path().join("out");
    merge(&names(&t, "high low"), &out).unwrap();
    assert_eq!(check(&out).unwrap().findings, []);
    let table = load(&out).unwrap();
    let last = table.curve(curvebook::base::units::ConfigId(3), 0).unwrap();
    assert_eq!(
        (last.values, last.cost_ns),
        (&[2.75, 2.25][..], &[3_500_000_000, 2_500_000_000][..])
    );
    let columns = info(&out).unwrap().config_columns;
    assert_eq!(
        columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["x", "config_id", "note"]
    );
    fs::remove_dir_all(&out).unwrap();
    foreign(&t.path().join("other"), 2, "mistakes");
    let text = refused(&t, "low other");
    assert!(text.contains("other/curves.parquet: columns") && text.contains("mistakes"), "{text}");
}
