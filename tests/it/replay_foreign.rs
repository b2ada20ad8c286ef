//! Tables that other programs wrote replay as they are.

use std::path::Path;

use curvebook::app::pools::TableOptions;
use curvebook::app::runs;
use curvebook::base::space::Direction;
use curvebook::methods::interface::resolve;
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{Goal, Grid, Pool, RunOptions, Settings};

fn load(name: &str) -> Pool {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name);
    TableOptions::default().load(&dir).unwrap_or_else(|e| panic!("{e}"))
}

fn grid(stopper: &str, goal: &str) -> Grid {
    Grid {
        samplers: vec![resolve("--sampler", "random", samplers::REGISTRY).unwrap()],
        schedulers: vec![resolve("--scheduler", "fifo", schedulers::REGISTRY).unwrap()],
        stoppers: vec![resolve("--stopper", stopper, stoppers::REGISTRY).unwrap()],
        further: Vec::new(),
        goals: vec![Goal::parse(goal).unwrap()],
        repeats: 30,
        workers: vec![1],
        settings: Settings::default(),
    }
}

#[test]
fn every_foreign_table_replays_to_its_best_row() {
    for name in ["duckdb-accuracy", "pandas-loss-f32", "polars-error"] {
        let pool = load(name);
        let mut rows = Vec::new();
        runs::run(&grid("none", "rank:1"), &pool, &RunOptions::all(2, false), |block| {
            rows.extend(block.into_iter().flat_map(|run| run.rows));
            Ok(())
        })
        .unwrap();
        assert_eq!(rows.len(), 30, "{name}");
        // Without a rule every row is run to its end at last, so the best one is always found.
        assert!(rows.iter().all(|row| row.reached), "{name}");
        assert!(rows.iter().any(|row| row.trials_to_goal != rows[0].trials_to_goal), "{name}");
    }
}

#[test]
fn a_loss_is_minimised_and_its_goal_stands_in_its_own_direction() {
    let pool = load("pandas-loss-f32");
    assert_eq!(pool.metric().goal, Direction::Minimize);
    let best = Goal::parse("rank:1").unwrap().on(&pool, Settings::default().value).unwrap();
    let worse = Goal::parse("rank:2").unwrap().on(&pool, Settings::default().value).unwrap();
    assert!(best.value < worse.value, "{} {}", best.value, worse.value);
    assert!(best.value > 0.0);
}

#[test]
fn a_rule_that_needs_a_chance_level_refuses_a_table_without_one() {
    let pool = load("pandas-loss-f32");
    for rule in ["etr1", "etr2"] {
        let refused =
            grid(rule, "rank:1").run(&pool, &RunOptions::all(1, false), |_| Ok(())).unwrap_err();
        let message = refused.to_string();
        assert!(message.starts_with("pandas-loss-f32: metric.chance = missing: "), "{message}");
    }
}
