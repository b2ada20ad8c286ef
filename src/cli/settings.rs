//! The options of `replay` that say what a run is charged, told and measured by.

use ::methods::{samplers, stoppers};
use app::pools::{CurveRepeat, TableOptions};
use base::error::{Result, fault};
use base::units::{Epoch, SimTime};
use clap::{Args, ValueEnum};
use methods::interface::resolve;
use replay::settings::overhead_seconds;
use replay::{OnNan, Overhead, Report, Settings, ValueMode, WarmStart};

#[derive(Debug, Args)]
pub(super) struct SettingsArguments {
    /// Trials that run at once.
    #[arg(long, default_value_t = 1)]
    workers: u32,
    /// What a trial's value is: its best executed epoch or its last.
    #[arg(long, value_enum, default_value_t = Value::Best)]
    value: Value,
    /// What a stopped trial tells the sampler: best, last, predicted, ignore, worst or ranked.
    #[arg(long, default_value = "best")]
    report: String,
    /// What a NaN epoch does to its trial.
    #[arg(long, value_enum, default_value_t = Nan::Continue)]
    on_nan: Nan,
    /// Simulated seconds after which trials are cut.
    #[arg(long, allow_negative_numbers = true)]
    budget_seconds: Option<f64>,
    /// How many trials may start in a run; those that run then still finish.
    #[arg(long)]
    max_trials: Option<u32>,
    /// Master seed: the same seed gives the same runs, whatever the machine.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The column of curves.parquet that an epoch is charged, instead of its seconds.
    #[arg(long, value_name = "COLUMN")]
    cost: Option<String>,
    /// Which recorded training of a configuration is replayed: its number, or `draw` for one drawn
    /// for each (seed, repeat, configuration), the same for every method.
    #[arg(long, default_value = "0", value_name = "R|draw")]
    curve_repeat: String,
    /// Resumed trials run their earlier epochs again, at their cost.
    #[arg(long)]
    restart: bool,
    /// Simulated seconds added to each start and resume of a trial.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true, value_name = "SECONDS")]
    trial_overhead: f64,
    /// Charge a start what the table recorded before its first epoch (`setup_seconds`).
    #[arg(long)]
    charge_setup: bool,
    /// What choosing a new trial is charged: none, fixed:SECONDS, or measured (the real time it
    /// takes here, which no two runs agree on).
    #[arg(long, default_value = "none")]
    overhead: String,
    /// Begin every run with so many trials of another sampler, charged like all others; the
    /// methods proper then start with what these learned.
    #[arg(long, value_name = "N")]
    warm_start_trials: Option<u32>,
    /// The sampler of the warm start.
    #[arg(long, default_value = "random", requires = "warm_start_trials", value_name = "SAMPLER")]
    warm_start_sampler: String,
    /// The stopper of the warm start.
    #[arg(long, default_value = "none", requires = "warm_start_trials", value_name = "STOPPER")]
    warm_start_stopper: String,
    /// Trials of the warm start pause here, and a scheduler that pauses may resume them.
    #[arg(long, requires = "warm_start_trials", value_name = "E")]
    warm_start_epochs: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Value {
    Best,
    Final,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Nan {
    Continue,
    Stop,
}

impl SettingsArguments {
    /// What of the table is replayed.
    pub(super) fn table_options(&self) -> Result<TableOptions> {
        let curve_repeat = CurveRepeat::parse("--curve-repeat", &self.curve_repeat)?;
        Ok(TableOptions { cost: self.cost.clone(), curve_repeat })
    }

    /// Everything else.
    pub(super) fn settings(&self) -> Result<Settings> {
        let budget = self.budget_seconds.map(|seconds| {
            SimTime::from_seconds(seconds).ok_or_else(|| {
                let rule = "must be 0 to 3.2e9 seconds";
                fault("--budget-seconds", "seconds", seconds, rule, "choose a number in that range")
            })
        });
        if self.max_trials == Some(0) {
            let remedy = "allow at least one, or leave it out";
            return Err(fault("--max-trials", "trials", 0, "a run needs a trial", remedy));
        }
        Ok(Settings {
            workers: self.workers,
            value: match self.value {
                Value::Best => ValueMode::Best,
                Value::Final => ValueMode::Final,
            },
            report: Report::parse("--report", &self.report)?,
            on_nan: match self.on_nan {
                Nan::Continue => OnNan::Continue,
                Nan::Stop => OnNan::Stop,
            },
            budget: budget.transpose()?,
            trials_max: self.max_trials,
            restart: self.restart,
            trial_overhead: overhead_seconds("--trial-overhead", self.trial_overhead)?,
            charge_setup: self.charge_setup,
            overhead: Overhead::parse("--overhead", &self.overhead)?,
            warm_start: self.warm_start()?,
            seed: self.seed,
        })
    }

    fn warm_start(&self) -> Result<Option<WarmStart>> {
        let Some(trials) = self.warm_start_trials else { return Ok(None) };
        let (sampler, stopper) = (&self.warm_start_sampler, &self.warm_start_stopper);
        Ok(Some(WarmStart {
            trials,
            sampler: resolve("--warm-start-sampler", sampler, samplers::REGISTRY)?,
            stopper: resolve("--warm-start-stopper", stopper, stoppers::REGISTRY)?,
            epochs: self.warm_start_epochs.map(Epoch),
        }))
    }
}
