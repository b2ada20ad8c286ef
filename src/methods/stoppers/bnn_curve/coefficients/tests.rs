//! The closed form against the normal law of whole curves, and that rounds make curves likelier.

use base::rng::Stream;

use super::*;
use crate::kit::draws::normal;

/// A row that depends on the time alone.
fn row(time: f64) -> [f64; COEFFICIENTS] {
    let at = |power: f64| libm::pow(time, power) - 1.0;
    [1.0, at(0.2), at(0.5), at(1.0), at(2.0), at(3.0)]
}

const TIMES: u32 = 20;

/// Curves of known coefficients: the value at the end of a deviation of .2, and one weight of .3;
/// the noise has a deviation of .02, and .05 in the first quarter.
fn drawn(count: usize, rng: &mut Stream) -> Vec<Vec<Observed>> {
    let curve = |rng: &mut Stream| -> Vec<Observed> {
        let (end, weight) = (0.2 * normal(rng), 0.3 * normal(rng));
        (1..=TIMES)
            .map(|at| {
                let time = f64::from(at) / f64::from(TIMES);
                let noise = if time <= 0.25 { 0.05 } else { 0.02 };
                let error = end + weight * row(time)[3] + noise * normal(rng);
                Observed { time, row: row(time), error }
            })
            .collect()
    };
    (0..count).map(|_| curve(rng)).collect()
}

/// The covariance of the errors of some epochs.
fn covariance(layer: &Layer, observed: &[Observed]) -> Matrix {
    Matrix::from_fn(observed.len(), observed.len(), |a, b| {
        let rows = [a, b].map(|at| Vector::from_column_slice(&observed[at].row));
        let noise = if a == b { layer.noise[quarter(observed[a].time)] } else { 0.0 };
        rows[0].dot(&(&layer.covariance * &rows[1])) + noise
    })
}

fn log_likelihood(layer: &Layer, curves: &[Vec<Observed>]) -> f64 {
    let of = |curve: &Vec<Observed>| {
        let factor = Cholesky::new(covariance(layer, curve)).unwrap();
        let errors = curve.iter().map(|observed| observed.error);
        let errors = Vector::from_iterator(curve.len(), errors);
        -0.5 * (errors.dot(&factor.solve(&errors)) + factor.log_determinant())
    };
    curves.iter().map(of).sum()
}

#[test]
fn quarters_end_with_their_last_epoch() {
    let of = [0.01, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0].map(quarter);
    assert_eq!(of, [0, 0, 1, 1, 2, 3, 3]);
}

#[test]
fn the_update_is_the_law_of_the_rest_given_the_beginning() {
    let mut rng = Stream::new(1, 0, "bnn-curve");
    let curves = drawn(30, &mut rng);
    let layer = Layer::find(&curves).unwrap();
    for (curve, length) in curves.iter().zip([0, 1, 5, 12, 19]) {
        let last = &curve[curve.len() - 1];
        let posterior = layer.given(&curve[..length]).unwrap();
        let (mean, variance) = layer.score(&posterior, last.time, &last.row);
        // Of the joint normal law of the beginning and the last epoch.
        let mut together = curve[..length].to_vec();
        together.push(*last);
        let joint = covariance(&layer, &together);
        let (mut wanted_mean, mut wanted_variance) = (0.0, joint[(length, length)]);
        if length > 0 {
            let factor = Cholesky::new(joint.view((0, 0), (length, length)).into_owned()).unwrap();
            let cross = Vector::from_fn(length, |at, _| joint[(at, length)]);
            let errors = Vector::from_fn(length, |at, _| curve[at].error);
            wanted_mean = cross.dot(&factor.solve(&errors));
            wanted_variance -= cross.dot(&factor.solve(&cross));
        }
        assert!((mean - wanted_mean).abs() < 1e-9, "{length}: {mean}, not {wanted_mean}");
        let ratio = variance / wanted_variance;
        assert!((ratio - 1.0).abs() < 1e-7, "{length}: {variance}, not {wanted_variance}");
    }
}

#[test]
fn rounds_make_what_was_observed_likelier_and_find_how_it_was_drawn() {
    let mut rng = Stream::new(2, 0, "bnn-curve");
    let curves = drawn(300, &mut rng);
    let start = Matrix::from_diagonal_element(COEFFICIENTS, COEFFICIENTS, START.0);
    let mut layer = Layer { covariance: start, noise: [START.1; QUARTERS] };
    let mut before = log_likelihood(&layer, &curves);
    for round in 0..20 {
        layer = layer.likelier(&curves).unwrap();
        let now = log_likelihood(&layer, &curves);
        // The ridge takes a little off what a round brings.
        assert!(now > before - 1e-3 * before.abs(), "{round}: {now} after {before}");
        assert!(round > 5 || now > before, "{round}: {now} after {before}");
        before = now;
    }
    let layer = Layer::find(&curves).unwrap();
    let end = layer.covariance[(0, 0)].sqrt();
    assert!((0.18..0.22).contains(&end), "{end}");
    for (noise, wanted) in layer.noise.iter().zip([0.05, 0.02, 0.02, 0.02]) {
        let ratio = noise.sqrt() / wanted;
        assert!((0.9..1.1).contains(&ratio), "{:?}", layer.noise);
    }
}

#[test]
fn what_is_empty_or_no_number_has_no_layer() {
    assert_eq!(Layer::find(&[]), None);
    let nan = Observed { time: 0.5, row: row(0.5), error: f64::NAN };
    assert_eq!(Layer::find(&[vec![nan]]), None);
    // A quarter without any epoch has the noise of all.
    let mut rng = Stream::new(3, 0, "bnn-curve");
    let late: Vec<Vec<Observed>> =
        drawn(20, &mut rng).into_iter().map(|curve| curve[10..].to_vec()).collect();
    let layer = Layer::find(&late).unwrap();
    assert!((1e-4..1e-3).contains(&layer.noise[0]), "{:?}", layer.noise);
    // Of curves without noise the least is left.
    let exact = vec![vec![Observed { time: 0.5, row: row(0.5), error: 0.0 }; 3]; 9];
    assert!(Layer::find(&exact).unwrap().noise[1] >= NOISE_MIN);
}
