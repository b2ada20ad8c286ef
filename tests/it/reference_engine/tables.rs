//! Random tables and settings, for the engine and for the slow implementation.

use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::rng::Stream;
use curvebook::base::space::{Domain, Parameter, Space, Value};
use curvebook::base::units::{Epoch, SimTime};
use curvebook::replay::{
    Goal, OnNan, Overhead, Pool, RecordedCurve, RecordedRow, Report, Settings, Target, ValueMode,
};
use rand::RngExt;

use super::slow::{Row, Rules, Table};
use crate::replay_common::{accuracy, loss};

/// Whole numbers of the second hyperparameter.
const WIDTHS: u32 = 5;
const CHOICES: usize = 3;

fn below(stream: &mut Stream, n: u64) -> u64 {
    stream.random_range(0..n)
}

/// A number of `n` is as good as heads.
pub(crate) fn one_in(stream: &mut Stream, n: u64) -> bool {
    below(stream, n) == 0
}

/// A float, a whole number and three choices: `x` in order, the others by turns.
fn point(row: usize, rows: usize) -> (Vec<Value>, Vec<f64>) {
    let x = (row as f64 + 0.5) / rows as f64;
    let (width, choice) = ((row % WIDTHS as usize) as u32, row % CHOICES);
    let at = vec![
        x,
        (f64::from(width) + 0.5) / f64::from(WIDTHS),
        (choice as f64 + 0.5) / CHOICES as f64,
    ];
    (vec![Value::Float(x), Value::Int(i64::from(width) + 1), Value::Choice(choice)], at)
}

fn space() -> Space {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let choices = ["relu", "elu", "tanh"].map(String::from).to_vec();
    let parameters = vec![
        parameter("x", Domain::Float { low: 0.0, high: 1.0, log: false }),
        parameter("width", Domain::Int { low: 1, high: i64::from(WIDTHS), log: false }),
        parameter("activation", Domain::Categorical { choices }),
    ];
    Space::new("test", "parameter", "random".into(), parameters).unwrap()
}

/// Ties, dips, gaps, NaN and infinities; f32 now and then.
fn random_value(stream: &mut Stream) -> f64 {
    let value = below(stream, 20) as f64 / 20.0;
    match below(stream, 16) {
        0 => f64::NAN,
        1 => [f64::INFINITY, f64::NEG_INFINITY][below(stream, 2) as usize],
        2..5 => f64::from(value as f32),
        5 | 6 => NOT_MEASURED,
        _ => value,
    }
}

pub(crate) fn random_row(stream: &mut Stream, epochs: u16, cost_min: u64, at: Vec<f64>) -> Row {
    let length = match below(stream, 10) {
        0 => 0,
        1 | 2 => stream.random_range(1..=epochs),
        _ => epochs,
    };
    // Some of the short ones are complete, and some break off before they are.
    let last_epoch = one_in(stream, 2).then(|| stream.random_range(length.max(1)..=epochs));
    let last_epoch = last_epoch.map(|last| if one_in(stream, 2) { length.max(1) } else { last });
    Row {
        at,
        values: (0..length).map(|_| random_value(stream)).collect(),
        cost_ns: (0..length).map(|_| stream.random_range(cost_min..8)).collect(),
        test: (0..length).map(|_| random_value(stream)).collect(),
        setup_ns: below(stream, 4),
        last_epoch,
    }
}

/// Up to 12 rows of up to 6 epochs; every third table has epochs of no cost.
pub(crate) fn random_table(stream: &mut Stream) -> Table {
    let (rows, epochs) = (1 + below(stream, 12) as usize, 1 + below(stream, 6) as u16);
    let cost_min = u64::from(!one_in(stream, 3));
    let row = |i| random_row(stream, epochs, cost_min, point(i, rows).1);
    let rows = (0..rows).map(row).collect();
    Table {
        minimise: one_in(stream, 3),
        chance: (!one_in(stream, 3)).then_some(0.1),
        epochs,
        choices: vec![None, None, Some(CHOICES)],
        rows,
    }
}

pub(crate) fn pool(table: &Table) -> Pool {
    let metric = if table.minimise { loss(table.chance) } else { accuracy(table.chance) };
    let configs: Vec<_> = (0..table.rows.len()).map(|i| point(i, table.rows.len()).0).collect();
    let rows = table.rows.iter().map(|row| RecordedRow {
        curves: vec![RecordedCurve {
            repeat: 0,
            values: &row.values,
            cost_ns: &row.cost_ns,
            test: Some(&row.test),
        }],
        setup_ns: row.setup_ns,
        last_epoch: row.last_epoch.map(Epoch),
    });
    Pool::with_rows("random", &metric, &space(), Epoch(table.epochs), &configs, rows).unwrap()
}

pub(crate) fn random_rules(stream: &mut Stream, workers: u32) -> Rules {
    let mut rules = Rules {
        workers,
        best: below(stream, 2) == 0,
        report: Report::ALL[below(stream, 6) as usize].word(),
        stop_on_nan: one_in(stream, 3),
        budget_ns: one_in(stream, 4).then(|| below(stream, 60)),
        trials_max: one_in(stream, 4).then(|| 1 + below(stream, 8) as u32),
        restart: one_in(stream, 3),
        trial_overhead_ns: if one_in(stream, 3) { 1 + below(stream, 4) } else { 0 },
        resume_ns: 0,
        charge_setup: one_in(stream, 3),
        fixed_overhead_ns: if one_in(stream, 3) { 1 + below(stream, 4) } else { 0 },
    };
    // Who restarts keeps no checkpoints.
    if !rules.restart && one_in(stream, 2) {
        rules.resume_ns = 1 + below(stream, 4);
    }
    rules
}

pub(crate) fn settings(rules: &Rules, seed: u64) -> Settings {
    Settings {
        workers: rules.workers,
        value: if rules.best { ValueMode::Best } else { ValueMode::Final },
        report: Report::parse("--report", rules.report).unwrap(),
        on_nan: if rules.stop_on_nan { OnNan::Stop } else { OnNan::Continue },
        budget: rules.budget_ns.map(SimTime),
        trials_max: rules.trials_max,
        restart: rules.restart,
        trial_overhead: SimTime(rules.trial_overhead_ns),
        resume_cost: SimTime(rules.resume_ns),
        charge_setup: rules.charge_setup,
        overhead: match rules.fixed_overhead_ns {
            0 => Overhead::None,
            cost => Overhead::Fixed(SimTime(cost)),
        },
        warm_start: None,
        ending: None,
        seed,
    }
}

/// Up to `most` goals that are easy, hard, out of reach, or just within the slack of a value.
pub(crate) fn random_goals(stream: &mut Stream, table: &Table, most: u64) -> Vec<f64> {
    let goal = |stream: &mut Stream| {
        let goal = (4 + below(stream, 20)) as f64 / 20.0;
        let goal = if table.minimise { 0.95 - goal } else { goal };
        goal + [0.0, 0.9e-7, -0.9e-7, 1.1e-7, -1.1e-7][below(stream, 5) as usize]
    };
    let count = 1 + below(stream, most);
    (0..count).map(|_| goal(stream)).collect()
}

pub(crate) fn targets(pool: &Pool, settings: &Settings, goals: &[f64]) -> Vec<Target> {
    let target =
        |goal: &f64| Goal::parse(&goal.to_string()).unwrap().on(pool, settings.value).unwrap();
    goals.iter().map(target).collect()
}
