//! The engine against a slow implementation of the same contract, on random tables, settings and
//! methods: facts of every goal, every segment, and everything that a method was shown agree.

mod given;
pub(crate) mod mind;
pub(crate) mod oracle;
pub(crate) mod slow;
pub(crate) mod tables;
mod toys;

use std::sync::{Arc, Mutex};

use curvebook::base::rng::Stream;
use curvebook::base::units::Epoch;
use curvebook::methods::interface::{Fresh, Looks};
use curvebook::replay::{
    Experiment, GoalFacts, Outcome, Pool, Segment, Settings, Workspace, replay,
};
use mind::{Mind, Seen, Shared, phase, shared};
use oracle::{Call, Oracle};
use rand::RngExt;
use slow::{Facts, Line, Rules, Run, Table};
use tables::{one_in, pool, random_goals, random_rules, random_table, settings, targets};

/// One run in every respect but its methods.
pub(crate) struct Case {
    pub table: Table,
    pub rules: Rules,
    /// Values of the metric.
    pub goals: Vec<f64>,
    pub tells_goal: bool,
    pub seed: u64,
    pub repeat: u32,
}

pub(crate) type Phases = Vec<(Shared, Option<u32>)>;

/// Sees the order of the rows, and starts nothing.
struct Probe(Arc<Mutex<Vec<u32>>>);

impl Mind for Probe {
    fn ready(&mut self, seen: &Seen) -> Fresh {
        self.0.lock().unwrap().clone_from(&seen.free);
        Fresh::Exhausted
    }
}

impl Case {
    pub(crate) fn random(stream: &mut Stream, workers: u32) -> Self {
        let table = random_table(stream);
        let tells_goal = one_in(stream, 4);
        let goals = random_goals(stream, &table, if tells_goal { 1 } else { 3 });
        let rules = random_rules(stream, workers);
        Self { table, rules, goals, tells_goal, seed: stream.random(), repeat: 3 }
    }

    pub(crate) fn engine(&self, phases: &Phases, workspace: &mut Workspace) -> Outcome {
        self.engine_on(&pool(&self.table), &settings(&self.rules, self.seed), phases, workspace)
    }

    fn engine_on(
        &self,
        pool: &Pool,
        settings: &Settings,
        phases: &Phases,
        workspace: &mut Workspace,
    ) -> Outcome {
        let targets = targets(pool, settings, &self.goals);
        let mut phases: Vec<_> = phases.iter().map(|(mind, max)| phase(mind, *max)).collect();
        let experiment = Experiment {
            pool,
            settings,
            targets: &targets,
            tells_goal: self.tells_goal,
            repeat: self.repeat,
            trace: true,
        };
        replay(&experiment, &mut phases, workspace)
    }

    /// The repeat's order of the rows, which a budget or limit does not change.
    pub(crate) fn order(&self) -> Vec<u32> {
        let order = Arc::default();
        let probe = shared(Probe(Arc::clone(&order)));
        let rules = Rules { trials_max: None, ..self.rules.clone() };
        let settings = settings(&rules, self.seed);
        let (pool, phases) = (pool(&self.table), vec![(probe, None)]);
        self.engine_on(&pool, &settings, &phases, &mut Workspace::default());
        std::mem::take(&mut *order.lock().unwrap())
    }

    fn scores(&self) -> Vec<f64> {
        let sign = if self.table.minimise { -1.0 } else { 1.0 };
        self.goals.iter().map(|goal| sign * goal).collect()
    }

    /// The slow implementation for some goals.
    pub(crate) fn slow(&self, scores: &[f64], phases: &Phases) -> (Facts, Vec<Line>) {
        let (told, order) = (self.tells_goal.then(|| scores[0]), self.order());
        Run::new(&self.table, &self.rules, scores, told, &order).replay(phases)
    }

    /// Runs both, with fresh methods each time, and compares everything.
    pub(crate) fn compare(&self, phases: impl Fn() -> Phases) -> Outcome {
        let outcome = self.engine(&phases(), &mut Workspace::default());
        let scores = self.scores();
        let (_, lines) = self.slow(&scores, &phases());
        assert_eq!(outcome.segments.len(), lines.len(), "segments");
        for (segment, line) in outcome.segments.iter().zip(&lines) {
            assert_eq!(segment_text(segment), line_text(line));
        }
        for (found, score) in outcome.goals.iter().zip(scores) {
            let (wanted, _) = self.slow(&[score], &phases());
            let median = found.facts.snap_distance_median - wanted.snap_distance_median;
            assert!(median.abs() <= 1e-15 || wanted.snap_distance_median.is_nan(), "{median}");
            assert_eq!(found_text(found), wanted_text(&wanted), "goal {score}");
        }
        outcome
    }
}

fn segment_text(s: &Segment) -> String {
    assert_eq!(s.curve_repeat, 0);
    let ids = (s.trial.0, s.config.0, s.worker);
    let span = (s.start.0, s.end.0, s.epoch_first.0, s.epochs.0, s.overhead.0);
    format!("{ids:?} {span:?} {:?} {:?}", s.end_state, (s.value, s.reported, s.snap_distance))
}

fn line_text(l: &Line) -> String {
    let ids = (l.trial, l.config, l.worker);
    let span = (l.start, l.end, l.epoch_first, l.epochs, l.overhead);
    format!("{ids:?} {span:?} {:?} {:?}", l.end_state, (l.value, l.reported, l.snap_distance))
}

fn found_text(found: &GoalFacts) -> String {
    let facts = &found.facts;
    let instants = (found.reached_at.map(|t| t.0), found.epoch_reached_at.map(|t| t.0));
    let counts = (facts.trials, facts.epochs, facts.stopped_trials, facts.saved.0);
    let rows = (facts.goal_rows_met, facts.goal_rows_stopped);
    let has_snapped = !facts.snap_distance_median.is_nan();
    let selected = facts.selected.map(|s| (s.config.0, s.epoch.0, s.value, s.test_value));
    let times = (facts.end.0, facts.overhead.0, facts.idle.0);
    let (end, reason) = (times, found.end_reason.word());
    format!("{instants:?} {end:?} {counts:?} {rows:?} {has_snapped} {selected:?} {reason}")
}

fn wanted_text(wanted: &Facts) -> String {
    let instants = (wanted.reached_at, wanted.epoch_reached_at);
    let counts = (wanted.trials, wanted.epochs, wanted.stopped_trials, wanted.saved);
    let rows = wanted.goal_rows;
    let has_snapped = !wanted.snap_distance_median.is_nan();
    let (end, reason) = ((wanted.end, wanted.overhead, wanted.idle), wanted.end_reason);
    let selected = &wanted.selected;
    format!("{instants:?} {end:?} {counts:?} {rows:?} {has_snapped} {selected:?} {reason}")
}

/// Every way of looking, also past the last epoch; `None`: there is no stopper.
pub(crate) fn random_looks(stream: &mut Stream) -> Option<Looks> {
    let first = Epoch(stream.random_range(1..6));
    match stream.random_range(0..8_u32) {
        0 => None,
        1 => Some(Looks::Never),
        2 => Some(Looks::only(first)),
        3 => Some(Looks::These((1..9).map(Epoch).filter(|_| one_in(stream, 2)).collect())),
        4 | 5 => Some(Looks::From { first, step: stream.random_range(1..4) }),
        _ => Some(Looks::EveryEpoch),
    }
}

fn random_oracle(stream: &mut Stream, starts_max: usize) -> Oracle {
    let stopper = random_looks(stream);
    Oracle {
        seed: stream.random(),
        starts_max,
        looks_at_running: stopper == Some(Looks::EveryEpoch) || one_in(stream, 2),
        stopper,
        idles: !one_in(stream, 3),
        width: 3,
        calls: vec![],
    }
}

/// One phase, or two of which the first is a warm start.
fn random_oracles(stream: &mut Stream, rules: &Rules) -> Vec<(Oracle, Option<u32>)> {
    let of_run = rules.trials_max.unwrap_or(u32::MAX) as usize;
    let mut phases = Vec::new();
    if one_in(stream, 3) {
        let limit = stream.random_range(1..5_u32);
        phases.push((random_oracle(stream, of_run.min(limit as usize)), Some(limit)));
    }
    phases.push((random_oracle(stream, of_run), None));
    phases
}

/// Shares oracles, and keeps hold of them for their calls.
pub(crate) fn share(oracles: &[(Oracle, Option<u32>)]) -> (Phases, Vec<Arc<Mutex<Oracle>>>) {
    let kept: Vec<_> = oracles.iter().map(|(o, _)| Arc::new(Mutex::new(o.clone()))).collect();
    let phases = kept.iter().zip(oracles).map(|(o, (_, max))| (Arc::clone(o) as Shared, *max));
    (phases.collect(), kept)
}

fn calls(kept: &[Arc<Mutex<Oracle>>]) -> Vec<Call> {
    kept.iter().flat_map(|oracle| oracle.lock().unwrap().calls.clone()).collect()
}

/// Says which seed a failure came of.
pub(crate) struct Naming(pub u64);

impl Drop for Naming {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the failing seed is {}", self.0);
        }
    }
}

/// What the random cases came to: a test that never sees something shows nothing about it.
#[derive(Debug, Default)]
struct Tally {
    reasons: std::collections::BTreeMap<&'static str, u32>,
    states: std::collections::BTreeMap<&'static str, u32>,
    resumed: u32,
    snapped: u32,
    restarted_or_charged: u32,
    goal_rows_stopped: u32,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        for goal in &outcome.goals {
            *self.reasons.entry(goal.end_reason.word()).or_default() += 1;
            self.goal_rows_stopped += goal.facts.goal_rows_stopped;
        }
        for segment in &outcome.segments {
            *self.states.entry(segment.end_state.word()).or_default() += 1;
            self.resumed += u32::from(segment.epoch_first.0 > 1);
            self.snapped += u32::from(segment.snap_distance.is_some());
            self.restarted_or_charged += u32::from(segment.overhead.0 > 0);
        }
    }
}

const SEEDS: u64 = 1000;

#[test]
fn the_engine_and_the_slow_implementation_agree() {
    let mut tally = Tally::default();
    // What one run leaves behind must not show in the next.
    let (mut lazy, mut eager) = (Workspace::default(), Workspace::default());
    eager.looks_at_every_epoch = true;
    for seed in 0..SEEDS {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "differential");
        let workers = stream.random_range(1..6);
        let case = Case::random(&mut stream, workers);
        let oracles = random_oracles(&mut stream, &case.rules);

        // What the methods were shown first: that is where a difference begins.
        let shown = |workspace: &mut Workspace| {
            let (phases, kept) = share(&oracles);
            (format!("{:?}", case.engine(&phases, workspace)), calls(&kept))
        };
        let (lazily, shown_lazily) = shown(&mut lazy);
        let (eagerly, shown) = shown(&mut eager);
        assert!(lazily == eagerly && shown_lazily == shown, "who looks changes what happens");
        let (phases, kept) = share(&oracles);
        case.slow(&case.scores(), &phases);
        let wanted = calls(&kept);
        for (at, (found, wanted)) in shown.iter().zip(&wanted).enumerate() {
            assert_eq!(found, wanted, "call {at}");
        }
        assert_eq!(shown.len(), wanted.len(), "calls");

        tally.count(&case.compare(|| share(&oracles).0));
    }
    assert!(tally.reasons.len() == 5 && tally.reasons.values().all(|n| *n > 20), "{tally:?}");
    assert!(tally.states.len() == 5 && tally.states.values().all(|n| *n > 50), "{tally:?}");
    let often = [tally.resumed, tally.snapped, tally.restarted_or_charged];
    assert!(tally.goal_rows_stopped > 50, "{tally:?}");
    assert!(often.iter().all(|n| *n > 200), "{tally:?}");
}

/// Methods that do not look at what runs: the engine skips every epoch that no look is at.
#[test]
fn epochs_that_nobody_looks_at_may_be_visited_or_not() {
    let (mut lazy, mut eager) = (Workspace::default(), Workspace::default());
    eager.looks_at_every_epoch = true;
    let mut asked = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..800 {
        let _naming = Naming(seed);
        let mut stream = Stream::new(seed, 0, "looks");
        let workers = stream.random_range(1..6);
        let mut case = Case::random(&mut stream, workers);
        // Epochs of no cost are visited in any case.
        let costs = case.table.rows.iter_mut().flat_map(|row| &mut row.cost_ns);
        costs.for_each(|cost| *cost += 1);
        let mut oracles = random_oracles(&mut stream, &case.rules);
        for (oracle, _) in &mut oracles {
            while oracle.stopper == Some(Looks::EveryEpoch) {
                oracle.stopper = random_looks(&mut stream);
            }
            oracle.looks_at_running = false;
        }
        let mut shown = |workspace: &mut Workspace| {
            let (phases, kept) = share(&oracles);
            let outcome = format!("{:?}", case.engine(&phases, workspace));
            for oracle in kept.iter().map(|oracle| oracle.lock().unwrap()) {
                let looks = oracle.calls.iter().filter(|call| call.1 == "at_epoch").count();
                *asked.entry(way(oracle.stopper.as_ref())).or_default() += looks;
            }
            (outcome, calls(&kept))
        };
        let (skipping, visiting) = (shown(&mut lazy), shown(&mut eager));
        assert_eq!(skipping.0, visiting.0, "{oracles:?}");
        assert_eq!(skipping.1, visiting.1, "{oracles:?}");
    }
    let zero = [asked["no stopper"], asked["never"]];
    assert!(asked["from"] > 500 && asked["these"] > 500 && zero == [0, 0], "{asked:?}");
    assert_eq!(asked.len(), 4, "{asked:?}");
}

fn way(looks: Option<&Looks>) -> &'static str {
    match looks {
        None => "no stopper",
        Some(Looks::Never) => "never",
        Some(Looks::EveryEpoch) => "every epoch",
        Some(Looks::From { .. }) => "from",
        Some(Looks::These(_)) => "these",
    }
}
