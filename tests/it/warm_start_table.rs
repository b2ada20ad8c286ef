//! The sampler `warm-start`: what a cheaper table makes a run begin with, and what that costs.

use curvebook::app::runs;
use curvebook::base::units::Epoch;
use curvebook::methods::interface::resolve;
use curvebook::methods::samplers;
use curvebook::replay::{Pool, RunOptions, Settings};

use crate::command_line::{refused, run};
use crate::replay_common::{accuracy, grid, unit_cost_pool};
use crate::table_common::write_table;

/// Six rows: the first epochs rank them otherwise than the last do.
fn table() -> Pool {
    let curves: [&[f64]; 6] = [
        &[0.5, 0.6, 0.7],
        &[0.4, 0.5, 0.99],
        &[0.9, 0.9, 0.9],
        &[f64::NAN, f64::NAN, f64::NAN],
        &[0.8, 0.85, 0.9],
        &[0.1, 0.2, 0.3],
    ];
    unit_cost_pool(&accuracy(Some(0.1)), 3, &curves)
}

/// Of every trial its row, its worker's clock at the start, what was charged before its first
/// epoch, and where it ended.
fn trials(text: &str, workers: u32) -> Vec<(u32, u64, u64, u64)> {
    let pool = table();
    let settings = Settings { workers, ..Settings::default() };
    let mut grid = grid("random", &["none"], &["0.999"], 1, &settings);
    grid.samplers = vec![resolve("--sampler", text, samplers::REGISTRY).unwrap()];
    let mut found = Vec::new();
    runs::run(&grid, &pool, &RunOptions::all(1, true), |block| {
        for segment in block.into_iter().flat_map(|run| run.segments) {
            let config = segment.config.0;
            found.push((config, segment.start.0, segment.overhead.0, segment.end.0));
        }
        Ok(())
    })
    .unwrap();
    found.sort_by_key(|trial| (trial.1, trial.3));
    found
}

#[test]
fn the_best_of_the_cheap_phase_begin_and_its_time_is_charged() {
    // All six rows run one epoch each, one after another: 6 units. Row 2 was best then, row 4
    // second; row 1, the best in the end, third.
    let found = trials("warm-start:table=self,trials=6,top=3,epochs=1,sampler=sobol", 1);
    assert_eq!(found[..3], [(2, 0, 6, 9), (4, 9, 0, 12), (0, 12, 0, 15)]);
    assert_eq!(found.len(), 6, "the others follow");
    // To their ends: 18 units, and the last epochs decide.
    let found = trials("warm-start:table=self,trials=6,top=3", 1);
    assert_eq!(found[0], (1, 0, 18, 21));
    let mut next = [found[1].0, found[2].0];
    next.sort_unstable();
    assert_eq!(next, [2, 4], "a tie, as they were drawn");
}

#[test]
fn all_workers_share_the_cheap_phase_and_wait_for_it() {
    // Six rows of three epochs on four workers: two rounds, 6 units.
    let found = trials("warm-start:table=self,trials=6,top=2", 4);
    let waits: Vec<u64> = found.iter().map(|trial| trial.2).collect();
    assert_eq!(waits, [6, 6, 6, 6, 0, 0]);
    assert_eq!(found[0].0, 1);
}

#[test]
fn what_never_was_a_number_begins_nothing() {
    // More than there are: five have numbers.
    let found = trials("warm-start:table=self,trials=6,top=6,epochs=2,sampler=sobol", 1);
    let rows: Vec<u32> = found.iter().map(|trial| trial.0).collect();
    assert_eq!(rows, [2, 4, 0, 1, 5, 3]);
}

#[test]
fn repeats_draw_other_rows_and_the_same_seed_the_same() {
    let once = trials("warm-start:table=self,trials=3,top=1,epochs=1", 1);
    assert_eq!(once, trials("warm-start:table=self,trials=3,top=1,epochs=1", 1));
    assert_eq!(once[0].2, 3, "three epochs were trained");
    assert_eq!(table().epochs(), Epoch(3));
}

#[test]
fn a_table_of_other_configurations_is_refused() {
    let t = tempfile::TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    let replay = |with: &str| {
        format!("replay --table T --goal rank:1 --repeats 2 --sampler warm-start:table={with}")
    };
    assert_eq!(run(t.path(), &replay("T,trials=12,top=3,epochs=2")).code, Some(0));
    let parts = ["--sampler", "warm-start:trials", "13", "have 12 rows in common", "lower it"];
    refused(t.path(), &replay("T,trials=13"), parts);
    let parts = ["--sampler", "warm-start:top", "5", "only 4 trials run there", "lower it"];
    refused(t.path(), &replay("T,trials=4,top=5"), parts);
    let parts = ["--sampler", "warm-start:epochs", "5", "has epochs 1 to 4", "0 is all"];
    refused(t.path(), &replay("self,trials=4,top=2,epochs=5"), parts);
    assert_eq!(run(t.path(), &replay("nowhere")).code, Some(1));
}
