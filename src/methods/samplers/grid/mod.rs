//! Grid search: every combination of some levels of each parameter (a full factorial design), each
//! taken to the nearest free row (Bergstra & Bengio 2012 describe it, and why random search beats
//! it).
//!
//! **Levels.** A numeric parameter has `levels` of them, evenly spaced from its low to its high end
//! (in the logarithm, if `log`) with both ends among them, or the middle where there is one. Whole
//! numbers and ordered lists of numbers are rounded to the nearest value, halves up, and have as
//! many levels as values where they have fewer. A categorical parameter has all of its choices. A
//! parameter that plays no part, since its condition does not hold, does not multiply the points.
//!
//! **Order.** `shuffled` visits the points in a random order of the repeat's own, as Optuna's
//! `GridSampler` does; `lexicographic` in that of nested loops, the last parameter the
//! innermost.
//!
//! **Collisions.** A table has a row near a grid point and seldom at it, so that two points may
//! have one nearest row. It runs for the point that comes first; the other takes the nearest row
//! that is still free. No row runs twice, and the distance from point to row is in the trace. Where
//! all points have been visited and rows are free, the grid is passed again (shuffled anew), each
//! point going to the nearest free row once more; Optuna would run its points again. A pure grid of
//! `n` points is `--max-trials n`.
//!
//! What trials report, NaN and ties make no difference: nothing is learnt. A point takes as long as
//! its coordinates; its row is found by the engine.

use std::sync::Arc;

use base::error::{Result, fault};
use base::rng::Stream;
use base::space::{Domain, Numbers, Parameter, Space, Value};
use base::units::TrialId;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, View,
    parameters,
};
use crate::kit::draws::permutation;
use crate::kit::streams::Streams;

/// Points of the largest grid: fifty times the rows of a large table.
const POINTS_MAX: usize = 1_000_000;

parameters! {
    struct Parameters {
        /// levels of each numeric parameter
        levels: u32 in 1..=1000 = 3,
        /// a random order, or that of nested loops
        order: Order { Shuffled = "shuffled", Lexicographic = "lexicographic" } = "shuffled",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "grid",
    summary: "Every combination of some levels of each parameter, snapped to the nearest free row.",
    citation: "Bergstra & Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "numpy linspace and itertools.product",
        what: "points and their order (tests/golden/samplers)",
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { levels, order } = Parameters::read(arguments)?;
    let grid = Grid::new(context.space, levels).ok_or_else(|| {
        let place = format!("grid:levels on table `{}`", context.table);
        let rule = format!("a grid has at most {POINTS_MAX} points");
        fault("--sampler", place, levels, rule, "use fewer levels, or --sampler sobol")
    })?;
    let grid = Arc::new(grid);
    Ok(Box::new(move |run| {
        let stream = (order == Order::Shuffled).then(|| Streams::new(run, "grid").main());
        Box::new(GridSearch { grid: Arc::clone(&grid), stream, pass: Vec::new(), next: 0 })
    }))
}

/// The coordinates of a parameter's levels, ascending and all different.
pub(super) fn levels_of(parameter: &Parameter, levels: u32) -> Vec<f64> {
    let bins = |count: usize, kept: u32| -> Vec<f64> {
        rounded_places(count, kept).map(|at| parameter.to_unit(value_at(parameter, at))).collect()
    };
    match &parameter.domain {
        Domain::Float { low, high, .. } if low == high => vec![0.5],
        Domain::Float { .. } => (0..levels).map(|level| share(level, levels)).collect(),
        Domain::Categorical { choices } => bins(choices.len(), u32::MAX),
        Domain::Ordinal { values } => bins(values.len(), levels),
        Domain::Int { low, high, log } => {
            let count = usize::try_from(high - low + 1).unwrap_or(usize::MAX);
            if !log || count <= levels as usize {
                return bins(count, levels);
            }
            let [first, last] = [*low, *high].map(|end| parameter.to_unit(Value::Int(end)));
            let place = |level| first + (last - first) * share(level, levels);
            let settled = |level| parameter.to_unit(parameter.from_unit(place(level)));
            let mut found: Vec<f64> = (0..levels).map(settled).collect();
            found.dedup();
            found
        }
    }
}

/// Where a level lies between the ends; the middle, of one.
fn share(level: u32, levels: u32) -> f64 {
    if levels == 1 { 0.5 } else { f64::from(level) / f64::from(levels - 1) }
}

/// At most `levels` of `count` places, evenly spaced with both ends, halves rounded up.
fn rounded_places(count: usize, levels: u32) -> impl Iterator<Item = usize> {
    let levels = count.min(levels as usize);
    let last = (count - 1) as u128;
    (0..levels as u128).map(move |level| {
        // The middle, of one.
        let (share, of) = if levels == 1 { (1, 2) } else { (level, levels as u128 - 1) };
        usize::try_from((2 * share * last + of) / (2 * of)).expect("a place")
    })
}

/// The value at a place of a parameter that has some.
fn value_at(parameter: &Parameter, at: usize) -> Value {
    match &parameter.domain {
        Domain::Int { low, .. } => Value::Int(low + i64::try_from(at).expect("within the range")),
        Domain::Categorical { .. } => Value::Choice(at),
        Domain::Ordinal { values } => match values {
            Numbers::Int(values) => Value::Int(values[at]),
            Numbers::Float(values) => Value::Float(values[at]),
        },
        Domain::Float { .. } => unreachable!("floats have no places"),
    }
}

/// The points of a grid.
struct Grid {
    /// A parameter's coordinates.
    levels: Vec<Vec<f64>>,
    /// The level of each parameter at each point, point after point, in the order of nested loops.
    points: Vec<u32>,
}

impl Grid {
    /// `None` where there are too many points.
    fn new(space: &Space, levels: u32) -> Option<Self> {
        let levels = space.parameters.iter().map(|p| levels_of(p, levels)).collect();
        let mut grid = Self { levels, points: Vec::new() };
        let mut prefix = Vec::new();
        grid.extend(space, &mut prefix).then_some(grid)
    }

    /// Appends the points that begin so; false where they are too many.
    fn extend(&mut self, space: &Space, prefix: &mut Vec<u32>) -> bool {
        let at = prefix.len();
        if at == self.width() {
            self.points.extend_from_slice(prefix);
            return self.count() <= POINTS_MAX;
        }
        // Conditions look backwards alone, so that the rest of the point may be anything.
        let mut point = self.point_of(prefix);
        point.resize(self.width(), 0.5);
        let plays = space.from_unit(&point)[at] != Value::Inactive;
        let count = if plays { self.levels[at].len() } else { 1 };
        (0..).take(count).all(|level| {
            prefix.push(level);
            let fits = self.extend(space, prefix);
            prefix.pop();
            fits
        })
    }

    fn width(&self) -> usize {
        self.levels.len()
    }

    fn count(&self) -> usize {
        self.points.len() / self.width()
    }

    fn point_of(&self, levels: &[u32]) -> Vec<f64> {
        levels.iter().zip(&self.levels).map(|(at, levels)| levels[*at as usize]).collect()
    }

    fn point(&self, at: usize) -> Vec<f64> {
        self.point_of(&self.points[at * self.width()..][..self.width()])
    }
}

struct GridSearch {
    grid: Arc<Grid>,
    /// Of the shuffling.
    stream: Option<Stream>,
    /// The points of this pass in their order, where they are shuffled.
    pass: Vec<usize>,
    next: usize,
}

impl Sampler for GridSearch {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        let count = self.grid.count();
        let place = self.next % count;
        self.next += 1;
        let at = match &mut self.stream {
            None => place,
            Some(stream) => {
                if place == 0 {
                    self.pass = permutation(stream, count);
                }
                self.pass[place]
            }
        };
        Proposal::Point(self.grid.point(at))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

#[cfg(test)]
mod tests;
