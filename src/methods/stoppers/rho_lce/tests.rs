//! Exact stopping epochs, and posteriors against NUTS (`tests/golden/learned/make_rho_lce.py`).

use base::measured::NOT_MEASURED;
use serde_json::Value;

use super::*;
use crate::stoppers::stage::Stage;

const NAN: f64 = f64::NAN;
const NULL: f64 = NOT_MEASURED;

/// Ends of trials of `epochs` that run one after another.
fn ends(epochs: u16, chance: Option<f64>, rule: &str, curves: &[&[f64]]) -> Vec<(u16, bool)> {
    let mut stage = Stage::new(epochs, chance);
    let mut rule = stage.rule(rule, 8).unwrap();
    curves.iter().map(|curve| stage.run(&mut *rule, curve)).collect()
}

#[test]
fn patience_counts_from_the_last_gain() {
    // A quarter of 8 is 2 epochs; rho = 1 lets every curve pass.
    let found = ends(
        8,
        Some(0.1),
        "rho-lce:rho=1",
        &[
            &[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
            &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
            &[0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.9, 0.9],
            // NaN is chance; where a gain was not measured it is none, and a gap stops nothing.
            &[0.5, NAN, NAN, 0.9, 0.9, 0.9, 0.9, 0.9],
            &[0.5, NULL, NULL, 0.6, NULL, 0.7, NULL, 0.8],
            &[0.5, NULL, NULL, 0.5, 0.9, 0.9, 0.9, 0.9],
        ],
    );
    assert_eq!(found, [(3, true), (8, false), (6, true), (3, true), (8, false), (4, true)]);
    let constant: [f64; 8] = [0.5; 8];
    let never = ends(8, Some(0.1), "rho-lce:rho=1,patience=1", &[&constant, &constant]);
    assert_eq!(never, [(8, false); 2]);
    // Less than one epoch is one.
    assert_eq!(ends(3, None, "rho-lce", &[&[0.1, 0.2, 0.3]]), [(3, false)]);
    assert_eq!(ends(3, None, "rho-lce", &[&[0.1, 0.1, 0.3]]), [(2, true)]);
    // Without a chance level NaN is no gain, and any number after it is one.
    let found = ends(8, None, "rho-lce:rho=1", &[&[NAN, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]]);
    assert_eq!(found, [(4, true)]);
    assert_eq!(ends(8, None, "rho-lce:rho=1", &[&[NAN; 8]]), [(3, true)]);
}

#[test]
fn outliers_are_below_the_whiskers_of_more_than_ten() {
    // Of .50 to .59 and one more below: quartiles .515 and .565, whisker .44.
    let ten: Vec<[f64; 4]> =
        (0..10).map(|at| [0.5 + 0.01 * f64::from(at), 0.7, 0.8, 0.9]).collect();
    let last = |first: f64, peers: usize, chance: Option<f64>| {
        let own = [first, 0.95, 0.96, 0.97];
        let mut curves: Vec<&[f64]> = ten[10 - peers..].iter().map(|c| &c[..]).collect();
        curves.push(&own);
        *ends(4, chance, "rho-lce:patience=1", &curves).last().unwrap()
    };
    assert_eq!(last(0.40, 10, None), (1, true));
    assert_eq!(last(0.4399, 10, None), (1, true));
    assert_eq!(last(0.44, 10, None), (4, false));
    assert_eq!(last(0.45, 10, None), (4, false));
    assert_eq!(last(0.40, 9, None), (4, false));
    assert_eq!(last(NAN, 10, None), (1, true));
    assert_eq!(last(NAN, 10, Some(0.5)), (4, false));
    assert_eq!(last(NULL, 10, None), (4, false));
    // Nothing before the least epoch; the second one has .70 ten times, and nobody below it.
    let mut curves: Vec<&[f64]> = ten.iter().map(|c| &c[..]).collect();
    curves.push(&[0.1, 0.7, 0.8, 0.9]);
    let found = ends(4, None, "rho-lce:patience=1,least=2", &curves);
    assert_eq!(found[10], (4, false));
    curves[10] = &[0.6, 0.69, 0.8, 0.9];
    assert_eq!(ends(4, None, "rho-lce:patience=1,least=2", &curves)[10], (2, true));
    // Quartiles of nothing but NaN leave no bar.
    let diverged: [f64; 4] = [NAN; 4];
    let all = vec![&diverged[..]; 12];
    assert_eq!(ends(4, None, "rho-lce:patience=1", &all), [(4, false); 12]);
}

#[test]
fn peers_that_run_or_were_stopped_count() {
    let mut stage = Stage::new(4, None);
    let mut rule = stage.rule("rho-lce:patience=1", 20).unwrap();
    let running: Vec<TrialId> =
        (0..10).map(|at| stage.start(at, &[0.5 + 0.01 * f64::from(at), 0.7, 0.8, 0.9])).collect();
    for id in &running {
        assert_eq!(stage.run_to(&mut *rule, *id, 1), (1, false));
    }
    assert_eq!(stage.run(&mut *rule, &[0.40, 0.9, 0.9, 0.9]), (1, true));
    // Nobody else has come to the second epoch.
    let ahead = stage.start(11, &[0.52, 0.0, 0.8, 0.9]);
    assert_eq!(stage.run_to(&mut *rule, ahead, 4), (4, false));
}

#[test]
fn a_curve_is_judged_from_the_fourth_number_on() {
    let rising: &[f64] = &[0.10, 0.32, 0.41, 0.47, 0.52, 0.55, 0.57, 0.58];
    let sparse: &[f64] = &[0.10, NULL, 0.32, 0.41, NULL, 0.47, 0.52, 0.55];
    // Any probability exceeds 0, none 1.
    assert_eq!(
        ends(8, None, "rho-lce:rho=0,patience=1", &[rising, sparse]),
        [(4, true), (6, true)]
    );
    let found = ends(8, None, "rho-lce:rho=0,patience=1,points=6", &[rising, sparse]);
    assert_eq!(found, [(6, true), (8, false)]);
    assert_eq!(ends(8, None, "rho-lce:rho=0,patience=1,least=7", &[rising]), [(7, true)]);
    assert_eq!(ends(8, None, "rho-lce:rho=1,patience=1", &[rising, sparse]), [(8, false); 2]);
    // NaN without a chance level is no observation.
    let diverged: &[f64] = &[0.10, NAN, 0.32, 0.41, NAN, 0.47, 0.52, 0.55];
    assert_eq!(ends(8, None, "rho-lce:rho=0,patience=1", &[diverged]), [(6, true)]);
    assert_eq!(ends(8, None, "rho-lce:rho=0,patience=1", &[&[NAN; 8]]), [(8, false)]);
}

#[test]
fn the_hopeless_stop_and_the_hopeful_do_not() {
    let good: Vec<f64> = (1..=20).map(|z| 0.9 - 0.5 / f64::from(z)).collect();
    let bad: Vec<f64> = (1..=20).map(|z| 0.3 - 0.2 / f64::from(z)).collect();
    let late: Vec<f64> = (1..=20).map(|z| 0.94 - 0.6 / f64::from(z)).collect();
    let flat = [0.1; 20];
    let rule = "rho-lce:patience=1";
    let found = ends(20, Some(0.1), rule, &[&good, &bad, &late, &flat]);
    assert_eq!((found[0], found[2]), ((20, false), (20, false)));
    assert!(found[1].1 && found[1].0 < 8, "{found:?}");
    assert!(found[3].1 && found[3].0 < 8, "{found:?}");
    // What nothing has ended before is compared with its own best: a fall is hopeless.
    let falling: Vec<f64> = (1..=20).map(|z| 0.3 + 0.5 / f64::from(z)).collect();
    assert!(ends(20, Some(0.1), rule, &[&falling])[0].1);
    let best: &[&[f64]] = &[&falling, &good];
    assert_eq!(ends(20, Some(0.1), "rho-lce:patience=1,objective=max", best)[1], (20, false));
}

#[test]
fn a_posterior_is_found_again_as_it_was() {
    let posteriors = Posteriors::default();
    let points = [(1, 0.1), (2, 0.3), (3, 0.4), (4, 0.45), (5, 0.46)];
    let first = posteriors.of(&points, 20).unwrap();
    assert!(Arc::ptr_eq(&first, &posteriors.of(&points, 20).unwrap()));
    assert_eq!(*Posteriors::default().of(&points, 20).unwrap(), *first);
    assert_ne!(*posteriors.of(&points, 30).unwrap(), *first);
    assert!(posteriors.of(&[(1, 1e300), (2, -1e300), (3, 1e300), (4, 0.0)], 20).is_none());
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The fit of a recorded case and its observations.
fn observed(case: &Value, curves: &Value) -> (Observed, (posterior::Parameters, f64)) {
    let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
    let at = usize::try_from(case["curve"].as_u64().unwrap()).unwrap();
    let correct = numbers(&curves["curves"][at]["correct"]);
    let images = curves["images"].as_f64().unwrap();
    let points: Vec<(u16, f64)> =
        (1..).zip(&correct[..length]).map(|(epoch, c)| (epoch, c / images)).collect();
    let fit = numbers(&case["fit"]).try_into().unwrap();
    (Observed::new(&points), (fit, case["error"].as_f64().unwrap()))
}

/// The largest difference of two lists of probabilities.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn posteriors_are_those_of_nuts_and_emcee() {
    let golden = include_str!("../../../../tests/golden/learned/rho_lce.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let curves = include_str!("../../../../tests/golden/curves/curves.json");
    let curves: Value = serde_json::from_str(curves).unwrap();
    let shares = numbers(&golden["shares"]);
    let (mut to_nuts, mut to_emcee, mut altered) = (Vec::new(), Vec::new(), 0);
    for case in golden["cases"].as_array().unwrap() {
        let (observed, fit) = observed(case, &curves);
        let (quantiles, emcee) = (numbers(&case["nuts"]), numbers(&case["emcee"]));
        let at_quantiles = |epoch: u16| -> Vec<f64> {
            let posterior = observed.posterior(fit, epoch).unwrap();
            quantiles.iter().map(|q| posterior.at_most(*q)).collect()
        };
        let found = at_quantiles(30);
        to_emcee.push(apart(&found, &emcee));
        // Where the two differ by more, neither chain has come to rest.
        if apart(&shares, &emcee) < 0.05 {
            to_nuts.push(apart(&found, &shares));
        }
        // An extrapolation to an earlier epoch is seen to be another one.
        altered += u32::from(apart(&at_quantiles(20), &emcee) > 0.1);
        // Other starts lead to a sum of squares that is hardly larger.
        let (_, error) = observed.fit().unwrap();
        assert!(error < 1.2 * fit.1, "{case}: {error}");
    }
    to_nuts.sort_by(f64::total_cmp);
    to_emcee.sort_by(f64::total_cmp);
    assert_eq!((to_nuts.len(), to_emcee.len()), (22, 24));
    for sorted in [&to_nuts, &to_emcee] {
        assert!(sorted[sorted.len() / 2] < 0.02 && *sorted.last().unwrap() < 0.08, "{sorted:?}");
    }
    // The rest of the curves is flat by then.
    assert!(altered >= 5, "{altered}");
}
