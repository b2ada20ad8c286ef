//! How one configuration is trained: the `[training]` section with every `$name` resolved.

use super::{active, not_built};
use crate::error::{Result, fault};
use crate::space::{Definition, Optimizer, Scope, Setting, Value};

/// Adam with an L2 term: what can be trained so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// Factor of half the squared weights in the objective.
    pub l2: f64,
    /// Which weights it counts.
    pub l2_scope: Scope,
    /// Images a step; the last step of an epoch may see fewer.
    pub batch_size: usize,
}

/// Batches beyond this are a slip of the pen, and their activations would not fit in memory.
const BATCH_MAX: i64 = 65_536;

impl Recipe {
    /// Resolves the training settings of one configuration.
    ///
    /// Errors: an optimizer that is not built yet, and numbers outside their ranges.
    pub fn resolve(definition: &Definition, configuration: &[Value]) -> Result<Self> {
        let training = &definition.training;
        let field = "training.optimizer";
        let optimizer = active(definition, field, training.optimizer, configuration)?
            .resolve_word(&definition.space, configuration);
        if optimizer != Optimizer::Adam {
            let what = format!("{optimizer:?}").to_lowercase();
            return Err(not_built(&definition.source, field, &what, "use adam"));
        }
        let number = |name: &str, setting: Setting<f64>, low: f64, high: f64| -> Result<f64> {
            let field = format!("training.{name}");
            let value = active(definition, &field, setting, configuration)?.resolve(configuration);
            if (low..=high).contains(&value) {
                return Ok(value);
            }
            let rule = format!("must lie in {low}..{high}");
            Err(fault(&definition.source, field, value, rule, "change it or its parameter's range"))
        };
        // One step below 1: a decay of 1 never learns and divides by zero.
        let below_one = 1.0 - f64::EPSILON / 2.0;
        let field = "training.batch_size";
        let batch = active(definition, field, training.batch_size, configuration)?;
        let batch = batch.resolve(configuration);
        let batch_size = usize::try_from(batch).unwrap_or(0);
        if batch_size == 0 || batch > BATCH_MAX {
            let rule = format!("must lie in 1..{BATCH_MAX}");
            let remedy = "change it or its parameter's range";
            return Err(fault(&definition.source, field, batch, rule, remedy));
        }
        Ok(Self {
            learning_rate: number("learning_rate", training.learning_rate, 0.0, 1e6)?,
            beta1: number("beta1", training.beta1, 0.0, below_one)?,
            beta2: number("beta2", training.beta2, 0.0, below_one)?,
            epsilon: number("epsilon", training.epsilon, 0.0, 1e6)?,
            l2: number("l2", training.l2, 0.0, 1e6)?,
            l2_scope: training.l2_scope,
            batch_size,
        })
    }
}
