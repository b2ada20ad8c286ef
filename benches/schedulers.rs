//! Rate of the rung schedulers on synthetic tables: `cargo bench --bench schedulers`.
//!
//! Random search under ASHA for 24 simulated hours on 32 workers, 2,000 rows x 50 epochs of 5 to 10
//! minutes; 200 ASHA trials on 1,000 rows x 20 epochs, as `benches/peers/syne_tune_random.py` has
//! them; and 1,000 runs of Hyperband to the top 0.5 % of 2,000 rows x 81 epochs, on two threads.
//! Prints a line an experiment and a hash of all results, which must not change with the speed.
//! Without `--bench`, as `cargo test` runs it, a short run only shows that it works.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive counts"
)]

use std::fmt::Write as _;
use std::time::Instant;

use curvebook::app::runs::{self, RunRecord};
use curvebook::base::error::Result;
use curvebook::base::rng::Key;
use curvebook::base::space::{Direction, Domain, Metric, Parameter, Space, Value};
use curvebook::base::units::{Epoch, SimTime};
use curvebook::methods::interface::resolve;
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{Goal, Grid, Pool, RecordedCurve, RunOptions, Settings};
use sha2::{Digest, Sha256};

/// Curves rise to a random ceiling; a fifth of the rows never leaves chance. An epoch of a row
/// lasts one to two times `seconds`.
fn pool(rows: u32, epochs: u16, seconds: f64) -> Result<Pool> {
    let key = Key::new(0, 0, "bench-schedulers");
    let unit = |counter: u64| f64::from(key.at(counter)[0]) / f64::from(u32::MAX);
    let (mut configs, mut values, mut cost_ns) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..u64::from(rows) {
        let ceiling = 0.1 + 0.89 * unit(3 * row);
        let epoch_ns = (seconds * (1.0 + unit(3 * row + 1)) * 1e9).round_ties_even() as u64;
        let is_dead = unit(3 * row + 2) < 0.2;
        configs.push(vec![Value::Float(ceiling)]);
        cost_ns.extend((0..epochs).map(|_| epoch_ns));
        values.extend((1..=epochs).map(|epoch| {
            let share = f64::from(epoch) / (f64::from(epoch) + 1.0);
            if is_dead { 0.1 } else { 0.1 + (ceiling - 0.1) * share }
        }));
    }
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    let x = Parameter { name: "x".to_string(), domain, condition: None };
    let space = Space::new("bench", "parameter", "bench".to_string(), vec![x])?;
    let metric =
        Metric { name: "val_accuracy".to_string(), goal: Direction::Maximize, chance: Some(0.1) };
    let length = usize::from(epochs);
    let curves = values.chunks(length).zip(cost_ns.chunks(length));
    let curves =
        curves.map(|(values, cost_ns)| RecordedCurve { values, cost_ns, ..Default::default() });
    Pool::new("bench", &metric, &space, Epoch(epochs), &configs, curves)
}

/// Runs of random search under a scheduler; prints their rate and adds their rows to `text`.
fn measure(
    pool: &Pool,
    scheduler: &str,
    goal: &str,
    (runs, threads): (u32, usize),
    settings: &Settings,
    text: &mut String,
) -> Result<()> {
    let grid = Grid {
        samplers: vec![resolve("--sampler", "random", samplers::REGISTRY)?],
        schedulers: vec![resolve("--scheduler", scheduler, schedulers::REGISTRY)?],
        stoppers: vec![resolve("--stopper", "none", stoppers::REGISTRY)?],
        further: Vec::new(),
        goals: vec![Goal::parse(goal)?],
        repeats: runs,
        workers: vec![settings.workers],
        settings: settings.clone(),
    };
    let (mut trials, mut epochs, mut end_s) = (0_u64, 0_u64, 0.0);
    let start = Instant::now();
    runs::run(&grid, pool, &RunOptions::all(threads, false), |block| {
        for row in block.iter().flat_map(|run: &RunRecord| &run.rows) {
            trials += u64::from(row.trials);
            epochs += row.epochs;
            end_s += row.end_s;
            writeln!(text, "{row:?}").expect("writing into a String does not fail");
        }
        Ok(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let of_run = |sum: f64| sum / f64::from(runs);
    println!(
        "{scheduler:>36}, {:>2} workers, {threads} threads: {runs} runs in {seconds:.4} s, {:.3} \
         ms a run of {:.0} trials, {:.0} epochs, {:.1} simulated hours",
        settings.workers,
        of_run(seconds) * 1e3,
        of_run(trials as f64),
        of_run(epochs as f64),
        of_run(end_s) / 3600.0,
    );
    Ok(())
}

fn main() -> Result<()> {
    let is_quick = !std::env::args().any(|a| a == "--bench");
    let runs = |full: u32| if is_quick { 2 } else { full };
    let mut text = String::new();

    let day = pool(2_000, 50, 300.0)?;
    let budget = Some(SimTime(86_400_000_000_000));
    let settings = Settings { workers: 32, budget, ..Settings::default() };
    for scheduler in ["asha", "asha:type=stopping", "pasha", "hyperband:free=begin"] {
        measure(&day, scheduler, "2", (runs(20), 1), &settings, &mut text)?;
    }

    let small = pool(1_000, 20, 1.0)?;
    for workers in [1, 4] {
        let settings = Settings { workers, trials_max: Some(200), ..Settings::default() };
        for scheduler in ["asha", "asha:type=stopping,cutoff=rank"] {
            measure(&small, scheduler, "2", (runs(1_000), 1), &settings, &mut text)?;
        }
    }

    let long = pool(2_000, 81, 1.0)?;
    for workers in [1, 8] {
        let settings = Settings { workers, ..Settings::default() };
        measure(&long, "hyperband", "top:0.005", (runs(1_000), 2), &settings, &mut text)?;
    }

    let hash = Sha256::digest(text.as_bytes());
    println!("results {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    Ok(())
}
