//! A genetic algorithm of generations. By default it is what Optuna's `NSGAIISampler` does with one
//! objective.
//!
//! 1. The first `population` trials are drawn uniformly: the first generation.
//! 2. A child has, with probability `crossover`, two parents, each the better of two members drawn
//!    uniformly (the second drawn, of equals; the first parent is not drawn again), and takes each
//!    gene from the second with probability `swap`. Otherwise it is a copy of a uniform member.
//! 3. Each gene of the child is drawn anew, uniformly, with probability `gene` (0: one over the
//!    number of parameters).
//! 4. Once `population` trials of a generation have been told, the best `population` of them and of
//!    their parents are the next parents; of equals, parents before children, and of either the
//!    younger first, as it comes out of Optuna's sorting by crowding.
//!
//! **Genetic-CNN.** Xie & Yuille, ICCV 2017, in parameters:
//! `ga:population=20,selection=roulette,survivors=children,crossover=0.2,swap=0.2,mutate=0.8,gene=0.1`.
//! `selection=roulette` draws a parent with a chance in proportion to its score less the worst of
//! all, uniformly where they are all alike; `survivors=children` lets every parent go; `mutate` is
//! the chance that a child is mutated at all. The paper flips a bit with probability 0.05: a gene of
//! two values that is drawn anew flips half of the time. It selects a generation first and crosses
//! neighbours in it, so that this is a likeness in parameters and no reproduction.
//!
//! **Tables.** A child goes to the nearest free row, and the member is that row. Genes that a child
//! needs and its parent lacks are drawn uniformly.
//!
//! **Several workers.** Nobody waits: while a generation lacks trials that were told, more of its
//! children are proposed, as Optuna does. All of them are compared; those that come after the
//! generation was closed are not. Optuna knows completed trials alone; here stopped and failed ones
//! join with what they reported, and what reported nothing is the worst. Trials of a warm start or
//! of a scheduler belong to the generation in which they are told. A later word of a member counts.

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
use crate::kit::draws::{index, weighted};
use crate::kit::genes::{Genes, Member, Seen, best_first};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// trials of a generation, and members that survive it
        population: usize in 2..=100_000 = 50,
        /// how a parent is drawn: the better of two, or by its score
        selection: Selection { Tournament = "tournament", Roulette = "roulette" } = "tournament",
        /// the chance that a child has two parents
        crossover: f64 in 0.0..=1.0 = 0.9,
        /// the chance that a gene comes from the second parent
        swap: f64 in 0.0..=1.0 = 0.5,
        /// the chance that a child is mutated at all
        mutate: f64 in 0.0..=1.0 = 1.0,
        /// the chance that a gene is drawn anew; 0: one over the number of parameters
        gene: f64 in 0.0..=1.0 = 0.0,
        /// who may survive: the best of parents and children, or children alone
        survivors: Survivors { Best = "best", Children = "children" } = "best",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "ga",
    summary: "A genetic algorithm: tournaments, uniform crossover, genes drawn anew, the best \
              survive. Genetic-CNN's settings are a likeness.",
    citation: "Deb et al., NSGA-II, IEEE TEVC 6, 2002, as Optuna runs it on one objective; Xie & \
               Yuille, Genetic CNN, ICCV 2017",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Optuna 4.9.0, NSGAIISampler",
        what: "500 next proposals a side from each of 50 histories of 30 trials, three generations \
               of 10, 4 coordinates (tests/golden/samplers/make_ga_golden.py)",
        result: "200 two-sample chi-squared tests, none rejected by Holm at 0.01; with twice the \
                 mutations the same test rejects",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let parameters = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        Box::new(GeneticAlgorithm {
            parameters: parameters.clone(),
            genes: Arc::clone(&genes),
            streams: Streams::new(run, "ga"),
            parents: Vec::new(),
            children: Vec::new(),
            born: BTreeMap::new(),
            seen: Seen::default(),
            generation: 0,
            proposals: 0,
        })
    }))
}

struct GeneticAlgorithm {
    parameters: Parameters,
    genes: Arc<Genes>,
    streams: Streams,
    /// Of the running generation; the first has none. In the order of their selection.
    parents: Vec<Member>,
    /// Told in the running generation, in that order.
    children: Vec<Member>,
    /// The generation in which a trial was proposed, until it is told.
    born: BTreeMap<TrialId, u32>,
    seen: Seen,
    generation: u32,
    proposals: u32,
}

impl GeneticAlgorithm {
    /// Closes the generation where it is complete.
    fn advance(&mut self) {
        let population = self.parameters.population;
        if self.children.len() < population {
            return;
        }
        let younger_first = |a: &Member, b: &Member| b.trial.cmp(&a.trial);
        self.children.sort_by(younger_first);
        self.parents.sort_by(younger_first);
        if self.parameters.survivors == Survivors::Children {
            self.parents.clear();
        }
        self.parents.append(&mut self.children);
        best_first(&mut self.parents);
        self.parents.truncate(population);
        self.generation += 1;
    }

    /// The place of a parent among the members, other than `not`.
    fn parent(&self, not: Option<usize>, stream: &mut Stream) -> usize {
        let places: Vec<usize> =
            (0..self.parents.len()).filter(|place| Some(*place) != not).collect();
        let score = |place: usize| self.parents[place].score;
        match self.parameters.selection {
            Selection::Tournament => {
                let [first, second] = [0; 2].map(|_: i32| places[index(stream, places.len())]);
                if score(first) > score(second) { first } else { second }
            }
            Selection::Roulette => {
                // What reported nothing weighs as little as the worst that reported something.
                let finite = |place: &usize| score(*place).is_finite();
                let known = places.iter().copied().filter(finite).map(score);
                let least = known.fold(f64::INFINITY, f64::min);
                let weights: Vec<f64> =
                    places.iter().map(|place| (score(*place) - least).max(0.0)).collect();
                let found = weighted(stream, &weights);
                places[found.unwrap_or_else(|| index(stream, places.len()))]
            }
        }
    }

    fn child(&self, stream: &mut Stream) -> Vec<f64> {
        let Parameters { crossover, swap, mutate, gene, .. } = self.parameters;
        let genome = |place: usize| self.genes.of_row(self.parents[place].row);
        let mut child = if stream.random::<f64>() < crossover {
            let first = self.parent(None, stream);
            let second = genome(self.parent(Some(first), stream));
            let pairs = genome(first).into_iter().zip(second);
            pairs.map(|(a, b)| if stream.random::<f64>() < swap { b } else { a }).collect()
        } else {
            genome(index(stream, self.parents.len()))
        };
        if stream.random::<f64>() < mutate {
            let width = u32::try_from(child.len()).expect("parameters are few");
            let chance = if gene == 0.0 { 1.0 / f64::from(width) } else { gene };
            for gene in &mut child {
                if stream.random::<f64>() < chance {
                    // Missing genes are drawn anew.
                    *gene = f64::NAN;
                }
            }
        }
        self.genes.fill(child, stream)
    }
}

impl Sampler for GeneticAlgorithm {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        self.advance();
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        let mut stream = self.streams.decision("child", self.proposals);
        self.proposals += 1;
        self.born.insert(ask.trial, self.generation);
        let point = if self.generation == 0 {
            self.genes.uniform(&mut stream)
        } else {
            self.child(&mut stream)
        };
        Proposal::Point(point)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = Member::of(view, trial);
        if !self.seen.is_first(trial) {
            let mut members = self.parents.iter_mut().chain(&mut self.children);
            if let Some(member) = members.find(|member| member.trial == trial) {
                *member = told;
            }
            return;
        }
        let born = self.born.remove(&trial).unwrap_or(self.generation);
        if born == self.generation {
            self.children.push(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use base::units::ConfigId;

    use super::super::harness::{Histories, Room, Session, check_everywhere, choices, float};
    use super::*;
    use crate::interface::{RunContext, State};

    #[test]
    fn next_proposals_are_those_of_optuna() {
        let histories = Histories::load();
        let text = |gene| format!("ga:population=10,gene={gene}");
        histories.assert_like("ga", |at, draws| histories.draw(&text(0.0), at, draws));
        histories.assert_unlike("ga", |at, draws| histories.draw(&text(0.5), at, draws));
    }

    fn algorithm(room: &Room, text: &str) -> GeneticAlgorithm {
        let method = crate::interface::resolve("--sampler", text, super::super::REGISTRY).unwrap();
        let run = RunContext { seed: 7, repeat: 0, threads: 1 };
        GeneticAlgorithm {
            parameters: Parameters::read(&method.arguments).unwrap(),
            genes: Arc::new(Genes::new(&room.context())),
            streams: Streams::new(&run, "ga"),
            parents: Vec::new(),
            children: Vec::new(),
            born: BTreeMap::new(),
            seen: Seen::default(),
            generation: 0,
            proposals: 0,
        }
    }

    fn member(trial: u32, score: f64) -> Member {
        Member { trial: TrialId(trial), row: ConfigId(trial), score }
    }

    #[test]
    fn the_best_of_both_generations_survive_or_the_children_alone() {
        let room = Room::random(vec![float("a")], 10, 1);
        let trials =
            |ga: &GeneticAlgorithm| ga.parents.iter().map(|m| m.trial.0).collect::<Vec<_>>();
        for (text, expected) in [
            // Of equals the parent comes first.
            ("ga:population=3", [1, 0, 3]),
            ("ga:population=3,survivors=children", [3, 5, 4]),
        ] {
            let mut ga = algorithm(&room, text);
            ga.parents = vec![member(0, 0.5), member(1, 0.8), member(2, 0.1)];
            let worst = f64::NEG_INFINITY;
            ga.children = vec![member(3, 0.5), member(4, worst), member(5, 0.4)];
            ga.advance();
            assert_eq!((trials(&ga), ga.generation), (expected.to_vec(), 1), "{text}");
            ga.children = vec![member(6, 0.9), member(7, 0.9)];
            ga.advance();
            assert_eq!(ga.generation, 1, "one is missing");
        }
    }

    #[test]
    fn the_roulette_gives_each_its_share() {
        let room = Room::random(vec![float("a")], 10, 1);
        let mut ga = algorithm(&room, "ga:population=4,selection=roulette");
        let mut stream = Stream::new(1, 0, "ga");
        // Less the least known: 0, 0.1, 0.3, and the one that reported nothing.
        let scores = [0.5, 0.6, 0.8, f64::NEG_INFINITY];
        ga.parents = (0..).zip(scores).map(|(trial, score)| member(trial, score)).collect();
        let mut counts = [0_u32; 4];
        for _ in 0..4_000 {
            counts[ga.parent(None, &mut stream)] += 1;
        }
        assert_eq!([counts[0], counts[3]], [0, 0]);
        // 1,000 expected, with a deviation of 27.
        assert!((870..1_130).contains(&counts[1]), "{counts:?}");
        for member in &mut ga.parents {
            member.score = 0.5;
        }
        let found: Vec<usize> = (0..200).map(|_| ga.parent(Some(2), &mut stream)).collect();
        assert!([0, 1, 3].iter().all(|place| found.contains(place)) && !found.contains(&2));
    }

    #[test]
    fn late_children_of_a_closed_generation_are_not_compared() {
        let room = Room::random(vec![float("a"), choices("b", 3)], 100, 1);
        let mut session = Session::new(&room, room.sampler("ga:population=2", 0), 8);
        let trials: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        session.tell(trials[0], 0.1, State::Completed);
        session.tell(trials[1], 0.2, State::Stopped);
        let child = session.start().unwrap();
        session.tell(trials[2], 0.9, State::Completed);
        session.tell(child, 0.3, State::Completed);
        session.tell(trials[3], f64::NAN, State::Failed);
        assert!(session.start().is_some(), "one child is not a generation");
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("ga:population=5");
        check_everywhere(
            "ga:population=4,selection=roulette,survivors=children,mutate=0.8,gene=0.05",
        );
    }
}
