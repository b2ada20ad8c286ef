//! Rate of the replay engine: `cargo bench --bench replay [-- ROWS [RUNS]]`, one thread, on a
//! synthetic table of ROWS x 15 epochs in memory (defaults: 2,000 rows, 50 runs; the README quotes
//! 20,000 and 1,000). Prints a line an experiment and a hash of all results, which must not change
//! with the speed.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive counts"
)]

use std::fmt::Write as _;
use std::time::Instant;

use curvebook::error::Result;
use curvebook::method::resolve;
use curvebook::replay::study::{Grid, RunOptions, RunRecord};
use curvebook::replay::{Goal, Pool, RecordedCurve, Settings};
use curvebook::rng::Key;
use curvebook::space::{Direction, Domain, Metric, Parameter, Space, Value};
use curvebook::units::Epoch;
use curvebook::{samplers, schedulers, stoppers};
use sha2::{Digest, Sha256};

const EPOCHS: usize = 15;

/// Rising curves to a random ceiling; a fifth of the rows never leaves chance.
fn pool(rows: u32) -> Result<Pool> {
    let key = Key::new(0, 0, "bench-replay");
    let unit = |counter: u64| f64::from(key.at(counter)[0]) / f64::from(u32::MAX);
    let (mut configs, mut values, mut cost_ns) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..u64::from(rows) {
        let (ceiling, seconds) = (0.1 + 0.89 * unit(3 * row), 1.0 + unit(3 * row + 1));
        let is_dead = unit(3 * row + 2) < 0.2;
        configs.push(vec![Value::Float(ceiling)]);
        for epoch in 1..=EPOCHS {
            let share = epoch as f64 / (epoch as f64 + 1.0);
            values.push(if is_dead { 0.1 } else { 0.1 + (ceiling - 0.1) * share });
            cost_ns.push((seconds * 1e9).round_ties_even() as u64);
        }
    }
    let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
    let parameter = Parameter { name: "x".to_string(), domain, condition: None };
    let space = Space::new("bench", "parameter", "bench".to_string(), vec![parameter])?;
    let goal = Direction::Maximize;
    let metric = Metric { name: "accuracy".to_string(), goal, chance: Some(0.1) };
    let curves = values.chunks(EPOCHS).zip(cost_ns.chunks(EPOCHS));
    let curves =
        curves.map(|(values, cost_ns)| RecordedCurve { values, cost_ns, ..Default::default() });
    Pool::new("bench", &metric, &space, Epoch(EPOCHS as u16), &configs, curves)
}

fn main() -> Result<()> {
    let arguments: Vec<u32> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let rows = arguments.first().copied().unwrap_or(2_000);
    let runs = arguments.get(1).copied().unwrap_or(50);
    let pool = pool(rows)?;
    let mut text = String::new();
    // ETR-2 with p=0 is asked after every epoch and stops nothing.
    let rules = ["none", "etr1:tau=9", "etr2", "etr2:p=0"];
    for (stopper, workers) in
        [1, 16].into_iter().flat_map(|workers| rules.map(|rule| (rule, workers)))
    {
        let grid = Grid {
            samplers: vec![resolve("--sampler", "random", samplers::REGISTRY)?],
            schedulers: vec![resolve("--scheduler", "fifo", schedulers::REGISTRY)?],
            stoppers: vec![resolve("--stopper", stopper, stoppers::REGISTRY)?],
            goals: vec![Goal::parse("top:0.005")?],
            repeats: runs,
            workers: vec![workers],
            settings: Settings::default(),
        };
        let (mut trials, mut epochs) = (0u64, 0u64);
        let start = Instant::now();
        grid.run(&pool, &RunOptions::all(1, false), |block| {
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
             {seconds:.4} s: {:.2} million epochs/s",
            epochs as f64 / seconds / 1e6
        );
    }
    let hash = Sha256::digest(text.as_bytes());
    println!("results {:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    Ok(())
}
