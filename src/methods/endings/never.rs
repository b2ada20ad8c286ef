//! No ending: a run goes on until its goals are met, or nothing more may run.

use base::error::Result;

use crate::interface::{Arguments, Context, EndingFactory, Entry, Trait};

pub(super) const ENTRY: Entry<EndingFactory> = Entry {
    name: "never",
    summary: "Goes on until the goals are met, or rows, budget or trials run out.",
    citation: "the plain search",
    parameters: &[],
    compared: &[],
    traits: &[Trait::NeverStops],
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(_: &Arguments, _: &Context<'_>) -> Result<EndingFactory> {
    Ok(Box::new(|_| None))
}
