//! `tpe-pool`: the free row at which the densities of TPE differ the most.
//!
//! TPE draws a few candidates from the density of the good trials and keeps the best of them. Where
//! the candidates are the rows of a table, all of them can be compared: the row with the largest
//! sum over its parameters of `ln l(x) - ln g(x)` is next (parameters that play no part in a row
//! add nothing). This is greedier than TPE, which never sees a place that it did not draw, and so
//! has a name of its own. Nothing is drawn: of equals the first in the repeat's order wins.
//!
//! Which trials are good, and what the densities are, is as in `tpe`; so is what happens to
//! trials that were stopped, have failed or run. The densities are those of one parameter each.

use std::sync::Arc;

use base::error::Result;
use base::units::{ConfigId, TrialId};

use super::model::{Model, Shared};
use super::split::Peer;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Origin, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::encoding::activity;
use crate::kit::rows::{Acquisition, FreeRows, RowSearch};
use crate::surrogates::parzen::Places;

parameters! {
    struct Parameters {
        /// whose densities: those of Optuna 4.9 or of hyperopt 0.3
        variant: Variant { Optuna4 = "optuna4", Hyperopt = "hyperopt" } = "optuna4",
        /// trials drawn at random first; 0 is the variant's own number (10 or 20)
        startup: usize in 0..=1_000_000 = 0,
    }
}

pub(in crate::samplers) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "tpe-pool",
    summary: "The free row with the largest ratio of TPE's densities: greedier than TPE.",
    citation: "curvebook, on the densities of Bergstra et al., Algorithms for hyper-parameter \
               optimization, NIPS 2011",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "its own definition",
        what: "the row chosen from 12 histories against the sum of log densities of the slow \
               estimators over every free row (samplers/tpe/tests.rs)",
        result: "the same row each time",
    }],
    traits: &[Trait::LearnsRanks],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { variant, startup } = Parameters::read(arguments)?;
    let peer = match variant {
        Variant::Optuna4 => Peer::Optuna4,
        Variant::Hyperopt => Peer::Hyperopt,
    };
    let mut shared = Shared::new(context.space, context.points, peer);
    if startup > 0 {
        shared.startup = startup;
    }
    let shared = Arc::new(shared);
    let rows = Arc::new(Rows::new(&shared, context.rows));
    Ok(Box::new(move |_| {
        Box::new(TpePool {
            shared: Arc::clone(&shared),
            rows: Arc::clone(&rows),
            model: Model::new(&shared),
            search: RowSearch::new(),
        })
    }))
}

/// The coordinates of a table's rows, each of them once.
pub(super) struct Rows {
    /// By parameter, ascending.
    distinct: Vec<Vec<f64>>,
    /// Row after row, the place of each coordinate; `None` where the parameter plays no part.
    places: Vec<Option<u32>>,
    count: u32,
}

impl Rows {
    pub(super) fn new(shared: &Shared, count: u32) -> Self {
        let width = shared.points.width;
        let rows = || (0..count).map(|row| shared.points.row(ConfigId(row)));
        let distinct: Vec<Vec<f64>> = (0..width)
            .map(|at| {
                let mut distinct: Vec<f64> = rows().map(|point| point[at]).collect();
                distinct.sort_unstable_by(f64::total_cmp);
                distinct.dedup();
                distinct
            })
            .collect();
        let places = rows().flat_map(|point| {
            let active = activity(&shared.space, point);
            let place = |(at, u): (usize, &f64)| {
                let place = distinct[at].partition_point(|known| known < u);
                active[at].then(|| u32::try_from(place).expect("rows are 32 bits"))
            };
            point.iter().enumerate().map(place).collect::<Vec<_>>()
        });
        let places = places.collect();
        Self { distinct, places, count }
    }

    /// The sum of the logarithms of each row's ratios.
    pub(super) fn scores(&self, shared: &Shared, model: &mut Model) -> Vec<f64> {
        let width = self.distinct.len();
        let mut scores = vec![0.0; self.count as usize];
        let (mut places, mut ratios) = (Places::default(), Vec::new());
        for at in (0..width).filter(|at| !shared.is_single(*at)) {
            ratios.clear();
            places.fill(self.distinct[at].iter().copied());
            model.log_ratios(at, &places, &mut ratios);
            let column = self.places[at..].iter().step_by(width);
            for (score, place) in scores.iter_mut().zip(column) {
                *score += place.map_or(0.0, |place| ratios[place as usize]);
            }
        }
        scores
    }
}

struct Scores(Vec<f64>);

impl Acquisition for Scores {
    fn score(&self, row: u32) -> f64 {
        self.0[row as usize]
    }
}

struct TpePool {
    shared: Arc<Shared>,
    rows: Arc<Rows>,
    model: Model,
    search: RowSearch,
}

impl Sampler for TpePool {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let row = if self.model.learn() {
            let scores = Scores(self.rows.scores(&self.shared, &mut self.model));
            let free = FreeRows::new(view, self.rows.count as usize);
            self.search.best(&free, &scores, 1).map(ConfigId)
        } else {
            view.first_free()
        };
        Proposal::Row(row.expect("the engine asks only while a row is free"))
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, _: Origin) {
        self.model.start(trial, view.trial(trial).config);
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.model.tell(view, trial);
    }
}
