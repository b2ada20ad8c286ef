//! What holds of every run, over random tables, settings, methods and 1 to 16 workers.

use std::sync::{Arc, Mutex};

use curvebook::base::rng::Stream;
use curvebook::methods::interface::{Looks, State};
use curvebook::replay::{Outcome, Segment, Workspace};
use rand::RngExt;

use crate::reference_engine::mind::Shared;
use crate::reference_engine::oracle::{Call, Oracle};
use crate::reference_engine::slow::Table;
use crate::reference_engine::tables::{one_in, random_row};
use crate::reference_engine::{Case, Naming, random_looks};

/// A random case whose goal is out of reach, so that everything runs to its end.
fn endless(stream: &mut Stream, workers: u32) -> Case {
    let mut case = Case::random(stream, workers);
    case.rules.budget_ns = None;
    case.goals = vec![if case.table.minimise { -5.0 } else { 5.0 }];
    case
}

fn oracle(stream: &mut Stream, case: &Case, idles: bool) -> Oracle {
    let stopper = random_looks(stream);
    Oracle {
        seed: stream.random(),
        starts_max: case.rules.trials_max.map_or(usize::MAX, |m| m as usize),
        looks_at_running: stopper == Some(Looks::EveryEpoch) || one_in(stream, 2),
        stopper,
        idles,
        width: 3,
        calls: vec![],
    }
}

fn run(case: &Case, oracle: &Oracle) -> (Outcome, Vec<Call>) {
    let kept = Arc::new(Mutex::new(oracle.clone()));
    let phases = vec![(Arc::clone(&kept) as Shared, None)];
    let outcome = case.engine(&phases, &mut Workspace::default());
    let calls = kept.lock().unwrap().calls.clone();
    (outcome, calls)
}

/// How many epochs of each row had ended by `now`, and whether its trial was over.
fn by_now(case: &Case, segments: &[Segment], now: u64) -> Vec<(usize, bool)> {
    let mut rows = vec![(0, false); case.table.rows.len()];
    for s in segments.iter().filter(|s| s.start.0 <= now) {
        let (executed, is_over) = &mut rows[s.config.index()];
        let cost_ns = &case.table.rows[s.config.index()].cost_ns;
        let mut instant = s.start.0 + s.overhead.0;
        for epoch in s.epoch_first.0..=s.epochs.0 {
            instant += cost_ns[usize::from(epoch) - 1];
            if instant <= now {
                *executed = usize::from(epoch);
            }
        }
        *is_over = s.end.0 <= now && s.end_state != State::Paused;
    }
    rows
}

/// The table with every epoch that had not ended by `now` made anew: other values, other lengths,
/// and ends at other instants, but after `now`.
fn scrambled(stream: &mut Stream, case: &Case, rows: &[(usize, bool)]) -> Table {
    let mut table = case.table.clone();
    for (row, (executed, is_over)) in table.rows.iter_mut().zip(rows) {
        if *is_over {
            continue;
        }
        let mut other = random_row(stream, table.epochs, 1, row.at.clone());
        if other.values.len() <= *executed {
            let whole = random_row(stream, table.epochs, 1, row.at.clone());
            let length = usize::from(table.epochs);
            other.values = (0..length).map(|e| *whole.values.get(e).unwrap_or(&0.5)).collect();
            other.cost_ns = vec![3; length];
            other.test = vec![0.5; length];
        }
        for epoch in 0..other.values.len() {
            if epoch < *executed {
                other.values[epoch] = row.values[epoch];
                other.cost_ns[epoch] = row.cost_ns[epoch];
            } else {
                // An epoch under way ends no sooner than it did: after `now`.
                other.cost_ns[epoch] += row.cost_ns.get(epoch).unwrap_or(&0);
            }
        }
        other.setup_ns = row.setup_ns;
        // Where a row is complete is known from the start; that it breaks off before is not.
        other.last_epoch = row.last_epoch;
        let last = usize::from(row.last_epoch.unwrap_or(table.epochs));
        other.values.truncate(last);
        other.cost_ns.truncate(last);
        other.test.truncate(last);
        *row = other;
    }
    table
}

#[test]
fn no_decision_used_anything_later_than_its_clock() {
    let (mut compared, mut went_apart) = (0, 0);
    for seed in 0..250 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "causality");
        let workers = 1 + seed as u32 % 16;
        let mut case = endless(&mut stream, workers);
        let oracle = oracle(&mut stream, &case, true);
        let (outcome, calls) = run(&case, &oracle);
        let end = outcome.goals[0].facts.end.0;
        let now = stream.random_range(0..=end);
        let rows = by_now(&case, &outcome.segments, now);
        case.table = scrambled(&mut stream, &case, &rows);
        let (other, other_calls) = run(&case, &oracle);

        let known = |calls: &[Call]| calls.iter().take_while(|c| c.0 <= now).copied().collect();
        let (before, after): (Vec<Call>, Vec<Call>) = (known(&calls), known(&other_calls));
        assert_eq!(before, after, "decisions up to {now}");
        let started = |o: &Outcome| -> Vec<_> {
            let by_now = o.segments.iter().take_while(|s| s.start.0 <= now);
            by_now.map(|s| (s.trial, s.config, s.worker, s.start, s.overhead)).collect()
        };
        assert_eq!(started(&outcome), started(&other));
        compared += before.len();
        went_apart += usize::from(calls != other_calls);
    }
    // The scrambling did change what came later.
    assert!(compared > 4000 && went_apart > 100, "{compared} {went_apart}");
}

/// Each segment follows its trial's last one, has its worker alone and is charged exactly what it
/// ran; only what was cut is charged less.
fn check_charges(case: &Case, segments: &[Segment]) {
    let rules = &case.rules;
    let mut last: Vec<Option<&Segment>> = vec![None; case.table.rows.len()];
    let mut worker_free_at = vec![0; rules.workers as usize];
    let mut trials = 0;
    for s in segments {
        let row = &case.table.rows[s.config.index()];
        let before = last[s.config.index()].replace(s);
        let executed = before.map_or(0, |b| usize::from(b.epochs.0));
        assert_eq!(usize::from(s.epoch_first.0), executed + 1, "nothing runs twice: {s:?}");
        if let Some(before) = before {
            assert_eq!((before.trial, before.end_state), (s.trial, State::Paused));
            assert!(before.end <= s.start);
        } else {
            assert_eq!(s.trial.0, trials, "a row is one trial");
            trials += 1;
        }
        let mut overhead = rules.trial_overhead_ns;
        overhead += if before.is_none() { rules.fixed_overhead_ns } else { 0 };
        let sets_up = rules.charge_setup && (before.is_none() || rules.restart);
        overhead += if sets_up { row.setup_ns } else { 0 };
        overhead += if before.is_some() { rules.resume_ns } else { 0 };
        overhead += if rules.restart { row.cost_ns[..executed].iter().sum() } else { 0 };
        assert_eq!(s.overhead.0, overhead, "{s:?}");
        let recorded: u64 = row.cost_ns[executed..usize::from(s.epochs.0)].iter().sum();
        if s.end_state == State::Cut {
            // Whole epochs count, and none that would have ended by then is left out.
            let until = s.end.0 - s.start.0;
            let ended_none = usize::from(s.epochs.0) == executed;
            assert!(ended_none || overhead + recorded <= until, "{s:?}");
            let next = row.cost_ns.get(usize::from(s.epochs.0)).copied();
            assert!(next.is_none_or(|next| next == 0 || overhead + recorded + next > until));
        } else {
            assert_eq!(s.end.0 - s.start.0, recorded + overhead, "{s:?}");
        }
        let free_at = &mut worker_free_at[s.worker as usize];
        assert!(s.start.0 >= *free_at, "worker {} runs two trials at once", s.worker);
        *free_at = s.end.0;
    }
}

#[test]
fn charged_time_is_recorded_time_and_overhead_and_nothing_runs_twice() {
    let (mut resumed, mut cut) = (0, 0);
    for seed in 0..320 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "charges");
        let workers = 1 + seed as u32 % 16;
        let case = Case::random(&mut stream, workers);
        let oracle = oracle(&mut stream, &case, one_in(&mut Stream::new(seed, 0, "idles"), 2));
        let (outcome, _) = run(&case, &oracle);
        check_charges(&case, &outcome.segments);
        resumed += outcome.segments.iter().filter(|s| s.epoch_first.0 > 1).count();
        cut += outcome.segments.iter().filter(|s| s.end_state == State::Cut).count();
    }
    assert!(resumed > 100 && cut > 100, "{resumed} {cut}");
}

#[test]
fn workers_are_never_idle_while_work_is_allowed() {
    let mut full = 0;
    for seed in 0..320 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "busy");
        let workers = 1 + seed as u32 % 16;
        let case = endless(&mut stream, workers);
        let oracle = oracle(&mut stream, &case, false);
        let (outcome, _) = run(&case, &oracle);
        let segments = &outcome.segments;
        let trials = outcome.goals[0].facts.trials;
        let starts_max =
            case.rules.trials_max.unwrap_or(u32::MAX).min(case.table.rows.len() as u32);
        assert_eq!(trials, starts_max, "everything that may run does");
        let end = outcome.goals[0].facts.end.0;
        for now in segments.iter().flat_map(|s| [s.start.0, s.end.0]).filter(|now| *now < end) {
            let running = segments.iter().filter(|s| (s.start.0..s.end.0).contains(&now)).count();
            if running == workers as usize {
                full += 1;
                continue;
            }
            // A worker is free from here on: everything has been started and nothing is paused.
            let started = segments.iter().filter(|s| s.start.0 <= now && s.epoch_first.0 == 1);
            assert_eq!(started.count() as u32, trials, "idle at {now}");
            let waits = segments.iter().find(|s| {
                let resumes =
                    |next: &Segment| next.trial == s.trial && next.epoch_first.0 == s.epochs.0 + 1;
                let next = segments.iter().find(|next| resumes(next));
                s.end_state == State::Paused
                    && s.end.0 <= now
                    && next.is_some_and(|next| next.start.0 > now)
            });
            assert!(waits.is_none(), "{waits:?} waits, and a worker is idle at {now}");
        }
    }
    assert!(full > 500, "{full}");
}
