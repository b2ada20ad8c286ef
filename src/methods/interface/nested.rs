//! Methods as the values of parameters: rules that wrap rules.

use base::error::Result;

use super::arguments::{Argument, Place};
use super::parameters::ParameterValue;
use super::registry::{
    Entry, Method, SamplerFactory, SchedulerFactory, StopperFactory, Trait, resolve_at,
};

impl<F: Factory> ParameterValue for Method<F> {
    fn from_argument(argument: &Argument) -> Option<Self> {
        match argument {
            Argument::Method(method) => F::of(method).cloned(),
            _ => None,
        }
    }
}

/// The registry that a parameter's methods are of, by a function, so that a registry may hold
/// methods with parameters of that same registry.
#[derive(Clone, Copy)]
pub enum Registry {
    Samplers(fn() -> &'static [Entry<SamplerFactory>]),
    Schedulers(fn() -> &'static [Entry<SchedulerFactory>]),
    Stoppers(fn() -> &'static [Entry<StopperFactory>]),
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl Registry {
    /// The word in `curvebook methods --format json`, under which the methods stand there.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Samplers(_) => "samplers",
            Self::Schedulers(_) => "schedulers",
            Self::Stoppers(_) => "stoppers",
        }
    }

    /// What one of its methods is called.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Samplers(_) => "sampler",
            Self::Schedulers(_) => "scheduler",
            Self::Stoppers(_) => "stopper",
        }
    }

    /// The names of its methods.
    pub fn names(self) -> Vec<&'static str> {
        fn names<F>(entries: &[Entry<F>]) -> Vec<&'static str> {
            entries.iter().map(|entry| entry.name).collect()
        }
        match self {
            Self::Samplers(registry) => names(registry()),
            Self::Schedulers(registry) => names(registry()),
            Self::Stoppers(registry) => names(registry()),
        }
    }

    pub(super) fn resolve(self, place: &Place<'_>, text: &str) -> Result<AnyMethod> {
        let noun = self.noun();
        match self {
            Self::Samplers(registry) => {
                resolve_at(place, noun, text, registry()).map(AnyMethod::Sampler)
            }
            Self::Schedulers(registry) => {
                resolve_at(place, noun, text, registry()).map(AnyMethod::Scheduler)
            }
            Self::Stoppers(registry) => {
                resolve_at(place, noun, text, registry()).map(AnyMethod::Stopper)
            }
        }
    }
}

/// A method of any of the three registries: the value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyMethod {
    Sampler(Method<SamplerFactory>),
    Scheduler(Method<SchedulerFactory>),
    Stopper(Method<StopperFactory>),
}

impl AnyMethod {
    /// As [`Method::canonical`].
    pub fn canonical(&self) -> &str {
        match self {
            Self::Sampler(method) => &method.canonical,
            Self::Scheduler(method) => &method.canonical,
            Self::Stopper(method) => &method.canonical,
        }
    }

    /// As [`Method::has`].
    pub fn has(&self, wanted: Trait) -> bool {
        match self {
            Self::Sampler(method) => method.has(wanted),
            Self::Scheduler(method) => method.has(wanted),
            Self::Stopper(method) => method.has(wanted),
        }
    }
}

/// What makes a sampler, scheduler or stopper for a run.
pub trait Factory: Sized + 'static {
    /// The method, if it is one of those that make this.
    fn of(method: &AnyMethod) -> Option<&Method<Self>>;
}

impl Factory for SamplerFactory {
    fn of(method: &AnyMethod) -> Option<&Method<Self>> {
        match method {
            AnyMethod::Sampler(method) => Some(method),
            _ => None,
        }
    }
}

impl Factory for SchedulerFactory {
    fn of(method: &AnyMethod) -> Option<&Method<Self>> {
        match method {
            AnyMethod::Scheduler(method) => Some(method),
            _ => None,
        }
    }
}

impl Factory for StopperFactory {
    fn of(method: &AnyMethod) -> Option<&Method<Self>> {
        match method {
            AnyMethod::Stopper(method) => Some(method),
            _ => None,
        }
    }
}
