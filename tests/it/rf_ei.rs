//! RF-EI against a plain scikit-learn loop on three small tables, and as a method among others.

use std::path::Path;

use curvebook::replay::study::RunRecord;
use curvebook::replay::{Pool, RecordedCurve, Settings};
use curvebook::rng::Stream;
use curvebook::space::{Domain, Parameter, Space, Value};
use curvebook::stats::bootstrap::{Plan, RESAMPLES, Resampled, two_samples};
use curvebook::stats::kolmogorov_smirnov::kolmogorov_smirnov;
use curvebook::stats::mann_whitney::mann_whitney;
use curvebook::stats::quantile::quantile;
use curvebook::stats::{Interval, Test};
use curvebook::units::Epoch;

use crate::replay_common::{accuracy, grid, rows_of, run_grid};

const TABLES: [&str; 3] = ["additive", "untrainable", "digits-lenet"];

/// The first-hit trials that `tests/golden/rf-ei/make_loop_golden.py` recorded.
struct Golden {
    pool: Pool,
    goal: String,
    trials: Vec<f64>,
}

fn golden(table: &str) -> Golden {
    let directory = Path::new("tests/golden/rf-ei");
    let text = std::fs::read_to_string(directory.join(format!("{table}.csv"))).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|word| word.parse().unwrap()).collect())
        .collect();
    let values: Vec<f64> = rows.iter().map(|row| *row.last().unwrap()).collect();
    let configs: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| row[..row.len() - 1].iter().map(|x| Value::Float(*x)).collect())
        .collect();
    let parameters = (0..configs[0].len()).map(|at| {
        let domain = Domain::Float { low: 0.0, high: 1.0, log: false };
        Parameter { name: format!("x{at}"), domain, condition: None }
    });
    let space = Space::new("test", "parameter", table.into(), parameters.collect()).unwrap();
    let curves = values.iter().map(|value| RecordedCurve {
        values: std::slice::from_ref(value),
        cost_ns: &[1_000_000_000],
        ..Default::default()
    });
    let metric = accuracy(None);
    let pool = Pool::new(table, &metric, &space, Epoch(1), &configs, curves).unwrap();

    let text = std::fs::read_to_string(directory.join("loop.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let trials = all[table]["trials"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap());
    Golden { pool, goal: format!("rank:{}", all[table]["goal_rows"]), trials: trials.collect() }
}

fn runs(golden: &Golden, sampler: &str, repeats: u32, threads: usize) -> Vec<RunRecord> {
    let grid = grid(sampler, &["none"], &[&golden.goal], repeats, &Settings::default());
    run_grid(&grid, &golden.pool, threads).unwrap()
}

fn trials_to_goal(golden: &Golden, sampler: &str, repeats: u32) -> Vec<f64> {
    let rows = rows_of(runs(golden, sampler, repeats, 2));
    rows.iter().map(|row| f64::from(row.trials_to_goal.unwrap())).collect()
}

#[test]
fn explore() {
    for table in TABLES {
        let golden = golden(table);
        for sampler in
            ["random", "rf-ei", "rf-ei:bootstrap=fresh", "rf-ei:trees=2", "rf-ei:trees=5"]
        {
            let began = std::time::Instant::now();
            for n in [200, 2000] {
                let found = trials_to_goal(&golden, sampler, n);
                let ks = kolmogorov_smirnov(&found, &golden.trials).unwrap();
                let mw = mann_whitney(&found, &golden.trials).unwrap();
                let q = |v: &[f64]| [0.1, 0.25, 0.5, 0.75, 0.9].map(|p| quantile(v, p));
                println!(
                    "{table} {sampler} {n}: {:?} vs {:?} ks {:?} mw {:.4} {:?}",
                    q(&found),
                    q(&golden.trials),
                    ks,
                    mw.p_value,
                    began.elapsed()
                );
            }
        }
    }
}
