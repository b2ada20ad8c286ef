//! TPE, the tree-structured Parzen estimator (Bergstra et al. 2011), as three programs have it:
//! Optuna 4.9 (`optuna4`), Optuna 5.0 (`optuna5`) and hyperopt 0.3 (`hyperopt`).
//!
//! 1. Until `startup` trials count (10, 10, 20), the first free row in the repeat's order.
//! 2. Of the `n` trials that count, the best are *good*: `ceil(0.1 n)` of them, hyperopt
//!    `ceil(0.25 sqrt(n))`, at most 25. A density `l` is fitted to the good ones, and `g` to the
//!    others; see [`parzen`](crate::surrogates::parzen).
//! 3. `candidates` points are drawn from `l`, and the one with the largest `l / g` is proposed, the
//!    first of equals. The engine takes the nearest free row; what is learnt from is that row's
//!    own coordinates.
//!
//! **One parameter or all.** `optuna4` and `hyperopt` do this for each parameter by itself.
//! `optuna5` draws those parameters together that every trial that counts has, and the others each
//! by itself.
//!
//! **Conditions.** The trials are split once; the densities of a parameter see those in which it
//! plays a part, aged among these. A parameter that plays no part in what has been drawn before it
//! is not drawn. One with a single value is not drawn either.
//!
//! **What counts.** Of Optuna: a completed trial that reports a number, ranked by it; then trials
//! that were stopped or are paused, whatever `--report` says but `ignore`: those measured later
//! first, then by their score there, NaN behind (Optuna ranks pruned trials so). Equal ones: the
//! older first. Failed trials, completed ones without a number and those that shall tell nothing
//! are left out altogether. Running trials are left out by `optuna4`; `optuna5` counts them not,
//! but fits `g` to them too (a constant liar). Of hyperopt: every trial by what it reports; one
//! that reports nothing, or is still out, has an infinite loss and counts (as if its status were
//! `fail`; a script that returns NaN for a loss would have it left out).
//!
//! **Whole numbers** of hyperopt are `quniform(low - 1/2, high + 1/2, 1)`, and `qloguniform` with
//! the logarithms of the same ends: its own `randint` has no order.
//!
//! # Cost
//!
//! Kernels times candidates times parameters, less what is out of reach. Measured by
//! `benches/samplers.rs`.

mod model;
pub(super) mod pool;
mod split;

use std::sync::Arc;

use base::error::Result;
use base::units::TrialId;

use self::model::{Model, Shared};
use self::split::Peer;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Origin, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// whose: Optuna 4.9's, Optuna 5.0's or hyperopt 0.3's
        variant: Variant {
            Optuna4 = "optuna4", Optuna5 = "optuna5", Hyperopt = "hyperopt"
        } = "optuna4",
        /// trials drawn at random first; 0 is the variant's own number (10, 10 or 20)
        startup: usize in 0..=1_000_000 = 0,
        /// points drawn, of which the best is proposed
        candidates: usize in 1..=10_000 = 24,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "tpe",
    summary: "Tree-structured Parzen estimator: what good trials have and others have not.",
    citation: "Bergstra et al., Algorithms for hyper-parameter optimization, NIPS 2011; Optuna 4.9 \
               and 5.0; hyperopt 0.3",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[Trait::LearnsRanks],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "Optuna 4.9.0, Optuna 5.0.0, hyperopt 0.3.0",
        what: "weights, centres, deviations and log densities of the Parzen estimators \
               (tests/golden/samplers/make_parzen_golden.py)",
        result: "within 1e-10",
    },
    Comparison {
        with: "Optuna 4.9.0, Optuna 5.0.0, hyperopt 0.3.0",
        what: "500 next proposals a side from 20 fixed histories with running, failed, stopped and \
               NaN trials and a condition, a two-sample chi-squared test a coordinate \
               (make_tpe_golden.py)",
        result: "least Holm-adjusted p 1.0, 0.94 and 0.36 of 104, 134 and 119 tests; half the \
                 candidates, or another's variant, are told apart (p < 1e-10)",
    },
    Comparison {
        with: "Optuna 4.9.0",
        what: "trials to the goal of whole loops, 1,000 runs against 120, on digits-lenet (rank \
               13) and a synthetic table (rank 5) (whole_loop.py)",
        result: "P(sooner) 0.516 (95 % 0.461 to 0.572) and 0.473 (0.416 to 0.531); ratio of \
                 medians 0.89 (0.76 to 1.04) and 1.04 (0.91 to 1.20); random search has \
                 P(sooner) 0.232 and 0.142",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { variant, startup, candidates } = Parameters::read(arguments)?;
    let peer = match variant {
        Variant::Optuna4 => Peer::Optuna4,
        Variant::Optuna5 => Peer::Optuna5,
        Variant::Hyperopt => Peer::Hyperopt,
    };
    let mut shared = Shared::new(context.space, context.points, peer);
    if startup > 0 {
        shared.startup = startup;
    }
    shared.candidates = candidates;
    let shared = Arc::new(shared);
    Ok(Box::new(move |run| {
        Box::new(Tpe { model: Model::new(&shared), streams: Streams::new(run, "tpe") })
    }))
}

struct Tpe {
    model: Model,
    streams: Streams,
}

impl Sampler for Tpe {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        if !self.model.learn() {
            let row = view.first_free();
            return Proposal::Row(row.expect("the engine asks only while a row is free"));
        }
        // As many draws as the data demand: each decision has a stream of its own.
        let mut rng = self.streams.decision("candidates", ask.trial.0);
        Proposal::Point(self.model.propose(&mut rng))
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, _: Origin) {
        self.model.start(trial, view.trial(trial).config);
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.model.tell(view, trial);
    }
}

#[cfg(test)]
mod tests;
