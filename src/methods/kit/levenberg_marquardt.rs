//! Nonlinear least squares: the parameters of a curve with which it lies closest to observations.
//!
//! The Levenberg-Marquardt method as a trust region (Moré, "The Levenberg-Marquardt algorithm:
//! implementation and theory", 1978): a step minimises the linearised sum of squares within a
//! scaled radius, which grows where the linearisation held and shrinks where it did not. The
//! radius, its updates, the scaling by the columns' norms and the tests of convergence are those
//! that MINPACK's `lmder` has, so that both mostly come to the same of several local minima; the
//! columns of the Jacobian are not exchanged, which shows where they depend on each other.
//!
//! It is our own for want of a crate: `levenberg-marquardt` 0.15.0 asks for `nalgebra` 0.34, which
//! would be a second copy of what the kit has as 0.35, and with features that nobody here holds to
//! `libm`. Its arithmetic is in one order and on one thread.

/// A step must bring this share of the decrease that the linearisation predicts.
const RATIO_MIN: f64 = 1e-4;

/// Attempts at the damping that makes a step as long as the radius.
const DAMPINGS_MAX: u32 = 10;

/// The smallest normal number, where the largest damping would be 0.
const DWARF: f64 = f64::MIN_POSITIVE;

/// A sum of squares to be minimised.
pub trait LeastSquares {
    /// Writes the residuals at a point.
    fn residuals(&self, point: &[f64], residuals: &mut [f64]);
    /// Writes the residuals' derivatives: one column a coordinate, column after column.
    fn jacobian(&self, point: &[f64], columns: &mut [f64]);
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Converged where a step's relative decrease of the sum, found and predicted, is at most this.
    pub decrease_tolerance: f64,
    /// Converged where the radius is at most this share of the point's scaled length.
    pub step_tolerance: f64,
    /// Points to evaluate the residuals at.
    pub evaluations_max: usize,
    /// The first radius, in scaled lengths of the start.
    pub radius: f64,
}

impl Default for Settings {
    /// What scipy's `leastsq` has, but for the evaluations: it counts those of a numerical Jacobian
    /// in 200 for each coordinate and 200 more.
    fn default() -> Self {
        Self {
            decrease_tolerance: 1.490_12e-8,
            step_tolerance: 1.490_12e-8,
            evaluations_max: 400,
            radius: 100.0,
        }
    }
}

/// Why it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The sum hardly falls any more, or cannot.
    Still,
    /// The radius is small.
    Short,
    /// `evaluations_max`.
    Evaluations,
    /// The residuals or derivatives at a point are not finite.
    Undefined,
}

/// The best point found.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    pub point: Vec<f64>,
    /// The sum of squares there.
    pub sum: f64,
    /// How often the residuals were evaluated.
    pub evaluations: usize,
    pub end: End,
}

impl Minimum {
    /// Whether it is a minimum, as far as the tolerances tell.
    pub fn has_converged(&self) -> bool {
        matches!(self.end, End::Still | End::Short)
    }
}

/// Minimises the sum of `count` squared residuals from `start` on. A step to where they are not
/// finite is shortened as if the sum had risen.
pub fn minimise(
    problem: &impl LeastSquares,
    count: usize,
    start: &[f64],
    settings: &Settings,
) -> Minimum {
    let mut search = Search::new(problem, count, start);
    let end = search.run(problem, settings);
    Minimum {
        sum: search.length * search.length,
        point: search.point,
        evaluations: search.evaluations,
        end,
    }
}

/// Where the search is.
struct Search {
    point: Vec<f64>,
    residuals: Vec<f64>,
    /// The length of `residuals`.
    length: f64,
    /// The largest norm so far of each column of the Jacobian.
    scale: Vec<f64>,
    radius: f64,
    damping: f64,
    evaluations: usize,
}

/// What an attempt at a step came to.
enum Outcome {
    /// The point has moved.
    Moved,
    /// The radius has shrunk.
    Shrunk,
    End(End),
}

impl Search {
    fn new(problem: &impl LeastSquares, count: usize, start: &[f64]) -> Self {
        let mut residuals = vec![0.0; count];
        problem.residuals(start, &mut residuals);
        Self {
            point: start.to_vec(),
            length: norm(&residuals),
            residuals,
            scale: vec![0.0; start.len()],
            radius: 0.0,
            damping: 0.0,
            evaluations: 1,
        }
    }

    fn run(&mut self, problem: &impl LeastSquares, settings: &Settings) -> End {
        // As many rows as columns at least, so that the triangle is whole.
        let rows = self.residuals.len().max(self.point.len());
        let mut columns = vec![0.0; self.residuals.len() * self.point.len()];
        let mut is_first = true;
        loop {
            problem.jacobian(&self.point, &mut columns);
            let linear = Linear::new(&columns, &self.residuals, rows, self.point.len());
            if !self.length.is_finite() || !linear.is_finite() {
                return End::Undefined;
            }
            self.rescale(&linear, settings, is_first);
            if linear.slope == 0.0 {
                return End::Still;
            }
            loop {
                match self.attempt(problem, &linear, settings, is_first) {
                    Outcome::Moved => break,
                    Outcome::Shrunk => {}
                    Outcome::End(end) => return end,
                }
                is_first = false;
            }
            is_first = false;
        }
    }

    /// Takes in the norms of a new Jacobian's columns.
    fn rescale(&mut self, linear: &Linear, settings: &Settings, is_first: bool) {
        for (scale, norm) in self.scale.iter_mut().zip(&linear.norms) {
            let first = if *norm == 0.0 { 1.0 } else { *norm };
            *scale = if is_first { first } else { scale.max(*norm) };
        }
        if is_first {
            let length = scaled_norm(&self.scale, &self.point);
            self.radius = settings.radius * if length == 0.0 { 1.0 } else { length };
        }
    }

    /// Tries the step that the radius allows.
    fn attempt(
        &mut self,
        problem: &impl LeastSquares,
        linear: &Linear,
        settings: &Settings,
        is_first: bool,
    ) -> Outcome {
        let (damping, step) = linear.step(&self.scale, self.radius, self.damping);
        self.damping = damping;
        let stride = scaled_norm(&self.scale, &step);
        if is_first {
            self.radius = self.radius.min(stride);
        }
        let next: Vec<f64> = self.point.iter().zip(&step).map(|(x, step)| x + step).collect();
        let mut residuals = vec![0.0; self.residuals.len()];
        problem.residuals(&next, &mut residuals);
        self.evaluations += 1;
        let length = norm(&residuals);
        // Not so of NaN, which so counts as a rise.
        let is_comparable = 0.1 * length < self.length;
        let share = length / self.length;
        let found = if is_comparable { 1.0 - share * share } else { -1.0 };
        let along = linear.length_along(&step) / self.length;
        let damped = damping.sqrt() * stride / self.length;
        let predicted = along * along + 2.0 * damped * damped;
        let ratio = if predicted == 0.0 { 0.0 } else { found / predicted };
        if ratio <= 0.25 {
            let slope = -(along * along + damped * damped);
            let bend = if found >= 0.0 { 0.5 } else { 0.5 * slope / (slope + 0.5 * found) };
            let shrink = if is_comparable && bend >= 0.1 { bend } else { 0.1 };
            self.radius = shrink * self.radius.min(10.0 * stride);
            self.damping /= shrink;
        } else if damping == 0.0 || ratio >= 0.75 {
            self.radius = 2.0 * stride;
            self.damping *= 0.5;
        }
        let has_moved = ratio >= RATIO_MIN;
        if has_moved {
            (self.point, self.residuals, self.length) = (next, residuals, length);
        }
        self.judge(found, predicted, ratio, settings)
            .map_or(if has_moved { Outcome::Moved } else { Outcome::Shrunk }, Outcome::End)
    }

    /// Whether the search is over.
    fn judge(&self, found: f64, predicted: f64, ratio: f64, settings: &Settings) -> Option<End> {
        let tolerance = settings.decrease_tolerance.max(f64::EPSILON);
        if found.abs() <= tolerance && predicted <= tolerance && ratio <= 2.0 || self.length == 0.0
        {
            return Some(End::Still);
        }
        let short = settings.step_tolerance.max(f64::EPSILON);
        if self.radius <= short * scaled_norm(&self.scale, &self.point) {
            return Some(End::Short);
        }
        (self.evaluations >= settings.evaluations_max).then_some(End::Evaluations)
    }
}

/// The residuals as linear functions of a step: a triangle, and what it is to cancel.
struct Linear {
    /// Column after column, upper.
    triangle: Vec<f64>,
    right: Vec<f64>,
    /// The norms of the Jacobian's columns.
    norms: Vec<f64>,
    /// The largest cosine between a column and the residuals.
    slope: f64,
    size: usize,
}

impl Linear {
    fn new(columns: &[f64], residuals: &[f64], rows: usize, size: usize) -> Self {
        let count = residuals.len();
        let (mut padded, mut right) = (vec![0.0; rows * size], vec![0.0; rows]);
        right[..count].copy_from_slice(residuals);
        let (length, mut slope, mut norms) = (norm(residuals), 0.0_f64, vec![0.0; size]);
        for at in 0..size {
            let column = &columns[at * count..][..count];
            padded[at * rows..][..count].copy_from_slice(column);
            norms[at] = norm(column);
            let cosine = dot(column, residuals).abs() / (norms[at] * length);
            // Not so of NaN, where one of the two is 0.
            if cosine > slope {
                slope = cosine;
            }
        }
        triangularise(&mut padded, rows, &mut right);
        let triangle = (0..size).flat_map(|at| padded[at * rows..][..size].to_vec()).collect();
        right.truncate(size);
        Self { triangle, right, norms, slope, size }
    }

    fn is_finite(&self) -> bool {
        self.norms.iter().chain(&self.triangle).chain(&self.right).all(|x| x.is_finite())
    }

    /// How long the change of the residuals along a step is.
    fn length_along(&self, step: &[f64]) -> f64 {
        let mut change = vec![0.0; self.size];
        for (column, step) in self.triangle.chunks_exact(self.size).zip(step) {
            change.iter_mut().zip(column).for_each(|(change, entry)| *change += entry * step);
        }
        norm(&change)
    }

    /// The damping and the step of at most a tenth more than the radius; `last` is the damping to
    /// begin from.
    fn step(&self, scale: &[f64], radius: f64, last: f64) -> (f64, Vec<f64>) {
        let mut lowest = 0.0;
        if let Some(step) = solve_upper(&self.triangle, &self.right) {
            let stride = scaled_norm(scale, &step);
            // A stride that is not finite is none.
            if stride - radius <= 0.1 * radius {
                return (0.0, step);
            }
            if stride.is_finite() {
                lowest = (stride - radius) / (radius * bend(&self.triangle, scale, &step, stride));
            }
        }
        let columns = self.triangle.chunks_exact(self.size).zip(scale);
        let gradient: Vec<f64> =
            columns.map(|(column, scale)| dot(column, &self.right) / scale).collect();
        let steepest = norm(&gradient);
        let mut highest = steepest / radius;
        if highest == 0.0 {
            highest = DWARF / radius.min(0.1);
        }
        lowest = if lowest.is_finite() { lowest.min(highest) } else { 0.0 };
        let mut damping = last.clamp(lowest, highest);
        if damping == 0.0 {
            damping = 1e-3 * highest;
        }
        let mut excess_before = f64::INFINITY;
        for attempt in 1.. {
            damping = if damping == 0.0 { DWARF.max(1e-3 * highest) } else { damping };
            let (triangle, step) = self.damped(scale, damping);
            let stride = scaled_norm(scale, &step);
            let excess = stride - radius;
            let is_settled = lowest == 0.0 && excess <= excess_before && excess_before < 0.0;
            if excess.abs() <= 0.1 * radius || is_settled || attempt == DAMPINGS_MAX {
                return (damping, step);
            }
            if excess > 0.0 {
                lowest = f64::max(lowest, damping);
            } else {
                highest = highest.min(damping);
            }
            let correction = excess / (radius * bend(&triangle, scale, &step, stride));
            damping = f64::max(lowest, damping + correction);
            excess_before = excess;
        }
        unreachable!("the last attempt returns")
    }

    /// The triangle and the step under a damping: least squares with a row more for each column.
    fn damped(&self, scale: &[f64], damping: f64) -> (Vec<f64>, Vec<f64>) {
        let (size, rows) = (self.size, 2 * self.size);
        let (mut columns, mut right) = (vec![0.0; rows * size], vec![0.0; rows]);
        right[..size].copy_from_slice(&self.right);
        let root = damping.sqrt();
        for (at, column) in self.triangle.chunks_exact(size).enumerate() {
            columns[at * rows..][..size].copy_from_slice(column);
            columns[at * rows + size + at] = root * scale[at];
        }
        triangularise(&mut columns, rows, &mut right);
        let triangle: Vec<f64> =
            (0..size).flat_map(|at| columns[at * rows..][..size].to_vec()).collect();
        let step = solve_upper(&triangle, &right[..size]).unwrap_or_else(|| vec![0.0; size]);
        (triangle, step)
    }
}

/// How fast a step of this stride shortens as the damping grows: the squared length of what the
/// transposed triangle makes of the scaled step.
fn bend(triangle: &[f64], scale: &[f64], step: &[f64], stride: f64) -> f64 {
    let size = step.len();
    let mut solved = vec![0.0; size];
    for at in 0..size {
        let column = &triangle[at * size..][..size];
        let right = scale[at] * (scale[at] * step[at] / stride);
        solved[at] = (right - dot(&column[..at], &solved[..at])) / column[at];
    }
    dot(&solved, &solved)
}

/// Minus the solution of `triangle * x = right`; `None` where a diagonal entry is 0.
fn solve_upper(triangle: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let size = right.len();
    let mut solution: Vec<f64> = right.iter().map(|entry| -entry).collect();
    for at in (0..size).rev() {
        let column = &triangle[at * size..][..size];
        if column[at] == 0.0 {
            return None;
        }
        solution[at] /= column[at];
        let found = solution[at];
        solution[..at].iter_mut().zip(column).for_each(|(x, entry)| *x -= found * entry);
    }
    Some(solution)
}

/// Turns the columns of a matrix into a triangle by reflections, and `right` with them.
fn triangularise(columns: &mut [f64], rows: usize, right: &mut [f64]) {
    for at in 0..columns.len() / rows {
        let (column, others) = columns[at * rows..].split_at_mut(rows);
        let normal = &mut column[at..];
        let length = norm(normal);
        if length == 0.0 {
            continue;
        }
        let image = if normal[0] > 0.0 { -length } else { length };
        normal[0] -= image;
        // Half the squared length of the normal.
        let half = -image * normal[0];
        let reflect = |vector: &mut [f64]| {
            let share = dot(normal, vector) / half;
            vector.iter_mut().zip(&*normal).for_each(|(x, normal)| *x -= share * normal);
        };
        others.chunks_exact_mut(rows).for_each(|other| reflect(&mut other[at..]));
        reflect(&mut right[at..]);
        normal.fill(0.0);
        normal[0] = image;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

fn scaled_norm(scale: &[f64], vector: &[f64]) -> f64 {
    scale.iter().zip(vector).map(|(scale, x)| (scale * x) * (scale * x)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
