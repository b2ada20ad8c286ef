//! No early termination: the baseline of every comparison.

use base::error::Result;

use crate::interface::{Arguments, Context, Entry, StopperFactory, Trait};

pub(super) const ENTRY: Entry<StopperFactory> = Entry {
    name: "none",
    summary: "No trial is stopped early.",
    citation: "the baseline of Choi, Cho, Rhee 2018",
    parameters: &[],
    compared: &[],
    traits: &[Trait::NeverStops],
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the registry's signature")]
fn build(_: &Arguments, _: &Context<'_>) -> Result<StopperFactory> {
    Ok(Box::new(|_| None))
}
