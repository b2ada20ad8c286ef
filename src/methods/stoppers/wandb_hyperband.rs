//! W&B's band rule, which it calls Hyperband: at a band only the best 1/eta go on.
//!
//! wandb/sweeps 0.3.0, `hyperband_stopping.py`. Bands are `floor(min_iter eta^k)` for k = 0, 1, ...
//! or, with `max_iter`, `floor(max_iter / eta^k)` for k = 1 to `s`, as long as that is 1. The
//! threshold of a band is the element `floor(n / eta)`, best first, of the n scores that trials had
//! at it: all that came so far, whatever became of them, and the trial itself. A trial is stopped
//! iff it is strictly worse than the threshold of the last band that it has reached: with
//! `strict=yes` (what 0.3.0 fills in) by its score *at* that band, else by its best so far. There
//! are no brackets, and unlike Li et al. 2018, whose name it bears, nothing waits for anything.
//!
//! * `check=band` asks once, at the band. W&B's controller asks all runs again and again:
//!   `check=report` asks after every report, against thresholds that have moved since, and so stops
//!   a trial between bands for what others have shown meanwhile.
//! * Band b is the b-th report; before 0.3.0 it was the report with step b, counted from 0, which
//!   is one later: `first_step=0`.
//! * Reports are *finite* numbers: what was not measured is none, and neither is NaN. A trial that
//!   has diverged never reaches another band, and only `check=report` may still stop it. Chance
//!   plays no part.
//! * At equality, and within the slack of it, the trial goes on; so does whoever comes first, as
//!   n = 1 compares a trial with itself.
//!
//! A check is a look into a sorted list, one a band.

use std::sync::Arc;

use base::error::{Result, fault};
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, EpochScore, Looks, Reason, Stopper, StopperFactory,
    Verdict, View, falls_below, parameters,
};
use crate::kit::ranked::Ranked;

parameters! {
    #[derive(Copy)]
    struct Parameters {
        /// The first band, in epochs (W&B: `min_iter`, without a default).
        min_iter: u16 in 1..=65535 = 3,
        /// The bands below this many epochs instead; 0: those from `min_iter`.
        max_iter: u16 in 0..=65535 = 0,
        /// Under `max_iter`: how many bands at most.
        s: u16 in 1..=100 = 3,
        /// The inverse of the share that goes on.
        eta: f64 in 1.01.. = 3.0,
        /// Whether the score at the band is compared, or the best so far.
        strict: Strict { Yes = "yes", No = "no" } = "yes",
        /// When a trial is checked: at a band, or after every report.
        check: When { Band = "band", Report = "report" } = "band",
        /// The number of the first report, from which bands are counted.
        first_step: u16 in 0..=1 = 1,
    }
}

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "wandb-hyperband",
    summary: "Stops at bands of epochs what is not among the best 1/eta of those that came so far.",
    citation: "the early termination of Weights & Biases sweeps 0.3.0, after Li et al., Hyperband, \
               JMLR 18, 2018",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "wandb sweeps 0.3.0",
        what: super::EVERY_STOP,
        result: "all equal; so on its own 116 recorded runs",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    let parameters = Parameters::read(arguments)?;
    let bands: Arc<[u16]> = parameters.bands().into();
    if bands.is_empty() {
        let rule = "leaves no band of a whole epoch";
        let remedy = "let max_iter be larger than eta";
        return Err(fault(
            "--stopper",
            "wandb-hyperband:max_iter",
            parameters.max_iter,
            rule,
            remedy,
        ));
    }
    Ok(Box::new(move |_| {
        let bands = Bands::new(Arc::clone(&bands), parameters.eta);
        Some(Box::new(WandbHyperband { parameters, bands, ended_seen: None }))
    }))
}

impl Parameters {
    /// The bands in reports, rising.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the epochs that a table may have, or saturated there and left out"
    )]
    fn bands(&self) -> Vec<u16> {
        let later = 1 - self.first_step;
        let mut bands = Vec::new();
        if self.max_iter > 0 {
            let mut band = f64::from(self.max_iter);
            for _ in 0..self.s {
                band /= self.eta;
                if band < 1.0 {
                    break;
                }
                bands.push(band as u16 + later);
            }
            bands.reverse();
        } else {
            let mut band = f64::from(self.min_iter);
            while band < f64::from(u16::MAX) {
                bands.push(band as u16 + later);
                band *= self.eta;
            }
        }
        bands.dedup();
        bands
    }
}

/// What has been read of one trial.
#[derive(Debug, Clone, Copy)]
struct Read {
    epochs: u16,
    reports: u16,
    best: f64,
    /// The last band that it has reached, and its score there.
    reached: Option<(usize, f64)>,
}

/// The bands with the scores of those that have reached them.
struct Bands {
    /// In reports, rising.
    counts: Arc<[u16]>,
    eta: f64,
    scores: Vec<Ranked>,
    read: Vec<Read>,
}

impl Bands {
    fn new(counts: Arc<[u16]>, eta: f64) -> Self {
        let scores = vec![Ranked::default(); counts.len()];
        Self { counts, eta, scores, read: Vec::new() }
    }

    fn of(&mut self, trial: TrialId) -> &mut Read {
        if self.read.len() <= trial.index() {
            let nothing = Read { epochs: 0, reports: 0, best: f64::NEG_INFINITY, reached: None };
            self.read.resize(trial.index() + 1, nothing);
        }
        &mut self.read[trial.index()]
    }

    /// Reads a trial up to an epoch, from where it was left.
    fn read(&mut self, view: &View<'_>, trial: TrialId, up_to: Epoch) {
        let begin = self.of(trial).epochs;
        for score in &view.curve(trial)[usize::from(begin)..usize::from(up_to.0)] {
            let read = self.of(trial);
            read.epochs += 1;
            if let Some(score) = score.number() {
                self.report(trial, score);
            }
        }
    }

    /// Takes in the next report of a trial.
    fn report(&mut self, trial: TrialId, score: f64) {
        let read = self.of(trial);
        read.reports += 1;
        read.best = read.best.max(score);
        let reports = read.reports;
        if let Ok(band) = self.counts.binary_search(&reports) {
            self.of(trial).reached = Some((band, score));
            self.scores[band].insert(score);
        }
    }

    /// What those that have reached a band must not fall below.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of trials"
    )]
    fn threshold(&self, band: usize) -> f64 {
        let scores = &self.scores[band];
        scores.nth_best((1.0 / self.eta * scores.count() as f64) as usize)
    }

    /// Whether a trial is worse than the threshold of the last band that it has reached.
    fn is_worse(&self, trial: TrialId, strict: Strict) -> bool {
        let Read { best, reached, .. } = self.read[trial.index()];
        reached.is_some_and(|(band, at_band)| {
            let score = if strict == Strict::Yes { at_band } else { best };
            falls_below(score, self.threshold(band))
        })
    }

    /// Whether a trial that has just shown a score is checked there.
    fn is_due(&self, score: EpochScore, trial: TrialId, when: When) -> bool {
        match when {
            When::Band => {
                let reports = self.read[trial.index()].reports;
                score.number().is_some() && self.counts.binary_search(&reports).is_ok()
            }
            When::Report => score.is_measured(),
        }
    }

    /// Those that have reached a band.
    fn at_band(&self, band: usize) -> impl Iterator<Item = TrialId> {
        let count = self.counts[band];
        let read = (0..).map(TrialId).zip(&self.read);
        read.filter(move |(_, read)| read.reports >= count).map(|(trial, _)| trial)
    }
}

struct WandbHyperband {
    parameters: Parameters,
    bands: Bands,
    /// How many ended trials were taken in; `None` before the first check.
    ended_seen: Option<usize>,
}

impl Stopper for WandbHyperband {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        if self.ended_seen.is_none() {
            // Paused in an earlier phase of the run.
            view.paused().for_each(|id| self.bands.read(view, id, view.trial(id).executed));
        }
        for &ended in &view.ended()[self.ended_seen.unwrap_or(0)..] {
            self.bands.read(view, ended, view.trial(ended).executed);
        }
        self.ended_seen = Some(view.ended().len());
        self.bands.read(view, trial, epoch);
        let score = view.curve(trial)[epoch.index()];
        let is_due = self.bands.is_due(score, trial, self.parameters.check);
        if is_due && self.bands.is_worse(trial, self.parameters.strict) {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Vec<Reason> {
        let Parameters { strict, check, .. } = self.parameters;
        let Read { best, reached, .. } = self.bands.read[trial.index()];
        let is_due = self.bands.is_due(view.curve(trial)[epoch.index()], trial, check);
        let Some((band, at_band)) = reached.filter(|_| is_due) else {
            return Vec::new();
        };
        let (what, seen) = match strict {
            Strict::Yes => ("value at the last band", at_band),
            Strict::No => ("best so far", best),
        };
        let bar = self.bands.threshold(band);
        let reports = self.bands.counts[band];
        let count = self.bands.scores[band].count();
        let bar_is = format!("best 1/eta of the {count} at report {reports}");
        let made_by = self.bands.at_band(band);
        vec![Reason::score(what, Some(seen), Some(bar), bar_is).made_by(made_by)]
    }

    fn looks(&self) -> Looks {
        Looks::From { first: Epoch(self.bands.counts[0]), step: 1 }
    }
}

#[cfg(test)]
mod tests;
