//! Optuna's patient rule: what another rule would stop, but only while it does not improve.
//!
//! Optuna 4.9.0, `PatientPruner`: of a trial's reports the last `patience + 1` are held against all
//! before them. Only if the best of the earlier ones, less `min_delta`, is strictly above the best
//! of the late ones does the wrapped rule's word count. With `rule=none` such a trial is stopped
//! without asking anybody (Optuna: `wrapped_pruner=None`).
//!
//! * Reports are epochs that were measured, NaN too; it takes `patience + 2` of them.
//! * NaN is left out of both bests; where either part is nothing but NaN the trial goes on, even a
//!   diverged one. Chance plays no part.
//! * At equality, and within the slack of it, the trial goes on.
//! * The wrapped rule is asked after all epochs that it looks at, whether its word counts or not:
//!   it may have to know how trials have come along. Optuna's rules cannot tell the difference.
//!
//! A check is one pass over the trial's own epochs, and what the wrapped rule's takes.

use base::error::{Result, fault};
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, RunContext, Stopper, StopperFactory,
    Trait, Verdict, View, falls_below, parameters,
};

parameters! {
    struct Parameters {
        /// The rule to ask; none: what does not improve is stopped.
        rule: Method<StopperFactory> in super::REGISTRY = "none",
        /// Reports without improvement to wait for (Optuna: patience, without a default).
        patience: u16 in 0..=65533 = 2,
        /// What counts as improvement, in the metric's unit.
        min_delta: f64 in 0.0.. = 0.0,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "patient",
    summary: "Stops what another rule would stop, once it has not improved for some epochs.",
    citation: "PatientPruner of Optuna 4.9.0 (Akiba et al., KDD 2019)",
    parameters: Parameters::SPECS,
    compared: &[Comparison { with: "Optuna 4.9.0", what: super::EVERY_STOP, result: "all equal" }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { rule, patience, min_delta } = Parameters::read(arguments)?;
    let stops_nothing = rule.has(Trait::NeverStops);
    let canonical = rule.canonical.clone();
    let rule = rule.build(context)?;
    let first = Epoch(patience + 2);
    let any_run = RunContext { seed: 0, repeat: 0, threads: 1 };
    if let Some(inner) = rule(&any_run) {
        // Where it looks past the last epoch in any case, that is said by what builds the run.
        let is_late = inner.looks().next_after(Epoch(patience + 1)).is_none();
        if is_late && inner.looks().next_after(Epoch(0)).is_some() {
            let rule = format!("looks for the last time before epoch {first}, where patience ends");
            let remedy = "let it look later, or have less patience";
            return Err(fault("--stopper", "patient:rule", canonical, rule, remedy));
        }
    }
    let too_late = first > context.epochs;
    Ok(Box::new(move |run| {
        let inner = rule(run);
        if inner.is_none() && !stops_nothing {
            return None;
        }
        Some(Box::new(Patient { rule: inner, patience, min_delta, too_late }))
    }))
}

struct Patient {
    /// `None` stops whatever does not improve.
    rule: Option<Box<dyn Stopper>>,
    patience: u16,
    min_delta: f64,
    /// Whether the table's curves end before patience does.
    too_late: bool,
}

impl Stopper for Patient {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        let verdict = match &mut self.rule {
            Some(rule) => rule.at_epoch(view, trial, epoch),
            None => Verdict::Stop { predicted: None },
        };
        if verdict == Verdict::Go || !self.is_stuck(view, trial) {
            return Verdict::Go;
        }
        verdict
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let inner = self.rule.as_ref().map(|rule| rule.reasons(view, trial, epoch));
        // A rule that compared nothing here stopped nothing.
        if inner.as_ref().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
        let (early, late) = self.bests(view, trial);
        let what = "best of the last reports";
        let number = |score: f64| (score > f64::NEG_INFINITY).then_some(score);
        let bar = number(early).filter(|_| number(late).is_some());
        let own = match bar {
            Some(bar) => {
                let bar = bar - self.min_delta;
                Reason::score(what, Some(late), Some(bar), "best before, less min_delta")
            }
            None => Reason::score(what, number(late), None, "too few numbers to wait for"),
        };
        [own].into_iter().chain(inner.into_iter().flatten()).collect()
    }

    fn looks(&self) -> Looks {
        match &self.rule {
            // Also in place of the rule's own: what can never be stopped must not go unnoticed.
            Some(rule) if !self.too_late => rule.looks(),
            _ => Looks::From { first: Epoch(self.patience + 2), step: 1 },
        }
    }

    fn looks_at_running(&self) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.looks_at_running())
    }
}

impl Patient {
    /// Whether the last reports are all worse than the best before them.
    fn is_stuck(&self, view: &View<'_>, trial: TrialId) -> bool {
        let (early, late) = self.bests(view, trial);
        // Nothing but NaN in either part compares with nothing.
        early > f64::NEG_INFINITY
            && late > f64::NEG_INFINITY
            && falls_below(late, early - self.min_delta)
    }

    /// The best of the reports before the last ones, and of those; minus infinity of no number.
    fn bests(&self, view: &View<'_>, trial: TrialId) -> (f64, f64) {
        let late_count = usize::from(self.patience) + 1;
        let (mut early, mut late) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let reports = view.curve(trial).iter().filter(|score| score.is_measured());
        for (back, score) in reports.rev().enumerate() {
            let best = if back < late_count { &mut late } else { &mut early };
            *best = score.number().map_or(*best, |score| best.max(score));
        }
        (early, late)
    }
}
