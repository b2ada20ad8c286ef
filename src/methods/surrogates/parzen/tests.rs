use std::collections::BTreeMap;

use base::rng::Stream;
use base::space::{Domain, Parameter, Value};
use serde_json::Value as Json;

use super::deviations::FORGETTING;
use super::*;

const OPTUNA_4: &str = include_str!("../../../../tests/golden/samplers/parzen-optuna-4.json");
const OPTUNA_5: &str = include_str!("../../../../tests/golden/samplers/parzen-optuna-5.json");
const HYPEROPT: &str = include_str!("../../../../tests/golden/samplers/parzen-hyperopt.json");

/// The parameters of `make_parzen_golden.py`.
fn parameter(kind: &str) -> Parameter {
    let domain = match kind {
        "real" => Domain::Float { low: 0.25, high: 1.0, log: false },
        "real-log" => Domain::Float { low: 1e-4, high: 0.5, log: true },
        "int" => Domain::Int { low: 2, high: 10, log: false },
        "int-log" => Domain::Int { low: 1, high: 350, log: true },
        "choice" => Domain::Categorical { choices: ["a", "b", "c"].map(String::from).to_vec() },
        other => panic!("{other}"),
    };
    Parameter { name: kind.into(), domain, condition: None }
}

/// The ends of a parameter on the peers' scale.
fn ends(kind: &str) -> (f64, f64) {
    match kind {
        "real" => (0.25, 1.0),
        "real-log" => (libm::log(1e-4), libm::log(0.5)),
        "int" => (1.5, 10.5),
        "int-log" => (libm::log(0.5), libm::log(350.5)),
        other => panic!("{other}"),
    }
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole numbers")]
fn coordinates(kind: &str, native: &Json) -> Vec<f64> {
    let parameter = parameter(kind);
    let value = |x: f64| match kind {
        "choice" => Value::Choice(x as usize),
        "int" | "int-log" => Value::Int(x as i64),
        _ => Value::Float(x),
    };
    numbers(native).into_iter().map(|x| parameter.to_unit(value(x))).collect()
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-10 * expected.abs().max(1.0), "{found}, not {expected}");
}

/// Weight, centre and deviation of each kernel, in the order of centre, deviation and weight: the
/// peers have them in orders of their own.
fn in_order(mut kernels: Vec<[f64; 3]>) -> Vec<[f64; 3]> {
    let key = |k: &[f64; 3]| [k[1], k[2], k[0]].map(|x| libm::rint(x * 1e9));
    kernels.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap());
    kernels
}

/// Compares weights and kernels of one dimension; `weights` are those that the peer has.
fn check_kernels(kind: &str, kernels: &Kernels, weights: &[f64], case: &Json) {
    let golden = &case["kernels"][kind];
    match kernels {
        Kernels::Choices { count, probabilities } => {
            for (found, row) in probabilities.chunks(*count).zip(golden["rows"].as_array().unwrap())
            {
                found.iter().zip(numbers(row)).for_each(|(p, expected)| assert_close(*p, expected));
            }
        }
        Kernels::Normal { centres, deviations, .. } => {
            let (low, high) = ends(kind);
            let found = (0..centres.len()).map(|k| {
                [weights[k], low + centres[k] * (high - low), deviations[k] * (high - low)]
            });
            let (c, d, w) = (
                numbers(&golden["centres"]),
                numbers(&golden["deviations"]),
                numbers(&case["weights"]),
            );
            let expected = (0..c.len()).map(|k| [w[k], c[k], d[k]]);
            let (found, expected) = (in_order(found.collect()), in_order(expected.collect()));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                (0..3).for_each(|i| assert_close(found[i], expected[i]));
            }
        }
    }
}

/// Checks every case of a file, and returns how many log densities were compared.
fn check(golden: &str, build: impl Fn(&[Scale], &[Vec<f64>]) -> Parzen, is_hyperopt: bool) -> u32 {
    let cases: Vec<Json> = serde_json::from_str(golden).unwrap();
    let mut compared = 0;
    for case in &cases {
        let kinds: Vec<&str> =
            case["kinds"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
        let scales: Vec<Scale> = kinds.iter().map(|kind| Scale::of(&parameter(kind))).collect();
        let of = |field: &str| -> BTreeMap<&str, Vec<f64>> {
            kinds.iter().map(|kind| (*kind, coordinates(kind, &case[field][kind]))).collect()
        };
        let (observed, at) = (of("observations"), of("at"));
        let observed: Vec<Vec<f64>> = kinds.iter().map(|kind| observed[kind].clone()).collect();
        let parzen = build(&scales, &observed);
        for (kind, kernels) in kinds.iter().zip(&parzen.kernels) {
            let mut weights = parzen.weights.clone();
            if let (true, Kernels::Normal { log_kept, .. }) = (is_hyperopt, kernels) {
                // hyperopt's own weights are those before the mixture is cut off.
                weights.iter_mut().zip(log_kept).for_each(|(w, kept)| *w /= libm::exp(*kept));
                let total: f64 = weights.iter().sum();
                for weight in &mut weights {
                    *weight /= total;
                }
            }
            check_kernels(kind, kernels, &weights, case);
        }
        // Densities are of the peer's scale, probabilities of none.
        let of_real = |kind: &&str| if kind.starts_with("real") { ends(kind) } else { (0.0, 1.0) };
        let stretch: f64 = kinds.iter().map(of_real).map(|(low, high)| libm::log(high - low)).sum();
        for (i, expected) in numbers(&case["log_density"]).into_iter().enumerate() {
            let point: Vec<f64> = kinds.iter().map(|kind| at[kind][i]).collect();
            assert_close(parzen.log_density(&point) - stretch, expected);
            compared += 1;
        }
    }
    compared
}

#[test]
fn weights_kernels_and_densities_are_optunas() {
    assert_eq!(check(OPTUNA_4, Parzen::optuna, false), 5 * 10 * 12);
    assert_eq!(check(OPTUNA_5, Parzen::optuna, false), 10 * 12);
}

#[test]
fn weights_kernels_and_densities_are_hyperopts() {
    let build = |scales: &[Scale], observed: &[Vec<f64>]| Parzen::hyperopt(scales[0], &observed[0]);
    assert_eq!(check(HYPEROPT, build, true), 5 * 10 * 12);
    let optunas = std::panic::catch_unwind(|| check(HYPEROPT, Parzen::optuna, false));
    assert!(optunas.is_err(), "hyperopt's estimators are not Optuna's");
}

#[test]
fn the_sheets_example() {
    let Kernels::Normal { centres, deviations, .. } =
        normals(Spread::of(Rule::Optuna, &[0.2, 0.5, 0.9]))
    else {
        panic!("kernels of numbers")
    };
    assert_eq!(centres, [0.2, 0.5, 0.9, 0.5]);
    for (found, expected) in deviations.iter().zip([0.3, 0.4, 0.4, 1.0]) {
        assert_close(*found, expected);
    }
    assert_eq!(forgetting_weights(25), [1.0; FORGETTING]);
    assert_eq!(forgetting_weights(26)[..2], [1.0 / 26.0, 1.0]);
    assert_eq!(forgetting_weights(27)[..3], [1.0 / 27.0, 1.0, 1.0]);
}

#[test]
fn draws_are_as_frequent_as_their_density_says() {
    // A choice and a whole number: 27 outcomes, 20,000 draws, chi-squared below its 0.999 quantile
    // of 26 degrees of freedom, 54.05.
    let scales = [Scale::Choices { count: 3 }, Scale::Even { count: 9.0 }];
    let observed = [vec![0.5, 0.5, 1.0 / 6.0], vec![0.5, 0.9, 0.95]];
    let parzen = Parzen::optuna(&scales, &observed);
    let mut rng = Stream::new(3, 0, "parzen");
    let mut counts = [[0_u32; 9]; 3];
    for _ in 0..20_000 {
        let drawn = parzen.sample(&mut rng);
        let at = (0..9).position(|k| (drawn[1] - (f64::from(k) + 0.5) / 9.0).abs() < 1e-12);
        counts[scales[0].choice(drawn[0])][at.expect("the middle of a bin")] += 1;
    }
    let statistic = |parzen: &Parzen| -> f64 {
        let cells = (0..3).flat_map(|c| (0..9).map(move |k| (c, k)));
        let terms = cells.map(|(c, k)| {
            let point = [scales[0].middle_of_choice(c), (f64::from(k) + 0.5) / 9.0];
            let expected = 20_000.0 * libm::exp(parzen.log_density(&point));
            let off = f64::from(counts[c][usize::try_from(k).unwrap()]) - expected;
            off * off / expected
        });
        terms.sum()
    };
    assert!(statistic(&parzen) < 54.05, "{}", statistic(&parzen));
    let other = Parzen::optuna(&scales, &[observed[0].clone(), vec![0.5, 0.9, 0.85]]);
    assert!(statistic(&other) > 54.05, "one observation moved a little goes unnoticed");
}
