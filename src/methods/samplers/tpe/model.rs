//! The two densities of a run, and the candidates that are drawn from one of them.

use std::sync::Arc;

use base::rng::Stream;
use base::space::Space;
use base::units::{ConfigId, TrialId};
use rand::RngExt;

use super::split::{Peer, Split};
use crate::interface::{Points, View};
use crate::kit::encoding::{activity, has_one_value};
use crate::kit::rows::first_argmax;
use crate::surrogates::parzen::{
    Axis, Bins, Columns, Joint, Mixture, Places, Rule, Scale, forgetting_weights,
};

/// What does not change in a run: shared by all runs on a table.
#[derive(Debug)]
pub(super) struct Shared {
    pub space: Space,
    pub points: Arc<Points>,
    pub peer: Peer,
    /// Trials before the first that is chosen.
    pub startup: usize,
    pub candidates: usize,
    /// Of a parameter with equal bins, where there are tables of so many.
    bins: Vec<Option<Arc<Bins>>>,
}

impl Shared {
    pub(super) fn new(space: &Space, points: &Arc<Points>, peer: Peer) -> Self {
        let mut known: Vec<(f64, Option<Arc<Bins>>)> = Vec::new();
        let mut bins_of = |scale: Scale| {
            let Scale::Even { count } = scale else { return None };
            if let Some((_, bins)) = known.iter().find(|(of, _)| *of == count) {
                return bins.clone();
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of values"
            )]
            let bins = Bins::new(count as usize).map(Arc::new);
            known.push((count, bins.clone()));
            bins
        };
        let bins = space.parameters.iter().map(|p| bins_of(Scale::of(p))).collect();
        Self {
            space: space.clone(),
            points: Arc::clone(points),
            peer,
            startup: if peer == Peer::Hyperopt { 20 } else { 10 },
            candidates: 24,
            bins,
        }
    }

    /// Whether a parameter has but one value.
    pub(super) fn is_single(&self, parameter: usize) -> bool {
        has_one_value(&self.space.parameters[parameter].domain)
    }

    fn rule(&self) -> Rule {
        if self.peer == Peer::Hyperopt { Rule::Hyperopt } else { Rule::Optuna }
    }
}

/// One of the two densities.
#[derive(Debug, Clone, Default)]
struct Side {
    is_fitted: bool,
    trials: Vec<u32>,
    /// By trial, 0 of those on the other side.
    weights: Vec<f64>,
    /// By parameter.
    mixtures: Vec<Mixture>,
    joint: Joint,
}

impl Side {
    /// Takes the trials of this side; false where they are those that it has.
    fn take(&mut self, trials: Vec<u32>, all: usize) -> bool {
        self.weights.resize(all, 0.0);
        if self.is_fitted && trials == self.trials {
            return false;
        }
        weigh(&trials, &mut self.weights);
        (self.trials, self.is_fitted) = (trials, true);
        true
    }
}

impl Side {
    /// Fits the mixture of one parameter.
    fn fit_one(&mut self, at: usize, axis: &mut Axis, rule: Rule) {
        let has_it = |trial: &u32| axis.coordinate(*trial).is_some();
        if self.trials.iter().all(has_it) {
            self.mixtures[at].fit(axis, rule, &self.weights);
            return;
        }
        // A trial without the parameter has no age among those that have it.
        let with: Vec<u32> = self.trials.iter().copied().filter(has_it).collect();
        let mut weights = vec![0.0; self.weights.len()];
        weigh(&with, &mut weights);
        self.mixtures[at].fit(axis, rule, &weights);
    }
}

/// The weights of some trials, the oldest first.
fn weigh(trials: &[u32], weights: &mut [f64]) {
    weights.fill(0.0);
    for (trial, weight) in trials.iter().zip(forgetting_weights(trials.len())) {
        weights[*trial as usize] = weight;
    }
}

/// Candidates of one parameter, in the order of their coordinates, and where each one went.
#[derive(Debug, Clone, Default)]
struct Candidates {
    drawn: Vec<(f64, usize)>,
    places: Places,
    place_of: Vec<usize>,
    below: Vec<f64>,
    above: Vec<f64>,
}

/// The densities of a run by now.
#[derive(Debug, Clone)]
pub(super) struct Model {
    shared: Arc<Shared>,
    split: Split,
    axes: Vec<Axis>,
    below: Side,
    above: Side,
    candidates: Candidates,
    columns: Columns,
    /// Parameters drawn together, by place.
    joint: Vec<usize>,
}

impl Model {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let parameters = shared.space.parameters.iter().zip(&shared.bins);
        let axes: Vec<Axis> =
            parameters.map(|(p, bins)| Axis::new(Scale::of(p), bins.clone())).collect();
        let side = Side { mixtures: vec![Mixture::default(); axes.len()], ..Side::default() };
        Self {
            shared: Arc::clone(shared),
            split: Split::new(shared.peer),
            axes,
            below: side.clone(),
            above: side,
            candidates: Candidates::default(),
            columns: Columns::default(),
            joint: Vec::new(),
        }
    }

    /// A trial has started.
    pub(super) fn start(&mut self, trial: TrialId, row: ConfigId) {
        self.split.start(trial);
        let Shared { space, points, .. } = &*self.shared;
        let point = points.row(row);
        let has_conditions = space.parameters.iter().any(|p| p.condition.is_some());
        let active = has_conditions.then(|| activity(space, point));
        for (at, (axis, u)) in self.axes.iter_mut().zip(point).enumerate() {
            let plays = active.as_ref().is_none_or(|active| active[at]);
            axis.observe(plays.then_some(*u));
        }
    }

    /// A segment of it has ended.
    pub(super) fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.split.tell(view, trial);
    }

    /// Brings the densities up to date; false while there are too few trials for them.
    pub(super) fn learn(&mut self) -> bool {
        if self.split.count() < self.shared.startup {
            return false;
        }
        let Self { shared, split, axes, below, above, joint, .. } = self;
        let all = split.known();
        let (good, others) = split.sides();
        let mut together = Vec::new();
        if shared.peer == Peer::Optuna5 {
            let told = split.ranking();
            let everywhere = |axis: &Axis| told.iter().all(|t| axis.coordinate(*t).is_some());
            let kept =
                (0..axes.len()).filter(|at| !shared.is_single(*at) && everywhere(&axes[*at]));
            together.extend(kept);
        }
        let is_regrouped = together != *joint;
        *joint = together;
        for (side, trials) in [(below, good), (above, others)] {
            let is_new = side.take(trials, all);
            if !is_new && !is_regrouped {
                continue;
            }
            for (at, axis) in axes.iter_mut().enumerate() {
                if !joint.contains(&at) && !shared.is_single(at) {
                    side.fit_one(at, axis, shared.rule());
                }
            }
            if !joint.is_empty() {
                let has_all =
                    |trial: &u32| joint.iter().all(|at| axes[*at].coordinate(*trial).is_some());
                let with: Vec<u32> = side.trials.iter().copied().filter(has_all).collect();
                let mut weights = vec![0.0; all];
                weigh(&with, &mut weights);
                side.joint.fit(&mut chosen(axes, joint), &weights);
            }
        }
        true
    }

    /// The next point.
    pub(super) fn propose(&mut self, rng: &mut Stream) -> Vec<f64> {
        let shared = Arc::clone(&self.shared);
        let parameters = &shared.space.parameters;
        let mut point = vec![0.5; parameters.len()];
        self.propose_joint(rng, &mut point);
        for (at, parameter) in parameters.iter().enumerate() {
            let plays = parameter.condition.is_none() || activity(&shared.space, &point)[at];
            if !plays {
                point[at] = 0.5;
            } else if !shared.is_single(at) && !self.joint.contains(&at) {
                point[at] = self.propose_one(rng, at);
            }
        }
        point
    }

    /// The candidate of one parameter whose densities' ratio is the largest.
    fn propose_one(&mut self, rng: &mut Stream, at: usize) -> f64 {
        let Self { shared, axes, below, above, candidates, .. } = self;
        let axis = &axes[at];
        let (below, above) = (&below.mixtures[at], &above.mixtures[at]);
        let Candidates { drawn, places, place_of, .. } = candidates;
        drawn.clear();
        drawn.extend((0..shared.candidates).map(|i| (below.draw(axis, rng.random()), i)));
        drawn.sort_unstable_by(|a, b| a.partial_cmp(b).expect("coordinates are numbers"));
        place_of.clear();
        place_of.resize(drawn.len(), 0);
        let mut last = 0;
        for pair in 1..drawn.len() {
            last += usize::from(drawn[pair].0 != drawn[pair - 1].0);
            place_of[drawn[pair].1] = last;
        }
        let mut before = f64::NAN;
        places.fill(drawn.iter().map(|(u, _)| *u).filter(|u| {
            let is_new = *u != before;
            before = *u;
            is_new
        }));
        below.densities(axis, places, &mut candidates.below);
        above.densities(axis, places, &mut candidates.above);
        let ratio = |place: &usize| candidates.below[*place] / candidates.above[*place];
        let best = first_argmax(place_of.iter().map(ratio)).expect("there are candidates");
        places.coordinates()[place_of[best]]
    }

    /// The candidate of several parameters at once.
    fn propose_joint(&mut self, rng: &mut Stream, point: &mut [f64]) {
        let Self { shared, axes, below, above, candidates, columns, joint, .. } = self;
        if joint.is_empty() {
            return;
        }
        columns.reset(shared.candidates, joint.len());
        let axes = chosen(axes, joint);
        for candidate in 0..shared.candidates {
            below.joint.draw(&axes, rng, |at, u| columns.set(candidate, at, u));
        }
        below.joint.relative_densities(&axes, columns, &mut candidates.below);
        above.joint.relative_densities(&axes, columns, &mut candidates.above);
        let ratios = candidates.below.iter().zip(&candidates.above).map(|(b, a)| b / a);
        let best = first_argmax(ratios.take(shared.candidates)).expect("there are candidates");
        for (place, at) in joint.iter().enumerate() {
            point[*at] = columns.get(best, place);
        }
    }

    /// The logarithms of the ratio of the densities of one parameter at some places, in order.
    pub(super) fn log_ratios(&mut self, at: usize, places: &Places, found: &mut Vec<f64>) {
        let Self { axes, below, above, candidates, .. } = self;
        below.mixtures[at].densities(&axes[at], places, &mut candidates.below);
        above.mixtures[at].densities(&axes[at], places, &mut candidates.above);
        let both = candidates.below.iter().zip(&candidates.above);
        found.extend(both.map(|(b, a)| libm::log(b / a)).take(places.coordinates().len()));
    }

    /// The trials of either side, the good ones first.
    #[cfg(test)]
    pub(super) fn sides(&self) -> (Vec<u32>, Vec<u32>) {
        self.split.sides()
    }
}

/// Some of the axes, which ascend.
fn chosen<'a>(axes: &'a mut [Axis], joint: &[usize]) -> Vec<&'a mut Axis> {
    let all = axes.iter_mut().enumerate();
    all.filter(|(at, _)| joint.contains(at)).map(|(_, axis)| axis).collect()
}
