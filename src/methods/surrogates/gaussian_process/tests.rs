use base::rng::Stream;
use rand::RngExt;
use serde_json::Value;

use super::likelihood::{log_likelihood, maximise};
use super::*;
use crate::kit::lbfgs::Settings;

const GOLDEN: &str = include_str!("../../../../tests/golden/surrogates/gaussian_process.json");

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list").iter();
    list.map(|x| x.as_f64().expect("a number")).collect()
}

fn inputs_of(points: &Value) -> Inputs {
    let points = points.as_array().expect("a list");
    let mut inputs = Inputs::new(&vec![Distance::Difference; numbers(&points[0]).len()]);
    for point in points {
        inputs.push(&numbers(point));
    }
    inputs
}

fn shape_of(case: &Value) -> Shape {
    if case["shape"] == "matern52" { Shape::Matern52 } else { Shape::SquaredExponential }
}

fn hyper_of(case: &Value) -> Hyperparameters {
    let weights = numbers(&case["lengths"]).iter().map(|length| 1.0 / (length * length)).collect();
    let number = |name: &str| case[name].as_f64().expect("a number");
    Hyperparameters { weights, scale: number("scale"), noise: number("noise") }
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    let allowed = tolerance * expected.abs().max(1.0);
    assert!((found - expected).abs() <= allowed, "{found:e}, not {expected:e}");
}

#[test]
fn posteriors_and_likelihoods_are_scikit_learns() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let (shape, hyper, targets) = (shape_of(case), hyper_of(case), numbers(&case["targets"]));
        let inputs = inputs_of(&case["inputs"]);
        let process = GaussianProcess::new(shape, hyper.clone(), inputs.clone(), &targets).unwrap();
        assert_eq!(process.posterior().jitter(), 0.0);
        let expected = case["log_likelihood"].as_f64().unwrap();
        assert_close(process.posterior().log_likelihood(), expected, 1e-8);

        let queries = inputs_of(&case["queries"]);
        let (means, covariance) = process.predict_jointly(&queries);
        for (at, expected) in numbers(&case["mean"]).into_iter().enumerate() {
            let found = process.predict(&queries.point(at));
            let row = numbers(&case["covariance"][at]);
            assert_close(found.mean, expected, 1e-8);
            assert_close(found.variance, row[at].max(0.0), 1e-8);
            assert_close(means[at], expected, 1e-8);
            (0..=at).for_each(|other| assert_close(covariance[(at, other)], row[other], 1e-8));
        }

        let width = inputs.width();
        let mut slopes = vec![f64::NAN; width + 2];
        let targets = Vector::from_column_slice(&targets);
        let found = log_likelihood(shape, &inputs, &targets, &hyper, &mut slopes);
        assert_close(found, expected, 1e-8);
        let gradient = numbers(&case["gradient"]);
        assert_close(slopes[width], gradient[0], 1e-8);
        assert_close(slopes[width + 1], gradient[width + 1], 1e-8);
        for (slope, expected) in slopes.iter().zip(&gradient[1..=width]) {
            // A weight is a lengthscale to the power of -2.
            assert_close(-2.0 * slope, *expected, 1e-8);
        }
    }
}

#[test]
fn the_largest_likelihood_is_scikit_learns() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let ends = |name: &str| numbers(&golden[name]).into_iter().map(libm::log).collect::<Vec<_>>();
    let (lengths, scales, noises) = (ends("lengths"), ends("scales"), ends("noises"));
    for (at, case) in (0..).zip(golden["cases"].as_array().unwrap()) {
        let inputs = inputs_of(&case["inputs"]);
        let targets = Vector::from_column_slice(&numbers(&case["targets"]));
        let mut bounds = vec![(-2.0 * lengths[1], -2.0 * lengths[0]); inputs.width()];
        bounds.extend([(scales[0], scales[1]), (noises[0], noises[1])]);
        let mut rng = Stream::new(1, at, "test");
        let mut best = f64::NEG_INFINITY;
        for start in 0..5 {
            let mut hyper = Hyperparameters::unit(inputs.width());
            hyper.noise = 0.1;
            if start > 0 {
                let mut draw = |(low, high): &(f64, f64)| low + (high - low) * rng.random::<f64>();
                hyper =
                    Hyperparameters::from_logs(&bounds.iter().map(&mut draw).collect::<Vec<_>>());
            }
            let settings = Settings::default();
            let (shape, flat) = (shape_of(case), |_: &Hyperparameters, _: &mut [f64]| 0.0);
            let (found, minimum) =
                maximise(shape, &inputs, &targets, flat, &hyper, &bounds, &settings);
            let mut slopes = vec![0.0; bounds.len()];
            let value = log_likelihood(shape, &inputs, &targets, &found, &mut slopes);
            assert_close(-minimum.value, value, 1e-12);
            best = best.max(value);
        }
        let expected = case["best_log_likelihood"].as_f64().unwrap();
        println!("case {at}: {best} beside {expected}");
        assert!((best - expected).abs() < 1e-3, "case {at}: {best}, not {expected}");
    }
}

/// Some points with a column of choices, and targets.
fn mixed(count: usize) -> (Inputs, Vector) {
    let mut rng = Stream::new(2, 0, "test");
    let mut inputs = Inputs::new(&[Distance::Difference, Distance::Hamming, Distance::Difference]);
    let mut targets = Vector::zeros(count);
    for at in 0..count {
        let choice = [0.125, 0.5, 0.875][rng.random_range(0..3_usize)];
        inputs.push(&[rng.random(), choice, rng.random()]);
        targets[at] = inputs.column(0)[at] + choice + 0.1 * rng.random::<f64>();
    }
    (inputs, targets)
}

#[test]
fn gradients_with_choices_are_differences_of_likelihoods() {
    let (inputs, targets) = mixed(30);
    for shape in [Shape::Matern52, Shape::SquaredExponential] {
        let logs = [0.3, -0.7, 1.1, 0.2, -2.0];
        let value = |logs: &[f64]| {
            let hyper = Hyperparameters::from_logs(logs);
            let mut slopes = [0.0; 5];
            (log_likelihood(shape, &inputs, &targets, &hyper, &mut slopes), slopes)
        };
        let (_, slopes) = value(&logs);
        for (at, slope) in slopes.iter().enumerate() {
            let shifted = |by: f64| {
                let mut logs = logs;
                logs[at] += by;
                value(&logs).0
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert_close(*slope, difference, 1e-7);
        }
    }
}

#[test]
fn choices_are_apart_by_a_weight_whichever_they_are() {
    let (inputs, _) = mixed(10);
    let mut squared = [0.0; 10];
    inputs.squared_distances(0, &[0.0, 2.5, 0.0], &inputs.point(3), &mut squared);
    for (at, squared) in squared.iter().enumerate() {
        let is_same = inputs.column(1)[at] == inputs.column(1)[3];
        assert_eq!(*squared, if is_same { 0.0 } else { 2.5 });
    }
    let picked = inputs.select(&[3, 0]);
    assert_eq!((picked.count(), picked.point(0)), (2, inputs.point(3)));
}

#[test]
fn what_has_no_factor_gets_jitter_or_is_none() {
    let mut inputs = Inputs::new(&[Distance::Difference]);
    (0..6).for_each(|_| inputs.push(&[0.5]));
    let hyper = Hyperparameters { weights: vec![1.0], scale: 1.0, noise: 0.0 };
    let targets = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3];
    let process = GaussianProcess::new(Shape::Matern52, hyper.clone(), inputs.clone(), &targets);
    let process = process.unwrap();
    assert!(process.posterior().jitter() > 0.0);
    let found = process.predict(&[0.5]);
    assert!((found.mean - 0.2).abs() < 1e-6 && found.variance < 1e-6, "{found:?}");
    // The likelihood does not jump by what would have to be added.
    let mut slopes = [1.0; 3];
    let vector = Vector::from_column_slice(&targets);
    let found = log_likelihood(Shape::Matern52, &inputs, &vector, &hyper, &mut slopes);
    assert_eq!((found, slopes), (f64::NEG_INFINITY, [0.0; 3]));

    for broken in [f64::NAN, f64::INFINITY, -1.0] {
        for at in 0..3 {
            let mut hyper = hyper.clone();
            let places = [&mut hyper.weights[0], &mut hyper.scale, &mut hyper.noise];
            *places.into_iter().nth(at).unwrap() = broken;
            let mut slopes = [0.0; 3];
            let value = log_likelihood(Shape::Matern52, &inputs, &vector, &hyper, &mut slopes);
            assert_eq!(value, f64::NEG_INFINITY);
            let shape = Shape::SquaredExponential;
            assert_eq!(GaussianProcess::new(shape, hyper, inputs.clone(), &targets), None);
        }
    }
}

#[test]
fn inverses_undo_the_covariance() {
    let (inputs, targets) = mixed(45);
    let hyper = Hyperparameters { weights: vec![3.0, 0.5, 1.0], scale: 1.4, noise: 0.02 };
    let lower = covariance(Shape::Matern52, &hyper, &inputs);
    let posterior = Posterior::new(&lower, &targets).unwrap();
    let whole = |lower: &Matrix| {
        Matrix::from_fn(45, 45, |i, j| if i >= j { lower[(i, j)] } else { lower[(j, i)] })
    };
    let product = whole(&lower) * whole(&posterior.inverse());
    let most = (product - Matrix::identity(45, 45)).amax();
    assert!(most < 1e-11, "{most:e}");
    let found = whole(&lower) * Vector::from_column_slice(posterior.weights());
    assert!((found - targets).amax() < 1e-12);
}
