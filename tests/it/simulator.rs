//! A run that is decided from outside, and methods under another loop, are a replay.

use std::path::Path;
use std::sync::Arc;

use curvebook::app::loaded::LoadedTable;
use curvebook::app::optimizer::{Advice, Answer, Optimizer, Source};
use curvebook::app::settings::Given;
use curvebook::app::simulator::{Settings, Simulator, Start};
use curvebook::app::{GO_ON, Silent, replay};
use curvebook::base::error::{Error, Fault};
use curvebook::base::space::Literal;
use curvebook::base::units::{SimTime, TrialId};
use curvebook::store::trace;

fn table() -> Arc<LoadedTable> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/digits-lenet");
    Arc::new(LoadedTable::load(&dir, replay::keywords(), &Silent).unwrap())
}

fn simulator(table: &Arc<LoadedTable>, given: Given) -> Simulator {
    Simulator::new(table, Settings::read(given, 0).unwrap()).unwrap()
}

#[track_caller]
fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> Fault {
    match result.unwrap_err() {
        Error::Input(fault) => *fault,
        other => panic!("{other}"),
    }
}

/// What both are told.
fn run_settings() -> Given {
    replay::keywords().set("goal", "rank:2").set("workers", 3).set("seed", 9).set("max_trials", 30)
}

/// The lines of a trace, but for distances, which only who proposes knows.
fn lines(path: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    trace::read(path, |row| {
        lines.push(format!("{:?}", trace::TraceRecord { snap_distance: None, ..*row }));
        Ok(())
    })
    .unwrap();
    lines
}

#[test]
fn methods_that_drive_a_simulator_do_what_a_replay_does() {
    let (table, dir) = (table(), tempfile::tempdir().unwrap());
    for (sampler, scheduler, stopper) in
        [("random", "fifo", "median"), ("tpe", "asha", "none"), ("random", "hyperband", "none")]
    {
        let methods = |given: Given| {
            let given = given.set("sampler", sampler).set("scheduler", scheduler);
            given.set("stopper", stopper)
        };
        let path = dir.path().join("trace.parquet");
        let asked = methods(run_settings()).set("table", table.dir().display().to_string());
        let asked = asked.set("repeats", 1).set("trace", path.display().to_string());
        let settings = replay::Settings::read(&asked).unwrap();
        replay::run(&settings, &Silent, &GO_ON).unwrap();
        let wanted = lines(&path);

        let source = Source::Table(Arc::clone(&table));
        let mut optimizer = Optimizer::new(source, methods(run_settings()), 0).unwrap();
        let mut run = simulator(&table, run_settings());
        drive(&mut optimizer, &mut run);
        let found: Vec<String> = run
            .trace_rows()
            .map(|row| {
                let record = trace::TraceRecord::from(&row);
                format!("{:?}", trace::TraceRecord { snap_distance: None, ..record })
            })
            .collect();
        assert_eq!(found, wanted, "{sampler} {scheduler} {stopper}");
        assert!(found.len() > 10, "{}", found.len());
    }
}

/// The loop that the engine is: free workers ask until one has to wait, once anything has ended.
fn drive(optimizer: &mut Optimizer, run: &mut Simulator) {
    let mut asks = true;
    loop {
        while asks && run.stepper_mut().is_ready() {
            let now = run.stepper().now();
            match optimizer.advisor_mut().ask(now).unwrap() {
                Advice::Start(trial) => {
                    let row = optimizer.advisor().trial(trial).unwrap().config;
                    let started = run.start(Start::Row(row.0.into()), SimTime::ZERO).unwrap();
                    assert_eq!(started, trial);
                }
                Advice::Resume(trial) => run.stepper_mut().resume(trial).unwrap(),
                Advice::Wait | Advice::Exhausted => asks = false,
            }
        }
        let Some(event) = run.stepper_mut().advance() else { break };
        let value = run.measured(event.score);
        let answer = optimizer.advisor_mut().epoch(event.trial, value, event.now).unwrap();
        match answer {
            Answer::Stop => run.stepper_mut().stop(event.trial, None).unwrap(),
            Answer::Pause => run.stepper_mut().pause(event.trial).unwrap(),
            Answer::Go | Answer::Completed => {}
        }
        asks |= answer != Answer::Go;
    }
    run.stepper_mut().finish();
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let table = table();
    let mut run = simulator(&table, replay::keywords());
    assert_eq!(fault(run.stepper_mut().stop(TrialId(0), None)).field, "trial");
    let trial = run.start(Start::Row(4), SimTime::ZERO).unwrap();
    assert_eq!(fault(run.start(Start::Row(5), SimTime::ZERO)).field, "workers");
    // Nothing of it has ended yet.
    assert_eq!(fault(run.stepper_mut().pause(trial)).field, "trial");
    run.stepper_mut().advance().unwrap();
    run.stepper_mut().pause(trial).unwrap();
    assert!(fault(run.start(Start::Row(4), SimTime::ZERO)).rule.contains("trial 0 has this row"));
    assert_eq!(fault(run.start(Start::Row(-1), SimTime::ZERO)).field, "row");
    run.stepper_mut().stop(trial, None).unwrap();
    assert!(fault(run.stepper_mut().resume(trial)).rule.starts_with("is stopped"));
    run.stepper_mut().finish();
    assert_eq!(fault(run.start(Start::Next, SimTime::ZERO)).field, "end_reason");
    assert!(run.stepper_mut().advance().is_none());
    assert_eq!(
        fault(Settings::read(replay::keywords().set("sampler", "tpe"), 0)).field,
        "samplers"
    );
}

#[test]
fn a_configuration_is_the_tables_or_the_nearest() {
    let table = table();
    let space = table.pool().space();
    let row = table.row_of(11).unwrap();
    let mut config: Vec<(String, Option<Literal>)> = space
        .parameters
        .iter()
        .zip(table.config(row))
        .map(|(p, v)| (p.name.clone(), curvebook::app::loaded::literal(space, &p.name, *v)))
        .collect();
    let mut run = simulator(&table, replay::keywords().set("workers", 2));
    let place = config.iter().position(|(name, _)| name == "learning_rate").unwrap();
    let Some(Literal::Float(rate)) = config[place].1 else { panic!("a real number") };
    config[place].1 = Some(Literal::Float(rate * 1.0001));
    let wrong = fault(run.start(Start::Exactly(&config), SimTime::ZERO));
    assert!(wrong.rule.contains("the nearest free row is 11,"), "{wrong}");
    config[place].1 = Some(Literal::Float(rate));
    let trial = run.start(Start::Exactly(&config), SimTime::ZERO).unwrap();
    assert_eq!(run.stepper().trial(trial).unwrap().config, row);
    let trial = run.start(Start::Nearest(&config), SimTime::ZERO).unwrap();
    let near = run.stepper().trial(trial).unwrap();
    assert!(near.config != row && near.snap_distance.unwrap() > 0.0);
    let lacking = &config[..place];
    assert_eq!(fault(run.start(Start::Exactly(lacking), SimTime::ZERO)).field, "learning_rate");
}
