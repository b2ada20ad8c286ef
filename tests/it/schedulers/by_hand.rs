//! Small runs worked out by hand.

use curvebook::base::units::SimTime;
use curvebook::replay::Settings;

use super::{clock, constant, epochs, rows, run, workers};

const HALVING: &str = "successive-halving:eta=2,max=4";

#[test]
fn successive_halving_cuts_a_bracket_down() {
    // Four run to epoch 1, two to 2, one to 4.
    let pool = constant(4, &[0.1, 0.4, 0.3, 0.2]);
    let outcome = run(&pool, HALVING, &workers(1));
    assert_eq!(epochs(&outcome), "0:1-1p 1:1-1p 2:1-1p 3:1-1p 1:2-2p 2:2-2p 1:3-4c");
    let facts = &outcome.goals[0].facts;
    assert_eq!((facts.stopped_trials, facts.idle, facts.end), (3, SimTime(0), SimTime(8)));
    // Two workers: the second has nothing to do while the last one runs to its end.
    let outcome = run(&pool, HALVING, &workers(2));
    let wanted = "0@0:0-1 1@1:0-1 2@0:1-2 3@1:1-2 1@0:2-3 2@1:2-3 1@0:3-5";
    assert_eq!(clock(&outcome), wanted);
    assert_eq!(outcome.goals[0].facts.idle, SimTime(2));
}

#[test]
fn a_bracket_that_finds_fewer_rows_shrinks() {
    let pool = constant(4, &[0.1, 0.4, 0.3, 0.2, 0.1]);
    let outcome = run(&pool, HALVING, &workers(2));
    let first = "0@0:0-1 1@1:0-1 2@0:1-2 3@1:1-2 1@0:2-3 2@1:2-3 1@0:3-5";
    assert_eq!(clock(&outcome), format!("{first} 4@0:5-6 4@0:6-7 4@0:7-9"));
    assert_eq!(outcome.goals[0].facts.idle, SimTime(2 + 4));
    // Where free workers begin the next bracket, nobody waits but at the end.
    let outcome = run(&pool, "successive-halving:eta=2,max=4,free=begin", &workers(2));
    assert_eq!(clock(&outcome), format!("{first} 4@1:3-4 4@1:4-5 4@0:5-7"));
    assert_eq!(outcome.goals[0].facts.idle, SimTime(2));
}

#[test]
fn hyperband_goes_from_eager_to_patient_brackets() {
    let pool = constant(4, &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 3:2-2p 2:2-2p 3:3-4c \
                  4:1-2p 5:1-2p 6:1-2p 6:3-4c 7:1-4c 8:1-4c 9:1-4c";
    assert_eq!(epochs(&run(&pool, "hyperband:eta=2", &workers(1))), wanted);
    // Whole multiples: 3 / 2 is one bracket's worth of 2.
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 3:2-2p 2:2-2p 3:3-4c \
                  4:1-2p 5:1-2p 5:3-4c 6:1-4c 7:1-4c 8:1-4c 9:1-1p 9:2-2p 9:3-4c";
    assert_eq!(epochs(&run(&pool, "hyperband:eta=2,arithmetic=floor", &workers(1))), wanted);
    let keras = "hyperband:eta=2,arithmetic=kerastuner";
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 3:2-2p 2:2-2p 3:3-4c \
                  4:1-2p 5:1-2p 6:1-2p 6:3-4c 5:3-4c 7:1-4c 8:1-4c 9:1-4c";
    assert_eq!(epochs(&run(&pool, keras, &workers(1))), wanted);
}

#[test]
fn a_rung_compares_what_was_reached_there_and_not_the_best_so_far() {
    let curves = [vec![0.9, 0.2, 0.2, 0.2], vec![0.1, 0.3, 0.3, 0.3]];
    let pool = rows(4, &curves);
    let halving = "successive-halving:eta=2,min=2";
    assert_eq!(epochs(&run(&pool, halving, &workers(1))), "0:1-2p 1:1-2p 1:3-4c");
    let promoted = epochs(&run(&pool, "asha:eta=2,min=2", &workers(1)));
    assert_eq!(promoted, "0:1-2p 1:1-2p 1:3-4c");
    let turned = rows(4, &[curves[1].clone(), curves[0].clone()]);
    let stopped = epochs(&run(&turned, "asha:eta=2,min=2,type=stopping", &workers(1)));
    assert_eq!(stopped, "0:1-4c 1:1-2s");
}

#[test]
fn equals_go_on_in_the_order_in_which_they_came() {
    let pool = constant(4, &[0.5; 4]);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 3:1-1p 0:2-2p 1:2-2p 0:3-4c";
    assert_eq!(epochs(&run(&pool, HALVING, &workers(1))), wanted);
    let wanted = "0:1-1p 1:1-1p 0:2-2p 2:1-1p 3:1-1p 1:2-2p 0:3-4c";
    assert_eq!(epochs(&run(&pool, "asha:eta=2", &workers(1))), wanted);
}

#[test]
fn asha_promotes_the_best_of_the_highest_rung() {
    let pool = constant(4, &[0.1, 0.2, 0.3, 0.4]);
    let wanted = "0:1-1p 1:1-1p 1:2-2p 2:1-1p 2:2-2p 2:3-4c 3:1-1p 3:2-2p 3:3-4c";
    assert_eq!(epochs(&run(&pool, "asha:eta=2", &workers(1))), wanted);
    // Two at once: the first promotion is possible when both have come, and the second worker
    // starts a new trial meanwhile.
    let outcome = run(&pool, "asha:eta=2", &workers(2));
    let wanted = "0@0:0-1 1@1:0-1 1@0:1-2 2@1:1-2 2@0:2-3 3@1:2-3 2@0:3-5 3@1:3-4 3@1:4-6";
    assert_eq!(clock(&outcome), wanted);
    assert_eq!(outcome.goals[0].facts.idle, SimTime(1));
}

#[test]
fn asha_stops_what_is_not_among_the_best_when_it_comes() {
    let falling = constant(4, &[0.4, 0.3, 0.2, 0.1]);
    let stopped = |cutoff: &str| {
        let text = format!("asha:eta=2,type=stopping,cutoff={cutoff}");
        epochs(&run(&falling, &text, &workers(1)))
    };
    // One alone has nobody to lose against.
    assert_eq!(stopped("floor"), "0:1-4c 1:1-1s 2:1-1s 3:1-1s");
    assert_eq!(stopped("quantile"), "0:1-4c 1:1-1s 2:1-1s 3:1-1s");
    assert_eq!(stopped("optuna"), "0:1-4c 1:1-1s 2:1-1s 3:1-1s");
    // One of two surpasses the second, and 2 / 2 may; at epoch 2 the same once more.
    assert_eq!(stopped("rank"), "0:1-4c 1:1-4c 2:1-1s 3:1-1s");
    let rising = constant(4, &[0.1, 0.2, 0.3, 0.4]);
    let all = epochs(&run(&rising, "asha:eta=2,type=stopping", &workers(1)));
    assert_eq!(all, "0:1-4c 1:1-4c 2:1-4c 3:1-4c");
}

#[test]
fn pasha_goes_no_farther_while_the_order_stands() {
    let pool = constant(16, &[0.1, 0.2, 0.3, 0.4]);
    let wanted = "0:1-1p 1:1-1p 1:2-2p 2:1-1p 2:2-2p 3:1-1p 3:2-2p";
    assert_eq!(epochs(&run(&pool, "pasha:eta=2", &workers(1))), wanted);
    // The third is worse than the second at epoch 2, and was better at epoch 1: one more rung.
    let mut curves: Vec<Vec<f64>> = [0.1, 0.2, 0.3, 0.4].map(|y| vec![y; 16]).to_vec();
    curves[2][1] = 0.15;
    let wanted = "0:1-1p 1:1-1p 1:2-2p 2:1-1p 2:2-2p 1:3-4p 3:1-1p 3:2-2p 3:3-4p";
    assert_eq!(epochs(&run(&rows(16, &curves), "pasha:eta=2", &workers(1))), wanted);
    // With one rung or none there is nothing to compare.
    let pool = constant(2, &[0.1, 0.2]);
    assert_eq!(epochs(&run(&pool, "pasha:eta=2", &workers(1))), "0:1-1p 1:1-1p 1:2-2c");
    let pool = constant(1, &[0.1, 0.2]);
    assert_eq!(epochs(&run(&pool, "pasha:eta=2", &workers(1))), "0:1-1c 1:1-1c");
}

#[test]
fn brackets_of_optuna_begin_to_stop_later() {
    // Every score is worse than the one before: a trial ends at the first rung of its bracket,
    // unless nobody of the bracket was there before.
    let scores: Vec<f64> = (0..40).map(|trial| 0.9 - 0.02 * f64::from(trial)).collect();
    let outcome = run(&constant(9, &scores), "optuna-hyperband", &workers(1));
    let ends: Vec<u16> = outcome.segments.iter().map(|s| s.epochs.0).collect();
    // crc32("curvebook-0-0_TRIAL") modulo 9 + 5 + 3 is below 9, below 14, or not.
    let python = [9, 1, 9, 1, 9, 3, 3, 1, 1, 1];
    let found: Vec<u16> = ends.iter().skip(10).take(10).copied().collect();
    assert_eq!(found, python, "{ends:?}");
}

#[test]
fn trials_end_at_max_where_that_comes_first() {
    let pool = constant(9, &[0.1, 0.2, 0.3, 0.4]);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 2:2-3s 3:1-1p 3:2-3s";
    assert_eq!(epochs(&run(&pool, "asha:max=3", &workers(1))), wanted);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 2:2-3s 3:1-3s";
    assert_eq!(epochs(&run(&pool, "hyperband:max=3", &workers(1))), wanted);
    let wanted = "0:1-3s 1:1-3s 2:1-3s 3:1-3s";
    assert_eq!(epochs(&run(&pool, "hyperband:max=3,min=3", &workers(1))), wanted);
}

#[test]
fn each_resume_of_a_paused_trial_costs_what_its_checkpoint_does() {
    let pool = constant(4, &[0.1, 0.4, 0.3, 0.2]);
    let settings = Settings { resume_cost: SimTime(10), ..workers(1) };
    let outcome = run(&pool, HALVING, &settings);
    let wanted = "0@0:0-1 1@0:1-2 2@0:2-3 3@0:3-4 1@0:4-15 2@0:15-26 1@0:26-38";
    assert_eq!(clock(&outcome), wanted);
    let overheads: Vec<u64> = outcome.segments.iter().map(|s| s.overhead.0).collect();
    assert_eq!(overheads, [0, 0, 0, 0, 10, 10, 10]);
    // Whoever never pauses never resumes.
    let stopping = "asha:eta=2,type=stopping";
    let cheap = clock(&run(&pool, stopping, &workers(1)));
    assert_eq!(clock(&run(&pool, stopping, &settings)), cheap);
    // Without checkpoints every epoch is run again.
    let settings = Settings { restart: true, ..workers(1) };
    let wanted = "0@0:0-1 1@0:1-2 2@0:2-3 3@0:3-4 1@0:4-6 2@0:6-8 1@0:8-12";
    assert_eq!(clock(&run(&pool, HALVING, &settings)), wanted);
}
