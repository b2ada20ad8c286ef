//! Columns are declared once: files, readers and pages hold to the declarations, and a table takes
//! whatever columns its maker has.

use std::fs;
use std::path::Path;

use curvebook::base::space::{Direction, Domain, Metric, Parameter, Space, Value};
use curvebook::base::units::ConfigId;
use curvebook::store::Output;
use curvebook::store::columns::{ColumnSpec, Kind, Named, Row, markdown};
use curvebook::store::runs::{self, RunRow};
use curvebook::store::table::{
    self, Header, Layout, LoadOptions, Recorded, Status, Table, TableWriter, merge,
};
use curvebook::store::trace::{self, TraceRow};
use curvebook::train::record::{ConfigRecord, EpochRecord};

use crate::analysis::mixed_rows;
use crate::table_common::table_files;

/// The page with the columns of every file.
const PAGE: &str = "src/store/README.md";

#[test]
fn the_page_lists_the_columns_as_they_are_declared() {
    let page = fs::read_to_string(PAGE).unwrap();
    let declared = [
        ("runs.parquet", RunRow::columns()),
        ("trace.parquet", TraceRow::columns()),
        ("configs.parquet", ConfigRecord::columns()),
        ("curves.parquet", EpochRecord::columns()),
    ];
    for (file, columns) in declared {
        let (begin, end) = (format!("<!-- columns of {file} -->\n"), "<!-- end -->");
        let there = page.split_once(&begin).and_then(|(_, rest)| rest.split_once(end));
        let there = there.unwrap_or_else(|| panic!("{PAGE} has no {begin}"));
        let wanted = markdown(columns);
        assert!(there.0 == wanted, "{PAGE} is stale; between {begin} and {end} belongs\n{wanted}");
    }
}

#[test]
fn every_column_says_what_it_holds() {
    let all =
        [RunRow::columns(), TraceRow::columns(), ConfigRecord::columns(), EpochRecord::columns()];
    for column in all.into_iter().flatten() {
        let is_sentence = column.doc.ends_with(['.', '`', ')']) && !column.doc.contains('\n');
        assert!(is_sentence, "{}: {:?}", column.name, column.doc);
    }
}

#[test]
fn rows_of_runs_and_traces_are_read_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let (runs_path, trace_path) = (dir.path().join("runs.parquet"), dir.path().join("trace"));
    let mut rows = mixed_rows("none");
    rows[1].settings = "restart".into();
    (rows[2].selected_config, rows[2].selected_epoch) = (Some(u32::MAX - 1), Some(u16::MAX));
    let segment = TraceRow {
        run: 1,
        repeat: 2,
        segment: 3,
        trial: 4,
        config_id: 5,
        curve_repeat: u16::MAX,
        worker: 6,
        start_ns: 7,
        end_ns: u64::MAX,
        epoch_first: 8,
        epochs: 9,
        end_state: "stopped",
        value: Some(0.1),
        reported: None,
        snap_distance: Some(0.0),
        overhead_ns: 10,
    };
    let other = TraceRow { value: None, end_state: "cut", ..segment };
    let mut output = Output::create(Some(&runs_path), Some(&trace_path)).unwrap();
    output.write(&rows.iter().collect::<Vec<_>>(), &[segment, other]).unwrap();
    output.finish().unwrap();

    let mut read = Vec::new();
    runs::read(&runs_path, |record| {
        read.push(format!("{record:?}"));
        Ok(())
    })
    .unwrap();
    let written = rows.iter().map(|row| format!("{:?}", runs::Record::from(row)));
    assert_eq!(read, written.collect::<Vec<_>>());
    let mut read = Vec::new();
    trace::read(&trace_path, |record| {
        read.push(format!("{record:?}"));
        Ok(())
    })
    .unwrap();
    let written = [segment, other].map(|row| format!("{:?}", trace::TraceRecord::from(&row)));
    assert_eq!(read, written);

    // What is wrong is said of that file, and of who writes it.
    let refused = trace::read(&runs_path, |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("column segment = missing"), "{refused}");
    let refused = trace::read(&dir.path().join("none"), |_| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("`curvebook replay --trace` wrote"), "{refused}");
}

/// What a federated learner records: nothing of it is known to the store.
fn layout() -> Layout {
    let column = |name: &str, kind, doc: &str| ColumnSpec::named(name, kind, doc);
    let key = |name: &str| ColumnSpec { nullable: false, ..column(name, Kind::U16, "") };
    Layout {
        configs: vec![
            column("model_bytes", Kind::I64, "Bytes of the model that travels."),
            column("remark", Kind::Text, "Whatever."),
        ],
        curves: vec![
            column("party", Kind::Text, "Who trained."),
            key("repeat"),
            key("epoch"),
            column("f1", Kind::F64, "Over all parties.").at_most(1.0),
            column("seconds", Kind::F64, "Of the round."),
            column("round", Kind::I64, "Of communication."),
            column("bytes_sent", Kind::I64, "By all parties."),
            column("drift", Kind::F32, "Between the parties."),
            ColumnSpec { few_values: true, ..column("joined", Kind::F64, "Share of parties.") },
        ],
        maker: None,
    }
}

fn header(first: Option<u32>, configs: u32) -> Header {
    let domain = Domain::Int { low: 0, high: 9_999, log: false };
    let parameter = Parameter { name: "x".into(), domain, condition: None };
    let metric = Metric { name: "f1".into(), goal: Direction::Maximize, chance: None };
    Header {
        name: "federated".into(),
        metric,
        epochs: 3,
        repeats: 1,
        configs,
        first_config: first,
        space: Space::new("test", "parameter", "one".into(), vec![parameter]).unwrap(),
        layout: layout(),
        space_further: serde_json::Map::new(),
        provenance: None,
    }
}

/// Not measured: null. No number: NaN.
fn recorded(id: u32) -> Recorded {
    let base = f64::from(id % 50) / 100.0;
    let columns = Named::default().with("model_bytes", vec![i64::from(id) << 33]);
    let curves = Named::default()
        .with("repeat", vec![0_u16; 3])
        .with("epoch", vec![1_u16, 2, 3])
        .with("party", vec!["a", "b", "a"])
        .with("f1", vec![base, base + 0.1, base + 0.2])
        .with("seconds", vec![1.5; 3])
        .with("round", vec![Some(10_i64), None, Some(30)])
        .with("bytes_sent", vec![1_i64 << 40; 3])
        .with("drift", vec![Some(0.5), Some(f64::NAN), None])
        .with("joined", vec![0.25, 0.25, 0.5]);
    Recorded { config_id: ConfigId(id), values: vec![Value::Int(i64::from(id))], columns, curves }
}

fn write(dir: &Path, first: Option<u32>, configs: u32, cohort: usize) {
    let mut writer = TableWriter::create(dir, header(first, configs)).unwrap();
    let first = first.unwrap_or(0);
    let ids: Vec<u32> = (first..first + configs).collect();
    for ids in ids.chunks(cohort) {
        writer.append(ids.iter().copied().map(recorded).collect()).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_table_takes_whatever_columns_its_maker_names() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), None, 5, 2);
    assert_eq!(table::check(dir.path(), &layout(), None).unwrap().findings, []);
    let columns = ["drift", "bytes_sent", "round"].map(String::from).to_vec();
    let options = LoadOptions { columns, ..LoadOptions::default() };
    let table = Table::load(dir.path(), &options).unwrap();
    assert_eq!(table.manifest.provenance, None);
    assert_eq!(table.status, [Status::Ok; 5]);
    let curve = table.curve(ConfigId(4), 0).unwrap();
    assert_eq!(curve.values, [0.04, 0.04 + 0.1, 0.04 + 0.2]);
    let of = |name| table.column(name, ConfigId(4), 0);
    assert_eq!(of("bytes_sent"), Some(&[1_099_511_627_776.0; 3][..]));
    let (drift, round) = (of("drift").unwrap(), of("round").unwrap());
    assert!(drift[0] == 0.5 && drift[1].is_nan() && drift[2].is_nan());
    assert!(round[0] == 10.0 && round[1].is_nan());
    // Only what was asked for is kept, and only what is there can be asked for.
    assert_eq!((of("joined"), of("f1")), (None, None));
    let columns = vec!["rounds".to_string()];
    let options = LoadOptions { columns, ..LoadOptions::default() };
    let refused = Table::load(dir.path(), &options).unwrap_err().to_string();
    assert!(refused.contains("did you mean `round`?"), "{refused}");

    let info = table::info(dir.path(), &layout(), None).unwrap();
    let drift = info.curve_columns.iter().find(|column| column.name == "drift").unwrap();
    assert_eq!((&*drift.kind, drift.doc.as_deref()), ("Float32", Some("Between the parties.")));
    assert_eq!((info.config_columns.len(), info.provenance), (4, None));
    let unknown = table::info(dir.path(), &Layout::default(), None).unwrap();
    assert!(unknown.curve_columns.iter().all(|column| column.doc.is_none()));
}

#[test]
fn what_is_known_of_a_column_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TableWriter::create(dir.path(), header(None, 1)).unwrap();
    let mut wrong = recorded(0);
    wrong.curves = Named::default()
        .with("repeat", vec![0_u16; 3])
        .with("epoch", vec![1_u16, 2, 3])
        .with("f1", vec![0.5, 1.5, 0.5])
        .with("seconds", vec![1.0; 3]);
    writer.append(vec![wrong]).unwrap();
    writer.finish().unwrap();
    let check = |known: &Layout| table::check(dir.path(), known, None).unwrap().findings;
    let [finding] = &check(&layout())[..] else { panic!("one share is wrong") };
    assert!(finding.to_string().contains("column f1, row 1 = 1.5: must be between 0 and 1"));
    // Who does not know the name, or knows it of another maker's tables, has nothing to say.
    assert_eq!(check(&Layout::default()), []);
    assert_eq!(check(&Layout { maker: Some("federation"), ..layout() }), []);
}

#[test]
fn null_and_nan_stay_two_things_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), None, 1, 1);
    let file = fs::File::open(dir.path().join("curves.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let drift = batch.column_by_name("drift").unwrap();
    let drift: &arrow::array::Float32Array = arrow::array::AsArray::as_primitive(drift);
    let cells: Vec<Option<f32>> = drift.iter().collect();
    assert!(cells[1].unwrap().is_nan() && cells[2].is_none(), "{cells:?}");
}

#[test]
fn shards_with_columns_of_their_own_merge_into_the_bytes_of_the_whole() {
    let t = tempfile::tempdir().unwrap();
    let path = |name: &str| t.path().join(name);
    write(&path("whole"), None, 300, 50);
    write(&path("a"), Some(0), 120, 7);
    write(&path("b"), Some(120), 180, 64);
    let merged = merge(&[path("b"), path("a")], &path("merged")).unwrap();
    assert_eq!((merged.configs, merged.recorded_epochs, merged.differing.len()), (300, 900, 0));
    for (a, b) in table_files(&path("whole")).iter().zip(table_files(&path("merged"))) {
        assert!(fs::read(a).unwrap() == fs::read(&b).unwrap(), "{} differs", b.display());
    }
}

#[test]
#[should_panic(expected = "party_count of configuration 0 is Some(3.0), and the table has no such")]
fn a_column_that_the_layout_does_not_declare_is_a_bug() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TableWriter::create(dir.path(), header(None, 1)).unwrap();
    let mut wrong = recorded(0);
    wrong.columns = wrong.columns.with("party_count", vec![3_i64]);
    let _ = writer.append(vec![wrong]);
}

#[test]
#[should_panic(expected = "f1 of configuration 0 must not be missing")]
fn a_column_that_may_not_be_null_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut header = header(None, 1);
    for column in &mut header.layout.curves {
        column.nullable &= column.name != "f1";
    }
    let mut writer = TableWriter::create(dir.path(), header).unwrap();
    let mut wrong = recorded(0);
    wrong.curves = Named::default()
        .with("repeat", vec![0_u16])
        .with("epoch", vec![1_u16])
        .with("seconds", vec![1.0]);
    let _ = writer.append(vec![wrong]);
}
