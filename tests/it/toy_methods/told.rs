//! A sampler, a scheduler and a rule that are told the goal, and a sampler that watches what runs.

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Ask, Context, Entry, Fate, Fresh, Looks, Origin, Proposal, Sampler, SamplerFactory,
    Scheduler, SchedulerFactory, State, Stopper, StopperFactory, Trait, Verdict, View, Work,
};

pub(super) const SAMPLER: Entry<SamplerFactory> = Entry {
    name: "aims",
    summary: "Goes through the free rows by their numbers, as far as the goal is away.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[Trait::GoalAware, Trait::LearnsRanks],
    build: build_sampler,
};

pub(super) const WATCHING_SAMPLER: Entry<SamplerFactory> = Entry {
    name: "watching",
    summary: "Chooses by how far the running trials have come.",
    compared: &[],
    traits: &[Trait::LearnsValues],
    build: build_watching,
    ..SAMPLER
};

pub(super) const SCHEDULER: Entry<SchedulerFactory> = Entry {
    name: "brings",
    summary: "Brings every second proposal along, and stops short of what the goal wants.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[Trait::GoalAware],
    build: build_scheduler,
};

pub(super) const STOPPER: Entry<StopperFactory> = Entry {
    name: "despairs",
    summary: "Stops at the third epoch what is far from the goal.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[Trait::GoalAware, Trait::NeedsChance],
    build: build_stopper,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_sampler(_: &Arguments, _: &Context<'_>) -> Result<SamplerFactory> {
    Ok(Box::new(|_| Box::new(Aims)))
}

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_watching(_: &Arguments, _: &Context<'_>) -> Result<SamplerFactory> {
    Ok(Box::new(|_| Box::new(Watching)))
}

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build_scheduler(_: &Arguments, _: &Context<'_>) -> Result<SchedulerFactory> {
    Ok(Box::new(|_| Box::new(Brings { started: 0 })))
}

fn build_stopper(_: &Arguments, context: &Context<'_>) -> Result<StopperFactory> {
    if context.metric.chance.is_none() {
        let rule = "`despairs` compares with the value of guessing";
        return Err(curvebook::base::error::fault(
            context.table,
            "metric.chance",
            "missing",
            rule,
            "use another rule",
        ));
    }
    Ok(Box::new(|_| Some(Box::new(Despairs))))
}

fn goal(view: &View<'_>) -> f64 {
    view.goal.expect("it is told the goal")
}

struct Aims;

impl Sampler for Aims {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let values = view.trials().iter().map(|trial| trial.reported);
        let best = values.fold(f64::NEG_INFINITY, f64::max);
        let mut free: Vec<_> = view.free().collect();
        free.sort_unstable();
        let skipped = if best < goal(view) / 2.0 { free.len() / 2 } else { 0 };
        Proposal::Row(free[skipped])
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}

struct Watching;

impl Sampler for Watching {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let running = view.running().map(|id| view.trial(id).executed.0 as usize);
        let come: usize = running.sum();
        let free: Vec<_> = view.free().collect();
        Proposal::Row(free[come % free.len()])
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}

    fn looks_at_running(&self) -> bool {
        true
    }
}

struct Brings {
    /// What has started, by whomever.
    started: usize,
}

impl Scheduler for Brings {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let is_wanted = goal(view).is_finite();
        match fresh {
            Fresh::Ready if is_wanted => {
                assert_eq!(self.started, view.trials().len(), "it hears of every start");
                let own = self.started.is_multiple_of(2).then(|| view.free().last()).flatten();
                Work::New { until: view.epochs, bracket: 1, own: own.map(Proposal::Row) }
            }
            _ => Work::Wait,
        }
    }

    fn at_until(&mut self, _: &View<'_>, _: TrialId) -> Fate {
        Fate::Stop
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        let is_earlier = origin == Origin::EarlierPhase;
        assert!(is_earlier || view.trial(trial).state == State::Running);
        assert_eq!((trial.index(), view.trials().len() > trial.index()), (self.started, true));
        self.started += 1;
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}
}

struct Despairs;

impl Stopper for Despairs {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        if view.seen(trial, epoch).is_some_and(|score| score < goal(view) - 6.6) {
            return Verdict::Stop { predicted: None };
        }
        Verdict::Go
    }

    fn looks(&self) -> Looks {
        Looks::only(Epoch(3))
    }
}
