//! From a trial in a run to what a model says of its end.

use std::fmt;
use std::sync::Arc;

use base::error::Result;
use base::space::Direction;
use base::units::{Epoch, TrialId};

use super::extrapolation::Extrapolation;
use super::laplace::laplace;
use super::posterior::{Sampling, posterior};
use super::prefix::Prefix;
use super::shared::{CurveAt, Found, Shelf};
use crate::interface::{Context, EpochScore, View};

/// Epochs that a curve must have, for a family has up to four parameters.
pub const EPOCHS_MIN: usize = 4;

/// How curves are extrapolated. Its text is all that an extrapolation depends on besides the curve;
/// the number in it changes whenever the same curve would be extrapolated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// [`posterior`].
    Posterior(Sampling),
    /// [`laplace`].
    Laplace,
}

impl Model {
    /// See [`posterior`] and [`laplace`].
    pub fn extrapolate(&self, prefix: &Prefix) -> Option<Extrapolation> {
        match self {
            Self::Posterior(sampling) => posterior(prefix, sampling),
            Self::Laplace => laplace(prefix),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Posterior(Sampling { walkers, steps, burn_in, thin }) => write!(
                f,
                "posterior-1:walkers={walkers},steps={steps},burn_in={burn_in},thin={thin}"
            ),
            Self::Laplace => f.write_str("laplace-1"),
        }
    }
}

/// The scale on which curves are modelled: the metric where it is maximised, 1 less it where it is
/// minimised, so that an error rate is an accuracy. What is above 1 or below 0 there is no curve
/// that these models know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    offset: f64,
}

impl Scale {
    /// Of a metric with this direction.
    pub fn new(direction: Direction) -> Self {
        Self { offset: if direction == Direction::Minimize { 1.0 } else { 0.0 } }
    }

    /// The value of a score.
    pub fn value(self, score: f64) -> f64 {
        score + self.offset
    }

    /// The score of a value.
    pub fn score(self, value: f64) -> f64 {
        value - self.offset
    }

    /// What models take of a curve: of its scores those of the epochs that were measured, from the
    /// first on, diverged ones as `chance`. `None` where they are fewer than [`EPOCHS_MIN`], or
    /// one diverged and there is no chance level.
    pub fn beginning(
        self,
        scores: &[EpochScore],
        chance: Option<f64>,
        horizon: Epoch,
    ) -> Option<Prefix> {
        let measured = || (1..).zip(scores).filter(|(_, score)| score.is_measured());
        let known = |score: &EpochScore| score.number().or(chance);
        if measured().count() < EPOCHS_MIN || measured().any(|(_, score)| known(score).is_none()) {
            return None;
        }
        let values = measured().filter_map(|(epoch, score)| Some((epoch, known(score)?)));
        let values = values.map(|(epoch, score)| (epoch, self.value(score)));
        Some(Prefix::new(values, horizon.0))
    }
}

/// The curves of a run's trials, extrapolated; every extrapolation is made once a table.
#[derive(Debug, Clone)]
pub struct Forecasts {
    model: Model,
    shelf: Arc<Shelf>,
    scale: Scale,
}

impl Forecasts {
    /// For the runs on a table.
    ///
    /// # Errors
    /// What is wrong with the extrapolations that were kept beside the table.
    pub fn new(model: Model, context: &Context<'_>) -> Result<Self> {
        let shelf = context.extrapolations.shelf(&model)?;
        Ok(Self { model, shelf, scale: Scale::new(context.metric.goal) })
    }

    /// The scale of all values here.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// What the epochs of a trial up to `epoch` say of its last one. `None` where they are too few
    /// ([`Scale::beginning`]), or the model has nothing to say.
    pub fn of(&self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Found {
        let recorded = view.trial(trial);
        let at = CurveAt { config: recorded.config, curve_repeat: recorded.curve_repeat, epoch };
        self.shelf.get(at, || {
            let seen = &view.curve(trial)[..usize::from(epoch.0)];
            let prefix = self.scale.beginning(seen, view.chance, recorded.last_epoch)?;
            self.model.extrapolate(&prefix)
        })
    }
}
