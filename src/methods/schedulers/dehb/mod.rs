//! DEHB: Hyperband whose trials are bred by differential evolution (Awad, Mallik & Hutter, IJCAI
//! 2021), as the package of that name decides.
//!
//! Brackets are Hyperband's in its `floor` arithmetic, `s_max` to 0 and again. Every number of
//! epochs has a subpopulation, as large as its largest rung, of uniform genomes at first.
//!
//! - In the first bracket of each kind, the first rung runs children, and a later one the best of
//!   the subpopulation below that are not in its own yet.
//! - After that every rung runs children. The target is the next place of the subpopulation, in
//!   turn. A mutant `a + factor (b - c)` is of three of the best of the subpopulation *below*
//!   (of its own, at a first rung), as many as the rung has trials; where these are fewer than
//!   three, mutants of all subpopulations fill them up. The child takes each gene of it with
//!   probability `crossover`, at least one. A gene outside of 0..1 is drawn anew.
//! - What ran takes the place of its target if its score at the rung is at least as large.
//!
//! **It brings its own proposals.** Who runs next depends on the subpopulation of the rung, which a
//! sampler cannot know: so DEHB is a scheduler that proposes points itself, and the run's sampler
//! is never asked. A child goes to the nearest free row, and the member is that row.
//!
//! **What is not the package's.** A promotion resumes the trial, which pays new epochs alone
//! (`--restart` charges all of them). A row runs once: where the package would run a configuration
//! again that has been promoted before, or that its stopper ended, the next best is promoted, and a
//! child where there is none. Trials that can be promoted no more are ended. Where the rows run
//! out, rungs go on with those they have.
//!
//! **Several workers** never wait: where a rung waits for its last trials, the next bracket begins,
//! and the oldest that can go on has precedence. The first brackets of each kind are told by how
//! many have begun: where many workers begin them all before a rung is over, nothing is promoted,
//! in the package as here. Scores are those at the rung; NaN is chance, or
//! the worst where no chance level is known. A trial that ends before its rung counts with what it
//! reported; one that was not measured there takes no place. What a warm start left paused runs
//! before new children do.

mod core;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use base::error::Result;
use base::units::{Epoch, TrialId};

use self::core::{Core, Individual, Job};
use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Proposal, Reason, Scheduler,
    SchedulerFactory, Side, State, Trait, View, Work, parameters,
};
use crate::kit::genes::{Genes, ordered};
use crate::kit::streams::Streams;
use crate::rungs::{
    AT_RUNG, Arithmetic, Plan, Span, left_by_earlier_phase, not_compared, score_at,
};

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (paper: eta).
        eta: u16 in 2..=65535 = 3,
        /// The first rung of the most eager bracket lies there or later.
        min: u16 in 1..=65535 = 1,
        /// Where trials end (paper: R); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
        /// What the difference of two members is multiplied by.
        factor: f64 in 0.0..=2.0 = 0.5,
        /// The chance that a gene comes from the mutant.
        crossover: f64 in 0.0..=1.0 = 0.5,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "dehb",
    summary: "Hyperband with differential evolution; proposes by itself, the sampler is not asked.",
    citation: "Awad, Mallik & Hutter, DEHB: Evolutionary Hyperband for scalable, robust and \
               efficient hyperparameter optimization, IJCAI 2021",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "DEHB 0.1.2",
        what: "bracket, epochs, target and promoted trial of every job, and the holders of every \
               place at the end, in 6 scripted runs of 120 to 260 jobs at 1 and 4 workers \
               (tests/golden/schedulers/make_dehb_golden.py); its children by those of `de`",
        result: "every decision equal",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max, factor, crossover } = Parameters::read(arguments)?;
    let span = Span::read("dehb", [eta, min, max], context)?;
    let plans = plans(span);
    let genes = Arc::new(Genes::new(context));
    Ok(Box::new(move |run| {
        let streams = Streams::new(run, "dehb");
        let rates = [factor, crossover];
        let mut start = streams.of("start");
        Box::new(Dehb {
            core: Core::new(Arc::clone(&genes), rates, Arc::clone(&plans), &mut start),
            genes: Arc::clone(&genes),
            streams,
            jobs: BTreeMap::new(),
            next_job: None,
            paused: BTreeSet::new(),
            left_over: VecDeque::new(),
            promoted: None,
            children: 0,
        })
    }))
}

/// The brackets in their order.
fn plans(span: Span) -> Arc<[Arc<Plan>]> {
    let numbers = (0..=span.halvings()).rev();
    numbers.map(|s| Arc::new(Plan::hyperband(span, Arithmetic::Floor, s))).collect()
}

struct Dehb {
    core: Core,
    genes: Arc<Genes>,
    streams: Streams,
    /// What each running trial is for.
    jobs: BTreeMap<TrialId, Job>,
    /// What the trial is for that is about to start.
    next_job: Option<Job>,
    /// Who may still be promoted.
    paused: BTreeSet<TrialId>,
    /// Paused trials of an earlier phase, which run before new ones do.
    left_over: VecDeque<TrialId>,
    /// Who was promoted last; for reasons.
    promoted: Option<TrialId>,
    children: u32,
}

impl Dehb {
    /// What becomes of a job whose trial has this score.
    fn complete(&mut self, view: &View<'_>, trial: TrialId, job: &Job, score: Option<f64>) {
        let individual = score.map(|score| Individual {
            genome: self.genes.of_row(view.trial(trial).config),
            // There is one zero.
            run: Some((trial, score + 0.0)),
        });
        self.core.complete(job, individual);
    }

    /// Goes on with a paused trial.
    fn resume(&mut self, bracket: usize, trial: TrialId) -> Work {
        let job = self.core.take(bracket);
        self.paused.remove(&trial);
        self.jobs.insert(trial, job);
        Work::Resume { trial, until: job.until }
    }

    /// Gives the next job of a bracket to what a warm start left over; none, where it had come that
    /// far already.
    fn resume_left_over(
        &mut self,
        view: &View<'_>,
        bracket: usize,
        trial: TrialId,
    ) -> Option<Work> {
        let until = self.core.until(bracket);
        if view.trial(trial).executed < until {
            return Some(self.resume(bracket, trial));
        }
        let job = self.core.take(bracket);
        self.complete(view, trial, &job, score_at(view, trial, until));
        self.paused.insert(trial);
        None
    }
}

impl Scheduler for Dehb {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        // What the sampler answers does not matter, but that nothing may start any more does.
        let may_start = fresh != Fresh::Exhausted;
        loop {
            if !self.core.promotes()
                && let Some(trial) = self.paused.pop_first()
            {
                return Work::Drop(trial);
            }
            let open = self.core.open_bracket();
            let may_begin = may_start || !self.left_over.is_empty();
            let Some(bracket) = open.or_else(|| may_begin.then(|| self.core.begin_bracket()))
            else {
                return Work::Wait;
            };
            let until = self.core.until(bracket);
            let may = |trial: TrialId| {
                let there = view.trial(trial);
                there.state == State::Paused && there.executed < until
            };
            if let Some(trial) = self.core.promotion(bracket, may) {
                self.promoted = Some(trial);
                return self.resume(bracket, trial);
            }
            if let Some(trial) = self.left_over.pop_front() {
                if let Some(work) = self.resume_left_over(view, bracket, trial) {
                    return work;
                }
            } else if may_start {
                let job = self.core.take(bracket);
                let mut stream = self.streams.decision("child", self.children);
                self.children += 1;
                let own = Some(Proposal::Point(self.core.breed(&job, &mut stream)));
                self.next_job = Some(job);
                return Work::New { until, bracket: self.core.number(bracket), own };
            } else {
                self.core.give_up(bracket);
            }
        }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        let job = self.jobs.remove(&trial).expect("it ran for a job");
        self.complete(view, trial, &job, score_at(view, trial, job.until));
        if self.core.promotes() && self.core.is_below_top(&job) {
            self.paused.insert(trial);
            Fate::Pause
        } else {
            Fate::Stop
        }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        let executed = view.trial(trial).executed;
        if view.trial(trial).state != State::Paused {
            return vec![if self.paused.contains(&trial) {
                not_compared(score_at(view, trial, executed), "compared once the rung is full")
            } else {
                // Trials of a later bracket, or with all the epochs that there are.
                Reason::end_of_trials(executed, executed)
            }];
        }
        if let Some(job) = self.jobs.get(&trial) {
            let cut = self.core.cut(job).filter(|_| self.promoted == Some(trial));
            let Some((last, bar)) = cut else { return vec![left_by_earlier_phase()] };
            let bar_is = "the last that goes on from the rung";
            let reason = Reason::score(AT_RUNG, score_at(view, trial, executed), Some(bar), bar_is);
            return vec![reason.made_by([last])];
        }
        if self.paused.contains(&trial) || self.left_over.contains(&trial) {
            let seen = score_at(view, trial, executed);
            return vec![not_compared(seen, "not promoted so far")];
        }
        #[expect(clippy::cast_precision_loss, reason = "brackets are few")]
        let [begun, promoting] = self.core.begun().map(|brackets| Some(brackets as f64));
        let bar_is = "brackets in which trials are promoted";
        vec![Reason::number("brackets begun", Side::Above, begun, promoting, bar_is)]
    }

    fn ends_at(&self) -> Option<Epoch> {
        Some(self.core.max())
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        if origin == Origin::EarlierPhase {
            if view.trial(trial).state == State::Paused {
                self.left_over.push_back(trial);
            }
            return;
        }
        let job = self.next_job.take().expect("it brought the trial along");
        self.jobs.insert(trial, job);
    }

    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        self.paused.remove(&trial);
        let Some(job) = self.jobs.remove(&trial) else { return };
        let told = view.trial(trial);
        let score = if told.state == State::Completed {
            view.last_measured(trial).map(|(_, score)| ordered(score))
        } else {
            Some(ordered(told.reported))
        };
        self.complete(view, trial, &job, score);
    }
}

#[cfg(test)]
mod tests;
