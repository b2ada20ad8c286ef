//! `audit` as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// What rules would have done to trials that somebody has run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditDocument<'a> {
    /// `curvebook-audit`.
    pub(crate) format: &'static str,
    /// 1.
    pub(crate) version: u32,
    /// The name of the table.
    pub(crate) table: &'a str,
    /// What is to be made better.
    pub(crate) metric: &'a str,
    /// `maximize` or `minimize`.
    pub(crate) direction: &'static str,
    /// Trials with a curve.
    pub(crate) trials: usize,
    /// Trials that failed before their first epoch.
    pub(crate) trials_without_curve: usize,
    /// Trials that were broken off: they count as far as they ran.
    pub(crate) trials_truncated: usize,
    /// What costs are counted in: `seconds`, or `epochs` where no seconds were recorded.
    pub(crate) unit: &'static str,
    /// What all trials cost.
    pub(crate) cost: f64,
    /// The best value.
    pub(crate) best: f64,
    /// The first trial that has it.
    pub(crate) best_trial: AuditTrial<'a>,
    /// The value that makes a winner.
    pub(crate) threshold: f64,
    /// The trials that have it.
    pub(crate) winners: Vec<AuditTrial<'a>>,
    /// The rule to take; null where none is safe and saves a hundredth.
    pub(crate) choice: Option<AuditChoice<'a>>,
    /// What a rule comes to on one half that was chosen on the other; null without halves.
    pub(crate) elsewhere: Option<AuditHalves>,
    /// Every rule that was tried.
    pub(crate) rules: Vec<AuditRule<'a>>,
    /// Usual rules that were not tried, and why.
    pub(crate) skipped: BTreeMap<&'a str, &'a str>,
}

/// A trial.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditTrial<'a> {
    /// Its row in the table; of an import, its place in the source.
    pub(crate) config_id: u32,
    /// Its name there; null where the table has none.
    pub(crate) source_id: Option<&'a str>,
}

/// The rule to take.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditChoice<'a> {
    /// Canonical: `fifo` where it is a rule.
    pub(crate) scheduler: &'a str,
    /// Canonical: `none` where it is a scheduler.
    pub(crate) stopper: &'a str,
}

/// What happened on halves of the trials.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditHalves {
    /// How many halves.
    pub(crate) halves: usize,
    /// Of the shares saved, the quantile 0.025.
    pub(crate) saved_low: f64,
    /// The median.
    pub(crate) saved_median: f64,
    /// The quantile 0.975.
    pub(crate) saved_high: f64,
    /// Halves whose best value was lost.
    pub(crate) best_lost: usize,
    /// The mean share of a half's winners that were lost.
    pub(crate) winners_lost: f64,
    /// Halves on which no rule was used, since none was safe where it would have been chosen; null
    /// of a single rule.
    pub(crate) without_rule: Option<usize>,
}

/// What one rule would have done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditRule<'a> {
    /// Canonical.
    pub(crate) scheduler: &'a str,
    /// Canonical.
    pub(crate) stopper: &'a str,
    /// Of what all trials cost.
    pub(crate) saved: f64,
    /// Trials that are winners.
    pub(crate) winners: usize,
    /// Winners that were ended before they showed it.
    pub(crate) winners_lost: usize,
    /// Whether the best value was not seen.
    pub(crate) best_lost: bool,
    /// How much worse the best value seen is, in the metric's unit; null where nothing was seen.
    pub(crate) regret: Option<f64>,
    /// What it does to random halves; null without them.
    pub(crate) halves: Option<AuditHalves>,
    /// The trials that it would have ended, in their order.
    pub(crate) ended: Vec<AuditEnded<'a>>,
}

/// A trial that a rule would have ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditEnded<'a> {
    /// Which one.
    pub(crate) trial: AuditTrial<'a>,
    /// Epochs that would have run.
    pub(crate) epochs: u16,
    /// Epochs that did.
    pub(crate) of_epochs: u16,
    /// What the rest cost.
    pub(crate) saved: f64,
    /// Whether it was a winner that had not shown it by then.
    pub(crate) lost_winner: bool,
}
