//! The mixture of one parameter, made for speed: [`Parzen`](super::Parzen) is what it computes.
//!
//! A proposal draws some candidates from one mixture and compares two mixtures at them. Candidates
//! are sorted, so that a kernel meets only those within its reach, a few at a time; kernels alike
//! are one; bins have tables ([`Bins`](super::Bins)).

use super::axis::{Axis, Kernel, PRIOR};
use super::bins::{Bins, REACH};
use super::deviations::Rule;
use super::exponential::{LANES, exp2};
use super::mass_between;
use super::scale::Scale;

/// `1 / sqrt(2 pi)`.
const DENSITY_MOST: f64 = 0.398_942_280_401_432_7;

/// Steps in which it is noted how many places lie below.
const STEPS: usize = 64;

/// Different coordinates in order.
#[derive(Debug, Clone)]
pub struct Places {
    /// Padded to whole lanes by the last.
    sorted: Vec<f64>,
    count: usize,
    /// How many lie below `step / STEPS`.
    below: [usize; STEPS + 1],
}

impl Default for Places {
    fn default() -> Self {
        Self { sorted: Vec::new(), count: 0, below: [0; STEPS + 1] }
    }
}

impl Places {
    /// Takes coordinates that ascend, each of them once, in place of those it had.
    pub fn fill(&mut self, ascending: impl IntoIterator<Item = f64>) {
        self.sorted.clear();
        self.sorted.extend(ascending);
        self.count = self.sorted.len();
        let mut step = 0;
        for (at, u) in self.sorted.iter().enumerate() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "coordinates are in 0..1"
            )]
            let first_beyond = ((u * STEPS_F64) as usize).min(STEPS) + 1;
            while step < first_beyond && step <= STEPS {
                self.below[step] = at;
                step += 1;
            }
        }
        self.below[step.min(STEPS + 1)..].fill(self.count);
        if let Some(last) = self.sorted.last().copied() {
            self.sorted.resize(self.count.next_multiple_of(LANES), last);
        }
    }

    /// The coordinates, in order.
    pub fn coordinates(&self) -> &[f64] {
        &self.sorted[..self.count]
    }

    /// Which of them a kernel may reach, and perhaps a few more; values are `half` a bin wide on
    /// either side.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the steps"
    )]
    fn within_reach(&self, kernel: &Kernel, half: f64) -> (usize, usize) {
        let reach = REACH * kernel.shape.deviation + half;
        let (low, high) = (kernel.centre - reach, kernel.centre + reach);
        let first = (low * STEPS_F64).clamp(0.0, STEPS_F64) as usize;
        let last = (high * STEPS_F64).clamp(0.0, STEPS_F64) as usize + 1;
        (self.below[first], if last > STEPS { self.count } else { self.below[last] })
    }
}

const STEPS_F64: f64 = 64.0;

/// A mixture of one parameter's kernels, or of its choices' probabilities.
#[derive(Debug, Clone, Default)]
pub struct Mixture {
    kernels: Vec<Kernel>,
    /// Sums of weights: of kernels, or of choices.
    sums: Vec<f64>,
    /// In proportion to the probability of each choice; empty of numbers.
    choices: Vec<f64>,
}

impl Mixture {
    /// Takes the observations of an axis that have a weight; `weights` is by observation, and those
    /// without one are 0 or missing.
    pub fn fit(&mut self, axis: &mut Axis, rule: Rule, weights: &[f64]) {
        self.choices.clear();
        if let Scale::Choices { count } = axis.scale() {
            self.fit_choices(axis, rule, weights, count);
        } else {
            axis.kernels(rule, weights, &mut self.kernels);
            // Observations at one place with one deviation are one kernel.
            self.kernels.dedup_by(|next, kernel| {
                let is_alike = (next.centre, next.shape) == (kernel.centre, kernel.shape)
                    && next.owner != PRIOR;
                if is_alike {
                    kernel.weight += next.weight;
                }
                is_alike
            });
        }
        let weights = self.kernels.iter().map(|kernel| kernel.weight);
        let mut sum = 0.0;
        self.sums.clear();
        self.sums.extend(weights.chain(self.choices.iter().copied()).map(|weight| {
            sum += weight;
            sum
        }));
    }

    /// Optuna gives each choice `1 / (n + 1)` of a kernel and the observed one 1 more; hyperopt
    /// counts 1 for each choice.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn fit_choices(&mut self, axis: &Axis, rule: Rule, weights: &[f64], count: usize) {
        self.kernels.clear();
        self.choices.resize(count, 0.0);
        let (mut kernels, mut total) = (1.0, 0.0);
        for (_, u, weight) in axis.members(weights) {
            self.choices[axis.scale().choice(u)] += weight;
            total += weight;
            kernels += 1.0;
        }
        let each = count as f64 / kernels + 1.0;
        for choice in &mut self.choices {
            *choice = match rule {
                Rule::Hyperopt => *choice + 1.0,
                Rule::Optuna => (*choice + total / kernels) / each + 1.0 / count as f64,
            };
        }
    }

    /// The coordinate that a uniform number stands for: part of it chooses the kernel, the rest
    /// the place. Values with steps and choices come out in the middle of their bins.
    pub fn draw(&self, axis: &Axis, uniform: f64) -> f64 {
        let last = self.sums.len() - 1;
        let sought = uniform * self.sums[last];
        let found = self.sums.partition_point(|sum| *sum <= sought).min(last);
        if !self.choices.is_empty() {
            return axis.scale().middle_of_choice(found);
        }
        let before = if found == 0 { 0.0 } else { self.sums[found - 1] };
        let kernel = &self.kernels[found];
        let share = ((sought - before) / kernel.weight).clamp(0.0, 1.0);
        axis.scale().settled(kernel.quantile(share))
    }

    /// The density at some places, or the probability of the values there; as many as there are
    /// places, and then perhaps a few without meaning.
    pub fn densities(&self, axis: &Axis, places: &Places, found: &mut Vec<f64>) {
        found.clear();
        found.resize(places.sorted.len(), 0.0);
        match (axis.scale(), axis.bins()) {
            (Scale::Choices { .. }, _) => {
                for (density, u) in found.iter_mut().zip(places.coordinates()) {
                    *density = self.choices[axis.scale().choice(*u)];
                }
            }
            (Scale::Real, _) => self.kernels.iter().for_each(|k| bell(k, places, found)),
            (Scale::Even { .. }, Some(bins)) => self.of_bins(bins, places, found),
            (scale, _) => self.of_steps(scale, places, found),
        }
        let total = self.sums.last().copied().unwrap_or(1.0);
        for density in found {
            *density /= total;
        }
    }

    fn of_bins(&self, bins: &Bins, places: &Places, found: &mut [f64]) {
        let at: Vec<usize> = places.coordinates().iter().map(|u| bins.of(*u)).collect();
        let (prior, observed) = self.kernels.split_last().expect("the prior has a kernel");
        let share = prior.weight * prior.shape.lift;
        for (density, bin) in found.iter_mut().zip(&at) {
            *density += share * bins.prior[*bin].0;
        }
        for kernel in observed {
            let masses = bins.masses(kernel.shape.deviation);
            let (centre, share) = (bins.of(kernel.centre), kernel.weight * kernel.shape.lift);
            let (first, end) = places.within_reach(kernel, bins.half());
            for (density, bin) in found[first..end].iter_mut().zip(&at[first..end]) {
                if let Some(mass) = masses.get(bin.abs_diff(centre)) {
                    *density += share * mass;
                }
            }
        }
    }

    /// Kernels with steps that have no table.
    fn of_steps(&self, scale: Scale, places: &Places, found: &mut [f64]) {
        let ends = |u: &f64| scale.bin(*u).expect("values with steps have bins");
        let bins: Vec<(f64, f64)> = places.coordinates().iter().map(ends).collect();
        for kernel in &self.kernels {
            let share = kernel.weight * kernel.shape.lift;
            let place = |u: f64| (u - kernel.centre) / kernel.shape.deviation;
            for (density, (low, high)) in found.iter_mut().zip(&bins) {
                let (low, high) = (place(*low), place(*high));
                if low < REACH && high > -REACH {
                    *density += share * mass_between(low, high);
                }
            }
        }
    }
}

/// Adds a kernel's density at the places within its reach. With the weight of the prior 1 and
/// fewer than 10^4 kernels, what is left out is below 1e-11 of the sum.
#[inline]
fn bell(kernel: &Kernel, places: &Places, found: &mut [f64]) {
    let Kernel { centre, weight, shape, .. } = *kernel;
    let most = weight * DENSITY_MOST * shape.inverse * shape.lift;
    let steepness = -0.5 * std::f64::consts::LOG2_E * shape.inverse * shape.inverse;
    let (first, end) = places.within_reach(kernel, 0.0);
    let first = first / LANES * LANES;
    if first >= end {
        return;
    }
    let end = end.next_multiple_of(LANES);
    let densities = found[first..end].as_chunks_mut::<LANES>().0;
    for (density, u) in densities.iter_mut().zip(places.sorted[first..end].as_chunks::<LANES>().0) {
        let powers = exp2(u.map(|u| steepness * (u - centre) * (u - centre)));
        for (density, power) in density.iter_mut().zip(powers) {
            *density += most * power;
        }
    }
}
