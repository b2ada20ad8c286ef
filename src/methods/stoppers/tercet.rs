//! DEEP-BO's compound rule (`DecaTercet` at beta = 0.1): two checks against percentiles of means.
//!
//! DEEP-BO (SNU-DRL, `trainers/remote/threshold_etr.py`; the emulator's file passes its share twice
//! through 1 - x and so has both checks at the same percentile, apparently a slip). On curves of T
//! epochs, with h = floor(T / 2) and l = floor(T (1 - beta)):
//!
//! * early, at epoch h: stop iff y\[h] is strictly below the `100 beta`-th percentile of the mean
//!   scores over epochs 1 to h;
//! * late, at epoch l: stop iff y\[l] is strictly below the `100 (1 - beta)`-th percentile of the
//!   mean scores over epochs h to l.
//!
//! The means are those of all trials that have completed or were stopped, and came as far as the
//! check, and the trial's own. Percentiles interpolate linearly, as numpy's. Where l is not after h
//! there is no late check. The source was read, not run.
//!
//! NaN is chance. Where the table knows no chance level a mean with a NaN in it is left out, as in
//! the source, and a trial that is NaN at a check is stopped. What was not measured is left out of
//! means; where that is the check itself, there is none, and the late one is still held. At
//! equality, and within the slack of it, the trial goes on. A check is a binary search.

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, State, Stopper, StopperFactory, Verdict,
    View, falls_below, parameters,
};
use crate::kit::ranked::Ranked;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// What is dropped early and survives late, as a share (DEEP-BO: `survive_ratio`).
        beta: f64 in 0.0..=0.5 = 0.1,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "tercet",
    summary: "Stops at half of the epochs what is among the worst, near the end all but the best.",
    citation: "the compound rule of DEEP-BO: Cho et al., Basic enhancement strategies when using \
               Bayesian optimization for hyperparameter tuning of deep neural networks, IEEE \
               Access 8, 2020",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "DEEP-BO's source, written out in Python",
        what: super::EVERY_STOP,
        result: "all equal",
    }],
    traits: &[],
    build,
};

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a number of epochs, at most that number"
)]
fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Parameters { beta } = Parameters::read(arguments)?;
    let epochs = context.epochs.0;
    let half = epochs / 2;
    let late = (f64::from(epochs) * (1.0 - beta)) as u16;
    let mut checks = vec![Check { first: Epoch(1), at: Epoch(half), share: beta }];
    if late > half {
        checks.push(Check { first: Epoch(half.max(1)), at: Epoch(late), share: 1.0 - beta });
    }
    checks.retain(|check| check.at.0 > 0);
    let looks = match &checks[..] {
        // Half of one epoch: what looks nowhere must not go unnoticed.
        [] => Looks::only(Epoch(epochs.saturating_add(1))),
        checks => Looks::These(checks.iter().map(|check| check.at).collect()),
    };
    Ok(Box::new(move |_| {
        let means = vec![Ranked::default(); checks.len()];
        let (checks, looks) = (checks.clone(), looks.clone());
        Some(Box::new(Tercet { checks, means, looks, ended_seen: 0 }))
    }))
}

#[derive(Debug, Clone, Copy)]
struct Check {
    /// Where the mean begins.
    first: Epoch,
    at: Epoch,
    /// The quantile of the means to reach.
    share: f64,
}

impl Check {
    /// Whether the trial has ended in a way that counts, and came so far.
    fn counts(&self, view: &View<'_>, trial: TrialId) -> bool {
        let trial = view.trial(trial);
        let counts = matches!(trial.state, State::Completed | State::Stopped);
        counts && trial.executed >= self.at
    }

    /// The mean of a trial that has come so far; `None` of nothing measured, or with a NaN.
    fn mean(&self, view: &View<'_>, trial: TrialId) -> Option<f64> {
        let window = view.measured(trial);
        let window = window.filter(|(epoch, _)| (self.first..=self.at).contains(epoch));
        let (mut count, mut sum) = (0_u16, 0.0);
        window.for_each(|(_, score)| (count, sum) = (count + 1, sum + score));
        let mean = sum / f64::from(count);
        (!mean.is_nan()).then_some(mean)
    }
}

struct Tercet {
    checks: Vec<Check>,
    /// By check: the means of ended trials.
    means: Vec<Ranked>,
    looks: Looks,
    ended_seen: usize,
}

impl Stopper for Tercet {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        let Some(score) = view.seen(trial, epoch) else {
            return Verdict::Go;
        };
        let bar = self.bar(view, trial, self.check_at(epoch));
        let is_worse = |bar| score.is_nan() || falls_below(score, bar);
        if bar.is_some_and(is_worse) { Verdict::Stop { predicted: None } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let at = self.check_at(epoch);
        let check = self.checks[at];
        let bar = self.bar(view, trial, at);
        let bar_is = match bar {
            None => "no mean to compare with",
            Some(_) if check.at.0 <= view.epochs.0 / 2 => "a low percentile of means up to here",
            Some(_) => "a high percentile of means over the later half",
        };
        let counts = |id: &TrialId| *id == trial || check.counts(view, *id);
        let with_own = view.ended().iter().copied().chain([trial]);
        let made_by = with_own.filter(|id| counts(id) && check.mean(view, *id).is_some());
        let seen = view.seen(trial, epoch);
        vec![Reason::score("value at the epoch", seen, bar, bar_is).made_by(made_by)]
    }

    fn looks(&self) -> Looks {
        self.looks.clone()
    }
}

impl Tercet {
    /// Which check is at an epoch.
    fn check_at(&self, epoch: Epoch) -> usize {
        let found = self.checks.iter().position(|check| check.at == epoch);
        found.expect("the engine asks when a rule looks")
    }

    /// What the trial must not fall below.
    fn bar(&self, view: &View<'_>, trial: TrialId, at: usize) -> Option<f64> {
        let Check { share, .. } = self.checks[at];
        match self.checks[at].mean(view, trial) {
            Some(own) => self.means[at].quantile_with(own, share),
            None => self.means[at].quantile(share),
        }
    }

    /// Takes in the trials that have ended since.
    fn catch_up(&mut self, view: &View<'_>) {
        for &ended in &view.ended()[self.ended_seen..] {
            for (check, means) in self.checks.iter().zip(&mut self.means) {
                if check.counts(view, ended)
                    && let Some(mean) = check.mean(view, ended)
                {
                    means.insert(mean);
                }
            }
        }
        self.ended_seen = view.ended().len();
    }
}
