//! Particle swarm optimisation with a global best.
//!
//! A particle has a place `x`, a velocity `v` and the best place `p` that it has seen; `g` is the
//! best of all. A move is
//! `v = w v + c1 r1 (p - x) + c2 r2 (g - x)`, `x = x + v`, with `r1`, `r2` uniform, a pair a
//! coordinate. A coordinate that leaves 0..1 is put on the border, and its velocity to 0.
//!
//! | `coefficients` | `w` | `c1 = c2` | |
//! |---|---|---|---|
//! | `constriction` | 0.72984 | 1.49618 | Clerc & Kennedy, IEEE TEVC 6, 2002 |
//! | `spso2007` | 1 / (2 ln 2) | 1/2 + ln 2 | Standard PSO 2007; its random neighbourhoods are not here |
//!
//! The swarm has `10 + floor(2 sqrt(D))` particles (SPSO 2007), places uniform in the cube,
//! velocities uniform in -1/2..1/2. The survey that names the method for CNNs (Soon et al. 2018)
//! gives no coefficients.
//!
//! **Tables.** `x` stays where it was moved to, with the score of the row that was nearest, so that
//! places and velocities belong together. There is a coordinate for each parameter in which rows
//! differ; a categorical one is its place in the list, an order that means nothing.
//!
//! **Several workers.** A particle moves on when it was told, by the `g` of then. The particles take
//! turns; where all of them are out, the rest wait. At one worker, `g` may change within a round.
//! Bests are replaced by strictly larger scores. What reports nothing is the worst. A later word of
//! a trial replaces what it said as the best of its particle, or is compared anew. Other trials are
//! not heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;
use rand::RngExt;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::uniform_open;
use crate::kit::genes::{Genes, ordered};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// inertia and attraction
        coefficients: Set { Constriction = "constriction", Spso2007 = "spso2007" } = "constriction",
        /// particles; 0: ten and twice the root of the number of parameters
        swarm: usize in 0..=100_000 = 0,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "pso",
    summary: "Particle swarm with a global best, by constriction or the weights of SPSO 2007.",
    citation: "Kennedy & Eberhart, Particle swarm optimization, ICNN 1995; Clerc & Kennedy 2002",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "pyswarms 1.3.0, GlobalBestPSO",
        what: "places and velocities over 30 generations of 8 particles in 4 dimensions with the \
               same uniform numbers, both sets of coefficients, without borders \
               (tests/golden/samplers/make_pso_golden.py)",
        result: "equal within 1e-12",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { coefficients, swarm } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    let open = genes.open();
    let swarm = if swarm == 0 { 10 + (4 * open.len()).isqrt() } else { swarm };
    Ok(Box::new(move |run| {
        Box::new(ParticleSwarm {
            weights: Weights::of(coefficients),
            count: swarm,
            genes: Arc::clone(&genes),
            open: open.clone(),
            stream: Streams::new(run, "pso").main(),
            swarm: Vec::new(),
            next: 0,
            leader: 0,
            owners: BTreeMap::new(),
        })
    }))
}

/// What a move multiplies with.
#[derive(Debug, Clone, Copy)]
struct Weights {
    inertia: f64,
    attraction: f64,
}

impl Weights {
    fn of(set: Set) -> Self {
        let ln_2 = std::f64::consts::LN_2;
        match set {
            Set::Constriction => Self { inertia: 0.729_84, attraction: 1.496_18 },
            Set::Spso2007 => Self { inertia: 0.5 / ln_2, attraction: 0.5 + ln_2 },
        }
    }
}

#[derive(Debug, Clone)]
struct Particle {
    place: Vec<f64>,
    velocity: Vec<f64>,
    best_place: Vec<f64>,
    best_score: f64,
    /// Who ran the best place.
    best_trial: Option<TrialId>,
    /// Who runs its place, until told.
    out: Option<TrialId>,
    /// Whether its first place has been run.
    has_begun: bool,
}

impl Particle {
    fn new(place: Vec<f64>, velocity: Vec<f64>) -> Self {
        Self {
            best_place: place.clone(),
            place,
            velocity,
            best_score: f64::NEG_INFINITY,
            best_trial: None,
            out: None,
            has_begun: false,
        }
    }

    fn random(width: usize, stream: &mut Stream) -> Self {
        let place = (0..width).map(|_| uniform_open(stream)).collect();
        let velocity = (0..width).map(|_| uniform_open(stream) - 0.5).collect();
        Self::new(place, velocity)
    }

    /// One move, borders aside. `draw` gives the pair of each coordinate.
    fn step(&mut self, leader: &[f64], weights: Weights, mut draw: impl FnMut(usize) -> [f64; 2]) {
        let Weights { inertia, attraction } = weights;
        for (at, leader) in leader.iter().enumerate() {
            let [own, common] = draw(at);
            let x = self.place[at];
            let velocity = inertia * self.velocity[at]
                + attraction * own * (self.best_place[at] - x)
                + attraction * common * (leader - x);
            self.velocity[at] = velocity;
            self.place[at] = x + velocity;
        }
    }

    /// Stops at the borders of the unit cube.
    fn confine(&mut self) {
        for (x, velocity) in self.place.iter_mut().zip(&mut self.velocity) {
            if !(0.0..=1.0).contains(x) {
                *x = x.clamp(0.0, 1.0);
                *velocity = 0.0;
            }
        }
    }

    /// A score of a place of its own. Whether that changed its best.
    fn hear(&mut self, trial: TrialId, place: &[f64], score: f64) -> bool {
        if self.best_trial == Some(trial) {
            let has_changed = self.best_score != score;
            self.best_score = score;
            return has_changed;
        }
        let is_better = score > self.best_score;
        if is_better {
            self.best_place = place.to_vec();
            self.best_score = score;
            self.best_trial = Some(trial);
        }
        is_better
    }
}

struct ParticleSwarm {
    weights: Weights,
    count: usize,
    genes: Arc<Genes>,
    open: Vec<usize>,
    stream: Stream,
    swarm: Vec<Particle>,
    /// Whose turn it is.
    next: usize,
    /// Who has the best place of all.
    leader: usize,
    /// Whose trial it was.
    owners: BTreeMap<TrialId, usize>,
}

impl ParticleSwarm {
    /// The next particle in turn that is not out.
    fn idle(&self) -> Option<usize> {
        let count = self.swarm.len();
        (0..count).map(|ahead| (self.next + ahead) % count).find(|at| self.swarm[*at].out.is_none())
    }

    /// Finds the leader again; the one there is stays, of equals.
    fn elect(&mut self) {
        for (at, particle) in self.swarm.iter().enumerate() {
            if particle.best_score > self.swarm[self.leader].best_score {
                self.leader = at;
            }
        }
    }
}

impl Sampler for ParticleSwarm {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        let may_grow = self.swarm.len() < self.count || self.open.is_empty();
        if may_grow || self.idle().is_some() { Fresh::Ready } else { Fresh::Wait }
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        if self.open.is_empty() {
            return Proposal::Point(self.genes.uniform(&mut self.stream));
        }
        let at = if self.swarm.len() < self.count {
            self.swarm.push(Particle::random(self.open.len(), &mut self.stream));
            self.swarm.len() - 1
        } else {
            self.idle().expect("`ready` has seen one")
        };
        self.next = (at + 1) % self.count;
        let leader = self.swarm[self.leader].best_place.clone();
        let particle = &mut self.swarm[at];
        if particle.has_begun {
            let stream = &mut self.stream;
            particle.step(&leader, self.weights, |_| [0; 2].map(|_: i32| stream.random::<f64>()));
            particle.confine();
        }
        particle.has_begun = true;
        particle.out = Some(ask.trial);
        self.owners.insert(ask.trial, at);
        let mut point = vec![0.5; self.genes.width()];
        for (at, x) in self.open.iter().zip(&particle.place) {
            point[*at] = *x;
        }
        Proposal::Point(point)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let Some(owner) = self.owners.get(&trial).copied() else { return };
        let told = view.trial(trial);
        let point = told.point.as_deref().expect("a particle proposed a point");
        let place: Vec<f64> = self.open.iter().map(|at| point[*at]).collect();
        let particle = &mut self.swarm[owner];
        if particle.out == Some(trial) {
            particle.out = None;
        }
        if particle.hear(trial, &place, ordered(told.reported)) {
            self.elect();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::harness::{Room, Session, check_everywhere, float};
    use super::*;
    use crate::interface::State;

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/pso.json");

    fn matrix(json: &Json) -> Vec<Vec<f64>> {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0));
        }
    }

    #[test]
    fn moves_are_those_of_pyswarms() {
        let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
        for (case, set) in golden.iter().zip([Set::Constriction, Set::Spso2007]) {
            let weights = Weights::of(set);
            let starts = matrix(&case["places"]).into_iter().zip(matrix(&case["velocities"]));
            let mut swarm: Vec<Particle> =
                starts.map(|(place, velocity)| Particle::new(place, velocity)).collect();
            let generations = case["generations"].as_array().unwrap();
            let (mut leader, mut least) = (Vec::new(), f64::INFINITY);
            for (generation, expected) in (0..).zip(generations) {
                for particle in &mut swarm {
                    let place = particle.place.clone();
                    let loss: f64 = place.iter().map(|x| (x - 0.3) * (x - 0.3)).sum();
                    particle.hear(TrialId(generation), &place, -loss);
                    if -particle.best_score < least {
                        least = -particle.best_score;
                        leader.clone_from(&particle.best_place);
                    }
                }
                let draws = [matrix(&expected["own"]), matrix(&expected["common"])];
                for (at, particle) in swarm.iter_mut().enumerate() {
                    particle.step(&leader, weights, |d| [draws[0][at][d], draws[1][at][d]]);
                    assert_close(&particle.velocity, &matrix(&expected["velocities"])[at]);
                    assert_close(&particle.place, &matrix(&expected["places"])[at]);
                }
            }
            assert_eq!(generations.len(), 30);
        }
    }

    #[test]
    fn borders_stop_a_particle() {
        let mut particle = Particle::new(vec![1.2, 0.5, -0.1], vec![0.3, 0.2, -0.4]);
        particle.confine();
        assert_eq!((particle.place, particle.velocity), (vec![1.0, 0.5, 0.0], vec![0.0, 0.2, 0.0]));
    }

    #[test]
    fn particles_move_when_told_and_the_rest_wait() {
        let room = Room::random(vec![float("a"), float("b")], 200, 1);
        let genes = Arc::new(Genes::new(&room.context()));
        let run = crate::interface::RunContext { seed: 7, repeat: 0, threads: 1 };
        let sampler = Box::new(ParticleSwarm {
            weights: Weights::of(Set::Constriction),
            count: 3,
            open: genes.open(),
            genes,
            stream: Streams::new(&run, "pso").main(),
            swarm: Vec::new(),
            next: 0,
            leader: 0,
            owners: BTreeMap::new(),
        });
        let mut session = Session::new(&room, sampler, 8);
        let first: Vec<TrialId> = (0..3).map(|_| session.start().unwrap()).collect();
        assert_eq!(session.start(), None);
        session.tell(first[1], 0.4, State::Paused);
        assert_eq!(session.sampler.leader, 1);
        let second = session.start().unwrap();
        assert_eq!((session.sampler.owners[&second], session.start()), (1, None));
        session.tell(first[0], 0.3, State::Completed);
        // The leader's own word is worse now: another leads.
        session.tell(first[1], 0.2, State::Completed);
        assert_eq!((session.sampler.leader, session.sampler.swarm[1].best_score), (0, 0.2));
        session.tell(second, f64::NAN, State::Failed);
        assert_eq!(session.sampler.swarm[1].best_trial, Some(first[1]));
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("pso");
        check_everywhere("pso:coefficients=spso2007,swarm=3");
    }
}
