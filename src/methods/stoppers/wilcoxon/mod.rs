//! Optuna's Wilcoxon rule: a signed-rank test against the best trial, epoch by epoch.
//!
//! Optuna 4.9.0, `WilcoxonPruner`: the differences to the best completed trial, at the steps that
//! both reported, are tested with the signed-rank test ("the trial is worse", zeros split). A trial
//! is stopped iff the p-value is below `p`, unless the mean of all its reports is no worse than the
//! mean of all of the best trial's. It is made for steps that are exchangeable (folds, instances);
//! on learning curves, whose epochs are not independent, it is a heuristic.
//!
//! * The best trial is that of the largest value (by the run's value mode) among the completed
//!   ones; ties keep the one that completed first. Before there is one nothing is stopped. Its mean
//!   is over its whole curve, and so is above what it had come to by the same epoch: early in
//!   training the second condition seldom holds anything back.
//! * A NaN among the reports of either trial, and nothing is stopped. Chance plays no part.
//! * What was not measured is no report, and there is no check there.
//! * It takes `steps` pairs, and 2 at least. The p-value is that of scipy 1.17.1 (see
//!   `rank_test`). At equality with `p`, and within the slack of it, the trial goes on.
//!
//! A check sorts the differences: O(e log e) for e epochs.

mod rank_test;

use std::sync::Arc;

use base::error::Result;
use base::units::{Epoch, TrialId};

use self::rank_test::RankTest;
use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Side, State, Stopper, StopperFactory,
    Verdict, View, falls_below, parameters,
};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// Below which p-value a trial is stopped (Optuna: `p_threshold`).
        p: f64 in 0.0..=1.0 = 0.1,
        /// Pairs of reports to compare, 2 at least (Optuna: `n_startup_steps`).
        steps: u16 in 0..=65535 = 2,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "wilcoxon",
    summary: "Stops what a signed-rank test finds worse than the best trial, epoch by epoch.",
    citation: "WilcoxonPruner of Optuna 4.9.0 (Akiba et al., KDD 2019)",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Optuna 4.9.0, scipy 1.17.1",
        what: super::EVERY_STOP,
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { p, steps } = Parameters::read(arguments)?;
    let test = Arc::new(RankTest::up_to(usize::from(context.epochs.0)));
    Ok(Box::new(move |_| {
        let test = Arc::clone(&test);
        Some(Box::new(Wilcoxon { p, steps: steps.max(2), test, best: None, ended_seen: 0 }))
    }))
}

/// What the rule compares with.
struct Best {
    trial: TrialId,
    /// The mean of its reports; `None` where one of them is NaN.
    mean: Option<f64>,
}

struct Wilcoxon {
    p: f64,
    steps: u16,
    test: Arc<RankTest>,
    best: Option<Best>,
    ended_seen: usize,
}

impl Stopper for Wilcoxon {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        if self.is_worse(view, trial, epoch) {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let (what, own_mean) = ("mean so far", mean(view, trial));
        if !view.curve(trial)[epoch.index()].is_measured() {
            return Vec::new();
        }
        let Some(best) = &self.best else {
            let seen = Some(own_mean.unwrap_or(f64::NAN));
            return vec![Reason::score(what, seen, None, "no trial has completed")];
        };
        let (Some(own_mean), Some(mean_of_best)) = (own_mean, best.mean) else {
            let seen = Some(own_mean.unwrap_or(f64::NAN));
            let bar_is = "a NaN in this trial or the best one";
            return vec![Reason::score(what, seen, None, bar_is).made_by([best.trial])];
        };
        let bar_is = "mean of the whole best completed trial";
        let means = Reason::score(what, Some(own_mean), Some(mean_of_best), bar_is);
        let differences = differences(view, trial, best.trial);
        let name = "p-value of being no worse";
        let p_value = if differences.len() >= usize::from(self.steps) {
            let p_value = self.test.p_less(&differences);
            let bar_is = "the rule's p, against the best completed trial";
            Reason::number(name, Side::Below, Some(p_value), Some(self.p), bar_is)
        } else {
            Reason::number(name, Side::Below, None, None, "too few epochs that both have")
        };
        vec![p_value.made_by([best.trial]), means.made_by([best.trial])]
    }

    fn looks(&self) -> Looks {
        Looks::From { first: Epoch(self.steps), step: 1 }
    }
}

impl Wilcoxon {
    /// Looks for a better trial among those that have completed since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            let trial = view.trial(ended);
            if trial.state != State::Completed || trial.value.is_nan() {
                continue;
            }
            let best = self.best.as_ref().map(|best| view.trial(best.trial).value);
            if best.is_none_or(|best| trial.value > best) {
                self.best = Some(Best { trial: ended, mean: mean(view, ended) });
            }
        }
        self.ended_seen = view.ended().len();
    }

    fn is_worse(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> bool {
        if !view.curve(trial)[epoch.index()].is_measured() {
            return false;
        }
        let Some(Best { trial: best, mean: Some(mean_of_best) }) = self.best else {
            return false;
        };
        let Some(own_mean) = mean(view, trial) else {
            return false;
        };
        let differences = differences(view, trial, best);
        differences.len() >= usize::from(self.steps)
            && falls_below(own_mean, mean_of_best)
            && falls_below(self.test.p_less(&differences), self.p)
    }
}

/// How far a trial lies above the best one, at the epochs that both reported.
fn differences(view: &View<'_>, trial: TrialId, best: TrialId) -> Vec<f64> {
    let pairs = view.curve(trial).iter().zip(view.curve(best));
    pairs.filter_map(|(own, best)| Some(own.number()? - best.number()?)).collect()
}

/// The mean of a trial's reports; `None` where one of them is NaN, and of none.
fn mean(view: &View<'_>, trial: TrialId) -> Option<f64> {
    let (mut count, mut sum) = (0_u32, 0.0);
    for score in view.curve(trial).iter().filter(|score| score.is_measured()) {
        (count, sum) = (count + 1, sum + score.number()?);
    }
    (count > 0).then(|| sum / f64::from(count))
}
