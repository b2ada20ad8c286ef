//! Blocks of rows, constraints, other metrics and objectives in a replay: held against tables that
//! are cut by hand, and against what a second reader works out of the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Field, Schema};
use curvebook::app::pools::{Filter, Objective, TableOptions, parse_rows};
use curvebook::app::runs::RunRecord;
use curvebook::replay::{Grid, Pool, Settings, ValueMode};
use curvebook::store::trace::TraceRow;
use parquet::arrow::ArrowWriter;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused, run};
use crate::replay_common::{grid, numbers, read_parquet, run_grid, words};
use crate::table_common::write_table;

/// With rows that fail at once, that diverge, and that end early.
const ROWS: u32 = 60;
const SPACE: [&str; 4] = ["filters", "learning_rate", "optimizer", "momentum"];

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), ROWS, 16);
    t
}

/// The table of some configurations of another, numbered anew: what a hand would cut out of it.
fn cut(from: &Path, to: &Path, keep: &[i64]) {
    fs::create_dir(to).unwrap();
    let text = fs::read_to_string(from.join("table.json")).unwrap();
    let mut json: Json = serde_json::from_str(&text).unwrap();
    json["configs"] = keep.len().into();
    json.as_object_mut().unwrap().remove("files");
    fs::write(to.join("table.json"), json.to_string()).unwrap();
    for name in ["configs.parquet", "curves.parquet"] {
        let batch = read_parquet(&from.join(name));
        let ids: Vec<i64> =
            numbers(&batch, "config_id").iter().map(|id| id.unwrap() as i64).collect();
        let mask: BooleanArray = ids.iter().map(|id| Some(keep.contains(id))).collect();
        let batch = filter_record_batch(&batch, &mask).unwrap();
        let new = ids.iter().filter_map(|id| keep.iter().position(|kept| kept == id));
        let new: ArrayRef =
            Arc::new(new.map(|at| i64::try_from(at).unwrap()).collect::<Int64Array>());
        let schema = batch.schema();
        let column = |(at, field): (usize, &Arc<Field>)| {
            let is_id = field.name() == "config_id";
            let column = if is_id { &new } else { batch.column(at) };
            cast(column, field.data_type()).unwrap()
        };
        let columns = schema.fields().iter().enumerate().map(column).collect();
        let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
        let file = fs::File::create(to.join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema, None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
}

fn of_where(text: &str) -> TableOptions {
    let filter = Some(Filter::parse("--where", text).unwrap());
    TableOptions { filter, ..TableOptions::default() }
}

fn of_rows(text: &str) -> TableOptions {
    let rows = Some(parse_rows("--rows", text).unwrap());
    TableOptions { rows, ..TableOptions::default() }
}

fn of_metric(text: &str) -> TableOptions {
    let objective = Some(Objective::column("--metric", text).unwrap());
    TableOptions { objective, ..TableOptions::default() }
}

fn of_objective(text: &str) -> TableOptions {
    let objective = Some(Objective::expression("--objective", text).unwrap());
    TableOptions { objective, ..TableOptions::default() }
}

/// Grids that ask for most of what a pool has: points, orders, ranks, chance.
fn grids() -> Vec<Grid> {
    let settings = Settings { workers: 2, charge_setup: true, ..Settings::default() };
    ["random", "sobol", "rf-ei", "tpe"]
        .map(|sampler| {
            grid(sampler, &["none", "etr1", "etr2"], &["rank:2", "top:0.2"], 4, &settings)
        })
        .into()
}

/// Runs but for what names the table and its rows, and their traces with ids as `id` has them.
fn told(pool: &Pool, runs: &[RunRecord], id: impl Fn(u32) -> u32) -> String {
    let mut text = String::new();
    for run in runs {
        for row in &run.rows {
            let mut row = row.clone();
            row.selected_config = row.selected_config.map(&id);
            (row.settings, row.table_hash) = (String::new(), String::new());
            writeln!(text, "{row:?}").unwrap();
        }
        let trace = run.trace(pool).map(|row| TraceRow { config_id: id(row.config_id), ..row });
        writeln!(text, "{:?}", trace.collect::<Vec<_>>()).unwrap();
    }
    text
}

/// What is replayed of a table is what is replayed of one that is cut by hand.
#[track_caller]
fn same_as_cut(t: &TempDir, options: &TableOptions, keep: &[i64], setting: &str) {
    let hand = t.path().join(format!("hand-{}", keep[0]));
    cut(&t.path().join("T"), &hand, keep);
    let pool = options.load(&t.path().join("T")).unwrap();
    let by_hand = TableOptions::default().load(&hand).unwrap();
    assert_eq!(pool.rows() as usize, keep.len());
    for grid in grids() {
        let runs = run_grid(&grid, &pool, 2).unwrap();
        let wanted = run_grid(&grid, &by_hand, 1).unwrap();
        assert!(runs[0].rows[0].settings.starts_with(setting), "{}", runs[0].rows[0].settings);
        let shifted = told(&by_hand, &wanted, |id| keep[id as usize] as u32);
        assert!(told(&pool, &runs, |id| id) == shifted, "{setting}");
    }
}

#[test]
fn a_block_is_the_table_that_a_hand_would_cut() {
    let t = with_table();
    let block: Vec<i64> = (17..41).collect();
    same_as_cut(&t, &of_rows("17..41"), &block, "rows=17..41");
    let beginning: Vec<i64> = (0..20).collect();
    same_as_cut(&t, &of_rows("0..20"), &beginning, "rows=0..20");
}

/// Whether a condition holds of the row with a number.
type Holds<'a> = &'a dyn Fn(usize) -> bool;

#[test]
fn a_constraint_is_the_table_without_the_rows_that_break_it() {
    let t = with_table();
    let configs = read_parquet(&t.path().join("T/configs.parquet"));
    let (filters, rates) = (numbers(&configs, "filters"), numbers(&configs, "learning_rate"));
    let (momentum, optimizers) = (numbers(&configs, "momentum"), words(&configs, "optimizer"));
    let statuses = words(&configs, "status");
    let cases: [(&str, Holds<'_>); 5] = [
        ("filters<=40", &|at| filters[at].unwrap() <= 40.0),
        ("optimizer = sgd and filters*2 > 25", &|at| {
            optimizers[at] == "sgd" && filters[at].unwrap() * 2.0 > 25.0
        }),
        // Of a null nothing holds, not even that it is another number.
        ("momentum != 0.5", &|at| momentum[at].is_some()),
        ("'adam' != optimizer && log10(learning_rate) < -2.5", &|at| {
            optimizers[at] != "adam" && libm::log10(rates[at].unwrap()) < -2.5
        }),
        ("status != failed and params = 1000 and flops_per_epoch < 1e9", &|at| {
            statuses[at] != "failed"
        }),
    ];
    for (text, holds) in cases {
        let t = with_table();
        let keep: Vec<i64> = (0..i64::from(ROWS)).filter(|id| holds(*id as usize)).collect();
        assert!((5..ROWS as usize).contains(&keep.len()), "{text}");
        same_as_cut(&t, &of_where(text), &keep, "where=");
    }
    // Both: the block first, and then what holds in it.
    let both = TableOptions { rows: Some(10..50), ..of_where("optimizer=sgd") };
    let keep: Vec<i64> = (10..50).filter(|id| id % 2 == 1).collect();
    same_as_cut(&t, &both, &keep, "rows=10..50 where=optimizer=sgd");
}

/// The value that each trial of a trace has by another reading of the files: the best epoch of
/// those that it ran, by what `of` makes of an epoch's columns. Null and NaN are no values.
fn check_values(
    t: &TempDir,
    options: &TableOptions,
    minimises: bool,
    of: impl Fn(&BTreeMap<String, f64>) -> f64,
) {
    let dir = t.path().join("T");
    let curves = read_parquet(&dir.join("curves.parquet"));
    let configs = read_parquet(&dir.join("configs.parquet"));
    let column = |batch: &RecordBatch, name: &str| -> Vec<f64> {
        numbers(batch, name).into_iter().map(|cell| cell.unwrap_or(f64::NAN)).collect()
    };
    let ids: Vec<usize> = column(&curves, "config_id").iter().map(|id| *id as usize).collect();
    let [repeats, epochs] = ["repeat", "epoch"].map(|name| column(&curves, name));
    let mut values: BTreeMap<(usize, u16), f64> = BTreeMap::new();
    for at in 0..ids.len() {
        if repeats[at] != 0.0 {
            continue;
        }
        let mut cells = BTreeMap::new();
        for (batch, row) in [(&curves, at), (&configs, ids[at])] {
            for field in batch.schema().fields() {
                let name = field.name();
                let is_number = field.data_type().is_numeric();
                if is_number && !SPACE[2].eq(name) {
                    cells.insert(name.clone(), column(batch, name)[row]);
                }
            }
        }
        values.insert((ids[at], epochs[at] as u16), of(&cells));
    }
    let pool = options.load(&dir).unwrap();
    let grid = grid("random", &["none"], &["rank:1"], 3, &Settings::default());
    let (mut some, mut none) = (0, 0);
    for run in run_grid(&grid, &pool, 2).unwrap() {
        let reached = run.rows[0].goal_value;
        let finite = |value: &&f64| value.is_finite();
        let best = |all: &mut dyn Iterator<Item = f64>| {
            all.filter(|value| value.is_finite())
                .reduce(|a, b| if minimises { a.min(b) } else { a.max(b) })
        };
        assert_eq!(Some(reached), best(&mut values.values().filter(finite).copied()));
        for row in run.trace(&pool) {
            let ran = (1..=row.epochs).map(|epoch| values[&(row.config_id as usize, epoch)]);
            let wanted = best(&mut ran.into_iter());
            assert_eq!(row.value.map(f64::to_bits), wanted.map(f64::to_bits), "{row:?}");
            some += u32::from(wanted.is_some());
            none += u32::from(wanted.is_none());
        }
    }
    assert!(some > 5 && none > 0, "{some} {none}");
}

#[test]
fn values_are_those_that_a_second_reader_works_out() {
    let t = with_table();
    check_values(&t, &of_metric("val_loss"), true, |cells| cells["val_loss"]);
    check_values(&t, &of_metric("train_loss:maximize"), false, |cells| cells["train_loss"]);
    let weighed = "val_accuracy - 0.05*log10(filters*1e3)/sqrt(4) + -(0.125 - train_loss)*2";
    check_values(&t, &of_objective(weighed), false, |cells| {
        let weight = 0.05 * libm::log10(cells["filters"] * 1e3) / 4.0_f64.sqrt();
        cells["val_accuracy"] - weight + -(0.125 - cells["train_loss"]) * 2.0
    });
    // Where a hyperparameter is inactive, there is nothing.
    check_values(&t, &of_objective("val_loss*momentum:minimize"), true, |cells| {
        cells["val_loss"] * cells["momentum"]
    });
    check_values(&t, &of_objective("ln(val_accuracy)/seconds"), false, |cells| {
        libm::log(cells["val_accuracy"]) / cells["seconds"]
    });
}

#[test]
fn the_tables_own_metric_gives_the_runs_that_are_given_without() {
    let t = with_table();
    let plain = "replay --table T --goal rank:2 --goal 0.9 --sampler rf-ei --stopper none \
                 --repeats 5 --no-analysis";
    let files = |name: &str, options: &str| {
        done(t.path(), &format!("{plain} {options} --out {name}r --trace {name}t"));
        ["r", "t"].map(|kind| fs::read(t.path().join(format!("{name}{kind}"))).unwrap())
    };
    let wanted = files("plain", "");
    assert!(files("metric", "--metric val_accuracy") == wanted);
    assert!(files("said", "--metric val_accuracy:maximize") == wanted);
    let [runs, trace] = files("objective", "--objective val_accuracy");
    assert!(trace == wanted[1]);
    assert!(runs != wanted[0], "its settings say so");
    let [runs, wanted] = ["objectiver", "plainr"].map(|file| read_parquet(&t.path().join(file)));
    for (field, (found, wanted)) in
        runs.schema().fields().iter().zip(runs.columns().iter().zip(wanted.columns()))
    {
        if field.name() == "settings" {
            assert!(words(&runs, "settings").iter().all(|s| s == "objective=val_accuracy"));
        } else {
            assert_eq!(found, wanted, "{}", field.name());
        }
    }
    // What it selected is told on test images, and so is what another metric selects there.
    assert!(numbers(&runs, "selected_test").iter().any(Option::is_some));
    let plain = TableOptions::default().load(&t.path().join("T")).unwrap();
    let twice = of_objective("val_accuracy + val_accuracy").load(&t.path().join("T")).unwrap();
    let grid = grid("random", &["none"], &["top:0.3"], 30, &Settings::default());
    let selected = |pool: &Pool| -> Vec<Option<f64>> {
        run_grid(&grid, pool, 1).unwrap().iter().map(|run| run.rows[0].selected_test).collect()
    };
    let double = |test: Option<f64>| test.map(|test| test + test);
    let wanted: Vec<_> = selected(&plain).into_iter().map(double).collect();
    assert!(wanted.iter().any(Option::is_some));
    assert_eq!(selected(&twice), wanted);
    let loss = of_metric("val_loss").load(&t.path().join("T")).unwrap();
    assert!(selected(&loss).iter().all(Option::is_none), "no test_loss was measured");
}

#[test]
fn chance_is_known_of_what_the_metric_measures_too() {
    let t = with_table();
    let dir = t.path().join("T");
    let chance = |options: &TableOptions| options.load(&dir).unwrap().metric().chance;
    assert_eq!(chance(&of_metric("train_accuracy")), Some(0.1));
    for other in ["val_f1_macro", "val_loss", "val_accuracy:minimize"] {
        assert_eq!(chance(&of_metric(other)), None, "{other}");
    }
    assert_eq!(chance(&of_objective("val_accuracy")), None);
    let asked = "replay --table T --goal rank:1 --stopper etr1 --repeats 1 --metric";
    done(t.path(), &format!("{asked} train_accuracy"));
    let ran = run(t.path(), &format!("{asked} val_loss"));
    assert!(ran.code == Some(1) && ran.stderr.contains("chance"), "{}", ran.stderr);
    // A loss is better where it is less.
    let pool = of_metric("val_loss").load(&dir).unwrap();
    let best = pool.full_values(ValueMode::Best).iter().copied().fold(f64::NAN, f64::max);
    assert_eq!(pool.value_of(best), -best);
}

#[test]
fn ids_in_files_are_those_of_the_table() {
    let t = with_table();
    let replay = "replay --table T --goal 7 --repeats 2 --no-analysis --out runs.parquet \
                  --trace trace.parquet --rows 20..40";
    let ids = || -> Vec<u32> {
        let trace = read_parquet(&t.path().join("trace.parquet"));
        let ids = numbers(&trace, "config_id").into_iter();
        ids.take(20).map(|id| id.unwrap() as u32).collect()
    };
    done(t.path(), &format!("{replay} --stopper etr1:tau=2"));
    let mut all = ids();
    all.sort_unstable();
    assert_eq!(all, (20..40).collect::<Vec<_>>());
    let selected = numbers(&read_parquet(&t.path().join("runs.parquet")), "selected_config");
    assert!(selected.iter().all(|id| (20.0..40.0).contains(&id.unwrap())), "{selected:?}");
    // Why a trial of the block was stopped is found by the settings that the file has.
    let why = |options: &str| {
        let asked = "why --table T --trace trace.parquet --runs runs.parquet --run 1 --trial 3";
        done(t.path(), &format!("{asked} {options}"))
    };
    let json: Json = serde_json::from_str(&why("--format json")).unwrap();
    let fourth = numbers(&read_parquet(&t.path().join("trace.parquet")), "config_id")[23];
    assert_eq!(json["trial"]["config_id"].as_f64(), fourth, "{json}");
    // Out of reach of what is minimised.
    let least = replay.replace("--goal 7", "--goal -9");
    done(t.path(), &format!("{least} --where filters<45&&optimizer=sgd --metric val_loss"));
    why("");
    let plain = least.replace(" --rows 20..40", "");
    let objective = "val_accuracy-0.01*log10(params):minimize";
    done(t.path(), &format!("{plain} --objective {objective}"));
    why("");
    // A recorded order names rows as the table does.
    let order: Vec<u32> = (20..40).rev().collect();
    let lines = |order: &[u32]| -> String {
        let line = |repeat: u32| order.iter().map(move |id| format!("{repeat},{id}\n"));
        std::iter::once("repeat,config_id\n".to_string()).chain((0..2).flat_map(line)).collect()
    };
    fs::write(t.path().join("order.csv"), lines(&order)).unwrap();
    let recorded = format!("{replay} --sampler recorded:file=order.csv");
    done(t.path(), &recorded);
    assert_eq!(ids(), order);
    for (order, parts) in [
        (&[20, 41][..], ["order.csv", "config_id, repeat 0", "41", "--rows and --where", "record"]),
        (&[21, 21], ["order.csv", "config_id, repeat 0", "21", "runs once", "remove"]),
    ] {
        fs::write(t.path().join("order.csv"), lines(order)).unwrap();
        // Nothing is said before of a goal that can be met.
        refused(t.path(), &recorded.replace("--goal 7", "--goal rank:1"), parts);
    }
}

#[test]
fn a_cheaper_table_is_seen_as_the_one_replayed() {
    let t = with_table();
    let keep: Vec<i64> = (20..40).collect();
    cut(&t.path().join("T"), &t.path().join("H"), &keep);
    let traced = |table: &str, cheap: &str, options: &str| -> RecordBatch {
        done(
            t.path(),
            &format!(
                "replay --table {table} --sampler warm-start:table={cheap},trials=6,top=3,epochs=2 \
                 --goal 7 --repeats 4 --no-analysis --trace {cheap}.parquet {options}"
            ),
        );
        read_parquet(&t.path().join(format!("{cheap}.parquet")))
    };
    for metric in ["", "--metric val_loss", "--objective val_accuracy*train_accuracy"] {
        let whole = traced("T", "T", &format!("{metric} --rows 20..40"));
        for cheap in ["H", "self"] {
            let hand = traced("H", cheap, metric);
            for name in ["start_ns", "end_ns", "value", "overhead_ns", "trial"] {
                assert_eq!(numbers(&whole, name), numbers(&hand, name), "{metric} {name}");
            }
        }
    }
}

#[test]
fn studies_of_blocks_have_pages_and_headroom() {
    let t = with_table();
    let study = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:2\"]\nrepeats = 4\n\
                 stoppers = [\"none\", \"etr1\"]\nrows = \"15..45\"\n\
                 where = \"status != failed\"\nmetric = \"train_accuracy\"\n";
    fs::write(t.path().join("s.toml"), study).unwrap();
    let answers = done(t.path(), "study s.toml --out S");
    assert!(answers.contains("rows=15..45"), "{answers}");
    let again = done(t.path(), "study s.toml --out S");
    assert_eq!(again, answers);
    done(t.path(), "report S --out page.html");
    let page = fs::read_to_string(t.path().join("page.html")).unwrap();
    assert!(!page.contains("is not there, or has changed since"));
    assert!(!page.contains("No headroom for"));
    assert!(page.contains("eadroom"));
}

#[test]
fn what_is_no_block_condition_or_objective_is_refused() {
    let t = with_table();
    let replay = "replay --table T --goal rank:1 --repeats 1";
    let cases: &[(&str, &str, [&str; 3])] = &[
        ("rows", "50..61", ["50..61", "has rows 0..60", "within it"]),
        ("rows", "9..9", ["9..9", "has no rows", "0..1000"]),
        ("rows", "5-9", ["5-9", "two whole numbers", "0..1000"]),
        ("rows", "0..=9", ["0..=9", "two whole numbers", "0..1000"]),
        ("rows", "-1..9", ["-1..9", "two whole numbers", "0..1000"]),
        ("rows", "0..99999999999", ["0..99999999999", "two whole numbers", "0..1000"]),
        ("metric", "val_los", ["val_los", "no column `val_los`", "`val_loss`"]),
        ("metric", "test_accuracy", ["test_accuracy", "never shown", "`val_accuracy`"]),
        ("metric", "test_loss", ["test_loss", "never shown", "`val_loss`"]),
        ("metric", "epoch", ["epoch", "which epoch a row is about", "one of: val_accuracy"]),
        ("metric", "seconds", ["seconds", "is what an epoch costs", "--cost"]),
        ("metric", "eval_seconds", ["eval_seconds", "is what an epoch costs", "--cost"]),
        ("metric", "val_loss:less", ["val_loss:less", "no direction", "one of: minimize"]),
        ("objective", "val_accuracy-", ["val_accuracy-", "must stand at its end", "such as"]),
        ("objective", "params:minimize", ["params", "no column of curves", "val_accuracy"]),
        ("objective", "val_accuracy*x", ["val_accuracy*x", "no column `x`", "one of"]),
        ("objective", "1-test_loss", ["1-test_loss", "never shown", "`val_loss`"]),
        ("objective", "val_loss*optimizer", ["optimizer", "holds no numbers", "--where"]),
        ("objective", "val_loss*config_id", ["config_id", "which epoch a row", "one of"]),
        ("objective", "val_loss+val_confusion", ["val_confusion", "holds no numbers", "--where"]),
        ("where", "params<", ["params<", "must stand at its end", "such as"]),
        ("where", "params>5000", ["params>5000", "holds for none of the 60 rows", "ask for less"]),
        ("where", "param>5", ["param>5", "no column `param`", "`params`"]),
        ("where", "val_loss<1", ["val_loss<1", "is a column of curves", "one of"]),
        ("where", "config_id<9", ["config_id<9", "is a key", "--rows"]),
        ("where", "optimizer<3", ["optimizer<3", "no order", "= or !="]),
        ("where", "optimizer=3", ["optimizer=3", "and not numbers", "a word"]),
        ("where", "optimizer=sgdm", ["optimizer=sgdm", "no choice of `optimizer`", "`sgd`"]),
        ("where", "1+optimizer=3", ["1+optimizer=3", "and not numbers", "alone"]),
        ("where", "filters='3'", ["filters='3'", "beside no column of texts", "bare"]),
    ];
    for (setting, value, [shown, rule, remedy]) in cases {
        let option = format!("--{setting}");
        refused(
            t.path(),
            &format!("{replay} {option}={value}"),
            [&option, setting, shown, rule, remedy],
        );
    }
    let both = format!("{replay} --metric val_loss --objective val_loss*2");
    let parts = ["--objective", "objective", "val_loss*2", "--metric is given", "leave out"];
    refused(t.path(), &both, parts);
    // The direction of a column that nobody knows.
    let (from, to) = (t.path().join("T"), t.path().join("H"));
    cut(&from, &to, &(0..i64::from(ROWS)).collect::<Vec<_>>());
    let curves = read_parquet(&to.join("curves.parquet"));
    let reward = |field: &Arc<Field>| {
        let is_it = field.name() == "val_f1_macro";
        let name = if is_it { "reward" } else { field.name() };
        field.as_ref().clone().with_name(name)
    };
    let fields: Vec<Field> = curves.schema().fields().iter().map(reward).collect();
    let schema = Arc::new(Schema::new(fields));
    let curves = RecordBatch::try_new(Arc::clone(&schema), curves.columns().to_vec()).unwrap();
    let file = fs::File::create(to.join("curves.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, schema, None).unwrap();
    writer.write(&curves).unwrap();
    writer.close().unwrap();
    let replay = replay.replace("--table T", "--table H");
    let parts = ["--metric", "metric", "reward", "whether more", "reward:maximize"];
    refused(t.path(), &format!("{replay} --metric reward"), parts);
    done(t.path(), &format!("{replay} --metric reward:minimize"));
}
