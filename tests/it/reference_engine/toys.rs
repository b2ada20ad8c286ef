//! Toy methods, one a capability of the interface: each agrees with the slow implementation on
//! random tables, and shows that it did what it is there for.

use std::sync::{Arc, Mutex};

use curvebook::base::measured::is_measured;
use curvebook::base::rng::Stream;
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{Ask, Fate, Fresh, Looks, Proposal, State, Verdict, Work};
use curvebook::replay::Outcome;
use rand::RngExt;

use super::mind::{Mind, Seen, shared};
use super::{Case, Naming};

/// NaN behind everything.
fn rank(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NEG_INFINITY }
}

/// The best of some trials by a value, the oldest of equals.
fn best(ids: impl Iterator<Item = u32>, value: impl Fn(u32) -> f64) -> Option<TrialId> {
    let best = ids.reduce(|a, b| if rank(value(b)) > rank(value(a)) { b } else { a });
    best.map(TrialId)
}

fn start(epochs: u16) -> Work {
    Work::New { until: Epoch(epochs), bracket: 0, own: None }
}

/// As ASHA: of all trials that came to a rung, the better half goes on to the next, twice as far;
/// compared by the score at the rung.
struct Promotes;

impl Mind for Promotes {
    fn next(&mut self, seen: &Seen, fresh: Fresh) -> Work {
        for rung in [4, 2, 1_u16].into_iter().filter(|r| *r < seen.epochs) {
            let at_rung = |id: u32| rank(seen.trials[id as usize].curve[usize::from(rung) - 1]);
            let ids = 0..seen.trials.len() as u32;
            let mut came: Vec<u32> =
                ids.filter(|id| seen.trials[*id as usize].executed >= rung).collect();
            came.sort_by(|a, b| at_rung(*b).total_cmp(&at_rung(*a)));
            let waits = |id: &&u32| {
                let trial = &seen.trials[**id as usize];
                trial.state == State::Paused && trial.executed == rung
            };
            if let Some(&id) = came[..came.len() / 2].iter().find(waits) {
                let until = Epoch((2 * rung).min(seen.epochs));
                return Work::Resume { trial: TrialId(id), until };
            }
        }
        if fresh == Fresh::Ready { start(1) } else { Work::Wait }
    }

    fn at_until(&mut self, _: &Seen, _: TrialId) -> Fate {
        Fate::Pause
    }
}

/// As POP: three trials of one epoch at a time; all but the best are dropped, it goes on.
struct Drops;

impl Mind for Drops {
    fn next(&mut self, seen: &Seen, fresh: Fresh) -> Work {
        let paused: Vec<u32> = seen.in_state(State::Paused).collect();
        if fresh == Fresh::Ready && paused.len() < 3 {
            return start(1);
        }
        let value = |id: u32| seen.trials[id as usize].value;
        let Some(best) = best(paused.iter().copied(), value) else { return Work::Wait };
        match paused.iter().find(|id| **id != best.0) {
            Some(worse) => Work::Drop(TrialId(*worse)),
            None => Work::Resume { trial: best, until: Epoch(seen.epochs) },
        }
    }

    fn at_until(&mut self, _: &Seen, _: TrialId) -> Fate {
        Fate::Pause
    }
}

/// Three at a time, the next three once all are told.
#[derive(Default)]
struct Generations {
    proposed: u32,
    told: u32,
    waited: Arc<Mutex<u32>>,
}

impl Generations {
    /// Whether some of a generation have been proposed, and not yet all.
    fn is_under_way(&self) -> bool {
        !self.proposed.is_multiple_of(3)
    }
}

impl Mind for Generations {
    fn ready(&mut self, _: &Seen) -> Fresh {
        if self.is_under_way() || self.proposed == self.told {
            return Fresh::Ready;
        }
        *self.waited.lock().unwrap() += 1;
        Fresh::Wait
    }

    fn propose(&mut self, seen: &Seen, _: &Ask) -> Proposal {
        assert!(self.is_under_way() || seen.in_state(State::Running).count() == 0);
        self.proposed += 1;
        Proposal::Row(ConfigId(*seen.free.last().unwrap()))
    }

    fn tell(&mut self, _: &Seen, _: TrialId) {
        self.told += 1;
    }
}

/// A scheduler that needs no sampler: the free row of the lowest number.
struct OwnProposals;

impl Mind for OwnProposals {
    fn ready(&mut self, _: &Seen) -> Fresh {
        Fresh::Exhausted
    }

    fn propose(&mut self, _: &Seen, _: &Ask) -> Proposal {
        panic!("nobody needs the sampler")
    }

    fn next(&mut self, seen: &Seen, _: Fresh) -> Work {
        let may_start = seen.trials_max.is_none_or(|max| seen.trials.len() < max as usize);
        let Some(row) = seen.free.iter().min().filter(|_| may_start) else { return Work::Wait };
        let own = Some(Proposal::Row(ConfigId(*row)));
        Work::New { until: Epoch(seen.epochs), bracket: 7, own }
    }

    fn ended(&mut self, seen: &Seen, trial: TrialId) {
        assert_eq!(seen.trial(trial).bracket, 7);
    }
}

/// As CMA-ES: it hears of the points that it proposed, and of the rows that they became.
#[derive(Default)]
struct Points {
    proposed: Vec<Vec<f64>>,
    snapped: Arc<Mutex<u32>>,
}

impl Mind for Points {
    fn propose(&mut self, seen: &Seen, ask: &Ask) -> Proposal {
        let x = (seen.trials.len() as f64 * 0.618).fract();
        self.proposed.push(vec![x, 1.0 - x, x]);
        assert_eq!(ask.trial.index() + 1, self.proposed.len());
        Proposal::Point(self.proposed[ask.trial.index()].clone())
    }

    fn tell(&mut self, seen: &Seen, trial: TrialId) {
        assert_eq!(seen.trial(trial).point.as_ref(), Some(&self.proposed[trial.index()]));
        let distance = seen.trial(trial).snap_distance.expect("a point was proposed");
        *self.snapped.lock().unwrap() += u32::from(distance > 0.0);
    }
}

/// Keeps away from what is running: the free row whose number is farthest from all of them.
#[derive(Default)]
struct Pending(Arc<Mutex<usize>>);

impl Mind for Pending {
    fn propose(&mut self, seen: &Seen, _: &Ask) -> Proposal {
        let running: Vec<u32> =
            seen.in_state(State::Running).map(|id| seen.trials[id as usize].config).collect();
        let most = (*self.0.lock().unwrap()).max(running.len());
        *self.0.lock().unwrap() = most;
        let far = |row: &u32| running.iter().map(|r| r.abs_diff(*row)).min();
        Proposal::Row(ConfigId(*seen.free.iter().max_by_key(|row| far(row)).unwrap()))
    }
}

/// Stops at epoch 1 what is more than 0.4 short of the goal.
struct AsksForGoal;

impl Mind for AsksForGoal {
    fn at_epoch(&mut self, seen: &Seen, trial: TrialId, epoch: Epoch) -> Verdict {
        let goal = seen.goal.expect("the run tells it");
        assert_eq!(epoch, Epoch(1));
        if seen.trial(trial).curve[0] < goal - 0.4 {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }

    fn looks(&self) -> Option<Looks> {
        Some(Looks::only(Epoch(1)))
    }

    fn looks_at_running(&self) -> bool {
        false
    }
}

/// Expects a tenth more than the last score, and stops every other trial at epoch 2.
struct Predicts;

impl Mind for Predicts {
    fn at_epoch(&mut self, seen: &Seen, trial: TrialId, epoch: Epoch) -> Verdict {
        let last = seen.trial(trial).curve.iter().rfind(|y| is_measured(**y));
        let last = last.copied().unwrap_or(f64::NAN);
        match epoch {
            Epoch(2) if trial.0 % 2 == 1 => Verdict::Stop { predicted: Some(last + 0.1) },
            _ => Verdict::Go,
        }
    }

    fn looks(&self) -> Option<Looks> {
        Some(Looks::EveryEpoch)
    }
}

/// The same toy in random cases at 1 to 5 workers, and under the slow implementation.
fn try_toy<M: Mind + 'static>(
    change: impl Fn(&mut Case),
    toy: impl Fn() -> M,
    mut see: impl FnMut(&Case, &Outcome),
) {
    for seed in 0..60 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "toys");
        let workers = stream.random_range(1..6);
        let mut case = Case::random(&mut stream, workers);
        change(&mut case);
        see(&case, &case.compare(|| vec![(shared(toy()), None)]));
    }
}

#[test]
fn promoting() {
    let mut resumed = 0;
    try_toy(
        |_| (),
        || Promotes,
        |_, outcome| {
            resumed += outcome.segments.iter().filter(|s| s.epoch_first.0 > 1).count();
        },
    );
    assert!(resumed > 50, "{resumed}");
}

#[test]
fn dropping() {
    let mut dropped = 0;
    try_toy(
        |_| (),
        || Drops,
        |_, outcome| {
            // No segment says so: it paused, and nothing ran it again.
            let stopped = outcome.segments.iter().filter(|s| s.end_state == State::Stopped).count();
            dropped += outcome.goals[0].facts.stopped_trials as usize - stopped;
        },
    );
    assert!(dropped > 25, "{dropped}");
}

#[test]
fn generations_that_wait() {
    let waited = Arc::default();
    let toy = || Generations { waited: Arc::clone(&waited), ..Generations::default() };
    try_toy(|_| (), toy, |_, _| ());
    assert!(*waited.lock().unwrap() > 50);
}

#[test]
fn a_schedulers_own_proposals() {
    try_toy(
        |_| (),
        || OwnProposals,
        |_, outcome| {
            let rows = outcome.segments.iter().map(|s| s.config.0);
            assert!(rows.eq(0..outcome.segments.len() as u32));
        },
    );
}

#[test]
fn the_point_proposed_and_the_row_that_it_became() {
    let snapped = Arc::default();
    let toy = || Points { snapped: Arc::clone(&snapped), ..Points::default() };
    try_toy(
        |_| (),
        toy,
        |_, outcome| {
            assert!(outcome.segments.iter().all(|s| s.snap_distance.is_some()));
        },
    );
    assert!(*snapped.lock().unwrap() > 200);
}

#[test]
fn trials_that_are_still_running() {
    for workers in 1..=5 {
        let most = Arc::default();
        let rules = |case: &mut Case| {
            case.rules.workers = workers;
            case.rules.budget_ns = None;
        };
        try_toy(rules, || Pending(Arc::clone(&most)), |_, _| ());
        assert_eq!(*most.lock().unwrap() as u32, workers - 1);
    }
}

#[test]
fn a_method_that_knows_the_goal() {
    let mut ends = [Vec::new(), Vec::new()];
    for (goal, ends) in [0.5, 0.9].into_iter().zip(&mut ends) {
        let tell = |case: &mut Case| {
            case.tells_goal = true;
            case.goals = vec![if case.table.minimise { -goal } else { goal }];
        };
        try_toy(
            tell,
            || AsksForGoal,
            |_, outcome| {
                ends.push(outcome.goals[0].facts.stopped_trials);
            },
        );
    }
    assert!(ends[0].iter().sum::<u32>() < ends[1].iter().sum::<u32>(), "{ends:?}");
}

#[test]
fn a_rule_that_predicts() {
    let mut predicted = 0;
    let report = |case: &mut Case| {
        case.rules.report = "predicted";
        case.rules.best = false;
    };
    try_toy(
        report,
        || Predicts,
        |_, outcome| {
            for s in outcome.segments.iter().filter(|s| s.end_state == State::Stopped) {
                if s.value.is_finite() {
                    predicted += 1;
                    assert_eq!(s.reported, s.value + 0.1);
                } else {
                    // Nothing finite was predicted: its best epoch, which is the first.
                    assert!(s.reported.is_nan() || s.reported.is_finite());
                }
            }
        },
    );
    assert!(predicted > 25, "{predicted}");
}
