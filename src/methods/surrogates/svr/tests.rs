//! Against scikit-learn (`tests/golden/learned/make_svr.py`).

use serde_json::Value;

use super::*;

/// A fixed sequence without a generator, as `make_svr.py` has it.
fn number(at: usize) -> f64 {
    let at = f64::from(u32::try_from(at).unwrap());
    libm::sin(1.0 + 0.7 * at + 0.013 * at * at)
}

const COUNT: usize = 60;
const WIDTH: usize = 5;

fn point(at: usize) -> Vec<f64> {
    (0..WIDTH).map(|k| 1.5 * number(at * WIDTH + k)).collect()
}

fn target(at: usize) -> f64 {
    let x = point(at);
    libm::sin(2.0 * x[0]) + 0.5 * x[1] * x[2] + 0.2 * number(5_000 + at)
}

fn kernel_of(points: &[Vec<f64>], gamma: f64) -> Matrix {
    let value = |a: usize, b: usize| radial(squared_distance(&points[a], &points[b]), gamma);
    Matrix::from_fn(points.len(), points.len(), value)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn predictions_are_those_of_scikit_learn() {
    let golden = include_str!("../../../../tests/golden/learned/svr.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let points: Vec<Vec<f64>> = (0..COUNT).map(point).collect();
    let targets: Vec<f64> = (0..COUNT).map(target).collect();
    let mut farthest: f64 = 0.0;
    for case in golden.as_array().unwrap() {
        let number_of = |name: &str| case[name].as_f64().unwrap();
        let gamma = number_of("gamma");
        let kernel = kernel_of(&points, gamma);
        let settings =
            Settings { tolerance: 1e-9, ..Settings::new(number_of("penalty"), number_of("nu")) };
        let svr = fit(&kernel, &targets, &settings).unwrap();
        assert!(svr.has_converged);
        let new: Vec<Vec<f64>> = (1_000..1_020).map(point).collect();
        let known = points.iter().chain(&new);
        for (x, wanted) in known.zip(numbers(&case["predictions"])) {
            let row = points.iter().map(|known| radial(squared_distance(known, x), gamma));
            farthest = farthest.max((svr.predict(row) - wanted).abs());
        }
    }
    assert!(farthest < 2e-5, "{farthest}");
}

#[test]
fn sums_and_bounds_hold_and_the_default_tolerance_is_close() {
    let points: Vec<Vec<f64>> = (0..COUNT).map(point).collect();
    let targets: Vec<f64> = (0..COUNT).map(target).collect();
    let kernel = kernel_of(&points, 0.3);
    let exact = Settings { tolerance: 1e-10, ..Settings::new(2.0, 0.4) };
    let exact = fit(&kernel, &targets, &exact).unwrap();
    let rising: f64 = exact.weights.iter().filter(|w| **w > 0.0).sum();
    let falling: f64 = exact.weights.iter().filter(|w| **w < 0.0).sum();
    // C nu n / 2 on each side, since no point pulls both ways where the tube is open.
    assert!(exact.tube > 0.0 && (rising - 24.0).abs() < 1e-9 && (falling + 24.0).abs() < 1e-9);
    assert!(exact.weights.iter().all(|w| w.abs() <= 2.0));
    let usual = fit(&kernel, &targets, &Settings::new(2.0, 0.4)).unwrap();
    for at in 0..COUNT {
        let predict = |svr: &Svr| svr.predict(kernel.column(at).iter().copied());
        assert!((predict(&usual) - predict(&exact)).abs() < 2e-3);
    }
}

#[test]
fn degenerate_problems_have_an_answer_or_none() {
    let settings = Settings::new(1.0, 0.5);
    // Points that coincide: the middle of the targets, in the tube that nu allows.
    let same = Matrix::from_element(4, 4, 1.0);
    let svr = fit(&same, &[1.0, 2.0, 3.0, 4.0], &settings).unwrap();
    assert!(svr.has_converged);
    assert!((svr.predict([1.0; 4]) - 2.5).abs() < 0.51);
    let constant = fit(&same, &[0.7; 4], &settings).unwrap();
    assert!((constant.predict([1.0; 4]) - 0.7).abs() < 1e-12);
    let one = fit(&Matrix::from_element(1, 1, 1.0), &[0.3], &settings).unwrap();
    assert!((one.predict([1.0]) - 0.3).abs() < 1e-12);
    assert_eq!(fit(&Matrix::zeros(0, 0), &[], &settings), None);
    assert_eq!(fit(&same, &[1.0, f64::NAN, 3.0, 4.0], &settings), None);
    let stopped = Settings { moves_max: 1, ..settings };
    assert!(!fit(&same, &[1.0, 2.0, 3.0, 4.0], &stopped).unwrap().has_converged);
    // All weights are at their bound: nothing can move.
    let full = fit(&same, &[1.0, 2.0, 3.0, 4.0], &Settings::new(1.0, 1.0)).unwrap();
    assert!(full.has_converged && full.predict([1.0; 4]).is_finite());
}
