//! Conformal quantile regression (Salinas et al., "Optimizing hyperparameters with conformal
//! quantile regression", ICML 2023), as Syne Tune 0.16's `CQR` has it.
//!
//! 1. The first rows are random, until `start` trials have reported a number.
//! 2. Whenever something new is known, each of the quantiles 0.17, 0.33, 0.5, 0.67 and 0.83 of the
//!    loss gets a model of its own ([`Boosted`](crate::surrogates::boosting::Boosted)). From 33
//!    observations on (Syne Tune: more than 32) a tenth of them, rounded up and drawn anew each
//!    time, is kept from the models. Two symmetric quantiles, `l` below a half and `1 - l`, are
//!    then moved apart by the `(1 - 2 l) / (1 + 1 / v)` quantile of `max(lower - loss, loss -
//!    upper)` over the `v` that were kept; where that is negative they come together.
//! 3. `candidates` random points of the space are drawn. For each, one of the five quantiles is
//!    drawn, and the point where that predicts the least loss is proposed, the first of equals.
//!
//! The engine takes the nearest free row to the point, where Syne Tune runs the configuration
//! itself. While nothing new is known (several workers) the same candidates meet new draws of
//! quantiles.
//!
//! **Inputs** are native values, standardised by what was observed; a choice has a column for each
//! word. An ordered list of numbers is a number, for which Syne Tune has `finrange`. Syne Tune
//! knows no conditions: a parameter that plays no part stands in the middle of its range here.
//!
//! **What counts** is the latest word of each trial, as it is reported; one without a number (NaN)
//! is not in the model.
//!
//! **Ties.** Divisions that gain the same are drawn for, where scikit-learn goes by how sums happen
//! to round: see [`boosting`](crate::surrogates::boosting). From few observations that shows: after
//! 19 of them proposals are told apart from Syne Tune's as it comes, and not from its proposals
//! with sums that do not round.
//!
//! # Cost
//!
//! A fit grows five hundred trees; a proposal sends each candidate through a hundred of them.
//! Measured after 100 observations of 7 parameters: 17 ms of processor time a decision with 2,000
//! candidates, beside many others on two cores and with less than full optimisation.

mod model;

use std::sync::Arc;

use base::error::Result;
use base::space::{Domain, Space, Value};
use base::units::TrialId;
use rand::Rng;

use self::model::{Model, QUANTILES, Rules};
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Points, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::draws::index;
use crate::kit::encoding::settled;
use crate::kit::history::{Changes, History, Telling};
use crate::kit::rows::first_argmax;
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// observations before there is a model
        start: usize in 1..=1_000_000 = 5,
        /// random points of which the best is proposed
        candidates: usize in 1..=1_000_000 = 2000,
        /// trees of the model of a quantile
        trees: usize in 1..=10_000 = 100,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "cqr",
    summary: "The least of draws from boosted quantiles of the loss, conformally corrected.",
    citation: "Salinas et al., Optimizing hyperparameters with conformal quantile regression, ICML \
               2023; Syne Tune 0.16.0",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::LearnsValues],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "Syne Tune 0.16.0",
        what: "300 next proposals after 3 fixed histories of 19, 33 and 59 results against 200 of \
               its searcher, its gradients counted as 1 and 0 so that their sums do not round; a \
               two-sample chi-squared test a coordinate (make_cqr_golden.py)",
        result: "least Holm-adjusted p 0.043 of 20 tests; 20 candidates and 10 trees are told \
                 apart (p < 1e-15)",
    },
    Comparison {
        with: "Syne Tune 0.16.0 with its gradients as they come, whose sums round",
        what: "the same, told in another order for each proposal",
        result: "told apart after 19 results (p 0.004), not after 33 and 59",
    },
    Comparison {
        with: "scikit-learn 1.9.1",
        what: "predictions of GradientBoostingRegressor with the loss \"quantile\" at 25 points of \
               15 data sets, after as many stages as exact arithmetic determines \
               (surrogates/boosting)",
        result: "within 1e-12",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { start, candidates, trees } = Parameters::read(arguments)?;
    let shared = Arc::new(Shared {
        space: context.space.clone(),
        points: Arc::clone(context.points),
        rules: Rules { trees, ..Rules::SYNE_TUNE },
        start,
        candidates,
    });
    Ok(Box::new(move |run| {
        Box::new(Cqr {
            shared: Arc::clone(&shared),
            streams: Streams::new(run, "cqr"),
            threads: run.threads,
            history: History::new(),
            fitted: None,
        })
    }))
}

#[derive(Debug)]
struct Shared {
    space: Space,
    points: Arc<Points>,
    rules: Rules,
    start: usize,
    candidates: usize,
}

/// How a number becomes an input: its mean and deviation among the observations.
#[derive(Debug, Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    #[expect(clippy::cast_precision_loss, reason = "observations are few")]
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        let deviation = (squares / count).sqrt();
        // Equal numbers that are no binary fractions differ from their mean by rounding.
        let is_one_value = deviation <= 1e-12 * mean.abs() || deviation == 0.0;
        Self { mean, deviation: if is_one_value { 1.0 } else { deviation } }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as scikit-learn's trees take them")]
    fn input(self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation) as f32
    }
}

impl Shared {
    /// Gives the number of each column at a point.
    #[expect(clippy::cast_precision_loss, reason = "ranges of ints stay below 2^53")]
    fn numbers(&self, point: &[f64], mut give: impl FnMut(f64)) {
        for (parameter, u) in self.space.parameters.iter().zip(point) {
            match (parameter.from_unit(*u), &parameter.domain) {
                (Value::Int(value), _) => give(value as f64),
                (Value::Float(value), _) => give(value),
                (value, Domain::Categorical { choices }) => {
                    let is = |choice| f64::from(u8::from(value == Value::Choice(choice)));
                    (0..choices.len()).for_each(|choice| give(is(choice)));
                }
                (value, _) => unreachable!("a coordinate has a value, not {value:?}"),
            }
        }
    }

    fn candidates(&self, rng: &mut impl Rng) -> Vec<Vec<f64>> {
        let has_conditions = self.space.parameters.iter().any(|p| p.condition.is_some());
        let width = self.space.parameters.len();
        let draw = |_| {
            // 32 bits each, the middle of a step.
            let unit = |_| (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
            let point: Vec<f64> = (0..width).map(unit).collect();
            if has_conditions { settled(&self.space, &point) } else { point }
        };
        (0..self.candidates).map(draw).collect()
    }
}

/// What was made of the observations at one time.
#[derive(Debug)]
struct Fitted {
    model: Model,
    points: Vec<Vec<f64>>,
    /// Of the candidates, as the models take them, one after another.
    inputs: Vec<f32>,
}

impl Fitted {
    /// Fits the losses of some points, and draws candidates.
    fn new(
        shared: &Shared,
        observed: &[&[f64]],
        losses: &[f64],
        streams: &Streams,
        decision: u32,
        threads: usize,
    ) -> Self {
        let mut rows = Vec::new();
        for point in observed {
            shared.numbers(point, |number| rows.push(number));
        }
        let width = rows.len() / observed.len();
        let column = |at: usize| rows[at..].iter().step_by(width).copied().collect();
        let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
        let scales: Vec<Scale> = columns.iter().map(|column| Scale::of(column)).collect();
        let scaled = columns.iter().zip(&scales);
        let features =
            scaled.map(|(column, scale)| column.iter().map(|x| scale.input(*x)).collect());
        let model =
            Model::fit(features.collect(), losses, &shared.rules, streams, decision, threads);
        let points = shared.candidates(&mut streams.decision("candidates", decision));
        let mut inputs = Vec::with_capacity(points.len() * width);
        for point in &points {
            let mut scales = scales.iter();
            shared.numbers(point, |number| {
                inputs.push(scales.next().expect("as many columns").input(number));
            });
        }
        Self { model, points, inputs }
    }

    /// The candidate with the least draw.
    fn propose(&self, rng: &mut impl Rng) -> &[f64] {
        let width = self.inputs.len() / self.points.len();
        let gains = self.inputs.chunks_exact(width).map(|inputs| {
            let quantile = index(rng, QUANTILES.len());
            -self.model.predict(quantile, inputs)
        });
        &self.points[first_argmax(gains).expect("there are candidates")]
    }
}

struct Cqr {
    shared: Arc<Shared>,
    streams: Streams,
    threads: usize,
    history: History,
    fitted: Option<Fitted>,
}

impl Cqr {
    /// Fits what is new.
    fn catch_up(&mut self, ask: &Ask) {
        let Changes { kept, has_lost, is_revised } = self.history.catch_up();
        let known = self.history.observations();
        if known.len() < self.shared.start {
            self.fitted = None;
            return;
        }
        let is_new = kept < known.len() || has_lost || is_revised;
        if is_new || self.fitted.is_none() {
            let Self { shared, streams, threads, .. } = &*self;
            let point = |telling: &Telling| shared.points.row(telling.row);
            let points: Vec<&[f64]> = known.iter().map(point).collect();
            let losses: Vec<f64> = known.iter().map(|telling| -telling.score).collect();
            let fitted = Fitted::new(shared, &points, &losses, streams, ask.trial.0, *threads);
            self.fitted = Some(fitted);
        }
    }
}

impl Sampler for Cqr {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.catch_up(ask);
        if let Some(fitted) = &self.fitted {
            let mut rng = self.streams.decision("quantiles", ask.trial.0);
            return Proposal::Point(settled(&self.shared.space, fitted.propose(&mut rng)));
        }
        Proposal::Row(view.first_free().expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.history.tell(view, trial);
    }
}

#[cfg(test)]
mod tests;
