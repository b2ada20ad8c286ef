//! What holds of every rung method on any table.

use std::collections::BTreeMap;

use curvebook::app::runs::RunRecord;
use curvebook::base::rng::Stream;
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{Ask, Fresh, Proposal, Sampler, State, View, resolve};
use curvebook::methods::{samplers, schedulers, stoppers};
use curvebook::replay::{EndReason, Outcome, Segment, Settings, WarmStart};
use rand::RngExt;

use super::{ALL, constant, epochs, run, scheduler, workers};
use crate::replay_common::{Curve, accuracy, grid, pool, replay_with, run_grid};

/// Rows of different costs and heights that cross now and then.
fn random_rows(stream: &mut Stream, count: usize, epochs: u16) -> Vec<Curve> {
    let row = |stream: &mut Stream| {
        let (height, cost) = (stream.random_range(0.1..0.9), stream.random_range(1..9_u64));
        let score = |stream: &mut Stream| height + stream.random_range(-0.05..0.05);
        let values = (0..epochs).map(|_| score(stream)).collect();
        (values, vec![cost; usize::from(epochs)])
    };
    (0..count).map(|_| row(stream)).collect()
}

/// Each trial's segments follow one another without a gap or a repeat.
fn check_epochs(place: &str, outcome: &Outcome) {
    let mut last: BTreeMap<u32, &Segment> = BTreeMap::new();
    for segment in &outcome.segments {
        if let Some(before) = last.insert(segment.trial.0, segment) {
            assert_eq!(before.end_state, State::Paused, "{place}");
            assert_eq!(segment.epoch_first.0, before.epochs.0 + 1, "{place}: {segment:?}");
            assert!(before.end <= segment.start, "{place}");
        } else {
            assert_eq!(segment.epoch_first, Epoch(1), "{place}");
        }
        assert!(segment.epochs >= segment.epoch_first, "{place}: {segment:?}");
    }
}

#[test]
fn a_promotion_loses_and_repeats_no_epoch_and_every_row_is_used_once() {
    for seed in 0..12 {
        let mut stream = Stream::new(seed, 0, "rungs");
        for count in [1, 2, 9, 26, 28, 100] {
            let pool = pool(&accuracy(Some(0.1)), 27, &random_rows(&mut stream, count, 27));
            let workers = workers([1, 3, 16][stream.random_range(0..3_usize)]);
            for method in ALL {
                let place = format!("{method}, {count} rows, {} workers, {seed}", workers.workers);
                let outcome = run(&pool, method, &workers);
                check_epochs(&place, &outcome);
                let facts = &outcome.goals[0];
                assert_eq!(facts.facts.trials as usize, count, "{place}");
                assert_eq!(facts.end_reason, EndReason::Exhausted, "{place}");
            }
        }
    }
}

/// The first instant at which a worker had nothing to do before the last trial began.
fn first_idle(outcome: &Outcome, workers: u32) -> Option<u64> {
    let new = outcome.segments.iter().filter(|s| s.epoch_first.0 == 1);
    let last_start = new.map(|s| s.start.0).max().unwrap();
    let idle = (0..workers).filter_map(|worker| {
        let mut free_at = 0;
        for s in outcome.segments.iter().filter(|s| s.worker == worker) {
            if s.start.0 > free_at {
                break;
            }
            free_at = s.end.0;
        }
        (free_at < last_start).then_some(free_at)
    });
    idle.min()
}

#[test]
fn workers_wait_only_where_the_definition_does() {
    let mut waited = 0;
    for seed in 0..12 {
        let mut stream = Stream::new(seed, 0, "idle");
        let pool = pool(&accuracy(Some(0.1)), 27, &random_rows(&mut stream, 150, 27));
        for count in [2, 5, 16] {
            for method in ALL {
                let outcome = run(&pool, method, &workers(count));
                let idle = first_idle(&outcome, count);
                let is_synchronous = method.starts_with("hyperband") || method.starts_with("succ");
                if is_synchronous && !method.contains("free=begin") {
                    waited += u32::from(idle.is_some());
                } else {
                    assert_eq!(idle, None, "{method}, {count} workers, {seed}");
                }
            }
        }
    }
    assert!(waited > 90, "{waited} of 108");
}

#[test]
fn one_worker_never_waits() {
    let mut stream = Stream::new(1, 0, "alone");
    let pool = pool(&accuracy(Some(0.1)), 27, &random_rows(&mut stream, 60, 27));
    for method in ALL {
        assert_eq!(run(&pool, method, &workers(1)).goals[0].facts.idle.0, 0, "{method}");
    }
}

/// All runs of every method from the registry down.
fn all_runs(settings: &Settings, goals: &[&str]) -> Vec<RunRecord> {
    let mut stream = Stream::new(5, 0, "grid");
    let pool = pool(&accuracy(Some(0.1)), 27, &random_rows(&mut stream, 60, 27));
    let mut grid = grid("random", &["none", "etr1:tau=2"], goals, 3, settings);
    let method = |text: &&str| resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    grid.schedulers = ALL.iter().map(method).collect();
    grid.workers = vec![1, 4];
    run_grid(&grid, &pool, 2).unwrap()
}

#[test]
fn idle_seconds_are_what_the_trace_leaves_over() {
    let mut idle = 0;
    for run in all_runs(&Settings::default(), &["7", "rank:5"]) {
        for row in &run.rows {
            let end_ns = (row.end_s * 1e9).round() as u64;
            let segments = run.segments.iter().filter(|s| s.start.0 < end_ns);
            let busy: u64 = segments.map(|s| s.end.0.min(end_ns) - s.start.0).sum();
            let wanted = u64::from(row.workers) * end_ns - busy;
            assert_eq!((row.idle_s.unwrap() * 1e9).round() as u64, wanted, "{row:?}");
            idle += u32::from(wanted > 0);
        }
    }
    assert!(idle > 50, "{idle}");
}

#[test]
fn rungs_go_on_with_what_a_warm_start_left_paused() {
    for epochs in [None, Some(Epoch(1)), Some(Epoch(2)), Some(Epoch(20))] {
        let warm_start = WarmStart {
            trials: 10,
            sampler: resolve("--sampler", "random", samplers::REGISTRY).unwrap(),
            stopper: resolve("--stopper", "none", stoppers::REGISTRY).unwrap(),
            epochs,
        };
        let settings = Settings { warm_start: Some(warm_start), ..Settings::default() };
        for run in all_runs(&settings, &["7"]) {
            let row = &run.rows[0];
            let place = format!("{} {} {epochs:?}", row.scheduler, row.stopper);
            assert_eq!((row.trials, &row.end_reason[..]), (60, "exhausted"), "{place}");
            let of_ten = || run.segments.iter().filter(|s| s.trial.0 < 10);
            let firsts = of_ten().filter(|s| s.epoch_first.0 == 1).count();
            assert_eq!(firsts, 10, "{place}");
            // Those that paused below a rung run to it; at a rung, the best of them go on.
            let resumed = of_ten().count() - firsts;
            match epochs {
                None => assert_eq!(resumed, 0, "{place}"),
                Some(epoch) if epoch.0 < 20 => assert!(resumed > 0, "{place}"),
                Some(_) => {}
            }
        }
    }
}

/// Proposes three rows at a time, the next three once these have ended for good.
struct Threes(u32);

impl Sampler for Threes {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        let is_under_way = !self.0.is_multiple_of(3);
        if is_under_way || view.ended().len() == self.0 as usize {
            Fresh::Ready
        } else {
            Fresh::Wait
        }
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        self.0 += 1;
        Proposal::Row(ConfigId(self.0 - 1))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

#[test]
fn a_bracket_does_not_wait_for_a_sampler_that_waits_for_the_bracket() {
    let pool = constant(4, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    let halving = scheduler(&pool, "successive-halving:eta=2");
    let outcome = replay_with(&pool, &workers(2), &["7"], Threes(0), halving, None);
    let wanted = "0:1-1p 1:1-1p 2:1-1p 2:2-2p 2:3-4c 3:1-1p 4:1-1p 5:1-1p 5:2-2p 5:3-4c \
                  6:1-1p 6:2-2p 6:3-4c";
    assert_eq!(epochs(&outcome), wanted);
}

#[test]
fn rungs_of_a_wide_table_take_no_longer_than_sorting() {
    // A rung that sorted itself anew for each of 200,000 trials would take minutes.
    let scores: Vec<f64> =
        (0..200_000_u32).map(|row| f64::from(row * 7919 % 200_003) / 2e5).collect();
    let pool = constant(3, &scores);
    for method in ["asha", "asha:type=stopping,cutoff=quantile", "successive-halving:trials=200000"]
    {
        let outcome = run(&pool, method, &workers(8));
        assert_eq!(outcome.goals[0].facts.trials, 200_000, "{method}");
    }
}
