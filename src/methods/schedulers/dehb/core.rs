//! Brackets and subpopulations, without a run around them.

use std::collections::VecDeque;
use std::sync::Arc;

use base::rng::Stream;
use base::units::{Epoch, TrialId};

use crate::kit::differential::{crossed, mutant, repaired};
use crate::kit::draws::subset;
use crate::kit::genes::Genes;
use crate::rungs::Plan;

/// Members that a mutant is made of.
const PARENTS: usize = 3;

/// A place in a subpopulation.
#[derive(Debug, Clone)]
pub(super) struct Individual {
    pub(super) genome: Vec<f64>,
    /// Who ran it, and with which score; a random genome at the start was run by nobody.
    pub(super) run: Option<(TrialId, f64)>,
}

impl Individual {
    /// What it is worth in an order where what nobody ran is last.
    fn key(&self) -> (bool, f64) {
        (self.run.is_some(), self.run.map_or(f64::NEG_INFINITY, |(_, score)| score))
    }
}

/// Sorts the best first: by score, what nobody ran last; equals stay.
fn best_first(members: &mut [&Individual]) {
    members.sort_by(|a, b| {
        let ((a_ran, a_score), (b_ran, b_score)) = (a.key(), b.key());
        b_ran.cmp(&a_ran).then(b_score.total_cmp(&a_score))
    });
}

/// The subpopulation of one number of epochs.
#[derive(Debug, Clone)]
struct Level {
    members: Vec<Individual>,
    /// Whose turn it is to be a parent.
    parent: usize,
    /// Who shall run here from the level below.
    promoted: VecDeque<TrialId>,
    /// The last of those when they were found, with its score; for reasons.
    cut: Option<(TrialId, f64)>,
}

/// A bracket under way.
#[derive(Debug, Clone)]
struct Bracket {
    plan: Arc<Plan>,
    /// By rung: jobs in all, jobs not yet given out, jobs that are done.
    total: Vec<u32>,
    left: Vec<u32>,
    done: Vec<u32>,
    rung: usize,
}

impl Bracket {
    fn new(plan: &Arc<Plan>) -> Self {
        let total: Vec<u32> = plan.stages.iter().map(|stage| stage.trials).collect();
        let done = vec![0; total.len()];
        Self { plan: Arc::clone(plan), left: total.clone(), total, done, rung: 0 }
    }

    /// Whether it has a job to give out: none of its lower rungs is still under way.
    fn has_job(&self) -> bool {
        let is_open = |rung: usize| self.done[rung] < self.total[rung];
        self.left[self.rung] > 0 && !(0..self.rung).any(is_open)
    }

    fn advance(&mut self) {
        if self.left[self.rung] == 0 {
            self.rung = (self.rung + 1) % self.total.len();
        }
    }
}

/// Something to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    /// Counted over the run.
    pub(super) bracket: usize,
    rung: usize,
    level: usize,
    pub(super) until: Epoch,
    /// The place that it competes for.
    pub(super) parent: usize,
}

/// All of DEHB that decides.
#[derive(Debug)]
pub(super) struct Core {
    genes: Arc<Genes>,
    factor: f64,
    crossover: f64,
    plans: Arc<[Arc<Plan>]>,
    levels: Vec<Level>,
    brackets: Vec<Bracket>,
    /// Those before it have nothing to give out any more.
    first_open: usize,
}

impl Core {
    /// `plans` are the brackets in their order, the most eager first. Every subpopulation is as
    /// large as the largest rung of its epochs, and uniform.
    pub(super) fn new(
        genes: Arc<Genes>,
        [factor, crossover]: [f64; 2],
        plans: Arc<[Arc<Plan>]>,
        stream: &mut Stream,
    ) -> Self {
        let of_level = |level: usize| {
            let rungs = plans.iter().filter_map(|plan| {
                let rung = (level + plan.stages.len()).checked_sub(plans.len())?;
                plan.stages.get(rung).map(|stage| stage.trials)
            });
            rungs.max().expect("every level is a rung of some bracket")
        };
        let individual =
            |stream: &mut Stream| Individual { genome: genes.uniform(stream), run: None };
        let sizes: Vec<u32> = (0..plans.len()).map(of_level).collect();
        let level = |size: u32| Level {
            members: (0..size).map(|_| individual(stream)).collect(),
            parent: 0,
            promoted: VecDeque::new(),
            cut: None,
        };
        let levels = sizes.into_iter().map(level).collect();
        Self { genes, factor, crossover, levels, brackets: Vec::new(), first_open: 0, plans }
    }

    /// Whether trials are still promoted: in the first bracket of each kind.
    pub(super) fn promotes(&self) -> bool {
        self.brackets.len() <= self.plans.len()
    }

    /// Whether a trial that has run there may be promoted.
    pub(super) fn is_below_top(&self, job: &Job) -> bool {
        job.level + 1 < self.levels.len()
    }

    /// The first bracket that has a job.
    pub(super) fn open_bracket(&mut self) -> Option<usize> {
        let is_over = |bracket: &Bracket| bracket.left.iter().all(|left| *left == 0);
        while self.brackets.get(self.first_open).is_some_and(is_over) {
            self.first_open += 1;
        }
        (self.first_open..self.brackets.len()).find(|at| self.brackets[*at].has_job())
    }

    /// Begins the next bracket.
    pub(super) fn begin_bracket(&mut self) -> usize {
        let at = self.brackets.len();
        self.brackets.push(Bracket::new(&self.plans[at % self.plans.len()]));
        at
    }

    /// The number `s` of a bracket.
    pub(super) fn number(&self, bracket: usize) -> u32 {
        self.brackets[bracket].plan.number
    }

    /// The last of those that were promoted to a job's level, with its score.
    pub(super) fn cut(&self, job: &Job) -> Option<(TrialId, f64)> {
        self.levels[job.level].cut
    }

    /// How many brackets have begun, and in how many trials are promoted.
    pub(super) fn begun(&self) -> [usize; 2] {
        [self.brackets.len(), self.plans.len()]
    }

    /// Where trials end.
    pub(super) fn max(&self) -> Epoch {
        let stages = self.plans.iter().flat_map(|plan| &plan.stages);
        stages.map(|stage| stage.until).max().expect("there is a bracket")
    }

    /// Up to which epoch the next job of a bracket runs.
    pub(super) fn until(&self, bracket: usize) -> Epoch {
        let bracket = &self.brackets[bracket];
        bracket.plan.stages[bracket.rung].until
    }

    /// Gives out the next job of a bracket.
    pub(super) fn take(&mut self, at: usize) -> Job {
        let until = self.until(at);
        let level = self.level(at);
        let bracket = &mut self.brackets[at];
        let rung = bracket.rung;
        bracket.left[rung] -= 1;
        bracket.advance();
        let parents = &mut self.levels[level];
        let parent = parents.parent;
        parents.parent = (parent + 1) % parents.members.len();
        Job { bracket: at, rung, level, until, parent }
    }

    /// Gives up what is left of a bracket's rung.
    pub(super) fn give_up(&mut self, at: usize) {
        let bracket = &mut self.brackets[at];
        let rung = bracket.rung;
        bracket.total[rung] -= std::mem::take(&mut bracket.left[rung]);
        bracket.advance();
    }

    fn level(&self, at: usize) -> usize {
        let bracket = &self.brackets[at];
        self.levels.len() - bracket.total.len() + bracket.rung
    }

    /// Who of the level below shall run the next job of a bracket, if that is a promotion.
    pub(super) fn promotion(
        &mut self,
        at: usize,
        may: impl Fn(TrialId) -> bool,
    ) -> Option<TrialId> {
        let bracket = &self.brackets[at];
        if !self.promotes() || bracket.rung == 0 {
            return None;
        }
        let count = bracket.plan.stages[bracket.rung].trials as usize;
        let level = self.level(at);
        if self.levels[level].promoted.is_empty() {
            let here = |trial: TrialId| {
                let mut runs = self.levels[level].members.iter().filter_map(|m| m.run);
                runs.any(|(other, _)| other == trial)
            };
            let mut below: Vec<&Individual> = self.levels[level - 1].members.iter().collect();
            best_first(&mut below);
            let runs = below.into_iter().filter_map(|m| m.run);
            let found: Vec<(TrialId, f64)> =
                runs.filter(|(trial, _)| !here(*trial)).take(count).collect();
            self.levels[level].cut = found.last().copied();
            self.levels[level].promoted = found.into_iter().map(|(trial, _)| trial).collect();
        }
        let promoted = &mut self.levels[level].promoted;
        while let Some(trial) = promoted.pop_front() {
            if may(trial) {
                return Some(trial);
            }
        }
        None
    }

    /// Members that the mutants of a job are made of: the best of the level below (in the first
    /// rung, of its own), as many as the rung has trials, and where these are fewer than three,
    /// mutants of all subpopulations.
    fn pool(&self, job: &Job, stream: &mut Stream) -> Vec<Vec<f64>> {
        let plan = &self.brackets[job.bracket].plan;
        let count = plan.stages[job.rung].trials as usize;
        let from = job.level - usize::from(job.rung > 0);
        let mut members: Vec<&Individual> = self.levels[from].members.iter().collect();
        best_first(&mut members);
        let mut pool: Vec<Vec<f64>> =
            members.into_iter().take(count).map(|m| m.genome.clone()).collect();
        if pool.len() < PARENTS {
            let target = &self.levels[job.level].members[job.parent].genome;
            let all = self.levels.iter().flat_map(|level| &level.members);
            let all: Vec<Vec<f64>> = all.map(|member| member.genome.clone()).collect();
            for _ in pool.len()..=PARENTS {
                pool.push(self.mutant(all.clone(), target, stream));
            }
        }
        pool
    }

    /// A mutant of three different members of a pool, other than the target.
    fn mutant(&self, mut pool: Vec<Vec<f64>>, target: &[f64], stream: &mut Stream) -> Vec<f64> {
        let twin = pool.iter().position(|genome| genome == target);
        if let Some(at) = twin.filter(|_| pool.len() > 1) {
            pool.remove(at);
        }
        while pool.len() < PARENTS {
            pool.push(self.genes.uniform(stream));
        }
        let drawn = subset(stream, PARENTS, pool.len());
        mutant([&pool[drawn[0]], &pool[drawn[1]], &pool[drawn[2]]], self.factor)
    }

    /// A child of the job's parent.
    pub(super) fn breed(&self, job: &Job, stream: &mut Stream) -> Vec<f64> {
        let target = &self.levels[job.level].members[job.parent].genome;
        let pool = self.pool(job, stream);
        let mutant = self.mutant(pool, target, stream);
        repaired(crossed(target, &mutant, self.crossover, stream), stream)
    }

    /// A job is done: what ran takes its parent's place if its score is at least as large.
    /// Without a score it only counts.
    pub(super) fn complete(&mut self, job: &Job, individual: Option<Individual>) {
        self.brackets[job.bracket].done[job.rung] += 1;
        let Some(individual) = individual else { return };
        let parent = &mut self.levels[job.level].members[job.parent];
        let (own, of_parent) = (individual.key(), parent.key());
        if !of_parent.0 || own.1 >= of_parent.1 {
            *parent = individual;
        }
    }

    /// The trials that hold the places of each level.
    #[cfg(test)]
    pub(super) fn holders(&self) -> Vec<Vec<Option<TrialId>>> {
        let of = |level: &Level| level.members.iter().map(|m| m.run.map(|(t, _)| t)).collect();
        self.levels.iter().map(of).collect()
    }
}
