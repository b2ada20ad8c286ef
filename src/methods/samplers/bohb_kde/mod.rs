//! The sampler of BOHB (Falkner et al. 2018), as `HpBandSter` 0.7.4 has it: kernel densities of
//! good and bad configurations, for each budget by itself.
//!
//! **Budgets.** A result belongs to the epoch at which its trial was paused, stopped or completed
//! (a failed trial's to the epoch that it was to run to). Once a budget has a model, results of
//! smaller ones are not even kept. Proposals come from the model of the largest budget that has
//! one. Under a scheduler without rungs there is one budget, and this is a TPE of its own kind.
//!
//! **Model.** With at least `min_points` results at a budget (0: one more than there are
//! parameters), the `max(min_points, floor(top n / 100))` best are good, and of the others the
//! `max(min_points, floor((100 - top) n / 100))` best are bad. Each side gets a
//! [`KernelDensity`], if it has more results than there are parameters. Equal losses: the older
//! first. What has not reported a number, or has failed, has an infinite loss.
//!
//! **Conditions.** A parameter that plays no part in a result takes the value that it has in
//! another result of the same side, drawn at random with all else that is missing there; where
//! none has it, a random value.
//!
//! **Proposals.** With probability `random_fraction`, and while there is no model, the first free
//! row in the repeat's order. Otherwise `samples` times: one of the good, each number drawn from a
//! normal distribution around it, cut off at 0 and 1, as wide as its kernel times
//! `bandwidth_factor`; each choice kept with probability `1 - h`, else drawn at random. The one
//! with the least `max(1e-32, bad) / max(good, 1e-32)` is next, the first of equals; one for which
//! that is no finite number is taken at once where the good density is (a choice that no bad
//! result has).
//!
//! **Coordinates** are those of the unit cube, choices their indices; whole numbers are rounded
//! before the nearest row is sought. Ordered lists of numbers count as numbers, which `HpBandSter`
//! asks its users to do. Parameters of one value are left out.
//!
//! A proposal takes `samples` times the results times the parameters; there is nothing to fit but
//! means and deviations.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Space};
use base::units::{Epoch, TrialId};
use rand::RngExt;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Points, Proposal, Sampler, SamplerFactory,
    State, Trait, View, parameters,
};
use crate::kit::draws::{index, truncated_normal};
use crate::kit::encoding::{activity, has_one_value, settled};
use crate::kit::streams::Streams;
use crate::surrogates::kernel_density::{KernelDensity, Variable};

/// Densities below it count as this.
const DENSITY_MIN: f64 = 1e-32;

parameters! {
    struct Parameters {
        /// results that a model needs; 0 is one more than there are parameters, the least
        min_points: usize in 0..=1_000_000 = 0,
        /// how many of a hundred are good
        top: usize in 1..=99 = 15,
        /// draws, of which the best is proposed
        samples: usize in 1..=10_000 = 64,
        /// share of proposals that are random rows (a third)
        random_fraction: f64 in 0.0..=1.0 = 0.3333,
        /// how much wider than the kernels of numbers draws are
        bandwidth_factor: f64 in 0.001..=1000.0 = 3.0,
        /// the least width of a kernel
        min_bandwidth: f64 in 0.0001..=1.0 = 0.001,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "bohb-kde",
    summary: "BOHB's kernel densities of good and bad results at the largest budget that has some.",
    citation: "Falkner, Klein & Hutter, BOHB: robust and efficient hyperparameter optimization at \
               scale, ICML 2018; HpBandSter 0.7.4",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "statsmodels 0.15.0",
            what: "widths and densities of KDEMultivariate at 200 points of 10 data sets \
                   (surrogates/kernel_density)",
            result: "within 1e-9, relative to the larger of 1 and the value",
        },
        Comparison {
            with: "HpBandSter 0.7.4",
            what: "500 next proposals a side from 7 fixed histories with failed, stopped and NaN \
                   trials and a condition, a two-sample chi-squared test a coordinate \
                   (make_bohb_golden.py)",
            result: "least Holm-adjusted p 0.21 of 49 tests; another share of good results, \
                     another width and fewer draws are told apart (p < 0.01)",
        },
    ],
    traits: &[Trait::LearnsRanks],
    build,
};

#[derive(Debug)]
struct Shared {
    space: Space,
    points: Arc<Points>,
    /// Places of the parameters that have more than one value.
    kept: Vec<usize>,
    variables: Vec<Variable>,
    settings: Parameters,
}

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let shared = Arc::new(Shared::new(context.space, context.points, Parameters::read(arguments)?));
    Ok(Box::new(move |run| {
        Box::new(BohbKde {
            densities: Densities::new(&shared),
            shared: Arc::clone(&shared),
            streams: Streams::new(run, "bohb-kde"),
        })
    }))
}

impl Shared {
    fn new(space: &Space, points: &Arc<Points>, mut settings: Parameters) -> Self {
        let several =
            space.parameters.iter().enumerate().filter(|(_, p)| !has_one_value(&p.domain));
        let (kept, variables): (Vec<usize>, Vec<Variable>) = several
            .map(|(at, p)| {
                let variable = match &p.domain {
                    Domain::Categorical { choices } => Variable::Choice { count: choices.len() },
                    _ => Variable::Number,
                };
                (at, variable)
            })
            .unzip();
        settings.min_points = settings.min_points.max(kept.len() + 1);
        Self { space: space.clone(), points: Arc::clone(points), kept, variables, settings }
    }

    /// The variables of a row; NaN where a parameter plays no part.
    fn vector(&self, point: &[f64]) -> Vec<f64> {
        let active = activity(&self.space, point);
        let of = |(at, variable): (&usize, &Variable)| match variable {
            _ if !active[*at] => f64::NAN,
            Variable::Number => point[*at],
            Variable::Choice { count } => choice(point[*at], *count),
        };
        self.kept.iter().zip(&self.variables).map(of).collect()
    }

    /// The point of some variables.
    #[expect(clippy::cast_precision_loss, reason = "few choices")]
    fn point(&self, vector: &[f64]) -> Vec<f64> {
        let mut point = vec![0.5; self.space.parameters.len()];
        for ((at, variable), x) in self.kept.iter().zip(&self.variables).zip(vector) {
            point[*at] = match variable {
                Variable::Number => *x,
                Variable::Choice { count } => (x + 0.5) / *count as f64,
            };
        }
        settled(&self.space, &point)
    }
}

/// The index of a choice whose coordinate is `u`.
#[expect(clippy::cast_precision_loss, reason = "few choices")]
fn choice(u: f64, count: usize) -> f64 {
    (u * count as f64).floor().clamp(0.0, (count - 1) as f64)
}

/// What is known at one budget.
#[derive(Debug, Clone, Default)]
struct Results {
    trials: Vec<TrialId>,
    vectors: Vec<Vec<f64>>,
    losses: Vec<f64>,
}

/// The good and the bad density.
#[derive(Debug, Clone)]
struct Sides {
    good: KernelDensity,
    bad: KernelDensity,
}

/// The densities of a run by now.
#[derive(Debug, Clone)]
struct Densities {
    shared: Arc<Shared>,
    results: BTreeMap<Epoch, Results>,
    /// That of the largest budget that has one; no smaller one is ever asked again.
    model: Option<(Epoch, Sides)>,
    told: u32,
}

impl Densities {
    fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), results: BTreeMap::new(), model: None, told: 0 }
    }

    /// Takes in a result, and fits the densities of its budget anew.
    fn learn(
        &mut self,
        trial: TrialId,
        vector: Vec<f64>,
        budget: Epoch,
        loss: f64,
        rng: &mut Stream,
    ) {
        if self.model.as_ref().is_some_and(|(largest, _)| *largest > budget) {
            return;
        }
        let known = self.results.entry(budget).or_default();
        if let Some(at) = known.trials.iter().position(|other| *other == trial) {
            // It was paused here, and has been dropped.
            known.losses[at] = loss;
        } else {
            known.trials.push(trial);
            known.vectors.push(vector);
            known.losses.push(loss);
        }
        if let Some(sides) = self.shared.fit(known, rng) {
            self.model = Some((budget, sides));
        }
    }
}

impl Shared {
    fn fit(&self, known: &Results, rng: &mut Stream) -> Option<Sides> {
        let (count, min_points) = (known.losses.len(), self.settings.min_points);
        if count < min_points || self.variables.is_empty() {
            return None;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| known.losses[*a].partial_cmp(&known.losses[*b]).expect("no NaN"));
        let goods = min_points.max(self.settings.top * count / 100).min(count);
        let bads = min_points.max((100 - self.settings.top) * count / 100).min(count - goods);
        let good = self.complete(&order[..goods], known, rng);
        let bad = self.complete(&order[goods..goods + bads], known, rng);
        if goods <= self.variables.len() || bads <= self.variables.len() {
            return None;
        }
        let density = |data| KernelDensity::fit(&self.variables, data, self.settings.min_bandwidth);
        Some(Sides { good: density(good), bad: density(bad) })
    }

    /// The vectors of some results, with something in the place of what plays no part.
    fn complete(&self, rows: &[usize], known: &Results, rng: &mut Stream) -> Vec<f64> {
        let mut data = Vec::new();
        for row in rows {
            let mut datum = known.vectors[*row].clone();
            while let Some(at) = datum.iter().position(|x| x.is_nan()) {
                let has_it = |row: &&usize| !known.vectors[**row][at].is_nan();
                let donors: Vec<usize> = rows.iter().filter(has_it).copied().collect();
                if donors.is_empty() {
                    datum[at] = self.any(at, rng);
                    continue;
                }
                let donor = &known.vectors[donors[index(rng, donors.len())]];
                for (x, given) in datum.iter_mut().zip(donor).filter(|(x, _)| x.is_nan()) {
                    *x = *given;
                }
            }
            data.extend(datum);
        }
        data
    }

    /// A random value of a variable.
    #[expect(clippy::cast_precision_loss, reason = "few choices")]
    fn any(&self, at: usize, rng: &mut Stream) -> f64 {
        match self.variables[at] {
            Variable::Number => rng.random(),
            Variable::Choice { count } => index(rng, count) as f64,
        }
    }

    /// The best draw from the good density; `None` where none of them can be compared.
    fn propose(&self, sides: &Sides, rng: &mut Stream) -> Option<Vec<f64>> {
        let (mut least, mut best) = (f64::INFINITY, None);
        for _ in 0..self.settings.samples {
            let vector = self.draw(&sides.good, rng);
            let good = sides.good.density(&vector);
            let bad = sides.bad.density(&vector);
            // As Python's `max` takes NaN: the first argument, unless the second is larger.
            let numerator = if bad > DENSITY_MIN { bad } else { DENSITY_MIN };
            let denominator = if DENSITY_MIN > good { DENSITY_MIN } else { good };
            let value = numerator / denominator;
            if !value.is_finite() && good.is_finite() {
                return Some(vector);
            }
            if value < least {
                (least, best) = (value, Some(vector));
            }
        }
        best
    }

    fn draw(&self, good: &KernelDensity, rng: &mut Stream) -> Vec<f64> {
        let datum = good.datum(index(rng, good.count()));
        let parts = datum.iter().zip(good.widths()).enumerate();
        let drawn = parts.map(|(at, (x, width))| match self.variables[at] {
            Variable::Number => {
                let width = width * self.settings.bandwidth_factor;
                let drawn = truncated_normal(rng, -x / width, (1.0 - x) / width);
                (x + width * drawn).clamp(0.0, 1.0)
            }
            Variable::Choice { .. } if rng.random::<f64>() < 1.0 - width => *x,
            Variable::Choice { .. } => self.any(at, rng),
        });
        drawn.collect()
    }
}

struct BohbKde {
    shared: Arc<Shared>,
    densities: Densities,
    streams: Streams,
}

impl Sampler for BohbKde {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        let mut chance = self.streams.decision("random", ask.trial.0);
        let is_random = chance.random::<f64>() < self.shared.settings.random_fraction;
        if let Some((_, sides)) = self.densities.model.as_ref().filter(|_| !is_random) {
            let mut rng = self.streams.decision("draws", ask.trial.0);
            if let Some(vector) = self.shared.propose(sides, &mut rng) {
                return Proposal::Point(self.shared.point(&vector));
            }
        }
        Proposal::Row(view.first_free().expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let now = view.trial(trial);
        let has_failed = now.state == State::Failed;
        let loss =
            if has_failed || !now.reported.is_finite() { f64::INFINITY } else { -now.reported };
        let budget = if has_failed { now.until } else { now.executed };
        let vector = self.shared.vector(self.shared.points.row(now.config));
        self.densities.told += 1;
        let mut rng = self.streams.decision("missing", self.densities.told);
        self.densities.learn(trial, vector, budget, loss, &mut rng);
    }
}

#[cfg(test)]
mod tests;
