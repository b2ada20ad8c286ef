//! Finished tables that grow: to the bytes of the larger table, and never less than they were.

use std::fs;
use std::path::Path;

use curvebook::base::units::ConfigId;
use curvebook::store::table::{self, Header, TableWriter};
use curvebook::train::provenance::Shard;
use curvebook::train::record::TrainedConfig;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::table_common::{EPOCHS, check, epoch, header, load, made, table_files, trained};

fn wanted(configs: u32, repeats: u16) -> Header {
    Header { repeats, ..header(configs) }
}

/// The repeats from `from` on: those of the small table, and whole ones beyond.
fn recorded(id: u32, from: u16, to: u16) -> TrainedConfig {
    let mut all = trained(id);
    if !all.epochs.is_empty() {
        let further = (2..to).flat_map(|repeat| (1..=EPOCHS).map(move |e| epoch(id, repeat, e)));
        all.epochs.extend(further);
    }
    all.epochs.retain(|row| (from..to).contains(&row.repeat));
    if from > 0 {
        // What a part says of a configuration that the table has is not taken.
        all.config.setup_seconds = 99.0;
        all.config.val_confusion = vec![7];
    }
    all
}

/// Trains what is missing, or so many configurations of it.
fn go_on(writer: &mut TableWriter, header: &Header, most: usize) {
    let first = header.first_config.unwrap_or(0);
    let missing = (first..first + header.configs).filter(|id| !writer.is_done(ConfigId(*id)));
    let missing: Vec<u32> = missing.take(most).collect();
    for cohort in missing.chunks(70) {
        let from = |id| writer.curves_done(ConfigId(id));
        let cohort = cohort.iter().rev().map(|&id| recorded(id, from(id), header.repeats));
        writer.append(cohort.collect()).unwrap();
    }
}

fn write(dir: &Path, header: &Header) {
    let mut writer = TableWriter::create(dir, header.clone()).unwrap();
    go_on(&mut writer, header, usize::MAX);
    writer.finish().unwrap();
}

fn grow(dir: &Path, header: &Header) {
    let mut writer = TableWriter::resume(dir, header.clone()).unwrap();
    go_on(&mut writer, header, usize::MAX);
    writer.finish().unwrap();
}

fn json_of(dir: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(dir.join("table.json")).unwrap()).unwrap()
}

/// All bytes of a table.
fn bytes(dir: &Path) -> Vec<Vec<u8>> {
    table_files(dir).iter().map(|path| fs::read(path).unwrap()).collect()
}

#[track_caller]
fn assert_grown(grown: &Path, whole: &Path) {
    assert!(bytes(grown)[1..] == bytes(whole)[1..], "other Parquet files");
    let mut json = json_of(grown);
    assert!(json["provenance"].as_object_mut().unwrap().shift_remove("grown").is_some());
    assert_eq!(json, json_of(whole));
    assert_eq!(check(grown).unwrap().findings, []);
    assert_eq!(fs::read_dir(grown).unwrap().count(), 3, "nothing else is left");
}

#[test]
fn a_grown_table_is_the_table_that_was_larger_from_the_start() {
    let t = TempDir::new().unwrap();
    // More than one stride of the writer, and growth that begins amid one.
    for (configs, repeats) in [(600, 2), (300, 4), (530, 3), (301, 2)] {
        let [grown, whole] = ["grown", "whole"].map(|name| t.path().join(name));
        write(&whole, &wanted(configs, repeats));
        write(&grown, &wanted(300, 2));
        let mut later = wanted(configs, repeats);
        made(&mut later, |p| p["created"] = "2027-01-01T00:00:00Z".into());
        grow(&grown, &later);
        let said = json!([{"configs": 300, "repeats": 2, "created": "2027-01-01T00:00:00Z"}]);
        assert_eq!(json_of(&grown)["provenance"]["grown"], said);
        assert_grown(&grown, &whole);
        // Nothing more to do, and a second time.
        let before = bytes(&grown);
        grow(&grown, &later);
        assert!(bytes(&grown) == before);
        grow(&grown, &wanted(configs + 1, repeats + 1));
        assert_eq!(json_of(&grown)["provenance"]["grown"].as_array().unwrap().len(), 2);
        write(&t.path().join("larger"), &wanted(configs + 1, repeats + 1));
        assert_grown(&grown, &t.path().join("larger"));
        for name in ["grown", "whole", "larger"] {
            fs::remove_dir_all(t.path().join(name)).unwrap();
        }
    }
}

#[test]
fn a_growth_that_is_killed_leaves_the_table_as_it_was_and_goes_on() {
    let t = TempDir::new().unwrap();
    let [grown, whole] = ["grown", "whole"].map(|name| t.path().join(name));
    write(&whole, &wanted(90, 3));
    write(&grown, &wanted(40, 2));
    let before = bytes(&grown);
    // What nothing durable came of leaves nothing.
    drop(TableWriter::resume(&grown, wanted(90, 3)).unwrap());
    assert_eq!(fs::read_dir(&grown).unwrap().count(), 3);
    for (at, configs) in [70, 70, 90].into_iter().enumerate() {
        let mut writer = TableWriter::resume(&grown, wanted(configs, 3)).unwrap();
        assert_eq!((writer.grows_from(), writer.done_count()), (Some((40, 2)), at * 15));
        go_on(&mut writer, &wanted(configs, 3), 15);
        let locked = TableWriter::resume(&grown, wanted(40, 2)).unwrap_err().to_string();
        assert!(locked.contains("held by another process"), "{locked}");
        drop(writer);
        // Half of a part, and of the larger table.
        fs::create_dir(grown.join("parts/part-00007.partial")).unwrap();
        fs::create_dir_all(grown.join("parts/grown.partial")).unwrap();
        fs::write(grown.join("parts/grown.partial/table.json"), "{").unwrap();
        assert!(bytes(&grown) == before, "the finished table is what it was");
        assert_eq!(load(&grown).unwrap().rows(), 40);
        assert_eq!(check(&grown).unwrap().findings, []);
    }
    // Less than what has begun is refused, and so is to leave off silently.
    for (configs, repeats) in [(80, 3), (90, 4), (90, 2), (40, 2)] {
        let refused = TableWriter::resume(&grown, wanted(configs, repeats)).unwrap_err();
        let text = refused.to_string();
        let begun = "its growth to 90 configurations with 3 curves each has begun";
        assert!(text.contains(begun) && text.contains("to give it up"), "{text}");
    }
    grow(&grown, &wanted(90, 3));
    assert_grown(&grown, &whole);
}

#[test]
fn a_kill_while_the_files_change_places_leaves_one_table_or_the_other() {
    let t = TempDir::new().unwrap();
    let [old, new, grown] = ["old", "new", "grown"].map(|name| t.path().join(name));
    write(&old, &wanted(40, 2));
    write(&new, &wanted(40, 2));
    grow(&new, &wanted(60, 2));
    for placed in 0..=3 {
        fs::create_dir_all(grown.join("parts/grown")).unwrap();
        fs::create_dir(grown.join("parts/part-00000")).unwrap();
        fs::copy(new.join("table.json"), grown.join("parts/growth.json")).unwrap();
        // `table.json` is the last to change.
        let names = ["configs.parquet", "curves.parquet", "table.json"];
        for (at, name) in names.into_iter().enumerate() {
            fs::copy(new.join(name), grown.join("parts/grown").join(name)).unwrap();
            let from = if at < placed { &new } else { &old };
            fs::copy(from.join(name), grown.join(name)).unwrap();
        }
        if placed < 3 {
            fs::write(grown.join(format!("{}.partial", names[placed])), "half").unwrap();
        }
        assert_eq!(load(&grown).unwrap().rows(), 60, "{placed} in their places");
        assert_eq!(check(&grown).unwrap().findings, []);
        assert_eq!(crate::table_common::info(&grown).unwrap().configs, 60);
        grow(&grown, &wanted(60, 2));
        assert!(bytes(&grown) == bytes(&new), "{placed} in their places");
        assert_eq!(fs::read_dir(&grown).unwrap().count(), 3);
        fs::remove_dir_all(&grown).unwrap();
    }
}

#[test]
fn an_unfinished_table_takes_more_configurations_and_no_repeats() {
    let t = TempDir::new().unwrap();
    let [grown, whole] = ["grown", "whole"].map(|name| t.path().join(name));
    write(&whole, &wanted(50, 2));
    let mut writer = TableWriter::create(&grown, wanted(20, 2)).unwrap();
    go_on(&mut writer, &wanted(20, 2), 10);
    drop(writer);
    let refused = TableWriter::resume(&grown, wanted(20, 3)).unwrap_err().to_string();
    assert!(refused.contains("finish it first"), "{refused}");
    let mut writer = TableWriter::resume(&grown, wanted(50, 2)).unwrap();
    assert_eq!((writer.grows_from(), writer.done_count()), (None, 10));
    drop(writer);
    let refused = TableWriter::resume(&grown, wanted(20, 2)).unwrap_err().to_string();
    assert!(refused.contains("never shrinks"), "{refused}");
    writer = TableWriter::resume(&grown, wanted(50, 2)).unwrap();
    go_on(&mut writer, &wanted(50, 2), usize::MAX);
    writer.finish().unwrap();
    assert!(bytes(&grown) == bytes(&whole));
}

#[test]
fn nothing_grows_that_was_not_told_to() {
    let t = TempDir::new().unwrap();
    let dir = t.path().join("T");
    let same = |configs| TableWriter::resume_same(&dir, wanted(configs, 2));
    let refused = |configs, words: &str| {
        let text = same(configs).unwrap_err().to_string();
        assert!(text.contains(words) && text.contains("to let it grow"), "{text}");
    };
    let mut writer = same(20).unwrap();
    go_on(&mut writer, &wanted(20, 2), 10);
    drop(writer);
    refused(30, "configs = 30: training began with 20");
    let mut writer = same(20).unwrap();
    go_on(&mut writer, &wanted(20, 2), 10);
    writer.finish().unwrap();
    refused(30, "say --configs 20 to go on");
    let mut writer = TableWriter::resume(&dir, wanted(30, 2)).unwrap();
    go_on(&mut writer, &wanted(30, 2), 5);
    drop(writer);
    refused(40, "training began with 30");
    let mut writer = same(30).unwrap();
    go_on(&mut writer, &wanted(30, 2), 5);
    writer.finish().unwrap();
    assert_eq!(load(&dir).unwrap().rows(), 30);
}

#[test]
fn what_is_no_growth_is_refused_with_its_reason() {
    let t = TempDir::new().unwrap();
    let dir = t.path().join("T");
    write(&dir, &wanted(40, 2));
    let refused = |header: Header| {
        let before = bytes(&dir);
        let text = TableWriter::resume(&dir, header).unwrap_err().to_string();
        assert!(bytes(&dir) == before && !dir.join("parts").exists(), "{text}");
        text
    };
    let epochs = |epochs| Header { epochs, ..wanted(40, 2) };
    for (header, words) in [
        (epochs(EPOCHS + 1), ["epochs = 5: training began with 4", "state of a training is not"]),
        (epochs(EPOCHS - 1), ["epochs = 3: training began with 4", "and none is cut"]),
        (wanted(39, 2), ["configs = 39: training began with 40", "never shrinks"]),
        (wanted(40, 1), ["repeats = 1: training began with 2", "never shrinks"]),
        (wanted(80, 1), ["repeats = 1: training began with 2", "also configs = 80 (was 40)"]),
    ] {
        let text = refused(header);
        assert!(words.iter().all(|words| text.contains(words)), "{text}");
    }
    for (field, value, words) in [
        ("adapter", json!("another"), "curvebook table merge"),
        ("trained_at_once", json!(3), "with the same"),
        ("seed", json!(8), "resume with the same settings"),
        ("folds", json!(2), "resume with the same settings"),
    ] {
        let mut larger = wanted(80, 2);
        made(&mut larger, |p| p[field] = value);
        let text = refused(larger);
        let field = format!("provenance.{field}");
        assert!(text.contains(&field) && text.contains(words), "{text}");
    }
}

#[test]
fn a_table_that_was_damaged_does_not_grow() {
    let t = TempDir::new().unwrap();
    write(t.path(), &wanted(40, 2));
    let path = t.path().join("curves.parquet");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let refused = TableWriter::resume(t.path(), wanted(80, 2)).unwrap_err().to_string();
    assert!(refused.contains("the file has changed since"), "{refused}");
    assert!(!t.path().join("parts").exists());
}

#[test]
fn shards_grow_by_repeats_alone_and_merged_tables_as_if_trained_at_once() {
    let t = TempDir::new().unwrap();
    let path = |name: &str| t.path().join(name);
    let shard = |index: u32, all: u32, repeats: u16| {
        let shard = Shard { index, count: 2, configs: all };
        let ids = shard.ids();
        let mut header =
            Header { first_config: Some(ids.start), ..wanted(ids.end - ids.start, repeats) };
        made(&mut header, |p| p["shard"] = serde_json::to_value(shard).unwrap());
        header
    };
    for index in [0, 1] {
        write(&path(&format!("s{index}")), &shard(index, 80, 2));
        for all in [100, 60] {
            let larger = shard(index, all, 2);
            let text = TableWriter::resume(&path(&format!("s{index}")), larger).unwrap_err();
            assert!(text.to_string().contains("grows by repeats alone"), "{text}");
        }
        grow(&path(&format!("s{index}")), &shard(index, 80, 3));
    }
    table::merge(&[path("s1"), path("s0")], &path("merged")).unwrap();
    write(&path("whole"), &wanted(80, 3));
    assert!(bytes(&path("merged"))[1..] == bytes(&path("whole"))[1..]);
    grow(&path("merged"), &wanted(130, 4));
    write(&path("larger"), &wanted(130, 4));
    assert_grown(&path("merged"), &path("larger"));
    // A finished table is a piece of a larger one, too.
    let further = shard(1, 160, 3);
    write(&path("further"), &further);
    table::merge(&[path("whole"), path("further")], &path("both")).unwrap();
    write(&path("160"), &wanted(160, 3));
    assert!(bytes(&path("both"))[1..] == bytes(&path("160"))[1..]);
    // Seconds of several machines are in `shards`: this one would be a further one.
    let mut elsewhere = further;
    made(&mut elsewhere, |p| p["adapter"] = "another".into());
    fs::remove_dir_all(path("further")).unwrap();
    write(&path("further"), &elsewhere);
    table::merge(&[path("whole"), path("further")], &path("mixed")).unwrap();
    let refused = TableWriter::resume(&path("mixed"), wanted(170, 3)).unwrap_err().to_string();
    assert!(
        refused.contains("provenance.shards") && refused.contains("compare badly"),
        "{refused}"
    );
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay_what_they_were() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let t = TempDir::new().unwrap();
    let (dir, elsewhere) = (t.path().join("T"), t.path().join("curves-elsewhere"));
    write(&dir, &wanted(20, 2));
    fs::rename(dir.join("curves.parquet"), &elsewhere).unwrap();
    symlink(&elsewhere, dir.join("curves.parquet")).unwrap();
    fs::set_permissions(dir.join("table.json"), fs::Permissions::from_mode(0o640)).unwrap();
    grow(&dir, &wanted(30, 2));
    write(&t.path().join("whole"), &wanted(30, 2));
    assert_grown(&dir, &t.path().join("whole"));
    assert!(fs::symlink_metadata(dir.join("curves.parquet")).unwrap().is_symlink());
    let mode = fs::metadata(dir.join("table.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
