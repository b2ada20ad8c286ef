//! i-Epoch by hand: who is resumed, in which order, and what each segment costs.

use curvebook::base::space::Metric;
use curvebook::methods::interface::{RunContext, Scheduler, State, resolve};
use curvebook::methods::schedulers;
use curvebook::replay::{Pool, Settings, WarmStart};

use crate::replay_common::{
    InOrder, accuracy, context, grid, loss, replay_with, run_grid, stopper, unit_cost_pool,
};
use crate::stoppers::{NAN, NULL};

fn scheduler(pool: &Pool, text: &str) -> Box<dyn Scheduler> {
    let method = resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    method.build(&context(pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

/// What ran: row, first epoch, last epoch, start, and how it ended, in the order of the trace.
fn segments(
    metric: &Metric,
    workers: u32,
    text: &str,
    rule: &str,
    curves: &[&[f64]],
) -> Vec<(u32, u16, u16, u64, State)> {
    let epochs = curves.iter().map(|curve| curve.len()).max().unwrap();
    let pool = unit_cost_pool(metric, epochs as u16, curves);
    let settings = Settings { workers, ..Settings::default() };
    let goal = pool.value_of(1e9).to_string();
    let (scheduler, rule) = (scheduler(&pool, text), stopper(&pool, rule));
    let outcome = replay_with(&pool, &settings, &[&goal], InOrder(0), scheduler, rule);
    let mut found: Vec<_> = outcome
        .segments
        .iter()
        .map(|s| (s.config.0, s.epoch_first.0, s.epochs.0, s.start.0, s.end_state))
        .collect();
    found.sort_by_key(|s| (s.3, s.0));
    found
}

use State::{Completed, Failed, Paused, Stopped};

#[test]
fn the_best_of_a_round_run_to_the_end() {
    let text = "i-epoch:epochs=2,trials=4,top=2";
    let curves: [&[f64]; 5] = [
        &[0.9, 0.25, 0.9, 0.9],
        &[0.0, 0.5, 0.0, 0.0],
        &[0.0, 0.25, 0.0, 0.0],
        &[0.0, 0.125, 0.9, 0.9],
        &[0.0, 0.0, 0.0, 0.0],
    ];
    let wanted = [
        (0, 1, 2, 0, Paused),
        (1, 1, 2, 2, Paused),
        (2, 1, 2, 4, Paused),
        (3, 1, 2, 6, Paused),
        // By the value at epoch 2, not the best so far; the tie is the older trial's.
        (1, 3, 4, 8, Completed),
        (0, 3, 4, 10, Completed),
        // A round of one.
        (4, 1, 2, 12, Paused),
        (4, 3, 4, 14, Completed),
    ];
    assert_eq!(segments(&accuracy(None), 1, text, "none", &curves), wanted);
    let losses: Vec<Vec<f64>> =
        curves.iter().map(|curve| curve.iter().map(|y| 1.0 - y).collect()).collect();
    let losses: Vec<&[f64]> = losses.iter().map(Vec::as_slice).collect();
    assert_eq!(segments(&loss(None), 1, text, "none", &losses), wanted);
}

#[test]
fn workers_wait_for_a_round_and_begin_the_next_while_the_best_go_on() {
    let text = "i-epoch:epochs=1,trials=3,top=1";
    let curves: [&[f64]; 4] =
        [&[0.5, 0.5, 0.5], &[0.25, 0.25, 0.25], &[0.125, 0.1, 0.1], &[0.5, 0.5, 0.5]];
    assert_eq!(
        segments(&accuracy(None), 2, text, "none", &curves),
        [
            (0, 1, 1, 0, Paused),
            (1, 1, 1, 0, Paused),
            // One worker is idle from 1 to 2.
            (2, 1, 1, 1, Paused),
            (0, 2, 3, 2, Completed),
            (3, 1, 1, 2, Paused),
            (3, 2, 3, 3, Completed),
        ]
    );
}

#[test]
fn what_has_no_number_at_its_epoch_is_not_ahead() {
    let text = "i-epoch:epochs=2,trials=5,top=2";
    let curves: [&[f64]; 5] = [
        &[NULL, NULL, 0.9, 0.9],
        &[0.5, NAN, 0.9, 0.9],
        // Not measured at 2: the value at 1.
        &[0.375, NULL, 0.0, 0.0],
        &[0.0, 0.25, 0.0, 0.0],
        &[0.9],
    ];
    let resumed = |chance| -> Vec<u32> {
        let all = segments(&accuracy(chance), 1, text, "none", &curves);
        assert!(all.contains(&(4, 1, 1, 8, Failed)));
        all.iter().filter(|s| s.1 == 3).map(|s| s.0).collect()
    };
    assert_eq!(resumed(None), [2, 3]);
    assert_eq!(resumed(Some(0.125)), [2, 3]);
    // NaN is chance: here ahead of the number.
    assert_eq!(resumed(Some(0.3125)), [2, 1]);
}

#[test]
fn a_rule_beside_it_takes_trials_out_of_the_round() {
    let text = "i-epoch:epochs=2,trials=3,top=1";
    let curves: [&[f64]; 3] =
        [&[0.0, 0.9, 0.9, 0.9], &[0.5, 0.5, 0.0, 0.0], &[0.5, 0.25, 0.0, 0.0]];
    assert_eq!(
        segments(&accuracy(None), 1, text, "threshold:lower=0.125", &curves),
        [(0, 1, 1, 0, Stopped), (1, 1, 2, 1, Paused), (2, 1, 2, 3, Paused), (1, 3, 3, 5, Stopped),]
    );
}

#[test]
fn epochs_past_the_end_are_the_end() {
    let curves: [&[f64]; 2] = [&[0.5, 0.5], &[0.25, 0.25]];
    let wanted = [(0, 1, 2, 0, Completed), (1, 1, 2, 2, Completed)];
    assert_eq!(segments(&accuracy(None), 1, "i-epoch:epochs=9", "none", &curves), wanted);
}

#[test]
fn what_a_warm_start_paused_is_of_the_first_round() {
    let curves: [&[f64]; 4] = [
        &[0.5, 0.125, 0.5, 0.5],
        &[0.25, 0.5, 0.25, 0.25],
        &[0.125, 0.375, 0.0, 0.0],
        &[0.0, 0.25, 0.0, 0.0],
    ];
    let pool = unit_cost_pool(&accuracy(None), 4, &curves);
    let method = |text| resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    for (warm_epochs, trials) in [(1, 3), (2, 3), (3, 3)] {
        let mut grid = grid("sobol", &["none"], &["2"], 1, &Settings::default());
        grid.schedulers = vec![method("i-epoch:epochs=2,trials=3,top=1")];
        grid.settings.warm_start = Some(WarmStart {
            trials: 2,
            sampler: grid.samplers[0].clone(),
            stopper: grid.stoppers[0].clone(),
            epochs: Some(curvebook::base::units::Epoch(warm_epochs)),
        });
        let run = run_grid(&grid, &pool, 1).unwrap().remove(0);
        // Everybody comes to epoch 2, and of each round one to the end.
        let mut epochs: Vec<(u32, u16)> = (0..4).map(|row| (row, 0)).collect();
        for s in &run.segments {
            epochs[s.config.index()].1 = s.epochs.0;
        }
        assert!(epochs.iter().all(|(_, epochs)| *epochs >= 2), "{epochs:?}");
        let completed = run.segments.iter().filter(|s| s.end_state == State::Completed).count();
        assert_eq!(completed, 2, "{warm_epochs} {trials}: {:?}", run.segments);
    }
}
