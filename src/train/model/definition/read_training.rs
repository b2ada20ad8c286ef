//! Reads the `[training]` table: every optimizer's and schedule's settings, side by side.

use base::error::Result;
use base::fields::Fields;
use base::space::{Domain, Space, Value};
use serde_json::Value as Json;

use super::read_model::{ALMOST_ONE, SIZE_MAX, Settings};
use crate::model::{Optimizer, Schedule, Setting, Training, Word};

/// Schedules count epochs in 16 bits.
const EPOCHS_MAX: i64 = u16::MAX as i64;

/// A schedule may raise the learning rate, within reason.
const GAMMA_MAX: f64 = 1e3;

/// Which optimizers know a setting.
const OF_OPTIMIZERS: [(&str, &[Optimizer]); 8] = [
    ("beta1", &[Optimizer::Adam]),
    ("beta2", &[Optimizer::Adam]),
    ("epsilon", &[Optimizer::Adam, Optimizer::RmsProp, Optimizer::AdaGrad]),
    ("momentum", &[Optimizer::Sgd, Optimizer::RmsProp]),
    ("nesterov", &[Optimizer::Sgd]),
    ("rho", &[Optimizer::RmsProp]),
    ("learning_rate_decay", &[Optimizer::AdaGrad]),
    ("initial_accumulator", &[Optimizer::AdaGrad]),
];

/// Which schedules know a setting.
const OF_SCHEDULES: [(&str, &[Schedule]); 5] = [
    ("step_epochs", &[Schedule::Step]),
    ("step_gamma", &[Schedule::Step]),
    ("exponential_gamma", &[Schedule::Exponential]),
    ("cosine_epochs", &[Schedule::Cosine]),
    ("cosine_min", &[Schedule::Cosine]),
];

/// Reads `[training]`.
///
/// Errors: settings outside their ranges; settings of an optimizer or schedule that no
/// configuration chooses; a schedule that lacks a setting; Nesterov without momentum.
pub(in crate::model) fn read_training(fields: Fields, space: &Space) -> Result<Training> {
    let mut s = Settings { fields, space };
    let optimizer = s.word("optimizer", Some(Optimizer::Adam))?;
    let schedule = s.word("schedule", Some(Schedule::Constant))?;
    s.refuse_idle("optimizer", optimizer, &OF_OPTIMIZERS)?;
    s.refuse_idle("schedule", schedule, &OF_SCHEDULES)?;
    let schedules = reachable(schedule, space);
    let epochs = s.epochs()?;
    let training = Training {
        optimizer,
        learning_rate: s.number("learning_rate", None, f64::MIN_POSITIVE, 1e6)?,
        schedule,
        beta1: s.number("beta1", Some(0.9), 0.0, ALMOST_ONE)?,
        beta2: s.number("beta2", Some(0.999), 0.0, ALMOST_ONE)?,
        epsilon: s.optional_number("epsilon", 1.0)?,
        momentum: s.number("momentum", Some(0.0), 0.0, ALMOST_ONE)?,
        nesterov: s.flag("nesterov")?,
        rho: s.number("rho", Some(0.99), 0.0, ALMOST_ONE)?,
        learning_rate_decay: s.number("learning_rate_decay", Some(0.0), 0.0, 1e6)?,
        initial_accumulator: s.number("initial_accumulator", Some(0.0), 0.0, 1e6)?,
        step_epochs: s.optional_epochs("step_epochs")?,
        step_gamma: s.number("step_gamma", Some(0.1), 0.0, GAMMA_MAX)?,
        exponential_gamma: s.optional_number("exponential_gamma", GAMMA_MAX)?,
        cosine_epochs: s.integer("cosine_epochs", Some(i64::from(epochs)), 1, EPOCHS_MAX)?,
        cosine_min: s.number("cosine_min", Some(0.0), 0.0, 1e6)?,
        l2: s.number("l2", Some(0.0), 0.0, 1e6)?,
        l2_scope: s.scope()?,
        batch_size: s.integer("batch_size", Some(128), 1, SIZE_MAX)?,
        epochs,
        train_size: s.split("train_size")?,
        val_size: s.split("val_size")?,
        test_size: s.split("test_size")?,
    };
    if schedules.contains(&Schedule::Step) && training.step_epochs.is_none() {
        return Err(s.fields.missing("step_epochs", "the epochs between two steps of `step`"));
    }
    if schedules.contains(&Schedule::Exponential) && training.exponential_gamma.is_none() {
        let what = "the factor of each epoch of `exponential`";
        return Err(s.fields.missing("exponential_gamma", what));
    }
    s.check_sense(&training)?;
    s.fields.finish()?;
    Ok(training)
}

impl Settings<'_> {
    /// Refuses settings that play no part in any configuration: they were meant to.
    pub(super) fn refuse_idle<W: Word + PartialEq>(
        &self,
        what: &str,
        setting: Setting<W>,
        settings: &[(&str, &[W])],
    ) -> Result<()> {
        let chosen = reachable(setting, self.space);
        let list = |words: &[W], by: &str| {
            let known = W::WORDS.iter().filter(|(_, word)| words.contains(word));
            known.map(|(text, _)| *text).collect::<Vec<_>>().join(by)
        };
        for (name, users) in settings {
            let Some(found) = self.fields.peek(name) else { continue };
            if !users.iter().any(|user| chosen.contains(user)) {
                let rule = format!("plays no part with {what} {}", list(&chosen, ", "));
                let remedy = format!("remove it, or choose {what} {}", list(users, " or "));
                return Err(self.fields.fault(name, found, rule, remedy));
            }
            let reference = found.as_str().and_then(|text| text.strip_prefix('$'));
            let Some(index) = reference.and_then(|name| self.space.position(name)) else {
                continue;
            };
            if !may_play_a_part(index, setting, users, self.space) {
                let users = list(users, " or ");
                let rule = format!(
                    "plays a part with {what} {users} alone, where the parameter's condition never \
                     holds"
                );
                let remedy = "correct the condition, or write a literal";
                return Err(self.fields.fault(name, found, rule, remedy));
            }
        }
        Ok(())
    }

    /// Refuses what makes no sense whatever the configuration.
    fn check_sense(&self, training: &Training) -> Result<()> {
        let has_momentum = self.range(training.momentum).1 > 0.0;
        if training.nesterov == Setting::Literal(true)
            && reachable(training.optimizer, self.space).contains(&Optimizer::Sgd)
            && !has_momentum
        {
            let rule = "looks ahead along a momentum, and `momentum` is 0";
            let remedy = "add `momentum`, as in momentum = 0.9, or remove `nesterov`";
            return Err(self.fields.fault("nesterov", true, rule, remedy));
        }
        let (bottom, top) =
            (self.range(training.cosine_min).0, self.range(training.learning_rate).1);
        if bottom > top {
            let rule = format!("lies above every learning rate, which end at {top}");
            let remedy = "choose a smaller one: the schedule falls to it";
            return Err(self.fields.fault("cosine_min", bottom, rule, remedy));
        }
        Ok(())
    }

    /// Least and greatest value of a number under any configuration.
    fn range(&self, setting: Setting<f64>) -> (f64, f64) {
        let (index, default) = match setting {
            Setting::Literal(value) => return (value, value),
            Setting::Parameter(index) => (index, None),
            Setting::Conditional(index, default) => (index, Some(default)),
        };
        let bounds = self.space.parameters[index].domain.bounds();
        let (low, high) = bounds.expect("a number refers to a number");
        default.map_or((low, high), |default| (low.min(default), high.max(default)))
    }

    /// A number of `0..=high`, if the field is there. A parameter may be inactive where the
    /// setting plays no part.
    fn optional_number(&mut self, name: &'static str, high: f64) -> Result<Option<Setting<f64>>> {
        if !self.fields.has(name) {
            return self.fields.number(name).map(|_| None);
        }
        self.number(name, Some(0.0), 0.0, high).map(without_default).map(Some)
    }

    /// A number of epochs, if the field is there; likewise.
    fn optional_epochs(&mut self, name: &'static str) -> Result<Option<Setting<i64>>> {
        if !self.fields.has(name) {
            return self.fields.integer(name).map(|_| None);
        }
        self.integer(name, Some(1), 1, EPOCHS_MAX).map(without_default).map(Some)
    }

    /// `true`, `false`, or `$name` of a categorical parameter among these two words.
    fn flag(&mut self, name: &'static str) -> Result<Setting<bool>> {
        match self.fields.peek(name) {
            None | Some(Json::String(_)) => self.word(name, Some(false)),
            Some(_) => Ok(Setting::Literal(self.fields.boolean(name)?.unwrap_or(false))),
        }
    }
}

/// The same setting, which has no value where its parameter is inactive.
pub(super) fn without_default<T>(setting: Setting<T>) -> Setting<T> {
    match setting {
        Setting::Conditional(index, _) => Setting::Parameter(index),
        other => other,
    }
}

/// Whether a parameter may be active in a configuration that chooses one of these words.
fn may_play_a_part<W: Word + PartialEq>(
    index: usize,
    chosen: Setting<W>,
    users: &[W],
    space: &Space,
) -> bool {
    let (decider, default) = match chosen {
        Setting::Literal(_) => return true,
        Setting::Parameter(decider) => (decider, None),
        Setting::Conditional(decider, default) => (decider, Some(default)),
    };
    let may = |value| space.may_be_active(&space.parameters[index], decider, value);
    let Domain::Categorical { choices } = &space.parameters[decider].domain else { return true };
    let is_user = |text: &str| W::WORDS.iter().any(|(w, word)| *w == text && users.contains(word));
    let by_choice = (0..choices.len()).any(|at| is_user(&choices[at]) && may(Value::Choice(at)));
    by_choice || default.is_some_and(|word| users.contains(&word) && may(Value::Inactive))
}

/// The words that some configuration chooses.
fn reachable<W: Word + PartialEq>(setting: Setting<W>, space: &Space) -> Vec<W> {
    let (index, default) = match setting {
        Setting::Literal(word) => return vec![word],
        Setting::Parameter(index) => (index, None),
        Setting::Conditional(index, default) => (index, Some(default)),
    };
    let is_chosen = |(text, word): &&(&str, W)| match &space.parameters[index].domain {
        Domain::Categorical { choices } => {
            default == Some(*word) || choices.iter().any(|choice| choice == text)
        }
        _ => false,
    };
    W::WORDS.iter().filter(is_chosen).map(|(_, word)| *word).collect()
}
