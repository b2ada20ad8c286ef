//! The thin chain through the program: train, check, replay, analyze, study; and a kill amid it.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::command_line::{done, program, run};

const SIZES: &str = "--train-size 100 --val-size 50 --test-size 50";

#[test]
fn from_training_to_the_answer_of_a_study() {
    let t = TempDir::new().unwrap();
    let train =
        format!("train --device cpu --space digits-lenet --configs 4 --epochs 2 {SIZES} --out T");
    assert!(done(t.path(), &train).contains("4 configurations"));
    assert!(done(t.path(), "table check T").contains("sound; 4 configurations, 8 epochs"));
    let replay = "replay --table T --goal rank:1 --goal top:0.5 --stopper none --stopper etr1";
    let files = "--repeats 6 --out runs.parquet --trace trace.parquet";
    let replayed = done(t.path(), &format!("{replay} {files}"));
    assert!(replayed.contains("6/6") && replayed.contains("baseline"), "{replayed}");
    assert_eq!(done(t.path(), "analyze runs.parquet"), replayed);
    // A trace is a recorded order; the first rule then sees the very runs that random search made.
    let again = "--sampler recorded:file=trace.parquet";
    let none = "replay --table T --goal rank:1 --repeats 6 --format json";
    assert_eq!(run(t.path(), &format!("{none} {again}")).code, Some(1), "two methods, one order");
    done(t.path(), &format!("{none} --trace one.parquet --out one-runs.parquet"));
    let again = "--sampler recorded:file=one.parquet --out again.parquet";
    done(t.path(), &format!("{none} {again}"));
    let times = |name: &str| columns(&t.path().join(name), |c| c == "time_to_goal_s");
    assert_eq!(times("one-runs.parquet"), times("again.parquet"));

    let study = "name = \"s\"\ntables = [\"T\"]\nstoppers = [\"none\", \"etr1\"]\n\
                 goals = [\"rank:1\", \"top:0.5\"]\nrepeats = 6\n";
    fs::write(t.path().join("s.toml"), study).unwrap();
    assert_eq!(done(t.path(), "study s.toml --out results --threads 2"), replayed);
    for name in ["runs.parquet", "trace.parquet"] {
        let bytes = |path: &Path| fs::read(path).unwrap();
        let (studied, first) = (t.path().join("results").join(name), t.path().join(name));
        assert_eq!(bytes(&studied), bytes(&first), "{name}");
    }
    assert_eq!(fs::read_to_string(t.path().join("results/study.toml")).unwrap(), study);
    let twice = run(t.path(), "study s.toml --out results");
    assert!(twice.stderr.contains("all runs are there already"), "{}", twice.stderr);
    assert_eq!((twice.code, twice.stdout), (Some(0), replayed));
}

/// Some columns of a Parquet file.
pub(crate) fn columns(path: &Path, wanted: impl Fn(&str) -> bool) -> RecordBatch {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let whole = concat_batches(&batches[0].schema(), &batches).unwrap();
    let fields = whole.schema();
    let at: Vec<usize> =
        (0..whole.num_columns()).filter(|&i| wanted(fields.field(i).name())).collect();
    assert!(!at.is_empty());
    whole.project(&at).unwrap()
}

#[test]
fn a_killed_training_goes_on_to_the_same_curves() {
    let t = TempDir::new().unwrap();
    let train = format!(
        "train --device cpu --space digits-lenet --configs 80 --epochs 2 {SIZES} --threads 1"
    );
    done(t.path(), &format!("{train} --out whole"));
    let arguments = format!("{train} --out killed");
    let mut child = program(t.path()).args(arguments.split(' ')).spawn().unwrap();
    // Kill it as soon as the first of three cohorts is kept.
    let parts = t.path().join("killed/parts");
    let is_kept = || {
        let entries = fs::read_dir(&parts).into_iter().flatten().flatten();
        let mut names = entries.map(|e| e.file_name().into_string().unwrap());
        names.any(|name| name.starts_with("part-") && !name.contains('.'))
    };
    while !is_kept() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it had ended before it was killed");
    assert!(!t.path().join("killed/table.json").exists());

    let refused = run(t.path(), "replay --table killed --goal rank:1");
    assert!(refused.code == Some(1) && refused.stderr.contains("--resume"), "{}", refused.stderr);
    let refused = run(t.path(), &arguments);
    assert!(refused.code == Some(1) && refused.stderr.contains("--resume"), "{}", refused.stderr);
    let other = run(t.path(), &format!("{arguments} --resume --seed 1"));
    assert_eq!(other.code, Some(1), "another seed is another table");
    let resumed = run(t.path(), &format!("{arguments} --resume"));
    assert!(resumed.stderr.contains("are there already"), "{}", resumed.stderr);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);

    assert!(done(t.path(), "table check killed").contains("sound; 80 configurations"));
    let measured = ["seconds", "eval_seconds", "setup_seconds"];
    for name in ["curves.parquet", "configs.parquet"] {
        let of = |table| columns(&t.path().join(table).join(name), |c| !measured.contains(&c));
        assert!(of("whole").num_columns() > 5);
        assert_eq!(of("whole"), of("killed"), "{name}");
    }
    assert!(!parts.exists(), "a finished table has no parts");
}
