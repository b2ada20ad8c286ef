//! Exact stopping epochs, and predictions against scikit-learn (`make_svr_curve.py`).

use base::measured::NOT_MEASURED;
use base::rng::Stream;
use serde_json::Value;

use super::*;
use crate::stoppers::stage::{End, Stage, curve};

const NAN: f64 = f64::NAN;
const NULL: f64 = NOT_MEASURED;

/// The row of all trials: the curve alone tells them apart.
const ROW: u32 = 7;

/// The stage after `count` trials that end evenly from .2 to .8, and the rule.
fn trained(rule: &str, count: u32) -> (Stage, Box<dyn Stopper>) {
    let mut stage = Stage::new(10, None);
    let mut rule = stage.rule(rule, 40).unwrap();
    for at in 0..count {
        let last = 0.2 + 0.6 * f64::from(at) / f64::from(count - 1);
        assert_eq!(stage.run_row(&mut *rule, ROW, &curve(last)), (10, false), "{at}");
    }
    (stage, rule)
}

#[test]
fn nothing_is_stopped_before_the_training_set_is_full() {
    // Any probability is at least 0: the first check after the training set is a stop.
    let (mut stage, mut rule) = trained("svr-curve:train=12,delta=0,search=5", 12);
    assert_eq!(stage.run(&mut *rule, &curve(0.9)), (1, true));
    let (mut stage, mut rule) = trained("svr-curve:train=12,delta=0,search=5,interval=4", 12);
    assert_eq!(stage.run(&mut *rule, &curve(0.9)), (4, true));
    let (mut stage, mut rule) = trained("svr-curve:train=13,delta=0,search=5", 12);
    assert_eq!(stage.run(&mut *rule, &curve(0.9)), (10, false));
    assert_eq!(stage.run(&mut *rule, &curve(0.9)), (1, true));
}

#[test]
fn the_worse_stop_with_a_prediction_and_the_better_do_not() {
    let (mut stage, mut rule) = trained("svr-curve:train=12", 12);
    let (epoch, is_stopped) = stage.run_row(&mut *rule, ROW, &curve(0.25));
    assert!(is_stopped && epoch <= 3, "{epoch}");
    assert!((stage.predicted.unwrap() - 0.25).abs() < 0.1, "{:?}", stage.predicted);
    assert_eq!(stage.run_row(&mut *rule, ROW, &curve(0.85)), (10, false));
    // What is worse by less than the offset goes on.
    let (mut stage, mut rule) = trained("svr-curve:train=12,search=20,offset=0.7", 12);
    assert_eq!(stage.run_row(&mut *rule, ROW, &curve(0.25)), (10, false));
    // A new best moves the bar: what went on before is stopped now.
    let (mut stage, mut rule) = trained("svr-curve:train=12", 12);
    assert_eq!(stage.run_row(&mut *rule, ROW, &curve(0.81)), (10, false));
    let mut never = stage.rule("rho-lce:rho=1,patience=1", 40).unwrap();
    assert_eq!(stage.run_row(&mut *never, ROW, &curve(0.95)), (10, false));
    assert!(stage.run_row(&mut *rule, ROW, &curve(0.81)).1);
}

#[test]
fn what_has_no_numbers_goes_on() {
    let run = |chance: Option<f64>, curves: &[[f64; 10]]| -> Vec<End> {
        let mut stage = Stage::new(10, chance);
        let mut rule = stage.rule("svr-curve:train=6,delta=0,search=3", 40).unwrap();
        curves.iter().map(|curve| stage.run(&mut *rule, curve)).collect()
    };
    let six: Vec<[f64; 10]> = (0..6).map(|at| curve(0.2 + 0.1 * f64::from(at))).collect();
    let with = |own: [f64; 10]| [&six[..], &[own]].concat();
    // Nothing is judged where it was not measured; a gap before is filled.
    let mut gaps = curve(0.5);
    (gaps[0], gaps[1]) = (NULL, NULL);
    assert_eq!(run(None, &with(gaps))[6], (3, true));
    assert_eq!(run(None, &with([NULL; 10]))[6], (10, false));
    // NaN is chance, if there is one.
    assert_eq!(run(None, &with([NAN; 10]))[6], (10, false));
    assert_eq!(run(Some(0.1), &with([NAN; 10]))[6], (1, true));
    // A trial of NaN is nothing to learn from, and neither is one last score alone.
    let constant = [[0.5; 10]; 8];
    assert_eq!(run(None, &constant), [(10, false); 8]);
    let diverged = [&six[..5], &[[NAN; 10]], &six[5..], &[curve(0.3)]].concat();
    let found = run(None, &diverged);
    assert_eq!((found[6], found[7]), ((10, false), (1, true)));
    // Those that are over before an epoch teach nothing there.
    let mut stage = Stage::new(10, None);
    let mut rule = stage.rule("svr-curve:train=6,delta=0,search=3,interval=5", 40).unwrap();
    for last in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7] {
        let short = curve(last);
        let id = stage.start(1, &short[..4]);
        assert_eq!(stage.run_to(&mut *rule, id, 10), (4, false));
    }
    assert_eq!(stage.run(&mut *rule, &curve(0.3)), (10, false));
}

#[test]
fn features_are_scores_differences_and_a_configuration() {
    assert_eq!(features(&[1.0, 2.0, 4.0], &[9.0]), [1.0, 2.0, 4.0, 1.0, 2.0, 1.0, 9.0]);
    assert_eq!(features(&[1.0], &[]), [1.0]);
}

#[test]
fn last_scores_are_explained_as_well_as_by_scikit_learn() {
    let golden = include_str!("../../../../tests/golden/learned/svr_curve.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let curves = include_str!("../../../../tests/golden/curves/curves.json");
    let curves: Value = serde_json::from_str(curves).unwrap();
    let curves: Vec<Vec<f64>> = curves["curves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|curve| {
            let correct = curve["correct"].as_array().unwrap();
            correct.iter().map(|c| c.as_f64().unwrap() / 397.0).collect()
        })
        .collect();
    let part = |is_learned: bool, length: usize| -> (Vec<Vec<f64>>, Vec<f64>) {
        let some = curves.iter().enumerate().filter(|(at, _)| (at % 5 < 3) == is_learned);
        some.map(|(_, curve)| (features(&curve[..length], &[]), curve[29])).unzip()
    };
    for case in golden.as_array().unwrap() {
        let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
        let theirs: Vec<f64> =
            case["explained"].as_array().unwrap().iter().map(|r| r.as_f64().unwrap()).collect();
        let (rows, targets) = part(true, length);
        let mut rng = Stream::new(1, 0, "svr-curve/search");
        let model = Model::fit(&rows, &targets, 100, &mut rng).unwrap();
        let (new, last) = part(false, length);
        let mean = last.iter().sum::<f64>() / 40.0;
        let (mut left, mut all) = (0.0, 0.0);
        for (row, last) in new.iter().zip(&last) {
            left += (model.predict(row) - last) * (model.predict(row) - last);
            all += (last - mean) * (last - mean);
        }
        let explained = 1.0 - left / all;
        let least = theirs.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(explained > least - 0.02, "{explained}, not as {theirs:?}");
        assert!((0.05..0.15).contains(&model.deviation()), "{}", model.deviation());
    }
}
