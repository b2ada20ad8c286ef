//! CMA-ES, covariance matrix adaptation, as the package `cmaes` computes it and Optuna's
//! `CmaEsSampler` uses it.
//!
//! The first `startup` trials are uniform. Then each generation has `4 + floor(3 ln D)` points of
//! `N(m, sigma^2 C)`, which begins in the middle of the unit cube with `sigma = 1/6` and `C = 1`. A
//! point outside of the cube is drawn again, at most `10 D` times, and then put on the border. Once
//! a generation has been told, the distribution moves and changes by ranks (ties in the order of
//! telling) with the weights, negative ones included, and rates of Hansen's tutorial
//! (arXiv:1604.00772, 2016).
//!
//! **Parameters.** `D` counts the numeric parameters in which rows differ. Categorical ones are
//! drawn uniformly and apart, as Optuna does; a space without numeric parameters is random search.
//!
//! **Tables.** The distribution is told the *proposed* point with the score of the row that was
//! nearest: its arithmetic holds for points that it drew. What the rows make of it is in the
//! distances of the trace. Where rounding leaves nothing of the distribution (its widest axis below
//! 1e-12, or a number that is not finite), it begins anew in the middle.
//!
//! **Several workers.** Nobody waits: while a generation lacks trials that were told, more of its
//! points are drawn, as Optuna does. The first that are told count; those of a generation that is
//! over do not. A later word of a trial counts while its generation lasts. What reports nothing is
//! the worst. Optuna knows completed trials alone; here stopped and failed ones count with what they
//! reported. Trials of a warm start or of a scheduler are not heard, but count as startup.

mod distribution;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::Domain;
use base::units::TrialId;

use self::distribution::{Distribution, members_of};
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::normal;
use crate::kit::genes::{Genes, ordered};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// uniform trials before the first generation
        startup: u32 in 0.. = 1,
        /// points of a generation; 0: four and three times the logarithm of the dimensions
        population: usize in 0..=10_000 = 0,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "cma-es",
    summary: "Covariance matrix adaptation on the numeric parameters; choices are drawn apart.",
    citation: "Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772, 2016",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "cmaes 0.13.1, CMA",
        what: "points, mean, step size and covariance over 40 generations of four functions in 1, \
               2, 5 and 9 dimensions with the same normal numbers, nothing snapped \
               (tests/golden/samplers/make_cma_es_golden.py)",
        result: "equal within 1e-9, relative",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

/// The first step size, as a share of each range.
const SIGMA: f64 = 1.0 / 6.0;

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { startup, population } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    let is_numeric =
        |at: &usize| !matches!(context.space.parameters[*at].domain, Domain::Categorical { .. });
    let numeric: Vec<usize> = genes.open().into_iter().filter(is_numeric).collect();
    let members =
        if population == 0 { members_of(numeric.len().max(1)) } else { population.max(2) };
    Ok(Box::new(move |run| {
        Box::new(CmaEs {
            startup,
            members,
            genes: Arc::clone(&genes),
            numeric: numeric.clone(),
            streams: Streams::new(run, "cma-es"),
            distribution: None,
            generation: 0,
            born: BTreeMap::new(),
            told: Vec::new(),
            proposals: 0,
        })
    }))
}

/// A point of the running generation that was told.
#[derive(Debug, Clone)]
struct Told {
    trial: TrialId,
    point: Vec<f64>,
    loss: f64,
}

struct CmaEs {
    startup: u32,
    members: usize,
    genes: Arc<Genes>,
    numeric: Vec<usize>,
    streams: Streams,
    distribution: Option<Distribution>,
    /// Generations begun, those of earlier distributions included.
    generation: u32,
    /// The generation of a trial that a distribution drew.
    born: BTreeMap<TrialId, u32>,
    told: Vec<Told>,
    proposals: u32,
}

impl CmaEs {
    /// Draws a point of the distribution in the cube.
    fn draw(distribution: &Distribution, width: usize, stream: &mut Stream) -> Vec<f64> {
        let sample = |stream: &mut Stream| {
            let normals: Vec<f64> = (0..width).map(|_| normal(stream)).collect();
            distribution.point(&normals)
        };
        for _ in 0..10 * width {
            let point = sample(stream);
            if point.iter().all(|x| (0.0..=1.0).contains(x)) {
                return point;
            }
        }
        sample(stream).into_iter().map(|x| x.clamp(0.0, 1.0)).collect()
    }

    /// Closes the generation where it is complete.
    fn advance(&mut self) {
        let Some(distribution) = &mut self.distribution else { return };
        if self.told.len() < distribution.members() {
            return;
        }
        let mut told = std::mem::take(&mut self.told);
        told.truncate(distribution.members());
        told.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        let ranked: Vec<Vec<f64>> = told.into_iter().map(|one| one.point).collect();
        if !distribution.update(&ranked) {
            self.distribution = None;
        }
        self.generation += 1;
    }
}

impl Sampler for CmaEs {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        self.advance();
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        let mut stream = self.streams.decision("point", self.proposals);
        self.proposals += 1;
        let mut whole = self.genes.uniform(&mut stream);
        let width = self.numeric.len();
        let started = u32::try_from(view.trials().len()).expect("trials are 32 bits");
        if width == 0 || started < self.startup {
            return Proposal::Point(whole);
        }
        let members = self.members;
        let begin = || Distribution::new(vec![0.5; width], SIGMA, members);
        let distribution = self.distribution.get_or_insert_with(begin);
        let point = Self::draw(distribution, width, &mut stream);
        for (at, x) in self.numeric.iter().zip(point) {
            whole[*at] = x;
        }
        self.born.insert(ask.trial, self.generation);
        Proposal::Point(whole)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        if self.born.get(&trial) != Some(&self.generation) {
            return;
        }
        let now = view.trial(trial);
        let loss = -ordered(now.reported);
        if let Some(earlier) = self.told.iter_mut().find(|told| told.trial == trial) {
            earlier.loss = loss;
            return;
        }
        let whole = now.point.as_deref().expect("a point was proposed");
        let point = self.numeric.iter().map(|at| whole[*at]).collect();
        self.told.push(Told { trial, point, loss });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::harness::{Room, Session, check_everywhere, choices, float};
    use super::*;
    use crate::interface::{RunContext, State};

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/cma_es.json");

    fn numbers(json: &Json) -> Vec<f64> {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn assert_close(place: &str, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let scale = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-9 * scale, "{place}: {found}, not {expected}");
        }
    }

    /// Those of `make_cma_es_golden.py`.
    fn loss(function: &str, x: &[f64]) -> f64 {
        let weighted = |power: f64| {
            let terms = x.iter().zip(0_u32..);
            terms.map(|(x, at)| libm::pow(power, f64::from(at)) * (x - 0.3) * (x - 0.3)).sum()
        };
        match function {
            "sphere" => weighted(1.0),
            "ellipsoid" => weighted(4.0),
            "rosenbrock" => {
                let pair = |p: &[f64]| {
                    let bend = p[1] - p[0] * p[0];
                    100.0 * bend * bend + (1.0 - p[0]) * (1.0 - p[0])
                };
                x.windows(2).map(pair).sum()
            }
            "steps" => x.iter().map(|x| (4.0 * x).floor()).sum(),
            _ => unreachable!("{function}"),
        }
    }

    #[test]
    fn generations_are_those_of_cmaes() {
        let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
        for case in &golden {
            let function = case["function"].as_str().unwrap();
            let width = usize::try_from(case["dimensions"].as_u64().unwrap()).unwrap();
            let mut found = Distribution::new(vec![0.5; width], SIGMA, members_of(width));
            let normals = numbers(&case["normals"]);
            let mut normals = normals.chunks(width);
            for expected in case["generations"].as_array().unwrap() {
                let place = format!("{function} {}", found.generation);
                let mut points: Vec<Vec<f64>> =
                    (0..found.members()).map(|_| found.point(normals.next().unwrap())).collect();
                assert_close(&place, &points[0], &numbers(&expected["first_point"]));
                points.sort_by(|a, b| loss(function, a).total_cmp(&loss(function, b)));
                assert!(found.update(&points), "{place}");
                assert_close(&place, found.mean.as_slice(), &numbers(&expected["mean"]));
                assert_close(&place, &[found.sigma], &[expected["sigma"].as_f64().unwrap()]);
                let diagonal: Vec<f64> = (0..width).map(|at| found.covariance[(at, at)]).collect();
                assert_close(&place, &diagonal, &numbers(&expected["diagonal"]));
            }
            assert_eq!(found.generation, 40);
        }
        assert_eq!(golden.len(), 4);
    }

    fn sampler(room: &Room, startup: u32) -> CmaEs {
        let genes = Arc::new(Genes::new(&room.context()));
        CmaEs {
            startup,
            members: 4,
            numeric: vec![0, 1],
            genes,
            streams: Streams::new(&RunContext { seed: 7, repeat: 0, threads: 1 }, "cma-es"),
            distribution: None,
            generation: 0,
            born: BTreeMap::new(),
            told: Vec::new(),
            proposals: 0,
        }
    }

    #[test]
    fn the_first_told_of_a_generation_count_and_late_ones_do_not() {
        let room = Room::random(vec![float("a"), float("b"), choices("c", 3)], 200, 1);
        let mut session = Session::new(&room, Box::new(sampler(&room, 1)), 8);
        let trials: Vec<TrialId> = (0..7).map(|_| session.start().unwrap()).collect();
        session.tell(trials[0], 0.9, State::Completed);
        assert!(session.sampler.told.is_empty(), "a random start");
        for (trial, score) in trials[1..5].iter().zip([0.1, f64::NAN, 0.3, 0.2]) {
            session.tell(*trial, score, State::Paused);
        }
        session.tell(trials[1], 0.25, State::Completed);
        assert_eq!(session.sampler.told.len(), 4);
        let next = session.start().unwrap();
        assert_eq!((session.sampler.generation, session.sampler.told.len()), (1, 0));
        session.tell(trials[5], 0.8, State::Completed);
        session.tell(trials[1], 0.7, State::Completed);
        assert!(session.sampler.told.is_empty(), "their generation is over");
        session.tell(next, 0.5, State::Stopped);
        assert_eq!(session.sampler.told.len(), 1);
        let mean = &session.sampler.distribution.as_ref().unwrap().mean;
        assert_ne!(mean.as_slice(), [0.5, 0.5]);
    }

    #[test]
    fn a_distribution_of_nothing_begins_anew() {
        let mut found = Distribution::new(vec![0.5, 0.5], SIGMA, 6);
        let still: Vec<Vec<f64>> = vec![vec![0.5, 0.5]; 6];
        let shrinks = (0..2_000).take_while(|_| found.update(&still)).count();
        assert!(shrinks < 1_000, "{}", found.sigma);
        let nan = vec![vec![f64::NAN; 2]; 6];
        assert!(!Distribution::new(vec![0.5, 0.5], SIGMA, 6).update(&nan));
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("cma-es");
        check_everywhere("cma-es:startup=5,population=2");
    }
}
