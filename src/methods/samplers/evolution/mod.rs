//! Evolution by tournaments, with and without age.
//!
//! `removal=oldest` is aging (regularised) evolution: Real, Aggarwal, Huang & Le, AAAI 2019.
//! 1. The first `population` trials are drawn uniformly.
//! 2. Then `sample` members are drawn with replacement, and the best of them, the first drawn of
//!    equals, is the parent. The child is the parent with one gene changed: a uniform one, drawn
//!    uniformly until its value differs.
//! 3. A trial joins the population when it is told, and the oldest member leaves.
//!
//! `removal=worst` is the evolution of Real et al., ICML 2017, for `sample=2`: `sample` different
//! members are drawn, the worst of them leaves at once, and the child of the best joins when it is
//! told. The paper's population is 1,000 and its mutations are a list of its own; those here are
//! the ones above.
//!
//! **Tables.** A child goes to the nearest free row, and the member is that row, not the point. A
//! population of more than a fifth of the table would leave nothing to breed: it is then the
//! twentieth part of the table, but at least 20. Genes are changed among those that play a part and
//! of which rows differ; what a change of theirs brings into play is drawn uniformly.
//!
//! Nobody waits: with several workers the parents are drawn from those told by then. What reports
//! nothing joins as the worst. A trial that is told again has its later score, if it is still a
//! member. Trials of a warm start or of a scheduler join as well. Each child draws from a stream of
//! its own.

use std::collections::VecDeque;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::{index, subset};
use crate::kit::genes::{Genes, Member, Seen, best_of};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// members; less on a small table
        population: usize in 2..=100_000 = 100,
        /// members drawn for a parent
        sample: usize in 1..=100_000 = 10,
        /// who leaves for a new member: the oldest of all, or the worst of those drawn
        removal: Removal { Oldest = "oldest", Worst = "worst" } = "oldest",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "evolution",
    summary: "Tournament evolution with one mutation a child, by default aging.",
    citation: "Real, Aggarwal, Huang & Le, Regularized evolution for image classifier architecture \
               search, AAAI 2019; without age: Real et al., Large-scale evolution of image \
               classifiers, ICML 2017",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Syne Tune 0.16.0, RegularizedEvolution",
        what: "500 next proposals a side from each of 50 histories of 30 trials, 4 coordinates \
               (removal=oldest; tests/golden/samplers/make_evolution_golden.py)",
        result: "200 two-sample chi-squared tests, none rejected by Holm at 0.01; with one member \
                 drawn for ten the same test rejects",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { population, sample, removal } = Parameters::read(arguments)?;
    let genes = Arc::new(Genes::new(context));
    let rows = context.rows as usize;
    let population =
        if population > rows / 5 { population.min((rows / 20).max(20)) } else { population };
    Ok(Box::new(move |run| {
        Box::new(Evolution {
            population,
            sample,
            removal,
            genes: Arc::clone(&genes),
            streams: Streams::new(run, "evolution"),
            members: VecDeque::new(),
            seen: Seen::default(),
            is_full: false,
            proposals: 0,
        })
    }))
}

struct Evolution {
    population: usize,
    sample: usize,
    removal: Removal,
    genes: Arc<Genes>,
    streams: Streams,
    /// The oldest first.
    members: VecDeque<Member>,
    seen: Seen,
    /// Whether the first population is complete.
    is_full: bool,
    proposals: u32,
}

impl Evolution {
    /// Draws a parent, and lets the worst of those drawn go where that is the rule.
    fn parent(&mut self, stream: &mut Stream) -> Member {
        let count = self.members.len();
        match self.removal {
            Removal::Oldest => {
                let drawn: Vec<Member> =
                    (0..self.sample).map(|_| self.members[index(stream, count)]).collect();
                *best_of(&drawn).expect("at least one is drawn")
            }
            Removal::Worst => {
                let places = subset(stream, self.sample.min(count), count);
                let score = |place: &usize| self.members[*place].score;
                let order = |a: &&usize, b: &&usize| score(a).total_cmp(&score(b));
                let worst = *places.iter().min_by(order).expect("at least one is drawn");
                let drawn = places.iter().map(|place| &self.members[*place]);
                let parent = *best_of(drawn).expect("at least one is drawn");
                if places.len() > 1 {
                    self.members.remove(worst);
                }
                parent
            }
        }
    }
}

impl Sampler for Evolution {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        let mut stream = self.streams.decision("child", self.proposals);
        self.proposals += 1;
        if !self.is_full || self.members.is_empty() {
            return Proposal::Point(self.genes.uniform(&mut stream));
        }
        let parent = self.parent(&mut stream);
        let mut child = self.genes.of_row(parent.row);
        self.genes.mutate_one(&mut child, &mut stream);
        Proposal::Point(self.genes.fill(child, &mut stream))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = Member::of(view, trial);
        if !self.seen.is_first(trial) {
            if let Some(member) = self.members.iter_mut().find(|m| m.trial == trial) {
                *member = told;
            }
            return;
        }
        self.members.push_back(told);
        if self.removal == Removal::Oldest && self.members.len() > self.population {
            self.members.pop_front();
        }
        self.is_full |= self.members.len() >= self.population;
    }
}

#[cfg(test)]
mod tests;
