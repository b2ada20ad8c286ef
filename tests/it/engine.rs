//! The event loop, driven by small methods that stand here.

use std::sync::{Arc, Mutex};

use curvebook::base::rng::Stream;
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{
    Ask, Fate, Fresh, Proposal, Sampler, Scheduler, State, Stopper, Verdict, View, Work,
};
use curvebook::replay::{EndReason, OnNan, Outcome, Pool, Segment, Settings};
use rand::RngExt;

use crate::replay_common::{
    Curve, InOrder, accuracy, fifo, grid, pool, replay_with, run_grid, unit_cost_pool,
};

const NAN: f64 = f64::NAN;

/// Out of reach.
const NEVER: &str = "2";

type Log = Arc<Mutex<Vec<(u32, State)>>>;

/// [`InOrder`] that keeps what it is told.
struct Listener {
    inner: InOrder,
    told: Log,
}

impl Sampler for Listener {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        self.inner.ready(view)
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.inner.propose(view, ask)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.told.lock().unwrap().push((trial.0, view.trial(trial).state));
    }
}

fn paused(view: &View<'_>) -> Vec<TrialId> {
    let trials = (0..).map(TrialId).zip(view.trials());
    trials.filter(|(_, t)| t.state == State::Paused).map(|(id, _)| id).collect()
}

/// Runs every row for one epoch, then the best one to its end in steps of two epochs, and drops
/// the others.
struct BestGoesOn;

impl Scheduler for BestGoesOn {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        if fresh == Fresh::Ready {
            return Work::New { until: Epoch(1), bracket: 0, own: None };
        }
        let paused = paused(view);
        let value = |id: &TrialId| view.trial(*id).value;
        let best = paused.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
        match best {
            _ if view.trials().iter().any(|t| t.state == State::Running) => Work::Wait,
            None => Work::Wait,
            Some(_) if view.trials().iter().any(|t| t.state == State::Completed) => {
                Work::Drop(paused[0])
            }
            Some(&trial) => Work::Resume { trial, until: Epoch(view.trial(trial).executed.0 + 2) },
        }
    }

    fn at_until(&mut self, _: &View<'_>, _: TrialId) -> Fate {
        Fate::Pause
    }

    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        assert_eq!(view.ended().last(), Some(&trial));
    }
}

/// (trial, worker, start, end, first epoch, epochs, state)
type Line = (u32, u32, u64, u64, u16, u16, State);

fn lines(segments: &[Segment]) -> Vec<Line> {
    let line = |s: &Segment| {
        let (first, epochs) = (s.epoch_first.0, s.epochs.0);
        (s.trial.0, s.worker, s.start.0, s.end.0, first, epochs, s.end_state)
    };
    segments.iter().map(line).collect()
}

#[test]
fn resumed_trials_pay_only_new_epochs_and_dropped_ones_nothing() {
    use State::{Completed, Paused, Stopped};
    let curves: [Curve; 3] = [
        (vec![0.1, 0.2, 0.3, 0.4, 0.5], vec![10; 5]),
        (vec![0.3, 0.35, 0.4, 0.45, 0.5], vec![7; 5]),
        (vec![0.2, 0.9, 0.9, 0.9, 0.9], vec![3; 5]),
    ];
    let pool = pool(&accuracy(None), 5, &curves);
    let told = Log::default();
    let sampler = Listener { inner: InOrder(0), told: Arc::clone(&told) };
    let goals = ["0.4", NEVER];
    let outcome =
        replay_with(&pool, &Settings::default(), &goals, sampler, Box::new(BestGoesOn), None);
    assert_eq!(
        lines(&outcome.segments),
        [
            (0, 0, 0, 10, 1, 1, Paused),
            (1, 0, 10, 17, 1, 1, Paused),
            (2, 0, 17, 20, 1, 1, Paused),
            (1, 0, 20, 34, 2, 3, Paused),
            (1, 0, 34, 48, 4, 5, Completed),
        ]
    );
    let [at_pause, never] = outcome.goals[..] else { panic!("two goals") };
    // A paused trial has met its goal.
    assert_eq!(at_pause.reached_at.map(|t| t.0), Some(34));
    assert_eq!((at_pause.facts.epochs, at_pause.facts.stopped_trials), (5, 0));
    assert_eq!((never.end_reason, never.facts.end.0), (EndReason::Exhausted, 48));
    assert_eq!((never.facts.trials, never.facts.epochs, never.facts.stopped_trials), (3, 7, 2));
    let wanted = [
        (0, Paused),
        (1, Paused),
        (2, Paused),
        (1, Paused),
        (1, Completed),
        (0, Stopped),
        (2, Stopped),
    ];
    assert_eq!(*told.lock().unwrap(), wanted);
}

/// Proposes two rows, and the next two once both have been told.
#[derive(Default)]
struct Generations {
    inner: InOrder,
    out: u32,
    full: bool,
}

impl Sampler for Generations {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        if self.full { Fresh::Wait } else { Fresh::Ready }
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        assert!(!self.full, "asked while a generation is out");
        self.out += 1;
        self.full = self.out == 2;
        self.inner.propose(view, ask)
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {
        self.out -= 1;
        self.full &= self.out > 0;
    }
}

#[test]
fn a_sampler_may_wait_for_a_generation() {
    let curves: Vec<Curve> = (1..=6).map(|row| (vec![0.1; 2], vec![row * 10; 2])).collect();
    let pool = pool(&accuracy(None), 2, &curves);
    let settings = Settings { workers: 3, ..Settings::default() };
    let sampler = Generations::default();
    let outcome = replay_with(&pool, &settings, &[NEVER], sampler, fifo(), None);
    let spans: Vec<_> = outcome.segments.iter().map(|s| (s.worker, s.start.0, s.end.0)).collect();
    let wanted = [(0, 0, 20), (1, 0, 40), (0, 40, 100), (1, 40, 120), (0, 120, 220), (1, 120, 240)];
    assert_eq!(spans, wanted);
    assert_eq!(outcome.goals[0].end_reason, EndReason::Exhausted);
}

/// Starts trials at its own points, last first.
struct OwnPoints(Vec<f64>);

impl Scheduler for OwnPoints {
    fn next(&mut self, view: &View<'_>, _: Fresh) -> Work {
        let point = self.0.pop();
        point.map_or(Work::Wait, |x| {
            let own = Some(Proposal::Point(vec![x]));
            Work::New { until: view.epochs, bracket: 4, own }
        })
    }

    fn at_until(&mut self, _: &View<'_>, _: TrialId) -> Fate {
        Fate::Stop
    }

    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        assert_eq!(view.trial(trial).bracket, 4);
    }
}

#[test]
fn points_go_to_the_nearest_free_row_and_ties_to_the_first_in_order() {
    // Rows at 1/16, 3/16, ..., 15/16: 0.5 is exactly as far from row 3 as from row 4.
    let pool = unit_cost_pool(&accuracy(None), 1, &[&[0.1][..]; 8]);
    let mut firsts = Vec::new();
    for seed in 0..20 {
        let settings = Settings { seed, ..Settings::default() };
        let random = grid("random", &["none"], &[NEVER], 1, &settings);
        let order: Vec<u32> =
            run_grid(&random, &pool, 1).unwrap()[0].segments.iter().map(|s| s.config.0).collect();
        let first_of = |a: u32, b: u32| *order.iter().find(|r| **r == a || **r == b).unwrap();

        let points = Box::new(OwnPoints(vec![0.12, 0.5, 0.5, 0.5]));
        let outcome = replay_with(&pool, &settings, &[NEVER], InOrder(0), points, None);
        let rows: Vec<u32> = outcome.segments.iter().map(|s| s.config.0).collect();
        let first = first_of(3, 4);
        assert_eq!(rows, [first, 7 - first, first_of(2, 5), 0], "seed {seed}");
        let distances: Vec<f64> =
            outcome.segments.iter().map(|s| s.snap_distance.unwrap()).collect();
        for (found, wanted) in distances.iter().zip([0.0625, 0.0625, 0.1875, 0.12 - 0.0625]) {
            assert!((found - wanted).abs() < 1e-12, "{distances:?}");
        }
        assert_eq!(outcome.goals[0].facts.snap_distance_median, 0.0625);
        firsts.push(first);
    }
    assert!(firsts.contains(&3) && firsts.contains(&4), "both sides win a tie somewhere");
}

#[test]
fn epochs_of_no_cost_rows_without_epochs_and_rows_cut_short() {
    use State::{Completed, Failed};
    let curves: [Curve; 4] = [
        (vec![0.1, 0.9, 0.2], vec![0, 0, 0]),
        (vec![], vec![]),
        (vec![0.1, 0.2], vec![5, 5]),
        (vec![0.1, NAN, 0.3], vec![2, 0, 3]),
    ];
    let pool = pool(&accuracy(None), 3, &curves);
    let run = |on_nan| {
        let settings = Settings { workers: 2, on_nan, ..Settings::default() };
        replay_with(&pool, &settings, &["0.9", NEVER], InOrder(0), fifo(), None)
    };
    let outcome = run(OnNan::Continue);
    let mut wanted = vec![
        (0, 0, 0, 0, 1, 3, Completed),
        (1, 1, 0, 0, 1, 0, Failed),
        (2, 1, 0, 10, 1, 2, Failed),
        (3, 0, 0, 5, 1, 3, Completed),
    ];
    assert_eq!(lines(&outcome.segments), wanted);
    assert!(outcome.segments[1].value.is_nan() && outcome.segments[1].reported.is_nan());
    assert_eq!(outcome.goals[0].reached_at.map(|t| t.0), Some(0));
    assert_eq!(outcome.goals[1].facts.epochs, 8);
    wanted[3] = (3, 0, 0, 2, 1, 2, Failed);
    assert_eq!(lines(&run(OnNan::Stop).segments), wanted);
}

/// FIFO that keeps the instant at which each trial started.
struct Starts {
    inner: Box<dyn Scheduler>,
    starts: Arc<Mutex<Vec<u64>>>,
}

impl Scheduler for Starts {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let work = self.inner.next(view, fresh);
        if matches!(work, Work::New { .. }) {
            self.starts.lock().unwrap().push(view.now.0);
        }
        work
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.inner.at_until(view, trial)
    }

    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        self.inner.ended(view, trial);
    }
}

/// Stops nothing, and looks whether anything of the future shows.
struct Witness {
    curves: Vec<Curve>,
    starts: Arc<Mutex<Vec<u64>>>,
    looks: Arc<Mutex<u32>>,
}

impl Stopper for Witness {
    fn at_epoch(&mut self, view: &View<'_>, asked: TrialId, epoch: Epoch) -> Verdict {
        *self.looks.lock().unwrap() += 1;
        assert_eq!(view.trial(asked).executed, epoch);
        for (id, trial) in (0..).map(TrialId).zip(view.trials()) {
            let (values, cost_ns) = &self.curves[trial.config.index()];
            let executed = usize::from(trial.executed.0);
            assert_eq!(*view.curve(id), values[..executed], "what ran, and no more");
            let start = self.starts.lock().unwrap()[id.index()];
            let ended = start + cost_ns[..executed].iter().sum::<u64>();
            assert!(ended <= view.now.0, "trial {id} is ahead of the clock");
            if trial.state == State::Running && executed < values.len() {
                // Of the epochs due now, those of lower trials have been ended already.
                let next = ended + cost_ns[executed];
                let behind = next < view.now.0 || (next == view.now.0 && id < asked);
                assert!(!behind, "trial {id} is behind the clock");
            }
        }
        Verdict::Go
    }
}

/// Rows with whole, short and empty curves and costs from `cost_min` to 9: many instants coincide.
fn random_curves(stream: &mut Stream, rows: u32, epochs: u16, cost_min: u64) -> Vec<Curve> {
    let row = |_| {
        let length = match stream.random_range(0..10_u32) {
            0 => 0,
            1 => stream.random_range(1..epochs),
            _ => epochs,
        };
        let values = (0..length).map(|_| stream.random_range(0.0..1.0)).collect();
        (values, (0..length).map(|_| stream.random_range(cost_min..10)).collect())
    };
    (0..rows).map(row).collect()
}

#[test]
fn a_rule_sees_what_has_happened_by_now_and_nothing_else() {
    let mut stream = Stream::new(5, 0, "witness");
    for workers in 1..=8 {
        let curves = random_curves(&mut stream, 40, 6, 1);
        let pool = pool(&accuracy(None), 6, &curves);
        let (starts, looks) = (Arc::default(), Arc::default());
        let scheduler = Starts { inner: fifo(), starts: Arc::clone(&starts) };
        let witness = Witness { curves, starts, looks: Arc::clone(&looks) };
        let settings = Settings { workers, ..Settings::default() };
        let rule = Some(Box::new(witness) as Box<dyn Stopper>);
        replay_with(&pool, &settings, &[NEVER], InOrder(0), Box::new(scheduler), rule);
        assert!(*looks.lock().unwrap() > 100, "the rule was asked");
    }
}

/// Does anything that it may do, at random; waits only where nothing can be done.
struct Chaos(Stream);

impl Chaos {
    fn until(&mut self, view: &View<'_>, executed: Epoch) -> Epoch {
        Epoch(self.0.random_range(executed.0 + 1..=view.epochs.0))
    }
}

impl Scheduler for Chaos {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let paused = paused(view);
        let may_start = fresh == Fresh::Ready;
        if may_start && (paused.is_empty() || self.0.random_range(0..3_u32) == 0) {
            return Work::New { until: self.until(view, Epoch(0)), bracket: 0, own: None };
        }
        if paused.is_empty() {
            return Work::Wait;
        }
        let trial = paused[self.0.random_range(0..paused.len() as u64) as usize];
        if self.0.random_range(0..4_u32) == 0 {
            return Work::Drop(trial);
        }
        Work::Resume { trial, until: self.until(view, view.trial(trial).executed) }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        match self.0.random_range(0..6_u32) {
            0 => Fate::Stop,
            1 | 2 => Fate::Go { until: self.until(view, view.trial(trial).executed) },
            _ => Fate::Pause,
        }
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}
}

/// Every segment pays for its own epochs, follows its trial's last one, and has its worker alone.
fn check_schedule(outcome: &Outcome, curves: &[Curve], epochs: u16, workers: u32) {
    let mut executed = vec![0_u16; curves.len()];
    let mut state = vec![None; curves.len()];
    let mut trial_free_at = vec![0; curves.len()];
    let mut worker_free_at = vec![0; workers as usize];
    for s in &outcome.segments {
        let row = s.config.index();
        assert_eq!(s.config, ConfigId(s.trial.0), "rows are proposed in order, each once");
        assert_eq!(s.epoch_first.0, executed[row] + 1, "nothing runs twice or is left out");
        let ran = usize::from(executed[row])..usize::from(s.epochs.0);
        assert_eq!(s.end.0 - s.start.0, curves[row].1[ran].iter().sum::<u64>(), "{s:?}");
        assert!(s.start.0 >= trial_free_at[row] && s.worker < workers);
        assert!(matches!(state[row], None | Some(State::Paused)), "{s:?} follows an end");
        let free_at = &mut worker_free_at[s.worker as usize];
        assert!(s.start.0 >= *free_at, "worker {} runs two trials at once", s.worker);
        (*free_at, trial_free_at[row]) = (s.end.0, s.end.0);
        (executed[row], state[row]) = (s.epochs.0, Some(s.end_state));
    }
    for ((curve, executed), state) in curves.iter().zip(&executed).zip(&state) {
        let recorded = u16::try_from(curve.0.len()).unwrap();
        let state = state.expect("every row is started");
        assert!(matches!(state, State::Completed | State::Failed | State::Stopped | State::Paused));
        assert_eq!(state == State::Completed, *executed == epochs);
        assert_eq!(state == State::Failed, *executed == recorded && recorded < epochs);
    }
    let total: u64 = executed.iter().map(|e| u64::from(*e)).sum();
    let facts = &outcome.goals[0].facts;
    assert_eq!((facts.epochs, facts.trials as usize), (total, curves.len()));
    assert_eq!(facts.end.0, *worker_free_at.iter().max().unwrap());
    assert_eq!(outcome.goals[0].end_reason, EndReason::Exhausted);
}

#[test]
fn any_schedule_is_charged_what_it_ran() {
    let mut stream = Stream::new(11, 0, "schedules");
    let mut resumed = 0;
    for workers in 1..=16 {
        for seed in 0..20 {
            let curves = random_curves(&mut stream, 30, 7, 0);
            let pool = pool(&accuracy(None), 7, &curves);
            let settings = Settings { workers, ..Settings::default() };
            let chaos = Box::new(Chaos(Stream::new(seed, u64::from(workers), "chaos")));
            let outcome = replay_with(&pool, &settings, &[NEVER], InOrder(0), chaos, None);
            check_schedule(&outcome, &curves, 7, workers);
            resumed += outcome.segments.iter().filter(|s| s.epoch_first.0 > 1).count();
        }
    }
    assert!(resumed > 1000, "only {resumed} segments were resumed");
}

#[test]
fn no_worker_is_idle_while_rows_are_left() {
    let mut stream = Stream::new(13, 0, "busy");
    for workers in 1..=16 {
        let curves = random_curves(&mut stream, 60, 5, 0);
        let pool: Pool = pool(&accuracy(None), 5, &curves);
        let settings = Settings { workers, ..Settings::default() };
        let outcome = replay_with(&pool, &settings, &[NEVER], InOrder(0), fifo(), None);
        check_schedule(&outcome, &curves, 5, workers);
        let last_start = outcome.segments.last().unwrap().start;
        for worker in 0..workers {
            let mut busy_until = curvebook::base::units::SimTime::ZERO;
            for s in outcome.segments.iter().filter(|s| s.worker == worker) {
                assert_eq!(s.start, busy_until, "worker {worker} was idle");
                busy_until = s.end;
            }
            assert!(busy_until >= last_start, "worker {worker} of {workers} was idle at the end");
        }
    }
}
