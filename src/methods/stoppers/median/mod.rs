//! The median rule, in the six forms in which it is in use.
//!
//! Golovin et al., "Google Vizier: a service for black-box optimization" (KDD 2017), section 3.2.2:
//! stop a trial at step s iff its best objective by then is strictly worse than the median of the
//! running averages, over steps 1 to s, of the completed trials. What others call by that name
//! differs from it, each in its own way:
//!
//! | variant | what of the trial | against the median of, or rank among |
//! |---|---|---|
//! | `vizier` | best so far | averages of epochs 1 to e, of completed and stopped trials |
//! | `optuna` | best so far | scores *at* e, of completed trials that have a value |
//! | `ray` | best so far | averages after `warmup`, of all that reported at e or later |
//! | `nni` | best so far | averages of the first k reports, of completed trials |
//! | `synetune` | average so far | averages of epochs 1 to e, of all that reported at e |
//! | `sagemaker` | score at e | as `vizier` |
//!
//! `vizier`: the paper says neither how many trials it takes nor whether stopped ones count; both
//! are ours. Vertex AI's reference has the same rule. `optuna` (4.9.0) is `percentile` at 50, see
//! there. `ray` (2.60.0) is without pausing trials for want of samples; the result at which a trial
//! was stopped counts twice in its average, as Ray's controller reports it twice. `nni` (3.0)
//! counts reports and not epochs, `warmup` as well, and takes the lower of the middle two.
//! `synetune` (0.16.0) stops iff more than the share `cutoff` of all averages at e, its own
//! included, are better: no median of others, and what was stopped counts too. `sagemaker` is what
//! AWS's documentation says; no code of it could be read. Each but `vizier` and `sagemaker` decides
//! exactly as the peer's own code (tests/golden/stoppers), up to the slack: a peer that compares
//! strictly may stop a trial by the last bit of an average.
//!
//! * NaN is chance, and worst of all where the table knows no chance level, for `vizier`, `nni` and
//!   `sagemaker`. For `synetune` it is worst, and so is every average after it. For `ray` an
//!   average with a NaN is left out, and a trial whose first report is NaN has no best and is
//!   stopped. For `optuna` it is left out.
//! * Epochs that were not measured are no reports: no check, and averages are of what was measured.
//! * A trial that completed early counts up to its last epoch. At equality, and within the slack of
//!   it, the trial goes on.
//!
//! A check is a look into a sorted list, one an epoch (and a binary search for `synetune`); every
//! trial costs an insertion an epoch.

mod averages;

use base::error::Result;
use base::units::{Epoch, TrialId};

use self::averages::Averages;
use super::percentile::Percentile;
use crate::interface::{
    Arguments, Comparison, Context, Entry, EpochScore, Looks, Reason, Side, State, Stopper,
    StopperFactory, Verdict, View, falls_below, parameters,
};
use crate::kit::pacing::{Bests, Pacing};

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// Whose rule.
        variant: Variant {
            Vizier = "vizier",
            Optuna = "optuna",
            Ray = "ray",
            Nni = "nni",
            SyneTune = "synetune",
            SageMaker = "sagemaker"
        } = "vizier",
        /// Completed trials before anything is stopped; 0: the variant's own (optuna 5, others
        /// none).
        startup: u32 in 0.. = 0,
        /// Trials to compare with at the epoch; 0: the variant's own (vizier 5, ray 3, synetune 5
        /// with the trial itself, others 1).
        least: u32 in 0.. = 0,
        /// First epochs in which nothing is stopped (Optuna: `n_warmup_steps`; one less than Ray's
        /// `grace_period` in epochs, Syne Tune's `grace_time`, NNI's `start_step` in reports).
        warmup: u16 in 0..=65534 = 0,
        /// Epochs from one check to the next (Optuna: `interval_steps`).
        interval: u16 in 1..=65535 = 1,
        /// Under variant=synetune: the share of averages that may be better (`rank_cutoff`).
        cutoff: f64 in 0.0..=1.0 = 0.5,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "median",
    summary: "Stops what is worse than the median of the other trials by the same epoch.",
    citation: "Golovin et al., Google Vizier: a service for black-box optimization, KDD 2017, and \
               as in Optuna 4.9.0, Ray 2.60.0, NNI 3.0, Syne Tune 0.16.0 and SageMaker",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "Optuna 4.9.0, Syne Tune 0.16.0, Ray 2.60.0, NNI 3.0",
            what: super::EVERY_STOP,
            result: "all equal, a variant each",
        },
        Comparison {
            with: "the texts of `vizier` and `sagemaker`, written out in Python",
            what: super::EVERY_STOP,
            result: "all equal",
        },
    ],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let mut parameters = Parameters::read(arguments)?;
    let (startup, least) = match parameters.variant {
        Variant::Optuna => (5, 1),
        Variant::Vizier | Variant::SyneTune => (0, 5),
        Variant::Ray => (0, 3),
        Variant::Nni | Variant::SageMaker => (0, 1),
    };
    if parameters.startup == 0 {
        parameters.startup = startup;
    }
    if parameters.least == 0 {
        parameters.least = least;
    }
    Ok(Box::new(move |_| {
        let Parameters { variant, startup, least, warmup, interval, .. } = parameters;
        let pacing = Pacing { warmup, interval };
        if variant == Variant::Optuna {
            return Some(Box::new(Percentile::new(0.5, startup, least, pacing)));
        }
        Some(Box::new(Median {
            parameters,
            pacing,
            averages: Averages::new(variant, warmup),
            bests: Bests::default(),
            completed: 0,
            ended_seen: None,
            compared: Compared::Nothing,
        }))
    }))
}

struct Median {
    /// With the variant's own numbers in place of 0.
    parameters: Parameters,
    pacing: Pacing,
    averages: Averages,
    bests: Bests,
    completed: u32,
    /// How many ended trials were taken in; `None` before the first check.
    ended_seen: Option<usize>,
    /// At the last check, for those who ask why.
    compared: Compared,
}

/// What a check compared.
#[derive(Debug, Clone, Copy)]
enum Compared {
    /// There was no check.
    Nothing,
    /// Too few trials have completed, or were measured.
    TooFew,
    /// What was seen, and the bar.
    Both(f64, f64),
}

impl Stopper for Median {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.catch_up(view);
        let stops = match self.parameters.variant {
            Variant::Ray => {
                // What others have come to by this epoch, and not yet the trial itself.
                self.averages.read(view, trial, Epoch(epoch.0 - 1));
                let stops = self.is_worse(view, trial, epoch);
                self.averages.read(view, trial, epoch);
                stops
            }
            Variant::SyneTune => {
                self.averages.read(view, trial, epoch);
                self.is_worse(view, trial, epoch)
            }
            _ => self.is_worse(view, trial, epoch),
        };
        if stops { Verdict::Stop { predicted: None } } else { Verdict::Go }
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let variant = self.parameters.variant;
        let (what, bar_is) = variant.words();
        let (seen, bar) = match self.compared {
            Compared::Nothing => return Vec::new(),
            Compared::TooFew => {
                return vec![Reason::score(
                    what,
                    None,
                    None,
                    "too few trials or reports to compare",
                )];
            }
            Compared::Both(seen, bar) => (seen, bar),
        };
        let reason = match variant {
            Variant::SyneTune => Reason::number(what, Side::Above, Some(seen), Some(bar), bar_is),
            _ if seen.is_nan() => Reason::score(what, Some(seen), Some(bar), "any number"),
            _ => Reason::score(what, Some(seen), Some(bar), bar_is),
        };
        if seen.is_nan() {
            return vec![reason];
        }
        let place = match variant {
            Variant::Nni => view.measured(trial).count(),
            _ => usize::from(epoch.0),
        };
        // Syne Tune ranks the trial among all, itself included.
        let own = (variant != Variant::SyneTune).then_some(trial);
        vec![reason.made_by(self.averages.trials_at(view, place, own))]
    }

    fn looks(&self) -> Looks {
        self.pacing.looks()
    }
}

impl Variant {
    /// What of a trial it compares, and with what.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Vizier => ("best so far", "median of the others' averages up to here"),
            Self::SageMaker => ("value at the epoch", "median of the others' averages up to here"),
            Self::Ray => ("best so far", "median of the others' averages, here or later"),
            Self::Nni => ("best so far", "lower median of completed trials' averages"),
            Self::SyneTune => ("share with a better average", "the rule's cutoff, of all here"),
            Self::Optuna => ("best so far", "median of completed trials here"),
        }
    }
}

impl Median {
    /// Takes in what has ended since.
    fn catch_up(&mut self, view: &View<'_>) {
        let variant = self.parameters.variant;
        let counts_all = matches!(variant, Variant::Ray | Variant::SyneTune);
        if self.ended_seen.is_none() && counts_all {
            // Paused in an earlier phase of the run.
            view.paused().for_each(|id| self.averages.read(view, id, view.trial(id).executed));
        }
        for &ended in &view.ended()[self.ended_seen.unwrap_or(0)..] {
            let trial = view.trial(ended);
            let completed = trial.state == State::Completed;
            self.completed += u32::from(completed && !trial.value.is_nan());
            let counts = match variant {
                Variant::Nni => completed,
                Variant::Vizier | Variant::SageMaker => completed || trial.state == State::Stopped,
                _ => true,
            };
            if counts {
                self.averages.read(view, ended, trial.executed);
            }
            if variant == Variant::Ray && trial.state == State::Stopped {
                self.averages.repeat_last(ended);
            }
        }
        self.ended_seen = Some(view.ended().len());
    }

    fn is_worse(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> bool {
        let Parameters { variant, startup, least, warmup, cutoff, .. } = self.parameters;
        self.compared = Compared::Nothing;
        if !self.pacing.is_due(view, trial, epoch) {
            return false;
        }
        self.compared = Compared::TooFew;
        if self.completed < startup {
            return false;
        }
        let reports = match variant {
            Variant::Nni => view.measured(trial).count(),
            _ => usize::from(epoch.0),
        };
        let others = self.averages.at(reports).filter(|others| others.count() >= least as usize);
        let Some(others) = others.filter(|_| reports > usize::from(warmup)) else {
            return false;
        };
        let read = |score: EpochScore| view.sanitised(score).map(worst_if_nan);
        let of_trial = view.curve(trial)[epoch.index()];
        let (score, bar) = match variant {
            Variant::SyneTune => {
                let better = share(others.above(self.averages.of(trial)), others.count());
                self.compared = Compared::Both(better, cutoff);
                return better > cutoff;
            }
            Variant::Ray => {
                let Some(best) = self.averages.best_with(trial, of_trial) else {
                    self.compared = Compared::Both(f64::NAN, f64::NEG_INFINITY);
                    return true;
                };
                (best, others.median())
            }
            Variant::Nni => {
                (self.bests.up_to(view, trial, epoch, read), others.lower_median().copied())
            }
            Variant::SageMaker => (read(of_trial).unwrap_or(f64::NEG_INFINITY), others.median()),
            Variant::Vizier | Variant::Optuna => {
                (self.bests.up_to(view, trial, epoch, read), others.median())
            }
        };
        if let Some(bar) = bar {
            self.compared = Compared::Both(score, bar);
        }
        bar.is_some_and(|bar| falls_below(score, bar))
    }
}

/// What is not a number is worse than every number.
fn worst_if_nan(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

#[expect(clippy::cast_precision_loss, reason = "counts of trials are far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
