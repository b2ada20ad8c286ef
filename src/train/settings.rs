//! What to train, and how often.

use std::ops::Range;

use base::error::{Result, fault};

use crate::model::Definition;

/// What to train.
#[derive(Debug, Clone)]
pub struct TrainSettings {
    pub definition: Definition,
    /// Global ids: the indices of Sobol points.
    pub configs: Range<u32>,
    pub epochs: u16,
    pub train_size: usize,
    pub val_size: usize,
    /// 0: nothing is tested.
    pub test_size: usize,
    /// Seed of weights, orders and masks.
    pub seed: u64,
    pub sobol_seed: u32,
    /// Configurations in training at once on the CPU.
    pub threads: usize,
    /// Trainings of each configuration (on each fold), each with its own random numbers.
    pub repeats: u16,
    /// Folds of a cross-validation within the training and validation images; none for the fixed
    /// split.
    pub folds: Option<u16>,
}

impl TrainSettings {
    /// Curves of each configuration: repeats x folds. Curve `r x folds + f` is repeat `r` on fold
    /// `f`; that number is also what its random streams are labelled with.
    ///
    /// # Errors
    ///
    /// None at all, or more than a table can number.
    pub fn curves(&self) -> Result<u16> {
        for (option, count) in [("--repeats", Some(self.repeats)), ("--folds", self.folds)] {
            if count == Some(0) {
                let remedy = "ask for at least one";
                return Err(fault("command line", option, 0, "must be at least 1", remedy));
            }
        }
        let folds = self.folds.unwrap_or(1);
        self.repeats.checked_mul(folds).ok_or_else(|| {
            let rule = format!("a table numbers at most {} curves a configuration", u16::MAX);
            let found = u32::from(self.repeats) * u32::from(folds);
            fault("command line", "--repeats x --folds", found, rule, "ask for fewer")
        })
    }
}
