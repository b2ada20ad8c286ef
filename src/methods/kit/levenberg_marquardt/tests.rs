use super::*;

/// Misra1a of NIST's Statistical Reference Datasets, `b1 (1 - exp(-b2 x))`.
struct Misra1a;

const MISRA1A: [(f64, f64); 14] = [
    (77.6, 10.07),
    (114.9, 14.73),
    (141.1, 17.94),
    (190.8, 23.93),
    (239.9, 29.61),
    (289.0, 35.18),
    (332.8, 40.02),
    (378.4, 44.82),
    (434.8, 50.76),
    (477.3, 55.05),
    (536.8, 61.01),
    (593.1, 66.40),
    (689.1, 75.47),
    (760.0, 81.78),
];

impl LeastSquares for Misra1a {
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) {
        for (residual, (x, y)) in residuals.iter_mut().zip(MISRA1A) {
            *residual = point[0] * (1.0 - libm::exp(-point[1] * x)) - y;
        }
    }

    fn jacobian(&self, point: &[f64], columns: &mut [f64]) {
        for (at, (x, _)) in MISRA1A.into_iter().enumerate() {
            columns[at] = 1.0 - libm::exp(-point[1] * x);
            columns[MISRA1A.len() + at] = point[0] * x * libm::exp(-point[1] * x);
        }
    }
}

#[test]
fn nists_certified_minimum_is_found_from_both_starts() {
    for start in [[500.0, 1e-4], [250.0, 5e-4]] {
        let found = minimise(&Misra1a, MISRA1A.len(), &start, &Settings::default());
        let wanted = [2.389_421_291_8e2, 5.501_564_318_1e-4];
        let apart = found.point.iter().zip(wanted).map(|(x, wanted)| (x / wanted - 1.0).abs());
        assert!(apart.fold(0.0, f64::max) < 1e-6, "{found:?}");
        assert!((found.sum / 1.245_513_889_4e-1 - 1.0).abs() < 1e-9, "{found:?}");
        assert!(found.has_converged() && found.evaluations < 50, "{found:?}");
    }
}

/// Residuals and derivatives of two coordinates, each a function.
struct Two(fn(f64, f64) -> [f64; 2], fn(f64, f64) -> [f64; 4]);

impl LeastSquares for Two {
    fn residuals(&self, point: &[f64], residuals: &mut [f64]) {
        residuals.copy_from_slice(&self.0(point[0], point[1]));
    }

    fn jacobian(&self, point: &[f64], columns: &mut [f64]) {
        columns.copy_from_slice(&self.1(point[0], point[1]));
    }
}

#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    let valley = Two(|x, y| [10.0 * (y - x * x), 1.0 - x], |x, _| [-20.0 * x, -1.0, 10.0, 0.0]);
    let found = minimise(&valley, 2, &[-1.2, 1.0], &Settings::default());
    assert!(found.sum < 1e-20 && found.has_converged(), "{found:?}");
    let few = Settings { evaluations_max: 5, ..Settings::default() };
    let found = minimise(&valley, 2, &[-1.2, 1.0], &few);
    assert_eq!((found.end, found.evaluations), (End::Evaluations, 5));
}

#[test]
fn coordinates_that_depend_on_each_other_have_a_minimum() {
    // Only the sum of the two matters.
    let both = Two(|x, y| [x + y - 3.0, 2.0 * (x + y) - 6.0], |_, _| [1.0, 2.0, 1.0, 2.0]);
    let found = minimise(&both, 2, &[0.0, 0.0], &Settings::default());
    assert!((found.point[0] + found.point[1] - 3.0).abs() < 1e-7, "{found:?}");
    // One of them does not matter at all.
    let one = Two(|x, _| [x - 3.0, 2.0], |_, _| [1.0, 0.0, 0.0, 0.0]);
    let found = minimise(&one, 2, &[0.0, 7.0], &Settings::default());
    assert!((found.point[0] - 3.0).abs() < 1e-7 && found.point[1] == 7.0, "{found:?}");
    assert!((found.sum - 4.0).abs() < 1e-12 && found.has_converged(), "{found:?}");
}

#[test]
fn what_is_not_finite_is_no_step_and_no_start() {
    // ln x: the first step from 3 leads below 0, where there is no logarithm.
    let log = Two(
        |x, _| [if x > 0.0 { libm::log(x) } else { f64::NAN }, 0.0],
        |x, _| [1.0 / x, 0.0, 0.0, 0.0],
    );
    let found = minimise(&log, 2, &[3.0, 0.0], &Settings::default());
    assert!((found.point[0] - 1.0).abs() < 1e-6 && found.has_converged(), "{found:?}");
    let found = minimise(&log, 2, &[-1.0, 0.0], &Settings::default());
    assert_eq!((found.end, found.evaluations), (End::Undefined, 1));
}
