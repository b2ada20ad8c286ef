//! Nelder & Mead's simplex (Computer Journal 7, 1965), which Ozaki, Yano & Onishi 2017 found best
//! of their set for CNNs.
//!
//! `D + 1` vertices, the best first, ties in the order of age; losses `f_1 <= ... <= f_{D+1}`. With
//! the centre `c` of all but the worst vertex `w`, a step tries
//!
//! | | point | taken if |
//! |---|---|---|
//! | reflection | `c + (c - w)` | `f_1 <= f_r < f_D` |
//! | expansion | `c + 2 (c - w)` | after `f_r < f_1`; the better of both is taken |
//! | outside contraction | `c + (c - w) / 2` | after `f_D <= f_r < f_{D+1}`, if no worse than `f_r` |
//! | inside contraction | `c - (c - w) / 2` | after `f_{D+1} <= f_r`, if better than `f_{D+1}` |
//! | shrinking | half way to the best vertex | where a contraction was not taken |
//!
//! which are scipy's coefficients and comparisons, and its steps to the last point where nothing is
//! snapped. A point outside of the unit cube has an infinite loss and is never run (the paper's
//! rule). What reports nothing has an infinite loss, too.
//!
//! **Tables.** The simplex has a dimension for each parameter in which rows differ; a categorical
//! one is the place of its choice in the list, an order that means nothing. `vertices=snapped` (the
//! default) makes the coordinates of the row that ran the vertex, so that points and losses belong
//! together. Snapped vertices may come to lie in a plane, which no step would leave: then all but
//! the best are set anew along the axes, one edge away. `vertices=proposed` leaves the points where
//! the method put them. A simplex of a diameter below 1e-3 begins again at random.
//!
//! **Several workers** share the `D + 1` vertices of a new simplex and the `D` of a shrunk one. The
//! other steps are one trial each, and the method waits for it. The later words of a trial that was
//! paused are heard between two steps.

mod simplex;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;

use self::simplex::{Simplex, Ticket, Vertex};
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::uniform_open;
use crate::kit::genes::{Genes, ordered};
use crate::kit::streams::Streams;

/// A simplex smaller than this begins anew.
const DIAMETER_MIN: f64 = 1e-3;

parameters! {
    struct Parameters {
        /// what a vertex is: the row that ran, or the point that was proposed
        vertices: Vertices { Snapped = "snapped", Proposed = "proposed" } = "snapped",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "nelder-mead",
    summary: "The simplex method of Nelder and Mead, from a random simplex.",
    citation: "Nelder & Mead 1965; Ozaki, Yano & Onishi, Effective hyperparameter optimization \
               using Nelder-Mead method in deep learning, IPSJ T-CVA 9, 2017",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "scipy 1.17.1, minimize(method=\"Nelder-Mead\")",
        what: "every point evaluated from the same simplex on five functions of 1 to 5 dimensions, \
               nothing snapped (tests/golden/samplers/make_nelder_mead_golden.py)",
        result: "equal within 1e-12 over all 740 points",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { vertices } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        Box::new(NelderMead {
            is_snapped: vertices == Vertices::Snapped,
            open: genes.open(),
            genes: Arc::clone(&genes),
            stream: Streams::new(run, "nelder-mead").main(),
            simplex: None,
            out: BTreeMap::new(),
        })
    }))
}

struct NelderMead {
    is_snapped: bool,
    genes: Arc<Genes>,
    open: Vec<usize>,
    stream: Stream,
    simplex: Option<Simplex>,
    /// The step of each trial that is awaited.
    out: BTreeMap<TrialId, Ticket>,
}

impl NelderMead {
    /// A simplex of random corners.
    fn random(&mut self) -> Simplex {
        let width = self.open.len();
        let corner = |stream: &mut Stream| (0..width).map(|_| uniform_open(stream)).collect();
        let corners = (0..=width).map(|_| corner(&mut self.stream)).collect();
        Simplex::new(corners, true)
    }

    /// Looks at the simplex between two steps.
    fn check(&mut self) {
        let is_snapped = self.is_snapped;
        let Some(simplex) = self.simplex.as_mut().filter(|simplex| simplex.is_between()) else {
            return;
        };
        if simplex.diameter() < DIAMETER_MIN {
            self.simplex = None;
        } else if is_snapped && simplex.is_flat() {
            simplex.straighten();
        }
    }

    /// The whole point of a vertex.
    fn widened(&self, vertex: &[f64]) -> Vec<f64> {
        let mut point = vec![0.5; self.genes.width()];
        for (at, u) in self.open.iter().zip(vertex) {
            point[*at] = *u;
        }
        point
    }
}

impl Sampler for NelderMead {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        self.check();
        match &self.simplex {
            // A look at what will be asked, without asking it.
            Some(simplex) if simplex.clone().ask().is_none() => Fresh::Wait,
            _ => Fresh::Ready,
        }
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        if self.open.is_empty() {
            return Proposal::Point(self.genes.uniform(&mut self.stream));
        }
        if self.simplex.is_none() {
            self.simplex = Some(self.random());
        }
        let simplex = self.simplex.as_mut().expect("it has just been made");
        let (ticket, vertex) = simplex.ask().expect("`ready` has looked");
        self.out.insert(ask.trial, ticket);
        Proposal::Point(self.widened(&vertex))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = view.trial(trial);
        let loss = -ordered(told.reported);
        let Some(simplex) = &mut self.simplex else { return };
        let Some(ticket) = self.out.remove(&trial) else {
            simplex.revise(trial, loss);
            return;
        };
        let proposed = told.point.as_deref().filter(|_| !self.is_snapped);
        let whole = proposed.unwrap_or_else(|| self.genes.point(told.config));
        let point = self.open.iter().map(|at| whole[*at]).collect();
        simplex.tell(ticket, Vertex { point, loss, trial: Some(trial) });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::harness::{Room, Session, check_everywhere, float};
    use super::*;
    use crate::interface::State;

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/nelder_mead.json");

    fn numbers(json: &Json) -> Vec<f64> {
        json.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    /// Those of `make_nelder_mead_golden.py`.
    fn loss(function: &str, x: &[f64]) -> f64 {
        let squares = || x.iter().map(|x| x * x).sum::<f64>();
        match function {
            "sphere" => squares(),
            "rosenbrock" => x
                .windows(2)
                .map(|p| {
                    let bend = p[1] - p[0] * p[0];
                    100.0 * bend * bend + (1.0 - p[0]) * (1.0 - p[0])
                })
                .sum(),
            "ridge" => x.iter().zip(1..).map(|(x, k)| f64::from(k) * (x - 0.3).abs()).sum(),
            "steps" => x.iter().map(|x| (4.0 * x).floor()).sum::<f64>(),
            "wall" => {
                if x[0] < 0.25 {
                    f64::INFINITY
                } else {
                    squares()
                }
            }
            _ => unreachable!("{function}"),
        }
    }

    #[test]
    fn every_point_is_scipys() {
        let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
        let mut compared = 0;
        for case in &golden {
            let function = case["function"].as_str().unwrap();
            let corners = case["corners"].as_array().unwrap().iter().map(numbers).collect();
            let mut simplex = Simplex::new(corners, false);
            for (at, expected) in case["points"].as_array().unwrap().iter().enumerate() {
                let (ticket, point) = simplex.ask().unwrap();
                for (found, expected) in point.iter().zip(numbers(expected)) {
                    let close = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
                    assert!(close, "{function} {at}: {found}, not {expected}");
                }
                let loss = loss(function, &point);
                simplex.tell(ticket, Vertex { point, loss, trial: None });
                compared += 1;
            }
        }
        assert_eq!(compared, 740);
    }

    #[test]
    fn points_outside_are_never_run() {
        // The optimum lies in a corner: steps past it must fail by themselves.
        let corners = vec![vec![0.9, 0.5], vec![0.5, 0.9], vec![0.4, 0.4]];
        let mut simplex = Simplex::new(corners, true);
        for _ in 0..200 {
            let (ticket, point) = simplex.ask().unwrap();
            assert!(point.iter().all(|u| (0.0..=1.0).contains(u)), "{point:?}");
            let loss = -point[0] - point[1];
            simplex.tell(ticket, Vertex { point, loss, trial: None });
        }
        assert!(simplex.diameter() < 1e-3);
    }

    #[test]
    fn a_flat_simplex_is_straightened_and_a_small_one_begins_anew() {
        let flat = vec![vec![0.2, 0.2], vec![0.4, 0.4], vec![0.8, 0.8]];
        let simplex = Simplex::new(flat, true);
        assert!(simplex.is_flat());
        let corners = vec![vec![0.2, 0.2], vec![0.4, 0.4], vec![0.8, 0.7]];
        assert!(!Simplex::new(corners, true).is_flat());
        let mut simplex = simplex;
        for at in 0..3_u32 {
            let (ticket, point) = simplex.ask().unwrap();
            simplex.tell(ticket, Vertex { point, loss: f64::from(at), trial: None });
        }
        assert!(simplex.is_between() && simplex.is_flat());
        simplex.straighten();
        let asked: Vec<Vec<f64>> = (0..2).map(|_| simplex.ask().unwrap().1).collect();
        for (point, expected) in asked.iter().flatten().zip([0.8, 0.2, 0.2, 0.8]) {
            assert!((point - expected).abs() < 1e-15, "{asked:?}");
        }
        assert_eq!(simplex.ask(), None);
    }

    #[test]
    fn the_corners_run_at_once_and_a_step_alone() {
        let room = Room::random(vec![float("a"), float("b"), float("c")], 300, 3);
        let mut session = Session::new(&room, room.sampler("nelder-mead", 0), 8);
        let corners: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        assert_eq!(session.start(), None);
        for (trial, score) in corners.iter().zip([0.1, f64::NAN, 0.3, 0.2]) {
            session.tell(*trial, score, State::Paused);
        }
        let reflected = session.start().unwrap();
        assert_eq!(session.start(), None);
        // A later word of a corner, and the step's own.
        session.tell(corners[1], 0.9, State::Completed);
        session.tell(reflected, 0.05, State::Completed);
        assert!(session.start().is_some());
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("nelder-mead");
        check_everywhere("nelder-mead:vertices=proposed");
    }
}
