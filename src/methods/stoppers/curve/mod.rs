//! Extrapolated learning curves: stop what will most likely not become the best.
//!
//! Domhan, Springenberg & Hutter, "Speeding up automatic hyperparameter optimization of deep neural
//! networks by extrapolation of learning curves" (IJCAI 2015), by the code that they published
//! (pylearningcurvepredictor, `terminationcriterion.py`). A weighted sum of eleven families of
//! curves, `y ~ N(sum_k w_k f_k(x), sigma^2)`, is fitted to the beginning of a trial's curve and
//! its posterior sampled: 100 walkers, 2,500 steps, of which 500 are dropped and every tenth sample
//! of the rest counts. `y*` is the best value of the trials that have ended. With `P = P(y_T >
//! y*)`,
//!
//! * `mode=conservative`: while there is no `y*`, and where the trial has been above it, the trial
//!   goes on. It is stopped iff `P < threshold` (and, if `deviation` is given, the deviation of
//!   `E[f(T)]` is below it).
//! * `mode=optimistic`: it is stopped iff the deviation of `E[f(T)]` is below `deviation` (0:
//!   0.005), whatever was predicted, or `P < threshold`; there need be no `y*` for the first.
//!
//! Either way only if the predicted value `E[f(T)]` lies in [0, 1], and that value is what the rule
//! predicts. The cut of `HyperDrive` is `steps=700`.
//!
//! * Curves are modelled as accuracies: a metric that is minimised as 1 less it, so that an error
//!   rate is an accuracy. What lies outside of [0, 1] is fitted as well as may be and never stopped
//!   for it, since the prediction lies outside too.
//! * NaN is chance; where the table knows no chance level the trial goes on. Epochs that were not
//!   measured are left out, and nothing is stopped at one.
//! * A plateau at the beginning is cut off as the published code does it, and the horizon is not
//!   moved, as there: `T` is the trial's last epoch.
//! * A trial with fewer than four measured epochs, or of which no family can be fitted, goes on.
//!   No family may fall from epoch 2 to the last: a curve that does is taken for a flat one.
//! * `P` and `E[f(T)]` are functions of the curve's beginning and of the sampling alone, the same
//!   in every run. They are kept with 41 places of the predicted distribution: `P` to 1e-3.
//! * The chain is short for its 48 dimensions: on another seed `P` moves by 0.013 in the median and
//!   by 0.11 or more in one of twenty cases, and by 0.26 from another point of a flat valley of the
//!   least squares, where searches end as they may. That is the paper's, and ours by intention.
//!
//! `curve-fast` is ours: the same decisions by least squares and a Laplace approximation of each
//! family, mixed by their evidence.
//!
//! A first check of a beginning costs a tenth of a second (`curve`) or some milliseconds
//! (`curve-fast`), each further one of the same beginning, in whatever run, less than 10 us.

mod criterion;
#[cfg(test)]
mod tests;

use base::error::{Result, fault};
use base::units::{Epoch, TrialId};

use self::criterion::{CHANCE, Criterion, Mode};
use crate::interface::{
    Arguments, Comparison, Context, Entry, Looks, Reason, Side, Stopper, StopperFactory, Trait,
    Verdict, View, parameters,
};
use crate::surrogates::curves::{EPOCHS_MIN, Forecasts, Model, Sampling};

parameters! {
    #[derive(Copy)]
    struct Sampled {
        /// When to stop (see the citation).
        mode: SampledMode { Conservative = "conservative", Optimistic = "optimistic" }
            = "conservative",
        /// The probability to exceed the best below which a trial is stopped.
        threshold: f64 in 0.0..=1.0 = 0.05,
        /// The deviation of the prediction below which it counts as certain; 0: none under
        /// mode=conservative, 0.005 under mode=optimistic.
        deviation: f64 in 0.0.. = 0.0,
        /// Epochs from one check to the next; 0: a tenth of the table's, rounded up.
        interval: u16 in 0..=65535 = 0,
        /// Measured epochs before the first check.
        least: u16 in 4..=65535 = 4,
        /// Walkers of the sampler, at least two a dimension in any case.
        walkers: u32 in 2..=10000 = 100,
        /// Steps of every walker (POP takes 700).
        steps: u32 in 1..=1_000_000 = 2500,
        /// The first steps, which are dropped.
        burn_in: u32 in 0..=999_999 = 500,
        /// Every so manieth of the samples that are left counts.
        thin: u32 in 1..=1_000_000 = 10,
    }
}

parameters! {
    #[derive(Copy)]
    struct Fast {
        /// When to stop, as for `curve`.
        mode: FastMode { Conservative = "conservative", Optimistic = "optimistic" }
            = "conservative",
        /// The probability to exceed the best below which a trial is stopped.
        threshold: f64 in 0.0..=1.0 = 0.05,
        /// The deviation of the prediction below which it counts as certain; 0: none under
        /// mode=conservative, 0.005 under mode=optimistic.
        deviation: f64 in 0.0.. = 0.0,
        /// Epochs from one check to the next; 0: a tenth of the table's, rounded up.
        interval: u16 in 0..=65535 = 0,
        /// Measured epochs before the first check.
        least: u16 in 4..=65535 = 4,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "curve",
    summary: "Stops what a sampled sum of curve families says will not exceed the best.",
    citation: "Domhan, Springenberg, Hutter, Speeding up automatic hyperparameter optimization of \
               deep neural networks by extrapolation of learning curves, IJCAI 2015",
    parameters: Sampled::SPECS,
    compared: COMPARED,
    traits: &[Trait::Predicts],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "emcee 3.1.6",
        what: "P(y_T > y*) for 7 y* each on 97 beginnings of recorded curves, from the same start, \
               100 walkers, 2,500 steps; tests/golden/curves/make_posteriors.py",
        result: "differs by 0.0116 and 0.0088 in the median and by 0.097 and 0.088 in the 95th \
                 percentile from its two seeds, which differ by 0.0126 and 0.109 themselves; from \
                 our own fits by 0.0139 and 0.0111, and by 0.26 and 0.29",
    },
    Comparison {
        with: "the termination criterion of pylearningcurvepredictor (4434802), on those samples",
        what: "whether 97 beginnings are stopped for 6 y* each, in either mode, threshold 0.05",
        result: "96.0 and 97.6 % alike, its own two seeds 96.4 %; from our least-squares fits, \
                 which end elsewhere than scipy's where a valley is flat, 90.9 and 90.0 %",
    },
];

pub(super) const FAST_ENTRY: Entry<StopperFactory> = Entry {
    name: "curve-fast",
    summary: "As `curve`, by least squares and Laplace approximations instead of a chain.",
    citation: "curvebook, after Domhan, Springenberg, Hutter, IJCAI 2015",
    parameters: Fast::SPECS,
    compared: &[],
    traits: &[Trait::Predicts],
    build: build_fast,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let parameters = Sampled::read(arguments)?;
    let Sampled { threshold, deviation, interval, least, walkers, steps, burn_in, thin, .. } =
        parameters;
    if burn_in >= steps {
        let rule = format!("drops all of the {steps} steps");
        let remedy = "make `burn_in` smaller or `steps` larger";
        return Err(fault("--stopper", "curve:burn_in", burn_in, rule, remedy));
    }
    let mode = match parameters.mode {
        SampledMode::Conservative => Mode::Conservative,
        SampledMode::Optimistic => Mode::Optimistic,
    };
    let whole = |n: u32| usize::try_from(n).expect("a usize has 32 bits");
    let model = Model::Posterior(Sampling {
        walkers: whole(walkers),
        steps: whole(steps),
        burn_in: whole(burn_in),
        thin: whole(thin),
    });
    let criterion = Criterion::new(mode, threshold, deviation);
    factory(model, criterion, (interval, least), context)
}

fn build_fast(arguments: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    let Fast { mode, threshold, deviation, interval, least } = Fast::read(arguments)?;
    let mode = match mode {
        FastMode::Conservative => Mode::Conservative,
        FastMode::Optimistic => Mode::Optimistic,
    };
    let criterion = Criterion::new(mode, threshold, deviation);
    factory(Model::Laplace, criterion, (interval, least), context)
}

fn factory(
    model: Model,
    criterion: Criterion,
    (interval, least): (u16, u16),
    context: &Context<'_>,
) -> Result<StopperFactory> {
    let forecasts = Forecasts::new(model, context)?;
    let interval = if interval == 0 { context.epochs.0.div_ceil(10).max(1) } else { interval };
    // The first epoch on the beat by which so many can have been measured.
    let first = least.checked_next_multiple_of(interval).unwrap_or(u16::MAX);
    Ok(Box::new(move |_| {
        Some(Box::new(Curve {
            forecasts: forecasts.clone(),
            criterion,
            first: Epoch(first),
            interval,
            least: usize::from(least).max(EPOCHS_MIN),
            best: None,
            ended_seen: 0,
        }))
    }))
}

struct Curve {
    forecasts: Forecasts,
    criterion: Criterion,
    first: Epoch,
    interval: u16,
    least: usize,
    /// y*, as a score.
    best: Option<f64>,
    /// How many ended trials have been considered.
    ended_seen: usize,
}

impl Stopper for Curve {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        for ended in &view.ended()[self.ended_seen..] {
            let value = view.trial(*ended).value;
            if !value.is_nan() {
                self.best = Some(self.best.map_or(value, |best| best.max(value)));
            }
        }
        self.ended_seen = view.ended().len();
        let predicted = self.predicted(view, trial, epoch);
        predicted.map_or(Verdict::Go, |value| Verdict::Stop { predicted: Some(value) })
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let not_compared = |why| vec![Reason::number(CHANCE, Side::Below, None, None, why)];
        if view.seen(trial, epoch).is_none() {
            return not_compared("not measured at the epoch");
        }
        let measured = || view.measured(trial).take_while(|(at, _)| *at <= epoch);
        if measured().count() < self.least {
            return not_compared("too few measured epochs");
        }
        let scale = self.forecasts.scale();
        let own_best = measured().map(|(_, score)| score).fold(f64::MIN, f64::max);
        let best = self.best.map(|best| scale.value(best));
        // The trial that made the best; the first of equals.
        let is_best = |id: &&TrialId| Some(view.trial(**id).value) == self.best;
        let maker = view.ended().iter().find(is_best).copied();
        if self.criterion.lets_go(scale.value(own_best), best) {
            let Some(best) = self.best else { return not_compared("no trial has ended") };
            let bar_is = "the best of the trials that have ended";
            let reason = Reason::score("best so far", Some(own_best), Some(best), bar_is);
            return vec![reason.made_by(maker)];
        }
        let Some(found) = self.forecasts.of(view, trial, epoch) else {
            return not_compared("no curve could be fitted");
        };
        let name = |reason: Reason| match reason.what {
            CHANCE => reason.made_by(maker),
            _ => reason,
        };
        self.criterion.reasons(&found, best).into_iter().map(name).collect()
    }

    fn looks(&self) -> Looks {
        Looks::From { first: self.first, step: self.interval }
    }
}

impl Curve {
    /// The predicted score of a trial that is stopped.
    fn predicted(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Option<f64> {
        view.seen(trial, epoch)?;
        let measured = || view.measured(trial).take_while(|(at, _)| *at <= epoch);
        let scale = self.forecasts.scale();
        let own_best = measured().map(|(_, score)| scale.value(score)).fold(f64::MIN, f64::max);
        let best = self.best.map(|best| scale.value(best));
        if measured().count() < self.least || self.criterion.lets_go(own_best, best) {
            return None;
        }
        let found = self.forecasts.of(view, trial, epoch)?;
        self.criterion.stops(&found, best).then(|| scale.score(found.mean()))
    }
}
