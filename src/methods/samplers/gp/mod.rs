//! Bayesian optimisation with a Gaussian process (Mockus 1975; Snoek, Larochelle, Adams,
//! "Practical Bayesian optimization of machine learning algorithms", 2012): the free row with the
//! best acquisition under the posterior of what trials report.
//!
//! The kernel is Matérn-5/2 with a lengthscale a column. `fit` says where its parameters come from,
//! and with them what the programs do that are known for it:
//!
//! - `map`, as Optuna 4.9's `GPSampler`: those of the largest posterior density, climbed from those
//!   of the decision before. The prior is `exp(-(0.1 / w + 0.1 w))` of each weight `w` (one over
//!   the squared lengthscale), Gamma(2, 1) of the scale, Gamma(1.1, 30) of the noise, which is at
//!   least 1e-6. Reports are standardised. The first 10 rows are random. Pending trials count as
//!   good as the best (a constant liar).
//! - `slice`, as Spearmint's `GPEIChooser`: the acquisition is averaged over 10 draws of slice
//!   sampling, the chain going on from one decision to the next. Lengthscales are uniform up to 2,
//!   the scale is log-normal, the noise has a horseshoe-like density `ln(1 + (0.1 / noise)^2)`, and
//!   a constant mean is drawn too, within what was reported; reports are taken as they are. The
//!   first 2 rows are random. Pending trials end in 100 fantasies a draw.
//! - `fixed`, as Keras Tuner: lengthscales of 1, noise 1e-4. Reports are standardised. The first
//!   rows are random, 3 a parameter. Pending trials count as a deviation worse than expected.
//!
//! `acquisition` is expected improvement on the best report (`ei`), the probability of it (`pi`),
//! or the lowest `mean - beta deviation` (`ucb`; Keras Tuner: `fit=fixed,acquisition=ucb,
//! beta=2.6`). All of them are maximised exactly, over every free row of the table, where the
//! programs climb from some points and find a local maximum; ties go to the first row in the
//! repeat's order.
//!
//! A trial that reports nothing (NaN) is no observation. Random rows are drawn until there are
//! enough observations, however many trials that takes. Reports that are all equal have no scale:
//! they are standardised to 0. Beyond `observations` the model takes the better half of that
//! number and the newest of the rest, for its time grows with their third power.
//!
//! # Cost
//!
//! At 200 observations, 20,000 rows and 9 columns a decision of `map` climbs some steps at
//! `n^3 / 2 = 4e6` multiplications each, takes 4e6 kernel values for the means of all rows, and
//! 2e4 multiplications for the variance of each row whose bound reaches the best
//! ([`pool`](crate::surrogates::gaussian_process::pool)). `benches/gp.rs` measures it: 82 to
//! 108 ms of processor time on one of two threads that others loaded too (load average 16), of
//! which 60 ms the search; 18 ms at 50 observations. `slice` needs some hundred likelihoods and ten
//! searches a decision.

mod drawn;
mod fitted;

use std::sync::Arc;

use base::error::Result;
use base::units::{ConfigId, TrialId};

use self::drawn::Drawn;
use self::fitted::Fitted;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::encoding::Categorical;
use crate::kit::history::{History, Telling};
use crate::kit::rows::FreeRows;
use crate::kit::streams::Streams;
use crate::surrogates::gaussian_process::Inputs;
use crate::surrogates::gaussian_process::pool::{Belief, Criterion, PoolSearch, table_rows};

parameters! {
    struct Parameters {
        /// expected improvement, its probability, or a confidence bound
        acquisition: Rule { Ei = "ei", Pi = "pi", Ucb = "ucb" } = "ei",
        /// parameters of the kernel: most probable, drawn by slice sampling, or all 1
        fit: Fit { Map = "map", Slice = "slice", Fixed = "fixed" } = "map",
        /// deviations of the confidence bound
        beta: f64 in 0.0..=100.0 = 2.0,
        /// observations before the first model; 0: 10 for map, 2 for slice, 3 a parameter for fixed
        startup: usize in 0..=10000 = 0,
        /// choices that differ by 1, a column for each choice, or one column of their order
        categorical: Columns {
            Hamming = "hamming",
            OneHot = "one-hot",
            Index = "index",
        } = "hamming",
        /// observations that the model takes at most
        observations: usize in 4..=4000 = 1000,
    }
}

pub(in crate::samplers) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "gp",
    summary: "Bayesian optimisation with a Gaussian process over all free rows.",
    citation: "Snoek, Larochelle & Adams, Practical Bayesian optimization of machine learning \
               algorithms, NeurIPS 2012; Optuna's GPSampler; Keras Tuner's BayesianOptimization",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::LearnsValues],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "Optuna 4.9.0",
        what: "fit=map, acquisition=ei: the next row after 50 fixed histories, half of them with \
               running trials, every row scored on both sides (tests/golden/samplers/gp.json)",
        result: "the same row in 50 of 50, of a confidence bound in its place in 27",
    },
    Comparison {
        with: "Optuna 4.9.0",
        what: "fit=map: the logarithms of the most probable parameters after 17 histories",
        result: "within 2.0e-4",
    },
    Comparison {
        with: "scikit-learn 1.9.1",
        what: "posterior means and covariances, log marginal likelihoods and their gradients of 5 \
               cases; the largest likelihood (tests/golden/surrogates/gaussian_process.json)",
        result: "within 1e-8, relative to 1 or more; within 1e-3",
    },
    Comparison {
        with: "a quadrature of the posterior",
        what: "fit=slice: moments of lengthscale, mean and scale of the chain, 5 observations",
        result: "within 1.1 standard errors of 30 batches of 1,000 draws",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { acquisition, fit, beta, startup, categorical, observations } =
        Parameters::read(arguments)?;
    let criterion = match acquisition {
        Rule::Ei => Criterion::ExpectedImprovement,
        Rule::Pi => Criterion::ProbabilityOfImprovement,
        Rule::Ucb => Criterion::LowerBound { beta },
    };
    let startup = match (startup, fit) {
        (0, Fit::Map) => 10,
        (0, Fit::Slice) => 2,
        (0, Fit::Fixed) => 3 * context.space.parameters.len(),
        (startup, _) => startup,
    };
    let rows = Arc::new(encode(context, categorical));
    Ok(Box::new(move |run| {
        Box::new(Gp {
            rows: Arc::clone(&rows),
            criterion,
            fit,
            startup,
            observations_max: observations,
            threads: run.threads,
            streams: Streams::new(run, "gp"),
            history: History::new(),
            fitted: Fitted::new(),
            drawn: Drawn::new(),
        })
    }))
}

/// The rows of a table as the kernel sees them.
fn encode(context: &Context<'_>, categorical: Columns) -> Inputs {
    match categorical {
        Columns::OneHot => table_rows(context, Categorical::OneHot, false),
        Columns::Hamming => table_rows(context, Categorical::Index, true),
        Columns::Index => table_rows(context, Categorical::Index, false),
    }
}

/// What a model is made from: losses, lower is better.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    inputs: Inputs,
    losses: Vec<f64>,
    /// Of the trials that have not been told, by trial.
    pending: Inputs,
}

struct Gp {
    rows: Arc<Inputs>,
    criterion: Criterion,
    fit: Fit,
    startup: usize,
    observations_max: usize,
    threads: usize,
    streams: Streams,
    history: History,
    fitted: Fitted,
    drawn: Drawn,
}

impl Gp {
    /// The observations that a model takes, in the order of the history.
    fn taken(&self) -> Vec<Telling> {
        let all = self.history.observations();
        if all.len() <= self.observations_max {
            return all.to_vec();
        }
        let mut is_taken = vec![false; all.len()];
        let mut ranked: Vec<usize> = (0..all.len()).collect();
        ranked.sort_by(|a, b| all[*b].score.total_cmp(&all[*a].score).then(a.cmp(b)));
        ranked[..self.observations_max / 2].iter().for_each(|at| is_taken[*at] = true);
        let left = self.observations_max - self.observations_max / 2;
        let newest: Vec<usize> = (0..all.len()).rev().filter(|at| !is_taken[*at]).collect();
        newest[..left].iter().for_each(|at| is_taken[*at] = true);
        (0..all.len()).filter(|at| is_taken[*at]).map(|at| all[at]).collect()
    }

    fn known(&self, view: &View<'_>) -> Known {
        let taken = self.taken();
        let rows: Vec<u32> = taken.iter().map(|telling| telling.row.0).collect();
        let pending: Vec<u32> =
            self.history.pending(view).map(|trial| view.trial(trial).config.0).collect();
        Known {
            inputs: self.rows.select(&rows),
            losses: taken.iter().map(|telling| -telling.score).collect(),
            pending: self.rows.select(&pending),
        }
    }

    /// What is believed now; `None` where no model can be made of it.
    fn believe(&mut self, view: &View<'_>, ask: &Ask) -> Option<Vec<Belief>> {
        let known = self.known(view);
        match self.fit {
            Fit::Map => self.fitted.most_probable(&known).map(|belief| vec![belief]),
            Fit::Fixed => fitted::unit(&known).map(|belief| vec![belief]),
            Fit::Slice => {
                let mut rng = self.streams.decision("draws", ask.trial.0);
                self.drawn.believe(&known, &mut rng)
            }
        }
    }
}

impl Sampler for Gp {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.history.catch_up();
        let is_model_due = self.history.observations().len() >= self.startup.max(1);
        let beliefs = if is_model_due { self.believe(view, ask) } else { None };
        let row = match beliefs {
            None => view.first_free(),
            Some(beliefs) => {
                let search = PoolSearch::new(&self.rows, &beliefs, self.criterion);
                search.best(&FreeRows::new(view, self.rows.count()), self.threads).map(ConfigId)
            }
        };
        Proposal::Row(row.expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.history.tell(view, trial);
    }
}

#[cfg(test)]
mod tests;
