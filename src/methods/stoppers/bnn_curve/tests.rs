//! Exact stopping epochs; the parts have tests of their own.

use base::measured::NOT_MEASURED;

use crate::interface::Stopper;
use crate::stoppers::stage::{Stage, curve, ends, spread};

const NAN: f64 = f64::NAN;
const NULL: f64 = NOT_MEASURED;

/// Any probability is below 1: what is judged at all is stopped.
const STRICT: &str = "bnn-curve:threshold=1,least=6,networks=3,steps=20";

#[test]
fn nothing_is_stopped_before_enough_have_completed() {
    assert_eq!(ends(STRICT, None, &spread(6, &[curve(0.3)]))[5..], [(10, false), (1, true)]);
    let later = ends(STRICT, None, &spread(5, &[curve(0.3), curve(0.3)]));
    assert_eq!(later[5..], [(10, false), (1, true)]);
    let every = format!("{STRICT},interval=4");
    assert_eq!(ends(&every, None, &spread(6, &[curve(0.3)]))[6], (4, true));
    let never = STRICT.replace("threshold=1", "threshold=0");
    assert_eq!(ends(&never, None, &spread(6, &[curve(0.2)]))[6], (10, false));
}

/// What a row comes to depends on its parameter.
fn last(row: u32) -> f64 {
    0.2 + 0.6 * f64::from(row) / 39.0
}

/// A rule that has seen twelve rows, with what becomes of scores.
fn trained(rule: &str, of: impl Fn(f64) -> f64) -> (Stage, Box<dyn Stopper>) {
    let mut stage = Stage::new(10, None);
    let mut rule = stage.rule(rule, 40).unwrap();
    for row in (0..12).map(|at| 3 * at) {
        assert_eq!(stage.run_row(&mut *rule, row, &curve(last(row)).map(&of)), (10, false));
    }
    (stage, rule)
}

#[test]
fn the_worse_stop_with_a_prediction_and_the_better_do_not() {
    // The scores of a loss are negative, and of any size.
    let seen: [(f64, f64); 2] = [(1.0, 0.0), (40.0, -64.0)];
    for (scale, shift) in seen {
        let of = |y: f64| scale * y + shift;
        let (mut stage, mut rule) = trained("bnn-curve:least=12,interval=3", of);
        let good = stage.run_row(&mut *rule, 39, &curve(last(39)).map(of));
        let bad = stage.run_row(&mut *rule, 5, &curve(last(5)).map(of));
        assert_eq!((good, bad.1), ((10, false), true), "{bad:?}");
        let predicted = (stage.predicted.unwrap() - shift) / scale;
        assert!((predicted - last(5)).abs() < 0.1, "{predicted}, not {}", last(5));
    }
}

#[test]
fn the_own_beginning_counts_beside_the_configuration() {
    // One row, two beginnings.
    let rule = "bnn-curve:least=12,interval=3,threshold=0.3";
    let (mut stage, mut rule) = trained(rule, |y| y);
    assert_eq!(stage.run_row(&mut *rule, 20, &curve(0.95)), (10, false));
    assert!(stage.run_row(&mut *rule, 20, &curve(0.3)).1);
}

#[test]
fn what_has_no_numbers_goes_on() {
    let mut gaps = curve(0.5);
    (gaps[0], gaps[1]) = (NULL, NULL);
    assert_eq!(ends(STRICT, None, &spread(6, &[gaps]))[6], (3, true));
    assert_eq!(ends(STRICT, None, &spread(6, &[[NULL; 10]]))[6], (10, false));
    assert_eq!(ends(STRICT, None, &spread(6, &[[NAN; 10]]))[6], (10, false));
    assert_eq!(ends(STRICT, Some(0.1), &spread(6, &[[NAN; 10]]))[6], (1, true));
    // Nothing but one score is nothing to learn from, and NaN completes nothing.
    assert_eq!(ends(STRICT, None, &[[0.5; 10]; 9]), [(10, false); 9]);
    let diverged = spread(5, &[[NAN; 10], curve(0.3), curve(0.3)]);
    assert_eq!(ends(STRICT, None, &diverged)[5..], [(10, false), (10, false), (1, true)]);
}

#[test]
fn the_same_history_gives_the_same_decisions() {
    let rule = "bnn-curve:least=4,networks=3,steps=50,threshold=0.4";
    let curves = spread(6, &[curve(1.2), curve(0.7), curve(0.75), curve(0.3)]);
    let found = ends(rule, None, &curves);
    assert_eq!(found, ends(rule, None, &curves));
    assert_eq!((found[6], found[9].1), ((10, false), true), "{found:?}");
}
