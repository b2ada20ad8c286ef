//! The methods that conformance is about: those of the program, and toys of the kinds that the
//! program has none of yet.

use std::sync::LazyLock;

use curvebook::methods::interface::{
    Entry, Method, SamplerFactory, SchedulerFactory, StopperFactory, resolve,
};
use curvebook::methods::{samplers, schedulers, stoppers};

use crate::toy_methods;

pub(super) struct Registries {
    pub samplers: Vec<Entry<SamplerFactory>>,
    pub schedulers: Vec<Entry<SchedulerFactory>>,
    pub stoppers: Vec<Entry<StopperFactory>>,
}

static ALL: LazyLock<Registries> = LazyLock::new(|| {
    let mut all = Registries {
        samplers: both(samplers::REGISTRY, toy_methods::SAMPLERS),
        schedulers: both(schedulers::REGISTRY, toy_methods::SCHEDULERS),
        stoppers: both(stoppers::REGISTRY, toy_methods::STOPPERS),
    };
    let wanted = std::env::var("CURVEBOOK_CONFORMANCE_METHODS").ok();
    let wanted: usize = wanted.map_or(0, |count| count.parse().expect("a number of methods"));
    let mut copy = 2;
    while all.count() < wanted {
        let missing = wanted - all.count();
        copy_some(&mut all.samplers, copy, missing);
        copy_some(&mut all.stoppers, copy, missing.saturating_sub(6));
        copy_some(&mut all.schedulers, copy, missing.saturating_sub(12));
        copy += 1;
    }
    if wanted > 0 {
        eprintln!("conformance of {} methods", all.count());
    }
    all
});

pub(super) fn registries() -> &'static Registries {
    &ALL
}

fn both<Factory>(program: &[Entry<Factory>], toys: &[Entry<Factory>]) -> Vec<Entry<Factory>> {
    let known = |toy: &&Entry<Factory>| program.iter().any(|entry| entry.name == toy.name);
    let toys = toys.iter().filter(|toy| !known(toy));
    program.iter().chain(toys).copied().collect()
}

/// Adds up to `most` of the first entries again under other names.
fn copy_some<Factory>(entries: &mut Vec<Entry<Factory>>, copy: u32, most: usize) {
    let originals = entries.iter().filter(|entry| !entry.name.contains("-copy-"));
    let copies = originals.take(most).map(|entry| {
        let name = format!("{}-copy-{copy}", entry.name);
        Entry { name: Box::leak(name.into_boxed_str()), ..*entry }
    });
    let copies: Vec<_> = copies.collect();
    entries.extend(copies);
}

impl Registries {
    fn count(&self) -> usize {
        self.samplers.len() + self.schedulers.len() + self.stoppers.len()
    }

    pub(super) fn sampler(&'static self, text: &str) -> Method<SamplerFactory> {
        resolve("--sampler", text, &self.samplers).unwrap_or_else(|e| panic!("{e}"))
    }

    pub(super) fn scheduler(&'static self, text: &str) -> Method<SchedulerFactory> {
        resolve("--scheduler", text, &self.schedulers).unwrap_or_else(|e| panic!("{e}"))
    }

    pub(super) fn stopper(&'static self, text: &str) -> Method<StopperFactory> {
        resolve("--stopper", text, &self.stoppers).unwrap_or_else(|e| panic!("{e}"))
    }
}
