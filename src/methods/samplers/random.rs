//! Random search: a uniform draw among the rows not yet taken (Bergstra & Bengio 2012).
//!
//! The repeat's shuffled row order *is* a sequence of such draws, so the sampler takes its first
//! free row. Two runs of a repeat therefore visit the same rows in the same order whatever their
//! stopper or scheduler does, which pairs them. The number of trials to the first of `k` goal rows
//! among `N` follows the negative hypergeometric law with mean `(N + 1) / (k + 1)`.

use base::error::Result;
use base::units::TrialId;

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, View,
};

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "random",
    summary: "Uniform draws among the rows not yet taken.",
    citation: "Bergstra & Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012",
    parameters: &[],
    compared: &[Comparison {
        with: "the negative hypergeometric law",
        what: "trials to the first of 4 goal rows of 60, 20,000 runs (tests/it/random_search.rs)",
        result: "not told apart",
    }],
    traits: &[],
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(_: &Arguments, _: &Context<'_>) -> Result<SamplerFactory> {
    Ok(Box::new(|_| Box::new(Random)))
}

struct Random;

impl Sampler for Random {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        Proposal::Row(view.first_free().expect("the engine asks only while a row is free"))
    }

    fn tell(&mut self, _: &View<'_>, _: TrialId) {}
}
