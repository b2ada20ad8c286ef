//! Rungs that some trials never show a score at: what was not measured, what diverged, and what is
//! complete before.

use curvebook::base::measured::NOT_MEASURED;
use curvebook::replay::Pool;

use super::{epochs, rows, run, workers};
use crate::reference_engine::slow::{Row, Table};
use crate::reference_engine::tables;

const NULL: f64 = NOT_MEASURED;
const NAN: f64 = f64::NAN;
const HALVING: &str = "successive-halving:eta=2,max=4";

fn curves(first: [f64; 4], others: [f64; 3]) -> Vec<Vec<f64>> {
    let mut all = vec![first.to_vec()];
    all.extend(others.map(|score| vec![score; 4]));
    all
}

#[test]
fn a_rung_where_a_trial_was_not_measured_is_passed_over() {
    let pool = rows(4, &curves([NULL, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3]));
    // The first goes on to epoch 2 unasked, takes nobody's place at epoch 1, and wins there.
    let wanted = "0:1-2p 1:1-1p 2:1-1p 3:1-1p 3:2-2p 2:2-2p 0:3-4c";
    assert_eq!(epochs(&run(&pool, HALVING, &workers(1))), wanted);
    // It is none of those that the others are compared with: two came before 2 / 2 may go on.
    let wanted = "0:1-2p 1:1-1p 2:1-1p 2:2-2p 0:3-4c 3:1-1p 3:2-2p";
    assert_eq!(epochs(&run(&pool, "asha:eta=2", &workers(1))), wanted);
    let stopping = "asha:eta=2,type=stopping";
    assert_eq!(epochs(&run(&pool, stopping, &workers(1))), "0:1-4c 1:1-2s 2:1-2s 3:1-4c");
    // Nothing was measured anywhere: nothing is stopped for want of a number.
    let pool = rows(4, &curves([NULL; 4], [NULL; 3]));
    for method in [HALVING, "hyperband:eta=2", "asha:eta=2", stopping] {
        let found = epochs(&run(&pool, method, &workers(1)));
        assert_eq!(found, "0:1-4c 1:1-4c 2:1-4c 3:1-4c", "{method}");
    }
    let pasha = epochs(&run(&rows(4, &curves([NULL; 4], [NULL; 3])), "pasha:eta=2", &workers(1)));
    assert_eq!(pasha, "0:1-2p 1:1-2p 2:1-2p 3:1-2p", "no order, and so no reason to go on");
}

#[test]
fn optunas_rung_takes_the_next_score_and_stops_what_diverged() {
    let method = "asha:eta=2,type=stopping,cutoff=optuna";
    // The second is compared at epoch 3 in both rungs that it has not shown a score at.
    let gap = [vec![0.5; 4], vec![NULL, NULL, 0.6, 0.6], vec![NULL, NULL, 0.55, 0.9]];
    assert_eq!(epochs(&run(&rows(4, &gap), method, &workers(1))), "0:1-4c 1:1-4c 2:1-3s");
    let diverged = [vec![0.1; 4], vec![NAN; 4], vec![0.2, NAN, NAN, NAN]];
    assert_eq!(epochs(&run(&rows(4, &diverged), method, &workers(1))), "0:1-4c 1:1-1s 2:1-2s");
}

#[test]
fn what_diverged_is_as_good_as_chance() {
    // 0.25: behind the second, before the others.
    let pool = rows(4, &curves([NAN; 4], [0.3, 0.1, 0.2]));
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 1:2-2p 0:2-2p 1:3-4c";
    assert_eq!(epochs(&run(&pool, HALVING, &workers(1))), wanted);
    let stopped = epochs(&run(&pool, "asha:eta=2,type=stopping", &workers(1)));
    assert_eq!(stopped, "0:1-4c 1:1-4c 2:1-1s 3:1-1s");
}

/// Four rows of four epochs, of which one is complete at an epoch of its own.
fn short(row: usize, last_epoch: u16, scores: [f64; 4]) -> Pool {
    let made = |(at, score): (usize, f64)| {
        let length = if at == row { usize::from(last_epoch) } else { 4 };
        Row {
            at: vec![0.5; 3],
            values: vec![score; length],
            cost_ns: vec![1; length],
            test: vec![NAN; length],
            setup_ns: 0,
            last_epoch: (at == row).then_some(last_epoch),
        }
    };
    let rows = scores.into_iter().enumerate().map(made).collect();
    let choices = vec![None, None, Some(3)];
    tables::pool(&Table { minimise: false, chance: Some(0.1), epochs: 4, choices, rows })
}

#[test]
fn a_row_with_a_shorter_last_epoch_is_complete_there() {
    // The best is complete at the first rung: it takes no place of those that go on.
    let pool = short(3, 1, [0.1, 0.3, 0.2, 0.9]);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1c 1:2-2p 2:2-2p 1:3-4c";
    assert_eq!(epochs(&run(&pool, HALVING, &workers(1))), wanted);
    let wanted = "0:1-1p 1:1-1p 1:2-2p 2:1-1p 3:1-1c";
    assert_eq!(epochs(&run(&pool, "asha:eta=2", &workers(1))), wanted);
    // Complete between two rungs: it leaves the bracket on its way.
    let pool = short(3, 3, [0.1, 0.3, 0.2, 0.9]);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 3:2-2p 1:2-2p 3:3-3c";
    assert_eq!(epochs(&run(&pool, HALVING, &workers(1))), wanted);
}
