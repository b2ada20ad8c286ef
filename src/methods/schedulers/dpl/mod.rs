//! DPL: deep power laws. An ensemble of networks predicts each configuration's loss at the last
//! epoch; the one with the largest expected improvement there gets one more epoch.
//!
//! Kadra, Janowski, Wistuba, Grabocka, "Scaling laws for hyperparameter optimization" (2023),
//! algorithm 1, with the constants of the authors' code
//! (`surrogate_models/power_law_surrogate.py`). The model is
//! [`power_laws`](crate::surrogates::power_laws), who proposes and who waits
//! [`epochwise`](crate::kit::epochwise).
//!
//! 1. The first trial is the sampler's. Every later one is chosen here, among all free rows and
//!    all paused trials: the sampler has no further say.
//! 2. After each epoch the networks are trained: the first 11 times anew, for `epochs` passes over
//!    all that was observed, later for `refine` passes from where they stand, the newest
//!    observation in every batch. They are trained anew once more when 1.2 times the table's epochs
//!    have gone by, decision by decision, without a new best loss. A network always begins from the
//!    same weights.
//! 3. `EI = (best - m) Phi(z) + s phi(z)`, `z = (best - m) / s`, with the ensemble's mean `m` and
//!    deviation `s` and the best loss observed at any epoch; `s = 0` counts as `z = 0`, so that EI
//!    is then half of `best - m`.
//!
//! **Losses** are `scale - score` where a metric is maximised (the authors' `max_value`) and the
//! metric where it is minimised, divided by `scale`: 1, or 100 for percentages. They should be
//! about 0 to 1, as the networks begin there; beyond a million either way they are cut.
//! Configurations are points of the unit cube with a column for each choice.
//!
//! **Where it differs from the authors' code.** A configuration that diverges ends and is no
//! candidate any more, its epochs until then being observed: the code goes on with it, and breaks
//! where it diverges in its first epoch. Several workers, which it does not have, share a model. A
//! trial pauses after its epochs even if it goes on at once, which only `--resume-cost` and
//! `--trial-overhead` notice. Its random numbers are others.
//!
//! # Cost
//!
//! A decision at `n` observations takes `refine n / 64` Adam steps a network and a prediction of
//! all rows: a run grows with the square of its epochs. Measured on a table of 2,000 rows of 9
//! parameters and 30 epochs, seconds of one processor (AVX-512) that others kept busy too: 3.4 for
//! the first 100 epochs, 7.8 for 200, 24 for 400. Where that is too much, `refit` trains after
//! every so many epochs alone (with `refit=10`, 45 for 1,000 epochs), and `step` (the authors'
//! `fantasize_step`) gives so many epochs a decision.

use std::sync::Arc;

use base::error::Result;
use base::space::Direction;
use base::units::{ConfigId, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Reason, RunContext, Scheduler,
    SchedulerFactory, Trait, View, Work, parameters,
};
use crate::kit::encoding::{Categorical, Encoded};
use crate::kit::epochwise::{Epochwise, News};
use crate::kit::streams::Streams;
use crate::surrogates::expected_improvement::expected_improvement;
use crate::surrogates::power_laws::{Fit, Observation, PowerLaws, Prediction, Shape};

/// Trainings anew at the beginning: the authors' counter of ten lets the eleventh be one too.
const TRAININGS_ANEW: u32 = 11;

/// Losses are cut here, in units of `scale`.
const LOSS_MAX: f64 = 1e6;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// networks of the ensemble
        networks: u32 in 1..=100 = 5,
        /// units of each of a network's two hidden layers
        units: usize in 1..=1024 = 128,
        /// passes over the observations where the networks are trained anew
        epochs: u32 in 1..=1_000_000 = 250,
        /// passes over the observations where they are refined
        refine: u32 in 1..=1_000_000 = 20,
        /// new observations between trainings, after the first eleven (paper: 1)
        refit: usize in 1..=1_000_000 = 1,
        /// epochs that one decision gives (the authors' `fantasize_step`)
        step: u16 in 1..=65535 = 1,
        /// the unit of losses; 100 where the metric is a percentage
        scale: f64 in 0.000_001..=1_000_000.0 = 1.0,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "dpl",
    summary: "Deep power laws: networks extrapolate every curve, and the best expected improvement \
              at the last epoch gets one more epoch.",
    citation: "Kadra, Janowski, Wistuba, Grabocka, Scaling laws for hyperparameter optimization, \
               NeurIPS 2023",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "PyTorch 2.15.0",
            what: "the network's predictions after 0, 1 and 14 Adam steps on 40 observations from \
                   the same weights, 3 and 128 units (make_dpl.py)",
            result: "largest difference 3.5e-6",
        },
        Comparison {
            with: "a reading of the authors' code in Python",
            what: "the decisions and trainings of two whole runs on scripted predictions, 12 rows \
                   of 6 epochs, and 9 of 10 three at a time (make_dpl.py)",
            result: "the same, 72 and 36 of them",
        },
    ],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let parameters = Parameters::read(arguments)?;
    let encoded = Encoded::new(context.space, context.points, context.rows, Categorical::OneHot);
    #[expect(clippy::cast_possible_truncation, reason = "the networks' precision")]
    let rows = (0..context.rows).flat_map(|row| encoded.row(ConfigId(row))).map(|x| *x as f32);
    let (rows, inputs): (Arc<[f32]>, usize) = (rows.collect(), encoded.width());
    let losses =
        Losses { maximised: context.metric.goal == Direction::Maximize, scale: parameters.scale };
    Ok(Box::new(move |run| {
        let shape = Shape { inputs, units: parameters.units };
        let model = Ensemble::new(Arc::clone(&rows), shape, &parameters, run);
        Box::new(Dpl::new(&parameters, losses, model))
    }))
}

/// From scores to losses.
#[derive(Debug, Clone, Copy)]
struct Losses {
    maximised: bool,
    scale: f64,
}

impl Losses {
    fn of(self, score: f64) -> f64 {
        let offset = if self.maximised { 1.0 } else { 0.0 };
        (offset - score / self.scale).clamp(-LOSS_MAX, LOSS_MAX)
    }
}

/// A loss at an epoch of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Observed {
    row: ConfigId,
    /// The share of the last epoch.
    budget: f64,
    loss: f64,
}

/// What predicts the loss at the last epoch.
trait Model: Send {
    /// Is trained on all that was observed; anew, or else refined with the `newest`, by place, in
    /// every batch.
    fn train(&mut self, observed: &[Observed], anew: bool, newest: &[usize]);
    /// The prediction of a row.
    fn at_end(&self, row: ConfigId) -> Prediction;
}

/// The networks.
struct Ensemble {
    rows: Arc<[f32]>,
    laws: PowerLaws,
    streams: Streams,
    epochs: u32,
    refine: u32,
    threads: usize,
    trainings: u32,
    /// By row.
    predictions: Vec<Prediction>,
}

impl Ensemble {
    fn new(rows: Arc<[f32]>, shape: Shape, parameters: &Parameters, run: &RunContext) -> Self {
        let streams = Streams::new(run, "dpl");
        let weights = (0..parameters.networks).map(|at| streams.decision("weights", at));
        Self {
            rows,
            laws: PowerLaws::new(shape, weights.collect()),
            streams,
            epochs: parameters.epochs,
            refine: parameters.refine,
            threads: run.threads,
            trainings: 0,
            predictions: Vec::new(),
        }
    }
}

impl Model for Ensemble {
    fn train(&mut self, observed: &[Observed], anew: bool, newest: &[usize]) {
        #[expect(clippy::cast_possible_truncation, reason = "the networks' precision")]
        let observation = |observed: &Observed| Observation {
            row: observed.row.index(),
            log_budget: libm::log(observed.budget) as f32,
            loss: observed.loss as f32,
        };
        let observations: Vec<Observation> = observed.iter().map(observation).collect();
        let (streams, trainings) = (self.streams, self.trainings);
        let (epochs, refine) = (self.epochs, self.refine);
        self.laws.train(&self.rows, &observations, anew, self.threads, |network, is_new| Fit {
            epochs: if is_new { epochs } else { refine },
            newest: if is_new { &[] } else { newest },
            batches: streams.decision(&format!("batches/{network}"), trainings),
        });
        self.trainings += 1;
        self.predictions = self.laws.at_end(&self.rows, self.threads);
    }

    fn at_end(&self, row: ConfigId) -> Prediction {
        self.predictions[row.index()]
    }
}

/// The scheduler, over whatever predicts.
struct Dpl<M> {
    control: Epochwise,
    losses: Losses,
    model: M,
    refit: usize,
    observed: Vec<Observed>,
    /// Of the observations, those that the model was trained on.
    trained: usize,
    /// The last of each trial's since then.
    newest: Vec<usize>,
    trainings: u32,
    best: f64,
    /// News without a new best loss.
    without_gain: u32,
    /// Whether the next training begins anew.
    restarts: bool,
}

impl<M: Model> Dpl<M> {
    fn new(parameters: &Parameters, losses: Losses, model: M) -> Self {
        Self {
            control: Epochwise::new(parameters.step),
            losses,
            model,
            refit: parameters.refit,
            observed: Vec::new(),
            trained: 0,
            newest: Vec::new(),
            trainings: 0,
            best: f64::INFINITY,
            without_gain: 0,
            restarts: false,
        }
    }

    fn observe(&mut self, view: &View<'_>, news: &News) {
        let row = view.trial(news.trial).config;
        let last = f64::from(view.epochs.0);
        let mut gains = false;
        for (epoch, score) in &news.scores {
            let loss = self.losses.of(*score);
            gains |= loss < self.best;
            self.best = self.best.min(loss);
            self.observed.push(Observed { row, budget: f64::from(epoch.0) / last, loss });
        }
        if !news.scores.is_empty() {
            self.newest.push(self.observed.len() - 1);
        }
        self.without_gain = if gains { 0 } else { self.without_gain + 1 };
        // 1.2 times the epochs, rounded down.
        if self.without_gain == u32::from(view.epochs.0) * 6 / 5 {
            (self.restarts, self.without_gain) = (true, 0);
        }
    }

    fn train(&mut self) {
        let anew = self.trainings < TRAININGS_ANEW || self.restarts;
        let new = self.observed.len() - self.trained;
        if new == 0 || (!anew && new < self.refit) {
            return;
        }
        self.model.train(&self.observed, anew, &self.newest);
        self.trainings += 1;
        self.newest.clear();
        (self.trained, self.restarts) = (self.observed.len(), false);
    }
}

/// As the authors' code has it: without a deviation, half of what is gained.
fn improvement(best: f64, Prediction { mean, deviation }: Prediction) -> f64 {
    if deviation > 0.0 { expected_improvement(best, mean, deviation) } else { (best - mean) * 0.5 }
}

impl<M: Model> Scheduler for Dpl<M> {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        for news in self.control.news(view) {
            self.observe(view, &news);
        }
        self.train();
        if self.trainings == 0 {
            return self.control.without_model(view, fresh);
        }
        let (best, model) = (self.best, &self.model);
        let improvement = |row| improvement(best, model.at_end(row));
        self.control.best(view, fresh, |candidate| improvement(candidate.row))
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.control.at_until(view, trial)
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        self.control.reasons(view, trial, "expected improvement at the last epoch")
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
