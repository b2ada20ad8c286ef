//! Does what another sampler does: a run under it is the run of the other.

use curvebook::base::error::Result;
use curvebook::base::units::{SimTime, TrialId};
use curvebook::methods::interface::{
    Arguments, Ask, Context, Entry, Fresh, Origin, Proposal, Sampler, SamplerFactory, View,
    parameters,
};

parameters! {
    struct Parameters {
        /// The sampler to ask.
        sampler: Method<SamplerFactory> in super::SAMPLERS = "random",
    }
}

pub(crate) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "through",
    summary: "Passes every question on to another sampler.",
    citation: "a toy",
    parameters: Parameters::SPECS,
    compared: &[],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let sampler = Parameters::read(arguments)?.sampler.build(context)?;
    Ok(Box::new(move |run| Box::new(Through(sampler(run)))))
}

struct Through(Box<dyn Sampler>);

impl Sampler for Through {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        self.0.ready(view)
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.0.propose(view, ask)
    }

    fn spent(&mut self) -> SimTime {
        self.0.spent()
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.0.started(view, trial, origin);
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.0.tell(view, trial);
    }

    fn looks_at_running(&self) -> bool {
        self.0.looks_at_running()
    }
}
