use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/kit/lbfgs.json");

fn cases(function: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(GOLDEN).unwrap();
    all[function].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

const EXACT: Settings =
    Settings { memory: 10, steps_max: 5_000, gradient_tolerance: 1e-9, decrease_tolerance: 0.0 };

/// Asserts that the minimum is scipy's, and that every point asked for lay in the box.
#[track_caller]
fn assert_scipys(case: &Value, function: impl Fn(&[f64], &mut [f64]) -> f64) {
    let bounds = case["bounds"].as_array().unwrap().iter().map(numbers);
    let bounds: Vec<(f64, f64)> = bounds.map(|bound| (bound[0], bound[1])).collect();
    let start = numbers(&case["start"]);
    let guarded = |point: &[f64], gradient: &mut [f64]| {
        let is_inside = point.iter().zip(&bounds).all(|(x, (low, high))| (low..=high).contains(&x));
        assert!(is_inside, "{point:?}");
        function(point, gradient)
    };
    let expected = (numbers(&case["point"]), case["value"].as_f64().unwrap());
    for (settings, tolerance) in [(EXACT, 1e-6), (Settings::default(), 2e-2)] {
        let found = minimise(guarded, &start, &bounds, &settings);
        println!("{:?}, {} steps, {} evaluations", found.end, found.steps, found.evaluations);
        for (x, expected) in found.point.iter().zip(&expected.0) {
            assert!((x - expected).abs() <= tolerance, "{found:?}\n{expected:?}");
        }
        let rise = found.value - expected.1;
        assert!(rise <= tolerance * tolerance.max(1e-4) * expected.1.abs().max(1.0), "{rise:e}");
        assert!(found.evaluations < 1_000, "{found:?}");
        assert!(matches!(found.end, End::Flat | End::Still), "{found:?}");
        assert_eq!(minimise(guarded, &start, &bounds, &settings), found, "the same again");
    }
}

fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut value = 0.0;
    for at in 1..x.len() {
        let (a, b) = (x[at - 1], x[at]);
        let curve = b - a * a;
        value += 100.0 * curve * curve + (1.0 - a) * (1.0 - a);
        gradient[at - 1] += -400.0 * a * curve - 2.0 * (1.0 - a);
        gradient[at] += 200.0 * curve;
    }
    value
}

#[test]
fn rosenbrocks_minima_are_scipys_with_bounds_and_without() {
    let cases = cases("rosenbrock");
    assert_eq!(cases.len(), 5);
    cases.iter().for_each(|case| assert_scipys(case, rosenbrock));
}

#[test]
fn quadratics_in_boxes_have_scipys_minima() {
    for case in cases("quadratic") {
        let matrix: Vec<Vec<f64>> =
            case["matrix"].as_array().unwrap().iter().map(numbers).collect();
        let linear = numbers(&case["linear"]);
        assert_scipys(&case, |x, gradient| {
            let mut value = 0.0;
            for (at, row) in matrix.iter().enumerate() {
                let product = dot(row, x);
                gradient[at] = product - linear[at];
                value += x[at] * (0.5 * product - linear[at]);
            }
            value
        });
    }
}

#[test]
fn steps_into_the_undefined_are_shortened() {
    // x - ln x, nowhere below 0: the first step from 3 along -2/3 stays, larger ones would not.
    let function = |x: &[f64], gradient: &mut [f64]| {
        gradient[0] = 1.0 - 1.0 / x[0];
        x[0] - if x[0] > 0.0 { libm::log(x[0]) } else { f64::NAN }
    };
    let bounds = [(f64::NEG_INFINITY, f64::INFINITY)];
    for start in [3.0, 0.01, 40.0] {
        let found = minimise(function, &[start], &bounds, &EXACT);
        assert!((found.point[0] - 1.0).abs() < 1e-6, "{found:?}");
    }
    let found = minimise(function, &[-1.0], &bounds, &EXACT);
    assert_eq!((found.end, found.steps), (End::Undefined, 0));
}

#[test]
fn a_start_outside_is_projected_and_corners_hold() {
    // Downhill to the lower left corner; one coordinate has a single value.
    let slope = |x: &[f64], gradient: &mut [f64]| {
        gradient.copy_from_slice(&[1.0, 2.0, -5.0]);
        x[0] + 2.0 * x[1] - 5.0 * x[2]
    };
    let bounds = [(0.0, 1.0), (-1.0, f64::INFINITY), (0.5, 0.5)];
    let found = minimise(slope, &[9.0, 9.0, 9.0], &bounds, &Settings::default());
    assert_eq!(found.point, [0.0, -1.0, 0.5]);
    assert_eq!((found.end, found.value), (End::Flat, -4.5));
    let nothing = minimise(|_, _| 3.0, &[], &[], &Settings::default());
    assert_eq!((nothing.end, nothing.value), (End::Flat, 3.0));
    let one_step = Settings { steps_max: 1, ..EXACT };
    let found = minimise(rosenbrock, &[-1.2, 1.0], &[(-2.0, 2.0); 2], &one_step);
    assert_eq!((found.end, found.steps), (End::Steps, 1));
}

#[test]
#[should_panic(expected = "an empty interval")]
fn a_box_is_not_empty() {
    minimise(|_, _| 0.0, &[0.0], &[(1.0, 0.0)], &EXACT);
}
