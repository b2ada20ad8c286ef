//! RF-EI: expected improvement under a random forest, over the rows not yet taken. This is
//! Spearmint's `RandomForestEIChooser`, the "SMAC" of Choi et al. 2018.
//!
//! 1. Fewer than 2 observations: the first free row in the repeat's order.
//! 2. Bagged regression trees (50) on the losses observed so far, all features at every split,
//!    grown to purity.
//! 3. For each free row the mean `m` of the trees' predictions and their variance `v` (ddof = 1).
//! 4. `sigma = sqrt(v) + 1e-4`, `u = (best - m) / sigma` with the lowest observed loss `best`;
//!    the row with the largest `EI = sigma (u Phi(u) + phi(u))` is next. There is no xi, no
//!    random interleaving and no initial design. Predictions are piecewise constant and EI
//!    underflows to exactly 0, so equals are common: the first in the repeat's order wins.
//!
//! What a trial reports is its observation, however it ended; where it reports nothing (NaN),
//! there is none, and the row stays taken. Running rows are not free and otherwise ignored, so
//! several workers simply ask several times.
//!
//! **Coordinates** are those of the unit cube. `categorical=one-hot` gives each choice a column of
//! 0 and 1, as the same laboratory's later code does; `index` gives a categorical parameter the one
//! coordinate that Spearmint of 2012 did. An inactive parameter stands at 0.5, its choice there.
//! Columns of one value are dropped.
//!
//! **Bootstraps.** `bootstrap=fresh` draws all of them anew for each decision, as Spearmint does.
//! `nested` lets each grow by the new observation (see [`Forest::extend`]): every decision is
//! taken on exact bootstraps either way, but forests that follow each other are correlated, so
//! that a run re-rolls its luck less often. `tests/it/rf_ei.rs` compares both with a plain
//! scikit-learn loop at alpha = 0.01 and finds no difference in trials to the goal. Nor did 3,000
//! runs of each against each other on its first two tables (Kolmogorov-Smirnov p 0.56 and 0.07,
//! Mann-Whitney p 0.93 and 0.10), with 95 % intervals of the ratio of medians to scikit-learn's
//! within 0.92 to 1.08.
//!
//! # Cost
//!
//! Expected, for 50 trees, 20,000 rows, 200 observations, 9 features: a fresh fit sorts
//! 50 x 20,000 rows down 10 levels, 10^7 steps of 1 to 2 ns, and scans 50 x 126 x 9 x 10 = 6 x 10^5
//! entries. Nested, 1.4 paths a tree are scanned anew, 50 x 400 x 9 = 2 x 10^5 entries, and
//! about one subtree of 45 observations a tree is regrown or shifted.
//! Measured on two busy cores of an AMD EPYC, one thread, medians (least): nested 4.0 ms (3.2),
//! fresh 22 ms (18), a scikit-learn loop in the same hour 149 ms (144); with 2,000 rows 1.8 ms
//! (1.4), 5.0 ms (4.4) and 110 ms (98). `benches/rf_ei.rs` repeats it. One decision runs on one
//! thread: runs already share the threads.

use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Value};
use base::units::{ConfigId, TrialId};

use crate::interface::{
    Arguments, Ask, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait, View,
    parameters,
};
use crate::surrogates::columns::Columns;
use crate::surrogates::expected_improvement::Bounds;
use crate::surrogates::forest::{Forest, Observation};
use crate::surrogates::search::Search;

/// Observations that the first forest needs.
const OBSERVATIONS_MIN: usize = 2;

parameters! {
    struct Parameters {
        /// trees of the forest
        trees: usize in 2..=1000 = 50,
        /// a column for each choice, or one column of their order (Spearmint of 2012)
        categorical: Categorical { OneHot = "one-hot", Index = "index" } = "one-hot",
        /// samples that grow by the new observation, or new ones for each decision
        bootstrap: Bootstrap { Nested = "nested", Fresh = "fresh" } = "nested",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "rf-ei",
    summary: "Expected improvement under a forest of bagged regression trees.",
    citation: "Spearmint's RandomForestEIChooser (Snoek et al. 2012), as used by Choi, Cho & Rhee, \
               On the difficulty of DNN hyperparameter optimization, 2018",
    parameters: Parameters::SPECS,
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { trees, categorical, bootstrap } = Parameters::read(arguments)?;
    let is_fresh = bootstrap == Bootstrap::Fresh;
    let features = features(context, categorical == Categorical::OneHot);
    let columns = Arc::new(Columns::new(&features));
    let bounds = Arc::new(Bounds::new());
    Ok(Box::new(move |run| {
        Box::new(RfEi {
            trees,
            threads: run.threads,
            is_fresh,
            columns: Arc::clone(&columns),
            stream: run.stream("rf-ei"),
            told: Vec::new(),
            is_told: Vec::new(),
            is_known: Vec::new(),
            known: Vec::new(),
            forest: None,
            search: Search::new(Arc::clone(&bounds)),
        })
    }))
}

/// The columns that trees divide: one slice a feature.
fn features(context: &Context<'_>, one_hot: bool) -> Vec<Vec<f64>> {
    let points = context.points;
    let mut features = Vec::new();
    for (at, parameter) in context.space.parameters.iter().enumerate() {
        let column: Vec<f64> = (0..context.rows).map(|row| points.row(ConfigId(row))[at]).collect();
        match &parameter.domain {
            Domain::Categorical { choices } if one_hot => {
                features.extend((0..choices.len()).map(|choice| {
                    let is_choice = |u: &f64| parameter.from_unit(*u) == Value::Choice(choice);
                    column.iter().map(|u| f64::from(u8::from(is_choice(u)))).collect()
                }));
            }
            _ => features.push(column),
        }
    }
    features
}

struct RfEi {
    trees: usize,
    threads: usize,
    is_fresh: bool,
    columns: Arc<Columns>,
    stream: Stream,
    /// Every trial that has ended a segment, in the order of their first ends.
    told: Vec<TrialId>,
    /// By trial: whether it stands in `told`, and in `known`.
    is_told: Vec<bool>,
    is_known: Vec<bool>,
    /// What the forest has seen, in its order.
    known: Vec<(TrialId, Observation)>,
    forest: Option<Forest>,
    search: Search,
}

impl RfEi {
    /// Brings the forest up to date with what trials report by now.
    fn learn(&mut self, view: &View<'_>) {
        let observe = |trial: TrialId| {
            let trial = view.trial(trial);
            // Loss is minimised, scores are maximised.
            let observation = Observation { row: trial.config.0, target: -trial.reported };
            observation.target.is_finite().then_some(observation)
        };
        self.is_known.resize(view.trials().len(), false);
        let count = self.known.len();
        self.known.retain(|(trial, _)| {
            self.is_known[trial.index()] = observe(*trial).is_some();
            self.is_known[trial.index()]
        });
        let has_lost = self.known.len() < count;
        let mut is_revised = false;
        for (trial, known) in &mut self.known {
            let now = observe(*trial).expect("those without were dropped");
            is_revised |= now != *known;
            *known = now;
        }
        let old = self.known.len();
        for &trial in &self.told {
            if self.is_known[trial.index()] {
                continue;
            }
            if let Some(observation) = observe(trial) {
                self.known.push((trial, observation));
                self.is_known[trial.index()] = true;
            }
        }
        self.fit(old, has_lost, is_revised);
    }

    /// The first `old` observations are those that the forest has seen, unless it has lost some.
    fn fit(&mut self, old: usize, has_lost: bool, is_revised: bool) {
        if self.known.len() < OBSERVATIONS_MIN {
            self.forest = None;
            return;
        }
        let Self { known, stream, .. } = self;
        match &mut self.forest {
            Some(forest) if !self.is_fresh && !has_lost => {
                if is_revised {
                    let losses: Vec<f64> = known[..old].iter().map(|(_, o)| o.target).collect();
                    forest.revise(&losses);
                }
                known[old..].iter().for_each(|(_, new)| forest.extend(*new, stream));
            }
            forest => {
                let all: Vec<Observation> = known.iter().map(|(_, o)| *o).collect();
                let (trees, threads) = (self.trees, self.threads);
                let columns = &self.columns;
                let forest = forest
                    .get_or_insert_with(|| Forest::shared(Arc::clone(columns), trees, 2, threads));
                forest.fit(&all, stream);
            }
        }
    }
}

impl Sampler for RfEi {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        self.learn(view);
        let row = match &self.forest {
            None => view.first_free(),
            Some(forest) => {
                let is_free = |row| view.is_free(ConfigId(row));
                let position = |row| view.order_position(ConfigId(row));
                self.search.best(forest, is_free, position).map(ConfigId)
            }
        };
        Proposal::Row(row.expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.is_told.resize(view.trials().len(), false);
        if !std::mem::replace(&mut self.is_told[trial.index()], true) {
            self.told.push(trial);
        }
    }
}
