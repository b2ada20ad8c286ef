//! Optuna's terminator: the search is over once the best value can hardly be improved on.
//!
//! A Gaussian process of the values that were seen (the kernel, prior and fit of `gp:fit=map`) says
//! how much the best may still lack, and what that must fall below is one of two errors.
//!
//! `improvement`:
//!
//! * `bound` (Makarova et al. 2022, `RegretBoundEvaluator` of Optuna 4.9.0), of the best trials, a
//!   share `top` of them and at least `top_least`: the largest upper confidence bound anywhere less
//!   the largest lower one at those trials, in the metric's unit.
//! * `emmr` (Ishibashi et al. 2023, `EMMREvaluator`): the expected minimum model regret, of all
//!   trials. It is in deviations of the values, and what it falls below must be too.
//!
//! `error`:
//!
//! * `median` (`MedianErrorEvaluator`): a share `ratio` of the median of the improvements after 1,
//!   2, ..., `first` trials that follow the first `warmup` ones, which are taken as if they alone
//!   had run. It is computed once, when they have ended.
//! * `fixed` (`StaticErrorEvaluator`): `threshold`.
//!
//! Optuna's error by default, that of cross-validation, is left out: a table has one value of a
//! configuration.
//!
//! * "Anywhere" is every row of the table, and of more than 2,048 as many draws of them, each time
//!   anew; Optuna draws 2,048 points of the space.
//! * `d` of the bound is the number of parameters, conditional and single-valued ones included,
//!   which Optuna leaves out where a trial lacks them. An inactive one stands at the middle.
//! * Trials that count are those that ran their last epoch (Optuna's), or with `count=all` whatever
//!   ended. One without a finite value does not count. They are in the order of their ids, which
//!   `emmr` and `median` depend on.
//! * Where no process can be fitted nothing is over; equality does not end a run.
//!
//! # Cost
//!
//! Each check fits a process, `emmr` two: with `n` trials in it each step of a fit takes `n^3 / 2`
//! multiplications, and each row `n^2 / 2`. `bound` takes half of the trials. `every` checks more
//! seldom.

mod bound;

use std::sync::Arc;

use base::error::Result;
use base::units::TrialId;

use self::bound::Belief;
use crate::interface::{
    Arguments, Comparison, Context, Ending, EndingFactory, Entry, State, View, parameters,
};
use crate::kit::draws;
use crate::kit::encoding::Categorical;
use crate::kit::streams::Streams;
use crate::surrogates::gaussian_process::Inputs;
use crate::surrogates::gaussian_process::pool::table_rows;

parameters! {
    struct Parameters {
        /// What may still be gained: the regret's bound, or the expected minimum model regret.
        improvement: Improvement { Bound = "bound", Emmr = "emmr" } = "bound",
        /// What that must fall below: a share of its first median, or a threshold.
        error: Error { Median = "median", Fixed = "fixed" } = "median",
        /// Of error=fixed: in the metric's unit, of emmr in deviations of the values.
        threshold: f64 in 0.0.. = 0.01,
        /// Of error=median: the share of the median.
        ratio: f64 in 0.0.. = 0.01,
        /// Of error=median: trials before those that make the median.
        warmup: usize in 0..=100_000 = 10,
        /// Of error=median: trials that make the median.
        first: usize in 1..=1000 = 20,
        /// Trials that must have ended before a run may.
        least: usize in 1..=100_000 = 20,
        /// Of bound: share of the trials that the process is fitted to, the best ones.
        top: f64 in 0.0..=1.0 = 0.5,
        /// Of bound: trials that the process is fitted to at least.
        top_least: usize in 1..=100_000 = 20,
        /// Probability that the function leaves its bounds.
        delta: f64 in 0.000_001..=1.0 = 0.1,
        /// Which trials count: those that ran their last epoch, or all that ended.
        count: Count { Completed = "completed", All = "all" } = "completed",
        /// Trials from one check to the next.
        every: usize in 1..=100_000 = 1,
    }
}

/// Rows beyond which some are drawn: the number of Optuna's draws.
const CANDIDATES_MAX: u32 = 2048;

pub(super) const ENTRY: Entry<EndingFactory> = Entry {
    name: "regret",
    summary: "Over once a Gaussian process says that the best value can hardly be improved on.",
    citation: "Makarova et al., Automatic termination for hyperparameter optimization, 2022; \
               Ishibashi et al., AISTATS 2023; Terminator of Optuna 4.9.0",
    parameters: Parameters::SPECS,
    compared: COMPARED,
    traits: &[],
    build,
};

const COMPARED: &[Comparison] = &[
    Comparison {
        with: "Optuna 4.9.0",
        what: "the trial after which 140 runs end: 20 histories under 7 settings of both \
               improvements and both errors (tests/golden/endings/make_regret.py), the rows of \
               the table in the place of its draws of the space",
        result: "all equal, 108 of which end; the same with its own draws",
    },
    Comparison {
        with: "Optuna 4.9.0",
        what: "60 bounds and 60 model regrets after 25, 50 and 75 trials, at the parameters that \
               Optuna fitted",
        result: "within 1e-10, relative to 1 or more",
    },
    Comparison {
        with: "Optuna 4.9.0",
        what: "the same with our own fits, which as its own end at slopes of up to 1e-2",
        result: "bounds differ by 0.1 % in the median and 0.8 % at most, model regrets by 1.3e-4 \
                 and 0.017 deviations",
    },
];

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<EndingFactory> {
    let parameters = Parameters::read(arguments)?;
    let rows = Arc::new(table_rows(context, Categorical::Index, true));
    let dimensions = context.space.parameters.len();
    Ok(Box::new(move |run| {
        let streams = Streams::new(run, "regret");
        Some(Box::new(Regret::new(parameters.clone(), Arc::clone(&rows), dimensions, streams)))
    }))
}

struct Regret {
    parameters: Parameters,
    rows: Arc<Inputs>,
    /// Parameters of the space.
    dimensions: usize,
    streams: Streams,
    /// How many of the ended trials have been looked at.
    told: usize,
    /// Those that count.
    counted: Vec<Counted>,
    /// How many of them there were at the last check.
    checked: usize,
    /// Improvements that were computed.
    evaluations: u32,
    /// The error, once it is known.
    error: Option<f64>,
}

/// A trial that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counted {
    trial: TrialId,
    row: u32,
    score: f64,
}

impl Regret {
    fn new(parameters: Parameters, rows: Arc<Inputs>, dimensions: usize, streams: Streams) -> Self {
        let error = (parameters.error == Error::Fixed).then_some(parameters.threshold);
        let counted = Vec::new();
        let (told, checked, evaluations) = (0, 0, 0);
        Self { parameters, rows, dimensions, streams, told, counted, checked, evaluations, error }
    }

    /// Looks at the trials that have ended since.
    fn catch_up(&mut self, view: &View<'_>) {
        for id in &view.ended()[self.told..] {
            let trial = view.trial(*id);
            let counts = self.parameters.count == Count::All || trial.state == State::Completed;
            if counts && trial.value.is_finite() {
                let at = self.counted.partition_point(|other| other.trial < *id);
                let one = Counted { trial: *id, row: trial.config.0, score: trial.value };
                self.counted.insert(at, one);
            }
        }
        self.told = view.ended().len();
    }

    /// What may still be gained after these trials alone. `None` where nothing can be said.
    fn improvement(&mut self, trials: &[Counted]) -> Option<f64> {
        let drawn = self.candidates();
        let belief = Belief {
            candidates: drawn.as_ref().unwrap_or(&self.rows),
            parameters: self.dimensions,
            delta: self.parameters.delta,
        };
        let of = |trials: &[Counted]| -> (Inputs, Vec<f64>) {
            let rows: Vec<u32> = trials.iter().map(|one| one.row).collect();
            (self.rows.select(&rows), trials.iter().map(|one| one.score).collect())
        };
        match self.parameters.improvement {
            Improvement::Bound => {
                let (inputs, scores) = of(&self.best_of(trials));
                belief.bound(&inputs, &scores)
            }
            Improvement::Emmr if trials.len() < 2 => None,
            Improvement::Emmr => {
                let (inputs, scores) = of(trials);
                belief.model_regret(&inputs, &scores)
            }
        }
    }

    /// The best of some trials, those that equal the last of them included, in their order.
    fn best_of(&self, trials: &[Counted]) -> Vec<Counted> {
        #[expect(clippy::cast_precision_loss, reason = "trials")]
        let share = trials.len() as f64 * self.parameters.top;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of trials")]
        let wanted = (share as usize).max(self.parameters.top_least).min(trials.len());
        let mut scores: Vec<f64> = trials.iter().map(|one| one.score).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let Some(last) = wanted.checked_sub(1).map(|at| scores[at]) else { return Vec::new() };
        trials.iter().copied().filter(|one| one.score >= last).collect()
    }

    /// Draws of the rows, where there are too many to look at.
    fn candidates(&mut self) -> Option<Inputs> {
        let rows = self.rows.count();
        self.evaluations += 1;
        if rows <= CANDIDATES_MAX as usize {
            return None;
        }
        let mut stream = self.streams.decision("candidates", self.evaluations);
        let draw = |_| u32::try_from(draws::index(&mut stream, rows)).expect("a row");
        let drawn: Vec<u32> = (0..CANDIDATES_MAX).map(draw).collect();
        Some(self.rows.select(&drawn))
    }

    /// A share of the median of the first improvements; `None` before they can be computed. One of
    /// which nothing can be said (the first of `emmr`) counts as larger than any, and where the
    /// median is one, no improvement will ever be small enough.
    fn first_median(&mut self) -> Option<f64> {
        let Parameters { warmup, first, ratio, .. } = self.parameters;
        if self.counted.len() < warmup + first {
            return None;
        }
        let trials = self.counted[warmup..warmup + first].to_vec();
        let mut found: Vec<f64> = (1..=first)
            .map(|count| self.improvement(&trials[..count]).unwrap_or(f64::INFINITY))
            .collect();
        found.sort_by(f64::total_cmp);
        let median = found[found.len() / 2];
        Some(if median.is_finite() { median * ratio } else { f64::NEG_INFINITY })
    }
}

impl Ending for Regret {
    fn is_over(&mut self, view: &View<'_>) -> bool {
        self.catch_up(view);
        let count = self.counted.len();
        let is_due =
            count >= self.parameters.least.max(1) && count >= self.checked + self.parameters.every;
        if !is_due {
            return false;
        }
        self.checked = count;
        if self.error.is_none() {
            self.error = self.first_median();
        }
        let Some(error) = self.error else { return false };
        let trials = self.counted.clone();
        self.improvement(&trials).is_some_and(|improvement| improvement < error)
    }
}

#[cfg(test)]
mod tests;
