//! Differential evolution (Storn & Price 1997), as the DE within DEHB has it: `rand1_bin`.
//!
//! 1. The first `population` trials are drawn uniformly: one a slot.
//! 2. The slots are targets in turn. A mutant is `a + factor (b - c)` of three other slots drawn
//!    uniformly; the child takes each gene of it with probability `crossover`, at least one, and
//!    the others from the target. A gene outside of 0..1 is drawn anew, uniformly.
//! 3. The child takes its target's slot if its score is at least as large, at once ("immediate" in
//!    DEHB's code).
//!
//! **Tables.** A child goes to the nearest free row, and what takes the slot is that row. Choices
//! are the places of their bins, as in DEHB's code. A gene that a parent lacks is drawn uniformly.
//!
//! **Several workers.** Nobody waits: the slots go round, also while children of theirs are out, and
//! a slot whose first trial is out takes part with its row and the worst of scores. What reports
//! nothing is the worst. A later word of a trial counts where it holds a slot, and is compared anew
//! where it does not. Trials of a warm start or of a scheduler take slots that are still empty, and
//! then that of the worst, if they are better.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Origin, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::differential::{crossed, mutant, repaired};
use crate::kit::draws::subset;
use crate::kit::genes::{Genes, Member};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// slots
        population: usize in 4..=100_000 = 20,
        /// what the difference of two members is multiplied by
        factor: f64 in 0.0..=2.0 = 0.5,
        /// the chance that a gene comes from the mutant
        crossover: f64 in 0.0..=1.0 = 0.5,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "de",
    summary: "Differential evolution, rand/1/bin, each child against its parent at once.",
    citation: "Storn & Price, Differential evolution, Journal of Global Optimization 11, 1997; as \
               in DEHB, Awad, Mallik & Hutter, IJCAI 2021",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "DEHB 0.1.2, dehb.optimizers.de.AsyncDE",
        what: "500 children a side of each of 20 populations of 12 in 5 dimensions \
               (tests/golden/samplers/make_de_golden.py)",
        result: "100 two-sample chi-squared tests, none rejected by Holm at 0.01; with a factor of \
                 1 for 0.5 the same test rejects",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { population, factor, crossover } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        Box::new(DifferentialEvolution {
            population,
            factor,
            crossover,
            genes: Arc::clone(&genes),
            streams: Streams::new(run, "de"),
            slots: Vec::new(),
            target: 0,
            targets: BTreeMap::new(),
            proposals: 0,
        })
    }))
}

struct DifferentialEvolution {
    population: usize,
    factor: f64,
    crossover: f64,
    genes: Arc<Genes>,
    streams: Streams,
    slots: Vec<Member>,
    /// Whose turn it is.
    target: usize,
    /// The slot that a trial was meant for.
    targets: BTreeMap<TrialId, usize>,
    proposals: u32,
}

/// A child of the target among these genomes.
fn child(
    genomes: &[Vec<f64>],
    target: usize,
    factor: f64,
    crossover: f64,
    stream: &mut Stream,
) -> Vec<f64> {
    let others: Vec<&[f64]> = subset(stream, 3, genomes.len() - 1)
        .into_iter()
        .map(|at| &genomes[at + usize::from(at >= target)][..])
        .collect();
    let mutant = mutant([others[0], others[1], others[2]], factor);
    repaired(crossed(&genomes[target], &mutant, crossover, stream), stream)
}

impl Sampler for DifferentialEvolution {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        let mut stream = self.streams.decision("child", self.proposals);
        self.proposals += 1;
        if self.slots.len() < self.population {
            self.targets.insert(ask.trial, self.slots.len());
            return Proposal::Point(self.genes.uniform(&mut stream));
        }
        let genomes: Vec<Vec<f64>> = self.slots.iter().map(|m| self.genes.of_row(m.row)).collect();
        let target = self.target;
        self.target = (target + 1) % self.population;
        self.targets.insert(ask.trial, target);
        Proposal::Point(child(&genomes, target, self.factor, self.crossover, &mut stream))
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        if origin == Origin::Sampler && self.slots.len() < self.population {
            let row = view.trial(trial).config;
            self.slots.push(Member { trial, row, score: f64::NEG_INFINITY });
        }
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = Member::of(view, trial);
        if let Some(own) = self.slots.iter_mut().find(|member| member.trial == trial) {
            *own = told;
        } else if let Some(target) = self.targets.get(&trial) {
            if told.score >= self.slots[*target].score {
                self.slots[*target] = told;
            }
        } else if self.slots.len() < self.population {
            self.slots.push(told);
        } else {
            let worst = self.slots.iter_mut().min_by(|a, b| a.score.total_cmp(&b.score));
            let worst = worst.expect("there are slots");
            if told.score > worst.score {
                *worst = told;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::harness::{Room, Session, binned, check_everywhere, float, homogeneity};
    use super::*;
    use crate::interface::State;

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/de.json");

    fn least_p_value(factor: f64) -> f64 {
        let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
        let mut p_values = Vec::new();
        let mut stream = Stream::new(1, 0, "de");
        for case in &golden {
            let genomes: Vec<Vec<f64>> = serde_json::from_value(case["genomes"].clone()).unwrap();
            let counts: Vec<Vec<u32>> = serde_json::from_value(case["counts"].clone()).unwrap();
            let target = usize::try_from(case["target"].as_u64().unwrap()).unwrap();
            let children: Vec<Vec<f64>> =
                (0..500).map(|_| child(&genomes, target, factor, 0.5, &mut stream)).collect();
            for (at, expected) in counts.iter().enumerate() {
                let found = binned(children.iter().map(|child| child[at]), 20);
                p_values.push(homogeneity(&found, expected));
            }
        }
        base::stats::holm::holm(&p_values).into_iter().fold(1.0, f64::min)
    }

    #[test]
    fn children_are_those_of_dehb() {
        let least = least_p_value(0.5);
        assert!(least > 0.01, "{least}");
        let altered = least_p_value(1.0);
        assert!(altered < 0.01, "an altered factor must be noticed: {altered}");
    }

    #[test]
    fn a_child_takes_its_targets_slot_if_it_is_no_worse() {
        let room = Room::random(vec![float("a"), float("b")], 100, 1);
        let run = crate::interface::RunContext { seed: 7, repeat: 0, threads: 1 };
        let sampler = Box::new(DifferentialEvolution {
            population: 4,
            factor: 0.5,
            crossover: 0.5,
            genes: Arc::new(Genes::new(&room.context())),
            streams: Streams::new(&run, "de"),
            slots: Vec::new(),
            target: 0,
            targets: BTreeMap::new(),
            proposals: 0,
        });
        let mut session = Session::new(&room, sampler, 8);
        let first: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        // All four are out, and bred all the same.
        let children: Vec<TrialId> = (0..4).map(|_| session.start().unwrap()).collect();
        session.tell(children[0], 0.3, State::Completed);
        // A late first trial is compared with the child that has its slot by now.
        session.tell(first[0], 0.2, State::Paused);
        session.tell(first[1], 0.5, State::Completed);
        session.tell(children[1], 0.5, State::Stopped);
        session.tell(first[2], f64::NAN, State::Failed);
        session.tell(first[3], 0.7, State::Completed);
        session.tell(children[3], 0.6, State::Completed);
        let slots = |session: &Session<'_, DifferentialEvolution>| {
            session.sampler.slots.iter().map(|m| m.trial).collect::<Vec<_>>()
        };
        assert_eq!(slots(&session), [children[0], children[1], first[2], first[3]]);
        // Its later word brings the slot back.
        session.tell(first[0], 0.4, State::Completed);
        // What a scheduler brings along takes the place of the worst.
        let own = session.begin(Proposal::Point(vec![0.5, 0.5]), Origin::Scheduler);
        session.tell(own, 0.1, State::Completed);
        assert_eq!(slots(&session), [first[0], children[1], own, first[3]]);
    }

    #[test]
    fn the_three_of_a_mutant_are_not_the_target() {
        let room = Room::random(vec![float("a"), float("b")], 100, 1);
        let run = crate::interface::RunContext { seed: 7, repeat: 0, threads: 1 };
        let member = |trial: u32, score| Member {
            trial: TrialId(trial),
            row: base::units::ConfigId(trial),
            score,
        };
        let slots: Vec<Member> =
            (0..).zip([0.1, 0.2, 0.3, 0.4]).map(|(trial, score)| member(trial, score)).collect();
        let genes = Genes::new(&room.context());
        let genomes: Vec<Vec<f64>> = slots.iter().map(|m| genes.of_row(m.row)).collect();
        let mut stream = Streams::new(&run, "de").decision("child", 0);
        // Of the mutant alone, the target takes no part.
        let found = child(&genomes, 2, 0.0, 1.0, &mut stream);
        let is_other = [0, 1, 3].iter().any(|at| genomes[*at] == found);
        assert!(is_other, "{found:?} is one of the other slots");
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("de:population=5");
        check_everywhere("de");
    }
}
