//! Rules, one for each way of looking: each stops what is worse than half of chance and more.

use std::sync::Arc;

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Looks, State, Stopper, StopperFactory, Trait, Verdict, View,
};

pub(super) const THIRDS: Entry<StopperFactory> = Entry {
    name: "thirds",
    summary: "Looks at every third epoch from the second on.",
    citation: "a toy",
    parameters: &[],
    compared: &[],
    traits: &[],
    build: |arguments, context| {
        let looks = Looks::From { first: Epoch(2), step: 3 };
        build(arguments, context, looks, false, None)
    },
};

pub(super) const SOME: Entry<StopperFactory> = Entry {
    name: "some",
    summary: "Looks at three epochs.",
    build: |arguments, context| {
        let looks = Looks::These(Arc::new([1, 3, 4].map(Epoch)));
        build(arguments, context, looks, false, None)
    },
    ..THIRDS
};

pub(super) const FORESEES: Entry<StopperFactory> = Entry {
    name: "foresees",
    summary: "Looks at every epoch and predicts.",
    compared: &[],
    traits: &[Trait::Predicts],
    build: |arguments, context| build(arguments, context, Looks::EveryEpoch, false, Some(0.4)),
    ..THIRDS
};

pub(super) const WATCHES: Entry<StopperFactory> = Entry {
    name: "watches",
    summary: "Looks at the second epoch, and at all trials that run.",
    build: |arguments, context| build(arguments, context, Looks::only(Epoch(2)), true, None),
    ..THIRDS
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(
    _: &Arguments,
    _: &Context<'_>,
    looks: Looks,
    watches: bool,
    predicted: Option<f64>,
) -> Result<StopperFactory> {
    Ok(Box::new(move |_| Some(Box::new(Rule { looks: looks.clone(), watches, predicted }))))
}

struct Rule {
    looks: Looks,
    watches: bool,
    predicted: Option<f64>,
}

impl Stopper for Rule {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        assert!(self.looks.includes(epoch), "asked at {epoch}, and looks at {:?}", self.looks);
        // What running trials have come to, for a rule that says that it looks at them.
        let ahead = view.trials().iter().filter(|t| t.state == State::Running && self.watches);
        let ahead = ahead.filter(|t| t.executed > epoch).count();
        let bar = 0.35 + 0.05 * f64::from(u32::try_from(ahead).unwrap());
        if view.seen(trial, epoch).is_some_and(|score| score < bar) {
            return Verdict::Stop { predicted: self.predicted };
        }
        Verdict::Go
    }

    fn looks(&self) -> Looks {
        self.looks.clone()
    }

    fn looks_at_running(&self) -> bool {
        self.watches
    }
}
