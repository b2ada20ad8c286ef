//! What is the same for all runs of an experiment.

use crate::units::SimTime;

/// What the value of a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueMode {
    /// Its best executed epoch; epochs that are not finite do not count.
    Best,
    /// Its last executed epoch; a trial whose last epoch is not finite has no value.
    Final,
}

impl ValueMode {
    /// The word in `runs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Final => "final",
        }
    }

    /// The value after an epoch, given the value before it. NaN: no value, ranks last.
    pub fn update(self, value: f64, score: f64) -> f64 {
        match self {
            Self::Best if score.is_finite() && (value.is_nan() || score > value) => score,
            Self::Best => value,
            Self::Final if score.is_finite() => score,
            Self::Final => f64::NAN,
        }
    }

    /// The value of a whole curve.
    pub fn of(self, scores: &[f64]) -> f64 {
        scores.iter().fold(f64::NAN, |value, &score| self.update(value, score))
    }
}

/// What an epoch that is not finite does to its trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNan {
    /// It runs on: rules see chance.
    Continue,
    /// The trial fails at that epoch's end.
    Stop,
}

/// Settings of a run other than its methods and goals.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Trials that run at once; at least 1.
    pub workers: u32,
    pub value: ValueMode,
    pub on_nan: OnNan,
    /// Trials are cut at this instant.
    pub budget: Option<SimTime>,
    /// How many trials may start.
    pub trials_max: Option<u32>,
    /// Master seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            value: ValueMode::Best,
            on_nan: OnNan::Continue,
            budget: None,
            trials_max: None,
            seed: 0,
        }
    }
}
