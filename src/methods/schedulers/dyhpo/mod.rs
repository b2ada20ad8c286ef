//! `DyHPO`: a Gaussian process with a deep kernel predicts each configuration's score after its
//! next epoch; the one with the largest expected improvement *at that epoch* runs it.
//!
//! Wistuba, Kadra, Grabocka, "Supervising the multi-fidelity race of hyperparameter
//! configurations" (2022), algorithm 1, with the constants of the authors' code (`hpo_method.py`,
//! `surrogate_models/dyhpo.py`). The model is [`deep_kernel`](crate::surrogates::deep_kernel), who
//! proposes and who waits [`epochwise`](crate::kit::epochwise).
//!
//! 1. The first trial is the sampler's. Every later one is chosen here, among all free rows and
//!    all paused trials: the sampler has no further say.
//! 2. After each epoch the model is trained: the first 10 times anew by `epochs` steps, later by
//!    `refine` steps from where it stands. It is trained anew once more when 1.2 times the table's
//!    epochs have gone by, decision by decision, without a new best score, and after a training
//!    that failed.
//! 3. `EI = (m - best) Phi(z) + s phi(z)`, `z = (m - best) / s`, at the epoch that a configuration
//!    would come to. `best` is the best score that was seen at that epoch; where nobody has come so
//!    far, the best of all.
//!
//! **Scores** are divided by `scale` (1; 100 for percentages), and 1 is added where the metric is
//! minimised, so that an error becomes an accuracy: they should be about 0 to 1. Beyond a million
//! either way they are cut. Configurations are points of the unit cube with a column for each
//! choice. An epoch that was not measured stands in a curve as the last score before it, or 0.
//!
//! **Where it differs from the authors' code.** A configuration that diverges ends and is no
//! candidate any more, its epochs until then being observed; the code notes those that diverge and
//! goes on proposing them. The code's budgets begin at 0 in training and at 1 in prediction, and it
//! leaves the last score out of the curve that it predicts from (one by one off in both); here the
//! budget of epoch `e` is `e / T`, and the curve all that came before, as the paper has it. Curves
//! are filled up to the table's epochs, not to the longest curve so far. Several workers, which it
//! does not have, share a model. Its random numbers are others.
//!
//! # Cost
//!
//! A training of `n` observations takes `n^3` multiplications a step, a decision as many and `n^2`
//! a candidate. Measured on a table of 2,000 rows of 9 parameters and 30 epochs, seconds of one
//! processor (AVX-512) that others kept busy too: 0.8 for the first 50 epochs, 2.7 for 100, 16 for
//! 200. Where that is too much, `refit` trains after every so many observations alone, while
//! decisions take all of them into account (with `refit=20`, 49 for 400 epochs), and `step` gives
//! so many epochs a decision, of which `observed=last` shows the model the last alone: the curve
//! before an observation stays whole, and `n` is that of decisions. With `step=10`,
//! `observed=last`, `refit=10` a run of 1,000 epochs took 1.9.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::space::Direction;
use base::units::{ConfigId, Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Reason, RunContext, Scheduler,
    SchedulerFactory, Trait, View, Work, parameters,
};
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::epochwise::{Candidate, Epochwise, News};
use crate::kit::streams::Streams;
use crate::surrogates::deep_kernel::{DeepKernel, Points, Prediction, Shape};
use crate::surrogates::expected_improvement::expected_improvement;

/// Trainings anew at the beginning.
const TRAININGS_ANEW: u32 = 10;

/// Scores are cut here, in units of `scale`.
const SCORE_MAX: f64 = 1e6;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// units of the network's first layer; the second has twice as many
        units: usize in 1..=1024 = 64,
        /// steps of a training anew
        epochs: u32 in 1..=1_000_000 = 1000,
        /// steps of a training from where the model stands
        refine: u32 in 1..=1_000_000 = 50,
        /// new observations between trainings, after the first ten (paper: 1)
        refit: usize in 1..=1_000_000 = 1,
        /// epochs that one decision gives (the authors' `fantasize_step`)
        step: u16 in 1..=65535 = 1,
        /// whether the model observes each of them, or the last one alone
        observed: Observed { Each = "each", Last = "last" } = "each",
        /// the unit of scores; 100 where the metric is a percentage
        scale: f64 in 0.000_001..=1_000_000.0 = 1.0,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "dyhpo",
    summary: "A deep-kernel Gaussian process looks one epoch ahead, and the best expected \
              improvement there runs it.",
    citation: "Wistuba, Kadra, Grabocka, Supervising the multi-fidelity race of hyperparameter \
               configurations, NeurIPS 2022",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "PyTorch 2.15.0, GPyTorch 1.15.2",
            what: "predictions and their deviations after 0, 1 and 15 Adam steps on the same \
                   curves from the same weights, 3 and 64 units (make_dyhpo.py)",
            result: "largest difference 3.8e-5, of f32 against f64",
        },
        Comparison {
            with: "a reading of the authors' code in Python",
            what: "the decisions and trainings of a whole run on scripted predictions, 12 rows of \
                   6 epochs (make_dyhpo.py)",
            result: "the same, 72 of them",
        },
    ],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let parameters = Parameters::read(arguments)?;
    let encoded = Encoded::new(context.space, context.points, context.rows, Categorical::OneHot);
    #[expect(clippy::cast_possible_truncation, reason = "the network's precision")]
    let rows = (0..context.rows).flat_map(|row| encoded.row(ConfigId(row))).map(|x| *x as f32);
    let (rows, width): (Arc<[f32]>, usize) = (rows.collect(), encoded.width());
    let epochs = context.epochs;
    let maximised = context.metric.goal == Direction::Maximize;
    let values = Values { maximised, scale: parameters.scale };
    Ok(Box::new(move |run| {
        let shape = Shape { width, units: parameters.units };
        let model = Deep::new(Arc::clone(&rows), shape, epochs, &parameters, run);
        Box::new(Dyhpo::new(&parameters, values, model))
    }))
}

/// From scores to what is modelled.
#[derive(Debug, Clone, Copy)]
struct Values {
    maximised: bool,
    scale: f64,
}

impl Values {
    fn of(self, score: f64) -> f64 {
        let offset = if self.maximised { 0.0 } else { 1.0 };
        (offset + score / self.scale).clamp(-SCORE_MAX, SCORE_MAX)
    }
}

/// What is known of a row: its values by epoch, ascending.
type Curves = BTreeMap<ConfigId, Vec<Seen>>;

/// A value of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    epoch: Epoch,
    value: f64,
    /// Whether the model observes it; the others are no more than what came before.
    is_observed: bool,
}

/// A row and the epoch that it would come to.
type Ahead = (ConfigId, Epoch);

/// What predicts values.
trait Model: Send {
    /// Is trained on all curves, anew or from where it stands; whether that went well.
    fn train(&mut self, curves: &Curves, anew: bool) -> bool;
    /// Predictions of some rows at the epochs that they would come to.
    fn ahead(&mut self, curves: &Curves, asked: &[Ahead]) -> Vec<Prediction>;
}

/// The deep kernel.
struct Deep {
    rows: Arc<[f32]>,
    shape: Shape,
    epochs: Epoch,
    steps_anew: u32,
    steps: u32,
    streams: Streams,
    trainings: u32,
    kernel: Option<DeepKernel>,
}

impl Deep {
    fn new(
        rows: Arc<[f32]>,
        shape: Shape,
        epochs: Epoch,
        parameters: &Parameters,
        run: &RunContext,
    ) -> Self {
        Self {
            rows,
            shape,
            epochs,
            steps_anew: parameters.epochs,
            steps: parameters.refine,
            streams: Streams::new(run, "dyhpo"),
            trainings: 0,
            kernel: None,
        }
    }

    /// Adds a row at an epoch, with what was seen of the `ran` epochs before.
    fn push(&self, points: &mut Points, (row, epoch): Ahead, curve: &[Seen], ran: usize) {
        let width = self.shape.width;
        let budget = f32::from(epoch.0) / f32::from(self.epochs.0);
        let (mut before, mut last) = (Vec::new(), 0.0);
        for Seen { epoch, value, .. } in curve {
            // What was not measured before.
            before.resize(epoch.index(), last);
            #[expect(clippy::cast_possible_truncation, reason = "the network's precision")]
            let value = *value as f32;
            before.push(value);
            last = value;
        }
        before.resize(ran, last);
        points.push(&self.rows[row.index() * width..][..width], budget, &before);
    }

    /// All observations.
    fn seen(&self, curves: &Curves) -> (Points, Vec<f64>) {
        let mut points = Points::new(self.shape.width, self.epochs.0.into());
        let mut values = Vec::new();
        for (row, curve) in curves {
            for (at, seen) in curve.iter().enumerate().filter(|(_, seen)| seen.is_observed) {
                self.push(&mut points, (*row, seen.epoch), &curve[..at], seen.epoch.index());
                values.push(seen.value);
            }
        }
        (points, values)
    }
}

impl Model for Deep {
    fn train(&mut self, curves: &Curves, anew: bool) -> bool {
        let mut stream = self.streams.decision("weights", self.trainings);
        self.trainings += 1;
        let (points, values) = self.seen(curves);
        let (shape, steps) = (self.shape, if anew { self.steps_anew } else { self.steps });
        if anew {
            self.kernel = None;
        }
        let kernel = self.kernel.get_or_insert_with(|| DeepKernel::new(shape, &mut stream));
        kernel.train(&points, &values, steps)
    }

    fn ahead(&mut self, curves: &Curves, asked: &[Ahead]) -> Vec<Prediction> {
        let (points, values) = self.seen(curves);
        let mut queries = Points::new(self.shape.width, self.epochs.0.into());
        for ahead in asked {
            let curve = curves.get(&ahead.0).map_or(&[][..], Vec::as_slice);
            let ran = curve.last().map_or(0, |seen| seen.epoch.0.into());
            self.push(&mut queries, *ahead, curve, ran);
        }
        let kernel = self.kernel.as_ref().expect("it was trained");
        kernel.predict(&points, &values, &queries)
    }
}

/// The scheduler, over whatever predicts.
struct Dyhpo<M> {
    control: Epochwise,
    step: u16,
    observed: Observed,
    values: Values,
    model: M,
    refit: usize,
    curves: Curves,
    /// By epoch, the best value there.
    best_at: BTreeMap<Epoch, f64>,
    best: f64,
    /// Observations since the last training.
    new: usize,
    trainings: u32,
    /// News without a new best value.
    without_gain: u32,
    /// Whether the next training begins anew.
    restarts: bool,
}

impl<M: Model> Dyhpo<M> {
    fn new(parameters: &Parameters, values: Values, model: M) -> Self {
        Self {
            control: Epochwise::new(parameters.step),
            step: parameters.step,
            observed: parameters.observed,
            values,
            model,
            refit: parameters.refit,
            curves: Curves::new(),
            best_at: BTreeMap::new(),
            best: f64::NEG_INFINITY,
            new: 0,
            trainings: 0,
            without_gain: 0,
            restarts: false,
        }
    }

    fn observe(&mut self, view: &View<'_>, news: &News) {
        if news.scores.is_empty() {
            return;
        }
        let curve = self.curves.entry(view.trial(news.trial).config).or_default();
        let mut gains = false;
        for (at, (epoch, score)) in (1..).zip(&news.scores) {
            let value = self.values.of(*score);
            let is_observed = self.observed == Observed::Each || at == news.scores.len();
            curve.push(Seen { epoch: *epoch, value, is_observed });
            self.new += usize::from(is_observed);
            let at = self.best_at.entry(*epoch).or_insert(value);
            *at = at.max(value);
            gains |= value > self.best;
            self.best = self.best.max(value);
        }
        self.without_gain = if gains { 0 } else { self.without_gain + 1 };
        // 1.2 times the epochs, rounded down. The counter runs on: there is one restart a drought.
        self.restarts |= self.without_gain == u32::from(view.epochs.0) * 6 / 5;
    }

    fn train(&mut self) {
        let anew = self.trainings < TRAININGS_ANEW || self.restarts;
        if self.new == 0 || (!anew && self.new < self.refit) {
            return;
        }
        self.restarts = !self.model.train(&self.curves, anew);
        self.trainings += 1;
        self.new = 0;
    }

    /// The best value at an epoch, else of all.
    fn best_at(&self, epoch: Epoch) -> f64 {
        self.best_at.get(&epoch).copied().unwrap_or(self.best)
    }

    /// The expected improvement of each candidate.
    fn improvements(&mut self, view: &View<'_>, fresh: Fresh) -> Vec<f64> {
        let asked: Vec<Ahead> = Epochwise::candidates(view, fresh)
            .map(|Candidate { row, trial }| {
                let executed = trial.map_or(0, |trial| view.trial(trial).executed.0);
                (row, Epoch(executed.saturating_add(self.step)).min(view.epochs))
            })
            .collect();
        let predictions = self.model.ahead(&self.curves, &asked);
        let both = asked.iter().zip(predictions);
        both.map(|((_, epoch), p)| improvement(self.best_at(*epoch), p)).collect()
    }
}

/// Above `best`; 0 without a deviation.
fn improvement(best: f64, Prediction { mean, deviation }: Prediction) -> f64 {
    if deviation == 0.0 { 0.0 } else { expected_improvement(-best, -mean, deviation) }
}

impl<M: Model> Scheduler for Dyhpo<M> {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        for news in self.control.news(view) {
            self.observe(view, &news);
        }
        self.train();
        if self.trainings == 0 {
            return self.control.without_model(view, fresh);
        }
        let mut improvements = self.improvements(view, fresh).into_iter();
        self.control.best(view, fresh, |_| improvements.next().expect("one a candidate"))
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.control.at_until(view, trial)
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        self.control.reasons(view, trial, "expected improvement after the next step")
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
