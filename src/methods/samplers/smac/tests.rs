use base::space::{Condition, Literal, Parameter};
use base::stats::kolmogorov_smirnov::kolmogorov_smirnov;
use base::stats::mann_whitney::mann_whitney;
use base::units::Epoch;
use serde_json::Value as Json;

use super::*;
use crate::interface::{Points, RowOrder, RunContext, resolve};
use crate::kit::rehearsal::{Rehearsal, view};
use crate::samplers::REGISTRY;

const LOOP: &str = include_str!("../../../../tests/golden/smac/loop.json");
const ADDITIVE: &str = include_str!("../../../../tests/golden/rf-ei/additive.csv");
const UNTRAINABLE: &str = include_str!("../../../../tests/golden/rf-ei/untrainable.csv");

#[test]
fn the_worked_example_of_improvement() {
    let found = improvement(libm::log(0.2), libm::log(0.3), 0.09);
    assert!((found - 0.002_177_05).abs() < 1e-8, "{found}");
    // The integral of what is gained, by a fine sum over the normal density.
    for (lowest, mean, variance) in [(-1.0, -0.5, 0.2), (-2.0, -2.5, 0.5), (0.0, 1.0, 2.0)] {
        let (steps, deviation): (u32, f64) = (200_000, f64::sqrt(variance));
        let width = 16.0 / f64::from(steps);
        let expected: f64 = (0..steps)
            .map(|step| {
                let z = -8.0 + (f64::from(step) + 0.5) * width;
                let gain = libm::exp(lowest) - libm::exp(mean + deviation * z);
                gain.max(0.0) * libm::exp(-0.5 * z * z) * 0.398_942_280_401_432_7 * width
            })
            .sum();
        let found = improvement(lowest, mean, variance);
        assert!((found - expected).abs() < 1e-8, "{found}, not {expected}");
    }
    assert_eq!(improvement(0.0, -1.0, 0.0), improvement(0.0, -1.0, 1e-10));
}

fn factory(table: &Rehearsal, sampler: &str) -> SamplerFactory {
    let method = resolve("--sampler", sampler, REGISTRY).unwrap();
    table.with_context(|context| method.build(context)).unwrap()
}

/// Trials to the first of the best rows of each repeat.
fn trials_to_goal(table: &Rehearsal, sampler: &str, goal_rows: usize, repeats: u32) -> Vec<f64> {
    let mut sorted = table.scores.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let goal = sorted[goal_rows - 1];
    let factory = factory(table, sampler);
    let met = |row: u32| table.scores[row as usize] >= goal;
    let count = |repeat| u32::try_from(table.run(&factory, repeat, met).len()).unwrap();
    (0..repeats).map(|repeat| f64::from(count(repeat))).collect()
}

/// The p-values of two tests, and the 95 % interval of the probability that the first is sooner.
fn compared(found: &[f64], golden: &[f64]) -> ([f64; 2], (f64, f64)) {
    let mann_whitney = mann_whitney(found, golden).unwrap();
    let count = |sample: &[f64]| f64::from(u32::try_from(sample.len()).unwrap());
    let (n, m) = (count(found), count(golden));
    let sooner = 1.0 - mann_whitney.statistic / (n * m);
    let half = 1.96 * ((n + m + 1.0) / (12.0 * n * m)).sqrt();
    let p_values = [kolmogorov_smirnov(found, golden).unwrap().p_value, mann_whitney.p_value];
    (p_values, (sooner - half, sooner + half))
}

#[test]
fn it_searches_as_smac3_does() {
    let golden: Json = serde_json::from_str(LOOP).unwrap();
    let number = |name: &str| usize::try_from(golden[name].as_u64().unwrap()).unwrap();
    let sampler = format!("smac:design={}", number("design"));
    for (name, text) in [("additive", ADDITIVE), ("untrainable", UNTRAINABLE)] {
        let (table, trials) = (Rehearsal::of_csv(text), golden["trials"][name].as_array().unwrap());
        let expected: Vec<f64> = trials.iter().map(|trials| trials.as_f64().unwrap()).collect();
        let found = trials_to_goal(&table, &sampler, number("goal_rows"), 500);
        let (p_values, sooner) = compared(&found, &expected);
        println!("{name}: {} seeds, p {p_values:.3?}, sooner {sooner:.3?}", expected.len());
        assert!(p_values.iter().all(|p| *p > 0.01), "{name}: {p_values:?}");
        assert!(sooner.0 > 0.4 && sooner.1 < 0.6, "{name}: {sooner:?}");
        // The control: random rows in the place of most of the others.
        let altered = format!("{sampler},random=0.8");
        let altered = trials_to_goal(&table, &altered, number("goal_rows"), 250);
        let (p_values, sooner) = compared(&altered, &expected);
        println!("{name}, altered: p {p_values:.4?}, sooner {sooner:.3?}");
        assert!(sooner.0 < 0.4 && p_values[1] < 0.01, "{name}: {p_values:?} {sooner:?}");
    }
}

#[test]
fn every_row_runs_once_whatever_is_reported() {
    let mut table = Rehearsal::of_csv(ADDITIVE);
    table.scores.truncate(40);
    let reports: [fn(usize) -> f64; 4] = [
        |_| 0.5,
        |_| f64::NAN,
        |row| if row % 3 == 0 { f64::NAN } else { 0.1 },
        |row| [1e300, -1e300, 0.0][row % 3],
    ];
    for report in reports {
        table.scores = (0..40).map(report).collect();
        for sampler in ["smac", "smac:retrain_after=1,random=0,trees=2", "smac:random=1"] {
            let mut rows = table.run(&factory(&table, sampler), 0, |_| false);
            rows.sort_unstable();
            assert_eq!(rows, (0..40).collect::<Vec<u32>>(), "{sampler}");
        }
    }
}

#[test]
fn the_design_is_a_quarter_of_the_trials_at_most() {
    let table = Rehearsal::of_csv(ADDITIVE);
    let designed = |sampler: &str, trials_max: Option<u32>| {
        let mut order = RowOrder::empty();
        order.begin(table.rows(), 5, 0);
        let run = RunContext { seed: 5, repeat: 0, threads: 1 };
        let mut sampler = factory(&table, sampler)(&run);
        let view = View { trials_max, ..view(&order, &[], &[]) };
        let ask = Ask { trial: TrialId(0), until: Epoch(1), bracket: 0 };
        (0..200).take_while(|_| matches!(sampler.propose(&view, &ask), Proposal::Point(_))).count()
    };
    assert_eq!(designed("smac", None), 50, "ten for each of five parameters");
    assert_eq!(designed("smac", Some(100)), 25);
    assert_eq!(designed("smac", Some(3)), 1);
    assert_eq!(designed("smac:design=7", Some(3)), 7);
}

#[test]
fn inactive_parameters_stand_apart_from_all_values() {
    let condition = Condition::In { name: "kind".into(), values: vec![Literal::Text("b".into())] };
    let choices = ["a", "b"].map(String::from).to_vec();
    let conditional = |name: &str, domain| Parameter {
        name: name.into(),
        domain,
        condition: Some(condition.clone()),
    };
    let parameters = vec![
        Parameter {
            name: "kind".into(),
            domain: Domain::Categorical { choices: choices.clone() },
            condition: None,
        },
        conditional("rate", Domain::Float { low: 0.0, high: 1.0, log: false }),
        conditional("way", Domain::Categorical { choices }),
    ];
    let space = Space::new("test", "parameter", "conditions".into(), parameters).unwrap();
    let points = [[0.25, 0.5, 0.5], [0.75, 0.0, 0.25], [0.75, 1.0, 0.75], [0.75, 0.5, 0.25]];
    let points = Arc::new(Points { width: 3, coordinates: points.concat() });
    let table = Rehearsal { space, points, scores: vec![0.0; 4] };
    let ranks = table.with_context(ranks);
    let codes = |at: usize| [0, 1, 2, 3].map(|row| ranks.codes(at).of(row));
    assert_eq!(codes(1), [0, 1, 3, 2], "below all values, and not at 0.5");
    assert_eq!(codes(2), [2, 0, 1, 0], "above all choices");
}
