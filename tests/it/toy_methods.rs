//! Toy methods of the kinds that no method of the program is of yet: rules and samplers that wrap
//! others, a scheduler that pauses, methods that are told the goal, and every way of looking. They
//! stand in registries beside the program's own, whose methods they may wrap, and go through the
//! conformance tests with them.

pub(crate) mod patient;
mod rungs;
mod simple_stoppers;
pub(crate) mod through;
mod told;

use curvebook::methods::interface::{Entry, SamplerFactory, SchedulerFactory, StopperFactory};
use curvebook::methods::{samplers, schedulers, stoppers};

/// Every sampler of the program that needs no file, and the toys.
pub(crate) static SAMPLERS: &[Entry<SamplerFactory>] = &[
    samplers::REGISTRY[0],
    samplers::REGISTRY[3],
    samplers::REGISTRY[4],
    through::ENTRY,
    told::SAMPLER,
    told::WATCHING_SAMPLER,
];

/// Every scheduler of the program, and the toys.
pub(crate) static SCHEDULERS: &[Entry<SchedulerFactory>] =
    &[schedulers::REGISTRY[0], rungs::ENTRY, told::SCHEDULER];

/// Every rule of the program, and the toys.
pub(crate) static STOPPERS: &[Entry<StopperFactory>] = &[
    stoppers::REGISTRY[0],
    stoppers::REGISTRY[1],
    stoppers::REGISTRY[2],
    patient::ENTRY,
    simple_stoppers::THIRDS,
    simple_stoppers::SOME,
    simple_stoppers::FORESEES,
    simple_stoppers::WATCHES,
    told::STOPPER,
];
