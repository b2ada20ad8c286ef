//! Domhan's posterior: what a sampled combination of families says of a curve's end.

use base::rng::Stream;

use super::combination::Combination;
use super::ensemble::Ensemble;
use super::extrapolation::{Extrapolation, Part};
use super::family::Family;
use super::fit::{Fit, fit};
use super::prefix::Prefix;
use crate::kit::draws::normal;

/// The deviation of the ball around the fits in which walkers begin.
const BALL: f64 = 1e-6;

/// How long and how wide the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Walkers; an even number, and at least two a dimension, are taken in any case.
    pub walkers: usize,
    pub steps: usize,
    /// The first steps, which are dropped.
    pub burn_in: usize,
    /// Of the samples that are left, walker by walker, every so manieth counts.
    pub thin: usize,
}

impl Default for Sampling {
    /// As in the paper's code.
    fn default() -> Self {
        Self { walkers: 100, steps: 2_500, burn_in: 500, thin: 10 }
    }
}

/// The least-squares fits of all families that have one.
pub fn fits(prefix: &Prefix) -> Vec<Fit> {
    Family::ALL.iter().filter_map(|family| fit(*family, prefix.x(), prefix.y())).collect()
}

/// Samples the posterior of the combination of families, and extrapolates by it: the mixture of
/// `N(f, sigma^2)` over the samples. `None` where no family can be fitted and is sane at the
/// horizon, or no sample is finite there. A function of the prefix and the settings alone: the
/// stream of its random numbers is keyed by the prefix.
///
/// # Panics
/// Where nothing would be left of the chain, or `thin` is 0.
pub fn posterior(prefix: &Prefix, sampling: &Sampling) -> Option<Extrapolation> {
    let (x, y) = (prefix.x(), prefix.y());
    let combination = Combination::new(x, y, prefix.horizon(), &fits(prefix))?;
    sample(prefix, combination, sampling)
}

/// As [`posterior`], of these families from this start.
#[cfg(test)]
pub(crate) fn posterior_from(
    prefix: &Prefix,
    families: Vec<Family>,
    start: Vec<f64>,
    sampling: &Sampling,
) -> Option<Extrapolation> {
    let (x, y) = (prefix.x(), prefix.y());
    let combination = Combination::new(x, y, prefix.horizon(), &fits(prefix))?;
    sample(prefix, combination.from_start(families, start), sampling)
}

/// Samples from where the combination begins.
fn sample(
    prefix: &Prefix,
    mut combination: Combination,
    sampling: &Sampling,
) -> Option<Extrapolation> {
    let Sampling { walkers, steps, burn_in, thin } = *sampling;
    assert!(burn_in < steps && thin > 0, "{sampling:?} leaves no sample");
    let start = combination.start().to_vec();
    let walkers = walkers.max(2 * start.len()).next_multiple_of(2);
    let mut ball = Stream::new(0, 0, &prefix.label("start"));
    let begin = start.iter().cycle().take(walkers * start.len());
    let begin = begin.map(|value| value + BALL * normal(&mut ball)).collect();
    let mut ensemble = Ensemble::new(&mut combination, begin, &prefix.label("chain"));
    let (mut parts, mut due) = (Vec::new(), Vec::new());
    for step in 0..steps {
        ensemble.step(&mut combination);
        let Some(kept) = step.checked_sub(burn_in) else { continue };
        due.clear();
        for (walker, row) in ensemble.walkers().chunks_exact(start.len()).enumerate() {
            // Its place among all samples, walker by walker.
            if (walker * (steps - burn_in) + kept).is_multiple_of(thin) {
                due.extend_from_slice(row);
            }
        }
        combination.ends(&due, |mean, deviation| {
            parts.push(Part { mean, deviation, weight: 1.0 });
        });
    }
    let (mean, deviation) = moments(&parts)?;
    Extrapolation::of_parts(&parts, mean, deviation)
}

/// Mean and deviation of the finite means, each counting as much. `None` where there is none.
#[expect(clippy::cast_precision_loss, reason = "a chain's samples")]
fn moments(parts: &[Part]) -> Option<(f64, f64)> {
    let means = || parts.iter().map(|part| part.mean).filter(|mean| mean.is_finite());
    let count = means().count() as f64;
    let mean = means().sum::<f64>() / count;
    let squares: f64 = means().map(|value| (value - mean) * (value - mean)).sum();
    (count > 0.0).then(|| (mean, (squares / count).sqrt()))
}
