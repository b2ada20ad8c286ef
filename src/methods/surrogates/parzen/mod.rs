//! Parzen estimators: mixtures of one kernel an observation and a wide one, the prior, over one
//! parameter or several at once (Bergstra et al. 2011), as Optuna and hyperopt build them.
//!
//! **Scale.** All is computed on the coordinates of the unit cube ([`Scale`]). On them the numbers
//! of a parameter lie as they do on the peers' scale (logarithms, if `log`; half a step beyond
//! either end, where there are steps), stretched to 0..1, and what the estimators do does not
//! depend on the stretch. A density therefore differs from a peer's by the constant factor of the
//! range.
//!
//! **Kernels** of numbers are normal distributions cut off at 0 and 1; of a parameter with steps
//! they weigh a value by the mass over its bin. hyperopt cuts off the mixture and not each kernel,
//! which is the same with weights in proportion to what each kernel keeps. Kernels of choices are
//! a table of probabilities.
//!
//! **Weights** are 1 for the 25 newest observations and ramp down to `1 / n` for the oldest of
//! `n`; that of the prior is 1.
//!
//! **Deviations** (Optuna): the larger of the gaps to the neighbours, of which the ends 0 and 1 are
//! none but for a single observation; at least `1 / min(100, n + 2)` and at most 1. The prior
//! stands at 1/2 with deviation 1. hyperopt's prior is a neighbour as well ([`Rule::Hyperopt`]).
//!
//! An observation that is NaN is refused by assertion; equal ones are all kernels.
//!
//! [`Parzen`] is the definition, held against the peers' estimators to 1e-10. What a sampler asks
//! of it thousands of times a run is done faster by [`Mixture`] (one parameter) and [`Joint`]
//! (several), which are held against it.

mod axis;
mod bins;
mod deviations;
mod exponential;
mod joint;
mod mixture;
mod scale;

use base::stats::normal::survival;
use rand::Rng;

pub use self::axis::Axis;
pub use self::bins::Bins;
use self::deviations::Spread;
pub use self::deviations::{Rule, forgetting_weights};
pub use self::joint::{Columns, Joint};
pub use self::mixture::{Mixture, Places};
pub use self::scale::Scale;
use crate::kit::draws::{truncated_normal, weighted};

/// `ln sqrt(2 pi)`.
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_7;

/// The kernels of one parameter, the prior's last.
#[derive(Debug, Clone, PartialEq)]
enum Kernels {
    /// Of numbers.
    Normal {
        centres: Vec<f64>,
        deviations: Vec<f64>,
        /// The logarithm of what a kernel has between 0 and 1.
        log_kept: Vec<f64>,
    },
    /// Of choices: the probability of each, kernel after kernel.
    Choices { count: usize, probabilities: Vec<f64> },
}

/// A mixture of products of kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Parzen {
    scales: Vec<Scale>,
    /// They add up to 1.
    weights: Vec<f64>,
    log_weights: Vec<f64>,
    kernels: Vec<Kernels>,
}

impl Parzen {
    /// Optuna's, of several parameters at once: `observations[d]` are the coordinates in dimension
    /// `d`, the oldest first, as many in each.
    pub fn optuna(scales: &[Scale], observations: &[Vec<f64>]) -> Self {
        let count = observations.first().map_or(0, Vec::len);
        assert!(observations.iter().all(|o| o.len() == count), "as many in each dimension");
        assert_eq!(scales.len(), observations.len(), "a scale a dimension");
        let mut weights = forgetting_weights(count);
        weights.push(1.0);
        let dimensions = scales.iter().zip(observations);
        let kernels = dimensions.map(|(scale, observed)| match scale {
            Scale::Choices { count } => choices_each(*count, scale, observed),
            _ => normals(Spread::of(Rule::Optuna, observed)),
        });
        let kernels = kernels.collect();
        Self::new(scales.to_vec(), weights, kernels)
    }

    /// hyperopt's, of one parameter.
    pub fn hyperopt(scale: Scale, observations: &[f64]) -> Self {
        let mut weights = forgetting_weights(observations.len());
        if let Scale::Choices { count } = scale {
            let mut counts = vec![1.0; count];
            for (u, weight) in observations.iter().zip(&weights) {
                counts[scale.choice(*u)] += weight;
            }
            let total: f64 = counts.iter().sum();
            let probabilities = counts.iter().map(|c| c / total).collect();
            return Self::new(
                vec![scale],
                vec![1.0],
                vec![Kernels::Choices { count, probabilities }],
            );
        }
        weights.push(1.0);
        let kernels = normals(Spread::of(Rule::Hyperopt, observations));
        if let Kernels::Normal { log_kept, .. } = &kernels {
            weights.iter_mut().zip(log_kept).for_each(|(w, kept)| *w *= libm::exp(*kept));
        }
        Self::new(vec![scale], weights, vec![kernels])
    }

    fn new(scales: Vec<Scale>, mut weights: Vec<f64>, kernels: Vec<Kernels>) -> Self {
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        let log_weights = weights.iter().map(|weight| libm::log(*weight)).collect();
        Self { scales, weights, log_weights, kernels }
    }

    /// The logarithm of the density at a point, or of the probability where the parameters have
    /// steps or choices. Minus infinity where it underflows.
    ///
    /// # Panics
    /// Where the point has another number of coordinates.
    pub fn log_density(&self, point: &[f64]) -> f64 {
        assert_eq!(point.len(), self.scales.len(), "one coordinate a parameter");
        let mut terms = self.log_weights.clone();
        for ((u, scale), kernels) in point.iter().zip(&self.scales).zip(&self.kernels) {
            kernels.add_log_densities(*scale, *u, &mut terms);
        }
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        let sum: f64 = terms.iter().map(|term| libm::exp(term - most)).sum();
        most + libm::log(sum)
    }

    /// A draw: one kernel for all parameters, then each coordinate of it. Values with steps and
    /// choices come out in the middle of their bins.
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f64> {
        let kernel = weighted(rng, &self.weights).expect("the prior has a weight");
        let dimensions = self.scales.iter().zip(&self.kernels);
        dimensions.map(|(scale, kernels)| kernels.sample(kernel, *scale, rng)).collect()
    }
}

/// Optuna's kernels of choices: every choice has `1 / (n + 1)`, the observed one 1 more.
fn choices_each(count: usize, scale: &Scale, observed: &[f64]) -> Kernels {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let (kernels, choices) = ((observed.len() + 1) as f64, count as f64);
    let mut probabilities = Vec::with_capacity((observed.len() + 1) * count);
    let total = choices / kernels + 1.0;
    for u in observed {
        let chosen = scale.choice(*u);
        let weight = |choice| 1.0 / kernels + f64::from(u8::from(choice == chosen));
        probabilities.extend((0..count).map(|choice| weight(choice) / total));
    }
    probabilities.extend((0..count).map(|_| 1.0 / choices));
    Kernels::Choices { count, probabilities }
}

fn normals(spread: Spread) -> Kernels {
    let Spread { centres, deviations } = spread;
    let kept = |(centre, deviation): (&f64, &f64)| {
        libm::log(mass_between(-centre / deviation, (1.0 - centre) / deviation))
    };
    let log_kept = centres.iter().zip(&deviations).map(kept).collect();
    Kernels::Normal { centres, deviations, log_kept }
}

/// What a standard normal variable has between two places, exact in either tail.
fn mass_between(low: f64, high: f64) -> f64 {
    if low > 0.0 {
        survival(low) - survival(high)
    } else if high < 0.0 {
        survival(-high) - survival(-low)
    } else {
        1.0 - survival(high) - survival(-low)
    }
}

impl Kernels {
    /// Adds each kernel's log density at a coordinate.
    fn add_log_densities(&self, scale: Scale, u: f64, terms: &mut [f64]) {
        match self {
            Self::Choices { count, probabilities } => {
                let choice = scale.choice(u);
                let columns = probabilities.iter().skip(choice).step_by(*count);
                terms.iter_mut().zip(columns).for_each(|(term, p)| *term += libm::log(*p));
            }
            Self::Normal { centres, deviations, log_kept } => {
                let bin = scale.bin(u);
                let kernels = centres.iter().zip(deviations).zip(log_kept);
                for (term, ((centre, deviation), kept)) in terms.iter_mut().zip(kernels) {
                    let place = |u: f64| (u - centre) / deviation;
                    *term += match bin {
                        Some((low, high)) => libm::log(mass_between(place(low), place(high))),
                        None => -0.5 * place(u) * place(u) - LN_ROOT_TAU - libm::log(*deviation),
                    } - kept;
                }
            }
        }
    }

    fn sample(&self, kernel: usize, scale: Scale, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Choices { count, probabilities } => {
                let row = &probabilities[kernel * count..][..*count];
                let choice = weighted(rng, row).expect("every choice has a probability");
                scale.middle_of_choice(choice)
            }
            Self::Normal { centres, deviations, .. } => {
                let (centre, deviation) = (centres[kernel], deviations[kernel]);
                let ends = (-centre / deviation, (1.0 - centre) / deviation);
                let drawn = truncated_normal(rng, ends.0, ends.1);
                scale.settled((centre + deviation * drawn).clamp(0.0, 1.0))
            }
        }
    }
}

#[cfg(test)]
mod fast_tests;
#[cfg(test)]
mod tests;
