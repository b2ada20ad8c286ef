//! When a parameter plays a part.

use super::parameter::{Domain, Literal, Parameter, Space, Value};

/// What must hold for a parameter to be active. An inactive parameter has no value, so nothing
/// that asks for one of its values holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `{ name = "optimizer", in = ["sgd"] }`: the earlier parameter has one of these values.
    In {
        /// The parameter that decides.
        name: String,
        /// The values under which this one is active.
        values: Vec<Literal>,
    },
    /// `{ all = [...] }`: every one of these holds.
    All(Vec<Self>),
    /// `{ any = [...] }`: at least one of these holds.
    Any(Vec<Self>),
}

impl Condition {
    /// Names of the parameters that decide, in the order of the file.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::In { name, .. } => vec![name],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }

    /// Whether it holds where `asks` says so of each of its innermost parts.
    fn holds(&self, asks: &impl Fn(&str, &[Literal]) -> bool) -> bool {
        match self {
            Self::In { name, values } => asks(name, values),
            Self::All(parts) => parts.iter().all(|part| part.holds(asks)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(asks)),
        }
    }
}

impl Space {
    /// Whether `parameter` plays a part, given the values of all parameters before it.
    pub fn is_active(&self, parameter: &Parameter, before: &[Value]) -> bool {
        let Some(condition) = &parameter.condition else { return true };
        condition.holds(&|name, values| {
            let at = self.position(name).expect("checked by `Space::new`");
            has_one_of(&self.parameters[at], values, before[at])
        })
    }

    /// Whether `parameter` might play a part where the parameter at `decider` has the value
    /// `decided`. True, too, where two parts of a condition contradict each other through
    /// parameters other than that one: what cannot be is looked for, not what can.
    pub fn may_be_active(&self, parameter: &Parameter, decider: usize, decided: Value) -> bool {
        let Some(condition) = &parameter.condition else { return true };
        condition.holds(&|name, values| {
            let at = self.position(name).expect("checked by `Space::new`");
            if at == decider {
                return has_one_of(&self.parameters[at], values, decided);
            }
            // Conditions refer backwards, so that this comes to an end.
            self.may_be_active(&self.parameters[at], decider, decided)
        })
    }
}

fn has_one_of(parameter: &Parameter, values: &[Literal], value: Value) -> bool {
    values.iter().any(|literal| match (&parameter.domain, literal, value) {
        // The same without looking through all choices.
        (Domain::Categorical { choices }, Literal::Text(word), Value::Choice(choice)) => {
            choices[choice] == *word
        }
        _ => parameter.value_of(literal) == Some(value),
    })
}
