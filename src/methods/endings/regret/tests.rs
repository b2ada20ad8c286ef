use base::units::{ConfigId, TrialId};
use serde_json::Value;

use super::bound::standardised;
use super::*;
use crate::interface::{Past, RowOrder, RunContext, Trial};
use crate::kit::rehearsal;
use crate::surrogates::gaussian_process::pool::distances;
use crate::surrogates::gaussian_process::{GaussianProcess, Hyperparameters, Shape};

const GOLDEN: &str = include_str!("../../../../tests/golden/endings/regret.json");

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn rows_of(golden: &Value) -> Arc<Inputs> {
    let mut rows = Inputs::new(&distances([false, false, false, true]));
    golden["rows"].as_array().unwrap().iter().for_each(|row| rows.push(&numbers(row)));
    Arc::new(rows)
}

/// A recorded history: rows in the order of their trials, with their scores.
fn trials_of(history: &Value) -> Vec<(u32, f64)> {
    let known = history["known"].as_array().unwrap().iter();
    let known = known.map(|row| u32::try_from(row.as_u64().unwrap()).unwrap());
    known.zip(numbers(&history["scores"])).collect()
}

fn defaults() -> Parameters {
    let method = crate::interface::resolve("--end", "regret", super::super::REGISTRY).unwrap();
    Parameters::read(&method.arguments).unwrap()
}

fn ending(parameters: Parameters, rows: &Arc<Inputs>) -> Regret {
    let run = RunContext { seed: 1, repeat: 0, threads: 1 };
    Regret::new(parameters, Arc::clone(rows), 4, Streams::new(&run, "regret"))
}

fn completed(trials: &[(u32, f64)]) -> Vec<Trial> {
    trials.iter().map(|(row, score)| rehearsal::trial(ConfigId(*row), *score)).collect()
}

/// After how many trials it is over, where one ends at a time.
fn over_after(ending: &mut Regret, trials: &[Trial]) -> Option<usize> {
    let ids: Vec<TrialId> = (0..u32::try_from(trials.len()).unwrap()).map(TrialId).collect();
    let order = RowOrder::empty();
    let starts = vec![0; trials.len()];
    (1..=trials.len()).find(|count| {
        let past = Past::new(&order, &trials[..*count], &ids[..*count], &[], &starts[..*count]);
        ending.is_over(&View { past, ..rehearsal::view(&order, &[], &[]) })
    })
}

fn counted(trials: &[(u32, f64)]) -> Vec<Counted> {
    let ids = (0..).map(TrialId).zip(trials);
    ids.map(|(trial, (row, score))| Counted { trial, row: *row, score: *score }).collect()
}

fn hyper(value: &Value) -> Hyperparameters {
    let mut weights = numbers(value);
    let noise = weights.pop().unwrap();
    let scale = weights.pop().unwrap();
    Hyperparameters { weights, scale, noise }
}

/// The largest difference of two numbers so far, relative to 1 or more.
fn note(most: &mut f64, found: f64, expected: f64) {
    *most = most.max((found - expected).abs() / expected.abs().max(1.0));
}

#[test]
fn bounds_and_model_regrets_are_optunas() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = rows_of(&golden);
    let belief = Belief { candidates: &rows, parameters: 4, delta: 0.1 };
    // Of the arithmetic alone, then with our own fits: of bounds relative to themselves.
    let (mut given, mut bounds, mut regrets, mut cases): (f64, Vec<f64>, Vec<f64>, u32) =
        (0.0, vec![], vec![], 0);
    for history in golden["histories"].as_array().unwrap() {
        let trials = counted(&trials_of(history));
        for figure in history["bounds"].as_array().unwrap() {
            let count = usize::try_from(figure["count"].as_u64().unwrap()).unwrap();
            let expected = figure["value"].as_f64().unwrap();
            let best = ending(defaults(), &rows).best_of(&trials[..count]);
            let inputs = rows.select(&best.iter().map(|one| one.row).collect::<Vec<u32>>());
            let (targets, deviation) =
                standardised(&best.iter().map(|one| one.score).collect::<Vec<f64>>());
            let fit = hyper(&figure["fit"]);
            let process = GaussianProcess::new(Shape::Matern52, fit, inputs, &targets).unwrap();
            note(&mut given, belief.regret(&process) * deviation, expected);
            let own = ending(defaults(), &rows).improvement(&trials[..count]).unwrap();
            bounds.push((own / expected - 1.0).abs());
            cases += 1;
        }
        for figure in history["emmrs"].as_array().unwrap() {
            let count = usize::try_from(figure["count"].as_u64().unwrap()).unwrap();
            let expected = figure["value"].as_f64().unwrap();
            let inputs =
                rows.select(&trials[..count].iter().map(|one| one.row).collect::<Vec<u32>>());
            let scores: Vec<f64> = trials[..count].iter().map(|one| one.score).collect();
            let (targets, _) = standardised(&scores);
            let (earlier, later) = (hyper(&figure["earlier"]), hyper(&figure["later"]));
            let found = belief.model_regret_of(&inputs, &targets, earlier, later).unwrap();
            note(&mut given, found, expected);
            let own = belief.model_regret(&inputs, &scores).unwrap();
            regrets.push((own - expected).abs());
            cases += 1;
        }
    }
    assert_eq!(cases, 120);
    let report = |name: &str, found: &mut Vec<f64>| {
        found.sort_by(f64::total_cmp);
        let (median, most) = (found[found.len() / 2], found[found.len() - 1]);
        println!("{name}: median {median:.2e}, largest {most:.2e}");
        (median, most)
    };
    println!("given fits: {given:.2e}");
    let bounds = report("bounds", &mut bounds);
    let regrets = report("model regrets", &mut regrets);
    assert!(given < 1e-10, "{given:e}");
    assert!(bounds.0 < 1e-3 && bounds.1 < 8e-3, "{bounds:?}");
    assert!(regrets.0 < 1.3e-4 && regrets.1 < 0.017, "{regrets:?}");
}

/// The parameters of a setting of `make_regret.py`.
fn setting(setting: &Value, delta: f64) -> Parameters {
    let value = setting[2].as_f64().unwrap();
    let mut parameters = Parameters { delta, threshold: value, ratio: value, ..defaults() };
    if setting[0] == "emmr" {
        parameters.improvement = Improvement::Emmr;
    }
    if setting[1] == "fixed" {
        parameters.error = Error::Fixed;
    }
    parameters
}

/// Every history from its beginning under one setting, and under the others from two trials before
/// the one after which Optuna's is over (of those that go on, the last two trials): that saves the
/// fits between.
#[test]
fn runs_end_where_optunas_do() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = rows_of(&golden);
    let (mut equal, mut all, mut ending_ones, mut control, mut controls) = (0, 0, 0, 0, 0);
    let settings = golden["settings"].as_array().unwrap();
    for (index, history) in golden["histories"].as_array().unwrap().iter().enumerate() {
        assert_eq!(history["ends"], history["drawn"], "Optuna's own draws say the same");
        let trials = completed(&trials_of(history));
        for (at, kind) in settings.iter().enumerate() {
            let expected = history["ends"][at].as_u64().map(|at| usize::try_from(at).unwrap());
            let begins = expected.map_or(trials.len() - 1, |expected| (expected - 2).max(20));
            let least = if index % settings.len() == at { 20 } else { begins };
            let parameters = Parameters { least, ..setting(kind, 0.1) };
            let found = over_after(&mut ending(parameters, &rows), &trials);
            all += 1;
            equal += u32::from(found == expected);
            ending_ones += u32::from(expected.is_some());
            if found != expected {
                println!("{index} {kind}: {found:?}, Optuna's {expected:?}");
            }
            // The control: bounds that hold less often.
            if kind[1] == "fixed" && expected.is_some_and(|expected| expected > 22) {
                let altered = Parameters { least: begins, ..setting(kind, 0.9) };
                controls += 1;
                let found = over_after(&mut ending(altered, &rows), &trials);
                control += u32::from(found == expected);
            }
        }
    }
    println!("{equal} of {all} equal, {ending_ones} of which end; altered {control} of {controls}");
    assert_eq!((all, ending_ones), (140, 108));
    assert_eq!(equal, 140);
    assert!(controls == 37 && control < 30, "{control} of {controls}");
}

#[test]
fn odd_values_end_nothing_and_break_nothing() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = rows_of(&golden);
    let values: [fn(u32) -> f64; 6] = [
        |_| f64::NAN,
        |row| if row % 2 == 0 { f64::NAN } else { f64::from(row) },
        |row| f64::from(row % 7) * 1e300,
        |row| f64::from(row % 7) * -1e-300,
        |row| if row == 3 { 1e12 } else { 0.25 },
        |row| if row == 5 { f64::INFINITY } else { f64::from(row) },
    ];
    for improvement in [Improvement::Bound, Improvement::Emmr] {
        for error in [Error::Median, Error::Fixed] {
            for value in values {
                let trials: Vec<(u32, f64)> = (0..16).map(|row| (row, value(row))).collect();
                let (warmup, first, least) = (2, 3, 1);
                let threshold = 0.0;
                let parameters = Parameters { improvement, error, warmup, first, ..defaults() };
                let parameters = Parameters { least, threshold, ratio: 0.0, ..parameters };
                let found = over_after(&mut ending(parameters, &rows), &completed(&trials));
                assert_eq!(found, None, "nothing falls below 0");
            }
        }
    }
}

#[test]
fn equal_values_leave_nothing_to_gain() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = rows_of(&golden);
    let trials: Vec<(u32, f64)> = (0..60).map(|row| (row, 0.5)).collect();
    let parameters = || Parameters { error: Error::Fixed, threshold: 1e-6, ..defaults() };
    // Deviations below 1e-10 count as that.
    assert_eq!(over_after(&mut ending(parameters(), &rows), &completed(&trials)), Some(20));
    let later = Parameters { least: 33, ..parameters() };
    assert_eq!(over_after(&mut ending(later, &rows), &completed(&trials)), Some(33));
    let seldom = Parameters { every: 25, ..parameters() };
    assert_eq!(over_after(&mut ending(seldom, &rows), &completed(&trials)), Some(25));
}

#[test]
fn what_counts_is_complete_unless_all_that_ended_shall() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rows = rows_of(&golden);
    let mut trials = completed(&(0..60).map(|row| (row, 0.5)).collect::<Vec<(u32, f64)>>());
    for trial in trials.iter_mut().step_by(2) {
        trial.state = State::Stopped;
    }
    let parameters = || Parameters { error: Error::Fixed, threshold: 1e-6, ..defaults() };
    assert_eq!(over_after(&mut ending(parameters(), &rows), &trials), Some(40));
    let all = Parameters { count: Count::All, ..parameters() };
    assert_eq!(over_after(&mut ending(all, &rows), &trials), Some(20));
}

#[test]
fn rows_beyond_what_is_looked_at_are_drawn_alike_each_time() {
    let mut rows = Inputs::new(&distances([false]));
    (0..5000).for_each(|row| rows.push(&[f64::from(row) / 5000.0]));
    let rows = Arc::new(rows);
    let trials: Vec<(u32, f64)> = (0..30).map(|at| (at * 160, f64::from(at % 11))).collect();
    let improvement = || ending(defaults(), &rows).improvement(&counted(&trials)).unwrap();
    assert_eq!(improvement().to_bits(), improvement().to_bits());
    let mut twice = ending(defaults(), &rows);
    let first = twice.candidates().unwrap();
    assert_eq!(first.count(), 2048);
    assert_ne!(first, twice.candidates().unwrap(), "each check has draws of its own");
}
