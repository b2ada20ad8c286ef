//! The mixture of several parameters at once, made for speed: [`Parzen`](super::Parzen) is what it
//! computes.
//!
//! A kernel's density at a point is a product over the parameters; its logarithms to the base 2 add
//! up, and all are taken relative to the prior's kernel, which any two mixtures of the same
//! parameters share. What comes out is a density divided by the prior's: good for comparing two
//! mixtures, and never too small to be told from nothing.

use rand::{Rng, RngExt};

use super::axis::{Axis, Kernel, PRIOR, Shape};
use super::bins::NOTHING;
use super::deviations::Rule;
use super::exponential::{LANES, exp2};
use super::mass_between;
use super::scale::Scale;
use crate::kit::draws::{index, uniform_open};

/// Points, parameter after parameter.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    count: usize,
    /// Padded to whole lanes.
    stride: usize,
    values: Vec<f64>,
}

impl Columns {
    /// Room for `count` points of `width` parameters, all in the middle.
    pub fn reset(&mut self, count: usize, width: usize) {
        self.count = count;
        self.stride = count.next_multiple_of(LANES);
        self.values.clear();
        self.values.resize(self.stride * width, 0.5);
    }

    /// How many points there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Sets a coordinate.
    pub fn set(&mut self, point: usize, parameter: usize, u: f64) {
        self.values[parameter * self.stride + point] = u;
    }

    /// A coordinate.
    pub fn get(&self, point: usize, parameter: usize) -> f64 {
        self.values[parameter * self.stride + point]
    }

    fn column(&self, parameter: usize) -> &[f64] {
        &self.values[parameter * self.stride..][..self.stride]
    }
}

/// A parameter's part of the kernels, in the order of the observations, the prior's last.
#[derive(Debug, Clone, Default)]
struct Part {
    kernels: Vec<Kernel>,
    /// The choices observed; empty of numbers.
    choices: Vec<usize>,
}

/// A mixture of products of kernels.
#[derive(Debug, Clone, Default)]
pub struct Joint {
    /// In the order of the observations, the prior's 1 last.
    weights: Vec<f64>,
    sums: Vec<f64>,
    parts: Vec<Part>,
    in_order: Vec<Kernel>,
}

impl Joint {
    /// Takes the observations that have a weight; `weights` is by observation, and those without
    /// one are 0 or missing. Every one of them has a coordinate on each of the axes.
    pub fn fit(&mut self, axes: &mut [&mut Axis], weights: &[f64]) {
        let mut slots = vec![0; weights.len()];
        self.weights.clear();
        for (slot, weight) in slots.iter_mut().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            *slot = self.weights.len();
            self.weights.push(*weight);
        }
        let count = self.weights.len();
        self.weights.push(1.0);
        let mut sum = 0.0;
        self.sums.clear();
        self.sums.extend(self.weights.iter().map(|weight| {
            sum += weight;
            sum
        }));
        self.parts.resize_with(axes.len(), Part::default);
        for (axis, part) in axes.iter_mut().zip(&mut self.parts) {
            part.kernels.clear();
            part.choices.clear();
            if let Scale::Choices { .. } = axis.scale() {
                part.choices.resize(count, 0);
                for (observation, u, _) in axis.members(weights) {
                    part.choices[slots[observation as usize]] = axis.scale().choice(u);
                }
                continue;
            }
            axis.kernels(Rule::Optuna, weights, &mut self.in_order);
            assert_eq!(self.in_order.len(), count + 1, "every observation has a coordinate");
            part.kernels.resize(count + 1, self.in_order[count]);
            for kernel in &self.in_order[..count] {
                part.kernels[slots[kernel.owner as usize]] = *kernel;
            }
        }
    }

    /// Draws a point: one kernel for all parameters, then a coordinate of each.
    pub fn draw(&self, axes: &[&mut Axis], rng: &mut impl Rng, mut set: impl FnMut(usize, f64)) {
        let last = self.sums.len() - 1;
        let sought = rng.random::<f64>() * self.sums[last];
        let kernel = self.sums.partition_point(|sum| *sum <= sought).min(last);
        for (at, (axis, part)) in axes.iter().zip(&self.parts).enumerate() {
            let u = match axis.scale() {
                Scale::Choices { count } => {
                    let is_observed = kernel < last && uniform_open(rng) < self.sure(count);
                    let any = if is_observed { part.choices[kernel] } else { index(rng, count) };
                    axis.scale().middle_of_choice(any)
                }
                scale => scale.settled(part.kernels[kernel].quantile(uniform_open(rng))),
            };
            set(at, u);
        }
    }

    /// What the observed one of `count` choices has more than each of the others.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn sure(&self, count: usize) -> f64 {
        let kernels = self.weights.len() as f64;
        1.0 / (count as f64 / kernels + 1.0)
    }

    /// The density at some points, each divided by that of the prior's kernel there; as many as
    /// there are points, and then perhaps a few without meaning.
    pub fn relative_densities(&self, axes: &[&mut Axis], points: &Columns, found: &mut Vec<f64>) {
        let total = self.sums.last().copied().unwrap_or(1.0);
        let last = self.weights.len() - 1;
        let mut exponents = vec![0.0; points.stride];
        for at in 0..axes.len() {
            self.add_exponents(axes, at, last, points, &mut exponents);
        }
        let prior = exponents.clone();
        found.clear();
        found.resize(points.stride, 1.0);
        for kernel in 0..last {
            exponents.fill(libm::log2(self.weights[kernel]));
            for at in 0..axes.len() {
                self.add_exponents(axes, at, kernel, points, &mut exponents);
            }
            let lanes = exponents.as_chunks::<LANES>().0.iter().zip(prior.as_chunks::<LANES>().0);
            for (density, (of_kernel, of_prior)) in
                found.as_chunks_mut::<LANES>().0.iter_mut().zip(lanes)
            {
                let mut more = [0.0; LANES];
                for ((more, of_kernel), of_prior) in more.iter_mut().zip(of_kernel).zip(of_prior) {
                    *more = (of_kernel - of_prior).min(1000.0);
                }
                for (density, power) in density.iter_mut().zip(exp2(more)) {
                    *density += power;
                }
            }
        }
        for density in found {
            *density /= total;
        }
    }

    /// Adds the logarithm of what a kernel has at each point in one parameter.
    fn add_exponents(
        &self,
        axes: &[&mut Axis],
        at: usize,
        kernel: usize,
        points: &Columns,
        exponents: &mut [f64],
    ) {
        let (axis, part, column) = (&axes[at], &self.parts[at], points.column(at));
        if let Scale::Choices { count } = axis.scale() {
            let observed = part.choices.get(kernel).copied();
            let (hit, miss) = self.choice_exponents(count, observed.is_some());
            for (exponent, u) in exponents.iter_mut().zip(column) {
                *exponent += if Some(axis.scale().choice(*u)) == observed { hit } else { miss };
            }
            return;
        }
        let Kernel { owner, centre, shape, .. } = part.kernels[kernel];
        let Shape { deviation, inverse, lift, .. } = shape;
        match (axis.scale(), axis.bins()) {
            (Scale::Real, _) => {
                let steepness = -0.5 * std::f64::consts::LOG2_E * inverse * inverse;
                let most = libm::log2(inverse * lift);
                for (exponent, u) in exponents.iter_mut().zip(column) {
                    *exponent += most + steepness * (u - centre) * (u - centre);
                }
            }
            (Scale::Even { .. }, Some(bins)) => {
                let most = libm::log2(lift);
                if owner == PRIOR {
                    for (exponent, u) in exponents.iter_mut().zip(column) {
                        *exponent += most + bins.prior[bins.of(*u)].1;
                    }
                    return;
                }
                let (logs, centre) = (bins.logs(deviation), bins.of(centre));
                for (exponent, u) in exponents.iter_mut().zip(column) {
                    let away = bins.of(*u).abs_diff(centre);
                    *exponent += most + logs.get(away).copied().unwrap_or(NOTHING);
                }
            }
            (scale, _) => {
                for (exponent, u) in exponents.iter_mut().zip(column) {
                    let (low, high) = scale.bin(*u).expect("values with steps have bins");
                    let place = |u: f64| (u - centre) / deviation;
                    let mass = mass_between(place(low), place(high)) * lift;
                    *exponent += if mass > 0.0 { libm::log2(mass) } else { NOTHING };
                }
            }
        }
    }

    /// The logarithms of the probabilities of an observed choice and of any other.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn choice_exponents(&self, count: usize, is_observed: bool) -> (f64, f64) {
        if !is_observed {
            let each = -libm::log2(count as f64);
            return (each, each);
        }
        let sure = self.sure(count);
        let miss = sure / self.weights.len() as f64;
        (libm::log2(miss + sure), libm::log2(miss))
    }
}
