//! One file a rule, one line a rule in [`REGISTRY`].

mod adaptive;
mod bnn_curve;
mod curve;
mod etr1;
mod etr2;
mod gp_curve;
mod interval;
mod median;
mod none;
mod patient;
mod percentile;
mod rho_lce;
#[cfg(test)]
mod stage;
mod svr_curve;
mod tercet;
mod threshold;
mod wandb_hyperband;
mod wilcoxon;

use base::error::{Result, fault};

use crate::interface::{Context, Entry, StopperFactory};

/// Every stopping rule.
pub static REGISTRY: &[Entry<StopperFactory>] = &[
    none::ENTRY,
    etr1::ENTRY,
    etr2::ENTRY,
    median::ENTRY,
    percentile::ENTRY,
    threshold::ENTRY,
    patient::ENTRY,
    wilcoxon::ENTRY,
    interval::ENTRY,
    tercet::ENTRY,
    wandb_hyperband::ENTRY,
    adaptive::ENTRY,
    curve::ENTRY,
    curve::FAST_ENTRY,
    rho_lce::ENTRY,
    svr_curve::ENTRY,
    gp_curve::ENTRY,
    bnn_curve::ENTRY,
];

/// What most of them were held against their peers by.
const EVERY_STOP: &str = "every stop in 1,000 random experiments with NaN, gaps, ties and crashes \
                          (tests/it/stoppers_peers.rs)";

/// Refuses a rule that needs a chance level for a table that knows none.
fn require_chance(rule: &str, context: &Context<'_>) -> Result<()> {
    if context.metric.chance.is_some() {
        return Ok(());
    }
    Err(fault(
        context.table,
        "metric.chance",
        "missing",
        format!("`{rule}` compares with the value of guessing"),
        "add `chance` to the table's `metric` in table.json, or use another rule",
    ))
}
