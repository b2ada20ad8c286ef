//! Rate of the replay engine: `cargo bench --bench replay [-- ROWS [RUNS]]`, one thread, on a
//! synthetic table (defaults: 2,000 rows, 50 runs; the README quotes 20,000 and 1,000).
//!
//! First ROWS x 15 epochs in memory, then what `benches/peers/syne_tune_random.py` does (200 trials
//! on 1,000 rows x 20 epochs), then the same ROWS x 15 as a table on disk: loading it, and the
//! program as a whole. Prints a line an experiment and a hash of all results, which must not change
//! with the speed.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive counts"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use curvebook::app::runs::{self, RunRecord};
use curvebook::base::error::Result;
use curvebook::base::rng::Key;
use curvebook::base::space::{Direction, Domain, Metric, Parameter, Space, Value};
use curvebook::base::units::{ConfigId, Epoch, SimTime};
use curvebook::methods::interface::{Proposal, resolve};
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{Goal, Grid, Pool, RecordedCurve, RunOptions, Settings, Stepper};
use curvebook::store::table::{Header, LoadOptions, Status, Table, TableWriter};
use curvebook::train::record::{ConfigRecord, EpochRecord, TrainedConfig, layout};
use sha2::{Digest, Sha256};

const EPOCHS: u16 = 15;

/// One row: where it lies, its values and its seconds an epoch. Curves rise to a random ceiling; a
/// fifth of the rows never leaves chance.
fn row(index: u64, epochs: u16) -> (f64, Vec<f64>, f64) {
    let key = Key::new(0, 0, "bench-replay");
    let unit = |counter: u64| f64::from(key.at(counter)[0]) / f64::from(u32::MAX);
    let (ceiling, seconds) = (0.1 + 0.89 * unit(3 * index), 1.0 + unit(3 * index + 1));
    let is_dead = unit(3 * index + 2) < 0.2;
    let value = |epoch: u16| {
        let share = f64::from(epoch) / (f64::from(epoch) + 1.0);
        if is_dead { 0.1 } else { 0.1 + (ceiling - 0.1) * share }
    };
    (ceiling, (1..=epochs).map(value).collect(), seconds)
}

fn space() -> Result<Space> {
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    let parameter = Parameter { name: "x".to_string(), domain, condition: None };
    Space::new("bench", "parameter", "bench".to_string(), vec![parameter])
}

fn metric() -> Metric {
    Metric { name: "val_accuracy".to_string(), goal: Direction::Maximize, chance: Some(0.1) }
}

fn pool(rows: u32, epochs: u16) -> Result<Pool> {
    let (mut configs, mut values, mut cost_ns) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..u64::from(rows) {
        let (x, curve, seconds) = row(index, epochs);
        configs.push(vec![Value::Float(x)]);
        cost_ns.extend(curve.iter().map(|_| (seconds * 1e9).round_ties_even() as u64));
        values.extend(curve);
    }
    let length = usize::from(epochs);
    let curves = values.chunks(length).zip(cost_ns.chunks(length));
    let curves =
        curves.map(|(values, cost_ns)| RecordedCurve { values, cost_ns, ..Default::default() });
    Pool::new("bench", &metric(), &space()?, Epoch(epochs), &configs, curves)
}

/// Runs of random search with a stopper; prints their rate and adds their rows to `text`.
fn measure(
    pool: &Pool,
    (stopper, workers): (&str, u32),
    goal: &str,
    (runs, trials_max): (u32, Option<u32>),
    text: &mut String,
) -> Result<()> {
    let grid = Grid {
        samplers: vec![resolve("--sampler", "random", samplers::REGISTRY)?],
        schedulers: vec![resolve("--scheduler", "fifo", schedulers::REGISTRY)?],
        stoppers: vec![resolve("--stopper", stopper, stoppers::REGISTRY)?],
        further: Vec::new(),
        goals: vec![Goal::parse(goal)?],
        repeats: runs,
        workers: vec![workers],
        settings: Settings { trials_max, ..Settings::default() },
    };
    let (mut trials, mut epochs) = (0u64, 0u64);
    let start = Instant::now();
    runs::run(&grid, pool, &RunOptions::all(1, false), |block| {
        for row in block.iter().flat_map(|run: &RunRecord| &run.rows) {
            trials += u64::from(row.trials);
            epochs += row.epochs;
            writeln!(text, "{row:?}").expect("writing into a String does not fail");
        }
        Ok(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{stopper:>10}, {workers:>2} workers: {runs} runs, {trials} trials, {epochs} epochs in \
         {seconds:.4} s: {:.2} million epochs/s, {:.4} ms a run",
        epochs as f64 / seconds / 1e6,
        seconds * 1e3 / f64::from(runs),
    );
    Ok(())
}

/// The same run decided from outside: what a call of `start`, `advance` or `stop` takes.
fn measure_steps(rows: u32, text: &mut String) -> Result<()> {
    let pool = Arc::new(pool(rows, EPOCHS)?);
    let settings = Settings { workers: 16, ..Settings::default() };
    let mut run = Stepper::new(Arc::clone(&pool), settings, &[], 0)?;
    let start = Instant::now();
    let mut calls = 0;
    loop {
        while run.is_ready()
            && let Some(row) = run.first_free()
        {
            run.start(Proposal::Row(row), SimTime::ZERO)?;
            calls += 1;
        }
        let Some(event) = run.advance() else { break };
        calls += 1;
        // As a rule would: one comparison.
        if event.epoch == Epoch(1) && event.score.number().is_some_and(|score| score < 0.15) {
            run.stop(event.trial, None)?;
            calls += 1;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    writeln!(text, "{} {calls} {}", run.trials().len(), run.now().0).expect("a String takes it");
    let ns = seconds * 1e9 / f64::from(calls);
    println!("decided from outside, 16 workers: {calls} calls of {ns:.0} ns");
    Ok(())
}

fn trained(index: u32) -> TrainedConfig {
    let (x, values, seconds) = row(u64::from(index), EPOCHS);
    let epochs = (1..).zip(values).map(|(epoch, value)| EpochRecord {
        repeat: 0,
        epoch,
        val_accuracy: value,
        seconds,
        val_loss: 1.0 - value,
        train_loss: 1.0 - value,
        train_accuracy: value,
        val_precision_macro: value,
        val_recall_macro: value,
        val_f1_macro: value,
        val_precision_weighted: value,
        test_accuracy: Some(value),
        test_loss: None,
        eval_seconds: 0.1,
    });
    let config = ConfigRecord {
        config_id: ConfigId(index),
        values: vec![Value::Float(x)],
        params: 1,
        flops_per_epoch: 1.0,
        setup_seconds: 0.0,
        fused_share_seconds: None,
        status: Status::Ok,
        val_confusion: vec![],
    };
    TrainedConfig { config, epochs: epochs.collect() }
}

fn write_table(dir: &Path, rows: u32) -> Result<()> {
    let header = Header {
        name: "bench".to_string(),
        metric: metric(),
        epochs: EPOCHS,
        repeats: 1,
        configs: rows,
        first_config: None,
        space: space()?,
        layout: layout("none"),
        space_further: serde_json::Map::new(),
        provenance: None,
    };
    let mut writer = TableWriter::create(dir, header)?;
    for first in (0..rows).step_by(1000) {
        writer.append((first..rows.min(first + 1000)).map(trained).collect())?;
    }
    writer.finish()
}

fn main() -> Result<()> {
    let arguments: Vec<u32> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let rows = arguments.first().copied().unwrap_or(2_000);
    let runs = arguments.get(1).copied().unwrap_or(50);
    let mut text = String::new();

    println!("random search to the top 0.5 % of {rows} rows x {EPOCHS} epochs");
    let large = pool(rows, EPOCHS)?;
    // ETR-2 with p=0 is asked after every epoch and stops nothing.
    for workers in [1, 16] {
        for stopper in ["none", "etr1:tau=9", "etr2", "etr2:p=0"] {
            measure(&large, (stopper, workers), "top:0.005", (runs, None), &mut text)?;
        }
    }

    measure_steps(rows, &mut text)?;

    println!("random search, 200 trials on 1,000 rows x 20 epochs");
    let small = pool(1_000, 20)?;
    for workers in [1, 4] {
        for stopper in ["none", "etr2:p=0"] {
            measure(&small, (stopper, workers), "2", (runs, Some(200)), &mut text)?;
        }
    }

    let dir = tempfile::tempdir().expect("a temporary directory");
    let table = dir.path().join("table");
    write_table(&table, rows)?;
    let start = Instant::now();
    let loaded = Table::load(&table, &LoadOptions::default())?;
    println!(
        "loading {} rows x {EPOCHS}: {:.1} ms",
        loaded.rows(),
        start.elapsed().as_secs_f64() * 1e3
    );
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_curvebook"))
        .args(["replay", "--threads", "1", "--goal", "top:0.005", "--repeats"])
        .arg(runs.to_string())
        .arg("--table")
        .arg(&table)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seconds = start.elapsed().as_secs_f64();
    println!("the whole program, {runs} runs to the top 0.5 %: {seconds:.3} s");

    let hash = Sha256::digest(text.as_bytes());
    println!("results {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    Ok(())
}
