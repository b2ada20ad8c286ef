//! Tables out of what other programs recorded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use curvebook::base::measured::is_measured;
use curvebook::base::space::{Domain, Value};
use curvebook::base::units::ConfigId;
use curvebook::store::table::{LoadOptions, Status, Table};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused, run};

/// What pandas read of a configuration.
#[derive(serde::Deserialize)]
struct Expected {
    values: BTreeMap<String, Json>,
    curve: Vec<Option<f64>>,
    seconds: Option<Vec<f64>>,
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import").join(name)
}

/// A text column of `configs.parquet`.
pub(crate) fn texts(table: &Path, column: &str) -> Vec<String> {
    let file = File::open(table.join("configs.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut found = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let array = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        found.extend((0..array.len()).map(|at| array.value(at).to_string()));
    }
    found
}

pub(crate) fn load(table: &Path) -> Table {
    let columns = vec!["seconds".to_string()];
    Table::load(table, &LoadOptions { columns, ..LoadOptions::default() }).unwrap()
}

/// A directory with some files.
fn with(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Imports; what was printed.
pub(crate) fn import(dir: &Path, arguments: &str) -> String {
    let said = done(dir, &format!("table import {arguments} --out T"));
    assert!(done(dir, "table check T").contains("sound"), "{said}");
    said
}

/// The first curve of a configuration.
fn curve(table: &Table, id: u32) -> Vec<Option<f64>> {
    let repeat = table.repeats(ConfigId(id)).next().unwrap();
    let values = table.curve(ConfigId(id), repeat).unwrap().values;
    values.iter().map(|value| is_measured(*value).then_some(*value)).collect()
}

pub(crate) fn seconds(table: &Table, id: u32) -> Vec<f64> {
    let repeat = table.repeats(ConfigId(id)).next().unwrap();
    table.column("seconds", ConfigId(id), repeat).unwrap().to_vec()
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 + 1e-12 * b.abs()
}

#[track_caller]
fn is_as_pandas_reads_it(table: &Path, source: &str, own_ids: bool) {
    let text = fs::read_to_string(golden("expected.json")).unwrap();
    let all: BTreeMap<String, BTreeMap<String, Expected>> = serde_json::from_str(&text).unwrap();
    let (expected, table_path, table) = (&all[source], table, load(table));
    let count = u32::try_from(table.rows()).unwrap();
    assert_eq!(expected.len(), count as usize);
    let ids = if own_ids {
        (0..count).map(|id| id.to_string()).collect()
    } else {
        texts(table_path, "source_id")
    };
    for (id, name) in (0..).zip(&ids) {
        let expected = &expected[name];
        assert_eq!(curve(&table, id).len(), expected.curve.len(), "{source} {name}");
        for (found, expected) in curve(&table, id).into_iter().zip(&expected.curve) {
            assert_eq!(found, *expected, "{source} {name}");
        }
        let charged = expected.seconds.iter().flatten();
        for (found, expected) in seconds(&table, id).into_iter().zip(charged) {
            assert!(is_near(found, *expected), "{source} {name}: {found} for {expected}");
        }
        let space = &table.manifest.space;
        for (name, expected) in &expected.values {
            let at = space.position(name).unwrap();
            let found = match (table.configs[id as usize][at], &space.parameters[at].domain) {
                (Value::Int(int), _) => Json::from(int as f64),
                (Value::Float(float), _) => Json::from(float),
                (Value::Choice(at), Domain::Categorical { choices }) => choices[at].clone().into(),
                _ => Json::Null,
            };
            let same = found == *expected || found.as_f64() == expected.as_f64();
            assert!(same, "{source}: {name} of {id} is {found}, not {expected}");
        }
    }
}

#[test]
fn a_csv_of_optuna_in_long_form_is_what_pandas_reads() {
    let dir = TempDir::new().unwrap();
    let source = golden("optuna_long.csv");
    let flags = "--metric accuracy --goal maximize --chance 0.1 --percent --id trial --epoch step \
                 --seconds clock --cumulative-seconds";
    let said = import(dir.path(), &format!("csv {} {flags}", source.display()));
    for part in [
        "epochs from 0 are numbered from 1",
        "column study is always dashboard",
        "curves that end early are truncated",
        "hyperparameter n_units_l1: 5 to",
        "conditional",
        "hyperparameter lr:",
        ", log",
    ] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    is_as_pandas_reads_it(&dir.path().join("T"), "optuna_long.csv", false);
    let table = load(&dir.path().join("T"));
    let conditional = table.manifest.space.parameters.iter().filter(|p| p.condition.is_some());
    assert_eq!(conditional.count(), 4);
    let provenance = table.manifest.provenance_field("import").unwrap();
    assert_eq!(provenance["source"], "optuna_long.csv");
    assert!(provenance["quirks"].as_array().unwrap().len() >= 3);
    let replay = "replay --table T --goal top:0.1 --sampler random --stopper median --repeats 3";
    assert!(done(dir.path(), &format!("{replay} --out runs.parquet")).contains("median"));
}

#[test]
fn recorded_curves_of_wandb_are_what_pandas_reads() {
    let dir = TempDir::new().unwrap();
    let source = golden("wandb_lists.jsonl");
    let flags = "--metric metric --goal maximize --id run --seconds-each 2.5";
    let said = import(dir.path(), &format!("jsonl {} {flags}", source.display()));
    assert!(said.contains("`configuration` numbers the configurations"), "{said}");
    is_as_pandas_reads_it(&dir.path().join("T"), "wandb_lists.jsonl", true);
}

#[test]
fn a_parquet_file_of_budgets_is_what_pandas_reads() {
    let dir = TempDir::new().unwrap();
    let mapping = "metric = \"metric:accuracy [0.0, 1.0] (maximize)\"\nmetric_name = \"accuracy\"\n\
                   goal = \"maximize\"\nid = \"config\"\nepoch = \"budget\"\nrank_epochs = true\n\
                   seconds = \"profile:trial:time:duration\"\n";
    fs::write(dir.path().join("m.toml"), mapping).unwrap();
    let source = golden("amltk.parquet");
    let said = import(dir.path(), &format!("parquet {} --mapping m.toml", source.display()));
    for part in ["kept in a column step", "missing between others are null", "created_at of"] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    is_as_pandas_reads_it(&dir.path().join("T"), "amltk.parquet", false);
}

/// Two configurations of three epochs, in every form.
const LONG: &str = "config_id,lr,epoch,acc,seconds\n0,0.1,1,0.2,1\n0,0.1,2,0.4,2\n0,0.1,3,0.5,3\n\
                    1,0.001,1,0.3,4\n1,0.001,2,,5\n1,0.001,3,NaN,6\n";

#[test]
fn every_form_gives_the_same_table() {
    let wide = "config_id,lr,acc_1,acc_2,acc_3,s_1,s_2,s_3\n0,0.1,0.2,0.4,0.5,1,2,3\n\
                1,0.001,0.3,NA,NaN,4,5,6\n";
    let lists = "{\"config_id\":0,\"h\":{\"lr\":0.1},\"acc\":[0.2,0.4,0.5],\"seconds\":[1,2,3]}\n\
                 {\"config_id\":1,\"h\":{\"lr\":0.001},\"acc\":[0.3,null,NaN],\
                 \"seconds\":[4,5,6]}\n";
    let dir = with(&[("long.csv", LONG), ("wide.csv", wide), ("lists.jsonl", lists)]);
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(LONG.as_bytes()).unwrap();
    fs::write(dir.path().join("long.csv.gz"), gz.finish().unwrap()).unwrap();
    let mut tables = Vec::new();
    for arguments in [
        "csv long.csv --metric acc",
        "csv long.csv.gz --metric acc",
        "csv wide.csv --metric acc_{epoch} --seconds s_{epoch}",
        "jsonl lists.jsonl --metric acc",
    ] {
        import(dir.path(), &format!("{arguments} --goal maximize"));
        let table = load(&dir.path().join("T"));
        assert_eq!(table.manifest.metric.name, "acc");
        assert_eq!(table.status, [Status::Ok, Status::Diverged]);
        tables.push(format!("{:?} {:?}", table.configs, [0, 1].map(|id| curve(&table, id))));
        // In wide form nothing is what a gap is: it costs what its neighbours do, 5 here, too.
        assert_eq!(seconds(&table, 1), [4.0, 5.0, 6.0]);
        fs::rename(dir.path().join("T"), dir.path().join(tables.len().to_string())).unwrap();
    }
    assert!(tables.iter().all(|table| *table == tables[0]), "{tables:?}");
    let bytes = |table: &str, file: &str| fs::read(dir.path().join(table).join(file)).unwrap();
    for file in ["configs.parquet", "curves.parquet"] {
        assert_eq!(bytes("1", file), bytes("2", file));
    }
}

#[test]
fn gaps_lengths_repeats_and_further_columns_are_told_apart() {
    // Repeats are seeds, and the second configuration lacks the first of them.
    let text = "run,seed,x,epoch,loss,clock,lr_now,note,final\n\
                a,7,1,1,0.9,1,0.1,p,u\na,7,1,4,0.6,7,0.05,q,u\na,9,1,1,0.8,2,0.1,p,u\n\
                b,9,2,1,inf,3,0.1,p,v\nb,9,2,2,0.5,3,0.1,p,v\n,9,2,3,0.4,9,0.1,p,v\n\
                c,7,3,1,0.7,,0.1,p,w\nc,7,3,2,0.7,4,0.1,p,w\n";
    let dir = with(&[("c.csv", text)]);
    let flags = "--metric loss --goal minimize --id run --repeat seed --seconds clock \
                 --cumulative-seconds --epochs 5 --drop final";
    let said = import(dir.path(), &format!("csv c.csv {flags}"));
    for part in [
        "3 configurations x 5 epochs x 2 repeats (3 truncated); 7 of 8 rows kept",
        "rows without a configuration's id are left out: 1 (first line 7)",
        "infinite values are NaN, as diverged ones: 1 (first line 5)",
        "NaN before a later number is null: training had not diverged: 1 (first line 5)",
        "column note varies and is no number",
        "repeats 7 to 9 are numbered from 0",
        "2 epochs missing between others are null",
    ] {
        assert!(said.contains(part), "`{part}` is missing: {said}");
    }
    let path = dir.path().join("T");
    let columns = ["seconds", "lr_now"].map(str::to_string).to_vec();
    let table = Table::load(&path, &LoadOptions { columns, ..LoadOptions::default() }).unwrap();
    assert_eq!(texts(&path, "source_id"), ["a", "b", "c"]);
    assert_eq!(curve(&table, 0), [Some(0.9), None, None, Some(0.6)]);
    assert_eq!(seconds(&table, 0), [1.0, 2.0, 2.0, 2.0]);
    // A clock that says nothing at first: what it says next is shared out.
    assert_eq!(seconds(&table, 2), [2.0, 2.0]);
    let repeats = |id| table.repeats(ConfigId(id)).collect::<Vec<_>>();
    assert_eq!([repeats(0), repeats(1), repeats(2)], [vec![0, 1], vec![1], vec![0]]);
    let rates = table.column("lr_now", ConfigId(0), 0).unwrap();
    assert!(rates[0] == 0.1 && rates[3] == 0.05 && rates[1].is_nan());
    assert_eq!(table.manifest.space.parameters.len(), 1, "{:?}", table.manifest.space);
}

#[test]
fn short_curves_may_be_complete_and_clocks_clipped() {
    let text = "config_id,x,epoch,acc,seconds\n0,1,0,0.1,3\n0,1,1,0.2,2\n1,2,0,0.3,1\n";
    let dir = with(&[("c.csv", text)]);
    let flags = "--metric acc --goal maximize --cumulative-seconds --clip-seconds --short-complete";
    let said = import(dir.path(), &format!("csv c.csv {flags}"));
    assert!(said.contains("time that runs backwards counts as none: 1 (first line 3)"), "{said}");
    let table = load(&dir.path().join("T"));
    assert_eq!(table.status, [Status::Ok, Status::Ok]);
    assert_eq!(table.last_epoch(ConfigId(1)), Some(1));
    assert_eq!(seconds(&table, 0), [3.0, 0.0]);
}

#[test]
fn a_space_that_is_given_keeps_its_ranges() {
    let mapping = "metric = \"acc\"\ngoal = \"maximize\"\n[[parameter]]\nname = \"lr\"\n\
                   type = \"float\"\nlow = 1e-5\nhigh = 1.0\nlog = true\n";
    let dir = with(&[("c.csv", LONG), ("m.toml", mapping)]);
    import(dir.path(), "csv c.csv --mapping m.toml");
    let table = load(&dir.path().join("T"));
    let domain = &table.manifest.space.parameters[0].domain;
    assert_eq!(*domain, Domain::Float { low: 1e-5, high: 1.0, log: true });
    fs::remove_dir_all(dir.path().join("T")).unwrap();
    fs::write(dir.path().join("m.toml"), mapping.replace("1e-5", "0.01")).unwrap();
    let parts = ["c.csv", "configuration 1, column lr", "0.001", "`lr` is 0.01 to 1", "mend"];
    refused(dir.path(), "table import csv c.csv --mapping m.toml --out T", parts);
}

#[test]
fn what_is_no_source_is_refused() {
    let dir = with(&[("c.csv", LONG), ("d.txt", "x"), ("half.json", "{\"acc\": [1,")]);
    let cut = |from: &str, to: &str, name: &str| {
        assert!(LONG.contains(from));
        fs::write(dir.path().join(name), LONG.replacen(from, to, 1)).unwrap();
    };
    cut("0,0.1,3,0.5,3\n", "0,0.1,2,0.5,3\n", "twice.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,3,0.5\n", "half.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,3,many,3\n", "word.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,3,120,3\n", "percent.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,-3,0.5,3\n", "minus.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,3,0.5,-3\n", "ago.csv");
    cut("0,0.1,3,0.5,3\n", "0,0.1,3,0.5,1.5\n", "back.csv");
    fs::write(dir.path().join("m.toml"), "metric = \"acc\"\ngaol = \"maximize\"\n").unwrap();
    fs::write(dir.path().join("cut.csv.gz"), [0x1f, 0x8b, 8, 0, 1]).unwrap();
    let csv = "csv c.csv --metric acc --goal maximize";
    let of = |file: &str| csv.replace("c.csv", file);
    for (arguments, parts) in [
        ("cvs c.csv".into(), ["import", "format", "cvs", "no such format", "`csv`"]),
        ("csv c.csv".into(), ["import", "metric", "missing", "", "metric"]),
        ("csv c.csv --metric acc".into(), ["import", "goal", "missing", "", "minimize"]),
        ("csv c.csv --mapping m.toml".into(), ["m.toml", "goal", "missing", "", "`gaol`"]),
        (format!("{csv} --mapping no.toml"), ["import", "--mapping", "no.toml", "", "path"]),
        (of("no.csv"), ["no.csv", "source", "No such file", "must exist", "path"]),
        (of("."), [".", "source", "a directory", "is a file", "path"]),
        (of("cut.csv.gz"), ["cut.csv.gz", "source", "", "whole", "whole"]),
        (csv.replace("acc", "ac"), ["c.csv", "column ac", "missing", "no such", "`acc`"]),
        (format!("{csv} --id run"), ["c.csv", "column run", "missing", "", "--id"]),
        (format!("{csv} --drop lt"), ["c.csv", "column lt", "missing", "", "--drop"]),
        (format!("{csv} --epochs 2"), ["import", "epochs", "2", "3 epochs", "greater"]),
        (of("twice.csv"), ["twice.csv", "line 3 and 4", "epoch 2", "stands once", "--repeat"]),
        (of("half.csv"), ["half.csv", "line 4", "4 cells", "5 cells", "restore"]),
        (of("word.csv"), ["word.csv", "line 4, column acc", "many", "a number", "mend"]),
        (of("minus.csv"), ["minus.csv", "line 4, epoch", "-3", "whole number", "--rank-epochs"]),
        (of("ago.csv"), ["ago.csv", "line 4, seconds", "-3", "0 to 3e9", "--clip-seconds"]),
        (
            format!("{} --cumulative-seconds", of("back.csv")),
            ["back.csv", "line 4, seconds", "1.5", "backwards: it was at 2", "--clip-seconds"],
        ),
        (
            format!("{} --percent", of("percent.csv")),
            ["percent.csv", "line 4, column acc", "120", "0 and 100", "--percent"],
        ),
        (
            "jsonl half.json --metric acc --goal maximize".into(),
            ["half.json", "line 1", "EOF", "must be JSON", "restore"],
        ),
        (
            "parquet c.csv --metric acc --goal maximize".into(),
            ["c.csv", "contents", "", "sound Parquet", "restore"],
        ),
    ] {
        refused(dir.path(), &format!("table import {arguments} --out T"), parts);
    }
    fs::create_dir(dir.path().join("full")).unwrap();
    fs::write(dir.path().join("full/kept"), "x").unwrap();
    let parts = ["full", "output directory", "holds kept", "new or empty", "another"];
    refused(dir.path(), &format!("table import {csv} --out full"), parts);
}

#[test]
fn an_import_is_told_as_json_too() {
    let dir = with(&[("c.csv", LONG)]);
    let text = done(
        dir.path(),
        "table import csv c.csv --metric acc --goal maximize --out T --format json",
    );
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!((json["configs"].as_u64(), json["rows_kept"].as_u64()), (Some(2), Some(6)));
    assert_eq!(json["parameters"]["lr"], "0.001 to 0.1, log");
    let ran = run(dir.path(), "table import csv c.csv --metric acc --goal maximize --out T");
    assert_eq!(ran.code, Some(1));
}
