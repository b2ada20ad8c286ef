//! What a grid makes of what its methods say of themselves: reports that make no sense are
//! refused, methods that are told the goal run once a goal, and warm starts are a phase of the run.

use curvebook::base::error::{Error, Result};
use curvebook::base::units::{Epoch, SimTime, TrialId};
use curvebook::methods::interface::{
    Arguments, Ask, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, State, Stopper,
    StopperFactory, Trait, Verdict, View, resolve,
};
use curvebook::methods::{samplers, stoppers};
use curvebook::replay::{Grid, Overhead, Pool, Report, RunOptions, Settings, WarmStart};

use crate::replay_common::{InOrder, accuracy, grid, run_grid, unit_cost_pool};

const SAMPLER: Entry<SamplerFactory> = Entry {
    name: "fits",
    summary: "Fits values.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[Trait::LearnsValues],
    build: build_sampler,
};

const STOPPER: Entry<StopperFactory> = Entry {
    name: "foresees",
    summary: "Expects 0.7 of everything, and stops it.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[Trait::Predicts],
    build: build_stopper,
};

static SAMPLERS: &[Entry<SamplerFactory>] = &[
    SAMPLER,
    Entry { name: "ranks", traits: &[Trait::LearnsRanks], ..SAMPLER },
    Entry { name: "greedy", traits: &[Trait::GoalAware], build: build_greedy, ..SAMPLER },
];
static STOPPERS: &[Entry<StopperFactory>] =
    &[STOPPER, Entry { name: "asks", traits: &[Trait::GoalAware], build: build_asks, ..STOPPER }];

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_sampler(_: &Arguments, _: &Context<'_>) -> Result<SamplerFactory> {
    Ok(Box::new(|_| Box::new(InOrder(0))))
}

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_greedy(_: &Arguments, _: &Context<'_>) -> Result<SamplerFactory> {
    Ok(Box::new(|_| Box::new(Greedy)))
}

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_stopper(_: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    Ok(Box::new(|_| Some(Box::new(Foresees))))
}

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_asks(_: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    Ok(Box::new(|_| Some(Box::new(Asks))))
}

/// Takes the row whose number is the tenth of the goal that it is told.
struct Greedy;

impl Sampler for Greedy {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let goal = view.goal.expect("it is told the goal");
        let wanted = view.free().find(|row| f64::from(row.0) / 10.0 >= goal - 1e-9);
        Proposal::Row(wanted.or(view.first_free()).unwrap())
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

struct Foresees;

impl Stopper for Foresees {
    fn at_epoch(&mut self, _: &View<'_>, _: TrialId, _: Epoch) -> Verdict {
        Verdict::Stop { predicted: Some(0.7) }
    }
}

/// Stops at the first epoch what is more than 0.25 short of the goal.
struct Asks;

impl Stopper for Asks {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        let goal = view.goal.expect("it is told the goal");
        if epoch.0 == 1 && view.curve(trial)[0].number().is_some_and(|y| y < goal - 0.25) {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }
}

/// Row `i` of ten climbs to `i / 10` from 0.2 below.
fn climbing() -> Pool {
    let curves: Vec<[f64; 3]> =
        (0..10).map(|i| f64::from(i) / 10.0).map(|top| [top - 0.2, top - 0.1, top]).collect();
    let curves: Vec<&[f64]> = curves.iter().map(|curve| &curve[..]).collect();
    unit_cost_pool(&accuracy(Some(0.0)), 3, &curves)
}

fn with(sampler: &str, stopper: &str, goals: &[&str], report: Report) -> Grid {
    let mut grid = grid("random", &["none"], goals, 4, &Settings::default());
    grid.settings.report = report;
    if SAMPLERS.iter().any(|entry| entry.name == sampler) {
        grid.samplers = vec![resolve("--sampler", sampler, SAMPLERS).unwrap()];
    }
    let is_toy = STOPPERS.iter().any(|entry| entry.name == stopper);
    let registry = if is_toy { STOPPERS } else { stoppers::REGISTRY };
    let stopper = resolve("--stopper", stopper, registry);
    grid.stoppers = vec![stopper.unwrap()];
    grid
}

#[test]
fn reports_that_make_no_sense_are_refused() {
    let pool = climbing();
    let run = |sampler: &str, stopper: &str, report| {
        run_grid(&with(sampler, stopper, &["2"], report), &pool, 1)
    };
    let refused = |sampler: &str, stopper: &str, report| {
        let Err(Error::Input(fault)) = run(sampler, stopper, report) else {
            panic!("{sampler} {stopper} {report:?} is not refused")
        };
        assert_eq!((fault.file.as_str(), fault.field.as_str()), ("--report", "report"));
        assert!(!fault.remedy.is_empty());
        (fault.value, fault.rule)
    };
    for stopper in ["etr1", "etr2"] {
        let (value, rule) = refused("random", stopper, Report::Predicted);
        assert_eq!(value, "predicted");
        assert!(rule.contains(&format!("`{stopper}:")), "{rule}");
    }
    let (value, rule) = refused("fits", "etr1", Report::Ranked);
    assert_eq!(value, "ranked");
    assert!(rule.contains("`fits`"), "{rule}");
    // A baseline that stops nothing may stand beside a rule that predicts.
    for (sampler, stopper, report) in [
        ("random", "none", Report::Predicted),
        ("fits", "foresees", Report::Predicted),
        ("ranks", "etr1", Report::Ranked),
        ("fits", "etr1", Report::Worst),
    ] {
        run(sampler, stopper, report).unwrap_or_else(|e| panic!("{e}"));
    }
    let runs = run("fits", "foresees", Report::Predicted).unwrap();
    assert!(runs.iter().flat_map(|run| &run.segments).all(|s| s.reported == 0.7));
    assert_eq!(runs[0].rows[0].report, "predicted");
}

#[test]
fn a_method_that_is_told_the_goal_runs_once_a_goal() {
    let pool = climbing();
    let goals = ["0.5", "0.8", "rank:1"];
    for (sampler, stopper) in [("greedy", "none"), ("random", "asks"), ("greedy", "asks")] {
        let grid = with(sampler, stopper, &goals, Report::Best);
        assert_eq!(grid.runs().unwrap(), 12);
        let runs = run_grid(&grid, &pool, 2).unwrap();
        let numbers: Vec<u32> = runs.iter().map(|run| run.run).collect();
        assert_eq!(numbers, (0..12).collect::<Vec<_>>());
        for (run, row) in runs.iter().map(|run| (run, &run.rows[0])) {
            assert_eq!((run.rows.len(), row.run, row.repeat), (1, run.run, run.repeat));
        }
        // Each is the run of a grid with that goal alone.
        for (at, goal) in goals.iter().enumerate() {
            let alone = run_grid(&with(sampler, stopper, &[goal], Report::Best), &pool, 1).unwrap();
            for (repeat, (run, alone)) in runs[4 * at..][..4].iter().zip(&alone).enumerate() {
                assert_eq!((run.repeat as usize, &run.rows[0].goal[..]), (repeat, *goal));
                assert_eq!(format!("{:?}", run.segments), format!("{:?}", alone.segments));
                assert_eq!(run.rows[0].time_to_goal_s, alone.rows[0].time_to_goal_s);
            }
        }
    }
    let greedy = run_grid(&with("greedy", "none", &goals, Report::Best), &pool, 1).unwrap();
    assert!(greedy.iter().all(|run| run.rows[0].trials == 1), "it goes straight to its goal");
    // Methods that are not told share one run.
    let grid = with("fits", "etr1", &goals, Report::Best);
    let runs = run_grid(&grid, &pool, 1).unwrap();
    assert_eq!((grid.runs().unwrap(), runs.len(), runs[0].rows.len()), (4, 4, 3));
}

#[test]
fn a_mixed_grid_numbers_its_runs_along_the_way() {
    let pool = climbing();
    let mut grid = with("random", "none", &["0.5", "0.9"], Report::Best);
    grid.stoppers.push(resolve("--stopper", "asks", STOPPERS).unwrap());
    grid.stoppers.push(resolve("--stopper", "etr1", stoppers::REGISTRY).unwrap());
    grid.workers = vec![1, 2];
    let runs = run_grid(&grid, &pool, 2).unwrap();
    assert_eq!(runs.len(), 2 * (4 + 8 + 4));
    assert_eq!(grid.runs().unwrap() as usize, runs.len());
    for (at, run) in runs.iter().enumerate() {
        assert_eq!((run.run as usize, run.rows[0].workers), (at, 1 + at as u32 / 16));
        let rows = if run.rows[0].stopper == "asks" { 1 } else { 2 };
        assert_eq!(run.rows.len(), rows);
    }
    // Any part of it is the same runs.
    let options = RunOptions { from: 7, to: 25, first_run: 100, ..RunOptions::all(1, true) };
    let mut part = Vec::new();
    let keep = |block| {
        part.extend::<Vec<_>>(block);
        Ok(())
    };
    grid.run(&pool, &options, keep).unwrap();
    assert_eq!(part.len(), 18);
    for (part, whole) in part.iter().zip(&runs[7..]) {
        assert_eq!(part.run, whole.run + 100);
        assert_eq!(format!("{:?}", part.segments), format!("{:?}", whole.segments));
    }
}

fn warm_start(trials: u32, epochs: Option<u16>) -> WarmStart {
    WarmStart {
        trials,
        sampler: resolve("--warm-start-sampler", "random", samplers::REGISTRY).unwrap(),
        stopper: resolve("--warm-start-stopper", "none", stoppers::REGISTRY).unwrap(),
        epochs: epochs.map(Epoch),
    }
}

#[test]
fn a_warm_start_is_charged_and_told() {
    use State::{Completed, Paused};
    let pool = climbing();
    let warm = |epochs| {
        let settings =
            Settings { workers: 2, warm_start: Some(warm_start(3, epochs)), ..Settings::default() };
        let grid = grid("random", &["none"], &["2"], 1, &settings);
        run_grid(&grid, &pool, 1).unwrap().remove(0)
    };
    let run = warm(Some(2));
    let spans: Vec<_> = run.segments[..4]
        .iter()
        .map(|s| (s.worker, s.start.0, s.end.0, s.epochs.0, s.end_state))
        .collect();
    let wanted = [(0, 0, 2, 2, Paused), (1, 0, 2, 2, Paused), (0, 2, 4, 2, Paused)];
    assert_eq!(spans[..3], wanted);
    // The second phase begins when none of them runs any more.
    assert_eq!(spans[3], (0, 4, 7, 3, Completed));
    assert_eq!(run.rows[0].trials, 10);
    assert_eq!(
        run.rows[0].settings,
        "warm-start-trials=3 warm-start-sampler=random warm-start-stopper=none warm-start-epochs=2"
    );
    let whole = warm(None);
    assert!(whole.segments.iter().all(|s| s.end_state == Completed));
    assert!(whole.rows[0].settings.ends_with("warm-start-epochs=all"));
    // Three trials on two workers, and only then the seven others on both.
    assert_eq!(whole.segments.last().unwrap().end, SimTime(2 * 3 + 4 * 3));

    for (warm, field) in [(warm_start(0, None), "trials"), (warm_start(1, Some(4)), "epochs")] {
        let settings = Settings { warm_start: Some(warm), ..Settings::default() };
        let grid = grid("random", &["none"], &["2"], 1, &settings);
        let Err(Error::Input(fault)) = run_grid(&grid, &pool, 1) else { panic!("refused") };
        assert_eq!(fault.field, field, "{fault}");
        assert!(fault.file.starts_with("--warm-start") && !fault.remedy.is_empty());
    }
}

#[test]
fn a_warm_start_may_report_no_more_than_its_methods_can() {
    let warm = |sampler: &str, stopper: &str| WarmStart {
        trials: 2,
        sampler: resolve("--warm-start-sampler", sampler, samplers::REGISTRY).unwrap(),
        stopper: resolve("--warm-start-stopper", stopper, stoppers::REGISTRY).unwrap(),
        epochs: None,
    };
    let check = |report, warm_start| {
        let settings = Settings { report, warm_start: Some(warm_start), ..Settings::default() };
        grid("random", &["none"], &["2"], 1, &settings).check()
    };
    let refused = check(Report::Predicted, warm("random", "etr1")).unwrap_err().to_string();
    assert!(refused.contains("predicts no final value"), "{refused}");
    let refused = check(Report::Ranked, warm("rf-ei", "none")).unwrap_err().to_string();
    assert!(refused.contains("fits the values that it is told"), "{refused}");
    check(Report::Predicted, warm("rf-ei", "none")).unwrap();
}

#[test]
fn measured_overhead_is_charged_and_recorded() {
    let pool = climbing();
    let settings = Settings { overhead: Overhead::Measured, ..Settings::default() };
    let runs = run_grid(&grid("rf-ei", &["none"], &["2"], 2, &settings), &pool, 1).unwrap();
    for run in &runs {
        let of_segments: u64 = run.segments.iter().map(|s| s.overhead.0).sum();
        assert_eq!(run.rows[0].overhead_s, of_segments as f64 / 1e9);
        assert!(run.rows[0].settings == "overhead=measured" && of_segments > 0);
        for s in &run.segments {
            // Three epochs of one nanosecond each, after whatever choosing took.
            assert_eq!(s.end.0 - s.start.0, s.overhead.0 + 3);
        }
    }
}
