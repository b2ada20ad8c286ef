//! First in, first out: every free worker starts the next proposal and runs it to the last epoch.

use base::error::Result;
use base::units::TrialId;

use crate::interface::{
    Arguments, Context, Entry, Fate, Fresh, Scheduler, SchedulerFactory, View, Work,
};

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "fifo",
    summary: "Every trial runs to the last epoch unless a stopper ends it.",
    citation: "the plain queue of a worker pool",
    parameters: &[],
    compared: &[],
    traits: &[],
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(_: &Arguments, _: &Context<'_>) -> Result<SchedulerFactory> {
    Ok(Box::new(|_| Box::new(Fifo)))
}

struct Fifo;

impl Scheduler for Fifo {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        match fresh {
            Fresh::Ready => Work::New { until: view.epochs, bracket: 0, own: None },
            Fresh::Wait | Fresh::Exhausted => Work::Wait,
        }
    }

    fn at_until(&mut self, view: &View<'_>, _: TrialId) -> Fate {
        Fate::Go { until: view.epochs }
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}
}
