//! Sobol search: the points of an Owen-scrambled Sobol sequence in their order, each taken to the
//! nearest free row.
//!
//! Every repeat scrambles anew, with a seed drawn from the run's own stream: repeats are
//! independent, and each is evenly spread (Sobol 1967; Owen 1995; see [`base::space::sobol`]).
//! The sequence has 65,536 points; a run that asks for more is exhausted.

use std::sync::Arc;

use base::error::{Result, fault};
use base::space::{Space, sobol};
use base::units::{TrialId, plural};
use rand::RngExt;

use crate::interface::{
    Arguments, Ask, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, View,
};
use crate::kit::streams::Streams;

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "sobol",
    summary: "Points of a scrambled Sobol sequence, each snapped to the nearest free row.",
    citation: "Burley, Practical hash-based Owen scrambling, JCGT 9(4), 2020",
    parameters: &[],
    compared: &[],
    traits: &[],
    build,
};

fn build(_: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let width = context.space.parameters.len();
    if width > sobol::DIMENSIONS_MAX {
        return Err(fault(
            "--sampler",
            "sobol",
            format!("table `{}` has {}", context.table, plural(width, "parameter")),
            format!("the Sobol sequence has {} dimensions", sobol::DIMENSIONS_MAX),
            "use --sampler random",
        ));
    }
    let space = Arc::new(context.space.clone());
    Ok(Box::new(move |run| {
        let seed = Streams::new(run, "sobol").main().random();
        Box::new(Sobol { space: Arc::clone(&space), seed, next: 0 })
    }))
}

struct Sobol {
    space: Arc<Space>,
    /// Of the scrambling.
    seed: u32,
    next: u32,
}

impl Sampler for Sobol {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        if self.next < sobol::POINTS_MAX { Fresh::Ready } else { Fresh::Exhausted }
    }

    fn propose(&mut self, _: &View<'_>, _: &Ask) -> Proposal {
        let point = sobol::point(&self.space, self.next, self.seed);
        self.next += 1;
        Proposal::Point(point)
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}
