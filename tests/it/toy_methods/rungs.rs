//! Pauses every trial after some epochs; once nothing more can start, the best half goes on.

use curvebook::base::error::Result;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Fate, Fresh, Scheduler, SchedulerFactory, Trait, View, Work,
    parameters,
};

parameters! {
    struct Parameters {
        /// Epochs before a trial pauses.
        rung: u16 in 1..=1000 = 1,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "rungs",
    summary: "Pauses trials at a rung and resumes the better half.",
    citation: "a toy",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let rung = Parameters::read(arguments)?.rung.min(context.epochs.0);
    Ok(Box::new(move |_| Box::new(Rungs { rung: Epoch(rung) })))
}

struct Rungs {
    rung: Epoch,
}

impl Scheduler for Rungs {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        if fresh == Fresh::Ready {
            return Work::New { until: self.rung, bracket: 0, own: None };
        }
        let mut paused: Vec<TrialId> = view.paused().collect();
        let value = |id: &TrialId| {
            let value = view.trial(*id).value;
            if value.is_nan() { f64::NEG_INFINITY } else { value }
        };
        paused.sort_by(|a, b| value(b).total_cmp(&value(a)));
        // Those that have gone on are not paused any more.
        let gone_on = view.trials().iter().filter(|trial| trial.executed > self.rung).count();
        match paused.first() {
            Some(&trial) if fresh == Fresh::Exhausted && gone_on <= paused.len() => {
                Work::Resume { trial, until: view.epochs }
            }
            _ => Work::Wait,
        }
    }

    fn at_until(&mut self, _: &View<'_>, _: TrialId) -> Fate {
        Fate::Pause
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}

    // `executed` of running trials tells which have gone on.
    fn looks_at_running(&self) -> bool {
        true
    }
}
