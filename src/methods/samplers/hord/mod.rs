//! HORD: candidates around the best configuration, chosen by a radial basis interpolant and by
//! their distance from what has run (Ilievski, Akhtar, Feng, Shoemaker, "Efficient hyperparameter
//! optimization of deep learning algorithms using deterministic RBF surrogates", 2017; the search
//! is DYCORS, Regis & Shoemaker 2013). As pySOT 0.3.3's `DYCORSStrategy` does it, over a table.
//!
//! 1. A Latin hypercube of `2 (D + 1)` points of `D` parameters, each taken to the nearest free
//!    row.
//! 2. [Cubic functions with a linear tail](crate::surrogates::radial_basis) through the losses that
//!    trials report. Without `D + 1` rows that span the space a random row runs.
//! 3. `100 D` candidates around the best row: each coordinate moves with probability `p = min(20 /
//!    D, 1) (1 - ln(n - n0 + 1) / ln(N - n0))`, at least `1 / D`, and one of them in any case (`n`
//!    trials by now, `n0` of the hypercube, `N` in all: `trials`). A number moves by a normal step
//!    within its range, of deviation `radius` (for a whole number at least 1), a choice to any.
//! 4. The candidates' nearest free rows, each once, are compared: `w` times the predicted loss plus
//!    `1 - w` times the nearness to what has run or runs, both scaled to 0..1 over them, `w` taking
//!    0.3, 0.5, 0.8, 0.95 in turn. Rows less than 0.001 from one that ran count as the worst. The
//!    least wins, of equals the first in the repeat's order.
//! 5. The radius is 0.2. It is halved after `max(D, 4)` results in a row that improve the best loss
//!    by no more than a thousandth of it, and doubled, up to 0.2, after 3 that do. At `0.2 / 64`,
//!    or after `4 max(D, 4)` failures, pySOT starts over with a new hypercube and forgets what it
//!    knew; so does `restart=yes`, while HORD itself goes on with the radius that it has (`no`).
//!
//! pySOT proposes the candidate itself, in a continuous space. A trial that reports nothing (NaN)
//! is a failure and not in the model. Choices have a column each.
//!
//! # Cost
//!
//! `(n + D)^3 / 3` multiplications for the interpolant, and the nearest free rows of `100 D`
//! candidates, which in many dimensions is nearly a look at all rows for each: a trial took 6.5 ms
//! of processor time on 2,000 rows of 9 parameters and 55 ms on 20,000 (`benches/samplers.rs`,
//! means of the first 300).

mod steps;

use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Space};
use base::units::{ConfigId, TrialId};
use rand::RngExt;

use self::steps::Steps;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Points, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::draws::{index, permutation, truncated_normal, uniform_open};
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::history::History;
use crate::kit::row_tree::{FreeCounts, RowTree};
use crate::kit::rows::first_argmax;
use crate::kit::streams::Streams;
use crate::surrogates::gaussian_process::{Distance, Inputs};
use crate::surrogates::radial_basis::RadialBasis;

/// Candidates a parameter.
const CANDIDATES: usize = 100;

/// Weights of the predicted loss, in turn.
const WEIGHTS: [f64; 4] = [0.3, 0.5, 0.8, 0.95];

/// Rows nearer than this to one that ran are the worst.
const DISTANCE_MIN: f64 = 1e-3;

parameters! {
    struct Parameters {
        /// trials that the run is planned for; 0: as many as may start, or as the table has rows
        trials: u32 in 0..=1_000_000 = 0,
        /// whether it forgets and starts over once the radius is small, as pySOT does
        restart: Restart { No = "no", Yes = "yes" } = "no",
    }
}

pub(in crate::samplers) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "hord",
    summary: "Candidates around the best row, by a radial basis interpolant and their distance.",
    citation: "Ilievski, Akhtar, Feng & Shoemaker, Efficient hyperparameter optimization of deep \
               learning algorithms using deterministic RBF surrogates, AAAI 2017; pySOT",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::LearnsValues],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "pySOT 0.3.3",
        what: "predictions of the interpolant at 24 points of 3 data sets \
               (tests/golden/surrogates/radial_basis.json)",
        result: "within 1e-8, relative to 1 or more",
    },
    Comparison {
        with: "pySOT 0.3.3",
        what: "which of 50 candidates is taken under 6 weights, the radius and the end after 60 \
               losses, the probability of a move over 3 runs (tests/golden/samplers/hord.json)",
        result: "the same 12 candidates and 60 radii up to where pySOT starts over; within 1e-12",
    },
    Comparison {
        with: "pySOT 0.3.3",
        what: "2,000 candidates around a point, 20 bins a coordinate, chi-squared with Holm",
        result: "p 0.45 to 0.78; below 1e-53 with half the radius",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { trials, restart } = Parameters::read(arguments)?;
    let table = Arc::new(Table::new(context));
    Ok(Box::new(move |run| {
        Box::new(Hord {
            table: Arc::clone(&table),
            trials,
            restarts: restart == Restart::Yes,
            streams: Streams::new(run, "hord"),
            history: History::new(),
            design: Vec::new(),
            designs: 0,
            forgotten: 0,
            first_trial: 0,
            steps: Steps::new(table.space.parameters.len()),
            next_weight: 0,
        })
    }))
}

/// What all runs share.
#[derive(Debug)]
struct Table {
    space: Space,
    points: Arc<Points>,
    /// The rows as the interpolant sees them, choices in a column each.
    encoded: Inputs,
    /// The rows as distances to proposals have it, choices apart by 1.
    tree: RowTree,
}

impl Table {
    fn new(context: &Context<'_>) -> Self {
        let (space, points, rows) = (context.space, context.points, context.rows);
        let one_hot = Encoded::new(space, points, rows, Categorical::OneHot);
        let mut encoded = Inputs::new(&vec![Distance::Difference; one_hot.width()]);
        for row in (0..rows).map(ConfigId) {
            encoded.push(one_hot.row(row));
        }
        let tree = RowTree::new(space, points, rows);
        Self { space: space.clone(), points: Arc::clone(points), encoded, tree }
    }

    fn rows(&self) -> u32 {
        u32::try_from(self.encoded.count()).expect("rows are 32 bits")
    }
}

struct Hord {
    table: Arc<Table>,
    trials: u32,
    restarts: bool,
    streams: Streams,
    history: History,
    /// Points of the hypercube that are still to come, the next one last.
    design: Vec<Vec<f64>>,
    /// Hypercubes begun.
    designs: u32,
    /// Observations from before the last start.
    forgotten: usize,
    /// The first trial since the last start.
    first_trial: u32,
    steps: Steps,
    next_weight: usize,
}

impl Hord {
    fn width(&self) -> usize {
        self.table.space.parameters.len()
    }

    /// Points of a hypercube.
    fn design_size(&self) -> usize {
        2 * (self.width() + 1)
    }

    /// Begins with a new hypercube: one point in each of as many slices of every coordinate.
    fn begin(&mut self, first_trial: u32) {
        let mut rng = self.streams.decision("design", self.designs);
        let count = self.design_size();
        self.designs += 1;
        self.first_trial = first_trial;
        // Nothing is forgotten where the first hypercube follows an earlier phase.
        self.forgotten = if self.designs > 1 { self.history.observations().len() } else { 0 };
        self.steps = Steps::new(self.width());
        self.design = vec![Vec::new(); count];
        #[expect(clippy::cast_precision_loss, reason = "hundreds")]
        for _ in 0..self.width() {
            for (point, slice) in self.design.iter_mut().zip(permutation(&mut rng, count)) {
                point.push((slice as f64 + uniform_open(&mut rng)) / count as f64);
            }
        }
    }

    /// The probability that a coordinate moves, with this trial to come.
    fn probability(&self, view: &View<'_>, trial: u32) -> f64 {
        let planned = match self.trials {
            0 => view.trials_max.unwrap_or(self.table.rows()),
            trials => trials,
        };
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let (size, width) = (self.design_size() as f64, self.width() as f64);
        let done = f64::from(trial - self.first_trial) - size + 1.0;
        let left = f64::from(planned.saturating_sub(self.first_trial)) - size;
        let share = if left > 1.0 && done >= 1.0 {
            1.0 - libm::log(done) / libm::log(left)
        } else if done >= 1.0 {
            0.0
        } else {
            1.0
        };
        ((20.0 / width).min(1.0) * share).max((1.0 / width).min(1.0))
    }

    /// A candidate around a row's point.
    fn candidate(&self, best: &[f64], probability: f64, rng: &mut Stream) -> Vec<f64> {
        let mut moves: Vec<bool> = best.iter().map(|_| rng.random::<f64>() < probability).collect();
        if !moves.contains(&true) {
            moves[index(rng, best.len())] = true;
        }
        let moved = best.iter().zip(moves).zip(&self.table.space.parameters);
        moved
            .map(|((x, moves), parameter)| match &parameter.domain {
                _ if !moves => *x,
                Domain::Categorical { choices } => {
                    let choice = base::space::Value::Choice(index(rng, choices.len()));
                    parameter.to_unit(choice)
                }
                domain => {
                    let deviation = self.steps.radius().max(step_min(domain));
                    let (low, high) = (-x / deviation, (1.0 - x) / deviation);
                    (x + deviation * truncated_normal(rng, low, high)).clamp(0.0, 1.0)
                }
            })
            .collect()
    }

    /// The free rows nearest to candidates, each once, by row.
    fn nearest_rows(&self, view: &View<'_>, candidates: &[Vec<f64>]) -> Vec<u32> {
        let (tree, order) = (&self.table.tree, view.past.order());
        let mut free = FreeCounts::default();
        free.prepare(tree, order);
        let nearest = |candidate: &Vec<f64>| tree.nearest(candidate, order, &free);
        let mut rows: Vec<u32> =
            candidates.iter().filter_map(nearest).map(|(row, _)| row.0).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The row that the model wants next; `None` where there is no model.
    fn model(&mut self, view: &View<'_>, trial: TrialId) -> Option<ConfigId> {
        let known = &self.history.observations()[self.forgotten..];
        let best = known.iter().max_by(|a, b| {
            let by_score = a.score.total_cmp(&b.score);
            by_score.then(b.trial.cmp(&a.trial))
        })?;
        let best = self.table.points.row(best.row).to_vec();
        let rows: Vec<u32> = known.iter().map(|telling| telling.row.0).collect();
        let losses: Vec<f64> = known.iter().map(|telling| -telling.score).collect();
        let model = RadialBasis::new(self.table.encoded.select(&rows), &losses)?;

        let mut rng = self.streams.decision("candidates", trial.0);
        let probability = self.probability(view, trial.0);
        let count = CANDIDATES * self.width();
        let candidates: Vec<Vec<f64>> =
            (0..count).map(|_| self.candidate(&best, probability, &mut rng)).collect();
        let mut rows = self.nearest_rows(view, &candidates);
        rows.sort_unstable_by_key(|row| view.order_position(ConfigId(*row)));
        let weight = WEIGHTS[self.next_weight];
        self.next_weight = (self.next_weight + 1) % WEIGHTS.len();
        // What runs counts as what ran.
        let ran = view.trials()[self.first_trial as usize..].iter().map(|trial| trial.config.0);
        let ran = self.table.encoded.select(&ran.collect::<Vec<u32>>());
        let points: Vec<Vec<f64>> =
            rows.iter().map(|row| self.table.encoded.point(*row as usize)).collect();
        let losses: Vec<f64> = points.iter().map(|point| model.predict(point)).collect();
        let merits = steps::merits(&losses, &distances(&ran, &points), weight, DISTANCE_MIN);
        first_argmax(merits.iter().map(|merit| -merit)).map(|at| ConfigId(rows[at]))
    }
}

/// The distance of each point from the nearest of some.
fn distances(from: &Inputs, points: &[Vec<f64>]) -> Vec<f64> {
    let ones = vec![1.0; from.width()];
    let mut squared = vec![0.0; from.count()];
    let nearest = |point: &Vec<f64>| {
        from.squared_distances(0, &ones, point, &mut squared);
        squared.iter().copied().fold(f64::INFINITY, f64::min).sqrt()
    };
    points.iter().map(nearest).collect()
}

/// The least deviation of a parameter's step: one whole number.
fn step_min(domain: &Domain) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a width")]
    match domain {
        Domain::Int { low, high, .. } => 1.0 / (high - low + 1) as f64,
        Domain::Ordinal { values } => 1.0 / values.len() as f64,
        Domain::Float { .. } | Domain::Categorical { .. } => 0.0,
    }
}

impl Sampler for Hord {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.history.catch_up();
        if self.designs == 0 || (self.restarts && self.steps.is_converged()) {
            self.begin(ask.trial.0);
        }
        if let Some(point) = self.design.pop() {
            return Proposal::Point(point);
        }
        let row = self.model(view, ask.trial).or_else(|| view.first_free());
        Proposal::Row(row.expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let is_first = self.history.latest(trial).is_none();
        self.history.tell(view, trial);
        // Points of the hypercube are no steps.
        let design = u32::try_from(self.design_size()).expect("few parameters");
        if self.designs > 0 && is_first && trial.0 >= self.first_trial.saturating_add(design) {
            let loss = -view.trial(trial).reported;
            let loss = if loss.is_finite() { loss } else { f64::INFINITY };
            let begun = u32::try_from(view.trials().len()).expect("trials are 32 bits");
            self.steps.result(trial.0, loss, begun);
        }
    }
}

#[cfg(test)]
mod tests;
