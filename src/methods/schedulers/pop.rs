//! POP: the likely winners get workers of their own, the others take turns.
//!
//! Rasley, He, Yan, Ruwase, Fonseca, "`HyperDrive`: exploring hyperparameters with POP
//! scheduling" (Middleware 2017). Neither the paper's text nor its code could be read here: this is
//! the scheme as it is known from its summaries, and no reproduction.
//!
//! Of the trials under way, `p_i` is the probability that trial `i` will have reached the goal at
//! its last epoch, by Domhan's posterior of its curve (see the rule `curve`). For a probability `p`
//! the trials with `p_i >= p` could use as many workers, `S_desired(p)`, and deserve
//! `S_deserved(p) = S p` of all `S`; `p*` maximises the smaller of the two, the larger `p` at ties.
//!
//! * Promising, `p_i >= p*`: such a trial keeps its worker, or is the next to be resumed, the
//!   likeliest first.
//! * Poor, `p_i < kill`, or a best score below chance + `epsilon`: it is stopped. Without a known
//!   chance level the second is left out.
//! * Opportunistic, the rest: they take turns of `boundary` epochs, first come, first served, on
//!   the workers that are left. New trials come before them, until `jobs` are under way.
//!
//! All this is asked at each boundary of a trial. What has fewer than four measured epochs, or no
//! posterior, or has not come to its first boundary, has no `p_i` and is opportunistic. With one
//! worker the likeliest runs. Ties of `p_i` are for the older trial. Trials that an earlier phase
//! of the run has paused take turns too.
//!
//! A boundary costs an extrapolation (a tenth of a second by `model=posterior` the first time that
//! a table's curve is seen so far), and a sort of the trials under way.

use std::collections::VecDeque;

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Context, Entry, Fate, Fresh, Origin, Reason, Scheduler, SchedulerFactory, Side,
    State, Trait, View, Work, falls_below, parameters,
};
use crate::surrogates::curves::{Forecasts, Model, Sampling};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// Epochs of a turn.
        boundary: u16 in 1..=65535 = 10,
        /// The probability to reach the goal below which a trial is stopped.
        kill: f64 in 0.0..=1.0 = 0.05,
        /// Above chance, in the metric's unit: what a trial must have shown at its boundaries.
        epsilon: f64 in 0.0.. = 0.0,
        /// Trials under way at once.
        jobs: u32 in 1.. = 100,
        /// How curves are extrapolated: as by `curve`, or as by `curve-fast`.
        model: Extrapolating { Posterior = "posterior", Laplace = "laplace" } = "posterior",
        /// Steps of every walker under model=posterior, of which the first 500 are dropped.
        steps: u32 in 501..=1_000_000 = 700,
    }
}

/// As in Domhan's code.
const BURN_IN: usize = 500;

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "pop",
    summary: "Gives workers of their own to trials that will likely reach the goal; the rest take \
              turns.",
    citation: "after Rasley, He, Yan, Ruwase, Fonseca, HyperDrive: exploring hyperparameters with \
               POP scheduling, Middleware 2017 (from summaries of it)",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[Trait::GoalAware, Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let parameters = Parameters::read(arguments)?;
    let steps = usize::try_from(parameters.steps).expect("a usize has 32 bits");
    let model = match parameters.model {
        Extrapolating::Laplace => Model::Laplace,
        Extrapolating::Posterior => {
            Model::Posterior(Sampling { steps, burn_in: BURN_IN, ..Sampling::default() })
        }
    };
    let forecasts = Forecasts::new(model, context)?;
    Ok(Box::new(move |_| {
        Box::new(Pop {
            parameters,
            forecasts: forecasts.clone(),
            chances: Vec::new(),
            is_under_way: Vec::new(),
            turns: VecDeque::new(),
        })
    }))
}

struct Pop {
    parameters: Parameters,
    forecasts: Forecasts,
    /// By trial: `p_i`; NaN where it has none or is over.
    chances: Vec<f64>,
    /// By trial.
    is_under_way: Vec<bool>,
    /// The paused trials, in the order of their turns.
    turns: VecDeque<TrialId>,
}

impl Scheduler for Pop {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let bar = self.promising_from(view);
        let chance = |trial: &TrialId| self.chances[trial.index()];
        let is_promising = |trial: &TrialId| bar.is_some_and(|bar| chance(trial) >= bar);
        let promising = self.turns.iter().enumerate().filter(|(_, trial)| is_promising(trial));
        let likeliest = promising
            .max_by(|(_, a), (_, b)| chance(a).total_cmp(&chance(b)).then_with(|| b.cmp(a)));
        let at = likeliest.map(|(at, _)| at);
        let under_way = self.is_under_way.iter().filter(|is| **is).count();
        let may_start = fresh == Fresh::Ready && under_way < self.parameters.jobs as usize;
        if at.is_none() && may_start {
            return Work::New { until: self.turn_of(view, Epoch(0)), bracket: 0, own: None };
        }
        match self.turns.remove(at.unwrap_or(0)) {
            Some(trial) => {
                let until = self.turn_of(view, view.trial(trial).executed);
                Work::Resume { trial, until }
            }
            None => Work::Wait,
        }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        let executed = view.trial(trial).executed;
        let goal = view.goal.expect("a method that is told the goal");
        let found = self.forecasts.of(view, trial, executed);
        let goal = self.forecasts.scale().value(goal);
        let chance = found.map_or(f64::NAN, |found| found.probability_above(goal));
        self.chances[trial.index()] = chance;
        // NaN is not below anything.
        if chance < self.parameters.kill || self.is_at_chance(view, trial) {
            return Fate::Stop;
        }
        if self.promising_from(view).is_some_and(|bar| chance >= bar) {
            return Fate::Go { until: self.turn_of(view, executed) };
        }
        self.turns.push_back(trial);
        Fate::Pause
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.chances.resize(view.trials().len(), f64::NAN);
        self.is_under_way.resize(view.trials().len(), false);
        let is_paused = view.trial(trial).state == State::Paused;
        if origin == Origin::EarlierPhase && is_paused {
            self.turns.push_back(trial);
        }
        self.is_under_way[trial.index()] = origin != Origin::EarlierPhase || is_paused;
    }

    fn ended(&mut self, _: &View<'_>, trial: TrialId) {
        if let Some(chance) = self.chances.get_mut(trial.index()) {
            *chance = f64::NAN;
            self.is_under_way[trial.index()] = false;
        }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        let chance = self.chances[trial.index()];
        let compared = |bar, bar_is| {
            let seen = (!chance.is_nan()).then_some(chance);
            Reason::number(CHANCE, Side::Below, seen, bar, bar_is)
        };
        // Whether it is no guess, and whether it is not poor: what ends a trial.
        let kill = (!chance.is_nan()).then_some(self.parameters.kill);
        let mut all = vec![match kill {
            Some(kill) => compared(Some(kill), "below which a trial is poor"),
            None => compared(None, "not known yet"),
        }];
        if let Some((best, bar)) = self.over_chance(view, trial) {
            all.push(Reason::score("best so far", Some(best), Some(bar), "guessing, and epsilon"));
        }
        if all.iter().any(Reason::fails) {
            all.retain(Reason::fails);
            return all;
        }
        let bar = self.promising_from(view).filter(|_| !chance.is_nan());
        let is_resumed = view.trial(trial).state == State::Paused && !self.turns.contains(&trial);
        all.push(match bar {
            Some(bar) if !is_resumed || chance >= bar => {
                let makers = (0..).map(TrialId).zip(&self.chances);
                let makers = makers.filter(|(_, of)| **of == bar).map(|(id, _)| id);
                compared(Some(bar), "from which on trials are promising").made_by(makers)
            }
            _ if is_resumed => compared(None, "its turn has come"),
            _ => compared(None, "nobody deserves a worker"),
        });
        all
    }
}

/// What trials are told apart by, as reasons call it.
const CHANCE: &str = "probability to reach the goal";

impl Pop {
    /// Where the next turn ends.
    fn turn_of(&self, view: &View<'_>, executed: Epoch) -> Epoch {
        Epoch(executed.0.saturating_add(self.parameters.boundary)).min(view.epochs)
    }

    /// p*; `None` where no trial has a probability.
    fn promising_from(&self, view: &View<'_>) -> Option<f64> {
        let known = self.chances.iter().copied().filter(|chance| !chance.is_nan());
        let mut known: Vec<f64> = known.collect();
        known.sort_by(|a, b| b.total_cmp(a));
        promising_from(&known, view.workers)
    }

    /// Whether all that a trial has shown is no better than guessing.
    fn is_at_chance(&self, view: &View<'_>, trial: TrialId) -> bool {
        self.over_chance(view, trial).is_some_and(|(best, bar)| falls_below(best, bar))
    }

    /// The best of a trial, and what it must reach to be better than guessing. `None` where nothing
    /// was measured, or no chance level is known.
    fn over_chance(&self, view: &View<'_>, trial: TrialId) -> Option<(f64, f64)> {
        let best = view.measured(trial).map(|(_, score)| score).reduce(f64::max);
        best.zip(view.chance.map(|chance| chance + self.parameters.epsilon))
    }
}

/// The probability from which on trials are promising: that with the most effective workers, the
/// largest at ties; `None` where nobody deserves a worker. `known` are the probabilities of all
/// trials, the largest first.
fn promising_from(known: &[f64], workers: u32) -> Option<f64> {
    let mut best = None;
    for (at, chance) in known.iter().enumerate() {
        if known.get(at + 1) == Some(chance) {
            // They all desire as many as the last of them.
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "trials under way")]
        let desired = (at + 1) as f64;
        let effective = desired.min(f64::from(workers) * chance);
        if best.is_none_or(|(most, _)| effective > most) {
            best = Some((effective, *chance));
        }
    }
    best.filter(|(effective, _)| *effective > 0.0).map(|(_, chance)| chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_where_workers_are_both_wanted_and_deserved() {
        assert_eq!(promising_from(&[], 4), None);
        // One worker is deserved by the likeliest alone.
        assert_eq!(promising_from(&[0.9, 0.8, 0.1], 1), Some(0.9));
        // Of 4: min(1, 3.6) = 1, min(2, 3.2) = 2, min(3, 0.4) = 0.4.
        assert_eq!(promising_from(&[0.9, 0.8, 0.1], 4), Some(0.8));
        // min(1, 2.0), min(2, 1.6), min(3, 1.2): 1.6 is the most.
        assert_eq!(promising_from(&[0.5, 0.4, 0.3], 4), Some(0.4));
        // Two of 0.5 and four of 0.25 both have 2 of 8: the larger.
        assert_eq!(promising_from(&[0.5, 0.5, 0.25, 0.25, 0.25], 8), Some(0.5));
        assert_eq!(promising_from(&[0.5, 0.5, 0.25, 0.25], 4), Some(0.5));
        // Equal ones are promising together.
        assert_eq!(promising_from(&[0.5; 6], 8), Some(0.5));
        assert_eq!(promising_from(&[0.0, 0.0], 8), None);
    }
}
