//! Which methods work together.

use methods::interface::{Method, SamplerFactory, SchedulerFactory, StopperFactory, Trait};

use crate::WarmStart;

/// A sampler, a scheduler and a stopper that work together.
#[derive(Debug, Clone, PartialEq)]
pub struct Trio {
    pub sampler: Method<SamplerFactory>,
    pub scheduler: Method<SchedulerFactory>,
    pub stopper: Method<StopperFactory>,
}

impl Trio {
    pub(crate) const fn borrowed(&self) -> TrioRef<'_> {
        let Self { sampler, scheduler, stopper } = self;
        TrioRef { sampler, scheduler, stopper }
    }
}

/// The same, of methods that a grid holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrioRef<'a> {
    pub(crate) sampler: &'a Method<SamplerFactory>,
    pub(crate) scheduler: &'a Method<SchedulerFactory>,
    pub(crate) stopper: &'a Method<StopperFactory>,
}

impl TrioRef<'_> {
    /// Whether any of these methods, or of the warm start before them, is told the goal.
    pub(crate) fn is_goal_aware(&self, warm_start: Option<&WarmStart>) -> bool {
        let warm = warm_start.is_some_and(|warm| {
            warm.sampler.has(Trait::GoalAware) || warm.stopper.has(Trait::GoalAware)
        });
        warm || self.sampler.has(Trait::GoalAware)
            || self.scheduler.has(Trait::GoalAware)
            || self.stopper.has(Trait::GoalAware)
    }
}

impl std::fmt::Display for TrioRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [sampler, scheduler, stopper] =
            [&self.sampler.canonical, &self.scheduler.canonical, &self.stopper.canonical];
        write!(f, "{sampler} + {scheduler} + {stopper}")
    }
}
