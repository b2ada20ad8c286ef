//! POP on curves of which it is plain what will become of them.

use std::collections::BTreeMap;

use curvebook::methods::interface::{State, resolve};
use curvebook::methods::schedulers;
use curvebook::replay::{Pool, Segment, Settings};

use crate::replay_common::{accuracy, grid, run_grid, unit_cost_pool};

const EPOCHS: u16 = 20;

/// Rises to `end`.
fn curve(end: f64) -> Vec<f64> {
    (1..=EPOCHS).map(|epoch| end - 0.6 * end / f64::from(epoch * epoch)).collect()
}

fn pool(ends: &[f64]) -> Pool {
    let curves: Vec<Vec<f64>> = ends.iter().map(|end| curve(*end)).collect();
    let curves: Vec<&[f64]> = curves.iter().map(Vec::as_slice).collect();
    unit_cost_pool(&accuracy(Some(0.1)), EPOCHS, &curves)
}

/// The segments of a run to a goal that nobody reaches.
fn segments(pool: &Pool, text: &str, workers: u32) -> Vec<Segment> {
    let mut grid = grid("random", &["none"], &["0.9"], 1, &Settings::default());
    grid.schedulers = vec![resolve("--scheduler", text, schedulers::REGISTRY).unwrap()];
    grid.workers = vec![workers];
    run_grid(&grid, pool, 1).unwrap().remove(0).segments
}

/// How far each row came, in how many segments, and how it ended.
fn fates(segments: &[Segment]) -> BTreeMap<u32, (u16, usize, State)> {
    let mut fates = BTreeMap::new();
    for segment in segments {
        let fate = fates.entry(segment.config.0).or_insert((0, 0, State::Running));
        *fate = (segment.epochs.0, fate.1 + 1, segment.end_state);
    }
    fates
}

#[test]
fn the_poor_are_stopped_at_a_boundary_and_the_likely_keep_their_worker() {
    // The first comes within the noise of the goal; two will end far below; one never leaves
    // chance.
    let pool = pool(&[0.895, 0.5, 0.4, 0.1]);
    for text in ["pop:boundary=5,model=laplace", "pop:boundary=5"] {
        let found = fates(&segments(&pool, text, 2));
        assert_eq!(found[&0], (EPOCHS, 1, State::Completed), "{text}");
        for row in 1..=3 {
            assert_eq!(found[&row], (5, 1, State::Stopped), "{text} {row}");
        }
    }
}

#[test]
fn without_a_verdict_all_take_turns() {
    // A kill of 0 stops nobody, and whoever will not reach the goal deserves no worker.
    let pool = pool(&[0.5, 0.45, 0.4]);
    let all = segments(&pool, "pop:boundary=5,model=laplace,kill=0", 1);
    let found = fates(&all);
    for row in 0..3 {
        assert_eq!(found[&row], (EPOCHS, 4, State::Completed), "{row}");
    }
    // Three a round, in the same order.
    let order: Vec<u32> = all.iter().map(|segment| segment.config.0).collect();
    assert_eq!(order.len(), 12);
    assert!(order.chunks(3).all(|round| round == &order[..3]), "{order:?}");
    // One job at a time runs through.
    let all = segments(&pool, "pop:boundary=5,model=laplace,kill=0,jobs=1", 1);
    assert!(
        all.windows(2).all(|pair| {
            pair[0].end_state == State::Completed || pair[0].config == pair[1].config
        })
    );
}

#[test]
fn what_the_table_lacks_is_refused() {
    let short = unit_cost_pool(&accuracy(None), 4, &[&[0.1, 0.2, 0.3, 0.4]]);
    let mut grid = grid("random", &["none"], &["0.9"], 1, &Settings::default());
    grid.schedulers = vec![resolve("--scheduler", "pop", schedulers::REGISTRY).unwrap()];
    let refused = run_grid(&grid, &short, 1).unwrap_err().to_string();
    assert!(refused.contains("extrapolates from four epochs on"), "{refused}");
}
