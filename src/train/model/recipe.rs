//! How one configuration is trained: the `[training]` section with every `$name` resolved.

use base::error::{Error, Result, fault};
use base::space::Value;

use super::RateSchedule;
use crate::model::{Definition, Optimizer, Schedule, Scope, Setting, Training};

/// How one configuration is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// With its settings.
    pub optimizer: UpdateRule,
    /// In the first epoch.
    pub learning_rate: f64,
    /// What becomes of it.
    pub schedule: RateSchedule,
    /// Factor of half the squared weights in the objective.
    pub l2: f64,
    /// Which weights it counts.
    pub l2_scope: Scope,
    /// Images a step; the last step of an epoch may see fewer.
    pub batch_size: usize,
}

/// An optimizer with its settings, as `PyTorch` 2 understands them. The gradient includes the L2
/// term; formulas stand with the kernel, `optimizer_step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateRule {
    /// Kingma and Ba, ICLR 2015.
    Adam { beta1: f64, beta2: f64, epsilon: f64 },
    /// Stochastic gradient descent; momentum without dampening.
    Sgd { momentum: f64, nesterov: bool },
    /// Tieleman and Hinton, 2012; not centered. `rho` is `PyTorch`'s alpha.
    RmsProp { rho: f64, epsilon: f64, momentum: f64 },
    /// Duchi, Hazan and Singer, JMLR 2011.
    AdaGrad { epsilon: f64, learning_rate_decay: f64, initial_accumulator: f64 },
}

impl UpdateRule {
    /// As the TOML writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adam { .. } => "adam",
            Self::Sgd { .. } => "sgd",
            Self::RmsProp { .. } => "rmsprop",
            Self::AdaGrad { .. } => "adagrad",
        }
    }
}

/// Batches beyond this are a slip of the pen, and their activations would not fit in memory.
const BATCH_MAX: i64 = 65_536;

/// One step below 1: a decay of 1 never learns and divides by zero.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

impl Recipe {
    /// The learning rate in `epoch` (from 1).
    pub fn rate(&self, epoch: u16) -> f64 {
        self.schedule.rate(self.learning_rate, epoch)
    }

    /// Resolves the training settings of one configuration.
    ///
    /// Errors: numbers outside their ranges, and parameters that are inactive where the chosen
    /// optimizer or schedule needs them.
    pub fn resolve(definition: &Definition, configuration: &[Value]) -> Result<Self> {
        let training = &definition.training;
        let from = Resolver { definition, configuration };
        Ok(Self {
            optimizer: from.optimizer(training)?,
            learning_rate: from.number("learning_rate", training.learning_rate, 1e6)?,
            schedule: from.schedule(training)?,
            l2: from.number("l2", training.l2, 1e6)?,
            l2_scope: training.l2_scope,
            batch_size: from.batch_size(training)?,
        })
    }
}

/// Reads settings under one configuration.
struct Resolver<'a> {
    definition: &'a Definition,
    configuration: &'a [Value],
}

impl Resolver<'_> {
    fn optimizer(&self, training: &Training) -> Result<UpdateRule> {
        let chosen = self.active("optimizer", training.optimizer)?;
        let moderate = |name: &str, setting| self.number(name, setting, 1e6);
        let momentum = || self.number("momentum", training.momentum, BELOW_ONE);
        Ok(match chosen.resolve_word(&self.definition.space, self.configuration) {
            Optimizer::Adam => UpdateRule::Adam {
                beta1: self.number("beta1", training.beta1, BELOW_ONE)?,
                beta2: self.number("beta2", training.beta2, BELOW_ONE)?,
                epsilon: self.epsilon(training, 1e-8)?,
            },
            Optimizer::Sgd => UpdateRule::Sgd {
                momentum: momentum()?,
                nesterov: self
                    .active("nesterov", training.nesterov)?
                    .resolve_word(&self.definition.space, self.configuration),
            },
            Optimizer::RmsProp => UpdateRule::RmsProp {
                rho: self.number("rho", training.rho, BELOW_ONE)?,
                epsilon: self.epsilon(training, 1e-8)?,
                momentum: momentum()?,
            },
            Optimizer::AdaGrad => UpdateRule::AdaGrad {
                epsilon: self.epsilon(training, 1e-10)?,
                learning_rate_decay: moderate("learning_rate_decay", training.learning_rate_decay)?,
                initial_accumulator: moderate("initial_accumulator", training.initial_accumulator)?,
            },
        })
    }

    fn schedule(&self, training: &Training) -> Result<RateSchedule> {
        let chosen = self.active("schedule", training.schedule)?;
        Ok(match chosen.resolve_word(&self.definition.space, self.configuration) {
            Schedule::Constant => RateSchedule::Constant,
            Schedule::Step => {
                let epochs = self.given("step_epochs", training.step_epochs)?;
                RateSchedule::Step {
                    epochs: self.epochs("step_epochs", epochs)?,
                    gamma: self.number("step_gamma", training.step_gamma, f64::MAX)?,
                }
            }
            Schedule::Exponential => {
                let gamma = self.given("exponential_gamma", training.exponential_gamma)?;
                let gamma = self.number("exponential_gamma", gamma, f64::MAX)?;
                RateSchedule::Exponential { gamma }
            }
            Schedule::Cosine => RateSchedule::Cosine {
                epochs: self.epochs("cosine_epochs", training.cosine_epochs)?,
                min: self.number("cosine_min", training.cosine_min, 1e6)?,
            },
        })
    }

    /// `PyTorch`'s default of the optimizer where the setting is absent or inactive.
    fn epsilon(&self, training: &Training, default: f64) -> Result<f64> {
        match training.epsilon {
            Some(Setting::Parameter(index)) if self.configuration[index] == Value::Inactive => {
                Ok(default)
            }
            setting => self.number("epsilon", setting.unwrap_or(Setting::Literal(default)), 1e6),
        }
    }

    fn batch_size(&self, training: &Training) -> Result<usize> {
        let batch = self.active("batch_size", training.batch_size)?.resolve(self.configuration);
        match usize::try_from(batch) {
            Ok(size) if size > 0 && batch <= BATCH_MAX => Ok(size),
            _ => Err(self.outside("batch_size", batch, &format!("1..{BATCH_MAX}"))),
        }
    }

    /// A number of `0..=high`.
    fn number(&self, name: &str, setting: Setting<f64>, high: f64) -> Result<f64> {
        let value = self.active(name, setting)?.resolve(self.configuration);
        if (0.0..=high).contains(&value) {
            return Ok(value);
        }
        Err(self.outside(name, value, &format!("0..{high}")))
    }

    /// A number of epochs, at least 1.
    fn epochs(&self, name: &str, setting: Setting<i64>) -> Result<u16> {
        let value = self.active(name, setting)?.resolve(self.configuration);
        match u16::try_from(value) {
            Ok(epochs) if epochs > 0 => Ok(epochs),
            _ => Err(self.outside(name, value, &format!("1..{}", u16::MAX))),
        }
    }

    fn active<T: Copy>(&self, name: &str, setting: Setting<T>) -> Result<Setting<T>> {
        setting.active(self.definition, &format!("training.{name}"), self.configuration)
    }

    /// A setting that the chosen schedule cannot do without.
    fn given<T>(&self, name: &str, setting: Option<Setting<T>>) -> Result<Setting<T>> {
        setting.ok_or_else(|| {
            let rule = "the chosen schedule needs it";
            let field = format!("training.{name}");
            fault(&self.definition.source, field, "missing", rule, format!("add `{name}`"))
        })
    }

    fn outside(&self, name: &str, value: impl std::fmt::Display, range: &str) -> Error {
        let remedy = "change it or its parameter's range";
        let field = format!("training.{name}");
        fault(&self.definition.source, field, value, format!("must lie in {range}"), remedy)
    }
}
