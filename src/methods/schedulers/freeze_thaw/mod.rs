//! Freeze-thaw Bayesian optimisation, its model with another choice: expected improvement of the
//! asymptote (`ft-ei`). **Not the paper's method.**
//!
//! Swersky, Snoek, Adams, "Freeze-thaw Bayesian optimization" (2014). Their model of learning
//! curves is kept ([`freeze_thaw`](crate::surrogates::freeze_thaw)); their choice, the entropy of
//! where the minimum lies over a basket of ten old and three new configurations, is not, nor is
//! their sampling of hyperparameters. Who proposes and who waits:
//! [`epochwise`](crate::kit::epochwise).
//!
//! 1. The first trial is the sampler's. Later ones are chosen here, among all paused trials and
//!    `fresh` (200) free rows, drawn anew for each decision: the sampler has no further say.
//! 2. The candidate with the largest expected improvement of its asymptote runs one more epoch. The
//!    mark to beat is the best mean of the asymptotes of those that have begun.
//! 3. Hyperparameters maximise the likelihood under log-normal priors of deviation 1; they are
//!    fitted again with every `refit` new observations, and at first whenever those have doubled.
//!
//! Scores are scaled to a mean of 0 and a deviation of 1 at each fit. Configurations are points of
//! the unit cube with a column for each choice. A configuration that diverges ends, its epochs
//! until then being observed; an epoch that was not measured is left out of its curve. Where the
//! model has no factor, rows are taken in the repeat's order.
//!
//! # Cost
//!
//! With `n` configurations begun a decision takes `n^3 / 6` multiplications, and `n^2` a candidate;
//! a fit takes some 30 steps of two likelihoods a hyperparameter. Measured on a table of 2,000 rows
//! of 9 parameters and 30 epochs, seconds of one processor that others kept busy too: 0.3 for the
//! first 100 epochs, 2.5 for 200, 24 for 400. In those 400, 370 rows were begun: asymptotes stay
//! uncertain where little was seen, so that new rows win most decisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::{ConfigId, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Reason, Scheduler,
    SchedulerFactory, Trait, View, Work, parameters,
};
use crate::kit::draws::subset;
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::epochwise::{Candidate, Epochwise, News};
use crate::kit::streams::Streams;
use crate::surrogates::expected_improvement::expected_improvement;
use crate::surrogates::freeze_thaw::{Belief, Curve, FreezeThaw, Hyperparameters, fit};

/// Scores are cut here: squares of what is larger would not be numbers.
const SCORE_MAX: f64 = 1e100;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// free rows that are looked at in a decision
        fresh: usize in 1..=1_000_000 = 200,
        /// new observations between fits of the hyperparameters
        refit: usize in 1..=1_000_000 = 25,
        /// epochs that one decision gives
        step: u16 in 1..=65535 = 1,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "freeze-thaw",
    summary: "Not the paper's choice: expected improvement of the asymptote under the freeze-thaw \
              model says who runs one more epoch.",
    citation: "after Swersky, Snoek, Adams, Freeze-thaw Bayesian optimization, arXiv 1406.3896, \
               2014",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "numpy 2.4.6, scipy 1.17.1",
        what: "likelihood and asymptotes of the model beside those of the joint normal \
               distribution of all observations, 4 sets of curves (make_freeze_thaw.py)",
        result: "relative differences below 1e-10",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let parameters = Parameters::read(arguments)?;
    let encoded = Encoded::new(context.space, context.points, context.rows, Categorical::OneHot);
    let encoded = Arc::new(encoded);
    Ok(Box::new(move |run| {
        let rows = Arc::clone(&encoded);
        let point = move |row: ConfigId| rows.row(row).to_vec();
        let stream = Streams::new(run, "freeze-thaw").main();
        Box::new(Thaw::new(&parameters, Box::new(point), stream))
    }))
}

/// The numbers of a row.
type PointOf = Box<dyn Fn(ConfigId) -> Vec<f64> + Send>;

struct Thaw {
    control: Epochwise,
    point_of: PointOf,
    stream: Stream,
    fresh: usize,
    refit: usize,
    /// By row: epochs and scores, ascending.
    seen: BTreeMap<ConfigId, Vec<(u16, f64)>>,
    observations: usize,
    /// Observations at the last fit.
    fitted_at: usize,
    /// Observations that the model knows.
    known: usize,
    /// What the last fit took off and divided by, and what it found.
    scaling: (f64, f64),
    hyper: Option<(Hyperparameters, Vec<f64>)>,
    model: Option<FreezeThaw>,
    /// The best mean of the asymptotes of what has begun.
    best: f64,
}

impl Thaw {
    fn new(parameters: &Parameters, point_of: PointOf, stream: Stream) -> Self {
        Self {
            control: Epochwise::new(parameters.step),
            point_of,
            stream,
            fresh: parameters.fresh,
            refit: parameters.refit,
            seen: BTreeMap::new(),
            observations: 0,
            fitted_at: 0,
            known: 0,
            scaling: (0.0, 1.0),
            hyper: None,
            model: None,
            best: f64::NAN,
        }
    }

    fn observe(&mut self, view: &View<'_>, news: &News) {
        if news.scores.is_empty() {
            return;
        }
        let curve = self.seen.entry(view.trial(news.trial).config).or_default();
        let cut = |score: f64| score.clamp(-SCORE_MAX, SCORE_MAX);
        curve.extend(news.scores.iter().map(|(epoch, score)| (epoch.0, cut(*score))));
        self.observations += news.scores.len();
    }

    /// The curves in the scale of the last fit.
    fn curves(&self) -> Vec<Curve> {
        let (offset, scale) = self.scaling;
        let scaled = |(epoch, y): &(u16, f64)| (*epoch, (y - offset) / scale);
        let curve = |(row, seen): (&ConfigId, &Vec<(u16, f64)>)| Curve {
            point: (self.point_of)(*row),
            values: seen.iter().map(scaled).collect(),
        };
        self.seen.iter().map(curve).collect()
    }

    fn learn(&mut self) {
        if self.known == self.observations {
            return;
        }
        self.known = self.observations;
        let since = self.observations - self.fitted_at;
        if since >= self.refit || since >= self.fitted_at {
            self.fitted_at = self.observations;
            self.scaling = scaling(self.seen.values().flatten().map(|(_, y)| *y));
            let curves = self.curves();
            let start = self.hyper.as_ref().map(|(_, logs)| logs.as_slice());
            self.hyper = fit(&curves, curves[0].point.len(), start);
        }
        let curves = self.curves();
        self.model = self.hyper.clone().and_then(|(hyper, _)| FreezeThaw::new(hyper, &curves));
        self.best = f64::NAN;
        if let Some(model) = &self.model {
            let means = curves.iter().map(|curve| model.asymptote(&curve.point).mean);
            self.best = means.fold(f64::NEG_INFINITY, f64::max);
        }
    }

    /// Free rows that are looked at.
    fn draw(&mut self, view: &View<'_>) -> Vec<ConfigId> {
        let free: Vec<ConfigId> = view.free().collect();
        let count = self.fresh.min(free.len());
        subset(&mut self.stream, count, free.len()).into_iter().map(|at| free[at]).collect()
    }
}

/// The mean of some numbers and their deviation, 1 where there is none.
fn scaling(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "observations are few")]
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().map(|y| y / count).sum::<f64>();
    let variance = numbers.map(|y| (y - mean) * ((y - mean) / count)).sum::<f64>();
    let deviation = variance.sqrt();
    (mean, if deviation > 1e-10 { deviation } else { 1.0 })
}

/// Above `best`.
fn improvement(best: f64, Belief { mean, variance }: Belief) -> f64 {
    if variance > 0.0 {
        expected_improvement(-best, -mean, variance.sqrt())
    } else {
        (mean - best).max(0.0)
    }
}

impl Scheduler for Thaw {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        for news in self.control.news(view) {
            self.observe(view, &news);
        }
        if self.observations == 0 {
            return self.control.without_model(view, fresh);
        }
        self.learn();
        let mut drawn = self.draw(view);
        drawn.sort_unstable();
        let (best, model, point_of) = (self.best, self.model.as_ref(), &self.point_of);
        let score = |Candidate { row, trial }: &Candidate| {
            let is_asked = trial.is_some() || drawn.binary_search(row).is_ok();
            let model = model.filter(|_| is_asked);
            let belief = model.map(|model| model.asymptote(&point_of(*row)));
            belief.map_or(f64::NAN, |belief| improvement(best, belief))
        };
        self.control.best(view, fresh, score)
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.control.at_until(view, trial)
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        self.control.reasons(view, trial, "expected improvement of the asymptote")
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.control.started(view, trial, origin);
    }

    fn ended(&mut self, _: &View<'_>, trial: TrialId) {
        self.control.ended(trial);
    }
}

#[cfg(test)]
mod tests;
