//! One factor at a time, the manual search of many a paper (Nazir et al. 2018 describe it): from a
//! start, each parameter in the order of the space is tried at some levels while all others stay,
//! the best is kept, and so on to the next.
//!
//! **Levels** are those of `grid`: `levels` of a numeric parameter, all choices of a categorical
//! one; the level at which the best stands already is left out. A parameter that plays no part, or
//! in which no rows differ, is passed over.
//!
//! **Order.** The levels of one parameter are out together and may run at once; the next parameter
//! waits for all of them. The best so far is a *row*: each point goes to the nearest free row, and
//! the next sweep sets out from the coordinates of the best row, not from the point that led to
//! it. Only a strictly larger score replaces it, so that of equals the first told stays. A trial
//! that reports nothing is never better than one that reports something.
//!
//! **End.** A full pass without gain ends the search; where rows are free, another one begins at a
//! random point. The first begins in the middle of every range (`start=centre`), at a random point
//! (`start=random`), or at the best trial of a warm start, where there was one.

use std::collections::VecDeque;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;

use super::grid::levels_of;
use super::incumbent::Incumbent;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::encoding::activity;
use crate::kit::genes::Genes;
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// levels of each numeric parameter
        levels: u32 in 2..=1000 = 5,
        /// where the first search begins
        start: Start { Centre = "centre", Random = "random" } = "centre",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "ofat",
    summary: "Manual search: one parameter after another at some levels, keeping the best.",
    citation: "One factor at a time, as Nazir et al. 2018 search by hand; restarts are ours",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "a search worked out by hand",
        what: "the points proposed on a two-parameter space, at one worker and at three",
        result: "equal",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { levels, start } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    let levels: Vec<Vec<f64>> =
        context.space.parameters.iter().map(|p| levels_of(p, levels)).collect();
    let levels = Arc::new(levels);
    Ok(Box::new(move |run| {
        let first = (start == Start::Centre).then(|| vec![0.5; genes.width()]);
        Box::new(Ofat {
            levels: Arc::clone(&levels),
            open: genes.open(),
            incumbent: Incumbent::new(Arc::clone(&genes)),
            stream: Streams::new(run, "ofat").main(),
            genes: Arc::clone(&genes),
            first,
            sweep: VecDeque::new(),
            next: 0,
            has_gained: false,
        })
    }))
}

struct Ofat {
    genes: Arc<Genes>,
    levels: Arc<Vec<Vec<f64>>>,
    open: Vec<usize>,
    stream: Stream,
    incumbent: Incumbent<()>,
    /// Where the first search begins, unless at random.
    first: Option<Vec<f64>>,
    /// Points of this sweep that are not yet out.
    sweep: VecDeque<Vec<f64>>,
    /// Whose turn it is, among the open parameters.
    next: usize,
    /// Whether this pass has found anything better.
    has_gained: bool,
}

impl Ofat {
    /// Goes on to the next sweep, where this one is over.
    fn advance(&mut self, view: &View<'_>) {
        while self.sweep.is_empty() && !self.incumbent.waits() {
            if self.incumbent.is_missing() {
                let start =
                    self.first.take().unwrap_or_else(|| self.genes.uniform(&mut self.stream));
                self.sweep.push_back(start);
                self.next = 0;
                self.has_gained = false;
            } else if self.next == self.open.len() {
                if !std::mem::take(&mut self.has_gained) {
                    let first = u32::try_from(view.trials().len()).expect("trials are 32 bits");
                    self.incumbent.start_over(TrialId(first));
                }
                self.next = 0;
            } else {
                let at = self.open[self.next];
                self.next += 1;
                self.fill_sweep(at);
            }
        }
    }

    /// The other levels of a parameter.
    fn fill_sweep(&mut self, at: usize) {
        let best = &self.incumbent.point;
        if !activity(self.genes.space(), best)[at] {
            return;
        }
        let parameter = &self.genes.space().parameters[at];
        let own = parameter.from_unit(best[at]);
        for level in self.levels[at].iter().filter(|level| parameter.from_unit(**level) != own) {
            let mut point = best.clone();
            point[at] = *level;
            self.sweep.push_back(point);
        }
    }
}

impl Sampler for Ofat {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        self.advance(view);
        if self.sweep.is_empty() { Fresh::Wait } else { Fresh::Ready }
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        self.incumbent.asked(ask.trial, ());
        Proposal::Point(self.sweep.pop_front().expect("`ready` has seen one"))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let is_first = self.incumbent.is_missing();
        if self.incumbent.hear(view, trial) != super::incumbent::Heard::NoBetter && !is_first {
            self.has_gained = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::{Room, Session, check_everywhere, int};
    use super::*;
    use crate::interface::State;

    /// A row at each of 5 x 5 whole numbers, so that nothing is snapped.
    fn lattice() -> Room {
        let mut room = Room::random(vec![int("a", 0, 4), int("b", 0, 4)], 25, 1);
        let coordinates = (0..25_u32).flat_map(|row| [row / 5, row % 5].map(place)).collect();
        room.points = Arc::new(crate::interface::Points { width: 2, coordinates });
        room
    }

    fn place(value: u32) -> f64 {
        (f64::from(value) + 0.5) / 5.0
    }

    /// Best at (4, 1), by the whole numbers.
    fn score(point: &[f64]) -> f64 {
        let [a, b] = [point[0] * 5.0 - 0.5, point[1] * 5.0 - 0.5];
        -(a - 4.0).abs() - (b - 1.0).abs()
    }

    #[test]
    fn parameters_take_turns_and_the_best_is_kept() {
        let room = lattice();
        let mut session = Session::new(&room, room.sampler("ofat", 0), 1);
        // Three levels would be 0, 2, 4; the centre is (2, 2), and five are all values.
        let rows = session.run_one_by_one(9, score);
        // The centre; a at 0, 1, 3, 4 with b = 2; then a stays at 4 and b is 0, 1, 3, 4.
        assert_eq!(rows, [12, 2, 7, 17, 22, 20, 21, 23, 24]);
        // The next pass, around (4, 1): a at 0 to 3. No gain, but the first pass had some.
        assert_eq!(session.run_one_by_one(4, score), [1, 6, 11, 16]);
    }

    #[test]
    fn a_sweep_runs_at_once_and_the_next_waits() {
        let room = lattice();
        let mut session = Session::new(&room, room.sampler("ofat:levels=3", 0), 3);
        let start = session.start().unwrap();
        assert_eq!(session.start(), None, "nothing is known of the start");
        session.tell(start, -5.0, State::Completed);
        let sweep = [session.start().unwrap(), session.start().unwrap()];
        assert_eq!(session.start(), None);
        assert_eq!(sweep.map(|t| session.trials[t.index()].config.0), [2, 22]);
        session.tell(sweep[0], -1.0, State::Completed);
        assert_eq!(session.start(), None);
        session.tell(sweep[1], f64::NAN, State::Failed);
        let next = session.start().unwrap();
        assert_eq!(session.trials[next.index()].config.0, 0, "from (0, 2) on to (0, 0)");
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("ofat");
        check_everywhere("ofat:levels=2,start=random");
    }
}
