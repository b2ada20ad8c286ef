//! What a view tells of trials beside their curves: what they have cost, and which of them a
//! proposal became.

use std::sync::{Arc, Mutex};

use curvebook::base::space::Value;
use curvebook::base::units::{ConfigId, Epoch, SimTime, TrialId};
use curvebook::methods::interface::{
    Ask, Fate, Fresh, Origin, Proposal, Sampler, Scheduler, State, View, Work,
};
use curvebook::replay::{
    Methods, Overhead, Phase, Pool, RecordedCurve, RecordedRow, Settings, Workspace, replay,
};

use crate::replay_common::{InOrder, accuracy, experiment, line_space, replay_with};

/// Two rows of three epochs, 10 and 7 ns each; setting up takes 100 and 50 ns.
fn two_rows() -> Pool {
    let costs: [[u64; 3]; 2] = [[10; 3], [7; 3]];
    let rows = costs.iter().zip([100, 50]).map(|(cost_ns, setup_ns)| RecordedRow {
        curves: vec![RecordedCurve {
            values: &[0.1, 0.2, 0.3],
            cost_ns,
            ..RecordedCurve::default()
        }],
        setup_ns,
        last_epoch: None,
    });
    let configs = [0.25, 0.75].map(|x| vec![Value::Float(x)]);
    Pool::with_rows("two", &accuracy(None), &line_space(), Epoch(3), &configs, rows).unwrap()
}

/// What was asked when, and what the trials had cost by then.
type Costs = Arc<Mutex<Vec<(&'static str, u64, Vec<u64>)>>>;

/// Runs trial 0 for an epoch, then trial 1 beside it for good, and then trial 0 to its end.
struct Keeps(Costs);

impl Keeps {
    fn note(&self, what: &'static str, view: &View<'_>) {
        let ids = (0..).map(TrialId).take(view.trials().len());
        let costs = ids.map(|id| view.cost(id).0).collect();
        self.0.lock().unwrap().push((what, view.now.0, costs));
    }
}

impl Scheduler for Keeps {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        self.note("next", view);
        match view.trials() {
            [] => Work::New { until: Epoch(1), bracket: 0, own: None },
            [first] if first.state == State::Paused && fresh == Fresh::Ready => {
                Work::New { until: view.epochs, bracket: 0, own: None }
            }
            [first, _] if first.state == State::Paused => {
                Work::Resume { trial: TrialId(0), until: view.epochs }
            }
            _ => Work::Wait,
        }
    }

    fn at_until(&mut self, view: &View<'_>, _: TrialId) -> Fate {
        self.note("at_until", view);
        Fate::Pause
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, _: Origin) {
        assert_eq!(view.trial(trial).segment_start, view.now);
        self.note("started", view);
    }

    fn ended(&mut self, view: &View<'_>, _: TrialId) {
        self.note("ended", view);
    }
}

fn costs(settings: &Settings) -> Vec<(&'static str, u64, Vec<u64>)> {
    let costs = Costs::default();
    let scheduler = Box::new(Keeps(Arc::clone(&costs)));
    let pool = two_rows();
    let outcome = replay_with(&pool, settings, &["2"], InOrder(0), scheduler, None);
    // In the end a trial has cost what its segments lasted.
    let (_, _, last) = costs.lock().unwrap().last().cloned().unwrap();
    for (trial, cost) in (0..).zip(last) {
        let of_trial = outcome.segments.iter().filter(|s| s.trial.0 == trial);
        assert_eq!(of_trial.map(|s| s.end.0 - s.start.0).sum::<u64>(), cost);
    }
    std::mem::take(&mut *costs.lock().unwrap())
}

#[test]
fn a_trial_has_cost_what_ended_and_what_runs_since_it_began() {
    let two = Settings { workers: 2, ..Settings::default() };
    let wanted = [
        ("next", 0, vec![]),
        ("started", 0, vec![0]),
        ("next", 0, vec![0]),
        ("at_until", 10, vec![10]),
        ("next", 10, vec![10]),
        ("started", 10, vec![10, 0]),
        ("next", 10, vec![10, 0]),
        // While trial 1 runs, from 10 to 31, trial 0 runs on, from 10 to 30.
        ("ended", 30, vec![30, 20]),
        ("next", 30, vec![30, 20]),
        ("ended", 31, vec![30, 21]),
        ("next", 31, vec![30, 21]),
    ];
    assert_eq!(costs(&two), wanted);
}

#[test]
fn overheads_setting_up_and_epochs_run_again_cost_as_they_are_charged() {
    let settings = Settings {
        workers: 2,
        restart: true,
        trial_overhead: SimTime(1),
        charge_setup: true,
        overhead: Overhead::Fixed(SimTime(1000)),
        ..Settings::default()
    };
    // Trial 0: 1000 + 1 + 100 + 10 until it pauses, then 1 + 100 + 10 again + 2 epochs of 10.
    // Trial 1: 1000 + 1 + 50 + 3 epochs of 7, from 1111 on.
    let wanted = [
        ("next", 0, vec![]),
        ("started", 0, vec![0]),
        ("next", 0, vec![0]),
        ("at_until", 1111, vec![1111]),
        ("next", 1111, vec![1111]),
        ("started", 1111, vec![1111, 0]),
        ("next", 1111, vec![1111, 0]),
        ("ended", 1242, vec![1242, 131]),
        ("next", 1242, vec![1242, 131]),
        ("ended", 2183, vec![1242, 1072]),
        ("next", 2183, vec![1242, 1072]),
    ];
    assert_eq!(costs(&settings), wanted);
}

/// Who heard of what: scheduler or sampler, the event, the trial and its row.
type Log = Arc<Mutex<Vec<String>>>;

/// A scheduler that brings every second proposal along, and a sampler, that write down all they
/// hear of.
struct Hears(&'static str, Log);

impl Hears {
    fn note(&self, event: &str, view: &View<'_>, trial: TrialId) {
        let shown = view.trial(trial);
        let (row, state) = (shown.config, shown.state.word());
        self.1.lock().unwrap().push(format!("{} {event} {trial}: row {row} {state}", self.0));
    }
}

fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::Sampler => "started by the sampler",
        Origin::Scheduler => "started by the scheduler",
        Origin::EarlierPhase => "started earlier",
    }
}

impl Sampler for Hears {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.1.lock().unwrap().push(format!("{} proposes {}", self.0, ask.trial));
        // A point that lies at no row: 0.6 is nearest to the lowest free row from 5 on.
        Proposal::Point(vec![if view.is_free(ConfigId(5)) { 0.55 } else { 0.61 }])
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.note(word(origin), view, trial);
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.note("told", view, trial);
    }
}

impl Scheduler for Hears {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        if fresh != Fresh::Ready {
            return Work::Wait;
        }
        let own = (view.trials().len() % 2 == 1).then(|| view.free().max().unwrap());
        Work::New { until: Epoch(1), bracket: 0, own: own.map(Proposal::Row) }
    }

    fn at_until(&mut self, _: &View<'_>, trial: TrialId) -> Fate {
        if trial.0 == 0 { Fate::Pause } else { Fate::Stop }
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.note(word(origin), view, trial);
    }

    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        self.note("ended", view, trial);
    }
}

#[test]
fn methods_hear_which_trial_a_proposal_became() {
    let values = [0.1, 0.2];
    let configs: Vec<Vec<Value>> =
        (0..10).map(|row| vec![Value::Float((f64::from(row) + 0.5) / 10.0)]).collect();
    let curves = (0..10).map(|_| RecordedCurve {
        values: &values,
        cost_ns: &[5, 5],
        ..RecordedCurve::default()
    });
    let metric = accuracy(None);
    let pool = Pool::new("ten", &metric, &line_space(), Epoch(2), &configs, curves).unwrap();
    let settings = Settings { trials_max: Some(3), ..Settings::default() };
    let log = Log::default();
    let hears = |who| Hears(who, Arc::clone(&log));
    let phase = |sampler, scheduler, trials_max| {
        let methods = Methods {
            sampler: Box::new(hears(sampler)),
            scheduler: Box::new(hears(scheduler)),
            stopper: None,
        };
        Phase { methods, trials_max, ending: None }
    };
    let mut phases = [phase("sampler", "scheduler", Some(2)), phase("SAMPLER", "SCHEDULER", None)];
    let goal = curvebook::replay::Goal::parse("2").unwrap();
    let targets = [goal.on(&pool, settings.value).unwrap()];
    replay(&experiment(&pool, &settings, &targets), &mut phases, &mut Workspace::default());
    let wanted = [
        "sampler proposes 0",
        "scheduler started by the sampler 0: row 5 running",
        "sampler started by the sampler 0: row 5 running",
        "sampler told 0: row 5 paused",
        "scheduler started by the scheduler 1: row 9 running",
        "sampler started by the scheduler 1: row 9 running",
        "scheduler ended 1: row 9 stopped",
        "sampler told 1: row 9 stopped",
        // The second phase: starts by id, then ends, then what is paused.
        "SCHEDULER started earlier 0: row 5 paused",
        "SAMPLER started earlier 0: row 5 paused",
        "SCHEDULER started earlier 1: row 9 stopped",
        "SAMPLER started earlier 1: row 9 stopped",
        "SCHEDULER ended 1: row 9 stopped",
        "SAMPLER told 1: row 9 stopped",
        "SAMPLER told 0: row 5 paused",
        "SAMPLER proposes 2",
        "SCHEDULER started by the sampler 2: row 6 running",
        "SAMPLER started by the sampler 2: row 6 running",
        "SCHEDULER ended 2: row 6 stopped",
        "SAMPLER told 2: row 6 stopped",
    ];
    assert_eq!(log.lock().unwrap().join("\n"), wanted.join("\n"));
}
