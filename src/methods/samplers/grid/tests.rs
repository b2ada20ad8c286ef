use base::space::{Condition, Literal};
use base::units::{ConfigId, Epoch, SimTime};
use serde_json::Value as Json;

use super::*;
use crate::interface::{Past, RowOrder, RunContext};

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/grid.json");

/// The parameters of `make_grid_golden.py`.
fn space() -> Space {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let float = |low, high, log| Domain::Float { low, high, log };
    let int = |low, high, log| Domain::Int { low, high, log };
    let choices = ["adam", "sgd", "lamb"].map(String::from).to_vec();
    let condition =
        Condition::In { name: "c".into(), values: vec![Literal::Text("sgd".to_string())] };
    let parameters = vec![
        parameter("a", float(0.25, 1.0, false)),
        parameter("b", float(1e-4, 1.0, true)),
        parameter("c", Domain::Categorical { choices }),
        parameter("d", int(2, 9, false)),
        parameter("e", int(1, 350, true)),
        parameter("f", Domain::Ordinal { values: Numbers::Int(vec![16, 24, 32, 256]) }),
        parameter("g", float(0.5, 0.5, false)),
        Parameter { condition: Some(condition), ..parameter("h", int(3, 4, false)) },
    ];
    Space::new("test", "parameter", "grid".into(), parameters).unwrap()
}

fn assert_value(found: Value, expected: &Json) {
    match found {
        Value::Inactive => assert!(expected.is_null(), "{expected}"),
        Value::Int(v) => assert_eq!(Some(v), expected.as_i64()),
        Value::Choice(c) => assert_eq!(Some(c as u64), expected.as_u64()),
        Value::Float(v) => {
            let expected = expected.as_f64().unwrap();
            assert!((v - expected).abs() <= 1e-12 * expected, "{v}, not {expected}");
        }
    }
}

#[test]
fn levels_and_points_are_numpys_and_itertools() {
    let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
    for case in &golden {
        let levels = u32::try_from(case["levels"].as_u64().unwrap()).unwrap();
        let grid = Grid::new(&space(), levels).unwrap();
        for (at, parameter) in space().parameters.iter().enumerate() {
            let expected = case["values"][at].as_array().unwrap();
            assert_eq!(grid.levels[at].len(), expected.len(), "{} {levels}", parameter.name);
            for (u, expected) in grid.levels[at].iter().zip(expected) {
                assert_value(parameter.from_unit(*u), expected);
            }
        }
        assert_eq!(grid.count() as u64, case["count"].as_u64().unwrap());
        let step = usize::try_from(case["step"].as_u64().unwrap()).unwrap();
        for (at, expected) in (0..).step_by(step).zip(case["points"].as_array().unwrap()) {
            let found = space().from_unit(&grid.point(at));
            for (found, expected) in found.iter().zip(expected.as_array().unwrap()) {
                assert_value(*found, expected);
            }
        }
    }
}

#[test]
fn a_grid_too_large_is_refused() {
    let parameter = |at| Parameter {
        name: format!("x{at}"),
        domain: Domain::Float { low: 0.0, high: 1.0, log: false },
        condition: None,
    };
    let space = |count| {
        let parameters = (0..count).map(parameter).collect();
        Space::new("test", "parameter", "large".into(), parameters).unwrap()
    };
    assert_eq!(Grid::new(&space(6), 10).map(|grid| grid.count()), Some(1_000_000));
    assert!(Grid::new(&space(7), 10).is_none());
    assert!(Grid::new(&space(60), 2).is_none(), "it ends as soon as there are too many");
}

/// The first `count` proposals, as places in the order of nested loops.
fn places(grid: &Arc<Grid>, stream: Option<Stream>, count: usize) -> Vec<usize> {
    let order = RowOrder::empty();
    let view = View {
        now: SimTime(0),
        workers: 1,
        epochs: Epoch(1),
        chance: None,
        gain_offset: 0.0,
        goal: None,
        budget: None,
        trials_max: None,
        past: Past::new(&order, &[], &[], &[], &[]),
    };
    let ask = Ask { trial: TrialId(0), until: Epoch(1), bracket: 0 };
    let mut search = GridSearch { grid: Arc::clone(grid), stream, pass: Vec::new(), next: 0 };
    let points: Vec<Vec<f64>> = (0..grid.count()).map(|at| grid.point(at)).collect();
    (0..count)
        .map(|_| match search.propose(&view, &ask) {
            Proposal::Point(point) => points.iter().position(|p| *p == point).unwrap(),
            Proposal::Row(ConfigId(row)) => panic!("row {row}"),
        })
        .collect()
}

#[test]
fn each_pass_visits_every_point_once() {
    let grid = Arc::new(Grid::new(&space(), 2).unwrap());
    let count = grid.count();
    let all: Vec<usize> = (0..count).collect();
    let in_order = places(&grid, None, count + 3);
    assert_eq!((&in_order[..count], &in_order[count..]), (&all[..], &[0, 1, 2][..]));

    let stream = |repeat| {
        let run = RunContext { seed: 5, repeat, threads: 1 };
        Some(Streams::new(&run, "grid").main())
    };
    let shuffled = places(&grid, stream(0), 2 * count);
    assert_eq!(shuffled, places(&grid, stream(0), 2 * count));
    assert_ne!(shuffled[..count], places(&grid, stream(1), count));
    let (first, second) = shuffled.split_at(count);
    assert!(first != all && first != second, "each pass has an order of its own");
    for pass in [first, second] {
        let mut pass = pass.to_vec();
        pass.sort_unstable();
        assert_eq!(pass, all);
    }
}
