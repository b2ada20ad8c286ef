//! What tables of other programs are full of: gaps, curves and repeats of unlike length, durations,
//! rounded bounds, and numbers that are not what they seem.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DurationMillisecondArray, DurationNanosecondArray, DurationSecondArray, Float64Array,
    Int64Array, RecordBatch, TimestampMillisecondArray,
};
use curvebook::app::pools::{CurveRepeat, TableOptions};
use curvebook::base::measured::is_measured;
use curvebook::base::rng::Stream;
use curvebook::base::space::{Domain, Value};
use curvebook::base::units::ConfigId;
use curvebook::methods::interface::State;
use curvebook::replay::{Settings, ValueMode};
use curvebook::store::table::{Doubt, Status, merge};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use rand::RngExt;
use tempfile::TempDir;

use crate::command_line::run;
use crate::replay_common::{grid, run_grid};
use crate::table_common::{Columns, check, info, load, load_fault, write_columns, write_foreign};

/// A row of curves: configuration, repeat, epoch, accuracy, seconds.
type Row = (i64, i64, i64, Option<f64>, f64);

/// A table of a hyperparameter `x` from 0 to 1.
struct Outside {
    metric: &'static str,
    epochs: u16,
    repeats: u16,
    rows: Vec<Row>,
    seconds: Option<ArrayRef>,
    last_epoch: Option<ArrayRef>,
}

impl Outside {
    /// One repeat of each curve, a second an epoch.
    fn of(curves: &[&[Option<f64>]]) -> Self {
        let row = |(id, curve): (i64, &&[Option<f64>])| -> Vec<Row> {
            (1..).zip(*curve).map(|(epoch, y)| (id, 0, epoch, *y, 1.0)).collect()
        };
        Self {
            metric: r#"{"name": "accuracy", "goal": "maximize", "chance": 0.1}"#,
            epochs: curves.iter().map(|curve| curve.len()).max().unwrap() as u16,
            repeats: 1,
            rows: (0..).zip(curves).flat_map(row).collect(),
            seconds: None,
            last_epoch: None,
        }
    }

    fn write(&self, dir: &Path) {
        let configs = self.rows.last().unwrap().0 + 1;
        let json = format!(
            r#"{{"format": "curvebook-table", "version": 1, "name": "outside",
            "metric": {}, "epochs": {}, "repeats": {}, "configs": {configs},
            "space": {{"name": "s", "parameters": [
              {{"name": "x", "type": "float", "low": 0, "high": 1}}]}}}}"#,
            self.metric, self.epochs, self.repeats
        );
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..configs));
        let x: ArrayRef = Arc::new(Float64Array::from(vec![0.5; configs as usize]));
        let last = self.last_epoch.iter().map(|last| ("last_epoch", last.clone()));
        let configs: Columns = [("config_id", ids), ("x", x)].into_iter().chain(last).collect();
        write_foreign(dir, &json, configs, self.curves());
    }

    fn curves(&self) -> Columns {
        let key = |get: fn(&Row) -> i64| -> ArrayRef {
            Arc::new(self.rows.iter().map(|row| Some(get(row))).collect::<Int64Array>())
        };
        let accuracy = self.rows.iter().map(|row| row.3).collect::<Float64Array>();
        let seconds = self.rows.iter().map(|row| Some(row.4)).collect::<Float64Array>();
        vec![
            ("config_id", key(|row| row.0)),
            ("repeat", key(|row| row.1)),
            ("epoch", key(|row| row.2)),
            ("accuracy", Arc::new(accuracy)),
            ("seconds", self.seconds.clone().unwrap_or_else(|| Arc::new(seconds))),
        ]
    }

    /// Writes it into a new directory, where a check must find it sound.
    fn sound(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        self.write(dir.path());
        assert_eq!(check(dir.path()).unwrap().findings, []);
        dir
    }

    fn doubts(&self) -> Vec<Doubt> {
        let dir = self.sound();
        let found = check(dir.path()).unwrap().doubts;
        assert_eq!(info(dir.path()).unwrap().warnings, found);
        found
    }
}

const NULL: Option<f64> = None;

/// How every configuration ends under a rule, by id: state, epochs, value.
fn ends(dir: &Path, stopper: &str, value: ValueMode) -> Vec<(State, u16, f64)> {
    let pool = TableOptions::default().load(dir).unwrap();
    let settings = Settings { value, ..Settings::default() };
    let runs = run_grid(&grid("random", &[stopper], &["9"], 1, &settings), &pool, 1).unwrap();
    let mut segments = runs[0].segments.clone();
    segments.sort_unstable_by_key(|segment| segment.config);
    segments.iter().map(|s| (s.end_state, s.epochs.0, s.value)).collect()
}

#[test]
fn a_gap_is_no_divergence_and_the_last_measured_epoch_counts() {
    let gap: &[_] = &[Some(0.2), Some(0.3), NULL, Some(0.5), Some(0.4), NULL];
    let lost: &[_] = &[Some(0.2), Some(0.3), NULL, Some(0.5), Some(f64::NAN), NULL];
    let nothing: &[_] = &[NULL; 6];
    let dir = Outside::of(&[gap, lost, nothing]).sound();
    let table = load(dir.path()).unwrap();
    assert_eq!(table.status, [Status::Ok, Status::Diverged, Status::Ok]);
    let values = table.curve(ConfigId(1), 0).unwrap().values;
    let measured: Vec<bool> = values.iter().map(|v| is_measured(*v)).collect();
    assert_eq!(measured, [true, true, false, true, true, false]);
    let info = info(dir.path()).unwrap();
    assert!((info.diverged_share - 1.0 / 3.0).abs() < 1e-12 && info.best_value == Some(0.5));
    assert_eq!(info.last_values.map(|q| (q.min, q.max)), Some((0.4, 0.4)));
    let completed = |value| (State::Completed, 6, value);
    let best = ends(dir.path(), "etr1:tau=3", ValueMode::Best);
    assert_eq!(best[..2], [completed(0.5), completed(0.5)]);
    assert!(best[2].0 == State::Completed && best[2].2.is_nan(), "nothing stops what nobody saw");
    let last = ends(dir.path(), "none", ValueMode::Final);
    assert_eq!(last[0], completed(0.4));
    assert!(last[1].2.is_nan() && last[2].2.is_nan());
}

#[test]
fn a_shorter_curve_is_complete_at_its_own_last_epoch() {
    let long: &[_] = &[Some(0.1), Some(0.2), Some(0.3), Some(0.4)];
    let mut outside = Outside::of(&[long, &[Some(0.6), Some(0.8)], &[Some(0.3)]]);
    // pandas makes floats of whole numbers as soon as one is missing.
    let last = Float64Array::from(vec![None, Some(2.0), Some(2.0)]);
    outside.last_epoch = Some(Arc::new(last));
    let dir = outside.sound();
    let table = load(dir.path()).unwrap();
    assert_eq!(table.status, [Status::Ok, Status::Ok, Status::Truncated]);
    let own = [0, 1, 2].map(|id| table.last_epoch(ConfigId(id)));
    assert_eq!(own, [None, Some(2), Some(2)]);
    let found = ends(dir.path(), "etr2", ValueMode::Best);
    // Whichever of the two complete ones comes first, the short one is never stopped: 0.6 at its
    // first epoch is above any bar. The third breaks off, or is stopped by the short one's bar.
    assert_eq!(found[1], (State::Completed, 2, 0.8));
    assert!(found[2].0 != State::Completed);
    let none = ends(dir.path(), "none", ValueMode::Final);
    let wanted = [(State::Completed, 4, 0.4), (State::Completed, 2, 0.8), (State::Failed, 1, 0.3)];
    assert_eq!(none, wanted);

    let refused = [
        (vec![None, Some(1.0), None], "curves.parquet", "2 epochs", "complete at 1"),
        (vec![Some(5.0), None, None], "configs.parquet", "5", "an epoch from 1 to 4"),
        (vec![Some(1.5), None, None], "configs.parquet", "1.5", "an epoch from 1 to 4"),
    ];
    for (last, file, value, rule) in refused {
        outside.last_epoch = Some(Arc::new(Float64Array::from(last)));
        outside.write(dir.path());
        let fault = load_fault(dir.path());
        assert!(fault.file.ends_with(file) && fault.value == value, "{fault}");
        assert!(fault.rule.contains(rule), "{fault}");
    }
}

#[test]
fn repeats_may_be_ragged_and_a_missing_one_is_named() {
    let mut outside = Outside::of(&[&[Some(0.1), Some(0.2), Some(0.3)]]);
    outside.repeats = 3;
    let row = |id, repeat, epoch| (id, repeat, epoch, Some(0.25), 1.0);
    outside.rows = vec![
        row(0, 0, 1),
        row(0, 1, 1),
        row(0, 1, 2),
        row(0, 1, 3),
        row(1, 1, 1),
        row(1, 1, 2),
        row(1, 1, 3),
        row(1, 2, 1),
    ];
    let dir = outside.sound();
    let table = load(dir.path()).unwrap();
    assert_eq!(table.status, [Status::Ok; 2]);
    assert_eq!(table.repeats(ConfigId(1)).collect::<Vec<_>>(), [1, 2]);
    let load =
        |curve_repeat| TableOptions { curve_repeat, ..TableOptions::default() }.load(dir.path());
    load(CurveRepeat::Draw).unwrap();
    load(CurveRepeat::Fixed(1)).unwrap();
    let refused = load(CurveRepeat::Fixed(0)).unwrap_err().to_string();
    let wanted = "configuration 1 of table `outside` has 1, 2";
    assert!(refused.starts_with("--curve-repeat: repeat = 0: ") && refused.contains(wanted));
    assert!(load(CurveRepeat::Fixed(2)).unwrap_err().to_string().contains("configuration 0"));
}

#[test]
fn durations_are_converted_and_points_in_time_refused() {
    let curve: &[_] = &[Some(0.1), Some(0.2)];
    let units: [(ArrayRef, u64); 3] = [
        (Arc::new(DurationSecondArray::from(vec![2, 3])), 2_000_000_000),
        (Arc::new(DurationMillisecondArray::from(vec![1500, 3])), 1_500_000_000),
        (Arc::new(DurationNanosecondArray::from(vec![7, 3])), 7),
    ];
    for (seconds, first_ns) in units {
        let mut outside = Outside::of(&[curve]);
        outside.seconds = Some(seconds);
        let table = load(outside.sound().path()).unwrap();
        assert_eq!(table.curve(ConfigId(0), 0).unwrap().cost_ns[0], first_ns);
    }
    // Merged, they are seconds: the new file has Parquet's types alone.
    let mut outside = Outside::of(&[curve]);
    outside.seconds = Some(Arc::new(DurationMillisecondArray::from(vec![1500, 3])));
    let shard = outside.sound();
    let path = shard.path().join("table.json");
    let json = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, json.replace("\"configs\": 1", "\"configs\": 1, \"first_config\": 0"))
        .unwrap();
    let out = TempDir::new().unwrap();
    merge(&[shard.path().to_path_buf()], &out.path().join("T")).unwrap();
    let merged = load(&out.path().join("T")).unwrap();
    assert_eq!(merged.curve(ConfigId(0), 0).unwrap().cost_ns, [1_500_000_000, 3_000_000]);

    let mut outside = Outside::of(&[curve]);
    outside.seconds = Some(Arc::new(TimestampMillisecondArray::from(vec![1, 2])));
    let dir = TempDir::new().unwrap();
    outside.write(dir.path());
    let fault = load_fault(dir.path());
    assert_eq!(fault.field, "column seconds");
    assert!(fault.value.starts_with("Timestamp") && fault.rule.contains("points in time"));
}

#[test]
fn an_index_that_pandas_only_described_is_named() {
    let dir = Outside::of(&[&[Some(0.1)]]).sound();
    let x: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let batch = RecordBatch::try_from_iter([("x", x)]).unwrap();
    let index = r#"{"index_columns": [{"kind": "range", "name": "config_id", "start": 0}]}"#;
    let pandas = KeyValue::new("pandas".into(), index.to_string());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![pandas])).build();
    let file = std::fs::File::create(dir.path().join("configs.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let fault = load_fault(dir.path());
    assert_eq!((fault.field.as_str(), fault.value.as_str()), ("column config_id", "missing"));
    assert!(fault.remedy.contains("reset_index()"), "{fault}");
}

/// Bounds of any size, as JSON writes them: a value at a bound is in, and so is one that 32 bits
/// moved over it; one beyond that slack is out.
#[test]
fn a_bound_that_is_written_is_the_bound_that_is_read() {
    let mut stream = Stream::new(0, 0, "bounds");
    for _ in 0..60 {
        let mut number = || 10_f64.powf(stream.random_range(-30.0..30.0));
        let (a, b) = (number(), number());
        let (low, high) = (a.min(b), a.max(b));
        let narrow = [low, high].map(|v| f64::from(v as f32));
        let x = vec![low, high, narrow[0], narrow[1]];
        let rows = (0..4).map(|id| (id, 0, 1, Some(0.25), 1.0)).collect();
        let outside = Outside { rows, ..Outside::of(&[&[Some(0.5)]]) };
        let dir = outside.sound();
        let path = dir.path().join("table.json");
        let json = std::fs::read_to_string(&path).unwrap();
        let bounds = serde_json::json!({ "low": low, "high": high }).to_string();
        let bounds = bounds.trim_matches(['{', '}']);
        let json = json.replace(r#""low": 0, "high": 1"#, bounds);
        std::fs::write(&path, json).unwrap();
        let write = |x: Vec<f64>| {
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..4));
            let x: ArrayRef = Arc::new(Float64Array::from(x));
            write_columns(&dir.path().join("configs.parquet"), vec![("config_id", ids), ("x", x)]);
        };
        write(x);
        let table = load(dir.path()).unwrap();
        let Domain::Float { low: l, high: h, .. } = table.manifest.space.parameters[0].domain
        else {
            panic!("a float")
        };
        assert_eq!((l.to_bits(), h.to_bits()), (low.to_bits(), high.to_bits()));
        assert_eq!(table.configs[..2], [[Value::Float(low)], [Value::Float(high)]]);
        write(vec![low, high, low * (1.0 - 2e-7), high]);
        assert_eq!(load_fault(dir.path()).field, "column x, row 2 (config_id 2)");
    }
}

/// Every finite number comes back to the bit through JSON, TOML and the command line, however it is
/// written.
#[test]
fn a_number_that_is_written_is_the_number_that_is_read() {
    let mut stream = Stream::new(0, 0, "numbers");
    let mut numbers =
        vec![0.1, 1.0 / 3.0, 5e-324, f64::MAX, f64::MIN_POSITIVE, 0.316_227_766_016_837_9];
    numbers.extend((0..20_000).map(|_| f64::from_bits(stream.random())));
    for number in numbers.into_iter().filter(|number| number.is_finite()) {
        let ours = serde_json::to_string(&number).unwrap();
        let texts =
            [ours, format!("{number:e}"), format!("{number:.17e}"), format!("{number:.40e}")];
        for text in texts {
            let json: f64 = serde_json::from_str(&text).unwrap();
            assert_eq!(json.to_bits(), number.to_bits(), "{text} in JSON");
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value.as_f64().map(f64::to_bits), Some(number.to_bits()), "{text} in JSON");
            let word: f64 = text.parse().unwrap();
            assert_eq!(word.to_bits(), number.to_bits(), "{text} on the command line");
            let file = format!("x = {text}");
            let table: toml::Table = file.parse().unwrap();
            let found = table["x"].as_float().unwrap();
            assert_eq!(found.to_bits(), number.to_bits(), "{text} in TOML");
        }
    }
}

/// Ten curves of five epochs: a value and a cost for each configuration and epoch.
fn ten(y: impl Fn(f64, f64) -> f64, seconds: impl Fn(f64, f64) -> f64) -> Outside {
    let epochs = |id: i64| (1..=5).map(move |epoch| (id, epoch));
    let row = |(id, epoch): (i64, i64)| {
        let (i, e) = (id as f64, epoch as f64);
        (id, 0, epoch, Some(y(i, e)), seconds(i, e))
    };
    let rows = (0..10).flat_map(epochs).map(row).collect();
    Outside { rows, epochs: 5, ..Outside::of(&[&[Some(0.5)]]) }
}

#[test]
fn numbers_that_are_not_what_they_seem_are_doubted() {
    let accuracy = |i: f64, e: f64| 0.15 + 0.01 * i + 0.02 * e;
    let steady = |i: f64, _: f64| 10.0 + 0.25 * i;
    assert_eq!(ten(accuracy, steady).doubts(), []);
    // Noise, and epochs that grow dearer by a little, are no clock.
    assert_eq!(ten(accuracy, |i, e| 10.0 + (i * 7.3 + e * 3.1).sin()).doubts(), []);
    assert_eq!(ten(accuracy, |_, e| 10.0 + 0.1 * e).doubts(), []);

    let one = |outside: &Outside| {
        let found = outside.doubts();
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].field.clone(), found[0].sign.clone(), found[0].rows)
    };
    let (field, sign, rows) = one(&ten(accuracy, |i, e| steady(i, e) * e));
    assert!(field == "column seconds" && sign.contains("cumulative") && rows == 10);
    let (_, sign, _) = one(&ten(accuracy, |_, e| 60.5 - 10.0 * e));
    assert!(sign.contains("time that is left"), "{sign}");
    let (_, sign, _) = one(&ten(accuracy, |i, _| 4000.0 + 13.0 * i));
    assert!(sign.contains("milliseconds"), "{sign}");
    let (field, sign, rows) = one(&ten(|i, e| 100.0 * accuracy(i, e), steady));
    assert!(field == "column accuracy" && sign.contains("percent") && rows == 10, "{sign}");
    let padded = |i: f64, e: f64| if e > 3.0 && i > 3.0 { f64::NAN } else { accuracy(i, e) };
    let (_, sign, rows) = one(&ten(padded, steady));
    assert!(sign.contains("padding") && rows == 6, "{sign} {rows}");
    // What falls and is NaN then has diverged.
    let diverged = |i: f64, e: f64| match () {
        () if i > 3.0 && e > 3.0 => f64::NAN,
        () if i > 3.0 && e > 2.0 => 0.1,
        () => accuracy(i, e),
    };
    assert_eq!(ten(diverged, steady).doubts(), []);

    let mut percent = ten(|i, e| 100.0 * accuracy(i, e), steady);
    percent.metric = r#"{"name": "accuracy", "goal": "maximize", "chance": 10}"#;
    assert_eq!(percent.doubts(), [], "percent throughout");
    let mut odd = ten(accuracy, steady);
    odd.metric = percent.metric;
    assert_eq!(one(&odd).0, "metric.chance");
}

#[test]
fn the_program_warns_and_checks_what_it_charges() {
    let clock = ten(|i, e| 0.15 + 0.01 * i + 0.02 * e, |_, e| 10.0 * e);
    let t = TempDir::new().unwrap();
    let dir = t.path().join("T");
    std::fs::create_dir(&dir).unwrap();
    clock.write(&dir);
    let checked = run(t.path(), "table check T");
    assert!(checked.code == Some(0) && checked.stdout.contains("warning: column seconds: rises"));
    assert!(run(t.path(), "table info T").stdout.contains("warning: column seconds: rises"));
    let replay = "replay --table T --goal rank:1 --repeats 2";
    let replayed = run(t.path(), replay);
    assert!(replayed.code == Some(0) && replayed.stderr.contains("looks cumulative"));

    // Without `seconds`, a table is checked by the column that a replay charges.
    let mut columns = clock.curves();
    columns[4].0 = "train_time";
    write_columns(&dir.join("curves.parquet"), columns);
    for (arguments, code) in [("", 1), (" --cost train_time", 0)] {
        assert_eq!(run(t.path(), &format!("table check T{arguments}")).code, Some(code));
        assert_eq!(run(t.path(), &format!("table info T{arguments}")).code, Some(code));
        assert_eq!(run(t.path(), &format!("{replay}{arguments}")).code, Some(code));
    }
}
