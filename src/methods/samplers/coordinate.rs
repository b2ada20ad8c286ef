//! Coordinate search: steps up and down along one axis after another from the best point so far,
//! shorter once none of them helps (Ozaki, Yano & Onishi 2017 use it for CNNs).
//!
//! 1. Begin in the middle of every range.
//! 2. Poll the coordinates in turn: up by `step`, then down by it, cut at the border of the unit
//!    cube. Whole numbers and ordered lists go at least one value; a categorical parameter is
//!    polled at each of its other choices.
//! 3. Move to the first poll that is strictly better, and go on with the coordinate after it.
//! 4. Where none of a round is better, halve the step; after `halvings` of them, begin again at a
//!    random point.
//!
//! The paper's steps are not public: `step=0.25` and the least step of 1/64 are ours. What the
//! search stands on is the row that ran, not the point that led to it. A parameter without part, or
//! in which no rows differ, is not polled. What reports nothing is never better.
//!
//! **Several workers** run the polls of one round at once: each is compared with where the search
//! stands when it is told, so that a late one may still be moved to. At one worker that is the
//! search above. Where all polls of a round are out, the search waits.

use std::collections::VecDeque;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Parameter, Value};
use base::units::TrialId;

use super::incumbent::{Heard, Incumbent};
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::encoding::activity;
use crate::kit::genes::{Genes, neighbour};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// the first step, as a share of each range
        step: f64 in 0.001..=1.0 = 0.25,
        /// how often the step is halved before the search begins anew
        halvings: u32 in 0..=30 = 4,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "coordinate",
    summary: "Steps along one coordinate after another, halved where none helps. The steps are \
              ours: the paper's are not public.",
    citation: "Ozaki, Yano & Onishi, Effective hyperparameter optimization using Nelder-Mead \
               method in deep learning, IPSJ T-CVA 9, 2017",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "a search worked out by hand",
        what: "the points proposed on a two-parameter space, moves, halvings and a restart",
        result: "equal",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { step, halvings } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        Box::new(CoordinateSearch {
            step_first: step,
            halvings,
            left: halvings,
            step,
            open: genes.open(),
            incumbent: Incumbent::new(Arc::clone(&genes)),
            stream: Streams::new(run, "coordinate").main(),
            start: Some(vec![0.5; genes.width()]),
            genes: Arc::clone(&genes),
            polls: VecDeque::new(),
        })
    }))
}

/// A point to try, and the place of its coordinate among the open ones.
type Poll = (usize, Vec<f64>);

struct CoordinateSearch {
    genes: Arc<Genes>,
    open: Vec<usize>,
    stream: Stream,
    step_first: f64,
    halvings: u32,
    /// How often the step may still be halved.
    left: u32,
    step: f64,
    /// Where the next descent begins.
    start: Option<Vec<f64>>,
    incumbent: Incumbent<usize>,
    /// Polls of this round that are not yet out.
    polls: VecDeque<Poll>,
}

/// The coordinates to poll from `u`: the other choices, or one step up and one down.
fn steps(parameter: &Parameter, u: f64, step: f64) -> Vec<f64> {
    let own = parameter.from_unit(u);
    if let Domain::Categorical { choices } = &parameter.domain {
        let values = (0..choices.len()).map(Value::Choice).filter(|value| *value != own);
        return values.map(|value| parameter.to_unit(value)).collect();
    }
    let mut found = Vec::new();
    for direction in [1.0, -1.0] {
        let at = (u + direction * step).clamp(0.0, 1.0);
        let next = neighbour(parameter, own, direction > 0.0);
        if parameter.from_unit(at) != own {
            found.push(at);
        } else if let Some(next) = next {
            found.push(parameter.to_unit(next));
        }
    }
    found
}

impl CoordinateSearch {
    /// Fills in the polls around the incumbent, those of the coordinate `first` first.
    fn poll_from(&mut self, first: usize) {
        self.polls.clear();
        let point = &self.incumbent.point;
        let active = activity(self.genes.space(), point);
        let places = (first..self.open.len()).chain(0..first.min(self.open.len()));
        for place in places {
            let at = self.open[place];
            if !active[at] {
                continue;
            }
            for u in steps(&self.genes.space().parameters[at], point[at], self.step) {
                let mut poll = point.clone();
                poll[at] = u;
                self.polls.push_back((place, poll));
            }
        }
    }

    /// Goes on to the next round, where this one is over.
    fn advance(&mut self, view: &View<'_>) {
        while self.polls.is_empty() && !self.incumbent.waits() {
            if self.incumbent.is_missing() {
                let start =
                    self.start.take().unwrap_or_else(|| self.genes.uniform(&mut self.stream));
                self.polls.push_back((0, start));
                self.step = self.step_first;
                self.left = self.halvings;
                continue;
            }
            self.step *= 0.5;
            if self.left == 0 {
                let first = u32::try_from(view.trials().len()).expect("trials are 32 bits");
                self.incumbent.start_over(TrialId(first));
            } else {
                self.left -= 1;
                self.poll_from(0);
            }
        }
    }
}

impl Sampler for CoordinateSearch {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        self.advance(view);
        if self.polls.is_empty() { Fresh::Wait } else { Fresh::Ready }
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        let (place, point) = self.polls.pop_front().expect("`ready` has seen one");
        self.incumbent.asked(ask.trial, place);
        Proposal::Point(point)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let is_first = self.incumbent.is_missing();
        if let Heard::Better(place) = self.incumbent.hear(view, trial) {
            let next = if is_first { 0 } else { place.map_or(0, |place| place + 1) };
            self.poll_from(if next >= self.open.len() { 0 } else { next });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Room, Session, check_everywhere, choices, float, int};
    use super::*;
    use crate::interface::State;

    /// The points that a search proposes, each told with its own score: nothing is snapped, since
    /// the search hears of rows that lie where it pointed.
    fn proposals(count: usize, score: impl Fn(&[f64]) -> f64) -> Vec<Vec<f64>> {
        // Rows on a lattice of 1/32, where all steps down to 1/32 end.
        let mut room = Room::random(vec![float("a"), float("b")], 33 * 33, 1);
        let coordinates =
            (0..33 * 33_u32).flat_map(|row| [row / 33, row % 33].map(|at| f64::from(at) / 32.0));
        let coordinates = coordinates.collect();
        room.points = Arc::new(crate::interface::Points { width: 2, coordinates });
        let mut session = Session::new(&room, room.sampler("coordinate:halvings=2", 0), 1);
        let found = (0..count).map(|_| {
            let id = session.start().unwrap();
            let point = session.trials[id.index()].point.clone().unwrap().to_vec();
            let row = session.trials[id.index()].config;
            session.tell(id, score(room.points.row(row)), State::Completed);
            point
        });
        found.collect()
    }

    #[test]
    fn polls_moves_and_halvings_are_those_worked_out_by_hand() {
        // Best at (0.75, 0.625).
        let score = |p: &[f64]| -(p[0] - 0.75).abs() - (p[1] - 0.625).abs();
        let expected = [
            [0.5, 0.5],
            // Up along a, a move; then b up: no better (0.125 away both times), b down.
            [0.75, 0.5],
            [0.75, 0.75],
            [0.75, 0.25],
            // The round goes on to a.
            [1.0, 0.5],
            [0.5, 0.5],
            // Nothing: half the step. a up and down, then b up, a move to the best.
            [0.875, 0.5],
            [0.625, 0.5],
            [0.75, 0.625],
            // From the coordinate after b.
            [0.875, 0.625],
            [0.625, 0.625],
            [0.75, 0.75],
            [0.75, 0.5],
            // Half of it again.
            [0.8125, 0.625],
            [0.6875, 0.625],
            [0.75, 0.6875],
            [0.75, 0.5625],
        ];
        let found = proposals(expected.len() + 1, score);
        // A point that has been run is run next to itself: (0.5, 0.5), (0.75, 0.75), (0.75, 0.5)
        // are asked for a second time. None of their neighbours is better.
        assert_eq!(found[..expected.len()], expected);
        let start = &found[expected.len()];
        assert!(start.iter().all(|u| (u * 32.0).fract() != 0.0), "a random start: {start:?}");
    }

    #[test]
    fn whole_numbers_go_one_value_at_least_and_choices_all_over() {
        let whole = int("a", 1, 4);
        assert_eq!(steps(&whole, 0.375, 0.01), [0.625, 0.125]);
        assert_eq!(steps(&whole, 0.875, 0.01), [0.625]);
        assert_eq!(steps(&whole, 0.125, 0.5), [0.625]);
        assert_eq!(steps(&choices("b", 3), 0.5, 0.25), [1.0 / 6.0, 2.5 / 3.0]);
        assert_eq!(steps(&float("c"), 1.0, 0.25), [0.75]);
        assert_eq!(steps(&float("c"), 0.9, 0.25), [1.0, 0.65]);
    }

    #[test]
    fn a_late_poll_may_still_be_moved_to() {
        let room = Room::random(vec![float("a"), float("b")], 400, 2);
        let mut session = Session::new(&room, room.sampler("coordinate", 0), 8);
        let start = session.start().unwrap();
        assert_eq!(session.start(), None);
        session.tell(start, 0.1, State::Completed);
        let polls: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        assert_eq!(session.start(), None, "the round is out");
        session.tell(polls[2], 0.2, State::Completed);
        let next: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        session.tell(polls[0], 0.15, State::Completed);
        session.tell(polls[1], 0.3, State::Stopped);
        assert!(session.start().is_some(), "polls around the late one");
        session.tell(next[0], f64::NAN, State::Failed);
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("coordinate");
    }
}
