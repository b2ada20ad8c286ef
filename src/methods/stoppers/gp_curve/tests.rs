//! Exact stopping epochs, and predictions against scikit-learn (`make_gp_curve.py`).

use base::measured::NOT_MEASURED;
use serde_json::Value;

use super::*;
use crate::stoppers::stage::{Stage, curve, ends, spread};

const NAN: f64 = f64::NAN;
const NULL: f64 = NOT_MEASURED;

#[test]
fn nothing_is_stopped_before_enough_have_completed() {
    // Any probability is below 1, none below 0.
    let rule = "gp-curve:threshold=1,least=6";
    assert_eq!(ends(rule, None, &spread(6, &[curve(0.3)]))[5..], [(10, false), (1, true)]);
    assert_eq!(
        ends(rule, None, &spread(5, &[curve(0.3), curve(0.3)]))[5..],
        [(10, false), (1, true)]
    );
    let late = "gp-curve:threshold=1,least=6,interval=4";
    assert_eq!(ends(late, None, &spread(6, &[curve(0.3)]))[6], (4, true));
    let never = "gp-curve:threshold=0,least=6";
    assert_eq!(ends(never, None, &spread(6, &[curve(0.2)]))[6], (10, false));
}

#[test]
fn the_worse_stop_with_a_prediction_and_the_better_do_not() {
    let mut stage = Stage::new(10, None);
    let mut rule = stage.rule("gp-curve", 40).unwrap();
    for curve in spread(10, &[]) {
        assert_eq!(stage.run(&mut *rule, &curve), (10, false));
    }
    let (epoch, is_stopped) = stage.run(&mut *rule, &curve(0.25));
    assert!(is_stopped && epoch <= 2, "{epoch}");
    assert!((stage.predicted.unwrap() - 0.25).abs() < 0.05, "{:?}", stage.predicted);
    assert_eq!(stage.run(&mut *rule, &curve(0.85)), (10, false));
    // What was better than all is now worse than one by far more than the deviation.
    assert!(stage.run(&mut *rule, &curve(0.6)).1);
}

#[test]
fn what_has_no_numbers_goes_on() {
    let rule = "gp-curve:threshold=1,least=6";
    let mut gaps = curve(0.5);
    (gaps[0], gaps[1]) = (NULL, NULL);
    assert_eq!(ends(rule, None, &spread(6, &[gaps]))[6], (3, true));
    assert_eq!(ends(rule, None, &spread(6, &[[NULL; 10]]))[6], (10, false));
    assert_eq!(ends(rule, None, &spread(6, &[[NAN; 10]]))[6], (10, false));
    assert_eq!(ends(rule, Some(0.1), &spread(6, &[[NAN; 10]]))[6], (1, true));
    // One last score alone is nothing to learn from, and neither is a trial of NaN.
    assert_eq!(ends(rule, None, &[[0.5; 10]; 9]), [(10, false); 9]);
    let diverged = spread(5, &[[NAN; 10], curve(0.3), curve(0.3)]);
    assert_eq!(ends(rule, None, &diverged)[5..], [(10, false), (10, false), (1, true)]);
    // The same beginning with many ends is no reason to fail.
    let same: Vec<[f64; 10]> = (0..8)
        .map(|at| {
            let mut own = [0.5; 10];
            own[9] = 0.3 + 0.05 * f64::from(at);
            own
        })
        .collect();
    assert_eq!(ends("gp-curve:least=6", None, &same), [(10, false); 8]);
}

#[test]
fn more_to_wait_for_than_to_learn_from_is_refused() {
    let stage = Stage::new(10, None);
    let Err(error) = stage.rule("gp-curve:least=12,train=11", 40) else { panic!("refused") };
    assert!(error.to_string().contains("gp-curve:least"), "{error}");
    assert!(stage.rule("gp-curve:least=12,train=12", 40).is_ok());
}

#[test]
fn the_last_completed_trials_count() {
    let mut stage = Stage::new(10, None);
    let mut never = stage.rule("gp-curve:threshold=0", 40).unwrap();
    for curve in spread(4, &[[0.5; 10]; 3]) {
        assert_eq!(stage.run(&mut *never, &curve), (10, false));
    }
    // The last three have one last score: of these alone there is no model.
    let mut of_three = stage.rule("gp-curve:threshold=1,least=3,train=3", 40).unwrap();
    assert_eq!(stage.run(&mut *of_three, &curve(0.3)), (10, false));
    let mut of_all = stage.rule("gp-curve:threshold=1,least=3", 40).unwrap();
    assert_eq!(stage.run(&mut *of_all, &curve(0.3)), (1, true));
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn predictions_are_those_of_scikit_learn() {
    let golden = include_str!("../../../../tests/golden/learned/gp_curve.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let curves = include_str!("../../../../tests/golden/curves/curves.json");
    let curves: Value = serde_json::from_str(curves).unwrap();
    let curves = curves["curves"].as_array().unwrap().iter();
    let curves: Vec<Vec<f64>> =
        curves.map(|c| numbers(&c["correct"]).iter().map(|c| c / 397.0).collect()).collect();
    for case in golden.as_array().unwrap() {
        let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
        let part = |is_learned: bool| -> Vec<(&[f64], f64)> {
            let some = curves.iter().enumerate().filter(|(at, _)| (at % 5 < 3) == is_learned);
            some.map(|(_, curve)| (&curve[..length], curve[29])).collect()
        };
        let learned = part(true);
        let found = Found::of(&learned).unwrap();
        let model = Model::new(&found, &learned).unwrap();
        let likelihood = case["log_likelihood"].as_f64().unwrap();
        let wanted = numbers(&case["means"]).into_iter().zip(numbers(&case["deviations"]));
        let (mut mean_apart, mut deviation_apart) = (0.0_f64, 0.0_f64);
        for ((scores, _), (mean, deviation)) in part(false).iter().zip(wanted) {
            let found = model.predict(scores);
            mean_apart = mean_apart.max((found.0 - mean).abs());
            deviation_apart = deviation_apart.max((found.1 - deviation).abs());
        }
        assert!((found.log_likelihood - likelihood).abs() < 1e-6, "{found:?}");
        assert!(mean_apart < 1e-6 && deviation_apart < 1e-6, "{mean_apart} {deviation_apart}");
    }
}
