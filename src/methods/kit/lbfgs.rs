//! The minimum of a smooth function in a box: what a model's own parameters are fitted with.
//!
//! L-BFGS (Liu & Nocedal, "On the limited memory BFGS method for large scale optimization", 1989)
//! on the coordinates that are free: those at a bound which the gradient holds there stay, as in
//! Bertsekas' projected Newton method (1982). A step goes along the projection of the quasi-Newton
//! direction onto the box and is shortened until the value falls enough (Armijo). It finds the
//! minima that L-BFGS-B finds, and not by its path, which takes a generalised Cauchy point first.
//!
//! It is our own for want of a crate: `argmin`'s L-BFGS knows no bounds and comes with a framework,
//! `lbfgsb` needs a C compiler, `liblbfgs` knows no bounds and has not been kept, `lbfgs` is a
//! direction without a line search. Its arithmetic is in one order and on one thread. It finds a
//! *local* minimum: where there may be several, a caller starts more than once.

use std::collections::VecDeque;

/// Share of the predicted decrease that a step has to bring.
const ARMIJO: f64 = 1e-4;

/// Shortenings of a step before the direction is given up.
const SHORTENINGS_MAX: u32 = 40;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Steps whose curvature is remembered.
    pub memory: usize,
    /// Steps in all.
    pub steps_max: usize,
    /// Converged where no free coordinate's derivative is larger than this.
    pub gradient_tolerance: f64,
    /// Converged where a step's decrease is at most this share of `max(|value|, 1)`.
    pub decrease_tolerance: f64,
}

impl Default for Settings {
    /// What scipy's L-BFGS-B has.
    fn default() -> Self {
        Self {
            memory: 10,
            steps_max: 15_000,
            gradient_tolerance: 1e-5,
            decrease_tolerance: 1e7 * f64::EPSILON,
        }
    }
}

/// Why it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The projected gradient is small.
    Flat,
    /// The value hardly falls any more, or no step along the gradient makes it fall.
    Still,
    /// `steps_max`.
    Steps,
    /// The value or gradient at the start is not finite.
    Undefined,
}

/// The best point found.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// In the box.
    pub point: Vec<f64>,
    /// The function there.
    pub value: f64,
    /// Steps taken.
    pub steps: usize,
    /// How often the function was evaluated.
    pub evaluations: usize,
    pub end: End,
}

/// Minimises `function` from `start` on, projected into the box. The function takes a point in the
/// box, writes its gradient, and returns its value; where that is not finite, the step is shortened
/// as if the value had risen.
///
/// # Panics
/// Where there is not one interval a coordinate, or one of them is empty or NaN.
pub fn minimise(
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: &[f64],
    bounds: &[(f64, f64)],
    settings: &Settings,
) -> Minimum {
    assert_eq!(start.len(), bounds.len(), "one interval a coordinate");
    assert!(bounds.iter().all(|(low, high)| low <= high), "an empty interval: {bounds:?}");
    let mut point: Vec<f64> = start.iter().zip(bounds).map(|(x, b)| clamp(*x, *b)).collect();
    let mut gradient = vec![0.0; point.len()];
    let mut value = function(&point, &mut gradient);
    let mut evaluations = 1;
    let mut memory = Memory { pairs: VecDeque::new(), size: settings.memory };
    let mut steps = 0;
    let end = loop {
        if !is_finite(value, &gradient) {
            break End::Undefined;
        }
        let is_free = free_coordinates(&point, &gradient, bounds);
        let free = || gradient.iter().zip(&is_free).filter(|(_, is_free)| **is_free);
        let steepest = free().fold(0.0, |most: f64, (slope, _)| most.max(slope.abs()));
        if steepest <= settings.gradient_tolerance {
            break End::Flat;
        }
        if steps == settings.steps_max {
            break End::Steps;
        }
        let direction = memory.direction(&gradient, &is_free);
        let found = search(&mut function, &point, value, &gradient, &direction, bounds);
        evaluations += found.evaluations;
        let Some(next) = found.step else {
            // What is remembered may mislead: the gradient alone has the last word.
            if memory.pairs.is_empty() {
                break End::Still;
            }
            memory.pairs.clear();
            continue;
        };
        steps += 1;
        memory.remember(&point, &gradient, &next);
        let decrease = value - next.value;
        let scale = value.abs().max(next.value.abs()).max(1.0);
        Step { point, value, gradient } = next;
        if decrease <= settings.decrease_tolerance * scale {
            break End::Still;
        }
    };
    Minimum { point, value, steps, evaluations, end }
}

/// A point with what the function says there.
struct Step {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

fn is_finite(value: f64, gradient: &[f64]) -> bool {
    value.is_finite() && gradient.iter().all(|slope| slope.is_finite())
}

fn clamp(x: f64, (low, high): (f64, f64)) -> f64 {
    x.clamp(low, high)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Coordinates that are not held at a bound.
fn free_coordinates(point: &[f64], gradient: &[f64], bounds: &[(f64, f64)]) -> Vec<bool> {
    let coordinates = point.iter().zip(gradient).zip(bounds);
    coordinates
        .map(|((x, g), (low, high))| !(x <= low && *g > 0.0 || x >= high && *g < 0.0))
        .collect()
}

/// The curvature along the last steps.
struct Memory {
    /// A step and the change of the gradient along it, oldest first.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
    size: usize,
}

impl Memory {
    fn remember(&mut self, point: &[f64], gradient: &[f64], next: &Step) {
        let difference = |after: &[f64], before: &[f64]| -> Vec<f64> {
            after.iter().zip(before).map(|(after, before)| after - before).collect()
        };
        let step = difference(&next.point, point);
        let change = difference(&next.gradient, gradient);
        // Along a step of negative curvature there is nothing that a convex model could use.
        if dot(&step, &change) <= f64::EPSILON * dot(&change, &change) {
            return;
        }
        self.pairs.push_back((step, change));
        if self.pairs.len() > self.size {
            self.pairs.pop_front();
        }
    }

    /// The two-loop recursion over the free coordinates: minus the inverse Hessian's estimate times
    /// the gradient, 0 where a coordinate is held. Minus the gradient where that is no descent.
    fn direction(&mut self, gradient: &[f64], is_free: &[bool]) -> Vec<f64> {
        let masked = |vector: &[f64]| -> Vec<f64> {
            let entries = vector.iter().zip(is_free);
            entries.map(|(x, is_free)| if *is_free { *x } else { 0.0 }).collect()
        };
        let free_gradient = masked(gradient);
        let pairs = self.pairs.iter().map(|(step, change)| (masked(step), masked(change)));
        let pairs: Vec<(Vec<f64>, Vec<f64>, f64)> = pairs
            .filter_map(|(step, change)| {
                let curvature = dot(&step, &change);
                let is_convex = curvature > f64::EPSILON * dot(&change, &change);
                is_convex.then_some((step, change, curvature))
            })
            .collect();
        let mut direction: Vec<f64> = free_gradient.iter().map(|slope| -slope).collect();
        let mut shares = vec![0.0; pairs.len()];
        for ((step, change, curvature), share) in pairs.iter().zip(&mut shares).rev() {
            *share = dot(step, &direction) / curvature;
            add(&mut direction, -*share, change);
        }
        if let Some((_, change, curvature)) = pairs.last() {
            let scale = curvature / dot(change, change);
            direction.iter_mut().for_each(|entry| *entry *= scale);
        }
        for ((step, change, curvature), share) in pairs.iter().zip(&shares) {
            let correction = share - dot(change, &direction) / curvature;
            add(&mut direction, correction, step);
        }
        let slope = dot(&direction, &free_gradient);
        if pairs.is_empty() || slope >= 0.0 || !slope.is_finite() {
            self.pairs.clear();
            // A first step of unit length, or less where the function is flat.
            let length = dot(&free_gradient, &free_gradient).sqrt();
            let scale = if length > 1.0 { 1.0 / length } else { 1.0 };
            direction = free_gradient.iter().map(|slope| -slope * scale).collect();
        }
        direction
    }
}

/// `left += factor * right`.
fn add(left: &mut [f64], factor: f64, right: &[f64]) {
    left.iter_mut().zip(right).for_each(|(left, right)| *left += factor * right);
}

/// What a line search came to.
struct Found {
    /// `None` where no step made the value fall.
    step: Option<Step>,
    evaluations: usize,
}

/// Shortens a step along the direction, projected into the box, until the value falls enough.
fn search(
    function: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
    point: &[f64],
    value: f64,
    gradient: &[f64],
    direction: &[f64],
    bounds: &[(f64, f64)],
) -> Found {
    let mut length = 1.0;
    let mut next = Step { point: point.to_vec(), value, gradient: vec![0.0; point.len()] };
    for evaluations in 1..=SHORTENINGS_MAX as usize {
        for (at, x) in next.point.iter_mut().enumerate() {
            *x = clamp(point[at] + length * direction[at], bounds[at]);
        }
        let slopes = next.point.iter().zip(point).zip(gradient);
        let predicted: f64 = slopes.map(|((after, before), slope)| (after - before) * slope).sum();
        next.value = function(&next.point, &mut next.gradient);
        let is_defined = is_finite(next.value, &next.gradient);
        if is_defined && predicted < 0.0 && next.value <= value + ARMIJO * predicted {
            return Found { step: Some(next), evaluations };
        }
        // The minimum of the parabola through what is known, as far as it can be trusted.
        let parabola = -predicted / (2.0 * (next.value - value - predicted));
        let share = if is_defined && parabola.is_finite() { parabola } else { 0.1 };
        length *= share.clamp(0.1, 0.5);
    }
    Found { step: None, evaluations: SHORTENINGS_MAX as usize }
}

#[cfg(test)]
mod tests;
