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
//! coordinate that Spearmint of 2012 did. See [`encoding`](crate::kit::encoding) for inactive
//! parameters and columns of one value.
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
use base::units::{ConfigId, TrialId};

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::encoding::{Categorical, Encoded, Ranks};
use crate::kit::history::{Changes, History, Telling};
use crate::kit::rows::{FreeRows, RowSearch};
use crate::kit::streams::Streams;
use crate::surrogates::expected_improvement::Bounds;
use crate::surrogates::forest::{Forest, Observation};
use crate::surrogates::forest_improvement::ForestImprovement;

/// Observations that the first forest needs.
const OBSERVATIONS_MIN: usize = 2;

parameters! {
    struct Parameters {
        /// trees of the forest
        trees: usize in 2..=1000 = 50,
        /// a column for each choice, or one column of their order (Spearmint of 2012)
        categorical: Columns { OneHot = "one-hot", Index = "index" } = "one-hot",
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
    compared: &[Comparison {
        with: "scikit-learn 1.9.1",
        what: "the moments of its forests; a whole loop on three tables (tests/it/rf_ei.rs)",
        result: "not told apart; medians within a tenth on two of them",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { trees, categorical, bootstrap } = Parameters::read(arguments)?;
    let is_fresh = bootstrap == Bootstrap::Fresh;
    let categorical = match categorical {
        Columns::OneHot => Categorical::OneHot,
        Columns::Index => Categorical::Index,
    };
    let encoded = Encoded::new(context.space, context.points, context.rows, categorical);
    let ranks = Arc::new(encoded.ranks());
    let bounds = Arc::new(Bounds::new());
    Ok(Box::new(move |run| {
        Box::new(RfEi {
            trees,
            threads: run.threads,
            is_fresh,
            ranks: Arc::clone(&ranks),
            bounds: Arc::clone(&bounds),
            stream: Streams::new(run, "rf-ei").main(),
            history: History::new(),
            forest: None,
            search: RowSearch::new(),
        })
    }))
}

struct RfEi {
    trees: usize,
    threads: usize,
    is_fresh: bool,
    ranks: Arc<Ranks>,
    bounds: Arc<Bounds>,
    stream: Stream,
    history: History,
    forest: Option<Forest>,
    search: RowSearch,
}

/// Loss is minimised, scores are maximised.
fn observation(telling: &Telling) -> Observation {
    Observation { row: telling.row.0, target: -telling.score }
}

impl RfEi {
    /// Brings the forest up to date with what trials report by now.
    fn learn(&mut self) {
        let Changes { kept, has_lost, is_revised } = self.history.catch_up();
        let Self { history, stream, trees, threads, ranks, .. } = self;
        let known = history.observations();
        if known.len() < OBSERVATIONS_MIN {
            self.forest = None;
            return;
        }
        match &mut self.forest {
            Some(forest) if !self.is_fresh && !has_lost => {
                if is_revised {
                    let losses: Vec<f64> = known[..kept].iter().map(|t| -t.score).collect();
                    forest.revise(&losses);
                }
                known[kept..].iter().for_each(|new| forest.extend(observation(new), stream));
            }
            forest => {
                let all: Vec<Observation> = known.iter().map(observation).collect();
                let forest = forest
                    .get_or_insert_with(|| Forest::shared(Arc::clone(ranks), *trees, 2, *threads));
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
        self.learn();
        let row = match &self.forest {
            None => view.first_free(),
            Some(forest) => {
                let improvement = ForestImprovement::new(forest, &self.bounds);
                let rows = FreeRows::new(view, self.ranks.rows());
                self.search.best_bounded(&rows, &improvement).map(ConfigId)
            }
        };
        Proposal::Row(row.expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.history.tell(view, trial);
    }
}
