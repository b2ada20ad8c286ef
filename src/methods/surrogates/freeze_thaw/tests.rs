use serde_json::Value as Json;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/freeze_thaw.json");

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(values: &Json) -> Vec<f64> {
    list(values).map(number).collect()
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().unwrap().iter()
}

fn curves(points: &Json, curves: &Json) -> Vec<Curve> {
    let seen = |pair: &Json| (u16::try_from(pair[0].as_u64().unwrap()).unwrap(), number(&pair[1]));
    let curve = |(point, values): (&Json, &Json)| Curve {
        point: numbers(point),
        values: list(values).map(seen).collect(),
    };
    list(points).zip(list(curves)).map(curve).collect()
}

#[test]
fn likelihood_and_asymptotes_are_those_of_the_joint_distribution() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let mut worst = 0.0_f64;
    for case in list(&golden) {
        let of = |name: &str| number(&case["hyper"][name]);
        let hyper = Hyperparameters {
            lengthscales: numbers(&case["hyper"]["lengthscales"]),
            scale: of("scale"),
            mean: of("mean"),
            decay: of("decay"),
            alpha: of("alpha"),
            beta: of("beta"),
            noise: of("noise"),
        };
        let model = FreezeThaw::new(hyper, &curves(&case["points"], &case["curves"])).unwrap();
        let mut compare = |found: f64, expected: &Json| {
            let expected = number(expected);
            worst = worst.max((found - expected).abs() / expected.abs().max(1.0));
        };
        compare(model.log_likelihood(), &case["log_likelihood"]);
        for (point, expected) in list(&case["asked"]).zip(list(&case["asymptotes"])) {
            let Belief { mean, variance } = model.asymptote(&numbers(point));
            compare(mean, &expected[0]);
            compare(variance, &expected[1]);
        }
    }
    assert!(worst < 1e-10, "{worst:e}");
}

/// Curves that settle where their place says, quickly.
fn settling(count: u16, epochs: u16) -> Vec<Curve> {
    let place = |row: u16| f64::from(row) / f64::from(count);
    let value = |row: u16, epoch: u16| {
        libm::sin(4.0 * place(row)) - 0.8 / (f64::from(epoch) + 0.5 * place(row))
    };
    let curve = |row: u16| Curve {
        point: vec![place(row), 0.5],
        values: (1..=epochs).map(|epoch| (epoch, value(row, epoch))).collect(),
    };
    (0..count).map(curve).collect()
}

#[test]
fn a_fit_raises_the_likelihood_and_sees_where_curves_go() {
    let curves = settling(12, 8);
    let (hyper, logs) = fit(&curves, 2, None).unwrap();
    let fitted = FreezeThaw::new(hyper.clone(), &curves).unwrap();
    let plain = Hyperparameters {
        lengthscales: vec![libm::exp(-0.7); 2],
        scale: 1.0,
        decay: 1.0,
        alpha: 1.0,
        beta: 1.0,
        noise: libm::exp(-6.0),
        ..hyper.clone()
    };
    let before = FreezeThaw::new(plain, &curves).unwrap().log_likelihood();
    assert!(fitted.log_likelihood() > before + 10.0, "{before} {}", fitted.log_likelihood());
    for (row, curve) in (0..12).zip(&curves) {
        let end = libm::sin(4.0 * f64::from(row) / 12.0);
        let found = fitted.asymptote(&curve.point);
        // The last values are 0.1 below.
        assert!((found.mean - end).abs() < 0.1, "{row}: {found:?} {end}");
    }
    // What was not seen is less certain, and the fit goes on from where it was.
    let known = fitted.asymptote(&curves[5].point).variance;
    assert!(fitted.asymptote(&[0.44, 0.5]).variance > known);
    let (_, again) = fit(&curves, 2, Some(&logs)).unwrap();
    assert!(again.iter().zip(&logs).all(|(a, b)| (a - b).abs() < 0.5), "{logs:?} {again:?}");
}

#[test]
fn odd_curves_have_a_model_and_what_is_no_number_has_none() {
    let one = |values: &[(u16, f64)]| Curve { point: vec![0.5], values: values.to_vec() };
    for curves in [
        vec![one(&[(1, 0.0)])],
        vec![one(&[(1, 0.0), (2, 0.0), (9, 0.0)]); 3],
        vec![one(&[(65_535, 3.0)]), one(&[(1, -3.0)])],
    ] {
        let (hyper, _) = fit(&curves, 1, None).unwrap();
        let found = FreezeThaw::new(hyper, &curves).unwrap().asymptote(&[0.25]);
        assert!(found.mean.is_finite() && found.variance >= 0.0, "{found:?}");
    }
    assert!(fit(&[one(&[(1, f64::NAN)])], 1, None).is_none());
}
