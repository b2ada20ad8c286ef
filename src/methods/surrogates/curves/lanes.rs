//! The families for many parameter vectors at once, by vectors of the processor at hand. Every
//! operation rounds once, so that all of them give the same bits.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instruction set in use"
)]

use base::elementary::{exp, ln};
use pulp::{Arch, Simd, WithSimd};

use super::family::Family;

/// Vectors side by side.
pub(super) const LANES: usize = 64;

/// One number of each vector.
pub(super) type Row = [f64; LANES];

/// An epoch, and what the families take of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    inverse: f64,
    log: f64,
    /// `1 / ln(x + 1)`.
    inverse_log_next: f64,
}

impl At {
    pub(super) fn new(x: f64) -> Self {
        let inverse_log_next = 1.0 / libm::log(x + 1.0);
        Self { inverse: 1.0 / x, log: libm::log(x), inverse_log_next }
    }
}

/// Turns the parameters of `lanes` vectors, one a row, into what [`values`] takes: rises in place
/// of lower asymptotes, logarithms of what is raised to a power.
pub(super) fn prepare(family: Family, lanes: usize, rows: &mut [Row]) {
    match (family, rows) {
        (Family::Weibull | Family::Mmf, [alpha, beta, kappa, _]) => {
            rise(lanes, alpha, beta);
            kappa[..lanes].iter_mut().for_each(|kappa| *kappa = ln(*kappa));
        }
        (Family::Janoschek, [alpha, beta, _, _]) => rise(lanes, alpha, beta),
        (Family::Hill3, [_, _, kappa]) => {
            kappa[..lanes].iter_mut().for_each(|kappa| *kappa = ln(*kappa));
        }
        _ => {}
    }
}

fn rise(lanes: usize, alpha: &Row, beta: &mut Row) {
    for (beta, alpha) in beta[..lanes].iter_mut().zip(alpha) {
        *beta = alpha - *beta;
    }
}

/// The values of `lanes` curves at one epoch, from [prepared](prepare) parameters: those of
/// [`Family::value`] up to rounding, and NaN where it is. The rest of `into` stays.
///
/// # Panics
/// Where there are not as many rows as the family has parameters.
pub(super) fn values(family: Family, rows: &[Row], at: At, lanes: usize, into: &mut Row) {
    Arch::new().dispatch(Values { family, rows, at, lanes, into });
}

/// A call of [`values`].
struct Values<'a> {
    family: Family,
    rows: &'a [Row],
    at: At,
    lanes: usize,
    into: &'a mut Row,
}

impl WithSimd for Values<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { family, rows, at, lanes, into } = self;
        values_inline(family, rows, at, lanes, into);
    }
}

#[inline(always)]
fn values_inline(family: Family, rows: &[Row], at: At, lanes: usize, into: &mut Row) {
    let At { inverse, log, inverse_log_next } = at;
    let into = &mut into[..lanes];
    match (family, rows) {
        (Family::Vap, [a, b, c]) => {
            three(
                into,
                [a, b, c],
                #[inline(always)]
                |a, b, c| exp(a + b * inverse + c * log),
            );
        }
        (Family::Ilog2, [c, a]) => two(
            into,
            [c, a],
            #[inline(always)]
            |c, a| c - a * inverse_log_next,
        ),
        (Family::Weibull, [alpha, rise, log_kappa, delta]) => {
            four(
                into,
                [alpha, rise, log_kappa, delta],
                #[inline(always)]
                |alpha, rise, log_kappa, delta| alpha - rise * exp(-exp(delta * (log_kappa + log))),
            );
        }
        (Family::Pow3, [c, a, alpha]) => {
            three(
                into,
                [c, a, alpha],
                #[inline(always)]
                |c, a, alpha| c - a * exp(-alpha * log),
            );
        }
        (Family::Pow4, [c, a, b, alpha]) => {
            let x = 1.0 / inverse;
            four(
                into,
                [c, a, b, alpha],
                #[inline(always)]
                |c, a, b, alpha| c - exp(-alpha * ln(a * x + b)),
            );
        }
        (Family::LoglogLinear, [a, b]) => two(
            into,
            [a, b],
            #[inline(always)]
            |a, b| ln(a * log + b),
        ),
        (Family::Mmf, [alpha, rise, log_kappa, delta]) => {
            four(
                into,
                [alpha, rise, log_kappa, delta],
                #[inline(always)]
                |alpha, rise, log_kappa, delta| {
                    alpha - rise / (1.0 + exp(delta * (log_kappa + log)))
                },
            );
        }
        (Family::Janoschek, [alpha, rise, kappa, delta]) => {
            four(
                into,
                [alpha, rise, kappa, delta],
                #[inline(always)]
                |alpha, rise, kappa, delta| alpha - rise * exp(-kappa * exp(delta * log)),
            );
        }
        (Family::Hill3, [theta, eta, log_kappa]) => {
            three(
                into,
                [theta, eta, log_kappa],
                #[inline(always)]
                |theta, eta, log_kappa| theta / (1.0 + exp(eta * (log_kappa - log))),
            );
        }
        (Family::Logpower, [a, b, c]) => {
            three(
                into,
                [a, b, c],
                #[inline(always)]
                |a, b, c| a / (1.0 + exp(c * (log - b))),
            );
        }
        (Family::Exp4, [c, a, b, alpha]) => {
            four(
                into,
                [c, a, b, alpha],
                #[inline(always)]
                |c, a, b, alpha| c - exp(b - a * exp(alpha * log)),
            );
        }
        _ => panic!("{} has not {} parameters", family.name(), rows.len()),
    }
}

#[inline(always)]
fn two(into: &mut [f64], [a, b]: [&Row; 2], f: impl Fn(f64, f64) -> f64) {
    for ((into, a), b) in into.iter_mut().zip(a).zip(b) {
        *into = f(*a, *b);
    }
}

#[inline(always)]
fn three(into: &mut [f64], [a, b, c]: [&Row; 3], f: impl Fn(f64, f64, f64) -> f64) {
    for (((into, a), b), c) in into.iter_mut().zip(a).zip(b).zip(c) {
        *into = f(*a, *b, *c);
    }
}

#[inline(always)]
fn four(into: &mut [f64], [a, b, c, d]: [&Row; 4], f: impl Fn(f64, f64, f64, f64) -> f64) {
    for ((((into, a), b), c), d) in into.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *into = f(*a, *b, *c, *d);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lane of a family at three epochs, beside its values one by one.
    #[test]
    fn lanes_are_the_families() {
        for family in Family::ALL {
            let count = family.defaults().len();
            let mut rows = vec![[0.0; LANES]; count];
            for lane in 0..LANES {
                for (row, start) in rows.iter_mut().zip(family.defaults()) {
                    // Some go below 0, where a family may have no value.
                    row[lane] = start + 0.04 * (f64::from(u8::try_from(lane).unwrap()) - 20.0);
                }
            }
            let parameters: Vec<Vec<f64>> =
                (0..LANES).map(|lane| rows.iter().map(|row| row[lane]).collect()).collect();
            prepare(family, LANES, &mut rows);
            let (mut into, mut some) = ([0.0; LANES], 0);
            for x in [1.0, 2.0, 17.0] {
                values(family, &rows, At::new(x), LANES, &mut into);
                for (found, parameters) in into.iter().zip(&parameters) {
                    let wanted = family.value(parameters, x);
                    some += usize::from(wanted.is_finite());
                    let near = (found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0);
                    let is_same = near || *found == wanted || (found.is_nan() && wanted.is_nan());
                    assert!(is_same, "{family:?} {parameters:?} at {x}: {found}, not {wanted}");
                }
            }
            assert!(some > LANES, "{family:?} has few values");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for family in Family::ALL {
            let mut rows: Vec<Row> = Vec::new();
            for start in family.defaults() {
                rows.push(std::array::from_fn(|lane| start * libm::exp(lane as f64 * 0.1 - 3.0)));
            }
            prepare(family, LANES, &mut rows);
            let (mut found, mut plain) = ([0.0; LANES], [0.0; LANES]);
            values(family, &rows, At::new(7.0), LANES, &mut found);
            // As it is compiled for every machine, one number at a time.
            for lane in 0..LANES {
                let own: Vec<Row> = rows.iter().map(|row| [row[lane]; LANES]).collect();
                let mut one = [0.0; LANES];
                values_inline(family, &own, At::new(7.0), 1, &mut one);
                plain[lane] = one[0];
            }
            assert_eq!(found.map(f64::to_bits), plain.map(f64::to_bits), "{family:?}");
        }
    }

    #[test]
    fn other_lanes_stay_as_they_are() {
        let mut into = [7.0; LANES];
        values(Family::Ilog2, &[[0.5; LANES], [0.0; LANES]], At::new(3.0), 2, &mut into);
        assert_eq!(into[..3], [0.5, 0.5, 7.0]);
    }
}
