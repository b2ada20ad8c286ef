//! Rung methods worked out by hand, which trial runs which epochs when; and what holds of all of
//! them on any table.

mod by_hand;
mod gaps;
mod properties;
mod refusals;

use curvebook::methods::interface::{RunContext, Scheduler, State, resolve};
use curvebook::methods::schedulers;
use curvebook::replay::{Outcome, Pool, Settings};

use crate::replay_common::{InOrder, accuracy, context, replay_with, unit_cost_pool};

/// Every rung method, and every way in which they differ.
const ALL: [&str; 13] = [
    "successive-halving",
    "successive-halving:free=begin,trials=40",
    "hyperband",
    "hyperband:arithmetic=floor,free=begin",
    "hyperband:arithmetic=kerastuner,eta=2,min=2",
    "asha",
    "asha:cutoff=quantile",
    "asha:cutoff=optuna,eta=2",
    "asha:type=stopping,cutoff=rank",
    "asha:type=stopping,cutoff=floor",
    "pasha",
    "pasha:cutoff=quantile,eta=2",
    "optuna-hyperband:eta=2",
];

fn scheduler(pool: &Pool, text: &str) -> Box<dyn Scheduler> {
    let method = resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    method.build(&context(pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

/// Rows by id, until nothing is left to run.
fn run(pool: &Pool, text: &str, settings: &Settings) -> Outcome {
    let scheduler = scheduler(pool, text);
    replay_with(pool, settings, &["7"], InOrder::default(), scheduler, None)
}

fn workers(workers: u32) -> Settings {
    Settings { workers, ..Settings::default() }
}

/// Rows that have one score at every epoch, each of which takes a nanosecond.
fn constant(epochs: u16, scores: &[f64]) -> Pool {
    let curves: Vec<Vec<f64>> = scores.iter().map(|y| vec![*y; usize::from(epochs)]).collect();
    rows(epochs, &curves)
}

fn rows(epochs: u16, curves: &[Vec<f64>]) -> Pool {
    let curves: Vec<&[f64]> = curves.iter().map(Vec::as_slice).collect();
    unit_cost_pool(&accuracy(Some(0.25)), epochs, &curves)
}

fn letter(state: State) -> char {
    match state {
        State::Completed => 'c',
        State::Stopped => 's',
        State::Paused => 'p',
        State::Failed => 'f',
        other => panic!("{other:?}"),
    }
}

/// The segments in the order of their starts: `trial:first-last` epoch, and how each ended.
fn epochs(outcome: &Outcome) -> String {
    let text = |s: &curvebook::replay::Segment| {
        format!("{}:{}-{}{}", s.trial, s.epoch_first, s.epochs, letter(s.end_state))
    };
    outcome.segments.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The same by the clock: `trial@worker:start-end`.
fn clock(outcome: &Outcome) -> String {
    let text = |s: &curvebook::replay::Segment| {
        format!("{}@{}:{}-{}", s.trial, s.worker, s.start.0, s.end.0)
    };
    outcome.segments.iter().map(text).collect::<Vec<_>>().join(" ")
}
