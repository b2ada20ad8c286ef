//! The settings of a simulator: those of a replay that are no method's.

use base::error::Result;
use replay::{Goal, Settings as Engine};

use crate::settings::{Experiments, Given};

/// What a simulator is told. The table's own part is said when the table is loaded.
const OF_A_RUN: [&str; 13] = [
    "goals",
    "workers",
    "value",
    "report",
    "on_nan",
    "budget_seconds",
    "max_trials",
    "seed",
    "restart",
    "trial_overhead",
    "resume_cost",
    "charge_setup",
    "overhead",
];

/// Checked settings of a simulator.
#[derive(Debug, Clone)]
pub struct Settings {
    pub engine: Engine,
    /// The run ends once all are met; without any it goes on.
    pub goals: Vec<Goal>,
    /// Which repeat of a replay's: the order of rows and the curves that are drawn.
    pub repeat: u32,
}

impl Settings {
    /// Reads keywords of a replay, those alone that are about a run and no method.
    ///
    /// # Errors
    /// A fault for the first that is wrong.
    pub fn read(given: Given, repeat: u32) -> Result<Self> {
        given.check_only(&OF_A_RUN)?;
        let has_goals = given.has("goals");
        let given = if has_goals { given } else { given.set("goal", "rank:1") };
        let experiments = Experiments::read(&given.set("table", "."))?;
        let goals = if has_goals { experiments.grid.goals } else { Vec::new() };
        Ok(Self { engine: experiments.grid.settings, goals, repeat })
    }
}
