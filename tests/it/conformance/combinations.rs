//! Which methods run together: each by itself among neutral partners, and then enough together that
//! every two *kinds* of them have met. A kind is what the engine can tell: a method's traits, how
//! it looks, and whether it looks at what runs. How many combinations there are grows with the
//! methods, and with the pairs of kinds; not with the pairs of methods.

use std::collections::BTreeSet;
use std::path::Path;

use curvebook::methods::interface::{
    Looks, Method, SamplerFactory, SchedulerFactory, StopperFactory, Trait,
};
use curvebook::replay::Pool;

use super::registries::registries;
use super::rooms::{RUN, every_entry};
use crate::replay_common::context;

/// Whether every method shall run with every other: `CURVEBOOK_CONFORMANCE=full`.
pub(super) fn wants_all() -> bool {
    std::env::var("CURVEBOOK_CONFORMANCE").is_ok_and(|what| what == "full")
}

/// A sampler, a scheduler and a rule.
#[derive(Clone)]
pub(super) struct Combination {
    pub sampler: Method<SamplerFactory>,
    pub scheduler: Method<SchedulerFactory>,
    pub stopper: Method<StopperFactory>,
}

impl Combination {
    pub(super) fn name(&self) -> String {
        let Self { sampler, scheduler, stopper } = self;
        format!("{} {} {}", sampler.canonical, scheduler.canonical, stopper.canonical)
    }

    pub(super) fn tells_goal(&self) -> bool {
        let Self { sampler, scheduler, stopper } = self;
        let aware = Trait::GoalAware;
        sampler.has(aware) || scheduler.has(aware) || stopper.has(aware)
    }
}

/// Every way to write every method that serves a pool.
pub(super) struct Methods {
    pub samplers: Vec<Method<SamplerFactory>>,
    pub schedulers: Vec<Method<SchedulerFactory>>,
    pub stoppers: Vec<Method<StopperFactory>>,
}

impl Methods {
    pub(super) fn all(order: &Path, has_chance: bool) -> Self {
        let all = registries();
        let (samplers, schedulers, stoppers) = (
            every_entry(&all.samplers, order, has_chance),
            every_entry(&all.schedulers, order, has_chance),
            every_entry(&all.stoppers, order, has_chance),
        );
        Self {
            samplers: samplers.iter().map(|text| all.sampler(text)).collect(),
            schedulers: schedulers.iter().map(|text| all.scheduler(text)).collect(),
            stoppers: stoppers.iter().map(|text| all.stopper(text)).collect(),
        }
    }

    /// What the checks run on a pool. Every `turn` lets other methods stand for their kinds.
    pub(super) fn combinations(&self, pool: &Pool, turn: usize) -> Vec<Combination> {
        if wants_all() {
            return self.product();
        }
        let mut all = self.alone();
        all.extend(self.covering(pool, turn));
        all
    }

    fn product(&self) -> Vec<Combination> {
        let mut all = Vec::new();
        for sampler in &self.samplers {
            for scheduler in &self.schedulers {
                for stopper in &self.stoppers {
                    let (sampler, scheduler) = (sampler.clone(), scheduler.clone());
                    all.push(Combination { sampler, scheduler, stopper: stopper.clone() });
                }
            }
        }
        all
    }

    /// Each method once, with `random`, `fifo` and `none`.
    fn alone(&self) -> Vec<Combination> {
        let neutral = Combination {
            sampler: registries().sampler("random"),
            scheduler: registries().scheduler("fifo"),
            stopper: registries().stopper("none"),
        };
        let samplers = self.samplers.iter();
        let samplers = samplers.map(|s| Combination { sampler: s.clone(), ..neutral.clone() });
        let schedulers = self.schedulers.iter();
        let schedulers =
            schedulers.map(|s| Combination { scheduler: s.clone(), ..neutral.clone() });
        let stoppers = self.stoppers.iter();
        let stoppers = stoppers.map(|s| Combination { stopper: s.clone(), ..neutral.clone() });
        samplers.chain(schedulers).chain(stoppers).collect()
    }

    /// Combinations in which every two kinds of different axes meet.
    fn covering(&self, pool: &Pool, turn: usize) -> Vec<Combination> {
        let context = context(pool);
        let samplers = kinds(&self.samplers, |method| {
            let sampler = method.build(&context).unwrap()(&RUN);
            (traits(|t| method.has(t)), sampler.looks_at_running())
        });
        let schedulers = kinds(&self.schedulers, |method| {
            let scheduler = method.build(&context).unwrap()(&RUN);
            (traits(|t| method.has(t)), scheduler.looks_at_running())
        });
        let stoppers = kinds(&self.stoppers, |method| {
            let stopper = method.build(&context).unwrap()(&RUN);
            let stopper = stopper.as_deref();
            let looks = stopper.map(|stopper| way(&stopper.looks()));
            let watches = stopper.is_some_and(|stopper| stopper.looks_at_running());
            (traits(|t| method.has(t)), looks, watches)
        });
        let triples = covering([samplers.len(), schedulers.len(), stoppers.len()]);
        let triples = triples.into_iter().enumerate();
        let combination = |(at, [sampler, scheduler, stopper]): (usize, [usize; 3])| Combination {
            sampler: self.samplers[by_turns(&samplers[sampler], turn + at)].clone(),
            scheduler: self.schedulers[by_turns(&schedulers[scheduler], turn + at)].clone(),
            stopper: self.stoppers[by_turns(&stoppers[stopper], turn + at)].clone(),
        };
        triples.map(combination).collect()
    }
}

fn traits(has: impl Fn(Trait) -> bool) -> Vec<bool> {
    let all = [
        Trait::GoalAware,
        Trait::NeedsChance,
        Trait::LearnsValues,
        Trait::LearnsRanks,
        Trait::Predicts,
        Trait::NeverStops,
        Trait::Pauses,
    ];
    all.into_iter().map(has).collect()
}

fn way(looks: &Looks) -> u32 {
    match looks {
        Looks::Never => 0,
        Looks::EveryEpoch => 1,
        Looks::From { .. } => 2,
        Looks::These(_) => 3,
    }
}

fn by_turns(members: &[usize], turn: usize) -> usize {
    members[turn % members.len()]
}

/// The methods, by their places in the list, of each kind.
fn kinds<M, Kind: PartialEq>(methods: &[M], kind: impl Fn(&M) -> Kind) -> Vec<Vec<usize>> {
    let mut known: Vec<(Kind, Vec<usize>)> = Vec::new();
    for (at, method) in methods.iter().enumerate() {
        let kind = kind(method);
        match known.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, members)) => members.push(at),
            None => known.push((kind, vec![at])),
        }
    }
    known.into_iter().map(|(_, members)| members).collect()
}

/// Triples of numbers below `counts` in which every pair of two axes stands, greedily few of them.
fn covering(counts: [usize; 3]) -> Vec<[usize; 3]> {
    let pairs = |[a, b, c]: [usize; 3]| [(0, a, b), (1, a, c), (2, b, c)];
    let mut all = Vec::new();
    for a in 0..counts[0] {
        for b in 0..counts[1] {
            all.extend((0..counts[2]).map(|c| [a, b, c]));
        }
    }
    let mut missing: BTreeSet<_> = all.iter().flat_map(|triple| pairs(*triple)).collect();
    let mut chosen = Vec::new();
    while !missing.is_empty() {
        let new =
            |triple: &[usize; 3]| pairs(*triple).iter().filter(|p| missing.contains(p)).count();
        // The last of equals; any would do.
        let best = all.iter().copied().max_by_key(new).expect("a pair is missing of some triple");
        pairs(best).iter().for_each(|pair| {
            missing.remove(pair);
        });
        chosen.push(best);
    }
    chosen
}

#[test]
fn every_two_kinds_meet_in_few_combinations() {
    for counts in [[1, 1, 1], [4, 1, 6], [5, 3, 9], [8, 5, 12], [2, 9, 3]] {
        let triples = covering(counts);
        for (x, y) in [(0, 1), (0, 2), (1, 2)] {
            let met: BTreeSet<_> = triples.iter().map(|t| (t[x], t[y])).collect();
            assert_eq!(met.len(), counts[x] * counts[y], "{counts:?}");
        }
        let mut sorted = counts;
        sorted.sort_unstable();
        // No fewer would do than the two largest axes need.
        let least = sorted[1] * sorted[2];
        assert!(triples.len() <= least + least / 3 + 1, "{counts:?}: {}", triples.len());
    }
}
