//! Combinations of methods by the names of the programs that people know them from.
//!
//! A preset is nothing but what it expands to, which is said before the work begins and stands in
//! `runs.parquet` as if it had been written out. Its methods go without what is peculiar to a
//! program's own loop (how it draws seeds, stores trials, or polls workers).

use base::error::{Result, suggest};

use super::Given;

/// Methods under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// As `--preset` takes it.
    pub name: &'static str,
    /// Whose combination it is, and what is not as there.
    pub summary: &'static str,
    pub sampler: &'static str,
    pub scheduler: &'static str,
    pub stopper: &'static str,
    pub report: &'static str,
}

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "bohb",
        summary: "BOHB (Falkner et al., ICML 2018): kernel densities on HpBandSter's brackets",
        sampler: "bohb-kde",
        scheduler: "hyperband:arithmetic=floor",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "dehb",
        summary: "DEHB (Awad et al., IJCAI 2021): its own populations on its own brackets",
        sampler: "random",
        scheduler: "dehb",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "keras-tuner",
        summary: "Keras Tuner's Hyperband, in its rounding and its own order",
        sampler: "random",
        scheduler: "hyperband:arithmetic=kerastuner,free=begin",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "ray-tune",
        summary: "Ray Tune: random search under its ASHA, eta 4",
        sampler: "random",
        scheduler: "asha:eta=4,type=stopping,cutoff=quantile",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "hyperopt",
        summary: "hyperopt 0.3: its TPE, nothing is ended early",
        sampler: "tpe:variant=hyperopt",
        scheduler: "fifo",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "optuna",
        summary: "Optuna 5.0: its TPE under its median rule",
        sampler: "tpe:variant=optuna5",
        scheduler: "fifo",
        stopper: "median:variant=optuna",
        report: "ranked",
    },
    Preset {
        name: "smac",
        summary: "SMAC3 2.4, hyperparameter facade",
        sampler: "smac",
        scheduler: "fifo",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "optiml",
        summary: "BigML OptiML: a stand-in alone, on several fidelities; nothing of it is public",
        sampler: "smac",
        scheduler: "hyperband",
        stopper: "none",
        report: "last",
    },
    Preset {
        name: "spearmint",
        summary: "Spearmint (Snoek et al. 2012): Gaussian processes, parameters by slice sampling",
        sampler: "gp:fit=slice",
        scheduler: "fifo",
        stopper: "none",
        report: "best",
    },
    Preset {
        name: "vizier",
        summary: "Google Vizier (Golovin et al. 2017): Gaussian processes under its median rule; a \
                  likeness, since its own models are not public",
        sampler: "gp:fit=map",
        scheduler: "fifo",
        stopper: "median:variant=vizier",
        report: "best",
    },
];

impl Preset {
    /// What it stands for, as options.
    pub fn expanded(&self) -> String {
        let Self { sampler, scheduler, stopper, report, .. } = self;
        format!("--sampler {sampler} --scheduler {scheduler} --stopper {stopper} --report {report}")
    }
}

/// The preset that was asked for, and what was given with its methods written out.
///
/// # Errors
/// A fault for an unknown one, and for one beside methods of its own.
pub(super) fn expand(given: &Given) -> Result<(Option<Preset>, Given)> {
    let mut expanded = given.clone();
    let Some(name) = given.text("preset")? else { return Ok((None, expanded)) };
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let remedy = suggest(&name, PRESETS.iter().map(|preset| preset.name));
        return Err(given.fault("preset", name, "no such preset; see `curvebook methods`", remedy));
    };
    let parts = [
        ("samplers", preset.sampler),
        ("schedulers", preset.scheduler),
        ("stoppers", preset.stopper),
    ];
    for setting in parts.iter().map(|(setting, _)| *setting).chain(["methods"]) {
        if given.has(setting) {
            let place = given.place(setting);
            let rule = format!("says its methods itself, and {place} is given beside it");
            let remedy = format!("leave out one of the two; it is {}", preset.expanded());
            return Err(given.fault("preset", name, rule, remedy));
        }
    }
    for (setting, method) in parts {
        expanded = expanded.set(setting, method);
    }
    if !given.has("report") {
        expanded = expanded.set("report", preset.report);
    }
    Ok((Some(*preset), expanded))
}
