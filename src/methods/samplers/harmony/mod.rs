//! Parameter-setting-free harmony search (Geem & Sim, Applied Mathematics and Computation 217, 2010;
//! Lee et al. 2018 use it for CNNs).
//!
//! 1. The first `memory` trials are drawn uniformly: the harmony memory. Every gene in it is marked
//!    *random*.
//! 2. A trial is improvised gene by gene: with probability `HMCR` it takes the gene of a uniform
//!    member (*memory*), and then, with probability `PAR`, moves it (*pitch*): a float by
//!    `bandwidth` times a uniform number in -1..1, cut at the border; a whole number or an ordered
//!    one to the next value up or down, which stays where there is none; a choice to another one.
//!    Otherwise the gene is uniform (*random*).
//! 3. In the rehearsal, the first `rehearsal` times `memory` improvisations, `HMCR = PAR = 1/2`.
//!    After it each parameter has its own: of the marks in the memory,
//!    `HMCR = (memory + pitch) / all`, `PAR = pitch / (memory + pitch)` (0 of nothing).
//! 4. A trial takes the place of the worst member, the first of equals, with its marks, if its score
//!    is strictly larger.
//!
//! A rate that has become 0 or 1 stays there. `noise` adds a uniform number within it to both rates
//! at each use, and keeps them in 0.01..0.99. The length of the rehearsal (the paper's two or three
//! times the memory) and the bandwidth are ours, since the paper's text was not at hand: a method
//! of this description, and no reproduction.
//!
//! **Tables.** An improvisation goes to the nearest free row, and the member is that row. Genes that
//! are needed and that a member lacks are uniform.
//!
//! Nobody waits: several workers improvise from the memory of then. What reports nothing is the
//! worst. A later word of a member counts; of others it is compared anew. Trials of a warm start or
//! of a scheduler join as random ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Parameter, Value};
use base::units::TrialId;
use rand::RngExt;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::{index, uniform_open};
use crate::kit::genes::{Genes, Member, neighbour};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// harmonies in the memory
        memory: usize in 1..=100_000 = 20,
        /// improvisations of the rehearsal, in memories
        rehearsal: usize in 0..=1000 = 3,
        /// how far a float is moved, as a share of its range
        bandwidth: f64 in 0.0..=1.0 = 0.05,
        /// how far rates are shaken; 0: not at all
        noise: f64 in 0.0..=0.5 = 0.0,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "harmony",
    summary: "Harmony search that sets its own rates (PSF-HS); bandwidth and rehearsal are ours.",
    citation: "Geem & Sim, Parameter-setting-free harmony search algorithm, Applied Mathematics and \
               Computation 217, 2010",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "the law of an improvisation, computed",
        what: "20,000 improvisations at known rates, bins of a float, a whole number and a choice \
               (unit test); rates of a memory worked out by hand",
        result: "chi-squared p above 0.01 by Holm; with half of the bandwidth the same test rejects",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let parameters = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        Box::new(Harmony {
            parameters: parameters.clone(),
            genes: Arc::clone(&genes),
            streams: Streams::new(run, "harmony"),
            memory: Vec::new(),
            marks: BTreeMap::new(),
            improvised: 0,
            proposals: 0,
        })
    }))
}

/// Where a gene came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Random,
    Memory,
    Pitch,
}

struct Harmony {
    parameters: Parameters,
    genes: Arc<Genes>,
    streams: Streams,
    memory: Vec<(Member, Vec<Mark>)>,
    /// Of the trials that were improvised.
    marks: BTreeMap<TrialId, Vec<Mark>>,
    improvised: usize,
    proposals: u32,
}

/// Moves a gene to a value next to its own.
fn pitched(parameter: &Parameter, u: f64, bandwidth: f64, stream: &mut Stream) -> f64 {
    let own = parameter.from_unit(u);
    match &parameter.domain {
        Domain::Float { .. } => {
            (u + bandwidth * (2.0 * stream.random::<f64>() - 1.0)).clamp(0.0, 1.0)
        }
        Domain::Categorical { choices } => {
            let others: Vec<Value> =
                (0..choices.len()).map(Value::Choice).filter(|value| *value != own).collect();
            if others.is_empty() {
                u
            } else {
                parameter.to_unit(others[index(stream, others.len())])
            }
        }
        Domain::Int { .. } | Domain::Ordinal { .. } => {
            let up = stream.random::<f64>() < 0.5;
            neighbour(parameter, own, up).map_or(u, |value| parameter.to_unit(value))
        }
    }
}

impl Harmony {
    /// HMCR and PAR of a parameter, before any noise.
    fn rates(&self, at: usize) -> [f64; 2] {
        let Parameters { memory, rehearsal, .. } = self.parameters;
        if self.improvised < rehearsal * memory {
            return [0.5, 0.5];
        }
        let count = |mark| {
            let marks = self.memory.iter().filter(|(_, marks)| marks[at] == mark).count();
            f64::from(u32::try_from(marks).expect("memories are small"))
        };
        let [random, remembered, pitched] = [Mark::Random, Mark::Memory, Mark::Pitch].map(count);
        let considered = remembered + pitched;
        let pitch_rate = if considered == 0.0 { 0.0 } else { pitched / considered };
        [considered / (considered + random), pitch_rate]
    }

    fn improvise(&self, stream: &mut Stream) -> (Vec<f64>, Vec<Mark>) {
        let Parameters { bandwidth, noise, .. } = self.parameters;
        let genomes: Vec<Vec<f64>> =
            self.memory.iter().map(|(member, _)| self.genes.of_row(member.row)).collect();
        let mut harmony = Vec::new();
        let mut marks = Vec::new();
        for (at, parameter) in self.genes.space().parameters.iter().enumerate() {
            let mut shaken = |rate: f64| {
                if noise == 0.0 {
                    return rate;
                }
                (rate + noise * (2.0 * stream.random::<f64>() - 1.0)).clamp(0.01, 0.99)
            };
            let [considered, pitch] = self.rates(at).map(&mut shaken);
            let (gene, mark) = if stream.random::<f64>() < considered {
                let gene = genomes[index(stream, genomes.len())][at];
                if stream.random::<f64>() >= pitch {
                    (gene, Mark::Memory)
                } else if gene.is_nan() {
                    (gene, Mark::Pitch)
                } else {
                    (pitched(parameter, gene, bandwidth, stream), Mark::Pitch)
                }
            } else {
                (uniform_open(stream), Mark::Random)
            };
            harmony.push(gene);
            marks.push(mark);
        }
        (self.genes.fill(harmony, stream), marks)
    }
}

impl Sampler for Harmony {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, ask: &Ask) -> Proposal {
        let mut stream = self.streams.decision("harmony", self.proposals);
        self.proposals += 1;
        if self.memory.len() < self.parameters.memory {
            return Proposal::Point(self.genes.uniform(&mut stream));
        }
        let (harmony, marks) = self.improvise(&mut stream);
        self.improvised += 1;
        self.marks.insert(ask.trial, marks);
        Proposal::Point(harmony)
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = Member::of(view, trial);
        if let Some((member, _)) = self.memory.iter_mut().find(|(m, _)| m.trial == trial) {
            *member = told;
            return;
        }
        let marks = self.marks.get(&trial).cloned();
        let marks = marks.unwrap_or_else(|| vec![Mark::Random; self.genes.width()]);
        if self.memory.len() < self.parameters.memory {
            self.memory.push((told, marks));
            return;
        }
        let worst = self.memory.iter_mut().min_by(|(a, _), (b, _)| a.score.total_cmp(&b.score));
        let worst = worst.expect("a memory is not empty");
        if told.score > worst.0.score {
            *worst = (told, marks);
        }
    }
}

#[cfg(test)]
mod tests {
    use base::units::ConfigId;

    use super::super::harness::{
        Room, Session, binned, check_everywhere, choices, float, homogeneity, int,
    };
    use super::*;
    use crate::interface::{RunContext, State};

    fn room() -> Room {
        Room::random(vec![float("a"), int("b", 1, 8), choices("c", 4)], 50, 1)
    }

    fn harmony(room: &Room, bandwidth: f64) -> Harmony {
        let run = RunContext { seed: 7, repeat: 0, threads: 1 };
        Harmony {
            parameters: Parameters { memory: 4, rehearsal: 3, bandwidth, noise: 0.0 },
            genes: Arc::new(Genes::new(&room.context())),
            streams: Streams::new(&run, "harmony"),
            memory: Vec::new(),
            marks: BTreeMap::new(),
            improvised: 12,
            proposals: 0,
        }
    }

    fn member(row: u32, marks: [Mark; 3]) -> (Member, Vec<Mark>) {
        let member = Member { trial: TrialId(row), row: ConfigId(row), score: 0.1 };
        (member, marks.to_vec())
    }

    const MARKS: [[Mark; 3]; 4] = [
        [Mark::Random, Mark::Memory, Mark::Pitch],
        [Mark::Memory, Mark::Memory, Mark::Random],
        [Mark::Pitch, Mark::Pitch, Mark::Memory],
        [Mark::Pitch, Mark::Memory, Mark::Pitch],
    ];

    #[test]
    fn rates_are_those_of_the_marks() {
        let room = room();
        let mut found = harmony(&room, 0.05);
        found.memory = (0..).zip(MARKS).map(|(row, marks)| member(row, marks)).collect();
        assert_eq!(found.rates(0), [0.75, 2.0 / 3.0]);
        assert_eq!(found.rates(1), [1.0, 0.25]);
        assert_eq!(found.rates(2), [0.75, 2.0 / 3.0]);
        found.improvised = 11;
        assert_eq!(found.rates(1), [0.5, 0.5], "the rehearsal is not over");
        found.improvised = 12;
        for (_, marks) in &mut found.memory {
            marks[1] = Mark::Random;
        }
        assert_eq!(found.rates(1), [0.0, 0.0]);
    }

    /// The probability of each bin by the definition.
    fn law(harmony: &Harmony, at: usize, bins: u32, bandwidth: f64) -> Vec<f64> {
        let [considered, pitch] = harmony.rates(at);
        let width = 1.0 / f64::from(bins);
        let genes: Vec<f64> =
            harmony.memory.iter().map(|(m, _)| harmony.genes.point(m.row)[at]).collect();
        let of_bin = |bin: u32| {
            let [low, high] = [bin, bin + 1].map(|edge| f64::from(edge) * width);
            let is_here = |u: f64| f64::from(u8::from(low <= u && u < high));
            let moved = |u: f64| match at {
                0 => {
                    // A uniform number around u, what is beyond a border on it.
                    let from = if bin == 0 { f64::NEG_INFINITY } else { low };
                    let to = if bin + 1 == bins { f64::INFINITY } else { high };
                    let ends = [u - bandwidth, u + bandwidth];
                    (to.min(ends[1]) - from.max(ends[0])).max(0.0) / (2.0 * bandwidth)
                }
                1 => {
                    let step = |by: f64| {
                        let to = u + by * width;
                        is_here(if (0.0..1.0).contains(&to) { to } else { u })
                    };
                    0.5 * step(1.0) + 0.5 * step(-1.0)
                }
                _ => (1.0 - is_here(u)) / 3.0,
            };
            let of_gene = |u: &f64| (1.0 - pitch) * is_here(*u) + pitch * moved(*u);
            let remembered = genes.iter().map(of_gene).sum::<f64>() / 4.0;
            considered * remembered + (1.0 - considered) * width
        };
        (0..bins).map(of_bin).collect()
    }

    #[test]
    fn improvisations_follow_the_law() {
        const DRAWS: u32 = 20_000;
        let room = room();
        let least = |bandwidth: f64| {
            let mut found = harmony(&room, bandwidth);
            found.memory = (0..).zip(MARKS).map(|(row, marks)| member(row, marks)).collect();
            let mut stream = Stream::new(1, 0, "harmony");
            let drawn: Vec<Vec<f64>> = (0..DRAWS).map(|_| found.improvise(&mut stream).0).collect();
            let p_values = [(0, 40), (1, 8), (2, 4)].map(|(at, bins)| {
                let counts = binned(drawn.iter().map(|point| point[at]), bins);
                let law = law(&found, at, bins, 0.05);
                assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                // Many more draws of the law than of ours: its own noise is none.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "counts"
                )]
                let expected: Vec<u32> = law.iter().map(|p| (p * 2e9) as u32).collect();
                homogeneity(&counts, &expected)
            });
            base::stats::holm::holm(&p_values).into_iter().fold(1.0, f64::min)
        };
        let honest = least(0.05);
        assert!(honest > 0.01, "{honest}");
        assert!(least(0.025) < 1e-6, "half of the bandwidth must be noticed");
    }

    #[test]
    fn the_worst_makes_room_for_what_is_strictly_better() {
        let room = room();
        let mut sampler = harmony(&room, 0.05);
        sampler.improvised = 0;
        let mut session = Session::new(&room, Box::new(sampler), 8);
        let first: Vec<TrialId> = (0..5).map(|_| session.start().unwrap()).collect();
        for (trial, score) in first.iter().zip([0.2, f64::NAN, 0.1, 0.4]) {
            session.tell(*trial, score, State::Completed);
        }
        let trials = |session: &Session<'_, Harmony>| {
            session.sampler.memory.iter().map(|(m, _)| m.trial).collect::<Vec<_>>()
        };
        // A fifth of the first, a tie with the worst that has a score.
        session.tell(first[4], 0.1, State::Paused);
        assert_eq!(trials(&session), [first[0], first[4], first[2], first[3]]);
        let improvised = session.start().unwrap();
        session.tell(improvised, 0.1, State::Stopped);
        assert_eq!(trials(&session)[1], first[4], "a tie");
        session.tell(improvised, 0.3, State::Completed);
        assert_eq!(trials(&session)[1], improvised);
        assert_eq!(session.sampler.memory[1].1, session.sampler.marks[&improvised]);
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("harmony:memory=4");
        check_everywhere("harmony:memory=3,rehearsal=1,noise=0.1");
    }
}
